//! Named constants as names, as numbers, or as both (`-X abbrev`, `raw`, `verbose`).

use super::{facts, layout};
use crate::syscall::flags::{
    FieldKind, FlagSet, write_hex, write_mode, write_number, write_radix, write_si_code, write_signal,
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
        let is_apart = |kind| matches!(kind, FieldKind::Signal | FieldKind::Octal | FieldKind::JoinedOctal);
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
        // The signal at the end of the flags of clone stands for itself, and so do permissions.
        let (signal, rest) = (set.number(value) & field.mask, set.number(value) & !field.mask);
        if rest != 0 || signal == 0 {
            let name = |out: &mut Vec<u8>| {
                set.write_bits(out, rest);
                if out.ends_with(NO_PERMISSIONS) {
                    out.truncate(out.len() - NO_PERMISSIONS.len());
                }
            };
            self.write(out, |out| write_hex(out, rest), name);
        }
        if signal != 0 {
            if rest != 0 {
                out.push(b'|');
            }
            match field.kind {
                FieldKind::Signal => self.signal(out, signal as u32),
                _ => write_mode(out, signal),
            }
        }
    }

    /// A value that is one of several.
    pub fn one(self, out: &mut Vec<u8>, set: &FlagSet, value: u64) {
        let number = set.number(value);
        self.write(out, |out| write_hex(out, number), |out| set.write_one(out, value));
    }

    /// The number of a signal.
    pub fn signal(self, out: &mut Vec<u8>, signal: u32) {
        self.write(out, |out| write_number(out, i64::from(signal)), |out| write_signal(out, signal));
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
        self.write(out, number, |out| facts::write_file_mode(out, mode));
    }
}

/// What stands behind flags that have permissions, where there are none.
const NO_PERMISSIONS: &[u8] = b"|000";

fn write_comment(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(b" /* ");
    out.extend_from_slice(text);
    out.extend_from_slice(b" */");
}
