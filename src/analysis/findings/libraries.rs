//! Many or large shared objects: each is opened, mapped, relocated and initialized before the program begins.

use super::causes::Causes;
use super::facts::{Facts, Tally, evidence};
use super::value::{Finding, Saving};
use crate::analysis::phases::PhaseKind;

/// Fewer objects are what any program has.
const FEW: usize = 12;
/// A loader that takes less of the run is no concern.
const SHARE: f64 = 0.05;

pub(super) fn find(facts: &Facts<'_>, _: &Causes<'_>) -> Option<Finding> {
    let focus = facts.focus?;
    let is_loader = |segment| facts.phase(segment).is_some_and(|phase| is_before_entry(phase.kind));
    let loader = facts.phases.phases.iter().filter(|phase| is_before_entry(phase.kind));
    let takes_ns = loader.map(|phase| phase.takes_ns).fold(0, u64::saturating_add);
    let mapped = facts.watch.loader.mapped.iter();
    let objects: Vec<_> = mapped
        .filter(|((process, _), mapped)| *process == focus && is_loader(mapped.segment))
        .map(|((_, id), mapped)| (facts.path(*id), mapped.bytes))
        .collect();
    if objects.len() < FEW || facts.wall.share(takes_ns) < SHARE {
        return None;
    }
    let bytes: u64 = objects.iter().map(|(_, bytes)| bytes).fold(0, |a, b| a.saturating_add(*b));
    let what = format!(
        "{} shared objects, {} MiB in all, are mapped and relocated before the program begins",
        objects.len(),
        bytes >> 20,
    );
    let kib = |bytes: u64| Tally { calls: bytes >> 10, ..Tally::default() };
    let list = objects.iter().map(|&(path, bytes)| (path, kib(bytes), "KiB mapped"));
    let saving = Saving { at_most_ns: Some(takes_ns), ..Saving::default() };
    let advice = "link with fewer libraries (-Wl,--as-needed), load rare ones with dlopen when needed, link \
                  statically, and unset LD_BIND_NOW; LD_DEBUG=statistics shows what relocation takes";
    Some(Finding::new(&what, saving, evidence(list), advice))
}

/// Whether a phase lies between the exec and the program's own entry point.
fn is_before_entry(kind: PhaseKind) -> bool {
    use PhaseKind::{After, Exec, Exit, Init, Launcher, Program, Site};
    !matches!(kind, Launcher | Exec | Init | Site | Program | Exit | After)
}
