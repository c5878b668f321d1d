//! Python's `site`, where nothing that it makes findable was imported.

use super::causes::{Causes, has_directory};
use super::facts::{Facts, Tally, evidence};
use super::value::{Finding, Remedy, Saving};
use crate::analysis::phases::PhaseKind;
use crate::analysis::text::Text;

/// A phase of another name holds more than `site`, which cannot be told apart.
const NAME: &[u8] = b"site";

pub(super) fn find(facts: &Facts<'_>, _: &Causes<'_>) -> Option<Finding> {
    let site = facts.phases_of(PhaseKind::Site).find(|phase| phase.name.bytes() == NAME)?;
    let installed = |path: &Text| {
        has_directory(path.bytes(), b"site-packages") || has_directory(path.bytes(), b"dist-packages")
    };
    // Installed code that site itself runs (from .pth files) is part of what would be saved.
    let needed =
        facts.modules.modules.iter().any(|module| installed(&module.path) && module.phase.bytes() != NAME);
    if needed || facts.modules.loaded == 0 {
        return None;
    }
    let loaded = facts.modules.modules.iter().filter(|module| module.phase.bytes() == NAME);
    let list = loaded
        .map(|module| (module.name.bytes(), Tally { calls: module.calls, ..Tally::default() }, "calls"));
    let what = "python ran site, but no installed package was imported after it".to_owned();
    let saving = Saving { at_most_ns: Some(site.takes_ns), calls: site.syscalls, ..Saving::default() };
    let advice = "if the program needs no installed packages: python -S, or python -I -S (first line of a \
                  script: #!/usr/bin/python3 -IS); exit() and help() are then not there, sys.exit is";
    Some(Finding::new(&what, saving, evidence(list), advice).with(Some(Remedy::PythonNoSite)))
}
