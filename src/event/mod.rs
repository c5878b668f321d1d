//! The vocabulary: one thing that happened to a traced process, as a plain value.
//!
//! An [`Event`] borrows all its text, so a backend can emit one without allocating and a reader can
//! hand one out straight from a decoded batch. Text is bytes, because paths on Linux are bytes.
//! This module does no I/O and imports nothing else of the crate.

pub mod escape;
pub mod stack;

/// Stands for an argument that is not known: a pointer of which strace's text shows what it points to, or a word that
/// has no known value. Calls that have such arguments say so by their flags ([`Event::is_unknown`]).
pub const UNKNOWN_ADDRESS: u64 = 0xffff_ffff_ffff_f000;

/// What kind of thing happened. One row of the log is one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// A system call: from its entry to its return, or to the end of its thread.
    Syscall,
    /// A new program image: `path` is its executable, `argv` its arguments.
    Exec,
    /// A new process or thread: `ret` is its tid, `args[0]` the clone flags, `args[1]` its pid.
    Fork,
    /// A thread ended: `ret` is its exit status, or minus the signal that killed it.
    Exit,
    /// A signal was about to be delivered: `nr` is the signal, `args[0]` `si_code`, `args[1]` the sender.
    Signal,
    /// A point of interest: `text` is its name (one of [`mark`]).
    Mark,
    /// Events that are missing: `text` is the reason, `ret` how many (or -1 where unknown).
    Lost,
    /// A figure of the whole run, at the end of a complete log: `text` is its name, `ret` its value.
    Total,
    /// A thread was on a CPU: its `stack` says where; `args[0]` is the CPU, `args[1]` what the sample stands for in
    /// nanoseconds of CPU time.
    Sample,
    /// Defines a frame of stacks, before the first that has it: see [`stack::Frame`].
    Frame,
    /// Defines a stack, before the first event that has it: see [`stack::Node`].
    Stack,
}

impl Kind {
    /// Every kind, in the order of the discriminants.
    pub const ALL: [Self; 11] = [
        Self::Syscall,
        Self::Exec,
        Self::Fork,
        Self::Exit,
        Self::Signal,
        Self::Mark,
        Self::Lost,
        Self::Total,
        Self::Sample,
        Self::Frame,
        Self::Stack,
    ];

    /// The name used in the log and in every report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Syscall => "syscall",
            Self::Exec => "exec",
            Self::Fork => "fork",
            Self::Exit => "exit",
            Self::Signal => "signal",
            Self::Mark => "mark",
            Self::Lost => "lost",
            Self::Total => "total",
            Self::Sample => "sample",
            Self::Frame => "frame",
            Self::Stack => "stack",
        }
    }

    /// Whether it is something that happened, as opposed to a figure of the run or a definition that others refer to.
    #[must_use]
    pub const fn happened(self) -> bool {
        !matches!(self, Self::Total | Self::Frame | Self::Stack)
    }
}

/// The system-call convention a call was made with; numbers mean different calls in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[repr(u8)]
pub enum Abi {
    /// The 64-bit `syscall` instruction.
    #[default]
    X86_64,
    /// `int 0x80` or `sysenter`, from 32-bit programs and from 64-bit ones that use it.
    I386,
    /// The x32 convention: the 64-bit entry with bit 30 of the number set.
    X32,
}

impl Abi {
    /// Every ABI, in the order of the discriminants.
    pub const ALL: [Self; 3] = [Self::X86_64, Self::I386, Self::X32];

    /// The name used in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::I386 => "i386",
            Self::X32 => "x32",
        }
    }
}

/// What a stat-like call said of a file (from `struct stat`, `stat64` or `statx`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct FileStat {
    /// File type and permission bits (`st_mode`).
    pub mode: u32,
    /// Number of hard links.
    pub nlink: u32,
    /// Size in bytes.
    pub size: i64,
    /// Modification time, nanoseconds since the epoch.
    pub mtime_ns: i64,
    /// Inode number.
    pub ino: u64,
    /// Device, as the kernel encodes it for user space (`makedev`).
    pub dev: u64,
}

