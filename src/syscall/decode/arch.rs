//! `arch_prctl(2)`: segments, CPU features that a process may use.

use super::call::write_address64;
use super::special::Form;
use super::{Constants, Decoder};
use crate::syscall::Arg;
use crate::syscall::flags::{XFEATURE, XFEATURE_MASK, write_hex};

/// `ARCH_GET_FS`, `ARCH_GET_GS`.
const GET_SEGMENT: [u32; 2] = [0x1003, 0x1004];
const GET_CPUID: u32 = 0x1011;
/// `ARCH_GET_XCOMP_SUPP`, `ARCH_GET_XCOMP_PERM`, `ARCH_GET_XCOMP_GUEST_PERM`.
const GET_FEATURES: [u32; 3] = [0x1021, 0x1022, 0x1024];
/// `ARCH_REQ_XCOMP_PERM`, `ARCH_REQ_XCOMP_GUEST_PERM`.
const REQUEST_FEATURE: [u32; 2] = [0x1023, 0x1025];

/// How many arguments the call has, the operation among them.
pub(super) fn count(args: &[u64; 6]) -> usize {
    if args[0] as u32 == GET_CPUID { 1 } else { 2 }
}

/// How the argument behind the operation is shown.
pub(super) fn form(args: &[u64; 6]) -> Form {
    match args[0] as u32 {
        operation if GET_SEGMENT.contains(&operation) => Form::OwnLate(write_segment),
        operation if GET_FEATURES.contains(&operation) => Form::OwnLate(write_features),
        operation if REQUEST_FEATURE.contains(&operation) => Form::Own(write_feature),
        _ => Form::As(Arg::Word),
    }
}

/// Whether what is returned is shown in hexadecimal.
pub(super) fn returns_bits(args: &[u64; 6]) -> bool {
    REQUEST_FEATURE.contains(&(args[0] as u32))
}

/// ` (XFEATURE_MASK_FP)`, behind the number that was returned, where it has a meaning.
pub(super) fn write_meaning(call: &Decoder<'_, '_>, out: &mut Vec<u8>) {
    let value = call.event.ret.unwrap_or(0).unsigned_abs();
    let is_told = returns_bits(&call.event.args) && call.style.constants != Constants::Numbers;
    if is_told && XFEATURE_MASK.names_some(value) {
        out.extend_from_slice(b" (");
        XFEATURE_MASK.write_bits(out, value);
        out.push(b')');
    }
}

/// `[0x7f26694d2000]`
fn write_segment(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    match call.read_word(address).filter(|_| call.succeeded() && !call.style.addresses) {
        Some(base) => {
            out.push(b'[');
            write_address64(out, base);
            out.push(b']');
        }
        None => call.write_address(out, address),
    }
}

/// `[0x3 /* XFEATURE_MASK_FPSSE */]`
fn write_features(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    let mut bytes = [0; 8];
    let is_looked_at = address != 0 && call.succeeded() && !call.style.addresses;
    if !is_looked_at || call.memory.read(call.phase, address, &mut bytes) < bytes.len() {
        return call.write_address(out, address);
    }
    out.push(b'[');
    match u64::from_le_bytes(bytes) {
        0 => write_hex(out, 0),
        features => call.style.constants.with_numbers().bits(out, &XFEATURE_MASK, features),
    }
    out.push(b']');
}

/// `0x12 /* XFEATURE_XTILE_DATA */`
fn write_feature(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    call.style.constants.with_numbers().one(out, &XFEATURE, call.arg(index));
}
