//! Lookups of paths: those that find nothing, by directory, and those that are made again and again.

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Serialize;

use super::calls::{Calls, Role};
use super::cost::{Cell, Prices};
use super::cube::Key;
use super::intern::{Id, Interner};
use super::process::ProcessId;
use super::searchers::{Searcher, is_hwcaps};
use super::text::{Text, directory, file_name};
use crate::syscall::Family;

/// Errno of a path that is not there.
const ENOENT: u16 = 2;
/// Names shown as examples of a directory's misses.
const EXAMPLES: usize = 3;

/// All lookups of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Lookups {
    /// Calls that look a path up: stat, access, open, readlink, and execs that failed.
    pub lookups: u64,
    /// How many different paths they ask for.
    pub paths: u64,
    /// Those that found nothing (ENOENT).
    pub misses: u64,
    /// What the misses cost; `None` where costs are unknown.
    pub misses_ns: Option<u64>,
    /// Lookups beyond the first of their path.
    pub repeats: u64,
    /// What they cost.
    pub repeats_ns: Option<u64>,
    /// By who makes them: only those who make any.
    pub searchers: Vec<Searched>,
    /// Whether lookups by the dynamic loader for a running program (`dlopen`) are told from the program's
    /// own: not in logs without instruction pointers, and not on musl.
    pub tells_dlopen: bool,
    /// Misses by directory, most first.
    pub missed: Vec<Missed>,
    /// Paths looked up more than once, most first.
    pub repeated: Vec<Repeated>,
}

/// Lookups made by one kind of code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Searched {
    /// Who.
    pub searcher: Searcher,
    /// Lookups.
    pub lookups: u64,
    /// Those that found nothing.
    pub misses: u64,
    /// Those in directories for libraries made for one kind of CPU; only of the loader's.
    pub hwcaps: u64,
    /// What they cost; `None` where costs are unknown.
    pub cost_ns: Option<u64>,
    /// What the misses cost.
    pub misses_ns: Option<u64>,
}

/// Misses in one directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missed {
    /// The directory; empty for relative paths whose base is not known.
    pub directory: Text,
    /// How many lookups in it found nothing.
    pub misses: u64,
    /// How many different names they asked for.
    pub names: u64,
    /// What they cost.
    pub cost_ns: Option<u64>,
    /// Some of the names, those missed most often first.
    pub examples: Vec<Text>,
}

/// A path looked up more than once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Repeated {
    /// The path.
    pub path: Text,
    /// How often.
    pub lookups: u64,
    /// How often in vain.
    pub misses: u64,
    /// By how many processes.
    pub processes: u64,
    /// What all of them but one cost.
    pub repeats_ns: Option<u64>,
}

#[derive(Default)]
struct Path {
    lookups: u64,
    misses: u64,
    cost_ns: Option<u64>,
    missed_ns: Option<u64>,
    processes: FxHashSet<ProcessId>,
}

/// Adds costs where both are known.
pub(super) fn plus(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.saturating_add(b)),
        (a, b) => a.or(b),
    }
}

/// Gathers the lookups of a run.
#[must_use]
pub fn gather(counted: &[(Key, Cell)], calls: &Calls, prices: &Prices, objects: &Interner) -> Lookups {
    let mut paths: FxHashMap<Id, Path> = FxHashMap::default();
    let mut searchers = Searcher::ALL.map(Searched::new);
    for (key, cell) in counted {
        let call = calls.get(key.group.call());
        let family = matches!(call.family(), Family::Stat | Family::Open | Family::Readlink);
        // An exec that succeeds does far more than look its file up.
        let exec = call.role == Role::Exec && key.errno != 0;
        let Some(searcher) = key.searcher.filter(|_| family || exec) else { continue };
        if objects.get(key.object).is_empty() {
            continue;
        }
        let path = paths.entry(key.object).or_default();
        let cost = prices.cost(key.group, cell);
        path.lookups += cell.calls;
        path.cost_ns = plus(path.cost_ns, cost);
        path.processes.insert(key.process);
        searchers[searcher as usize].count(key, cell, cost, objects);
        if key.errno == ENOENT {
            path.misses += cell.calls;
            path.missed_ns = plus(path.missed_ns, cost);
        }
    }
    let repeated = repeated(&paths, objects);
    Lookups {
        lookups: paths.values().map(|path| path.lookups).sum(),
        paths: paths.len() as u64,
        misses: paths.values().map(|path| path.misses).sum(),
        misses_ns: paths.values().map(|path| path.missed_ns).fold(None, plus),
        repeats: repeated.iter().map(|path| path.lookups - 1).sum(),
        repeats_ns: repeated.iter().map(|path| path.repeats_ns).fold(None, plus),
        searchers: searchers.into_iter().filter(|row| row.lookups > 0).collect(),
        tells_dlopen: false,
        missed: missed(&paths, objects),
        repeated,
    }
}

impl Searched {
    fn new(searcher: Searcher) -> Self {
        Self { searcher, lookups: 0, misses: 0, hwcaps: 0, cost_ns: None, misses_ns: None }
    }

