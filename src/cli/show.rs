//! `trace show`: a log as strace prints it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::failure::{Failure, note};
use super::input;
use super::output::to_stdout;
use crate::log::{Columns, Ending, Header};
use crate::report::show::filter::{Filter, Outcome};
use crate::report::show::{Options, Relative, Time, Who, line};

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Arguments {
    /// Only these calls, in strace's language: names, %classes, ! before all to exclude
    #[arg(short = 'e', value_name = "trace=SET")]
    expression: Option<String>,

    /// Only calls that access PATH, under this name or its resolved one, or a descriptor of it (several: any)
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
    let filter = filter(arguments)?;
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

fn filter(arguments: &Arguments) -> Result<Filter, Failure> {
    let mut filter = match &arguments.expression {
        Some(expression) => Filter::parse(expression).map_err(|error| Failure::with_code(2, error))?,
        None => Filter::default(),
    };
    for name in arguments.path.iter().flat_map(|path| names_of(path)) {
        filter = filter.with_path(&name);
    }
    Ok(match (arguments.successful, arguments.failed) {
        (true, _) => filter.with_outcome(Outcome::Successful),
        (_, true) => filter.with_outcome(Outcome::Failed),
        _ => filter,
    })
}

/// The names under which a log may have a path: as it was given, made absolute, and without symbolic links,
/// the name that descriptors of it have. Of a file that is no more, its directory's links are resolved.
fn names_of(path: &Path) -> Vec<PathBuf> {
    let absolute = std::path::absolute(path).ok();
    let canonical = path.canonicalize().ok().or_else(|| {
        let absolute = absolute.as_ref()?;
        Some(absolute.parent()?.canonicalize().ok()?.join(absolute.file_name()?))
    });
    let mut names = vec![path.to_owned()];
    for name in [absolute, canonical].into_iter().flatten() {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn options(arguments: &Arguments, header: &Header) -> Options {
    let time = if arguments.epoch { Time::Epoch(header.clock.realtime_ns) } else { Time::Since(0) };
    let who = if arguments.names { Who::Named } else { Who::Thread };
    Options { who, time, ..Options::default() }
}
