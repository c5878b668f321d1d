//! What a system call is to a replay, by its name.
//!
//! Found once for each number. What is not listed is unknown, and orders everything around it: a new call of the
//! kernel makes a replay slower, never wrong.

use std::sync::LazyLock;

use crate::event::Abi;
use crate::syscall::{self, Family, Spec, X32_BIT};

/// What is made of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `open`: path, flags, mode.
    Open,
    /// `openat`: the same behind a directory.
    OpenAt,
    /// `openat2`: its structure is the event's text.
    OpenAt2,
    /// `creat`.
    Creat,
    /// `close`.
    Close,
    /// `close_range`.
    CloseRange,
    /// `read`.
    Read,
    /// `readv`: how much was asked for is not in the log.
    ReadVector,
    /// `pread64`.
    Pread,
    /// `preadv`, `preadv2`.
    PreadVector,
    /// `lseek`.
    Seek,
    /// `stat`, `stat64`.
    Stat,
    /// `lstat`, `lstat64`.
    Lstat,
    /// `fstat`, `fstat64`.
    Fstat,
    /// `newfstatat`, `fstatat64`.
    StatAt,
    /// `statx`.
    Statx,
    /// `access`.
    Access,
    /// `faccessat`.
    AccessAt,
    /// `faccessat2`.
    AccessAt2,
    /// `readlink`.
    ReadLink,
    /// `readlinkat`.
    ReadLinkAt,
    /// `getdents64`.
    ListDir,
    /// `dup`.
    Dup,
    /// `dup2`, `dup3`.
    DupTo,
    /// `fcntl`.
    Fcntl,
    /// `ioctl`.
    Ioctl,
    /// `chdir`.
    Chdir,
    /// `fchdir`.
    Fchdir,
    /// `getcwd`.
    Getcwd,
    /// `mmap`, `mmap2`.
    Map,
    /// `execve`, `execveat`.
    Exec,
    /// `wait4`, `waitpid`.
    Wait,
    /// `pwrite64`.
    Pwrite,
    /// `pwritev`, `pwritev2`.
    PwriteVector,
    /// `truncate`.
    Truncate,
    /// `ftruncate`.
    Ftruncate,
    /// `fallocate`.
    Allocate,
    /// `rename`.
    Rename,
    /// `renameat`, `renameat2`.
    RenameAt,
    /// `link`.
    Link,
    /// `linkat`.
    LinkAt,
    /// `symlink`.
    Symlink,
    /// `symlinkat`.
    SymlinkAt,
    /// `mkdir`.
    MakeDir,
    /// `mkdirat`.
    MakeDirAt,
    /// `unlink`.
    Unlink,
    /// `rmdir`.
    RemoveDir,
    /// `unlinkat`.
    UnlinkAt,
    /// `chmod`.
    Chmod,
    /// `fchmodat`, `fchmodat2`.
    ChmodAt,
    /// `fchmod`.
    Fchmod,
    /// `chown`.
    Chown,
    /// `lchown`.
    Lchown,
    /// `fchownat`.
    ChownAt,
    /// `fchown`.
    Fchown,
    /// `utime`, `utimes`.
    Times,
    /// `futimesat`, `utimensat`.
    TimesAt,
    /// `fsync`.
    Sync,
    /// `fdatasync`.
    SyncData,
    /// `flock`.
    Lock,
    /// `copy_file_range`.
    CopyRange,
    /// `sendfile`.
    SendFile,
    /// `getxattr`, `listxattr`, `setxattr`, `removexattr`, and those of links and descriptors: which, says the name.
    Attribute,
    /// `statfs`.
    FileSystem,
    /// `fstatfs`.
    FileSystemOf,
    /// `umask`.
    Umask,
    /// Changes and depends on nothing that is replayed.
    Inert,
    /// Writes: how far that reaches depends on what is behind the descriptor.
    Write,
    /// Unknown, its effects in its own process and on files.
    Unknown,
    /// Unknown, and may wait for other processes or wake them.
    Waits,
    /// The same for threads that name the same address.
    Futex,
}

