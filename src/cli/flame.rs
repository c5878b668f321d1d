//! `trace flame`: a log as a flame graph, or as the folded stacks of one.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::anyhow;
use clap::Args;

use super::choice::named;
use super::drawing_file;
use super::failure::{Failure, note};
use super::filter::FilterArguments;
use super::input;
use super::output::to_stdout;
use super::progress::ReadBar;
use crate::analysis::cost::Quality;
use crate::analysis::flame::{Drawing, Flame};
use crate::analysis::fold::{By, Metric};
use crate::analysis::integrity::Integrity;
use crate::event::mark;
use crate::log::{self, Columns};
use crate::report::escape::escape;
use crate::report::flame::{self, Caption};
use crate::report::notes;

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "one for each switch")]
pub struct Arguments {
    /// What frames are
    #[arg(long, value_name = "WHAT", default_value = "phase", value_parser = named(&By::ALL))]
    by: By,

    /// What their width is [default: time; count where costs are unknown; cpu by stack where only CPU samples have
    /// stacks; wall by import]
    #[arg(long, value_name = "METRIC", value_parser = named(&METRICS))]
    metric: Option<Metric>,

    /// With the time that calls waited for other processes, the network or a clock
    #[arg(long)]
    waits: bool,

    /// Compare with another log: red frames are more in LOG, blue ones less
    #[arg(long, value_name = "OTHER")]
    diff: Option<PathBuf>,

    #[command(flatten)]
    filter: FilterArguments,

    /// Write folded stacks as text instead of a drawing: a;b;c NUMBER
    #[arg(long)]
    folded: bool,

    /// Write JSON for speedscope instead of a drawing
    #[arg(long, conflicts_with_all = ["folded", "diff"])]
    speedscope: bool,

    /// Print the frames as JSON instead of a drawing (docs/json.md)
    #[arg(long, conflicts_with_all = ["folded", "speedscope", "output"])]
    json: bool,

    /// Write to FILE, - being standard output [default: LOG with .svg in the place of its extension;
    /// standard output for --folded and --speedscope]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    place: input::Place,

    /// The log, ours or strace's text, or - for standard input
    #[arg(value_name = "LOG")]
    log: PathBuf,
}

const METRICS: [(Metric, &str); 5] = [
    (Metric::Time, "time"),
    (Metric::Count, "count"),
    (Metric::Bytes, "bytes"),
    (Metric::Cpu, "cpu"),
    (Metric::Wall, "wall"),
];

pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let output = output(arguments)?;
    let wish = wished(arguments)?;
    let flame = read(arguments, wish, &arguments.log)?;
    let other =
        arguments.diff.as_deref().map(|other| Ok::<_, Failure>((other, read(arguments, wish, other)?)));
    let other = other.transpose()?;
    let both: Vec<(&Path, &Flame)> = [(arguments.log.as_path(), &flame)]
        .into_iter()
        .chain(other.as_ref().map(|(path, flame)| (*path, flame)))
        .collect();
    for (log, flame) in &both {
        warn(log, &flame.integrity());
    }
    let only_samples = |(_, flame): &(_, &Flame)| flame.samples() > 0 && flame.calls_with_stack() == 0;
    let metric = match wish {
        Some(metric) => metric,
        None if arguments.by == By::Import => Metric::Wall,
        None if both.iter().all(only_samples) => Metric::Cpu,
        None => best(both.iter().copied()),
    };
    if arguments.by == By::Stack {
        both.into_iter().try_for_each(|(log, flame)| refuse_without_stacks(log, flame, metric))?;
    }
    let mut drawing = flame.finish(metric);
    if let Some((path, other)) = other {
        let other = other.finish(metric);
        refuse_without_imports(path, &other)?;
        if let Some(unlike) = flame::sampled_otherwise(&drawing, &other) {
            note(unlike);
        }
        drawing.graph.compare(&other.graph);
    }
    let bytes = draw(arguments, &drawing)?;
    write(arguments, output.as_deref(), &bytes)?;
    let place = output.map_or_else(|| "standard output".to_owned(), |path| path.display().to_string());
    let what = format!("{} by {} in {place}", flame::what(&drawing), flame::by(drawing.by));
    let whole: Vec<String> = std::iter::once(what).chain(flame::beside(&drawing)).collect();
    note(whole.join("; "));
    Ok(ExitCode::SUCCESS)
}

