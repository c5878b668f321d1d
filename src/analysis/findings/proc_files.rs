//! Files under `/proc` and `/sys`, which the kernel makes up while they are read.

use super::causes::Causes;
use super::facts::{Facts, evidence, things};
use super::value::Finding;

/// Fewer calls are nothing to speak of.
const FEW: u64 = 12;

pub(super) fn find(facts: &Facts<'_>, _: &Causes<'_>) -> Option<Finding> {
    let (calls, all) = facts.sum_of(FEW, |counted| {
        let made_up = counted.object.starts_with(b"/proc/") || counted.object.starts_with(b"/sys/");
        (made_up && counted.key.group.on_file()).then_some(counted.object)
    })?;
    let what = format!(
        "{} on {} under /proc and /sys",
        things(all.calls, "call", "calls"),
        things(calls.len() as u64, "file", "files"),
    );
    let list = calls.iter().map(|(&path, &tally)| (path, tally, "calls"));
    let advice = "read each once, or ask with a call (sched_getaffinity, sysinfo, getrusage); maps and smaps are \
                  dearest (a change in the program)";
    Some(Finding::new(&what, all.saving(), evidence(list), advice))
}
