//! `trace plot`: a log as a picture of who did what when, on one time axis.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::anyhow;
use clap::Args;

use super::drawing_file;
use super::failure::{Failure, note};
use super::input;
use super::output::to_stdout;
use super::progress::ReadBar;
use crate::analysis::waterfall::{Picture, Waterfall};
use crate::log::{Columns, Reader};
use crate::report::{notes, waterfall};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Write to FILE, - being standard output [default: LOG with .plot.svg in the place of its extension]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Print what the picture shows as JSON instead of drawing it (docs/json.md)
    #[arg(long, conflicts_with = "output")]
    json: bool,

    #[command(flatten)]
    place: input::Place,

    /// The log, ours or strace's text, or - for standard input
    #[arg(value_name = "LOG")]
    log: PathBuf,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let output = if arguments.json { None } else { output(arguments)? };
    if let Some(output) = &output {
        drawing_file::check_plot(output)?;
    }
    let log = &arguments.log;
    let picture = read(log, &arguments.place)?;
    for line in notes::integrity(&picture.integrity) {
        note(format_args!("{}: {line}", log.display()));
    }
    let no_axis = || anyhow!("{} {}", log.display(), nothing(&picture));
    if arguments.json {
        let mut bytes = Vec::new();
        waterfall::json(&mut bytes, &picture)?.then_some(()).ok_or_else(no_axis)?;
        to_stdout(|out| out.write_all(&bytes))?;
        return Ok(ExitCode::SUCCESS);
    }
    let bytes = draw(&picture)?.ok_or_else(no_axis)?;
    if let Some(path) = &output {
        drawing_file::replace_plot(path, &bytes)?;
    } else {
        let end = drawing_file::PLOT_SIGNATURE;
        to_stdout(|out| out.write_all(&bytes).and_then(|()| out.write_all(end)))?;
    }
    let place = output.map_or_else(|| "standard output".to_owned(), |path| path.display().to_string());
    note(format_args!("plot in {place}"));
    Ok(ExitCode::SUCCESS)
}

/// Where to write to; `None`: standard output.
fn output(arguments: &Arguments) -> Result<Option<PathBuf>, Failure> {
    match &arguments.output {
        Some(output) if output.as_os_str() == "-" => Ok(None),
        Some(output) => Ok(Some(output.clone())),
        None if arguments.log.as_os_str() != "-" => Ok(Some(beside(&arguments.log))),
        None if io::stdout().is_terminal() => {
            Err(Failure::with_code(2, anyhow!("the log has no name to call the plot after: -o FILE")))
        }
        None => Ok(None),
    }
}

/// The plot of a log, by its name.
fn beside(log: &Path) -> PathBuf {
    log.with_extension("plot.svg")
}

fn read(log: &Path, place: &input::Place) -> Result<Picture, Failure> {
    let bar = ReadBar::new(log);
    let mut source = input::open_watched(log, place, Columns::ALL, &bar)?;
    let mut waterfall = Waterfall::new(source.header());
    let ending = source.for_each(|event| waterfall.add(event));
    bar.finish();
    ending.map_err(|error| input::named(log, error))?;
    input::tell_unreadable(log, &source);
    Ok(waterfall.finish())
}

/// Draws a log that was just written.
pub(super) fn draw_log(output: &Path, log: &Path) -> Result<(), Failure> {
    let mut reader = Reader::open(log)?;
    let mut waterfall = Waterfall::new(reader.header());
    reader.for_each(|event| waterfall.add(event))?;
    let picture = waterfall.finish();
    let bytes = draw(&picture)?.ok_or_else(|| anyhow!("the log {}", nothing(&picture)))?;
    Ok(drawing_file::replace_plot(output, &bytes)?)
}

/// The picture as SVG; `None`: there is nothing to draw.
fn draw(picture: &Picture) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    Ok(waterfall::svg(&mut bytes, picture)?.then_some(bytes))
}

fn nothing(picture: &Picture) -> &'static str {
    if picture.rows.is_empty() {
        "holds no threads: there is nothing to draw"
    } else {
        "has no times (strace writes them with -f -ttt -T): there is no axis to draw on"
    }
}
