//! Waits for data to reach the disk.

use super::causes::Causes;
use super::facts::{Facts, evidence, things};
use super::value::Finding;
use crate::syscall::Family;

pub(super) fn find(facts: &Facts<'_>, _: &Causes<'_>) -> Option<Finding> {
    let (synced, all) = facts.sum_of(1, |counted| {
        let syncs = counted.call.family() == Family::Sync && counted.key.errno == 0;
        syncs.then_some(counted.object)
    })?;
    let what = format!("{} for data to reach the disk", things(all.calls, "wait", "waits"));
    let list = synced.iter().map(|(&path, &tally)| (path, tally, "calls"));
    let advice = "where a crash may lose the data (caches, scratch files), turn it off: git -c core.fsync=none, \
                  dpkg --force-unsafe-io, sqlite PRAGMA synchronous=OFF; for a test, eatmydata";
    Some(Finding::new(&what, all.saving(), evidence(list), advice))
}
