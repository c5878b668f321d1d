//! What only the order of events or their arguments can tell; all else is in the cube.
//!
//! Every table is bounded: a hostile log fills it and what comes after is counted, not kept. Nothing is
//! allocated for an event once its path has been seen.

mod asked;
mod imports;
mod loader;
mod network;
mod path_files;
mod table;

use rustc_hash::FxHashMap;

use crate::analysis::base::Seen;
use crate::analysis::calls::{Call, Role};
use crate::analysis::cost::Group;
use crate::analysis::intern::Id;
use crate::analysis::process::ProcessId;
use crate::event::Event;
use crate::syscall::Family;

pub(super) use asked::{Asked, Question};
pub(super) use imports::{Bytecode, Gap, Imports};
pub(super) use loader::Loader;
pub(super) use network::Network;
pub(super) use path_files::PathFiles;
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
    pub(super) path_files: PathFiles,
    /// Forks that copy the parent's memory map, by process.
    pub(super) forks: Table<(ProcessId, Group)>,
    /// The path each process last executed, as the cube names it.
    executed: FxHashMap<ProcessId, Id>,
}

impl Watch {
    /// A process became a Python (with a script, perhaps).
    pub fn python(&mut self, process: ProcessId, script: Option<&[u8]>) {
        self.imports.python(process, script);
        self.path_files.python(process);
    }

    /// A process became a Python that compiles what is there: what it reads as source is not imported.
    pub fn compiles(&mut self, process: ProcessId) {
        self.imports.not_python(process);
    }

    /// A process became something else.
    pub fn not_python(&mut self, process: ProcessId) {
        self.imports.not_python(process);
        self.path_files.not_python(process);
    }

    /// Takes note of a call, whose object has this id in the cube.
    pub fn call(&mut self, event: &Event<'_>, seen: &Seen<'_>, call: &Call, object: Id) {
        let look = Look { event, seen, call, object };
        self.imports.see(&look);
        self.path_files.see(&look);
        if seen.caller.is_loader() {
            self.loader.see(&look);
        }
        match call.family() {
            Family::Stat
            | Family::Open
            | Family::Read
            | Family::Seek
            | Family::Descriptor
            | Family::Close => self.asked.see(&look),
            Family::Process => self.process(&look),
            Family::Network | Family::Poll => self.network.see(&look),
            _ => {}
        }
    }

    fn process(&mut self, look: &Look<'_>) {
        let Seen { process, group, errno, duration_ns, .. } = *look.seen;
        if look.call.role == Role::Exec {
            let known = self.executed.len() < MOST_PROCESSES || self.executed.contains_key(&process);
            if look.event.ret == Some(0) && known {
                self.executed.insert(process, look.object);
            }
            if look.event.ret == Some(0) {
                self.loader.exec(process);
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
            + self.loader.not_kept
            + self.network.not_kept()
            + self.path_files.not_kept
            + self.forks.not_kept
    }
}
