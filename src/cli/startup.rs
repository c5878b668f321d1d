//! `trace startup`: where a program's startup time goes.
//!
//! Untraced runs come first and tell the true times; a traced run, the shortest of a few, tells the
//! structure; the report puts both together.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use clap::Args;

use super::failure::{Failure, note, refuse_option};
use super::names::log_name;
use super::progress::RunsBar;
use super::startup_output::ReportOutput;
use super::tracing::{Backend, Job, Recorded, trace_command};
use crate::analysis::fold::Stack;
use crate::analysis::startup::{Report, Startup};
use crate::capture::launch::{self, Command};
use crate::capture::ptrace::entry_point;
use crate::capture::stdio::Stdio;
use crate::capture::untraced::{self, Ending, Policy, RunError};
use crate::log::{self, Untraced};
use crate::report::flame::{self, Metric};
use crate::report::notes;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Make N counted untraced runs [default: at least 10 and 1 s, at most 5 s]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    runs: Option<u32>,

    /// Run a shell command before each run, to put back what a run changes
    #[arg(long, value_name = "COMMAND")]
    prepare: Option<String>,

    /// Go on when the command fails
    #[arg(short, long)]
    ignore_failure: bool,

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
    refuse_option(&arguments.command)?;
    let command = Command::resolve(arguments.command.iter().cloned())
        .map_err(|error| Failure::with_code(error.exit_code(), error))?;
    let output = output_path(arguments)?;
    let out = ReportOutput::new(arguments.json).map_err(Failure::of_trace)?;
    entry_point::prepare_in_background();
    let mut stdio = Stdio::new().map_err(Failure::of_trace)?;
    let measured = match measure(arguments, &command, &mut stdio)? {
        Measured::Enough(untraced) => untraced,
        Measured::Over(code) => return Ok(code),
    };
    let recorded = trace_shortest(arguments, &command, &output, &mut stdio, &measured)?;
    let (report, stacks) = analyse(&output).map_err(Failure::of_trace)?;
    let graph = output.with_extension("svg");
    let drawn = draw(&graph, &report, &stacks);
    let graph = matches!(drawn, Ok(true)).then_some(graph.as_path());
    out.write(&report, arguments.all, &output, graph).map_err(Failure::of_trace)?;
    tell(&recorded, drawn);
    Ok(ExitCode::from(launch::pass_on(recorded.status)))
}

/// Where the log goes. Without a wish of the user's, a directory that cannot be written to is no reason to
/// give up.
fn output_path(arguments: &Arguments) -> Result<PathBuf, Failure> {
    if let Some(output) = &arguments.output {
        log::check_output(output).map_err(Failure::of_trace)?;
        if output.exists() && !output.is_file() {
            let text = "is not a file, and the report is made from the log: name a file";
            return Err(Failure::of_trace(anyhow::anyhow!("{} {text}", output.display())));
        }
        return Ok(output.clone());
    }
    let name = log_name(&arguments.command);
    match log::check_output(&name) {
        Ok(()) => Ok(name),
        Err(log::Error::Create { .. }) => {
            let directory = tempfile::Builder::new().prefix("trace-").tempdir().map_err(Failure::of_trace)?;
            Ok(directory.keep().join(name))
        }
        Err(error) => Err(Failure::of_trace(error)),
    }
}

/// Calls of the calibration: there is time for many.
const CALIBRATION_CALLS: u64 = 1000;

enum Measured {
    /// There are runs to report on.
    Enough(Untraced),
    /// The command failed or was interrupted: nothing to report, exit like this.
    Over(ExitCode),
}

fn measure(arguments: &Arguments, command: &Command, stdio: &mut Stdio) -> Result<Measured, Failure> {
    let policy = Policy { runs: arguments.runs.map(|runs| runs as usize), ..Policy::default() };
    let options = untraced::Options {
        policy,
        prepare: arguments.prepare.clone(),
        ignore_failure: arguments.ignore_failure,
    };
    let mut bar = RunsBar::new();
    let outcome = untraced::measure(command, stdio, &options, &mut bar);
    bar.finish();
    match outcome.ending {
        Ending::Enough => {}
        Ending::TimeUp { .. } => note(&outcome.ending),
        Ending::Failed { run, status } => {
            note(&outcome.ending);
            let status = if run == 0 { status } else { ExitStatus::from_raw(125 << 8) };
            return Ok(Measured::Over(ExitCode::from(launch::pass_on(status))));
        }
        Ending::Interrupted { signal, .. } => {
            note(&outcome.ending);
            return Ok(Measured::Over(ExitCode::from(launch::pass_on(ExitStatus::from_raw(signal)))));
        }
        Ending::Broken { error: RunError::Launch(error), .. } => {
            return Err(Failure::with_code(error.exit_code(), error));
        }
        Ending::Broken { .. } => {
            return Err(Failure::of_trace(anyhow::anyhow!("{}", outcome.ending)));
        }
    }
    Ok(Measured::Enough(outcome.untraced))
}