    fn count(&mut self, key: &Key, cell: &Cell, cost: Option<u64>, objects: &Interner) {
        self.lookups += cell.calls;
        self.cost_ns = plus(self.cost_ns, cost);
        if key.errno == ENOENT {
            self.misses += cell.calls;
            self.misses_ns = plus(self.misses_ns, cost);
        }
        let loader = matches!(self.searcher, Searcher::Loader | Searcher::Dlopen);
        if loader && is_hwcaps(objects.get(key.object)) {
            self.hwcaps += cell.calls;
        }
    }
}

fn missed(paths: &FxHashMap<Id, Path>, objects: &Interner) -> Vec<Missed> {
    let mut by_directory: FxHashMap<&[u8], Vec<(u64, Id)>> = FxHashMap::default();
    for (&id, path) in paths.iter().filter(|(_, path)| path.misses > 0) {
        let directory = directory(objects.get(id)).unwrap_or_default();
        by_directory.entry(directory).or_default().push((path.misses, id));
    }
    let mut missed: Vec<Missed> = by_directory
        .into_iter()
        .map(|(directory, mut names)| {
            names.sort_unstable_by_key(|&(misses, id)| (std::cmp::Reverse(misses), objects.get(id)));
            Missed {
                directory: directory.into(),
                misses: names.iter().map(|(misses, _)| misses).sum(),
                names: names.len() as u64,
                cost_ns: names.iter().map(|(_, id)| paths[id].missed_ns).fold(None, plus),
                examples: names
                    .iter()
                    .take(EXAMPLES)
                    .map(|&(_, id)| file_name(objects.get(id)).into())
                    .collect(),
            }
        })
        .collect();
    missed.sort_unstable_by(|a, b| b.misses.cmp(&a.misses).then_with(|| a.directory.cmp(&b.directory)));
    missed
}

fn repeated(paths: &FxHashMap<Id, Path>, objects: &Interner) -> Vec<Repeated> {
    let again = paths.iter().filter(|(_, path)| path.lookups > 1);
    let mut repeated: Vec<Repeated> = again
        .map(|(&id, path)| Repeated {
            path: objects.get(id).into(),
            lookups: path.lookups,
            misses: path.misses,
            processes: path.processes.len() as u64,
            repeats_ns: path.cost_ns.map(|cost| cost - cost / path.lookups),
        })
        .collect();
    repeated.sort_unstable_by(|a, b| b.lookups.cmp(&a.lookups).then_with(|| a.path.cmp(&b.path)));
    repeated
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::startup::Startup;
    use crate::analysis::testing::{call, fixture, header, startup};
    use crate::event::Event;

    #[test]
    fn lookups_of_a_log_by_hand() {
        let lookup = |name, path: &'static str, ret| Event {
            path: Some(path.as_bytes()),
            path_abs: Some(path.as_bytes()),
            ..call(name, 0, 6_900, ret)
        };
        let mut startup = Startup::new(&header());
        for event in [
            lookup("newfstatat", "/a/x.so", -2),
            lookup("newfstatat", "/a/x.so", -2),
            lookup("openat", "/a/y.py", -2),
            lookup("openat", "/a/z.py", 3),
            lookup("openat", "/b/y.py", -13),
            lookup("readlink", "/c/l", -2),
            lookup("execve", "/c/prog", -2),
            // No lookups: an exec that succeeds, a call on a descriptor, a change.
            lookup("execve", "/d/prog", 0),
            Event { file: Some(b"/a/z.py"), ..call("fstat", 0, 6_900, 0) },
            lookup("mkdir", "/a/dir", -17),
        ] {
            startup.add(&event);
        }
        let lookups = startup.finish().0.lookups;
        assert_eq!((lookups.lookups, lookups.paths, lookups.misses, lookups.repeats), (7, 6, 5, 1));
        // The stop is 5,900 ns, so each of these cost 1,000.
        assert_eq!((lookups.misses_ns, lookups.repeats_ns), (Some(5_000), Some(1_000)));
        let missed: Vec<_> =
            lookups.missed.iter().map(|m| (m.directory.bytes(), m.misses, m.names, m.cost_ns)).collect();
        assert_eq!(missed, [(&b"/a"[..], 3, 2, Some(3_000)), (b"/c", 2, 2, Some(2_000))]);
        let examples: Vec<_> = lookups.missed[0].examples.iter().map(Text::bytes).collect();
        assert_eq!(examples, [&b"x.so"[..], b"y.py"]);
        let repeated: Vec<_> =
            lookups.repeated.iter().map(|r| (r.path.bytes(), r.lookups, r.misses)).collect();
        assert_eq!(repeated, [(&b"/a/x.so"[..], 2, 2)]);
    }

    #[test]
    fn every_miss_of_a_real_start_is_found() {
        for name in ["2.7-script", "3.6-script", "3.11-uses", "3.13-script", "shim"] {
            let misses = fixture(name).lines().filter(|line| line.contains(" = -1 ENOENT")).count() as u64;
            let lookups = startup(name, &header()).0.lookups;
            assert_eq!(lookups.misses, misses, "{name}");
            assert_eq!(lookups.missed.iter().map(|m| m.misses).sum::<u64>(), misses, "{name}");
            assert!(lookups.lookups - lookups.repeats == lookups.paths, "{name}");
        }
    }
}
