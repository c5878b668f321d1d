//! Where a program's startup time goes: everything the startup report says, as one value.

mod file_system;
#[cfg(test)]
mod tests;

use serde::Serialize;

use super::base::{Base, Seen};
use super::cold::Cold;
use super::cost::{LongCalls, NullCall, Quality};
use super::cube::Cube;
use super::fold::{self, Stack};
use super::integrity::Integrity;
use super::lookups::{self, Lookups};
use super::modules::{Imports, Modules};
use super::phases::{self, Boundary, PhaseKind, Phases, Start};
use super::text::Text;
use super::tree::{self, Tree};
use super::wall::{self, Untraced, Wall};
use crate::event::{Event, Kind, mark};
use crate::log::Header;
pub use file_system::{FamilyRow, FileSystem};

/// Takes the events of a log, gives the report.
#[derive(Debug)]
pub struct Startup {
    command: Vec<String>,
    backend: String,
    cwd: Vec<u8>,
    untraced: Option<Untraced>,
    cold: Option<Cold>,
    until: Option<String>,
    /// The program was ready: what follows is its end, and not looked at.
    ready: bool,
    null_call: Option<NullCall>,
    base: Base,
    cube: Cube,
    imports: Imports,
}

/// The report as a value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The command.
    pub command: Vec<String>,
    /// Name of the capture backend.
    pub backend: String,
    /// What is missing from the log.
    pub integrity: Integrity,
    /// What shares are parts of.
    pub wall: Wall,
    /// The untraced runs.
    pub untraced: Option<Untraced>,
    /// Cold runs, if some were made.
    pub cold: Option<Cold>,
    /// What the end of a run is, if it is not the end of the program (`--until`): the wall time is the time to
    /// that.
    pub until: Option<String>,
    /// Length of the traced run.
    pub traced_ns: u64,
    /// What all costs of calls are.
    pub quality: Quality,
    /// What was taken off the duration of each call traced from its own CPU.
    pub stop_ns: u64,
    /// Calls that took long when traced.
    pub long_calls: LongCalls,
    /// What ran before the program itself, if anything did.
    pub launcher: Option<Launcher>,
    /// The phases.
    pub phases: Phases,
    /// The processes.
    pub tree: Tree,
    /// File-system calls.
    pub file_system: FileSystem,
    /// Lookups of paths.
    pub lookups: Lookups,
    /// Python modules.
    pub modules: Modules,
    /// The traced call that does nothing, to compare traced durations with.
    pub null_call: Option<NullCall>,
}

/// Shims, wrappers and shells before the program: the first thing to know.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Launcher {
    /// The program they led to.
    pub program: Text,
    /// Programs started before it.
    pub programs: u64,
    /// Processes made before it.
    pub processes: u64,
    /// Execs that failed because there was no such file.
    pub failed_execs: u64,
    /// System calls made before it.
    pub syscalls: u64,
    /// What they take in an untraced run (estimate).
    pub takes_ns: u64,
    /// The same as a part of the whole, 0 to 1.
    pub share: f64,
}

impl Startup {
    /// For the events of the log with this header.
    #[must_use]
    pub fn new(header: &Header) -> Self {
        let untraced = wall::untraced(header);
        let warm = untraced.as_ref().map(|untraced| &untraced.figures);
        let cold = header.untraced.as_ref().and_then(|runs| Cold::of(runs, warm));
        Self {
            command: header.command.clone(),
            backend: header.backend.clone(),
            cwd: header.cwd.as_bytes().to_vec(),
            untraced,
            cold,
            until: header.options.get("until").cloned(),
            ready: false,
            null_call: NullCall::of(header),
            base: Base::new(header),
            cube: Cube::default(),
            imports: Imports::default(),
        }
    }

    /// Takes in one event.
    pub fn add(&mut self, event: &Event<'_>) {
        if self.ready && !matches!(event.kind, Kind::Lost | Kind::Total) {
            return;
        }
        self.ready |= event.kind == Kind::Mark && event.text == Some(mark::READY.as_bytes());
        if let Some(seen) = self.base.add(event) {
            self.call(event, &seen);
        } else if event.kind == Kind::Exec {
            self.exec(event);
        }
    }

    fn call(&mut self, event: &Event<'_>, seen: &Seen<'_>) {
        self.cube.add(seen);
        self.imports.add(event, seen, self.base.calls.get(seen.call));
    }

    fn exec(&mut self, event: &Event<'_>) {
        let process = self.base.processes.current();
        let start = Start {
            path: event.path_abs.or(event.path).unwrap_or_default(),
            argv: event.argv.unwrap_or_default(),
            cwd: &self.cwd,
        };
        match phases::python_script(&start) {
            Some(script) => self.imports.python(process, script),
            None => self.imports.not_python(process),
        }
    }

    /// The report, and the stacks of its flame graph.
    #[must_use]
    pub fn finish(mut self) -> (Report, Vec<Stack>) {
        let prices = self.base.prices();
        let traced_ns = self.base.span_ns();
        let wall = Wall::of(self.untraced.as_ref(), traced_ns);
        let cells = self.cube.sorted();
        let boundaries = self
            .base
            .timeline
            .finish(&self.base.processes, traced_ns)
            .map_or_else(Vec::new, |(_, boundaries)| boundaries);
        let phases = phases::build(
            &boundaries,
            &phases::Inputs {
                cells: &cells,
                calls: &self.base.calls,
                prices: &prices,
                processes: &self.base.processes,
                span: self.base.span.unwrap_or_default(),
                wall_ns: self.untraced.as_ref().map(Untraced::wall_ns),
            },
        );
        let mut file_system = file_system::gather(&cells, &self.base, &prices, wall);
        file_system.set_ceiling(&phases, wall, self.untraced.as_ref());
        let stacks = fold::fold(&fold::Inputs {
            cells: &cells,
            calls: &self.base.calls,
            prices: &prices,
            processes: &self.base.processes,
            objects: &self.cube.objects,
            boundaries: &boundaries,
        });
        let report = Report {
            launcher: launcher(&phases, &boundaries),
            phases,
            tree: tree::tree(&self.base.processes, self.base.span.unwrap_or_default().0),
            file_system,
            lookups: lookups::gather(&cells, &self.base.calls, &prices, &self.cube.objects),
            modules: self.imports.finish(&prices, &boundaries),
            integrity: self.base.watch.finish(),
            command: self.command,
            backend: self.backend,
            wall,
            untraced: self.untraced,
            cold: self.cold,
            until: self.until,
            traced_ns,
            quality: self.base.model.quality,
            stop_ns: prices.model.pinned.duration_ns,
            long_calls: prices.long,
            null_call: self.null_call,
        };
        (report, stacks)
    }
}

fn launcher(phases: &Phases, boundaries: &[Boundary]) -> Option<Launcher> {
    let phase = phases.phases.first().filter(|phase| phase.kind == PhaseKind::Launcher)?;
    let program = boundaries.first()?.name.strip_prefix(b"before ").unwrap_or_default();
    Some(Launcher {
        program: program.into(),
        programs: phase.programs,
        processes: phase.processes,
        failed_execs: phase.failed_execs,
        syscalls: phase.syscalls,
        takes_ns: phase.takes_ns,
        share: phase.share.unwrap_or(0.0),
    })
}
