//! A budget from what several runs came to, with room for what they have not shown.
//!
//! A count that was the same in all runs gets a little room, for a library's next release moves it (a small one none:
//! a second program is not two per cent more); one that differed gets three times its range besides. For a figure that is distributed normally, the largest of five runs
//! and three of their ranges lie eight standard deviations above the mean (Tippett 1925: 2.33 each range of five).

use serde::Serialize;

use super::expression::{Metric, Unit};
use super::meter::Reading;

/// What is learned where nothing else is asked for: the same from run to run of most programs.
pub const DEFAULT_METRICS: [&str; 11] = [
    "all",
    "fs",
    "stat",
    "stat.enoent",
    "open",
    "open.enoent",
    "read.bytes",
    "write.bytes",
    "sync",
    "programs",
    "processes",
];

/// How many ranges of the runs a limit lies above the largest of them.
const RANGES: u64 = 3;

/// One metric, learned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Learned {
    /// What was measured.
    pub metric: String,
    /// What numbers are.
    pub unit: Unit,
    /// The smallest of the runs.
    pub least: u64,
    /// The largest.
    pub most: u64,
    /// What it may be from now on.
    pub limit: u64,
}

/// Limits for metrics, from what the runs came to; `margin` is a part of the largest (0.02: two per cent). `Err`: the
/// metric that a log does not tell.
pub fn learn(metrics: &[Metric], readings: &[Reading], margin: f64) -> Result<Vec<Learned>, String> {
    let learned = metrics.iter().enumerate().map(|(at, metric)| {
        let amounts: Option<Vec<u64>> =
            readings.iter().map(|reading| reading.values.get(at).and_then(|value| value.amount)).collect();
        let amounts = amounts.filter(|amounts| !amounts.is_empty()).ok_or_else(|| metric.text.clone())?;
        let (least, most) = amounts.iter().fold((u64::MAX, 0), |(a, b), &n| (a.min(n), b.max(n)));
        Ok(Learned {
            metric: metric.text.clone(),
            unit: metric.unit(),
            least,
            most,
            limit: limit(least, most, margin),
        })
    });
    learned.collect()
}

fn limit(least: u64, most: u64, margin: f64) -> u64 {
    let spread = (most - least).saturating_mul(RANGES);
    let room = (most as f64 * margin).round() as u64;
    most.saturating_add(spread).saturating_add(room)
}
