//! One system call: name, arguments, and what came back.

use super::Options;
use super::escape::{write_bracketed, write_quoted};
use super::result::{self, Returned};
use super::special::{self, Form};
use super::structs::{write_file_mode, write_open_how, write_sockaddr, write_stat};
use crate::event::{Abi, Event, Flags, UNKNOWN_ADDRESS};
use crate::syscall::flags::{write_hex, write_number, write_radix, write_signal};
use crate::syscall::{self, Arg, Ret, Spec, Struct};

/// `AT_FDCWD`: the directory descriptor that stands for the cwd.
const AT_FDCWD: i32 = -100;

/// The kernel takes paths that are shorter than `PATH_MAX` with their NUL byte; longer ones are cut here by the
/// capture, and nothing shorter is.
const LONGEST_PATH: usize = 4095;

/// `openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = 3</etc/passwd> <0.000010>`
pub(super) fn write(out: &mut Vec<u8>, event: &Event<'_>, options: &Options) {
    let Some(spec) = syscall::lookup(event.abi, event.nr) else {
        write_unknown(out, event);
        result::write(out, event, Returned::Value(Ret::Int), options);
        return;
    };
    let mut call = Call { event, spec, options, paths: 0, fds: 0, strings: 0 };
    if event.flags.has(Flags::NO_ENTRY) {
        out.extend_from_slice(b"<... ");
        out.extend_from_slice(spec.name.as_bytes());
        out.extend_from_slice(b" resumed>");
    } else {
        out.extend_from_slice(spec.name.as_bytes());
        out.push(b'(');
        call.write_args(out);
    }
    out.push(b')');
    let returned = match (special::ret_flags(event, spec), special::ret(event, spec)) {
        (Some(set), _) => Returned::Flags(set),
        (None, Ret::Fd) => Returned::Fd(call.returned_file().filter(|_| options.files)),
        (None, ret) => Returned::Value(ret),
    };
    result::write(out, event, returned, options);
}

/// A number that is not in the table, as strace prints it: `syscall_0x1ff(0x1, 0, 0, 0, 0, 0)`.
fn write_unknown(out: &mut Vec<u8>, event: &Event<'_>) {
    out.extend_from_slice(b"syscall_");
    write_hex(out, u64::from(event.nr));
    for (index, &arg) in event.args.iter().enumerate() {
        out.extend_from_slice(if index == 0 { b"(" } else { b", " });
        write_hex(out, word(event.abi, arg));
    }
    out.push(b')');
}

/// The part of a register that a pointer of the ABI fills.
pub(super) fn word(abi: Abi, value: u64) -> u64 {
    match abi {
        Abi::X86_64 => value,
        Abi::I386 | Abi::X32 => value & 0xffff_ffff,
    }
}

/// A call being written: how many of each kind of argument have been met so far.
pub(super) struct Call<'a> {
    pub(super) event: &'a Event<'a>,
    pub(super) spec: &'a Spec,
    options: &'a Options,
    paths: usize,
    fds: usize,
    strings: usize,
}

