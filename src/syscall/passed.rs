//! What some calls are passed by address that a replay has to know, in the form in which a log keeps it: the event's text,
//! numbers by name.
//!
//! Captures read the kernel's structures (of 64-bit programs), strace's text says the same in its own words, and a plan
//! takes it from the text of either.

use std::ops::Range;

/// `FICLONERANGE` (`linux/fs.h`).
pub const FICLONERANGE: u32 = 0x4020_940d;

/// Whether this command of `fcntl(2)` takes a `struct flock`: `F_GETLK`, `F_SETLK`, `F_SETLKW`, and those of open file
/// descriptions.
pub fn is_lock_command(command: u64) -> bool {
    matches!(command, 5..=7 | 36..=38)
}

/// A lock of a part of a file: `struct flock` (fcntl(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileLock {
    /// `F_RDLCK`, `F_WRLCK` or `F_UNLCK`.
    pub kind: i16,
    /// `SEEK_*`.
    pub whence: i16,
    /// Where it begins.
    pub start: i64,
    /// Bytes; 0: to the end.
    pub length: i64,
}

impl FileLock {
    /// Bytes of the structure.
    pub const SIZE: usize = 32;

    /// From a program's memory.
    pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Self {
        let [begin, start, length, _] = words(bytes);
        Self { kind: begin as i16, whence: (begin >> 16) as i16, start, length }
    }

    /// From an event's text.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let [kind, whence, start, length] = numbers(text, ["type", "whence", "start", "len"]);
        let short = |number: Option<i64>| i16::try_from(number?).ok();
        Some(Self { kind: short(kind)?, whence: short(whence)?, start: start?, length: length? })
    }

    /// Appends it as text.
    pub fn push(self, text: &mut Vec<u8>) -> Range<usize> {
        let Self { kind, whence, start, length } = self;
        push(text, &format!("type={kind} whence={whence} start={start} len={length}"))
    }
}

/// The offsets that `copy_file_range(2)` and `sendfile(2)` were given; `None`: null, the open file's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CopyOffsets {
    /// In the file read.
    pub from: Option<i64>,
    /// In the file written.
    pub to: Option<i64>,
}

impl CopyOffsets {
    /// From an event's text.
    pub fn parse(text: &[u8]) -> Self {
        let [from, to] = numbers(text, ["from", "to"]);
        Self { from, to }
    }

    /// Appends them as text; `None`: there are none.
    pub fn push(self, text: &mut Vec<u8>) -> Option<Range<usize>> {
        Some(match (self.from, self.to) {
            (Some(from), Some(to)) => push(text, &format!("from={from} to={to}")),
            (Some(from), None) => push(text, &format!("from={from}")),
            (None, Some(to)) => push(text, &format!("to={to}")),
            (None, None) => return None,
        })
    }
}

/// The part of a file that another is to share: `struct file_clone_range` (`ioctl_ficlonerange(2)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloneRange {
    /// The descriptor of the file that is shared.
    pub fd: i64,
    /// Where in it.
    pub from: i64,
    /// Bytes; 0: to the end.
    pub length: i64,
    /// Where in the other.
    pub to: i64,
}

impl CloneRange {
    /// Bytes of the structure.
    pub const SIZE: usize = 32;

    /// From a program's memory.
    pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Self {
        let [fd, from, length, to] = words(bytes);
        Self { fd, from, length, to }
    }

    /// From an event's text.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let [fd, from, length, to] = numbers(text, ["fd", "from", "len", "to"]);
        Some(Self { fd: fd?, from: from?, length: length?, to: to? })
    }

    /// Appends it as text.
    pub fn push(self, text: &mut Vec<u8>) -> Range<usize> {
        let Self { fd, from, length, to } = self;
        push(text, &format!("fd={fd} from={from} len={length} to={to}"))
    }
}

fn push(text: &mut Vec<u8>, shown: &str) -> Range<usize> {
    let begin = text.len();
    text.extend_from_slice(shown.as_bytes());
    begin..text.len()
}

fn words(bytes: &[u8; 32]) -> [i64; 4] {
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
        *word = i64::from_le_bytes(*bytes);
    }
    words
}

/// Numbers that stand behind these names.
fn numbers<const N: usize>(text: &[u8], names: [&str; N]) -> [Option<i64>; N] {
    let text = std::str::from_utf8(text).unwrap_or_default();
    names.map(|name| {
        let value = |word: &str| word.strip_prefix(name)?.strip_prefix('=')?.parse().ok();
        text.split(' ').find_map(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_says_what_was_passed() {
        let mut text = b"before ".to_vec();
        let lock = FileLock { kind: 1, whence: 2, start: -5, length: i64::MAX };
        let range = lock.push(&mut text);
        assert_eq!(&text[range.clone()], b"type=1 whence=2 start=-5 len=9223372036854775807");
        assert_eq!(FileLock::parse(&text[range]), Some(lock));
        let part = CloneRange { fd: 3, from: 4096, length: 0, to: 8192 };
        let range = part.push(&mut text);
        assert_eq!(CloneRange::parse(&text[range]), Some(part));
        for from in [None, Some(0)] {
            for to in [None, Some(7)] {
                let offsets = CopyOffsets { from, to };
                let kept = offsets.push(&mut text).map(|range| CopyOffsets::parse(&text[range]));
                assert_eq!(kept.unwrap_or_default(), offsets);
            }
        }
        assert_eq!(FileLock::parse(b"type=1 whence=2 start=70000000000000000000 len=0"), None);
        assert_eq!(CloneRange::parse(b"fd=3"), None);
    }

    #[test]
    fn structures_are_the_kernels() {
        let mut bytes = [0; 32];
        bytes[0] = 2;
        bytes[8] = 9;
        bytes[16] = 10;
        let expected = FileLock { kind: 2, whence: 0, start: 9, length: 10 };
        assert_eq!(FileLock::from_bytes(&bytes), expected);
        assert_eq!(
            (size_of::<libc::flock>(), std::mem::offset_of!(libc::flock, l_start)),
            (FileLock::SIZE, 8)
        );
        assert_eq!(CloneRange::from_bytes(&bytes), CloneRange { fd: 2, from: 9, length: 10, to: 0 });
        assert_eq!(size_of::<libc::file_clone_range>(), CloneRange::SIZE);
        assert_eq!(u64::from(FICLONERANGE), libc::FICLONERANGE);
    }
}
