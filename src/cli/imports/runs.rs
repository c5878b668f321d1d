//! The runs of `trace imports`.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::anyhow;

use super::super::command;
use super::super::failure::{Failure, interrupted};
use super::super::startup::untraced::{End, measure};
use super::super::traced;
use super::super::tracing::{CALIBRATION_CALLS, Job, trace_command};
use super::{Arguments, join};
use crate::capture::StackFrames;
use crate::capture::launch::{Command, Stream};
use crate::capture::select::{Tracer, Wanted};
use crate::capture::stdio::Stdio;
use crate::capture::temporary;
use crate::capture::untraced::{self, Policy};
use crate::log::Untraced;
use crate::syscall::decode::Style;

/// Asks Python, from 3.7 on, to write a line at the end of each import.
const VARIABLE: &str = "PYTHONPROFILEIMPORTTIME";
/// How often the command is traced for times; the shortest run counts.
const TRACED_RUNS: usize = 3;
/// Longest line about an import that is read: module names are as long as paths at most.
const LONGEST_LINE: usize = 4096;

/// Most that is read of what a run wrote to standard error.
const MOST_SAID: u64 = 64 << 20;

/// How it ended.
pub struct Ended {
    /// There is a log.
    pub made: bool,
    /// How to end.
    pub end: End,
}

/// A traced run.
pub struct Run {
    /// How the command ended.
    status: ExitStatus,
    /// How long it took.
    elapsed: Duration,
    log: File,
    /// What it wrote to standard error.
    said: File,
}

impl Run {
    /// A name of the log, as long as the run is kept: it has none of its own.
    pub fn log(&self) -> PathBuf {
        path(&self.log)
    }

    /// The last part of the name that calls of the run have for its standard error.
    pub fn said_name(&self) -> std::io::Result<Vec<u8>> {
        let name = std::fs::read_link(path(&self.said))?;
        let name = name.file_name().unwrap_or_default();
        Ok([b"/", name.as_encoded_bytes()].concat())
    }

    /// What the run wrote to standard error, the lines about imports among it; there may be nothing.
    pub fn said(&self) -> std::io::Result<Vec<u8>> {
        let length = self.said.metadata()?.len().min(MOST_SAID);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        let got = self.said.read_at(&mut bytes, 0)?;
        bytes.truncate(got);
        Ok(bytes)
    }
}

/// A command, traced again and again.
struct Runs<'a> {
    arguments: &'a Arguments,
    command: &'a Command,
    stdio: Stdio,
    untraced: Untraced,
}

/// Makes the runs and the log.
pub fn record(arguments: &Arguments, output: &Path) -> Result<Ended, Failure> {
    let command = command::resolve_repeated(&arguments.command)?;
    let mut stdio = Stdio::new().map_err(Failure::of_trace)?;
    let options = untraced::Options {
        policy: Policy { runs: arguments.runs.map(|runs| runs as usize), ..Policy::default() },
        ignore_failure: arguments.ignore_failure,
        ..untraced::Options::default()
    };
    let untraced = match measure(&command, &mut stdio, &options) {
        Ok(untraced) => untraced,
        Err(over) => return Ok(Ended { made: false, end: over.end }),
    };
    let asked = command.with_variable(VARIABLE, Some(OsStr::new("1"))).map_err(Failure::of_trace)?;
    let mut runs = Runs { arguments, command: &asked, stdio, untraced };
    let times = runs.shortest()?;
    let stacks = runs.with_stacks()?;
    join::join(&times, &stacks.log(), output)?;
    Ok(Ended { made: true, end: End::Status(stacks.status) })
}

/// A name under which this process can open a file that has none.
fn path(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

impl Runs<'_> {
    /// The log of the shortest of some runs by the backend that costs least.
    fn shortest(&mut self) -> Result<Run, Failure> {
        let mut tracer = ready(self.arguments.backend)?;
        let mut best = self.trace(&mut tracer, None)?;
        for _ in 1..TRACED_RUNS {
            let run = self.trace(&mut tracer, None)?;
            if run.elapsed < best.elapsed {
                best = run;
            }
        }
        Ok(best)
    }

    /// The log of a run under ptrace, with stacks and with what Python writes.
    fn with_stacks(&mut self) -> Result<Run, Failure> {
        let mut tracer = ready(Wanted::Ptrace)?;
        self.trace(&mut tracer, Some(StackFrames::Python))
    }

    fn trace(&mut self, tracer: &mut Tracer, stacks: Option<StackFrames>) -> Result<Run, Failure> {
        let log = temporary::file().map_err(Failure::of_trace)?;
        let mut streams = self.stdio.for_run(1).map_err(Failure::of_trace)?;
        // Several processes may write to it, each at its end.
        let said = temporary::file().map_err(Failure::of_trace)?;
        let end = OpenOptions::new().append(true).open(path(&said)).map_err(Failure::of_trace)?;
        if !matches!(streams.streams[2], Stream::Close) {
            streams.streams[2] = Stream::Fd(end.as_raw_fd());
        }
        let job = Job {
            command: self.command,
            words: &self.arguments.command,
            output: &path(&log),
            leader_only: false,
            lossless: false,
            keep: stacks.map(|_| Style { strings: LONGEST_LINE, ..Style::default() }),
            calibration_calls: CALIBRATION_CALLS,
            quiet: true,
            untraced: Some(self.untraced.clone()),
            ready: None,
            sample: None,
            stacks,
        };
        let recorded = trace_command(tracer, &job, streams.streams, || streams.launched());
        streams.finish();
        let recorded = recorded?;
        if let Some(interruption) = recorded.interruption {
            return Err(interrupted(interruption.signal, "in a traced run of the command"));
        }
        recorded.log.as_ref().map_err(|error| Failure::of_trace(anyhow!("{error}")))?;
        Ok(Run { status: recorded.status, elapsed: recorded.elapsed, log, said })
    }
}

fn ready(wanted: Wanted) -> Result<Tracer, Failure> {
    traced::ready(wanted)?.map_err(|signal| interrupted(signal, "before a traced run"))
}