/// What could not be kept or is special about an event; a set of bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
pub struct Flags(pub u16);

impl Flags {
    /// The first path argument could not be read from the process's memory (its `path` is absent).
    pub const PATH_UNREADABLE: Self = Self(1);
    /// The second path argument could not be read.
    pub const PATH2_UNREADABLE: Self = Self(1 << 1);
    /// A structure (stat buffer, link target, address, argument list) could not be read, or not whole.
    pub const RESULT_UNREADABLE: Self = Self(1 << 2);
    /// A path or argument list was longer than what is kept.
    pub const TRUNCATED: Self = Self(1 << 3);
    /// The call is a restart of one that a signal interrupted.
    pub const RESTARTED: Self = Self(1 << 4);
    /// The directory a relative path starts from is not known: `path_abs` is absent.
    pub const BASE_UNKNOWN: Self = Self(1 << 5);
    /// The call's entry was not seen (the trace began inside the call); arguments are unknown.
    pub const NO_ENTRY: Self = Self(1 << 6);

    /// Tracer and thread ran on different CPUs, where a stop costs more than the log's calibration says;
    /// the totals `beside_*` have its cost.
    pub const BESIDE: Self = Self(1 << 7);

    /// An argument could not be told from a text that shows it by name (strace's): it is [`UNKNOWN_ADDRESS`].
    pub const ARGUMENT_UNKNOWN: Self = Self(1 << 8);

    /// The kernel never saw the call: its result was put in by the tracer, as asked for.
    pub const INJECTED: Self = Self(1 << 9);

    /// The tracer held the thread before or after the call, as asked for.
    pub const DELAYED: Self = Self(1 << 10);

    /// The log's stacks are those of another run, which has no counterpart of this call.
    pub const UNMATCHED: Self = Self(1 << 11);

    /// Memory that an argument points to was changed by the tracer, as asked for.
    pub const ARGUMENTS_INJECTED: Self = Self(1 << 12);

    /// A result that was put in is a value, although it looks like an error.
    pub const NO_ERROR: Self = Self(1 << 13);

    /// A text shows what an argument points to in the place of its address, which is [`UNKNOWN_ADDRESS`].
    pub const ADDRESS_UNKNOWN: Self = Self(1 << 14);

