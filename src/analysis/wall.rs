//! What a run takes without any tracer: the truth that shares are taken of.

use serde::Serialize;

use crate::log::{Header, Run};

/// A figure over several runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Figure {
    /// Median.
    pub median: u64,
    /// Smallest.
    pub min: u64,
    /// Largest.
    pub max: u64,
}

/// The untraced runs, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Untraced {
    /// How many were counted.
    pub runs: u64,
    /// The first run, which warmed caches up and is not counted.
    pub first_wall_ns: Option<u64>,
    /// Elapsed time.
    pub wall_ns: Figure,
    /// CPU time in user mode.
    pub user_ns: Figure,
    /// CPU time in the kernel.
    pub system_ns: Figure,
    /// Page faults without I/O.
    pub minor_faults: Figure,
    /// Page faults with I/O.
    pub major_faults: Figure,
    /// Voluntary context switches.
    pub voluntary_switches: Figure,
    /// Involuntary context switches.
    pub involuntary_switches: Figure,
    /// Largest resident set of any one process, in KiB.
    pub max_rss_kib: Figure,
}

/// What shares are parts of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WallKind {
    /// Median wall time of the untraced runs.
    UntracedMedian,
    /// The traced run's own length, the tracer's time included: shares are too small.
    TracedSpan,
}

/// The whole that shares are parts of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Wall {
    /// Its length.
    pub ns: u64,
    /// What it is.
    pub kind: WallKind,
}

impl Wall {
    /// The untraced median where there is one, else the traced span.
    #[must_use]
    pub fn of(untraced: Option<&Untraced>, traced_ns: u64) -> Self {
        match untraced {
            Some(untraced) => Self { ns: untraced.wall_ns.median, kind: WallKind::UntracedMedian },
            None => Self { ns: traced_ns, kind: WallKind::TracedSpan },
        }
    }

    /// A time as a part of it, 0 to 1 or more; 0 of nothing is 0.
    #[must_use]
    pub fn share(&self, ns: u64) -> f64 {
        if self.ns == 0 { 0.0 } else { ns as f64 / self.ns as f64 }
    }
}

/// The untraced runs of a log, `None` if it has none.
#[must_use]
pub fn untraced(header: &Header) -> Option<Untraced> {
    let untraced = header.untraced.as_ref().filter(|untraced| !untraced.runs.is_empty())?;
    let of = |value: fn(&Run) -> u64| {
        let mut values: Vec<u64> = untraced.runs.iter().map(value).collect();
        values.sort_unstable();
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 {
            values[middle]
        } else {
            u64::midpoint(values[middle - 1], values[middle])
        };
        Figure { median, min: values[0], max: values[values.len() - 1] }
    };
    Some(Untraced {
        runs: untraced.runs.len() as u64,
        first_wall_ns: untraced.first.map(|run| run.wall_ns),
        wall_ns: of(|run| run.wall_ns),
        user_ns: of(|run| run.user_ns),
        system_ns: of(|run| run.system_ns),
        minor_faults: of(|run| run.minor_faults),
        major_faults: of(|run| run.major_faults),
        voluntary_switches: of(|run| run.voluntary_switches),
        involuntary_switches: of(|run| run.involuntary_switches),
        max_rss_kib: of(|run| run.max_rss_kib),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::testing::{header, with_untraced};

    #[test]
    fn medians_of_runs() {
        assert_eq!(untraced(&header()), None);
        let odd = untraced(&with_untraced(header(), &[12, 10, 11])).unwrap();
        assert_eq!((odd.wall_ns.median, odd.wall_ns.min, odd.wall_ns.max, odd.runs), (11, 10, 12, 3));
        let even = untraced(&with_untraced(header(), &[12, 10])).unwrap();
        assert_eq!(even.wall_ns.median, 11);
        assert_eq!(untraced(&with_untraced(header(), &[])), None, "no counted run");
    }

    #[test]
    fn shares() {
        let wall = Wall::of(None, 200);
        assert_eq!(wall.kind, WallKind::TracedSpan);
        assert!((wall.share(50) - 0.25).abs() < 1e-9);
        assert!(Wall::of(None, 0).share(5).abs() < 1e-9);
    }
}
