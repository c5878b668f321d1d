//! `trace repair`: closes a log that was cut short.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::failure::{Failure, note};
use super::{input, names};
use crate::log::{self, Found};

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
    let events = repaired.events;
    match (&repaired.found, &repaired.summary) {
        (Found::Complete, None) => note(format_args!("{log} is complete already ({events} events)")),
        (Found::Complete, Some(_)) => {
            note(format_args!("{log} is complete already ({events} events), copied to {output}"));
        }
        (Found::Cut, _) => note(format_args!("{events} events kept in {output}")),
        (Found::Damaged(how), _) => {
            note(format_args!("{log} is damaged {how}"));
            note(format_args!("the {events} events before the damage are kept in {output}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}