/// Calls that are what the name says.
const NAMED: [(&str, Kind); 95] = [
    ("open", Kind::Open),
    ("openat", Kind::OpenAt),
    ("openat2", Kind::OpenAt2),
    ("creat", Kind::Creat),
    ("close", Kind::Close),
    ("close_range", Kind::CloseRange),
    ("read", Kind::Read),
    ("readv", Kind::ReadVector),
    ("pread64", Kind::Pread),
    ("preadv", Kind::PreadVector),
    ("preadv2", Kind::PreadVector),
    ("lseek", Kind::Seek),
    ("stat", Kind::Stat),
    ("stat64", Kind::Stat),
    ("lstat", Kind::Lstat),
    ("lstat64", Kind::Lstat),
    ("fstat", Kind::Fstat),
    ("fstat64", Kind::Fstat),
    ("newfstatat", Kind::StatAt),
    ("fstatat64", Kind::StatAt),
    ("statx", Kind::Statx),
    ("access", Kind::Access),
    ("faccessat", Kind::AccessAt),
    ("faccessat2", Kind::AccessAt2),
    ("readlink", Kind::ReadLink),
    ("readlinkat", Kind::ReadLinkAt),
    ("getdents64", Kind::ListDir),
    ("dup", Kind::Dup),
    ("dup2", Kind::DupTo),
    ("dup3", Kind::DupTo),
    ("fcntl", Kind::Fcntl),
    ("fcntl64", Kind::Fcntl),
    ("ioctl", Kind::Ioctl),
    ("chdir", Kind::Chdir),
    ("fchdir", Kind::Fchdir),
    ("getcwd", Kind::Getcwd),
    ("mmap", Kind::Map),
    ("mmap2", Kind::Map),
    ("execve", Kind::Exec),
    ("execveat", Kind::Exec),
    ("wait4", Kind::Wait),
    ("waitpid", Kind::Wait),
    ("pwrite64", Kind::Pwrite),
    ("pwritev", Kind::PwriteVector),
    ("pwritev2", Kind::PwriteVector),
    ("truncate", Kind::Truncate),
    ("ftruncate", Kind::Ftruncate),
    ("fallocate", Kind::Allocate),
    ("rename", Kind::Rename),
    ("renameat", Kind::RenameAt),
    ("renameat2", Kind::RenameAt),
    ("link", Kind::Link),
    ("linkat", Kind::LinkAt),
    ("symlink", Kind::Symlink),
    ("symlinkat", Kind::SymlinkAt),
    ("mkdir", Kind::MakeDir),
    ("mkdirat", Kind::MakeDirAt),
    ("unlink", Kind::Unlink),
    ("rmdir", Kind::RemoveDir),
    ("unlinkat", Kind::UnlinkAt),
    ("chmod", Kind::Chmod),
    ("fchmodat", Kind::ChmodAt),
    ("fchmodat2", Kind::ChmodAt),
    ("fchmod", Kind::Fchmod),
    ("chown", Kind::Chown),
    ("lchown", Kind::Lchown),
    ("fchownat", Kind::ChownAt),
    ("fchown", Kind::Fchown),
    ("utime", Kind::Times),
    ("utimes", Kind::Times),
    ("futimesat", Kind::TimesAt),
    ("utimensat", Kind::TimesAt),
    ("fsync", Kind::Sync),
    ("fdatasync", Kind::SyncData),
    ("flock", Kind::Lock),
    ("copy_file_range", Kind::CopyRange),
    ("sendfile", Kind::SendFile),
    ("getxattr", Kind::Attribute),
    ("lgetxattr", Kind::Attribute),
    ("fgetxattr", Kind::Attribute),
    ("listxattr", Kind::Attribute),
    ("llistxattr", Kind::Attribute),
    ("flistxattr", Kind::Attribute),
    ("setxattr", Kind::Attribute),
    ("lsetxattr", Kind::Attribute),
    ("fsetxattr", Kind::Attribute),
    ("removexattr", Kind::Attribute),
    ("lremovexattr", Kind::Attribute),
    ("fremovexattr", Kind::Attribute),
    ("statfs", Kind::FileSystem),
    ("statfs64", Kind::FileSystem),
    ("fstatfs", Kind::FileSystemOf),
    ("fstatfs64", Kind::FileSystemOf),
    ("umask", Kind::Umask),
    ("exit_group", Kind::Inert),
];