impl<'a> Call<'a> {
    fn write_args(&mut self, out: &mut Vec<u8>) {
        if special::write_args(self, out) {
            return;
        }
        let count = special::count(self.event, self.spec);
        let (mut index, mut is_first) = (0, true);
        while index < count.min(self.spec.args.len()) {
            let arg = self.spec.args[index].arg;
            if arg != Arg::Unused {
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

    /// Writes an argument by the kind the table gives it.
    pub(super) fn write_arg(&mut self, out: &mut Vec<u8>, index: usize) {
        match special::form(self.event, self.spec, index) {
            Some(form) => self.write_form(out, form, index),
            None => self.write_kind(out, self.spec.args[index].arg, index),
        }
    }

    fn write_form(&mut self, out: &mut Vec<u8>, form: Form, index: usize) {
        match form {
            Form::Bits(set) => set.write_bits(out, self.event.args[index]),
            Form::As(arg) => self.write_kind(out, arg, index),
            Form::Ioctl => special::write_ioctl(out, self.event.args[index] as u32),
            Form::Quota => special::write_quota(out, self.event.args[index] as u32),
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
        match kind {
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
            Arg::Fd | Arg::DirFd => self.write_fd(out, kind, value as i32),
            Arg::Path => self.write_path(out, value),
            Arg::Str => self.write_string(out, value),
            Arg::StrArray => self.write_strings(out, value),
            Arg::Flags(set) => set.write_bits(out, value),
            Arg::Enum(set) => set.write_one(out, value),
            Arg::Mode => write_file_mode(out, value as u32 & 0xffff),
            Arg::OutBuf => self.write_out_buffer(out, value),
            Arg::In(layout) | Arg::Out(layout) | Arg::InOut(layout) => self.write_struct(out, layout, value),
            Arg::Signal => write_signal(out, value as u32),
            Arg::Dev => write_device(out, value),
            Arg::Buf | Arg::Addr | Arg::Unused => self.write_address(out, value),
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

    fn write_fd(&mut self, out: &mut Vec<u8>, kind: Arg, fd: i32) {
        let file = if fd < 0 || self.names_only_the_result() { None } else { self.slot(self.fds) };
        self.fds += 1;
        if kind == Arg::DirFd && fd == AT_FDCWD {
            out.extend_from_slice(b"AT_FDCWD");
            self.write_file(out, self.base());
        } else {
            write_number(out, i64::from(fd));
            self.write_file(out, file);
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
        if let Some(file) = file.filter(|_| self.options.files) {
            write_bracketed(out, file);
        }
    }

    /// The path at this point of the call, as passed and made absolute.
    fn path(&self) -> (Option<&'a [u8]>, Option<&'a [u8]>, bool) {
        let event = self.event;
        match self.paths {
            0 => (event.path, event.path_abs, event.flags.has(Flags::PATH_UNREADABLE)),
            1 => (event.path2, event.path2_abs, event.flags.has(Flags::PATH2_UNREADABLE)),
            _ => (None, None, false),
        }
    }

    /// The directory that the next path, being relative, was resolved from.
    fn base(&self) -> Option<&'a [u8]> {
        let (path, absolute, _) = self.path();
        base(path?, absolute?)
    }

    fn write_path(&mut self, out: &mut Vec<u8>, address: u64) {
        let (path, _, is_unreadable) = self.path();
        match path.filter(|_| !is_unreadable) {
            Some(path) => {
                write_quoted(out, path);
                if self.event.flags.has(Flags::TRUNCATED) && path.len() >= LONGEST_PATH {
                    out.extend_from_slice(b"...");
                }
            }
            None => self.write_address(out, address),
        }
        self.paths += 1;
    }

    /// A string that is no path: known where the capture keeps it as the event's text (link targets).
    fn write_string(&mut self, out: &mut Vec<u8>, address: u64) {
        let is_first = self.strings == 0;
        self.strings += 1;
        match self.event.text.filter(|_| is_first && !special::returns_text(self.spec)) {
            Some(text) => write_quoted(out, text),
            None => self.write_address(out, address),
        }
    }

    fn write_strings(&mut self, out: &mut Vec<u8>, address: u64) {
        let is_first = self.strings == 0;
        self.strings += 1;
        match self.event.argv.filter(|_| is_first) {
            Some(argv) => write_argv(out, argv, self.event.flags.has(Flags::TRUNCATED)),
            None => self.write_address(out, address),
        }
    }

    fn write_out_buffer(&self, out: &mut Vec<u8>, address: u64) {
        match self.event.text.filter(|_| special::returns_text(self.spec) && self.succeeded()) {
            Some(text) => write_quoted(out, text),
            None => self.write_address(out, address),
        }
    }

    fn write_struct(&self, out: &mut Vec<u8>, layout: Struct, address: u64) {
        match (layout, self.event.stat, self.event.peer) {
            (Struct::Stat | Struct::Stat64 | Struct::OldStat | Struct::Statx, Some(stat), _)
                if self.succeeded() =>
            {
                write_stat(out, layout, &stat);
            }
            (Struct::Sockaddr, _, Some(peer)) => write_sockaddr(out, peer),
            (Struct::OpenHow, _, _) if write_open_how(out, self.event) => {}
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

    fn succeeded(&self) -> bool {
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
pub(super) fn write_argv(out: &mut Vec<u8>, argv: &[u8], is_cut: bool) {
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

/// `makedev(0x8, 0x1)`: a device number as user space encodes it (`new_encode_dev` of the kernel).
fn write_device(out: &mut Vec<u8>, device: u64) {
    let (major, minor) = (device >> 8 & 0xfff, device & 0xff | device >> 12 & 0xf_ff00);
    out.extend_from_slice(b"makedev(");
    write_hex(out, major);
    out.extend_from_slice(b", ");
    write_hex(out, minor);
    out.push(b')');
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
