//! The rounds of `trace try`: the command and every remedy, each once in a round; then those together that saved
//! something by themselves, against the best of them.

use std::process::ExitStatus;

use super::super::failure::Failure;
use super::super::progress::RunsBar;
use super::super::remedies::{self, Edit};
use super::compare::{Before, Candidate, before, effect};
use super::session::Session;
use crate::analysis::interval::summarize;
use crate::analysis::trial::{self, Difference, Effect, Interrupted, Trial, Trials, Verdict};
use crate::capture::launch::Command;
use crate::capture::untraced::{self, Rounds, Series};
use crate::log::Run;

/// Tries each candidate, then what was faster together. Where that second part fails, the first is given back all
/// the same, with the failure.
pub fn measure(
    session: &mut Session<'_>,
    mut candidates: Vec<Candidate<'_>>,
    status: ExitStatus,
) -> Result<(Trials, Option<Failure>), Failure> {
    let mut trials = Trials { output_compared: true, ..Trials::default() };
    if candidates.is_empty() {
        return Ok((trials, None));
    }
    let before = before(session)?;
    trials.output_compared = before.stable;
    for candidate in &mut candidates {
        candidate.effect = effect(session, candidate, &before)?;
    }
    // What ends in another way is not measured.
    let alive = |candidate: &&Candidate<'_>| candidate.effect != Effect::StatusDiffers;
    let commands: Vec<_> = candidates.iter().filter(alive).map(|one| &one.applied.command).collect();
    let (all, signal) = rounds(session, &commands, status)?;
    let mut all = all.into_iter();
    let original = all.next().unwrap_or_default().runs;
    trials.original_wall_ns = summarize(original.iter().map(|run| run.wall_ns));
    trials.tried = candidates
        .iter()
        .map(|one| {
            let own = if alive(&one) { all.next().unwrap_or_default() } else { Series::default() };
            tried(one, &original, &own)
        })
        .collect();
    trials.interrupted = signal.map(|signal| interrupted(signal, original.len()));
    let failure = match signal {
        None => together(session, (&candidates, &before), &mut trials, status).err(),
        Some(_) => None,
    };
    trials.recommended = trial::recommended(&trials.tried);
    Ok((trials, failure))
}

fn interrupted(signal: i32, rounds: usize) -> Interrupted {
    Interrupted { signal: untraced::signal_name(signal).to_owned(), number: signal, round: rounds + 1 }
}

/// Tries those together that were faster alone: others would only add what nobody needs.
fn together(
    session: &mut Session<'_>,
    (candidates, before): (&[Candidate<'_>], &Before),
    trials: &mut Trials,
    status: ExitStatus,
) -> Result<(), Failure> {
    let of_use = candidates.iter().zip(&trials.tried).filter(|(_, tried)| tried.verdict == Verdict::Faster);
    let edits: Vec<&Edit> = of_use.map(|(one, _)| &one.edit).collect();
    let best = trial::recommended(&trials.tried).map(|at| &candidates[at]);
    let Some(best) = best.filter(|_| edits.len() > 1) else { return Ok(()) };
    let Ok(applied) = remedies::apply(session.command, &edits) else { return Ok(()) };
    let edit = remedies::together(&edits);
    let mut all_of_use = Candidate { finding: None, edit, applied, effect: Effect::Same };
    all_of_use.effect = effect(session, &all_of_use, before)?;
    if matches!(all_of_use.effect, Effect::StatusDiffers | Effect::OutputDiffers) {
        trials.tried.push(tried(&all_of_use, &[], &Series::default()));
        return Ok(());
    }
    let commands = [&all_of_use.applied.command, &best.applied.command];
    let (all, signal) = rounds(session, &commands, status)?;
    if let [original, own, single] = all.as_slice() {
        let mut trial = tried(&all_of_use, &original.runs, own);
        trial.beyond_best = Difference::of(&single.runs, &own.runs);
        trials.tried.push(trial);
        trials.interrupted = signal.map(|signal| interrupted(signal, original.runs.len()));
    }
    Ok(())
}

/// The runs of the command as it is, and of each of these, in rounds; with the signal that asked for an end.
fn rounds(
    session: &mut Session<'_>,
    changed: &[&Command],
    status: ExitStatus,
) -> Result<(Vec<Series>, Option<i32>), Failure> {
    if changed.is_empty() {
        return Ok((Vec::new(), None));
    }
    let commands: Vec<Command> = [session.command].iter().chain(changed).map(|&one| one.clone()).collect();
    let wanted = session.arguments.runs.map(|runs| runs as usize);
    let rounds = Rounds { rounds: wanted, ..Rounds::default() };
    let preparing = session.arguments.prepare.as_deref();
    let mut bar = RunsBar::now("rounds of remedies and original");
    let measured = untraced::interleaved(&commands, &mut session.stdio, &rounds, preparing, status, &mut bar);
    bar.finish();
    let (all, signal) = measured.map_err(Failure::of_trace)?;
    if let Some(status) = all.first().and_then(|original| original.failed) {
        let text = "the command as it is ended in another way than before";
        let advice = "if a run leaves something behind, --prepare 'COMMAND' can put it back";
        return Err(Failure::of_trace(anyhow::anyhow!("{text} ({status}); {advice}")));
    }
    Ok((all, signal))
}

fn tried(candidate: &Candidate<'_>, original: &[Run], own: &Series) -> Trial {
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
        beyond_best: None,
        effect,
        verdict: Verdict::of(measured.as_ref(), effect),
    }
}
