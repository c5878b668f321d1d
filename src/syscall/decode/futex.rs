//! futex, whose operation says which arguments it looks at.

use super::constants::Constants;
use super::{Decoder, structures};
use crate::syscall::flags::{self, FlagSet, write_hex, write_radix};

/// `futex(uaddr, op, val, ...)`: what follows depends on the operation (futex(2)).
pub(super) fn write(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>) {
    /// `FUTEX_CLOCK_REALTIME`, and the operations that may have it (`FUTEX_WAIT` and its like).
    const CLOCK: u64 = 0x100;
    const TIMED: [u64; 3] = [0, 9, 11];
    /// Of which the kernel's headers have no name.
    const FD_PRIVATE: u64 = 0x82;
    let value = u64::from(call.event.args[1] as u32);
    // Without FUTEX_PRIVATE_FLAG and all above.
    let operation = (value & 0x7f) as u32;
    call.write_arg(out, 0);
    out.extend_from_slice(b", ");
    if value == FD_PRIVATE {
        let name = |out: &mut Vec<u8>| out.extend_from_slice(b"FUTEX_FD|FUTEX_PRIVATE_FLAG");
        call.style.constants.write(out, |out| write_hex(out, value), name);
    } else if value & CLOCK == 0 || (value < 2 * CLOCK && TIMED.contains(&u64::from(operation))) {
        call.write_arg(out, 1);
    } else {
        let number = |out: &mut Vec<u8>| write_hex(out, value);
        call.style.constants.write(out, number, |out| {
            write_hex(out, value);
            out.extend_from_slice(b" /* FUTEX_??? */");
        });
    }
    write_more(call, out, arguments(operation));
}

/// What an operation looks at behind it.
fn arguments(operation: u32) -> &'static [More] {
    match operation {
        // UNLOCK_PI, TRYLOCK_PI.
        7 | 8 => &[],
        // LOCK_PI, LOCK_PI2: a timeout, and no value.
        6 | 13 => &[More::Timeout],
        // WAKE, FD.
        1 | 2 => &[More::Value],
        // WAIT: a timeout.
        0 => &[More::Value, More::Timeout],
        // WAIT_BITSET: a timeout and the bits.
        9 => &[More::Value, More::Timeout, More::Bitset],
        // WAKE_BITSET.
        10 => &[More::Value, More::Bitset],
        // REQUEUE: how many to move, and where to.
        3 => &[More::Value, More::Count(3), More::Address(4)],
        // CMP_REQUEUE and CMP_REQUEUE_PI: and what is expected.
        4 | 12 => &[More::Value, More::Count(3), More::Address(4), More::Count(5)],
        // WAKE_OP: its operation is packed into val3.
        5 => &[More::Value, More::Count(3), More::Address(4), More::WakeOp],
        // WAIT_REQUEUE_PI.
        11 => &[More::Value, More::Timeout, More::Address(4)],
        _ => &[More::Value, More::Address(3), More::Address(4), More::Hex(5)],
    }
}

/// The first argument from this one on that an operation looks at.
pub(super) fn next_printed(operation: u64, from: usize) -> usize {
    let behind = arguments((operation & 0x7f) as u32).iter().map(More::index);
    if from < 2 { from } else { behind.min_by_key(|&index| (index < from, index)).unwrap_or(from).max(from) }
}

/// A further argument of futex, by its index.
enum More {
    Value,
    Timeout,
    Address(usize),
    Count(usize),
    Hex(usize),
    Bitset,
    WakeOp,
}

impl More {
    fn index(&self) -> usize {
        match self {
            Self::Value => 2,
            Self::Timeout => 3,
            Self::Address(index) | Self::Count(index) | Self::Hex(index) => *index,
            Self::Bitset | Self::WakeOp => 5,
        }
    }
}

/// `FUTEX_OP_SET<<28|0x1<<12|FUTEX_OP_CMP_GT<<24|0x1`: an operation, a comparison, and the numbers of each (futex(2)).
fn write_wake_op(call: &Decoder<'_, '_>, out: &mut Vec<u8>, packed: u32) {
    if packed >> 28 & 8 != 0 {
        let name = |out: &mut Vec<u8>| out.extend_from_slice(b"FUTEX_OP_OPARG_SHIFT");
        call.style.constants.write(out, |out| write_hex(out, 8), name);
        out.extend_from_slice(b"<<28|");
    }
    write_shifted(call, out, &flags::FUTEX_WAKE_OP, packed >> 28 & 7, 28);
    write_hex(out, u64::from(packed >> 12 & 0xfff));
    out.extend_from_slice(b"<<12|");
    write_shifted(call, out, &flags::FUTEX_COMPARISON, packed >> 24 & 0xf, 24);
    write_hex(out, u64::from(packed & 0xfff));
}

/// `FUTEX_OP_SET<<28|`, `0x5<<28 /* FUTEX_OP_??? */|`; where numbers are to be shown, strace has the comment, too.
fn write_shifted(call: &Decoder<'_, '_>, out: &mut Vec<u8>, set: &FlagSet, value: u32, shift: u32) {
    let name = set.name(u64::from(value));
    match name {
        Some(name) => {
            let number = |out: &mut Vec<u8>| write_hex(out, u64::from(value));
            call.style.constants.write(out, number, |out| out.extend_from_slice(name.as_bytes()));
        }
        None => write_hex(out, u64::from(value)),
    }
    out.extend_from_slice(b"<<");
    write_radix(out, u64::from(shift), 10, 1);
    if name.is_none() || call.style.constants == Constants::Numbers {
        out.extend_from_slice(format!(" /* {} */", set.unknown).as_bytes());
    }
    out.push(b'|');
}

fn write_more(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, more: &[More]) {
    let args = call.event.args;
    for argument in more {
        out.extend_from_slice(b", ");
        match argument {
            _ if call.is_unknown(argument.index()) => out.extend_from_slice(b"..."),
            More::Value => call.write_arg(out, 2),
            More::Timeout if call.spec.name == "futex" => {
                call.write_layout(out, args[3], &structures::TIMESPEC);
            }
            More::Timeout => call.write_layout(out, args[3], &structures::TIMESPEC64),
            More::Address(index) => call.write_address(out, args[*index]),
            More::Count(index) => write_radix(out, u64::from(args[*index] as u32), 10, 1),
            More::Hex(index) => write_hex(out, u64::from(args[*index] as u32)),
            More::WakeOp => write_wake_op(call, out, args[5] as u32),
            More::Bitset => {
                let bits = u64::from(args[5] as u32);
                let name = |out: &mut Vec<u8>| match args[5] as u32 {
                    u32::MAX => out.extend_from_slice(b"FUTEX_BITSET_MATCH_ANY"),
                    _ => write_hex(out, bits),
                };
                call.style.constants.write(out, |out| write_hex(out, bits), name);
            }
        }
    }
}
