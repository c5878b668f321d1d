//! What one system call is: its name, arguments and classes, as a declarative line.
//!
//! A table is written with `syscalls!`, one line a call:
//!
//! ```text
//! 257 openat(dirfd: DirFd, pathname: Path, flags: Flags(&OPEN), mode: Mode) -> Fd, Open, [FILE DESC];
//! ^number    ^arguments: name and kind (Arg)                             ^Ret  ^Family ^strace's classes
//! ```

use super::flags::FlagSet;

/// What an argument means, which decides how it is captured and printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arg {
    /// Signed 32-bit integer.
    Int,
    /// Unsigned 32-bit integer.
    Uint,
    /// Signed integer as wide as a pointer of the ABI.
    Long,
    /// Number or pointer whose meaning depends on other arguments (`ioctl`, `prctl`), or one that is
    /// best read in hexadecimal.
    Word,
    /// File descriptor.
    Fd,
    /// Directory descriptor that the next `Path` argument is relative to, or `AT_FDCWD`.
    DirFd,
    /// NUL-terminated path, resolved against the cwd or the `DirFd` before it.
    Path,
    /// NUL-terminated string that is not a path to be looked up (link text, names of attributes, ...).
    Str,
    /// NULL-terminated array of strings (`argv`, `envp`).
    StrArray,
    /// Set of bits with names.
    Flags(&'static FlagSet),
    /// One value out of a set with names (`SEEK_SET`, `F_DUPFD`...).
    Enum(&'static FlagSet),
    /// What ioctl is to do: a number with names.
    Operation,
    /// Permission bits, printed in octal.
    Mode,
    /// Size in bytes or number of elements.
    Size,
    /// Signed file offset or length: `off_t` or `loff_t`.
    Offset,
    /// Low half of a signed 64-bit value that fills two arguments (i386); the high half is next to it.
    OffsetLow,
    /// High half, after the low one (before it in `_llseek`).
    OffsetHigh,
    /// File offset counted in pages of 4096 bytes (`mmap2`).
    PageOffset,
    /// Buffer the kernel reads.
    Buf,
    /// Buffer the kernel fills; the return value is its length.
    OutBuf,
    /// Structure the kernel reads.
    In(Struct),
    /// Structure the kernel fills.
    Out(Struct),
    /// Structure the kernel reads and fills.
    InOut(Struct),
    /// Signal number.
    Signal,
    /// Process or thread id.
    Pid,
    /// User id.
    Uid,
    /// Group id.
    Gid,
    /// User or group id of 16 bits (old i386 calls).
    Id16,
    /// Device number.
    Dev,
    /// Address in the process's memory.
    Addr,
    /// Passed, but without a meaning in this ABI; not printed.
    Unused,
}

/// Structures that are told apart; the captured ones are those with a use in replay or analysis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Struct {
    /// `struct stat` of the ABI (64-bit layout on x86-64, the old 32-bit one on i386).
    Stat,
    /// `struct stat64` (i386 only).
    Stat64,
    /// `struct __old_kernel_stat` (i386 only).
    OldStat,
    /// `struct statx`.
    Statx,
    /// `struct statfs`.
    Statfs,
    /// `struct statfs64`; its size is the argument before (i386 only).
    Statfs64,
    /// `struct __sysctl_args`.
    Sysctl,
    /// `struct sockaddr`; its length is the next argument (by value, or by pointer where filled).
    Sockaddr,
    /// `struct msghdr`.
    Msghdr,
    /// Array of `struct mmsghdr`.
    Mmsghdr,
    /// Array of `struct iovec`; its count is the next argument.
    Iovec,
    /// Two descriptors (`pipe`, `socketpair`).
    FdPair,
    /// `struct timespec`.
    Timespec,
    /// `struct timespec` with 64-bit seconds (i386 only).
    Timespec64,
    /// Two of the same: access and modification.
    TimespecPair,
    /// The same with 64-bit seconds (i386 only).
    TimespecPair64,
    /// `struct timeval`.
    Timeval,
    /// Two of the same: access and modification.
    TimevalPair,
    /// `struct utimbuf`.
    Utimbuf,
    /// `struct timezone`.
    Timezone,
    /// `struct itimerval`.
    Itimerval,
    /// `struct itimerspec`.
    Itimerspec,
    /// The same with 64-bit seconds (i386 only).
    Itimerspec64,
    /// `struct tms`.
    Tms,
    /// `struct utsname`.
    Utsname,
    /// `struct sysinfo`.
    Sysinfo,
    /// Array of group ids; their number is the argument before.
    Groups,
    /// Array of group ids of 16 bits (i386 only).
    Groups16,
    /// `struct __user_cap_header_struct`.
    CapHeader,
    /// `struct __user_cap_data_struct`, one or two.
    CapData,
    /// `stack_t`.
    SignalStack,
    /// `struct sched_param`.
    SchedParam,
    /// Set of CPUs; its size is the argument before.
    CpuSet,
    /// A pointer to a signal set and its size, in memory (`pselect6`).
    SigmaskArg,
    /// Signal set.
    Sigset,
    /// `struct sigaction`.
    Sigaction,
    /// `siginfo_t`.
    Siginfo,
    /// `struct rlimit` (32-bit members on i386).
    Rlimit,
    /// `struct rlimit64`.
    Rlimit64,
    /// `struct rusage`.
    Rusage,
    /// Wait status.
    WaitStatus,
    /// `struct clone_args`.
    CloneArgs,
    /// `struct flock`.
    Flock,
    /// `struct flock64` (i386 only).
    Flock64,
    /// Name of a thread: 16 bytes.
    ThreadName,
    /// `struct open_how`.
    OpenHow,
    /// Array of `struct pollfd`.
    Pollfd,
    /// `fd_set`.
    FdSet,
    /// `struct epoll_event`, one or many.
    EpollEvent,
    /// A single integer (`socklen_t *`, `off_t *`, `int *`).
    Integer,
    /// Anything else.
    Other,
}

