//! What a call returned, and how long it took.

use super::{Options, errno, write_nanoseconds, write_seconds};
use crate::event::{Abi, Event, Flags};
use crate::syscall::Ret;
use crate::syscall::decode::{Constants, Returned, Style, write_file_name};
use crate::syscall::flags::{self, write_hex, write_mode, write_number, write_radix};

/// ` = 3</etc/passwd>`, ` = -1 ENOENT (No such file or directory)`, ` = ?`.
pub(super) fn write(out: &mut Vec<u8>, event: &Event<'_>, returned: Returned<'_>, style: &Style) {
    out.extend_from_slice(b" = ");
    match (event.ret, event.errno()) {
        (None, _) => out.push(b'?'),
        (Some(_), Some(errno)) => write_error(out, errno),
        (Some(value), None) => {
            // Only what was put in is negative and no error. The registers of an i386 program have 32 bits of it.
            let value = if event.abi == Abi::I386 && value < 0 { i64::from(value as u32) } else { value };
            write_success(out, returned, value, style);
        }
    }
}

/// ` (INJECTED)` and ` (DELAYED)`: what was done to a call, once it has returned.
pub(super) fn write_markers(out: &mut Vec<u8>, event: &Event<'_>) {
    if event.ret.is_none() {
        return;
    }
    let injected = match (event.flags.has(Flags::ARGUMENTS_INJECTED), event.flags.has(Flags::INJECTED)) {
        (true, true) => " (INJECTED: args, retval)",
        (true, false) => " (INJECTED: args)",
        (false, true) => " (INJECTED)",
        (false, false) => "",
    };
    let delayed = if event.flags.has(Flags::DELAYED) { " (DELAYED)" } else { "" };
    out.extend_from_slice(injected.as_bytes());
    out.extend_from_slice(delayed.as_bytes());
}

/// ` <0.000010>`, where durations are asked for.
pub(super) fn write_duration(out: &mut Vec<u8>, event: &Event<'_>, options: &Options) {
    if let Some(duration_ns) = event.duration_ns().filter(|_| options.duration && event.ret.is_some()) {
        out.extend_from_slice(b" <");
        write_seconds(out, duration_ns);
        out.push(b'>');
    }
    if let Some(replayed_ns) = event.replayed_ns.filter(|_| options.duration) {
        out.extend_from_slice(b" <replayed ");
        write_nanoseconds(out, replayed_ns);
        out.push(b'>');
    }
}

fn write_success(out: &mut Vec<u8>, returned: Returned<'_>, value: i64, style: &Style) {
    match returned {
        Returned::Fd(file) => {
            write_number(out, value);
            if let Some(file) = file.filter(|_| value >= 0) {
                write_file_name(out, file, style.hex);
            }
        }
        Returned::Flags(set) => {
            write_hex(out, value as u64);
            // Without any there is nothing to name, unless zero is the name of something.
            if value != 0 || !set.fields.is_empty() {
                let is_of_seals = std::ptr::eq(set, &raw const flags::SEALS);
                out.extend_from_slice(if is_of_seals { b" (seals " } else { b" (flags " });
                // Those of an open file are told by name in any case.
                let constants = if set.fields.is_empty() { style.constants } else { Constants::Names };
                constants.bits(out, set, value as u64);
                out.push(b')');
            }
        }
        Returned::Described(file) => {
            write_number(out, value);
            out.extend_from_slice(file);
        }
        Returned::Address(address) => write_hex(out, address),
        Returned::Register | Returned::Value(Ret::Addr) => write_hex(out, value as u64),
        Returned::Value(Ret::Mode) => write_mode(out, value as u64),
        Returned::Value(Ret::Size | Ret::Int) => write_radix(out, value as u64, 10, 1),
        Returned::Value(Ret::Fd | Ret::Pid | Ret::Never) => write_number(out, value),
    }
}

fn write_error(out: &mut Vec<u8>, number: i32) {
    out.extend_from_slice(if errno::is_restart(number) { b"? " } else { b"-1 " });
    if let Some((name, sentence)) = errno::describe(number) {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b" (");
        out.extend_from_slice(sentence.as_bytes());
    } else {
        out.extend_from_slice(b"(errno ");
        write_number(out, i64::from(number));
    }
    out.push(b')');
}
