//! What findings are made from once all events are in.

use rustc_hash::FxHashMap;

use super::value::{Evidence, Saving};
use super::watch::Watch;
use crate::analysis::calls::{Call, Calls, Role};
use crate::analysis::cost::{Cell, Group, Prices};
use crate::analysis::cube::Key;
use crate::analysis::intern::{Id, Interner};
use crate::analysis::launcher::Launcher;
use crate::analysis::lookups::plus;
use crate::analysis::modules::Modules;
use crate::analysis::phases::{Boundary, Phase, Phases, phase_of_segment};
use crate::analysis::process::{ProcessId, Processes};
use crate::analysis::searchers::{Searcher, is_hwcaps, is_object};
use crate::analysis::text::{arguments, file_name};
use crate::analysis::wall::Wall;
use crate::syscall::Family;

/// Errno of a path that is not there.
pub(super) const ENOENT: u16 = 2;
/// Errno of a path through something that is no directory.
pub(super) const ENOTDIR: u16 = 20;
/// Errno of a name that is taken.
pub(super) const EEXIST: u16 = 17;
/// Pieces of evidence that are listed.
const MOST_EVIDENCE: usize = 50;

/// A log, seen whole.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// All calls.
    pub cells: &'a [(Key, Cell)],
    /// Names and families.
    pub calls: &'a Calls,
    /// Costs.
    pub prices: &'a Prices,
    /// Paths and files.
    pub objects: &'a Interner,
    /// Processes.
    pub processes: &'a Processes,
    /// The directory the command was started in.
    pub cwd: &'a [u8],
    /// The process whose phases are shown.
    pub focus: Option<ProcessId>,
    /// The phases, and where they begin.
    pub phases: &'a Phases,
    /// Where they begin.
    pub boundaries: &'a [Boundary],
    /// What ran before the program.
    pub launcher: Option<&'a Launcher>,
    /// Python modules.
    pub modules: &'a Modules,
    /// What order told.
    pub watch: &'a Watch,
    /// The largest resident set of any process, untraced, where that is known.
    pub max_rss_kib: Option<u64>,
    /// What shares are parts of.
    pub wall: Wall,
    /// Cost of all file-system calls: no finding about them saves more.
    pub file_system_ns: Option<u64>,
}

/// Calls of one cell of the cube.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted<'a> {
    /// Its place among the cells.
    pub(super) at: usize,
    pub(super) key: Key,
    pub(super) cell: &'a Cell,
    pub(super) call: &'a Call,
    /// The path or file.
    pub(super) object: &'a [u8],
}

impl Counted<'_> {
    /// Whether the path was not there.
    pub(super) fn missing(&self) -> bool {
        matches!(self.key.errno, ENOENT | ENOTDIR)
    }

    /// Whether the dynamic loader looks for a shared object by it. The name counts as well, for logs without
    /// instruction pointers.
    pub(super) fn searches_library(&self) -> bool {
        self.key.searcher.is_some_and(Searcher::is_loader)
            && self.looks_up()
            && (is_object(self.object) || is_hwcaps(self.object))
    }

    /// Whether it looks a path up: stat, access, open, readlink by name, or an exec that failed.
    pub(super) fn looks_up(&self) -> bool {
        let family = matches!(self.call.family(), Family::Stat | Family::Open | Family::Readlink);
        self.call.takes_path()
            && !self.object.is_empty()
            && (family || (self.call.role == Role::Exec && self.key.errno != 0))
    }
}

/// A number of calls and what they cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) calls: u64,
    pub(super) most_ns: Option<u64>,
    pub(super) least_ns: Option<u64>,
}

impl Tally {
    /// All of these together.
    pub(super) fn sum<'t>(tallies: impl IntoIterator<Item = &'t Self>) -> Self {
        let mut sum = Self::default();
        for tally in tallies {
            sum.merge(*tally);
        }
        sum
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.calls += other.calls;
        self.most_ns = plus(self.most_ns, other.most_ns);
        self.least_ns = plus(self.least_ns, other.least_ns);
    }

    /// This many of its calls, at what they cost on average.
    pub(super) fn part(self, calls: u64) -> Self {
        let calls = calls.min(self.calls);
        let of = |ns: u64| (u128::from(ns) * u128::from(calls) / u128::from(self.calls.max(1))) as u64;
        Self { calls, most_ns: self.most_ns.map(of), least_ns: self.least_ns.map(of) }
    }

    pub(super) fn saving(self) -> Saving {
        Saving {
            calls: self.calls,
            at_most_ns: self.most_ns,
            at_least_ns: self.least_ns,
            at_most_share: None,
        }
    }
}

impl<'a> Facts<'a> {
    /// All cells of calls.
    pub(super) fn counted(&self) -> impl Iterator<Item = Counted<'a>> + use<'a> {
        let (calls, objects) = (self.calls, self.objects);
        self.cells.iter().enumerate().map(move |(at, (key, cell))| Counted {
            at,
            key: *key,
            cell,
            call: calls.get(key.group.call()),
            object: objects.get(key.object),
        })
    }

