//! `trace assert`: whether a run keeps to its budgets, for continuous integration.
//!
//! Exit codes: 0 all budgets met, 1 one is broken, 2 a wrong command line or expression, 125 where `trace` itself
//! cannot tell (126 and 127: the command cannot be run, as env(1) has it).

mod runs;

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::Args;
use serde::Serialize;

use self::runs::{Measured, Runs};
use super::choice;
use super::failure::{Failure, by_signal, note};
use super::input;
use super::report_output::ReportOutput;
use crate::analysis::budget::{self, Budget, DEFAULT_METRICS, Learned, Metric, Reading, Verdict, parse};
use crate::capture::BetweenRuns;
use crate::capture::select::{CHOICES, Wanted};
use crate::capture::untraced::signal_name;
use crate::report::budget as report;
use crate::report::look::Look;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Take budgets from FILE: one expression a line, # begins a comment (several: all of them)
    #[arg(long, value_name = "FILE")]
    budget: Vec<PathBuf>,

    /// Write a budget that these runs keep to, with a margin, to the FILE of --budget, or to standard output
    #[arg(long)]
    learn: bool,

    /// How much more than seen a learned budget allows, in per cent (three times the range of the runs is added)
    #[arg(long, value_name = "PERCENT", allow_negative_numbers = true, default_value = "2", requires = "learn", value_parser = margin)]
    margin: f64,

    /// Trace the command N times; each run must keep to the budgets [default: 1; 5 with --learn]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = choice::runs)]
    pub(super) runs: Option<u32>,

    /// Run a shell command before each run, to put back what a run changes
    #[arg(long, value_name = "COMMAND")]
    pub(super) prepare: Option<String>,

    /// Judge the command although it fails
    #[arg(short, long)]
    pub(super) ignore_failure: bool,

    /// How to trace: eBPF where it is permitted, or ptrace
    #[arg(long, value_name = "NAME", value_parser = choice::named(&CHOICES), default_value = "auto")]
    pub(super) backend: Wanted,

    /// Print the verdicts, or what was learned, as JSON; the command's own output goes to standard error
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    pub(super) place: input::Place,

    /// A log (ours or strace's text; - for standard input), a directory of logs, or a quoted command
    #[arg(value_name = "LOG|CMD")]
    target: OsString,

    /// Budgets, as 'stat.enoent <= 50' or 'open{path~site-packages} < 200'; with --learn, metrics
    #[arg(value_name = "EXPR")]
    expressions: Vec<String>,
}

/// Takes a margin in per cent.
fn margin(text: &str) -> Result<f64, &'static str> {
    let margin = text.parse().ok().filter(|percent| (0.0..=1000.0).contains(percent));
    margin.ok_or("not a margin in per cent (0 to 1000)")
}

pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let budgets = if arguments.learn { to_learn(arguments)? } else { budgets(arguments)? };
    let metrics: Vec<Metric> = budgets.iter().map(|budget| budget.expression.metric.clone()).collect();
    let to_stdout = arguments.learn && arguments.budget.is_empty();
    let out = ReportOutput::new(arguments.json || to_stdout).map_err(Failure::of_trace)?;
    let runs = Runs {
        count: arguments.runs.unwrap_or(if arguments.learn { 5 } else { 1 }) as usize,
        arguments,
        metrics: &metrics,
    };
    let Measured { readings, interrupted, between } = runs::readings(&arguments.target, &runs)?;
    let made = readings.len();
    let target = arguments.target.to_string_lossy().into_owned();
    if arguments.learn {
        if let Some(why) = readings.iter().find_map(nothing_to_learn) {
            return Err(Failure::of_trace(anyhow!("{target}: {why}: no budget is learned from that")));
        }
        let learned = budget::learn(&metrics, &readings, arguments.margin / 100.0).map_err(|metric| {
            Failure::of_trace(anyhow!("{metric}: the log does not tell this, so no budget is learned"))
        })?;
        let learning = Learning { target: &target, runs: made, learned: &learned };
        // A budget of fewer runs than were asked for takes no other's place.
        let file = arguments.budget.first().filter(|_| interrupted.is_none());
        write_learned(arguments, out, &learning, file.map(PathBuf::as_path))?;
        return Ok(ended(interrupted, between, (made, runs.count)).unwrap_or(ExitCode::SUCCESS));
    }
    let judgement = budget::judge(target, &budgets, readings);
    let shown = out.show_alone(&judgement, |out| report::write(out, &judgement, Look::of_stdout()));
    shown.map_err(Failure::of_trace)?;
    if let Some(code) = ended(interrupted, between, (made, runs.count)) {
        return Ok(code);
    }
    let has = |verdict| judgement.budgets.iter().any(|judged| judged.verdict == verdict);
    Ok(ExitCode::from(match (has(Verdict::Broken), has(Verdict::Unknown)) {
        (true, _) => 1,
        (false, true) => 125,
        (false, false) => 0,
    }))
}