/// What a call returns when it succeeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ret {
    /// Zero or a number.
    Int,
    /// A new (or re-used) file descriptor.
    Fd,
    /// An address, printed in hexadecimal.
    Addr,
    /// A number of bytes.
    Size,
    /// A process or thread id.
    Pid,
    /// Permission bits, printed in octal (`umask`).
    Mode,
    /// Never returns on success.
    Never,
}

/// Set of strace's classes (`-e trace=%file` and so on, strace(1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Classes(pub u16);

impl Classes {
    /// No class.
    pub const NONE: Self = Self(0);
    /// `%file`: takes a file name.
    pub const FILE: Self = Self(1);
    /// `%desc`: takes or returns a file descriptor.
    pub const DESC: Self = Self(1 << 1);
    /// `%process`: process life cycle.
    pub const PROCESS: Self = Self(1 << 2);
    /// `%memory`: memory mapping.
    pub const MEMORY: Self = Self(1 << 3);
    /// `%network`.
    pub const NETWORK: Self = Self(1 << 4);
    /// `%signal`.
    pub const SIGNAL: Self = Self(1 << 5);
    /// `%ipc`: System V IPC.
    pub const IPC: Self = Self(1 << 6);
    /// `%creds`: user and group ids, capabilities.
    pub const CREDS: Self = Self(1 << 7);
    /// `%clock`: system clocks.
    pub const CLOCK: Self = Self(1 << 8);
    /// `%stat`: stat and its variants.
    pub const STAT: Self = Self(1 << 9);
    /// `%lstat`.
    pub const LSTAT: Self = Self(1 << 10);
    /// `%fstat`.
    pub const FSTAT: Self = Self(1 << 11);
    /// `%statfs`.
    pub const STATFS: Self = Self(1 << 12);
    /// `%pure`: always succeeds and has no arguments.
    pub const PURE: Self = Self(1 << 13);
    /// `%fstatfs`.
    pub const FSTATFS: Self = Self(1 << 14);
    /// `%%statfs`: the two before and ustat.
    pub const STATFS_ALL: Self = Self(1 << 15);

