//! Names of flag bits and enumerated values, as the kernel's headers define them, and how they are printed.
//!
//! One file a subject; each set is one static that the tables refer to. The values are those of
//! `include/uapi` of Linux 6.18. What differs between architectures is in a file named after the
//! architecture, which also re-exports everything else: a table imports that one module.

mod bpf;
mod consoles;
mod controls;
mod devices;
mod disks;
pub mod families;
mod file;
mod flash;
mod inputs;
mod io;
mod ioctl;
mod lines;
mod machines;
mod members;
mod memory;
mod mount;
mod net;
pub mod netlink;
mod options;
mod perf;
mod prctl;
mod process;
mod rare;
mod signal;
mod system;
#[cfg(test)]
mod tests;
mod text;
mod time;
mod uring;
mod video;
mod volumes;
pub mod x86;

pub use bpf::*;
pub use consoles::*;
pub use controls::*;
pub use devices::*;
pub use disks::*;
pub use file::{RESOLVE, STATX};
pub use flash::*;
pub use inputs::*;
pub use io::{DIRECTORY_NOTICE, FD_FLAGS, IO_URING_REGISTER, LEASE, OWNER_KIND, SEALS, SEEK};
pub use ioctl::{ioctl_names, ioctl_number, ioctl_numbers};
pub use lines::*;
pub use machines::*;
pub use members::*;
pub use memory::MPOL;
pub use mount::{
    MOUNT, MOUNT_ATTR, MOUNT_MAGIC, QUOTA, QUOTA_FORMAT, QUOTA_INFO, QUOTA_INFO_VALID, QUOTA_STATE,
    QUOTA_TYPE, QUOTA_VALID, QUOTA_XFS,
};
pub use net::*;
pub use options::socket_options;
pub use perf::*;
pub use prctl::*;
pub use process::{CLONE, CLONE3, PERSONALITY, SCHED, SETNS};
pub use rare::*;
pub use signal::{signal_name, signal_number, write_si_code, write_signal};
pub use system::{
    KEY_CAPABILITIES, KEY_CAPABILITIES_MORE, KEY_DEFAULT, KEY_MOVE, KEY_PERMISSION, KEY_SPEC, KEY_SUPPORTS,
    MEMBARRIER, SECCOMP_FILTER,
};
pub use text::{write_hex, write_number};
pub(crate) use text::{write_mode, write_radix};
pub use time::CLOCK;
pub use uring::*;
pub use video::*;
pub use volumes::*;

/// Named values of one argument: bits to be combined, or values to choose from.
#[derive(Debug, PartialEq, Eq)]
pub struct FlagSet {
    /// What strace writes in a comment where no bit has a name (`O_???`); empty: it writes none.
    pub unknown: &'static str,
    /// The kernel looks at all 64 bits (`unsigned long`, `u64`). Otherwise at the lower 32 only.
    pub wide: bool,
    /// Parts of the value that are no sets of bits.
    pub fields: &'static [Field],
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
    /// What the comment behind a value without a name says, if not that of the set.
    pub unknown: &'static str,
    /// (value, name).
    pub values: &'static [(u64, &'static str)],
}

/// How a [`Field`] is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// One of several values: printed before the bits (the access mode of open, the type of a socket).
    Choice,
    /// One of several values: printed before what else is set, each as if it stood alone (`fanotify_init(2)`).
    Class,
    /// The same where it has a name; otherwise all of the value is bits (the type of a socket).
    Type,
    /// One of several values: printed after the bits (`semctl`).
    LastChoice,
    /// Bits of which none is set: the name of that, printed before the bits.
    Absent,
    /// The number of a signal: printed after the bits, unless it is 0 (clone).
    Signal,
    /// Permissions: printed after the bits, in octal (`shmget`).
    Octal,
    /// The same, right behind bits of which none has a name, as strace has it (`msgget`).
    JoinedOctal,
    /// A number, printed as `21<<MAP_HUGE_SHIFT` after the bits, unless it is 0. Its one value is how far
    /// it is shifted, with the name for that.
    Shifted,
}

impl FlagSet {
    /// Writes a value as a set of bits: `O_RDONLY|O_CLOEXEC|0x80000000`.
    ///
    /// Bits without a name come last, in hexadecimal; if none has a name a comment tells which set was
    /// meant. Nothing is allocated.
    pub fn write_bits(&self, out: &mut Vec<u8>, value: u64) {
        let value = self.cut(value);
        match self.parts(value) {
            (Some((field, choice)), rest) => {
                self.write_class(out, field, choice);
                if rest != 0 {
                    out.push(b'|');
                    self.write_plain(out, rest, false);
                }
            }
            (None, value) => self.write_plain(out, value, true),
        }
    }

