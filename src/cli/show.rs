//! `trace show`: a log as strace prints it.

use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::failure::{Failure, note};
use super::input;
use crate::log::{Columns, Ending, Header};
use crate::report::show::filter::{Filter, Outcome};
use crate::report::show::{Options, Time, Who, line};

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Arguments {
    /// Only these calls, in strace's language: names, %classes, ! before all to exclude
    #[arg(short = 'e', value_name = "trace=SET")]
    expression: Option<String>,

    /// Only calls that access PATH (several: any of them)
    #[arg(short = 'P', value_name = "PATH")]
    path: Vec<PathBuf>,

    /// Only calls that succeeded
    #[arg(short = 'z', conflicts_with = "failed")]
    successful: bool,

    /// Only calls that failed
    #[arg(short = 'Z')]
    failed: bool,

    /// Time since the epoch instead of since the beginning
    #[arg(long = "epoch", visible_alias = "ttt", conflicts_with = "relative")]
    epoch: bool,

    /// Time since the event before
    #[arg(short = 'r', long = "relative")]
    relative: bool,

    /// Names of threads beside their ids
    #[arg(short = 'Y', long)]
    names: bool,

    /// The log, or - for standard input
    #[arg(value_name = "LOG")]
    log: PathBuf,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let filter = filter(arguments)?;
    let mut reader = input::open(&arguments.log, Columns::ALL)?;
    let mut options = options(arguments, reader.header());
    let mut out = BufWriter::new(io::stdout().lock());
    let mut text = Vec::new();
    let mut written = Ok(());
    let ending = reader.for_each(|event| {
        if written.is_ok() && filter.matches(event) {
            text.clear();
            line(&mut text, event, &options);
            text.push(b'\n');
            written = out.write_all(&text);
            if arguments.relative {
                options.time = Time::Since(event.start_ns);
            }
        }
    });
    written?;
    out.flush()?;
    match ending.map_err(|error| input::named(&arguments.log, error))? {
        Ending::Complete { lost: Some(0), .. } => {}
        Ending::Complete { lost, .. } => {
            let lost = lost.map_or_else(|| "an unknown number of".to_owned(), |lost| lost.to_string());
            note(format_args!("{lost} events were lost while recording"));
        }
        Ending::Cut { events, .. } => {
            note(format_args!("the log is cut short: it ends after {events} events"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn filter(arguments: &Arguments) -> Result<Filter, Failure> {
    let mut filter = match &arguments.expression {
        Some(expression) => Filter::parse(expression).map_err(|error| Failure::with_code(2, error))?,
        None => Filter::default(),
    };
    for path in &arguments.path {
        filter = filter.with_path(path.as_os_str().as_bytes());
    }
    Ok(match (arguments.successful, arguments.failed) {
        (true, _) => filter.with_outcome(Outcome::Successful),
        (_, true) => filter.with_outcome(Outcome::Failed),
        _ => filter,
    })
}

fn options(arguments: &Arguments, header: &Header) -> Options {
    let time = if arguments.epoch { Time::Epoch(header.clock.realtime_ns) } else { Time::Since(0) };
    let who = if arguments.names { Who::Named } else { Who::Thread };
    Options { who, time, ..Options::default() }
}
