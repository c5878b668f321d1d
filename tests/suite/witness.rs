//! A backend's log against the kernel's tracepoints, of one and the same run.
//!
//! For programs that never run twice alike (threads, storms), where comparing with another tracer's
//! run says nothing. Every call of every thread must be there: same number, same result, same order.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::support::call::{Call, Text};
use crate::support::log;
use crate::support::programs::program;
use crate::support::run::run;
use crate::support::skip::skip_peer;
use crate::support::tracepoints::{Instance, Traced};

/// Where two sequences part.
struct Parting<'a> {
    kernel: Option<&'a Traced>,
    log: Option<&'a Traced>,
    /// Nothing follows in either.
    is_last: bool,
    /// The log says that a signal killed the thread.
    is_killed: bool,
}

/// Differences that are right, and why.
const PERMITTED: [(&str, fn(&Parting<'_>) -> bool); 2] = [
    ("a thread killed inside a call returns from it in the kernel's eyes, but makes no stop that a tracer sees", |at| {
        let never_returned = at.log.is_some_and(|log| log.ret.is_none() && at.kernel.is_some_and(|call| call.nr == log.nr));
        at.is_last && at.is_killed && never_returned
    }),
    ("ptrace's stop comes before the tracepoint: a thread killed between them never made the call", |at| {
        at.is_last && at.is_killed && at.kernel.is_none() && at.log.is_some_and(|log| log.ret.is_none())
    }),
];

/// What the log has of the part that the tracepoints cover.
#[derive(Default)]
struct Logged {
    calls: HashMap<u32, Vec<Traced>>,
    killed: HashSet<u32>,
}

fn check(name: &str, command: &[&str], dir: &Path) {
    let instance = match Instance::new() {
        Ok(instance) => instance,
        Err(why) => return skip_peer(&format!("witness of {name}"), &why),
    };
    let out = tempfile::tempdir().expect("a temporary directory");
    let log = out.path().join("log");
    let run = run(log::command(&log, dir).args(instance.prefix()).args(command));
    assert!(run.status.success(), "{command:?}: {run:?}");
    let wrong = differences(&instance.calls(), &logged(&log));
    assert!(wrong.is_empty(), "{} threads differ:\n{}", wrong.len(), wrong[..wrong.len().min(10)].join("\n"));
}

/// Reads a log from where the tracepoints begin: behind `enlist`'s write that enables them.
fn logged(path: &Path) -> Logged {
    let mut logged = Logged::default();
    let rows = log::read(path).into_iter().skip_while(|row| row.call.name != "write" || !names_events(&row.call.files[0]));
    for row in rows.skip(1) {
        let Call { tid, ret, .. } = row.call;
        match row.kind.as_str() {
            "syscall" => logged.calls.entry(tid).or_default().push(Traced { nr: i64::from(row.nr), ret }),
            "exit" if ret.is_some_and(|ret| ret < 0) => drop(logged.killed.insert(tid)),
            _ => {}
        }
    }
    logged
}

fn names_events(file: &Text) -> bool {
    matches!(file, Text::Is(name) if name.ends_with(b"events/raw_syscalls/enable"))
}

fn differences(kernel: &HashMap<u32, Vec<Traced>>, logged: &Logged) -> Vec<String> {
    let mut wrong = Vec::new();
    for (tid, calls) in kernel {
        let log = logged.calls.get(tid).map_or(&[][..], Vec::as_slice);
        let count = calls.len().max(log.len());
        let agree = calls.iter().zip(log).take_while(|(kernel, log)| kernel == log).count();
        if agree == count {
            continue;
        }
        let (is_last, is_killed) = (agree + 1 == count, logged.killed.contains(tid));
        let parting = Parting { kernel: calls.get(agree), log: log.get(agree), is_last, is_killed };
        if !PERMITTED.iter().any(|(_, permits)| permits(&parting)) {
            let counts = format!("{} calls by the kernel, {} in the log", calls.len(), log.len());
            let (kernel, log) = (parting.kernel, parting.log);
            wrong.push(format!("thread {tid}: {counts}; call {agree}: {kernel:?} by the kernel, {log:?} in the log"));
        }
    }
    let unknown = logged.calls.keys().filter(|tid| !kernel.contains_key(tid));
    wrong.extend(unknown.map(|tid| format!("thread {tid} is in the log and unknown to the kernel")));
    wrong
}

fn fixture(name: &str, args: &[&str]) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let program = program(name);
    let command: Vec<&str> = program.to_str().into_iter().chain(args.iter().copied()).collect();
    check(name, &command, dir.path());
}

#[test]
fn threads() {
    fixture("threads", &["16", "100"]);
}

#[test]
fn a_fork_storm() {
    fixture("fork_storm", &["2000", "8"]);
}

#[test]
fn a_signal_storm() {
    fixture("signals", &[]);
}

#[test]
fn interrupted_calls() {
    fixture("interrupted", &[]);
}

#[test]
fn deaths_inside_calls() {
    fixture("killed", &[]);
}

#[test]
fn every_kind_of_fork() {
    fixture("fork_kinds", &[]);
}

#[test]
fn every_file_call() {
    fixture("file_calls", &[]);
}

#[test]
fn every_end() {
    fixture("exits", &[]);
}

#[test]
fn group_stops() {
    fixture("stops", &[]);
}
