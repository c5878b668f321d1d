//! The runs of `trace compare`: rounds of untraced ones, then traced ones in turn; or logs, read beside each other.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::super::command;
use super::super::failure::{Failure, note};
use super::super::input;
use super::super::progress::{ReadBar, RunsBar};
use super::super::sides::Side;
use super::Arguments;
use super::traced_runs::trace;
use crate::analysis::compare::{Profile, Profiler, Sample};
use crate::capture::BetweenRuns;
use crate::capture::launch::Command;
use crate::capture::stdio::Stdio;
use crate::capture::untraced::{self, Cold, Plan, Rounds, Trouble, signal_name};
use crate::log::Columns;

/// What the runs came to.
pub struct Outcome {
    pub samples: Vec<Sample>,
    /// A log of each side, where there is one.
    pub logs: Vec<Option<PathBuf>>,
    /// Files without a name that some of these are in.
    pub held: Vec<File>,
    /// Untraced runs were made in rounds.
    pub paired: bool,
    /// What ended them early.
    pub trouble: Option<Early>,
    /// While there is something to be lost: there were runs, and what they came to is not shown.
    pub between: Option<BetweenRuns>,
}

/// Why there are no more runs, as a sentence, and the signal if it was one.
pub type Early = (String, Option<i32>);

/// A side that is a command.
pub struct Running<'a> {
    /// Its place among all sides.
    pub at: usize,
    pub words: &'a [OsString],
    pub command: Command,
}

/// Gets everything that is to be known of the sides.
pub fn samples(arguments: &Arguments, sides: &[Side], names: Vec<String>) -> Result<Outcome, Failure> {
    let samples = names.into_iter().map(|name| Sample { name, ..Sample::default() }).collect();
    let logs = sides.iter().map(|side| match side {
        Side::Logs(logs) => logs.first().filter(|log| log.as_os_str() != "-").cloned(),
        Side::Command(_) => None,
    });
    let mut outcome = Outcome {
        samples,
        logs: logs.collect(),
        held: Vec::new(),
        paired: false,
        trouble: None,
        between: None,
    };
    let mut running = Vec::new();
    for (at, side) in sides.iter().enumerate() {
        if let Side::Command(words) = side {
            let prepare = of_side(&arguments.prepare, at).map(String::as_str);
            let command = command::resolve_prepared(words, prepare)?;
            running.push(Running { at, words, command });
        }
    }
    read_logs(arguments, sides, &mut outcome.samples)?;
    if !running.is_empty() {
        outcome.paired = running.len() == sides.len();
        outcome.between = Some(BetweenRuns::keep());
        run(arguments, &running, &mut outcome)?;
    }
    Ok(outcome)
}

/// Reads the logs of all sides, as many at a time as there are processors.
fn read_logs(arguments: &Arguments, sides: &[Side], samples: &mut [Sample]) -> Result<(), Failure> {
    let all = sides.iter().enumerate().flat_map(|(at, side)| match side {
        Side::Logs(logs) => logs.iter().map(|log| (at, log.as_path())).collect(),
        Side::Command(_) => Vec::new(),
    });
    let all: Vec<(usize, &Path)> = all.collect();
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    for some in all.chunks(threads.max(1)) {
        let read = std::thread::scope(|scope| {
            let readers: Vec<_> =
                some.iter().map(|(at, log)| (*at, scope.spawn(|| profile(log, &arguments.place)))).collect();
            let joined = readers.into_iter().map(|(at, reader)| {
                let read = reader.join().map_err(|_| Failure::of_trace(anyhow!("reading a log has failed")));
                (at, read.and_then(|read| read))
            });
            joined.collect::<Vec<_>>()
        });
        for (at, read) in read {
            let (profile, untraced) = read?;
            samples[at].profiles.push(profile);
            samples[at].runs.extend(untraced);
        }
    }
    Ok(())
}

/// What a log says, and the untraced runs in its header.
pub fn profile(log: &Path, place: &input::Place) -> Result<(Profile, Vec<crate::log::Run>), Failure> {
    let own = |failure: Failure| failure.or_code(125);
    let bar = ReadBar::new(log);
    let mut reader = input::open_watched(log, place, Columns::ALL, &bar).map_err(own)?;
    let untraced =
        reader.header().untraced.as_ref().map(|untraced| untraced.runs.clone()).unwrap_or_default();
    let mut profiler = Profiler::new(reader.header());
    let ending = reader.for_each(|event| profiler.add(event));
    bar.finish();
    ending.map_err(|error| Failure::of_trace(input::named(log, error)))?;
    input::tell_unreadable(log, &reader);
    Ok((profiler.finish(), untraced))
}

