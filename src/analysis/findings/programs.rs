//! Many short programs: a process and an exec each, for what a shell or the program could do itself.

use rustc_hash::FxHashMap;

use super::causes::Causes;
use super::facts::{Facts, Tally, evidence, things};
use super::value::{Finding, Saving};
use crate::analysis::text::file_name;

/// Fewer processes are nothing to speak of.
const FEW: usize = 5;
/// A process that lives longer, traced, does real work.
const SHORT_NS: u64 = 100_000_000;

pub(super) fn find(facts: &Facts<'_>, _: &Causes<'_>) -> Option<Finding> {
    let mut by_name: FxHashMap<&[u8], Tally> = FxHashMap::default();
    let (mut lives, mut calls) = (Vec::new(), 0_u64);
    let short = |id: usize| {
        let process = &facts.processes.list()[id];
        id != 0 && facts.focus != Some(id as u32) && process.forks == 0
    };
    for id in (0..facts.processes.list().len()).filter(|&id| short(id)) {
        let process = &facts.processes.list()[id];
        let lived_ns = process.end_ns.saturating_sub(process.start_ns);
        if process.status.is_none() || lived_ns > SHORT_NS {
            continue;
        }
        lives.push((process.start_ns, process.end_ns));
        calls += process.calls;
        let Some(exec) = process.execs.last() else {
            by_name.entry(&b"(fork without exec)"[..]).or_default().calls += 1;
            continue;
        };
        by_name.entry(file_name(facts.processes.strings.get(exec.path))).or_default().calls += 1;
    }
    if lives.len() < FEW {
        return None;
    }
    let processes = things(lives.len() as u64, "process", "processes");
    let traced_ns = together(lives);
    let saving = Saving { at_most_ns: Some(facts.untraced(traced_ns, [calls, 0])), ..Saving::default() };
    let what = format!("{processes} that did little and ended soon");
    let list = by_name.into_iter().map(|(name, tally)| (name, tally, "times"));
    let advice = "do it in one process: a shell's own ${...}, [[ ]], read and printf instead of sed, basename, cat \
                  and $(...); one awk instead of a pipeline";
    Some(Finding::new(&what, saving, evidence(list), advice))
}

/// The time in which at least one of them lived: those of a pipeline live beside each other.
fn together(mut lives: Vec<(u64, u64)>) -> u64 {
    lives.sort_unstable();
    let (mut sum, mut until) = (0_u64, 0);
    for (start, end) in lives {
        sum = sum.saturating_add(end.saturating_sub(start.max(until)));
        until = until.max(end);
    }
    sum
}

#[cfg(test)]
mod tests {
    #[test]
    fn lives_beside_each_other_count_once() {
        assert_eq!(super::together(vec![(10, 20), (0, 5), (12, 18), (19, 25)]), 5 + 15);
    }
}
