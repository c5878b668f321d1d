//! Producing events: backends, and launching the command they record.
//!
//! # The contract of every backend
//! 1. It records from the command's first instruction to its last process's exit (or its first
//!    process's, by option): fork, vfork, clone, clone3, threads, exec from any thread.
//! 2. Every system call once, entry paired with exit; interrupted and restarted calls told apart; a call
//!    that never returns is marked by the absence of `ret`.
//! 3. The traced program behaves as it does untraced, its timing aside. What a backend cannot keep alike
//!    is listed in `docs/limitations.md`, warned of, and marked in the log.
//! 4. Paths are those the kernel used. A read that fails is a flag of the event, not an abort.
//! 5. Nothing is lost silently: what was lost is counted in the log.
//! 6. The tracer's death leaves no stopped process, no changed affinity, no filter that breaks calls.
//! 7. What a traced call costs is measured before the command starts, and stored in the log.

mod attaching;
mod calibration;
mod decode;
pub mod ebpf;
pub mod filter;
pub mod host;
mod intervention;
pub mod launch;
mod netlink;
mod others;
pub mod ptrace;
pub mod ready;
pub mod sampler;
pub mod select;
mod stacks;
pub mod stdio;
mod sys;
pub mod temporary;
pub mod untraced;

use std::process::ExitStatus;

use self::sampler::Sampled;
use crate::event::Event;
pub use attaching::AttachError;
pub use intervention::{Intervention, Poke, PokeError};
pub use stacks::Wanted as StackFrames;
pub use sys::between::BetweenRuns;
pub use sys::signals::Interruptible;

/// Where a backend puts its events.
pub trait Sink {
    /// Takes one event. Called in order of completion; must be cheap, and must not fail: what cannot be
    /// stored is for the sink to count and to report at its end.
    fn push(&mut self, event: &Event<'_>);

    /// A thread enters a call: what is to be done to it. Only the ptrace backend asks, since it alone is there when a call
    /// begins.
    fn intervention(&mut self, _event: &Event<'_>) -> Intervention {
        Intervention::default()
    }

    /// A thread enters a call, of which there is no result yet; what was to be done to its arguments is done.
    fn entered(&mut self, _event: &Event<'_>) {}

    /// A part of what was to be done to the call that this thread is in could not be done.
    fn not_poked(&mut self, _tid: u32, _error: PokeError) {}

    /// A thread has stopped, and its process has spent so much time in the kernel. Only where that is asked for.
    fn used(&mut self, _tid: u32, _system_ns: u64) {}

    /// A thread's process was stopped by the signal `event.nr`.
    fn stopped(&mut self, _event: &Event<'_>) {}

    /// A thread is about to go on untraced, inside a call or not. Only the ptrace backend tells.
    fn lets_go(&mut self, _tid: u32) {}

    /// A process that nobody is known to have made has stopped, and goes on untraced, or has ended. Only the ptrace backend
    /// tells, where children are not followed.
    fn unknown(&mut self, _pid: u32, _has_ended: bool) {}

    /// A process or thread that was to be attached to is, with so many threads. Only the ptrace backend tells.
    fn attached(&mut self, _pid: u32, _threads: usize) {}

    /// One of several processes cannot be attached to, and the others are. Only where that is asked for.
    fn not_attached(&mut self, _error: &AttachError) {}

    /// The command's first process has ended a while ago, and the recording goes on for these processes. At
    /// most once.
    fn waits_for(&mut self, _pids: &[i32]) {}

    /// Whether what was to be recorded is recorded: asked after each event and when the wait for one is
    /// interrupted; who still runs is let go on untraced.
    fn wants_end(&self) -> bool {
        false
    }
}

impl<F: FnMut(&Event<'_>)> Sink for F {
    fn push(&mut self, event: &Event<'_>) {
        self(event);
    }
}

/// What a recording came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How the command's first process ended.
    pub status: ExitStatus,
    /// What was not as it would be untraced, for the user to know: names of [`crate::event::mark`].
    pub warnings: Vec<&'static str>,
    /// Processes and threads seen.
    pub threads: u64,
    /// Events known to be lost; they are counted in the recording too.
    pub lost: u64,
    /// Whether the tree ever ran on more than one CPU, see [`ptrace`].
    pub parallel: bool,
    /// What asked for an end of the recording, if anything did.
    pub interruption: Option<Interruption>,
    /// CPU samples that the backend itself has taken; `None`: none were wanted.
    pub sampled: Option<Sampled>,
}

/// A signal to `trace` that asked for an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interruption {
    /// Which one.
    pub signal: i32,
    /// The command's first process had ended by then: only others were let go on untraced.
    pub after_leader: bool,
}

/// `CLOCK_MONOTONIC` in nanoseconds: the clock of every event.
#[must_use]
pub fn monotonic_ns() -> u64 {
    sys::clock::monotonic_ns()
}

/// How far the local time is ahead of UTC now, in seconds.
#[must_use]
pub fn local_offset_s() -> i64 {
    sys::clock::local_offset_s()
}

/// Nanoseconds since the epoch.
#[must_use]
pub fn realtime_ns() -> u64 {
    sys::clock::realtime_ns()
}
