//! `trace compare --replay`: a log of each side made again in several ways.
//!
//! Calls that read are made on the files themselves; with `--replay=writes` all of them in a scratch tree, by a confined
//! process, as `trace replay --writes` does.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, anyhow};
use trace_replay::{Lookahead, Options, Progress, Scratch, Strategy};

use super::super::failure::{Failure, note};
use super::super::input;
use super::super::progress::RunsBar;
use super::super::replay::{added_ns, recorded, runs, tell_left};
use super::runs::{Outcome, ended_by};
use crate::analysis::compare::{Replayed, median};
use crate::analysis::replay::{Known, KnownWall, Replay};
use crate::capture::untraced::{self, Progress as _};
use crate::log::{Columns, Header};
use crate::plan::{Planned, Planner};

/// How long is measured for each side.
const TIME: Duration = Duration::from_secs(10);

/// Which calls are replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Which {
    /// Those that read.
    Reads,
    /// All that have to do with files, in a scratch tree.
    Writes,
}

/// The replays of all sides that have a log; one that cannot be made is told, and no reason to lose the others. A signal
/// that asks for an end is heeded behind the side that is being replayed, for what was measured is still to be shown.
pub fn of_sides(which: Which, outcome: &mut Outcome, place: &input::Place) -> Vec<Option<Replayed>> {
    let mut replays = Vec::new();
    for (log, sample) in outcome.logs.iter().zip(&outcome.samples) {
        let walls: Vec<f64> = sample.runs.iter().map(|run| run.wall_ns as f64).collect();
        let made = log.as_deref().map(|log| untraced::to_its_end(|| replay(which, log, place, walls)));
        let replayed = made.and_then(|made| match made {
            Ok(Ok(replayed)) => Some(replayed),
            Ok(Err(failure)) => {
                note(format_args!("{}: not replayed: {}", sample.name, failure.text()));
                None
            }
            Err(signal) => {
                outcome.trouble.get_or_insert(ended_by(signal));
                None
            }
        });
        replays.push(replayed);
        if outcome.trouble.is_some() {
            replays.resize(outcome.logs.len(), None);
            break;
        }
    }
    replays
}

fn replay(which: Which, log: &Path, place: &input::Place, wall_ns: Vec<f64>) -> Result<Replayed, Failure> {
    let (header, planned) = read(log, place)?;
    let wall = (!wall_ns.is_empty()).then(|| KnownWall { ns: median(&wall_ns), runs: wall_ns.len() });
    let options = Options {
        strategies: strategies(which),
        wall_ns,
        recorded: recorded(&header, &planned),
        added_ns: added_ns(&header),
        runs: runs(&header),
        time: TIME,
        ..Options::default()
    };
    let known = Known { wall, lost: planned.lost, asked: options.strategies.clone(), ..Known::default() };
    let mut bar = RunsBar::now("replaying");
    let progress = |progress| match progress {
        Progress::Making { done, of } | Progress::Measuring { done, of } => {
            bar.finished(done, done as f64 / of.max(1) as f64);
        }
        Progress::Left(directory) => tell_left(&directory),
        Progress::Rehearsing | Progress::Stopping => {}
    };
    let replayed = match which {
        Which::Reads => {
            let outcome = trace_replay::replay(planned.plan, &options, progress)?;
            Replayed::of(&Replay::of(&outcome, known))
        }
        Which::Writes => {
            let told = |outcome: &trace_replay::Outcome| {
                // Numbers and names can always be written so; were it not so, what is read from nothing below says it.
                serde_json::to_vec(&Replayed::of(&Replay::of(outcome, known))).unwrap_or_default()
            };
            let scratch = Scratch::default();
            let told = trace_replay::replay_in_scratch(planned.plan, &options, &scratch, progress, told)?;
            serde_json::from_slice(&told).context("the confined process gave no result that can be read")?
        }
    };
    bar.finish();
    Ok(replayed)
}

fn read(log: &Path, place: &input::Place) -> Result<(Header, Planned), Failure> {
    let mut reader = input::open(log, place, Columns::ALL)?;
    let header = reader.header().clone();
    let cwd = place.directory()?;
    let cwd = cwd.map(|cwd| cwd.into_os_string().into_encoded_bytes());
    let mut planner = Planner::new(&header, cwd.as_deref(), None)?;
    let mut added = Ok(());
    let ending = reader.for_each(|event| {
        if added.is_ok() {
            added = planner.add(event);
        }
    });
    ending.map_err(|error| input::named(log, error))?;
    added?;
    let plan = planner.finish();
    if plan.lost != Some(0) {
        return Err(Failure::of_trace(anyhow!("events are missing from its log")));
    }
    Ok((header, plan))
}

/// What the kinds of `WayKind` are the best of, and what projections need.
fn strategies(which: Which) -> Vec<Strategy> {
    let is_wanted = |strategy: &Strategy| {
        let is_main = [Lookahead::FAITHFUL, Lookahead::ALL].contains(&strategy.lookahead());
        let is_library = matches!(strategy, Strategy::TokioUring { .. } | Strategy::TokioBlocking { .. });
        is_main && !is_library
    };
    let mut strategies: Vec<Strategy> = Options::default_strategies().into_iter().filter(is_wanted).collect();
    if which == Which::Writes {
        strategies.extend(Options::strategies_for_writes());
    }
    strategies
}
