//! The tree of Python's imports: who imported whom, and what each import's own time went to.
//!
//! That a module was imported, within which import and for how long is what Python itself tells (`line`), modules that are
//! built in or frozen included; a log has a mark for each. The calls between, by the functions of importlib in their stacks
//! (`part`), tell finding, reading and executing apart: the time up to a call belongs to that call's part, the time after
//! the last one to executing. Python's own writing of its lines is taken off, and so is what tracing the calls cost.
//!
//! Threads are told apart as far as Python does, which counts imports of all of them together.

mod absent;
mod graph;
mod line;
mod part;
mod sweep;
#[cfg(test)]
mod tests;

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::alignment::Aligning;
use super::base::Base;
use super::cost::{Group, Quality};
use super::integrity::Integrity;
use super::stacks::Stacks;
use super::text::{Text, file_name};
use super::wall;
use crate::event::{Event, Kind};
use crate::log::Header;
use crate::syscall::Family;
pub use absent::{Absence, Absent};
pub use graph::{Measured, graph};
pub use line::Line;
pub use part::Part;

/// Calls of one thread that may yet belong to an import.
const MOST_PENDING: usize = 1 << 17;
/// Imports told apart.
const MOST_IMPORTS: usize = 1 << 16;
/// Imports within each other.
const DEEPEST: u64 = 200;

/// All imports of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Tree {
    /// The command.
    pub command: Vec<String>,
    /// Name of the capture backend.
    pub backend: String,
    /// The wall time of untraced runs (median), if there were some.
    pub wall_ns: Option<u64>,
    /// The wall time of the run that the times are of, which was traced.
    pub traced_ns: u64,
    /// What all imports took.
    pub total_ns: u64,
    /// Calls of the log, and those of them whose counterpart in the run that has the stacks is known; `None`: one run has
    /// both.
    pub aligned: Option<(u64, u64)>,
    /// Calls about files made within imports that have no stack, so that nothing is known of their part.
    pub without_stack: u64,
    /// Imports beyond those told apart.
    pub left_out: u64,
    /// Each before those that it imported, in the order of time.
    pub imports: Vec<Import>,
    /// What is missing from the log.
    pub integrity: Integrity,
}

/// One import.
#[derive(Debug, Clone, Serialize)]
pub struct Import {
    /// The module.
    pub name: Text,
    /// Its process.
    pub pid: u32,
    /// The name of that process.
    #[serde(skip)]
    pub process: Text,
    /// How many imports it is within.
    pub depth: usize,
    /// The import that it is within, in [`Tree::imports`].
    pub parent: Option<usize>,
    /// The file that imported it, and the line in it; empty where not known.
    pub importer: Text,
    /// See above; 0: not known.
    pub importer_line: u32,
    /// The file it was read from, if one was.
    pub file: Option<Text>,
    /// When it began, since the log's origin.
    pub start_ns: u64,
    /// What it took without what it imported: the sum of the four parts.
    pub self_ns: u64,
    /// With what it imported.
    pub cumulative_ns: u64,
    /// Of its own time: finding the module.
    pub find_ns: u64,
    /// Reading its file.
    pub read_ns: u64,
    /// Unmarshalling and executing it.
    pub execute_ns: u64,
    /// What is not told apart.
    pub rest_ns: u64,
    /// Lookups made to find it.
    pub probes: u64,
    /// Those that found nothing.
    pub probes_failed: u64,
    /// All calls within its own time.
    pub calls: u64,
    /// Those calls, for flame graphs.
    #[serde(skip)]
    pub cells: Vec<Cell>,
}

impl Import {
    /// What a part of its own time took.
    #[must_use]
    pub fn part_ns(&self, part: Part) -> u64 {
        match part {
            Part::Find => self.find_ns,
            Part::Read => self.read_ns,
            Part::Execute => self.execute_ns,
            Part::Rest => self.rest_ns,
        }
    }
}

/// Calls of an import that are counted together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The part of the import they belong to.
    pub part: Part,
    /// The call.
    pub call: Box<str>,
    /// Its family.
    pub family: Family,
    /// Positive errno, 0 for success.
    pub errno: u16,
    /// How many.
    pub calls: u64,
    /// What they cost; 0 where costs are unknown.
    pub cost_ns: u64,
}

/// A call that may belong to an import.
#[derive(Debug, Clone, Copy)]
struct Call {
    start_ns: u64,
    end_ns: u64,
    /// `None`: it has no stack.
    part: Option<Part>,
    group: Group,
    duration_ns: Option<u64>,
    errno: u16,
    /// It looks a name up.
    looks_up: bool,
    /// It writes a line about an import.
    reports: bool,
    /// It is to be drawn.
    chosen: bool,
    /// The file that it opened, in [`Imports::files`].
    opened: Option<u32>,
}

