//! What a run takes without any tracer: the truth that shares are taken of.

use serde::Serialize;

use super::interval::Figures;
use crate::log::{self, Header};

/// The untraced runs, in short.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Untraced {
    /// How many were counted.
    pub runs: usize,
    /// The first run, which warmed caches up and is not counted.
    pub first_wall_ns: Option<u64>,
    /// What they took and used.
    #[serde(flatten)]
    pub figures: Figures,
    /// The part of their CPU time in user mode, 0 to 1; `None` where it is not known, see [`super::cpu`].
    pub user_share: Option<f64>,
}

impl Untraced {
    /// Sums runs up; `None` if none was counted.
    #[must_use]
    pub fn of(untraced: &log::Untraced) -> Option<Self> {
        Some(Self {
            runs: untraced.runs.len(),
            first_wall_ns: untraced.first.map(|run| run.wall_ns),
            figures: Figures::of(&untraced.runs)?,
            user_share: None,
        })
    }

    /// Median of the largest resident sets, where they are known.
    #[must_use]
    pub fn max_rss_kib(&self) -> Option<u64> {
        self.figures.max_rss_kib.as_ref().map(|summary| summary.median as u64)
    }

    /// Median wall time.
    #[must_use]
    pub fn wall_ns(&self) -> u64 {
        self.figures.wall_ns.median.round() as u64
    }

    /// The part of that before the command's `execve` was called: what is left of it without the median from there
    /// on; 0 where it is not known.
    #[must_use]
    pub fn launch_ns(&self) -> u64 {
        let from_exec = self.figures.from_exec_ns.as_ref();
        from_exec.map_or(0, |from_exec| self.wall_ns().saturating_sub(from_exec.median.round() as u64))
    }

    /// Where the true median wall time is, in nanoseconds: its interval, or with too few runs for one the
    /// shortest and the longest; `None` for a single run.
    #[must_use]
    pub fn wall_range(&self) -> Option<(f64, f64)> {
        let wall = &self.figures.wall_ns;
        let range = || (wall.count > 1).then_some((wall.min, wall.max));
        wall.interval.map(|interval| (interval.low, interval.high)).or_else(range)
    }
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
            Some(untraced) => Self { ns: untraced.wall_ns(), kind: WallKind::UntracedMedian },
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
    Untraced::of(header.untraced.as_ref()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::testing::{header, with_untraced};

    #[test]
    fn medians_of_runs() {
        assert_eq!(untraced(&header()), None);
        let odd = untraced(&with_untraced(header(), &[12, 10, 11])).unwrap();
        assert_eq!((odd.wall_ns(), odd.runs), (11, 3));
        let even = untraced(&with_untraced(header(), &[12, 10])).unwrap();
        assert_eq!(even.wall_ns(), 11);
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
