//! `trace replay --rerun -- CMD`: the wall time that projections start from, measured now.
//!
//! Nothing that a log says is ever executed: what runs is what stands on the command line.

use anyhow::anyhow;

use super::super::command;
use super::super::failure::{Failure, note};
use super::super::progress::RunsBar;
use super::Arguments;
use crate::capture::stdio::Stdio;
use crate::capture::untraced::{self, Cold, Ending, Options, Policy, RunError};
use crate::event::escape;
use crate::report::escape::command_line;

/// Wall times of untraced runs of the command, in nanoseconds, the first not counted where caches are warm. Its output
/// is not shown. `files` are those whose pages are dropped where not all caches may be.
pub fn walls(arguments: &Arguments, recorded: &[String], files: Vec<Vec<u8>>) -> Result<Vec<f64>, Failure> {
    let command = command::resolve_repeated(&arguments.command)?;
    tell_other(arguments, recorded);
    let drop_caches = || Cold::whole_system().unwrap_or_else(|refused| Cold::of_files(files, &refused));
    let cold = arguments.cold.then(drop_caches);
    let mut stdio = Stdio::new()?;
    let options = Options {
        policy: Policy { runs: arguments.runs.map(|runs| runs as usize + 1), ..Policy::default() },
        // No run is the first one, which would show its output amid the report.
        next: 1,
        cold,
        ..Options::default()
    };
    let mut bar = RunsBar::of("untraced runs");
    let outcome = untraced::measure(&command, &mut stdio, &options, &mut bar);
    bar.finish();
    match outcome.ending {
        Ending::Enough | Ending::TimeUp { .. } => {}
        Ending::Failed { status, .. } => {
            let words = stdio.last_words().map_or_else(String::new, |words| format!(": {words}"));
            return Err(anyhow!("--rerun: the command failed ({status}){words}").into());
        }
        Ending::Interrupted { signal, .. } => {
            let code = u8::try_from(signal).map_or(1, |signal| signal.saturating_add(128));
            let name = untraced::signal_name(signal);
            return Err(Failure::with_code(code, anyhow!("ended by {name} in a run of the command")));
        }
        Ending::Broken { error: RunError::Launch(error), .. } => {
            return Err(Failure::with_code(error.exit_code(), error));
        }
        Ending::Broken { ref error, .. } => return Err(anyhow!("--rerun: {error}").into()),
    }
    let runs = &outcome.untraced.runs;
    // The first fills the caches, unless each run empties them.
    let counted = if runs.len() > 1 && !arguments.cold { &runs[1..] } else { &runs[..] };
    Ok(counted.iter().map(|run| run.wall_ns as f64).collect())
}

/// That another command was recorded may be a mistake, and may be meant: the same program by another name.
fn tell_other(arguments: &Arguments, recorded: &[String]) {
    let typed: Vec<_> = arguments.command.iter().map(|word| escape::text(word.as_encoded_bytes())).collect();
    if !recorded.is_empty() && !typed.iter().eq(recorded.iter()) {
        let recorded = command_line(recorded);
        note(format_args!("the log is of another command line: {recorded}"));
    }
}
