//! The same path looked up again and again by the same process.

use rustc_hash::FxHashMap;

use super::causes::{Cause, Causes};
use super::facts::{Facts, Tally, evidence, things};
use super::value::Finding;
use crate::analysis::intern::Id;
use crate::analysis::process::ProcessId;

/// A path is worth a line from here on.
const OFTEN: u64 = 4;
/// Fewer repeats in all are nothing to speak of.
const FEW: u64 = 8;

pub(super) fn find(facts: &Facts<'_>, causes: &Causes<'_>) -> Option<Finding> {
    let by_process: FxHashMap<(ProcessId, Id), Tally> = facts.sum_by(|counted| {
        let counts = counted.looks_up()
            && causes.of_lookup(counted) == Cause::Other
            && !causes.searched(counted)
            && !causes.of_loader(counted);
        counts.then_some((counted.key.process, counted.key.object))
    });
    let mut repeats: FxHashMap<Id, Tally> = FxHashMap::default();
    let mut all = Tally::default();
    for ((_, id), tally) in by_process.iter().filter(|(_, tally)| tally.calls >= OFTEN) {
        let again = tally.part(tally.calls - 1);
        repeats.entry(*id).or_default().merge(again);
        all.merge(again);
    }
    if all.calls < FEW {
        return None;
    }
    let what = format!(
        "{} looked up again by the same process, {} in all",
        things(repeats.len() as u64, "path is", "paths are"),
        things(all.calls, "time", "times"),
    );
    let list = repeats.iter().map(|(id, &tally)| (facts.path(*id), tally, "repeats"));
    let advice =
        "keep the answer, or look relative to an open directory (a change in the program that does it)";
    Some(Finding::new(&what, all.saving(), evidence(list), advice))
}
