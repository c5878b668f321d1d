//! Python modules compiled from source because there was no bytecode, or none that fits.

use rustc_hash::FxHashMap;

use super::causes::Causes;
use super::facts::{Facts, Tally, evidence, things};
use super::value::{Finding, Remedy, Saving};
use super::watch::{Bytecode, Gap};
use crate::analysis::modules::FileKind;
use crate::analysis::text::{Text, directory};

pub(super) fn find(facts: &Facts<'_>, _: &Causes<'_>) -> Option<Finding> {
    let sources: Vec<&Gap> =
        facts.watch.imports.gaps.iter().filter(|gap| gap.file == FileKind::Source).collect();
    if sources.is_empty() {
        return None;
    }
    let mut directories: FxHashMap<&[u8], Tally> = FxHashMap::default();
    let mut most_ns = 0_u64;
    for gap in &sources {
        let ns = facts.untraced(gap.traced_ns, gap.calls);
        most_ns = most_ns.saturating_add(ns);
        let directory = directory(facts.path(gap.path)).unwrap_or_default();
        let tally = directories.entry(directory).or_default();
        tally.merge(Tally { calls: 1, most_ns: Some(ns), least_ns: None });
    }
    let count = |wanted: fn(&Gap) -> bool| sources.iter().filter(|gap| wanted(gap)).count();
    let stale = count(|gap| gap.stale);
    let written = count(|gap| gap.bytecode == Bytecode::Written);
    let refused = count(|gap| gap.bytecode == Bytecode::Refused);
    let fate = match (written, refused) {
        (0, 0) => "nobody tried to write it (PYTHONDONTWRITEBYTECODE, python -B)",
        (0, _) => "it could not be written",
        (_, 0) => "it was written, so the next run has it",
        _ => "some of it was written",
    };
    let what = format!(
        "{} compiled from source, {} for want of bytecode, {stale} because theirs was stale; {fate}",
        things(sources.len() as u64, "Python module", "Python modules"),
        sources.len() - stale,
    );
    let advice = if refused > 0 || written == 0 {
        "compile once, as a user who may write there: python -m compileall -q DIRECTORY (the same Python); \
         or keep bytecode elsewhere with PYTHONPYCACHEPREFIX"
    } else {
        "keep __pycache__ directories between runs; in an image or a package: python -m compileall -q DIRECTORY"
    };
    let mut names: Vec<Text> = directories.keys().map(|&directory| directory.into()).collect();
    names.sort_unstable();
    let saving = Saving { at_most_ns: Some(most_ns), ..Saving::default() };
    let list = directories.iter().map(|(&directory, &tally)| (directory, tally, "modules"));
    let remedy = Remedy::CompileBytecode { directories: names };
    Some(Finding::new(&what, saving, evidence(list), advice).with(Some(remedy)))
}
