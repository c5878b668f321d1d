//! `trace stats`: the calls of a log, counted and summed up.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::failure::Failure;
use super::input;
use super::output::to_stdout;
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

    /// Print the table as JSON
    #[arg(long)]
    json: bool,

    /// The log, or - for standard input
    #[arg(value_name = "LOG")]
    log: PathBuf,
}

/// A number of rows.
fn rows(text: &str) -> Result<usize, &'static str> {
    text.parse().map_err(|_| "not a number of rows (0 or more)")
}

/// Takes one of the named values.
fn named<T: Copy + Send + Sync + 'static>(
    all: &'static [(T, &'static str)],
) -> impl TypedValueParser<Value = T> {
    let names = PossibleValuesParser::new(all.iter().map(|(_, name)| *name));
    names.map(move |chosen| {
        let found = all.iter().find(|(_, name)| *name == chosen).or(all.first());
        found.expect("the list is not empty").0
    })
}

/// Rows by path that are shown without a wish.
const TOP_PATHS: usize = 40;

pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut reader = input::open(&arguments.log, Columns::ALL)?;
    let backend = reader.header().backend.clone();
    let mut analysis = Stats::new(reader.header(), arguments.by);
    let ending = reader.for_each(|event| analysis.add(event));
    ending.map_err(|error| input::named(&arguments.log, error))?;
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
