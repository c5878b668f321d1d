//! The traced runs of `trace startup`: several if the command is quick, of which the shortest is kept.
//!
//! The first one writes the log where it belongs. The others write to a file without a name, so that
//! nothing is left behind however `trace` ends, and that a full disk hurts none but themselves; the best of
//! them takes the log's place at the end.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::failure::{Failure, note};
use super::super::samples::Samples;
use super::super::tracing::{Job, Recorded, trace_command, tracer};
use super::Arguments;
use super::repeats::Runs;
use super::sampled::Sampled;
use super::untraced::{End, Over};
use crate::analysis::phases::Phases;
use crate::capture::StackFrames;
use crate::capture::launch::Command;
use crate::capture::ptrace::entry_point;
use crate::capture::select::Tracer;
use crate::capture::stdio::Stdio;
use crate::capture::temporary;
use crate::capture::untraced::{self, Cold, Ready};
use crate::log::Untraced;

/// Calls of the calibration: there is time for many.
const CALIBRATION_CALLS: u64 = 1000;
/// How often the command is traced, if it is quick.
const TRACED_RUNS: usize = 3;
/// A traced run that takes longer than this is not repeated.
const QUICK: Duration = Duration::from_secs(1);
/// The same, if it is very quick: more runs say how far they lie apart.
const VERY_QUICK_RUNS: usize = 7;
const VERY_QUICK: Duration = Duration::from_millis(200);

/// Any run but the first.
const REPEATED: usize = 1;

/// What is traced.
pub struct Plan<'a> {
    /// What the user wants.
    pub arguments: &'a Arguments,
    /// The command, resolved.
    pub command: &'a Command,
    /// The log.
    pub output: &'a Path,
    /// When a run is over, if not at the command's end.
    pub ready: Option<&'a Ready>,
    /// The runs made before.
    pub untraced: &'a Untraced,
    /// CPU samples that are to be taken, if any are.
    pub sample: Option<&'a Samples>,
    /// Frames of stacks that are to be taken of calls, if any are.
    pub stacks: Option<StackFrames>,
}

impl Plan<'_> {
    /// The backend that is wanted, ready to record. Untraced runs come before: while one is loaded, calls may be
    /// dearer. Inner `Err`: a signal asked for an end meanwhile.
    pub fn tracer(&self) -> Result<Result<Tracer, i32>, Failure> {
        let tracer = match untraced::to_its_end(|| tracer(self.arguments.backend, None)) {
            Ok(tracer) => tracer?,
            Err(signal) => return Ok(Err(signal)),
        };
        if tracer.name() == "ptrace" {
            entry_point::prepare();
        }
        Ok(Ok(tracer))
    }
}

/// What the traced runs came to.
pub struct Traced {
    /// The run whose log was kept.
    pub recorded: Recorded,
    /// The signal that ended the tracing before all runs were made.
    pub ended_by: Option<i32>,
    /// The phases of a cold run, if one was made.
    pub cold_phases: Option<Phases>,
    /// What the runs with CPU samples came to.
    pub sampled: Sampled,
    /// What was asked for and could not be done, though the log is there.
    pub failures: Vec<Failure>,
}

/// One traced run.
pub enum Run {
    /// It came to its end.
    Made(Recorded),
    /// Ended by a signal before the command had ended.
    Interrupted(i32),
}

