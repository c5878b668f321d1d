//! Files under `/proc` and `/sys`, which the kernel makes up while they are read.

use super::causes::Causes;
use super::facts::{Facts, Tally, evidence, things};
use super::value::Finding;

/// Fewer calls are nothing to speak of.
const FEW: u64 = 12;

pub(super) fn find(facts: &Facts<'_>, _: &Causes<'_>) -> Option<Finding> {
    let calls = facts.sum_by(|counted| {
        let made_up = counted.object.starts_with(b"/proc/") || counted.object.starts_with(b"/sys/");
        (made_up && counted.key.group.on_file()).then_some(counted.object)
    });
    let all = Tally::sum(calls.values());
    if all.calls < FEW {
        return None;
    }
    let what = format!(
        "{} on {} under /proc and /sys",
        things(all.calls, "call", "calls"),
        things(calls.len() as u64, "file", "files"),
    );
    let list = calls.iter().map(|(&path, &tally)| (path, tally, "calls"));
    let advice = "ask for one figure with the call that gives it (sched_getaffinity, sysinfo, getrusage) and \
                  keep it; /proc/*/maps and smaps are dearest (a change in the program that does it)";
    Some(Finding::new(&what, all.saving(), evidence(list), advice))
}
