//! `trace replay`: makes a log's calls again, in several ways, and compares them.

mod annotate;
mod choice;
mod rerun;
mod stop;
mod writes;

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::PoisonError;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;
use serde::{Deserialize, Serialize};
use trace_replay::{Cache, Lookahead, Options, Outcome, Progress, RecordedTimes, Strategy};

use self::choice::{strategies, sweep};
use self::stop::Stop;
pub(super) use self::writes::tell_left;
use super::attaching::parse_duration;
use super::drawing_file;
use super::failure::{Failure, note};
use super::input;
use super::output::{check_stdout, to_stdout};
use super::progress::{ReadBar, RunsBar};
use crate::analysis::interval::summarize;
use crate::analysis::opened::Opened;
use crate::analysis::replay::{Known, KnownWall, Reason, Replay};
use crate::capture::untraced::Progress as _;
use crate::log::{Calibration, Columns, Header};
use crate::plan::{Planned, Planner};
use crate::report::look::Look;
use crate::report::{json, replay};

/// How long is measured where nobody says.
const TIME: Duration = Duration::from_secs(20);
const STDOUT: &str = "-";
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
    pub(super) serial: bool,

    /// Plain calls from N threads
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(super) threads: Option<u32>,

    #[arg(long, help = "Calls through io_uring, and plain ones from threads to compare with")]
    pub(super) uring: bool,

    /// All ways there are, with lookaheads of 1, 4, 16 and all
    #[arg(long, conflicts_with_all = ["serial", "threads", "uring", "lookahead"])]
    pub(super) all: bool,

    /// How many calls of a thread may be under way together, or all [default: 1, and all]
    #[arg(long, value_name = "K", value_parser = lookahead)]
    pub(super) lookahead: Option<Lookahead>,

    /// With cold caches: all of them as root, else the pages of the files
    #[arg(long)]
    pub(super) cold: bool,

    /// The program's wall time without a tracer, as 14.5ms, where it is not in the log
    #[arg(long, value_name = "TIME", value_parser = wall)]
    wall: Option<Duration>,

    /// Measure the wall time now: run the command that stands after -- (not the log's: nothing in a log is executed)
    /// without a tracer, several times
    #[arg(long, requires = "command", conflicts_with = "wall")]
    rerun: bool,

    /// Write a copy of the log to FILE that has, beside each call, what it took when it was replayed, for stats, flame
    /// and show
    #[arg(long, value_name = "FILE")]
    pub(super) annotate: Option<PathBuf>,

    /// Draw the cost of the calls against the number of those under way together, to FILE (SVG)
    #[arg(long, value_name = "FILE", conflicts_with = "lookahead")]
    pub(super) plot: Option<PathBuf>,

    #[command(flatten)]
    pub(super) place: input::Place,

    /// Where the log's files are, if not at /
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,

    /// Replay the calls that write, too: all of them in a scratch tree made from the log, for installs
    #[arg(long, conflicts_with = "root")]
    pub(super) writes: bool,

    /// Where the scratch tree is made [default: on the file system that the log's files are on]
    #[arg(long, value_name = "DIR", requires = "writes")]
    pub(super) scratch: Option<PathBuf>,

    /// Rounds of measurement [default: 30, fewer if that takes longer than 20 s]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) runs: Option<u32>,

    /// Print the figures as JSON, or write them to FILE beside the report
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = STDOUT)]
    json: Option<PathBuf>,

    /// The log, ours or strace's text, or - for standard input
    #[arg(value_name = "LOG")]
    pub(super) log: PathBuf,

    /// With --rerun: the command of the log and its arguments
    #[arg(value_name = "CMD", last = true, requires = "rerun")]
    pub(super) command: Vec<OsString>,
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
    annotate::check(arguments)?;
    if let Some(plot) = &arguments.plot {
        drawing_file::check_plot(plot)?;
    }
    let Input { header, planned, opened } = read(arguments)?;
    let walls = if arguments.rerun {
        rerun::walls(arguments, &header.command, opened)?
    } else {
        walls(arguments, &header)
    };
    let options = options(arguments, &header, &planned, walls);
    let known = known(arguments, &header, &planned, &options.wall_ns);
    let log = arguments.log.display();
    let stop = Stop::new()?;
    if arguments.writes {
        return writes::replay(arguments, planned.plan, &options, known, stop);
    }
    let mut bar = RunsBar::now("replaying");
    let writing = stop.end_at_once(bar.clone())?;
    let outcome = trace_replay::replay(planned.plan, &options, |progress| {
        if let Progress::Measuring { done, of } = progress {
            bar.finished(done, done as f64 / of.max(1) as f64);
        }
    });
    bar.finish();
    let outcome = outcome.with_context(|| log.to_string())?;
    let replay = Replay::of(&outcome, known);
    let _to_its_end = writing.lock().unwrap_or_else(PoisonError::into_inner);
    show(arguments, Shown::of(arguments, &replay, &outcome, Look::of_stdout()))
}

