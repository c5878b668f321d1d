//! What a command starts before the program that was meant: shims, wrappers and shells.

use serde::Serialize;

use super::phases::{Boundary, PhaseKind, Phases};
use super::text::Text;
use super::wall::Wall;

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

impl Launcher {
    /// What ran before the program itself, if anything did.
    #[must_use]
    pub fn of(phases: &Phases, boundaries: &[Boundary], wall: Wall) -> Option<Self> {
        let phase = phases.phases.first().filter(|phase| phase.kind == PhaseKind::Launcher)?;
        let program = boundaries.first()?.name.strip_prefix(b"before ").unwrap_or_default();
        // No other way to start the program does without a fork.
        let takes_ns = phase.takes_ns.saturating_sub(phases.launch_ns);
        Some(Self {
            program: program.into(),
            programs: phase.programs,
            processes: phase.processes,
            failed_execs: phase.failed_execs,
            syscalls: phase.syscalls,
            takes_ns,
            share: wall.share(takes_ns),
        })
    }
}
