//! What a recorded call did, in the kernel's own numbers: one variant for each kind of call whose
//! resources are known, and two for the rest.
//!
//! Descriptors are the numbers the program used; what they stood for at each moment is worked out when
//! the plan is bound (`bind`), not by whoever builds it. Flags and modes are those of
//! x86-64 Linux (`fcntl.h`, `linux/stat.h`), as they were passed.

use std::num::NonZeroU64;

use super::{PathId, ProcessId};

/// What makes an open write, create or empty a file.
pub(crate) const WRITING_FLAGS: u32 =
    (libc::O_WRONLY | libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC | libc::O_APPEND) as u32
        | (libc::O_TMPFILE & !libc::O_DIRECTORY) as u32;

/// Where a relative path starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum At {
    /// In the working directory: `AT_FDCWD`, and every call that takes no directory descriptor.
    Cwd,
    /// In the directory behind this descriptor.
    Fd(i32),
}

/// Which system call an [`Op::Stat`] was. All follow the same path; a replay that is to cost the same
/// makes the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StatCall {
    /// `stat(2)`, `lstat(2)` (then with `AT_SYMLINK_NOFOLLOW`) and `newfstatat(2)`.
    Stat,
    /// `statx(2)`, with this mask.
    Statx(u32),
}

/// Which system call an [`Op::Copy`] was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CopyCall {
    /// `copy_file_range(2)`.
    Range,
    /// `sendfile(2)`.
    Send,
}

/// Where in a file a copy begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Offset(Option<NonZeroU64>);

impl Offset {
    /// Where the open file's own offset is, which the copy then moves.
    pub const OWN: Self = Self(None);

    /// At so many bytes; `None`: no file has such a place.
    #[must_use]
    pub fn at(bytes: i64) -> Option<Self> {
        let bytes = u64::try_from(bytes).ok()?;
        Some(Self(NonZeroU64::new(bytes + 1)))
    }

    /// In bytes; `None`: the open file's own.
    #[must_use]
    pub fn bytes(self) -> Option<u64> {
        self.0.map(|more| more.get() - 1)
    }
}

/// A lock of a part of a file, as `fcntl(2)` takes it (`struct flock`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RangeLock {
    /// Nothing is locked: who holds it is asked for (`F_GETLK`, `F_OFD_GETLK`).
    pub asks: bool,
    /// It is held by the open file description (`F_OFD_SETLK`, `F_OFD_SETLKW`), not by the process.
    pub of_description: bool,
    /// `F_RDLCK`, `F_WRLCK` or `F_UNLCK`.
    pub kind: i16,
    /// `SEEK_*`.
    pub whence: i16,
    /// From there.
    pub start: i64,
    /// Bytes; 0: to the end, wherever that will be.
    pub length: i64,
}

/// The part of a file that another one is to share (`struct file_clone_range`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SharedPart {
    /// Where it is in the one.
    pub from: u64,
    /// Bytes; 0: to the end.
    pub length: u64,
    /// Where it is to be in the other.
    pub to: u64,
}

/// Which system call an [`Op::Attribute`] was, whatever it took: a path, one that is not followed, or a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttributeCall {
    /// `getxattr(2)`.
    Get,
    /// `listxattr(2)`.
    List,
    /// `setxattr(2)`.
    Set,
    /// `removexattr(2)`.
    Remove,
}

/// How far an unknown call's effects may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Not beyond its process (and the file system as seen from there).
    Process,
    /// Into other processes of the plan: a read from a pipe or socket, a semaphore.
    All,
}

