//! `trace repair`: closes a log that was cut short.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::failure::Failure;
use crate::log;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The log that was cut short
    #[arg(value_name = "LOG")]
    log: PathBuf,

    /// Where to write the closed log
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let repaired = log::repair(&arguments.log, &arguments.output)?;
    println!("{repaired:?}");
    Ok(ExitCode::SUCCESS)
}
