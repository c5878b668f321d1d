//! `trace startup` with CPU samples: what many of them do to the runs is told, and a signal does not make the report lie.

use std::os::unix::fs::symlink;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::support::programs::program;
use crate::support::run::{self, Run, run};
use crate::support::skip::skip;

/// Runs a start that has samples, whose log is a link: one traced run without samples is made, the fourth, since a link is not
/// put into the place of another file.
fn start(dir: &Path, options: &[&str], command: &[&str]) -> std::process::Command {
    symlink("kept.trace", dir.join("log.trace")).expect("our own directory");
    let mut trace = run::command(env!("CARGO_BIN_EXE_trace"), dir);
    trace.args(["startup", "--runs", "2", "-o", "log.trace"]).args(options).args(command);
    trace
}

/// Interrupts the run of this number.
fn interrupted(dir: &Path, number: u32, options: &[&str]) -> Run {
    nix::unistd::mkfifo(&dir.join("ready"), nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
    let script =
        format!("echo run >>runs; [ $(wc -l <runs) -ne {number} ] || {{ echo now >ready; exec sleep 600; }}");
    let mut trace = start(dir, options, &["sh", "-c", &script]);
    let child = trace.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.expect("trace can be run");
    assert_eq!(std::fs::read_to_string(dir.join("ready")).expect("a fifo"), "now\n");
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).expect("it runs");
    let done = child.wait_with_output().expect("it can be waited for");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Run { status: done.status, stdout: text(&done.stdout), stderr: text(&done.stderr) }
}

#[test]
fn a_signal_in_the_first_run_with_samples_is_told_of() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let done = interrupted(dir.path(), 5, &["--sample", "500", "--json"]);
    assert_eq!(done.status.signal(), Some(Signal::SIGINT as i32), "{done:?}");
    assert!(done.stderr.contains("ended by SIGINT in run 1 with CPU samples"), "{done:?}");
    let report: Value = serde_json::from_str(&done.stdout).expect("JSON");
    assert!(report["partition"].is_null() && report["cpu_samples"].is_null(), "{report:#}");
    let why = report["not_sampled"].as_str().expect("a reason");
    assert!(why.contains("SIGINT") || why.contains("eBPF"), "{why}");
}

#[test]
fn a_signal_in_a_later_run_with_samples_leaves_those_before() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let done = interrupted(dir.path(), 6, &["--sample", "500", "--json"]);
    assert_eq!(done.status.signal(), Some(Signal::SIGINT as i32), "{done:?}");
    assert!(done.stderr.contains("ended by SIGINT in run 2 with CPU samples"), "{done:?}");
    let report: Value = serde_json::from_str(&done.stdout).expect("JSON");
    assert_eq!(report["cpu_samples"]["runs"], 1, "{report:#}");
    if report["partition"].is_null() {
        return skip("where the time of a start goes", report["not_sampled"].as_str().expect("why"));
    }
    assert_eq!(report["partition"]["runs"], 1, "{report:#}");
}

#[test]
fn many_samples_are_for_the_log_only_and_what_they_took_is_told() {
    let busy = program("busy");
    let command = [busy.to_str().expect("a plain path"), "5"];
    let report = |options: &[&str]| {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let done = run(&mut start(dir.path(), &[&["--sample", "50000"], options].concat(), &command));
        assert!(done.status.success(), "{done:?}");
        done
    };
    let json: Value = serde_json::from_str(&report(&["--json"]).stdout).expect("JSON");
    let kept = &json["cpu_samples"];
    let number = |value: &Value| value.as_u64().expect("a number");
    assert_eq!(number(&kept["sample_hz"]), 50_000);
    assert!(number(&kept["samples"]) > 0 && number(&kept["runs"]) > 0, "{kept:#}");
    assert!(number(&kept["run_ns"]) > 0, "{kept:#}");
    let text = report(&[]).stdout;
    assert!(text.contains("as long as untraced"), "{text}");
    if kept["sampled_by"].is_string() {
        return skip("what a sample takes", "ptrace takes them");
    }
    let told = json["partition"]["sample_hz"].as_u64();
    assert!(told.is_none_or(|hz| hz <= 4000), "{json:#}");
    if kept["sample_cost_ns"].is_null() {
        return skip("what a sample takes", "the machine is too busy");
    }
    // An interrupt that copies a stack takes more than this.
    assert!(number(&kept["sample_cost_ns"]) > 1000, "{kept:#}");
    // The machine may have been too busy for one of the two.
    let mut texts = std::iter::once(text).chain((0..3).map(|_| report(&[]).stdout));
    assert!(texts.any(|text| text.contains("each sample held up the program for about")));
}

#[test]
fn a_recording_and_its_drawing_say_what_samples_took() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let trace = |words: &[&str]| run(run::command(env!("CARGO_BIN_EXE_trace"), dir.path()).args(words));
    let busy = program("busy");
    let recorded =
        trace(&["record", "--sample", "50000", "-o", "log", busy.to_str().expect("a plain path"), "20"]);
    assert!(recorded.status.success(), "{recorded:?}");
    let log = trace::log::Reader::open(&dir.path().join("log")).expect("a log");
    if log.header().sample_cost_ns().is_none() {
        return skip("what a sample takes", &recorded.stderr);
    }
    let told = "each sample held up the program for about";
    assert!(recorded.stderr.contains(told), "{recorded:?}");
    let drawn = trace(&["flame", "--by", "stack", "log"]);
    assert!(drawn.stderr.contains(told), "{drawn:?}");
    let picture = std::fs::read_to_string(dir.path().join("log.svg")).expect("a drawing");
    assert!(picture.contains(told), "the drawing says it, too");
}