/// What an option says for one side.
pub fn of_side(values: &[String], at: usize) -> Option<&String> {
    if values.len() > 1 { values.get(at) } else { values.first() }
}

fn run(arguments: &Arguments, running: &[Running<'_>], outcome: &mut Outcome) -> Result<(), Failure> {
    let mut stdio = Stdio::new().map_err(Failure::of_trace)?;
    let sides: Vec<untraced::Side> = running
        .iter()
        .map(|one| untraced::Side {
            command: one.command.clone(),
            prepare: of_side(&arguments.prepare, one.at).cloned(),
            conclude: of_side(&arguments.conclude, one.at).cloned(),
        })
        .collect();
    let plan = Plan {
        rounds: Rounds { rounds: arguments.runs.map(|runs| runs as usize), ..Rounds::default() },
        warmup: arguments.warmup,
        cold: arguments.cold.then(emptied).transpose()?,
        timeout: arguments.timeout,
        ignore_failure: arguments.ignore_failure,
    };
    let mut bar = RunsBar::now("untraced runs");
    let measured = untraced::measure_sides(&sides, &mut stdio, &plan, &mut bar);
    bar.finish();
    for (one, runs) in running.iter().zip(measured.runs) {
        outcome.samples[one.at].runs = runs;
    }
    let trouble = match measured.trouble {
        // What was measured is shown all the same.
        None => trace(arguments, running, outcome, &mut stdio)
            .unwrap_or_else(|failure| Some((format!("no further run was traced: {}", failure.text()), None))),
        Some((at, trouble)) => Some(told(&outcome.samples[running[at].at].name, trouble, &mut stdio)),
    };
    let interrupted = clean_up(arguments, running);
    outcome.trouble = trouble.or(interrupted);
    Ok(())
}

/// Runs the commands of `--cleanup`, however the runs came to their end. A signal ends all of them, not only the one that
/// runs: who asks for an end once does not want to wait for the others.
fn clean_up(arguments: &Arguments, running: &[Running<'_>]) -> Option<Early> {
    for one in running {
        let command = of_side(&arguments.cleanup, one.at).map(String::as_str);
        match untraced::run_option("--cleanup", command) {
            Ok(None) => {}
            Ok(Some(signal)) => {
                let text = format!("ended by {} in a command of --cleanup", signal_name(signal));
                return Some((text, Some(signal)));
            }
            Err(error) => note(error),
        }
    }
    None
}

/// The page cache, emptied once, since only that tells whether it is permitted.
fn emptied() -> Result<Cold, Failure> {
    let refused = |error| anyhow!("--cold: the page cache cannot be emptied ({error}); run trace as root");
    Cold::whole_system().map_err(|error| Failure::of_trace(refused(error)))
}

/// Why there are no more runs, and the signal if it was one.
pub fn told(name: &str, trouble: Trouble, stdio: &mut Stdio) -> Early {
    let text = match trouble {
        Trouble::Signal(signal) => return ended_by(signal),
        Trouble::Failed(status) => {
            format!(
                "{name}: a run failed ({status}); --prepare can put back what a run changes, --ignore-failure counts it all the same"
            )
        }
        Trouble::TimedOut => format!("{name}: a run took longer than --timeout allows, and was killed"),
        Trouble::Broken(error) => {
            let text = error.to_string();
            // What a command of ours wrote stands on a line of its own.
            match text.split_once('\n') {
                Some((text, words)) => {
                    return (format!("{name}: {text}; the end of what it wrote: {words}"), None);
                }
                None => format!("{name}: {text}"),
            }
        }
    };
    let words = stdio.last_words().map(|words| format!("; the end of what it wrote: {words}"));
    (text + &words.unwrap_or_default(), None)
}

/// What is said where a signal has asked for an end.
pub fn ended_by(signal: i32) -> Early {
    (format!("ended by {}: what is shown was measured until then", signal_name(signal)), Some(signal))
}
