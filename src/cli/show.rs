//! `trace show`: a log as strace prints it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::failure::{Failure, note};
use super::filter::FilterArguments;
use super::input;
use super::output::to_stdout;
use crate::log::{Columns, Ending, Header};
use crate::report::show::{Options, Relative, Time, Who, line};

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    filter: FilterArguments,

    /// Time since the epoch instead of since the beginning
    #[arg(long = "epoch", visible_alias = "ttt", conflicts_with = "relative")]
    epoch: bool,

    /// Time since the latest start of the lines before; 0 for a call that began earlier and lasted longer
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
    let filter = arguments.filter.filter()?;
    let mut reader = input::open(&arguments.log, Columns::ALL)?;
    let mut options = options(arguments, reader.header());
    let mut relative = Relative::default();
    let mut text = Vec::new();
    let ending = to_stdout(|out| {
        let mut written = Ok(());
        let ending = reader.for_each(|event| {
            if written.is_ok() && filter.matches(event) {
                if arguments.relative {
                    options.time = relative.next(event.start_ns);
                }
                text.clear();
                line(&mut text, event, &options);
                text.push(b'\n');
                written = out.write_all(&text);
            }
        });
        written.map(|()| ending)
    })?;
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

fn options(arguments: &Arguments, header: &Header) -> Options {
    let time = if arguments.epoch { Time::Epoch(header.clock.realtime_ns) } else { Time::Since(0) };
    let who = if arguments.names { Who::Named } else { Who::Thread };
    Options { who, time, ..Options::default() }
}