/// What a replay has come to, as it is to be shown and written.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Shown {
    report: Vec<u8>,
    /// For `--annotate`.
    costs: Option<annotate::Costs>,
    /// For `--plot`; `None`, too, if there is nothing to plot.
    plot: Option<Vec<u8>>,
    /// For `--json=FILE`.
    json: Option<Vec<u8>>,
}

impl Shown {
    pub(super) fn of(arguments: &Arguments, replay: &Replay, outcome: &Outcome, look: Look) -> Self {
        let (mut report, mut svg, mut figures) = (Vec::new(), Vec::new(), Vec::new());
        // Memory takes all that is written to it.
        let _ = match &arguments.json {
            Some(file) if file.as_os_str() == STDOUT => json::write(&mut report, replay),
            Some(_) => {
                replay::write(&mut report, replay, look).and_then(|()| json::write(&mut figures, replay))
            }
            None => replay::write(&mut report, replay, look),
        };
        let has_plot = arguments.plot.is_some() && replay::plot(&mut svg, replay).unwrap_or(false);
        Self {
            report,
            costs: arguments.annotate.is_some().then(|| annotate::Costs::of(outcome)),
            plot: has_plot.then_some(svg),
            json: Some(figures).filter(|figures| !figures.is_empty()),
        }
    }
}

/// Shows and writes what was asked for; whether files can be written or not, what was measured is shown.
pub(super) fn show(arguments: &Arguments, shown: Shown) -> Result<ExitCode, Failure> {
    let annotated = arguments.annotate.as_ref().zip(shown.costs);
    let annotated = annotated.map(|(output, costs)| annotate::write(arguments, output, costs)).transpose();
    let drawn = arguments.plot.as_ref().map(|plot| draw(plot, shown.plot)).transpose();
    let figures = arguments.json.as_ref().zip(shown.json).map(|(file, figures)| {
        std::fs::write(file, figures)
            .with_context(|| format!("--json={}", file.display()))
            .map_err(Failure::from)
    });
    to_stdout(|out| out.write_all(&shown.report))?;
    annotated.and(drawn)?;
    figures.transpose()?;
    Ok(ExitCode::SUCCESS)
}

/// The log as a plan.
struct Input {
    header: Header,
    planned: Planned,
    /// Files that the program opened, if their pages may have to be dropped before it is run again.
    opened: Vec<Vec<u8>>,
}

