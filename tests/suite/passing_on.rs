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

/// Sends a signal, each time when the one before has come; how many the command has got.
fn counted(mode: &str, signal: Signal, send: impl Fn(Pid, Signal)) -> String {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut command = log::command(&dir.path().join("log"), dir.path());
    command.arg(program("counts_signals")).arg(mode).arg((signal as i32).to_string());
    if log::backend() == "ebpf" {
        // Nothing slows it down there, and a million calls a second are more than a busy machine can record.
        command.arg("1");
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.process_group(0).spawn().expect("trace can be run");
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    output.read_line(&mut line).expect("text");
    assert_eq!(line, "ready\n");
    for _ in 0..SIGNALS {
        send(Pid::from_raw(child.id().cast_signed()), signal);
        line.clear();
        output.read_line(&mut line).expect("text");
        assert_eq!(line, "got\n", "{mode} {signal}");
    }
    drop(child.stdin.take());
    let mut rest = String::new();
    output.read_to_string(&mut rest).expect("text");
    assert!(run::wait(&mut child, mode).success(), "{mode}: {rest}");
    rest
}

#[test]
fn a_signal_to_the_group_comes_once() {
    log::each_backend("a signal to the group comes once", || {
        for mode in ["handler", "sigwait", "signalfd"] {
            let rest =
                counted(mode, Signal::SIGTERM, |trace, signal| killpg(trace, signal).expect("our own group"));
            assert_eq!(rest, format!("{SIGNALS}\n"), "{mode}");
        }
    });
}

#[test]
fn a_signal_to_trace_alone_comes_once() {
    log::each_backend("a signal to trace alone comes once", || {
        for mode in ["handler", "sigwait", "signalfd"] {
            let rest =
                counted(mode, Signal::SIGTERM, |trace, signal| kill(trace, signal).expect("our own child"));
            assert_eq!(rest, format!("{SIGNALS}\n"), "{mode}");
        }
    });
}

#[test]
fn signals_of_every_purpose_are_handed_on() {
    log::each_backend("signals of every purpose are handed on", || {
        use Signal::{SIGALRM, SIGPIPE, SIGURG, SIGUSR2, SIGWINCH, SIGXCPU, SIGXFSZ};
        for signal in [SIGWINCH, SIGPIPE, SIGXCPU, SIGXFSZ, SIGURG, SIGUSR2, SIGALRM] {
            let rest =
                counted("handler", signal, |trace, signal| kill(trace, signal).expect("our own child"));
            assert_eq!(rest, format!("{SIGNALS}\n"), "{signal}");
        }
        let rest =
            counted("handler", SIGWINCH, |trace, signal| killpg(trace, signal).expect("our own group"));
        assert_eq!(rest, format!("{SIGNALS}\n"), "to the group");
    });
}
