//! `trace install`: where a package install spends its time.
//!
//! One traced run tells what is done. The wall time is known where `--runs` asks for untraced ones before it; then a
//! command that puts back what an install changes (`--prepare`) is needed, or there is nothing left to install.
//! What was installed says itself which modules a package has (`records`).

mod records;
mod runs;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::anyhow;
use clap::Args;

use super::choice;
use super::command;
use super::drawing_file::draw;
use super::failure::{Failure, note};
use super::names::output_path;
use super::report_output::{Files, ReportOutput};
use super::startup::end_early;
use super::startup::untraced::End;
use crate::analysis::flame::Drawing;
use crate::analysis::install::{Install, Report};
use crate::capture::BetweenRuns;
use crate::capture::select::{CHOICES, Wanted};
use crate::capture::stdio::Stdio;
use crate::log;
use crate::report::install;
use crate::report::look::Look;
use crate::report::startup::{Options, TOP};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Make N counted untraced runs before the traced one; needs --prepare [default: none]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = choice::runs, requires = "prepare")]
    runs: Option<u32>,

    /// Run a shell command before each run, to put back what an install changes
    #[arg(long, value_name = "COMMAND")]
    prepare: Option<String>,

    /// How to trace: eBPF where it is permitted, whose costs are true, or ptrace
    #[arg(long, value_name = "NAME", value_parser = choice::named(&CHOICES), default_value = "auto")]
    backend: Wanted,

    /// Write the log to FILE and the flame graph beside it [default: named after the command, in the
    /// current directory]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Show every row of every table
    #[arg(long)]
    all: bool,

    /// Print the report as JSON; the command's own output goes to standard error
    #[arg(long)]
    json: bool,

    /// The command and its arguments
    #[arg(value_name = "CMD", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let command = command::resolve_prepared(&arguments.command, arguments.prepare.as_deref())?;
    // From here on there is a log, which is not to be left empty.
    let between = BetweenRuns::keep();
    let output = output_path(arguments.output.as_deref(), &arguments.command)?;
    let out = ReportOutput::new(arguments.json).map_err(Failure::of_trace)?;
    let mut stdio = Stdio::new().map_err(Failure::of_trace)?;
    let recorded = match runs::traced(arguments, &command, &output, &mut stdio) {
        Ok(recorded) => recorded,
        Err(over) => {
            drop(between);
            return end_early(&arguments.command, out, *over);
        }
    };
    for warning in &recorded.warnings {
        note(warning);
    }
    let written = recorded.log.map(drop);
    let analysed = analyse(&output);
    // Why it could not be written comes before what is wrong with what there is.
    let (report, drawing) = match (analysed, &written) {
        (Err(_), Err(unwritten)) => return Err(Failure::of_trace(anyhow!("{unwritten}"))),
        (analysed, _) => analysed.map_err(Failure::of_trace)?,
    };
    let graph = output.with_extension("svg");
    let is_drawn = draw(&graph, &drawing).unwrap_or_else(|error| {
        note(format_args!("no flame graph: {error}"));
        false
    });
    let graph = is_drawn.then_some(graph.as_path());
    let files = Files { log: &output, flame_graph: graph };
    let top = if arguments.all { usize::MAX } else { TOP };
    out.write(&report, files, &[], |out, last| {
        install::write(out, &report, Options { top, look: Look::of_stdout(), last })
    })
    .map_err(Failure::of_trace)?;
    if let Err(unwritten) = written {
        return Err(Failure::of_trace(anyhow!("the log is incomplete: {unwritten}")));
    }
    if let Some(signal) = between.end() {
        return End::by_signal(signal).finish();
    }
    if !recorded.status.success() {
        note(format_args!(
            "the command failed ({}): the report is of what it did until then",
            recorded.status
        ));
    }
    End::Status(recorded.status).finish()
}

fn analyse(output: &Path) -> Result<(Report, Drawing), log::Error> {
    let mut reader = log::Reader::open(output)?;
    let mut install = Install::new(reader.header());
    reader.for_each(|event| install.add(event))?;
    let owners = records::owners(install.targets());
    Ok(install.finish(&owners))
}
