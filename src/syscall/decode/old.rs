//! Calls that only programs of i386 have, from the first Linux on.

use super::Decoder;
use super::call::word;
use super::signal::{handler_name, write_handler, write_old_set};
use super::special::Form;
use super::structures::write_seconds;
use crate::event::{Abi, Event};
use crate::syscall::flags::{write_hex, write_radix, x86};
use crate::syscall::{Arg, Spec};

/// A call's name, its argument, and how it is shown.
static ARGUMENTS: &[(&str, usize, Form)] = &[
    ("socketcall", 0, Form::Own(write_socket_operation)),
    ("ipc", 0, Form::Own(write_ipc_operation)),
    ("signal", 1, Form::Own(write_signal_handler)),
    ("ssetmask", 0, Form::Own(write_mask)),
    ("sigsuspend", 2, Form::Own(write_mask)),
    ("stime", 0, Form::OwnLate(write_time)),
    ("fanotify_mark", 2, Form::Own(write_events)),
];

/// How an argument of such a call is shown.
pub(super) fn form(event: &Event<'_>, spec: &Spec, index: usize) -> Option<Form> {
    if event.abi != Abi::I386 {
        return None;
    }
    let row = ARGUMENTS.iter().find(|(name, at, _)| *name == spec.name && *at == index);
    row.map(|(.., form)| *form)
}

/// What is told behind the result of one that succeeded.
pub(super) fn write_after(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>) {
    let value = word(call.event.abi, call.event.ret.unwrap_or(0).cast_unsigned());
    match call.spec.name {
        "sgetmask" => out.extend_from_slice(b" (mask "),
        "ssetmask" => out.extend_from_slice(b" (old mask "),
        "signal" => {
            if let Some(name) = handler_name(value, call.half()) {
                out.extend_from_slice(format!(" ({name})").as_bytes());
            }
            return;
        }
        _ => return,
    }
    write_old_set(out, value as u32, call.style.constants);
    out.push(b')');
}

/// Its name, or its number, which is told without any comment.
fn write_socket_operation(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let operation = u64::from(call.arg(index) as u32);
    let number = |out: &mut Vec<u8>| write_radix(out, operation, 10, 1);
    match x86::SOCKETCALL.name(operation) {
        Some(name) => {
            call.style.constants.write(out, number, |out| out.extend_from_slice(name.as_bytes()));
        }
        None => number(out),
    }
}

/// The same, with the version of the arguments before it: `1<<16|MSGRCV`.
fn write_ipc_operation(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let (version, operation) = (call.arg(index) as u32 >> 16, call.arg(index) & 0xffff);
    if version != 0 {
        write_radix(out, u64::from(version), 10, 1);
        out.extend_from_slice(b"<<16|");
    }
    let number = |out: &mut Vec<u8>| write_radix(out, operation, 10, 1);
    match x86::IPC.name(operation) {
        Some(name) => {
            call.style.constants.write(out, number, |out| out.extend_from_slice(name.as_bytes()));
        }
        None => number(out),
    }
}

fn write_signal_handler(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    write_handler(out, word(call.event.abi, call.arg(index)), call.half(), call.style.constants);
}

fn write_mask(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    write_old_set(out, call.arg(index) as u32, call.style.constants);
}

/// `[5 /* 1970-01-01T00:00:05+0000 */]`
fn write_time(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    match call.read_word(address).filter(|_| call.succeeded() && !call.style.addresses) {
        Some(seconds) => {
            out.push(b'[');
            write_seconds(call, out, &(seconds as u32).to_le_bytes());
            out.push(b']');
        }
        None => call.write_address(out, address),
    }
}

/// A mask of 64 bits in two arguments.
fn write_events(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let mask = call.arg(index) & 0xffff_ffff | call.arg(index + 1) << 32;
    match call.spec.args[index].arg {
        Arg::Flags(set) => call.style.constants.bits(out, set, mask),
        _ => write_hex(out, mask),
    }
}
