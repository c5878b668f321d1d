//! Two or more commands or logs beside each other: what is faster, what one does that the other does not, and what of it is
//! no accident.
//!
//! ```text
//! events of a traced run -> profile ─┐             ┌-> unlike   what makes the comparison unfair, said first
//! untraced runs ---------------------┴-> Sample ───┼-> rows     figures side by side, tested (statistics)
//!                                                  └-> only     what one side alone does
//! ```
//!
//! The first side is the reference. Times are those of untraced runs; counts come from traced ones, several of each
//! side, so that they have a spread, too.

mod act;
mod critical;
mod installers;
mod measure;
mod only;
mod parts;
mod places;
mod profile;
mod profiler;
mod replayed;
mod rows;
mod statistics;
mod unlike;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde::Serialize;

use crate::log::Run;
pub use act::Act;
pub use critical::{Along, Spent};
pub use installers::INSTALLERS;
pub(in crate::analysis) use installers::installer;
pub use measure::{Measure, Unit};
pub use only::{Kind as OnlyKind, Only};
pub use parts::{Part, PartKind};
pub use places::{Place, is_below, packages, place};
pub use profile::{Dimension, Profile, Setting, Tally};
pub use profiler::Profiler;
pub use replayed::{Replayed, Way, WayKind};
pub use rows::{Against, Cell, Row, Verdict};
pub use statistics::{FALSE_DISCOVERIES, Ratio, believed, median, rank_test, ratio};
pub use unlike::Unlike;

/// The confidence of intervals.
pub const CONFIDENCE: f64 = super::interval::CONFIDENCE;

/// What is known of one side.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    /// Its name.
    pub name: String,
    /// Untraced runs; none: its times are not known.
    pub runs: Vec<Run>,
    /// Traced runs.
    pub profiles: Vec<Profile>,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The sides; the first is what others are compared with.
    pub sides: Vec<Side>,
    /// What is not alike besides what is to be compared.
    pub unlike: Vec<Unlike>,
    /// Times and other figures of untraced runs.
    pub times: Vec<Row>,
    /// Figures of traced runs, largest differences first.
    pub figures: Vec<Row>,
    /// Calls, failures and costs by family, class of path, and system call, likewise.
    pub calls: Vec<Row>,
    /// What one side alone does.
    pub only: Vec<Only>,
    /// Where the wall time is, along the critical path.
    pub parts: Vec<Part>,
    /// For each side what other ways of making its calls would do, where it was replayed; empty: none was.
    pub replays: Vec<Option<Replayed>>,
}

/// One side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Side {
    /// Its name.
    pub name: String,
    /// Untraced runs.
    pub runs: usize,
    /// Traced runs.
    pub traced: usize,
    /// Logs without a call, which are left out: there is nothing in them to compare.
    pub without_calls: usize,
    /// Events that are missing from its logs.
    pub lost_events: u64,
    /// All its logs are whole.
    pub complete: bool,
}

/// Compares. `paired`: untraced runs of the same place were made in the same round.
#[must_use]
pub fn compare(samples: &[Sample], paired: bool) -> Comparison {
    let sides = samples.iter().map(side).collect();
    let samples = &*with_calls(samples);
    let [mut times, mut figures, mut calls] = judged(samples);
    rows::add_ratios(&mut times, paired);
    rows::add_ratios(&mut figures, false);
    rows::add_ratios(&mut calls, false);
    rows::sort(&mut figures);
    rows::sort(&mut calls);
    Comparison {
        sides,
        unlike: unlike::unlike(samples),
        times,
        figures,
        calls,
        only: only::only(samples),
        parts: parts::parts(samples),
        replays: Vec::new(),
    }
}

impl Comparison {
    /// Whether anything is known of the first side and of another that can be set side by side.
    #[must_use]
    pub fn is_one(&self) -> bool {
        let Some((reference, others)) = self.sides.split_first() else { return false };
        let both =
            |count: fn(&Side) -> usize| count(reference) > 0 && others.iter().any(|other| count(other) > 0);
        both(|side| side.runs) || both(|side| side.traced)
    }
}

/// The samples without logs that have no call: that something is not done in them says nothing.
fn with_calls(samples: &[Sample]) -> Cow<'_, [Sample]> {
    let has_calls = |profile: &Profile| profile.integrity.calls > 0;
    if samples.iter().flat_map(|sample| &sample.profiles).all(has_calls) {
        return Cow::Borrowed(samples);
    }
    let mut samples = samples.to_vec();
    for sample in &mut samples {
        sample.profiles.retain(has_calls);
    }
    Cow::Owned(samples)
}

/// Times, figures and calls with their verdicts.
fn judged(samples: &[Sample]) -> [Vec<Row>; 3] {
    let mut tables = [rows::times(samples), rows::figures(samples), rows::calls(samples)];
    rows::judge(&mut tables);
    tables
}

fn side(sample: &Sample) -> Side {
    let without_calls = sample.profiles.iter().filter(|profile| profile.integrity.calls == 0).count();
    Side {
        name: sample.name.clone(),
        runs: sample.runs.len(),
        traced: sample.profiles.len() - without_calls,
        without_calls,
        lost_events: sample.profiles.iter().map(|profile| profile.integrity.lost_events).sum(),
        complete: sample.profiles.iter().all(|profile| profile.integrity.complete),
    }
}
