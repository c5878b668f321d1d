//! The runs that `trace assert` judges: logs as they are, or a command, traced as often as asked for.

use std::ffi::{OsStr, OsString};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::super::command;
use super::super::failure::Failure;
use super::super::failure::interrupted;
use super::super::input;
use super::super::progress::ReadBar;
use super::super::sides::{Side, side};
use super::super::traced::{self, Typed};
use super::Arguments;
use crate::analysis::budget::{Meter, Metric, Reading, Subject};
use crate::capture::BetweenRuns;
use crate::capture::launch::Command;
use crate::capture::stdio::Stdio;
use crate::capture::temporary;
use crate::capture::untraced::{self, Ending};
use crate::log::{Columns, Untraced};

/// What is to be measured, and how.
pub struct Runs<'a> {
    /// How often a command is traced.
    pub count: usize,
    /// The other options.
    pub arguments: &'a Arguments,
    /// What is measured of each run.
    pub metrics: &'a [Metric],
}

/// What the runs came to.
pub struct Measured {
    /// Each of them.
    pub readings: Vec<Reading>,
    /// A signal has ended them early: it, and when it came.
    pub interrupted: Option<(i32, &'static str)>,
    /// While there is something to be lost.
    pub between: Option<BetweenRuns>,
}

/// Reads the logs, or makes the runs.
pub fn readings(target: &OsStr, runs: &Runs<'_>) -> Result<Measured, Failure> {
    match side(target)? {
        Side::Logs(logs) => {
            let readings = logs.iter().map(|log| read(log, log, runs)).collect::<Result<_, _>>()?;
            Ok(Measured { readings, interrupted: None, between: None })
        }
        Side::Command(words) => {
            let mut measured =
                Measured { readings: Vec::new(), interrupted: None, between: Some(BetweenRuns::keep()) };
            measured.interrupted = of_command(&words, runs, &mut measured.readings)?;
            match measured.interrupted.filter(|_| measured.readings.is_empty()) {
                Some((signal, when)) => Err(interrupted(signal, when)),
                None => Ok(measured),
            }
        }
    }
}

/// Reads one log. Whatever is wrong with it, no budget is broken by that.
fn read(log: &Path, shown: &Path, runs: &Runs<'_>) -> Result<Reading, Failure> {
    let own = |failure: Failure| failure.or_code(125);
    let bar = ReadBar::new(log);
    let mut reader = input::open_watched(log, &runs.arguments.place, Columns::ALL, &bar).map_err(own)?;
    let mut meter = Meter::new(reader.header(), runs.metrics.to_vec());
    let ending = reader.for_each(|event| meter.add(event));
    bar.finish();
    ending.map_err(|error| Failure::of_trace(input::named(shown, error)))?;
    input::tell_unreadable(shown, &reader);
    Ok(meter.finish())
}

/// Makes the runs; the signal that has ended them early, and when.
fn of_command(
    words: &[OsString],
    runs: &Runs<'_>,
    readings: &mut Vec<Reading>,
) -> Result<Option<(i32, &'static str)>, Failure> {
    let command = command::resolve_repeated(words)?;
    let mut stdio = Stdio::new().map_err(Failure::of_trace)?;
    let is_untraced =
        |metric: &Metric| matches!(metric.subject, Subject::Run(figure) if figure.is_untraced());
    let is_timed = runs.metrics.iter().any(is_untraced);
    let untraced = is_timed.then(|| measure(&command, &mut stdio, runs)).transpose()?;
    let mut tracer = match traced::ready(runs.arguments.backend)? {
        Ok(tracer) => tracer,
        Err(signal) => return Ok(Some((signal, "before a traced run"))),
    };
    for run in 0..runs.count {
        let prepared = untraced::prepare_run(runs.arguments.prepare.as_deref()).map_err(Failure::of_trace)?;
        if let Some(signal) = prepared {
            let when = if runs.arguments.prepare.is_some() { "in --prepare" } else { "between runs" };
            return Ok(Some((signal, when)));
        }
        let file = temporary::file().map_err(Failure::of_trace)?;
        let log = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        let streams = (&mut stdio, if untraced.is_some() { run + 1 } else { run });
        let typed = Typed { command: &command, words };
        let recorded = traced::trace_once(&mut tracer, typed, &log, streams, untraced.clone())?;
        if let Some(interruption) = recorded.interruption {
            return Ok(Some((interruption.signal, "in a traced run of the command")));
        }
        recorded.log.map_err(traced::unwritten)?;
        if !recorded.status.success() && !runs.arguments.ignore_failure {
            let words = stdio.last_words().filter(|_| run > 0).map(|words| format!(": {words}"));
            return Err(Failure::of_trace(anyhow!(
                "run {} of the command failed ({}); to judge it all the same, use --ignore-failure{}",
                run + 1,
                recorded.status,
                words.unwrap_or_default()
            )));
        }
        readings.push(read(&log, Path::new(&words[0]), runs)?);
    }
    Ok(None)
}

/// Untraced runs, for budgets of wall or CPU time.
fn measure(command: &Command, stdio: &mut Stdio, runs: &Runs<'_>) -> Result<Untraced, Failure> {
    let options = untraced::Options {
        prepare: runs.arguments.prepare.clone(),
        ignore_failure: runs.arguments.ignore_failure,
        ..untraced::Options::default()
    };
    let outcome = untraced::measure(command, stdio, &options, &mut ());
    match outcome.ending {
        Ending::Enough | Ending::TimeUp { .. } => Ok(outcome.untraced),
        Ending::Interrupted { signal, .. } => Err(interrupted(signal, "in a run of the command")),
        ending => Err(Failure::of_trace(anyhow!("{ending}"))),
    }
}
