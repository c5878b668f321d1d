//! How much a scratch tree may take, and what is said of a log that asks for more, before anything is made.

/// Upper bounds of a scratch tree and of what a replay makes in it.
#[derive(Clone, Copy, Debug)]
pub struct ScratchLimits {
    /// Files, directories and links, those that a replay makes with them.
    pub entries: usize,
    /// Directories above an entry.
    pub depth: u32,
    /// Bytes of one file, holes with them.
    pub file_bytes: u64,
    /// Bytes that are written to the disk: contents of the tree, and what the calls of the log write.
    pub written_bytes: u64,
    /// Names of one file.
    pub names: u32,
}

impl Default for ScratchLimits {
    /// What a disk has room for; and as many names as ext4 gives a file (`EXT4_LINK_MAX`, fs/ext4/ext4.h).
    fn default() -> Self {
        Self { entries: 2_000_000, depth: 200, file_bytes: 64 << 30, written_bytes: 8 << 30, names: 65_000 }
    }
}

/// What passes a limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooMuch {
    /// Entries.
    #[error("the log has to do with more than {0} files and directories: replay a part of it")]
    Entries(usize),
    /// Depth.
    #[error("the log has to do with directories more than {0} deep")]
    Depth(u32),
    /// The size of a file.
    #[error(
        "the log makes or reads a file of {bytes} bytes, more than the {limit} that a scratch tree holds"
    )]
    FileBytes {
        /// Said to be so large.
        bytes: u64,
        /// What is allowed.
        limit: u64,
    },
    /// All bytes together.
    #[error("the log reads and writes files of more than {0} bytes together, too much for a scratch tree")]
    WrittenBytes(u64),
    /// Names of a file.
    #[error(
        "the log has a file of more than {0} names, more than a scratch tree holds (ext4 has no more): replay a part of it"
    )]
    Names(u32),
}
