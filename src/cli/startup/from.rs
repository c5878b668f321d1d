//! `trace startup --from LOG`: the report of a start that was recorded before, by us or by strace.
//!
//! Nothing is run, so what only runs can tell (true wall times) is there where the log has it; samples of the CPU are
//! of runs that no log has.

use std::path::Path;
use std::process::ExitCode;

use super::super::failure::Failure;
use super::super::input::{self, Place};
use super::super::report_output::{Files, ReportOutput};
use crate::analysis::startup::Startup;
use crate::log::Columns;
use crate::report::look::Look;
use crate::report::startup::{self, Options};

/// Why a log's report has no table of where the time goes.
const NOT_SAMPLED: &str = "the runs that tell it are made by trace startup CMD, and are in no log";

/// Prints the report of a log, with so many rows in each list.
pub fn run(log: &Path, place: &Place, top: usize, json: bool) -> Result<ExitCode, Failure> {
    let out = ReportOutput::new(json).map_err(Failure::of_trace)?;
    // No command runs, but whoever calls `startup` has one answer to look for where trace has failed.
    let mut source = input::open(log, place, Columns::ALL).map_err(|failure| failure.or_code(125))?;
    let mut startup = Startup::new(source.header());
    let read = source.for_each(|event| startup.add(event));
    read.map_err(|error| Failure::of_trace(input::named(log, error)))?;
    let (mut report, _) = startup.finish();
    report.not_sampled = Some(NOT_SAMPLED.to_owned());
    input::tell_unreadable(log, &source);
    let files = Files { log, flame_graph: None };
    out.write(&report, files, &[], |out, last| {
        // What came from a pipe is not there any more.
        let last = if log.as_os_str() == "-" { "" } else { last };
        startup::write(out, &report, Options { top, look: Look::of_stdout(), last })
    })
    .map_err(Failure::of_trace)?;
    Ok(ExitCode::SUCCESS)
}
