//! What a program with several threads takes when its calls take another time: its own threads, with their pauses,
//! scheduled on the machine's processors again.
//!
//! ```text
//! plan with times ──> timeline (work, calls, waits, and who ended each wait) ──> simulate ──> makespan
//! ```
//!
//! For one thread a call that is faster by a microsecond makes the program faster by one. Of several threads only the
//! longest chain counts, and where all processors are busy, what one thread saves another uses. So the calls' cost
//! is changed in the schedule, and the difference of the two makespans is what the program saves.
//!
//! What is assumed: a processor is shared equally among those who want it; who waits (futex, poll, pipe) is let go by the
//! last call in another thread that may do that, before the wait's end, and stays asleep for a fixed time if there is none.

mod simulate;
#[cfg(test)]
mod tests;
mod timeline;

use std::ops::Range;

use crate::plan::{CallId, Plan};

/// No item.
const NONE: u32 = u32::MAX;

/// What a thread does for a while.
#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    /// It uses a processor: its own work, and calls that are not replayed.
    Work,
    /// A replayed call.
    Call,
    /// It sleeps.
    Sleep,
}

/// A while of a thread.
#[derive(Clone, Copy, Debug)]
struct Item {
    what: What,
    /// How long; of work and calls, alone on a processor.
    ns: f64,
    /// It does not end before this item has ended, plus `lag_ns`.
    after: u32,
    lag_ns: f64,
}

/// The threads of a program with what they did, ready to be scheduled again.
#[derive(Debug)]
pub struct Schedule {
    /// Of each thread, its items: the first is the wait for being made.
    threads: Vec<Range<u32>>,
    items: Vec<Item>,
    cores: f64,
    logged_ns: f64,
}

/// What the replayed calls take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CallCost {
    /// So many times their time in the log.
    pub factor: f64,
    /// And so much more each, in nanoseconds.
    pub more_ns: f64,
    /// Processors that one uses meanwhile: more than one with helpers, less where it waits for a disk.
    pub cores: f64,
}

impl CallCost {
    /// As in the log.
    pub const LOGGED: Self = Self { factor: 1.0, more_ns: 0.0, cores: 1.0 };
}

impl Schedule {
    /// Of a plan whose calls have times, for a machine with so many processors. `None`: no times, or one thread, whose
    /// makespan is a sum.
    #[must_use]
    pub fn of(plan: &Plan, cores: usize, is_replayed: impl Fn(CallId) -> bool) -> Option<Self> {
        timeline::timeline(plan, cores.max(1), &is_replayed)
    }

    /// How many threads did something.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads.len()
    }

    /// Processors.
    #[must_use]
    pub fn cores(&self) -> usize {
        self.cores as usize
    }

    /// From the first call of the log to the last one's end, in nanoseconds.
    #[must_use]
    pub fn logged_ns(&self) -> f64 {
        self.logged_ns
    }

    /// From the beginning of the first thread to the end of the last, in nanoseconds, if calls cost this. `None`: the log
    /// contradicts itself, so that some thread waits for ever.
    #[must_use]
    pub fn makespan_ns(&self, cost: CallCost) -> Option<f64> {
        simulate::makespan(self, cost)
    }
}
