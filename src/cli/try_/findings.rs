//! The findings of a command that `trace try` is given, and which files it writes.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use super::super::failure::{Failure, by_signal, note};
use super::super::progress::RunsBar;
use super::session::Session;
use crate::analysis::startup::{Report, Startup};
use crate::analysis::text::Text;
use crate::analysis::written::Written;
use crate::capture::launch;
use crate::capture::ptrace::entry_point;
use crate::capture::untraced::{self, Ending, Policy, RunError};
use crate::log::{self, Untraced};

/// Counted untraced runs before the traced one.
const RUNS: usize = 3;
/// How often the command is traced, if it is quick.
const TRACED_RUNS: usize = 3;
/// A traced run that takes longer than this is not repeated.
const QUICK: Duration = Duration::from_secs(1);

/// What came of the first runs.
pub enum Found {
    /// All went well.
    Report {
        /// The command's findings are in here.
        report: Box<Report>,
        /// Files that it writes.
        writes: Vec<Text>,
        /// How it ends.
        status: ExitStatus,
    },
    /// The command failed or was interrupted.
    Over(ExitCode),
}

/// Makes the untraced runs and the traced ones.
pub fn findings(session: &mut Session<'_>) -> Result<Found, Failure> {
    entry_point::prepare_in_background();
    let options = untraced::Options {
        policy: Policy { runs: Some(RUNS), ..Policy::default() },
        prepare: session.arguments.prepare.clone(),
        ..untraced::Options::default()
    };
    let mut bar = RunsBar::new();
    let outcome = untraced::measure(session.command, &mut session.stdio, &options, &mut bar);
    bar.finish();
    session.runs = RUNS + 1;
    let status = match (outcome.ending, outcome.status) {
        (Ending::Enough | Ending::TimeUp { .. }, Some(status)) => status,
        (Ending::Broken { error: RunError::Launch(error), .. }, _) => {
            return Err(Failure::with_code(error.exit_code(), error));
        }
        (ending @ Ending::Interrupted { signal, .. }, _) => {
            note(format_args!("{ending}, before a remedy was measured"));
            return Ok(Found::Over(by_signal(signal)));
        }
        (ending, status) => {
            note(&ending);
            let code = status.map_or(125, |status| launch::pass_on(status).max(1));
            return Ok(Found::Over(ExitCode::from(code)));
        }
    };
    let log = trace_shortest(session, &outcome.untraced)?;
    let mut reader = log::Reader::open(&log).map_err(Failure::of_trace)?;
    let mut startup = Startup::new(reader.header());
    let mut written = Written::default();
    reader
        .for_each(|event| {
            startup.add(event);
            written.add(event);
        })
        .map_err(Failure::of_trace)?;
    let writes = written.finish().into_iter().filter(|path| is_left(path, session.scratch)).collect();
    Ok(Found::Report { report: Box::new(startup.finish().0), writes, status })
}

/// A file that is still there after the run: one that is made and removed again leaves nothing to compare. Files
/// of devices and of the kernel are none.
fn is_left(path: &Text, scratch: &Path) -> bool {
    let path = Path::new(OsStr::from_bytes(path.bytes()));
    let kernel = ["/dev", "/proc", "/sys"].map(Path::new);
    let ours = kernel.into_iter().chain([scratch]).any(|root| path.starts_with(root));
    !ours && path.is_file()
}

/// The log of the shortest traced run, in which the CPU was least given to others.
fn trace_shortest(session: &mut Session<'_>, untraced: &Untraced) -> Result<PathBuf, Failure> {
    let mut best: Option<(Duration, PathBuf)> = None;
    for run in 0..TRACED_RUNS {
        let log = session.scratch.join(format!("{run}.trace"));
        let took = session.trace(&log, untraced.clone())?;
        if best.as_ref().is_none_or(|(shortest, _)| took < *shortest) {
            best = Some((took, log));
        }
        if took > QUICK {
            break;
        }
    }
    best.map(|(_, log)| log).ok_or_else(|| Failure::of_trace(anyhow::anyhow!("no run was traced")))
}
