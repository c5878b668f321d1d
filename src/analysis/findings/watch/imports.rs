//! How long a Python took from the opening of one module's file to that of the next.
//!
//! In that time it reads the module, compiles it where there is no bytecode, runs it, and looks for the
//! next one. What it waited for meanwhile (a sleep, a child, the network) is left out. The time after the
//! last module is nobody's: the program runs then.

use std::hash::Hasher;

use rustc_hash::{FxHashMap, FxHasher};

use super::Look;
use crate::analysis::cost::LONG_NS;
use crate::analysis::intern::Id;
use crate::analysis::modules::{FileKind, module_file, stem};
use crate::analysis::process::ProcessId;
use crate::analysis::text::file_name;
use crate::event::Flags;
use crate::syscall::{Arg, Family};

/// Most interpreters that are followed.
const MOST_PROCESSES: usize = 64;
/// Most modules that are kept.
const MOST_GAPS: usize = 1 << 16;
/// Calls between the opening of bytecode and that of its source where one follows from the other.
const SOON: u64 = 12;
/// `O_ACCMODE` of open(2).
const ACCESS_MODE: u64 = 3;

/// What became of the bytecode of a module that was read as source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in super::super) enum Bytecode {
    /// Nobody tried to write it.
    #[default]
    NotWritten,
    /// It was written.
    Written,
    /// It could not be written.
    Refused,
}

/// The time after one module's file was opened.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Gap {
    /// The file.
    pub(in super::super) path: Id,
    /// What it is.
    pub(in super::super) file: FileKind,
    /// Whose it is.
    pub(in super::super) process: ProcessId,
    /// Traced time to the next module, waits left out; `None`: there was none, the program ran.
    pub(in super::super) traced_ns: Option<u64>,
    /// Calls in it: traced from the same CPU, and from another.
    pub(in super::super) calls: [u64; 2],
    /// A hash of its directory and name without suffixes: source and bytecode have the same.
    module: u64,
    /// It is source, and bytecode for it was missing, stale or written: it was compiled.
    pub(in super::super) compiled: bool,
    /// Bytecode that was read just before was of no use.
    pub(in super::super) stale: bool,
    /// What became of its bytecode.
    pub(in super::super) bytecode: Bytecode,
}

impl Gap {
    /// Its source was read to write bytecode, and for no import: nobody has looked for bytecode before. (An import does;
    /// installers and `compileall -f` do not.)
    pub(in super::super) fn is_compiled_only(&self) -> bool {
        self.file == FileKind::Source && !self.compiled && self.bytecode != Bytecode::NotWritten
    }
}

#[derive(Debug, Default)]
struct Follower {
    /// The module being loaded, and when its file was opened.
    current: Option<(Gap, u64)>,
    /// The module whose bytecode was last looked for in vain.
    missed: Option<u64>,
    script: Vec<u8>,
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub(in super::super) struct Imports {
    followers: FxHashMap<ProcessId, Follower>,
    /// In order of their ends.
    gaps: Vec<Gap>,
    /// Modules beyond the limit.
    pub(in super::super) not_kept: u64,
}

impl Imports {
    pub(super) fn python(&mut self, process: ProcessId, script: Option<&[u8]>) {
        if self.followers.len() < MOST_PROCESSES {
            let script = script.map_or_else(Vec::new, |path| file_name(path).to_vec());
            self.followers.insert(process, Follower { script, ..Follower::default() });
        }
    }

    /// All modules, those included that were the last ones.
    pub(in super::super) fn all(&self) -> impl Iterator<Item = Gap> {
        let last = self.followers.values().filter_map(|follower| follower.current.map(|(gap, _)| gap));
        self.gaps.iter().copied().chain(last)
    }

    pub(super) fn not_python(&mut self, process: ProcessId) {
        self.followers.remove(&process);
    }

    pub(super) fn see(&mut self, look: &Look<'_>) {
        let Some(follower) = self.followers.get_mut(&look.seen.process) else { return };
        if look.event.tid != look.event.pid {
            return;
        }
        if let Some((gap, began_ns)) = &mut follower.current {
            gap.calls[usize::from(look.event.flags.has(Flags::BESIDE))] += 1;
            let waited = look.seen.duration_ns.filter(|ns| *ns >= LONG_NS && !look.seen.group.on_file());
            *began_ns = began_ns.saturating_add(waited.unwrap_or(0));
        }
        if acts(look) {
            // The program goes to work: how long the last module took cannot be told.
            let ended = follower.current.take();
            self.keep(ended.map(|(gap, _)| gap));
            return;
        }
        let Some(path) = look.seen.object.filter(|_| look.call.family() == Family::Open) else { return };
        if look.event.path.is_none_or(<[u8]>::is_empty) {
            return;
        }
        if writes(look) {
            follower.wrote(path, look.seen.errno != 0);
        } else if let Some(file) = module_file(path) {
            if look.seen.errno != 0 {
                follower.missed(path, file);
                return;
            }
            if file_name(path) == follower.script.as_slice() {
                return;
            }
            let gap = Gap {
                path: look.object,
                file,
                process: look.seen.process,
                traced_ns: None,
                calls: [0; 2],
                module: module_hash(path),
                compiled: false,
                stale: false,
                bytecode: Bytecode::default(),
            };
            self.begin(gap, look.event.start_ns);
        }
    }