    /// What stands before all else and for itself, and all else.
    #[must_use]
    pub fn parts(&self, value: u64) -> (Option<(&'static Field, u64)>, u64) {
        let value = self.cut(value);
        let field = self.fields.iter().find(|field| match field.kind {
            FieldKind::Class => true,
            FieldKind::Type => find(field.values, value & field.mask).is_some(),
            _ => false,
        });
        field.map_or((None, value), |field| (Some((field, value & field.mask)), value & !field.mask))
    }

    /// Writes what stands before all else.
    pub fn write_class(&self, out: &mut Vec<u8>, field: &Field, value: u64) {
        if let Some(name) = find(field.values, value) {
            return out.extend_from_slice(name.as_bytes());
        }
        write_hex(out, value);
        write_comment(out, if field.unknown.is_empty() { self.unknown } else { field.unknown });
    }

    /// Writes what is no class: bits, and fields among them.
    pub fn write_plain(&self, out: &mut Vec<u8>, value: u64, has_zero: bool) {
        let start = out.len();
        if value == 0
            && has_zero
            && let Some(name) = find(self.values, 0)
        {
            out.extend_from_slice(name.as_bytes());
        }
        for field in self.fields.iter().filter(|field| field.kind == FieldKind::Absent) {
            if let Some(name) = find(field.values, value & field.mask) {
                out.extend_from_slice(name.as_bytes());
            }
        }
        let is_apart =
            |field: &&Field| matches!(field.kind, FieldKind::Class | FieldKind::Type | FieldKind::Absent);
        let fields = self.fields.iter().filter(|field| !is_apart(field));
        let mut rest = value & !fields.clone().fold(0, |mask, field| mask | field.mask);
        for field in fields.clone().filter(|field| field.kind == FieldKind::Choice) {
            self.write_field(out, start, field, value & field.mask);
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
                write_comment(out, self.unknown);
            }
        }
        for field in fields.filter(|field| field.kind != FieldKind::Choice) {
            let is_joined = field.kind == FieldKind::JoinedOctal && !named;
            self.write_field(out, if is_joined { out.len() } else { start }, field, value & field.mask);
        }
        if out.len() == start {
            out.push(b'0');
        }
    }

    /// Writes a value that is one of the set: `SEEK_SET`, or `0x7 /* SEEK_??? */`.
    pub fn write_one(&self, out: &mut Vec<u8>, value: u64) {
        let value = self.cut(value);
        match self.fields.iter().find_map(|field| find(field.values, value)) {
            Some(name) => out.extend_from_slice(name.as_bytes()),
            None => self.write_choice(out, self.values, value),
        }
    }

    /// The name of exactly this value.
    #[must_use]
    pub fn name(&self, value: u64) -> Option<&'static str> {
        find(self.values, self.cut(value))
    }

    /// Whether a bit of this value has a name, or having none has.
    #[must_use]
    pub fn names_some(&self, value: u64) -> bool {
        let value = self.cut(value);
        self.values
            .iter()
            .any(|&(bits, _)| if value == 0 { bits == 0 } else { bits != 0 && value & bits == bits })
    }

    /// The part of a register that the kernel looks at.
    #[must_use]
    pub fn number(&self, value: u64) -> u64 {
        self.cut(value)
    }

    fn cut(&self, value: u64) -> u64 {
        if self.wide { value } else { value & 0xffff_ffff }
    }

    fn write_choice(&self, out: &mut Vec<u8>, values: &[(u64, &'static str)], value: u64) {
        if let Some(name) = find(values, value) {
            out.extend_from_slice(name.as_bytes());
        } else {
            write_hex(out, value);
            write_comment(out, self.unknown);
        }
    }

    /// Writes the part of a value that `field` is. `start` is where the text of the whole value began.
    fn write_field(&self, out: &mut Vec<u8>, start: usize, field: &Field, value: u64) {
        let is_named = find(field.values, value).is_some();
        match field.kind {
            FieldKind::Choice | FieldKind::LastChoice if value == 0 && !is_named => {}
            FieldKind::Choice | FieldKind::LastChoice => {
                separate(out, start);
                self.write_choice(out, field.values, value);
            }
            FieldKind::Octal | FieldKind::JoinedOctal => {
                separate(out, start);
                write_mode(out, value);
            }
            FieldKind::Class | FieldKind::Type | FieldKind::Absent => {}
            FieldKind::Signal | FieldKind::Shifted if value == 0 => {}
            FieldKind::Signal => {
                separate(out, start);
                write_signal(out, value as u32);
            }
            FieldKind::Shifted => {
                let (shift, name) = field.values.first().copied().unwrap_or((0, ""));
                separate(out, start);
                write_radix(out, value >> shift, 10, 1);
                out.extend_from_slice(b"<<");
                out.extend_from_slice(name.as_bytes());
            }
        }
    }
}

fn write_comment(out: &mut Vec<u8>, unknown: &str) {
    if !unknown.is_empty() {
        out.extend_from_slice(b" /* ");
        out.extend_from_slice(unknown.as_bytes());
        out.extend_from_slice(b" */");
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

/// Defines flag sets, each `NAME: int|long "UNKNOWN" KIND(mask, "ITS UNKNOWN") { NAME = value, ... } { NAME = value, ... }`
/// with as many fields, of a [`FieldKind`] each, as there are.
macro_rules! flag_sets {
    ($($(#[$doc:meta])* $set:ident: $size:ident $unknown:literal
        $($kind:ident($mask:expr $(, $none:literal)?) { $($choice:ident = $number:expr),* $(,)? })*
        { $($name:ident = $value:expr),* $(,)? })*) => {
        $($(#[$doc])* pub static $set: $crate::syscall::flags::FlagSet = $crate::syscall::flags::FlagSet {
            unknown: $unknown,
            wide: $crate::syscall::flags::flag_sets!(@$size),
            fields: &[$($crate::syscall::flags::Field {
                mask: $mask,
                kind: $crate::syscall::flags::FieldKind::$kind,
                unknown: concat!($($none)?),
                values: &[$(($number, stringify!($choice))),*],
            }),*],
            values: &[$(($value, stringify!($name))),*],
        };)*
    };
    (@int) => { false };
    (@long) => { true };
}
use flag_sets;