/// Calls of the other families that neither change nor depend on anything that is replayed: those of
/// the process itself, limits, names, hints about files to come, descriptors that are no files.
const INERT: [&str; 44] = [
    "arch_prctl",
    "capget",
    "clock_getres",
    "clone",
    "clone3",
    "epoll_create",
    "epoll_create1",
    "epoll_ctl",
    "eventfd",
    "eventfd2",
    "exit",
    "fadvise64",
    "fork",
    "getcpu",
    "getpgid",
    "getpriority",
    "getrandom",
    "getrlimit",
    "getrusage",
    "getsid",
    "getsockname",
    "getsockopt",
    "memfd_create",
    "pidfd_open",
    "pipe",
    "pipe2",
    "prctl",
    "prlimit64",
    "readahead",
    "rseq",
    "sched_getaffinity",
    "sched_getparam",
    "sched_getscheduler",
    "sched_setaffinity",
    "sched_yield",
    "set_robust_list",
    "set_thread_area",
    "set_tid_address",
    "setsockopt",
    "socket",
    "socketpair",
    "sysinfo",
    "uname",
    "vfork",
];

impl Kind {
    fn of(spec: &Spec) -> Self {
        if let Some((_, kind)) = NAMED.iter().find(|(name, _)| *name == spec.name) {
            return *kind;
        }
        if INERT.contains(&spec.name) {
            return Self::Inert;
        }
        match spec.family {
            Family::Memory | Family::Time => Self::Inert,
            Family::Identity if spec.name.starts_with("get") => Self::Inert,
            // Sending a signal may wake somebody; setting up a handler does not.
            Family::Signal if spec.name.starts_with("rt_sig") && !waits_for_signal(spec.name) => Self::Inert,
            Family::Signal if matches!(spec.name, "sigaltstack" | "signalfd" | "signalfd4") => Self::Inert,
            Family::Write => Self::Write,
            Family::Futex => Self::Futex,
            Family::Network | Family::Poll | Family::Ipc | Family::Signal | Family::Process => Self::Waits,
            _ => Self::Unknown,
        }
    }
}

fn waits_for_signal(name: &str) -> bool {
    name.contains("suspend") || name.contains("timedwait") || name.contains("queueinfo")
}

/// Numbers below this are looked up beforehand; no ABI has as many calls.
const NUMBERS: u32 = 1024;

fn build(abi: Abi, bits: u32) -> Vec<Kind> {
    (0..NUMBERS).map(|nr| syscall::lookup(abi, nr | bits).map_or(Kind::Unknown, Kind::of)).collect()
}

static X86_64: LazyLock<Vec<Kind>> = LazyLock::new(|| build(Abi::X86_64, 0));
static I386: LazyLock<Vec<Kind>> = LazyLock::new(|| build(Abi::I386, 0));
static X32: LazyLock<Vec<Kind>> = LazyLock::new(|| build(Abi::X32, X32_BIT));

/// What this call is.
pub fn of(abi: Abi, nr: u32) -> Kind {
    let (kinds, nr) = match abi {
        Abi::X86_64 => (&*X86_64, nr),
        Abi::I386 => (&*I386, nr),
        Abi::X32 => (&*X32, nr & !X32_BIT),
    };
    kinds.get(nr as usize).copied().unwrap_or(Kind::Unknown)
}

/// Whether this call sets up a ring, whose operations are in no log.
pub fn is_io_uring(abi: Abi, nr: u32) -> bool {
    /// The same in every convention but for the bit of x32.
    const IO_URING_SETUP: u32 = 425;
    nr == if abi == Abi::X32 { IO_URING_SETUP + X32_BIT } else { IO_URING_SETUP }
}

/// Whether this call does nothing but ask who the process is: what it takes is what being called takes.
pub fn does_nothing(abi: Abi, nr: u32) -> bool {
    /// `getpid`, `getuid`, `getgid`, `geteuid`, `getegid`, `getppid`, `gettid` (`asm/unistd_64.h`).
    const NUMBERS: [u32; 7] = [39, 102, 104, 107, 108, 110, 186];
    abi == Abi::X86_64 && NUMBERS.contains(&nr)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_call() {
        let known =
            |name: &str| [Abi::X86_64, Abi::I386].iter().any(|&abi| syscall::by_name(abi, name).is_some());
        let names = NAMED.iter().map(|(name, _)| *name).chain(INERT);
        let unknown: Vec<&str> = names.filter(|name| !known(name)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn what_changes_files_is_never_inert() {
        for spec in syscall::table(Abi::X86_64) {
            let changes =
                matches!(spec.family, Family::Namespace | Family::Attribute | Family::Write | Family::Sync);
            if changes {
                assert!(!matches!(Kind::of(spec), Kind::Inert), "{}", spec.name);
            }
        }
        assert_eq!(of(Abi::X86_64, 100_000), Kind::Unknown);
    }
}
