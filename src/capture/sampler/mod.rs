//! Samples of where programs spend CPU time: `perf_event_open(2)`, some hundreds to thousands of times a second.
//!
//! ```text
//!   kernel: one counter a CPU, inherited by children ─ ring ┐
//!                                                    ─ ring ┴─ take: by time, unwound ─> name: frames ─> events
//! ```
//!
//! The counters are the kernel's CPU clock, which every machine has, virtual ones without a PMU too. Each sample holds
//! the user registers and the top of the stack, from which `stacks` unwinds, and the kernel's own call chain. The
//! rings are emptied by a thread of the recorder's that nothing wakes: the sampled program does not pay for it. Another
//! thread finds names, which can take a while where a program has much debug information. A mapping's file is opened as soon as it is heard of, so that names are found though its process has ended.

mod cost;
mod counters;
mod name;
mod processes;
mod take;
mod wakes;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use serde::Serialize;

use super::sys::clock::monotonic_ns;
use crate::event::{Event, Kind};
use counters::Counters;
use name::Namer;
use take::Taker;

/// Most samples a second that the kernel takes, as it is set now.
#[must_use]
pub fn most_a_second() -> Option<u32> {
    counters::most_a_second()
}

/// Whether the kernel takes so many samples a second, for who we are now: by asking for some. True: in user mode only.
///
/// # Errors
/// Why not.
pub fn check(hz: u32) -> Result<bool, SampleError> {
    Counters::check(hz)
}

/// How long a sample at such a rate holds up the program that is sampled, in nanoseconds: measured on a thread of ours, which
/// takes some milliseconds. `None`: not known.
#[must_use]
pub fn cost_ns(hz: u32) -> Option<u64> {
    cost::measure(hz)
}

/// Why there are no samples.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// The kernel does not permit it.
    #[error(
        "perf events are not permitted here ({source}): `sysctl kernel.perf_event_paranoid=1`, root or CAP_PERFMON permits \
         them (now it is {paranoid}), where no seccomp filter is in the way"
    )]
    Forbidden {
        /// What the kernel said.
        source: io::Error,
        /// `kernel.perf_event_paranoid`.
        paranoid: String,
    },
    /// More samples a second than the kernel takes.
    #[error("{wanted} samples a second are too many: kernel.perf_event_max_sample_rate is {most}")]
    Rate {
        /// Asked for.
        wanted: u32,
        /// The kernel's limit.
        most: u32,
    },
    /// Something else.
    #[error("CPU samples cannot be taken: {0}")]
    Other(#[from] io::Error),
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sampled {
    /// Samples recorded.
    pub samples: u64,
    /// Samples and other records that the kernel had no room for.
    pub lost: u64,
    /// Times at which the kernel took fewer samples than asked for.
    pub throttled: u64,
    /// Threads that could not be sampled, because they are under seccomp filters of their own.
    pub confined: u64,
    /// Threads of which the kernel took none any more, because they executed a program that may not be read, or a set-user-ID
    /// one. Those that end within milliseconds may not be among them.
    pub hidden: u32,
    /// The CPU time in user mode that they stand for, in nanoseconds, where ptrace took them.
    pub user_ns: Option<u64>,
    /// Frames of the kernel are missing: they are not permitted, or were not taken.
    pub user_only: bool,
    /// Taking them ended early, by a fault of ours: nobody knows how many are missing.
    pub broken: bool,
}

/// Counters that wait for a process to execute its program.
#[derive(Debug)]
pub struct Sampler {
    counters: Counters,
    hz: u32,
}

impl Sampler {
    /// Attaches to a process that is to execute a program: from then on it and its children are sampled.
    ///
    /// # Errors
    /// Where the kernel does not permit it, with what would.
    pub fn attach(pid: i32, hz: u32) -> Result<Self, SampleError> {
        Ok(Self { counters: Counters::open(pid, hz)?, hz })
    }

    /// Starts to take samples in. `push` gets them as events, and those that define their stacks, at times of the log
    /// that begins at `origin_ns`.
    ///
    /// # Errors
    /// Where no thread can be made.
    pub fn start<F: FnMut(&Event<'_>) + Send + 'static>(
        self,
        origin_ns: u64,
        push: F,
    ) -> io::Result<Sampling<F>> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let user_only = self.counters.user_only();
        let (namer, found) = sync_channel(BACKLOG);
        let taker = thread("trace-samples", move || {
            Taker::new(self.counters, self.hz, origin_ns, namer).run(&stopped)
        })?;
        // Made second, and ended by the end of the first.
        let namer = thread("trace-names", move || Namer::new(push).run(&found))?;
        Ok(Sampling { stop, taker: Some(taker), namer: Some(namer), origin_ns, user_only })
    }
}

/// Samples that may wait for their names.
const BACKLOG: usize = 1 << 15;

/// A thread that signals are not for.
fn thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(|| {
        let _ = nix::sys::signal::SigSet::all().thread_block();
        work()
    })
}

/// Samples are being taken in.
#[derive(Debug)]
pub struct Sampling<F> {
    stop: Arc<AtomicBool>,
    taker: Option<JoinHandle<Sampled>>,
    namer: Option<JoinHandle<(u64, F)>>,
    origin_ns: u64,
    user_only: bool,
}

impl<F: FnMut(&Event<'_>)> Sampling<F> {
    /// Takes in what is left, and ends. What the kernel lost is pushed as the last event; that taking them broke is for the
    /// caller to record, since there may be nothing left to push by.
    #[must_use]
    pub fn finish(mut self) -> Sampled {
        let (sampled, named) = self.end();
        let Some((count, mut push)) = named else { return Sampled { broken: true, ..Sampled::default() } };
        let sampled = sampled.unwrap_or(Sampled { broken: true, ..Sampled::default() });
        if sampled.lost > 0 && !sampled.broken {
            let at_ns = monotonic_ns().saturating_sub(self.origin_ns);
            let lost = Event {
                text: Some(LOST.as_bytes()),
                ret: i64::try_from(sampled.lost).ok(),
                start_ns: at_ns,
                end_ns: Some(at_ns),
                ..Event::new(Kind::Lost)
            };
            push(&lost);
        }
        Sampled { samples: count, user_only: self.user_only, ..sampled }
    }
}

/// What samples that are missing are called in the log.
pub const LOST: &str = "CPU samples";

impl<F> Sampling<F> {
    /// What came of taking them, and of naming them; `None`: it broke.
    fn end(&mut self) -> (Option<Sampled>, Option<(u64, F)>) {
        self.stop.store(true, Ordering::Release);
        let sampled = self.taker.take().and_then(|thread| thread.join().ok());
        let named = self.namer.take().and_then(|thread| thread.join().ok());
        (sampled, named)
    }
}

impl<F> Drop for Sampling<F> {
    fn drop(&mut self) {
        self.end();
    }
}
