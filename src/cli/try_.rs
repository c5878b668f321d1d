//! `trace try`: applies what the findings of a command suggest, where that can be done without changing
//! anything, and measures each remedy against the command as it is.
//!
//! Three untraced runs and a traced one give the findings; one run of each remedy, and two of the original,
//! tell whether its output and exit status stay the same; then all run in turn, in rounds of random order.

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use anyhow::Context;
use clap::Args;

use super::choice;
use super::failure::{Failure, note, refuse_option};
use super::output::WRITING;
use super::progress::RunsBar;
use super::remedies::{self, Applied, Edit};
use super::startup_output::ReportOutput;
use super::tracing::{Backend, CALIBRATION_CALLS, Job, trace_command};
use crate::analysis::findings::{Finding, Remedy, Safety};
use crate::analysis::interval::summarize;
use crate::analysis::startup::{Report, Startup};
use crate::analysis::trial::{Difference, Effect, NotTried, Trial, Trials, Verdict};
use crate::capture::launch::{self, Command};
use crate::capture::ptrace::entry_point;
use crate::capture::stdio::Stdio;
use crate::capture::untraced::{self, Ending, Output, Policy, Rounds, RunError, Series};
use crate::log::{self, Untraced};
use crate::report::look::Look;
use crate::report::trial;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Make N rounds, in each of which the command and every remedy run once [default: at least 12, 1 s each]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = choice::runs)]
    runs: Option<u32>,

    /// Run a shell command before each run, to put back what a run changes
    #[arg(long, value_name = "COMMAND")]
    prepare: Option<String>,

    /// Try remedies of these kinds of findings only (see docs/findings.md)
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    only: Vec<String>,

    /// Print the report as JSON; the command's own output goes to standard error
    #[arg(long)]
    json: bool,

    /// The command and its arguments
    #[arg(value_name = "CMD", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

/// Counted untraced runs before the traced one.
const RUNS: usize = 3;
/// How often the command is traced, if it is quick.
const TRACED_RUNS: usize = 3;
/// A traced run that takes longer than this is not repeated.
const QUICK: Duration = Duration::from_secs(1);

/// A remedy that can be tried.
struct Candidate<'a> {
    /// `None`: several remedies together.
    finding: Option<(&'a Finding, &'a Remedy, Safety)>,
    edit: Edit,
    applied: Applied,
    effect: Effect,
}

/// What the command does as it is.
struct Before {
    output: Output,
    /// It wrote the same to standard output twice.
    stable: bool,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    refuse_option(&arguments.command)?;
    let kinds = crate::analysis::findings::KINDS.map(|kind| kind.name);
    if let Some(unknown) = arguments.only.iter().find(|only| !kinds.contains(&only.as_str())) {
        let text = format!("--only {unknown}: no such finding; there are {}", kinds.join(", "));
        return Err(Failure::of_trace(anyhow::anyhow!(text)));
    }
    let command = Command::resolve(arguments.command.iter().cloned())
        .map_err(|error| Failure::with_code(error.exit_code(), error))?;
    let out = ReportOutput::new(arguments.json).map_err(Failure::of_trace)?;
    let mut session =
        Session { arguments, command: &command, stdio: Stdio::new().map_err(Failure::of_trace)?, runs: 0 };
    let scratch = tempfile::Builder::new().prefix("trace-try-").tempdir().map_err(Failure::of_trace)?;
    let (report, status) = match session.findings(scratch.path())? {
        Found::Report(report, status) => (report, status),
        Found::Over(code) => return Ok(code),
    };
    let (mut candidates, not_tried) = session.candidates(&report, scratch.path());
    let output_compared = session.compare(&mut candidates)?;
    let Some(series) = session.measure(&candidates, status)? else { return Ok(ExitCode::from(130)) };
    let trials = Trials {
        command: arguments.command.iter().map(|word| word.to_string_lossy().into_owned()).collect(),
        output_compared,
        not_tried,
        ..trials(&candidates, &series)
    };
    show(out, &trials).context(WRITING).map_err(Failure::of_trace)?;
    Ok(ExitCode::SUCCESS)
}

enum Found {
    /// The report of the command, and how it ends.
    Report(Box<Report>, ExitStatus),
    /// The command failed or was interrupted.
    Over(ExitCode),
}

struct Session<'a> {
    arguments: &'a Arguments,
    command: &'a Command,
    stdio: Stdio,
    /// Runs made so far: the first one has the real streams.
    runs: usize,
}

