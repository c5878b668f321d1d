//! `trace startup --stacks`: a stack on every call about files, of a run of its own.
//!
//! A stack is taken while the thread stands still under ptrace, which takes longer than the call does. So the log keeps the
//! times of the run without stacks, and its calls get the stacks of their counterparts.

use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::super::failure::{Failure, note};
use super::super::joined::{self, Stacked, Told};
use super::super::tracing::tracer;
use super::traced::{Candidate, Plan, Run, trace_once};
use crate::analysis::flame::{Drawing, Flame};
use crate::analysis::fold::{By, Metric};
use crate::capture::StackFrames;
use crate::capture::ptrace::entry_point;
use crate::capture::select::Wanted;
use crate::capture::stdio::Stdio;
use crate::capture::untraced;
use crate::log;

/// Makes the run and puts its stacks into the log; where that fails, the log is as it was. `Some`: a signal asked for an
/// end, which has been told of.
pub fn add(plan: &Plan<'_>, stdio: &mut Stdio, frames: StackFrames) -> Result<Option<i32>, Failure> {
    let ended_by = take(plan, stdio, frames)
        .map_err(|failure| Failure::of_trace(anyhow!("no stacks of calls: {}", failure.text())))?;
    if let Some(signal) = ended_by {
        let name = untraced::signal_name(signal);
        note(format_args!("ended by {name} in the run with stacks; the log has none"));
    }
    Ok(ended_by)
}

/// `Some`: a signal asked for an end.
fn take(plan: &Plan<'_>, stdio: &mut Stdio, frames: StackFrames) -> Result<Option<i32>, Failure> {
    let output = replaceable(plan.output)?;
    let candidate = Candidate::new().map_err(Failure::of_trace)?;
    let mut tracer = tracer(Wanted::Ptrace, None)?;
    entry_point::prepare();
    let plan = Plan { stacks: Some(frames), ..*plan };
    let recorded = match trace_once(&mut tracer, &plan, &candidate.path(), stdio, None)? {
        Run::Interrupted(signal) => return Ok(Some(signal)),
        Run::Made(recorded) => recorded,
    };
    recorded.log?;
    recorded.warnings.iter().for_each(note);
    join(&candidate.path(), frames, &output)?;
    Ok(recorded.interruption.map(|interruption| interruption.signal))
}

/// Puts the stacks of one log into another, in its place.
fn join(stacked: &Path, frames: StackFrames, output: &Path) -> Result<(), Failure> {
    let told = Told::of(stacked)?;
    let directory = output.parent().filter(|parent| !parent.as_os_str().is_empty());
    let place = directory.unwrap_or(Path::new("."));
    let named =
        |error: std::io::Error| Failure::of_trace(anyhow!("cannot write to {}: {error}", place.display()));
    let copy = tempfile::NamedTempFile::new_in(place).map_err(named)?;
    joined::join(output, &Stacked { log: stacked, told: &told, frames }, copy.path(), |_, _, _| {})?;
    copy.persist(output).map_err(|error| named(error.error))?;
    Ok(())
}

/// The file that the log is in: where that is no plain file, what was written is gone or somebody else's.
fn replaceable(output: &Path) -> Result<PathBuf, Failure> {
    let path = output.canonicalize().ok().filter(|path| path.is_file());
    path.ok_or_else(|| {
        Failure::of_trace(anyhow!("{} is no plain file, so they cannot be put into it", output.display()))
    })
}

/// The flame graph of a log by its stacks; `None`: no call has one.
pub fn drawing(log: &Path) -> Result<Option<Drawing>, log::Error> {
    let mut reader = log::Reader::open(log)?;
    let mut flame = Flame::new(reader.header(), By::Stack);
    reader.for_each(|event| flame.add(event, true))?;
    Ok((flame.calls_with_stack() > 0).then(|| flame.finish(Metric::Time)))
}
