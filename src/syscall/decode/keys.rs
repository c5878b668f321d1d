//! Keys and keyrings of the kernel: `add_key(2)`, `request_key(2)`, `keyctl(2)`. A table says what the arguments of each
//! operation are; structures of cryptography are shown by their addresses.

use super::Decoder;
use super::call::word;
use super::memory::Phase;
use super::special::Form;
use crate::event::Event;
use crate::syscall::Spec;
use crate::syscall::flags::{
    KEY_DEFAULT, KEY_MOVE, KEY_PERMISSION, KEY_SPEC, write_hex, write_number, write_radix,
};

/// An argument of an operation.
#[derive(Clone, Copy)]
enum What {
    /// A key or keyring.
    Key,
    /// Text.
    Text,
    /// A buffer whose length is the next argument.
    Buffer,
    /// The same, filled.
    Filled,
    /// Pieces of a buffer, whose number is the next argument.
    Pieces,
    /// A length.
    Size,
    /// A number of 32 bits: seconds, an errno.
    Number,
    /// A user or group.
    Id,
    /// Yes or no.
    Flag,
    /// A number of no known meaning.
    Raw,
    /// A structure, or what it is for.
    Pointer,
    Permissions,
    Default,
    Moving,
}

/// What the operations take, by their numbers.
static OPERATIONS: &[(u32, &[What])] = &[
    (0, &[What::Key, What::Flag]),
    (1, &[What::Text]),
    (2, &[What::Key, What::Buffer, What::Size]),
    (3, &[What::Key]),
    (4, &[What::Key, What::Id, What::Id]),
    (5, &[What::Key, What::Permissions]),
    (6, &[What::Key, What::Filled, What::Size]),
    (7, &[What::Key]),
    (8, &[What::Key, What::Key]),
    (9, &[What::Key, What::Key]),
    (10, &[What::Key, What::Text, What::Text, What::Key]),
    (11, &[What::Key, What::Filled, What::Size]),
    (12, &[What::Key, What::Buffer, What::Size, What::Key]),
    (13, &[What::Key, What::Number, What::Key]),
    (14, &[What::Default]),
    (15, &[What::Key, What::Number]),
    (16, &[What::Key]),
    (17, &[What::Key, What::Filled, What::Size]),
    (18, &[]),
    (19, &[What::Key, What::Number, What::Number, What::Key]),
    (20, &[What::Key, What::Pieces, What::Size, What::Key]),
    (21, &[What::Key]),
    (22, &[What::Id, What::Key]),
    // Structures and buffers of cryptography.
    (23, &[What::Pointer, What::Pointer, What::Size, What::Pointer]),
    (24, &[What::Key, What::Raw, What::Text, What::Pointer]),
    (25, &[What::Pointer, What::Text, What::Pointer, What::Pointer]),
    (26, &[What::Pointer, What::Text, What::Pointer, What::Pointer]),
    (27, &[What::Pointer, What::Text, What::Pointer, What::Pointer]),
    (28, &[What::Pointer, What::Text, What::Pointer, What::Pointer]),
    (29, &[What::Key, What::Text, What::Text]),
    (30, &[What::Key, What::Key, What::Key, What::Moving]),
    (31, &[What::Pointer, What::Size]),
];

fn operation(number: u64) -> &'static [What] {
    let known = OPERATIONS.iter().find(|(known, _)| *known == number as u32);
    known.map_or(&[What::Raw; 4], |(_, arguments)| arguments)
}

/// How many arguments an operation has, its number included.
pub(super) fn count(args: &[u64; 6]) -> usize {
    1 + operation(args[0]).len()
}

/// How an argument is printed.
pub(super) fn form(event: &Event<'_>, spec: &Spec, index: usize) -> Option<Form> {
    match (spec.name, index) {
        ("add_key", 4) | ("request_key", 3) => Some(Form::Own(write_key)),
        ("keyctl", 1..) => match operation(event.args[0]).get(index - 1)? {
            What::Filled => Some(Form::OwnLate(write_argument)),
            _ => Some(Form::Own(write_argument)),
        },
        _ => None,
    }
}

/// `KEY_SPEC_SESSION_KEYRING`, or a number.
fn write_key(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let key = call.arg(index);
    let number = |out: &mut Vec<u8>| write_number(out, i64::from(key as i32));
    call.style.constants.write(out, number, |out| match KEY_SPEC.name(key) {
        Some(name) => out.extend_from_slice(name.as_bytes()),
        None => write_number(out, i64::from(key as i32)),
    });
}

/// The same for the keyring that new keys go to.
fn write_default(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let keyring = call.arg(index);
    let number = |out: &mut Vec<u8>| write_number(out, i64::from(keyring as i32));
    call.style.constants.write(out, number, |out| match KEY_DEFAULT.name(keyring) {
        Some(name) => out.extend_from_slice(name.as_bytes()),
        None => {
            write_number(out, i64::from(keyring as i32));
            out.extend_from_slice(b" /* KEY_REQKEY_DEFL_??? */");
        }
    });
}

fn write_argument(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let Some(what) = operation(call.arg(0)).get(index - 1) else { return };
    let value = call.arg(index);
    match what {
        What::Key => write_key(call, out, index),
        What::Text => call.write_c_string(out, value),
        What::Buffer => call.write_buffer(out, value, call.arg(index + 1)),
        What::Filled if call.phase == Phase::Exit && call.succeeded() => {
            let filled = call.event.ret.unwrap_or(0).unsigned_abs();
            call.write_buffer(out, value, filled.min(call.arg(index + 1)));
        }
        What::Filled => call.write_address(out, value),
        What::Pieces => call.write_iovecs(out, value, call.arg(index + 1), u64::MAX, true, None),
        What::Size => write_radix(out, word(call.event.abi, value), 10, 1),
        What::Flag => write_number(out, i64::from(value as i32)),
        What::Id if value as u32 == u32::MAX => out.extend_from_slice(b"-1"),
        What::Number | What::Id => write_radix(out, u64::from(value as u32), 10, 1),
        What::Pointer => call.write_address(out, value),
        What::Raw => write_hex(out, word(call.event.abi, value)),
        What::Permissions => call.style.constants.bits(out, &KEY_PERMISSION, value),
        What::Default => write_default(call, out, index),
        What::Moving => call.style.constants.bits(out, &KEY_MOVE, value),
    }
}
