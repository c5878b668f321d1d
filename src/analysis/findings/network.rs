//! Waits for a name server or another host.

use rustc_hash::FxHashMap;

use super::causes::Causes;
use super::facts::{Facts, Tally, evidence, things};
use super::value::Finding;
use crate::analysis::intern::Id;
use crate::analysis::phases::PhaseKind;

const NAME_SERVER: &str = "calls, name server";

pub(super) fn find(facts: &Facts<'_>, _: &Causes<'_>) -> Option<Finding> {
    let network = &facts.watch.network;
    let mut peers: FxHashMap<Id, Tally> = FxHashMap::default();
    let (mut all, mut before) = (Tally::default(), 0);
    for ((peer, segment, group), cell) in network.calls.iter() {
        let tally = facts.tally(*group, cell);
        peers.entry(*peer).or_default().merge(tally);
        all.merge(tally);
        let program =
            |kind| matches!(kind, PhaseKind::Program | PhaseKind::Exit | PhaseKind::Rest | PhaseKind::After);
        if facts.phase(*segment).is_some_and(|phase| !program(phase.kind)) {
            before += cell.calls;
        }
    }
    if peers.is_empty() {
        return None;
    }
    let when = if before > 0 { format!(", {before} before the program itself runs") } else { String::new() };
    let what = format!(
        "{} to {} on the network{when}",
        things(all.calls, "call", "calls"),
        things(peers.len() as u64, "address", "addresses"),
    );
    let note = |peer: &[u8]| if is_name_server(peer) { NAME_SERVER } else { "calls" };
    let list = peers.iter().map(|(&id, &tally)| {
        let peer = network.peers.get(id);
        (peer, tally, note(peer))
    });
    let advice = if peers.keys().any(|&id| is_name_server(network.peers.get(id))) {
        "see whether the start needs it (update checks, telemetry, the host's own name); put names needed into \
         /etc/hosts or run a caching resolver"
    } else {
        "see whether the start needs it (update checks, telemetry), or do it later and beside other work"
    };
    Some(Finding::new(&what, all.saving(), evidence(list), advice))
}

/// Whether an address is that of a name server: port 53.
fn is_name_server(peer: &[u8]) -> bool {
    peer.ends_with(b":53")
}
