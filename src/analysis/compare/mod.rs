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

use serde::Serialize;

use crate::log::Run;
pub use act::Act;
pub use critical::{Along, Spent};
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
    /// Events that are missing from its logs.
    pub lost_events: u64,
    /// All its logs are whole.
    pub complete: bool,
}

/// Compares. `paired`: untraced runs of the same place were made in the same round.
#[must_use]
pub fn compare(samples: &[Sample], paired: bool) -> Comparison {
    let [mut times, mut figures, mut calls] = judged(samples);
    rows::add_ratios(&mut times, paired);
    rows::add_ratios(&mut figures, false);
    rows::add_ratios(&mut calls, false);
    rows::sort(&mut figures);
    rows::sort(&mut calls);
    Comparison {
        sides: samples.iter().map(side).collect(),
        unlike: unlike::unlike(samples),
        times,
        figures,
        calls,
        only: only::only(samples),
        parts: parts::parts(samples),
        replays: Vec::new(),
    }
}

/// Times, figures and calls with their verdicts.
fn judged(samples: &[Sample]) -> [Vec<Row>; 3] {
    let mut tables = [rows::times(samples), rows::figures(samples), rows::calls(samples)];
    rows::judge(&mut tables);
    tables
}

fn side(sample: &Sample) -> Side {
    Side {
        name: sample.name.clone(),
        runs: sample.runs.len(),
        traced: sample.profiles.len(),
        lost_events: sample.profiles.iter().map(|profile| profile.integrity.lost_events).sum(),
        complete: sample.profiles.iter().all(|profile| profile.integrity.complete),
    }
}