fn read(arguments: &Arguments) -> Result<Input, Failure> {
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
    check_cwd(arguments, cwd.as_deref(), root.as_deref())?;
    let bytes = |path: &Option<PathBuf>| path.as_ref().map(|path| path.as_os_str().as_bytes().to_vec());
    let planner = Planner::new(&header, bytes(&cwd).as_deref(), bytes(&root).as_deref());
    let mut planner = planner.map_err(|error| Failure::with_code(2, error))?;
    let mut added = Ok(());
    let mut opened = Some(Opened::default()).filter(|_| arguments.rerun && arguments.cold);
    let ending = source.for_each(|event| {
        if let Some(opened) = &mut opened {
            opened.add(event);
        }
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
    let opened = opened.map_or_else(Vec::new, Opened::finish);
    Ok(Input { header, planned: planner.finish(), opened })
}

/// Writes the picture, if there is one.
fn draw(path: &Path, svg: Option<Vec<u8>>) -> Result<(), Failure> {
    let svg =
        svg.ok_or_else(|| anyhow!("there is nothing to plot: no strategy with batches could be measured"))?;
    Ok(drawing_file::replace_plot(path, &svg)?)
}

fn known(arguments: &Arguments, header: &Header, planned: &Planned, walls: &[f64]) -> Known {
    let reason = |(reason, calls): (&String, &u64)| Reason { reason: reason.clone(), calls: *calls };
    let runs = if arguments.wall.is_some() { 0 } else { walls.len() };
    Known {
        command: header.command.clone(),
        backend: header.backend.clone(),
        wall: median(walls).map(|ns| KnownWall { ns, runs }),
        lost: planned.lost,
        refused: planned.refused.iter().map(reason).collect(),
        uses_io_uring: planned.uses_io_uring,
        asked: strategies(arguments),
        plots: arguments.plot.is_some(),
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

/// In place, relative paths begin in a directory that is there; a scratch tree makes its own.
fn check_cwd(arguments: &Arguments, cwd: Option<&Path>, root: Option<&Path>) -> Result<(), Failure> {
    let Some(cwd) = cwd.filter(|_| !arguments.writes) else { return Ok(()) };
    let here = root.map_or_else(|| cwd.to_owned(), |root| root.join(cwd.strip_prefix("/").unwrap_or(cwd)));
    if here.is_dir() {
        return Ok(());
    }
    let error = anyhow!("--cwd: {} is no directory, so no relative path can be replayed", here.display());
    Err(Failure::with_code(2, error))
}

fn median(values: &[f64]) -> Option<f64> {
    summarize(values.iter().map(|&ns| ns as u64)).map(|summary| summary.median)
}

fn options(arguments: &Arguments, header: &Header, planned: &Planned, walls: Vec<f64>) -> Options {
    let mut strategies = strategies(arguments);
    if arguments.plot.is_some() {
        let others: Vec<Strategy> = sweep().filter(|one| !strategies.contains(one)).collect();
        strategies.extend(others);
    }
    Options {
        strategies,
        cache: cache(arguments.cold),
        wall_ns: walls,
        recorded: recorded(header, planned),
        added_ns: added_ns(header),
        runs: runs(header),
        blocks: arguments.runs.map_or(Options::default().blocks, |runs| runs as usize),
        time: if arguments.runs.is_some() { Duration::MAX } else { TIME },
    }
}

/// What the calls took in each traced run of the command, in parts of what they took in the log's.
pub(super) fn runs(header: &Header) -> Vec<f64> {
    let probe = |null: &Calibration| null.p50_ns.saturating_sub(null.untraced_ns) as f64;
    let probe_ns = header.calibration.as_ref().map_or(0.0, probe);
    header.repeats.as_ref().map_or_else(Vec::new, |repeats| repeats.ratios(probe_ns))
}

/// What recording added to the program's time for each call, in nanoseconds; 0 where it was not measured.
pub(super) fn added_ns(header: &Header) -> f64 {
    header.calibration.as_ref().map_or(0.0, |null| null.added_ns as f64)
}

/// What a probe adds to each recorded duration is known from the calibration, made in a loop; what it adds in the program
/// at most, from the program's own calls that do nothing.
pub(super) fn recorded(header: &Header, planned: &Planned) -> RecordedTimes {
    let Some(null) = header.calibration.as_ref().filter(|null| null.calls > 0) else {
        return RecordedTimes::Unusable;
    };
    let added = |recorded_ns: u64| recorded_ns.saturating_sub(null.untraced_ns) as f64;
    let probe_ns = added(null.p50_ns);
    let most_probe_ns = planned.null_ns.map_or(probe_ns, |ns| added(ns).max(probe_ns));
    if header.backend == "ebpf" {
        RecordedTimes::Costs { probe_ns, most_probe_ns }
    } else {
        RecordedTimes::Estimates { probe_ns, most_probe_ns }
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
