//! `sched_setattr(2)` and `sched_getattr(2)`: a structure that says its own size.

use super::layout::Show::{Enum, Flags, Int, Uint};
use super::layout::Size::{B4, B8};
use super::layout::layouts;
use super::rare::number;
use super::{Decoder, Phase};
use crate::syscall::flags::{SCHED, SCHED_ATTR};

layouts! {
    /// `struct sched_attr`.
    SCHEDULING: 56/56 {
        always size @ 0/0 Uint(B4);
        has(has_policy) sched_policy @ 4/4 Enum(&SCHED, B4);
        always sched_flags @ 8/8 Flags(&SCHED_ATTR, B8);
        has(has_parameters) sched_nice @ 16/16 Int(B4);
        has(has_parameters) sched_priority @ 20/20 Uint(B4);
        has(has_parameters) sched_runtime @ 24/24 Uint(B8);
        has(has_parameters) sched_deadline @ 32/32 Uint(B8);
        has(has_parameters) sched_period @ 40/40 Uint(B8);
        beyond(52) sched_util_min @ 48/48 Uint(B4);
        beyond(52) sched_util_max @ 52/52 Uint(B4);
    }
    /// The same, as the kernel tells it: with all of its members.
    SCHEDULING_TOLD: 56/56 {
        always size @ 0/0 Uint(B4);
        always sched_policy @ 4/4 Enum(&SCHED, B4);
        always sched_flags @ 8/8 Flags(&SCHED_ATTR, B8);
        always sched_nice @ 16/16 Int(B4);
        always sched_priority @ 20/20 Uint(B4);
        always sched_runtime @ 24/24 Uint(B8);
        always sched_deadline @ 32/32 Uint(B8);
        always sched_period @ 40/40 Uint(B8);
        beyond(52) sched_util_min @ 48/48 Uint(B4);
        beyond(52) sched_util_max @ 52/52 Uint(B4);
    }
}

/// `{size=56, sched_policy=SCHED_OTHER, ...}`: as much of it as its size says.
pub(super) fn write_scheduling(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    /// `E2BIG`; the first version's size.
    const TOO_BIG: i32 = 7;
    const FIRST: usize = 48;
    let address = call.arg(index);
    let size = call.read_u32_at(Phase::Entry, address).filter(|_| !call.style.addresses);
    let Some(size) = size else { return call.write_address(out, address) };
    let given = if size == 0 { FIRST } else { size as usize };
    let mut bytes = [0; 56];
    let known = given.min(bytes.len());
    if given >= FIRST && call.memory.read(Phase::Entry, address, &mut bytes[..known]) < known {
        call.write_address(out, address);
    } else {
        out.push(b'{');
        if given < FIRST {
            out.extend_from_slice(format!("size={size}").as_bytes());
        } else {
            call.write_some(out, &SCHEDULING, &bytes, given);
        }
        out.extend_from_slice(if given > bytes.len() { b", ...}" } else { b"}" });
    }
    let wanted = call.read_u32_at(Phase::Exit, address).filter(|&wanted| wanted != size);
    if let Some(wanted) = wanted.filter(|_| call.event.errno() == Some(TOO_BIG)) {
        out.extend_from_slice(format!(" => {{size={wanted}}}").as_bytes());
    }
}

/// The same as the kernel tells it, in a buffer of the size in the next argument.
pub(super) fn write_scheduling_told(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    const FIRST: u32 = 48;
    let (address, room) = (call.arg(index), call.arg(index + 1) as u32 as usize);
    let mut bytes = [0; 56];
    let room = room.min(bytes.len());
    let is_looked_at = room > 0 && address != 0 && call.succeeded() && !call.style.addresses;
    if !is_looked_at || call.memory.read(Phase::Exit, address, &mut bytes[..room]) < room {
        return call.write_address(out, address);
    }
    let size = number(&bytes[..4]) as u32;
    out.push(b'{');
    if size < FIRST {
        out.extend_from_slice(format!("size={size}").as_bytes());
    } else {
        call.write_some(out, &SCHEDULING_TOLD, &bytes, size as usize);
    }
    out.push(b'}');
}

/// Reads at the entry what is shown at the exit.
pub(super) fn look_ahead(call: &mut Decoder<'_, '_>) {
    if call.spec.name == "sched_setattr" {
        write_scheduling(call, &mut Vec::new(), 1);
    }
}

/// `SCHED_FLAG_KEEP_POLICY`, and `SCHED_FLAG_KEEP_PARAMS`, which keeps both.
fn has_policy(attr: &[u8]) -> bool {
    number(&attr[8..16]) & (8 | 0x10) == 0
}

fn has_parameters(attr: &[u8]) -> bool {
    number(&attr[8..16]) & 0x10 == 0
}
