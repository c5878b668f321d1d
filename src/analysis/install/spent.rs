//! What was spent for each phase, and what cannot be told yet: an installer that reads a source it made may compile it, or only
//! look at it. That is known when bytecode is written, or something else is done.

use rustc_hash::FxHashMap;

use super::phase::Phase;
use crate::analysis::cost::{Cell, Group};
use crate::analysis::process::ProcessId;

/// Most processes of which something is open.
const MOST: usize = 4096;

/// Time up to the end of a call.
#[derive(Debug, Clone, Copy, Default)]
pub struct Took {
    /// Since the end of any other call.
    pub wall_ns: u64,
    /// Since the end of the same thread's call before, waits for others left out.
    pub thread_ns: u64,
}

/// Time, and calls by their group and whether they are for files.
#[derive(Debug, Default)]
pub struct Part {
    /// Time up to the ends of calls.
    pub time_ns: u64,
    /// The same of each thread.
    pub threads_ns: u64,
    /// The calls themselves.
    pub cells: FxHashMap<(Group, bool), Cell>,
}

impl Part {
    fn add(&mut self, took: Took, key: (Group, bool), duration_ns: Option<u64>) {
        self.time_ns = self.time_ns.saturating_add(took.wall_ns);
        self.threads_ns = self.threads_ns.saturating_add(took.thread_ns);
        self.cells.entry(key).or_default().add(duration_ns);
    }

    fn merge(&mut self, other: Self) {
        self.time_ns = self.time_ns.saturating_add(other.time_ns);
        self.threads_ns = self.threads_ns.saturating_add(other.threads_ns);
        for (key, cell) in other.cells {
            self.cells.entry(key).or_default().merge(&cell);
        }
    }
}

/// All parts.
#[derive(Debug, Default)]
pub struct Spent {
    phases: [Part; Phase::ALL.len()],
    /// What processes do that have read a source and written no bytecode yet.
    open: FxHashMap<ProcessId, Part>,
}

impl Spent {
    /// From here on what a process does cannot be told.
    pub fn open(&mut self, process: ProcessId) {
        if self.open.len() < MOST {
            self.open.entry(process).or_default();
        }
    }

    /// Now it can be told: it was for this.
    pub fn close(&mut self, process: ProcessId, phase: Phase) {
        if let Some(part) = self.open.remove(&process) {
            self.phases[phase as usize].merge(part);
        }
    }

    /// Adds a call that is for a phase, unless that cannot be told.
    pub fn add(
        &mut self,
        (process, phase): (ProcessId, Phase),
        took: Took,
        key: (Group, bool),
        duration_ns: Option<u64>,
    ) {
        let open = self.open.get_mut(&process).filter(|_| phase == Phase::Bytecode);
        open.unwrap_or(&mut self.phases[phase as usize]).add(took, key, duration_ns);
    }

    /// The parts in the order of [`Phase::ALL`]; what was never told was no compiling.
    pub fn finish(&mut self) -> &[Part; Phase::ALL.len()] {
        for (_, part) in std::mem::take(&mut self.open) {
            self.phases[Phase::Create as usize].merge(part);
        }
        &self.phases
    }
}
