//! What `trace record -p` records of a running process, against the kernel's tracepoints of the same time.
//!
//! The tracepoints cover the process from its beginning to its end, the log a part of that: of each thread one piece
//! without a gap, all of it for those made meanwhile.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;
use trace::event::{Kind, mark};
use trace::log::Reader;

use crate::attach::wait_until;
use crate::support::log::{self, Log};
use crate::support::programs::program;
use crate::support::run;
use crate::support::skip::skip_peer;
use crate::support::tracepoints::{Instance, Traced};

/// How often the fixture is told to make a child and a thread.
const TIMES: usize = 3;
/// Its threads that make calls all the time.
const BUSY: usize = 2;

/// The fixture, running under the tracepoints.
struct Running {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Running {
    fn start(instance: &Instance, dir: &Path) -> Self {
        let [enlist, name] = instance.prefix();
        let mut command = run::command(enlist, dir);
        command.arg(name).arg(program("attached")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the fixture runs");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let mut running = Self { child, output };
        running.expect("ready\n");
        running
    }

    fn expect(&mut self, text: &str) {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("text");
        assert_eq!(line, text);
    }

    /// Has it make a child and a thread, and waits for their ends.
    fn make(&mut self) {
        self.child.stdin.as_mut().expect("piped").write_all(b"m").expect("it reads");
        self.expect("made\n");
    }

    fn end(mut self) {
        drop(self.child.stdin.take());
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).expect("text");
        assert_eq!(rest, "all went on\n");
        assert_eq!(run::wait(&mut self.child, "the fixture").code(), Some(0));
    }
}

fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("there is one");
    now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64
}

/// Threads with calls in a log that is still being written.
fn threads_so_far(log: &Path) -> usize {
    let mut threads = std::collections::HashSet::new();
    let Ok(mut reader) = Reader::open(log) else { return 0 };
    let _ = reader.for_each(|event| {
        if event.kind == Kind::Syscall {
            threads.insert(event.tid);
        }
    });
    threads.len()
}

/// As the kernel's tracepoints have it.
const ERESTARTSYS: i64 = -512;

/// The calls of each thread.
fn logged(log: &Log) -> HashMap<u32, Vec<Traced>> {
    let mut calls: HashMap<u32, Vec<Traced>> = HashMap::new();
    for row in log.rows.iter().filter(|row| row.kind == Kind::Syscall) {
        let nr = i64::from(row.nr.cast_signed());
        calls.entry(row.call.tid).or_default().push(Traced { nr, args: row.args.clone(), ret: row.call.ret });
    }
    calls
}

/// Where in the kernel's list the thread's piece begins, if all of it is there. The call that it was in when it was let
/// go, or that ended it, is not seen to return.
fn begin_of_piece(kernel: &[(u64, Traced)], piece: &[Traced]) -> Option<usize> {
    let is_same = |at: usize, kernel: &Traced, log: &Traced| {
        let returns = kernel.ret == log.ret || at + 1 == piece.len() && log.ret.is_none();
        returns && kernel.nr == log.nr && kernel.args.starts_with(&log.args)
    };
    let fits = |begin: &usize| {
        let mut pairs = kernel[*begin..].iter().zip(piece).enumerate();
        kernel.len() - begin >= piece.len() && pairs.all(|(at, ((_, kernel), log))| is_same(at, kernel, log))
    };
    (0..=kernel.len()).find(fits)
}

/// Of each thread the log has one piece, with all calls begun in these times; of those made meanwhile it begins with
/// the first, and of those that ended as well it is all.
fn compare(kernel: &HashMap<u32, Vec<(u64, Traced)>>, log: &Log, (from_ns, to_ns): (u64, u64)) -> usize {
    let logged = logged(log);
    let ended = |tid| log.rows.iter().any(|row| row.kind == Kind::Exit && row.call.tid == tid);
    let born =
        |tid: u32| log.rows.iter().any(|row| row.kind == Kind::Fork && row.call.ret == Some(i64::from(tid)));
    for tid in logged.keys() {
        assert!(kernel.contains_key(tid), "thread {tid} is unknown to the kernel");
    }
    let mut whole = 0;
    for (&tid, calls) in kernel {
        let piece = logged.get(&tid).map_or(&[][..], Vec::as_slice);
        let begin = begin_of_piece(calls, piece);
        let begin = begin.unwrap_or_else(|| panic!("thread {tid}: no such piece: {piece:?} of {calls:?}"));
        let end = begin + piece.len();
        for (at, (at_ns, call)) in calls.iter().enumerate() {
            let in_time = (from_ns..to_ns).contains(at_ns);
            // The call that attaching or letting go has interrupted: for the kernel it ends with that, and begins anew.
            let is_between = call.ret == Some(ERESTARTSYS) && (at + 1 == begin || at == end);
            let is_there = (begin..end).contains(&at) || is_between;
            assert!(!in_time || is_there, "thread {tid}: {call:?} is missing");
        }
        if born(tid) {
            assert_eq!(begin, 0, "thread {tid}: its first calls are missing: {calls:?}");
            if ended(tid) {
                assert_eq!(end, calls.len(), "thread {tid}: its last calls are missing");
                whole += 1;
            }
        }
    }
    whole
}

/// Attaches, has the process make others, ends the recording, has it make others again.
fn attached(name: &str, options: &[&str], end: impl FnOnce(&Child)) {
    let instance = match Instance::new() {
        Ok(instance) => instance,
        Err(why) => return skip_peer(name, &why),
    };
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("log");
    let mut running = Running::start(&instance, dir.path());
    let mut trace = log::command(&log, dir.path());
    trace.arg("-p").arg(running.child.id().to_string()).args(options);
    let mut trace = trace.spawn().expect("trace can be run");
    wait_until("calls of the busy threads are in the log", || threads_so_far(&log) >= BUSY);
    let from_ns = now_ns();
    for _ in 0..TIMES {
        running.make();
    }
    let to_ns = now_ns();
    end(&trace);
    assert_eq!(run::wait(&mut trace, "trace").code(), Some(0));
    running.make();
    running.end();
    let log = log::read(&log);
    log.assert_complete();
    let mark = |name| log.rows.iter().filter(move |row| row.kind == Kind::Mark && row.text == name);
    assert_eq!((mark(mark::ATTACHED).count(), mark(mark::DETACHED).count()), (4, 4));
    let whole = compare(&instance.timed_calls(), &log, (from_ns, to_ns));
    assert_eq!(whole, 2 * TIMES, "a child and a thread, each time");
}

#[test]
fn until_ctrl_c() {
    attached("attached until Ctrl-C", &[], |trace| {
        kill(Pid::from_raw(trace.id().cast_signed()), Signal::SIGINT).expect("our own child");
    });
}

#[test]
fn for_a_time() {
    // Far longer than the rest takes, for all of that is to be in it.
    attached("attached for a time", &["--duration", "6s"], |_| ());
}
