//! What came through standard input, kept in memory for the runs to come.

use super::StdioError;
use nix::sys::memfd::{MFdFlags, memfd_create};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;

/// The most that is kept, in bytes: far above what is piped into a program whose start matters, and
/// little enough for memory.
pub const SPOOL_LIMIT: u64 = 64 << 20;

/// Bytes in an unnamed file in memory, so that nothing is left behind however we end.
#[derive(Debug)]
pub struct Spool {
    file: File,
    length: u64,
    limit: u64,
    failed: Option<Failed>,
}

/// Why the spool is not complete.
#[derive(Clone, Copy, Debug)]
enum Failed {
    TooLarge,
    Error(i32),
}

impl Spool {
    /// An empty one.
    pub fn new(limit: u64) -> io::Result<Self> {
        let file = File::from(memfd_create(c"standard input", MFdFlags::MFD_CLOEXEC)?);
        Ok(Self { file, length: 0, limit, failed: None })
    }

    /// Appends, or remembers that the spool is not complete any more and lets go of what it has.
    pub fn append(&mut self, bytes: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        let length = self.length + bytes.len() as u64;
        if length > self.limit {
            self.give_up(Failed::TooLarge);
        } else if let Err(error) = self.file.write_all_at(bytes, self.length) {
            self.give_up(Failed::Error(error.raw_os_error().unwrap_or(libc::EIO)));
        } else {
            self.length = length;
        }
    }

    fn give_up(&mut self, failed: Failed) {
        self.failed = Some(failed);
        self.length = 0;
        // Frees memory; nothing depends on it.
        let _ = self.file.set_len(0);
    }

    /// Its length, if it has everything that was appended.
    pub fn complete(&self) -> Result<u64, StdioError> {
        match self.failed {
            None => Ok(self.length),
            Some(Failed::TooLarge) => Err(StdioError::InputTooLarge { limit: self.limit }),
            Some(Failed::Error(errno)) => {
                Err(StdioError::InputNotKept { error: io::Error::from_raw_os_error(errno) })
            }
        }
    }

    /// Reads from an offset; 0 at the end.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }

    /// The file itself.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
