//! Python's search for modules: what each import asks of directories of `sys.path` that do not have it.

use rustc_hash::{FxHashMap, FxHashSet};

use super::causes::{Cause, Causes, ends, has_directory, last_name};
use super::facts::{Counted, Facts, evidence, things};
use super::value::{Finding, Remedy};
use crate::analysis::modules::{FileKind, stem};
use crate::analysis::phases::{Start, python_script};
use crate::analysis::text::{Text, directory};
use crate::syscall::Family;

/// Fewer calls are what any Python makes.
const FEW: u64 = 12;
/// 2.7 looks for any module in the importing one's package first.
const RELATIVE: &str = "calls, implicit relative imports";

/// What modules were loaded from where.
struct Loaded<'a> {
    /// Directories that modules were loaded from directly.
    directories: FxHashSet<&'a [u8]>,
    /// Directories of packages.
    packages: FxHashSet<&'a [u8]>,
    /// Where modules of a last name were found.
    homes: FxHashMap<&'a [u8], FxHashSet<&'a [u8]>>,
}

impl<'a> Loaded<'a> {
    fn of(facts: &Facts<'a>) -> Self {
        let mut loaded = Self {
            directories: FxHashSet::default(),
            packages: FxHashSet::default(),
            homes: FxHashMap::default(),
        };
        for module in &facts.modules.modules {
            let path = module.path.bytes();
            let (mut home, name) = stem(path);
            if name == b"__init__" {
                loaded.packages.insert(home);
                home = directory(home).unwrap_or_default();
            }
            loaded.directories.insert(home);
            loaded.homes.entry(last_name(path)).or_default().insert(home);
        }
        loaded
    }

    /// The directory in which this lookup looked for a module that was found elsewhere, or for nothing at all.
    fn in_vain(&self, counted: &Counted<'a>) -> Option<&'a [u8]> {
        let path = counted.object;
        let listed = counted.call.family() == Family::Readdir || counted.call.family() == Family::Stat;
        if counted.key.errno == 0 {
            // From 3.3 on, directories are asked whether they changed, and listed once.
            let useless = listed && !self.directories.contains(path) && !self.packages.contains(path);
            return useless.then_some(path);
        }
        // 2.7 opens candidates.
        let (home, name) = stem(path);
        let name = name.strip_suffix(b"module").unwrap_or(name);
        let homes = self.homes.get(name)?;
        let elsewhere = !homes.contains(home) && ends(path, &[b".py", b".pyc", b".so"]);
        elsewhere.then_some(home)
    }
}

pub(super) fn find(facts: &Facts<'_>, causes: &Causes<'_>) -> Option<Finding> {
    if facts.modules.loaded == 0 {
        return None;
    }
    let loaded = Loaded::of(facts);
    let (wasted, all) = facts.sum_of(FEW, |counted| {
        let relevant = causes.by_python(counted)
            && match counted.key.errno {
                0 => causes.searched(counted),
                _ => causes.is_miss(counted, Cause::Python),
            };
        relevant.then(|| loaded.in_vain(counted))?
    })?;
    let note = |entry: &[u8]| {
        if loaded.packages.contains(entry) {
            RELATIVE
        } else if loaded.directories.contains(entry) {
            "calls"
        } else {
            "calls, no module"
        }
    };
    let what = format!(
        "{} to look for Python modules in {} that did not have them",
        things(all.calls, "call", "calls"),
        things(wasted.len() as u64, "directory", "directories"),
    );
    let list = wasted.iter().map(|(&entry, &tally)| (entry, tally, note(entry)));
    let useless: Vec<&[u8]> =
        wasted.keys().copied().filter(|entry| note(entry) == "calls, no module").collect();
    let remedy = remedy(facts, &useless);
    let relative = wasted.iter().filter(|(entry, _)| note(entry) == RELATIVE).map(|(_, tally)| tally.calls);
    let advice = match remedy {
        _ if relative.sum::<u64>() * 2 > all.calls => {
            "a package of Python 2.7 is searched for each import inside it: `from __future__ import absolute_import` at \
             the head of its modules ends that, as does Python 3"
        }
        Some(Remedy::PythonIsolated) => {
            "python -I leaves the script's directory, PYTHONPATH and the user's site out of sys.path; or take \
             directories without modules out of PYTHONPATH and .pth files"
        }
        None if !useless.is_empty() => {
            "these directories are Python's own, or the script's: import less, or leave site-packages out (python -S) \
             where no installed package is needed"
        }
        _ => "take directories without modules out of PYTHONPATH and .pth files, and put the fullest first",
    };
    Some(Finding::new(&what, all.saving(), evidence(list), advice).with(remedy))
}

/// Whether a directory of this name holds a Python's own library: `python3.12`.
fn is_library(name: &[u8]) -> bool {
    let version = name.strip_prefix(b"python").unwrap_or_default();
    version.first().is_some_and(u8::is_ascii_digit)
}

/// Where the script lies that Python was given, if it was given one.
fn script_directory(facts: &Facts<'_>) -> Option<Vec<u8>> {
    let exec = facts.processes.list().get(facts.focus? as usize)?.execs.last()?;
    let strings = &facts.processes.strings;
    let start = Start { path: strings.get(exec.path), argv: strings.get(exec.argv), cwd: facts.cwd };
    let script = python_script(&start)??;
    let home = directory(script).unwrap_or_default();
    Some(match home {
        b"" | b"." => facts.cwd.to_vec(),
        home if home.starts_with(b"/") => home.to_vec(),
        home => [facts.cwd, b"/", home].concat(),
    })
}

/// Directories that the user added can be left out.
fn remedy(facts: &Facts<'_>, useless: &[&[u8]]) -> Option<Remedy> {
    let own = |path: &[u8]| !path.split(|&b| b == b'/').any(is_library);
    let mut drop: Vec<Text> = useless.iter().filter(|path| own(path)).map(|&path| path.into()).collect();
    drop.sort_unstable();
    let foreign = |path: &Text| own(path.bytes());
    let all_built_in = !facts
        .modules
        .modules
        .iter()
        .any(|module| foreign(&module.path) && module.file != FileKind::Extension);
    // `-I` came with 3.4.
    let old = facts.modules.modules.iter().any(|module| has_directory(module.path.bytes(), b"python2.7"));
    if all_built_in && !old && !drop.is_empty() {
        return Some(Remedy::PythonIsolated);
    }
    // Python puts the script's directory, or the current one, on the path by itself.
    let script = script_directory(facts);
    drop.retain(|path| path.bytes() != facts.cwd && Some(path.bytes()) != script.as_deref());
    (!drop.is_empty()).then_some(Remedy::ShorterPythonPath { drop })
}
