//! What programs are kept from: `seccomp(2)` and Landlock.

use super::call::word;
use super::layout::Show::{Flags, Own, Uint};
use super::layout::Size::{B2, B8};
use super::layout::layouts;
use super::rare::number;
use super::special::Form;
use super::{Decoder, Phase, filter};
use crate::syscall::Arg;
use crate::syscall::flags::{LANDLOCK_ACCESS, SECCOMP_ACTION, write_hex};

layouts! {
    /// `struct seccomp_notif_sizes`.
    NOTIFICATION: 6/6 {
        always seccomp_notif @ 0/0 Uint(B2);
        always seccomp_notif_resp @ 2/2 Uint(B2);
        always seccomp_data @ 4/4 Uint(B2);
    }
    /// `struct landlock_ruleset_attr` in its first version.
    RULESET: 8/8 {
        always handled_access_fs @ 0/0 Flags(&LANDLOCK_ACCESS, B8);
    }
    /// `struct landlock_path_beneath_attr`, packed.
    RULE: 12/12 {
        always allowed_access @ 0/0 Flags(&LANDLOCK_ACCESS, B8);
        always parent_fd @ 8/8 Own(write_parent);
    }
}

/// Operations of `seccomp(2)`.
const SET_MODE_FILTER: u32 = 1;
const GET_ACTION_AVAIL: u32 = 2;
const GET_NOTIF_SIZES: u32 = 3;

/// How the arguments of `seccomp(2)` are shown.
pub(super) fn seccomp_form(operation: u32, index: usize) -> Option<Form> {
    match (operation, index) {
        (_, 0) | (SET_MODE_FILTER, 1) => None,
        (_, 1) => Some(Form::Own(write_seccomp_flags)),
        (SET_MODE_FILTER, _) => Some(Form::Own(write_filter)),
        (GET_ACTION_AVAIL, _) => Some(Form::Own(write_action)),
        (GET_NOTIF_SIZES, _) => Some(Form::OwnLate(write_sizes)),
        _ => Some(Form::As(Arg::Addr)),
    }
}

/// Those that no operation has, as a number.
fn write_seccomp_flags(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    write_hex(out, u64::from(call.arg(index) as u32));
}

fn write_filter(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    filter::write(call, out, call.arg(index), filter::Of::Seccomp);
}

/// `[SECCOMP_RET_LOG]`
fn write_action(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    match call.read_u32_at(Phase::Entry, address).filter(|_| !call.style.addresses) {
        Some(action) => {
            out.push(b'[');
            call.style.constants.one(out, &SECCOMP_ACTION, u64::from(action));
            out.push(b']');
        }
        None => call.write_address(out, address),
    }
}

fn write_sizes(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    if call.succeeded() {
        call.write_layout(out, call.arg(index), &NOTIFICATION);
    } else {
        call.write_address(out, call.arg(index));
    }
}

fn write_parent(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    call.write_descriptor(out, number(&bytes[..bytes.len().min(4)]) as i32);
}

/// A structure of whose later members strace tells only that they are there.
pub(super) fn write_ruleset(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let (address, size) = (call.arg(index), word(call.event.abi, call.arg(index + 1)));
    let known = RULESET.size[0] as u64;
    if size < known || call.try_layout(out, address, &RULESET).is_none() {
        return call.write_address(out, address);
    }
    if size > known {
        out.pop();
        out.extend_from_slice(b", ...}");
    }
}

/// A rule, if it is of the kind that has a form.
pub(super) fn write_rule(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    /// `LANDLOCK_RULE_PATH_BENEATH`.
    const BENEATH: u32 = 1;
    match call.arg(index - 1) as u32 {
        BENEATH => call.write_layout(out, call.arg(index), &RULE),
        _ => call.write_address(out, call.arg(index)),
    }
}
