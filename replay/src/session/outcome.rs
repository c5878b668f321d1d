//! What came of a replay: what was replayed, what was not and why, and a row for each strategy.

use std::path::PathBuf;
use std::sync::Arc;

use super::Costs;
use crate::bind::Skip;
use crate::engine::Strategy;
use crate::guard::Guard;
use crate::measure::{Cache, CostSource, Gate, Row, Threaded};
use crate::plan::{CallId, Plan};
use crate::program::Program;
use crate::rehearse::Difference;

/// How far a replay has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The scratch tree.
    Making {
        /// Entries made.
        done: usize,
        /// Entries wanted.
        of: usize,
    },
    /// Every call once, checked and compared with the log.
    Rehearsing,
    /// A round of measurement begins.
    Measuring {
        /// Rounds done.
        done: usize,
        /// Rounds wanted.
        of: usize,
    },
    /// It was asked to stop; what it has made is being removed.
    Stopping,
    /// A scratch tree, of this replay or of one before, could not be removed.
    Left(PathBuf),
}

/// What was replayed and what not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Calls of the plan.
    pub calls: usize,
    /// File-system calls of the plan: all but those of [`Skip::is_file_system_call`].
    pub file_system_calls: usize,
    /// Calls replayed.
    pub replayed: usize,
    /// Why others were not, and how many, most first.
    pub skipped: Vec<(Skip, usize)>,
}

impl Coverage {
    /// The replayed share of the file-system calls.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.replayed as f64 / self.file_system_calls.max(1) as f64
    }

    /// Of the calls that could be made here, the share that had the log's result.
    #[must_use]
    pub fn fidelity(&self) -> f64 {
        let differ =
            self.skipped.iter().find(|(skip, _)| *skip == Skip::Differs).map_or(0, |(_, count)| *count);
        self.replayed as f64 / (self.replayed + differ).max(1) as f64
    }
}

/// The tree that a replay ran in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScratchTree {
    /// The type of its file system, by name.
    pub file_system: String,
    /// The type of the one that the log's files were made on, as far as their directories are here.
    pub original: Option<String>,
    /// Files, directories and links in it before each run.
    pub entries: usize,
    /// Bytes of contents; files that are not read have a size only.
    pub bytes: u64,
}

/// What came of a replay.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was replayed.
    pub coverage: Coverage,
    /// The first calls with other results here than in the log.
    pub differences: Vec<Difference>,
    /// What confined the replay.
    pub guard: Guard,
    /// The tree it ran in, if it changed files.
    pub scratch: Option<ScratchTree>,
    /// Why there is no `io_uring` here.
    pub no_ring: Option<String>,
    /// Strategies that were asked for and could not be measured, with the reason.
    pub unavailable: Vec<(Strategy, String)>,
    /// Calls whose file somebody else changed meanwhile: only their success was verified since.
    pub unsteady: Vec<CallId>,
    /// A row for each strategy that was.
    pub rows: Vec<Row>,
    /// Where the cost of the calls in the program, for projections, was taken from.
    pub cost_source: CostSource,
    /// Whether the replay costs what the program did; `None` where the log's times cannot say.
    pub gate: Option<Gate>,
    /// From the first call of the log to the end of the last one, in nanoseconds; `None`: it has no times.
    pub logged_ns: Option<f64>,
    /// Of a program with several threads whose log has times: how well its schedule is known.
    pub threaded: Option<Threaded>,
    /// What each call took when made alone.
    pub costs: Costs,
    /// What the caches held.
    pub cache: Cache,
    /// What was run, the plan with it.
    pub(super) program: Arc<Program>,
}

impl Outcome {
    /// The plan that was replayed, which tells what a [`CallId`] stands for.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.program.plan
    }

    /// The row of a strategy.
    #[must_use]
    pub fn row(&self, strategy: Strategy) -> Option<&Row> {
        self.rows.iter().find(|row| row.strategy == strategy)
    }
}

/// Counts a program's calls.
pub(super) fn coverage(program: &Program) -> Coverage {
    let mut counts = [0_usize; Skip::ALL.len()];
    for skip in program.skips.iter().flatten() {
        counts[*skip as usize] += 1;
    }
    let calls = program.skips.len();
    let replayed = program.skips.iter().filter(|skip| skip.is_none()).count();
    let mut skipped: Vec<(Skip, usize)> =
        Skip::ALL.into_iter().zip(counts).filter(|(_, count)| *count > 0).collect();
    skipped.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let others = skipped.iter().filter(|(skip, _)| !skip.is_file_system_call());
    let file_system_calls = calls - others.map(|(_, count)| count).sum::<usize>();
    Coverage { calls, file_system_calls, replayed, skipped }
}

/// Why calls are not replayed, the most common reason first.
pub(super) fn reasons(program: &Program) -> String {
    let coverage = coverage(program);
    let reasons: Vec<String> =
        coverage.skipped.iter().map(|(skip, count)| format!("{count} {}", skip.reason())).collect();
    if reasons.is_empty() { "it has no calls".to_owned() } else { reasons.join("; ") }
}
