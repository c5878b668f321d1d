//! Strategies 7 to 10: the knobs of a ring, each turned by itself, on the ring that takes all that is ready.

use std::fmt;

/// What is set otherwise than a plain ring has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tuning {
    /// Every operation goes to a worker thread at once (`IOSQE_ASYNC`), without a try to do it at once.
    Async,
    /// A thread of the kernel looks for operations (`IORING_SETUP_SQPOLL`). Its CPU time, while it looks, is the process's.
    Polled,
    /// No more worker threads than this (`IORING_REGISTER_IOWQ_MAX_WORKERS`).
    Workers(u32),
    /// Completions are worked off when they are waited for (`IORING_SETUP_DEFER_TASKRUN`, `IORING_SETUP_SINGLE_ISSUER`).
    Deferred,
    /// The process is not interrupted for completions (`IORING_SETUP_COOP_TASKRUN`).
    Cooperative,
}

impl Tuning {
    /// All that are compared.
    pub const ALL: [Self; 8] = [
        Self::Async,
        Self::Polled,
        Self::Workers(1),
        Self::Workers(2),
        Self::Workers(4),
        Self::Workers(8),
        Self::Deferred,
        Self::Cooperative,
    ];
}

impl fmt::Display for Tuning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Async => f.write_str("all to workers"),
            Self::Polled => f.write_str("polled"),
            Self::Workers(1) => f.write_str("1 worker"),
            Self::Workers(workers) => write!(f, "{workers} workers"),
            Self::Deferred => f.write_str("deferred"),
            Self::Cooperative => f.write_str("cooperative"),
        }
    }
}
