//! Asynchronous reading and writing by the kernel (`io_submit(2)` and its like).

use super::Decoder;
use super::layout::Show::{Hex, Int};
use super::layout::Size::B8;
use super::layout::layouts;
use super::net::{word16, word32, word64};
use super::special::Form;
use crate::syscall::Spec;
use crate::syscall::flags::x86::RWF;
use crate::syscall::flags::{AIO_COMMAND, AIO_FLAGS, POLL, write_hex, write_number, write_radix};

layouts! {
    /// `struct io_event` (`linux/aio_abi.h`).
    EVENT: 32/32 {
        always data @ 0/0 Hex(B8);
        always obj @ 8/8 Hex(B8);
        always res @ 16/16 Int(B8);
        always res2 @ 24/24 Int(B8);
    }
}

/// Bytes of `struct iocb`.
const REQUEST: usize = 64;

/// Flags of a request: it has a descriptor to notify, a priority.
const NOTIFIES: u32 = 1;
const HAS_PRIORITY: u32 = 2;

/// How an argument is printed.
pub(super) fn form(spec: &Spec, index: usize) -> Option<Form> {
    match (spec.name, index) {
        ("io_setup", 1) => Some(Form::OwnLate(write_context)),
        ("io_submit", 2) => Some(Form::Own(write_requests)),
        ("io_cancel", 1) => Some(Form::Own(write_cancelled)),
        ("io_cancel", 2) => Some(Form::OwnLate(write_event)),
        ("io_getevents" | "io_pgetevents" | "io_pgetevents_time64", 3) => Some(Form::OwnLate(write_events)),
        ("io_getevents" | "io_pgetevents" | "io_pgetevents_time64", 4) => Some(Form::OwnLate(write_timeout)),
        ("io_pgetevents" | "io_pgetevents_time64", 5) => Some(Form::OwnLate(write_mask)),
        _ => None,
    }
}

/// `[0x7f0000000000]`
fn write_context(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    match call.read_word(address).filter(|_| call.succeeded() && !call.style.addresses) {
        Some(context) => {
            out.push(b'[');
            call.write_address(out, context);
            out.push(b']');
        }
        None => call.write_address(out, address),
    }
}

/// `[{aio_data=0, ..}, NULL]`: by pointers.
fn write_requests(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let size = call.word_size();
    let count = call.arg(index - 1);
    let count = if size == 4 { u64::from(count as u32) } else { count };
    call.write_array(out, call.arg(index), count, size, &mut |call, out, bytes| {
        let address = if bytes.len() == 8 { word64(bytes, 0) } else { u64::from(word32(bytes, 0)) };
        write_request(call, out, address, true);
    });
}

/// Without what is to be done.
fn write_cancelled(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    write_request(call, out, call.arg(index), false);
}

fn write_event(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    if call.succeeded() {
        call.write_layout(out, call.arg(index), &EVENT);
    } else {
        call.write_address(out, call.arg(index));
    }
}

fn write_events(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    if !call.succeeded() {
        return call.write_address(out, call.arg(index));
    }
    let count = call.event.ret.unwrap_or(0).unsigned_abs();
    call.write_array(out, call.arg(index), count, EVENT.size[0], &mut |call, out, bytes| {
        call.write_members(out, &EVENT, bytes);
    });
}

/// It is passed, and looked at when the call has returned.
fn write_timeout(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let is_64_bit = call.spec.name.ends_with("time64");
    let layout = if is_64_bit { &super::structures::TIMESPEC64 } else { &super::structures::TIMESPEC };
    call.write_layout(out, call.arg(index), layout);
}

/// `{sigmask=[INT], sigsetsize=8}`
fn write_mask(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    if call.style.addresses {
        call.write_address(out, call.arg(index));
    } else {
        call.write_sigmask(out, call.arg(index));
    }
}

