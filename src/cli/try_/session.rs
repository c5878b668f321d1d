//! The single runs of `trace try`: prepared, and either traced or with their output kept.

use std::path::Path;
use std::time::Duration;

use super::super::failure::{Failure, interrupted};
use super::super::tracing::{CALIBRATION_CALLS, Job, trace_command, tracer};
use super::Arguments;
use crate::capture::launch::Command;
use crate::capture::ptrace::entry_point;
use crate::capture::stdio::Stdio;
use crate::capture::untraced::{self, Output, RunError};
use crate::log::Untraced;

/// What all runs of a trial share.
pub struct Session<'a> {
    pub arguments: &'a Arguments,
    pub command: &'a Command,
    /// A directory of ours that lives as long as the trial.
    pub scratch: &'a Path,
    pub stdio: Stdio,
    /// Runs made so far: the first one has the real streams.
    pub runs: usize,
}

impl<'a> Session<'a> {
    pub fn new(arguments: &'a Arguments, command: &'a Command, scratch: &'a Path) -> Result<Self, Failure> {
        Ok(Self { arguments, command, scratch, stdio: Stdio::new().map_err(Failure::of_trace)?, runs: 0 })
    }

    /// Runs the preparing command; a signal that comes meanwhile ends all.
    fn prepare(&self) -> Result<(), Failure> {
        let prepared = untraced::prepare_run(self.arguments.prepare.as_deref()).map_err(Failure::of_trace)?;
        let when = if self.arguments.prepare.is_some() { "in --prepare" } else { "between two runs" };
        prepared.map_or(Ok(()), |signal| Err(interrupted(signal, when)))
    }

    /// Traces the command; how long it took.
    pub fn trace(&mut self, log: &Path, untraced: Untraced) -> Result<Duration, Failure> {
        let mut tracer = tracer(self.arguments.backend, None)?;
        if tracer.name() == "ptrace" {
            entry_point::prepare();
        }
        self.prepare()?;
        let mut streams = self.stdio.for_run(self.runs).map_err(Failure::of_trace)?;
        self.runs += 1;
        let job = Job {
            command: self.command,
            words: &self.arguments.command,
            output: log,
            leader_only: false,
            lossless: false,
            keep: None,
            calibration_calls: CALIBRATION_CALLS,
            ready: None,
            sample: None,
            stacks: None,
            quiet: false,
            untraced: Some(untraced),
        };
        let recorded = trace_command(&mut tracer, &job, streams.streams, || streams.launched())?;
        streams.finish();
        if let Some(interruption) = recorded.interruption {
            return Err(interrupted(interruption.signal, "in a traced run of the command"));
        }
        recorded.log.map_err(Failure::of_trace)?;
        Ok(recorded.elapsed)
    }

    /// Runs a command, its output kept apart.
    pub fn outcome(&mut self, command: &Command) -> Result<Output, Failure> {
        self.prepare()?;
        let run = self.runs;
        self.runs += 1;
        untraced::outcome(command, &mut self.stdio, run).map_err(|error| match error {
            RunError::Signal(signal) => interrupted(signal, "in a run of the command"),
            error => Failure::of_trace(error),
        })
    }
}
