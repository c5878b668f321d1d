//! `trace startup --until ... --end leave`: one run, traced until the program is ready, which then goes on alone.
//!
//! Only one program can be left, and whoever wants it wants it with its own streams, so there are no untraced
//! runs beside it: times are those of the traced run.

use std::path::Path;
use std::process::ExitCode;

use super::super::failure::{Failure, note};
use super::super::record::own_stream;
use super::super::report_output::ReportOutput;
use super::super::tracing::{CALIBRATION_CALLS, Job, trace_command, tracer};
use super::sampled::Sampled;
use super::traced::{Traced, interrupted};
use super::untraced::End;
use super::{Arguments, report};
use crate::capture::BetweenRuns;
use crate::capture::launch::Command;
use crate::capture::ptrace::entry_point;
use crate::capture::ready::{AtReady, Until};
use crate::capture::untraced::{self, Ready};

/// Why these arguments cannot go together with a program that is left running; they are fine otherwise.
pub fn check(arguments: &Arguments) -> Result<(), &'static str> {
    match &arguments.until {
        None | Some(Until::Exit) => {
            return Err(
                "--end leave: a program that has ended cannot be left; say --until listen, open=PATH or idle=MS",
            );
        }
        Some(Until::Output(_)) => {
            return Err(
                "--end leave: the program keeps its own output, so --until output=REGEX cannot be told; say \
                        listen, open=PATH or idle=MS",
            );
        }
        Some(Until::Listen | Until::Open(_) | Until::Idle(_)) => {}
    }
    let options = [
        (arguments.runs.is_some(), "--runs"),
        (arguments.sample.is_some(), "--sample"),
        (arguments.stacks.is_some(), "--stacks"),
        (arguments.cold, "--cold"),
    ];
    match options.iter().find(|(is_given, _)| *is_given) {
        Some((_, "--runs")) => Err("--end leave: one run is made, which is traced; leave --runs out"),
        Some((_, "--sample")) => Err("--end leave: one run is made, without CPU samples; leave --sample out"),
        Some((_, "--stacks")) => {
            Err("--end leave: one run is made, and stacks are taken in another; leave --stacks out")
        }
        Some(_) => Err("--end leave: one run is made, so nothing stands beside a cold one; leave --cold out"),
        None => Ok(()),
    }
}

/// Makes the run and the report.
pub fn run(
    arguments: &Arguments,
    until: Until,
    (command, output): (&Command, &Path),
    out: ReportOutput,
) -> Result<ExitCode, Failure> {
    entry_point::prepare();
    let prepared = untraced::prepare_run(arguments.prepare.as_deref()).map_err(Failure::of_trace)?;
    if let Some(signal) = prepared {
        return End::by_signal(signal).finish();
    }
    let ready = Ready::with_own_streams(until, AtReady::Leave);
    let job = Job {
        command,
        words: &arguments.command,
        output,
        leader_only: arguments.leader_only,
        calibration_calls: CALIBRATION_CALLS,
        quiet: false,
        lossless: false,
        keep: None,
        untraced: None,
        ready: Some(&ready),
        sample: None,
        stacks: None,
    };
    let mut tracer = tracer(arguments.backend, None)?;
    let recorded = trace_command(&mut tracer, &job, [0, 1, 2].map(own_stream), || ())?;
    if let Some(interruption) = recorded.interruption {
        note(interrupted(interruption.signal, 0));
        return End::by_signal(interruption.signal).finish();
    }
    let left = recorded.left_running.clone();
    let sampled = Sampled::without("the one run that is made is without CPU samples".to_owned());
    let run = Traced { recorded, ended_by: None, cold_phases: None, sampled, failures: Vec::new() };
    let reported = report(arguments, out, output, run, BetweenRuns::keep());
    tell_left(&left);
    reported
}

/// Says who goes on.
fn tell_left(pids: &[i32]) {
    let list = |between: &str| pids.iter().map(i32::to_string).collect::<Vec<_>>().join(between);
    match pids.len() {
        0 => note("nothing is left running: the command has ended meanwhile"),
        1 => note(format_args!("process {} is left running; to end it: kill {0}", pids[0])),
        _ => note(format_args!("processes {} are left running; to end them: kill {}", list(", "), list(" "))),
    }
}
