//! Named constants as names, as numbers, or as both (`-X abbrev`, `raw`, `verbose`).

use super::{facts, layout};
use crate::syscall::flags::{
    Field, FieldKind, FlagSet, write_hex, write_mode, write_number, write_radix, write_si_code, write_signal,
};

/// How named constants and sets of bits are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Constants {
    /// By their names.
    #[default]
    Names,
    /// As the numbers they are.
    Numbers,
    /// As numbers, with the names in a comment.
    Both,
}

impl Constants {
    /// As strace shows what no public header names: the number with the name, unless numbers are asked for.
    pub(super) fn with_numbers(self) -> Self {
        match self {
            Self::Numbers => Self::Numbers,
            Self::Names | Self::Both => Self::Both,
        }
    }

    /// Writes a value whose number and whose name are written by these.
    pub fn write(
        self,
        out: &mut Vec<u8>,
        number: impl FnOnce(&mut Vec<u8>),
        name: impl FnOnce(&mut Vec<u8>),
    ) {
        let start = out.len();
        match self {
            Self::Names => return name(out),
            Self::Numbers => return number(out),
            Self::Both => number(out),
        }
        let mut named = Vec::new();
        name(&mut named);
        if named.starts_with(&out[start..]) {
            // It has no name, or says by itself which names it has not.
            out.truncate(start);
            out.extend_from_slice(&named);
        } else {
            write_comment(out, &named);
        }
    }

    /// A value as a set of bits.
    pub fn bits(self, out: &mut Vec<u8>, set: &FlagSet, value: u64) {
        if self != Self::Names
            && let Some(field) = set.fields.iter().find(|field| field.kind == FieldKind::Absent)
        {
            return self.synchronized(out, set, field, set.number(value));
        }
        if self != Self::Names && set.fields.iter().any(|field| is_part(field.kind)) {
            return self.parts(out, set, set.number(value));
        }
        let is_apart = |kind| kind == FieldKind::Signal;
        let signal = set.fields.iter().find(|field| is_apart(field.kind));
        if let (Some((field, class)), rest) = set.parts(value) {
            self.write(out, |out| write_hex(out, class), |out| set.write_class(out, field, class));
            if rest != 0 {
                out.push(b'|');
                self.write(out, |out| write_hex(out, rest), |out| set.write_plain(out, rest, false));
            }
            return;
        }
        let Some(field) = signal.filter(|_| self != Self::Names) else {
            let number = set.number(value);
            return self.write(out, |out| write_hex(out, number), |out| set.write_bits(out, value));
        };
        // The signal at the end of the flags of clone stands for itself.
        let (signal, rest) = (set.number(value) & field.mask, set.number(value) & !field.mask);
        if rest != 0 || signal == 0 {
            self.write(out, |out| write_hex(out, rest), |out| set.write_bits(out, rest));
        }
        if signal != 0 {
            if rest != 0 {
                out.push(b'|');
            }
            self.signal(out, signal as u32);
        }
    }

    /// A value of parts that each stand for themselves: bits, what is shifted, permissions or an operation.
    fn parts(self, out: &mut Vec<u8>, set: &FlagSet, value: u64) {
        let fields =
            || set.fields.iter().filter(|field| is_part(field.kind) || field.kind == FieldKind::Shifted);
        let bits = value & !fields().fold(0, |mask, field| mask | field.mask);
        let is_named = set.values.iter().any(|(known, _)| *known != 0 && bits & known == *known);
        if bits != 0 && (is_named || self == Self::Numbers) {
            self.write(out, |out| write_hex(out, bits), |out| write_names(out, set, bits));
        } else if bits != 0 {
            write_hex(out, bits);
        }
        let mut is_first = bits == 0;
        for field in fields() {
            let part = value & field.mask;
            if part == 0 && field.kind == FieldKind::Shifted {
                continue;
            }
            let is_joined = field.kind == FieldKind::JoinedOctal && !is_named && self == Self::Both;
            if !is_first && !is_joined {
                out.push(b'|');
            }
            is_first = false;
            match field.kind {
                FieldKind::Shifted => self.shifted(out, field, part),
                FieldKind::LastChoice => self.one(out, set, part),
                _ => write_mode(out, part),
            }
        }
    }

