//! Objects whose relocation takes long: for each, the dynamic loader writes addresses all over its data, and each page
//! written to is a page of its own.

use rustc_hash::FxHashMap;

use super::causes::Causes;
use super::facts::{Facts, Tally, evidence, shown};
use super::value::Finding;
use crate::analysis::phases::PhaseKind;
use crate::analysis::text::file_name;

/// An object that takes less of the run is no concern.
const SHARE: f64 = 0.05;
/// Nor is one of which relocation writes to less: every C library has some pages of that.
const LEAST_KIB: u64 = 32;

pub(super) fn find(facts: &Facts<'_>, _: &Causes<'_>) -> Option<Finding> {
    let focus = facts.focus?;
    let program = facts.processes.list().get(focus as usize)?.execs.last()?;
    let program = facts.processes.strings.get(program.path);
    let mut objects: FxHashMap<&[u8], Tally> = FxHashMap::default();
    for ((process, object, segment), relocated) in &facts.watch.loader.relocated {
        let relocates = || facts.phase(*segment).is_some_and(|phase| phase.kind == PhaseKind::Relocation);
        if *process != focus || !relocates() {
            continue;
        }
        let most_ns = facts.untraced(relocated.took_ns, relocated.calls);
        let name = object.map_or(program, |object| facts.path(object));
        let tally = Tally { calls: relocated.bytes >> 10, most_ns: Some(most_ns), least_ns: None };
        objects.entry(name).or_default().merge(tally);
    }
    objects
        .retain(|_, tally| tally.calls >= LEAST_KIB && facts.wall.share(tally.most_ns.unwrap_or(0)) >= SHARE);
    let (longest, _) = objects.iter().max_by_key(|(name, tally)| (tally.most_ns, **name))?;
    let name = shown(file_name(longest));
    let what = match objects.len() {
        1 => format!("relocating {name} takes long"),
        many => format!("relocating {many} shared objects takes long, {name} longest"),
    };
    let saving = Tally { calls: 0, ..Tally::sum(objects.values()) }.saving();
    let list = objects.iter().map(|(&name, &tally)| (name, tally, "KiB that only relocation writes to"));
    let advice = "have fewer addresses to write: hidden visibility and -Wl,-Bsymbolic-functions, offsets in place of \
                  tables of pointers, no PIE, -Wl,-z,pack-relative-relocs; bind lazily (LD_BIND_NOW unset); or dlopen \
                  what is rarely needed. LD_DEBUG=statistics counts them";
    Some(Finding::new(&what, saving, evidence(list), advice))
}