/// A typed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `open(2)`, `openat(2)` (`resolve` 0) and `openat2(2)`.
    Open {
        /// Where a relative path starts.
        at: At,
        /// The path as passed.
        path: PathId,
        /// `O_*`.
        flags: u32,
        /// Permission bits for a file that is made.
        mode: u16,
        /// `RESOLVE_*` of `openat2`, 0 for the others.
        resolve: u16,
    },
    /// `close(2)`.
    Close {
        /// The descriptor.
        fd: i32,
    },
    /// `close_range(2)` without flags: every open descriptor from `first` to `last`.
    CloseRange {
        /// The first descriptor, as passed.
        first: u32,
        /// The last descriptor, as passed.
        last: u32,
    },
    /// `read(2)`, and `readv(2)` with its buffers taken as one.
    Read {
        /// The descriptor.
        fd: i32,
        /// Bytes asked for.
        count: u64,
    },
    /// `pread64(2)`, and `preadv(2)` with its buffers taken as one.
    Pread {
        /// The descriptor.
        fd: i32,
        /// Bytes asked for.
        count: u64,
        /// Where in the file.
        offset: i64,
    },
    /// `lseek(2)`.
    Seek {
        /// The descriptor.
        fd: i32,
        /// The offset as passed.
        offset: i64,
        /// `SEEK_*`.
        whence: u32,
    },
    /// `stat`, `lstat`, `newfstatat` and `statx` of a path; with `AT_EMPTY_PATH` and an empty path, of a descriptor.
    Stat {
        /// Where a relative path starts.
        at: At,
        /// The path as passed.
        path: PathId,
        /// `AT_*`.
        flags: u32,
        /// Which call.
        call: StatCall,
    },
    /// `fstat(2)`.
    Fstat {
        /// The descriptor.
        fd: i32,
    },
    /// `access(2)`, `faccessat(2)` (`flags` 0) and `faccessat2(2)`.
    Access {
        /// Where a relative path starts.
        at: At,
        /// The path as passed.
        path: PathId,
        /// `F_OK` or a set of `R_OK`, `W_OK`, `X_OK`.
        mode: u32,
        /// `AT_*`.
        flags: u32,
    },
    /// `readlink(2)` and `readlinkat(2)`.
    ReadLink {
        /// Where a relative path starts.
        at: At,
        /// The path as passed.
        path: PathId,
        /// Room for the target, in bytes.
        size: u64,
    },
    /// `getdents64(2)`.
    ListDir {
        /// The descriptor.
        fd: i32,
        /// Room for the entries, in bytes.
        count: u64,
    },
    /// `dup(2)`, and `fcntl(2)` with `F_DUPFD` or `F_DUPFD_CLOEXEC`: the new number is the call's result.
    Dup {
        /// The descriptor.
        fd: i32,
        /// Whether an exec closes the new one.
        cloexec: bool,
    },
    /// `dup2(2)` and `dup3(2)`.
    DupTo {
        /// The descriptor.
        fd: i32,
        /// The number it is to have too.
        to: i32,
        /// `O_CLOEXEC` was passed (`dup3`).
        cloexec: bool,
    },
    /// `fcntl(2)` with `F_SETFD`, or `ioctl` with `FIOCLEX`, `FIONCLEX`.
    SetCloexec {
        /// The descriptor.
        fd: i32,
        /// Whether an exec closes it from now on.
        on: bool,
    },
    /// `chdir(2)`.
    Chdir {
        /// The path as passed.
        path: PathId,
    },
    /// `fchdir(2)`.
    Fchdir {
        /// The descriptor.
        fd: i32,
    },
    /// `getcwd(2)`.
    Getcwd,
    /// `mmap(2)` of a file, and calls that only look at a descriptor (`fcntl` with `F_GETFL`, `ioctl` with `TCGETS`): not
    /// executed.
    Map {
        /// The descriptor.
        fd: i32,
    },
    /// `write(2)`, and `writev(2)` with its buffers taken as one.
    Write {
        /// The descriptor.
        fd: i32,
        /// Bytes given.
        count: u64,
        /// How far it reaches if there is no file behind the descriptor: who reads from a pipe waits for it.
        scope: Scope,
    },
    /// `pwrite64(2)`, and `pwritev(2)` with its buffers taken as one.
    Pwrite {
        /// The descriptor.
        fd: i32,
        /// Bytes given.
        count: u64,
        /// Where in the file.
        offset: i64,
    },
    /// `truncate(2)`.
    Truncate {
        /// The path as passed.
        path: PathId,
        /// The new size.
        length: i64,
    },
    /// `ftruncate(2)`.
    Ftruncate {
        /// The descriptor.
        fd: i32,
        /// The new size.
        length: i64,
    },
    /// `fallocate(2)`.
    Allocate {
        /// The descriptor.
        fd: i32,
        /// `FALLOC_FL_*`.
        mode: u32,
        /// Where in the file.
        offset: i64,
        /// How many bytes.
        length: i64,
    },
    /// `rename(2)`, `renameat(2)` and `renameat2(2)`.
    Rename {
        /// Where a relative old path starts.
        from_at: At,
        /// The old path as passed.
        from: PathId,
        /// Where a relative new path starts.
        to_at: At,
        /// The new path as passed.
        to: PathId,
        /// `RENAME_*`.
        flags: u32,
    },
    /// `link(2)` and `linkat(2)`.
    Link {
        /// Where a relative old path starts.
        from_at: At,
        /// The old path as passed.
        from: PathId,
        /// Where a relative new path starts.
        to_at: At,
        /// The new path as passed.
        to: PathId,
        /// `AT_*`.
        flags: u32,
    },
    /// `symlink(2)` and `symlinkat(2)`.
    Symlink {
        /// What the link is to hold.
        target: PathId,
        /// Where a relative path starts.
        at: At,
        /// The path as passed.
        path: PathId,
    },
    /// `mkdir(2)` and `mkdirat(2)`.
    MakeDir {
        /// Where a relative path starts.
        at: At,
        /// The path as passed.
        path: PathId,
        /// Permission bits.
        mode: u16,
    },
    /// `unlink(2)`, `rmdir(2)` (`AT_REMOVEDIR`) and `unlinkat(2)`.
    Unlink {
        /// Where a relative path starts.
        at: At,
        /// The path as passed.
        path: PathId,
        /// `AT_*`.
        flags: u32,
    },
    /// `chmod(2)`, `fchmodat(2)` and, with a path, `fchmodat2(2)` without flags.
    Chmod {
        /// Where a relative path starts.
        at: At,
        /// The path as passed.
        path: PathId,
        /// Permission bits.
        mode: u16,
    },
    /// `fchmod(2)`.
    Fchmod {
        /// The descriptor.
        fd: i32,
        /// Permission bits.
        mode: u16,
    },
    /// `chown(2)`, `lchown(2)` (then with `AT_SYMLINK_NOFOLLOW`) and `fchownat(2)`.
    Chown {
        /// Where a relative path starts.
        at: At,
        /// The path as passed.
        path: PathId,
        /// User, or -1.
        owner: u32,
        /// Group, or -1.
        group: u32,
        /// `AT_*`.
        flags: u32,
    },
    /// `fchown(2)`.
    Fchown {
        /// The descriptor.
        fd: i32,
        /// User, or -1.
        owner: u32,
        /// Group, or -1.
        group: u32,
    },
    /// `utimensat(2)` and its older relatives. The times themselves are in no log: others are set.
    SetTimes {
        /// Where a relative path starts.
        at: At,
        /// The path as passed.
        path: PathId,
        /// `AT_*`.
        flags: u32,
    },
    /// The same of a descriptor: `utimensat(2)` without a path.
    FsetTimes {
        /// The descriptor.
        fd: i32,
    },
    /// A call on an extended attribute; with an empty path, of a descriptor. Values are in no log: others are set.
    Attribute {
        /// Where a relative path starts.
        at: At,
        /// The path as passed.
        path: PathId,
        /// The last component is not followed if it is a link.
        nofollow: bool,
        /// Which call.
        call: AttributeCall,
        /// The attribute's name; empty for a list.
        name: PathId,
        /// Bytes of the value, or room for it.
        size: u32,
        /// `XATTR_*`.
        flags: u8,
    },
    /// `statfs(2)`; with an empty path, `fstatfs(2)` of a descriptor.
    FileSystem {
        /// Where a relative path starts.
        at: At,
        /// The path as passed.
        path: PathId,
    },
    /// `fsync(2)` and `fdatasync(2)`.
    Sync {
        /// The descriptor.
        fd: i32,
        /// Only what is needed to read the data (`fdatasync`).
        data_only: bool,
    },
    /// `flock(2)`.
    Lock {
        /// The descriptor.
        fd: i32,
        /// `LOCK_*`.
        operation: u32,
    },
    /// `fcntl(2)` on a lock of a part of a file.
    LockRange {
        /// The descriptor.
        fd: i32,
        /// Which part, and what is done.
        lock: RangeLock,
    },
    /// `copy_file_range(2)` or `sendfile(2)`.
    Copy {
        /// The file read.
        from: i32,
        /// Where it is read.
        from_offset: Offset,
        /// The file written.
        to: i32,
        /// Where it is written.
        to_offset: Offset,
        /// Bytes asked for.
        count: u64,
        /// Which call.
        call: CopyCall,
    },
    /// `ioctl(2)` with `FICLONE`.
    Clone {
        /// The file shared.
        from: i32,
        /// The file that becomes it.
        to: i32,
    },
    /// `ioctl(2)` with `FICLONERANGE`.
    CloneRange {
        /// The file shared.
        from: i32,
        /// The file that gets a part of it.
        to: i32,
        /// Which part.
        part: SharedPart,
    },
    /// `umask(2)`.
    Umask {
        /// The bits that files made from now on lack.
        mask: u16,
    },
    /// A successful `execve(2)`: a barrier that closes the close-on-exec descriptors. Never executed.
    /// (A failed one is [`Op::Inert`].)
    Exec,
    /// `wait4(2)` or `waitid(2)` that found this process ended: orders, is not executed.
    Wait {
        /// The process that had ended.
        child: ProcessId,
    },
    /// Nothing that a replayed call depends on or changes: `brk`, `mprotect`, `rt_sigaction`, `getpid`,
    /// anonymous `mmap`, a failed exec. Orders nothing, is not executed.
    Inert,
    /// Anything else: not executed, and a barrier, since its effects are unknown.
    Unknown(Scope),
}

