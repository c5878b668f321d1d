//! `trace record`: a command runs, and every system call goes to a log.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::failure::{Failure, note, refuse_option};
use super::names::log_name;
use super::tracing::{Backend, CALIBRATION_CALLS, Job, Recorded, trace_command};
use crate::capture::launch::{self, Command, Stream};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Write the log to FILE [default: named after the command, in the current directory]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// End the recording with the command's first process; others go on untraced
    #[arg(long)]
    leader_only: bool,

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
    #[arg(value_name = "CMD", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

pub fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    refuse_option(&arguments.command)?;
    let command = Command::resolve(arguments.command.iter().cloned())
        .map_err(|error| Failure::with_code(error.exit_code(), error))?;
    let output = arguments.output.unwrap_or_else(|| log_name(&arguments.command));
    let job = Job {
        command: &command,
        words: &arguments.command,
        output: &output,
        leader_only: arguments.leader_only,
        calibration_calls: CALIBRATION_CALLS,
        untraced: None,
        backend: arguments.backend,
    };
    let recorded = trace_command(&job, [0, 1, 2].map(own_stream), || ())?;
    if !arguments.quiet {
        tell(&recorded, &output);
    }
    Ok(ExitCode::from(launch::pass_on(recorded.status)))
}

/// The command has the descriptor that we were started with, or none if we had none.
fn own_stream(fd: i32) -> Stream {
    if launch::was_closed_at_start(fd) { Stream::Close } else { Stream::Inherit }
}

fn tell(recorded: &Recorded, output: &std::path::Path) {
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
