//! What a remedy saves, measured: its runs against the original's, round by round.

use serde::Serialize;

use super::findings::{Remedy, Safety, Saving};
use super::interval::{CONFIDENCE, Interval, Summary, median_interval, summarize};
use super::text::Text;
use crate::log::Run;

/// Remedies that were tried on a command.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Trials {
    /// The command.
    pub command: Vec<String>,
    /// Wall time of the command as it is, nanoseconds.
    pub original_wall_ns: Option<Summary>,
    /// Two runs of the original wrote the same to standard output: so it is known whether a remedy changes it.
    pub output_compared: bool,
    /// Each remedy that was tried, in the order of the findings.
    pub tried: Vec<Trial>,
    /// Those that could not be applied here.
    pub not_tried: Vec<NotTried>,
}

/// One remedy, tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trial {
    /// The kind of finding it is from; `None`: several remedies together.
    pub finding: Option<&'static str>,
    /// What was done, in a few words.
    pub what: Text,
    /// The same as a command line for a shell.
    pub shell: Text,
    /// The remedy, if it is one.
    pub remedy: Option<Remedy>,
    /// How far it was trusted before.
    pub safety: Option<Safety>,
    /// What the finding said that it saves.
    pub predicted: Option<Saving>,
    /// What it saved.
    pub measured: Option<Difference>,
    /// What it did to the command's output and exit status.
    pub effect: Effect,
    /// What to make of it.
    pub verdict: Verdict,
}

/// A remedy that was not tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotTried {
    /// The kind of finding it is from.
    pub finding: &'static str,
    /// Why not.
    pub why: String,
}

/// How much less time the one took than the other in the same round.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// Rounds in which both ran.
    pub rounds: usize,
    /// Median of the differences, nanoseconds; negative: it took longer.
    pub saved_ns: f64,
    /// Where the true median is; `None` below six rounds.
    pub interval: Option<Interval>,
    /// `saved_ns` as a part of the original's median.
    pub share: f64,
}

/// What a remedy did to what the command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The same standard output and exit status.
    Same,
    /// The same exit status; the command's output differs from run to run anyway.
    StatusSame,
    /// Another standard output.
    OutputDiffers,
    /// Another exit status.
    StatusDiffers,
}

/// What to make of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is faster, and does the same.
    Faster,
    /// A difference could not be told from none.
    NoDifference,
    /// It is slower.
    Slower,
    /// It does something else.
    NotTheSame,
    /// Too few rounds to say.
    TooFew,
}

impl Difference {
    /// Of runs of the same rounds. `None` without any.
    #[must_use]
    pub fn of(original: &[Run], other: &[Run]) -> Option<Self> {
        let pairs = original.iter().zip(other);
        let mut saved: Vec<f64> = pairs.map(|(a, b)| a.wall_ns as f64 - b.wall_ns as f64).collect();
        saved.sort_by(f64::total_cmp);
        let middle = saved.len() / 2;
        let upper = *saved.get(middle)?;
        let saved_ns = if saved.len() % 2 == 1 { upper } else { f64::midpoint(saved[middle - 1], upper) };
        let whole = summarize(original.iter().map(|run| run.wall_ns))?.median;
        Some(Self {
            rounds: saved.len(),
            saved_ns,
            interval: median_interval(&saved, CONFIDENCE),
            share: if whole > 0.0 { saved_ns / whole } else { 0.0 },
        })
    }
}

impl Verdict {
    /// By what was measured and seen.
    #[must_use]
    pub fn of(measured: Option<&Difference>, effect: Effect) -> Self {
        if matches!(effect, Effect::OutputDiffers | Effect::StatusDiffers) {
            return Self::NotTheSame;
        }
        match measured.and_then(|difference| difference.interval) {
            None => Self::TooFew,
            Some(interval) if interval.low > 0.0 => Self::Faster,
            Some(interval) if interval.high < 0.0 => Self::Slower,
            Some(_) => Self::NoDifference,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(walls: &[u64]) -> Vec<Run> {
        walls.iter().map(|&wall_ns| Run { wall_ns, ..Run::default() }).collect()
    }

    #[test]
    fn rounds_are_compared_one_by_one() {
        // A machine that becomes slower and slower: the runs overlap, the differences do not.
        let original = runs(&[100, 200, 300, 400, 500, 600, 700, 800]);
        let other = runs(&[90, 188, 291, 390, 489, 590, 692, 790]);
        let difference = Difference::of(&original, &other).unwrap();
        assert_eq!((difference.rounds, difference.saved_ns as i64), (8, 10));
        let interval = difference.interval.unwrap();
        assert_eq!((interval.low as i64, interval.high as i64), (8, 12));
        assert!((difference.share - 10.0 / 450.0).abs() < 1e-9);
        assert_eq!(Verdict::of(Some(&difference), Effect::Same), Verdict::Faster);
        assert_eq!(Verdict::of(Some(&difference), Effect::OutputDiffers), Verdict::NotTheSame);
        let back = Difference::of(&other, &original).unwrap();
        assert_eq!(Verdict::of(Some(&back), Effect::StatusSame), Verdict::Slower);
    }

    #[test]
    fn nothing_and_little_say_so() {
        assert_eq!(Difference::of(&runs(&[]), &runs(&[])), None);
        let few = Difference::of(&runs(&[5, 5, 5]), &runs(&[1, 1, 1])).unwrap();
        assert_eq!(Verdict::of(Some(&few), Effect::Same), Verdict::TooFew);
        let mixed = Difference::of(&runs(&[5; 8]), &runs(&[1, 9, 1, 9, 1, 9, 1, 9])).unwrap();
        assert_eq!(Verdict::of(Some(&mixed), Effect::Same), Verdict::NoDifference);
        assert_eq!(Verdict::of(None, Effect::Same), Verdict::TooFew);
    }
}
