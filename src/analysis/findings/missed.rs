//! Lookups that found nothing and that no search path explains.

use super::causes::{Cause, Causes};
use super::facts::{Facts, Tally, evidence, things};
use super::value::Finding;
use crate::analysis::text::directory;

/// Fewer misses are nothing to speak of.
const FEW: u64 = 8;

pub(super) fn find(facts: &Facts<'_>, causes: &Causes<'_>) -> Option<Finding> {
    let missed = facts.sum_by(|counted| {
        let other = counted.looks_up() && counted.missing() && causes.of_lookup(counted) == Cause::Other;
        other.then(|| directory(counted.object).unwrap_or(b"(relative)"))
    });
    let all = Tally::sum(missed.values());
    if all.calls < FEW {
        return None;
    }
    let what = format!(
        "{} found nothing, in {}",
        things(all.calls, "lookup", "lookups"),
        things(missed.len() as u64, "directory", "directories"),
    );
    let list = missed.iter().map(|(&directory, &tally)| (directory, tally, "misses"));
    let advice = "most are optional files; name the file in an option or a setting where the program has one, \
                  so that it need not look (trace stats --by path shows each)";
    Some(Finding::new(&what, all.saving(), evidence(list), advice))
}
