//! Paths, descriptors and what is known of the files behind them.

use super::escape::write_bracketed;
use super::memory::{Memory as _, Phase};
use super::text::{Hex, prints, write_text};
use super::{Decoder, special};
use crate::event::Flags;
use crate::syscall::flags::write_number;
use crate::syscall::{Arg, Ret};

/// `AT_FDCWD`: the directory descriptor that stands for the cwd.
pub(super) const AT_FDCWD: i32 = -100;

/// The kernel takes paths that are shorter than `PATH_MAX` with their NUL byte; longer ones are cut here by the
/// capture, and nothing shorter is.
pub(super) const LONGEST_PATH: usize = 4095;

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

/// Appends `<file>`, in hexadecimal where a string of these bytes is.
pub fn write_file_name(out: &mut Vec<u8>, file: &[u8], hex: Hex) {
    if hex == Hex::Never || file.iter().copied().all(prints) && hex != Hex::All {
        return write_bracketed(out, file);
    }
    let mut text = Vec::new();
    write_text(&mut text, file, hex, false);
    out.push(b'<');
    out.extend_from_slice(&text[1..text.len() - 1]);
    out.push(b'>');
}

impl<'a> Decoder<'a, '_> {
    pub(super) fn write_fd(&mut self, out: &mut Vec<u8>, index: usize) {
        let fd = self.arg(index) as i32;
        if self.spec.args[index].arg == Arg::DirFd && fd == AT_FDCWD {
            self.write_cwd(out, self.base(self.ordinal(index, is_path)));
        } else {
            let slot = self.ordinal(index, is_fd);
            let file = if fd < 0 || self.names_only_the_result() { None } else { self.slot(slot) };
            write_number(out, i64::from(fd));
            let asks = self.style.details.is_any() || self.is_part;
            if !(if asks { self.write_behind(out, fd) } else { self.write_removed(out, fd) }) {
                self.write_file(out, file);
            }
        }
    }

    /// `AT_FDCWD`, with the directory that was kept, or else this one.
    pub(super) fn write_cwd(&mut self, out: &mut Vec<u8>, otherwise: Option<&[u8]>) {
        let name = |out: &mut Vec<u8>| out.extend_from_slice(b"AT_FDCWD");
        self.style.constants.write(out, |out| write_number(out, i64::from(AT_FDCWD)), name);
        let mut cwd = [0; LONGEST_PATH];
        let kept = if self.style.files { self.memory.read(Phase::Entry, CWD, &mut cwd) } else { 0 };
        // What was kept is what the kernel said then, also of a directory that was removed.
        let kept = Some(&cwd[..kept]).filter(|cwd| !cwd.is_empty());
        self.write_file(out, kept.or(otherwise));
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

    pub(super) fn write_path(&mut self, out: &mut Vec<u8>, index: usize) {
        let (path, _, is_unreadable) = self.path(self.ordinal(index, is_path));
        match path.filter(|_| !is_unreadable) {
            Some(path) => {
                let is_cut = self.event.flags.has(Flags::TRUNCATED) && path.len() >= LONGEST_PATH;
                self.write_text(out, path, is_cut);
            }
            None => self.write_address(out, self.arg(index)),
        }
    }

    /// The file behind the descriptor the call returned: the capture puts it where no descriptor
    /// argument has put its own. A duplicate is of the same file as the first argument.
    pub(super) fn returned_file(&self) -> Option<&'a [u8]> {
        if special::duplicates(&self.event, self.spec) {
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
