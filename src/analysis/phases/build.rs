//! Phases as values: when each began, what it took, what it did.
//!
//! A phase's time is not the traced one: the tracer adds its stop to every call. So the calibrated
//! cost of tracing is taken off for each call in the phase (never below nothing), and what is left
//! is scaled so that the phases add up to the median of the untraced runs. The factor is part of
//! the value: far from 1 it says that the traced run was not like the untraced ones.
//!
//! A traced run begins with the first `execve`, the wall time with the fork before it, and on a busy machine the
//! new process may wait for a CPU longer than a short program runs. So that time, which the untraced runs measure,
//! is not spread over the phases: it goes to the first one.
//!
//! The wall time of a run ends with the command's first process. What others do after that is a phase
//! that stands apart: it is neither scaled nor part of the sum. Not so where runs last until the command is ready: then
//! it is a phase like any other.

use serde::Serialize;

use super::{Boundary, PhaseKind};
use crate::analysis::calls::{Calls, Role};
use crate::analysis::cost::{Cell, Prices, Quality};
use crate::analysis::cube::Key;
use crate::analysis::lookups::plus;
use crate::analysis::process::Processes;
use crate::analysis::text::Text;
use crate::syscall::Family;

/// Errno of a file that is not there.
const ENOENT: u16 = 2;

/// The phases of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Phases {
    /// In order of time.
    pub phases: Vec<Phase>,
    /// What is known of `takes_ns`: `True` is not possible while a tracer adds to every call.
    pub quality: Quality,
    /// Traced times, tracing taken off, were multiplied by this to add up to the untraced wall time;
    /// `None`: there were no untraced runs.
    pub scaled_by: Option<f64>,
    /// The part of the first phase before the command's `execve` was called, in the untraced runs; 0 where it is not
    /// known.
    pub launch_ns: u64,
}

/// One phase.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Phase {
    /// What it is.
    pub kind: PhaseKind,
    /// Its name.
    pub name: Text,
    /// Traced time from the beginning of the run to the beginning of the phase.
    pub traced_at_ns: u64,
    /// Traced time from its beginning to its end.
    pub traced_ns: u64,
    /// What tracing its calls added to that, by calibration, and what the recorder held its programs for.
    pub added_ns: u64,
    /// When it begins in an untraced run (estimate).
    pub at_ns: u64,
    /// What it takes in an untraced run (estimate).
    pub takes_ns: u64,
    /// The same as a part of the whole, 0 to 1; `None`: it comes after the whole, or times are not known.
    pub share: Option<f64>,
    /// System calls, those of other processes in the same time included.
    pub syscalls: u64,
    /// Calls of the stat family, as far as they are file-system work.
    pub stat: u64,
    /// Calls of the open family, likewise.
    pub open: u64,
    /// Lookups of a path that was not there (ENOENT).
    pub misses: u64,
    /// Cost of its file-system calls, not scaled; `None` where costs are unknown.
    pub file_system_ns: Option<u64>,
    /// Processes made in it.
    pub processes: u64,
    /// Programs started in it: execs that succeeded.
    pub programs: u64,
    /// Execs that failed because the file was not there.
    pub failed_execs: u64,
}

/// What phases are made from.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// All calls.
    pub cells: &'a [(Key, Cell)],
    /// Names and families.
    pub calls: &'a Calls,
    /// Costs.
    pub prices: &'a Prices,
    /// Processes.
    pub processes: &'a Processes,
    /// First start and last end of any event.
    pub span: (u64, u64),
    /// Median wall time of the untraced runs.
    pub wall_ns: Option<u64>,
    /// The part of that before the command's `execve` was called; 0 where it is not known.
    pub launch_ns: u64,
}

/// Whether a segment comes after the end of the command.
#[must_use]
pub fn is_after(boundaries: &[Boundary], segment: u16) -> bool {
    boundaries
        .get(phase_of_segment(boundaries, segment))
        .is_some_and(|boundary| boundary.kind == PhaseKind::After)
}

/// The phase each segment belongs to, given where phases begin: an index into the boundaries.
#[must_use]
pub fn phase_of_segment(boundaries: &[Boundary], segment: u16) -> usize {
    boundaries.partition_point(|boundary| boundary.cut.segment <= segment).saturating_sub(1)
}

/// Makes the phases.
#[must_use]
pub fn build(boundaries: &[Boundary], inputs: &Inputs<'_>) -> Phases {
    let mut phases = empty(boundaries, inputs.span);
    count_calls(&mut phases, boundaries, inputs);
    count_processes(&mut phases, inputs);
    let scaled_by = take(&mut phases, inputs);
    let quality =
        if inputs.prices.model.pinned.added_ns == 0 { Quality::Unknown } else { Quality::Estimated };
    let launch_ns = if scaled_by.is_some() { inputs.launch_ns } else { 0 };
    Phases { phases, quality, scaled_by, launch_ns }
}

