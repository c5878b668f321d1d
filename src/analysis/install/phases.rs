//! What each call of an install is for.

use rustc_hash::{FxHashMap, FxHashSet};

use super::names::inside;
use super::phase::{LeftBehind, Phase, PhaseRow};
use super::spent::{Spent, Took};
use crate::analysis::base::{Seen, waits};
use crate::analysis::calls::Call;
use crate::analysis::compare::{Act, Place, packages, place};
use crate::analysis::cost::{Cell, Group, Prices, Waits};
use crate::analysis::intern::{Id, Interner};
use crate::analysis::lookups::plus;
use crate::analysis::process::ProcessId;
use crate::analysis::text::{arguments, file_name};
use crate::event::{Event, Kind};
use crate::syscall::Family;

/// Most processes whose last work is remembered, and most directories installed to.
const MOST: usize = 4096;
/// Most files that are remembered as made.
const MOST_MADE: usize = 1 << 20;

/// What was written of a file that was made.
#[derive(Debug, Clone, Copy, Default)]
pub struct Made {
    /// Bytes written.
    pub bytes: u64,
    /// It is another name for a file there was.
    pub is_link: bool,
}

/// Takes the calls of a run in the order in which they end.
#[derive(Debug, Default)]
pub struct Phases {
    /// Directories installed to.
    pub targets: Vec<Vec<u8>>,
    last: FxHashMap<ProcessId, Phase>,
    /// Processes that compile bytecode and do nothing else.
    compilers: FxHashSet<u32>,
    /// Processes that have talked to another host.
    connected: FxHashSet<ProcessId>,
    /// The installer has begun with its work.
    began: bool,
    paths: Interner,
    made: FxHashMap<Id, Made>,
    spent: Spent,
    before_ns: Option<u64>,
    /// Where the last call of each thread ended.
    threads: FxHashMap<u32, u64>,
    /// The command's first process, and when it ended.
    first: Option<u32>,
    ended_ns: Option<u64>,
    /// What came behind that, which is in no phase.
    pub left_behind: LeftBehind,
}

impl Phases {
    /// Takes note of programs that are started, and of the command's end.
    pub fn see(&mut self, event: &Event<'_>) {
        if event.kind.happened() {
            let first = *self.first.get_or_insert(event.pid);
            if event.kind == Kind::Exit && event.tid == first {
                self.ended_ns.get_or_insert(event.start_ns);
            }
        }
        if event.kind != Kind::Exec {
            return;
        }
        let words: Vec<&[u8]> = arguments(event.argv.unwrap_or_default()).collect();
        if words.iter().any(|word| word.windows(10).any(|part| part == b"compileall"))
            && self.compilers.len() < MOST
        {
            self.compilers.insert(event.pid);
        }
        let named = words.windows(2).filter(|pair| matches!(pair[0], b"--target" | b"-t"));
        for pair in named {
            let target = pair[1].strip_suffix(b"/").unwrap_or(pair[1]);
            if target.starts_with(b"/") && target.len() > 1 {
                self.target(target);
            }
        }
    }

    fn target(&mut self, target: &[u8]) {
        if self.targets.len() < MOST && !self.targets.iter().any(|known| known == target) {
            self.targets.push(target.to_vec());
        }
    }

    /// Takes in one call; `added_ns` is what tracing it took.
    pub fn add(&mut self, event: &Event<'_>, seen: &Seen<'_>, call: &Call, added_ns: u64) {
        let act = Act::of(call);
        let phase = self.phase(event, seen, call, act);
        self.note_made(event, act, call);
        if let Some(ended_ns) = self.ended_ns {
            let behind_ns = event.end_ns.unwrap_or(event.start_ns).saturating_sub(ended_ns);
            self.left_behind.calls += 1;
            self.left_behind.traced_ns = self.left_behind.traced_ns.max(behind_ns);
            return;
        }
        let took = self.took(event, seen, call, added_ns);
        let is_file_system = seen.group.on_file() && call.family().is_file_system();
        let key = (seen.group, is_file_system);
        self.spent.add((seen.process, phase), took, key, seen.duration_ns);
    }

