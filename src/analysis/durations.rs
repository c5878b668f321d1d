//! How long calls took, as a distribution in bounded memory.

use hdrhistogram::Histogram;
use serde::Serialize;

/// Durations kept one by one before a histogram takes over (the histogram costs about 8 KB).
const FEW: usize = 512;
/// Significant decimal digits of a histogram that belongs to one row of many.
const ROW_DIGITS: u8 = 2;
/// Longest duration told apart: an hour; longer ones count as this.
const LONGEST_NS: u64 = 3_600_000_000_000;

/// A distribution of durations in nanoseconds.
///
/// The first few are kept exactly; after that an HDR histogram (Gil Tene's, the crate
/// `hdrhistogram`) keeps the given number of significant digits, in memory that does not grow with
/// the number of calls.
#[derive(Debug, Clone)]
pub struct Durations {
    few: Vec<u64>,
    many: Option<Box<Histogram<u64>>>,
    digits: u8,
}

impl Default for Durations {
    fn default() -> Self {
        Self::with_digits(ROW_DIGITS)
    }
}

impl Durations {
    /// An empty distribution that keeps this many significant digits (1 to 5).
    #[must_use]
    pub fn with_digits(digits: u8) -> Self {
        Self { few: Vec::new(), many: None, digits }
    }

    /// Adds one.
    pub fn record(&mut self, duration_ns: u64) {
        self.record_many(duration_ns, 1);
    }

    /// Adds several of the same length.
    pub fn record_many(&mut self, duration_ns: u64, times: u64) {
        let duration_ns = duration_ns.min(LONGEST_NS);
        if let Some(many) = &mut self.many {
            put(many, duration_ns, times);
        } else if self.few.len() as u64 + times <= FEW as u64 {
            self.few.extend(std::iter::repeat_n(duration_ns, times as usize));
        } else {
            put(self.histogram(), duration_ns, times);
        }
    }

    /// Adds all of another distribution.
    pub fn merge(&mut self, other: &Self) {
        self.merge_less(other, 0);
    }

    /// Adds all of another distribution, each made shorter by the same time (never below nothing).
    pub fn merge_less(&mut self, other: &Self, less_ns: u64) {
        if let Some(many) = &other.many {
            for step in many.iter_recorded() {
                let duration_ns = step.value_iterated_to().saturating_sub(less_ns);
                self.record_many(duration_ns, step.count_since_last_iteration());
            }
        }
        for &duration in &other.few {
            self.record(duration.saturating_sub(less_ns));
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.many.as_ref().map_or(self.few.len() as u64, |many| many.len())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The shortest duration that at least this share (0 to 1) of all do not exceed; 0 if there are none.
    pub fn quantile(&mut self, share: f64) -> u64 {
        if let Some(many) = &self.many {
            return many.value_at_quantile(share);
        }
        self.few.sort_unstable();
        let rank = (share * self.few.len() as f64).ceil() as usize;
        self.few.get(rank.max(1) - 1).or(self.few.last()).copied().unwrap_or(0)
    }

    /// The distribution as a plain value; `None` if it is empty.
    pub fn finish(&mut self) -> Option<Distribution> {
        if self.is_empty() {
            return None;
        }
        Some(Distribution {
            p50_ns: self.quantile(0.5),
            p90_ns: self.quantile(0.9),
            p99_ns: self.quantile(0.99),
            max_ns: self.quantile(1.0),
            log2: self.log2(),
        })
    }

    fn log2(&self) -> Vec<Bucket> {
        let mut buckets = Log2::default();
        for &duration in &self.few {
            buckets.record(duration, 1);
        }
        if let Some(many) = &self.many {
            for step in many.iter_recorded() {
                buckets.record(step.value_iterated_to(), step.count_since_last_iteration());
            }
        }
        buckets.finish()
    }

    /// Moves what is kept one by one into a histogram.
    fn histogram(&mut self) -> &mut Histogram<u64> {
        let few = std::mem::take(&mut self.few);
        let digits = self.digits;
        self.many.get_or_insert_with(|| {
            let mut many = Histogram::new(digits).expect("1 to 5 significant digits are always valid");
            for duration in few {
                put(&mut many, duration, 1);
            }
            Box::new(many)
        })
    }
}

/// Records in a histogram that grows to hold the value.
fn put(many: &mut Histogram<u64>, duration_ns: u64, times: u64) {
    if many.record_n(duration_ns, times).is_err() {
        many.saturating_record_n(duration_ns, times);
    }
}

/// Percentiles and shape of a distribution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Distribution {
    /// Median.
    pub p50_ns: u64,
    /// 90th percentile.
    pub p90_ns: u64,
    /// 99th percentile.
    pub p99_ns: u64,
    /// Longest.
    pub max_ns: u64,
    /// Calls by power of two, empty powers between the first and the last included.
    pub log2: Vec<Bucket>,
}

/// One power of two of a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bucket {
    /// Durations from this one (0 for the first power) to just below twice this one.
    pub from_ns: u64,
    /// How many calls.
    pub calls: u64,
}

