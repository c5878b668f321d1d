//! `trace compare`: two or more commands or logs beside each other.
//!
//! Commands run untraced in rounds of random order, which tell times, then traced, which tell what they do
//! (`runs`, `traced_runs`); logs tell what they hold. What is made of both is `analysis::compare`.
//!
//! Exit codes: 0 compared, whatever came of it; 2 a wrong command line; 125 `trace` itself failed, or a command did;
//! 128 and the signal's number where one asked for an end (what was measured until then is shown).

mod files;
mod replays;
mod runs;
mod traced_runs;

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;

use super::attaching::parse_duration;
use super::choice;
use super::failure::by_signal;
use super::failure::{Failure, note};
use super::input;
use super::output::{WRITING, check_stdout};
use super::sides::{Side, side};
use crate::analysis::compare;
use crate::capture::BetweenRuns;
use crate::capture::select::{CHOICES, Wanted};
use crate::report::look::Look;
use crate::report::{compare as report, json};

/// Most sides: each has a letter.
const MOST_SIDES: usize = report::LETTERS.len();

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Arguments {
    /// Make N counted rounds, in each of which every command runs once [default: at least 12, 1 s each]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = choice::runs)]
    pub(super) runs: Option<u32>,

    /// Make N rounds before those that are counted
    #[arg(long, value_name = "N", default_value = "1")]
    pub(super) warmup: usize,

    /// Trace each command N times; below 4, counts cannot be told from chance
    #[arg(long, value_name = "N", default_value = "5", allow_negative_numbers = true, value_parser = choice::runs)]
    pub(super) traced: u32,

    /// Run a shell command before each run; given several times, once for each side
    #[arg(long, value_name = "COMMAND")]
    pub(super) prepare: Vec<String>,

    /// Run a shell command after each run; likewise
    #[arg(long, value_name = "COMMAND")]
    pub(super) conclude: Vec<String>,

    /// Run a shell command after all runs; likewise
    #[arg(long, value_name = "COMMAND")]
    pub(super) cleanup: Vec<String>,

    /// Name a side in the report; likewise
    #[arg(short = 'n', long = "name", value_name = "NAME")]
    name: Vec<String>,

    /// Empty the page cache before each untraced run (needs root)
    #[arg(long)]
    pub(super) cold: bool,

    /// Give up on a run that takes longer, untraced or traced (10s, 2m)
    #[arg(long, value_name = "TIME", value_parser = some_time)]
    pub(super) timeout: Option<Duration>,

    /// Count runs that fail
    #[arg(short, long)]
    pub(super) ignore_failure: bool,

    /// How to trace: eBPF where it is permitted, or ptrace
    #[arg(long, value_name = "NAME", value_parser = choice::named(&CHOICES), default_value = "auto")]
    pub(super) backend: Wanted,

    /// Keep a log of each side, and flame graphs of the differences, in DIR
    #[arg(short, long, value_name = "DIR")]
    pub(super) output: Option<PathBuf>,

    #[arg(long, help = "Replay a log of each side: what io_uring, threads and fewer calls would do for it; calls that \
                        read, or with =writes all of them in a scratch tree (10 s a side)", value_name = "WHICH", num_args = 0..=1, require_equals = true, default_missing_value = "reads")]
    pub(super) replay: Option<replays::Which>,

    /// Show every row of every table
    #[arg(long)]
    all: bool,

    /// Print the comparison as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    pub(super) place: input::Place,

    /// Logs (ours or strace's text), directories of logs, or quoted commands; the first is what others are compared with
    #[arg(value_name = "LOG|CMD", required = true, num_args = 2..)]
    sides: Vec<OsString>,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let sides = sides(arguments)?;
    check_stdout().map_err(Failure::of_trace)?;
    let names = names(arguments);
    if let Some(directory) = &arguments.output {
        files::make_directory(directory)?;
    }
    let mut outcome = runs::samples(arguments, &sides, names)?;
    let between = outcome.between.take();
    let mut compared = compare::compare(&outcome.samples, outcome.paired);
    // What was measured until something went wrong is shown, if it is only times of one and counts of another.
    let some = compared.sides.iter().filter(|side| side.runs + side.traced > 0).count() > 1;
    let enough = compared.is_one() || some && outcome.trouble.is_some();
    if !enough && outcome.trouble.is_none() {
        return Err(Failure::of_trace(anyhow!("nothing to compare: {}", nothing(&compared))));
    }
    if let (Some(which), true, None) = (arguments.replay, enough, &outcome.trouble) {
        compared.replays = replays::of_sides(which, &mut outcome, &arguments.place);
    }
    if enough {
        show(arguments, &compared).context(WRITING).map_err(Failure::of_trace)?;
    }
    if let (Some(directory), true) = (&arguments.output, enough) {
        files::flame_graphs(directory, &outcome.logs, &arguments.place)?;
    }
    let late = between.and_then(BetweenRuns::end);
    match outcome.trouble.take() {
        None => Ok(late.map_or(ExitCode::SUCCESS, by_signal)),
        Some((text, signal)) => {
            note(text);
            Ok(signal.map_or(ExitCode::from(125), by_signal))
        }
    }
}

