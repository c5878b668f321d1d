//! What Python's `site` does from one `.pth` file to the next: the lines of such a file that begin with `import` are
//! run, and import whatever they like.

use rustc_hash::FxHashMap;

use super::Look;
use crate::analysis::findings::causes::has_directory;
use crate::analysis::intern::Id;
use crate::analysis::modules::{module_file, stem};
use crate::analysis::process::ProcessId;
use crate::event::Flags;
use crate::syscall::Family;

/// Most spans that are kept.
const MOST: usize = 1 << 12;

/// The time from a `.pth` file's opening to the next one's or the last import after it, as far as it lies in one segment of the timeline.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Span {
    /// The file.
    pub(in super::super) path: Id,
    /// The segment.
    pub(in super::super) segment: u16,
    /// When its first call began.
    pub(in super::super) from_ns: u64,
    /// When the first call began that was no longer about a module which was imported.
    pub(in super::super) to_ns: u64,
    /// Calls up to there: traced from the same CPU, and from another.
    pub(in super::super) calls: [u64; 2],
    /// Files of modules that were opened. (Those of `encodings` are `site`'s own, to read the file with.)
    pub(in super::super) modules: u64,
    /// All calls so far.
    calls_so_far: [u64; 2],
    /// A module was opened, and nothing was looked up since.
    reads: bool,
}

impl Span {
    fn see(&mut self, look: &Look<'_>, imports: bool) {
        let looks_up = look.call.takes_path() && look.event.path.is_some_and(|path| !path.is_empty());
        if imports || (self.reads && looks_up) {
            (self.to_ns, self.calls, self.reads) = (look.event.start_ns, self.calls_so_far, imports);
        }
        self.calls_so_far[usize::from(look.event.flags.has(Flags::BESIDE))] += 1;
        self.modules += u64::from(imports);
    }
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub(in super::super) struct PathFiles {
    /// By process that is a Python: `None` before its first `.pth` file.
    current: FxHashMap<ProcessId, Option<Span>>,
    done: Vec<Span>,
    /// Spans beyond the limit.
    pub(super) not_kept: u64,
}

impl PathFiles {
    pub(super) fn python(&mut self, process: ProcessId) {
        if self.current.len() < super::MOST_PROCESSES {
            self.current.insert(process, None);
        }
    }

    pub(super) fn not_python(&mut self, process: ProcessId) {
        if let Some(Some(span)) = self.current.remove(&process) {
            self.keep(span);
        }
    }

    /// All spans.
    pub(in super::super) fn all(&self) -> impl Iterator<Item = &Span> {
        self.done.iter().chain(self.current.values().flatten())
    }

    fn keep(&mut self, span: Span) {
        if self.done.len() < MOST {
            self.done.push(span);
        } else {
            self.not_kept += 1;
        }
    }

    pub(super) fn see(&mut self, look: &Look<'_>) {
        if look.event.tid != look.event.pid {
            return;
        }
        let Some(current) = self.current.get_mut(&look.seen.process) else { return };
        let opened = look.seen.object.filter(|_| look.call.family() == Family::Open && look.seen.errno == 0);
        let segment = look.seen.segment;
        let fresh = |path| Span {
            path,
            segment,
            from_ns: look.event.start_ns,
            to_ns: look.event.start_ns,
            calls: [0; 2],
            modules: 0,
            calls_so_far: [0; 2],
            reads: false,
        };
        let before = *current;
        if opened.is_some_and(|path| path.ends_with(b".pth")) {
            *current = Some(fresh(look.object));
        } else if look.seen.object.is_some_and(ends_path_files) {
            *current = None;
        } else if let Some(span) = before.filter(|span| span.segment != segment) {
            *current = Some(fresh(span.path));
        }
        if let Some(span) = current {
            span.see(look, opened.is_some_and(is_imported));
        }
        // What was begun anew is done.
        let ended = before
            .filter(|span| current.is_none_or(|now| (now.path, now.segment) != (span.path, span.segment)));
        if let Some(span) = ended {
            self.keep(span);
        }
    }
}

fn is_imported(path: &[u8]) -> bool {
    module_file(path).is_some() && !has_directory(path, b"encodings")
}

/// Whether 2.7 has read all of them: it then looks for `sitecustomize`, and sets up its streams. (Later versions have
/// lists of names, and make no call for what is on none.)
fn ends_path_files(path: &[u8]) -> bool {
    let name = stem(path).1;
    name.starts_with(b"sitecustomize")
        || name.starts_with(b"usercustomize")
        || (has_directory(path, b"python2.7") && has_directory(path, b"encodings"))
}