/// Counts by power of two.
#[derive(Debug, Default)]
pub struct Log2 {
    counts: Vec<u64>,
}

impl Log2 {
    /// Adds calls of one duration.
    pub fn record(&mut self, duration_ns: u64, times: u64) {
        let at = duration_ns.max(1).ilog2() as usize;
        if self.counts.len() <= at {
            self.counts.resize(at + 1, 0);
        }
        self.counts[at] += times;
    }

    /// From the first power in use to the last.
    #[must_use]
    pub fn finish(&self) -> Vec<Bucket> {
        let counts = self.counts.iter().enumerate();
        let buckets = counts.map(|(at, &calls)| Bucket { from_ns: 1 << at, calls });
        buckets.skip_while(|bucket| bucket.calls == 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_durations_are_exact() {
        let mut durations = Durations::default();
        assert_eq!(durations.quantile(0.5), 0);
        assert_eq!(durations.finish(), None);
        for ns in [400, 100, 300, 200] {
            durations.record(ns);
        }
        assert_eq!(durations.quantile(0.5), 200);
        assert_eq!(durations.quantile(0.9), 400);
        let all = durations.finish().unwrap();
        assert_eq!((all.p50_ns, all.p99_ns, all.max_ns), (200, 400, 400));
        let calls: Vec<_> = all.log2.iter().map(|bucket| (bucket.from_ns, bucket.calls)).collect();
        assert_eq!(calls, [(64, 1), (128, 1), (256, 2)]);
    }

    #[test]
    fn many_durations_are_near() {
        let mut durations = Durations::with_digits(3);
        for ns in 1..=100_000 {
            durations.record(ns);
        }
        assert_eq!(durations.len(), 100_000);
        for (share, exact) in [(0.5, 50_000.0), (0.9, 90_000.0), (0.99, 99_000.0), (1.0, 100_000.0)] {
            let got = durations.quantile(share) as f64;
            assert!((got / exact - 1.0).abs() < 0.002, "{share}: {got}");
        }
        assert_eq!(durations.finish().unwrap().log2.iter().map(|bucket| bucket.calls).sum::<u64>(), 100_000);
    }

    #[test]
    fn merging_keeps_every_call() {
        let (mut a, mut b) = (Durations::default(), Durations::default());
        for ns in 0..1000 {
            a.record(1000 + ns);
        }
        b.record(5);
        b.merge(&a);
        assert_eq!(b.len(), 1001);
        a.merge(&b);
        assert_eq!(a.len(), 2001);
    }

    #[test]
    fn absurd_durations_are_kept_within_bounds() {
        let mut durations = Durations::default();
        durations.record_many(u64::MAX, 100_000);
        durations.record(0);
        assert_eq!(durations.len(), 100_001);
        assert!(durations.quantile(1.0) >= LONGEST_NS);
    }
}