impl Session<'_> {
    fn findings(&mut self, scratch: &Path) -> Result<Found, Failure> {
        entry_point::prepare_in_background();
        let policy = Policy { runs: Some(RUNS), ..Policy::default() };
        let options = untraced::Options {
            policy,
            prepare: self.arguments.prepare.clone(),
            ..untraced::Options::default()
        };
        let mut bar = RunsBar::new();
        let outcome = untraced::measure(self.command, &mut self.stdio, &options, &mut bar);
        bar.finish();
        self.runs = RUNS + 1;
        let status = match (outcome.ending, outcome.status) {
            (Ending::Enough | Ending::TimeUp { .. }, Some(status)) => status,
            (Ending::Broken { error: RunError::Launch(error), .. }, _) => {
                return Err(Failure::with_code(error.exit_code(), error));
            }
            (ending, status) => {
                note(&ending);
                return Ok(Found::Over(ExitCode::from(
                    status.map_or(125, |status| launch::pass_on(status).max(1)),
                )));
            }
        };
        let log = self.trace_shortest(scratch, &outcome.untraced)?;
        let mut reader = log::Reader::open(&log).map_err(Failure::of_trace)?;
        let mut startup = Startup::new(reader.header());
        reader.for_each(|event| startup.add(event)).map_err(Failure::of_trace)?;
        Ok(Found::Report(Box::new(startup.finish().0), status))
    }

    /// The log of the shortest traced run, in which the CPU was least given to others.
    fn trace_shortest(&mut self, scratch: &Path, untraced: &Untraced) -> Result<PathBuf, Failure> {
        let mut best: Option<(Duration, PathBuf)> = None;
        for run in 0..TRACED_RUNS {
            let log = scratch.join(format!("{run}.trace"));
            let took = self.trace(&log, untraced.clone())?;
            if best.as_ref().is_none_or(|(shortest, _)| took < *shortest) {
                best = Some((took, log));
            }
            if took > QUICK {
                break;
            }
        }
        best.map(|(_, log)| log).ok_or_else(|| Failure::of_trace(anyhow::anyhow!("no run was traced")))
    }

    /// Runs the preparing command; a signal that comes meanwhile ends all.
    fn prepare(&self) -> Result<(), Failure> {
        let prepared = untraced::prepare_run(self.arguments.prepare.as_deref()).map_err(Failure::of_trace)?;
        prepared.map_or(Ok(()), |signal| {
            let name = untraced::signal_name(signal);
            let error = anyhow::anyhow!("ended by {name} before a run of the command");
            Err(Failure::with_code(128 + signal as u8, error))
        })
    }

    fn trace(&mut self, log: &Path, untraced: Untraced) -> Result<Duration, Failure> {
        entry_point::prepare();
        self.prepare()?;
        let mut streams = self.stdio.for_run(self.runs).map_err(Failure::of_trace)?;
        self.runs += 1;
        let job = Job {
            command: self.command,
            words: &self.arguments.command,
            output: log,
            leader_only: false,
            calibration_calls: CALIBRATION_CALLS,
            backend: Backend::Ptrace,
            ready: None,
            quiet: false,
            untraced: Some(untraced),
        };
        let recorded = trace_command(&job, streams.streams, || streams.launched())?;
        streams.finish();
        recorded.log.map_err(Failure::of_trace)?;
        Ok(recorded.elapsed)
    }

    fn candidates<'r>(&self, report: &'r Report, scratch: &Path) -> (Vec<Candidate<'r>>, Vec<NotTried>) {
        let (mut candidates, mut not_tried) = (Vec::new(), Vec::new());
        let only = &self.arguments.only;
        let wanted = |finding: &&Finding| only.is_empty() || only.iter().any(|kind| kind == finding.kind);
        for finding in report.findings.list.iter().filter(wanted) {
            let Some((remedy, safety)) = finding.remedy.as_ref().zip(finding.safety) else { continue };
            let edit = remedies::edit(remedy, scratch);
            match edit.and_then(|edit| Ok((remedies::apply(self.command, &[&edit])?, edit))) {
                Ok((applied, edit)) => candidates.push(Candidate {
                    finding: Some((finding, remedy, safety)),
                    edit,
                    applied,
                    effect: Effect::Same,
                }),
                Err(why) => not_tried.push(NotTried { finding: finding.kind, why }),
            }
        }
        (candidates, not_tried)
    }

    /// Finds out what each remedy does to output and status, and adds all of them together that do the same as
    /// the command. Whether its output is always the same.
    fn compare(&mut self, candidates: &mut Vec<Candidate<'_>>) -> Result<bool, Failure> {
        if candidates.is_empty() {
            return Ok(true);
        }
        let (output, second) = (self.outcome(self.command)?, self.outcome(self.command)?);
        let before = Before { stable: output == second, output };
        for candidate in candidates.iter_mut() {
            candidate.effect = self.effect(candidate, &before)?;
        }
        let same = |candidate: &&Candidate<'_>| matches!(candidate.effect, Effect::Same | Effect::StatusSame);
        let harmless: Vec<&Edit> = candidates.iter().filter(same).map(|candidate| &candidate.edit).collect();
        if harmless.len() > 1
            && let Ok(applied) = remedies::apply(self.command, &harmless)
        {
            let edit = remedies::together(&harmless);
            let mut together = Candidate { finding: None, edit, applied, effect: Effect::Same };
            together.effect = self.effect(&together, &before)?;
            candidates.push(together);
        }
        Ok(before.stable)
    }

    fn effect(&mut self, candidate: &Candidate<'_>, before: &Before) -> Result<Effect, Failure> {
        if candidate.edit.primes {
            self.outcome(&candidate.applied.command)?;
        }
        let after = self.outcome(&candidate.applied.command)?;
        Ok(match (after.status == before.output.status, after.stdout == before.output.stdout) {
            (false, _) => Effect::StatusDiffers,
            (true, _) if !before.stable => Effect::StatusSame,
            (true, false) => Effect::OutputDiffers,
            (true, true) => Effect::Same,
        })
    }

    /// The runs of the command and of each candidate that ends as it does (none of the others), in rounds.
    /// `None`: somebody asked for an end.
    fn measure(
        &mut self,
        candidates: &[Candidate<'_>],
        status: ExitStatus,
    ) -> Result<Option<Vec<Series>>, Failure> {
        let mut series = vec![Series::default(); candidates.len() + 1];
        let alive: Vec<usize> =
            (0..candidates.len()).filter(|&at| candidates[at].effect != Effect::StatusDiffers).collect();
        if alive.is_empty() {
            return Ok(Some(series));
        }
        let changed = alive.iter().map(|&at| candidates[at].applied.command.clone());
        let commands: Vec<Command> = [self.command.clone()].into_iter().chain(changed).collect();
        let rounds = Rounds { rounds: self.arguments.runs.map(|runs| runs as usize), ..Rounds::default() };
        let preparing = self.arguments.prepare.as_deref();
        let mut bar = RunsBar::now("rounds of remedies and original");
        let measured =
            untraced::interleaved(&commands, &mut self.stdio, &rounds, preparing, status, &mut bar);
        bar.finish();
        let (all, signal) = measured.map_err(Failure::of_trace)?;
        if let Some(status) = all.first().and_then(|original| original.failed) {
            let text = "the command as it is ended in another way than before";
            let advice = "if a run leaves something behind, --prepare 'COMMAND' can put it back";
            return Err(Failure::of_trace(anyhow::anyhow!("{text} ({status}); {advice}")));
        }
        for (own, place) in all.into_iter().zip([0].into_iter().chain(alive.iter().map(|at| at + 1))) {
            series[place] = own;
        }
        Ok(signal.is_none().then_some(series))
    }

    fn outcome(&mut self, command: &Command) -> Result<Output, Failure> {
        self.prepare()?;
        let run = self.runs;
        self.runs += 1;
        untraced::outcome(command, &mut self.stdio, run).map_err(Failure::of_trace)
    }
}