/// Where to write to; `None`: standard output.
fn output(arguments: &Arguments) -> Result<Option<PathBuf>, Failure> {
    match &arguments.output {
        Some(output) if output.as_os_str() == "-" => return Ok(None),
        Some(output) => return Ok(Some(output.clone())),
        None if is_text(arguments) => return Ok(None),
        None => {}
    }
    if arguments.log.as_os_str() != "-" {
        return Ok(Some(arguments.log.with_extension("svg")));
    }
    if io::stdout().is_terminal() {
        return Err(Failure::with_code(2, anyhow!("the log has no name to call the drawing after: -o FILE")));
    }
    Ok(None)
}

/// Not a drawing: something for other programs.
fn is_text(arguments: &Arguments) -> bool {
    arguments.folded || arguments.speedscope || arguments.json
}

fn read(arguments: &Arguments, wish: Option<Metric>, log: &Path) -> Result<Flame, Failure> {
    let filter = arguments.filter.filter()?;
    let bar = ReadBar::new(log);
    let mut reader = input::open_watched(log, &arguments.place, Columns::ALL, &bar)?;
    let mut flame = Flame::new(reader.header(), arguments.by);
    if arguments.diff.is_some() {
        flame = flame.without_arguments();
    }
    if matches!(wish, Some(Metric::Time | Metric::Elapsed)) && flame.quality() == Quality::Unknown {
        let text = "holds no calibration, so what its calls cost is not known; try --metric count";
        return Err(anyhow!("{} {text}", log.display()).into());
    }
    let ending = reader.for_each(|event| flame.add(event, filter.matches(event)));
    bar.finish();
    ending.map_err(|error| input::named(log, error))?;
    input::tell_unreadable(log, &reader);
    Ok(flame)
}

/// A drawing by stack needs some.
fn refuse_without_stacks(log: &Path, flame: &Flame, metric: Metric) -> Result<(), Failure> {
    let text = match metric {
        // A command that hardly runs may end before its first sample; its waits are known all the same.
        Metric::Wall if flame.samples() == 0 && flame.has_waits() => return Ok(()),
        Metric::Cpu | Metric::Wall if flame.samples() == 0 => no_samples(flame),
        Metric::Wall if !flame.has_waits() => {
            "does not tell when threads waited (of samples that ptrace takes, and in the log of samples of trace startup, that is \
             not known): --metric cpu draws where they were on a CPU"
        }
        Metric::Time | Metric::Elapsed | Metric::Count | Metric::Bytes
            if flame.calls_with_stack() == 0 && flame.samples() > 0 =>
        {
            "holds no stacks of calls, but of CPU samples: --metric cpu draws them"
        }
        Metric::Time | Metric::Elapsed | Metric::Count | Metric::Bytes if flame.calls_with_stack() == 0 => {
            no_stacks(flame)
        }
        _ => return Ok(()),
    };
    Err(anyhow!("{} {text}", log.display()).into())
}

/// Why there are no CPU samples, and what to do.
fn no_samples(flame: &Flame) -> &'static str {
    match flame.samples_asked() {
        false => "holds no CPU samples: `trace record --sample HZ` takes some",
        true if !flame.integrity().complete => {
            "holds no CPU samples as far as it is there, though some were asked for"
        }
        true => {
            "holds no CPU samples, though some were asked for: the command used too little CPU time; take more a second"
        }
    }
}

/// Why no call has a stack, and what to do.
fn no_stacks(flame: &Flame) -> &'static str {
    let integrity = flame.integrity();
    match flame.stacks_asked() {
        None => "holds no stacks of calls: `trace record --stacks python` (native, both) takes them",
        Some(_) if !integrity.complete => {
            "holds no stacks of calls as far as it is there, though they were asked for"
        }
        Some(_) if flame.calls() == 0 => "holds no call that is chosen",
        Some("python") if integrity.is_marked(mark::UNREAD_PYTHON) => {
            "holds no stacks of calls: the Python that ran is none whose functions can be read; --stacks native takes those of \
             its machine code"
        }
        Some("python") => {
            "holds no stacks of calls: no function of Python made a call that is chosen; --stacks native takes those of machine \
             code, of any program"
        }
        Some(_) => {
            "holds no stacks of calls, though they were asked for: of none of those chosen any function is known"
        }
    }
}