/// How often the command is traced, if it is quick.
const TRACED_RUNS: usize = 3;
/// A traced run that takes longer than this is not repeated.
const QUICK: Duration = Duration::from_secs(1);

/// Traces the command, several times if it is quick, and keeps the log of the shortest run: the one in which
/// the CPU was least given to others, of which no log can tell.
fn trace_shortest(
    arguments: &Arguments,
    command: &Command,
    output: &Path,
    stdio: &mut Stdio,
    untraced: &Untraced,
) -> Result<Recorded, Failure> {
    entry_point::prepare();
    let first = untraced.runs.len() + 1;
    let mut best = trace_once(arguments, command, output, stdio, (untraced, first))?;
    let directory = output.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Only a plain file may be replaced by another; a link stays what it is.
    let replaceable = output.symlink_metadata().is_ok_and(|file| file.is_file());
    for run in 1..TRACED_RUNS {
        if !replaceable || best.elapsed > QUICK || best.log.is_err() || best.status.signal().is_some() {
            break;
        }
        // Without room for a second log the first one does.
        let Ok(other) = tempfile::Builder::new().suffix(".trace").tempfile_in(directory) else { break };
        let recorded = trace_once(arguments, command, other.path(), stdio, (untraced, first + run))?;
        if recorded.status != best.status {
            break;
        }
        if recorded.elapsed < best.elapsed && recorded.log.is_ok() && other.persist(output).is_ok() {
            best = recorded;
        }
    }
    Ok(best)
}

fn trace_once(
    arguments: &Arguments,
    command: &Command,
    output: &Path,
    stdio: &mut Stdio,
    (untraced, run): (&Untraced, usize),
) -> Result<Recorded, Failure> {
    untraced::prepare_run(arguments.prepare.as_deref()).map_err(Failure::of_trace)?;
    let mut streams = stdio.for_run(run).map_err(Failure::of_trace)?;
    let job = Job {
        command,
        words: &arguments.command,
        output,
        leader_only: false,
        calibration_calls: CALIBRATION_CALLS,
        untraced: Some(untraced.clone()),
        backend: Backend::Ptrace,
    };
    let recorded = trace_command(&job, streams.streams, || streams.launched());
    streams.finish();
    recorded
}

fn analyse(output: &Path) -> Result<(Report, Vec<Stack>), log::Error> {
    let mut reader = log::Reader::open(output)?;
    let mut startup = Startup::new(reader.header());
    reader.for_each(|event| startup.add(event))?;
    Ok(startup.finish())
}

/// Draws the flame graph, width being estimated or true cost. False: there is nothing to draw.
fn draw(path: &Path, report: &Report, stacks: &[Stack]) -> io::Result<bool> {
    let mut svg = Vec::new();
    let subtitle = notes::quality(report.quality, &report.backend);
    if !flame::svg(&mut svg, stacks, Metric::Cost, &report.command.join(" "), &subtitle)? {
        return Ok(false);
    }
    replace(path, &svg)?;
    Ok(true)
}

/// Stands at the end of our drawings, to tell them from others'.
const SIGNATURE: &[u8] = b"<!-- flame graph by trace -->\n";

/// Writes the drawing, in the place of an older one of ours only. Names in it are as private as the log.
fn replace(path: &Path, svg: &[u8]) -> io::Result<()> {
    if let Ok(old) = path.symlink_metadata() {
        let is_ours = |old: Vec<u8>| old.is_empty() || old.ends_with(SIGNATURE);
        if !old.is_file() || !std::fs::read(path).is_ok_and(is_ours) {
            let text = format!("{} holds something else and is not overwritten", path.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
        }
    }
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(svg).and_then(|()| file.write_all(SIGNATURE)).inspect_err(|_| {
        // Half a drawing is none; what cannot be removed either is reported by the first error.
        let _ = std::fs::remove_file(path);
    })
}

fn tell(recorded: &Recorded, drawn: io::Result<bool>) {
    for warning in &recorded.warnings {
        note(warning);
    }
    if let Err(error) = &recorded.log {
        note(format_args!("the log is incomplete: {error}"));
    }
    if let Err(error) = drawn {
        note(format_args!("no flame graph: {error}"));
    }
}
