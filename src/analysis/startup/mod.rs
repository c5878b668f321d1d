//! Where a program's startup time goes: everything the startup report says, as one value.

mod behind;
mod file_system;
#[cfg(test)]
mod tests;

use serde::Serialize;

use super::alignment::{Aligning, Alignment};
use super::base::{Base, Seen};
use super::cold::Cold;
use super::cost::{LongCalls, NullCall, Quality};
use super::cpu;
use super::cube::Cube;
use super::findings::{self, Findings};
use super::flame::{self, Drawing};
use super::fold::{self, By, Metric};
use super::integrity::Integrity;
use super::launcher::Launcher;
use super::lookups::{self, Lookups};
use super::modules::{Imports, Modules};
use super::partition::Partition;
use super::phases::{self, Phases, Start};
use super::stacks::Stacks;
use super::text::arguments;
use super::tree::{self, Tree};
use super::wall::{self, Untraced, Wall};
use crate::event::{Event, Kind, mark};
use crate::log::Header;
pub use behind::{At, Behind, Line};
pub use file_system::{FamilyRow, FileSystem};

/// Takes the events of a log, gives the report.
#[derive(Debug)]
pub struct Startup {
    command: Vec<String>,
    backend: String,
    not_ebpf: Option<String>,
    cwd: Vec<u8>,
    untraced: Option<Untraced>,
    cold: Option<Cold>,
    until: Option<String>,
    /// A clock tick, by which the kernel divides CPU time; 0: not known.
    tick_ns: u64,
    /// The program was ready: what follows is its end, and not looked at.
    ready: bool,
    null_call: Option<NullCall>,
    pub(in crate::analysis) base: Base,
    cube: Cube,
    imports: Imports,
    watch: findings::Watch,
    aligning: Option<Aligning>,
    /// Where calls have stacks, what looks at these.
    behind: Option<behind::Watching>,
}

/// The report as a value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The command.
    pub command: Vec<String>,
    /// Name of the capture backend.
    pub backend: String,
    /// Why that is not eBPF, where it would have been chosen.
    pub not_ebpf: Option<String>,
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
    /// Length of the traced run; `None`: the log has no times, and those of phases are 0.
    pub traced_ns: Option<u64>,
    /// What all costs of calls are.
    pub quality: Quality,
    /// What was taken off the duration of each call traced from its own CPU.
    pub stop_ns: u64,
    /// Calls that took long when traced.
    pub long_calls: LongCalls,
    /// What ran before the program itself, if anything did.
    pub launcher: Option<Launcher>,
    /// Where the time went, of runs with CPU samples; `None` where none were made.
    pub partition: Option<Partition>,
    /// Why there were no such runs.
    pub not_sampled: Option<String>,
    /// The CPU samples that are kept, if some are.
    pub cpu_samples: Option<CpuSamples>,
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
    /// What may be avoidable.
    pub findings: Findings,
    /// The traced call that does nothing, to compare traced durations with.
    pub null_call: Option<NullCall>,
    /// Where the stacks of calls are those of another run: how far both go together.
    pub alignment: Option<Alignment>,
    /// The lines that file-system calls are for, where these have stacks.
    pub behind: Option<Behind>,
}

