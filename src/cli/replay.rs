//! `trace replay`: makes a log's calls again, in several ways, and compares them.

use std::fs::OpenOptions;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;
use trace_replay::{Cache, Lookahead, Options, Plan, Progress, RecordedTimes, Scratch, Strategy};

use super::attaching::parse_duration;
use super::failure::{Failure, note};
use super::input;
use super::output::{check_stdout, to_stdout};
use super::progress::{ReadBar, RunsBar};
use crate::analysis::interval::summarize;
use crate::analysis::replay::{Known, KnownWall, Reason, Replay};
use crate::capture::untraced::Progress as _;
use crate::log::{Columns, Header};
use crate::plan::{Planned, Planner};
use crate::report::look::Look;
use crate::report::{json, replay};

/// How long is measured where nobody says.
const TIME: Duration = Duration::from_secs(20);
const DROP_CACHES: &str = "/proc/sys/vm/drop_caches";

#[derive(Debug, Args)]
#[command(
    after_help = "Only calls that read are made, on the files themselves; nothing is written, executed or sent. With \
                  --writes those that write are made, too, where nothing can be reached but a scratch tree. Without \
                  --serial, --threads or --uring the main ways are compared."
)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Arguments {
    /// Plain calls in the log's order (which all others are compared with)
    #[arg(long)]
    serial: bool,

    /// Plain calls from N threads
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    threads: Option<u32>,

    #[arg(long, help = "Calls through io_uring, and plain ones from threads to compare with")]
    uring: bool,

    /// All ways there are, with lookaheads of 1, 4, 16 and all
    #[arg(long, conflicts_with_all = ["serial", "threads", "uring", "lookahead"])]
    all: bool,

    /// How many calls of a thread may be under way together, or all [default: 1, and all]
    #[arg(long, value_name = "K", value_parser = lookahead)]
    lookahead: Option<Lookahead>,

    /// With cold caches: all of them as root, else the pages of the files
    #[arg(long)]
    cold: bool,

    /// The program's wall time without a tracer, as 14.5ms, where it is not in the log
    #[arg(long, value_name = "TIME", value_parser = wall)]
    wall: Option<Duration>,

    #[command(flatten)]
    place: input::Place,

    /// Where the log's files are, if not at /
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,

    /// Replay the calls that write, too: all of them in a scratch tree made from the log, for installs
    #[arg(long, conflicts_with = "root")]
    writes: bool,

    /// Where the scratch tree is made [default: on the file system that the log's files are on]
    #[arg(long, value_name = "DIR", requires = "writes")]
    scratch: Option<PathBuf>,

    /// Rounds of measurement [default: 30, fewer if that takes longer than 20 s]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    runs: Option<u32>,

    /// Print the figures as JSON
    #[arg(long)]
    json: bool,

    /// The log, ours or strace's text, or - for standard input
    #[arg(value_name = "LOG")]
    log: PathBuf,
}

/// A number of calls, or all.
fn lookahead(text: &str) -> Result<Lookahead, &'static str> {
    match text.parse() {
        Ok(calls @ 1..) => Ok(Lookahead::calls(calls)),
        _ if text == "all" => Ok(Lookahead::ALL),
        _ => Err("not a number of calls (1 or more), nor `all`"),
    }
}

/// A time that is some.
fn wall(text: &str) -> Result<Duration, String> {
    let wall = parse_duration(text)?;
    if wall.is_zero() { Err("a program takes some time".to_owned()) } else { Ok(wall) }
}

pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    check_stdout()?;
    let (header, planned) = read(arguments)?;
    let options = options(arguments, &header);
    let known = known(arguments, &header, &planned);
    let log = arguments.log.display();
    if arguments.writes {
        return replay_with_writes(arguments, planned.plan, &options, known);
    }
    let mut bar = RunsBar::now("replaying");
    let outcome = trace_replay::replay(planned.plan, &options, |progress| {
        if let Progress::Measuring { done, of } = progress {
            bar.finished(done, done as f64 / of.max(1) as f64);
        }
    });
    bar.finish();
    let outcome = outcome.with_context(|| log.to_string())?;
    let replay = Replay::of(&outcome, known);
    to_stdout(|out| {
        if arguments.json {
            json::write(out, &replay)
        } else {
            replay::write(out, &replay, Look::of_stdout())
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// In a scratch tree; the report is written by the process that is confined to it, and shown here.
fn replay_with_writes(
    arguments: &Arguments,
    plan: Plan,
    options: &Options,
    known: Known,
) -> Result<ExitCode, Failure> {
    if let Some(directory) = &arguments.scratch {
        let is_directory =
            directory.metadata().with_context(|| format!("--scratch {}", directory.display()))?.is_dir();
        if !is_directory {
            return Err(Failure::with_code(2, anyhow!("--scratch {} is no directory", directory.display())));
        }
    }
    if options.cache == Cache::ColdPages {
        return Err(Failure::with_code(
            2,
            anyhow!("--cold with --writes needs root, which can empty all caches"),
        ));
    }
    let scratch = Scratch { directory: arguments.scratch.clone(), ..Scratch::default() };
    let look = Look::of_stdout();
    let mut bar = RunsBar::now("replaying");
    let report = trace_replay::replay_in_scratch(
        plan,
        options,
        &scratch,
        |progress| {
            if let Progress::Making { done, of } | Progress::Measuring { done, of } = progress {
                bar.finished(done, done as f64 / of.max(1) as f64);
            }
        },
        |outcome| {
            let replay = Replay::of(outcome, known);
            let mut text = Vec::new();
            // Memory takes all that is written to it.
            let _ = if arguments.json {
                json::write(&mut text, &replay)
            } else {
                replay::write(&mut text, &replay, look)
            };
            text
        },
    );
    bar.finish();
    let report = report.with_context(|| arguments.log.display().to_string())?;
    to_stdout(|out| out.write_all(&report))?;
    Ok(ExitCode::SUCCESS)
}

/// The log as a plan.
fn read(arguments: &Arguments) -> Result<(Header, Planned), Failure> {
    let bar = ReadBar::new(&arguments.log);
    let mut source = input::open_watched(&arguments.log, &arguments.place, Columns::ALL, &bar)?;
    let header = source.header().clone();
    let cwd = arguments.place.directory()?;
    let root = arguments.root.as_ref().map(|root| {
        let is_directory = root.metadata().with_context(|| format!("--root {}", root.display()))?.is_dir();
        let root = std::path::absolute(root)?;
        if is_directory { Ok(root) } else { Err(anyhow!("--root {} is no directory", root.display())) }
    });
    let root = root.transpose().map_err(|error| Failure::with_code(2, error))?;
    let bytes = |path: &Option<PathBuf>| path.as_ref().map(|path| path.as_os_str().as_bytes().to_vec());
    let planner = Planner::new(&header, bytes(&cwd).as_deref(), bytes(&root).as_deref());
    let mut planner = planner.map_err(|error| Failure::with_code(2, error))?;
    let mut added = Ok(());
    let ending = source.for_each(|event| {
        if added.is_ok() {
            added = planner.add(event);
        }
    });
    bar.finish();
    let ending = ending.map_err(|error| input::named(&arguments.log, error))?;
    input::tell_unreadable(&arguments.log, &source);
    if let crate::log::Ending::Cut { events, .. } = ending {
        note(format_args!(
            "{}: the log is cut short: it ends after {events} events",
            arguments.log.display()
        ));
    }
    added.with_context(|| arguments.log.display().to_string())?;
    Ok((header, planner.finish()))
}

fn known(arguments: &Arguments, header: &Header, planned: &Planned) -> Known {
    let reason = |(reason, calls): (&String, &u64)| Reason { reason: reason.clone(), calls: *calls };
    let walls = walls(arguments, header);
    let runs = if arguments.wall.is_some() { 0 } else { walls.len() };
    Known {
        command: header.command.clone(),
        backend: header.backend.clone(),
        wall: median(&walls).map(|ns| KnownWall { ns, runs }),
        lost: planned.lost,
        refused: planned.refused.iter().map(reason).collect(),
        uses_io_uring: planned.uses_io_uring,
    }
}

/// Untraced wall times: as given, or from the log.
fn walls(arguments: &Arguments, header: &Header) -> Vec<f64> {
    if let Some(wall) = arguments.wall {
        return vec![wall.as_nanos() as f64];
    }
    let untraced = header.untraced.as_ref();
    let runs = if arguments.cold {
        untraced.and_then(|untraced| untraced.cold.as_ref()).map(|cold| &cold.runs)
    } else {
        untraced.map(|untraced| &untraced.runs)
    };
    runs.into_iter().flatten().map(|run| run.wall_ns as f64).collect()
}

fn median(values: &[f64]) -> Option<f64> {
    summarize(values.iter().map(|&ns| ns as u64)).map(|summary| summary.median)
}

fn options(arguments: &Arguments, header: &Header) -> Options {
    Options {
        strategies: strategies(arguments),
        cache: cache(arguments.cold),
        wall_ns: walls(arguments, header),
        recorded: recorded(header),
        blocks: arguments.runs.map_or(Options::default().blocks, |runs| runs as usize),
        time: if arguments.runs.is_some() { Duration::MAX } else { TIME },
    }
}

/// What a probe adds to each recorded duration is known from the calibration.
fn recorded(header: &Header) -> RecordedTimes {
    let Some(null) = header.calibration.as_ref().filter(|null| null.calls > 0) else {
        return RecordedTimes::Unusable;
    };
    let probe_ns = null.p50_ns.saturating_sub(null.untraced_ns) as f64;
    if header.backend == "ebpf" {
        RecordedTimes::Costs { probe_ns }
    } else {
        RecordedTimes::Estimates { probe_ns }
    }
}

fn cache(cold: bool) -> Cache {
    let may_drop = || OpenOptions::new().write(true).open(DROP_CACHES).is_ok();
    match cold {
        false => Cache::Warm,
        true if may_drop() => Cache::Dropped,
        true => Cache::ColdPages,
    }
}

/// What the options ask for, of all ways that there are.
fn strategies(arguments: &Arguments) -> Vec<Strategy> {
    let mut chosen = Vec::new();
    let for_writes = if arguments.writes { Options::strategies_for_writes() } else { Vec::new() };
    for strategy in Options::default_strategies().into_iter().chain(for_writes) {
        let is_main = [Lookahead::FAITHFUL, Lookahead::ALL].contains(&strategy.lookahead());
        let adapted = adapted(arguments, strategy);
        if (is_main || arguments.all) && is_asked(arguments, strategy) && !chosen.contains(&adapted) {
            chosen.push(adapted);
        }
    }
    chosen
}

fn is_asked(arguments: &Arguments, strategy: Strategy) -> bool {
    let is_any = arguments.serial || arguments.uring || arguments.threads.is_some();
    match strategy {
        // The baseline, the ceiling, and what projections need.
        Strategy::Free | Strategy::Serial | Strategy::Thinking { .. } => true,
        _ if !is_any => true,
        // Threads are what a ring has to beat.
        Strategy::Threads { .. } => arguments.threads.is_some() || arguments.uring,
        other => arguments.uring && other.needs_ring(),
    }
}

/// The same with the number of threads and the lookahead asked for.
fn adapted(arguments: &Arguments, strategy: Strategy) -> Strategy {
    let of = |lookahead| arguments.lookahead.unwrap_or(lookahead);
    match strategy {
        Strategy::Threads { threads, lookahead } => {
            Strategy::Threads { threads: arguments.threads.unwrap_or(threads), lookahead: of(lookahead) }
        }
        Strategy::Ring { depth, lookahead } => Strategy::Ring { depth, lookahead: of(lookahead) },
        Strategy::Hybrid { depth, lookahead } => Strategy::Hybrid { depth, lookahead: of(lookahead) },
        Strategy::Chains { depth, lookahead } => Strategy::Chains { depth, lookahead: of(lookahead) },
        Strategy::TokioUring { depth, lookahead } => Strategy::TokioUring { depth, lookahead: of(lookahead) },
        Strategy::TokioBlocking { lookahead } => Strategy::TokioBlocking { lookahead: of(lookahead) },
        Strategy::Free
        | Strategy::Serial
        | Strategy::Thinking { .. }
        | Strategy::RingOne
        | Strategy::Fewer(_)
        | Strategy::Memo { .. } => strategy,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn chosen(options: &[&str]) -> Vec<Strategy> {
        let line = ["replay"].iter().chain(options).chain(&["log"]);
        strategies(&Line::parse_from(line).arguments)
    }

    #[test]
    fn options_choose_strategies() {
        let all = Options::default_strategies();
        assert_eq!(chosen(&["--all"]), all);
        let writes = chosen(&["--all", "--writes"]);
        assert_eq!(writes[all.len()..], Options::strategies_for_writes());
        let main = chosen(&[]);
        assert!(main.len() < all.len() && main.iter().all(|strategy| all.contains(strategy)));
        assert!(main.iter().any(|strategy| matches!(strategy, Strategy::Memo { .. })));
        let serial = chosen(&["--serial"]);
        assert_eq!(serial.len(), 4, "{serial:?}");
        assert!(serial.contains(&Strategy::Serial) && serial.contains(&Strategy::Free));
        let four = chosen(&["--threads", "8", "--lookahead", "4"]);
        let threads = Strategy::Threads { threads: 8, lookahead: Lookahead::calls(4) };
        assert_eq!(four[4..], [threads], "{four:?}");
        let rings = chosen(&["--uring", "--lookahead", "all"]);
        assert!(rings.contains(&Strategy::RingOne));
        assert!(rings.contains(&Strategy::Threads { threads: 2, lookahead: Lookahead::ALL }));
        assert!(!rings.iter().any(|strategy| matches!(strategy, Strategy::Memo { .. })));
        let is_all = |strategy: &Strategy| strategy.lookahead() == Lookahead::ALL;
        assert!(rings[4..].iter().filter(|one| **one != Strategy::RingOne).all(is_all), "{rings:?}");
    }
}
