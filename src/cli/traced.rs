//! Traced runs of a command into logs that nobody keeps: what `assert`, `compare` and `install` take counts from.

use std::ffi::OsString;
use std::path::Path;

use super::failure::Failure;
use super::tracing::{CALIBRATION_CALLS, Job, Recorded, trace_command, tracer};
use crate::capture::launch::Command;
use crate::capture::ptrace::entry_point;
use crate::capture::select::{Tracer, Wanted};
use crate::capture::stdio::Stdio;
use crate::capture::untraced;
use crate::log::Untraced;

/// A command, resolved, and as it was typed.
#[derive(Clone, Copy)]
pub struct Typed<'a> {
    pub command: &'a Command,
    pub words: &'a [OsString],
}

/// The backend that is wanted, ready to record. Inner `Err`: a signal asked for an end meanwhile.
pub fn ready(wanted: Wanted) -> Result<Result<Tracer, i32>, Failure> {
    let tracer = match untraced::to_its_end(|| tracer(wanted, None)) {
        Ok(tracer) => tracer?,
        Err(signal) => return Ok(Err(signal)),
    };
    if tracer.name() == "ptrace" {
        entry_point::prepare();
    }
    Ok(Ok(tracer))
}

/// Traces a command once, with the streams of that run (0: the first one, which has the real ones).
pub fn trace_once(
    tracer: &mut Tracer,
    typed: Typed<'_>,
    output: &Path,
    (stdio, run): (&mut Stdio, usize),
    untraced: Option<Untraced>,
) -> Result<Recorded, Failure> {
    let mut streams = stdio.for_run(run).map_err(Failure::of_trace)?;
    let job = Job {
        command: typed.command,
        words: typed.words,
        output,
        leader_only: false,
        lossless: false,
        calibration_calls: CALIBRATION_CALLS,
        ready: None,
        quiet: true,
        untraced: Some(untraced.unwrap_or_default()),
        sample: None,
        stacks: None,
        keep: None,
    };
    let recorded = trace_command(tracer, &job, streams.streams, || streams.launched());
    streams.finish();
    recorded
}