    /// Every class with the name strace gives it (without the first `%`). A name that stands for several
    /// comes after them.
    pub const ALL: [(Self, &'static str); 17] = [
        (Self::FILE, "file"),
        (Self::DESC, "desc"),
        (Self::PROCESS, "process"),
        (Self::MEMORY, "memory"),
        (Self::NETWORK, "network"),
        (Self::SIGNAL, "signal"),
        (Self::IPC, "ipc"),
        (Self::CREDS, "creds"),
        (Self::CLOCK, "clock"),
        (Self::STAT, "stat"),
        (Self::LSTAT, "lstat"),
        (Self::FSTAT, "fstat"),
        (Self::STATFS, "statfs"),
        (Self::PURE, "pure"),
        (Self::FSTATFS, "fstatfs"),
        (Self::STATFS_ALL, "%statfs"),
        (Self(Self::STAT.0 | Self::LSTAT.0 | Self::FSTAT.0), "%stat"),
    ];

    /// Whether any class is in both sets.
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The one family a call is counted under in reports: what it does, whichever variant is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Family {
    /// Metadata of a file: stat, lstat, fstat, newfstatat, statx, access, faccessat, statfs...
    Stat,
    /// open, openat, openat2, creat.
    Open,
    /// close, `close_range`.
    Close,
    /// read, pread, readv, ...
    Read,
    /// write, pwrite, writev, sendfile, `copy_file_range`, ...
    Write,
    /// lseek, `_llseek`.
    Seek,
    /// getdents, getdents64.
    Readdir,
    /// readlink, readlinkat, getcwd.
    Readlink,
    /// mkdir, rename, link, symlink, unlink, rmdir, mknod...
    Namespace,
    /// chmod, chown, utimens, xattr, truncate, fallocate: changes of a file's attributes.
    Attribute,
    /// fsync, fdatasync, sync...
    Sync,
    /// dup, fcntl, ioctl, flock, pipe, eventfd...: descriptors themselves.
    Descriptor,
    /// chdir, chroot, mount and the like.
    Filesystem,
    /// mmap, munmap, mprotect, brk, madvise...
    Memory,
    /// fork, clone, exec, exit, wait...
    Process,
    /// sockets.
    Network,
    /// signals.
    Signal,
    /// futex.
    Futex,
    /// poll, select, epoll.
    Poll,
    /// clocks, timers, sleeps.
    Time,
    /// System V and POSIX IPC.
    Ipc,
    /// ids, capabilities, limits, scheduling.
    Identity,
    /// everything else.
    Other,
}

impl Family {
    /// Whether its calls are about files: their stacks are taken, where stacks are.
    #[must_use]
    pub const fn is_about_files(self) -> bool {
        self.is_file_system() || matches!(self, Self::Filesystem)
    }

    /// Every family, in the order of the discriminants.
    pub const ALL: [Self; 23] = [
        Self::Stat,
        Self::Open,
        Self::Close,
        Self::Read,
        Self::Write,
        Self::Seek,
        Self::Readdir,
        Self::Readlink,
        Self::Namespace,
        Self::Attribute,
        Self::Sync,
        Self::Descriptor,
        Self::Filesystem,
        Self::Memory,
        Self::Process,
        Self::Network,
        Self::Signal,
        Self::Futex,
        Self::Poll,
        Self::Time,
        Self::Ipc,
        Self::Identity,
        Self::Other,
    ];

    /// The name used in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stat => "stat",
            Self::Open => "open",
            Self::Close => "close",
            Self::Read => "read",
            Self::Write => "write",
            Self::Seek => "seek",
            Self::Readdir => "readdir",
            Self::Readlink => "readlink",
            Self::Namespace => "namespace",
            Self::Attribute => "attribute",
            Self::Sync => "sync",
            Self::Descriptor => "descriptor",
            Self::Filesystem => "filesystem",
            Self::Memory => "memory",
            Self::Process => "process",
            Self::Network => "network",
            Self::Signal => "signal",
            Self::Futex => "futex",
            Self::Poll => "poll",
            Self::Time => "time",
            Self::Ipc => "ipc",
            Self::Identity => "identity",
            Self::Other => "other",
        }
    }

    /// Whether calls of this family are file-system work, counted under "file-system calls" in reports.
    #[must_use]
    pub const fn is_file_system(self) -> bool {
        matches!(
            self,
            Self::Stat
                | Self::Open
                | Self::Close
                | Self::Read
                | Self::Write
                | Self::Seek
                | Self::Readdir
                | Self::Readlink
                | Self::Namespace
                | Self::Attribute
                | Self::Sync
        )
    }
}

/// One argument: its name in the kernel's source or man page, and what it is.
#[derive(Clone, Copy, Debug)]
pub struct ArgSpec {
    /// Name.
    pub name: &'static str,
    /// Meaning.
    pub arg: Arg,
}

/// One system call of one ABI.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Number in its ABI.
    pub nr: u32,
    /// Name as strace prints it.
    pub name: &'static str,
    /// Arguments in order, at most six.
    pub args: &'static [ArgSpec],
    /// What is returned.
    pub ret: Ret,
    /// The family it is counted under.
    pub family: Family,
    /// strace's classes.
    pub classes: Classes,
}

/// Builds a `&[Spec]`: the module of `flags` that the lines take their sets from, then one line a call;
/// see the module's documentation.
macro_rules! syscalls {
    (use $flags:ident; $($nr:literal $name:ident ( $($arg:ident : $kind:expr),* ) -> $ret:ident, $family:ident, [$($class:ident)*];)*) => {
        &[$($crate::syscall::spec::Spec {
            nr: $nr,
            name: stringify!($name),
            args: {
                #[allow(unused_imports, reason = "a call without arguments uses none of the kinds")]
                use $crate::syscall::{flags::$flags::*, spec::{Arg::*, Struct::*}};
                &[$($crate::syscall::spec::ArgSpec { name: stringify!($arg), arg: $kind }),*]
            },
            ret: $crate::syscall::spec::Ret::$ret,
            family: $crate::syscall::spec::Family::$family,
            classes: $crate::syscall::spec::Classes(0 $(| $crate::syscall::spec::Classes::$class.0)*),
        }),*]
    };
}
pub(crate) use syscalls;