impl Op {
    /// Whether it changes files, whatever came of it. (An open that may write is told by its flags.)
    #[must_use]
    pub const fn changes_files(&self) -> bool {
        matches!(
            self,
            Self::Write { .. }
                | Self::Pwrite { .. }
                | Self::Truncate { .. }
                | Self::Ftruncate { .. }
                | Self::Allocate { .. }
                | Self::Rename { .. }
                | Self::Link { .. }
                | Self::Symlink { .. }
                | Self::MakeDir { .. }
                | Self::Unlink { .. }
                | Self::Chmod { .. }
                | Self::Fchmod { .. }
                | Self::Chown { .. }
                | Self::Fchown { .. }
                | Self::SetTimes { .. }
                | Self::FsetTimes { .. }
                | Self::Attribute { call: AttributeCall::Set | AttributeCall::Remove, .. }
                | Self::Sync { .. }
                | Self::Lock { .. }
                | Self::LockRange { .. }
                | Self::Copy { .. }
                | Self::Clone { .. }
                | Self::CloneRange { .. }
        )
    }

    /// The paths it names.
    pub(crate) fn paths(&self) -> impl Iterator<Item = PathId> + use<> {
        let (first, second) = match *self {
            Self::Open { path, .. }
            | Self::Stat { path, .. }
            | Self::Access { path, .. }
            | Self::ReadLink { path, .. }
            | Self::Chdir { path }
            | Self::Truncate { path, .. }
            | Self::MakeDir { path, .. }
            | Self::Unlink { path, .. }
            | Self::Chmod { path, .. }
            | Self::Chown { path, .. }
            | Self::SetTimes { path, .. }
            | Self::FileSystem { path, .. } => (Some(path), None),
            Self::Attribute { path, name, .. } => (Some(path), Some(name)),
            Self::Rename { from, to, .. } | Self::Link { from, to, .. } => (Some(from), Some(to)),
            Self::Symlink { target, path, .. } => (Some(target), Some(path)),
            _ => (None, None),
        };
        first.into_iter().chain(second)
    }
}
