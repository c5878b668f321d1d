//! The time zone looked up again and again.

use super::causes::{Causes, is_time_zone};
use super::facts::{Facts, evidence, things};
use super::value::{Finding, Remedy};

/// Fewer calls are what any program makes that tells the time.
const FEW: u64 = 12;
/// More files than a program reads that needs some zones.
const WHOLE: usize = 100;
const LOCAL: &[u8] = b"/etc/localtime";

pub(super) fn find(facts: &Facts<'_>, _: &Causes<'_>) -> Option<Finding> {
    let (calls, all) = facts.sum_of(FEW, |counted| {
        let files = counted.key.group.on_file() && is_time_zone(counted.object);
        files.then_some(counted.object)
    })?;
    let what = format!("{} to find and read the time zone", things(all.calls, "call", "calls"));
    let list = calls.iter().map(|(&path, &tally)| (path, tally, "calls"));
    // Without TZ, the C library checks whether this file has changed each time it is used.
    let local = calls.get(LOCAL).is_some_and(|tally| tally.calls >= FEW);
    let advice = if local {
        "set TZ=:/etc/localtime: the C library then reads the file once and does not look whether it changed"
    } else if calls.len() > WHOLE {
        "the program reads the names of all zones, whatever TZ says (the PHP of Debian does so at each start): let one \
         process live longer, or use a build with zones of its own"
    } else {
        "set TZ to one zone (TZ=UTC if the program needs no local time), and make each zone once"
    };
    let remedy = local.then_some(Remedy::NameTimeZone);
    Some(Finding::new(&what, all.saving(), evidence(list), advice).with(remedy))
}
