//! Files read a little at a time.

use rustc_hash::FxHashMap;

use super::causes::Causes;
use super::facts::{Facts, Tally, evidence, things};
use super::value::Finding;
use crate::analysis::intern::Id;
use crate::analysis::process::ProcessId;
use crate::syscall::Family;

/// A file is worth a line from so many reads on.
const OFTEN: u64 = 16;
/// Bytes a read should give at least.
const SMALL: u64 = 4096;
/// Bytes a read could as well give.
const GOOD: u64 = 65536;

pub(super) fn find(facts: &Facts<'_>, _: &Causes<'_>) -> Option<Finding> {
    let reads = &facts.watch.asked.reads;
    let is_small = |key: &(ProcessId, Id)| {
        let file = reads.get(key).copied().unwrap_or_default();
        // What the kernel makes up while it is read has no size that could be asked for.
        let made_up =
            [&b"/proc/"[..], b"/sys/", b"/dev/"].iter().any(|root| facts.path(key.1).starts_with(root));
        file.calls >= OFTEN && file.bytes / file.calls < SMALL && !made_up
    };
    let costs: FxHashMap<(ProcessId, Id), Tally> = facts.sum_by(|counted| {
        let reads = counted.call.family() == Family::Read
            && counted.key.errno == 0
            && !counted.key.group.gave_nothing()
            && counted.key.group.on_file();
        let key = (counted.key.process, counted.key.object);
        (reads && is_small(&key)).then_some(key)
    });
    let mut all = Tally::default();
    let mut spared: FxHashMap<Id, Tally> = FxHashMap::default();
    for (key, tally) in costs {
        let file = reads.get(&key).copied().unwrap_or_default();
        let part = tally.part(tally.calls.saturating_sub(file.bytes.div_ceil(GOOD)));
        all.merge(part);
        spared.entry(key.1).or_default().merge(part);
    }
    if all.calls == 0 {
        return None;
    }
    let what = format!(
        "{} more than needed: {} read less than {SMALL} bytes at a time",
        things(all.calls, "read", "reads"),
        things(spared.len() as u64, "file is", "files are"),
    );
    let list = spared.iter().map(|(id, &tally)| (facts.path(*id), tally, "reads"));
    let advice = "read with a buffer of 64 KiB (a change in the program that does it; a shell that reads lines \
                  with `read` does this: use mapfile, or one awk)";
    Some(Finding::new(&what, all.saving(), evidence(list), advice))
}