    /// The time up to the end of a call, on the clock and in its thread.
    fn took(&mut self, event: &Event<'_>, seen: &Seen<'_>, call: &Call, added_ns: u64) -> Took {
        let end_ns = event.end_ns.unwrap_or(event.start_ns);
        let before_ns = self.before_ns.unwrap_or(event.start_ns);
        let wall_ns = end_ns.saturating_sub(before_ns).saturating_sub(added_ns);
        self.before_ns = Some(before_ns.max(end_ns));
        let began_ns = self.threads.get(&event.tid).copied().unwrap_or(event.start_ns);
        if self.threads.len() < MOST || self.threads.contains_key(&event.tid) {
            self.threads.insert(event.tid, began_ns.max(end_ns));
        }
        let waited = waits(call.family(), seen.group.on_file()) == Waits::ForOthers;
        let until_ns = if waited { event.start_ns } else { end_ns };
        Took { wall_ns, thread_ns: until_ns.saturating_sub(began_ns).saturating_sub(added_ns) }
    }

    fn phase(&mut self, event: &Event<'_>, seen: &Seen<'_>, call: &Call, act: Act) -> Phase {
        if self.is_network(event, seen, call) {
            self.began = true;
            return Phase::Network;
        }
        let told = if self.compilers.contains(&event.pid) {
            Some(Phase::Bytecode)
        } else {
            self.told(event, seen, call, act)
        };
        self.began |= told.is_some();
        let usual = if self.began { Phase::Resolve } else { Phase::Start };
        let Some(phase) = told else { return self.last.get(&seen.process).copied().unwrap_or(usual) };
        self.compiling(event, seen, phase, act);
        if self.last.len() < MOST {
            self.last.insert(seen.process, phase);
        }
        phase
    }

    /// Whether a source that was read is compiled is told by what follows: bytecode, or something else.
    fn compiling(&mut self, event: &Event<'_>, seen: &Seen<'_>, phase: Phase, act: Act) {
        if phase != Phase::Bytecode {
            self.spent.close(seen.process, Phase::Create);
        } else if self.compilers.contains(&event.pid) || act.made(event).is_some_and(is_bytecode) {
            self.spent.close(seen.process, Phase::Bytecode);
        } else if self.last.get(&seen.process) != Some(&Phase::Bytecode) {
            self.spent.open(seen.process);
        }
    }

    /// Whether a call talks to another host, or waits for it. What the process does next is not told by that.
    fn is_network(&mut self, event: &Event<'_>, seen: &Seen<'_>, call: &Call) -> bool {
        let is_inet = |peer: &[u8]| peer.starts_with(b"inet:") || peer.starts_with(b"inet6:");
        // A socket that is bound to see whether that is possible talks to nobody.
        if event.peer.is_some_and(is_inet)
            && matches!(&*call.name, "connect" | "sendto" | "sendmsg" | "sendmmsg")
        {
            if self.connected.len() < MOST {
                self.connected.insert(seen.process);
            }
            return true;
        }
        let is_socket = event.file.is_some_and(|file| file.starts_with(b"socket:"));
        let waits = matches!(call.family(), Family::Poll | Family::Network);
        (is_socket || waits) && self.connected.contains(&seen.process)
    }

    /// What a call tells of what is being done; `None`: nothing.
    fn told(&self, event: &Event<'_>, seen: &Seen<'_>, call: &Call, act: Act) -> Option<Phase> {
        let made = act.made(event).filter(|_| seen.errno == 0 || act == Act::Directory);
        if made.is_some_and(is_bytecode) {
            return Some(Phase::Bytecode);
        }
        let object = seen.object.unwrap_or_default();
        let path = made.unwrap_or(object);
        if made.is_some_and(|path| packages(path).is_some()) || inside(path, &self.targets).is_some() {
            return self.in_target(path, made.is_some(), seen, call);
        }
        let found = place(path, &[]);
        let is_temporary = matches!(found, Place::Temporary | Place::Cache);
        match (act, found) {
            (Act::Delete, _) => Some(Phase::CleanUp),
            (_, Place::Wheels) if self.made.is_empty() => Some(Phase::Resolve),
            (_, Place::Wheels) => Some(Phase::Unpack),
            _ if is_temporary && (made.is_some() || call.family() == Family::Write) => Some(Phase::Unpack),
            (_, Place::Cache) => Some(Phase::Resolve),
            _ => None,
        }
    }

