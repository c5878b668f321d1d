//! What is to be replayed: processes, threads and typed calls in the order of a log, with their times
//! and results.
//!
//! A [`Plan`] says what the program did, in the program's own terms (descriptor numbers, paths as passed);
//! it decides nothing. It takes about a hundred bytes a call, because each distinct path is kept once.
//! It comes from a [`PlanBuilder`], which checks everything, and goes to `bind`, which works out
//! what each descriptor and directory stood for.

mod builder;
mod limits;
mod op;
mod path;
mod recorded;
#[cfg(test)]
mod tests;

pub use builder::PlanBuilder;
pub use limits::{Limits, MAX_TRANSFER, PlanError};
pub(crate) use op::WRITING_FLAGS;
pub use op::{At, AttributeCall, CopyCall, Offset, Op, RangeLock, Scope, SharedPart, StatCall};
pub use path::PathId;
pub(crate) use path::Paths;
pub use recorded::{Recorded, Span, StatFacts};

/// A process of one plan. Process ids are reused by the kernel; these are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProcessId(pub(crate) u32);

/// A thread of one plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ThreadId(pub(crate) u32);

/// A call of one plan: its place among the calls, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub(crate) u32);

impl CallId {
    /// Its place among the calls, from 0, in the order they were added.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl ThreadId {
    /// Its place among the threads, from 0, in the order they were added.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a child shares with the thread that made it (`clone(2)`): what is not shared is copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// It is a thread of the same process (`CLONE_THREAD`).
    pub thread: bool,
    /// The table of descriptors (`CLONE_FILES`).
    pub files: bool,
    /// Root, working directory and umask (`CLONE_FS`).
    pub fs: bool,
}

impl Share {
    /// From the flags of `clone`, `clone3`; 0 stands for `fork`.
    #[must_use]
    pub fn from_clone_flags(flags: u64) -> Self {
        let has = |flag: i32| flags & flag as u64 != 0;
        Self { thread: has(libc::CLONE_THREAD), files: has(libc::CLONE_FILES), fs: has(libc::CLONE_FS) }
    }
}

/// A call as the plan keeps it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) op: Op,
    pub(crate) thread: ThreadId,
    /// Index into `Plan::stats`.
    pub(crate) stat: u32,
    pub(crate) start_ns: u64,
    pub(crate) end_ns: u64,
    pub(crate) ret: i64,
}

impl Call {
    pub(crate) const NO_TIME: u64 = u64::MAX;
    pub(crate) const NO_RETURN: i64 = i64::MIN;
    pub(crate) const NO_STAT: u32 = u32::MAX;
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Thread {
    pub(crate) process: ProcessId,
    pub(crate) parent: Option<ThreadId>,
    pub(crate) share: Share,
    /// Of a process without a parent in the plan.
    pub(crate) cwd: Option<PathId>,
}

/// What a call showed of where a path leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen<'a> {
    /// It is a symbolic link that holds this: a readlink's answer.
    Holds(&'a [u8]),
    /// An open of it found the file that `/proc` calls this.
    Opened(&'a [u8]),
    /// It is none: a readlink failed with EINVAL.
    NoLink,
}

/// An absolute path, where it was seen to lead, and by which call at the earliest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observed {
    pub(crate) path: PathId,
    pub(crate) led: Led,
    pub(crate) call: CallId,
}

/// Where a path was seen to lead, interned.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Led {
    Holds(PathId),
    Opened(PathId),
    NoLink,
}

/// What happened, in the order of the log.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    Call(CallId),
    Start(ThreadId),
    Exit(ThreadId),
    Inherited { thread: ThreadId, fd: i32, path: PathId },
}

/// What is to be replayed. Made by a [`PlanBuilder`]; immutable.
#[derive(Debug, Default)]
pub struct Plan {
    pub(crate) paths: Paths,
    pub(crate) threads: Vec<Thread>,
    pub(crate) processes: u32,
    pub(crate) calls: Vec<Call>,
    pub(crate) events: Vec<Event>,
    pub(crate) stats: Vec<StatFacts>,
    /// Absolute paths, and where they were seen to lead, in the order of the log.
    pub(crate) led: Vec<Observed>,
    /// Calls through which threads wait for each other, in order, and at what: a process and an address.
    pub(crate) meetings: Vec<(CallId, (ProcessId, u64))>,
    pub(crate) limits: Limits,
}

impl Plan {
    /// How many calls.
    #[must_use]
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// Whether there is no call.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// How many threads, of all processes.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads.len()
    }

    /// How many processes.
    #[must_use]
    pub fn processes(&self) -> usize {
        self.processes as usize
    }

    /// How many distinct paths.
    #[must_use]
    pub fn distinct_paths(&self) -> usize {
        self.paths.len()
    }

    /// What a call did.
    #[must_use]
    pub fn op(&self, id: CallId) -> Option<&Op> {
        self.calls.get(id.index()).map(|call| &call.op)
    }

    /// The thread that made a call.
    #[must_use]
    pub fn thread_of(&self, id: CallId) -> Option<ThreadId> {
        self.calls.get(id.index()).map(|call| call.thread)
    }

    /// Where a call waits for other threads or lets them go, if that is known.
    pub(crate) fn meeting_of(&self, id: CallId) -> Option<(ProcessId, u64)> {
        let place = self.meetings.binary_search_by_key(&id, |(call, _)| *call).ok()?;
        Some(self.meetings[place].1)
    }

    /// The bytes of a path.
    #[must_use]
    pub fn path(&self, id: PathId) -> &[u8] {
        self.paths.bytes(id)
    }

    /// What the log says of a call.
    #[must_use]
    pub fn recorded(&self, id: CallId) -> Option<Recorded> {
        let call = self.calls.get(id.index())?;
        Some(Recorded {
            span: (call.start_ns != Call::NO_TIME)
                .then_some(Span { start_ns: call.start_ns, end_ns: call.end_ns }),
            ret: (call.ret != Call::NO_RETURN).then_some(call.ret),
            stat: self.stats.get(call.stat as usize).copied().unwrap_or_default(),
        })
    }

    /// All calls, in the order of the log.
    pub fn call_ids(&self) -> impl ExactSizeIterator<Item = CallId> + use<> {
        (0..self.calls.len() as u32).map(CallId)
    }
}
