//! `trace record -p`: processes that run already are recorded, and go on as if nothing had been.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use trace::event::{Kind, mark};
use trace::log::Reader;

use crate::support::log::{self, Log};
use crate::support::programs::program;
use crate::support::run::{self, Run, run};

fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed())
}

fn attach(log: &Path, dir: &Path, to: &Child) -> Command {
    let mut command = log::command(log, dir);
    command.arg("-p").arg(to.id().to_string());
    command
}

fn marks(log: &Log, name: &str) -> usize {
    log.rows.iter().filter(|row| row.text == name).count()
}

pub fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let patience = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < patience, "not in a minute: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// A field of `/proc/PID/status`.
fn status(of: &Child, field: &str) -> String {
    let text = std::fs::read_to_string(format!("/proc/{}/status", of.id())).expect("our own child");
    text.lines().find_map(|line| line.strip_prefix(field)).expect("in every status").trim().to_owned()
}

/// `cat`, waiting for input.
fn waiting_cat(dir: &Path) -> Child {
    let mut command = run::command("cat", dir);
    let cat = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("cat is there");
    let call = PathBuf::from(format!("/proc/{}/syscall", cat.id()));
    // Number 0 is read(2), of descriptor 0.
    wait_until("cat waits", || std::fs::read_to_string(&call).is_ok_and(|text| text.starts_with("0 0x0 ")));
    cat
}

#[test]
fn a_call_in_progress_is_recorded_as_a_restart_and_returns_as_it_would() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("log");
    let mut cat = waiting_cat(dir.path());
    let slept = || status(&cat, "voluntary_ctxt_switches:").parse::<u64>().expect("a number");
    let before = slept();
    let mut trace = attach(&log, dir.path(), &cat).spawn().expect("trace can be run");
    // It is stopped by the interruption and at the entry of the call, and then waits in the call.
    wait_until("in the call again", || slept() >= before + 3 && status(&cat, "State:").starts_with('S'));
    let mut input = cat.stdin.take().expect("piped");
    input.write_all(b"hello\n").expect("cat reads");
    let mut output = BufReader::new(cat.stdout.take().expect("piped"));
    let mut line = String::new();
    output.read_line(&mut line).expect("text");
    assert_eq!(line, "hello\n");
    drop(input);
    // It ends, and with the last process the recording.
    assert_eq!(run::wait(&mut cat, "cat").code(), Some(0));
    assert_eq!(run::wait(&mut trace, "trace").code(), Some(0));
    let log = log::read(&log);
    log.assert_complete();
    let calls = log.calls();
    let read = calls.iter().find(|call| call.name == "read").expect("cat reads");
    assert_eq!((read.ret, read.is_restarted), (Some(6), Some(true)), "{calls:?}");
    let write = calls.iter().find(|call| call.name == "write").expect("cat writes");
    assert_eq!((write.ret, write.is_restarted), (Some(6), Some(false)));
    assert_eq!(marks(&log, mark::ATTACHED), 1);
    assert_eq!(log.rows.iter().filter(|row| row.kind == Kind::Exit).count(), 1);
}

#[test]
fn threads_go_on_after_an_end_by_signal_or_by_time() {
    for how in
        [None, Some(Signal::SIGINT), Some(Signal::SIGTERM), Some(Signal::SIGHUP), Some(Signal::SIGKILL)]
    {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let log = dir.path().join("log");
        let cpus = thread::available_parallelism().expect("known").get();
        let mut command = run::command(program("worker"), dir.path());
        command.args(["3", "0", &cpus.to_string()]);
        let mut worker =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the fixture runs");
        let mut output = BufReader::new(worker.stdout.take().expect("piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("text");
        let mut command = attach(&log, dir.path(), &worker);
        if how.is_none() {
            command.args(["--duration", "300ms"]);
        }
        let mut trace = command.spawn().expect("trace can be run");
        if let Some(signal) = how {
            wait_until("events are in the log", || {
                let Ok(mut reader) = Reader::open(&log) else { return false };
                let _ = reader.for_each(|_| {});
                reader.events_read() > 0
            });
            kill(pid(&trace), signal).expect("our own child");
        }
        let ended = run::wait(&mut trace, "trace");
        wait_until("it is let go", || status(&worker, "TracerPid:") == "0");
        drop(worker.stdin.take());
        let mut rest = String::new();
        output.read_to_string(&mut rest).expect("text");
        assert_eq!(rest, format!("all went on; cpus {cpus}\n"), "{how:?}");
        run::wait(&mut worker, "the worker");
        if how != Some(Signal::SIGKILL) {
            assert_eq!(ended.code(), Some(0), "{how:?}");
            let stats =
                run(Command::new(env!("CARGO_BIN_EXE_trace")).args(["stats", "--by", "phase"]).arg(&log));
            assert!(stats.stdout.contains("\nrunning worker "), "{stats:?}");
            let log = log::read(&log);
            log.assert_complete();
            assert_eq!((marks(&log, mark::ATTACHED), marks(&log, mark::DETACHED)), (4, 4), "{how:?}");
            assert!(log.calls().iter().any(|call| call.name == "openat"), "{how:?}");
        }
    }
}

#[test]
fn a_stopped_process_stays_stopped() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("log");
    let mut cat = waiting_cat(dir.path());
    kill(pid(&cat), Signal::SIGSTOP).expect("our own child");
    wait_until("it stops", || status(&cat, "State:").starts_with('T'));
    let done = run(attach(&log, dir.path(), &cat).args(["--duration", "100ms"]));
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    wait_until("it is stopped by itself", || status(&cat, "State:").starts_with('T'));
    kill(pid(&cat), Signal::SIGCONT).expect("our own child");
    drop(cat.stdin.take());
    assert_eq!(run::wait(&mut cat, "cat").code(), Some(0));
    log::read(&log).assert_complete();
}

#[test]
fn what_cannot_be_attached_to_is_told_in_one_line() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("log");
    let other = dir.path().join("other");
    let fails = |done: Run, words: &str| {
        assert_eq!((done.status.code(), done.stderr.lines().count()), (Some(125), 1), "{done:?}");
        assert!(done.stderr.contains(words), "{done:?}");
        assert!(!other.exists(), "a log of nothing");
    };
    let mut cat = waiting_cat(dir.path());
    let mut trace = attach(&log, dir.path(), &cat).spawn().expect("trace can be run");
    wait_until("attached", || status(&cat, "TracerPid:") == trace.id().to_string());
    fails(run(&mut attach(&other, dir.path(), &cat)), "is traced already");
    drop(cat.stdin.take());
    run::wait(&mut trace, "trace");
    run::wait(&mut cat, "cat");
    fails(run(&mut attach(&other, dir.path(), &cat)), "no process");
}
