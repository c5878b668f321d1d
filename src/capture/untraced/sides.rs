//! Sides of a comparison, run in rounds of random order: each with what prepares and concludes its runs, none for longer
//! than a time limit.

use std::process::ExitStatus;
use std::time::Duration;

use super::guard::{Guarded, guarded};
use super::interleaved::Random;
use super::{Cold, PrepareError, Progress, Rounds, RunError, prepare, run, terminal};
use crate::capture::launch::Command;
use crate::capture::stdio::Stdio;
use crate::capture::sys::clock::monotonic_ns;
use crate::capture::sys::signals::Watch;
use crate::log::Run;

/// A run that is not the first: nobody sees its output.
const REPEATED: usize = 1;

/// One side.
#[derive(Clone, Debug)]
pub struct Side {
    /// What is run.
    pub command: Command,
    /// A shell command before each run.
    pub prepare: Option<String>,
    /// A shell command after each run.
    pub conclude: Option<String>,
}

/// How to measure.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// How many rounds.
    pub rounds: Rounds,
    /// Rounds before those, not counted.
    pub warmup: usize,
    /// Empty the page cache before each run.
    pub cold: Option<Cold>,
    /// Longest run.
    pub timeout: Option<Duration>,
    /// Count runs that fail.
    pub ignore_failure: bool,
}

/// What ended the rounds early.
#[derive(Debug)]
pub enum Trouble {
    /// A run failed.
    Failed(ExitStatus),
    /// A run took longer than it may.
    TimedOut,
    /// A run could not be made.
    Broken(RunError),
    /// A signal asked for an end.
    Signal(i32),
}

/// What was measured.
#[derive(Debug)]
pub struct Measured {
    /// The runs of each side, those of the same place of the same round.
    pub runs: Vec<Vec<Run>>,
    /// What ended the rounds early, and in a run of which side.
    pub trouble: Option<(usize, Trouble)>,
}

/// Measures all sides in turn until there are enough rounds, or something goes wrong; what was measured until then is
/// there in any case.
pub fn measure(sides: &[Side], stdio: &mut Stdio, plan: &Plan, progress: &mut dyn Progress) -> Measured {
    let watch = Watch::install();
    let foreground = terminal::Foreground::now();
    let mut random = Random(monotonic_ns());
    let mut measured = Measured { runs: vec![Vec::new(); sides.len()], trouble: None };
    let (mut done, mut round, mut began_ns) = (0, 0, monotonic_ns());
    while !plan.rounds.enough(done, sides.len(), monotonic_ns() - began_ns) {
        let mut order: Vec<usize> = (0..sides.len()).collect();
        random.shuffle(&mut order);
        for at in order {
            let made = one(&sides[at], stdio, plan, &watch);
            foreground.restore();
            match made {
                Ok(run) if round >= plan.warmup => measured.runs[at].push(run),
                Ok(_) => {}
                Err(trouble) => {
                    let trouble = watch.received().map_or(trouble, Trouble::Signal);
                    measured.runs.iter_mut().for_each(|runs| runs.truncate(done));
                    return Measured { trouble: Some((at, trouble)), ..measured };
                }
            }
        }
        round += 1;
        if round <= plan.warmup {
            began_ns = monotonic_ns();
            continue;
        }
        done += 1;
        progress.finished(done, plan.rounds.share(done, sides.len(), monotonic_ns() - began_ns));
    }
    // One that came at the very end.
    measured.trouble = watch.received().map(|signal| (0, Trouble::Signal(signal)));
    measured
}

/// One prepared run.
fn one(side: &Side, stdio: &mut Stdio, plan: &Plan, watch: &Watch) -> Result<Run, Trouble> {
    let signal = |_: u64| watch.received().map_or(Ok(()), |signal| Err(Trouble::Signal(signal)));
    let refused = |error: PrepareError| Trouble::Broken(error.into());
    prepare::prepare(side.prepare.as_deref(), watch).map_err(refused).and_then(signal)?;
    if let Some(cold) = &plan.cold {
        cold.empty().map_err(|error| refused(PrepareError::Cache(error)))?;
    }
    let once = || run::once(&side.command, stdio, REPEATED, watch, None);
    let done = match guarded(plan.timeout, once) {
        (_, Guarded::Late) => return Err(Trouble::TimedOut),
        (done, Guarded::Ended) => done.map_err(Trouble::Broken)?,
    };
    signal(0)?;
    prepare::conclude(side.conclude.as_deref(), watch).map_err(refused).and_then(signal)?;
    if done.status.success() || plan.ignore_failure {
        return Ok(done.figures);
    }
    Err(Trouble::Failed(done.status))
}
