//! The untraced runs of a command that is traced afterwards, and what ends the work before that.

use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};

use super::super::failure::{Failure, note};
use super::super::progress::RunsBar;
use crate::capture::launch::{self, Command};
use crate::capture::stdio::Stdio;
use crate::capture::untraced::{self, Ending, Options, RunError};
use crate::log::Untraced;

/// An end before anything is traced, or after nothing useful was.
pub struct Over {
    /// What was measured until then.
    pub untraced: Untraced,
    /// Why there is no more, as a sentence without a full stop.
    pub reason: String,
    /// How to end.
    pub end: End,
}

/// How `trace` ends.
pub enum End {
    /// As a process that ended like this.
    Status(ExitStatus),
    /// By a failure of its own, which is still to be told.
    Failure(Failure),
}

impl End {
    /// By a signal.
    pub fn by_signal(signal: i32) -> Self {
        Self::Status(ExitStatus::from_raw(signal))
    }

    /// Ends like this: returns what to exit with, or does not return where a signal is the end.
    pub fn finish(self) -> Result<ExitCode, Failure> {
        match self {
            Self::Status(status) => Ok(ExitCode::from(launch::pass_on(status))),
            Self::Failure(failure) => Err(failure),
        }
    }
}

/// Makes the untraced runs.
pub fn measure(command: &Command, stdio: &mut Stdio, options: &Options) -> Result<Untraced, Box<Over>> {
    let mut bar = RunsBar::new();
    let outcome = untraced::measure(command, stdio, options, &mut bar);
    bar.finish();
    let reason = outcome.ending.to_string();
    let end = match outcome.ending {
        Ending::Enough => return Ok(outcome.untraced),
        Ending::TimeUp { .. } => {
            note(reason);
            return Ok(outcome.untraced);
        }
        Ending::Failed { run, status } => {
            note(&reason);
            tell_last_words(run, stdio);
            End::Status(if run == 0 { status } else { ExitStatus::from_raw(125 << 8) })
        }
        Ending::Interrupted { signal, .. } => {
            note(&reason);
            End::by_signal(signal)
        }
        Ending::Broken { error: RunError::Launch(error), .. } => {
            End::Failure(Failure::with_code(error.exit_code(), error))
        }
        Ending::Broken { .. } => End::Failure(Failure::of_trace(anyhow::anyhow!("{reason}"))),
    };
    Err(Box::new(Over { untraced: outcome.untraced, reason, end }))
}

/// What a run after the first one wrote to its standard error, which nobody has seen.
fn tell_last_words(run: usize, stdio: &mut Stdio) {
    let Some(words) = stdio.last_words().filter(|_| run > 0) else { return };
    note("the end of what that run wrote to standard error:");
    anstream::eprintln!("{words}");
}
