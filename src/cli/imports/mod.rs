//! `trace imports`: the tree of Python's imports, of a command or of a log that has it.
//!
//! Of a command (`runs`): untraced runs tell its wall time; runs by the backend that costs least tell what calls cost; one
//! run under ptrace tells which functions made them. `join` puts the last two together into one log.

mod join;
mod runs;

use std::ffi::OsString;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::Args;

use super::choice;
use super::drawing_file;
use super::failure::{Failure, note};
use super::input;
use super::names::{default_log, refuse_stream_as_log};
use super::progress::ReadBar;
use super::report_output::ReportOutput;
use super::sides::{Side, side};
use crate::analysis::imports::{Absent, Imports, Tree};
use crate::capture::select::{CHOICES, Wanted};
use crate::log::{self, Columns};
use crate::report::imports::{self as report, Options};
use crate::report::look::Look;
use crate::report::notes;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Make N counted untraced runs [default: at least 10 and 1 s, at most 5 s]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = choice::runs)]
    runs: Option<u32>,

    /// How to trace the run that times are taken of: eBPF where it is permitted, or ptrace
    #[arg(long, value_name = "NAME", value_parser = choice::named(&CHOICES), default_value = "auto")]
    backend: Wanted,

    /// Go on when the command fails
    #[arg(short, long)]
    ignore_failure: bool,

    /// Write the log to FILE and a picture beside it [default: named after the command, in the current directory]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Write the tree to FILE as python -X importtime writes it, which tuna reads
    #[arg(long, value_name = "FILE")]
    importtime: Option<PathBuf>,

    /// Show imports that take next to nothing, too
    #[arg(long)]
    all: bool,

    /// Print the tree as JSON; the command's own output goes to standard error
    #[arg(long)]
    json: bool,

    /// A log that `trace imports` has written, or a command and its arguments
    #[arg(value_name = "LOG|CMD", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    if let [word] = &arguments.command[..]
        && !word.is_empty()
        && let Side::Logs(logs) = side(word)?
    {
        let out = ReportOutput::new(arguments.json).map_err(Failure::of_trace)?;
        let [log] = &logs[..] else {
            return Err(Failure::with_code(2, anyhow!("name one log: {} has several", word.display())));
        };
        let tree = tree(log).map_err(|failure| not_a_command(log).unwrap_or(failure))?;
        show(arguments, out, &tree)?;
        return Ok(ExitCode::SUCCESS);
    }
    let output = match &arguments.output {
        None => default_log(&arguments.command)?,
        Some(output) => {
            refuse_stream_as_log(output).map_err(Failure::of_trace)?;
            log::check_output(output).map_err(Failure::of_trace)?;
            output.clone()
        }
    };
    // What fails from here on is trace itself: other codes below 125 are the command's.
    record(arguments, &output).map_err(|failure| failure.or_code(125))
}

/// Makes the runs of a command, the log, the picture and the report.
fn record(arguments: &Arguments, output: &Path) -> Result<ExitCode, Failure> {
    let out = ReportOutput::new(arguments.json).map_err(Failure::of_trace)?;
    let end = runs::record(arguments, output)?;
    if end.made {
        let tree = tree(output)?;
        let picture = output.with_extension("svg");
        let mut bytes = Vec::new();
        let drawn = super::flame::draw_by_import(&mut bytes, output)?;
        if drawn {
            drawing_file::replace_svg(&picture, &bytes)?;
        }
        show(arguments, out, &tree)?;
        let drawn = if drawn { format!(" · picture {}", picture.display()) } else { String::new() };
        let log = output.display();
        note(format_args!("log {log}{drawn} · next: trace flame --by import --metric count {log}"));
    }
    end.end.finish()
}

/// What is wrong with a file that is neither a log nor a command; `None`: it is a log.
fn not_a_command(path: &Path) -> Option<Failure> {
    let error = log::Source::open(path, None).err()?;
    if !matches!(error, log::Error::NotALog(_) | log::Error::NoHeader) {
        return None;
    }
    let shown = path.display();
    let text = "is neither a log nor executable; if it is a program, try `chmod +x";
    Some(Failure::with_code(126, anyhow!("{shown}: {text} {shown}`")))
}

/// The imports of a log.
fn tree(log: &Path) -> Result<Tree, Failure> {
    let bar = ReadBar::new(log);
    let mut reader = input::open_watched(log, &input::Place::default(), Columns::ALL, &bar)?;
    let mut imports = Imports::new(reader.header());
    let mut absent = Absent::new(reader.header());
    let ending = reader.for_each(|event| {
        imports.add(event, true);
        absent.add(event);
    });
    bar.finish();
    ending.map_err(|error| Failure::of_trace(input::named(log, error)))?;
    let tree = imports.finish();
    if tree.imports.is_empty() {
        for line in notes::integrity(&tree.integrity) {
            note(format_args!("{}: {line}", log.display()));
        }
        return Err(Failure::of_trace(anyhow!("{} {}", log.display(), report::absence(&absent.finish()))));
    }
    Ok(tree)
}

/// Why a log that was read before holds no imports.
pub(super) fn absence(log: &Path) -> Result<String, Failure> {
    let mut reader = log::Source::open(log, None)?;
    let mut absent = Absent::new(reader.header());
    reader.for_each(|event| absent.add(event))?;
    Ok(report::absence(&absent.finish()))
}

fn show(arguments: &Arguments, out: ReportOutput, tree: &Tree) -> Result<(), Failure> {
    if let Some(path) = &arguments.importtime {
        let failed = || format!("cannot write {}", path.display());
        let file = std::fs::File::create(path).with_context(failed).map_err(Failure::of_trace)?;
        let mut file = BufWriter::new(file);
        let written =
            report::write_importtime(&mut file, tree).and_then(|()| std::io::Write::flush(&mut file));
        written.with_context(failed).map_err(Failure::of_trace)?;
    }
    let options = Options { all: arguments.all, look: Look::of_stdout() };
    out.show(tree, |out| report::write(out, tree, options)).map_err(Failure::of_trace)
}
