//! Names of flag bits and enumerated values, as the kernel's headers define them, and how they are printed.
//!
//! One file a subject; each set is one static that the tables refer to. The values are those of
//! `include/uapi` of Linux 6.18. What differs between architectures is in a file named after the
//! architecture, which also re-exports everything else: a table imports that one module.

mod file;
mod io;
mod ioctl;
mod memory;
mod mount;
mod net;
mod process;
mod signal;
mod system;
#[cfg(test)]
mod tests;
mod text;
mod time;
pub mod x86;

pub use signal::{signal_name, write_si_code, write_signal};
pub use text::{write_hex, write_number};

/// Named values of one argument: bits to be combined, or values to choose from.
#[derive(Debug, PartialEq, Eq)]
pub struct FlagSet {
    /// What strace writes in a comment where no bit has a name (`O_???`); empty: it writes none.
    pub unknown: &'static str,
    /// The kernel looks at all 64 bits (`unsigned long`, `u64`). Otherwise at the lower 32 only.
    pub wide: bool,
    /// The part of the value that is not a set of bits, if it has one.
    pub field: Option<Field>,
    /// (value, name). A value of several bits comes before the bits it contains.
    pub values: &'static [(u64, &'static str)],
}

/// A group of bits inside a flags argument that is a number by itself.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// The bits it takes.
    pub mask: u64,
    /// How it is printed.
    pub kind: FieldKind,
    /// (value, name).
    pub values: &'static [(u64, &'static str)],
}

/// How a [`Field`] is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// One of several values, zero being one of them: always printed, before the bits
    /// (the access mode of open, the type of a socket).
    Choice,
    /// The number of a signal: printed after the bits, unless it is 0 (clone).
    Signal,
    /// Permissions: printed after the bits, in octal (`shmget`).
    Octal,
}

impl FlagSet {
    /// Writes a value as a set of bits: `O_RDONLY|O_CLOEXEC|0x80000000`.
    ///
    /// Bits without a name come last, in hexadecimal; if none has a name a comment tells which set was
    /// meant. Nothing is allocated.
    pub fn write_bits(&self, out: &mut Vec<u8>, value: u64) {
        let value = self.cut(value);
        if let (0, None, Some(name)) = (value, &self.field, find(self.values, 0)) {
            out.extend_from_slice(name.as_bytes());
            return;
        }
        let start = out.len();
        let mut rest = value;
        if let Some(field) = &self.field {
            rest &= !field.mask;
            if field.kind == FieldKind::Choice {
                self.write_choice(out, field.values, value & field.mask);
            }
        }
        let mut named = out.len() > start;
        for &(bits, name) in self.values {
            if bits != 0 && rest & bits == bits {
                separate(out, start);
                out.extend_from_slice(name.as_bytes());
                rest &= !bits;
                named = true;
            }
        }
        if rest != 0 {
            separate(out, start);
            write_hex(out, rest);
            if !named {
                self.write_comment(out);
            }
        }
        if let Some(field) = &self.field {
            field.write_after(out, start, value & field.mask);
        }
        if out.len() == start {
            out.push(b'0');
        }
    }

    /// Writes a value that is one of the set: `SEEK_SET`, or `0x7 /* SEEK_??? */`.
    pub fn write_one(&self, out: &mut Vec<u8>, value: u64) {
        let value = self.cut(value);
        match self.field.as_ref().and_then(|field| find(field.values, value)) {
            Some(name) => out.extend_from_slice(name.as_bytes()),
            None => self.write_choice(out, self.values, value),
        }
    }

    /// The name of exactly this value.
    #[must_use]
    pub fn name(&self, value: u64) -> Option<&'static str> {
        find(self.values, self.cut(value))
    }

    fn cut(&self, value: u64) -> u64 {
        if self.wide { value } else { value & 0xffff_ffff }
    }

    fn write_choice(&self, out: &mut Vec<u8>, values: &[(u64, &str)], value: u64) {
        if let Some((_, name)) = values.iter().find(|(known, _)| *known == value) {
            out.extend_from_slice(name.as_bytes());
        } else {
            write_hex(out, value);
            self.write_comment(out);
        }
    }

    fn write_comment(&self, out: &mut Vec<u8>) {
        if !self.unknown.is_empty() {
            out.extend_from_slice(b" /* ");
            out.extend_from_slice(self.unknown.as_bytes());
            out.extend_from_slice(b" */");
        }
    }
}

impl Field {
    /// Writes the kinds that come after the bits. `start` is where the whole value began.
    fn write_after(&self, out: &mut Vec<u8>, start: usize, value: u64) {
        match self.kind {
            FieldKind::Choice => {}
            FieldKind::Signal if value == 0 => {}
            FieldKind::Signal => {
                separate(out, start);
                write_signal(out, value as u32);
            }
            FieldKind::Octal => {
                separate(out, start);
                text::write_mode(out, value);
            }
        }
    }
}

fn find(values: &[(u64, &'static str)], value: u64) -> Option<&'static str> {
    values.iter().find(|(known, _)| *known == value).map(|(_, name)| *name)
}

fn separate(out: &mut Vec<u8>, start: usize) {
    if out.len() > start {
        out.push(b'|');
    }
}

/// Defines flag sets, each `NAME: int|long "UNKNOWN" [KIND(mask) { NAME = value, ... }] { NAME = value, ... }`.
macro_rules! flag_sets {
    ($($(#[$doc:meta])* $set:ident: $size:ident $unknown:literal
        $($kind:ident($mask:expr) { $($choice:ident = $number:expr),* $(,)? })?
        { $($name:ident = $value:expr),* $(,)? })*) => {
        $($(#[$doc])* pub static $set: $crate::syscall::flags::FlagSet = $crate::syscall::flags::FlagSet {
            unknown: $unknown,
            wide: $crate::syscall::flags::flag_sets!(@$size),
            field: $crate::syscall::flags::flag_sets!(@field $($kind($mask) { $($choice = $number),* })?),
            values: &[$(($value, stringify!($name))),*],
        };)*
    };
    (@int) => { false };
    (@long) => { true };
    (@field) => { None };
    (@field $kind:ident($mask:expr) { $($choice:ident = $number:expr),* }) => {
        Some($crate::syscall::flags::Field {
            mask: $mask,
            kind: $crate::syscall::flags::FieldKind::$kind,
            values: &[$(($number, stringify!($choice))),*],
        })
    };
}
use flag_sets;
