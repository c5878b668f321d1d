//! What the dynamic loader looks for and maps.
//!
//! Its calls are known by the instruction pointer: the first call of a new program is the loader's own,
//! and the code of glibc's loader is smaller than [`REACH`]. Logs without instruction pointers are read by
//! names: up to the program's entry point, shared objects are looked for by nobody else.

use rustc_hash::FxHashMap;

use super::{Look, MOST_PROCESSES, Table};
use crate::analysis::cost::Group;
use crate::analysis::intern::Id;
use crate::analysis::process::ProcessId;
use crate::analysis::text::file_name;
use crate::event::Event;

/// How far apart two calls of the loader can be: its code has about 150 KiB.
const REACH: u64 = 160 << 10;
/// Directories for special processors that older loaders look for below each directory of the search.
pub(in super::super) const OLD_HWCAPS: [&[u8]; 5] = [b"tls", b"x86_64", b"haswell", b"avx512_1", b"xeon_phi"];
/// Most mapped objects that are told apart.
const MOST_MAPPED: usize = 1 << 16;

#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// Where the loader's calls come from; 0: not known (yet).
    ip: u64,
    /// The program itself has begun.
    entered: bool,
}

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
    states: FxHashMap<ProcessId, State>,
    /// Lookups of the loader.
    pub(in super::super) lookups: Table<(Id, bool, Group)>,
    /// Objects mapped by each process.
    pub(in super::super) mapped: FxHashMap<(ProcessId, Id), Mapped>,
    mapped_not_kept: u64,
}

impl Loader {
    pub(super) fn not_kept(&self) -> u64 {
        self.lookups.not_kept + self.mapped_not_kept
    }

    pub(super) fn exec(&mut self, process: ProcessId) {
        if self.states.len() < MOST_PROCESSES || self.states.contains_key(&process) {
            self.states.insert(process, State::default());
        }
    }

    pub(super) fn entry(&mut self, process: ProcessId) {
        if let Some(state) = self.states.get_mut(&process) {
            state.entered = true;
        }
    }

    /// A call that is neither a lookup nor a mapping: it may be the loader's first.
    pub(super) fn other(&mut self, look: &Look<'_>) {
        let _ = self.is_loader(look.seen.process, look.event);
    }

    fn is_loader(&mut self, process: ProcessId, event: &Event<'_>) -> bool {
        let Some(state) = self.states.get_mut(&process) else { return false };
        if event.ip == 0 {
            return !state.entered;
        }
        if state.ip == 0 {
            if state.entered {
                return false;
            }
            state.ip = event.ip;
        }
        event.ip.abs_diff(state.ip) <= REACH
    }

    pub(super) fn lookup(&mut self, look: &Look<'_>) {
        let Some(path) = look.seen.object.filter(|_| look.event.path.is_some_and(|path| !path.is_empty()))
        else {
            return;
        };
        if self.is_loader(look.seen.process, look.event) && is_library(path) {
            let found = look.seen.errno == 0;
            self.lookups.add((look.object, found, look.seen.group), look.seen.duration_ns);
        }
    }

    pub(super) fn mmap(&mut self, look: &Look<'_>) {
        let loader = self.is_loader(look.seen.process, look.event);
        let key = (look.seen.process, look.object);
        if !loader || look.event.file.is_none() || look.seen.errno != 0 || look.event.args[5] != 0 {
            return;
        }
        if self.mapped.len() >= MOST_MAPPED && !self.mapped.contains_key(&key) {
            self.mapped_not_kept += 1;
            return;
        }
        let fresh = Mapped { bytes: look.event.args[1], segment: look.seen.segment };
        if look.event.file.is_some_and(is_library) {
            self.mapped.entry(key).or_insert(fresh);
        }
    }
}

/// Whether a path is that of a shared object, or of a directory in which the loader looks for special
/// versions of them.
fn is_library(path: &[u8]) -> bool {
    let name = file_name(path.strip_suffix(b"/").unwrap_or(path));
    let object = name.windows(3).position(|part| part == b".so").is_some_and(|at| {
        let rest = &name[at + 3..];
        rest.is_empty() || (rest[0] == b'.' && rest.get(1).is_some_and(u8::is_ascii_digit))
    });
    object || OLD_HWCAPS.contains(&name) || path.windows(12).any(|part| part == b"glibc-hwcaps")
}

#[cfg(test)]
mod tests {
    use super::is_library;

    #[test]
    fn libraries_by_name() {
        for path in ["/lib/libc.so.6", "/a/x.so", "/l/glibc-hwcaps/x86-64-v3"] {
            assert!(is_library(path.as_bytes()), "{path}");
        }
        for path in ["/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/a.sock", "/usr/lib/x.py", "/b/.sources"]
        {
            assert!(!is_library(path.as_bytes()), "{path}");
        }
    }
}
