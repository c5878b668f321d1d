//! One system call's arguments, in the two parts in which strace prints them.

use super::escape::{write_bracketed, write_quoted};
use super::facts::{write_open_how, write_sockaddr, write_stat};
use super::memory::{Memory, Phase};
use super::special::{self, Form};
use super::text::{Hex, write_text};
use super::{Style, net, tables};
use crate::event::{Abi, Event, Flags, UNKNOWN_ADDRESS};
use crate::syscall::flags::{FlagSet, write_hex, write_mode, write_number, write_radix};
use crate::syscall::{self, Arg, Ret, Spec, Struct};

/// `AT_FDCWD`: the directory descriptor that stands for the cwd.
const AT_FDCWD: i32 = -100;

/// The kernel takes paths that are shorter than `PATH_MAX` with their NUL byte; longer ones are cut here by the
/// capture, and nothing shorter is.
pub(super) const LONGEST_PATH: usize = 4095;

/// Calls whose string is shown whole, as paths are: the target of a link, what is mounted, names of queues.
const PATHS: [&str; 3] = ["symlink", "mount", "mq_"];

/// Calls that fill a buffer with as many bytes as they return, its size being the next argument.
pub(super) const BUFFERS: [&str; 13] = [
    "read",
    "pread64",
    "recvfrom",
    "recv",
    "getxattr",
    "lgetxattr",
    "fgetxattr",
    "listxattr",
    "llistxattr",
    "flistxattr",
    "mq_timedreceive",
    "mq_timedreceive_time64",
    "lookup_dcookie",
];

/// Where a snapshot has the working directory, where a call was passed `AT_FDCWD`: no address of a program's.
const CWD: u64 = 0xffff_ffff_ffff_0000;

/// Keeps the working directory of the caller.
pub fn keep_cwd(kept: &mut Vec<u8>, cwd: &[u8]) {
    let cwd = &cwd[..cwd.len().min(LONGEST_PATH)];
    let live = |_: u64, buffer: &mut [u8]| {
        let count = cwd.len().min(buffer.len());
        buffer[..count].copy_from_slice(&cwd[..count]);
        count
    };
    super::Keeper { kept, now: Phase::Entry, live }.read(Phase::Entry, CWD, &mut [0; LONGEST_PATH]);
}

/// Appends `<file>`, in hexadecimal where all strings are.
pub fn write_file_name(out: &mut Vec<u8>, file: &[u8], hex: Hex) {
    if hex == Hex::All {
        let mut text = Vec::new();
        write_text(&mut text, file, hex, false);
        out.push(b'<');
        out.extend_from_slice(&text[1..text.len() - 1]);
        out.push(b'>');
    } else {
        write_bracketed(out, file);
    }
}

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
    /// Whatever the register has.
    Register,
}

/// A call being written.
pub struct Decoder<'a, 'm> {
    pub(super) event: &'a Event<'a>,
    pub(super) spec: &'static Spec,
    pub(super) style: &'a Style,
    pub(super) memory: &'m mut dyn Memory,
    /// Which memory is looked at.
    pub(super) phase: Phase,
}

/// A number that is not in the table, as strace prints it: `syscall_0x1ff(0x1, 0, 0, 0, 0, 0`.
pub fn write_unknown(out: &mut Vec<u8>, event: &Event<'_>) {
    for (index, &arg) in event.args.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        write_hex(out, word(event.abi, arg));
    }
}

/// The part of a register that a pointer of the ABI fills.
pub(super) fn word(abi: Abi, value: u64) -> u64 {
    match abi {
        Abi::X86_64 => value,
        Abi::I386 | Abi::X32 => value & 0xffff_ffff,
    }
}

impl<'a, 'm> Decoder<'a, 'm> {
    /// Of a call that the table knows.
    pub fn new(event: &'a Event<'a>, style: &'a Style, memory: &'m mut dyn Memory) -> Option<Self> {
        let spec = syscall::lookup(event.abi, event.nr)?;
        Some(Self { event, spec, style, memory, phase: Phase::Entry })
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
    }

