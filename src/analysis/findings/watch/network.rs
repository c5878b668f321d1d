//! Who the program talked to over a network, and how long it waited.

use rustc_hash::FxHashMap;

use super::{Look, MOST_PROCESSES, Table};
use crate::analysis::cost::{Group, LONG_NS};
use crate::analysis::intern::{Id, Interner};
use crate::analysis::process::ProcessId;
use crate::syscall::Family;

/// Most peers that are told apart.
const MOST_PEERS: usize = 256;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(in super::super) struct Network {
    /// Addresses, as in `Event::peer`.
    pub(in super::super) peers: Interner,
    last: FxHashMap<ProcessId, Id>,
    /// Calls by peer and segment of time.
    pub(in super::super) calls: Table<(Id, u16, Group)>,
    peers_not_kept: u64,
}

impl Network {
    pub(super) fn not_kept(&self) -> u64 {
        self.calls.not_kept + self.peers_not_kept
    }

    pub(super) fn see(&mut self, look: &Look<'_>) {
        let process = look.seen.process;
        // A socket that is bound, to listen or to see whether that is possible, talks to nobody yet.
        if &*look.call.name == "bind" {
            return;
        }
        if let Some(peer) = look.event.peer.filter(|peer| is_network(peer)) {
            if self.peers.len() >= MOST_PEERS || self.last.len() >= MOST_PROCESSES {
                self.peers_not_kept += 1;
                return;
            }
            let peer = self.peers.id(peer);
            self.last.insert(process, peer);
        } else {
            // A wait after a packet was sent is a wait for its answer; a short call says nothing.
            let waits = look.seen.duration_ns.is_some_and(|ns| ns >= LONG_NS);
            if look.call.family() == Family::Poll && !waits {
                return;
            }
        }
        if let Some(&peer) = self.last.get(&process) {
            self.calls.add((peer, look.seen.segment, look.seen.group), look.seen.duration_ns);
        }
    }
}

/// Whether an address is on a network, rather than a local socket or the kernel itself.
fn is_network(peer: &[u8]) -> bool {
    peer.starts_with(b"inet:") || peer.starts_with(b"inet6:")
}
