//! Structures in a traced program's memory, as bytes: the kernel's layouts for x86-64 and i386.

use std::ops::Range;

use crate::event::FileStat;
use crate::syscall::Struct;

/// Bytes to read for a stat-like structure, 0 where it is none.
pub fn stat_size(layout: Struct, is_64_bit: bool) -> usize {
    match layout {
        Struct::Stat if is_64_bit => 144,
        Struct::Stat => 64,
        Struct::Stat64 => 96,
        Struct::OldStat => 32,
        Struct::Statx => 256,
        _ => 0,
    }
}

/// The largest of [`stat_size`].
pub const LARGEST_STAT: usize = 256;

/// Little-endian fields by offset; zero beyond the end.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn uint(&self, offset: usize, size: usize) -> u64 {
        let mut value = [0; 8];
        if let Some(bytes) = self.0.get(offset..offset + size) {
            value[..size].copy_from_slice(bytes);
        }
        u64::from_le_bytes(value)
    }

    /// Seconds and nanoseconds of these sizes, as nanoseconds.
    fn time(&self, offset: usize, size: usize) -> i64 {
        let seconds = self.uint(offset, size);
        let seconds = if size == 4 { i64::from(seconds as u32 as i32) } else { seconds as i64 };
        let nanoseconds = self.uint(offset + size, 4) as i64;
        seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds)
    }
}

/// Decodes a stat-like structure (`asm/stat.h` of x86, both halves; `linux/stat.h` for statx).
pub fn stat(layout: Struct, is_64_bit: bool, bytes: &[u8]) -> FileStat {
    let at = Fields(bytes);
    match layout {
        Struct::Statx => FileStat {
            nlink: at.uint(16, 4) as u32,
            mode: at.uint(28, 2) as u32,
            ino: at.uint(32, 8),
            size: at.uint(40, 8) as i64,
            mtime_ns: at.time(112, 8),
            dev: libc::makedev(at.uint(136, 4) as u32, at.uint(140, 4) as u32),
        },
        Struct::Stat64 => FileStat {
            dev: at.uint(0, 8),
            mode: at.uint(16, 4) as u32,
            nlink: at.uint(20, 4) as u32,
            size: at.uint(44, 8) as i64,
            mtime_ns: at.time(72, 4),
            ino: at.uint(88, 8),
        },
        Struct::OldStat => FileStat {
            dev: at.uint(0, 2),
            ino: at.uint(2, 2),
            mode: at.uint(4, 2) as u32,
            nlink: at.uint(6, 2) as u32,
            size: at.uint(16, 4) as i64,
            mtime_ns: (at.uint(24, 4) as i64).saturating_mul(1_000_000_000),
        },
        _ if is_64_bit => FileStat {
            dev: at.uint(0, 8),
            ino: at.uint(8, 8),
            nlink: at.uint(16, 8) as u32,
            mode: at.uint(24, 4) as u32,
            size: at.uint(48, 8) as i64,
            mtime_ns: at.time(88, 8),
        },
        _ => FileStat {
            dev: at.uint(0, 4),
            ino: at.uint(4, 4),
            mode: at.uint(8, 2) as u32,
            nlink: at.uint(10, 2) as u32,
            size: i64::from(at.uint(20, 4) as u32),
            mtime_ns: at.time(40, 4),
        },
    }
}

/// Bytes of `struct open_how` (openat2(2)).
pub const OPEN_HOW: usize = 24;

/// Appends a `struct open_how` as text; `None` for fewer bytes.
pub fn push_open_how(text: &mut Vec<u8>, bytes: &[u8]) -> Option<Range<usize>> {
    let word = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    let begin = text.len();
    let how = format!("flags={:#x} mode={:#o} resolve={:#x}", word(0)?, word(8)?, word(16)?);
    text.extend_from_slice(how.as_bytes());
    Some(begin..text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    fn bytes_of<T: Copy>(value: &T) -> Vec<u8> {
        let length = size_of::<T>();
        super::super::super::sys::memory::own_bytes(value)[..length].to_vec()
    }

    #[test]
    fn the_64_bit_layouts_agree_with_libc() {
        let path = c"/proc/self/exe";
        let meta = std::fs::metadata("/proc/self/exe").expect("every process has one");
        let expected = FileStat {
            mode: meta.mode(),
            nlink: meta.nlink() as u32,
            size: meta.size() as i64,
            mtime_ns: meta.mtime() * 1_000_000_000 + meta.mtime_nsec(),
            ino: meta.ino(),
            dev: meta.dev(),
        };
        let raw = nix::sys::stat::stat(path).expect("it exists");
        assert_eq!(stat(Struct::Stat, true, &bytes_of(&raw)), expected);
        let raw = super::super::super::sys::memory::own_statx(path);
        assert_eq!(stat(Struct::Statx, true, &bytes_of(&raw)), expected);
        assert_eq!(stat_size(Struct::Stat, true), size_of::<libc::stat>());
        assert_eq!(stat_size(Struct::Statx, true), size_of::<libc::statx>());
    }

    #[test]
    fn short_buffers_give_zeros() {
        assert_eq!(stat(Struct::Stat64, false, &[1]), FileStat::default());
    }
}
