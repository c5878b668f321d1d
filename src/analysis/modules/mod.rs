//! Python modules, in the order they were loaded, with the calls each took.
//!
//! An import first looks for the module: it stats the directories of the search path (and lists one
//! it has not seen), then candidate files; 2.7 opens candidates instead. Then it opens, reads and
//! closes the file found. So when a module's file is opened, the lookups since the last load that
//! bear its name, and the directories of the last pass through the search path, were its search.
//! Lookups that led to no file (a module that is built in, frozen, or not there) are nobody's.
//!
//! What cannot be seen: modules that are built in, frozen or in a zip archive; and why one was imported.

mod names;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Serialize;

use super::base::Seen;
use super::calls::Call;
use super::cost::{Cell, Group, Prices};
use super::intern::{Id, Interner};
use super::phases::{Boundary, phase_of_segment};
use super::process::ProcessId;
use super::text::{Text, directory, file_name};
use crate::event::{Event, Kind};
use crate::syscall::{Arg, Family};

pub use names::FileKind;
use names::Names;
pub(super) use names::{module_file, stem};

/// Lookups remembered while a module is searched for.
const MOST_PENDING: usize = 512;
/// Processes whose imports are followed.
const MOST_PROCESSES: usize = 64;
/// `S_IFMT` and `S_IFDIR` of inode(7).
const TYPE: u32 = 0o170_000;
const DIRECTORY: u32 = 0o040_000;
/// `O_ACCMODE` of open(2); reading only is 0.
const ACCESS_MODE: u64 = 3;
/// Errno of a file that is not there.
const ENOENT: u16 = 2;

/// The modules of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Modules {
    /// How many were loaded from files.
    pub loaded: u64,
    /// Calls made to find and read them.
    pub calls: u64,
    /// Lookups among them that found nothing.
    pub misses: u64,
    /// What those calls cost; `None` where costs are unknown. (Not what running the modules cost.)
    pub cost_ns: Option<u64>,
    /// In order of loading.
    pub modules: Vec<Module>,
}

/// One module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Module {
    /// Dotted name, as far as its path tells.
    pub name: Text,
    /// The file it was loaded from.
    pub path: Text,
    /// What that file is.
    pub file: FileKind,
    /// The process that loaded it.
    pub pid: u32,
    /// Lookups made to find it.
    pub probes: u64,
    /// Those that found nothing.
    pub misses: u64,
    /// All calls: the search, opening, reading, closing.
    pub calls: u64,
    /// What those cost; `None` where costs are unknown.
    pub cost_ns: Option<u64>,
    /// The phase it was opened in.
    pub phase: Text,
    /// When its file was opened, by the clock of the log.
    #[serde(skip)]
    pub opened_ns: u64,
}

/// A lookup that may turn out to belong to a module.
#[derive(Debug, Clone, Copy)]
struct Pending {
    object: Id,
    group: Group,
    duration_ns: Option<u64>,
    missed: bool,
    lookup: bool,
}

#[derive(Debug)]
struct Loaded {
    path: Id,
    pid: u32,
    segment: u16,
    opened_ns: u64,
    probes: u64,
    misses: u64,
    cells: Vec<(Group, Cell)>,
}

impl Loaded {
    fn count(&mut self, group: Group, duration_ns: Option<u64>) {
        let at = self.cells.iter().position(|(known, _)| *known == group);
        let at = at.unwrap_or_else(|| {
            self.cells.push((group, Cell::default()));
            self.cells.len() - 1
        });
        self.cells[at].1.add(duration_ns);
    }
}

/// The imports of one interpreter.
#[derive(Debug, Default)]
struct Importer {
    pending: Vec<Pending>,
    /// Modules by directory and stem.
    known: FxHashMap<(Id, Id), usize>,
    current: Option<(Id, Id)>,
    script: Option<Id>,
}

/// Whether an open is for reading only: new bytecode is written under a passing name.
fn reads(event: &Event<'_>, call: &Call) -> bool {
    let at_directory =
        call.spec.is_some_and(|spec| spec.args.first().is_some_and(|arg| arg.arg == Arg::DirFd));
    let flags = event.args[usize::from(at_directory) + 1];
    flags & ACCESS_MODE == 0
}

/// Gathers imports while events pass.
#[derive(Debug, Default)]
pub struct Imports {
    paths: Interner,
    directories: FxHashSet<Id>,
    importers: FxHashMap<ProcessId, Importer>,
    loaded: Vec<Loaded>,
}