    /// A module's file was opened: the one before it is done.
    fn begin(&mut self, mut gap: Gap, at_ns: u64) {
        let Some(follower) = self.followers.get_mut(&gap.process) else { return };
        if let Some((ended, began_ns)) = follower.current.take() {
            let same = ended.module == gap.module && ended.calls.iter().sum::<u64>() <= SOON;
            if same && (ended.file, gap.file) == (FileKind::Source, FileKind::Bytecode) {
                // 2.7 opens the source to see how old it is, then the bytecode.
                follower.current = Some((Gap { calls: ended.calls, ..gap }, began_ns));
                return;
            }
            if same && ended.path == gap.path {
                // 2.7 opens an extension to see that it is there; the loader opens it to map it.
                follower.current = Some((ended, began_ns));
                return;
            }
            // Bytecode that is good is not followed by its source. (A traceback may be, but later.)
            gap.stale = same && (ended.file, gap.file) == (FileKind::Bytecode, FileKind::Source);
            self.keep(Some(Gap { traced_ns: Some(at_ns.saturating_sub(began_ns)), ..ended }));
        }
        let Some(follower) = self.followers.get_mut(&gap.process) else { return };
        gap.compiled =
            gap.file == FileKind::Source && (gap.stale || follower.missed.take() == Some(gap.module));
        follower.current = Some((gap, at_ns));
    }

    fn keep(&mut self, gap: Option<Gap>) {
        if self.gaps.len() < MOST_GAPS {
            self.gaps.extend(gap);
        } else {
            self.not_kept += u64::from(gap.is_some());
        }
    }
}

impl Follower {
    /// A file that may be a module's is not there.
    fn missed(&mut self, path: &[u8], file: FileKind) {
        if file != FileKind::Bytecode {
            return;
        }
        let module = module_hash(path);
        self.missed = Some(module);
        if let Some((gap, _)) = &mut self.current {
            gap.compiled |= gap.file == FileKind::Source && gap.module == module;
        }
    }

    fn wrote(&mut self, path: &[u8], failed: bool) {
        if let Some((gap, _)) = &mut self.current
            && is_bytecode(path)
            && gap.module == module_hash(path)
        {
            // 2.7 has read the source already when it finds the bytecode stale. (An installer that compiles
            // what it installed reads source, and looks for no bytecode before.)
            if gap.file == FileKind::Bytecode {
                (gap.file, gap.compiled, gap.stale) = (FileKind::Source, true, true);
            }
            gap.bytecode = if failed { Bytecode::Refused } else { Bytecode::Written };
        }
    }
}

/// Whether a call is what programs do and imports do not: writing, changing names, starting programs, talking.
/// (Imports write bytecode.)
fn acts(look: &Look<'_>) -> bool {
    let acts = match look.call.family() {
        Family::Write | Family::Namespace | Family::Network | Family::Process | Family::Sync => true,
        Family::Open => writes(look),
        _ => false,
    };
    acts && !look.seen.object.is_some_and(is_bytecode)
}

/// Whether a path is that of bytecode, of its directory, or of the file it is written to at first.
fn is_bytecode(path: &[u8]) -> bool {
    let name = file_name(path);
    name == b"__pycache__" || name.windows(4).any(|part| part == b".pyc" || part == b".pyo")
}

/// Whether a file is opened to be written.
fn writes(look: &Look<'_>) -> bool {
    let at_directory =
        look.call.spec.is_some_and(|spec| spec.args.first().is_some_and(|arg| arg.arg == Arg::DirFd));
    look.event.args[usize::from(at_directory) + 1] & ACCESS_MODE != 0
}

fn module_hash(path: &[u8]) -> u64 {
    let (directory, name) = stem(path);
    let mut hasher = FxHasher::default();
    hasher.write(directory);
    hasher.write(name);
    hasher.finish()
}
