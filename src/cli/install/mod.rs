//! `trace install`: where a package install spends its time.
//!
//! One traced run tells what is done. The wall time is known where `--runs` asks for untraced ones before it; then a
//! command that puts back what an install changes (`--prepare`) is needed, or there is nothing left to install.
//! What was installed says itself which modules a package has (`records`).

mod records;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::anyhow;
use clap::Args;

use super::choice;
use super::command;
use super::drawing_file::draw;
use super::failure::interrupted;
use super::failure::{Failure, note};
use super::names::output_path;
use super::progress::RunsBar;
use super::report_output::{Files, ReportOutput};
use super::startup::untraced::End;
use super::traced::{self, Typed};
use crate::analysis::flame::Drawing;
use crate::analysis::install::{Install, Report};
use crate::capture::launch::Command;
use crate::capture::select::{CHOICES, Wanted};
use crate::capture::stdio::Stdio;
use crate::capture::untraced::{self, Ending, Policy};
use crate::log::{self, Untraced};
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
    let output = output_path(arguments.output.as_deref(), &arguments.command)?;
    let out = ReportOutput::new(arguments.json).map_err(Failure::of_trace)?;
    let mut stdio = Stdio::new().map_err(Failure::of_trace)?;
    let untraced = match arguments.runs {
        Some(runs) => Some(measure(arguments, &command, runs as usize, &mut stdio)?),
        None => None,
    };
    let mut tracer =
        traced::ready(arguments.backend)?.map_err(|signal| interrupted(signal, "before the traced run"))?;
    let prepared = untraced::prepare_run(arguments.prepare.as_deref()).map_err(Failure::of_trace)?;
    if let Some(signal) = prepared {
        return Err(interrupted(signal, "in --prepare"));
    }
    let typed = Typed { command: &command, words: &arguments.command };
    let run = usize::from(untraced.is_some());
    let recorded = traced::trace_once(&mut tracer, typed, &output, (&mut stdio, run), untraced)?;
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
    if !recorded.status.success() {
        note(format_args!(
            "the command failed ({}): the report is of what it did until then",
            recorded.status
        ));
    }
    End::Status(recorded.status).finish()
}

fn measure(
    arguments: &Arguments,
    command: &Command,
    runs: usize,
    stdio: &mut Stdio,
) -> Result<Untraced, Failure> {
    let options = untraced::Options {
        policy: Policy { runs: Some(runs), ..Policy::default() },
        prepare: arguments.prepare.clone(),
        ..untraced::Options::default()
    };
    let mut bar = RunsBar::new();
    let outcome = untraced::measure(command, stdio, &options, &mut bar);
    bar.finish();
    match outcome.ending {
        Ending::Enough | Ending::TimeUp { .. } => Ok(outcome.untraced),
        Ending::Interrupted { signal, .. } => Err(interrupted(signal, "in an untraced run of the command")),
        ending => {
            let words = stdio.last_words().map(|words| format!("; the end of what it wrote: {words}"));
            Err(Failure::of_trace(anyhow!("{ending}{}", words.unwrap_or_default())))
        }
    }
}

fn analyse(output: &Path) -> Result<(Report, Drawing), log::Error> {
    let mut reader = log::Reader::open(output)?;
    let mut install = Install::new(reader.header());
    reader.for_each(|event| install.add(event))?;
    let owners = records::owners(install.targets());
    Ok(install.finish(&owners))
}
