//! What a call costs under this backend.

use std::io;

use super::super::calibration::{Seen, WARM_UP, calibrate_by};
use super::super::sys::clock::monotonic_ns;
use super::held::Held;
use super::recording::{Options, Pin, record_at_once};
use crate::log::Calibration;

/// Traces `calls` calls of getppid(2) in a child. `pin`: as the command is traced while it is one thread
/// ([`super`]).
pub fn calibrate(calls: u64, pin: bool) -> io::Result<Calibration> {
    calibrate_by(calls, |child, go, mut sink| {
        // The child ends with us.
        let pin = if pin { Pin::Unguarded } else { Pin::No };
        let options = Options { pin, origin_ns: monotonic_ns(), follow: true, ..Options::default() };
        record_at_once(child, go, &mut sink, options).map(drop)
    })
}

/// The same with a process of ours that is held and makes [`null_calls`] once it is told to `start`.
///
/// # Errors
/// When it ends before, and when the kernel refuses a request that it never should.
pub fn calibrate_held(
    held: Held,
    calls: u64,
    start: impl FnOnce() -> io::Result<()>,
) -> io::Result<(Held, Calibration)> {
    let mut seen = Seen::new(calls)?;
    let options = Options { origin_ns: monotonic_ns(), follow: true, ..Options::default() };
    let held = held.trace_until_wanted(start, &mut seen, options)?;
    Ok((held, seen.summary()))
}

/// How many calls a process has to make so that `calls` count.
#[must_use]
pub fn null_calls(calls: u64) -> u64 {
    WARM_UP + calls
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
