//! Directories read from beginning to end more than once by the same process.

use rustc_hash::FxHashMap;

use super::causes::Causes;
use super::facts::{Facts, Tally, evidence, things};
use super::value::Finding;
use crate::analysis::intern::Id;
use crate::analysis::process::ProcessId;
use crate::syscall::Family;

/// Fewer second readings in all are nothing to speak of.
const FEW: u64 = 2;

#[derive(Debug, Default)]
struct Listing {
    /// A listing ends with a call that gives nothing.
    ends: u64,
    tally: Tally,
}

pub(super) fn find(facts: &Facts<'_>, _: &Causes<'_>) -> Option<Finding> {
    let mut listings: FxHashMap<(ProcessId, Id), Listing> = FxHashMap::default();
    for counted in facts.counted() {
        if counted.call.family() != Family::Readdir || counted.key.errno != 0 || counted.object.is_empty() {
            continue;
        }
        let listing = listings.entry((counted.key.process, counted.key.object)).or_default();
        listing.tally.merge(facts.tally(counted.key.group, counted.cell));
        if counted.key.group.gave_nothing() {
            listing.ends += counted.cell.calls;
        }
    }
    let mut again: FxHashMap<Id, Tally> = FxHashMap::default();
    let (mut all, mut times) = (Tally::default(), 0);
    for ((_, id), listing) in listings.iter().filter(|(_, listing)| listing.ends > 1) {
        let each = listing.tally.calls / listing.ends;
        let part = listing.tally.part(each * (listing.ends - 1));
        again.entry(*id).or_default().merge(Tally { calls: listing.ends - 1, ..part });
        all.merge(part);
        times += listing.ends - 1;
    }
    if times < FEW {
        return None;
    }
    let what = format!(
        "{} listed again after it was listed before, {} in all",
        things(again.len() as u64, "directory is", "directories are"),
        things(times, "time", "times"),
    );
    let list = again.iter().map(|(id, &tally)| (facts.path(*id), tally, "more listings"));
    let advice = "list a directory once and keep its names (a change in the program that does it)";
    Some(Finding::new(&what, all.saving(), evidence(list), advice))
}