/// CPU samples in a log of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CpuSamples {
    /// Runs that they are of.
    pub runs: u64,
    /// How many.
    pub samples: u64,
    /// The CPU time in user mode that they stand for, in nanoseconds, where ptrace took them.
    pub user_ns: Option<u64>,
    /// How many were taken a second.
    pub sample_hz: u32,
    /// By what, where that was not perf events.
    pub sampled_by: Option<String>,
    /// How long one held up the program, where that is known.
    pub sample_cost_ns: Option<u64>,
    /// The kernel's part is missing from them, since it is not permitted.
    pub user_only: bool,
    /// Threads that executed a program of which the kernel takes none.
    pub hidden: u64,
    /// What a run took, on average.
    pub run_ns: u64,
    /// Where they are.
    pub log: String,
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
            not_ebpf: header.not_ebpf().map(str::to_owned),
            cwd: header.cwd.as_bytes().to_vec(),
            untraced,
            cold,
            until: header.options.get("until").cloned(),
            tick_ns: header.host.tick_ns,
            ready: false,
            null_call: NullCall::of(header),
            base: Base::new(header),
            cube: Cube::default(),
            imports: Imports::default(),
            watch: findings::Watch::default(),
            aligning: Aligning::new(header),
            behind: header.stacks().map(|_| behind::Watching::default()),
        }
    }

    /// Whether the program was ready, so that what happens from now on is its end.
    pub(in crate::analysis) const fn is_over(&self) -> bool {
        self.ready
    }

    /// Takes in one event.
    pub fn add(&mut self, event: &Event<'_>) {
        if self.ready && !matches!(event.kind, Kind::Lost | Kind::Total | Kind::Frame | Kind::Stack) {
            return;
        }
        self.ready |= event.kind == Kind::Mark && event.text == Some(mark::READY.as_bytes());
        if let Some(aligning) = &mut self.aligning {
            aligning.add(event);
        }
        if let Some(behind) = &mut self.behind {
            behind.add(event);
        }
        if let Some(seen) = self.base.add(event) {
            self.call(event, &seen);
        } else if event.kind == Kind::Exec {
            self.exec(event);
        }
    }

    fn call(&mut self, event: &Event<'_>, seen: &Seen<'_>) {
        let object = self.cube.add(seen);
        let call = self.base.calls.get(seen.call);
        self.imports.add(event, seen, call);
        self.watch.call(event, seen, call, object);
        if let Some(behind) = &mut self.behind {
            behind.call(event, seen);
        }
    }

    fn exec(&mut self, event: &Event<'_>) {
        let process = self.base.processes.current();
        let start = Start {
            path: event.path_abs.or(event.path).unwrap_or_default(),
            argv: event.argv.unwrap_or_default(),
            cwd: &self.cwd,
        };
        if let Some(script) = phases::python_script(&start) {
            self.imports.python(process, script);
            self.watch.python(process, script);
            if arguments(start.argv).any(|word| word.windows(10).any(|part| part == b"compileall")) {
                self.watch.compiles(process);
            }
        } else {
            self.imports.not_python(process);
            self.watch.not_python(process);
        }
    }

    /// The report, and its flame graph.
    #[must_use]
    pub fn finish(mut self) -> (Report, Drawing) {
        let prices = self.base.prices();
        let traced_ns = self.base.span_ns();
        let wall = Wall::of(self.untraced.as_ref(), traced_ns);
        let cells = self.cube.sorted();
        let timeline = self.base.timeline.finish(&self.base.processes, traced_ns);
        let (focus, boundaries) = timeline.map_or((None, Vec::new()), |(id, list)| (Some(id), list));
        let phases = phases::build(
            &boundaries,
            &phases::Inputs {
                cells: &cells,
                calls: &self.base.calls,
                prices: &prices,
                processes: &self.base.processes,
                span: self.base.span.unwrap_or_default(),
                wall_ns: self.untraced.as_ref().map(Untraced::wall_ns),
                launch_ns: self.untraced.as_ref().map_or(0, Untraced::launch_ns),
            },
        );
        // What others do after the command's end is a phase, and no part of the wall time that could be saved.
        let within: Vec<_> =
            cells.iter().filter(|(key, _)| !phases::is_after(&boundaries, key.segment)).copied().collect();
        let mut file_system = file_system::gather(&within, &self.base, &prices, wall);
        let integrity = self.base.watch.finish();
        if integrity.lost_events == 0 && integrity.complete {
            file_system.set_ceiling(wall, self.untraced.as_ref());
        }
        let inputs = fold::Inputs {
            calls: &self.base.calls,
            prices: &prices,
            processes: &self.base.processes,
            objects: &self.cube.objects,
            stacks: &Stacks::default(),
            boundaries: &boundaries,
            with_arguments: true,
            most_frames: fold::MOST_FRAMES,
        };
        let counted = cells.iter().map(|(key, cell)| (fold::Place::from(key), *cell, 0));
        let (graph, other_calls) = fold::fold(&inputs, counted, By::Phase, Metric::Time);
        let waited_ns = flame::waited(&prices, cells.iter().map(|(key, cell)| (key.group, cell)));
        let launcher = Launcher::of(&phases, &boundaries, wall);
        let modules = self.imports.finish(&prices, &boundaries);
        let findings = findings::gather(&findings::Facts {
            cells: &within,
            calls: &self.base.calls,
            prices: &prices,
            objects: &self.cube.objects,
            processes: &self.base.processes,
            cwd: &self.cwd,
            focus,
            phases: &phases,
            boundaries: &boundaries,
            launcher: launcher.as_ref(),
            modules: &modules,
            watch: &self.watch,
            max_rss_kib: self.untraced.as_ref().and_then(Untraced::max_rss_kib),
            wall,
            file_system_ns: file_system.cost_ns,
        });
        let mut report = Report {
            launcher,
            partition: None,
            not_sampled: None,
            cpu_samples: None,
            phases,
            findings,
            tree: tree::tree(&self.base.processes, self.base.span.unwrap_or_default().0),
            file_system,
            lookups: Lookups {
                tells_dlopen: self.base.searchers.tells_dlopen(),
                ..lookups::gather(&within, &self.base.calls, &prices, &self.cube.objects)
            },
            modules,
            integrity,
            command: self.command,
            backend: self.backend,
            not_ebpf: self.not_ebpf,
            wall,
            untraced: self.untraced,
            cold: self.cold,
            until: self.until,
            traced_ns: Some(traced_ns).filter(|ns| *ns > 0),
            quality: self.base.model.quality,
            stop_ns: prices.model.pinned.duration_ns,
            long_calls: prices.long,
            null_call: self.null_call,
            alignment: self.aligning.map(Aligning::finish),
            behind: self.behind.and_then(|behind| behind.finish(&prices, wall)),
        };
        divide_cpu_time(&mut report, self.tick_ns);
        let drawing = drawing(&report, graph, other_calls, waited_ns);
        (report, drawing)
    }
}

/// The flame graph of the calls that a report is of.
fn drawing(report: &Report, graph: fold::Graph, other_calls: u64, waited_ns: u64) -> Drawing {
    Drawing {
        graph,
        command: report.command.clone(),
        by: By::Phase,
        metric: Metric::Time,
        backend: report.backend.clone(),
        quality: report.quality,
        stop_ns: report.stop_ns,
        calls: report.integrity.calls,
        calls_with_stack: 0,
        sampled: None,
        tracers: (0, 0),
        aligned: None,
        long_calls: report.long_calls,
        other_calls,
        waited_ns,
        replayed: None,
        integrity: report.integrity.clone(),
    }
}

/// Finds out how CPU time divides between user mode and the kernel, as far as that can be known.
fn divide_cpu_time(report: &mut Report, tick_ns: u64) {
    // Until readiness both are read from /proc, each rounded down for each process.
    let tick_ns = if report.until.is_some() { 0 } else { tick_ns };
    if let Some(warm) = &mut report.untraced {
        warm.user_share = cpu::user_share(&warm.figures, tick_ns, report.tree.processes);
    }
    if let Some(cold) = &mut report.cold {
        cold.user_share = cpu::user_share(&cold.figures, tick_ns, report.tree.processes);
    }
}
