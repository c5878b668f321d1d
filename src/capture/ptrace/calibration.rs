//! What a call costs under this backend.

use std::io;

use super::super::calibration::calibrate_by;
use super::super::sys::clock::monotonic_ns;
use super::recording::{Begin, Options, record_from};
use crate::log::Calibration;

/// Traces `calls` calls of getppid(2) in a child. `pin`: as the command is traced while it is one thread
/// ([`super`]).
pub fn calibrate(calls: u64, pin: bool) -> io::Result<Calibration> {
    calibrate_by(calls, |child, go, mut sink| {
        let origin_ns = monotonic_ns();
        let options = Options {
            leader_only: false,
            pin,
            origin_ns,
            until_ns: None,
            follow: true,
            keep: None,
            stacks: None,
            every_stack: false,
            sample: None,
            filtered: false,
            system_time: false,
            interruptible: None,
        };
        record_from(Begin::AtOnce, child, go, &mut sink, options).map(drop)
    })
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
