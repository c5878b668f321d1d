//! The ways of making the calls, as a caller names them.

use std::fmt;
use std::io;
use std::sync::Arc;

use super::Engine;
use super::chains::Chains;
use super::divided::{Started, Woken};
use super::fewer::{Fewer, Without};
use super::memo::Memo;
use super::relative::Relative;
use super::ring_one::RingOne;
use super::ring_waves::{Into, RingWaves};
use super::serial::Serial;
use super::thinking::Thinking;
use super::threads::Threads;
use super::tokio_blocking::TokioBlocking;
use super::tokio_uring::TokioUring;
use crate::graph::{Graph, Lookahead};
use crate::program::Program;
use crate::sys::tuning::Tuning;

/// A way of making the recorded calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// Not at all: the ceiling.
    Free,
    /// Plain calls in log order, as fast as possible: the baseline.
    Serial,
    /// Plain calls in log order with the program's pauses between them, during which the caches are used for
    /// something else (`disturb`) or left alone. Only where the log has times.
    Thinking {
        /// Whether pauses evict what the kernel has in the caches.
        disturb: bool,
    },
    /// Plain calls from so many threads: the control.
    Threads {
        /// How many.
        threads: u32,
        /// How far a thread of the program may be ahead of itself.
        lookahead: Lookahead,
    },
    /// Plain calls from so many threads of which each is given its part beforehand, as a program is written that knows its
    /// calls.
    Divided {
        /// How many.
        threads: u32,
        /// They are started for it and joined; else they are there, and are woken.
        started: bool,
    },
    /// A ring, one operation at a time.
    RingOne,
    /// A ring with all that may run at once.
    Ring {
        /// Operations in flight.
        depth: u32,
        /// How far a thread of the program may be ahead of itself.
        lookahead: Lookahead,
    },
    /// A ring with all that may run at once, set up otherwise.
    Tuned {
        /// What is otherwise.
        tuning: Tuning,
        /// Operations in flight.
        depth: u32,
        /// How far a thread of the program may be ahead of itself.
        lookahead: Lookahead,
    },
    /// A ring for what the kernel does at once, plain calls for the rest.
    Hybrid {
        /// Operations in flight.
        depth: u32,
        /// How far a thread of the program may be ahead of itself.
        lookahead: Lookahead,
    },
    /// A ring with linked chains: open, read and close of a file as one, without a descriptor.
    Chains {
        /// Operations in flight.
        depth: u32,
        /// How far a thread of the program may be ahead of itself.
        lookahead: Lookahead,
    },
    /// Plain calls in log order, each lookup made once.
    Memo {
        /// Names that are not there are answered from one listing of their directory, too.
        listings: bool,
    },
    /// Plain calls in log order, without some that change nothing a later call sees.
    Fewer(Without),
    /// Plain calls in log order, names looked up from directories that are held open.
    Relative,
    /// Tokio-uring, a task for each chain of calls.
    TokioUring {
        /// Entries of its ring.
        depth: u32,
        /// How far a thread of the program may be ahead of itself.
        lookahead: Lookahead,
    },
    /// Tokio's pool of blocking threads, one task a call.
    TokioBlocking {
        /// How far a thread of the program may be ahead of itself.
        lookahead: Lookahead,
    },
}

impl Strategy {
    /// Whether it needs `io_uring`.
    #[must_use]
    pub const fn needs_ring(self) -> bool {
        match self {
            Self::RingOne
            | Self::Ring { .. }
            | Self::Tuned { .. }
            | Self::Hybrid { .. }
            | Self::Chains { .. }
            | Self::TokioUring { .. } => true,
            Self::Free
            | Self::Serial
            | Self::Thinking { .. }
            | Self::Threads { .. }
            | Self::Divided { .. }
            | Self::Memo { .. }
            | Self::Fewer(_)
            | Self::Relative
            | Self::TokioBlocking { .. } => false,
        }
    }

