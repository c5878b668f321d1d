//! Every system call of a run, counted under (segment of time, process, group, errno, file).
//!
//! All tables of the startup report and the flame graph are sums over this one cube. Its size is
//! that of the distinct combinations, not of the calls.

use rustc_hash::FxHashMap;

use super::base::Seen;
use super::cost::{Cell, Group};
use super::filesystem;
use super::intern::{Id, Interner};
use super::process::ProcessId;
use super::searchers::Searcher;

/// What calls are counted under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Segment of the timeline.
    pub segment: u16,
    /// Positive errno, 0 for success.
    pub errno: u16,
    /// Process.
    pub process: ProcessId,
    /// Who looks up the path; `None`: the call is given no name of a file.
    pub searcher: Option<Searcher>,
    /// Call, on a file or not, failed or not.
    pub group: Group,
    /// Path or file, in [`Cube::objects`]; `""` where there is none.
    pub object: Id,
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub struct Cube {
    /// Paths and files.
    pub objects: Interner,
    cells: FxHashMap<Key, Cell>,
}

impl Cube {
    /// Counts a call; gives the id of its object.
    pub fn add(&mut self, seen: &Seen<'_>) -> Id {
        let object = seen.object.unwrap_or_default();
        // Each pipe has its own name; as a kind they are one.
        let object = filesystem::not_a_file(object).map_or(object, str::as_bytes);
        let key = Key {
            segment: seen.segment,
            errno: seen.errno,
            process: seen.process,
            searcher: seen.searcher,
            group: seen.group,
            object: self.objects.id(object),
        };
        self.cells.entry(key).or_default().add(seen.duration_ns);
        key.object
    }

    /// All cells, in a fixed order.
    #[must_use]
    pub fn sorted(&self) -> Vec<(Key, Cell)> {
        let mut cells: Vec<_> = self.cells.iter().map(|(key, cell)| (*key, *cell)).collect();
        cells.sort_unstable_by_key(|(key, _)| *key);
        cells
    }
}
