//! `stat` of a file that is opened right after: `open` alone says whether it is there, `fstat` the rest.

use rustc_hash::FxHashMap;

use super::causes::Causes;
use super::facts::{Facts, Tally, evidence, things};
use super::value::Finding;
use crate::analysis::intern::Id;

/// Fewer are nothing to speak of.
const FEW: u64 = 5;

pub(super) fn find(facts: &Facts<'_>, causes: &Causes<'_>) -> Option<Finding> {
    let mut by_path: FxHashMap<Id, Tally> = FxHashMap::default();
    let mut all = Tally::default();
    let before_open = facts.watch.asked.before_open.iter();
    // What an interpreter asks of modules is no program's to change.
    for ((id, group), cell) in before_open.filter(|((id, _), _)| !causes.is_of_modules(facts.path(*id), *id))
    {
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
    let advice = "open the file, then fstat the descriptor if need be (a change in the program)";
    Some(Finding::new(&what, all.saving(), evidence(list), advice))
}
