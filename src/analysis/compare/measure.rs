//! Figures of a run: which there are, and what their numbers are.

use serde::Serialize;

/// A figure of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// System calls.
    Calls,
    /// Those that failed.
    Failed,
    /// What they cost, nanoseconds.
    Cost,
    /// Processes.
    Processes,
    /// Threads beyond the first of each process.
    Threads,
    /// Programs started.
    Programs,
    /// Bytes read from files, pipes and sockets.
    BytesRead,
    /// Bytes written likewise.
    BytesWritten,
    /// Files opened with leave to create them, or made.
    Created,
    /// Hard links made.
    HardLinks,
    /// Files that share another's blocks.
    Reflinks,
    /// Copies made by the kernel (`copy_file_range`).
    Copies,
    /// Symbolic links made.
    Symlinks,
    /// Renamed.
    Renamed,
    /// Deleted.
    Deleted,
    /// Directories made.
    Directories,
    /// Waits for a disk (`fsync` and the like).
    Syncs,
    /// Bytecode files put in place.
    Bytecode,
    /// Addresses on a network that were connected to.
    Connections,
    /// Waits of a millisecond or more after a connection, nanoseconds.
    NetworkWait,
}

/// What numbers of a row are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Nanoseconds.
    Ns,
    /// A count.
    Count,
    /// Bytes.
    Bytes,
}

impl Measure {
    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Calls => "system calls",
            Self::Failed => "failed calls",
            Self::Cost => "cost of calls",
            Self::Processes => "processes",
            Self::Threads => "threads",
            Self::Programs => "programs started",
            Self::BytesRead => "bytes read",
            Self::BytesWritten => "bytes written",
            Self::Created => "files created",
            Self::HardLinks => "hard links made",
            Self::Reflinks => "reflinks made",
            Self::Copies => "copies by the kernel",
            Self::Symlinks => "symbolic links made",
            Self::Renamed => "renamed",
            Self::Deleted => "deleted",
            Self::Directories => "directories made",
            Self::Syncs => "fsync and the like",
            Self::Bytecode => "bytecode files written",
            Self::Connections => "network addresses",
            Self::NetworkWait => "network waits",
        }
    }

    /// Whether it counts what is made or done to files.
    #[must_use]
    pub const fn is_made(self) -> bool {
        matches!(
            self,
            Self::Created
                | Self::HardLinks
                | Self::Reflinks
                | Self::Copies
                | Self::Symlinks
                | Self::Renamed
                | Self::Deleted
                | Self::Directories
                | Self::Syncs
                | Self::Bytecode
        )
    }

    /// What its numbers are.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::Cost | Self::NetworkWait => Unit::Ns,
            Self::BytesRead | Self::BytesWritten => Unit::Bytes,
            _ => Unit::Count,
        }
    }
}
