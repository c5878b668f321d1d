//! Python's `site`, where nothing that it makes findable was imported.

use super::causes::{Causes, has_directory};
use super::facts::{Facts, Tally, evidence};
use super::value::{Finding, Remedy, Saving};
use crate::analysis::modules::Module;
use crate::analysis::phases::Phase;
use crate::analysis::phases::PhaseKind;
use crate::analysis::text::Text;

/// A phase of its own. (2.7's holds more, which comes without `site` as well.)
const NAME: &[u8] = b"site";
/// The name of a phase begins like this where the program cannot be told from `site`.
const MERGED: &[u8] = b"site and ";

pub(super) fn find(facts: &Facts<'_>, _: &Causes<'_>) -> Option<Finding> {
    let site = facts.phases.phases.iter().find(|phase| ran_in(phase))?;
    let alone = site.kind == PhaseKind::Site;
    let installed = |path: &Text| {
        has_directory(path.bytes(), b"site-packages") || has_directory(path.bytes(), b"dist-packages")
    };
    // Installed code that site itself runs (from .pth files) is part of what would be saved.
    let by_site = |module: &Module| alone && module.phase == site.name;
    let needed = facts.modules.modules.iter().any(|module| installed(&module.path) && !by_site(module));
    if needed || facts.modules.loaded == 0 {
        return None;
    }
    let loaded = facts.modules.modules.iter().filter(|module| module.phase == site.name);
    let list = loaded
        .map(|module| (module.name.bytes(), Tally { calls: module.calls, ..Tally::default() }, "calls"));
    let what = "python ran site, but no installed package was imported after it".to_owned();
    // What it takes cannot be told where the program cannot be told from it.
    let at_most_ns = alone.then_some(site.takes_ns);
    let calls = if alone { site.syscalls } else { 0 };
    let saving = Saving { calls, at_most_ns, ..Saving::default() };
    let advice = "where no installed package is needed: python -S, or -IS in the first line of a script; exit() and \
                  help() are then not there, sys.exit is";
    Some(Finding::new(&what, saving, evidence(list), advice).with(Some(Remedy::PythonNoSite)))
}

/// Whether `site` ran in a phase.
fn ran_in(phase: &Phase) -> bool {
    match phase.kind {
        PhaseKind::Site => phase.name.bytes() == NAME,
        PhaseKind::Program => phase.name.bytes().starts_with(MERGED),
        _ => false,
    }
}
