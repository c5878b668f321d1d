//! `trace startup` from outside: what it leaves behind, how it ends, and what it says when something is in its way.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::support::programs::{copy, program};
use crate::support::run::{self, Run, run};

/// `trace startup` with two counted untraced runs, so that the fourth run is the first traced one.
fn startup(dir: &Path) -> Command {
    let mut command = run::command(env!("CARGO_BIN_EXE_trace"), dir);
    command.args(["startup", "--runs", "2", "-o", "log.trace"]);
    command
}

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).expect("our own directory");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("it is read").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// A command whose run of this number (from 1 on) does something else than end with status 0.
fn in_run(number: u32, what: &str) -> [String; 3] {
    let script = format!("echo run >>runs; [ $(wc -l <runs) -ne {number} ] || {{ {what}; }}");
    ["sh".to_owned(), "-c".to_owned(), script]
}

/// Starts a command that hangs in that run, and waits until it does.
fn hanging(dir: &Path, number: u32) -> Child {
    nix::unistd::mkfifo(&dir.join("ready"), nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
    let mut command = startup(dir);
    command.args(in_run(number, "echo now >ready; exec sleep 600")).process_group(0);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("trace can be run");
    assert_eq!(std::fs::read_to_string(dir.join("ready")).expect("a fifo"), "now\n");
    child
}

fn send(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id().cast_signed()), signal).expect("it runs");
}

/// Ends what a command has left behind.
fn end_group(child: &Child) {
    // Nobody may be left.
    let _ = killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL);
}

fn finish(child: Child) -> Run {
    let done = child.wait_with_output().expect("it can be waited for");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Run { status: done.status, stdout: text(&done.stdout), stderr: text(&done.stderr) }
}

#[test]
fn killed_in_any_traced_run_it_leaves_no_other_files() {
    for number in [5, 6] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut child = hanging(dir.path(), number);
        send(&child, Signal::SIGKILL);
        child.wait().expect("it was killed");
        end_group(&child);
        assert_eq!(names(dir.path()), ["log.trace", "ready", "runs"], "run {number}");
    }
}

#[test]
fn a_signal_in_the_first_traced_run_leaves_the_untraced_figures() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let child = hanging(dir.path(), 4);
        send(&child, signal);
        let done = finish(child);
        assert_eq!(done.status.signal(), Some(signal as i32), "{done:?}");
        let said = format!("ended by {signal} in traced run 1 of the command");
        assert!(done.stderr.contains(&said), "{done:?}");
        assert!(done.stdout.contains("median of 2 untraced runs"), "{done:?}");
        assert!(!done.stdout.contains("dynamic loader"), "{done:?}");
    }
}

#[test]
fn a_signal_in_a_later_traced_run_leaves_the_report_of_the_first() {
    for number in [5, 6] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let child = hanging(dir.path(), number);
        send(&child, Signal::SIGTERM);
        let done = finish(child);
        assert_eq!(done.status.signal(), Some(libc::SIGTERM), "{done:?}");
        assert!(done.stderr.contains(&format!("in traced run {} of the command", number - 3)), "{done:?}");
        assert!(done.stdout.contains("dynamic loader"), "{done:?}");
    }
}

#[test]
fn the_last_words_of_a_failing_repeated_run_are_told_and_the_figures_kept() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let done = run(startup(dir.path()).args(in_run(3, "echo no more room >&2; exit 9")));
    assert_eq!(done.status.code(), Some(125), "{done:?}");
    assert!(done.stderr.contains("run 3 of the command failed (exit status: 9)"), "{done:?}");
    assert!(done.stderr.ends_with("standard error:\nno more room\n"), "{done:?}");
    assert!(done.stdout.contains("Untraced runs only: run 3 of the command failed"), "{done:?}");
    // Where standard error is a file, likewise.
    let dir = tempfile::tempdir().expect("a temporary directory");
    let errors = std::fs::File::create(dir.path().join("errors")).expect("our own directory");
    let mut command = startup(dir.path());
    command.args(in_run(3, "echo no more room >&2; exit 9")).stdout(Stdio::null()).stderr(errors);
    assert_eq!(command.status().expect("trace can be run").code(), Some(125));
    let errors = std::fs::read_to_string(dir.path().join("errors")).expect("just written");
    assert!(errors.ends_with("standard error:\nno more room\n"), "{errors}");
}

#[test]
fn untraced_figures_are_shown_where_ptrace_is_not_permitted() {
    // A process has one tracer, so the inner trace has none to give.
    let dir = tempfile::tempdir().expect("a temporary directory");
    let inner = |json: &[&str]| {
        let mut outer = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
        outer.args([
            "record",
            "--backend",
            "ptrace",
            "--quiet",
            "-o",
            "outer.trace",
            env!("CARGO_BIN_EXE_trace"),
        ]);
        run(outer.args(["startup", "--backend", "ptrace", "--runs", "2"]).args(json).arg("true"))
    };
    let done = inner(&[]);
    assert_eq!(done.status.code(), Some(125), "{done:?}");
    assert!(done.stderr.contains("cannot trace the command with ptrace"), "{done:?}");
    assert!(done.stdout.contains("median of 2 untraced runs"), "{done:?}");
    assert!(done.stdout.contains("Untraced runs only: cannot trace the command with ptrace"), "{done:?}");
    let json: serde_json::Value = serde_json::from_str(&inner(&["--json"]).stdout).expect("it is JSON");
    assert_eq!(json["untraced"]["runs"], 2, "{json}");
    assert!(json["not_traced"].as_str().is_some_and(|why| why.contains("ptrace")), "{json}");
}

