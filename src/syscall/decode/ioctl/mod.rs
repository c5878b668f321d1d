//! What is behind the third argument of ioctl, by the operation.
//!
//! A file a subject, a row an operation. Numbers have the size of their structure in them, so that what differs between
//! ABIs has a row for each.

/// An operation that is passed one structure and fills another, or other members of it: `{a=1, b=2}`.
macro_rules! parts {
    ($passed:ident, $filled:ident) => {
        $crate::syscall::decode::ioctl::Use::Parts(
            |call, out, index| call.write_passed(out, index, &$passed),
            |call, out, index| call.write_filled(out, index, &$passed, &$filled),
        )
    };
}

/// The same as two structures: `{a=1} => {b=2}`.
macro_rules! answered {
    ($passed:ident, $filled:ident) => {
        $crate::syscall::decode::ioctl::Use::Parts(
            |call, out, index| call.write_layout(out, call.arg(index), &$passed),
            |call, out, index| call.write_answer_in(out, index, &$passed, &$filled),
        )
    };
}

mod blocks;
mod clocks;
mod consoles;
mod controls;
mod devices;
mod disks;
mod files;
mod flash;
mod inputs;
mod lines;
mod machines;
mod mappers;
mod notices;
mod number;
mod requests;
mod sockets;
mod terminals;
mod trees;
mod trusted;
mod videos;
mod volumes;

use super::call::word;
use super::layout::Layout;
use super::special::Form;
use super::{Decoder, Phase};
use crate::syscall::flags::{FlagSet, write_hex, write_number, write_radix};

pub(super) use number::{sized, write_operation};

