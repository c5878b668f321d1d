//! Operations on a listener of seccomp: calls that another process is to answer.

use super::super::call::write_address64;
use super::super::layout::Show::{Descriptor, Enum, Flags, Hex, Int, Nested, Own, Process, Words};
use super::super::layout::Size::{B4, B8};
use super::super::layout::layouts;
use super::super::net::{word32, word64};
use super::super::ptrace::write_call_name;
use super::super::{Decoder, Phase};
use super::Use::{In, Parts};
use super::{Row, What};
use crate::syscall::flags::{AUDIT_ARCH, SECCOMP_ADD, SECCOMP_ANSWER, SECCOMP_FILE, write_number};

pub(super) static ROWS: &[Row] = &[
    (0xc050_2100, Parts(write_template, write_notice)), // SECCOMP_IOCTL_NOTIF_RECV
    (0xc018_2101, In(What::Of(&ANSWER))),               // SECCOMP_IOCTL_NOTIF_SEND
    (0x4008_2102, In(What::Hexadecimal(8))),            // SECCOMP_IOCTL_NOTIF_ID_VALID
    (0x8008_2102, In(What::Hexadecimal(8))),            // the same of the wrong direction
    (0x4018_2103, In(What::Of(&ADDED))),                // SECCOMP_IOCTL_NOTIF_ADDFD
];

layouts! {
    /// `struct seccomp_notif`.
    NOTICE: 80/80 {
        always id @ 0/0 Hex(B8);
        always pid @ 8/8 Process;
        always flags @ 12/12 Hex(B4);
        always data @ 16/16 Nested(&DATA);
    }
    /// `struct seccomp_data`.
    DATA: 64/64 {
        always nr @ 0/0 Own(write_call_number);
        always arch @ 4/4 Enum(&AUDIT_ARCH, B4);
        always instruction_pointer @ 8/8 Own(write_pointer);
        always args @ 16/16 Words(B8, 6);
    }
    /// `struct seccomp_notif_resp`.
    ANSWER: 24/24 {
        always id @ 0/0 Hex(B8);
        always val @ 8/8 Int(B8);
        always error @ 16/16 Own(write_error);
        always flags @ 20/20 Flags(&SECCOMP_ANSWER, B4);
    }
    /// `struct seccomp_notif_addfd`.
    ADDED: 24/24 {
        always id @ 0/0 Hex(B8);
        always flags @ 8/8 Flags(&SECCOMP_ADD, B4);
        always srcfd @ 12/12 Descriptor;
        always newfd @ 16/16 Int(B4);
        always newfd_flags @ 20/20 Flags(&SECCOMP_FILE, B4);
    }
}

/// The number of a call, by the architecture behind it.
fn write_call_number(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, data: &[u8]) {
    write_call_name(call, out, u64::from(word32(data, 0)), word32(data, 4));
}

fn write_pointer(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_address64(out, word64(bytes, 0));
}

/// `-ENOENT`, 0, or a number that is no error.
fn write_error(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let error = word32(bytes, 0).cast_signed();
    let number = |out: &mut Vec<u8>| write_number(out, i64::from(error));
    let name = error.checked_neg().filter(|&errno| errno > 0);
    match name.and_then(|errno| syscalls::Errno::new(errno).name()) {
        Some(name) => call.style.constants.write(out, number, |out| {
            out.push(b'-');
            out.extend_from_slice(name.as_bytes());
        }),
        None => number(out),
    }
}

/// Whether there is something in what the kernel wants to be zeros.
fn has_template(call: &mut Decoder<'_, '_>, address: u64) -> bool {
    let mut bytes = [0; NOTICE.size[0]];
    let read = call.memory.read(Phase::Entry, address, &mut bytes);
    read == bytes.len() && bytes.iter().any(|&byte| byte != 0)
}

/// What is passed: nothing is told of zeros.
fn write_template(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    if !call.was_readable(address, &NOTICE) || has_template(call, address) {
        call.write_layout(out, address, &NOTICE);
    }
}

/// What is told of the call, behind ` => ` if something was passed.
fn write_notice(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    if !call.was_readable(address, &NOTICE) {
        return;
    }
    if has_template(call, address) {
        return call.write_answer_or_address(out, index, &NOTICE, &NOTICE);
    }
    if call.succeeded() {
        call.write_layout(out, address, &NOTICE);
    } else {
        call.write_address(out, address);
    }
}
