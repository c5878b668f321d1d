//! The dynamic loader's search for shared objects: `LD_LIBRARY_PATH`, RPATH, RUNPATH, hwcaps.

use rustc_hash::{FxHashMap, FxHashSet};

use super::causes::Causes;
use super::facts::{Counted, Facts, Tally, evidence, things};
use super::value::{Finding, Remedy};
use crate::analysis::searchers::is_hwcaps;
use crate::analysis::text::{Text, directory, file_name};

/// Fewer misses are nothing to speak of.
const FEW: u64 = 3;

pub(super) fn find(facts: &Facts<'_>, _: &Causes<'_>) -> Option<Finding> {
    let mut missed: FxHashMap<&[u8], Tally> = FxHashMap::default();
    let mut useful: FxHashSet<&[u8]> = FxHashSet::default();
    for counted in facts.counted().filter(Counted::searches_library) {
        let Some(entry) = entry(counted.object) else { continue };
        if counted.key.errno == 0 {
            useful.insert(entry);
        } else if entry != b"/etc" {
            missed.entry(entry).or_default().merge(facts.tally(counted.key.group, counted.cell));
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
    // musl's loader has no such cache.
    let cached = facts.counted().any(|counted| counted.object == b"/etc/ld.so.cache");
    let advice = match (drop.is_empty(), cached) {
        (true, true) => {
            "each directory holds only some of the objects (RPATH, RUNPATH: `readelf -d`); what ldconfig knows needs \
             no search"
        }
        (true, false) => {
            "each directory holds only some of the objects (RPATH, RUNPATH: `readelf -d`): put the fullest first"
        }
        (false, true) => {
            "leave directories without a hit out of LD_LIBRARY_PATH (or RPATH, RUNPATH: `readelf -d`); what ldconfig \
             knows needs no search"
        }
        (false, false) => {
            "leave directories without a hit out of LD_LIBRARY_PATH (or RPATH, RUNPATH: `readelf -d`)"
        }
    };
    let remedy = (!drop.is_empty()).then_some(Remedy::ShorterLibraryPath { drop });
    Some(Finding::new(&what, all.saving(), evidence(list), advice).with(remedy))
}

/// The directory of the search that a lookup belongs to.
fn entry(path: &[u8]) -> Option<&[u8]> {
    let mut entry = if is_hwcaps(file_name(path)) { path } else { directory(path)? };
    while is_hwcaps(entry) {
        entry = directory(entry)?;
    }
    Some(entry)
}
