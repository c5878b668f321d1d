//! How much a plan may ask for, and what is wrong with one that asks for more.
//!
//! A log is hostile input: every count and size is checked when it enters the plan, so that nothing
//! later has to.

/// The most bytes one call can transfer (`MAX_RW_COUNT` of the kernel: `INT_MAX` cut to a page).
pub const MAX_TRANSFER: u64 = 0x7fff_f000;

/// Upper bounds for what a plan holds.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Calls.
    pub calls: usize,
    /// Distinct paths, in bytes, all together.
    pub path_bytes: usize,
    /// Components of one path.
    pub path_depth: usize,
    /// Threads, and processes with them.
    pub threads: usize,
    /// Bytes that one call is said to have transferred; calls that transfer more are not replayed.
    pub transfer: u64,
    /// Descriptors copied by forks or looked at by execs, all together.
    pub copied_descriptors: usize,
}

impl Default for Limits {
    /// Room for the largest logs there are reasons to replay, in some gigabytes of memory.
    fn default() -> Self {
        Self {
            calls: 20_000_000,
            path_bytes: 1 << 30,
            path_depth: 1024,
            threads: 1_000_000,
            transfer: 64 << 20,
            copied_descriptors: 1 << 24,
        }
    }
}

/// Why a call or path is not taken into a plan. The plan is as it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// More calls than the limit.
    #[error("more than {0} calls: replay a part of the log")]
    TooManyCalls(usize),
    /// More threads than the limit.
    #[error("more than {0} threads: replay a part of the log")]
    TooManyThreads(usize),
    /// The paths together are too long.
    #[error("the distinct paths take more than {0} bytes: replay a part of the log")]
    TooManyPaths(usize),
    /// No kernel takes such a path (`PATH_MAX`).
    #[error("a path of {0} bytes: the kernel takes 4095")]
    PathTooLong(usize),
    /// A path has more components than the limit.
    #[error("a path of more than {0} components")]
    PathTooDeep(usize),
    /// No path has a NUL byte in it.
    #[error("a path with a NUL byte in it")]
    PathHasNul,
    /// A root or working directory that is not absolute.
    #[error("a directory to start from must be absolute")]
    NotAbsolute,
    /// A call is said to have transferred more than the kernel lets one, or more than it asked for.
    #[error("a call that is said to have transferred {0} bytes")]
    AbsurdTransfer(u64),
    /// A call that ended before it began.
    #[error("a call that ended before it began")]
    EndsBeforeItBegins,
    /// An id that this builder did not give out.
    #[error("a thread, process or path of another plan")]
    ForeignId,
    /// A call of a thread that has exited.
    #[error("a call of a thread after its exit")]
    AfterExit,
    /// A return value that is neither a result nor an errno.
    #[error("a return value of {0}")]
    AbsurdReturn(i64),
    /// Forks and execs had to do with more descriptors than the limit.
    #[error("forks and execs copy more than {0} descriptors: replay a part of the log")]
    TooManyDescriptors(usize),
}
