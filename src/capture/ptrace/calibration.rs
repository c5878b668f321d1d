//! What a call costs under this backend.

use std::io;

use super::super::calibration::calibrate_by;
use super::super::sys::clock::monotonic_ns;
use super::recording::{Begin, Options, Pin, record_from};
use crate::log::Calibration;

/// Traces `calls` calls of getppid(2) in a child. `pin`: as the command is traced while it is one thread
/// ([`super`]).
pub fn calibrate(calls: u64, pin: bool) -> io::Result<Calibration> {
    calibrate_by(calls, |child, go, mut sink| {
        // The child ends with us.
        let pin = if pin { Pin::Unguarded } else { Pin::No };
        let options = Options { pin, origin_ns: monotonic_ns(), follow: true, ..Options::default() };
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
