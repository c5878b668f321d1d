//! What a call does to the names and contents of files: links, copies, new files.

use crate::analysis::calls::Call;
use crate::event::Event;

/// `O_CREAT` of open(2).
const CREATE: u64 = 0o100;
/// `FICLONE` and `FICLONERANGE` of `ioctl_ficlonerange(2)`.
const CLONES: [u64; 2] = [0x4004_9409, 0x4020_940d];

/// What a call is looked at for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Opens a file with flags in this argument.
    Open(usize),
    /// Makes a file.
    Create,
    /// Another name for a file.
    Link,
    /// A symbolic link.
    Symlink,
    /// Another name in the place of the old one.
    Rename,
    /// Takes a name away.
    Delete,
    /// Makes a directory.
    Directory,
    /// `ioctl`, which may share a file's blocks.
    Control,
    /// Copies within the kernel.
    Copy,
    /// Waits for a disk.
    Sync,
    /// Connects to an address.
    Connect,
    /// Nothing of these.
    Other,
}

impl Act {
    /// What calls of this name are looked at for.
    #[must_use]
    pub fn of(call: &Call) -> Self {
        match &*call.name {
            "open" => Self::Open(1),
            "openat" => Self::Open(2),
            "creat" | "mknod" | "mknodat" => Self::Create,
            "link" | "linkat" => Self::Link,
            "symlink" | "symlinkat" => Self::Symlink,
            "rename" | "renameat" | "renameat2" => Self::Rename,
            "unlink" | "unlinkat" | "rmdir" => Self::Delete,
            "mkdir" | "mkdirat" => Self::Directory,
            "ioctl" => Self::Control,
            "copy_file_range" => Self::Copy,
            "fsync" | "fdatasync" | "sync" | "syncfs" | "sync_file_range" | "msync" => Self::Sync,
            "connect" | "sendto" => Self::Connect,
            _ => Self::Other,
        }
    }

    /// The path that a successful call has made, if it has made one.
    #[must_use]
    pub fn made<'a>(self, event: &Event<'a>) -> Option<&'a [u8]> {
        match self {
            Self::Open(flags) if event.args[flags] & CREATE != 0 => event.path_abs,
            Self::Create | Self::Directory => event.path_abs,
            Self::Link | Self::Rename => event.path2_abs,
            Self::Symlink => event.path_abs.or(event.path2_abs),
            _ => None,
        }
    }

    /// Whether a call shares a file's blocks with another.
    #[must_use]
    pub fn is_reflink(self, event: &Event<'_>) -> bool {
        self == Self::Control && CLONES.contains(&event.args[1])
    }
}
