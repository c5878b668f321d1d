//! Python modules compiled from source because there was no bytecode, or none that fits.

use rustc_hash::FxHashMap;

use super::causes::Causes;
use super::facts::{Facts, Tally, evidence, things};
use super::value::{Finding, Remedy, Saving};
use super::watch::{Bytecode, Gap};
use crate::analysis::modules::FileKind;
use crate::analysis::phases::python_bytecode;
use crate::analysis::text::{Text, arguments, directory};

pub(super) fn find(facts: &Facts<'_>, _: &Causes<'_>) -> Option<Finding> {
    let sources: Vec<Gap> = facts.watch.imports.all().filter(|gap| gap.compiled).collect();
    if sources.is_empty() {
        return None;
    }
    let mut directories: FxHashMap<&[u8], Tally> = FxHashMap::default();
    let (mut known_ns, mut known) = (0_u64, 0_u64);
    for gap in &sources {
        let ns = gap.traced_ns.map(|traced_ns| facts.untraced(traced_ns, gap.calls));
        known += u64::from(ns.is_some());
        known_ns = known_ns.saturating_add(ns.unwrap_or(0));
        let directory = directory(facts.path(gap.path)).unwrap_or_default();
        directories.entry(directory).or_default().merge(Tally { calls: 1, most_ns: ns, least_ns: None });
    }
    // The program runs after its last module: that one counts like the others on average.
    let last_ns = known_ns.checked_div(known).map(|mean| mean.saturating_mul(sources.len() as u64 - known));
    let most_ns = last_ns.map(|ns| known_ns.saturating_add(ns));
    let count = |wanted: fn(&Gap) -> bool| sources.iter().filter(|gap| wanted(gap)).count();
    let stale = count(|gap| gap.stale);
    let written = count(|gap| gap.bytecode == Bytecode::Written);
    let refused = count(|gap| gap.bytecode == Bytecode::Refused);
    let cause = match stale {
        0 => "there was no bytecode".to_owned(),
        _ if stale == sources.len() => "their bytecode was stale".to_owned(),
        _ => format!("the bytecode of {stale} was stale, that of the others missing"),
    };
    let fate = match (written, refused) {
        (0, 0) => "nobody tried to write it (PYTHONDONTWRITEBYTECODE, python -B)",
        (0, _) => "it could not be written",
        (_, 0) => "it was written, so the next run has it",
        _ => "some of it was written",
    };
    let what = format!(
        "{} compiled from source: {cause}; {fate}",
        things(sources.len() as u64, "Python module was", "Python modules were"),
    );
    let advice = if refused > 0 || written == 0 {
        "compile once, as a user who may write there: python -m compileall -q DIRECTORY (the same Python); \
         or keep bytecode elsewhere with PYTHONPYCACHEPREFIX"
    } else {
        "keep __pycache__ directories between runs; in an image or a package: python -m compileall -q DIRECTORY"
    };
    let remedy = remedy(facts, &sources, written + refused > 0);
    let saving = Saving { at_most_ns: most_ns, calls: sources.len() as u64, ..Saving::default() };
    let list = directories.iter().map(|(&directory, &tally)| (directory, tally, "modules"));
    Some(Finding::new(&what, saving, evidence(list), advice).with(remedy))
}

/// To compile beforehand, by the Python that compiled first. `writes`: the program itself tries to write bytecode, so
/// that it makes up for what else is missing in a directory of its own.
fn remedy(facts: &Facts<'_>, sources: &[Gap], writes: bool) -> Option<Remedy> {
    let process = sources.first()?.process;
    let exec = facts.processes.list().get(process as usize)?.execs.last()?;
    let strings = &facts.processes.strings;
    let options = python_bytecode(arguments(strings.get(exec.argv)));
    let modules =
        facts.watch.imports.all().filter(|gap| gap.compiled || (!writes && gap.file != FileKind::Extension));
    let home = |gap: Gap| {
        directory(facts.path(gap.path)).map(|path| path.strip_suffix(b"/__pycache__").unwrap_or(path))
    };
    let mut directories: Vec<Text> = modules.filter_map(home).map(Text::from).collect();
    directories.sort_unstable();
    directories.dedup();
    let python = strings.get(exec.path).into();
    let (no_environment, optimize) = (options.no_environment, options.optimize);
    Some(Remedy::CompileBytecode { directories, python, no_environment, optimize })
}
