//! Keys and keyrings of the kernel: `add_key(2)`, `request_key(2)`, `keyctl(2)`. A table says what the arguments of each
//! operation are.

use super::Decoder;
use super::call::word;
use super::layout::Show::{Flags, Own, Uint, Words};
use super::layout::Size::{B2, B4};
use super::layout::layouts;
use super::memory::Phase;
use super::net::{word32, word64};
use super::special::Form;
use crate::event::Event;
use crate::syscall::Spec;
use crate::syscall::flags::{
    KEY_CAPABILITIES, KEY_CAPABILITIES_MORE, KEY_DEFAULT, KEY_MOVE, KEY_PERMISSION, KEY_SPEC, KEY_SUPPORTS,
    write_hex, write_number, write_radix,
};

layouts! {
    /// `struct keyctl_dh_params`.
    EXCHANGE: 12/12 {
        always private @ 0/0 Own(write_key_member);
        always prime @ 4/4 Own(write_key_member);
        always base @ 8/8 Own(write_key_member);
    }
    /// `struct keyctl_kdf_params`.
    DERIVATION: 56/44 {
        always hashname @ 0/0 Own(write_hash);
        always otherinfo @ 8/4 Own(write_other_information);
        always otherinfolen @ 16/8 Uint(B4);
        set(32) __spare @ 20/12 Words(B4, 8);
    }
    /// `struct keyctl_pkey_params`.
    OPERATION: 40/40 {
        always key_id @ 0/0 Own(write_key_member);
        always in_len @ 4/4 Uint(B4);
        always out_len @ 8/8 Uint(B4);
        set(28) __spare @ 12/12 Words(B4, 7);
    }
    /// The same of `KEYCTL_PKEY_VERIFY`.
    VERIFICATION: 40/40 {
        always key_id @ 0/0 Own(write_key_member);
        always in_len @ 4/4 Uint(B4);
        always in2_len @ 8/8 Uint(B4);
        set(28) __spare @ 12/12 Words(B4, 7);
    }
    /// `struct keyctl_pkey_query`.
    ABILITIES: 52/52 {
        always supported_ops @ 0/0 Flags(&KEY_SUPPORTS, B4);
        always key_size @ 4/4 Uint(B4);
        always max_data_size @ 8/8 Uint(B2);
        always max_sig_size @ 10/10 Uint(B2);
        always max_enc_size @ 12/12 Uint(B2);
        always max_dec_size @ 14/14 Uint(B2);
        set(40) __spare @ 16/16 Words(B4, 10);
    }
}

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
    /// Text in such a buffer, which is filled with its NUL byte.
    FilledText,
    /// An errno.
    Error,
    /// Keys of an exchange of keys, how a key is derived from what comes of it.
    Exchange,
    Derivation,
    /// What is done with an asymmetric key; a buffer of its first or second length; that is filled.
    Operation,
    Verification,
    First,
    Second,
    SecondFilled,
    /// What can be done with one.
    Abilities,
    /// What the kernel can do.
    Capabilities,
    /// Pieces of a buffer, whose number is the next argument.
    Pieces,
    /// A length.
    Size,
    /// A number of 32 bits: seconds.
    Number,
    /// A user or group.
    Id,
    /// Yes or no.
    Flag,
    /// A number of no known meaning.
    Raw,
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
    (17, &[What::Key, What::FilledText, What::Size]),
    (18, &[]),
    (19, &[What::Key, What::Number, What::Error, What::Key]),
    (20, &[What::Key, What::Pieces, What::Size, What::Key]),
    (21, &[What::Key]),
    (22, &[What::Id, What::Key]),
    // Cryptography.
    (23, &[What::Exchange, What::Filled, What::Size, What::Derivation]),
    (24, &[What::Key, What::Raw, What::Text, What::Abilities]),
    (25, &[What::Operation, What::Text, What::First, What::SecondFilled]),
    (26, &[What::Operation, What::Text, What::First, What::SecondFilled]),
    (27, &[What::Operation, What::Text, What::First, What::SecondFilled]),
    (28, &[What::Verification, What::Text, What::First, What::Second]),
    (29, &[What::Key, What::Text, What::Text]),
    (30, &[What::Key, What::Key, What::Key, What::Moving]),
    (31, &[What::Capabilities, What::Size]),
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
            What::Filled | What::FilledText | What::SecondFilled | What::Abilities | What::Capabilities => {
                Some(Form::OwnLate(write_argument))
            }
            _ => Some(Form::Own(write_argument)),
        },
        _ => None,
    }
}

/// `KEY_SPEC_SESSION_KEYRING`, or a number.
fn write_key(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    write_key_number(call, out, call.arg(index) as u32);
}

fn write_key_number(call: &Decoder<'_, '_>, out: &mut Vec<u8>, key: u32) {
    let number = |out: &mut Vec<u8>| write_number(out, i64::from(key.cast_signed()));
    call.style.constants.write(out, number, |out| match KEY_SPEC.name(u64::from(key)) {
        Some(name) => out.extend_from_slice(name.as_bytes()),
        None => write_number(out, i64::from(key.cast_signed())),
    });
}

