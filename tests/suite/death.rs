//! The tracer's death: nothing stays stopped, everyone may use the CPUs they had, and the log can be read.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_getaffinity};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use trace::log::{Ending, Reader};

use crate::support::log;
use crate::support::programs::program;
use crate::support::run;

/// Bytes of a log in which some events must be.
const BEGINNING: u64 = 1 << 20;

fn cpus() -> usize {
    let set = sched_getaffinity(Pid::from_raw(0)).expect("our own");
    (0..CpuSet::count()).filter(|&cpu| set.is_set(cpu) == Ok(true)).count()
}

/// A recording of a busy tree, all of it running.
fn busy_tree(
    log: &Path,
    dir: &Path,
    threads: u32,
    children: u32,
) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut command = log::command(log, dir);
    command.arg(program("worker")).args([threads.to_string(), children.to_string(), cpus().to_string()]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("trace can be run");
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    output.read_line(&mut line).expect("text");
    assert_eq!(line, "ready\n");
    (child, output)
}

fn send(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id().cast_signed()), signal).expect("our own child");
}

/// Events at the beginning of a log that is still being written, faster perhaps than it could be read.
fn events_so_far(log: &Path) -> u64 {
    let beginning = log.with_extension("beginning");
    let copied = std::fs::File::open(log).and_then(|log| {
        let mut copy = std::fs::File::create(&beginning)?;
        std::io::copy(&mut log.take(BEGINNING), &mut copy)
    });
    let Ok(mut reader) = copied.map_err(drop).and_then(|_| Reader::open(&beginning).map_err(drop)) else {
        return 0;
    };
    let _ = reader.for_each(|_| {});
    reader.events_read()
}

/// Kills the tracer of a tree with so many threads and children beside the main one.
fn tree_survives(threads: u32, children: u32) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("log");
    let (mut child, mut output) = busy_tree(&log, dir.path(), threads, children);
    let patience = Instant::now() + Duration::from_secs(60);
    while events_so_far(&log) == 0 {
        assert!(Instant::now() < patience, "a minute of calls, and none is in the log");
        thread::yield_now();
    }
    send(&child, Signal::SIGKILL);
    let input = child.stdin.take();
    child.wait().expect("our own child");
    drop(input);
    let mut rest = String::new();
    // Ends only when every process of the tree has: one that stayed stopped would keep it open.
    output.read_to_string(&mut rest).expect("text");
    let expected = format!(
        "all went on; cpus {}{}\n",
        cpus(),
        format!(", a child's {}", cpus()).repeat(children as usize)
    );
    assert_eq!(rest, expected);

    let events = |log: &log::Log| log.rows.iter().filter(|row| row.pid != 0).count();
    let cut = log::read(&log);
    assert!(matches!(cut.ending, Ending::Cut { events, .. } if events > 0), "{:?}", cut.ending);
    let repaired = run::run(Command::new(env!("CARGO_BIN_EXE_trace")).arg("repair").arg(&log));
    assert!(repaired.status.success(), "{repaired:?}");
    assert_eq!(events(&log::read(&log)), events(&cut), "after repair");
}

#[test]
fn a_single_thread_survives_its_tracer() {
    log::each_backend("a single thread survives its tracer", || {
        tree_survives(0, 0);
    });
}

#[test]
fn threads_survive_their_tracer() {
    log::each_backend("threads survive their tracer", || {
        tree_survives(4, 0);
    });
}

#[test]
fn a_whole_tree_survives_its_tracer() {
    log::each_backend("a whole tree survives its tracer", || {
        tree_survives(2, 3);
    });
}

#[test]
fn killed_before_the_command_begins_it_leaves_a_log_and_no_process() {
    let mut killed_before = 0;
    for _ in 0..20 {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let log = dir.path().join("log");
        let mut command = log::command(&log, dir.path());
        let mut child =
            command.arg("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("trace");
        // The header is there before the command is.
        while log.metadata().map_or(0, |file| file.len()) == 0 {
            thread::yield_now();
        }
        send(&child, Signal::SIGKILL);
        child.wait().expect("our own child");
        // The command ends with its input, should it have begun; whoever is left keeps the output open.
        drop(child.stdin.take());
        let mut output = child.stdout.take().expect("piped");
        output.read_to_end(&mut Vec::new()).expect("a pipe");
        let cut = log::read(&log);
        assert!(matches!(cut.ending, Ending::Cut { .. }), "{:?}", cut.ending);
        killed_before += usize::from(cut.rows.is_empty());
        let repaired = run::run(Command::new(env!("CARGO_BIN_EXE_trace")).arg("repair").arg(&log));
        assert!(repaired.status.success(), "{repaired:?}");
        assert!(matches!(log::read(&log).ending, Ending::Complete { .. }));
    }
    assert!(killed_before > 0, "not once before its first event was written");
}

#[test]
fn a_request_to_end_goes_to_the_command() {
    log::each_backend("a request to end goes to the command", || {
        for (threads, signal) in [(0, Signal::SIGTERM), (2, Signal::SIGHUP)] {
            let dir = tempfile::tempdir().expect("a temporary directory");
            let log = dir.path().join("log");
            let (mut child, _output) = busy_tree(&log, dir.path(), threads, 0);
            // Open to the end, for the command ends with its input.
            let _input = child.stdin.take();
            send(&child, signal);
            let status = run::wait(&mut child, "a command asked to end");
            let killed_by = std::os::unix::process::ExitStatusExt::signal(&status);
            assert_eq!(killed_by, Some(signal as i32), "{status:?}");
            log::read(&log).assert_complete();
        }
    });
}
