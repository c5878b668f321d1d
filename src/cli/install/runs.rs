//! The runs of `trace install`: untraced ones where they are asked for, then the one that is traced.

use std::path::Path;

use super::super::failure::{Failure, note};
use super::super::startup::untraced::{End, Over, measure};
use super::super::traced::{self, Typed};
use super::super::tracing::Recorded;
use super::Arguments;
use crate::capture::launch::Command;
use crate::capture::stdio::Stdio;
use crate::capture::untraced::{self, Policy, signal_name};

/// Makes all the runs. An end before the traced one has what was measured until then.
pub fn traced(
    arguments: &Arguments,
    command: &Command,
    output: &Path,
    stdio: &mut Stdio,
) -> Result<Recorded, Box<Over>> {
    let options = |runs: u32| untraced::Options {
        policy: Policy { runs: Some(runs as usize), ..Policy::default() },
        prepare: arguments.prepare.clone(),
        ..untraced::Options::default()
    };
    let untraced = arguments.runs.map(|runs| measure(command, stdio, &options(runs))).transpose()?;
    let measured = untraced.clone().unwrap_or_default();
    let failed = |failure: Failure| {
        Box::new(Over { untraced: measured.clone(), reason: failure.text(), end: End::Failure(failure) })
    };
    let interrupted = |signal, when: &str| {
        let reason = format!("ended by {} {when}", signal_name(signal));
        note(&reason);
        Box::new(Over { untraced: measured.clone(), reason, end: End::by_signal(signal) })
    };
    let mut tracer = match traced::ready(arguments.backend) {
        Ok(Ok(tracer)) => tracer,
        Ok(Err(signal)) => return Err(interrupted(signal, "before the traced run")),
        Err(failure) => return Err(failed(failure)),
    };
    match untraced::prepare_run(arguments.prepare.as_deref()) {
        Ok(None) => {}
        Ok(Some(signal)) if arguments.prepare.is_some() => {
            return Err(interrupted(signal, "in --prepare, before the traced run"));
        }
        Ok(Some(signal)) => return Err(interrupted(signal, "before the traced run")),
        Err(error) => return Err(failed(Failure::of_trace(error))),
    }
    let typed = Typed { command, words: &arguments.command };
    let run = usize::from(untraced.is_some());
    traced::trace_once(&mut tracer, typed, output, (stdio, run), untraced).map_err(failed)
}