    /// Flags of statx: how far files are to be synchronized, and all others. As a number strace leaves the first out
    /// where it is 0.
    fn synchronized(self, out: &mut Vec<u8>, set: &FlagSet, field: &Field, value: u64) {
        let (first, others) = (value & field.mask, value & !field.mask);
        if first != 0 || self == Self::Both {
            self.write(out, |out| write_hex(out, first), |out| set.write_bits(out, first));
        }
        if others != 0 {
            out.push(b'|');
            let name = |out: &mut Vec<u8>| {
                let start = out.len();
                set.write_bits(out, others);
                // Nothing is said of how files are to be synchronized here.
                if let Some(behind) = out[start..].iter().position(|&byte| byte == b'|') {
                    out.drain(start..=start + behind);
                }
            };
            self.write(out, |out| write_hex(out, others), name);
        }
    }

    /// `21<<26 /* SHM_HUGE_SHIFT */`
    fn shifted(self, out: &mut Vec<u8>, field: &Field, part: u64) {
        let (shift, name) = field.values.first().copied().unwrap_or((0, ""));
        write_radix(out, part >> shift, 10, 1);
        out.extend_from_slice(b"<<");
        let number = |out: &mut Vec<u8>| write_radix(out, shift, 10, 1);
        self.write(out, number, |out| out.extend_from_slice(name.as_bytes()));
    }

    /// A value that is one of several.
    pub fn one(self, out: &mut Vec<u8>, set: &FlagSet, value: u64) {
        let number = set.number(value);
        self.write(out, |out| write_hex(out, number), |out| set.write_one(out, value));
    }

    /// The number of a signal.
    pub fn signal(self, out: &mut Vec<u8>, signal: u32) {
        self.write(
            out,
            |out| write_number(out, i64::from(signal.cast_signed())),
            |out| write_signal(out, signal),
        );
    }

    /// Why a signal was sent.
    pub fn si_code(self, out: &mut Vec<u8>, signal: u32, code: i32) {
        let number = u64::from(code as u32);
        self.write(out, |out| write_hex(out, number), |out| write_si_code(out, signal, code));
    }

    /// The number of a device.
    pub fn device(self, out: &mut Vec<u8>, device: u64) {
        self.write(out, |out| write_hex(out, device), |out| layout::write_device(out, device));
    }

    /// A limit: `8192*1024`, or this name where there is none.
    pub fn limit(self, out: &mut Vec<u8>, limit: u64, infinity: Option<&str>) {
        let name = |out: &mut Vec<u8>| match infinity {
            Some(name) => out.extend_from_slice(name.as_bytes()),
            None if limit > 1024 && limit.is_multiple_of(1024) => {
                write_radix(out, limit / 1024, 10, 1);
                out.extend_from_slice(b"*1024");
            }
            None => write_radix(out, limit, 10, 1),
        };
        self.write(out, |out| write_radix(out, limit, 10, 1), name);
    }

    /// A mode with its file type.
    pub fn file_mode(self, out: &mut Vec<u8>, mode: u32) {
        let has_type = mode > 0o7777;
        let number = |out: &mut Vec<u8>| {
            if has_type {
                out.push(b'0');
                write_radix(out, u64::from(mode), 8, 1);
            } else {
                write_mode(out, u64::from(mode));
            }
        };
        if self == Self::Both && mode & FILE_TYPE == 0 {
            // One without a type is told twice.
            number(out);
            let mut named = Vec::new();
            facts::write_file_mode(&mut named, mode);
            return write_comment(out, &named);
        }
        self.write(out, number, |out| facts::write_file_mode(out, mode));
    }
}

/// `S_IFMT`.
const FILE_TYPE: u32 = 0o170_000;

/// The bits of a set by their names, and what is left of them.
fn write_names(out: &mut Vec<u8>, set: &FlagSet, bits: u64) {
    let mut rest = bits;
    for &(known, name) in set.values {
        if known != 0 && rest & known == known {
            out.extend_from_slice(name.as_bytes());
            out.push(b'|');
            rest &= !known;
        }
    }
    if rest == 0 {
        out.pop();
    } else {
        write_hex(out, rest);
    }
}

/// Whether a value with such a field is several that stand side by side.
fn is_part(kind: FieldKind) -> bool {
    matches!(kind, FieldKind::Octal | FieldKind::JoinedOctal | FieldKind::LastChoice)
}

fn write_comment(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(b" /* ");
    out.extend_from_slice(text);
    out.extend_from_slice(b" */");
}