#[test]
fn leader_only_does_not_wait_for_what_is_left_behind() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut command = startup(dir.path());
    command.args(["--leader-only", "--json", "sh", "-c", "sleep 600 & echo started"]).process_group(0);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("trace can be run");
    let status = run::wait(&mut child, "startup --leader-only");
    end_group(&child);
    let done = finish(child);
    assert_eq!(status.code(), Some(0), "{done:?}");
    let json: serde_json::Value = serde_json::from_str(&done.stdout).expect("it is JSON");
    let factor = json["phases"]["scaled_by"].as_f64().expect("a number");
    assert!(factor > 0.01, "600 s are no part of it: {factor}");
}

/// The directory for temporary files that a command has made in the place of one that cannot be written to.
fn made_instead(command: &str) -> (PathBuf, Run) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let temporary = dir.path().join("tmp");
    std::fs::create_dir(&temporary).expect("our own directory");
    let script = format!("umask 0; mkdir gone; cd gone; rmdir ../gone; exec \"$TRACE\" {command}");
    let mut shell = run::command("sh", dir.path());
    shell.args(["-c", &script]).env("TRACE", env!("CARGO_BIN_EXE_trace")).env("TMPDIR", &temporary);
    let done = run(&mut shell);
    let [made] = &names(&temporary)[..] else { panic!("{done:?}") };
    let made = temporary.join(made);
    let permissions = made.metadata().expect("it is there").permissions();
    assert_eq!(permissions.mode() & 0o7777, 0o700, "nobody else may look");
    assert!(made.join("true.trace").is_file());
    (made, done)
}

#[test]
fn where_the_directory_cannot_be_written_to_a_private_one_is_named() {
    let (made, done) = made_instead("startup --runs 1 true");
    assert!(done.status.success(), "{done:?}");
    assert!(done.stderr.contains(made.to_str().expect("plain")), "{done:?}");
    assert!(done.stdout.contains(&format!("log {}/true.trace", made.display())), "{done:?}");
    let (made, done) = made_instead("record true");
    assert!(done.status.success(), "{done:?}");
    assert!(done.stderr.contains(made.to_str().expect("plain")), "{done:?}");
}

/// `trace` by somebody who may not drop caches: as root, by nobody.
fn as_nobody(dir: &Path, words: &[&str]) -> Command {
    let trace = Path::new(env!("CARGO_BIN_EXE_trace"));
    if !nix::unistd::geteuid().is_root() {
        let mut command = run::command(trace, dir);
        command.args(words);
        return command;
    }
    let copy = copy(trace, dir);
    std::fs::set_permissions(dir, PermissionsExt::from_mode(0o777)).expect("our own directory");
    let mut command = run::command(program("setuid"), dir);
    command.arg("as-nobody").arg(copy).args(words);
    command
}

#[test]
fn cold_starts_stand_beside_warm_ones_without_privilege_too() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let done = run(&mut as_nobody(dir.path(), &["startup", "--cold", "--json", "--runs", "2", "true"]));
    assert!(done.status.success(), "{done:?}");
    let json: serde_json::Value = serde_json::from_str(&done.stdout).expect("it is JSON");
    let cold = &json["cold"];
    assert_eq!((&cold["runs"], &cold["method"]["name"]), (&2.into(), &"fadvise".into()), "{cold}");
    assert!(cold["method"]["files"].as_u64() >= Some(1), "{cold}");
    assert!(cold["method"]["refused"].as_str().is_some_and(|why| why.contains("drop_caches")), "{cold}");
    let (takes, wall) = (&cold["phases"]["phases"], cold["wall_ns"]["median"].as_f64());
    let takes: f64 = takes.as_array().expect("phases").iter().filter_map(|p| p["takes_ns"].as_f64()).sum();
    assert!((takes - wall.expect("a number")).abs() < 2.0, "phases add up to the cold wall time: {cold}");
    let ratio = takes / json["untraced"]["wall_ns"]["median"].as_f64().expect("a number");
    assert!((cold["wall_ratio"]["ratio"].as_f64().expect("a number") - ratio).abs() < 0.01, "{cold}");

    let mut text = as_nobody(dir.path(), &["startup", "--cold", "--runs", "2", "true"]);
    let done = run(&mut text);
    let rows = done.stdout.lines().skip_while(|line| !line.starts_with("Cold start ")).skip(1);
    let names: Vec<&str> = rows.filter_map(|line| line.split("  ").next()).take(3).collect();
    assert!(matches!(names[..], ["wall", "CPU", "major faults" | "of it user"]), "{done:?}");
    assert!(done.stdout.contains("2 cold runs: the pages of the "), "{done:?}");
    assert!(done.stdout.contains("dentries and inodes stay warm"), "{done:?}");
}

#[test]
fn whoever_asks_for_an_end_sees_what_was_measured() {
    for later_ms in [0, 20, 40, 80, 120, 200, 300] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let log = dir.path().join("log.trace");
        let mut command = startup(dir.path());
        command.args(["sh", "-c", ":"]).process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().expect("trace can be run");
        while !log.exists() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        std::thread::sleep(std::time::Duration::from_millis(later_ms));
        // It may have ended meanwhile, and nobody has waited for it yet.
        send(&child, Signal::SIGINT);
        let done = finish(child);
        let is_measured = !done.stderr.contains("in run 1 of the command");
        let is_empty = log.metadata().is_ok_and(|log| log.len() == 0);
        assert!(!is_empty, "{later_ms} {done:?}");
        assert_eq!(done.stdout.contains("wall "), is_measured, "{later_ms} {done:?}");
        let is_over = done.status.success() || done.status.signal() == Some(libc::SIGINT);
        assert!(is_over, "{later_ms} {done:?}");
    }
}
