//! `trace replay --writes`: a replay in a scratch tree.
//!
//! It is made by a process that is confined to that tree, so what is to be shown and written comes from there as bytes, and
//! is shown and written here (`replay::show`).

use std::path::Path;
use std::process::ExitCode;
use std::sync::PoisonError;

use anyhow::{Context, anyhow};
use trace_replay::{Cache, Options, Outcome, Plan, Progress, ReplayError, Scratch};

use super::super::failure::{Failure, by_signal, note};
use super::super::progress::RunsBar;
use super::stop::Stop;
use super::{Arguments, Shown, show};
use crate::analysis::replay::{Known, Replay};
use crate::capture::untraced::{Progress as _, signal_name};
use crate::report::look::Look;

/// Replays a plan in a scratch tree.
pub fn replay(
    arguments: &Arguments,
    plan: Plan,
    options: &Options,
    known: Known,
    stop: Stop,
) -> Result<ExitCode, Failure> {
    check(arguments, options)?;
    let directory = arguments.scratch.clone();
    let scratch = Scratch { directory, stop: Some(stop.descriptor()?), ..Scratch::default() };
    let look = Look::of_stdout();
    let told = |outcome: &Outcome| {
        let replay = Replay::of(outcome, known);
        let shown = Shown::of(arguments, &replay, outcome, look);
        // Numbers and bytes can always be written so; were it not so, what is read from nothing below says it.
        serde_json::to_vec(&shown).unwrap_or_default()
    };
    let mut bar = RunsBar::now("replaying");
    let mut signal = None;
    let progress = |progress| match progress {
        Progress::Making { done, of } | Progress::Measuring { done, of } => {
            bar.finished(done, done as f64 / of.max(1) as f64);
        }
        Progress::Rehearsing => {}
        Progress::Stopping => {
            bar.finish();
            signal = stop.received();
            let name = signal.map_or("a signal", signal_name);
            note(format_args!("the replay was interrupted ({name}); its scratch tree is being removed"));
        }
        Progress::Left(directory) => tell_left(&directory),
    };
    let shown = trace_replay::replay_in_scratch(plan, options, &scratch, progress, told);
    bar.finish();
    if let Err(ReplayError::Stopped) = shown {
        return Ok(by_signal(signal.unwrap_or(libc::SIGINT)));
    }
    let writing = stop.end_at_once(bar)?;
    let shown = shown.with_context(|| arguments.log.display().to_string())?;
    let shown: Shown =
        serde_json::from_slice(&shown).context("the confined process gave no result that can be read")?;
    let _to_its_end = writing.lock().unwrap_or_else(PoisonError::into_inner);
    show(arguments, shown)
}

/// A scratch tree is still there.
pub(in crate::cli) fn tell_left(directory: &Path) {
    note(format_args!(
        "a scratch tree could not be removed, and is left behind: {} (is a file in it immutable, or something mounted there?)",
        directory.display()
    ));
}

fn check(arguments: &Arguments, options: &Options) -> Result<(), Failure> {
    let wrong = |text: String| Err(Failure::with_code(2, anyhow!(text)));
    if let Some(directory) = &arguments.scratch {
        let is_directory =
            directory.metadata().with_context(|| format!("--scratch {}", directory.display()))?.is_dir();
        if !is_directory {
            return wrong(format!("--scratch {} is no directory", directory.display()));
        }
    }
    if options.cache == Cache::ColdPages {
        return wrong("--cold with --writes needs root, which can empty all caches".to_owned());
    }
    Ok(())
}
