//! `.pth` files: each is opened and read at every start, and may run code.

use rustc_hash::FxHashMap;

use super::causes::Causes;
use super::facts::{Facts, Tally, evidence, shown, things};
use super::value::Finding;
use crate::analysis::intern::Id;
use crate::analysis::phases::PhaseKind;
use crate::analysis::text::file_name;

/// Fewer are nothing to speak of.
const FEW: usize = 3;
/// A file whose code takes less of the run is no concern.
const SHARE: f64 = 0.03;

pub(super) fn find(facts: &Facts<'_>, causes: &Causes<'_>) -> Option<Finding> {
    let files = facts.sum_by(|counted| {
        let pth = counted.object.ends_with(b".pth") && causes.by_python(counted);
        pth.then_some(counted.key.object)
    });
    heavy(facts, &files).or_else(|| many(facts, &files))
}

/// Files that have modules imported, and take long.
fn heavy(facts: &Facts<'_>, all_files: &FxHashMap<Id, Tally>) -> Option<Finding> {
    let mut files: FxHashMap<Id, Tally> = FxHashMap::default();
    for span in facts.watch.path_files.all() {
        // Elsewhere the program runs already, or may do so.
        if facts.phase(span.segment).is_none_or(|phase| phase.kind != PhaseKind::Site) {
            continue;
        }
        let most_ns = facts.untraced(span.to_ns.saturating_sub(span.from_ns), span.calls);
        let tally = Tally { calls: span.modules, most_ns: Some(most_ns), least_ns: None };
        files.entry(span.path).or_default().merge(tally);
    }
    files.retain(|_, tally| tally.calls > 0 && facts.wall.share(tally.most_ns.unwrap_or(0)) >= SHARE);
    let (longest, _) = files.iter().max_by_key(|(path, tally)| (tally.most_ns, **path))?;
    let all = Tally::sum(files.values());
    let modules = things(all.calls, "Python module", "Python modules");
    let name = shown(file_name(facts.path(*longest)));
    let what = match files.len() {
        1 => format!("{name} imports {modules} at each start"),
        many => format!("{many} .pth files import {modules} at each start; {name} takes longest"),
    };
    let others = all_files.iter().filter(|(path, _)| !files.contains_key(path));
    let others = others.map(|(path, tally)| (facts.path(*path), *tally, "calls"));
    let list =
        files.iter().map(|(path, &tally)| (facts.path(*path), tally, "modules imported")).chain(others);
    let site = facts.phases.phases.iter().filter(|phase| phase.kind == PhaseKind::Site);
    let site_ns = site.map(|phase| phase.takes_ns).fold(0, u64::saturating_add);
    let saving = Tally { calls: 0, most_ns: all.most_ns.map(|ns| ns.min(site_ns)), ..all }.saving();
    let advice = "its code runs at each start of this Python: uninstall the package that put it there, use a virtual \
                  environment without it, or python -S where no installed package is needed";
    Some(Finding::new(&what, saving, evidence(list), advice))
}

fn many(facts: &Facts<'_>, files: &FxHashMap<Id, Tally>) -> Option<Finding> {
    if files.len() < FEW {
        return None;
    }
    let all = Tally::sum(files.values());
    let what = format!(
        "{} read at each start of Python",
        things(files.len() as u64, ".pth file is", ".pth files are"),
    );
    let list = files.iter().map(|(path, &tally)| (facts.path(*path), tally, "calls"));
    let advice = "remove those of packages no longer used, install instead of pip install -e, and use a virtual \
                  environment with only what the program needs";
    Some(Finding::new(&what, all.saving(), evidence(list), advice))
}