    /// Every flag with its name as it stands in documents and in JSON.
    pub const ALL: [(Self, &'static str); 15] = [
        (Self::PATH_UNREADABLE, "path_unreadable"),
        (Self::PATH2_UNREADABLE, "path2_unreadable"),
        (Self::RESULT_UNREADABLE, "result_unreadable"),
        (Self::TRUNCATED, "truncated"),
        (Self::RESTARTED, "restarted"),
        (Self::BASE_UNKNOWN, "base_unknown"),
        (Self::NO_ENTRY, "no_entry"),
        (Self::BESIDE, "beside"),
        (Self::ARGUMENT_UNKNOWN, "argument_unknown"),
        (Self::INJECTED, "injected"),
        (Self::DELAYED, "delayed"),
        (Self::UNMATCHED, "unmatched"),
        (Self::ARGUMENTS_INJECTED, "arguments_injected"),
        (Self::NO_ERROR, "no_error"),
        (Self::ADDRESS_UNKNOWN, "address_unknown"),
    ];

    /// Whether all bits of `other` are set.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Sets the bits of `other`.
    pub fn set(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// One event. Fields that do not apply to its kind are zero or `None`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event<'a> {
    /// What happened.
    pub kind: Kind,
    /// The process (thread-group id), as the tracer's pid namespace sees it.
    pub pid: u32,
    /// The thread.
    pub tid: u32,
    /// The thread's name (`comm`), at most 15 bytes.
    pub comm: &'a [u8],
    /// When it began: nanoseconds of the monotonic clock since the log's origin.
    pub start_ns: u64,
    /// When it ended, same clock; `None`: it never returned, or (where `ret` is known) strace was not asked for
    /// durations. Equal to `start_ns` for points in time.
    pub end_ns: Option<u64>,
    /// The convention `nr` belongs to.
    pub abi: Abi,
    /// System-call number, or signal number.
    pub nr: u32,
    /// Raw arguments, those the call does not take set to 0.
    pub args: [u64; 6],
    /// Return value: negative errno for a failure, -512 to -516 for a call to be restarted;
    /// `None`: never returned.
    pub ret: Option<i64>,
    /// The instruction pointer at the call, 0 where unknown.
    pub ip: u64,
    /// First path argument as passed.
    pub path: Option<&'a [u8]>,
    /// First path argument made absolute by the process's own root, cwd or dirfd (`..` and links not resolved).
    pub path_abs: Option<&'a [u8]>,
    /// Second path argument as passed.
    pub path2: Option<&'a [u8]>,
    /// Second path argument made absolute.
    pub path2_abs: Option<&'a [u8]>,
    /// The file behind the first descriptor argument, as `/proc/PID/fd` names it; for calls that take none
    /// but return one, the file behind that.
    pub file: Option<&'a [u8]>,
    /// The file behind the second descriptor argument, or behind the descriptor returned where one was
    /// taken (`AT_FDCWD` is none).
    pub file2: Option<&'a [u8]>,
    /// Text the call returned (link target, cwd) or was passed besides paths (what a symbolic link is to hold,
    /// the name of an attribute, what is mounted), or the name of a mark, loss or total.
    pub text: Option<&'a [u8]>,
    /// Socket address passed or returned, as text: `inet:127.0.0.1:80`, `unix:/run/x`, `netlink:0`.
    pub peer: Option<&'a [u8]>,
    /// Arguments of an exec, each ended by a NUL byte.
    pub argv: Option<&'a [u8]>,
    /// What a stat-like call returned.
    pub stat: Option<FileStat>,
    /// What its pointers pointed to, as far as it was recorded (`crate::syscall::decode` knows the form);
    /// `None`: nothing was to be.
    pub memory: Option<&'a [u8]>,
    /// What is special about this event.
    pub flags: Flags,
    /// Where in its program the thread was: the number of a [`Kind::Stack`] event before this one.
    pub stack: Option<u32>,
    /// What the call took when a replay made it again, in nanoseconds; only in logs that have such costs.
    pub replayed_ns: Option<u64>,
}

impl Event<'_> {
    /// An event of this kind with every other field empty.
    #[must_use]
    pub const fn new(kind: Kind) -> Self {
        Self {
            kind,
            pid: 0,
            tid: 0,
            comm: b"",
            start_ns: 0,
            end_ns: None,
            abi: Abi::X86_64,
            nr: 0,
            args: [0; 6],
            ret: None,
            ip: 0,
            path: None,
            path_abs: None,
            path2: None,
            path2_abs: None,
            file: None,
            file2: None,
            text: None,
            peer: None,
            argv: None,
            stat: None,
            memory: None,
            flags: Flags(0),
            stack: None,
            replayed_ns: None,
        }
    }

    /// The signal that has stopped the thread's process, if that is what happened.
    #[must_use]
    pub fn stopped_by(&self) -> Option<u32> {
        let is_stop = self.kind == Kind::Mark && self.text == Some(mark::STOPPED.as_bytes());
        is_stop.then_some(self.nr)
    }

    /// How long the call took by the backend's clock, tracer's stops included under ptrace.
    #[must_use]
    pub fn duration_ns(&self) -> Option<u64> {
        self.end_ns.map(|end| end.saturating_sub(self.start_ns))
    }

    /// Whether an argument of this value is not known: programs pass this one, too.
    #[must_use]
    pub fn is_unknown(&self, value: u64) -> bool {
        value == UNKNOWN_ADDRESS
            && (self.flags.has(Flags::ARGUMENT_UNKNOWN) || self.flags.has(Flags::ADDRESS_UNKNOWN))
    }

    /// The errno (positive) if this is a call that failed, restarts (512-516) included.
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        match self.ret {
            Some(ret) if (-4095..0).contains(&ret) && !self.flags.has(Flags::NO_ERROR) => Some(-(ret as i32)),
            _ => None,
        }
    }
}

