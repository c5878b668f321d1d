//! `trace replay --annotate`: what each call took, beside it in a copy of the log.

use std::path::Path;

use anyhow::{Context, anyhow};
use serde::{Deserialize, Serialize};
use trace_replay::Outcome;

use super::super::failure::{Failure, note};
use super::super::input;
use super::Arguments;
use crate::capture::host;
use crate::log::{self, Columns, Replayed};
use crate::report::units::things;

/// Whether the copy could be written, before anything is measured.
pub fn check(arguments: &Arguments) -> Result<(), Failure> {
    let Some(output) = &arguments.annotate else { return Ok(()) };
    let wrong = |text: String| Err(Failure::with_code(2, anyhow!(text)));
    if output.as_os_str() == "-" {
        return wrong("--annotate writes a log in a file, not to standard output".to_owned());
    }
    if arguments.log.as_os_str() == "-" {
        return wrong("--annotate reads the log twice, so it cannot be standard input".to_owned());
    }
    if log::is_same_file(&arguments.log, output) {
        return wrong(format!("--annotate {} is the log itself, which stays as it is", output.display()));
    }
    Ok(log::check_output(output)?)
}

/// What the calls took, apart from the outcome it is taken from: what writes is replayed in a process of its own.
#[derive(Debug, Serialize, Deserialize)]
pub struct Costs {
    /// Of each call of the plan, in nanoseconds; `None`: not replayed.
    ns: Vec<Option<u32>>,
    runs: usize,
    pauses: bool,
    cache: String,
}

impl Costs {
    pub fn of(outcome: &Outcome) -> Self {
        Self {
            ns: outcome.costs.in_order().to_vec(),
            runs: outcome.costs.runs,
            pauses: outcome.costs.pauses,
            cache: outcome.cache.method().to_owned(),
        }
    }
}

/// Writes the copy.
pub fn write(arguments: &Arguments, output: &Path, costs: Costs) -> Result<(), Failure> {
    let Costs { ns: costs, runs, pauses, cache } = costs;
    let known = costs.iter().flatten().count() as u64;
    let how = Replayed { cache, runs, pauses, calls: known, host: host::host() };
    let mut source = input::open(&arguments.log, &arguments.place, Columns::ALL)?;
    let cost = |call: usize| costs.get(call).copied().flatten().map(u64::from);
    let summary = log::annotate(&mut source, output, how, cost)
        .with_context(|| format!("--annotate {}", output.display()))?;
    note(format_args!(
        "{} of {} have a replayed cost in {} ({} bytes)",
        known,
        things(costs.len() as u64, "call", "calls"),
        output.display(),
        summary.bytes
    ));
    Ok(())
}
