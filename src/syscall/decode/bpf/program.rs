//! Instructions of a BPF program (`linux/bpf.h`): the operation, in three parts, two registers, an offset, a number.

use super::super::Decoder;
use super::super::net::{word16, word32, word64};
use crate::syscall::flags::{
    BPF_ALU_OP, BPF_CLASS, BPF_JUMP_OP, BPF_MODE, BPF_REGISTER, BPF_SIZE, BPF_SOURCE, FlagSet, write_hex,
    write_number,
};

/// Size of `struct bpf_insn`.
const INSTRUCTION: usize = 8;

/// `insns` of a program to be loaded, behind their number.
pub(super) fn write_loaded(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write(call, out, word64(bytes, 4), word32(bytes, 0));
}

/// Instructions, where all is to be shown.
pub(super) fn write(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64, count: u32) {
    if !call.style.verbose {
        return call.write_address(out, address);
    }
    call.write_array(out, address, u64::from(count), INSTRUCTION, &mut |call, out, bytes| {
        write_one(call, out, bytes);
    });
}

/// `{code=BPF_JMP|BPF_K|BPF_EXIT, dst_reg=BPF_REG_0, src_reg=BPF_REG_0, off=0, imm=0}`
fn write_one(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(b"{code=");
    write_code(call, out, bytes[0]);
    for (name, register) in [("dst", bytes[1] & 0xf), ("src", bytes[1] >> 4)] {
        out.extend_from_slice(format!(", {name}_reg=").as_bytes());
        call.style.constants.one(out, &BPF_REGISTER, u64::from(register));
    }
    out.extend_from_slice(b", off=");
    write_number(out, i64::from(word16(bytes, 2).cast_signed()));
    out.extend_from_slice(b", imm=");
    write_hex(out, u64::from(word32(bytes, 4)));
    out.push(b'}');
}

fn write_code(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, code: u8) {
    let constants = call.style.constants;
    constants.one(out, &BPF_CLASS, u64::from(code & 7));
    let parts: &[(&FlagSet, u8)] = match code & 7 {
        0..=3 => &[(&BPF_SIZE, 0x18), (&BPF_MODE, 0xe0)],
        5 => &[(&BPF_SOURCE, 8), (&BPF_JUMP_OP, 0xf0)],
        4 | 7 => &[(&BPF_SOURCE, 8), (&BPF_ALU_OP, 0xf0)],
        // strace knows no operations of this class (BPF_JMP32).
        _ if code & !7 == 0 => return,
        _ => {
            out.push(b'|');
            write_hex(out, u64::from(code & !7));
            return out.extend_from_slice(b" /* BPF_??? */");
        }
    };
    for (set, mask) in parts {
        out.push(b'|');
        constants.one(out, set, u64::from(code & mask));
    }
}
