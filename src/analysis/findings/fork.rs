//! Forks of a process that has much memory: its page tables are copied for a child that may only exec.

use rustc_hash::FxHashMap;

use super::causes::Causes;
use super::facts::{Facts, Tally, evidence, things};
use super::value::Finding;
use crate::analysis::process::ProcessId;

/// A fork that takes less is one of a small process.
const DEAR_NS: u64 = 400_000;
/// Memory in use, in KiB, from which a fork is dear for its page tables; traced forks may be slow for other
/// reasons.
const MUCH_KIB: u64 = 64 << 10;

pub(super) fn find(facts: &Facts<'_>, _: &Causes<'_>) -> Option<Finding> {
    let rss_kib = facts.max_rss_kib.filter(|kib| *kib >= MUCH_KIB)?;
    let mut by_process: FxHashMap<ProcessId, Tally> = FxHashMap::default();
    for ((process, group), cell) in facts.watch.forks.iter() {
        by_process.entry(*process).or_default().merge(facts.tally(*group, cell));
    }
    by_process.retain(|_, tally| tally.most_ns.is_some_and(|ns| ns / tally.calls.max(1) >= DEAR_NS));
    let all = Tally::sum(by_process.values());
    if all.calls == 0 {
        return None;
    }
    let what = format!(
        "{} of a process where the largest has {} MiB in use",
        things(all.calls, "slow fork", "slow forks"),
        rss_kib >> 10,
    );
    let list = by_process.iter().filter_map(|(&id, &tally)| {
        let process = facts.processes.list().get(id as usize)?;
        Some((facts.processes.name(process), tally, "forks"))
    });
    let advice = "start children with posix_spawn or vfork (Python 3.10 and later does, unless preexec_fn or \
                  start_new_session stand in the way), or before the memory is filled";
    Some(Finding::new(&what, all.saving(), evidence(list), advice))
}
