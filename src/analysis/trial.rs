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
    /// Each remedy that was tried, in the order of the findings; last, those together that are faster alone.
    pub tried: Vec<Trial>,
    /// Place in `tried` of the one to use.
    pub recommended: Option<usize>,
    /// Files that the command writes, which are not compared.
    pub writes: Vec<Text>,
    /// Somebody asked for an end before all was measured.
    pub interrupted: Option<Interrupted>,
    /// Those that could not be applied here.
    pub not_tried: Vec<NotTried>,
}

/// How the measuring was ended early.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Interrupted {
    /// Name of the signal.
    pub signal: String,
    /// The same as a number.
    #[serde(skip)]
    pub number: i32,
    /// The round it came in, from 1; rounds of several remedies together are counted by themselves.
    pub round: usize,
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
    /// What several together saved beyond the best one of them.
    pub beyond_best: Option<Difference>,
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

/// The place of what to use: the remedy that saves most by itself, or several together if it is sure that they save
/// more than that one.
#[must_use]
pub fn recommended(tried: &[Trial]) -> Option<usize> {
    let saved = |trial: &Trial| trial.measured.map_or(0.0, |difference| difference.saved_ns);
    let faster = || tried.iter().enumerate().filter(|(_, trial)| trial.verdict == Verdict::Faster);
    let surely_more = |trial: &Trial| {
        let beyond = trial.beyond_best.and_then(|difference| difference.interval);
        trial.finding.is_none() && beyond.is_some_and(|interval| interval.low > 0.0)
    };
    let single = faster().filter(|(_, trial)| trial.finding.is_some());
    let best = single.max_by(|(_, a), (_, b)| saved(a).total_cmp(&saved(b)));
    faster().find(|(_, trial)| surely_more(trial)).or(best).map(|(at, _)| at)
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

    fn trial(finding: Option<&'static str>, wall_ns: u64, beyond_best: Option<Difference>) -> Trial {
        let measured = Difference::of(&runs(&[100; 8]), &runs(&[wall_ns; 8]));
        let (what, shell, effect) = (Text::default(), Text::default(), Effect::Same);
        let verdict = Verdict::of(measured.as_ref(), effect);
        let (remedy, safety, predicted) = (None, None, None);
        Trial { finding, what, shell, remedy, safety, predicted, measured, beyond_best, effect, verdict }
    }

    #[test]
    fn several_together_are_recommended_only_if_they_surely_save_more() {
        let singles = || vec![trial(Some("site"), 80, None), trial(Some("wrapper"), 50, None)];
        let with = |beyond: &[u64]| {
            let own = runs(&[40, 40, 40, 40, 40, 40, 40, 40]);
            let beyond = Difference::of(&runs(beyond), &own);
            recommended(&[singles(), vec![trial(None, 40, beyond)]].concat())
        };
        assert_eq!(recommended(&singles()), Some(1));
        assert_eq!(with(&[50; 8]), Some(2));
        assert_eq!(with(&[41, 39, 42, 38, 50, 39, 60, 41]), Some(1), "noise");
        assert_eq!(with(&[50; 3]), Some(1), "too few rounds");
        assert_eq!(recommended(&[trial(Some("site"), 100, None), trial(Some("pth"), 120, None)]), None);
        assert_eq!(recommended(&[]), None);
    }
}
