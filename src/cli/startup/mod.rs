//! `trace startup`: where a program's startup time goes.
//!
//! Untraced runs come first and tell the true times (`untraced`); a traced run, the shortest of a
//! few, tells the structure (`traced`); the report puts both together (`report_output`).

mod cold;
mod from;
mod left;
mod repeats;
mod sampled;
mod stacks;
mod traced;
pub(super) mod untraced;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};
use std::str::FromStr;

use clap::Args;

use self::traced::{Candidate, Plan, Traced, trace_shortest};
use self::untraced::{End, Over, measure};
use super::choice;
use super::command;
use super::drawing_file::{check_plot, draw};
use super::failure::{Failure, note};
use super::input;
use super::names::output_path;
use super::plot;
use super::report_output::{Files, ReportOutput};
use super::samples::Samples;
use crate::analysis::flame::Drawing;
use crate::analysis::startup::{Report, Startup};
use crate::capture::launch::Command;
use crate::capture::ptrace::entry_point;
use crate::capture::ready::{AtReady, EndBy, Until};
use crate::capture::select::{CHOICES, Wanted};
use crate::capture::stdio::Stdio;
use crate::capture::untraced::{self as runs, Policy, Ready, signal_name};
use crate::capture::{BetweenRuns, StackFrames};
use crate::event::escape;
use crate::log;
use crate::report::look::Look;
use crate::report::startup::{self, Options, TOP};

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Arguments {
    /// Make N counted untraced runs [default: at least 10 and 1 s, at most 5 s, 15 s with --prepare]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = choice::runs)]
    pub(super) runs: Option<u32>,

    /// Run a shell command before each run, to put back what a run changes
    #[arg(long, value_name = "COMMAND")]
    pub(super) prepare: Option<String>,

    /// Go on when the command fails
    #[arg(short, long)]
    pub(super) ignore_failure: bool,

    /// Measure cold starts as well: empty the page cache before each of some runs
    #[arg(long)]
    pub(super) cold: bool,

    /// A run is over when the command is ready: listen, output=REGEX, open=PATH, idle=MS; or exit [default]
    #[arg(long, value_name = "WHAT", value_parser = choice::completed(Until::from_str, &UNTIL), hide_possible_values = true)]
    pub(super) until: Option<Until>,

    /// What becomes of a command that is ready: it is ended by TERM, INT or KILL (KILL after 5 s in any case), or
    /// left running (leave: one traced run, no untraced ones)
    #[arg(long, value_name = "HOW", default_value = "TERM", requires = "until", value_parser = choice::completed(at_ready, &AT_READY), hide_possible_values = true)]
    end: AtReady,

    /// Trace until the command's first process ends; others go on untraced (wall time never waits for them)
    #[arg(long)]
    pub(super) leader_only: bool,

    /// How to trace: eBPF where it is permitted, whose costs are true, or ptrace
    #[arg(long, value_name = "NAME", value_parser = choice::named(&CHOICES), default_value = "auto")]
    pub(super) backend: Wanted,

    /// Take HZ CPU samples a second in runs of their own, up to the kernel's maximum (0: make no such runs) [default: 4000];
    /// given a rate, write them to a log beside the other one, for trace flame --by stack. Where perf events are refused,
    /// ptrace takes them, in user mode only
    #[arg(long, value_name = "HZ", value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub(super) sample: Option<u32>,

    /// Take the stack of each call about files in one more run, by ptrace, and put it on the call in the log, whose times stay
    /// those of the run without: python, native or both. With --sample HZ, samples have these frames, too, and ptrace takes them
    #[arg(long, value_name = "FRAMES", value_parser = choice::named(&StackFrames::ALL))]
    pub(super) stacks: Option<StackFrames>,

    /// Write the log to FILE and the flame graph beside it [default: named after the command, in the
    /// current directory]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Draw who did what when, as trace plot does, to FILE (SVG)
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,

    /// Show every row of every table
    #[arg(long)]
    all: bool,

    /// Print the report as JSON; the command's own output goes to standard error
    #[arg(long)]
    json: bool,

    /// Run nothing: make the report of this log, ours or strace's text, or - for standard input
    #[arg(long, value_name = "LOG", conflicts_with_all = [
        "command", "runs", "prepare", "ignore_failure", "cold", "until", "leader_only", "backend", "output", "plot",
        "stacks",
    ])]
    from: Option<PathBuf>,

    #[command(flatten)]
    place: input::Place,

    /// The command and its arguments
    #[arg(
        value_name = "CMD",
        required_unless_present = "from",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub(super) command: Vec<OsString>,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    if let Some(log) = &arguments.from {
        return from::run(log, &arguments.place, top(arguments), arguments.json);
    }
    let command = command::resolve_repeated(&arguments.command)?;
    let leaves = arguments.end == AtReady::Leave;
    if leaves {
        let refused = left::check(arguments);
        refused.map_err(|text| Failure::of_trace(anyhow::anyhow!(text)))?;
    }
    if let Some(hz) = arguments.sample {
        Samples::check_rate(hz, arguments.stacks)?;
    }
    // From here on there is a log, which is not to be left empty.
    let between = BetweenRuns::keep();
    let output = output_path(arguments.output.as_deref(), &arguments.command)?;
    if let Some(plot) = &arguments.plot {
        if *plot == output.with_extension("svg") {
            let text = "is where the flame graph goes, beside the log: name another file for the plot";
            return Err(Failure::of_trace(anyhow::anyhow!("{} {text}", plot.display())));
        }
        check_plot(plot).map_err(|error| Failure::of_trace(anyhow::Error::from(error)))?;
    }
    let out = ReportOutput::new(arguments.json).map_err(Failure::of_trace)?;
    let until = arguments.until.clone().filter(|until| !matches!(until, Until::Exit));
    if let Some(until) = until.clone().filter(|_| leaves) {
        drop(between);
        return left::run(arguments, until, (&command, &output), out);
    }
    entry_point::prepare_in_background();
    let mut stdio = Stdio::new().map_err(Failure::of_trace)?;
    let ready = until.map(|until| Ready::new(until, arguments.end, &mut stdio));
    match traced(arguments, (&command, ready.as_ref()), &output, &mut stdio) {
        Ok(traced) => report(arguments, out, &output, traced, between),
        Err(over) => {
            drop(between);
            end_early(&arguments.command, out, *over)
        }
    }
}

