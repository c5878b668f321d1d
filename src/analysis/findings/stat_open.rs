//! `stat` of a file that is opened right after: `open` alone says whether it is there, `fstat` the rest.

use rustc_hash::FxHashMap;

use super::causes::Causes;
use super::facts::{Facts, Tally, evidence, things};
use super::value::Finding;
use crate::analysis::intern::Id;

/// Fewer are nothing to speak of.
const FEW: u64 = 5;

pub(super) fn find(facts: &Facts<'_>, _: &Causes<'_>) -> Option<Finding> {
    let mut by_path: FxHashMap<Id, Tally> = FxHashMap::default();
    let mut all = Tally::default();
    for ((id, group), cell) in facts.watch.asked.before_open.iter() {
        let tally = facts.tally(*group, cell);
        by_path.entry(*id).or_default().merge(tally);
        all.merge(tally);
    }
    if all.calls < FEW {
        return None;
    }
    let what = format!(
        "{} of files that the same process then opens",
        things(all.calls, "stat or access", "stats or accesses"),
    );
    let list = by_path.iter().map(|(id, &tally)| (facts.path(*id), tally, "calls"));
    let advice = "open the file and see whether that fails, then fstat the descriptor if its status is needed \
                  (a change in the program that does it)";
    Some(Finding::new(&what, all.saving(), evidence(list), advice))
}
