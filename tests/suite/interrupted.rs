//! What signals to the link by the name `strace` do: the same as strace 6.1 did when each of these was tried with it.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::symlink;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::Stdio;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::support::run;

/// Who is sent the signal.
#[derive(Clone, Copy, Debug)]
enum To {
    Tracer,
    Group,
}

/// What came of it: the tracer's exit status, or the signal that killed it; what the command wrote; the log.
#[derive(Debug)]
struct End {
    status: Result<i32, i32>,
    said: String,
    log: String,
}

/// Runs `script` under the link, sends the signal once it has said that it is ready, and ends its input when
/// `answers`, or the tracer is gone.
fn interrupt(options: &[&str], signal: Signal, to: To, script: &str, answers: bool) -> End {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let link = dir.path().join("strace");
    symlink(env!("CARGO_BIN_EXE_trace"), &link).expect("our own directory");
    let mut command = run::command(&link, dir.path());
    command.args(options).args(["-f", "sh", "-c", script]).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut tracer = command.spawn().expect("it runs");
    let mut output = BufReader::new(tracer.stdout.take().expect("piped"));
    let mut first = String::new();
    output.read_line(&mut first).expect("text");
    assert_eq!(first, "ready\n", "{options:?}");
    let pid = Pid::from_raw(tracer.id().cast_signed());
    let sent = match to {
        To::Tracer => kill(pid, signal),
        To::Group => killpg(pid, signal),
    };
    sent.expect("it runs");
    let mut input = tracer.stdin.take();
    let answer = |input: &mut Option<std::process::ChildStdin>| {
        if let Some(mut input) = input.take() {
            // Nobody reads it where the signal has ended the command.
            let _ = input.write_all(b"\n");
        }
    };
    if answers {
        answer(&mut input);
    }
    let status = run::wait(&mut tracer, "the link");
    answer(&mut input);
    let mut said = String::new();
    output.read_to_string(&mut said).expect("text");
    let log = std::fs::read_to_string(dir.path().join("log")).unwrap_or_default();
    End { status: status.code().ok_or_else(|| status.signal().unwrap_or(0)), said, log }
}

const PLAIN: &str = "echo ready; read line; echo done; exit 5";
const HANDLES: &str = "trap 'echo got; exit 6' INT TERM; echo ready; read line; echo done; exit 5";
const NEVER: [&[&str]; 3] = [&["-o", "log"], &["-I3"], &["-I", "never_tstp", "-o", "log"]];
const WAITING: [&[&str]; 2] = [&[], &["--interruptible=waiting", "-o", "log"]];

#[test]
fn with_a_file_it_goes_on_with_the_command() {
    for options in NEVER {
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
            let end = interrupt(options, signal, To::Tracer, PLAIN, true);
            assert_eq!((end.status, end.said.as_str()), (Ok(5), "done\n"), "{options:?} {signal}");
            if options.contains(&"log") {
                assert!(end.log.trim_end().ends_with("+++ exited with 5 +++"), "{options:?}: {}", end.log);
                assert!(!end.log.contains("--- SIG"), "the command gets none: {}", end.log);
            }
        }
    }
}

#[test]
fn with_a_file_what_the_group_gets_is_for_the_command_to_decide() {
    for options in NEVER {
        let end = interrupt(options, Signal::SIGTERM, To::Group, PLAIN, false);
        assert_eq!((end.status, end.said.as_str()), (Err(libc::SIGTERM), ""), "{options:?}");
        let end = interrupt(options, Signal::SIGINT, To::Group, HANDLES, false);
        assert_eq!((end.status, end.said.as_str()), (Ok(6), "got\n"), "{options:?}");
        if options.contains(&"log") {
            assert_eq!(end.log.matches("--- SIGINT {").count(), 1, "it comes once: {}", end.log);
        }
    }
}

#[test]
fn with_lines_on_the_terminal_it_ends_and_the_command_gets_the_signal() {
    for options in WAITING {
        for to in [To::Tracer, To::Group] {
            let end = interrupt(options, Signal::SIGTERM, to, PLAIN, false);
            assert_eq!((end.status, end.said.as_str()), (Err(libc::SIGTERM), ""), "{options:?} {to:?}");
        }
        let end = interrupt(options, Signal::SIGINT, To::Tracer, HANDLES, false);
        assert_eq!((end.status, end.said.as_str()), (Err(libc::SIGINT), "got\n"), "{options:?}");
    }
}

#[test]
fn interruptible_anywhere_it_leaves_the_command_alone() {
    let end = interrupt(&["-I1", "-o", "log"], Signal::SIGTERM, To::Tracer, PLAIN, false);
    assert_eq!((end.status, end.said.as_str()), (Err(libc::SIGTERM), "done\n"));
    assert!(!end.log.contains("--- SIG"), "{}", end.log);
}
