//! What a traced call costs on this machine: the duration that a backend reports for a call that does
//! nothing, as a distribution.

use std::io::{self, Read, Write};

use hdrhistogram::Histogram;

use super::Sink;
use super::sys::clock::monotonic_ns;
use super::sys::process::{
    Ending, close_standard_streams, end_with_parent, fork_child, kill, null_call, reap,
};
use crate::event::Event;
use crate::log::Calibration;

/// Calls that are made but not counted: caches and branch predictors are cold.
pub(super) const WARM_UP: u64 = 10;
/// Untraced calls whose mean is the call's own cost.
const UNTRACED: u64 = 100;
/// Longest duration told apart, in nanoseconds; longer ones count as this.
const LONGEST_NS: u64 = 10_000_000_000;

/// Lets the child go.
pub type Go<'a> = &'a mut dyn FnMut() -> io::Result<()>;

/// Measures so many calls of getppid(2) in a child: `record` is given the child, what lets it go, and where events go; it
/// records from the child's first call to its end.
pub fn calibrate_by(
    calls: u64,
    record: impl FnOnce(i32, Go<'_>, &mut dyn FnMut(&Event<'_>)) -> io::Result<()>,
) -> io::Result<Calibration> {
    // It waits asleep: one that spun would take the CPU from the watchdog or from us, for a time slice.
    let (waiting, mut starting) = io::pipe()?;
    let parent = std::process::id() as i32;
    let child = fork_child(Ending::Reported, || {
        end_with_parent(parent);
        close_standard_streams();
        while (&waiting).read(&mut [0]).is_err_and(|error| error.kind() == io::ErrorKind::Interrupted) {}
        (0..WARM_UP + calls).for_each(|_| null_call());
    })?;
    let mut seen = Seen::new(calls)?;
    let mut sink = |event: &Event<'_>| seen.push(event);
    let mut go = || starting.write_all(&[1]);
    if let Err(error) = record(child, &mut go, &mut sink) {
        kill(child, libc::SIGKILL);
        reap(child);
        return Err(error);
    }
    Ok(seen.summary())
}

/// The traced calls so far.
pub(super) struct Seen {
    calls: u64,
    /// How many count. The child may make one more, before it begins.
    wanted: u64,
    last_start_ns: u64,
    /// What the backend reports for each.
    durations: Histogram<u64>,
    /// From one call's start to the next one's. Their median, not the elapsed time, tells what a call adds:
    /// a preemption in the middle is no part of it.
    periods: Histogram<u64>,
}

impl Seen {
    pub(super) fn new(wanted: u64) -> io::Result<Self> {
        Ok(Self { calls: 0, wanted, last_start_ns: 0, durations: histogram()?, periods: histogram()? })
    }

    pub(super) fn summary(&self) -> Calibration {
        let durations = &self.durations;
        let untraced_ns = untraced_ns();
        Calibration {
            call: "getppid".to_owned(),
            calls: durations.len(),
            untraced_ns,
            added_ns: self.periods.value_at_quantile(0.5).saturating_sub(untraced_ns),
            mean_ns: durations.mean() as u64,
            p50_ns: durations.value_at_quantile(0.5),
            p90_ns: durations.value_at_quantile(0.9),
            p99_ns: durations.value_at_quantile(0.99),
            max_ns: durations.max(),
            histogram: durations
                .iter_recorded()
                .map(|step| (step.value_iterated_to(), step.count_since_last_iteration()))
                .collect(),
        }
    }
}

impl Sink for Seen {
    fn push(&mut self, event: &Event<'_>) {
        if i64::from(event.nr) != libc::SYS_getppid || event.ret.is_none() {
            return;
        }
        self.calls += 1;
        if self.calls > WARM_UP && self.durations.len() < self.wanted {
            self.durations.saturating_record(event.duration_ns().unwrap_or(0));
            self.periods.saturating_record(event.start_ns.saturating_sub(self.last_start_ns));
        }
        self.last_start_ns = event.start_ns;
    }

    fn wants_end(&self) -> bool {
        self.durations.len() >= self.wanted
    }
}

fn histogram() -> io::Result<Histogram<u64>> {
    Histogram::new_with_bounds(1, LONGEST_NS, 2).map_err(io::Error::other)
}

/// The call's own cost: a loop of it in this process.
fn untraced_ns() -> u64 {
    let begin = monotonic_ns();
    (0..UNTRACED).for_each(|_| null_call());
    (monotonic_ns() - begin) / UNTRACED
}
