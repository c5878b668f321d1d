//! Signal sets, handlers, and what a signal says of itself.

use super::constants::Constants;
use super::escape::write_printable;
use super::memory::{Memory, Phase, Snapshot};
use super::time::write_ticks;
use super::{Decoder, IdKind};
use crate::event::Abi;
use crate::syscall::flags::{AUDIT_ARCH, SIGACTION, signal_name, write_hex, write_number, write_radix};

/// Bytes of `siginfo_t`.
const SIGINFO_SIZE: usize = 128;

/// Signals of the kernel.
const SIGNALS: u32 = 64;

/// Appends a `siginfo_t` to what is kept of an event, and what is told of the process that has sent it: it is at no address.
pub fn keep_siginfo(kept: &mut Vec<u8>, info: &[u8], about: Option<&[u8]>) {
    let live = |_: u64, buffer: &mut [u8]| {
        let count = buffer.len().min(info.len());
        buffer[..count].copy_from_slice(&info[..count]);
        count
    };
    let mut buffer = [0; SIGINFO_SIZE];
    super::Keeper { kept, now: Phase::Entry, live }.read(Phase::Entry, 0, &mut buffer);
    if let Some(about) = about.filter(|about| !about.is_empty()) {
        let about = &about[..about.len().min(MOST_ABOUT)];
        let live = |_: u64, buffer: &mut [u8]| {
            buffer.copy_from_slice(about);
            about.len()
        };
        let mut buffer = vec![0; about.len()];
        super::Keeper { kept, now: Phase::Exit, live }.read(Phase::Exit, 0, &mut buffer);
    }
}

/// The most bytes of what is told of a process.
const MOST_ABOUT: usize = 100;

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
        let mut about = [0; MOST_ABOUT];
        let length = Snapshot(kept).read(Phase::Exit, 0, &mut about);
        let beside = Beside { process: about[..length].to_vec(), ..Beside::default() };
        write_info(out, &info, true, constants, &beside);
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
fn write_errno(out: &mut Vec<u8>, errno: u32, constants: Constants) {
    let number = |out: &mut Vec<u8>| write_radix(out, u64::from(errno), 10, 1);
    match syscalls::Errno::new(errno.cast_signed()).name() {
        Some(name) => constants.write(out, number, |out| out.extend_from_slice(name.as_bytes())),
        None => number(out),
    }
}

fn write_named(out: &mut Vec<u8>, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(b", ");
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
    write(out);
}

/// What is told beside the numbers of a signal's information, where that is asked for.
#[derive(Default)]
struct Beside {
    /// Behind the process that sent it.
    process: Vec<u8>,
    /// Behind the descriptor that it is about.
    file: Vec<u8>,
}

