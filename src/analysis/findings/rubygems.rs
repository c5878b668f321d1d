//! `RubyGems`, loaded at each start of Ruby, where nothing that it makes findable was loaded.

use super::causes::{Causes, ends, has_directory};
use super::facts::{Counted, Facts, Tally, evidence};
use super::value::{Finding, Remedy, Saving};
use crate::syscall::Family;

/// Its phase, and how the phase's name begins where the program cannot be told from it.
const NAME: &[u8] = b"rubygems";
const MERGED: &[u8] = b"rubygems and ";

pub(super) fn find(facts: &Facts<'_>, _: &Causes<'_>) -> Option<Finding> {
    let is_its = |name: &[u8]| name == NAME || name.starts_with(MERGED);
    let phase = facts.phases.phases.iter().find(|phase| is_its(phase.name.bytes()))?;
    let alone = phase.name.bytes() == NAME;
    let loads_gem = |counted: &Counted<'_>| {
        let path = counted.object;
        let installed = has_directory(path, b"gems") || has_directory(path, b"bundler");
        installed && counted.call.family() == Family::Open && ends(path, &[b".rb", b".so"])
    };
    if facts.counted().any(|counted| counted.key.errno == 0 && loads_gem(&counted)) {
        return None;
    }
    let loaded = facts.sum_by(|counted| {
        let opened = counted.call.family() == Family::Open && counted.key.errno == 0;
        let within = || facts.phase(counted.key.segment).is_some_and(|at| at.name == phase.name);
        (opened && ends(counted.object, &[b".rb", b".gemspec"]) && within()).then_some(counted.object)
    });
    let list = loaded.iter().map(|(&path, &tally)| (path, Tally { most_ns: None, ..tally }, "times"));
    // What it takes cannot be told where the program cannot be told from it.
    let at_most_ns = alone.then_some(phase.takes_ns);
    let calls = if alone { phase.syscalls } else { 0 };
    let saving = Saving { calls, at_most_ns, ..Saving::default() };
    let advice = "where no gem is needed (the standard library is there without): ruby --disable-gems, or with \
                  --disable=did_you_mean,error_highlight,syntax_suggest a part of it";
    let what = "ruby loaded RubyGems, but no gem was used".to_owned();
    Some(Finding::new(&what, saving, evidence(list), advice).with(Some(Remedy::RubyNoGems)))
}