fn empty(boundaries: &[Boundary], (start, end): (u64, u64)) -> Vec<Phase> {
    let begins: Vec<u64> = boundaries
        .iter()
        .enumerate()
        .map(|(at, boundary)| if at == 0 { start } else { boundary.cut.at_ns.clamp(start, end) })
        .collect();
    let ends = begins.iter().skip(1).copied().chain([end]);
    let each = boundaries.iter().zip(begins.iter().zip(ends));
    each.map(|(boundary, (&begin, end))| Phase {
        kind: boundary.kind,
        name: Text::from(boundary.name.as_slice()),
        traced_at_ns: begin - start,
        traced_ns: end.saturating_sub(begin),
        added_ns: 0,
        at_ns: 0,
        takes_ns: 0,
        share: None,
        syscalls: 0,
        stat: 0,
        open: 0,
        misses: 0,
        file_system_ns: None,
        processes: 0,
        programs: 0,
        failed_execs: 0,
    })
    .collect()
}

fn count_calls(phases: &mut [Phase], boundaries: &[Boundary], inputs: &Inputs<'_>) {
    for (key, cell) in inputs.cells {
        let Some(phase) = phases.get_mut(phase_of_segment(boundaries, key.segment)) else { return };
        let call = inputs.calls.get(key.group.call());
        let missing = key.errno == ENOENT && call.takes_path();
        phase.syscalls += cell.calls;
        phase.added_ns = phase.added_ns.saturating_add(inputs.prices.added(key.group, cell));
        match call.family() {
            Family::Stat if key.group.on_file() => phase.stat += cell.calls,
            Family::Open if key.group.on_file() => phase.open += cell.calls,
            _ => {}
        }
        if missing {
            phase.misses += cell.calls;
        }
        if missing && call.role == Role::Exec {
            phase.failed_execs += cell.calls;
        }
        if key.group.on_file()
            && let Some(cost) = inputs.prices.cost(key.group, cell)
        {
            phase.file_system_ns = plus(phase.file_system_ns, Some(cost));
        }
    }
    if inputs.prices.model.quality != Quality::Unknown {
        for phase in phases.iter_mut() {
            phase.file_system_ns.get_or_insert(0);
        }
    }
}

fn count_processes(phases: &mut [Phase], inputs: &Inputs<'_>) {
    let start = inputs.span.0;
    let at = |phases: &[Phase], at_ns: u64| {
        let at_ns = at_ns.saturating_sub(start);
        phases.partition_point(|phase| phase.traced_at_ns <= at_ns).checked_sub(1)
    };
    for (id, process) in inputs.processes.list().iter().enumerate() {
        // The first process was made by the recorder.
        if let Some(phase) = at(phases, process.start_ns).filter(|_| id > 0) {
            phases[phase].processes += 1;
        }
        for exec in &process.execs {
            // The exec event is the last moment of its phase, and the first of the next.
            if let Some(phase) = at(phases, exec.at_ns.saturating_sub(1)) {
                phases[phase].programs += 1;
                phases[phase].added_ns = phases[phase].added_ns.saturating_add(exec.held_ns);
            }
        }
    }
}

/// Fills in what phases take; gives the factor to the untraced wall time.
fn take(phases: &mut [Phase], inputs: &Inputs<'_>) -> Option<f64> {
    let untraced = |phase: &Phase| phase.traced_ns.saturating_sub(phase.added_ns);
    let in_wall = |phase: &Phase| phase.kind != PhaseKind::After;
    let rest = phases.iter().filter(|phase| in_wall(phase)).map(untraced).fold(0, u64::saturating_add);
    let traced_part = |wall: u64| wall.saturating_sub(inputs.launch_ns);
    let factor = inputs.wall_ns.filter(|_| rest > 0).map(|wall| traced_part(wall) as f64 / rest as f64);
    let mut launch = factor.map_or(0.0, |_| inputs.launch_ns as f64);
    let whole = rest as f64 * factor.unwrap_or(1.0) + launch;
    let mut at = 0.0_f64;
    for phase in phases.iter_mut() {
        let scale = if in_wall(phase) { factor.unwrap_or(1.0) } else { 1.0 };
        let takes = untraced(phase) as f64 * scale + std::mem::take(&mut launch);
        phase.at_ns = at.round() as u64;
        phase.takes_ns = (at + takes).round() as u64 - phase.at_ns;
        at += takes;
        if in_wall(phase) {
            phase.share = (whole > 0.0).then(|| phase.takes_ns as f64 / whole);
        }
    }
    factor
}
