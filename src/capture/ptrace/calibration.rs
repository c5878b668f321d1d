//! What a traced call costs on this machine: the duration this backend reports for a call that does
//! nothing, as a distribution.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use hdrhistogram::Histogram;

use super::super::sys::clock::monotonic_ns;
use super::super::sys::process::{fork_child, null_call};
use super::super::sys::shared::Shared;
use super::session::{Begin, Options, record_from};
use crate::event::Event;
use crate::log::Calibration;

/// Calls that are made but not counted: caches and branch predictors are cold.
const WARM_UP: u64 = 30;
/// Untraced calls whose mean is the call's own cost.
const UNTRACED: u64 = 2000;
/// Longest duration told apart, in nanoseconds; longer ones count as this.
const LONGEST_NS: u64 = 10_000_000_000;

/// What the child and the tracer tell each other.
const GO: usize = 0;
const ELAPSED: usize = 1;

/// Traces `calls` calls of getppid(2) in a child. `pin`: as the command is traced while it is one thread
/// ([`super`]).
pub fn calibrate(calls: u64, pin: bool) -> io::Result<Calibration> {
    let shared = Shared::<[AtomicU64; 2]>::zeroed()?;
    let total = WARM_UP + calls;
    let child = fork_child(|| {
        while shared[GO].load(Ordering::Acquire) == 0 {
            std::hint::spin_loop();
        }
        (0..WARM_UP).for_each(|_| null_call());
        let begin = monotonic_ns();
        (0..calls).for_each(|_| null_call());
        shared[ELAPSED].store(monotonic_ns() - begin, Ordering::Release);
    })?;
    let mut seen = 0;
    let mut durations = histogram()?;
    let mut sink = |event: &Event<'_>| {
        if i64::from(event.nr) == libc::SYS_getppid && event.ret.is_some() {
            seen += 1;
            if (WARM_UP..total).contains(&(seen - 1)) {
                durations.saturating_record(event.duration_ns().unwrap_or(0));
            }
        }
    };
    let go = || {
        shared[GO].store(1, Ordering::Release);
        Ok(())
    };
    let options = Options { leader_only: false, pin, origin_ns: monotonic_ns() };
    record_from(Begin::AtOnce, child, go, &mut sink, options)?;
    let untraced_ns = untraced_ns();
    let elapsed_ns = shared[ELAPSED].load(Ordering::Acquire);
    let added_ns = (elapsed_ns / calls.max(1)).saturating_sub(untraced_ns);
    Ok(summary(&durations, untraced_ns, added_ns))
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

fn summary(durations: &Histogram<u64>, untraced_ns: u64, added_ns: u64) -> Calibration {
    Calibration {
        call: "getppid".to_owned(),
        calls: durations.len(),
        untraced_ns,
        added_ns,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_is_counted_and_costs_something() {
        for pin in [true, false] {
            let calibration = calibrate(100, pin).expect("ptrace works here");
            assert_eq!(calibration.calls, 100);
            assert_eq!(calibration.histogram.iter().map(|(_, calls)| calls).sum::<u64>(), 100);
            assert!(calibration.p50_ns > 0 && calibration.p50_ns <= calibration.max_ns);
            assert!(calibration.added_ns > calibration.untraced_ns, "{calibration:?}");
        }
    }
}
