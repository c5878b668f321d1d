//! Python packages that take long to import.

use rustc_hash::FxHashMap;

use super::causes::Causes;
use super::facts::{Facts, Tally, evidence, shown, things};
use super::value::{Finding, Saving};
use crate::analysis::phases::{Phase, PhaseKind};

/// A package that takes less of the run is no concern.
const SHARE: f64 = 0.03;
/// The same for a single module, whose time may be that of a program that imports it in its midst.
const SHARE_OF_ONE: f64 = 0.10;

pub(super) fn find(facts: &Facts<'_>, _: &Causes<'_>) -> Option<Finding> {
    let before = before_the_program(&facts.phases.phases);
    let names: FxHashMap<&[u8], &[u8]> = facts
        .modules
        .modules
        .iter()
        .filter(|module| !before.contains(&module.phase.bytes()))
        .map(|module| (module.path.bytes(), module.name.bytes()))
        .collect();
    let mut packages: FxHashMap<&[u8], Tally> = FxHashMap::default();
    for gap in facts.watch.imports.all().filter(|gap| !gap.is_compiled_only()) {
        let Some(name) = names.get(facts.path(gap.path)) else { continue };
        let package = name.split(|&b| b == b'.').next().unwrap_or_default();
        // Python cannot do without it.
        if package.is_empty() || package == b"encodings" || package == b"site" {
            continue;
        }
        let most_ns = gap.traced_ns.map(|traced_ns| facts.untraced(traced_ns, gap.calls));
        packages.entry(package).or_default().merge(Tally { calls: 1, most_ns, least_ns: None });
    }
    packages.retain(|_, tally| {
        let least = if tally.calls == 1 { SHARE_OF_ONE } else { SHARE };
        facts.wall.share(tally.most_ns.unwrap_or(0)) >= least
    });
    let (name, largest) = packages.iter().max_by_key(|(name, tally)| (tally.most_ns, *name))?;
    let all = Tally::sum(packages.values());
    let modules = things(largest.calls, "module", "modules");
    let what = match packages.len() {
        1 => format!("the Python package {} takes long to import, {modules}", shown(name)),
        many => format!(
            "{many} Python packages take long to import; the longest is {} with {modules}",
            shown(name)
        ),
    };
    let is_python_2 = names.keys().any(|path| path.windows(9).any(|part| part == b"/python2."));
    let advice = if is_python_2 {
        "import them inside the functions that need them, or import less of them; python -v shows what imports what"
    } else {
        "import them inside the functions that need them, or import less of them; \
         python -X importtime (3.7 or later) shows what imports what"
    };
    let saving = Saving { at_most_ns: all.most_ns, ..Saving::default() };
    let list = packages.iter().map(|(&package, &tally)| (package, tally, "modules"));
    Some(Finding::new(&what, saving, evidence(list), advice))
}

/// What is imported in these phases is Python's own doing, or that of `.pth` files and `sitecustomize`: no change in the
/// program helps (the finding `site` has it). One that could not be told from those around it may hold the program.
fn before_the_program(phases: &[Phase]) -> Vec<&[u8]> {
    let has_program = phases.iter().any(|phase| phase.kind == PhaseKind::Program);
    let is_before = |phase: &&Phase| match phase.kind {
        PhaseKind::Site => true,
        PhaseKind::Init => has_program || phase.name.bytes() == b"interpreter init",
        _ => false,
    };
    phases.iter().filter(is_before).map(|phase| phase.name.bytes()).collect()
}
