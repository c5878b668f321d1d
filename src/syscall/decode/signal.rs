//! Signal sets, handlers, and what a signal says of itself.

use super::constants::Constants;
use super::escape::write_bracketed;
use super::memory::{Memory, Phase, Snapshot};
use super::{Decoder, Question};
use crate::syscall::flags::{SIGACTION, signal_name, write_hex, write_number, write_radix};

/// Bytes of `siginfo_t`.
const SIGINFO_SIZE: usize = 128;

/// Signals of the kernel.
const SIGNALS: u32 = 64;

/// Appends a `siginfo_t` to what is kept of an event, and the name of the process that has sent it: it is at no address.
pub fn keep_siginfo(kept: &mut Vec<u8>, info: &[u8], name: Option<&[u8]>) {
    let live = |_: u64, buffer: &mut [u8]| {
        let count = buffer.len().min(info.len());
        buffer[..count].copy_from_slice(&info[..count]);
        count
    };
    let mut buffer = [0; SIGINFO_SIZE];
    super::Keeper { kept, now: Phase::Entry, live }.read(Phase::Entry, 0, &mut buffer);
    if let Some(name) = name.filter(|name| !name.is_empty()) {
        let name = &name[..name.len().min(LONGEST_NAME)];
        let live = |_: u64, buffer: &mut [u8]| {
            buffer.copy_from_slice(name);
            name.len()
        };
        let mut buffer = vec![0; name.len()];
        super::Keeper { kept, now: Phase::Exit, live }.read(Phase::Exit, 0, &mut buffer);
    }
}

/// The longest name of a process.
const LONGEST_NAME: usize = 15;

/// Who has sent a signal, where its `siginfo_t` tells.
#[must_use]
pub fn sender(info: &[u8]) -> i32 {
    word(info, 16).cast_signed()
}

/// The same for the signal mask that `rt_sigreturn` puts back.
pub fn keep_returned_mask(kept: &mut Vec<u8>, mask: [u8; 8]) {
    let live = |_: u64, buffer: &mut [u8]| {
        buffer.copy_from_slice(&mask);
        mask.len()
    };
    super::Keeper { kept, now: Phase::Entry, live }.read(Phase::Entry, RETURNED_MASK, &mut [0; 8]);
}

