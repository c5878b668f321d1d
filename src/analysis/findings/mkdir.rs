//! Directories made that exist already.

use super::causes::Causes;
use super::facts::{EEXIST, Facts, evidence, things};
use super::value::Finding;

/// Fewer are nothing to speak of.
const FEW: u64 = 3;

pub(super) fn find(facts: &Facts<'_>, _: &Causes<'_>) -> Option<Finding> {
    let (made, all) = facts.sum_of(FEW, |counted| {
        let exists = counted.key.errno == EEXIST && matches!(&*counted.call.name, "mkdir" | "mkdirat");
        exists.then_some(counted.object)
    })?;
    let what = format!("{} because the directory exists", things(all.calls, "mkdir fails", "mkdirs fail"));
    let list = made.iter().map(|(&path, &tally)| (path, tally, "calls"));
    let advice = "remember which directories were made; make the deepest one first and its parents only if that \
                  says ENOENT (a change in the program)";
    Some(Finding::new(&what, all.saving(), evidence(list), advice))
}