/// What to exit with where a signal has asked for an end: in a run, as is told, or after all that were wanted.
fn ended(
    interrupted: Option<(i32, &'static str)>,
    between: Option<BetweenRuns>,
    (made, wanted): (usize, usize),
) -> Option<ExitCode> {
    let late = between.and_then(BetweenRuns::end);
    if let Some((signal, when)) = interrupted {
        note(format_args!(
            "ended by {} {when}: what is shown is of {made} of {wanted} runs",
            signal_name(signal)
        ));
    }
    interrupted.map(|(signal, _)| signal).or(late).map(by_signal)
}

/// Why counts of a run are no measure of those to come.
fn nothing_to_learn(reading: &Reading) -> Option<&'static str> {
    match &reading.integrity {
        run if run.is_lossy() => Some("events are missing from a log"),
        run if run.calls == 0 => Some("a log has no calls"),
        _ => None,
    }
}

/// All budgets asked for: those of files, then those of the command line.
fn budgets(arguments: &Arguments) -> Result<Vec<Budget>, Failure> {
    let mut budgets = Vec::new();
    for file in &arguments.budget {
        budgets.extend(of_file(file)?);
    }
    for text in &arguments.expressions {
        budgets.push(expression(text, None)?);
    }
    if budgets.is_empty() {
        let text = "there is no budget: name one, as 'stat.enoent <= 50', or a file of them with --budget";
        return Err(Failure::with_code(2, anyhow!(text)));
    }
    Ok(budgets)
}

fn of_file(file: &Path) -> Result<Vec<Budget>, Failure> {
    let text = std::fs::read_to_string(file);
    let text = text.with_context(|| format!("cannot read budgets from {}", file.display()));
    let text = text.map_err(Failure::of_trace)?;
    let lines = text.lines().enumerate();
    let lines =
        lines.map(|(at, line)| (at, without_comment(line).trim())).filter(|(_, line)| !line.is_empty());
    lines.map(|(at, line)| expression(line, Some(format!("{}:{}", file.display(), at + 1)))).collect()
}

/// A line up to a # that stands at its beginning or behind a blank: one within a path is part of it.
fn without_comment(line: &str) -> &str {
    let comment = line.match_indices('#').find(|(at, _)| line[..*at].ends_with([' ', '\t']) || *at == 0);
    comment.map_or(line, |(at, _)| &line[..at])
}

fn expression(text: &str, source: Option<String>) -> Result<Budget, Failure> {
    match parse(text) {
        Ok(expression) => Ok(Budget { expression, source }),
        Err(error) => {
            let place = source.map_or_else(|| "budget".to_owned(), |source| format!("budget {source}"));
            Err(Failure::with_code(2, anyhow!("{place}, column {}: {error}", error.column)))
        }
    }
}

/// The metrics to learn: those of the command line, or the usual ones.
fn to_learn(arguments: &Arguments) -> Result<Vec<Budget>, Failure> {
    if arguments.budget.len() > 1 {
        return Err(Failure::with_code(2, anyhow!("--learn writes one file: name it once with --budget")));
    }
    let texts: Vec<&str> = match arguments.expressions.as_slice() {
        [] => DEFAULT_METRICS.into(),
        texts => texts.iter().map(String::as_str).collect(),
    };
    let metrics: Vec<Budget> =
        texts.into_iter().map(|text| expression(text, None)).collect::<Result<_, _>>()?;
    match metrics.iter().find(|budget| budget.expression.limit.is_some()) {
        Some(limited) => {
            let text = &limited.expression.text;
            Err(Failure::with_code(
                2,
                anyhow!("{text}: --learn finds the limit itself; name the metric only"),
            ))
        }
        None => Ok(metrics),
    }
}

/// What was learned, as a value.
#[derive(Debug, Serialize)]
struct Learning<'a> {
    target: &'a str,
    runs: usize,
    learned: &'a [Learned],
}

/// To the file of `--budget` or to standard output; there goes JSON, too.
fn write_learned(
    arguments: &Arguments,
    out: ReportOutput,
    learning: &Learning<'_>,
    file: Option<&Path>,
) -> Result<(), Failure> {
    let head = report::Head { target: learning.target, runs: learning.runs };
    let write = |out: &mut dyn Write| report::write_learned(out, head, learning.learned);
    if let Some(path) = file {
        let failed = || format!("cannot write the budget to {}", path.display());
        let mut writer =
            File::create(path).map(BufWriter::new).with_context(failed).map_err(Failure::of_trace)?;
        let written = write(&mut writer).and_then(|()| writer.flush());
        written.with_context(failed).map_err(Failure::of_trace)?;
        note(format_args!("a budget is in {}", path.display()));
    }
    let shown = match (arguments.json, arguments.budget.is_empty()) {
        (true, _) => out.show_alone(learning, |_| Ok(())),
        (false, true) => out.write_kept(write),
        (false, false) if file.is_none() => out.show_alone(learning, write),
        (false, false) => Ok(()),
    };
    shown.map_err(Failure::of_trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_begin_behind_a_blank() {
        let cases =
            [("# all", ""), ("stat < 5 # why", "stat < 5 "), ("open{path~a#b} < 5", "open{path~a#b} < 5")];
        for (line, kept) in cases {
            assert_eq!(without_comment(line), kept);
        }
    }
}