/// Why there is nothing to compare.
fn nothing(compared: &compare::Comparison) -> String {
    let empty =
        compared.sides.iter().enumerate().filter(|(_, side)| side.without_calls > 0 && side.traced == 0);
    let empty = empty.map(|(at, side)| {
        let why = match (side.lost_events, side.complete) {
            (0, false) => ": it was cut short before the first".to_owned(),
            (0, true) => String::new(),
            (lost, _) => format!(": {lost} events are missing from it"),
        };
        format!("the log of {} ({}) has no calls{why}", report::LETTERS[at], side.name)
    });
    let empty: Vec<String> = empty.collect();
    if empty.is_empty() {
        "of one there are only times, and of another only calls".to_owned()
    } else {
        empty.join("; ")
    }
}

/// A time that is some.
fn some_time(text: &str) -> Result<Duration, String> {
    let time = parse_duration(text)?;
    if time.is_zero() {
        Err("every run takes longer; leave it out for no limit".to_owned())
    } else {
        Ok(time)
    }
}

/// What is to be compared, and that the options are enough for it.
fn sides(arguments: &Arguments) -> Result<Vec<Side>, Failure> {
    let count = arguments.sides.len();
    let wrong = |text: String| Err(Failure::with_code(2, anyhow!(text)));
    if count > MOST_SIDES {
        return wrong(format!("at most {MOST_SIDES} sides can be compared"));
    }
    for (option, values) in [
        ("--prepare", &arguments.prepare),
        ("--conclude", &arguments.conclude),
        ("--cleanup", &arguments.cleanup),
    ] {
        if !matches!(values.len(), 0 | 1) && values.len() != count {
            return wrong(format!("{option} is for all sides (given once) or for each ({count} times)"));
        }
    }
    if arguments.name.len() > count {
        return wrong(format!("there are more names than sides ({count})"));
    }
    let inputs = arguments.sides.iter().filter(|side| *side == "-").count();
    if inputs > 1 {
        return wrong("standard input can be one side only".to_owned());
    }
    arguments.sides.iter().map(|word| side(word)).collect()
}

fn names(arguments: &Arguments) -> Vec<String> {
    let typed = arguments.sides.iter().map(|word| word.to_string_lossy().into_owned());
    let name = |(at, typed): (usize, String)| arguments.name.get(at).cloned().unwrap_or(typed);
    typed.enumerate().map(name).collect()
}

fn show(arguments: &Arguments, compared: &compare::Comparison) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    if arguments.json {
        json::write(&mut out, compared)?;
    } else {
        report::write(&mut out, compared, arguments.all, Look::of_stdout())?;
    }
    out.flush()
}
