//! The number of an ioctl: by its names, by what a driver has made of a range of numbers, or by its parts.

use super::super::{Constants, Decoder};
use crate::syscall::flags::{FlagSet, INPUT_AXIS, INPUT_EVENT, ioctl_names, write_hex, write_radix};

/// Operations of which each size, or each number of a range, is one.
#[derive(Clone, Copy)]
enum Range {
    /// The size of the buffer.
    Sized(&'static str),
    /// The number.
    Numbered(&'static str),
    /// One of these, from a number on.
    Named(&'static str, u32, &'static FlagSet),
    /// The same, with the size behind it.
    SizedNamed(&'static str, u32, &'static FlagSet),
}

const WRITES: u32 = 1;
const READS: u32 = 2;

/// Direction, type, the first and the last number, and what they are.
static RANGES: &[(u32, u8, u8, u8, Range)] = &[
    (WRITES, b'E', 0xc0, 0xff, Range::Named("EVIOCSABS", 0xc0, &INPUT_AXIS)),
    (READS, b'E', 0x20, 0x3f, Range::SizedNamed("EVIOCGBIT", 0x20, &INPUT_EVENT)),
    (READS, b'E', 0x40, 0x7f, Range::Named("EVIOCGABS", 0x40, &INPUT_AXIS)),
    (READS, b'E', 0x06, 0x06, Range::Sized("EVIOCGNAME")),
    (READS, b'E', 0x07, 0x07, Range::Sized("EVIOCGPHYS")),
    (READS, b'E', 0x08, 0x08, Range::Sized("EVIOCGUNIQ")),
    (READS, b'E', 0x09, 0x09, Range::Sized("EVIOCGPROP")),
    (READS, b'E', 0x0a, 0x0a, Range::Sized("EVIOCGMTSLOTS")),
    (READS, b'E', 0x18, 0x18, Range::Sized("EVIOCGKEY")),
    (READS, b'E', 0x19, 0x19, Range::Sized("EVIOCGLED")),
    (READS, b'E', 0x1a, 0x1a, Range::Sized("EVIOCGSND")),
    (READS, b'E', 0x1b, 0x1b, Range::Sized("EVIOCGSW")),
    (READS, b'H', 0x04, 0x04, Range::Sized("HIDIOCGRAWNAME")),
    (READS, b'H', 0x05, 0x05, Range::Sized("HIDIOCGRAWPHYS")),
    (READS, b'H', 0x06, 0x06, Range::Sized("HIDIOCSFEATURE")),
    (READS, b'H', 0x08, 0x08, Range::Sized("HIDIOCGRAWUNIQ")),
    (READS, b'H', 0x12, 0x12, Range::Sized("HIDIOCGPHYS")),
    (READS | WRITES, b'H', 0x06, 0x06, Range::Sized("HIDIOCSFEATURE")),
    (READS | WRITES, b'H', 0x07, 0x07, Range::Sized("HIDIOCGFEATURE")),
    (WRITES, b'M', 0, 0xff, Range::Numbered("MIXER_WRITE")),
    (READS, b'M', 0, 0xff, Range::Numbered("MIXER_READ")),
    (READS, b'U', 0x2c, 0x2c, Range::Sized("UI_GET_SYSNAME")),
    (READS, b'j', 0x13, 0x13, Range::Sized("JSIOCGNAME")),
    (WRITES, b'k', 0, 0, Range::Sized("SPI_IOC_MESSAGE")),
];

/// `SECCOMP_IOCTL_NOTIF_ID_VALID` as it was first, of the wrong direction.
const WRONG_DIRECTION: u32 = 0x8008_2102;

/// `TCGETS`, `BTRFS_IOC_CLONE or FICLONE`, `EVIOCGBIT(EV_KEY, 96)`, `_IOC(_IOC_READ, 0x54, 0x30, 0x4)`.
pub(in super::super) fn write_operation(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let op = call.arg(index) as u32;
    let abi = call.event.abi;
    let constants = call.style.constants;
    constants.write(
        out,
        |out| write_hex(out, u64::from(op)),
        |out| {
            let start = out.len();
            let mut names = ioctl_names(abi, op).peekable();
            write_range(out, op, constants);
            if out.len() == start && names.peek().is_none() {
                return write_parts(out, op);
            }
            for name in names {
                if out.len() > start {
                    out.extend_from_slice(b" or ");
                }
                out.extend_from_slice(name.as_bytes());
            }
        },
    );
}

/// What a driver has made of a range of numbers, if it is in one.
fn write_range(out: &mut Vec<u8>, op: u32, constants: Constants) {
    if op == WRONG_DIRECTION {
        return out.extend_from_slice(b"SECCOMP_IOCTL_NOTIF_ID_VALID_WRONG_DIR");
    }
    let [number, kind, ..] = op.to_le_bytes();
    let size = u64::from(op >> 16 & 0x3fff);
    let is_it = |(direction, of, first, last, _): &&(u32, u8, u8, u8, Range)| {
        *direction == op >> 30 && *of == kind && (*first..=*last).contains(&number)
    };
    let Some((.., range)) = RANGES.iter().find(is_it) else { return };
    let (Range::Sized(name) | Range::Numbered(name) | Range::Named(name, ..) | Range::SizedNamed(name, ..)) =
        range;
    out.extend_from_slice(name.as_bytes());
    out.push(b'(');
    match range {
        Range::Sized(_) => write_radix(out, size, 10, 1),
        Range::Numbered(_) => write_radix(out, u64::from(number), 10, 1),
        Range::Named(_, from, set) => write_name(out, set, u64::from(number) - u64::from(*from), constants),
        Range::SizedNamed(_, from, set) => {
            match u64::from(number) - u64::from(*from) {
                0 => out.push(b'0'),
                event => write_name(out, set, event, constants),
            }
            out.extend_from_slice(b", ");
            write_radix(out, size, 10, 1);
        }
    }
    out.push(b')');
}

/// The operation of which this is printed, with its size; `None`: there is none, or there are several.
pub(in super::super) fn sized(name: &[u8], event: Option<&[u8]>, size: u64) -> Option<u64> {
    let mut known = RANGES.iter().filter_map(|(direction, kind, first, _, range)| {
        let number = match (range, event) {
            (Range::Sized(known), None) if known.as_bytes() == name => *first,
            (Range::SizedNamed(known, from, set), Some(event)) if known.as_bytes() == name => {
                let of = |(_, known): &&(u64, &str)| known.as_bytes() == event;
                let event = if event == b"0" { 0 } else { set.values.iter().find(of)?.0 };
                u8::try_from(event + u64::from(*from)).ok()?
            }
            _ => return None,
        };
        Some((*direction, *kind, number))
    });
    let (direction, kind, number) = known.next().filter(|_| known.next().is_none())?;
    let size = u32::try_from(size).ok().filter(|size| *size <= 0x3fff)?;
    Some(u64::from(direction << 30 | size << 16 | u32::from(kind) << 8 | u32::from(number)))
}

/// One of a set; inside of a comment (`-X verbose`) none says that it has no name.
fn write_name(out: &mut Vec<u8>, set: &FlagSet, value: u64, constants: Constants) {
    if constants == Constants::Both && set.name(value).is_none() {
        return write_hex(out, value);
    }
    set.write_one(out, value);
}

/// Direction, type, number and size (`asm-generic/ioctl.h`).
fn write_parts(out: &mut Vec<u8>, op: u32) {
    const DIRECTIONS: [&str; 4] = ["_IOC_NONE", "_IOC_WRITE", "_IOC_READ", "_IOC_READ|_IOC_WRITE"];
    out.extend_from_slice(b"_IOC(");
    out.extend_from_slice(DIRECTIONS[(op >> 30) as usize].as_bytes());
    for part in [op >> 8 & 0xff, op & 0xff, op >> 16 & 0x3fff] {
        out.extend_from_slice(b", ");
        write_hex(out, u64::from(part));
    }
    out.push(b')');
}
