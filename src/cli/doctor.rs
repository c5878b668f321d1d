//! `trace doctor`: what works on this machine, why not, and what would enable it.

use std::process::ExitCode;

use clap::Args;

use super::failure::Failure;
use super::output::to_stdout;
use crate::doctor::diagnose;
use crate::report::look::Look;
use crate::report::{doctor, json};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let diagnosis = diagnose();
    to_stdout(|out| {
        if arguments.json {
            json::write(out, &diagnosis)
        } else {
            doctor::write(out, &diagnosis, Look::of_stdout())
        }
    })?;
    Ok(if diagnosis.backend.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
