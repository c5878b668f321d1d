//! What a replay says: its figures as plain values, and the verdict in one word.
//!
//! The measuring is done by `trace_replay`; here its outcome is put beside what the log says of the program.
//!
//! ```text
//! Outcome ─> rows, calls (in words), verdict ─> Replay (facts) ─> report
//! ```

mod calls;
mod facts;
mod rows;
mod verdict;

use trace_replay::{CostSource, Guard, Outcome, Skip, Strategy};

use calls::describe;
pub use facts::{
    Believed, Ceiling, Coverage, Differing, KnownWall, Measured, Projected, Range, Reason, Replay, Row,
    Threads, Tree, Unavailable, Verdict,
};
use rows::{at_once, row_of};
use verdict::{best, best_ring, ceiling, verdict};

/// The reason of those that have another result here than in the log.
pub const DIFFERS: &str = Skip::Differs.reason();

/// Untraced, a program takes less time than traced. One that took so many times as long was not run on the same machine, or that
/// had other things to do.
const DISTURBED: f64 = 1.5;

/// Calls with other results than in the log that are shown.
const MOST_DIFFERENCES: usize = 5;

/// What is known of the program and its log beside the replay.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    /// The command of the log.
    pub command: Vec<String>,
    /// What recorded it.
    pub backend: String,
    /// The program's untraced wall time, and where it is known from.
    pub wall: Option<KnownWall>,
    /// Events of the log that are missing; `None`: nobody knows how many.
    pub lost: Option<u64>,
    /// Calls that cannot be what the log says, by reason.
    pub refused: Vec<Reason>,
    /// The program used a ring of its own, whose operations are in no log.
    pub uses_io_uring: bool,
    /// The strategies that were asked for.
    pub asked: Vec<Strategy>,
    /// Others were measured beside them, for a plot.
    pub plots: bool,
}

impl Replay {
    /// Sums up.
    #[must_use]
    pub fn of(outcome: &Outcome, known: Known) -> Self {
        let plan = outcome.plan();
        // Nothing was run for the ceiling: without a projection its row is empty.
        let is_said = |row: &&trace_replay::Row| {
            (row.strategy != Strategy::Free || known.wall.is_some()) && is_asked(row.strategy, &known)
        };
        let mut rows: Vec<Row> = outcome.rows.iter().filter(is_said).map(|row| row_of(row, plan)).collect();
        let disturbed = known.wall.zip(outcome.logged_ns).is_some_and(|(wall, ns)| wall.ns > DISTURBED * ns);
        if disturbed {
            for row in &mut rows {
                row.helps = None;
                row.projection = row.projection.map(|projected| Projected { settled: false, ..projected });
            }
        }
        let is_swept = |row: &&trace_replay::Row| at_once(row.strategy).is_some();
        let swept = outcome.rows.iter().filter(|_| known.plots).filter(is_swept);
        let sweep = swept.map(|row| row_of(row, plan)).filter(|row| row.lookahead.is_none()).collect();
        Self {
            cache: outcome.cache.method(),
            confined: outcome.guard != Guard::None,
            scratch: outcome.scratch.as_ref().map(|tree| Tree::of(tree, outcome.guard)),
            cost_source: match outcome.cost_source {
                CostSource::Recorded => "recorded",
                CostSource::ThinkTime => "think_time",
                CostSource::Loop => "loop",
            },
            gate: outcome.gate.map(Believed::from),
            threads: outcome.threaded.map(Threads::from),
            no_ring: outcome.no_ring.clone(),
            unavailable: outcome.unavailable.iter().map(unavailable).collect(),
            logged_ns: outcome.logged_ns,
            disturbed,
            best: best(&rows),
            verdict: verdict(&rows),
            bound: best_ring(&rows, |row| row.lookahead != Some(1)).map(|(row, _)| row),
            ceiling: known.wall.and_then(|wall| ceiling(outcome, wall)),
            wall: known.wall,
            coverage: coverage(outcome, &known),
            rows,
            sweep,
            command: known.command,
            backend: known.backend,
        }
    }
}

fn coverage(outcome: &Outcome, known: &Known) -> Coverage {
    let plan = outcome.plan();
    let coverage = &outcome.coverage;
    let reasons = |of_files: bool| -> Vec<Reason> {
        let chosen = coverage.skipped.iter().filter(|(skip, _)| skip.is_file_system_call() == of_files);
        chosen.map(reason).collect()
    };
    let differing = |difference: &trace_replay::Difference| Differing {
        call: describe(plan, difference.call),
        what: difference.what.name(),
        recorded: difference.recorded,
        here: Some(difference.here),
    };
    Coverage {
        calls: coverage.calls,
        file_system_calls: coverage.file_system_calls,
        replayed: coverage.replayed,
        share: coverage.share(),
        fidelity: coverage.fidelity(),
        not_replayed: reasons(true),
        not_counted: reasons(false),
        refused: known.refused.clone(),
        differences: outcome.differences.iter().take(MOST_DIFFERENCES).map(differing).collect(),
        unsteady: outcome.unsteady.len(),
        unsteady_calls: outcome
            .unsteady
            .iter()
            .take(MOST_DIFFERENCES)
            .map(|call| describe(plan, *call))
            .collect(),
        lost: known.lost,
        uses_io_uring: known.uses_io_uring,
    }
}

fn reason((skip, calls): &(Skip, usize)) -> Reason {
    Reason { reason: skip.reason().to_owned(), calls: *calls as u64 }
}

fn unavailable((strategy, reason): &(Strategy, String)) -> Unavailable {
    Unavailable { strategy: strategy.to_string(), reason: reason.clone() }
}

/// The baseline is measured whatever was asked for.
fn is_asked(strategy: Strategy, known: &Known) -> bool {
    strategy == Strategy::Serial || known.asked.contains(&strategy)
}
