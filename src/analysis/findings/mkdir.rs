//! Directories made that exist already.

use super::causes::Causes;
use super::facts::{EEXIST, Facts, Tally, evidence, things};
use super::value::Finding;

/// Fewer are nothing to speak of.
const FEW: u64 = 3;

pub(super) fn find(facts: &Facts<'_>, _: &Causes<'_>) -> Option<Finding> {
    let made = facts.sum_by(|counted| {
        let exists = counted.key.errno == EEXIST && matches!(&*counted.call.name, "mkdir" | "mkdirat");
        exists.then_some(counted.object)
    });
    let all = Tally::sum(made.values());
    if all.calls < FEW {
        return None;
    }
    let what = format!("{} because the directory exists", things(all.calls, "mkdir fails", "mkdirs fail"));
    let list = made.iter().map(|(&path, &tally)| (path, tally, "calls"));
    let advice = "remember which directories were made; make the deepest one first and its parents only if that \
                  says ENOENT (a change in the program that does it)";
    Some(Finding::new(&what, all.saving(), evidence(list), advice))
}
