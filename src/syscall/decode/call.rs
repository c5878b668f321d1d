//! One system call's arguments, in the two parts in which strace prints them.

use super::memory::{Memory, Phase};
use super::special::{self, Form};
use super::{Style, tables};
use crate::event::{Abi, Event};
use crate::syscall::flags::{FlagSet, write_hex};
use crate::syscall::{self, Arg, Ret, Spec, Struct, multiplexed};

/// What a call that succeeds returns.
#[derive(Clone, Copy)]
pub enum Returned<'a> {
    /// A descriptor, of this file if that is known.
    Fd(Option<&'a [u8]>),
    /// Flags.
    Flags(&'static FlagSet),
    /// A number of this kind.
    Value(Ret),
    /// A descriptor, with what stands behind its number.
    Described(&'a [u8]),
    /// An address that is not in the register.
    Address(u64),
    /// Whatever the register has.
    Register,
}

/// A call being written.
pub struct Decoder<'a, 'm> {
    pub(super) event: Event<'a>,
    pub(super) spec: &'static Spec,
    pub(super) style: &'a Style,
    pub(super) memory: &'m mut dyn Memory,
    /// Which memory is looked at.
    pub(super) phase: Phase,
    /// The call was made through another, of which the capture knows no descriptors.
    pub(super) is_part: bool,
}

/// The name of a number that is not in the table: `syscall_0x1ff`, and `syscall_0xffffffffffffffff` of -1.
pub fn write_unknown_name(out: &mut Vec<u8>, nr: u32) {
    out.extend_from_slice(b"syscall_");
    write_hex(out, i64::from(nr.cast_signed()).cast_unsigned());
}

/// Its arguments as strace prints them: `0x1, 0, 0, 0, 0, 0`.
pub fn write_unknown(out: &mut Vec<u8>, event: &Event<'_>) {
    for (index, &arg) in event.args.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        if event.is_unknown(arg) {
            out.extend_from_slice(b"...");
        } else {
            write_hex(out, word(event.abi, arg));
        }
    }
}

/// The part of a register that a pointer of the ABI fills.
pub(super) fn word(abi: Abi, value: u64) -> u64 {
    match abi {
        // The registers of a program for x32 are those of x86-64.
        Abi::X86_64 | Abi::X32 => value,
        Abi::I386 => value & 0xffff_ffff,
    }
}

/// An address that has 64 bits in every program.
pub(super) fn write_address64(out: &mut Vec<u8>, address: u64) {
    match address {
        0 => out.extend_from_slice(b"NULL"),
        address => write_hex(out, address),
    }
}

impl<'a, 'm> Decoder<'a, 'm> {
    /// Of a call that the table knows; of one that stands for another, that one.
    pub fn new(event: &Event<'a>, style: &'a Style, memory: &'m mut dyn Memory) -> Option<Self> {
        let spec = syscall::lookup(event.abi, event.nr)?;
        let mut call = Self { event: *event, spec, style, memory, phase: Phase::Entry, is_part: false };
        let is_itself = style.raw && multiplexed::has_block(event.nr);
        if event.abi == Abi::I386
            && !is_itself
            && let Some((spec, args)) = multiplexed::resolve(event, |address| call.read_word(address))
        {
            call.event.args = args;
            call.spec = spec;
            call.is_part = true;
        }
        Some(call)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.spec.name
    }

    /// Writes the arguments that are known before the kernel sees the call, and the separator behind them where others
    /// follow.
    pub fn entry(&mut self, out: &mut Vec<u8>) {
        self.phase = Phase::Entry;
        if self.style.raw {
            return self.write_registers(out);
        }
        if special::write_entry(self, out) {
            return;
        }
        let late = self.first_late();
        self.write_args(out, 0, late);
        if late > 0 && late < self.count() {
            out.extend_from_slice(b", ");
        }
        if late < self.count()
            && !self.is_unknown(late)
            && let Some(Form::Parts(write, _)) = special::form(&self.event, self.spec, late)
        {
            write(self, out, late);
        }
    }

    /// Writes the others.
    pub fn exit(&mut self, out: &mut Vec<u8>) {
        self.phase = Phase::Exit;
        if self.style.raw || special::write_exit(self, out) {
            return;
        }
        self.write_args(out, self.first_late(), self.count());
    }

    /// Whether arguments are left for [`exit`](Self::exit).
    #[must_use]
    pub fn has_late(&self) -> bool {
        !self.style.raw && (special::is_whole(self.spec) || self.first_late() < self.count())
    }

    /// Whether strace has more to say of it when it has returned: arguments, or what stands behind the result.
    #[must_use]
    pub fn tells_more(&self) -> bool {
        self.has_late() || special::is_told_later(self.spec)
    }

    /// Writes what strace prints behind the result: ` (in [3], left {tv_sec=0, tv_usec=5})`.
    pub fn after(&mut self, out: &mut Vec<u8>) {
        self.phase = Phase::Exit;
        if !self.style.raw {
            special::write_after(self, out);
        }
    }

    /// Reads at the call's entry what is printed at its exit only.
    pub fn look_ahead(&mut self) {
        self.phase = Phase::Entry;
        special::look_ahead(self);
        if self.style.inner_paths {
            self.inner_paths(|_| ());
        }
    }

    /// What the call returns.
    #[must_use]
    pub fn returned(&mut self) -> Returned<'a> {
        if self.style.raw {
            return Returned::Register;
        }
        if let Some(address) = self.attached_at() {
            return Returned::Address(address);
        }
        match (special::ret_flags(&self.event, self.spec), special::ret(&self.event, self.spec)) {
            (Some(set), _) => Returned::Flags(set),
            (None, Ret::Fd) => Returned::Fd(self.returned_file().filter(|_| self.style.files)),
            (None, ret) => Returned::Value(ret),
        }
    }

    /// Where shmat through ipc has put the address: behind its third argument.
    fn attached_at(&mut self) -> Option<u64> {
        (self.is_part && self.spec.name == "shmat" && self.succeeded())
            .then(|| self.read_word_at(Phase::Exit, self.arg(3)))?
    }

    /// `0xffffff9c, 0x55638f47b004, 0x80000`
    fn write_registers(&self, out: &mut Vec<u8>) {
        let count =
            self.spec.args.iter().rposition(|spec| spec.arg != Arg::Unused).map_or(0, |last| last + 1);
        for (index, &arg) in self.event.args.iter().take(count).enumerate() {
            if index > 0 {
                out.extend_from_slice(b", ");
            }
            if self.is_unknown(index) {
                out.extend_from_slice(b"...");
            } else {
                write_hex(out, word(self.event.abi, arg));
            }
        }
    }

    fn count(&self) -> usize {
        special::count(&self.event, self.spec).min(self.spec.args.len())
    }

    /// The first argument that is printed when the call has returned.
    fn first_late(&self) -> usize {
        let count = self.count();
        (0..count).find(|&index| self.is_late(index)).unwrap_or(count)
    }

    fn is_late(&self, index: usize) -> bool {
        let kind = match special::form(&self.event, self.spec, index) {
            Some(Form::As(kind)) => kind,
            Some(form) => return matches!(form, Form::IoctlOut(_) | Form::OwnLate(_) | Form::Parts(..)),
            None => self.spec.args[index].arg,
        };
        match kind {
            Arg::OutBuf | Arg::Out(_) | Arg::InOut(Struct::Integer) => true,
            Arg::In(layout) | Arg::InOut(layout) => tables::is_late(layout, self.spec),
            _ => false,
        }
    }

    fn write_args(&mut self, out: &mut Vec<u8>, from: usize, to: usize) {
        let (mut index, mut is_first) = (from, true);
        while index < to {
            let arg = self.spec.args[index].arg;
            if arg != Arg::Unused && !special::is_left_out(&self.event, self.spec, index) {
                if !is_first {
                    out.extend_from_slice(b", ");
                }
                is_first = false;
                self.write_arg(out, index);
            }
            // The halves of a number are written together.
            index += if matches!(arg, Arg::OffsetLow | Arg::OffsetHigh) { 2 } else { 1 };
        }
    }

    /// Whether there is memory to look at.
    pub(super) fn is_deep(&self) -> bool {
        self.memory.is_there()
    }

    /// Bytes of a pointer.
    pub(super) fn word_size(&self) -> usize {
        if self.event.abi == Abi::X86_64 { 8 } else { 4 }
    }

    /// How many arguments before this one are of such a kind.
    pub(super) fn ordinal(&self, index: usize, is_kind: fn(Arg) -> bool) -> usize {
        self.spec.args[..index].iter().filter(|spec| is_kind(spec.arg)).count()
    }

    /// Whether an argument is not known, as where a text says it by a name that is not.
    pub(super) fn is_unknown(&self, index: usize) -> bool {
        self.event.is_unknown(self.arg(index))
    }

    /// An argument as a number.
    pub(super) fn arg(&self, index: usize) -> u64 {
        self.event.args.get(index).copied().unwrap_or(0)
    }

    /// `NULL` or `0x7ffd12345678`, `...` where it is not known.
    pub(super) fn write_address(&self, out: &mut Vec<u8>, address: u64) {
        if self.event.is_unknown(address) {
            out.extend_from_slice(b"...");
            return;
        }
        match word(self.event.abi, address) {
            0 => out.extend_from_slice(b"NULL"),
            address => write_hex(out, address),
        }
    }

    pub(super) fn succeeded(&self) -> bool {
        self.event.ret.is_some() && self.event.errno().is_none()
    }
}
