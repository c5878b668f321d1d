//! The dynamic loader's search for shared objects: `LD_LIBRARY_PATH`, RPATH, RUNPATH, hwcaps.

use rustc_hash::{FxHashMap, FxHashSet};

use super::causes::Causes;
use super::facts::{Facts, Tally, evidence, things};
use super::value::{Finding, Remedy};
use super::watch::OLD_HWCAPS;
use crate::analysis::text::{Text, directory, file_name};

/// Fewer misses are nothing to speak of.
const FEW: u64 = 3;

pub(super) fn find(facts: &Facts<'_>, _: &Causes<'_>) -> Option<Finding> {
    let mut missed: FxHashMap<&[u8], Tally> = FxHashMap::default();
    let mut useful: FxHashSet<&[u8]> = FxHashSet::default();
    for ((id, found, group), cell) in facts.watch.loader.lookups.iter() {
        let Some(entry) = entry(facts.path(*id)) else { continue };
        if *found {
            useful.insert(entry);
        } else if entry != b"/etc" {
            missed.entry(entry).or_default().merge(facts.tally(*group, cell));
        }
    }
    let all = Tally::sum(missed.values());
    if all.calls < FEW {
        return None;
    }
    let mut drop: Vec<Text> =
        missed.keys().filter(|entry| !useful.contains(*entry)).map(|&entry| entry.into()).collect();
    drop.sort_unstable();
    let what = format!(
        "the dynamic loader looked for shared objects in vain {} in {}",
        things(all.calls, "time", "times"),
        things(missed.len() as u64, "directory", "directories"),
    );
    let note = |entry: &[u8]| if useful.contains(entry) { "misses" } else { "misses, no hit" };
    let list = missed.iter().map(|(&entry, &tally)| (entry, tally, note(entry)));
    let advice = if drop.is_empty() {
        "the search goes through directories that hold only some of the objects (RPATH, RUNPATH: `readelf -d`); \
         what ldconfig knows needs no search"
    } else {
        "leave directories without a hit out of LD_LIBRARY_PATH (or of the objects' RPATH, RUNPATH: `readelf -d`), \
         and put the fullest first; what ldconfig knows needs no search"
    };
    let remedy = (!drop.is_empty()).then_some(Remedy::ShorterLibraryPath { drop });
    Some(Finding::new(&what, all.saving(), evidence(list), advice).with(remedy))
}

/// The directory of the search that a lookup belongs to.
fn entry(path: &[u8]) -> Option<&[u8]> {
    const HWCAPS: &[u8] = b"/glibc-hwcaps";
    if let Some(at) = path.windows(HWCAPS.len()).position(|part| part == HWCAPS) {
        return Some(&path[..at]);
    }
    let mut entry = directory(path)?;
    while OLD_HWCAPS.contains(&file_name(entry)) {
        entry = directory(entry)?;
    }
    Some(entry)
}
