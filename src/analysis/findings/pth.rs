//! `.pth` files: each is opened and read at every start, and may run code.

use super::causes::Causes;
use super::facts::{Facts, Tally, evidence, things};
use super::value::Finding;

/// Fewer are nothing to speak of.
const FEW: usize = 3;

pub(super) fn find(facts: &Facts<'_>, causes: &Causes<'_>) -> Option<Finding> {
    let files = facts.sum_by(|counted| {
        let pth = counted.object.ends_with(b".pth") && causes.by_python(counted);
        pth.then_some(counted.object)
    });
    if files.len() < FEW {
        return None;
    }
    let all = Tally::sum(files.values());
    let what = format!(
        "{} read at each start of Python",
        things(files.len() as u64, ".pth file is", ".pth files are"),
    );
    let list = files.iter().map(|(&path, &tally)| (path, tally, "calls"));
    let advice = "remove those of packages no longer used, install instead of pip install -e, and use a virtual \
                  environment with only what the program needs";
    Some(Finding::new(&what, all.saving(), evidence(list), advice))
}