impl Imports {
    /// A process became a Python; the script's name, if it has one, is no module.
    pub fn python(&mut self, process: ProcessId, script: Option<&[u8]>) {
        if self.importers.len() < MOST_PROCESSES {
            let script = script.map(|path| self.paths.id(file_name(path)));
            self.importers.insert(process, Importer { script, ..Importer::default() });
        }
    }

    /// A process became something else.
    pub fn not_python(&mut self, process: ProcessId) {
        self.importers.remove(&process);
    }

    /// Takes note of a call.
    pub fn add(&mut self, event: &Event<'_>, seen: &Seen<'_>, call: &Call) {
        debug_assert_eq!(event.kind, Kind::Syscall);
        let Some(importer) = self.importers.get_mut(&seen.process) else { return };
        let Some(object) = seen.object.filter(|object| object.starts_with(b"/")) else { return };
        let id = self.paths.id(object);
        if event.stat.is_some_and(|stat| stat.mode & TYPE == DIRECTORY) || call.family() == Family::Readdir {
            self.directories.insert(id);
        }
        let by_path = call.takes_path() && event.path.is_some_and(|path| !path.is_empty());
        let opened = by_path && call.family() == Family::Open && seen.errno == 0;
        let (dir, stem) = stem(object);
        let key = (self.paths.id(dir), self.paths.id(stem));

        let of_module = importer.known.get(&key).copied();
        if opened && of_module.is_none() && module_file(object).is_some() {
            let script = importer.script == Some(self.paths.id(file_name(object)));
            if !script {
                self.open(seen, (event.pid, event.start_ns), id, key);
            }
            return;
        }
        match of_module {
            // A stale bytecode file, its source, the new bytecode: all the same module's.
            Some(at) if importer.current == Some(key) || opened => {
                importer.current = Some(key);
                let module = &mut self.loaded[at];
                module.count(seen.group, seen.duration_ns);
                if opened && module_file(object) == Some(FileKind::Bytecode) && reads(event, call) {
                    module.path = id;
                }
            }
            _ => {
                let lookup =
                    by_path && matches!(call.family(), Family::Stat | Family::Open | Family::Readlink);
                if lookup || self.directories.contains(&id) {
                    if importer.pending.len() >= MOST_PENDING {
                        importer.pending.drain(..MOST_PENDING / 2);
                    }
                    let missed = seen.errno == ENOENT;
                    let Seen { group, duration_ns, .. } = *seen;
                    importer.pending.push(Pending { object: id, group, duration_ns, missed, lookup });
                }
            }
        }
    }

    /// A module's file was opened for the first time.
    fn open(&mut self, seen: &Seen<'_>, (pid, opened_ns): (u32, u64), path: Id, key: (Id, Id)) {
        let Some(importer) = self.importers.get_mut(&seen.process) else { return };
        let segment = seen.segment;
        let mut module = Loaded { path, pid, segment, opened_ns, probes: 0, misses: 0, cells: Vec::new() };
        let (dir, stem) = (self.paths.get(key.0), self.paths.get(key.1));
        let (package, tail) = if stem == b"__init__" { (Some(dir), file_name(dir)) } else { (None, stem) };
        let mut pass: Vec<Id> = Vec::new();
        for lookup in importer.pending.drain(..).rev() {
            let object = self.paths.get(lookup.object);
            let named = package == Some(object)
                || names::bears_name(object, tail)
                || (package.is_some()
                    && directory(object) == package
                    && names::stem(object).1 == b"__init__");
            let directory =
                !named && (self.directories.contains(&lookup.object) || object.ends_with(b".zip"));
            if directory && pass.last() != Some(&lookup.object) {
                if pass.contains(&lookup.object) {
                    // The pass before this one: somebody else's search.
                    break;
                }
                pass.push(lookup.object);
            }
            if named || directory {
                module.probes += u64::from(lookup.lookup);
                module.misses += u64::from(lookup.missed);
                module.count(lookup.group, lookup.duration_ns);
            }
        }
        module.count(seen.group, seen.duration_ns);
        importer.current = Some(key);
        importer.known.insert(key, self.loaded.len());
        self.loaded.push(module);
    }