    /// What the call returns.
    #[must_use]
    pub fn returned(&self) -> Returned<'a> {
        if self.style.raw {
            return Returned::Register;
        }
        match (special::ret_flags(self.event, self.spec), special::ret(self.event, self.spec)) {
            (Some(set), _) => Returned::Flags(set),
            (None, Ret::Fd) => Returned::Fd(self.returned_file().filter(|_| self.style.files)),
            (None, ret) => Returned::Value(ret),
        }
    }

    /// `0xffffff9c, 0x55638f47b004, 0x80000`
    fn write_registers(&self, out: &mut Vec<u8>) {
        let count = self.spec.args.iter().filter(|spec| spec.arg != Arg::Unused).count();
        for (index, &arg) in self.event.args.iter().take(count).enumerate() {
            if index > 0 {
                out.extend_from_slice(b", ");
            }
            write_hex(out, word(self.event.abi, arg));
        }
    }

    fn count(&self) -> usize {
        special::count(self.event, self.spec).min(self.spec.args.len())
    }

    /// The first argument that is printed when the call has returned.
    fn first_late(&self) -> usize {
        let count = self.count();
        (0..count).find(|&index| self.is_late(index)).unwrap_or(count)
    }

    fn is_late(&self, index: usize) -> bool {
        let kind = match special::form(self.event, self.spec, index) {
            Some(Form::As(kind)) => kind,
            Some(form) => return matches!(form, Form::IoctlOut(_) | Form::OwnLate(_)),
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
            if arg != Arg::Unused && !special::is_left_out(self.event, self.spec, index) {
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
    fn ordinal(&self, index: usize, is_kind: fn(Arg) -> bool) -> usize {
        self.spec.args[..index].iter().filter(|spec| is_kind(spec.arg)).count()
    }

    /// An argument as a number.
    pub(super) fn arg(&self, index: usize) -> u64 {
        self.event.args.get(index).copied().unwrap_or(0)
    }

    /// Writes an argument by the kind the table gives it.
    pub(super) fn write_arg(&mut self, out: &mut Vec<u8>, index: usize) {
        match special::form(self.event, self.spec, index) {
            Some(form) => self.write_form(out, form, index),
            None => self.write_kind(out, self.spec.args[index].arg, index),
        }
    }

    fn write_form(&mut self, out: &mut Vec<u8>, form: Form, index: usize) {
        match form {
            Form::Bits(set) => self.style.constants.bits(out, set, self.event.args[index]),
            Form::As(arg) => self.write_kind(out, arg, index),
            Form::Ioctl => special::write_ioctl(out, self.event.args[index] as u32, self.style.constants),
            Form::Named(names) => out.extend_from_slice(names.as_bytes()),
            Form::Quota => special::write_quota(out, self.event.args[index] as u32, self.style.constants),
            Form::IoctlIn(_) | Form::IoctlOut(_) | Form::Option if self.style.addresses => {
                self.write_address(out, self.arg(index));
            }
            Form::IoctlIn(what) => self.write_ioctl_argument(out, what, self.arg(index)),
            Form::IoctlOut(what) if self.succeeded() => self.write_ioctl_argument(out, what, self.arg(index)),
            Form::IoctlOut(_) => self.write_address(out, self.arg(index)),
            Form::Option => self.write_socket_option(out, index),
            Form::Own(write) | Form::OwnLate(write) => write(self, out, index),
        }
    }

    fn write_kind(&mut self, out: &mut Vec<u8>, kind: Arg, index: usize) {
        let value = self.event.args[index];
        let has_content = matches!(
            kind,
            Arg::Path | Arg::Str | Arg::StrArray | Arg::OutBuf | Arg::In(_) | Arg::Out(_) | Arg::InOut(_)
        );
        if value == UNKNOWN_ADDRESS && !has_content {
            out.extend_from_slice(b"...");
            return;
        }
        let is_hidden = match kind {
            // A string, and an array that may have no elements.
            Arg::In(layout) | Arg::Out(layout) | Arg::InOut(layout) => {
                !matches!(layout, Struct::ThreadName | Struct::EpollEvent)
            }
            _ => false,
        };
        if self.style.addresses && is_hidden {
            return self.write_address(out, value);
        }
        match kind {
            Arg::Int | Arg::Pid if self.is_process(kind, index) => self.write_pid(out, value as i32),
            Arg::Int | Arg::Pid => write_number(out, i64::from(value as i32)),
            Arg::Uid | Arg::Gid if value as u32 == u32::MAX => out.extend_from_slice(b"-1"),
            Arg::Id16 if value as u16 == u16::MAX => out.extend_from_slice(b"-1"),
            Arg::Id16 => write_radix(out, u64::from(value as u16), 10, 1),
            Arg::Uint | Arg::Uid | Arg::Gid => write_radix(out, u64::from(value as u32), 10, 1),
            Arg::Long | Arg::Offset => write_number(out, self.signed(value)),
            Arg::Size => write_radix(out, word(self.event.abi, value), 10, 1),
            Arg::Word => write_hex(out, word(self.event.abi, value)),
            Arg::OffsetLow | Arg::OffsetHigh => self.write_split(out, kind, index),
            Arg::PageOffset => write_hex(out, word(self.event.abi, value) << 12),
            Arg::Fd | Arg::DirFd => self.write_fd(out, index),
            Arg::Path => self.write_path(out, index),
            Arg::Str => self.write_string(out, index),
            Arg::StrArray => self.write_strings(out, index),
            Arg::Flags(set) => self.style.constants.bits(out, set, value),
            Arg::Enum(set) => self.style.constants.one(out, set, value),
            Arg::Mode if self.spec.name.starts_with("mknod") => {
                self.style.constants.file_mode(out, value as u32 & 0xffff);
            }
            Arg::Mode => write_mode(out, value & 0xffff),
            Arg::OutBuf => self.write_out_buffer(out, index),
            Arg::In(layout) | Arg::Out(layout) | Arg::InOut(layout) => self.write_struct(out, layout, index),
            Arg::Signal => self.style.constants.signal(out, value as u32),
            Arg::Dev => self.style.constants.device(out, u64::from(value as u32)),
            Arg::Buf => self.write_in_buffer(out, index),
            Arg::Addr | Arg::Unused => self.write_address(out, value),
        }
    }

    /// Whether an argument is the id of a process or thread, and not of a group.
    fn is_process(&self, kind: Arg, index: usize) -> bool {
        match (self.spec.name, index) {
            ("setpgid", 1) | ("perf_event_open", _) => false,
            // PRIO_PROCESS, IOPRIO_WHO_PROCESS.
            ("getpriority" | "setpriority", 1) => self.arg(0) as u32 == 0,
            ("ioprio_get" | "ioprio_set", 1) => self.arg(0) as u32 == 1,
            // P_PID.
            ("waitid", _) => self.arg(0) as u32 == 1,
            _ => kind == Arg::Pid,
        }
    }

    /// A `long` of the ABI.
    fn signed(&self, value: u64) -> i64 {
        if self.event.abi == Abi::I386 { i64::from(value as i32) } else { value as i64 }
    }

    fn write_split(&self, out: &mut Vec<u8>, kind: Arg, index: usize) {
        let next = self.event.args.get(index + 1).copied().unwrap_or(0) & 0xffff_ffff;
        let value = self.event.args[index] & 0xffff_ffff;
        let whole = if kind == Arg::OffsetLow { next << 32 | value } else { value << 32 | next };
        write_number(out, whole as i64);
    }

    fn write_fd(&mut self, out: &mut Vec<u8>, index: usize) {
        let fd = self.arg(index) as i32;
        if self.spec.args[index].arg == Arg::DirFd && fd == AT_FDCWD {
            let name = |out: &mut Vec<u8>| out.extend_from_slice(b"AT_FDCWD");
            self.style.constants.write(out, |out| write_number(out, i64::from(fd)), name);
            let base = self.base(self.ordinal(index, is_path));
            let mut cwd = [0; LONGEST_PATH];
            let kept = match base {
                None if self.style.files => self.memory.read(Phase::Entry, CWD, &mut cwd),
                _ => 0,
            };
            self.write_file(out, base.or(Some(&cwd[..kept]).filter(|cwd| !cwd.is_empty())));
        } else {
            let slot = self.ordinal(index, is_fd);
            let file = if fd < 0 || self.names_only_the_result() { None } else { self.slot(slot) };
            write_number(out, i64::from(fd));
            if !self.style.details.is_any() || !self.write_behind(out, fd) {
                self.write_file(out, file);
            }
        }
    }

    /// Whether the one file that is known is behind the descriptor returned, although one was passed: that
    /// of a directory that an absolute path does not need, and which may be closed (`openat(999, "/etc") = 3`).
    fn names_only_the_result(&self) -> bool {
        let event = self.event;
        self.spec.ret == Ret::Fd
            && self.succeeded()
            && event.file2.is_none()
            && self.spec.args.first().is_some_and(|first| first.arg == Arg::DirFd)
            && event.path.is_some_and(|path| path.starts_with(b"/"))
    }

    fn slot(&self, index: usize) -> Option<&'a [u8]> {
        match index {
            0 => self.event.file,
            1 => self.event.file2,
            _ => None,
        }
    }

    fn write_file(&self, out: &mut Vec<u8>, file: Option<&[u8]>) {
        if let Some(file) = file.filter(|_| self.style.files) {
            write_file_name(out, file, self.style.hex);
        }
    }

    /// The path with this number, as passed and made absolute, and whether it could not be read.
    fn path(&self, number: usize) -> (Option<&'a [u8]>, Option<&'a [u8]>, bool) {
        let event = self.event;
        match number {
            0 => (event.path, event.path_abs, event.flags.has(Flags::PATH_UNREADABLE)),
            1 => (event.path2, event.path2_abs, event.flags.has(Flags::PATH2_UNREADABLE)),
            _ => (None, None, false),
        }
    }

    /// The directory that the path with this number, being relative, was resolved from.
    fn base(&self, number: usize) -> Option<&'a [u8]> {
        let (path, absolute, _) = self.path(number);
        base(path?, absolute?)
    }

    fn write_path(&mut self, out: &mut Vec<u8>, index: usize) {
        let (path, _, is_unreadable) = self.path(self.ordinal(index, is_path));
        match path.filter(|_| !is_unreadable) {
            Some(path) => {
                let is_cut = self.event.flags.has(Flags::TRUNCATED) && path.len() >= LONGEST_PATH;
                self.write_text(out, path, is_cut);
            }
            None => self.write_address(out, self.arg(index)),
        }
    }

    /// A string that is no path: known where the capture keeps it as the event's text (link targets).
    fn write_string(&mut self, out: &mut Vec<u8>, index: usize) {
        let is_first = self.ordinal(index, is_string) == 0;
        match self.event.text.filter(|_| is_first && !special::returns_text(self.spec)) {
            Some(text) if PATHS.iter().any(|call| self.spec.name.starts_with(call)) => {
                self.write_text(out, text, false);
            }
            Some(text) => {
                let shown = &text[..text.len().min(self.style.strings)];
                self.write_text(out, shown, shown.len() < text.len());
            }
            None => self.write_c_string(out, self.arg(index)),
        }
    }

    fn write_strings(&mut self, out: &mut Vec<u8>, index: usize) {
        let address = self.arg(index);
        match self.event.argv.filter(|_| self.ordinal(index, is_string) == 0) {
            Some(argv) if !self.is_deep() => write_argv(out, argv, self.event.flags.has(Flags::TRUNCATED)),
            Some(_) if self.style.addresses => self.write_address(out, address),
            Some(_) => self.write_string_array(out, address, false),
            None if self.is_deep() && address != 0 && !self.style.addresses => {
                let is_counted = !(self.style.verbose && self.style.environment);
                self.write_string_array(out, address, is_counted);
            }
            None => self.write_address(out, address),
        }
    }

    /// A buffer whose length is the next argument.
    fn write_in_buffer(&mut self, out: &mut Vec<u8>, index: usize) {
        match self.spec.args.get(index + 1) {
            Some(next) if next.arg == Arg::Size => {
                let (address, length) = (self.arg(index), self.arg(index + 1));
                match self.netlink_of_call() {
                    Some(protocol) => self.write_netlink(out, protocol, address, length),
                    None => self.write_buffer(out, address, length),
                }
            }
            _ => self.write_address(out, self.arg(index)),
        }
    }

    fn write_out_buffer(&mut self, out: &mut Vec<u8>, index: usize) {
        let address = self.arg(index);
        if !self.succeeded() {
            return self.write_address(out, address);
        }
        if net::is_option_value(self.spec, index) {
            return self.write_socket_option(out, index);
        }
        if let Some(text) = self.event.text.filter(|_| special::returns_text(self.spec)) {
            // The C string of a cwd is whole, the target of a link as long as it fits.
            return self.write_limited(out, text);
        }
        let length = self.event.ret.unwrap_or(0).unsigned_abs();
        match self.spec.name {
            "getdents64" | "getdents" => self.write_directory(out, address, length),
            "getrandom" => self.write_buffer_as(out, address, length, Hex::All),
            // Without room for them the call tells how many there are.
            name if BUFFERS.contains(&name) && (self.arg(index + 1) != 0 || !name.contains("xattr")) => {
                match self.netlink_of_call() {
                    Some(protocol) => self.write_netlink(out, protocol, address, length),
                    None => self.write_buffer(out, address, length),
                }
            }
            _ => self.write_address(out, address),
        }
    }

    fn write_limited(&self, out: &mut Vec<u8>, text: &[u8]) {
        if self.spec.name == "getcwd" {
            return self.write_text(out, text, false);
        }
        let shown = &text[..text.len().min(self.style.strings)];
        write_text(out, shown, self.style.hex, shown.len() < text.len());
    }

    fn write_struct(&mut self, out: &mut Vec<u8>, layout: Struct, index: usize) {
        if self.is_deep() && tables::write(self, out, layout, index) {
            return;
        }
        let address = self.arg(index);
        match (layout, self.event.stat, self.event.peer) {
            (Struct::Stat | Struct::Stat64 | Struct::OldStat | Struct::Statx, Some(stat), _)
                if self.succeeded() =>
            {
                write_stat(out, layout, &stat);
            }
            (Struct::Sockaddr, _, Some(peer)) if !self.is_deep() => write_sockaddr(out, peer),
            (Struct::OpenHow, _, _)
                if !self.is_deep() && write_open_how(out, self.event, self.style.constants) => {}
            _ => self.write_address(out, address),
        }
    }

    /// `NULL` or `0x7ffd12345678`, `...` where it is not known.
    pub(super) fn write_address(&self, out: &mut Vec<u8>, address: u64) {
        if address == UNKNOWN_ADDRESS {
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

    /// The file behind the descriptor the call returned: the capture puts it where no descriptor
    /// argument has put its own. A duplicate is of the same file as the first argument.
    fn returned_file(&self) -> Option<&'a [u8]> {
        if special::duplicates(self.event, self.spec) {
            return self.event.file;
        }
        let fds = self.spec.args.iter().zip(&self.event.args).filter(|(spec, _)| is_fd(spec.arg));
        let mut taken = fds.map(|(_, &value)| !(value as i32).is_negative());
        match (taken.next(), taken.next()) {
            (None | Some(false), _) => self.event.file,
            _ if self.names_only_the_result() => self.event.file,
            (Some(true), None | Some(false)) => self.event.file2,
            (Some(true), Some(true)) => None,
        }
    }
}

fn is_fd(kind: Arg) -> bool {
    matches!(kind, Arg::Fd | Arg::DirFd)
}

fn is_path(kind: Arg) -> bool {
    kind == Arg::Path
}

fn is_string(kind: Arg) -> bool {
    matches!(kind, Arg::Str | Arg::StrArray)
}

/// What is left of an absolute path when the relative one it was made of is taken off its end.
/// `None`: the path was absolute itself, or does not fit.
fn base<'a>(path: &[u8], absolute: &'a [u8]) -> Option<&'a [u8]> {
    if path.is_empty() || path.starts_with(b"/") {
        return None;
    }
    let mut rest = absolute;
    for part in path.rsplit(|&byte| byte == b'/').filter(|part| !matches!(*part, b"" | b".")) {
        rest = rest.strip_suffix(part)?.strip_suffix(b"/")?;
    }
    Some(if rest.is_empty() { b"/" } else { rest })
}

