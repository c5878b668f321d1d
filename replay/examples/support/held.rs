//! A prediction held against what was measured: a row of the table in `docs/replay.md`.
//!
//! What counts is the error of the *change*: of a program that hardly changes, "no change" is right by accident. A time that a replay gives
//! without a mark holds if that is at most a tenth of the change, or a fiftieth of the program's time. One that it marks as unsure (~) says no more than its interval, and holds
//! if what was measured lies in that.

use std::fmt;

use trace_replay::{Estimate, Projection};

/// The error of the change up to which a prediction holds.
const SMALL: f64 = 0.10;
/// The same of the program's time.
const SMALL_OF_ALL: f64 = 0.02;
/// Times from this on are written in milliseconds; in microseconds.
const LONG_US: f64 = 20_000.0;

/// Times in microseconds.
pub struct Held {
    pub what: String,
    /// The program as it is.
    pub plain: f64,
    /// The changed program as it is foreseen, with what a report gives as its interval.
    pub predicted: Estimate,
    /// What the change took off or added, each in turn with the program as it is.
    pub changes: Vec<f64>,
}

impl Held {
    pub const HEAD: &str = "| changed | plain | predicted (95 %; ~: unsure) | actual (95 %) | error of the change | holds |\n\
                            |---|---|---|---|---|---|";

    fn actual(&self) -> Estimate {
        let change = Estimate::of(&self.changes).expect("a change that was measured");
        let [median, low, high] = [change.median, change.low, change.high].map(|change| self.plain + change);
        Estimate { median, low, high }
    }

    /// As a report decides it, of all replays together.
    fn is_settled(&self) -> bool {
        let Estimate { median, low, high } = self.predicted;
        let speedup =
            Estimate { median: self.plain / median, low: self.plain / high, high: self.plain / low };
        let [median, low, high] = [median, low, high].map(|us| us * 1e3);
        Projection { wall_ns: Estimate { median, low, high }, speedup }.is_settled()
    }

    /// In parts of the change.
    fn error(&self) -> f64 {
        let actual = self.actual().median;
        ((self.predicted.median - actual) / (actual - self.plain)).abs()
    }

    fn holds(&self) -> &'static str {
        let actual = self.actual().median;
        if self.error() <= SMALL {
            "yes"
        } else if self.is_settled() && (self.predicted.median - actual).abs() <= SMALL_OF_ALL * self.plain {
            "as a time"
        } else if !self.is_settled() && self.predicted.holds(actual) {
            "its interval does"
        } else {
            "**no**"
        }
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, plain, predicted, .. } = self;
        let (unit, scale, digits) = if *plain < LONG_US { ("µs", 1.0, 0) } else { ("ms", 1e-3, 1) };
        let time = |us: f64| format!("{:.digits$}", us * scale);
        let range =
            |of: Estimate| format!("{} {unit} ({} to {})", time(of.median), time(of.low), time(of.high));
        let unsure = if self.is_settled() { "" } else { "~" };
        let (plain, actual) = (time(*plain), range(self.actual()));
        let predicted = format!("{unsure}{}", range(*predicted));
        let error = self.error() * 100.0;
        write!(f, "| {what} | {plain} {unit} | {predicted} | {actual} | {error:.0} % | {} |", self.holds())
    }
}

/// The middle one; of an even number the upper.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Of several replays the middle one, end by end.
#[allow(dead_code, reason = "one of those who share this has no several replays")]
pub fn middle(estimates: &[Estimate]) -> Estimate {
    let of = |end: fn(&Estimate) -> f64| median(estimates.iter().map(end).collect());
    Estimate { median: of(|one| one.median), low: of(|one| one.low), high: of(|one| one.high) }
}