/// The metric asked for.
fn wished(arguments: &Arguments) -> Result<Option<Metric>, Failure> {
    if arguments.metric == Some(Metric::Cpu) && arguments.by != By::Stack {
        return Err(Failure::with_code(2, anyhow!("--metric cpu is for --by stack")));
    }
    if arguments.metric == Some(Metric::Wall) && !matches!(arguments.by, By::Import | By::Stack) {
        return Err(Failure::with_code(2, anyhow!("--metric wall is for --by import and --by stack")));
    }
    let by_call = matches!(arguments.metric, Some(Metric::Time | Metric::Count));
    if arguments.by == By::Import && !by_call && arguments.filter.typed().is_some() {
        return Err(Failure::with_code(
            2,
            anyhow!("-e, -P, -z and -Z by import are for --metric time or count"),
        ));
    }
    if arguments.by == By::Import && arguments.metric == Some(Metric::Bytes) {
        return Err(Failure::with_code(2, anyhow!("--metric bytes is not for --by import")));
    }
    match (arguments.metric, arguments.waits) {
        (None, true) if arguments.by == By::Import => {
            Err(Failure::with_code(2, anyhow!("--waits is for --metric time")))
        }
        (None | Some(Metric::Time), true) => Ok(Some(Metric::Elapsed)),
        (_, true) => Err(Failure::with_code(2, anyhow!("--waits is for --metric time"))),
        (metric, false) => Ok(metric),
    }
}

/// The best metric there is, where none was asked for.
fn best<'a>(logs: impl IntoIterator<Item = (&'a Path, &'a Flame)>) -> Metric {
    let unknown = logs.into_iter().find(|(_, flame)| flame.quality() == Quality::Unknown);
    let Some((log, _)) = unknown else { return Metric::Time };
    let text = "holds no calibration, so what its calls cost is not known: they are counted";
    note(format_args!("{} {text}", log.display()));
    Metric::Count
}

/// What is missing from a log is said before anything else.
fn warn(log: &Path, integrity: &Integrity) {
    for line in notes::integrity(integrity) {
        note(format_args!("{}: {line}", log.display()));
    }
}

fn draw(arguments: &Arguments, drawing: &Drawing) -> Result<Vec<u8>, Failure> {
    let compared = arguments.diff.is_some();
    let mut bytes = Vec::new();
    let drawn = if arguments.folded {
        flame::folded(&mut bytes, &drawing.graph, compared)?;
        !bytes.is_empty()
    } else if arguments.speedscope {
        flame::speedscope(&mut bytes, drawing)?
    } else if arguments.json {
        flame::json(&mut bytes, drawing, compared)?
    } else {
        let filter = arguments.filter.typed();
        let other = arguments.diff.as_ref().map(|other| other.display().to_string());
        let caption = Caption { filter: filter.as_deref(), other: other.as_deref() };
        flame::svg(&mut bytes, drawing, &caption)?
    };
    if drawn {
        return Ok(bytes);
    }
    refuse_without_imports(&arguments.log, drawing)?;
    let log = escape(arguments.log.as_os_str().as_encoded_bytes());
    Err(match (drawing.calls, drawing.metric) {
        (0, _) if drawing.tracers.0 > 0 => {
            anyhow!("there is nothing to draw: all CPU samples of {log} were taken in what records calls")
        }
        (0, _) => anyhow!("there is nothing to draw: no call of {log} is chosen"),
        (_, Metric::Bytes) => anyhow!("there is nothing to draw: the calls of {log} read and wrote nothing"),
        _ => anyhow!("there is nothing to draw: the calls of {log} took no time; try --metric count"),
    }
    .into())
}

/// A drawing by import needs some.
fn refuse_without_imports(log: &Path, drawing: &Drawing) -> Result<(), Failure> {
    if drawing.by != By::Import || drawing.calls > 0 {
        return Ok(());
    }
    if log.as_os_str() == "-" {
        return Err(anyhow!("there is nothing to draw: standard input holds no imports").into());
    }
    let name = escape(log.as_os_str().as_encoded_bytes());
    Err(anyhow!("{name} {}", super::imports::absence(log)?).into())
}

fn write(arguments: &Arguments, output: Option<&Path>, bytes: &[u8]) -> Result<(), Failure> {
    match output {
        Some(path) if arguments.folded => drawing_file::replace_folded(path, bytes)?,
        Some(path) if arguments.speedscope => drawing_file::replace_speedscope(path, bytes)?,
        Some(path) => drawing_file::replace_svg(path, bytes)?,
        None => {
            let end = if is_text(arguments) { &[] } else { drawing_file::SIGNATURE };
            to_stdout(|out| out.write_all(bytes).and_then(|()| out.write_all(end)))?;
        }
    }
    Ok(())
}

/// Draws the imports of a log; false: they have no width.
pub(super) fn draw_by_import(out: &mut Vec<u8>, log: &Path) -> Result<bool, Failure> {
    let mut reader = log::Reader::open(log)?;
    let mut flame = Flame::new(reader.header(), By::Import);
    reader.for_each(|event| flame.add(event, true))?;
    Ok(flame::svg(out, &flame.finish(Metric::Wall), &Caption::default())?)
}