/// `["python3", "-c", "pass"]`, from strings that each end with a NUL byte.
pub fn write_argv(out: &mut Vec<u8>, argv: &[u8], is_cut: bool) {
    out.push(b'[');
    let strings = argv.strip_suffix(b"\0").unwrap_or(argv);
    let mut is_first = true;
    for string in strings.split(|&byte| byte == 0).filter(|_| !argv.is_empty()) {
        if !is_first {
            out.extend_from_slice(b", ");
        }
        is_first = false;
        write_quoted(out, string);
    }
    out.extend_from_slice(if is_cut { b"...]" } else { b"]" });
}

#[cfg(test)]
mod tests {
    use super::base;

    #[test]
    fn base_of_a_relative_path() {
        let base = |path: &str, absolute: &'static str| {
            base(path.as_bytes(), absolute.as_bytes()).map(|base| std::str::from_utf8(base).expect("ASCII"))
        };
        assert_eq!(base("b/c", "/a/b/c"), Some("/a"));
        assert_eq!(base("./b//c/", "/a/b/c"), Some("/a"));
        assert_eq!(base(".", "/a"), Some("/a"));
        assert_eq!(base("a", "/a"), Some("/"));
        assert_eq!(base("../x", "/a/b/../x"), Some("/a/b"));
        assert_eq!(base("/x", "/x"), None);
        assert_eq!(base("x", "/a/yx"), None);
        assert_eq!(base("", "/a"), None);
    }
}
