//! The traced runs of `trace compare`, which tell what commands do.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use super::super::failure::Failure;
use super::super::progress::RunsBar;
use super::super::traced::{self, Typed};
use super::Arguments;
use super::files;
use super::runs::{Early, Outcome, Running, ended_by, of_side, profile, told};
use crate::capture::select::Tracer;
use crate::capture::stdio::Stdio;
use crate::capture::temporary;
use crate::capture::untraced::{self, Guarded, Progress, Trouble};

/// Traces all commands in turn, as often as asked for. What ended that early, if anything did.
pub fn trace(
    arguments: &Arguments,
    running: &[Running<'_>],
    outcome: &mut Outcome,
    stdio: &mut Stdio,
) -> Result<Option<Early>, Failure> {
    let mut tracer = match traced::ready(arguments.backend)? {
        Ok(tracer) => tracer,
        Err(signal) => return Ok(Some(ended_by(signal))),
    };
    let mut bar = RunsBar::now("traced runs");
    let all = running.len() * arguments.traced as usize;
    for run in 0..all {
        let one = &running[run % running.len()];
        if let Some(early) = trace_side(arguments, (one, run / running.len()), &mut tracer, outcome, stdio)? {
            return Ok(Some(early));
        }
        bar.finished(run, (run + 1) as f64 / all as f64);
    }
    bar.finish();
    Ok(None)
}

/// One traced run of one side, prepared and concluded, and its profile.
fn trace_side(
    arguments: &Arguments,
    (one, round): (&Running<'_>, usize),
    tracer: &mut Tracer,
    outcome: &mut Outcome,
    stdio: &mut Stdio,
) -> Result<Option<Early>, Failure> {
    let prepare = of_side(&arguments.prepare, one.at).map(String::as_str);
    if let Some(signal) = untraced::prepare_run(prepare).map_err(Failure::of_trace)? {
        return Ok(Some(ended_by(signal)));
    }
    let kept = arguments.output.as_ref().filter(|_| round == 0);
    let kept = kept.map(|directory| files::log_of(directory, one.at));
    let file = temporary::file().map_err(Failure::of_trace)?;
    let log = kept.clone().unwrap_or_else(|| unnamed(&file));
    let typed = Typed { command: &one.command, words: one.words };
    let run = || traced::trace_once(tracer, typed, &log, (stdio, 1), None);
    let (recorded, guarded) = untraced::guarded(arguments.timeout, run);
    if guarded == Guarded::Late {
        let name = format!("{} (traced)", outcome.samples[one.at].name);
        return Ok(Some(told(&name, Trouble::TimedOut, stdio)));
    }
    let recorded = recorded?;
    if let Some(interruption) = recorded.interruption {
        return Ok(Some(ended_by(interruption.signal)));
    }
    let is_kept = kept.is_some();
    recorded
        .log
        .map_err(|error| if is_kept { Failure::of_trace(error) } else { traced::unwritten(error) })?;
    let sample = &mut outcome.samples[one.at];
    if !recorded.status.success() && !arguments.ignore_failure {
        return Ok(Some(told(&sample.name, Trouble::Failed(recorded.status), stdio)));
    }
    match untraced::to_its_end(|| profile(&log, &arguments.place)) {
        Ok(read) => sample.profiles.push(read?.0),
        Err(signal) => return Ok(Some(ended_by(signal))),
    }
    if kept.is_some() {
        outcome.logs[one.at] = kept;
    } else if round == 0 && arguments.replay.is_some() {
        outcome.logs[one.at] = Some(log);
        outcome.held.push(file);
    }
    let conclude = of_side(&arguments.conclude, one.at).map(String::as_str);
    let concluded = untraced::run_option("--conclude", conclude).map_err(Failure::of_trace)?;
    Ok(concluded.map(ended_by))
}

/// A name under which this process can open a file that has none.
fn unnamed(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}