    /// What the calls of a cell cost. Of a call that is saved, entering and leaving the kernel is saved for
    /// certain; the rest of its work may move to the next call (the first to look at a path pays for it).
    ///
    /// A few calls that took far longer than others of their kind may be the tracer's or a busy machine's doing, as
    /// long as nothing but the recorded run has them: they count like the others, or one of them would rank a finding
    /// first.
    pub(super) fn tally(&self, group: Group, cell: &Cell) -> Tally {
        let quick = group.on_file() && self.calls.get(group.call()).family() != Family::Sync;
        let most_ns = if quick { self.prices.usual(group, cell) } else { self.prices.cost(group, cell) };
        let null_ns = cell.calls.saturating_mul(self.prices.model.null_ns);
        Tally { calls: cell.calls, most_ns, least_ns: most_ns.map(|most| most.min(null_ns)) }
    }

    /// Sums up chosen cells by what a function names them.
    pub(super) fn sum_by<K: std::hash::Hash + Eq>(
        &self,
        name: impl Fn(&Counted<'a>) -> Option<K>,
    ) -> FxHashMap<K, Tally> {
        let mut sums: FxHashMap<K, Tally> = FxHashMap::default();
        for counted in self.counted() {
            if let Some(name) = name(&counted) {
                sums.entry(name).or_default().merge(self.tally(counted.key.group, counted.cell));
            }
        }
        sums
    }

    /// The same with their sum; `None`: they are fewer calls than that.
    pub(super) fn sum_of<K: std::hash::Hash + Eq>(
        &self,
        few: u64,
        name: impl Fn(&Counted<'a>) -> Option<K>,
    ) -> Option<(FxHashMap<K, Tally>, Tally)> {
        let sums = self.sum_by(name);
        let all = Tally::sum(sums.values());
        (all.calls >= few).then_some((sums, all))
    }

    /// Whether a process ever was a program whose file name begins like this and goes on with a version only.
    pub(super) fn was(&self, process: ProcessId, program: &[u8]) -> bool {
        let Some(process) = self.processes.list().get(process as usize) else { return false };
        process.execs.iter().any(|exec| is_program(self.processes.strings.get(exec.path), program))
    }

    /// The processes that ever were such a program, for many questions.
    pub(super) fn all_that_were(&self, program: &[u8]) -> Vec<bool> {
        (0..self.processes.list().len()).map(|id| self.was(id as ProcessId, program)).collect()
    }

    /// The phase a segment lies in.
    pub(super) fn phase(&self, segment: u16) -> Option<&'a Phase> {
        self.phases.phases.get(phase_of_segment(self.boundaries, segment))
    }

    /// A traced time, with so many calls from the tracer's CPU and from others in it, as it would be untraced.
    pub(super) fn untraced(&self, traced_ns: u64, calls: [u64; 2]) -> u64 {
        let model = &self.prices.model;
        let beside = model.beside.unwrap_or(model.pinned).added_ns;
        let added =
            calls[0].saturating_mul(model.pinned.added_ns).saturating_add(calls[1].saturating_mul(beside));
        let factor = self.phases.scaled_by.unwrap_or(1.0);
        (traced_ns.saturating_sub(added) as f64 * factor) as u64
    }

    /// The last program a process became, as `execve` was told, and its arguments.
    pub(super) fn last_exec(&self, process: ProcessId) -> Option<(&'a [u8], Vec<&'a [u8]>)> {
        let exec = self.processes.list().get(process as usize)?.execs.last()?;
        let argv = arguments(self.processes.strings.get(exec.argv)).collect();
        let path = self.watch.executed(process).map_or(&b""[..], |id| self.objects.get(id));
        Some((path, argv))
    }

    /// The path of an id.
    pub(super) fn path(&self, id: Id) -> &'a [u8] {
        self.objects.get(id)
    }
}

/// Whether a path is that of a program with this name, perhaps followed by a version.
pub(super) fn is_program(path: &[u8], program: &[u8]) -> bool {
    file_name(path).strip_prefix(program).is_some_and(|rest| {
        rest.iter().all(|b| b.is_ascii_digit() || *b == b'.' || *b == b't' || *b == b'd' || *b == b'm')
    })
}

/// The largest pieces of evidence, and how many others there are.
pub(super) fn evidence<'a>(
    sums: impl IntoIterator<Item = (&'a [u8], Tally, &'static str)>,
) -> (Vec<Evidence>, u64) {
    let mut all: Vec<(&[u8], Tally, &'static str)> = sums.into_iter().collect();
    all.sort_unstable_by(|(a, x, _), (b, y, _)| {
        (y.most_ns, y.calls).cmp(&(x.most_ns, x.calls)).then_with(|| a.cmp(b))
    });
    let more = all.len().saturating_sub(MOST_EVIDENCE) as u64;
    let list = all.into_iter().take(MOST_EVIDENCE).map(|(object, tally, note)| Evidence {
        object: object.into(),
        count: tally.calls,
        cost_ns: tally.most_ns,
        note: if tally.calls == 1 { singular(note) } else { note },
    });
    (list.collect(), more)
}

fn singular(note: &'static str) -> &'static str {
    match note {
        "calls" => "call",
        "calls, asked before" => "call, asked before",
        "calls, implicit relative imports" => "call, implicit relative imports",
        "calls, its position" => "call, its position",
        "calls, name server" => "call, name server",
        "calls, no module" => "call, no module",
        "calls, no terminal" => "call, no terminal",
        "misses" => "miss",
        "misses, no hit" => "miss, no hit",
        "more listings" => "more listing",
        "forks" => "fork",
        "modules" => "module",
        "modules imported" => "module imported",
        "reads" => "read",
        "repeats" => "repeat",
        "times" => "time",
        other => other,
    }
}

/// A name inside a sentence.
pub(super) fn shown(name: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(name)
}

/// `1 path`, `2 paths`.
pub(super) fn things(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
