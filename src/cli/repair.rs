//! `trace repair`: closes a log that was cut short.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::failure::{Failure, note};
use super::{input, names};
use crate::log::{self, Found};
use crate::report::units::things;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The log that was cut short
    #[arg(value_name = "LOG")]
    log: PathBuf,

    /// Where to write the closed log [default: in place]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let output = arguments.output.as_ref().unwrap_or(&arguments.log);
    names::refuse_stream(&arguments.log, "repair reads a log twice, so it cannot be standard input")
        .map_err(|error| Failure::with_code(2, error))?;
    names::refuse_stream(output, "repair writes a log in a file, not to standard output")
        .map_err(|error| Failure::with_code(2, error))?;
    let repaired =
        log::repair(&arguments.log, output).map_err(|error| input::named(&arguments.log, error))?;
    let (log, output) = (arguments.log.display(), output.display());
    let events = things(repaired.events, "event", "events");
    match &repaired.found {
        Found::Complete { lost } => {
            let copied = repaired.summary.map_or_else(String::new, |_| format!(", copied to {output}"));
            note(format_args!("{log} {}{copied}", complete(*lost, &events)));
        }
        Found::Cut => note(format_args!("{events} kept in {output}")),
        Found::Damaged(how) => {
            note(format_args!("{log} is damaged {how}"));
            note(format_args!("what comes before the damage is kept in {output}: {events}"));
        }
    }
    Ok(ExitCode::SUCCESS)
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