/// Names of [`Kind::Mark`] events.
pub mod mark {
    /// The program's own entry point (`AT_ENTRY`) was reached: the dynamic loader is done.
    pub const ENTRY: &str = "entry";
    /// A set-user-ID, set-group-ID or file-capability program runs without its privilege under ptrace.
    pub const SETUID: &str = "setuid-without-privilege";
    /// The process called ptrace itself, which cannot work while it is traced.
    pub const PTRACE: &str = "ptrace-called";
    /// A child was made that the kernel does not let us follow (`CLONE_UNTRACED`).
    pub const UNTRACED_CHILD: &str = "untraced-child";
    /// The process set up an `io_uring`, whose operations no syscall tracer sees.
    pub const IO_URING: &str = "io-uring";
    /// Tracing began here, with a thread that ran already.
    pub const ATTACHED: &str = "attached";
    /// Tracing ended here while the process goes on.
    pub const DETACHED: &str = "detached";
    /// `/proc` is absent or another pid namespace's, so relative paths and files behind descriptors are unknown.
    pub const FOREIGN_PROC: &str = "foreign-proc";
    /// The tree may not be pinned to the tracer's CPU any more: the program is about to look at its mask.
    pub const UNPINNED: &str = "unpinned";

    /// The program was ready, as `--until` says; what follows is its end.
    pub const READY: &str = "ready";

    /// The process was stopped (SIGSTOP) until the recorder had caught up, as `--lossless` wants it.
    pub const HELD: &str = "held";

    /// Calls came faster than they were recorded; from here on, some had to wait a little at their end, which is part
    /// of no call's duration.
    pub const SLOWED: &str = "slowed";

    /// The thread runs as another user from here on, as a set-user-ID program does. While it does, its calls are not
    /// recorded: `trace` has its privilege from its own file, and that is for the caller's own.
    pub const HIDDEN: &str = "hidden";

    /// Python has imported a module, as it tells itself (`PYTHONPROFILEIMPORTTIME`): `path` is the module's name, `args` are
    /// how many imports it was within, microseconds of its own, microseconds with what it imported. The mark stands at the
    /// import's end; its `stack` is the importer's.
    pub const IMPORTED: &str = "imported";

    /// The thread was on no CPU from the beginning to the end of the mark: `args[0]` is 1 if it was ready to run (another one
    /// had its CPU, it was new, or it was woken at the end of the mark before), 0 if it waited for something. Where CPU samples are taken.
    pub const OFF_CPU: &str = "off-cpu";

    /// The process had a Python of a version or build that is not known: its functions are missing from the stacks.
    pub const UNREAD_PYTHON: &str = "unread-python";

    /// A signal has stopped the thread's process: `nr` is the signal. The delivery of the signal is an event before it. Where ptrace
    /// records, and in strace's text.
    pub const STOPPED: &str = "stopped";

    /// Every mark name.
    pub const ALL: [&str; 17] = [
        STOPPED,
        UNREAD_PYTHON,
        OFF_CPU,
        IMPORTED,
        HIDDEN,
        HELD,
        SLOWED,
        FOREIGN_PROC,
        ENTRY,
        SETUID,
        PTRACE,
        UNTRACED_CHILD,
        IO_URING,
        ATTACHED,
        DETACHED,
        UNPINNED,
        READY,
    ];
}

/// Reasons of [`Kind::Lost`] events that reports know.
pub mod loss {
    /// The log was cut short and then repaired: nobody knows what came after.
    pub const CUT: &str = "log cut short";
    /// A line of strace's text could not be read; `args[0]` is its number.
    pub const LINE: &str = "lines of strace that cannot be read";
}
