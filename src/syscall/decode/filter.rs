//! Programs of the socket filter (`linux/filter.h`): those that seccomp runs, and those of sockets.

use super::Decoder;
use super::net::{word16, word32};
use super::rare::number;
use crate::syscall::flags::{
    BPF_ALU_OP, BPF_JUMP_OP, BPF_SOURCE, FILTER_CLASS, FILTER_MISC, FILTER_MODE, FILTER_RESULT, FILTER_SIZE,
    FlagSet, SECCOMP_ACTION, SOCKET_DATA, write_hex, write_radix,
};

/// Size of `struct sock_filter`.
const INSTRUCTION: usize = 8;
/// Most instructions of a program (`BPF_MAXINSNS`).
const MOST: u64 = 4096;

/// What the numbers of a program's instructions mean.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// What is done to a call.
    Seccomp,
    /// Places in a packet.
    Socket,
}

/// `{len=2, filter=[BPF_STMT(BPF_RET|BPF_K, SECCOMP_RET_ALLOW)]}`: `struct sock_fprog`.
pub(super) fn write(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64, of: Of) {
    let (word, mut bytes) = (call.word_size(), [0; 16]);
    let size = 2 * word;
    let is_looked_at = address != 0 && !call.style.addresses;
    if !is_looked_at || call.memory.read(call.phase, address, &mut bytes[..size]) < size {
        return call.write_address(out, address);
    }
    let (count, pointer) = (word16(&bytes, 0), number(&bytes[word..size]));
    out.extend_from_slice(b"{len=");
    write_radix(out, u64::from(count), 10, 1);
    out.extend_from_slice(b", filter=");
    write_program(call, out, pointer, u64::from(count), of);
    out.push(b'}');
}

/// So many instructions, where all is to be shown.
pub(super) fn write_program(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64, count: u64, of: Of) {
    if !call.style.verbose {
        return call.write_address(out, address);
    }
    let begin = out.len();
    call.write_array(out, address, count.min(MOST), INSTRUCTION, &mut |call, out, bytes| {
        write_instruction(call, out, bytes, of);
    });
    if count > MOST && out[begin..].ends_with(b")]") {
        out.pop();
        out.extend_from_slice(b", ...]");
    }
}

/// `BPF_JUMP(BPF_JMP|BPF_K|BPF_JEQ, 0xe7, 0, 0x1)`
fn write_instruction(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8], of: Of) {
    let (code, jumps, operand) = (word16(bytes, 0), [bytes[2], bytes[3]], word32(bytes, 4));
    let is_jump = jumps != [0; 2];
    out.extend_from_slice(if is_jump { b"BPF_JUMP(" } else { b"BPF_STMT(" });
    write_code(call, out, code);
    out.extend_from_slice(b", ");
    match of {
        _ if is_jump => {
            write_hex(out, u64::from(operand));
            for jump in jumps {
                out.extend_from_slice(b", ");
                write_hex(out, u64::from(jump));
            }
        }
        Of::Seccomp if code & CLASS == RETURN => write_action(call, out, operand),
        Of::Socket if code & (CLASS | ADDRESSING) == ABSOLUTE => write_place(call, out, operand),
        _ => write_hex(out, u64::from(operand)),
    }
    out.push(b')');
}

/// Parts of an instruction's code.
const CLASS: u16 = 7;
const ADDRESSING: u16 = 0xe0;
/// `BPF_LD|BPF_ABS`, `BPF_RET`.
const ABSOLUTE: u16 = 0x20;
const RETURN: u16 = 6;

/// `BPF_LD|BPF_W|BPF_ABS`
fn write_code(call: &Decoder<'_, '_>, out: &mut Vec<u8>, code: u16) {
    let constants = call.style.constants;
    constants.one(out, &FILTER_CLASS, u64::from(code & CLASS));
    // What else there is, and which bits are none of it.
    let (parts, rest): (&[(&FlagSet, u16)], u16) = match code & CLASS {
        0 | 1 => (&[(&FILTER_SIZE, 0x18), (&FILTER_MODE, ADDRESSING)], 0),
        2 | 3 => (&[], code & !CLASS),
        4 => (&[(&BPF_SOURCE, 8), (&BPF_ALU_OP, 0xf0)], 0),
        5 => (&[(&BPF_SOURCE, 8), (&BPF_JUMP_OP, 0xf0)], 0),
        6 => (&[(&FILTER_RESULT, 0x18)], code & !(CLASS | 0x18)),
        _ => (&[(&FILTER_MISC, 0xf8)], code & !0xff),
    };
    for (set, mask) in parts {
        out.push(b'|');
        constants.one(out, set, u64::from(code & mask));
    }
    if rest != 0 {
        out.push(b'|');
        write_hex(out, u64::from(rest));
        out.extend_from_slice(b" /* BPF_??? */");
    }
}

/// `SECCOMP_RET_ERRNO|0x16`
fn write_action(call: &Decoder<'_, '_>, out: &mut Vec<u8>, operand: u32) {
    const ACTION: u32 = 0xffff_0000;
    call.style.constants.one(out, &SECCOMP_ACTION, u64::from(operand & ACTION));
    if operand & !ACTION != 0 {
        out.push(b'|');
        write_hex(out, u64::from(operand & !ACTION));
    }
}

/// Where in a packet, counted from these, the network's and the link's header begins, and what is no part of it.
const LINK: u32 = 0u32.wrapping_sub(0x20_0000);
const NETWORK: u32 = 0u32.wrapping_sub(0x10_0000);
const BESIDE: u32 = 0u32.wrapping_sub(0x1000);

/// `SKF_AD_OFF+SKF_AD_PROTOCOL`
fn write_place(call: &Decoder<'_, '_>, out: &mut Vec<u8>, operand: u32) {
    let (name, from) = match operand {
        BESIDE.. => ("SKF_AD_OFF", BESIDE),
        NETWORK.. => ("SKF_NET_OFF", NETWORK),
        LINK.. => ("SKF_LL_OFF", LINK),
        _ => return write_hex(out, u64::from(operand)),
    };
    let number = |out: &mut Vec<u8>| write_hex(out, u64::from(from));
    call.style.constants.write(out, number, |out| out.extend_from_slice(name.as_bytes()));
    out.push(b'+');
    let offset = u64::from(operand - from);
    match from {
        BESIDE => call.style.constants.one(out, &SOCKET_DATA, offset),
        _ => write_radix(out, offset, 10, 1),
    }
}
