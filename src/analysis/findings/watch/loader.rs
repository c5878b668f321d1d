//! The shared objects that the dynamic loader maps.
//!
//! Which calls are the loader's is known from `analysis::searchers`; what it looks up is in the cube.

use rustc_hash::FxHashMap;

use super::Look;
use crate::analysis::intern::Id;
use crate::analysis::process::ProcessId;
use crate::analysis::searchers::is_object;

/// Most mapped objects that are told apart.
const MOST_MAPPED: usize = 1 << 16;

/// A shared object as it is mapped.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Mapped {
    /// Its length.
    pub(in super::super) bytes: u64,
    /// The segment of time in which it was mapped first.
    pub(in super::super) segment: u16,
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub(in super::super) struct Loader {
    /// Objects mapped by each process.
    pub(in super::super) mapped: FxHashMap<(ProcessId, Id), Mapped>,
    /// Those beyond the limit.
    pub(super) not_kept: u64,
}

impl Loader {
    pub(super) fn mmap(&mut self, look: &Look<'_>) {
        let from_start = look.event.args[5] == 0 && look.seen.errno == 0;
        if !look.seen.caller.is_loader() || !from_start || !look.event.file.is_some_and(is_object) {
            return;
        }
        let key = (look.seen.process, look.object);
        if self.mapped.len() >= MOST_MAPPED && !self.mapped.contains_key(&key) {
            self.not_kept += 1;
            return;
        }
        let fresh = Mapped { bytes: look.event.args[1], segment: look.seen.segment };
        self.mapped.entry(key).or_insert(fresh);
    }
}
