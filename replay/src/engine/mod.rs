//! Ways of running a program: one engine a file behind one trait.
//!
//! An engine executes every step, in an order that the graph allows, and keeps what came of each in the
//! [`Run`]. Whatever it needs (rings, threads, buffers) is made before time is taken.

mod chains;
mod divided;
mod fewer;
mod memo;
mod mock;
mod pollution;
mod ready;
mod relative;
mod ring_one;
mod ring_waves;
mod serial;
mod strategy;
#[cfg(test)]
mod tests;
mod thinking;
mod threads;
mod tokio_blocking;
mod tokio_uring;
mod units;
mod waves;
mod without_chmod;
mod without_copies;

use std::io;
use std::sync::Arc;

pub use crate::sys::tuning::Tuning;
#[cfg(test)]
pub(crate) use fewer::Fewer;
pub use fewer::Without;
#[cfg(test)]
pub(crate) use mock::Mock;
pub use strategy::Strategy;
pub(crate) use strategy::{Kit, make};

pub(crate) use memo::missed_directories;
pub(crate) use pollution::Pollution;
pub(crate) use serial::Serial;
pub(crate) use thinking::Thinking;

#[cfg(test)]
pub(crate) use without_copies::with_shared_blocks;

use crate::run::Run;

/// What an engine did, besides the results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// System calls made: plain ones and `io_uring_enter` (of tokio-uring only the plain ones are known).
    pub kernel_entries: u64,
    /// Operations given to a ring.
    pub submissions: u64,
    /// Operations of another kind than the recorded call, with the same answer: statx for access.
    pub stand_ins: u64,
    /// Chains of more than one operation.
    pub chains: u64,
    /// Calls not made, since an answer was kept.
    pub answered_from_memory: u64,
    /// Time within the calls, where the engine takes it by itself: thinking is not part of it.
    pub calls_ns: Option<u64>,
}

/// A way of running a program.
pub(crate) trait Engine {
    /// Gets ready for one run, before its time is taken.
    fn prepare(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Whether files have other numbers of names after a run than after the program: then only the names are verified.
    fn shares_files(&self) -> bool {
        false
    }

    /// Executes every step. The run is fresh, and is the one of the program that the engine was made for.
    fn run(&mut self, run: &Arc<Run>) -> io::Result<Counts>;
}
