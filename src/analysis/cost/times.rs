//! What can be shown of how long calls took.

use serde::Serialize;

use super::{GROUP_DIGITS, Model, Quality, Stop};
use crate::analysis::durations::{Bucket, Durations, Log2};
use crate::log::Header;

/// The times of some calls, as far as they can be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Times {
    /// Median cost: true, or the median duration less the stop; `None` where costs are unknown.
    pub median_ns: Option<u64>,
    /// 90th percentile; tails are shown only where costs are true.
    pub p90_ns: Option<u64>,
    /// 99th percentile, likewise.
    pub p99_ns: Option<u64>,
    /// Longest, likewise.
    pub max_ns: Option<u64>,
    /// Durations as the backend saw them, by power of two: under ptrace with the tracer's stops and
    /// jitter in them, to be held beside those of the null call.
    pub log2: Vec<Bucket>,
}

/// A call that does nothing, traced: what the tracer alone makes of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NullCall {
    /// Its name.
    pub call: String,
    /// How many were made.
    pub calls: u64,
    /// Its median duration, traced.
    pub p50_ns: u64,
    /// 99th percentile.
    pub p99_ns: u64,
    /// What one costs untraced.
    pub untraced_ns: u64,
    /// Its durations by power of two.
    pub log2: Vec<Bucket>,
}

impl NullCall {
    /// That of a log, if it was calibrated.
    #[must_use]
    pub fn of(header: &Header) -> Option<Self> {
        let null = header.calibration.as_ref().filter(|null| null.calls > 0)?;
        let mut log2 = Log2::default();
        null.histogram.iter().for_each(|&(ns, calls)| log2.record(ns, calls));
        Some(Self {
            call: null.call.clone(),
            calls: null.calls,
            p50_ns: null.p50_ns,
            p99_ns: null.p99_ns,
            untraced_ns: null.untraced_ns,
            log2: log2.finish(),
        })
    }
}

impl Model {
    /// What can be shown of the durations of some calls. Each part comes with what its stop adds.
    #[must_use]
    pub fn times<'a>(&self, parts: impl Iterator<Item = (&'a Durations, Stop)>) -> Times {
        let (mut costs, mut seen) =
            (Durations::with_digits(GROUP_DIGITS), Durations::with_digits(GROUP_DIGITS));
        for (durations, stop) in parts {
            costs.merge_less(durations, stop.duration_ns);
            seen.merge_less(durations, 0);
        }
        let (Some(costs), Some(seen)) = (costs.finish(), seen.finish()) else { return Times::default() };
        let tail = |ns: u64| Some(ns).filter(|_| self.quality.is_measured());
        Times {
            median_ns: match self.quality {
                Quality::True | Quality::Replayed => Some(costs.p50_ns),
                Quality::Estimated => Some(costs.p50_ns.max(self.null_ns)),
                Quality::Unknown => None,
            },
            p90_ns: tail(costs.p90_ns),
            p99_ns: tail(costs.p99_ns),
            max_ns: tail(costs.max_ns),
            log2: seen.log2,
        }
    }
}
