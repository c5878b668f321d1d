//! A prediction held against what was measured: a row of the table in `docs/replay.md`.
//!
//! What counts is the error of the *change*: of a program that hardly changes, "no change" is right by accident. Of two
//! figures that are both uncertain no error can be said more exactly than they are known: so a prediction holds if its error is at
//! most a tenth of the change, or if its interval and that of what was measured overlap.

use std::fmt;

use trace_replay::Estimate;

/// The error of the change up to which a prediction holds whatever the intervals.
const SMALL: f64 = 0.10;
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
    pub const HEAD: &str = "| changed | plain | predicted (95 %) | actual (95 %) | error of the change | holds |\n\
                            |---|---|---|---|---|---|";

    fn actual(&self) -> Estimate {
        let change = Estimate::of(&self.changes).expect("a change that was measured");
        let [median, low, high] = [change.median, change.low, change.high].map(|change| self.plain + change);
        Estimate { median, low, high }
    }

    /// In parts of the change.
    fn error(&self) -> f64 {
        let actual = self.actual().median;
        ((self.predicted.median - actual) / (actual - self.plain)).abs()
    }

    fn holds(&self) -> &'static str {
        match (self.error() <= SMALL, self.predicted.overlaps(&self.actual())) {
            (true, _) => "yes",
            (false, true) => "intervals overlap",
            (false, false) => "**no**",
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
        let (plain, predicted, actual) = (time(*plain), range(*predicted), range(self.actual()));
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
