//! The shared objects that the dynamic loader maps and relocates.
//!
//! Which calls are the loader's is known from `analysis::searchers`; what it looks up is in the cube. Having relocated an
//! object, the loader makes the part read-only that only relocation writes to (`PT_GNU_RELRO`): the time from the call
//! before that `mprotect` to it is what relocation took.

use rustc_hash::FxHashMap;

use super::{Look, MOST_PROCESSES};
use crate::analysis::calls::Role;
use crate::analysis::intern::Id;
use crate::analysis::process::ProcessId;
use crate::analysis::searchers::{Searcher, is_object};
use crate::event::Flags;

/// Most mapped objects that are told apart.
const MOST_MAPPED: usize = 1 << 16;
/// No object has more; sums of these stay numbers.
const MOST_BYTES: u64 = 1 << 46;
/// Most objects of one program whose addresses are kept.
const MOST_PLACES: usize = 1 << 10;

/// A shared object as it is mapped.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Mapped {
    /// Its length.
    pub(in super::super) bytes: u64,
    /// The segment of time in which it was mapped first.
    pub(in super::super) segment: u16,
}

/// An object that was relocated.
#[derive(Debug, Clone, Copy, Default)]
pub(in super::super) struct Relocated {
    /// Traced time that it took.
    pub(in super::super) took_ns: u64,
    /// Calls at its end: traced from the same CPU, and from another.
    pub(in super::super) calls: [u64; 2],
    /// What was made read-only.
    pub(in super::super) bytes: u64,
}

/// A program that is being started.
#[derive(Debug, Default)]
struct Starting {
    /// Where objects lie: first address, and the first after it.
    places: Vec<(u64, u64, Id)>,
    /// When its last call ended.
    last_ns: Option<u64>,
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub(in super::super) struct Loader {
    /// Objects mapped by each process.
    pub(in super::super) mapped: FxHashMap<(ProcessId, Id), Mapped>,
    /// Objects relocated by each process, by segment of time; no object: the program itself.
    pub(in super::super) relocated: FxHashMap<(ProcessId, Option<Id>, u16), Relocated>,
    starting: FxHashMap<ProcessId, Starting>,
    /// Those beyond the limit.
    pub(super) not_kept: u64,
}

impl Loader {
    /// A process became another program.
    pub(super) fn exec(&mut self, process: ProcessId) {
        self.starting.remove(&process);
    }

    /// Takes note of any call of the loader's.
    pub(super) fn see(&mut self, look: &Look<'_>) {
        let is_map = look.call.role == Role::Mmap && look.event.file.is_some_and(is_object);
        if is_map && look.event.args[5] == 0 && look.seen.errno == 0 {
            self.map(look);
        }
        let process = look.seen.process;
        let room = self.starting.len() < MOST_PROCESSES || self.starting.contains_key(&process);
        if look.seen.caller != Searcher::Loader || !room {
            return;
        }
        let starting = self.starting.entry(process).or_default();
        let last_ns = std::mem::replace(&mut starting.last_ns, look.event.end_ns);
        if let (Role::Mprotect, 0, Some(last_ns)) = (look.call.role, look.seen.errno, last_ns) {
            let address = look.event.args[0];
            let lies_in = |(from, to, _): &&(u64, u64, Id)| (*from..*to).contains(&address);
            let object = starting.places.iter().find(lies_in).map(|(.., object)| *object);
            let key = (process, object, look.seen.segment);
            if self.relocated.len() < MOST_MAPPED || self.relocated.contains_key(&key) {
                let relocated = self.relocated.entry(key).or_default();
                let took_ns = look.event.start_ns.saturating_sub(last_ns);
                relocated.took_ns = relocated.took_ns.saturating_add(took_ns);
                relocated.calls[usize::from(look.event.flags.has(Flags::BESIDE))] += 1;
                relocated.bytes = relocated.bytes.saturating_add(look.event.args[1]).min(MOST_BYTES);
            }
        }
    }

    fn map(&mut self, look: &Look<'_>) {
        let key = (look.seen.process, look.object);
        if self.mapped.len() >= MOST_MAPPED && !self.mapped.contains_key(&key) {
            self.not_kept += 1;
            return;
        }
        let bytes = look.event.args[1];
        self.mapped.entry(key).or_insert(Mapped { bytes, segment: look.seen.segment });
        let places = &mut self.starting.entry(look.seen.process).or_default().places;
        if let Some(address) = look.event.ret.filter(|_| places.len() < MOST_PLACES) {
            let from = address as u64;
            places.push((from, from.saturating_add(bytes), look.object));
        }
    }
}
