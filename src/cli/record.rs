//! `trace record`: a command runs, and every system call goes to a log.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use clap::Args;

use super::attaching::{attach, parse_duration};
use super::choice::pid;
use super::command;
use super::failure::{Failure, note};
use super::names::{self, default_log};
use super::tracing::{Backend, CALIBRATION_CALLS, Job, Recorded, trace_command};
use crate::capture::host;
use crate::capture::launch::{self, Stream};
use crate::log;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Write the log to FILE [default: named after the command, in the current directory]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// End the recording with the command's first process; others go on untraced
    #[arg(long)]
    leader_only: bool,

    /// Attach to these processes, their threads and later children, instead of starting a command; Ctrl-C ends
    /// the recording, and they go on
    #[arg(short, long = "pid", value_name = "PID", value_delimiter = ',', allow_negative_numbers = true, value_parser = pid, conflicts_with_all = ["command", "leader_only"])]
    pids: Vec<i32>,

    /// With -p: end the recording after this time, as in 10s
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = parse_duration)]
    duration: Option<Duration>,

    /// Accepted because strace needs it: children are always followed
    #[arg(short = 'f', hide = true)]
    follow: bool,

    /// How to record: eBPF costs next to nothing and needs privilege, ptrace works everywhere
    #[arg(long, value_name = "NAME", value_enum, default_value_t = Backend::Ptrace)]
    backend: Backend,

    /// Say nothing at the end
    #[arg(short, long)]
    quiet: bool,

    /// The command and its arguments
    #[arg(
        value_name = "CMD",
        required_unless_present = "pids",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    command: Vec<OsString>,
}

pub fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    if !arguments.pids.is_empty() {
        host::check_limits(host::RECORDING_FILES).map_err(Failure::of_trace)?;
        return attach_to(&arguments);
    }
    if arguments.duration.is_some() {
        // `requires` of clap does not hold where the option required conflicts with one that is there.
        return Err(Failure::of_trace(anyhow::anyhow!(
            "--duration needs -p; to end a command, timeout(1) does"
        )));
    }
    let command = command::resolve(&arguments.command, host::RECORDING_FILES)?;
    let output = arguments.output.map_or_else(|| default_log(&arguments.command), Ok)?;
    names::refuse_stream_as_log(&output).map_err(Failure::of_trace)?;
    let job = Job {
        command: &command,
        words: &arguments.command,
        output: &output,
        leader_only: arguments.leader_only,
        calibration_calls: CALIBRATION_CALLS,
        quiet: arguments.quiet,
        untraced: None,
        backend: arguments.backend,
        ready: None,
    };
    let recorded = trace_command(&job, [0, 1, 2].map(own_stream), || ())?;
    refuse_nothing(&recorded, Some(recorded.status))?;
    if !arguments.quiet {
        tell(&recorded, &output);
    }
    Ok(ExitCode::from(launch::pass_on(recorded.status)))
}

fn attach_to(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let say = |output: &Path| {
        if !arguments.quiet && arguments.duration.is_none() && std::io::stderr().is_terminal() {
            note(format_args!("recording to {}; Ctrl-C ends it", output.display()));
        }
    };
    let (recorded, output) = attach(&arguments.pids, arguments.output.as_deref(), arguments.duration, say)?;
    refuse_nothing(&recorded, None)?;
    if !arguments.quiet {
        tell(&recorded, &output);
    }
    Ok(ExitCode::SUCCESS)
}

/// A recording of which nothing could be written, not even how much is missing, has failed, whatever the command has
/// done.
fn refuse_nothing(recorded: &Recorded, status: Option<ExitStatus>) -> Result<(), Failure> {
    match &recorded.log {
        Err(error @ log::Error::Write { path, written: 0, .. }) if log::Reader::open(path).is_err() => {
            let ran = status.map(|status| format!("; the command has run ({status})")).unwrap_or_default();
            Err(Failure::of_trace(anyhow::anyhow!("nothing was recorded: {error}{ran}")))
        }
        _ => Ok(()),
    }
}

/// The command has the descriptor that we were started with, or none if we had none.
pub(super) fn own_stream(fd: i32) -> Stream {
    if launch::was_closed_at_start(fd) { Stream::Close } else { Stream::Inherit }
}

fn tell(recorded: &Recorded, output: &Path) {
    for warning in &recorded.warnings {
        note(warning);
    }
    match &recorded.log {
        Ok(summary) => note(format_args!(
            "{} events of {} in {} ({} bytes)",
            summary.events,
            counted(recorded.threads, "thread"),
            output.display(),
            summary.bytes
        )),
        Err(error) => note(format_args!("the log is incomplete: {error}")),
    }
}

fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