    /// Whether it may do calls in another order than the program; then it is a bound, for a program does not know
    /// its future.
    #[must_use]
    pub fn lookahead(self) -> Lookahead {
        match self {
            Self::Threads { lookahead, .. }
            | Self::TokioBlocking { lookahead }
            | Self::Ring { lookahead, .. }
            | Self::Tuned { lookahead, .. }
            | Self::Hybrid { lookahead, .. }
            | Self::Chains { lookahead, .. }
            | Self::TokioUring { lookahead, .. } => lookahead,
            Self::Divided { .. } => Lookahead::ALL,
            _ => Lookahead::FAITHFUL,
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Free => f.write_str("free"),
            Self::Serial => f.write_str("serial"),
            Self::Thinking { disturb: false } => f.write_str("serial, think time"),
            Self::Thinking { disturb: true } => f.write_str("serial, think time, caches disturbed"),
            Self::Threads { threads, lookahead } => write!(f, "{threads} threads, lookahead {lookahead}"),
            Self::Divided { threads, started: true } => write!(f, "{threads} threads, started for it"),
            Self::Divided { threads, started: false } => write!(f, "{threads} threads, woken for it"),
            Self::RingOne => f.write_str("ring, depth 1"),
            Self::Ring { depth, lookahead } => write!(f, "ring, depth {depth}, lookahead {lookahead}"),
            Self::Tuned { tuning, depth, lookahead } => {
                write!(f, "ring, {tuning}, depth {depth}, lookahead {lookahead}")
            }
            Self::Hybrid { depth, lookahead } => write!(f, "hybrid, depth {depth}, lookahead {lookahead}"),
            Self::Chains { depth, lookahead } => write!(f, "chains, depth {depth}, lookahead {lookahead}"),
            Self::Memo { listings: false } => f.write_str("each lookup once"),
            Self::Memo { listings: true } => f.write_str("each lookup once, misses from listings"),
            Self::Fewer(without) => without.fmt(f),
            Self::Relative => f.write_str("serial, names from open directories"),
            Self::TokioUring { depth, lookahead } => {
                write!(f, "tokio-uring, depth {depth}, lookahead {lookahead}")
            }
            Self::TokioBlocking { lookahead } => write!(f, "tokio spawn_blocking, lookahead {lookahead}"),
        }
    }
}

/// What engines are made from.
pub(crate) struct Kit<'a> {
    pub(crate) program: &'a Arc<Program>,
    /// A graph for a lookahead, made when it is first asked for.
    pub(crate) graph: &'a mut dyn FnMut(Lookahead) -> Arc<Graph>,
    /// Files can share blocks where the program makes its own.
    pub(crate) shares_blocks: bool,
    /// The pauses before each step, where the log has times.
    pub(crate) think: Option<&'a [u64]>,
}

/// The engine of a strategy; `None` for one that runs nothing, or that needs times which the log has not.
pub(crate) fn make(strategy: Strategy, kit: &mut Kit) -> io::Result<Option<Box<dyn Engine>>> {
    let program = kit.program;
    Ok(Some(match strategy {
        Strategy::Free => return Ok(None),
        Strategy::Serial => Box::new(Serial::new(program)),
        Strategy::Thinking { disturb } => match kit.think {
            Some(think) => Box::new(Thinking::new(program, think, disturb)),
            None => return Ok(None),
        },
        Strategy::Threads { threads, lookahead } => {
            Box::new(Threads::new((kit.graph)(lookahead), program.room(), threads)?)
        }
        Strategy::Divided { threads, started } => {
            let graph = (kit.graph)(Lookahead::ALL);
            if started {
                Box::new(Started::new(program, graph, threads))
            } else {
                Box::new(Woken::new(program, graph, threads)?)
            }
        }
        Strategy::Chains { depth, lookahead } => {
            Box::new(Chains::new(program, (kit.graph)(lookahead), depth)?)
        }
        // An answer holds only as long as nobody writes.
        Strategy::Memo { .. } if program.changes_files() => {
            return Err(io::Error::other("answers are not kept where files change"));
        }
        Strategy::Fewer(Without::CopiedBlocks) if !kit.shares_blocks => {
            return Err(io::Error::other("the scratch tree's file system has no reflinks (FICLONE)"));
        }
        Strategy::Fewer(without) => match Fewer::new(program, without) {
            Some(fewer) => Box::new(fewer),
            None => return Err(io::Error::other("the log has no such calls")),
        },
        Strategy::Relative => match Relative::new(program) {
            Some(relative) => Box::new(relative),
            None => return Err(io::Error::other("no directory is named twice")),
        },
        Strategy::Memo { listings } => Box::new(Memo::new(program, listings)),
        Strategy::TokioUring { depth, lookahead } => {
            Box::new(TokioUring::new(program, (kit.graph)(lookahead), depth)?)
        }
        Strategy::TokioBlocking { lookahead } => {
            Box::new(TokioBlocking::new((kit.graph)(lookahead), program.room())?)
        }
        Strategy::RingOne => Box::new(RingOne::new(program)?),
        Strategy::Ring { depth, lookahead } => {
            Box::new(RingWaves::new(program, (kit.graph)(lookahead), depth, Into::All)?)
        }
        Strategy::Tuned { tuning, depth, lookahead } => {
            Box::new(RingWaves::tuned(program, (kit.graph)(lookahead), depth, tuning)?)
        }
        Strategy::Hybrid { depth, lookahead } => {
            Box::new(RingWaves::new(program, (kit.graph)(lookahead), depth, Into::Inline)?)
        }
    }))
}
