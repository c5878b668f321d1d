//! `trace show`: a log as strace prints it.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::failure::{Failure, note};
use super::filter::FilterArguments;
use super::input;
use super::lines::{Lines, StyleArguments};
use super::output::to_stdout;
use super::strace_text::StraceText;
use crate::capture::local_offset_s;
use crate::event::Event;
use crate::log::{Clock, Columns, Ending, Header, strace};
use crate::report::show::{Options, Time, Who, has_line_of_strace};

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

    /// Time of day; twice: with microseconds; three times: time since the epoch
    #[arg(short = 't', action = clap::ArgAction::Count, conflicts_with_all = ["epoch", "relative", "json"])]
    clock: u8,

    /// Time since the latest start of the lines before; 0 for a call that began earlier and lasted longer
    #[arg(short = 'r', long = "relative")]
    relative: bool,

    /// Print what strace -f -ttt -T -y prints of the same run, for what reads that: calls, signals and exits only,
    /// strings as long as they were kept; with -t or -tt the time of day
    #[arg(long, conflicts_with_all = ["relative", "stacks", "json"])]
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
    let mut output =
        if arguments.strace { Output::Strace(StraceText::new(lines)) } else { Output::Ours(lines) };
    let ending = to_stdout(|out| {
        let mut written = Ok(());
        let ending = reader.for_each(|event| {
            let is_told = (has_line_of_strace(event) || !arguments.strace) && chooser.matches(event);
            if written.is_ok() {
                written = output.write(out, event, is_told);
            }
        });
        written.and_then(|()| output.finish(out)).map(|()| ending)
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

/// How events become lines.
enum Output {
    Ours(Lines),
    Strace(StraceText),
}

impl Output {
    fn write(&mut self, out: &mut dyn Write, event: &Event<'_>, is_told: bool) -> io::Result<()> {
        match self {
            Self::Ours(lines) => {
                lines.saw(event);
                if is_told { lines.write(out, event) } else { Ok(()) }
            }
            Self::Strace(text) => {
                text.saw(event);
                text.write(out, event, is_told)
            }
        }
    }

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Ours(_) => Ok(()),
            Self::Strace(text) => text.finish(out),
        }
    }
}

/// When: as it is asked for, or, of strace's text, as far as that tells.
fn time(arguments: &Arguments, clock: &Clock) -> Time {
    let origin_ns = clock.realtime_ns;
    let is_moment = arguments.epoch || arguments.strace || arguments.clock > 0;
    // The seconds of a clock that tells no date are no time since the epoch: whoever read them would take them for something
    // else. Differences of times (-r) count from midnight.
    let has_no_date = [strace::TIME_OF_DAY, strace::RELATIVE].contains(&clock.name.as_str());
    let offset_s = if has_no_date { 0 } else { local_offset_s() };
    match arguments.clock {
        _ if clock.name.is_empty() => Time::Hidden,
        1 => Time::Day { origin_ns, offset_s, decimals: 0 },
        2 => Time::Day { origin_ns, offset_s, decimals: 6 },
        _ if is_moment && has_no_date => Time::Day { origin_ns, offset_s, decimals: 6 },
        _ if is_moment => Time::Epoch(origin_ns),
        _ => Time::Since(0),
    }
}

fn options(arguments: &Arguments, header: &Header) -> Options {
    let time = time(arguments, &header.clock);
    let who = if arguments.names { Who::Named } else { Who::Thread };
    let mut style = arguments.style.style();
    let kept = header.kept_bytes();
    if arguments.strace {
        // Nothing but what is there.
        style.strings = kept.unwrap_or(usize::MAX);
    } else if let Some(kept) = kept {
        style.strings = style.strings.min(kept);
    }
    Options { who, time, style, ..Options::default() }
}
