//! Shims, version managers, `env` and shell wrappers: everything before the program itself.

use std::fmt::Write;

use rustc_hash::FxHashMap;

use super::causes::{Causes, has_directory};
use super::facts::{Counted, Facts, Tally, evidence, shown, things};
use super::value::{Finding, Remedy, Saving};
use crate::analysis::phases::{MANAGERS, Start, runs_managers_script};
use crate::analysis::text::{Text, arguments, file_name};
use crate::syscall::Family;

/// Words that the kernel puts before a script and its arguments, and the script: the interpreter, an option.
const MOST_BEFORE_SCRIPT: usize = 3;

pub(super) fn find(facts: &Facts<'_>, _: &Causes<'_>) -> Option<Finding> {
    let launcher = facts.launcher?;
    let until_ns = facts.boundaries.get(1)?.cut.at_ns;
    let mut programs: FxHashMap<&[u8], Tally> = FxHashMap::default();
    let mut shim = None;
    for process in facts.processes.list() {
        for exec in process.execs.iter().filter(|exec| exec.at_ns < until_ns) {
            let strings = &facts.processes.strings;
            let path = strings.get(exec.path);
            programs.entry(file_name(path)).or_default().calls += 1;
            let mut words = arguments(strings.get(exec.argv)).chain([path]);
            shim = shim.or_else(|| words.find_map(manager));
        }
    }
    if programs.is_empty() {
        return None;
    }
    let least_ns = calls_before(facts, until_ns);
    let saving = Saving {
        calls: launcher.syscalls,
        at_most_ns: Some(launcher.takes_ns),
        at_least_ns: least_ns.map(|ns| facts.untraced(ns, [0, 0]).min(launcher.takes_ns)),
        at_most_share: None,
    };
    let program = shown(launcher.program.bytes());
    let remedy = direct(facts, shim.is_some());
    let before = match (shim, &remedy) {
        (Some((name, _)), _) => format!("the shim of {name}"),
        (None, Some(_)) => "a wrapper".to_owned(),
        (None, None) => "other work".to_owned(),
    };
    let what = format!(
        "{before} before {program}: {}, {}, {}",
        things(launcher.programs, "program", "programs"),
        things(launcher.processes, "fork", "forks"),
        things(launcher.failed_execs, "failed execve", "failed execves"),
    );
    let mut advice = advice(&program, shim, remedy.as_ref());
    if let Some((name, _)) = shim.filter(|_| remedy.is_some() && facts.focus != Some(0)) {
        // Writing to a string cannot fail.
        let _ = write!(
            advice,
            "; what {name} does after it (once something is installed: rehash) is left out then"
        );
    }
    let list = programs.into_iter().map(|(name, tally)| (name, tally, "times"));
    Some(Finding::new(&what, saving, evidence(list), &advice).with(remedy))
}

/// The version manager whose shim a path is.
fn manager(path: &[u8]) -> Option<&'static (&'static str, &'static str)> {
    let within = |name: &str| {
        let is = |part: &[u8]| part.strip_prefix(b".").unwrap_or(part) == name.as_bytes();
        path.split(|&b| b == b'/').any(is)
    };
    let shim = has_directory(path, b"shims") || within("volta");
    MANAGERS.iter().find(|(name, _)| shim && within(name))
}

fn advice(program: &str, manager: Option<&(&str, &str)>, remedy: Option<&Remedy>) -> String {
    let real = match remedy {
        Some(Remedy::Direct { program, .. }) => Some(shown(program.bytes())),
        _ => None,
    };
    match (manager, real) {
        (Some((_, which)), Some(real)) => {
            format!("start {real} itself (`{which} {program}` prints it), or put its directory first in PATH")
        }
        (Some((_, which)), None) => {
            format!("start what `{which} {program}` prints, or put its directory first in PATH")
        }
        (None, Some(real)) => format!("start {real} itself, with what the wrapper sets in the environment"),
        (None, None) => format!("see whether all that runs before {program} is needed at each start"),
    }
}

/// The program without what leads to it, if its process became it by `execve` alone, and nothing was done
/// before it that somebody may want: a script that ends with `exec` can have done all its work by then. A version
/// manager's script may also start it as a child.
fn direct(facts: &Facts<'_>, shim: bool) -> Option<Remedy> {
    let focus = facts.focus?;
    if (focus != 0) != ends_as_managers_script(facts) || !(shim || focus == 0 && !worked(facts)) {
        return None;
    }
    let process = facts.processes.list().get(focus as usize)?;
    if focus != 0 && process.parent != Some(0) {
        return None;
    }
    let (path, argv) = facts.last_exec(focus)?;
    let image = facts.processes.strings.get(process.execs.last()?.path);
    let same = |a: &[u8], b: &[u8]| {
        let (a, b) = (file_name(a), file_name(b));
        !a.is_empty() && (a.starts_with(b) || b.starts_with(a))
    };
    if !path.starts_with(b"/") || argv.is_empty() {
        return None;
    }
    let argv = if same(path, image) {
        argv
    } else {
        // What was executed is a script that names its interpreter. Only a version manager's shim is known to be
        // another file than that.
        let at = argv.iter().take(MOST_BEFORE_SCRIPT).position(|word| *word == path)?;
        argv.get(at..).filter(|_| shim && manager(path).is_none())?.to_vec()
    };
    Some(Remedy::Direct { program: path.into(), argv: argv.into_iter().map(Text::from).collect() })
}

/// Whether the command's first process became a version manager's script, and stayed that.
fn ends_as_managers_script(facts: &Facts<'_>) -> bool {
    let last = facts.processes.list().first().and_then(|process| process.execs.last());
    last.is_some_and(|exec| {
        let (path, argv) = (facts.processes.strings.get(exec.path), facts.processes.strings.get(exec.argv));
        runs_managers_script(&Start { path, argv, cwd: facts.cwd })
    })
}

/// Whether another process was started before the program, or anything but a terminal was written to, or a
/// name in the file system changed.
fn worked(facts: &Facts<'_>) -> bool {
    let Some(program) = facts.boundaries.get(1) else { return true };
    let changes = |counted: &Counted<'_>| match counted.call.family() {
        Family::Write => counted.object != b"terminal",
        Family::Namespace | Family::Attribute | Family::Network => true,
        _ => false,
    };
    let mut before = facts.counted().filter(|c| c.key.segment < program.cut.segment && c.key.errno == 0);
    facts.launcher.is_none_or(|launcher| launcher.processes > 0) || before.any(|counted| changes(&counted))
}

/// What the calls before the program cost by themselves.
fn calls_before(facts: &Facts<'_>, until_ns: u64) -> Option<u64> {
    let segment = facts.boundaries.get(1)?.cut.segment;
    debug_assert!(until_ns >= facts.boundaries[0].cut.at_ns);
    let before = facts.cells.iter().filter(|(key, _)| key.segment < segment);
    before
        .map(|(key, cell)| facts.prices.work(key.group, cell))
        .try_fold(0_u64, |sum, ns| ns.map(|ns| sum.saturating_add(ns)))
}