    /// The modules found.
    #[must_use]
    pub fn finish(self, prices: &Prices, boundaries: &[Boundary]) -> Modules {
        let mut names = Names::default();
        let mut all = Modules::default();
        for loaded in &self.loaded {
            let path = self.paths.get(loaded.path);
            let Some(file) = module_file(path) else { continue };
            let costs = loaded.cells.iter().map(|(group, cell)| prices.cost(*group, cell));
            let module = Module {
                name: names.of(path).as_slice().into(),
                path: path.into(),
                file,
                pid: loaded.pid,
                probes: loaded.probes,
                misses: loaded.misses,
                calls: loaded.cells.iter().map(|(_, cell)| cell.calls).sum(),
                cost_ns: costs.fold(None, super::lookups::plus),
                phase: boundaries
                    .get(phase_of_segment(boundaries, loaded.segment))
                    .map_or_else(Text::default, |boundary| boundary.name.as_slice().into()),
                opened_ns: loaded.opened_ns,
            };
            all.loaded += 1;
            all.calls += module.calls;
            all.misses += module.misses;
            all.cost_ns = super::lookups::plus(all.cost_ns, module.cost_ns);
            all.modules.push(module);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::testing::{header, startup};

    fn modules(name: &str) -> Modules {
        startup(name, &header()).0.modules
    }

    fn names(modules: &Modules) -> Vec<&str> {
        modules.modules.iter().map(|module| std::str::from_utf8(module.name.bytes()).unwrap()).collect()
    }

    /// `python -X importtime uses.py` of 3.11 names these, and others that are built in or frozen. (It
    /// names a module when its import ends, here it is when its file is opened: the order differs.)
    const IMPORTTIME_3_11: [&str; 24] = [
        "encodings.aliases",
        "encodings",
        "encodings.utf_8",
        "pkg",
        "pkg.b",
        "pkg.a",
        "types",
        "operator",
        "keyword",
        "reprlib",
        "collections",
        "functools",
        "enum",
        "re._constants",
        "re._parser",
        "re._casefix",
        "re._compiler",
        "copyreg",
        "re",
        "_json",
        "json.scanner",
        "json.decoder",
        "json.encoder",
        "json",
    ];

    #[test]
    fn the_modules_are_those_python_names() {
        let modules = modules("3.11-uses");
        let (mut seen, mut expected) = (names(&modules), IMPORTTIME_3_11.to_vec());
        assert_eq!(seen[..6], ["encodings", "encodings.aliases", "encodings.utf_8", "pkg", "pkg.a", "pkg.b"]);
        seen.sort_unstable();
        expected.sort_unstable();
        assert_eq!(seen, expected);
    }

    #[test]
    fn calls_are_the_search_and_the_load() {
        let modules = modules("3.11-uses");
        let of = |name: &str| {
            let found = modules.modules.iter().find(|module| module.name.bytes() == name.as_bytes());
            let module = found.unwrap_or_else(|| panic!("no {name}"));
            (module.file, module.probes, module.misses, module.calls, module.phase.bytes())
        };
        let script = &b"./uses.py"[..];
        // stat of the directory on the path, of json/__init__ with four suffixes and of the source
        // again; open; fstat, ioctl, 2 lseek, fstat, 2 read, close; json's own directory: stat.
        assert_eq!(of("json"), (FileKind::Bytecode, 7, 3, 16, script));
        assert_eq!(of("enum"), (FileKind::Bytecode, 4, 0, 13, script));
        assert_eq!(of("_json"), (FileKind::Extension, 4, 0, 12, script));
        // No bytecode yet: a miss, then the source.
        assert_eq!(of("pkg.b"), (FileKind::Source, 4, 1, 13, script));
        assert_eq!(of("encodings").4, b"interpreter init");
        assert_eq!(modules.calls, modules.modules.iter().map(|module| module.calls).sum::<u64>());
        assert_eq!(modules.misses, 4 + 4 + 1 + 1 + 3 * 3);
    }

    #[test]
    fn python_2_opens_candidates() {
        let modules = modules("2.7-uses");
        let seen = names(&modules);
        assert_eq!(seen[..3], ["site", "os", "posixpath"]);
        assert_eq!(seen[seen.len() - 5..], ["struct", "_struct", "json.scanner", "_json", "json.encoder"]);
        let os = &modules.modules[1];
        assert_eq!((os.file, os.probes, os.misses), (FileKind::Bytecode, 3, 3));
    }

    #[test]
    fn nothing_is_loaded_by_what_is_no_python() {
        let all = modules("wrapper");
        assert!(all.modules.iter().all(|module| module.pid == all.modules[0].pid));
        assert_eq!(all.loaded, 3);
    }
}