/// Writes the `siginfo_t` that was kept of a signal; `false`: none was.
pub fn write_siginfo(out: &mut Vec<u8>, kept: &[u8], constants: Constants) -> bool {
    let mut info = [0; SIGINFO_SIZE];
    let is_kept = Snapshot(kept).read(Phase::Entry, 0, &mut info) == SIGINFO_SIZE;
    if is_kept {
        let mut name = [0; LONGEST_NAME];
        let length = Snapshot(kept).read(Phase::Exit, 0, &mut name);
        write_info(out, &info, true, constants, &name[..length]);
    }
    is_kept
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

fn long(bytes: &[u8], at: usize, is_64_bit: bool) -> u64 {
    if !is_64_bit {
        return u64::from(word(bytes, at));
    }
    u64::from(word(bytes, at)) | u64::from(word(bytes, at + 4)) << 32
}

/// `EINTR`, or the number of none.
fn write_errno(out: &mut Vec<u8>, errno: u32) {
    match syscalls::Errno::new(errno.cast_signed()).name() {
        Some(name) => out.extend_from_slice(name.as_bytes()),
        None => write_radix(out, u64::from(errno), 10, 1),
    }
}

fn write_named(out: &mut Vec<u8>, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(b", ");
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
    write(out);
}

/// `{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=12, ...}`, by the union's layouts in `siginfo_t(3type)`.
fn write_info(out: &mut Vec<u8>, info: &[u8], is_64_bit: bool, constants: Constants, name: &[u8]) {
    let (signal, errno, code) = (word(info, 0), word(info, 4), word(info, 8) as i32);
    if signal == 0 {
        return out.extend_from_slice(b"{}");
    }
    let fields = if is_64_bit { 16 } else { 12 };
    out.extend_from_slice(b"{si_signo=");
    constants.signal(out, signal);
    write_named(out, "si_code", |out| constants.si_code(out, signal, code));
    if errno != 0 {
        write_named(out, "si_errno", |out| write_errno(out, errno));
    }
    let pointer = if is_64_bit { 8 } else { 4 };
    match (code, signal) {
        // Sent by a program.
        (0 | -6 | -1 | -3 | -4 | -5 | -60, _) if signal != 0 => {
            write_sender(out, info, fields, name);
            if matches!(code, -1 | -3 | -4) {
                write_value(out, info, fields + 8, is_64_bit);
            }
        }
        (-2, _) => {
            write_named(out, "si_timerid", |out| write_hex(out, u64::from(word(info, fields))));
            let overrun = word(info, fields + 4);
            write_named(out, "si_overrun", |out| write_number(out, i64::from(overrun as i32)));
            write_value(out, info, fields + 8, is_64_bit);
        }
        (code, 17) if code > 0 && code != 0x80 => {
            write_sender(out, info, fields, name);
            write_child(out, info, fields, is_64_bit, constants);
        }
        (code, 4 | 5 | 7 | 8 | 11) if code > 0 && code != 0x80 => {
            let address = long(info, fields, is_64_bit);
            write_named(out, "si_addr", |out| write_pointer(out, address));
        }
        (0x80, 11) => write_named(out, "si_addr", |out| write_pointer(out, long(info, fields, is_64_bit))),
        (code, 29) if code > 0 => {
            write_named(out, "si_band", |out| write_hex(out, long(info, fields, is_64_bit)));
            let fd = word(info, fields + pointer);
            write_named(out, "si_fd", |out| write_number(out, i64::from(fd as i32)));
        }
        (1, 31) => write_refused(out, info, fields, is_64_bit),
        (0x80, _) => {}
        // Of a kind of the sender's own.
        _ => {
            write_sender(out, info, fields, name);
            write_value(out, info, fields + 8, is_64_bit);
        }
    }
    out.push(b'}');
}

fn write_pointer(out: &mut Vec<u8>, address: u64) {
    match address {
        0 => out.extend_from_slice(b"NULL"),
        address => write_hex(out, address),
    }
}

fn write_sender(out: &mut Vec<u8>, info: &[u8], at: usize, name: &[u8]) {
    write_named(out, "si_pid", |out| write_number(out, i64::from(word(info, at) as i32)));
    if !name.is_empty() {
        write_bracketed(out, name);
    }
    write_named(out, "si_uid", |out| match word(info, at + 4) {
        u32::MAX => out.extend_from_slice(b"-1"),
        uid => write_radix(out, u64::from(uid), 10, 1),
    });
}

fn write_value(out: &mut Vec<u8>, info: &[u8], at: usize, is_64_bit: bool) {
    let pointer = long(info, at, is_64_bit);
    if pointer == 0 {
        return;
    }
    write_named(out, "si_int", |out| write_number(out, i64::from(word(info, at) as i32)));
    write_named(out, "si_ptr", |out| write_hex(out, pointer));
}

fn write_child(out: &mut Vec<u8>, info: &[u8], at: usize, is_64_bit: bool, constants: Constants) {
    let status = word(info, at + 8);
    write_named(out, "si_status", |out| match word(info, 8) {
        1 => write_number(out, i64::from(status as i32)),
        _ => constants.signal(out, status),
    });
    // Aligned as a long.
    let (times, size) = if is_64_bit { (at + 16, 8) } else { (at + 12, 4) };
    write_named(out, "si_utime", |out| write_ticks(out, long(info, times, is_64_bit)));
    write_named(out, "si_stime", |out| write_ticks(out, long(info, times + size, is_64_bit)));
}

/// Clock ticks, a hundred a second: `12 /* 0.12 s */`.
fn write_ticks(out: &mut Vec<u8>, ticks: u64) {
    write_radix(out, ticks, 10, 1);
    if ticks != 0 {
        out.extend_from_slice(b" /* ");
        write_radix(out, ticks / 100, 10, 1);
        out.push(b'.');
        write_radix(out, ticks % 100, 10, 2);
        out.extend_from_slice(b" s */");
    }
}

fn write_refused(out: &mut Vec<u8>, info: &[u8], at: usize, is_64_bit: bool) {
    let pointer = if is_64_bit { 8 } else { 4 };
    write_named(out, "si_call_addr", |out| write_pointer(out, long(info, at, is_64_bit)));
    let (number, arch) = (word(info, at + pointer), word(info, at + pointer + 4));
    let (abi, name) = match arch {
        0xc000_003e => (crate::event::Abi::X86_64, "AUDIT_ARCH_X86_64"),
        _ => (crate::event::Abi::I386, "AUDIT_ARCH_I386"),
    };
    write_named(out, "si_syscall", |out| match crate::syscall::lookup(abi, number) {
        Some(spec) => {
            out.extend_from_slice(b"__NR_");
            out.extend_from_slice(spec.name.as_bytes());
        }
        None => write_hex(out, u64::from(number)),
    });
    write_named(out, "si_arch", |out| out.extend_from_slice(name.as_bytes()));
}

/// `[INT CHLD]`, or `~[KILL STOP]` where most signals are in the set.
fn write_set(out: &mut Vec<u8>, set: u64, constants: Constants) {
    let is_most = set.count_ones() >= SIGNALS * 2 / 3;
    let shown = if is_most { !set } else { set };
    out.extend_from_slice(if is_most { b"~[" } else { b"[" });
    let mut is_first = true;
    for signal in (1..=SIGNALS).filter(|signal| shown >> (signal - 1) & 1 != 0) {
        if !is_first {
            out.push(b' ');
        }
        is_first = false;
        let name = |out: &mut Vec<u8>| match signal_name(signal) {
            Some(name) => out.extend_from_slice(&name.as_bytes()[3..]),
            None if signal == 32 => out.extend_from_slice(b"RTMIN"),
            None => {
                out.extend_from_slice(b"RT_");
                write_radix(out, u64::from(signal - 32), 10, 1);
            }
        };
        constants.write(out, |out| write_radix(out, u64::from(signal), 10, 1), name);
    }
    out.push(b']');
}

fn set_of(bytes: &[u8]) -> u64 {
    long(bytes, 0, true)
}

/// Where a snapshot has the signal mask that `rt_sigreturn` puts back: it lies on the stack, to which no argument points.
const RETURNED_MASK: u64 = 0;

impl Decoder<'_, '_> {
    /// `{mask=[CHLD]}`
    pub(super) fn write_returned_mask(&mut self, out: &mut Vec<u8>) {
        let mut mask = [0; 8];
        if self.memory.read(Phase::Entry, RETURNED_MASK, &mut mask) == mask.len() {
            out.extend_from_slice(b"{mask=");
            write_set(out, u64::from_le_bytes(mask), self.style.constants);
            out.push(b'}');
        }
    }

    /// A signal set of so many bytes.
    pub(super) fn write_signal_set(&mut self, out: &mut Vec<u8>, address: u64, size: u64) {
        let mut bytes = [0; 8];
        // None is shorter than a word.
        let size = match size {
            4 if self.word_size() == 4 => 4,
            8 => 8,
            _ => return self.write_address(out, address),
        };
        if address == 0 || self.memory.read(self.phase, address, &mut bytes[..size]) < size {
            return self.write_address(out, address);
        }
        if size == 4 && bytes[..4] == [0xff; 4] {
            return out.extend_from_slice(b"~[]");
        }
        write_set(out, set_of(&bytes), self.style.constants);
    }

    /// `{sa_handler=SIG_IGN, sa_mask=[], sa_flags=SA_RESTORER, sa_restorer=0x7f..}`: handler, flags, restorer and mask,
    /// a word each but the mask, which i386 has in 32 bits in its old form (`asm/signal.h`).
    pub(super) fn write_sigaction(&mut self, out: &mut Vec<u8>, address: u64) {
        const RESTORER: u64 = 0x0400_0000;
        let is_64_bit = self.word_size() == 8;
        let is_old = self.spec.name == "sigaction";
        let word = self.word_size();
        let size = if is_old { 16 } else { 3 * word + 8 };
        let mut bytes = [0; 32];
        if address == 0 || self.memory.read(self.phase, address, &mut bytes[..size]) < size {
            return self.write_address(out, address);
        }
        let (flags_at, restorer_at, mask_at) = if is_old { (8, 12, 4) } else { (word, 2 * word, 3 * word) };
        let flags = long(&bytes, flags_at, is_64_bit);
        out.extend_from_slice(b"{sa_handler=");
        let handler = long(&bytes, 0, is_64_bit);
        let none = if is_64_bit { u64::MAX } else { u64::from(u32::MAX) };
        let name = |out: &mut Vec<u8>| match handler {
            0 => out.extend_from_slice(b"SIG_DFL"),
            1 => out.extend_from_slice(b"SIG_IGN"),
            handler if handler == none => out.extend_from_slice(b"SIG_ERR"),
            handler => write_hex(out, handler),
        };
        self.style.constants.write(out, |out| write_hex(out, handler), name);
        out.extend_from_slice(b", sa_mask=");
        let mask = if is_old { u64::from(self::word(&bytes, mask_at)) } else { set_of(&bytes[mask_at..]) };
        write_set(out, mask, self.style.constants);
        out.extend_from_slice(b", sa_flags=");
        self.style.constants.bits(out, &SIGACTION, flags);
        if flags & RESTORER != 0 {
            out.extend_from_slice(b", sa_restorer=");
            self.write_address(out, long(&bytes, restorer_at, is_64_bit));
        }
        out.push(b'}');
    }

    /// A `siginfo_t` in memory.
    pub(super) fn write_siginfo_at(&mut self, out: &mut Vec<u8>, address: u64) {
        let mut info = [0; SIGINFO_SIZE];
        if address == 0 || self.memory.read(self.phase, address, &mut info) < SIGINFO_SIZE {
            return self.write_address(out, address);
        }
        let is_64_bit = self.word_size() == 8;
        let pid = word(&info, if is_64_bit { 16 } else { 12 }).cast_signed();
        let name = if self.style.names && pid > 0 { self.ask(Question::Name(pid)) } else { None };
        write_info(out, &info, is_64_bit, self.style.constants, &name.unwrap_or_default());
    }
}
