//! Signals that reach `trace`: the command gets each once, whether it was sent to `trace` or to the whole group.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::support::log;
use crate::support::programs::program;
use crate::support::run;

/// So many that one in five that came twice would be noticed.
const SIGNALS: usize = 20;

/// Sends SIGTERM, each when the one before has come; how many the command has got.
fn counted(mode: &str, send: impl Fn(Pid)) -> String {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut command = log::command(&dir.path().join("log"), dir.path());
    command.arg(program("counts_signals")).arg(mode).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.process_group(0).spawn().expect("trace can be run");
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    output.read_line(&mut line).expect("text");
    assert_eq!(line, "ready\n");
    for _ in 0..SIGNALS {
        send(Pid::from_raw(child.id().cast_signed()));
        line.clear();
        output.read_line(&mut line).expect("text");
        assert_eq!(line, "got\n", "{mode}");
    }
    drop(child.stdin.take());
    let mut rest = String::new();
    output.read_to_string(&mut rest).expect("text");
    assert!(run::wait(&mut child, mode).success(), "{mode}: {rest}");
    rest
}

#[test]
fn a_signal_to_the_group_comes_once() {
    for mode in ["handler", "sigwait", "signalfd"] {
        let rest = counted(mode, |trace| killpg(trace, Signal::SIGTERM).expect("our own group"));
        assert_eq!(rest, format!("{SIGNALS}\n"), "{mode}");
    }
}

#[test]
fn a_signal_to_trace_alone_comes_once() {
    for mode in ["handler", "sigwait", "signalfd"] {
        let rest = counted(mode, |trace| kill(trace, Signal::SIGTERM).expect("our own child"));
        assert_eq!(rest, format!("{SIGNALS}\n"), "{mode}");
    }
}
