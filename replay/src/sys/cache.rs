//! Emptying the kernel's caches before a run.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};

/// The file that empties them all; opened before writing is forbidden.
#[derive(Debug)]
pub(crate) struct DropCaches(File);

impl DropCaches {
    /// Needs root.
    pub(crate) fn new() -> io::Result<Self> {
        let file = OpenOptions::new().write(true).open("/proc/sys/vm/drop_caches")?;
        // SAFETY: takes nothing. What is not on the disk yet is not dropped; a replay itself writes nothing.
        unsafe { libc::sync() };
        Ok(Self(file))
    }

    /// Pages, dentries and inodes that are clean and unused.
    pub(crate) fn empty(&mut self) -> io::Result<()> {
        self.0.write_all(b"3\n")
    }
}

/// Asks for a file's pages to be dropped (`posix_fadvise(2)`). Those that some process has mapped stay.
pub(crate) fn drop_pages(file: &OwnedFd) {
    // SAFETY: takes no pointers. What it returns is of no use: the pages are a hint's business.
    unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
}