/// Rows of each list.
fn top(arguments: &Arguments) -> usize {
    if arguments.all { usize::MAX } else { TOP }
}

/// Words of `--until`, as far as they are always the same.
const UNTIL: [&str; 5] = ["listen", "output=", "open=", "idle=", "exit"];

/// Words of `--end`.
const AT_READY: [&str; 4] = ["TERM", "INT", "KILL", "leave"];

/// Takes what `--end` says.
fn at_ready(name: &str) -> Result<AtReady, &'static str> {
    match name.trim_start_matches("SIG") {
        "TERM" => Ok(AtReady::End(EndBy::Term)),
        "INT" => Ok(AtReady::End(EndBy::Int)),
        "KILL" => Ok(AtReady::End(EndBy::Kill)),
        "leave" => Ok(AtReady::Leave),
        _ => Err("it is one of: TERM, INT, KILL, leave"),
    }
}

/// Makes all the runs.
fn traced(
    arguments: &Arguments,
    (command, ready): (&Command, Option<&Ready>),
    output: &Path,
    stdio: &mut Stdio,
) -> Result<Traced, Box<Over>> {
    let options = runs::Options {
        policy: Policy { runs: arguments.runs.map(|runs| runs as usize), ..Policy::default() },
        prepare: arguments.prepare.clone(),
        ignore_failure: arguments.ignore_failure,
        ready: ready.cloned(),
        ..runs::Options::default()
    };
    let mut untraced = measure(command, stdio, &options)?;
    let plan = Plan { arguments, command, output, ready, untraced: &untraced, sample: None, stacks: None };
    let cold = if arguments.cold { cold::measure(&plan, stdio)? } else { None };
    let (cold, runs) = cold.unzip();
    untraced.cold = runs;
    let plan = Plan { arguments, command, output, ready, untraced: &untraced, sample: None, stacks: None };
    let mut traced = trace_shortest(&plan, stdio)?;
    if let (Some(frames), None) = (arguments.stacks, traced.ended_by) {
        match stacks::add(&plan, stdio, frames) {
            Ok(ended_by) => traced.ended_by = ended_by,
            Err(failure) => traced.failures.push(failure),
        }
    }
    if traced.ended_by.is_none() {
        traced.sampled = sampled::sample(&plan, stdio);
        traced.ended_by = traced.sampled.ended_by;
        traced.failures.extend(traced.sampled.failure.take());
    }
    if let (Some(cold), None) = (cold, traced.ended_by) {
        match cold::phases(&plan, stdio, &cold) {
            Ok(phases) => traced.cold_phases = phases,
            Err(signal) => {
                let name = signal_name(signal);
                note(format_args!(
                    "ended by {name} in the cold traced run; the report is without its phases"
                ));
                traced.ended_by = Some(signal);
            }
        }
    }
    Ok(traced)
}