    /// Work in a directory that is installed to. What was made and is read again as source is compiled, if bytecode follows; what
    /// was not made in this run is the installer's own, or other packages'.
    fn in_target(&self, path: &[u8], is_made: bool, seen: &Seen<'_>, call: &Call) -> Option<Phase> {
        let known = self.paths.find(path).is_some_and(|id| self.made.contains_key(&id));
        if is_made || !known {
            return is_made.then_some(Phase::Create);
        }
        let is_source = path.ends_with(b".py");
        let reads = is_source && matches!(call.family(), Family::Open | Family::Read);
        // Whoever compiles file by file looks at each before and after.
        let goes_on = (is_source || is_bytecode(path))
            && call.family() != Family::Namespace
            && self.last.get(&seen.process) == Some(&Phase::Bytecode);
        let writes = call.family() == Family::Write && !is_bytecode(path);
        let compiles = (reads || goes_on || is_bytecode(path)) && !writes;
        Some(if compiles { Phase::Bytecode } else { Phase::Create })
    }

    fn note_made(&mut self, event: &Event<'_>, act: Act, call: &Call) {
        if event.ret.is_none_or(|ret| ret < 0) {
            return;
        }
        if call.family() == Family::Write {
            let written = event.ret.and_then(|ret| u64::try_from(ret).ok()).unwrap_or(0);
            let found = event.file.and_then(|file| self.paths.find(file));
            if let Some(made) = found.and_then(|id| self.made.get_mut(&id)) {
                made.bytes = made.bytes.saturating_add(written);
            }
            return;
        }
        let Some(path) = act.made(event).filter(|_| act != Act::Directory) else { return };
        let target = packages(path).map(|(target, _)| target.to_vec());
        if let Some(target) = target.filter(|_| !is_bytecode(path)) {
            self.target(&target);
        }
        if inside(path, &self.targets).is_some() && self.made.len() < MOST_MADE {
            let is_link = matches!(act, Act::Link | Act::Symlink);
            let before = event.path_abs.filter(|_| act == Act::Rename).and_then(|old| self.paths.find(old));
            let before = before.and_then(|id| self.made.remove(&id));
            self.made.insert(self.paths.id(path), before.unwrap_or(Made { bytes: 0, is_link }));
        }
    }

    /// Files made in the directories installed to.
    pub fn made(&self) -> impl Iterator<Item = (&[u8], Made)> {
        self.made.iter().map(|(id, made)| (self.paths.get(*id), *made))
    }

    /// The phases that there were, their times in proportion to add up to `wall_ns`.
    pub fn rows(&mut self, prices: &Prices, wall_ns: u64) -> Vec<PhaseRow> {
        let parts = self.spent.finish();
        let all: u64 = parts.iter().map(|part| part.time_ns).sum();
        let row = |phase: Phase| {
            let part = &parts[phase as usize];
            let mut row = PhaseRow {
                phase,
                share: part.time_ns as f64 / all.max(1) as f64,
                takes_ns: 0,
                threads_ns: (part.threads_ns as f64 * wall_ns as f64 / all.max(1) as f64) as u64,
                calls: 0,
                failed: 0,
                file_system_ns: prices.cost(Group::new(0, true, false, false), &Cell::default()).map(|_| 0),
            };
            row.takes_ns = (row.share * wall_ns as f64) as u64;
            for ((group, is_file_system), cell) in &part.cells {
                row.calls += cell.calls;
                row.failed += if group.failed() { cell.calls } else { 0 };
                if *is_file_system {
                    row.file_system_ns = plus(row.file_system_ns, prices.cost(*group, cell));
                }
            }
            row
        };
        Phase::ALL.into_iter().map(row).filter(|row| row.calls > 0).collect()
    }
}

/// Whether a path is that of bytecode, of its directory, or of the file that it is written to at first (`x.pyc.140209`).
fn is_bytecode(path: &[u8]) -> bool {
    let name = file_name(path);
    let dot = name.iter().rposition(|&byte| byte == b'.').unwrap_or(name.len());
    let is_passing = name.len() > dot + 1 && name[dot + 1..].iter().all(u8::is_ascii_digit);
    let stem = if is_passing { &name[..dot] } else { name };
    name == b"__pycache__" || stem.ends_with(b".pyc")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytecode_is_told_by_its_name() {
        for (path, expected) in [
            ("/v/a/__pycache__", true),
            ("/v/a/__pycache__/b.cpython-311.pyc", true),
            ("/v/a/__pycache__/b.cpython-311.pyc.139920145710176", true),
            ("/v/a/b.pyc", true),
            ("/v/a/b.py", false),
            ("/v/a/b.pyc.txt", false),
            ("/v/a/12", false),
            ("/v/a/x.1", false),
            ("", false),
        ] {
            assert_eq!(is_bytecode(path.as_bytes()), expected, "{path}");
        }
    }
}
