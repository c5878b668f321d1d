//! `trace show`: a log as strace prints it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::failure::{Failure, note};
use super::filter::FilterArguments;
use super::input;
use super::lines::{Lines, StyleArguments};
use super::output::to_stdout;
use crate::event::Kind;
use crate::log::{Columns, Ending, Header};
use crate::report::show::{Options, Time, Who};

#[derive(Debug, Args)]
#[command(
    after_help = "Lines stand in the order in which calls end: a call that waits comes after what happened meanwhile, and \
                        *** exec *** before the line of its execve. The times are those of the beginning."
)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Arguments {
    #[command(flatten)]
    filter: FilterArguments,

    /// Time since the epoch instead of since the beginning
    #[arg(long = "epoch", visible_alias = "ttt", conflicts_with = "relative")]
    epoch: bool,

    /// Time since the latest start of the lines before; 0 for a call that began earlier and lasted longer
    #[arg(short = 'r', long = "relative")]
    relative: bool,

    /// Print what strace -f -ttt -T -y prints of the same run, for what reads that: calls, signals and exits only,
    /// strings as long as they were kept
    #[arg(long, conflicts_with_all = ["relative", "names", "stacks", "json"])]
    strace: bool,

    /// Names of threads beside their ids
    #[arg(short = 'Y', long)]
    names: bool,

    #[command(flatten)]
    style: StyleArguments,

    /// Print below each call the functions that made it, the innermost first, where the log has stacks (trace record
    /// --stacks)
    #[arg(short = 'k', long)]
    stacks: bool,

    /// Print one JSON object a line, with every column of the log (docs/log-format.md)
    #[arg(long, conflicts_with_all = ["epoch", "relative", "names", "stacks"])]
    json: bool,

    #[command(flatten)]
    place: input::Place,

    /// The log, ours or strace's text, or - for standard input
    #[arg(value_name = "LOG")]
    log: PathBuf,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut chooser = arguments.filter.chooser()?;
    let mut reader = input::open(&arguments.log, &arguments.place, Columns::ALL)?;
    let mut lines = Lines::new(options(arguments, reader.header()), arguments.relative, arguments.json);
    if arguments.stacks {
        lines.show_stacks();
    }
    let ending = to_stdout(|out| {
        let mut written = Ok(());
        let ending = reader.for_each(|event| {
            lines.saw(event);
            let is_told =
                !arguments.strace || matches!(event.kind, Kind::Syscall | Kind::Signal | Kind::Exit);
            if written.is_ok() && is_told && chooser.matches(event) {
                written = lines.write(out, event);
            }
        });
        written.map(|()| ending)
    })?;
    let ending = ending.map_err(|error| input::named(&arguments.log, error))?;
    input::tell_unreadable(&arguments.log, &reader);
    chooser.tell_none(&arguments.log);
    match ending {
        Ending::Complete { lost: Some(0), .. } => {}
        // Told line by line.
        Ending::Complete { .. } if reader.lineage().is_some() => {}
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
    let time = if header.clock.name.is_empty() {
        // A text of strace's without times.
        Time::Hidden
    } else if arguments.epoch || arguments.strace {
        Time::Epoch(header.clock.realtime_ns)
    } else {
        Time::Since(0)
    };
    let who = if arguments.names { Who::Named } else { Who::Thread };
    let mut style = arguments.style.style();
    if let Some(kept) = header.kept_bytes() {
        style.strings = if arguments.strace { kept } else { style.strings.min(kept) };
    }
    Options { who, time, style, ..Options::default() }
}