/// Traces the command and keeps the log of the shortest run: the one in which the CPU was least given to
/// others, of which no log can tell.
pub fn trace_shortest(plan: &Plan<'_>, stdio: &mut Stdio) -> Result<Traced, Box<Over>> {
    let over = |reason, end| Box::new(Over { untraced: plan.untraced.clone(), reason, end });
    let at_first = |signal| {
        let reason = interrupted(signal, 0);
        note(&reason);
        over(reason, End::by_signal(signal))
    };
    let mut tracer = match plan.tracer() {
        Ok(Ok(tracer)) => tracer,
        Ok(Err(signal)) => return Err(at_first(signal)),
        Err(failure) => return Err(over(failure.text(), End::Failure(failure))),
    };
    let first = match trace_once(&mut tracer, plan, plan.output, stdio, None) {
        Ok(Run::Made(recorded)) => recorded,
        Ok(Run::Interrupted(signal)) => return Err(at_first(signal)),
        Err(failure) => return Err(over(failure.text(), End::Failure(failure))),
    };
    let mut ended_by = first.interruption.map(|interruption| interruption.signal);
    let mut best: Option<(Recorded, Candidate, usize)> = None;
    let mut runs = Runs::default();
    for run in 1..VERY_QUICK_RUNS {
        if ended_by.is_some() || !is_worth_repeating(&first, plan.output, run) {
            break;
        }
        if run == 1 && !runs.add(plan.output) {
            break;
        }
        // Without room for a second log the first one does.
        let Ok(candidate) = Candidate::new() else { break };
        match trace_once(&mut tracer, plan, &candidate.path(), stdio, None) {
            Ok(Run::Made(recorded)) if recorded.status == first.status => {
                ended_by = recorded.interruption.map(|interruption| interruption.signal);
                let shortest = best.as_ref().map_or(first.elapsed, |(best, ..)| best.elapsed);
                let is_whole = recorded.log.is_ok() && ended_by.is_none() && runs.add(&candidate.path());
                if recorded.elapsed < shortest && is_whole {
                    best = Some((recorded, candidate, runs.made() - 1));
                }
            }
            Ok(Run::Made(_)) => break,
            Ok(Run::Interrupted(signal)) => {
                note(format_args!("{}; the report is made of the runs before", interrupted(signal, run)));
                ended_by = Some(signal);
            }
            Err(failure) => {
                note(format_args!("traced run {} of the command: {}", run + 1, failure.text()));
                break;
            }
        }
    }
    let recorded = match best {
        Some((recorded, candidate, run)) if runs.store(run, &candidate.path(), plan.output).is_ok() => {
            recorded
        }
        None if runs.made() > 1 => {
            // Without them the log is whole, too.
            let _ = runs.store(0, plan.output, plan.output);
            first
        }
        _ => first,
    };
    let sampled = Sampled::without("a signal came before the runs that tell it".to_owned());
    Ok(Traced { recorded, ended_by, cold_phases: None, sampled, failures: Vec::new() })
}

/// Whether another run could give a better log. Only a plain file may be replaced by another; a link
/// stays what it is.
fn is_worth_repeating(first: &Recorded, output: &Path, runs: usize) -> bool {
    let replaceable = output.symlink_metadata().is_ok_and(|file| file.is_file());
    let longest = if runs < TRACED_RUNS { QUICK } else { VERY_QUICK };
    replaceable && first.elapsed <= longest && first.log.is_ok() && first.status.code().is_some()
}

pub fn interrupted(signal: i32, run: usize) -> String {
    let name = untraced::signal_name(signal);
    format!("ended by {name} in traced run {} of the command", run + 1)
}

/// Traces the command once, with a cold page cache if that is wanted.
pub fn trace_once(
    tracer: &mut Tracer,
    plan: &Plan<'_>,
    output: &Path,
    stdio: &mut Stdio,
    cold: Option<&Cold>,
) -> Result<Run, Failure> {
    let prepared = untraced::prepare_run(plan.arguments.prepare.as_deref());
    if let Some(signal) = prepared.map_err(Failure::of_trace)? {
        return Ok(Run::Interrupted(signal));
    }
    if let Some(cold) = cold {
        cold.empty().map_err(Failure::of_trace)?;
    }
    let mut streams = stdio.for_run(REPEATED).map_err(Failure::of_trace)?;
    let job = Job {
        command: plan.command,
        words: &plan.arguments.command,
        output,
        leader_only: plan.arguments.leader_only,
        lossless: false,
        keep: None,
        calibration_calls: CALIBRATION_CALLS,
        quiet: false,
        untraced: Some(plan.untraced.clone()),
        ready: plan.ready,
        sample: plan.sample,
        stacks: plan.stacks,
    };
    let recorded = trace_command(tracer, &job, streams.streams, || streams.launched());
    streams.finish();
    let recorded = recorded?;
    Ok(match recorded.interruption {
        Some(interruption) if !interruption.after_leader => Run::Interrupted(interruption.signal),
        _ => Run::Made(recorded),
    })
}

/// A log in a file without a name.
pub struct Candidate(File);

impl Candidate {
    /// An empty one.
    pub fn new() -> io::Result<Self> {
        temporary::file().map(Self)
    }

    /// A name under which this process can open it.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.0.as_raw_fd()))
    }
}