/// `ENODEV`, or a number.
fn write_error(call: &Decoder<'_, '_>, out: &mut Vec<u8>, error: u32) {
    let number = |out: &mut Vec<u8>| write_radix(out, u64::from(error), 10, 1);
    let name = i32::try_from(error).ok().and_then(|error| syscalls::Errno::new(error).name());
    call.style.constants.write(out, number, |out| match name {
        Some(name) => out.extend_from_slice(name.as_bytes()),
        None => write_radix(out, u64::from(error), 10, 1),
    });
}

/// The same for the keyring that new keys go to.
fn write_default(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let keyring = call.arg(index);
    let number = |out: &mut Vec<u8>| write_number(out, i64::from(keyring as i32));
    call.style.constants.write(out, number, |out| {
        if let Some(name) = KEY_DEFAULT.name(keyring) {
            out.extend_from_slice(name.as_bytes());
        } else {
            write_number(out, i64::from(keyring as i32));
            out.extend_from_slice(b" /* KEY_REQKEY_DEFL_??? */");
        }
    });
}

/// The same as a member of a structure.
fn write_key_member(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_key_number(call, out, word32(bytes, 0));
}

/// A pointer of the ABI.
fn pointer(call: &Decoder<'_, '_>, bytes: &[u8]) -> u64 {
    if call.half() == 0 { word64(bytes, 0) } else { u64::from(word32(bytes, 0)) }
}

fn write_hash(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    call.write_c_string(out, pointer(call, bytes));
}

/// A buffer whose length is the next member.
fn write_other_information(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    match word32(bytes, call.word_size()) {
        0 => call.write_address(out, pointer(call, bytes)),
        length => call.write_buffer(out, pointer(call, bytes), u64::from(length)),
    }
}

/// A length in the structure that the first argument is, if it can be read.
fn length_of(call: &mut Decoder<'_, '_>, at: usize) -> Option<u64> {
    let mut bytes = [0; 40];
    let address = call.arg(1);
    let is_looked_at = address != 0 && !call.style.addresses;
    (is_looked_at && call.memory.read(Phase::Entry, address, &mut bytes) == bytes.len())
        .then(|| u64::from(word32(&bytes, at)))
}

/// `[KEYCTL_CAPS0_CAPABILITIES, 0]`: bits, a byte each.
fn write_capabilities(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64, count: u64) {
    let mut at = 0;
    call.write_array(out, address, count, 1, &mut |call, out, bytes| {
        let bits = u64::from(bytes[0]);
        match at {
            0 => call.style.constants.bits(out, &KEY_CAPABILITIES, bits),
            1 => call.style.constants.bits(out, &KEY_CAPABILITIES_MORE, bits),
            _ => write_hex(out, bits),
        }
        at += 1;
    });
}

/// So many bytes, without the NUL byte at their end.
fn write_filled_text(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64, length: u64) {
    let mut last = [1];
    if let Some(before) = length.checked_sub(1) {
        call.memory.read(call.phase, address.wrapping_add(before), &mut last);
    }
    call.write_buffer(out, address, length - u64::from(last == [0]));
}

fn write_argument(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let Some(what) = operation(call.arg(0)).get(index - 1) else { return };
    let value = call.arg(index);
    let filled = call.event.ret.filter(|_| call.succeeded()).map(i64::unsigned_abs);
    match what {
        What::Key => write_key(call, out, index),
        What::Text => call.write_c_string(out, value),
        What::Buffer => call.write_buffer(out, value, call.arg(index + 1)),
        What::Filled | What::FilledText => match filled.map(|filled| filled.min(call.arg(index + 1))) {
            Some(length) if matches!(what, What::FilledText) => write_filled_text(call, out, value, length),
            Some(length) => call.write_buffer(out, value, length),
            None => call.write_address(out, value),
        },
        What::Error => write_error(call, out, value as u32),
        What::Exchange => call.write_layout(out, value, &EXCHANGE),
        What::Derivation => call.write_layout(out, value, &DERIVATION),
        What::Operation => call.write_layout(out, value, &OPERATION),
        What::Verification => call.write_layout(out, value, &VERIFICATION),
        What::Abilities if filled.is_some() => call.write_layout(out, value, &ABILITIES),
        What::First | What::Second => {
            match length_of(call, if matches!(what, What::First) { 4 } else { 8 }) {
                Some(length) => call.write_buffer(out, value, length),
                None => call.write_address(out, value),
            }
        }
        What::SecondFilled => match (length_of(call, 8), filled) {
            (Some(length), Some(_)) => call.write_buffer(out, value, length),
            _ => call.write_address(out, value),
        },
        What::Capabilities => match filled {
            Some(filled) => write_capabilities(call, out, value, filled.min(call.arg(index + 1))),
            None => call.write_address(out, value),
        },
        What::Pieces => call.write_iovecs(out, value, call.arg(index + 1), u64::MAX, true, None),
        What::Size => write_radix(out, word(call.event.abi, value), 10, 1),
        What::Flag => write_number(out, i64::from(value as i32)),
        What::Id if value as u32 == u32::MAX => out.extend_from_slice(b"-1"),
        What::Number | What::Id => write_radix(out, u64::from(value as u32), 10, 1),
        What::Abilities => call.write_address(out, value),
        What::Raw => write_hex(out, word(call.event.abi, value)),
        What::Permissions => call.style.constants.bits(out, &KEY_PERMISSION, value),
        What::Default => write_default(call, out, index),
        What::Moving => call.style.constants.bits(out, &KEY_MOVE, value),
    }
}
