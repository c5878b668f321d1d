//! Why a lookup found nothing: each miss has one cause, so that no two findings claim it.

use rustc_hash::FxHashSet;

use super::facts::{Counted, Facts};
use crate::analysis::calls::Role;
use crate::analysis::intern::Id;
use crate::analysis::modules::stem;
use crate::analysis::text::file_name;
use crate::syscall::Family;

/// What was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// A program, along `PATH` or a list of the program's own.
    Program,
    /// A shared object, by the dynamic loader.
    Library,
    /// A Python module.
    Python,
    /// A module of Perl or Ruby.
    Module,
    /// A package of Node.
    NodeModules,
    /// Data of the C library for a language or a character set.
    Locale,
    /// Data of a time zone.
    TimeZone,
    /// Anything else.
    Other,
}

/// What is needed to tell.
#[derive(Debug)]
pub(super) struct Causes<'a> {
    /// File names of all programs that were executed.
    programs: FxHashSet<&'a [u8]>,
    /// Directories that a Python listed: it searches them for modules.
    searched: FxHashSet<Id>,
    /// Last names of all Python modules that were loaded.
    modules: FxHashSet<&'a [u8]>,
    /// By process: whether it ever was a Python.
    python: Vec<bool>,
    perl: Vec<bool>,
    ruby: Vec<bool>,
    node: Vec<bool>,
    /// Of each cell.
    of_cells: Vec<Cause>,
}

impl<'a> Causes<'a> {
    pub(super) fn of(facts: &Facts<'a>) -> Self {
        let executed = facts.counted().filter(|c| c.call.role == Role::Exec && c.key.errno == 0);
        let lists = facts.processes.list().iter();
        let images =
            lists.flat_map(|process| process.execs.iter().map(|exec| facts.processes.strings.get(exec.path)));
        let modules = facts.modules.modules.iter().map(|module| last_name(module.path.bytes()));
        let mut causes = Self {
            programs: executed.map(|c| c.object).chain(images).map(file_name).collect(),
            searched: FxHashSet::default(),
            modules: modules.collect(),
            python: facts.all_that_were(b"python"),
            perl: facts.all_that_were(b"perl"),
            ruby: facts.all_that_were(b"ruby"),
            node: facts.all_that_were(b"node"),
            of_cells: Vec::new(),
        };
        let listed = facts.counted().filter(|c| c.call.family() == Family::Readdir && causes.by_python(c));
        causes.searched = listed.map(|counted| counted.key.object).collect();
        causes.of_cells = facts.counted().map(|counted| causes.find(&counted)).collect();
        causes
    }

    /// Whether a Python searched this directory for modules.
    pub(super) fn searched(&self, counted: &Counted<'_>) -> bool {
        self.by_python(counted) && self.searched.contains(&counted.key.object)
    }

    /// Whether the call was made by a process that ever was a Python.
    pub(super) fn by_python(&self, counted: &Counted<'_>) -> bool {
        self.python.get(counted.key.process as usize) == Some(&true)
    }

    /// Whether some process ever was a Python.
    pub(super) fn has_python(&self) -> bool {
        self.python.contains(&true)
    }

    /// Whether some process ever was a Ruby.
    pub(super) fn has_ruby(&self) -> bool {
        self.ruby.contains(&true)
    }

    /// Whether some process ever was a Perl.
    pub(super) fn has_perl(&self) -> bool {
        self.perl.contains(&true)
    }

    /// Whether an interpreter asks for this file in order to load it, or for this directory in order to search it.
    pub(super) fn is_of_modules(&self, path: &[u8], id: Id) -> bool {
        (self.has_python() && (self.searched.contains(&id) || self.is_module(path)))
            || (self.has_perl() && ends(path, &[b".pm", b".pl", b".ph", b".so"]))
            || (self.node.contains(&true) && ends(path, &[b".js", b".cjs", b".mjs", b".json", b".node"]))
            || (self.has_ruby() && ends(path, &[b".rb", b".so", b".gemspec"]))
    }

    /// Whether a file of this name was executed.
    pub(super) fn executed(&self, path: &[u8]) -> bool {
        self.programs.contains(file_name(path))
    }

    /// Why this lookup was made.
    pub(super) fn of_lookup(&self, counted: &Counted<'_>) -> Cause {
        self.of_cells[counted.at]
    }

    /// Whether this is a lookup that found nothing, and was made for that.
    pub(super) fn is_miss(&self, counted: &Counted<'_>, cause: Cause) -> bool {
        counted.missing() && counted.looks_up() && self.of_lookup(counted) == cause
    }

    fn find(&self, counted: &Counted<'_>) -> Cause {
        let path = counted.object;
        if !counted.looks_up() {
            return Cause::Other;
        }
        let was = |list: &[bool]| list.get(counted.key.process as usize) == Some(&true);
        if counted.call.role == Role::Exec {
            Cause::Program
        } else if counted.searches_library() {
            Cause::Library
        } else if has_directory(path, b"node_modules") {
            Cause::NodeModules
        } else if is_time_zone(path) {
            Cause::TimeZone
        } else if is_locale(path) {
            Cause::Locale
        } else if (was(&self.perl) && ends(path, &[b".pm", b".pmc", b".pl", b".ph"]))
            || (was(&self.ruby) && ends(path, &[b".rb", b".so"]))
        {
            Cause::Module
        } else if was(&self.python) && self.is_module(path) {
            Cause::Python
        } else if counted.call.family() == Family::Stat && self.executed(path) {
            Cause::Program
        } else {
            Cause::Other
        }
    }

    fn is_module(&self, path: &[u8]) -> bool {
        let name = stem(path).1;
        ends(path, &[b".py", b".pyc", b".pyo", b".so"])
            || self.modules.contains(name)
            || name.strip_suffix(b"module").is_some_and(|short| self.modules.contains(short))
    }
}

/// What a module is called without its packages, by its file.
pub(super) fn last_name(path: &[u8]) -> &[u8] {
    let (directory, name) = stem(path);
    if name == b"__init__" { file_name(directory) } else { name }
}

pub(super) fn ends(path: &[u8], suffixes: &[&[u8]]) -> bool {
    suffixes.iter().any(|suffix| path.ends_with(suffix))
}

/// Whether a directory of this name is on the path, or is the path.
pub(super) fn has_directory(path: &[u8], name: &[u8]) -> bool {
    path.split(|&b| b == b'/').any(|part| part == name)
}

/// Whether a file belongs to the time zone data.
pub(super) fn is_time_zone(path: &[u8]) -> bool {
    path == b"/etc/localtime" || path == b"/etc/timezone" || has_directory(path, b"zoneinfo")
}

/// Whether a file belongs to the C library's data for languages and character sets.
pub(super) fn is_locale(path: &[u8]) -> bool {
    const ROOTS: [&[u8]; 6] = [
        b"/usr/lib/locale/",
        b"/usr/share/locale/",
        b"/usr/share/locale-langpack/",
        b"/usr/local/share/locale/",
        b"/usr/share/i18n/",
        b"/usr/lib/x86_64-linux-gnu/gconv/",
    ];
    ROOTS.iter().any(|root| path.starts_with(root))
        || path == b"/etc/locale.alias"
        || path == b"/usr/share/locale/locale.alias"
        || (has_directory(path, b"LC_MESSAGES") && path.ends_with(b".mo"))
}
