//! What only the order of events or their arguments can tell; all else is in the cube.
//!
//! Every table is bounded: a hostile log fills it and what comes after is counted, not kept. Nothing is
//! allocated for an event once its path has been seen.

mod asked;
mod imports;
mod loader;
mod network;
mod table;

use rustc_hash::FxHashMap;

use crate::analysis::base::Seen;
use crate::analysis::calls::{Call, Role};
use crate::analysis::cost::Group;
use crate::analysis::intern::Id;
use crate::analysis::process::ProcessId;
use crate::event::{Event, Kind};
use crate::syscall::Family;

pub(super) use asked::{Asked, Question};
pub(super) use imports::{Bytecode, Gap, Imports};
pub(super) use loader::{Loader, OLD_HWCAPS};
pub(super) use network::Network;
pub(super) use table::Table;

/// Most processes whose order of calls is followed.
const MOST_PROCESSES: usize = 4096;
/// `CLONE_VM` of clone(2): the child shares its parent's memory, nothing is copied.
const CLONE_VM: u64 = 0x100;

/// An event with all that is known of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look<'e> {
    event: &'e Event<'e>,
    seen: &'e Seen<'e>,
    call: &'e Call,
    /// The object's id in the cube.
    object: Id,
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub struct Watch {
    pub(super) asked: Asked,
    pub(super) imports: Imports,
    pub(super) loader: Loader,
    pub(super) network: Network,
    /// Forks that copy the parent's memory map, by process.
    pub(super) forks: Table<(ProcessId, Group)>,
    /// The path each process last executed, as the cube names it.
    executed: FxHashMap<ProcessId, Id>,
}

impl Watch {
    /// A process became a Python (with a script, perhaps).
    pub fn python(&mut self, process: ProcessId, script: Option<&[u8]>) {
        self.imports.python(process, script);
    }

    /// A process became something else.
    pub fn not_python(&mut self, process: ProcessId) {
        self.imports.not_python(process);
    }

    /// Takes note of what is no call.
    pub fn event(&mut self, event: &Event<'_>, process: ProcessId) {
        match event.kind {
            Kind::Exec => self.loader.exec(process),
            Kind::Mark if event.text == Some(crate::event::mark::ENTRY.as_bytes()) => {
                self.loader.entry(process);
            }
            _ => {}
        }
    }

    /// Takes note of a call, whose object has this id in the cube.
    pub fn call(&mut self, event: &Event<'_>, seen: &Seen<'_>, call: &Call, object: Id) {
        let look = Look { event, seen, call, object };
        self.imports.see(&look);
        if call.role != Role::Exec && is_no_loader(call.family()) {
            self.loader.entry(seen.process);
        }
        match call.family() {
            Family::Stat | Family::Open => {
                self.loader.lookup(&look);
                self.asked.see(&look);
            }
            Family::Read | Family::Seek | Family::Descriptor | Family::Close => self.asked.see(&look),
            Family::Memory if call.role == Role::Mmap => self.loader.mmap(&look),
            Family::Process => self.process(&look),
            Family::Network | Family::Poll => self.network.see(&look),
            _ => self.loader.other(&look),
        }
    }

    fn process(&mut self, look: &Look<'_>) {
        let Seen { process, group, errno, duration_ns, .. } = *look.seen;
        if look.call.role == Role::Exec {
            let known = self.executed.len() < MOST_PROCESSES || self.executed.contains_key(&process);
            if look.event.ret == Some(0) && known {
                self.executed.insert(process, look.object);
            }
            return;
        }
        let copies = match &*look.call.name {
            "fork" => true,
            "clone" => look.event.args[0] & CLONE_VM == 0,
            _ => false,
        };
        if copies && errno == 0 {
            self.forks.add((process, group), duration_ns);
        }
    }

    /// The path a process last executed.
    pub(super) fn executed(&self, process: ProcessId) -> Option<Id> {
        self.executed.get(&process).copied()
    }

    /// What did not fit into the tables.
    pub(super) fn not_kept(&self) -> u64 {
        self.asked.not_kept()
            + self.imports.not_kept
            + self.loader.not_kept()
            + self.network.not_kept()
            + self.forks.not_kept
    }
}

/// Whether a loader never makes such calls: the program has begun, even if the log does not say when.
fn is_no_loader(family: Family) -> bool {
    matches!(
        family,
        Family::Write
            | Family::Seek
            | Family::Readdir
            | Family::Namespace
            | Family::Descriptor
            | Family::Process
            | Family::Network
            | Family::Signal
            | Family::Poll
    )
}
