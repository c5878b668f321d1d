//! `trace repair`: closes a log that was cut short.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::failure::{Failure, note};
use crate::log;

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
    let repaired = log::repair(&arguments.log, output)?;
    if let Some(damage) = &repaired.damage {
        note(format_args!("what comes after is damaged: {damage}"));
    }
    note(format_args!("{} events kept in {}", repaired.events, output.display()));
    Ok(ExitCode::SUCCESS)
}
