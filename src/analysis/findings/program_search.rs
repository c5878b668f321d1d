//! Programs looked for in one directory of `PATH` after the other.

use rustc_hash::FxHashMap;

use super::causes::{Cause, Causes};
use super::facts::{Facts, Tally, evidence, things};
use super::value::{Finding, Remedy};
use crate::analysis::calls::Role;
use crate::analysis::text::{Text, directory};
use crate::syscall::Family;

/// Fewer misses are nothing to speak of.
const FEW: u64 = 4;

pub(super) fn find(facts: &Facts<'_>, causes: &Causes<'_>) -> Option<Finding> {
    let mut missed: FxHashMap<&[u8], Tally> = FxHashMap::default();
    let mut found: FxHashMap<&[u8], u64> = FxHashMap::default();
    for counted in facts.counted() {
        let Some(directory) = directory(counted.object) else { continue };
        if causes.is_miss(&counted, Cause::Program) {
            missed.entry(directory).or_default().merge(facts.tally(counted.key.group, counted.cell));
        } else if counted.key.errno == 0
            && (counted.call.role == Role::Exec
                || (counted.call.family() == Family::Stat && causes.executed(counted.object)))
        {
            *found.entry(directory).or_default() += counted.cell.calls;
        }
    }
    let all = Tally::sum(missed.values());
    if all.calls < FEW {
        return None;
    }
    let note = |directory: &[u8]| if found.contains_key(directory) { "misses" } else { "misses, no hit" };
    let mut drop: Vec<Text> =
        missed.keys().filter(|directory| !found.contains_key(*directory)).map(|&d| d.into()).collect();
    drop.sort_unstable();
    let what = format!(
        "programs were looked for in vain {} in {}",
        things(all.calls, "time", "times"),
        things(missed.len() as u64, "directory", "directories"),
    );
    let advice = if drop.is_empty() {
        "call programs by their full path, or order PATH so that their directories come first"
    } else {
        "for this command, leave directories without a hit out of PATH or put them last, or call programs by their \
         full path"
    };
    let list = missed.iter().map(|(&directory, &tally)| (directory, tally, note(directory)));
    let remedy = (!drop.is_empty()).then_some(Remedy::ShorterPath { drop });
    Some(Finding::new(&what, all.saving(), evidence(list), advice).with(remedy))
}
