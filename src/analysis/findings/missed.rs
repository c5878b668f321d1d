//! Lookups that found nothing and that no search path explains.

use super::causes::{Cause, Causes};
use super::facts::{Facts, evidence, things};
use super::value::Finding;
use crate::analysis::text::directory;

/// Fewer misses are nothing to speak of.
const FEW: u64 = 8;

pub(super) fn find(facts: &Facts<'_>, causes: &Causes<'_>) -> Option<Finding> {
    let (missed, all) = facts.sum_of(FEW, |counted| {
        let miss = causes.is_miss(counted, Cause::Other);
        miss.then(|| directory(counted.object).unwrap_or(b"(relative)"))
    })?;
    let what = format!(
        "{} found nothing, in {}",
        things(all.calls, "lookup", "lookups"),
        things(missed.len() as u64, "directory", "directories"),
    );
    let list = missed.iter().map(|(&directory, &tally)| (directory, tally, "misses"));
    let advice = "most are optional files; where the program has an option that names one, use it (all: trace stats \
                  --by path)";
    Some(Finding::new(&what, all.saving(), evidence(list), advice))
}
