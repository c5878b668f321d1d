//! `trace stats`: the calls of a log, counted and summed up.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::choice::named;
use super::failure::Failure;
use super::filter::FilterArguments;
use super::input;
use super::output::to_stdout;
use super::progress::ReadBar;
use crate::analysis::stats::{By, Options, Sort, Stats};
use crate::log::Columns;
use crate::report::look::Look;
use crate::report::{json, stats};

#[derive(Debug, Args)]
pub struct Arguments {
    /// What a row is
    #[arg(long, value_name = "WHAT", default_value = "syscall", value_parser = named(&By::ALL))]
    by: By,

    /// The order of rows
    #[arg(long, value_name = "COLUMN", default_value = "total", value_parser = named(&Sort::ALL))]
    sort: Sort,

    /// Show the first N rows [default: all; 40 by path]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = rows)]
    top: Option<usize>,

    #[command(flatten)]
    filter: FilterArguments,

    /// Print the table as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    place: input::Place,

    /// The log, ours or strace's text, or - for standard input
    #[arg(value_name = "LOG")]
    log: PathBuf,
}

/// A number of rows.
fn rows(text: &str) -> Result<usize, &'static str> {
    text.parse().map_err(|_| "not a number of rows (0 or more)")
}

/// Rows by path that are shown without a wish.
const TOP_PATHS: usize = 40;

pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut chooser = arguments.filter.chooser()?;
    let bar = ReadBar::new(&arguments.log);
    let mut reader = input::open_watched(&arguments.log, &arguments.place, Columns::ALL, &bar)?;
    let backend = reader.header().backend.clone();
    let mut analysis = Stats::new(reader.header(), arguments.by);
    let ending = reader.for_each(|event| {
        let is_chosen = chooser.matches(event);
        analysis.add_chosen(event, is_chosen);
    });
    bar.finish();
    ending.map_err(|error| input::named(&arguments.log, error))?;
    input::tell_unreadable(&arguments.log, &reader);
    chooser.tell_none(&arguments.log);
    let few = matches!(arguments.by, By::Path | By::Dir) && !arguments.json;
    let top = arguments.top.or(few.then_some(TOP_PATHS));
    let table = analysis.finish(Options { sort: arguments.sort, top });
    to_stdout(|out| {
        if arguments.json {
            json::write(out, &table)
        } else {
            stats::write(out, &table, &backend, Look::of_stdout())
        }
    })?;
    Ok(ExitCode::SUCCESS)
}