/// An import that has ended, and what it took.
#[derive(Debug)]
struct Ended {
    name: Text,
    pid: u32,
    process: super::process::ProcessId,
    depth: u64,
    importer: Option<(Text, u32)>,
    file: Option<u32>,
    start_ns: u64,
    end_ns: u64,
    swept: sweep::Swept,
    calls: Vec<Call>,
    children: Vec<usize>,
}

/// What is known of a thread.
#[derive(Debug, Default)]
struct Thread {
    pending: Vec<Call>,
    /// Imports that have ended and whose importer has not.
    waiting: Vec<usize>,
    /// The next call writes the line that the mark before stands for.
    reports: bool,
}

/// Gathers imports while events pass.
#[derive(Debug)]
pub struct Imports {
    header: Header,
    base: Base,
    aligning: Option<Aligning>,
    stacks: Stacks,
    /// Parts of stacks seen before.
    parts: FxHashMap<u32, Option<Part>>,
    frames: Vec<Option<super::stacks::Code>>,
    threads: FxHashMap<u32, Thread>,
    files: Vec<Text>,
    ended: Vec<Ended>,
    left_out: u64,
}

impl Imports {
    /// For the events of the log with this header.
    #[must_use]
    pub fn new(header: &Header) -> Self {
        Self {
            header: header.clone(),
            base: Base::new(header),
            aligning: Aligning::new(header),
            stacks: Stacks::default(),
            parts: FxHashMap::default(),
            frames: Vec::new(),
            threads: FxHashMap::default(),
            files: Vec::new(),
            ended: Vec::new(),
            left_out: 0,
        }
    }

    /// Takes in one event; a call that is not `chosen` is counted for times, but not drawn.
    pub fn add(&mut self, event: &Event<'_>, chosen: bool) {
        self.stacks.add(event);
        if let Some(aligning) = &mut self.aligning {
            aligning.add(event);
        }
        let part = event.stack.filter(|_| event.kind == Kind::Syscall).and_then(|stack| self.part(stack));
        let Some(seen) = self.base.add(event) else {
            if let Some(line) = Line::of_mark(event) {
                self.end(event, &line);
            }
            return;
        };
        let call = self.base.calls.get(seen.call);
        let family = call.family();
        let by_name = call.takes_path() && event.path.is_some_and(|path| !path.is_empty());
        let looks_up =
            by_name && matches!(family, Family::Stat | Family::Open | Family::Readlink | Family::Readdir);
        let opened = (family == Family::Open && seen.errno == 0).then_some(seen.object).flatten();
        let opened = opened.filter(|_| matches!(part, Some(Part::Read | Part::Execute))).map(|path| {
            self.files.push(path.into());
            self.files.len() as u32 - 1
        });
        let thread = self.threads.entry(event.tid).or_default();
        let reports = std::mem::take(&mut thread.reports) && family == Family::Write;
        if thread.pending.len() >= MOST_PENDING {
            thread.pending.drain(..MOST_PENDING / 2);
        }
        thread.pending.push(Call {
            start_ns: event.start_ns,
            end_ns: event.end_ns.unwrap_or(event.start_ns),
            part,
            group: seen.group,
            duration_ns: seen.duration_ns,
            errno: seen.errno,
            looks_up,
            reports,
            chosen,
            opened,
        });
    }

    /// The part that a call with this stack belongs to.
    fn part(&mut self, stack: u32) -> Option<Part> {
        if let Some(known) = self.parts.get(&stack) {
            return *known;
        }
        self.stacks.frames(stack, &mut self.frames);
        let part = part::part(&self.stacks, &self.frames);
        self.parts.insert(stack, part);
        part
    }

    /// An import has ended.
    fn end(&mut self, event: &Event<'_>, line: &Line<'_>) {
        let thread = self.threads.entry(event.tid).or_default();
        thread.reports = true;
        if self.ended.len() >= MOST_IMPORTS {
            self.left_out += 1;
            return;
        }
        let end_ns = event.start_ns;
        let start_ns = end_ns.saturating_sub(line.cumulative_us.saturating_mul(1000));
        let depth = line.depth.min(DEEPEST);
        let within = |at: &usize| self.ended[*at].depth > depth;
        let from = thread.waiting.iter().rposition(|at| !within(at)).map_or(0, |at| at + 1);
        let children = thread.waiting.split_off(from);
        let from = thread.pending.iter().rposition(|call| call.start_ns < start_ns).map_or(0, |at| at + 1);
        let calls = thread.pending.split_off(from);
        let intervals: Vec<(u64, u64)> =
            children.iter().map(|at| (self.ended[*at].start_ns, self.ended[*at].end_ns)).collect();
        let added_ns = match self.base.model.quality {
            Quality::True | Quality::Estimated => self.base.model.pinned.added_ns,
            Quality::Replayed | Quality::Unknown => 0,
        };
        let swept = sweep::sweep((start_ns, end_ns), &calls, &intervals, added_ns);
        let importer = event.stack.and_then(|stack| {
            self.stacks.frames(stack, &mut self.frames);
            let (file, line) = part::importer(&self.stacks, &self.frames)?;
            Some((Text::from(file), line))
        });
        thread.waiting.push(self.ended.len());
        let file = self.file(line.name, &calls);
        let process = self.base.processes.current();
        let name = line.name.into();
        let pid = event.pid;
        self.ended.push(Ended {
            name,
            pid,
            process,
            depth,
            importer,
            file,
            start_ns,
            end_ns,
            swept,
            calls,
            children,
        });
    }