/// What came of it: `series` has the original's runs first, then those of each candidate.
fn trials(candidates: &[Candidate<'_>], series: &[Series]) -> Trials {
    let original = series.first().map_or(&[][..], |series| &series.runs);
    let tried = candidates.iter().zip(series.iter().skip(1));
    Trials {
        original_wall_ns: summarize(original.iter().map(|run| run.wall_ns)),
        tried: tried.map(|(candidate, own)| trial(candidate, original, own)).collect(),
        ..Trials::default()
    }
}

fn trial(candidate: &Candidate<'_>, original: &[log::Run], own: &Series) -> Trial {
    let effect = if own.failed.is_some() { Effect::StatusDiffers } else { candidate.effect };
    let measured = Difference::of(original, &own.runs);
    Trial {
        finding: candidate.finding.map(|(finding, ..)| finding.kind),
        what: candidate.edit.what.as_str().into(),
        shell: candidate.applied.shell.as_str().into(),
        remedy: candidate.finding.map(|(_, remedy, _)| remedy.clone()),
        safety: candidate.finding.map(|(.., safety)| safety),
        predicted: candidate.finding.map(|(finding, ..)| finding.saving),
        measured,
        effect,
        verdict: Verdict::of(measured.as_ref(), effect),
    }
}

fn show(out: ReportOutput, trials: &Trials) -> io::Result<()> {
    if let Some(file) = out.into_kept() {
        let mut out = BufWriter::new(file);
        serde_json::to_writer_pretty(&mut out, trials)?;
        writeln!(out)?;
        return out.flush();
    }
    let mut out = BufWriter::new(io::stdout().lock());
    writeln!(out)?;
    trial::write(&mut out, trials, Look::of_stdout())?;
    out.flush()
}
