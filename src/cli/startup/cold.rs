//! `trace startup --cold`: untraced runs and a traced one, each with an empty page cache.

use super::super::failure::{Failure, note};
use super::super::progress::RunsBar;
use super::analyse;
use super::traced::{Candidate, Plan, Run, trace_once};
use super::untraced::{End, Over};
use crate::analysis::opened::Opened;
use crate::analysis::phases::Phases;
use crate::capture::stdio::Stdio;
use crate::capture::untraced::{self, Cold, Ending, Policy};
use crate::log::{self, Untraced};

/// Makes the cold runs. Without them (that is told) the report is of warm ones.
pub fn measure(plan: &Plan<'_>, stdio: &mut Stdio) -> Result<Option<(Cold, log::Cold)>, Box<Over>> {
    let over = |signal, reason: String| {
        note(&reason);
        let untraced = plan.untraced.clone();
        Err(Box::new(Over { untraced, reason, end: End::by_signal(signal) }))
    };
    let cold = match find_way(plan, stdio) {
        Ok(Way::Found(cold)) => cold,
        Ok(Way::Interrupted(signal)) => {
            let name = untraced::signal_name(signal);
            return over(signal, format!("ended by {name} before the first cold run of the command"));
        }
        Err(failure) => {
            note(format_args!("no cold runs: {}", failure.text()));
            return Ok(None);
        }
    };
    let options = untraced::Options {
        // A cold run is slow, and so is emptying the cache: ten will do.
        policy: Policy {
            runs: plan.arguments.runs.map(|runs| runs as usize),
            min_total_ns: 0,
            ..Policy::default()
        },
        prepare: plan.arguments.prepare.clone(),
        ignore_failure: plan.arguments.ignore_failure,
        cold: Some(cold.clone()),
        next: plan.untraced.runs.len() + 1,
        ready: plan.ready.cloned(),
    };
    let mut bar = RunsBar::of("cold runs");
    let outcome = untraced::measure(plan.command, stdio, &options, &mut bar);
    bar.finish();
    match &outcome.ending {
        Ending::Enough => {}
        Ending::Interrupted { signal, .. } => return over(*signal, outcome.ending.to_string()),
        _ => note(format_args!("cold runs: {}", outcome.ending)),
    }
    let runs = outcome.untraced.runs;
    let method = cold.method().clone();
    Ok(Some((cold, log::Cold { method, runs })).filter(|(_, cold)| !cold.runs.is_empty()))
}

enum Way {
    Found(Cold),
    Interrupted(i32),
}

/// Drops all caches if that is permitted; otherwise those of the files that a traced run opens.
fn find_way(plan: &Plan<'_>, stdio: &mut Stdio) -> Result<Way, Failure> {
    let refused = match untraced::to_its_end(Cold::whole_system) {
        Ok(Ok(cold)) => return Ok(Way::Found(cold)),
        Ok(Err(error)) => error,
        Err(signal) => return Ok(Way::Interrupted(signal)),
    };
    let candidate = Candidate::new().map_err(Failure::of_trace)?;
    let mut tracer = match plan.tracer()? {
        Ok(tracer) => tracer,
        Err(signal) => return Ok(Way::Interrupted(signal)),
    };
    if let Run::Interrupted(signal) = trace_once(&mut tracer, plan, &candidate.path(), stdio, None)? {
        return Ok(Way::Interrupted(signal));
    }
    let mut opened = Opened::default();
    let mut reader = log::Reader::open(&candidate.path())?;
    reader.for_each(|event| opened.add(event))?;
    Ok(Way::Found(Cold::of_files(opened.finish(), &refused)))
}

/// Traces the command with an empty page cache: its phases, scaled to the cold wall time. `Err`: a signal asked
/// for an end.
pub fn phases(plan: &Plan<'_>, stdio: &mut Stdio, cold: &Cold) -> Result<Option<Phases>, i32> {
    let runs = plan.untraced.cold.as_ref().map_or_else(Vec::new, |cold| cold.runs.clone());
    let untraced = Untraced { first: None, runs, cold: None };
    let plan = Plan { untraced: &untraced, ..*plan };
    match trace_phases(&plan, stdio, cold) {
        Ok(result) => result,
        Err(failure) => {
            note(format_args!("no cold traced run: {}", failure.text()));
            Ok(None)
        }
    }
}

fn trace_phases(
    plan: &Plan<'_>,
    stdio: &mut Stdio,
    cold: &Cold,
) -> Result<Result<Option<Phases>, i32>, Failure> {
    let candidate = Candidate::new().map_err(Failure::of_trace)?;
    let mut tracer = match plan.tracer()? {
        Ok(tracer) => tracer,
        Err(signal) => return Ok(Err(signal)),
    };
    match trace_once(&mut tracer, plan, &candidate.path(), stdio, Some(cold))? {
        Run::Interrupted(signal) => Ok(Err(signal)),
        Run::Made(recorded) => {
            recorded.log?;
            Ok(Ok(Some(analyse(&candidate.path())?.0.phases)))
        }
    }
}
