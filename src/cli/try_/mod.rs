//! `trace try`: applies what the findings of a command suggest, where that can be done without changing
//! anything, and measures each remedy against the command as it is.
//!
//! Three untraced runs and a traced one give the findings (`try_findings`); one run of each remedy, and two of the
//! original, tell whether its output and exit status stay the same (`try_compare`); then all run in turn, in rounds
//! of random order, and after them those together that saved something (`try_measure`).

mod compare;
mod findings;
mod measure;
mod session;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Args;

use self::compare::candidates;
use self::findings::{Found, findings};
use self::measure::measure;
use self::session::Session;
use super::choice;
use super::command;
use super::failure::{Failure, by_signal, note};
use super::report_output::ReportOutput;
use crate::capture::BetweenRuns;
use crate::capture::select::{CHOICES, Wanted};
use crate::event::escape;
use crate::report::look::Look;
use crate::report::trial;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Make N rounds, in each of which the command and every remedy run once [default: at least 12, 1 s each]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = choice::runs)]
    pub(super) runs: Option<u32>,

    /// Run a shell command before each run, to put back what a run changes
    #[arg(long, value_name = "COMMAND")]
    pub(super) prepare: Option<String>,

    /// Try remedies of these kinds of findings only (see docs/findings.md)
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub(super) only: Vec<String>,

    /// How to trace: eBPF where it is permitted, or ptrace
    #[arg(long, value_name = "NAME", value_parser = choice::named(&CHOICES), default_value = "auto")]
    pub(super) backend: Wanted,

    /// Print the report as JSON; the command's own output goes to standard error
    #[arg(long)]
    json: bool,

    /// The command and its arguments
    #[arg(value_name = "CMD", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub(super) command: Vec<OsString>,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let kinds = crate::analysis::findings::KINDS.map(|kind| kind.name);
    if let Some(unknown) = arguments.only.iter().find(|only| !kinds.contains(&only.as_str())) {
        let text = format!("--only {unknown}: no such finding; there are {}", kinds.join(", "));
        return Err(Failure::of_trace(anyhow::anyhow!(text)));
    }
    let command = command::resolve_repeated(&arguments.command)?;
    let out = ReportOutput::new(arguments.json).map_err(Failure::of_trace)?;
    let between = BetweenRuns::keep();
    let scratch = tempfile::Builder::new().prefix("trace-try-").tempdir().map_err(Failure::of_trace)?;
    let mut session = Session::new(arguments, &command, scratch.path())?;
    let (report, writes, status) = match findings(&mut session)? {
        Found::Report { report, writes, status } => (report, writes, status),
        Found::Over(code) => return Ok(code),
    };
    let (candidates, not_tried) = candidates(&mut session, &report)?;
    let (mut trials, mut failure) = measure(&mut session, candidates, status)?;
    let undisturbed = failure.is_none() && trials.interrupted.is_none();
    if undisturbed && !trials.tried.is_empty() && !writes.is_empty() {
        // What it writes is left as the command itself writes it.
        failure = session.outcome(&command).err();
    }
    let late = between.end();
    trials.command = arguments.command.iter().map(|word| escape::text(word.as_encoded_bytes())).collect();
    trials.writes = writes;
    trials.not_tried = not_tried;
    let shown = out.show(&trials, |out| trial::write(out, &trials, Look::of_stdout()));
    shown.map_err(Failure::of_trace)?;
    if let Some(failure) = failure {
        return Err(failure);
    }
    if let Some(interruption) = &trials.interrupted {
        note(format_args!("ended by {} in round {}", interruption.signal, interruption.round));
        return Ok(by_signal(interruption.number));
    }
    Ok(late.map_or(ExitCode::SUCCESS, by_signal))
}
