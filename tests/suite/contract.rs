//! The contract of every backend, held against programs that know what they did.
//!
//! A fixture is run untraced and under each backend. Its output and status must be the same, and its
//! account of its own calls must be the calls in the log, thread by thread, in order. strace runs beside the backends
//! as one more witness: where it and a backend disagree, the account says who is right.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use trace::event::{Kind, mark};

use crate::support::account::{self, Line};
use crate::support::call::Call;
use crate::support::programs::program;
use crate::support::run::{self, Run, run};
use crate::support::skip::skip;
use crate::support::{log, strace, structure};

/// Who traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tracer {
    Strace,
    Ptrace,
    Ebpf,
}

/// What one run of a fixture came to.
struct Trial {
    run: Run,
    account: Vec<Line>,
    _dir: TempDir,
}

/// Runs a fixture in a fresh directory, under whatever `wrap` makes of the directory.
fn trial(name: &str, args: &[&str], wrap: impl FnOnce(&Path) -> Option<Command>) -> Trial {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let account = dir.path().join("account");
    let work = dir.path().join("work");
    std::fs::create_dir(&work).expect("a new directory");
    account::create(&account);
    let program = program(name);
    let mut command = match wrap(&work) {
        Some(mut wrapped) => {
            wrapped.arg(&program);
            wrapped
        }
        None => run::command(&program, &work),
    };
    let run = run(command.args(args).env("ACCOUNT", &account));
    Trial { run, account: account::read(&account), _dir: dir }
}

/// How often strace may give up, in each test.
const TRIES: usize = 4;

/// Whether strace itself failed, which says nothing of either of us: on a busy machine a thread can be gone when strace
/// asks for it, and strace then ends with status 1 and a word of its own.
fn gave_up(run: &Run) -> bool {
    run.status.code() == Some(1) && run.stderr.lines().any(|line| line.contains("strace: "))
}

fn check(tracer: Tracer, name: &str, args: &[&str]) {
    let alone = trial(name, args, |_| None);
    let out = tempfile::tempdir().expect("a temporary directory");
    let log = out.path().join("log");
    let mut watched = trial(name, args, |dir| Some(wrapper(tracer, &log, dir)));
    for _ in 1..TRIES {
        if tracer != Tracer::Strace || !gave_up(&watched.run) {
            break;
        }
        watched = trial(name, args, |dir| Some(wrapper(tracer, &log, dir)));
    }
    let behaviour = |run: Run| (run.status, run.stdout, run.stderr);
    let mut seen = watched.run;
    if tracer == Tracer::Strace {
        // It complains there of what it cannot read.
        seen.stderr.clone_from(&alone.run.stderr);
    }
    assert_eq!(behaviour(alone.run), behaviour(seen), "alone (left) and under {tracer:?}");
    let calls = calls(tracer, &log);
    let wrong = account::differences(&watched.account, &calls);
    assert!(wrong.is_empty(), "{} differences under {tracer:?}:\n{}", wrong.len(), first(&wrong));
}

fn first(lines: &[String]) -> String {
    lines.iter().take(20).cloned().collect::<Vec<_>>().join("\n")
}

fn wrapper(tracer: Tracer, log: &Path, dir: &Path) -> Command {
    match tracer {
        Tracer::Strace => strace::command(log, dir),
        Tracer::Ptrace => log::command(log, dir),
        Tracer::Ebpf => log::command_by("ebpf", log, dir),
    }
}

fn calls(tracer: Tracer, log: &Path) -> Vec<Call> {
    match tracer {
        Tracer::Strace => strace::read(log),
        Tracer::Ptrace | Tracer::Ebpf => {
            let log = log::read(log);
            log.assert_complete();
            let faults = structure::faults(&log);
            assert!(faults.is_empty(), "{} faults of the log itself:\n{}", faults.len(), first(&faults));
            log.calls()
        }
    }
}

/// A test for each fixture and tracer.
macro_rules! fixtures {
    ($($test:ident: $program:literal $args:expr;)*) => {
        mod ptrace {
            $(#[test]
            fn $test() {
                super::check(super::Tracer::Ptrace, $program, &$args);
            })*
        }
        mod ebpf {
            $(#[test]
            fn $test() {
                match crate::support::log::ebpf_refused() {
                    None => super::check(super::Tracer::Ebpf, $program, &$args),
                    Some(why) => crate::support::skip::skip(concat!("ebpf on ", stringify!($test)), why),
                }
            })*
        }
        mod strace_agrees {
            $(#[test]
            fn $test() {
                if crate::support::strace::is_there() {
                    super::check(super::Tracer::Strace, $program, &$args);
                } else {
                    crate::support::skip::skip_peer(concat!("strace on ", stringify!($test)), "no strace");
                }
            })*
        }
    };
}

fixtures! {
    file_calls: "file_calls" [];
    fork_kinds: "fork_kinds" [];
    threads: "threads" ["8", "200"];
    exec_chain: "exec_chain" ["5"];
    exec_from_a_thread: "exec_thread" [];
    fork_storm: "fork_storm" ["2000", "8"];
    shared_and_copied_tables: "tables" [];
    directories_that_move: "moving" [];
    directories_removed_and_made_again: "reused" ["2000"];
    signals: "signals" [];
    interrupted_calls: "interrupted" [];
    group_stops: "stops" [];
    killed_inside_calls: "killed" [];
    leader_ends_first: "leaders" [];
    exec_after_the_leader: "leaders" ["exec"];
    seccomp: "seccomp" [];
    affinity: "affinity" [];
    names_and_orphans: "names" [];
    every_end: "exits" [];
    calls_by_int80: "int80" [];
    a_32_bit_program: "i386" [];
    numbers_that_mean_nothing: "odd_numbers" [];
    everything_at_once: "chaos" ["20"];
}

/// One CPU is shared with the program until it opens a file of procfs that tells its mask; a file of that name elsewhere tells
/// nothing.
#[test]
fn only_procfs_ends_the_sharing_of_a_cpu() {
    if std::thread::available_parallelism().is_ok_and(|cpus| cpus.get() < 2) {
        return skip("only_procfs_ends_the_sharing_of_a_cpu", "one CPU");
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    std::fs::create_dir(dir.path().join("etc")).expect("a new directory");
    std::fs::write(dir.path().join("etc/status"), "fine").expect("a new file");
    for (file, ends) in [("etc/status", false), ("/proc/self/status", true), ("/proc/1/status", true)] {
        let log = dir.path().join("log");
        let done = run(log::command(&log, dir.path()).args(["cat", file]));
        assert!(done.status.success(), "{done:?}");
        let is_mark = |row: &&log::Row| row.kind == Kind::Mark && row.text == mark::UNPINNED;
        assert_eq!(log::read(&log).rows.iter().filter(is_mark).count(), usize::from(ends), "{file}");
    }
}
