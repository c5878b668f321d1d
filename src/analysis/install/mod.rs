//! Where a package install spends its time: by phase, by package, by kind of call.
//!
//! ```text
//! Event -> phases::Phases    what the time up to the end of each call was for
//!      |-> packages         files, bytes and calls of each package in the directories installed to
//!      |-> kinds            calls with the errno they end in
//!      `-> startup::Startup  findings and the ceiling
//! ```
//!
//! Installers do their work in turns, file by file, and in several threads. So a phase is no stretch of time: it is the sum of
//! the times before the ends of calls that are for one thing. A call that tells nothing (memory, locks) counts to what its
//! process did last.

mod kinds;
mod names;
mod owners;
mod packages;
mod phase;
mod phases;
mod spent;
#[cfg(test)]
mod tests;

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::base::Base;
use super::compare::{Measure, Profiler, installer};
use super::cost::{Cell, Group};
use super::filesystem;
use super::findings::Findings;
use super::flame::Drawing;
use super::intern::{Id, Interner};
use super::startup::{self, Startup};
use super::text::{Text, arguments};
use super::wall::{Wall, WallKind};
use crate::event::Event;
use crate::log::Header;
pub use kinds::Kind;
pub use owners::Owners;
pub use packages::Package;
pub use phase::{LeftBehind, Phase, PhaseRow};

/// Takes the events of one install.
#[derive(Debug)]
pub struct Install {
    startup: Startup,
    profiler: Profiler,
    base: Base,
    objects: Interner,
    cells: FxHashMap<(Id, Group, u16), Cell>,
    phases: phases::Phases,
}

/// The report as a value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The installer, if it is one that is known.
    pub installer: Option<&'static str>,
    /// Directories that were installed to.
    pub targets: Vec<Text>,
    /// What the time was for, in order.
    pub phases: Vec<PhaseRow>,
    /// What is in no phase: the wall time of a command ends with its first process.
    pub left_behind: Option<LeftBehind>,
    /// What was installed, most time first.
    pub packages: Vec<Package>,
    /// Files of the directories installed to that belong to no package.
    pub not_packages: Option<Package>,
    /// Calls by name and errno, most first.
    pub kinds: Vec<Kind>,
    /// What was made of files and links, by figure.
    pub made: Vec<(Measure, u64)>,
    /// Everything that the startup report has.
    pub startup: startup::Report,
}

impl Install {
    /// For the events of the log with this header.
    #[must_use]
    pub fn new(header: &Header) -> Self {
        Self {
            startup: Startup::new(header),
            profiler: Profiler::new(header),
            base: Base::new(header),
            objects: Interner::default(),
            cells: FxHashMap::default(),
            phases: phases::Phases::default(),
        }
    }

    /// Takes in one event.
    pub fn add(&mut self, event: &Event<'_>) {
        self.startup.add(event);
        self.profiler.add(event);
        self.phases.see(event);
        let Some(seen) = self.base.add(event) else { return };
        let object = seen.object.unwrap_or_default();
        let object = filesystem::not_a_file(object).map_or(object, str::as_bytes);
        let id = self.objects.id(object);
        self.cells.entry((id, seen.group, seen.errno)).or_default().add(seen.duration_ns);
        let call = self.base.calls.get(seen.call);
        let added_ns = self.base.model.stop(seen.group).added_ns;
        self.phases.add(event, &seen, call, added_ns);
    }

    /// Directories that were installed to, as far as events have told.
    #[must_use]
    pub fn targets(&self) -> &[Vec<u8>] {
        &self.phases.targets
    }

    /// The report, and the drawing that goes with it. `owners` says which package has which modules, where that is known.
    #[must_use]
    pub fn finish(mut self, owners: &Owners) -> (Report, Drawing) {
        let prices = self.base.prices();
        let installer = self.installer();
        let (startup, drawing) = self.startup.finish();
        let profile = self.profiler.finish();
        let cells: Vec<((Id, Group, u16), Cell)> = self.cells.into_iter().collect();
        let mut kinds = kinds::Kinds::default();
        let left_behind = Some(self.phases.left_behind).filter(|left| left.calls > 0);
        // An untraced run is over when the first process is.
        let behind_ns = left_behind.filter(|_| startup.wall.kind == WallKind::TracedSpan);
        let wall_ns = startup.wall.ns.saturating_sub(behind_ns.map_or(0, |left| left.traced_ns));
        let phases = self.phases.rows(&prices, wall_ns);
        let mut sums = packages::Packages::new(&self.phases.targets, owners);
        for ((id, group, errno), cell) in &cells {
            let cost_ns = prices.cost(*group, cell);
            kinds.add(&self.base.calls.get(group.call()).name, *errno, cell.calls, cost_ns);
            sums.calls(self.objects.get(*id), cell.calls, cost_ns);
        }
        for (path, made) in self.phases.made() {
            sums.made(path, made);
        }
        let (packages, not_packages) = sums.finish();
        let made = profile.figures.into_iter().filter(|(measure, number)| measure.is_made() && *number > 0);
        let report = Report {
            installer,
            targets: self.phases.targets.iter().map(|target| target.as_slice().into()).collect(),
            phases,
            left_behind,
            packages,
            not_packages,
            kinds: kinds.finish(),
            made: made.collect(),
            startup,
        };
        (report, drawing)
    }

    /// The first installer among the programs and scripts that were run.
    fn installer(&self) -> Option<&'static str> {
        let execs = self.base.processes.list().iter().flat_map(|process| &process.execs);
        let mut lines = execs.map(|exec| arguments(self.base.processes.strings.get(exec.argv)));
        lines.find_map(installer)
    }
}

impl Report {
    /// What shares are parts of.
    #[must_use]
    pub fn wall(&self) -> &Wall {
        &self.startup.wall
    }

    /// What may be avoidable.
    #[must_use]
    pub fn findings(&self) -> &Findings {
        &self.startup.findings
    }
}
