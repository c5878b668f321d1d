//! What one side does in all of its runs, and no other does in any.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde::Serialize;

use super::Sample;
use super::profile::{Dimension, Profile};
use crate::analysis::text::Text;

/// Most of each kind that are kept for one side.
const MOST: usize = 200;

/// Something that one side alone does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Only {
    /// Place of the side, from 0.
    pub side: usize,
    /// What kind of thing.
    pub kind: Kind,
    /// Which.
    pub name: Text,
    /// Calls, the median of its runs; 0 for programs.
    pub calls: u64,
}

/// What kind of thing is done by one side alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Starts a program.
    Program,
    /// Makes calls that no other makes.
    Syscall,
    /// Works in a directory.
    Directory,
}

impl Kind {
    /// The name used in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Program => "programs",
            Self::Syscall => "calls",
            Self::Directory => "directories",
        }
    }
}

/// All of it: by side and kind, most calls first.
#[must_use]
pub fn only(samples: &[Sample]) -> Vec<Only> {
    let mut found = Vec::new();
    for kind in [Kind::Program, Kind::Syscall, Kind::Directory] {
        let names: Vec<Vec<BTreeSet<&Text>>> = samples
            .iter()
            .map(|sample| sample.profiles.iter().map(|one| names(one, kind)).collect())
            .collect();
        for (side, sample) in samples.iter().enumerate() {
            // What no log of another side has may be among what is missing from it.
            let is_lossy = |other: &Sample| other.profiles.iter().any(|one| one.integrity.is_lossy());
            let may_be_missing = samples.iter().enumerate().any(|(at, other)| at != side && is_lossy(other));
            if may_be_missing {
                continue;
            }
            let mut own = of_side(&names, side).into_iter().map(|name| (calls(sample, kind, name), name));
            let mut own: Vec<(u64, &Text)> = own.by_ref().collect();
            own.sort_unstable_by_key(|&(calls, name)| (Reverse(calls), name));
            let own = own.into_iter().take(MOST);
            found.extend(own.map(|(calls, name)| Only { side, kind, name: name.clone(), calls }));
        }
    }
    found.sort_by_key(|only| (only.side, only.kind));
    found
}

fn names(profile: &Profile, kind: Kind) -> BTreeSet<&Text> {
    match kind {
        Kind::Program => profile.programs.iter().collect(),
        Kind::Syscall => {
            let calls = profile.tallies.keys().filter(|(dimension, _)| *dimension == Dimension::Syscall);
            calls.map(|(_, name)| name).collect()
        }
        Kind::Directory => profile.directories.keys().collect(),
    }
}

/// Names in every run of a side and in no run of another.
fn of_side<'a>(names: &[Vec<BTreeSet<&'a Text>>], side: usize) -> Vec<&'a Text> {
    let Some((first, further)) = names[side].split_first() else { return Vec::new() };
    let others: BTreeSet<&Text> = names
        .iter()
        .enumerate()
        .filter(|(at, _)| *at != side)
        .flat_map(|(_, runs)| runs.iter().flatten().copied())
        .collect();
    let in_all = |name: &&&Text| further.iter().all(|run| run.contains(**name)) && !others.contains(**name);
    // A side of which nothing is known does nothing that others do not.
    let all_known = names.iter().all(|runs| !runs.is_empty());
    first.iter().filter(|name| all_known && in_all(name)).copied().collect()
}

fn calls(sample: &Sample, kind: Kind, name: &Text) -> u64 {
    let of = |profile: &Profile| match kind {
        Kind::Program => 0,
        Kind::Syscall => {
            profile.tallies.get(&(Dimension::Syscall, name.clone())).map_or(0, |tally| tally.calls)
        }
        Kind::Directory => profile.directories.get(name).copied().unwrap_or(0),
    };
    let values: Vec<f64> = sample.profiles.iter().map(|profile| of(profile) as f64).collect();
    super::median(&values) as u64
}
