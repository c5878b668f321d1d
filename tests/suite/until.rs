//! `trace startup --until`: programs that do not end are measured until they are ready, and then ended.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use serde_json::Value;
use trace::event::{Kind, mark};

use crate::support::log;
use crate::support::programs::program;
use crate::support::run::{self, Run, run};

/// What `server` waits before it is ready.
const AT_LEAST_NS: f64 = 30e6;

fn startup(dir: &Path, until: &str, options: &[&str]) -> Command {
    let mut command = run::command(env!("CARGO_BIN_EXE_trace"), dir);
    command.args(["startup", "--runs", "2", "-o", "log", "--until", until]).args(options);
    command
}

/// Every server that was started, and none is left.
fn ended(dir: &Path) -> usize {
    let pids = std::fs::read_to_string(dir.join("pids")).expect("servers have run");
    for pid in pids.lines() {
        let pid = Pid::from_raw(pid.parse().expect("a number"));
        // Whoever adopted it may take a while to reap it; one that was not ended stays for good.
        let mut looks = 0;
        while kill(pid, None) != Err(Errno::ESRCH) {
            looks += 1;
            assert!(looks < 1000, "{pid} is left");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    pids.lines().count()
}

/// Measures a server until then; the report.
fn measured(dir: &Path, until: &str, options: &[&str], server: &[&str]) -> Value {
    let mut command = startup(dir, until, options);
    let done = run(command.arg("--json").arg(program("server")).args(server));
    assert!(done.status.success(), "{until} {done:?}");
    assert!((4..=6).contains(&ended(dir)), "an uncounted run, two, and one to three traced ones");
    let json: Value = serde_json::from_str(&done.stdout).expect("it is JSON");
    assert_eq!(json["until"], until);
    json
}

/// The report ends where the program was ready, and the log says where that is.
fn assert_up_to_ready(dir: &Path, json: &Value) {
    let wall_ns = json["untraced"]["wall_ns"]["median"].as_f64().expect("a number");
    assert!(wall_ns >= AT_LEAST_NS, "{json}");
    let phases = json["phases"]["phases"].as_array().expect("phases");
    let takes_ns: f64 = phases.iter().filter_map(|phase| phase["takes_ns"].as_f64()).sum();
    assert!((takes_ns - wall_ns).abs() < 2.0, "{json}");
    let log = log::read(&dir.join("log"));
    log.assert_complete();
    let marks = log.rows.iter().filter(|row| row.kind == Kind::Mark && row.text == mark::READY);
    assert_eq!(marks.count(), 1);
    let in_phases: u64 = phases.iter().filter_map(|phase| phase["syscalls"].as_u64()).sum();
    // Where readiness is seen late, nothing but the signal that ends it comes after.
    assert!((20..=log.calls().len() as u64).contains(&in_phases), "the end is no part of it: {in_phases}");
}

#[test]
fn until_it_listens() {
    for kind in ["tcp", "unix"] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        assert_up_to_ready(dir.path(), &measured(dir.path(), "listen", &[], &[kind]));
    }
}

#[test]
fn until_it_has_opened_a_file() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let until = format!("open={}/marker", dir.path().display());
    assert_up_to_ready(dir.path(), &measured(dir.path(), &until, &[], &["tcp"]));
}

#[test]
fn until_it_rests() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    // Longer than the rest before it listens.
    let json = measured(dir.path(), "idle=200", &[], &["tcp"]);
    assert_eq!(json["phases"]["phases"].as_array().map(Vec::is_empty), Some(false));
}

#[test]
fn until_it_says_so_which_is_shown_once() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    assert_up_to_ready(dir.path(), &measured(dir.path(), "output=^Serving [0-9]+", &[], &["tcp"]));
    let mut command = startup(dir.path(), "output=Serving", &[]);
    let done = run(command.arg(program("server")).arg("tcp"));
    assert_eq!(done.stdout.matches("Serving ").count(), 1, "{done:?}");
    assert!(done.stdout.contains("ready (output=Serving) "), "{done:?}");
}

#[test]
fn what_has_left_its_parent_is_found_and_ended() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let json = measured(dir.path(), "listen", &["--end", "KILL"], &["tcp", "daemon", "stubborn"]);
    assert_eq!(json["tree"]["processes"], 3, "{json}");
}

#[test]
fn a_command_that_ends_before_it_is_ready_is_an_error() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let Run { status, stderr, .. } = run(startup(dir.path(), "listen", &[]).args(["sh", "-c", "exit 3"]));
    assert_eq!(status.code(), Some(125), "{stderr}");
    assert_eq!(stderr, "trace: the command ended (exit status: 3) before it was ready (--until listen)\n");
    for (until, what) in [("idle=1", "at least 10"), ("output=(", "unclosed"), ("never", "listen, output=")] {
        let Run { status, stderr, .. } = run(startup(dir.path(), until, &[]).arg("true"));
        assert_eq!(status.code(), Some(125), "{stderr}");
        assert!(stderr.contains(what), "{stderr}");
    }
}