/// What is there.
#[derive(Clone, Copy)]
pub(super) enum What {
    /// A structure.
    Of(&'static Layout),
    /// An integer of so many bytes.
    Integer(usize),
    /// The same without a sign.
    Unsigned(usize),
    /// The same in hexadecimal.
    Hexadecimal(usize),
    /// Two integers of so many bytes each.
    Pair(usize),
    /// A set of bits in 32.
    Bits(&'static FlagSet),
    /// One of several values, of so many bytes.
    One(&'static FlagSet, usize),
    /// A string that a NUL byte ends, in so many bytes.
    Text(u32),
    /// A string that a NUL byte ends.
    String,
    /// The argument itself, as an `int`.
    Value,
    /// The argument itself, without a sign.
    Number,
    /// The argument itself is a set of bits.
    Flags(&'static FlagSet),
    /// The argument itself is one of several values.
    Choice(&'static FlagSet),
    /// The argument itself is a descriptor.
    Descriptor,
    /// The argument itself, in a form of its own.
    Argument(fn(&mut Decoder<'_, '_>, &mut Vec<u8>, u64)),
    /// What nothing more is told of than its address.
    Pointer,
    /// A form of its own, at this address.
    Own(fn(&mut Decoder<'_, '_>, &mut Vec<u8>, u64)),
}

impl What {
    /// Whether it is the argument itself, and not what is at this address.
    pub(super) fn is_argument(self) -> bool {
        matches!(
            self,
            Self::Value
                | Self::Number
                | Self::Flags(_)
                | Self::Choice(_)
                | Self::Descriptor
                | Self::Argument(_)
        )
    }
}

/// Writes a part of an argument, which is at this place.
pub(super) type WritePart = fn(&mut Decoder<'_, '_>, &mut Vec<u8>, usize);

/// What an operation does with its argument.
#[derive(Clone, Copy)]
enum Use {
    /// It looks at none.
    Nothing,
    /// It is passed this.
    In(What),
    /// It fills this.
    Out(What),
    /// It is passed the one and fills the other.
    Parts(WritePart, WritePart),
}

/// An operation.
type Row = (u32, Use);

/// The operations of a type, which is the second byte of their numbers.
fn rows(op: u32) -> &'static [Row] {
    match op >> 8 & 0xff {
        0x03 => disks::ROWS,
        0x12 => blocks::ROWS,
        0x21 => notices::ROWS,
        0x3d => clocks::ROWS,
        0x45 => inputs::ROWS,
        0x4b => consoles::ROWS,
        0x4d | 0x4f | 0x6f => flash::ROWS,
        0x54 => terminals::ROWS,
        0x56 => videos::ROWS,
        0x58 | 0x66 | 0x94 => files::ROWS,
        0x89 => sockets::ROWS,
        0xa4 => trusted::ROWS,
        0xae => machines::ROWS,
        0xb4 => lines::ROWS,
        0xfd => mappers::ROWS,
        _ => devices::ROWS,
    }
}

fn usage(op: u32) -> Option<Use> {
    let volumes = if op >> 8 & 0xff == 0x94 { volumes::ROWS } else { &[] };
    let row = rows(op).iter().chain(volumes).find(|(known, _)| *known == op).map(|(_, usage)| *usage);
    row.or_else(|| if op >> 8 & 0xff == 0x45 { inputs::ranged(op) } else { None })
}

/// Whether an operation has no argument.
pub(super) fn has_no_argument(op: u32) -> bool {
    matches!(usage(op), Some(Use::Nothing))
}

/// Whether an operation returns a descriptor: of a namespace, a virtual machine or a processor of one.
pub(super) fn makes_descriptor(op: u32) -> bool {
    const MAKERS: [u32; 4] = [0xb701, 0xb702, 0xae01, 0xae41];
    MAKERS.contains(&op)
}

/// Whether an operation returns the kind of a namespace (`NS_GET_NSTYPE`).
pub(super) fn tells_namespace(op: u32) -> bool {
    op == 0xb703
}

/// How the argument of an operation is printed, where that is known.
pub(super) fn form(op: u32) -> Option<Form> {
    Some(match usage(op)? {
        Use::Nothing => return None,
        Use::In(what) => Form::IoctlIn(what),
        Use::Out(what) => Form::IoctlOut(what),
        Use::Parts(passed, filled) => Form::Parts(passed, filled),
    })
}

/// `01234567-89ab-cdef-fedc-ba9876543210`
fn write_uuid(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    for (index, byte) in bytes.iter().take(16).enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        out.extend_from_slice(format!("{byte:02x}").as_bytes());
    }
}

/// Writes what an operation tells behind its result.
pub(super) fn write_after(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>) {
    /// `VIDIOC_CREATE_BUFS`, in 64-bit and in 32-bit programs.
    const CREATES_BUFFERS: [u32; 2] = [0xc100_565c, 0xc0f8_565c];
    if CREATES_BUFFERS.contains(&(call.arg(1) as u32)) {
        videos::write_made(call, out);
    }
}

impl Decoder<'_, '_> {
    pub(super) fn write_ioctl_argument(&mut self, out: &mut Vec<u8>, what: What, address: u64) {
        match what {
            What::Of(layout) => self.write_layout(out, address, layout),
            What::Integer(size) => self.write_integer(out, address, size),
            What::Unsigned(size) => self.write_one_at(out, address, size, |_, out, value| {
                write_radix(out, value, 10, 1);
            }),
            What::Hexadecimal(size) => {
                self.write_one_at(out, address, size, |_, out, value| write_hex(out, value));
            }
            What::Pair(size) => self.write_pair(out, address, size),
            What::Bits(set) => self.write_one_at(out, address, 4, |call, out, value| {
                call.style.constants.bits(out, set, value);
            }),
            What::One(set, size) => self.write_one_at(out, address, size, |call, out, value| {
                call.style.constants.one(out, set, value);
            }),
            What::Text(size) => self.write_string_of(out, address, size),
            What::String => self.write_c_string(out, address),
            What::Value => write_number(out, i64::from(address as i32)),
            What::Number => write_radix(out, word(self.event.abi, address), 10, 1),
            What::Flags(set) => self.style.constants.bits(out, set, address),
            What::Choice(set) => self.style.constants.one(out, set, word(self.event.abi, address)),
            What::Descriptor => self.write_descriptor(out, address as i32),
            What::Pointer => self.write_address(out, address),
            What::Own(write) | What::Argument(write) => write(self, out, address),
        }
    }

    /// `[value]`, of so many bytes.
    fn write_one_at(
        &mut self,
        out: &mut Vec<u8>,
        address: u64,
        size: usize,
        write: impl FnOnce(&mut Self, &mut Vec<u8>, u64),
    ) {
        let mut bytes = [0; 8];
        if address == 0 || self.memory.read(self.phase, address, &mut bytes[..size]) < size {
            return self.write_address(out, address);
        }
        out.push(b'[');
        write(self, out, u64::from_le_bytes(bytes));
        out.push(b']');
    }

    /// `[1, 2]`
    fn write_pair(&mut self, out: &mut Vec<u8>, address: u64, size: usize) {
        let mut bytes = [0; 16];
        if address == 0 || self.memory.read(self.phase, address, &mut bytes[..2 * size]) < 2 * size {
            return self.write_address(out, address);
        }
        out.push(b'[');
        for (index, part) in bytes[..2 * size].chunks_exact(size).enumerate() {
            if index > 0 {
                out.extend_from_slice(b", ");
            }
            write_radix(out, super::structures::number(part, size), 10, 1);
        }
        out.push(b']');
    }
}

impl Decoder<'_, '_> {
    /// `{a=1`: what is passed of a structure that is filled, too; its address where it cannot be read.
    fn write_passed(&mut self, out: &mut Vec<u8>, index: usize, passed: &Layout) {
        if self.try_layout(out, self.arg(index), passed).is_none() {
            return self.write_address(out, self.arg(index));
        }
        out.pop();
    }

    /// `, b=2}`: what is filled then, if it has been, where the structure could be read before.
    fn write_filled(&mut self, out: &mut Vec<u8>, index: usize, passed: &Layout, filled: &Layout) {
        let address = self.arg(index);
        if !self.was_readable(address, passed) {
            return;
        }
        let start = out.len();
        if self.succeeded() && self.try_layout(out, address, filled).is_some() {
            if out.ends_with(b"{}") {
                out.remove(start);
            } else {
                out.splice(start..=start, *b", ");
            }
        } else {
            out.push(b'}');
        }
    }

    /// ` => 2}`: a number at an offset of a structure, as it is then, behind what was passed of it.
    fn write_changed(
        &mut self,
        out: &mut Vec<u8>,
        index: usize,
        passed: &Layout,
        offset: u64,
        write: fn(&mut Vec<u8>, u32),
    ) {
        let at = self.arg(index).wrapping_add(offset);
        if !self.was_readable(self.arg(index), passed) {
            return;
        }
        if self.succeeded()
            && let Some(number) = self.read_u32_at(self.phase, at)
        {
            out.extend_from_slice(b" => ");
            write(out, number);
        }
        out.push(b'}');
    }

    /// `{a=1, b=2}`: the members of several layouts of a structure, of which the last has its size.
    fn write_together(&mut self, out: &mut Vec<u8>, address: u64, layouts: &[&Layout]) {
        let half = self.half();
        let mut bytes = vec![0; layouts.last().map_or(0, |layout| layout.size[half])];
        let is_looked_at = address != 0 && !self.style.addresses;
        if !is_looked_at || self.memory.read(self.phase, address, &mut bytes) < bytes.len() {
            return self.write_address(out, address);
        }
        out.push(b'{');
        for layout in layouts {
            self.write_some(out, layout, &bytes, usize::MAX);
        }
        out.push(b'}');
    }

    /// Whether all of an array that was passed could be read.
    fn was_whole(&mut self, address: u64, count: u64, size: usize) -> bool {
        // The last one that is looked at tells of all before it, which were read in pieces.
        let Some(last) = count.min(self.most_elements() as u64 + 1).checked_sub(1) else { return false };
        let mut bytes = vec![0; size];
        let at = address.wrapping_add(last.wrapping_mul(size as u64));
        address != 0 && self.memory.read(Phase::Entry, at, &mut bytes) == size
    }

    /// ` => {b=2}`: what is filled, if it has been, where what was passed could be read before.
    fn write_answer_in(&mut self, out: &mut Vec<u8>, index: usize, passed: &Layout, filled: &Layout) {
        let address = self.arg(index);
        if self.succeeded() && self.was_readable(address, passed) {
            out.extend_from_slice(b" => ");
            self.write_layout(out, address, filled);
        }
    }

    /// The same, with the address in its place where the call has failed.
    fn write_answer_or_address(&mut self, out: &mut Vec<u8>, index: usize, passed: &Layout, filled: &Layout) {
        if self.succeeded() {
            return self.write_answer_in(out, index, passed, filled);
        }
        if self.was_readable(self.arg(index), passed) {
            out.extend_from_slice(b" => ");
            self.write_address(out, self.arg(index));
        }
    }

    /// The first so many numbers of an array that a structure has: `[1, 2]`.
    fn write_first_numbers(
        &mut self,
        out: &mut Vec<u8>,
        bytes: &[u8],
        size: usize,
        count: usize,
        write: fn(&mut Vec<u8>, u64),
    ) {
        let numbers = bytes.chunks_exact(size).take(count);
        self.write_items(out, numbers, |_, out, bytes| write(out, super::structures::number(bytes, size)));
    }

    /// Whether a structure could be read before the call.
    fn was_readable(&mut self, address: u64, layout: &Layout) -> bool {
        let phase = std::mem::replace(&mut self.phase, Phase::Entry);
        let is_readable = self.was_filled(address, layout);
        self.phase = phase;
        is_readable
    }

    /// Whether so many bytes could be read before the call, of which few are looked at.
    fn was_there(&mut self, address: u64, size: usize) -> bool {
        let mut bytes = [0; 8];
        let bytes = &mut bytes[..size.min(8)];
        address != 0 && self.memory.read(Phase::Entry, address, bytes) == bytes.len()
    }

    /// Whether a structure can be read.
    fn was_filled(&mut self, address: u64, layout: &Layout) -> bool {
        self.try_layout(&mut Vec::new(), address, layout).is_some()
    }
}