/// Analyses the log and prints the report.
pub(super) fn report(
    arguments: &Arguments,
    out: ReportOutput,
    output: &Path,
    Traced { recorded, ended_by, cold_phases, sampled, mut failures }: Traced,
    between: BetweenRuns,
) -> Result<ExitCode, Failure> {
    let (mut report, drawing) = match analyse(output) {
        Ok(analysed) => analysed,
        // Why it could not be written comes before what is wrong with what there is.
        Err(unreadable) => return Err(Failure::of_trace(recorded.log.err().unwrap_or(unreadable))),
    };
    if let Some(cold) = &mut report.cold {
        cold.phases = cold_phases;
    }
    report.cpu_samples = sampled.kept;
    match sampled.partition {
        Ok(partition) => report.partition = Some(partition),
        Err(why) => report.not_sampled = Some(why),
    }
    let by_stack =
        arguments.stacks.map(|_| stacks::drawing(output)).transpose().map_err(Failure::of_trace)?.flatten();
    let graph = output.with_extension("svg");
    let drawn = draw(&graph, by_stack.as_ref().unwrap_or(&drawing));
    let graph = matches!(drawn, Ok(true)).then_some(graph.as_path());
    let plotted = arguments.plot.as_deref().map_or(Ok(()), |plot| {
        let log = sampled.log.as_ref().map_or_else(|| output.to_owned(), Candidate::path);
        plot::draw_log(plot, &log)
    });
    let files = Files { log: output, flame_graph: graph };
    out.write(&report, files, &recorded.left_running, |out, last| {
        startup::write(out, &report, Options { top: top(arguments), look: Look::of_stdout(), last })
    })
    .map_err(Failure::of_trace)?;
    let ended_by = ended_by.or(between.end());
    recorded.warnings.iter().for_each(note);
    failures.extend(undrawn(drawn));
    if let Err(failure) = plotted {
        failures.push(Failure::of_trace(anyhow::anyhow!("no plot: {}", failure.text())));
    }
    if let Err(error) = &recorded.log {
        failures.push(Failure::of_trace(anyhow::anyhow!("the log is incomplete: {error}")));
    }
    end(failures, ended_by, recorded.status).finish()
}

/// As the command ended, where all that was asked for has been done. The last failure is the end itself, those before are
/// told here; a signal ends us in any case.
fn end(mut failures: Vec<Failure>, ended_by: Option<i32>, status: ExitStatus) -> End {
    let last = if ended_by.is_none() { failures.pop() } else { None };
    for failure in failures {
        note(failure.text());
    }
    match (ended_by, last) {
        (Some(signal), _) => End::by_signal(signal),
        (None, Some(failure)) => End::Failure(failure),
        (None, None) => End::Status(status),
    }
}

/// Why there is no flame graph. That somebody else's file is in its place is only told of: nobody asked for it by name.
fn undrawn(drawn: io::Result<bool>) -> Option<Failure> {
    let error = drawn.err()?;
    let failure = Failure::of_trace(anyhow::anyhow!("no flame graph: {error}"));
    if error.kind() != io::ErrorKind::AlreadyExists {
        return Some(failure);
    }
    note(failure.text());
    None
}

/// Nothing was traced: prints what was measured all the same, if anything was.
pub(super) fn end_early(command: &[OsString], out: ReportOutput, over: Over) -> Result<ExitCode, Failure> {
    let words: Vec<String> = command.iter().map(|word| escape::text(word.as_encoded_bytes())).collect();
    out.write_untraced(&words, &over.untraced, &over.reason).map_err(Failure::of_trace)?;
    over.end.finish()
}

pub(super) fn analyse(output: &Path) -> Result<(Report, Drawing), log::Error> {
    let mut reader = log::Reader::open(output)?;
    let mut startup = Startup::new(reader.header());
    reader.for_each(|event| startup.add(event))?;
    Ok(startup.finish())
}