    /// The file that a module was read from: the first that is opened while reading, or the shared object of its name.
    fn file(&self, module: &[u8], calls: &[Call]) -> Option<u32> {
        let last = module.rsplit(|&byte| byte == b'.').next().unwrap_or(module);
        let is_object = |at: u32| {
            let file = self.files.get(at as usize).map(|path| file_name(path.bytes()));
            file.is_some_and(|file| file.starts_with(last) && file.ends_with(b".so"))
        };
        calls.iter().find_map(|call| call.opened.filter(|&at| call.part == Some(Part::Read) || is_object(at)))
    }

    /// The tree.
    #[must_use]
    pub fn finish(mut self) -> Tree {
        let prices = self.base.prices();
        let mut imports: Vec<Import> = Vec::with_capacity(self.ended.len());
        let mut roots: Vec<usize> = self.threads.values().flat_map(|thread| thread.waiting.clone()).collect();
        roots.sort_unstable_by_key(|&at| (self.ended[at].process, self.ended[at].start_ns, at));
        let mut without_stack = 0;
        // Depth first, on a stack of its own.
        let mut next: Vec<(usize, Option<usize>)> = roots.iter().rev().map(|&root| (root, None)).collect();
        while let Some((at, parent)) = next.pop() {
            let ended = &self.ended[at];
            let own = imports.len();
            next.extend(ended.children.iter().rev().map(|&child| (child, Some(own))));
            let lacks = |call: &&Call| call.part.is_none() && call.group.on_file() && !call.reports;
            without_stack += ended.calls.iter().filter(lacks).count() as u64;
            imports.push(self.import(ended, parent.map(|parent| (parent, imports[parent].depth)), &prices));
        }
        // Children come after their parents, so that sums are made from the end.
        for at in (0..imports.len()).rev() {
            let (cumulative_ns, parent) = (imports[at].cumulative_ns, imports[at].parent);
            if let Some(parent) = parent {
                imports[parent].cumulative_ns = imports[parent].cumulative_ns.saturating_add(cumulative_ns);
            }
        }
        let roots = imports.iter().filter(|import| import.parent.is_none());
        Tree {
            total_ns: roots.map(|import| import.cumulative_ns).fold(0, u64::saturating_add),
            wall_ns: self
                .header
                .untraced
                .as_ref()
                .and_then(wall::Untraced::of)
                .map(|untraced| untraced.wall_ns()),
            traced_ns: self.base.span_ns(),
            aligned: self.aligning.map(|aligning| aligning.known()),
            command: self.header.command,
            backend: self.header.backend,
            without_stack,
            left_out: self.left_out,
            imports,
            integrity: self.base.watch.finish(),
        }
    }

    fn import(&self, ended: &Ended, parent: Option<(usize, usize)>, prices: &super::cost::Prices) -> Import {
        let sweep::Swept { find, read, execute, rest } = ended.swept;
        let self_ns = find + read + execute + rest;
        let (importer, importer_line) = ended.importer.clone().unwrap_or_default();
        let list = self.base.processes.list();
        let process =
            list.get(ended.process as usize).map_or(&b""[..], |known| self.base.processes.name(known));
        let probes = || ended.calls.iter().filter(|call| call.part == Some(Part::Find) && call.looks_up);
        Import {
            name: ended.name.clone(),
            pid: ended.pid,
            process: process.into(),
            depth: parent.map_or(0, |(_, depth)| depth + 1),
            parent: parent.map(|(at, _)| at),
            importer,
            importer_line,
            file: ended.file.and_then(|at| self.files.get(at as usize)).cloned(),
            start_ns: ended.start_ns,
            self_ns,
            cumulative_ns: self_ns,
            find_ns: find,
            read_ns: read,
            execute_ns: execute,
            rest_ns: rest,
            probes: probes().count() as u64,
            probes_failed: probes().filter(|call| call.errno != 0).count() as u64,
            calls: ended.calls.iter().filter(|call| !call.reports).count() as u64,
            cells: graph::cells(&self.base, prices, &ended.calls),
        }
    }
}