/// A request: its head, and with `is_whole` what is to be done.
fn write_request(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64, is_whole: bool) {
    let mut bytes = [0; REQUEST];
    let is_looked_at = address != 0 && !call.style.addresses;
    if !is_looked_at || call.memory.read(call.phase, address, &mut bytes) < REQUEST {
        return call.write_address(out, address);
    }
    let command = word16(&bytes, 16);
    out.extend_from_slice(b"{aio_data=");
    write_hex(out, word64(&bytes, 0));
    if word32(&bytes, 8) != 0 {
        out.extend_from_slice(b", aio_key=");
        write_radix(out, u64::from(word32(&bytes, 8)), 10, 1);
    }
    if word32(&bytes, 12) != 0 {
        out.extend_from_slice(b", aio_rw_flags=");
        call.style.constants.bits(out, &RWF, u64::from(word32(&bytes, 12)));
    }
    out.extend_from_slice(b", aio_lio_opcode=");
    let number = |out: &mut Vec<u8>| write_radix(out, u64::from(command), 10, 1);
    call.style.constants.write(out, number, |out| {
        if let Some(name) = AIO_COMMAND.name(u64::from(command)) {
            out.extend_from_slice(name.as_bytes());
        } else {
            write_radix(out, u64::from(command), 10, 1);
            out.extend_from_slice(b" /* IOCB_CMD_??? */");
        }
    });
    write_priority(call, out, &bytes);
    out.extend_from_slice(b", aio_fildes=");
    call.write_descriptor(out, word32(&bytes, 20).cast_signed());
    if is_whole {
        write_deed(call, out, command, &bytes);
    }
    out.push(b'}');
}

fn write_priority(call: &Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let priority = word16(bytes, 18);
    if word32(bytes, 56) & HAS_PRIORITY != 0 {
        out.extend_from_slice(b", aio_reqprio=");
        let value = u64::from(priority);
        call.write_io_priority(out, value, |out| write_hex(out, value));
    } else if priority != 0 {
        out.extend_from_slice(b", aio_reqprio=");
        write_number(out, i64::from(priority.cast_signed()));
    }
}

/// What is to be done, by the command: `IOCB_CMD_PREAD` and its like.
fn write_deed(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, command: u16, bytes: &[u8]) {
    let (buffer, count) = (word64(bytes, 24), word64(bytes, 32));
    let is_a_size = i64::try_from(count).is_ok();
    if matches!(command, 0 | 1 | 5 | 7 | 8) {
        out.extend_from_slice(b", aio_buf=");
    }
    match command {
        1 if is_a_size => call.write_buffer(out, buffer, count),
        5 => call.style.constants.bits(out, &POLL, buffer),
        7 if is_a_size => call.write_iovecs(out, buffer, count, u64::MAX, false, None),
        8 if is_a_size => call.write_iovecs(out, buffer, count, u64::MAX, true, None),
        0 | 1 | 7 | 8 => write_hex(out, buffer),
        _ => return,
    }
    if matches!(command, 0 | 1) || matches!(command, 7 | 8) && !is_a_size {
        out.extend_from_slice(b", aio_nbytes=");
        write_radix(out, count, 10, 1);
    }
    if command != 5 {
        out.extend_from_slice(b", aio_offset=");
        write_number(out, word64(bytes, 40).cast_signed());
    }
    write_flags(call, out, bytes);
}

fn write_flags(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let flags = word32(bytes, 56);
    if flags != 0 {
        out.extend_from_slice(b", aio_flags=");
        call.style.constants.bits(out, &AIO_FLAGS, u64::from(flags));
    }
    if flags & NOTIFIES != 0 {
        out.extend_from_slice(b", aio_resfd=");
        call.write_descriptor(out, word32(bytes, 60).cast_signed());
    } else if word32(bytes, 60) != 0 {
        out.extend_from_slice(b", aio_resfd=");
        write_hex(out, u64::from(word32(bytes, 60)));
    }
}
