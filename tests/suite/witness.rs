//! A backend's log against the kernel's tracepoints, of one and the same run.
//!
//! For programs that never run twice alike (threads, storms), where comparing with another tracer's
//! run says nothing. Every call of every thread must be there: same number, same arguments, same result, same order.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use trace::event::Kind;

use crate::support::call::{Call, Text};
use crate::support::log;
use crate::support::programs::program;
use crate::support::run::{self, run};
use crate::support::skip::{skip, skip_peer};
use crate::support::tracepoints::{Instance, Traced};

/// Where two sequences part.
struct Parting<'a> {
    kernel: Option<&'a Traced>,
    log: Option<&'a Traced>,
    /// Nothing follows in either.
    is_last: bool,
    /// The log has the thread's end, and its last call never returned.
    ended_inside: bool,
}

/// Whether a difference is right.
type Rule = fn(&Parting<'_>) -> bool;

/// Differences that are right, and why.
const PERMITTED: [(&str, Rule); 2] = [
    (
        "a thread ended from outside (a signal, the exit or exec of another thread) returns from its call in the kernel's \
         eyes, but makes no stop there that a tracer could see",
        |at| {
            at.is_last
                && at.ended_inside
                && at.kernel.is_some_and(|call| Some(call.nr) == at.log.map(|log| log.nr))
        },
    ),
    ("ptrace's stop comes before the tracepoint: a thread ended between them never made the call", |at| {
        at.is_last && at.ended_inside && at.kernel.is_none()
    }),
];

/// What the log has of the part that the tracepoints cover.
#[derive(Default)]
struct Logged {
    calls: HashMap<u32, Vec<Traced>>,
    ended: HashSet<u32>,
}

fn check(name: &str, command: &[&str], dir: &Path) {
    check_by("ptrace", name, command, dir);
    match log::ebpf_refused() {
        None => check_by("ebpf", name, command, dir),
        Some(why) => skip(&format!("witness of {name} by ebpf"), why),
    }
}

fn check_by(backend: &str, name: &str, command: &[&str], dir: &Path) {
    let instance = match Instance::new() {
        Ok(instance) => instance,
        Err(why) => return skip_peer(&format!("witness of {name}"), &why),
    };
    let out = tempfile::tempdir().expect("a temporary directory");
    let log = out.path().join("log");
    let dir = &dir.join(backend);
    std::fs::create_dir(dir).expect("a new directory");
    let run = run(log::command_by(backend, &log, dir).args(instance.prefix()).args(command));
    assert!(run.status.success(), "{command:?}: {run:?}");
    let wrong = differences(&instance.calls(), &logged(&log));
    assert!(
        wrong.is_empty(),
        "{backend}: {} threads differ:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(10)].join("\n")
    );
}

/// Reads a log from where the tracepoints begin: behind `enlist`'s write that enables them.
fn logged(path: &Path) -> Logged {
    let mut logged = Logged::default();
    let log = log::read(path);
    log.assert_complete();
    let rows =
        log.rows.into_iter().skip_while(|row| row.call.name != "write" || !names_events(&row.call.files[0]));
    for row in rows.skip(1) {
        let Call { tid, ret, .. } = row.call;
        match row.kind {
            Kind::Syscall => {
                let nr = i64::from(row.nr.cast_signed());
                logged.calls.entry(tid).or_default().push(Traced { nr, args: row.args, ret });
            }
            Kind::Exit => drop(logged.ended.insert(tid)),
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
        let agree = calls.iter().zip(log).take_while(|(kernel, log)| is_same(kernel, log)).count();
        if agree == count {
            continue;
        }
        let ended_inside = logged.ended.contains(tid) && log.last().is_some_and(|call| call.ret.is_none());
        let (kernel, log_call, is_last) = (calls.get(agree), log.get(agree), agree + 1 == count);
        let parting = Parting { kernel, log: log_call, is_last, ended_inside };
        if !PERMITTED.iter().any(|(_, permits)| permits(&parting)) {
            let counts = format!("{} calls by the kernel, {} in the log", calls.len(), log.len());
            wrong.push(format!(
                "thread {tid}: {counts}; call {agree}: {kernel:?} by the kernel, {log_call:?} in the log"
            ));
        }
    }
    let unknown = logged.calls.keys().filter(|tid| !kernel.contains_key(tid));
    wrong.extend(unknown.map(|tid| format!("thread {tid} is in the log and unknown to the kernel")));
    wrong
}

fn is_same(kernel: &Traced, log: &Traced) -> bool {
    // The registers hold six; the log has those that the call takes.
    kernel.nr == log.nr && kernel.ret == log.ret && kernel.args.starts_with(&log.args)
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
fn everything_at_once() {
    fixture("chaos", &["40"]);
}

#[test]
fn numbers_that_mean_nothing() {
    fixture("odd_numbers", &[]);
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

/// Real programs that never run twice alike.
fn real(command: &[&str]) {
    let is_there = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(command[0]).exists()));
    if !is_there {
        return skip(&command.join(" "), "no such program");
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    check(&command.join(" "), command, dir.path());
}

#[test]
fn node() {
    real(&["node", "-e", "require('fs').readdir('.', (error, names) => console.log(names.length))"]);
}

#[test]
fn make() {
    let makefile = "all: a b c\na b c:\n\techo $@ >$@; cat $@\n";
    real(&[
        "sh",
        "-c",
        &format!("printf '{}' >Makefile; make -j2", makefile.replace('\n', "\\n").replace('\t', "\\t")),
    ]);
}

#[test]
fn parallel_sort() {
    real(&["sh", "-c", "seq 300000 >numbers; sort --parallel=4 -S 1M -r numbers | tail -n 1"]);
}

#[test]
fn a_pipeline_of_bash() {
    real(&[
        "bash",
        "-c",
        "for i in 1 2 3 4 5; do ls / | sort | wc -l; done; (sleep 0 & wait); cat /etc/passwd | grep root",
    ]);
}

#[test]
fn parallel_make() {
    let script = "printf 'all: 1 2 3 4 5 6 7 8\n%%:\n\ttest ! -e $@ && echo $@ >$@\n' >Makefile && make -j4";
    real(&["sh", "-c", script]);
}

#[test]
fn python_with_threads_and_children() {
    let script = "import subprocess, threading\n\
        def work(): subprocess.run(['sh', '-c', 'ls; true'], capture_output=True, check=True)\n\
        threads = [threading.Thread(target=work) for _ in range(8)]\n\
        [thread.start() for thread in threads]; [thread.join() for thread in threads]\n";
    real(&["python3", "-c", script]);
}

#[test]
fn xargs_with_many_at_once() {
    real(&["sh", "-c", "seq 200 | xargs -P 8 -n 1 sh -c 'test $0 -gt 0 && : </etc/passwd'"]);
}

#[test]
fn gcc_with_a_pipe() {
    real(&["sh", "-c", "printf 'int main(void) { return 0; }\n' >a.c; gcc -pipe -O1 a.c -o a && ./a"]);
}

#[test]
fn namespaces() {
    // Ids inside are not those outside, by which the log and the kernel's tracepoints go.
    real(&["unshare", "-Upfr", "--mount-proc", "sh", "-c", "true & wait; sh -c 'echo $$'; ls /proc | wc -l"]);
}

#[test]
fn installing_wheels() {
    let wheels = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/make_wheels.py");
    let script = format!(
        "python3 {wheels} wheels 2 5 >/dev/null && python3 -m venv env && \
         env/bin/pip install -q --no-index --no-deps --disable-pip-version-check wheels/*.whl && \
         env/bin/pip list --disable-pip-version-check"
    );
    let modules = run(run::command("sh", Path::new("/")).args(["-c", "python3 -c 'import ensurepip, venv'"]));
    if !modules.status.success() {
        return skip("installing wheels", "python3 is missing, or its ensurepip and venv");
    }
    real(&["sh", "-c", &script]);
}

/// For trying other programs: `TRACE_WITNESS='make -j4' cargo test --test suite -- --ignored any_command`.
#[test]
#[ignore = "runs the shell command in TRACE_WITNESS"]
fn any_command() {
    let command = std::env::var("TRACE_WITNESS").expect("TRACE_WITNESS holds a shell command");
    real(&["sh", "-c", &command]);
}