/// `{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=12, ...}`, by the union's layouts in `siginfo_t(3type)`.
fn write_info(out: &mut Vec<u8>, info: &[u8], is_64_bit: bool, constants: Constants, beside: &Beside) {
    let (signal, errno, code) = (word(info, 0), word(info, 4), word(info, 8) as i32);
    if signal == 0 {
        return out.extend_from_slice(b"{}");
    }
    let fields = if is_64_bit { 16 } else { 12 };
    out.extend_from_slice(b"{si_signo=");
    constants.signal(out, signal);
    write_named(out, "si_code", |out| constants.si_code(out, signal, code));
    if errno != 0 {
        write_named(out, "si_errno", |out| write_errno(out, errno, constants));
    }
    let has_value = long(info, fields + 8, is_64_bit) != 0;
    match (code, signal) {
        // Sent by a program.
        (0 | -6, _) => write_sender(out, info, fields, &beside.process),
        (-2, _) => {
            write_named(out, "si_timerid", |out| write_hex(out, u64::from(word(info, fields))));
            let overrun = word(info, fields + 4);
            write_named(out, "si_overrun", |out| write_number(out, i64::from(overrun as i32)));
            write_value(out, info, fields + 8, is_64_bit);
        }
        (-5, _) => write_band(out, info, fields, is_64_bit, &beside.file),
        (..=-1, _) => {
            write_sender(out, info, fields, &beside.process);
            if has_value {
                write_value(out, info, fields + 8, is_64_bit);
            }
        }
        // Sent by the kernel.
        (_, 17) => {
            write_sender(out, info, fields, &beside.process);
            write_child(out, info, fields, is_64_bit, constants);
        }
        (code, 4 | 5 | 7 | 8 | 11) => write_fault(out, info, (signal, code), fields, is_64_bit),
        (1..=6, 29) => write_band(out, info, fields, is_64_bit, &beside.file),
        (_, 29) => {}
        (_, 31) => write_refused(out, info, fields, is_64_bit, constants),
        _ => {
            if word(info, fields) != 0 || word(info, fields + 4) != 0 {
                write_sender(out, info, fields, &beside.process);
            }
            if has_value {
                write_value(out, info, fields + 8, is_64_bit);
            }
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

fn write_sender(out: &mut Vec<u8>, info: &[u8], at: usize, about: &[u8]) {
    write_named(out, "si_pid", |out| write_number(out, i64::from(word(info, at) as i32)));
    write_printable(out, about);
    write_named(out, "si_uid", |out| match word(info, at + 4) {
        u32::MAX => out.extend_from_slice(b"-1"),
        uid => write_radix(out, u64::from(uid), 10, 1),
    });
}

fn write_value(out: &mut Vec<u8>, info: &[u8], at: usize, is_64_bit: bool) {
    write_named(out, "si_int", |out| write_number(out, i64::from(word(info, at) as i32)));
    write_named(out, "si_ptr", |out| write_pointer(out, long(info, at, is_64_bit)));
}

/// What happened to which descriptor.
fn write_band(out: &mut Vec<u8>, info: &[u8], at: usize, is_64_bit: bool, file: &[u8]) {
    let band = long(info, at, is_64_bit);
    let band = if is_64_bit { band.cast_signed() } else { i64::from(band as i32) };
    write_named(out, "si_band", |out| write_number(out, band));
    write_named(out, "si_fd", |out| write_number(out, i64::from(band_file(info, at, is_64_bit))));
    out.extend_from_slice(file);
}

fn band_file(info: &[u8], at: usize, is_64_bit: bool) -> i32 {
    word(info, at + if is_64_bit { 8 } else { 4 }).cast_signed()
}

/// Where a program has failed, and why.
fn write_fault(out: &mut Vec<u8>, info: &[u8], (signal, code): (u32, i32), at: usize, is_64_bit: bool) {
    let pointer = if is_64_bit { 8 } else { 4 };
    let address = |at: usize| long(info, at, is_64_bit);
    write_named(out, "si_addr", |out| write_pointer(out, address(at)));
    let behind = at + pointer;
    match (signal, code) {
        // BUS_MCEERR_AR, BUS_MCEERR_AO.
        (7, 4 | 5) => {
            write_named(out, "si_addr_lsb", |out| write_hex(out, u64::from(word(info, behind) & 0xffff)));
        }
        // SEGV_BNDERR, SEGV_PKUERR.
        (11, 3) => {
            write_named(out, "si_lower", |out| write_pointer(out, address(behind + pointer)));
            write_named(out, "si_upper", |out| write_pointer(out, address(behind + 2 * pointer)));
        }
        (11, 4) => {
            write_named(out, "si_pkey", |out| write_radix(out, word(info, behind + pointer).into(), 10, 1));
        }
        _ => {}
    }
}

fn write_child(out: &mut Vec<u8>, info: &[u8], at: usize, is_64_bit: bool, constants: Constants) {
    let status = word(info, at + 8);
    write_named(out, "si_status", |out| match word(info, 8) {
        1 => write_number(out, i64::from(status as i32)),
        _ => constants.signal(out, status),
    });
    // Aligned as a long.
    let (times, size) = if is_64_bit { (at + 16, 8) } else { (at + 12, 4) };
    write_named(out, "si_utime", |out| write_ticks(out, long(info, times, is_64_bit), constants));
    write_named(out, "si_stime", |out| write_ticks(out, long(info, times + size, is_64_bit), constants));
}

fn write_refused(out: &mut Vec<u8>, info: &[u8], at: usize, is_64_bit: bool, constants: Constants) {
    let pointer = if is_64_bit { 8 } else { 4 };
    write_named(out, "si_call_addr", |out| write_pointer(out, long(info, at, is_64_bit)));
    let (number, arch) = (word(info, at + pointer), word(info, at + pointer + 4));
    let abi = match arch {
        0xc000_003e => Some(Abi::X86_64),
        0x4000_0003 => Some(Abi::I386),
        _ => None,
    };
    let spec = abi.and_then(|abi| crate::syscall::lookup(abi, number));
    let write_number = |out: &mut Vec<u8>| write_radix(out, u64::from(number), 10, 1);
    write_named(out, "si_syscall", |out| match spec {
        Some(spec) => constants.write(out, write_number, |out| {
            out.extend_from_slice(b"__NR_");
            out.extend_from_slice(spec.name.as_bytes());
        }),
        None => write_number(out),
    });
    write_named(out, "si_arch", |out| constants.one(out, &AUDIT_ARCH, u64::from(arch)));
}

/// `[INT CHLD]`, or `~[KILL STOP]` where most signals are in the set.
fn write_set(out: &mut Vec<u8>, set: u64, constants: Constants) {
    write_set_of(out, set, SIGNALS, constants);
}

/// A set of the first Linux, which has half as many.
pub(super) fn write_old_set(out: &mut Vec<u8>, set: u32, constants: Constants) {
    write_set_of(out, u64::from(set), SIGNALS / 2, constants);
}

fn write_set_of(out: &mut Vec<u8>, set: u64, signals: u32, constants: Constants) {
    let is_most = set.count_ones() >= signals * 2 / 3;
    let shown = if is_most { !set } else { set };
    out.extend_from_slice(if is_most { b"~[" } else { b"[" });
    let mut is_first = true;
    for signal in (1..=signals).filter(|signal| shown >> (signal - 1) & 1 != 0) {
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

/// The name of a handler that is none, in programs of 64 (0) or 32 bits.
pub(super) fn handler_name(handler: u64, half: usize) -> Option<&'static str> {
    let error = if half == 0 { u64::MAX } else { u64::from(u32::MAX) };
    match handler {
        0 => Some("SIG_DFL"),
        1 => Some("SIG_IGN"),
        handler if handler == error => Some("SIG_ERR"),
        _ => None,
    }
}

/// Its name, or its address.
pub(super) fn write_handler(out: &mut Vec<u8>, handler: u64, half: usize, constants: Constants) {
    let number = |out: &mut Vec<u8>| write_hex(out, handler);
    match handler_name(handler, half) {
        Some(name) => constants.write(out, number, |out| out.extend_from_slice(name.as_bytes())),
        None => number(out),
    }
}

fn set_of(bytes: &[u8]) -> u64 {
    long(bytes, 0, true)
}

/// Bytes of a mask as strace has it in its own structure.
const MASK_OF_STRACE: usize = 64;
const PAGE: u64 = 4096;

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
            4..=7 if self.word_size() == 4 => size as usize,
            // The kernel tells as much of it as is asked for.
            1..=7 if self.spec.name == "rt_sigpending" => size as usize,
            8 => 8,
            _ => return self.write_address(out, address),
        };
        if address == 0 || self.memory.read(self.phase, address, &mut bytes[..size]) < size {
            return self.write_address(out, address);
        }
        if size == 4 && self.word_size() == 4 {
            return write_old_set(out, word(&bytes, 0), self.style.constants);
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
        // strace reads as many more signals as there might be; that cannot fail but at the end of a page.
        let whole = if is_old { size } else { 3 * word + MASK_OF_STRACE };
        let is_split = address % PAGE + whole as u64 > PAGE;
        let last = address.wrapping_add(whole as u64 - 1);
        if is_split && self.memory.read(self.phase, last, &mut [0]) == 0 {
            return self.write_address(out, address);
        }
        let (flags_at, restorer_at, mask_at) = if is_old { (8, 12, 4) } else { (word, 2 * word, 3 * word) };
        let flags = long(&bytes, flags_at, is_64_bit);
        out.extend_from_slice(b"{sa_handler=");
        write_handler(out, long(&bytes, 0, is_64_bit), self.half(), self.style.constants);
        out.extend_from_slice(b", sa_mask=");
        if is_old {
            write_old_set(out, self::word(&bytes, mask_at), self.style.constants);
        } else {
            write_set(out, set_of(&bytes[mask_at..]), self.style.constants);
        }
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
        let fields = if is_64_bit { 16 } else { 12 };
        let mut beside = Beside::default();
        self.write_about(&mut beside.process, IdKind::Process, word(&info, fields).cast_signed());
        let fd = band_file(&info, fields, is_64_bit);
        self.write_descriptor(&mut beside.file, fd);
        beside.file.drain(..fd.to_string().len().min(beside.file.len()));
        write_info(out, &info, is_64_bit, self.style.constants, &beside);
    }
}
