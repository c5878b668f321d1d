//! Shims, version managers, `env` and shell wrappers: everything before the program itself.

use rustc_hash::FxHashMap;

use super::causes::{Causes, has_directory};
use super::facts::{Counted, Facts, Tally, evidence, shown, things};
use super::value::{Finding, Remedy, Saving};
use crate::analysis::text::{Text, arguments, file_name};
use crate::syscall::Family;

/// Version managers, by the directory that holds their shims (a dot may stand before it), and how each
/// tells the real program.
const MANAGERS: [(&str, &str); 8] = [
    ("pyenv", "pyenv which"),
    ("rbenv", "rbenv which"),
    ("nodenv", "nodenv which"),
    ("plenv", "plenv which"),
    ("jenv", "jenv which"),
    ("asdf", "asdf which"),
    ("volta", "volta which"),
    ("mise", "mise which"),
];

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
    let advice = advice(&program, shim, remedy.as_ref());
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
/// before it that somebody may want: a script that ends with `exec` can have done all its work by then.
fn direct(facts: &Facts<'_>, shim: bool) -> Option<Remedy> {
    let focus = facts.focus.filter(|&focus| focus == 0)?;
    if !shim && worked(facts) {
        return None;
    }
    let (path, argv) = facts.last_exec(focus)?;
    // What was executed may be a script that names its interpreter: then it is no way around anything.
    let image = facts.processes.list().first()?.execs.last()?;
    let image = facts.processes.strings.get(image.path);
    let same = |a: &[u8], b: &[u8]| {
        let (a, b) = (file_name(a), file_name(b));
        !a.is_empty() && (a.starts_with(b) || b.starts_with(a))
    };
    if path.is_empty() || argv.is_empty() || !path.starts_with(b"/") || !same(path, image) {
        return None;
    }
    Some(Remedy::Direct { program: path.into(), argv: argv.into_iter().map(Text::from).collect() })
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
