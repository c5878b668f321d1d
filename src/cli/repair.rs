//! `trace repair`: closes a log that was cut short.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::failure::{Failure, note};
use super::output::to_stdout;
use super::{input, names};
use crate::log::{self, Found, Repaired};
use crate::report::json;
use crate::report::units::things;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The log that was cut short
    #[arg(value_name = "LOG")]
    log: PathBuf,

    /// Where to write the closed log [default: in place]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Print what was found and kept as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    log: Cow<'a, str>,
    output: Cow<'a, str>,
    /// `complete`, `cut` or `damaged`.
    found: &'static str,
    /// How it is damaged.
    damage: Option<&'a str>,
    /// Events in the closed log.
    events: u64,
    /// Events lost while it was recorded; `None`: nobody knows how many.
    lost_events: Option<u64>,
    /// Size of the log written; `None`: it needed no repair in its place.
    bytes: Option<u64>,
}

impl<'a> Report<'a> {
    fn of(repaired: &'a Repaired, log: &'a Path, output: &'a Path) -> Self {
        let (found, damage, lost_events) = match &repaired.found {
            Found::Complete { lost } => ("complete", None, *lost),
            Found::Cut => ("cut", None, None),
            Found::Damaged(how) => ("damaged", Some(how.as_str()), None),
        };
        Report {
            log: log.to_string_lossy(),
            output: output.to_string_lossy(),
            found,
            damage,
            events: repaired.events,
            lost_events,
            bytes: repaired.summary.as_ref().map(|summary| summary.bytes),
        }
    }
}

pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let output = arguments.output.as_ref().unwrap_or(&arguments.log);
    names::refuse_stream(&arguments.log, "repair reads a log twice, so it cannot be standard input")
        .map_err(|error| Failure::with_code(2, error))?;
    names::refuse_stream(output, "repair writes a log in a file, not to standard output")
        .map_err(|error| Failure::with_code(2, error))?;
    let repaired =
        log::repair(&arguments.log, output).map_err(|error| input::named(&arguments.log, error))?;
    if arguments.json {
        let report = Report::of(&repaired, &arguments.log, output);
        to_stdout(|out| json::write(out, &report))?;
        return Ok(ExitCode::SUCCESS);
    }
    tell(&repaired, &arguments.log, output);
    Ok(ExitCode::SUCCESS)
}

fn tell(repaired: &Repaired, log: &Path, output: &Path) {
    let (log, output) = (log.display(), output.display());
    let events = things(repaired.events, "event", "events");
    match &repaired.found {
        Found::Complete { lost } => {
            let copied =
                repaired.summary.as_ref().map_or_else(String::new, |_| format!(", copied to {output}"));
            note(format_args!("{log} {}{copied}", complete(*lost, &events)));
        }
        Found::Cut => note(format_args!("{events} kept in {output}")),
        Found::Damaged(how) => {
            note(format_args!("{log} is damaged {how}"));
            note(format_args!("what comes before the damage is kept in {output}: {events}"));
        }
    }
}

/// What there is to say of a log that was closed.
fn complete(lost: Option<u64>, events: &str) -> String {
    match lost {
        Some(0) => format!("is complete already ({events})"),
        Some(lost) => {
            let lost = things(lost, "event", "events");
            format!(
                "needs no repair: it was closed, but lost {lost} while it was recorded, which nothing brings back"
            )
        }
        None => "needs no repair: it was closed, but lost events, nobody knows how many".to_owned(),
    }
}
