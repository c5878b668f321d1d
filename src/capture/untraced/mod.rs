//! Running a command many times without any tracer: the true times.
//!
//! The first run shows the command's output and warms caches; it is not counted. The counted runs
//! go on until there are enough of them ([`Policy`]), until one fails, or until somebody asks for
//! an end. Whatever ends them, what was measured until then is in the [`Outcome`].
//!
//! What is measured is what a shell would see: from just before the process is made to its end, and
//! the kernel's own account of it (`wait4(2)`).

mod cold;
mod guard;
mod interleaved;
mod outcome;
mod policy;
mod prepare;
mod ready;
mod run;
mod sides;
mod terminal;

use super::launch::{Command, LaunchError};
use super::stdio::{Stdio, StdioError};
use super::sys::clock::monotonic_ns;
use super::sys::signals::Watch;
use crate::log::Untraced;
use policy::{Next, Tally};
use run::Done;
use std::fmt;
use std::io;
use std::process::ExitStatus;

pub use cold::Cold;
pub use guard::{Guarded, guarded};
pub use interleaved::{Rounds, Series, interleaved};
pub use outcome::{Output, outcome};
pub use policy::Policy;
pub use prepare::PrepareError;
pub use ready::Ready;
pub use sides::{Measured, Plan, Side, Trouble, measure as measure_sides};

/// How to measure.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How many runs.
    pub policy: Policy,
    /// A shell command to be run before each run, the first included.
    pub prepare: Option<String>,
    /// Go on although a run fails.
    pub ignore_failure: bool,
    /// Empty the page cache before each run, after preparing it.
    pub cold: Option<Cold>,
    /// Which run is the next one: 0 is the first, which is not counted; any other is a repetition.
    pub next: usize,
    /// A run lasts until the command is ready, instead of until its end.
    pub ready: Option<Ready>,
}

/// What was measured, and why no more.
#[derive(Debug)]
pub struct Outcome {
    /// The first run, if it came to its end, and the counted ones. A run that failed is only
    /// there with [`Options::ignore_failure`].
    pub untraced: Untraced,
    /// How the first run ended, which is how the command ends for whoever started us.
    pub status: Option<ExitStatus>,
    /// Why there were no more runs.
    pub ending: Ending,
}

/// Why there were no more runs. Runs are counted from 0, the first one; in words, from 1.
#[derive(Debug)]
pub enum Ending {
    /// There are as many as the policy wants.
    Enough,
    /// The time is up, and there are fewer than ten.
    TimeUp {
        /// How many were counted.
        runs: usize,
        /// What the longest run took, in nanoseconds.
        longest_ns: u64,
        /// What the longest preparation took, in nanoseconds; 0 without any.
        prepared_ns: u64,
    },
    /// A run ended with another status than 0.
    Failed {
        /// Which one.
        run: usize,
        /// How it ended.
        status: ExitStatus,
    },
    /// A signal asked for an end.
    Interrupted {
        /// During or before which run.
        run: usize,
        /// Which signal.
        signal: i32,
    },
    /// A run could not be made.
    Broken {
        /// Which one.
        run: usize,
        /// Why.
        error: RunError,
    },
}

/// Why a run could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The command was not started.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// Its standard streams could not be made.
    #[error(transparent)]
    Stdio(#[from] StdioError),
    /// The preparing command failed.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// It cannot be told when the command is ready.
    #[error("cannot watch for the command to be ready: {0}")]
    Until(io::Error),
    /// It ended before it was ready.
    #[error("the command ended ({status}) before it was ready (--until {until})")]
    NotReady {
        /// How it ended.
        status: ExitStatus,
        /// What was waited for.
        until: String,
    },
    /// A signal asked for an end meanwhile.
    #[error("ended by {} in a run of the command", signal_name(*.0))]
    Signal(i32),
    /// It could not be waited for.
    #[error("cannot wait for the command: {0}")]
    Wait(io::Error),
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enough => write!(f, "enough runs"),
            Self::TimeUp { runs, longest_ns, prepared_ns } => {
                let (counted, longest) = (plural(*runs, "counted run"), *longest_ns as f64 / 1e9);
                write!(f, "only {counted}, because one takes up to {longest:.1} s")?;
                if *prepared_ns > 0 {
                    write!(f, " and --prepare up to {:.1} s", *prepared_ns as f64 / 1e9)?;
                }
                write!(f, "; for more, use --runs N")
            }
            Self::Failed { run, status } => {
                let advice = if *run == 0 {
                    "to measure it all the same, use --ignore-failure"
                } else {
                    "if an earlier run left something behind, --prepare 'COMMAND' can reset it before each \
                     run; to measure failing runs too, use --ignore-failure"
                };
                write!(f, "run {} of the command failed ({status}); {advice}", run + 1)
            }
            Self::Interrupted { run, signal } => {
                let name = signal_name(*signal);
                write!(f, "ended by {name} in run {} of the command", run + 1)
            }
            Self::Broken { run: 0, error } => write!(f, "{error}"),
            Self::Broken { run, error } => write!(f, "run {} of the command: {error}", run + 1),
        }
    }
}

fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Whoever wants to know how far the measuring is. Runs are counted from 0; during run 0 the
/// command's own output may appear on a terminal.
pub trait Progress {
    /// A run is about to start.
    fn starting(&mut self, run: usize) {
        let _ = run;
    }

    /// A run has ended; about this share of the work (0 to 1) is done.
    fn finished(&mut self, run: usize, share: f64) {
        let _ = (run, share);
    }

    /// The first run has read from the terminal, so that the others will want to be typed to as well.
    fn typed_to(&mut self) {}
}

impl Progress for () {}

/// Measures a command. Signals that would end `trace` are handled meanwhile: the command gets them,
/// and the measuring ends with it.
pub fn measure(
    command: &Command,
    stdio: &mut Stdio,
    options: &Options,
    progress: &mut dyn Progress,
) -> Outcome {
    let watch = Watch::install();
    let foreground = terminal::Foreground::now();
    let mut outcome = Outcome { untraced: Untraced::default(), status: None, ending: Ending::Enough };
    let mut tally = Tally::default();
    for run in options.next.. {
        if run > 0
            && let Some(ending) = policy_ending(&options.policy, &tally)
        {
            outcome.ending = ending;
            break;
        }
        progress.starting(run);
        let prepared = prepare(options, &watch);
        tally.add_preparation(*prepared.as_ref().unwrap_or(&0));
        let result = prepared.map_err(RunError::from).and_then(|_| match watch.received() {
            None => run::once(command, stdio, run, &watch, options.ready.as_ref()),
            Some(_) => Err(RunError::Wait(io::ErrorKind::Interrupted.into())),
        });
        foreground.restore();
        if let Some(ending) = outcome.take(run, result, watch.received(), options.ignore_failure) {
            outcome.ending = ending;
            break;
        }
        tally.add(run, outcome.last_wall_ns());
        progress.finished(run, options.policy.share(&tally));
        if run == 0 && stdio.was_typed_to() {
            progress.typed_to();
        }
    }
    outcome
}

/// Prepares a run; gives the nanoseconds that took.
fn prepare(options: &Options, watch: &Watch) -> Result<u64, PrepareError> {
    let prepared_ns = prepare::prepare(options.prepare.as_deref(), watch)?;
    let Some(cold) = &options.cold else { return Ok(prepared_ns) };
    let begin_ns = monotonic_ns();
    cold.empty().map_err(PrepareError::Cache)?;
    Ok(prepared_ns + (monotonic_ns() - begin_ns))
}

/// Runs the preparing command, if there is one, before a run that is not measured here. Gives the signal that
/// asked for an end meanwhile, if one did.
pub fn prepare_run(command: Option<&str>) -> Result<Option<i32>, PrepareError> {
    let watch = Watch::install();
    let prepared = prepare::prepare(command, &watch);
    watch.received().map_or_else(|| prepared.map(|_| None), |signal| Ok(Some(signal)))
}

/// The same for a command of another option: `--conclude` after a run, `--cleanup` after all of them.
pub fn run_option(option: &'static str, command: Option<&str>) -> Result<Option<i32>, PrepareError> {
    let watch = Watch::install();
    let done = prepare::run(option, command, &watch);
    watch.received().map_or_else(|| done.map(|_| None), |signal| Ok(Some(signal)))
}

/// Does what should not be cut off between runs. `Err`: a signal has asked for an end meanwhile.
pub fn to_its_end<T>(work: impl FnOnce() -> T) -> Result<T, i32> {
    let watch = Watch::install();
    let done = work();
    watch.received().map_or(Ok(done), Err)
}

/// A signal's name.
#[must_use]
pub fn signal_name(signal: i32) -> &'static str {
    nix::sys::signal::Signal::try_from(signal).map_or("a signal", nix::sys::signal::Signal::as_str)
}

fn policy_ending(policy: &Policy, tally: &Tally) -> Option<Ending> {
    match policy.next(tally) {
        Next::Run => None,
        Next::Enough => Some(Ending::Enough),
        Next::TimeUp => Some(Ending::TimeUp {
            runs: tally.counted,
            longest_ns: tally.longest_ns,
            prepared_ns: tally.longest_prepared_ns,
        }),
    }
}

impl Outcome {
    /// Takes in what came of a run; an ending if it must be the last one.
    fn take(
        &mut self,
        run: usize,
        result: Result<Done, RunError>,
        signal: Option<i32>,
        ignore_failure: bool,
    ) -> Option<Ending> {
        if run == 0 {
            self.status = result.as_ref().ok().map(|done| done.status);
        }
        let done = match (result, signal) {
            (_, Some(signal)) => return Some(Ending::Interrupted { run, signal }),
            (Err(error), None) => return Some(Ending::Broken { run, error }),
            (Ok(done), None) => done,
        };
        if !done.status.success() && !ignore_failure {
            return Some(Ending::Failed { run, status: done.status });
        }
        match run {
            0 => self.untraced.first = Some(done.figures),
            _ => self.untraced.runs.push(done.figures),
        }
        None
    }

    fn last_wall_ns(&self) -> u64 {
        self.untraced.runs.last().or(self.untraced.first.as_ref()).map_or(0, |run| run.wall_ns)
    }
}
