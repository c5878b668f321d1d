//! `trace show`: a log as strace prints it.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::failure::{Failure, note};
use super::filter::FilterArguments;
use super::input;
use super::output::to_stdout;
use crate::analysis::stacks::Stacks;
use crate::event::{Event, Kind};
use crate::log::{Columns, Ending, Header};
use crate::report::json;
use crate::report::show::json::Row;
use crate::report::show::{Modes, Options, Relative, Time, Who, change_of_mode, line, stack};

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

    /// Names of threads beside their ids
    #[arg(short = 'Y', long)]
    names: bool,

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
    let filter = arguments.filter.filter()?;
    let mut reader = input::open(&arguments.log, &arguments.place, Columns::ALL)?;
    let mut lines = Lines::new(arguments, reader.header());
    let ending = to_stdout(|out| {
        let mut written = Ok(());
        let ending = reader.for_each(|event| {
            lines.define(event);
            if written.is_ok() && filter.matches(event) {
                written = lines.write(out, event);
            }
        });
        written.map(|()| ending)
    })?;
    let ending = ending.map_err(|error| input::named(&arguments.log, error))?;
    input::tell_unreadable(&arguments.log, &reader);
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

/// The lines of events.
struct Lines {
    options: Options,
    /// Times are those of `-r`.
    relative: Option<Relative>,
    modes: Modes,
    json: bool,
    /// Where they are to be shown.
    stacks: Option<Stacks>,
    text: Vec<u8>,
}

impl Lines {
    fn new(arguments: &Arguments, header: &Header) -> Self {
        Self {
            options: options(arguments, header),
            relative: arguments.relative.then(Relative::default),
            modes: Modes::default(),
            json: arguments.json,
            stacks: arguments.stacks.then(Stacks::default),
            text: Vec::new(),
        }
    }

    /// Takes note of what later events refer to.
    fn define(&mut self, event: &Event<'_>) {
        if let Some(stacks) = &mut self.stacks {
            stacks.add(event);
        }
    }

    fn write(&mut self, out: &mut dyn Write, event: &Event<'_>) -> io::Result<()> {
        if self.json {
            return json::write_line(out, &Row::from(event));
        }
        // The sense of these is in tables and drawings, not line by line.
        if matches!(event.kind, Kind::Sample | Kind::Frame | Kind::Stack) {
            return Ok(());
        }
        if let Some(relative) = &mut self.relative
            && self.options.time != Time::Hidden
        {
            self.options.time = relative.next(event.start_ns);
        }
        self.text.clear();
        change_of_mode(&mut self.text, event, &self.options, &mut self.modes);
        line(&mut self.text, event, &self.options);
        self.text.push(b'\n');
        if let (Some(stacks), Some(stack)) = (&self.stacks, event.stack) {
            stack::write(&mut self.text, stacks, stack);
        }
        out.write_all(&self.text)
    }
}

fn options(arguments: &Arguments, header: &Header) -> Options {
    let time = if header.clock.name.is_empty() {
        // A text of strace's without times.
        Time::Hidden
    } else if arguments.epoch {
        Time::Epoch(header.clock.realtime_ns)
    } else {
        Time::Since(0)
    };
    let who = if arguments.names { Who::Named } else { Who::Thread };
    Options { who, time, ..Options::default() }
}
