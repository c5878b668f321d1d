//! Text while the command runs, structures kept in logs, faults put in, and strace's command line by its name.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::attach::wait_until;
use crate::differential::Place;
use crate::support::run::{self, run};
use crate::support::skip::skip_peer;
use crate::support::{log, strace};

/// A directory for a test, `trace`, and a link to it by the name `strace`.
struct Bench {
    dir: tempfile::TempDir,
    strace: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let strace = dir.path().join("strace");
        symlink(env!("CARGO_BIN_EXE_trace"), &strace).expect("our own directory");
        Self { dir, strace }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn record(&self, words: &[&str]) -> run::Run {
        let mut command = log::command_by("ptrace", &self.path("log"), self.dir.path());
        run(command.args(words))
    }

    fn strace(&self, words: &[&str]) -> run::Run {
        run(run::command(&self.strace, self.dir.path()).arg0("strace").args(words))
    }

    fn show(&self, words: &[&str]) -> String {
        let mut show = run::command(env!("CARGO_BIN_EXE_trace"), self.dir.path());
        let shown = run(show.arg("show").args(words).arg(self.path("log")));
        assert!(shown.status.success(), "{shown:?}");
        shown.stdout
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("it was written")
    }
}

/// Without the totals, which come when the command is over, and times.
fn without_totals(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.contains("*** total "));
    lines.map(str::to_owned).collect()
}

#[test]
fn text_is_what_show_prints() {
    let bench = Bench::new();
    let script = "echo text > file; cat file; exit 3";
    let done = bench.record(&["--decode", "full", "--text", "text", "sh", "-c", script]);
    assert_eq!((done.status.code(), done.stdout.as_str()), (Some(3), "text\n"), "{done:?}");
    let text = bench.read("text");
    assert_eq!(without_totals(&text), without_totals(&bench.show(&[])));
    assert!(text.contains("write(1</") && text.contains(r#", "text\n", 5) = 5"#), "{text}");
    let lines = bench.show(&["-e", "trace=read", "-s", "2"]);
    assert!(lines.contains(r#", "te"..., "#), "{lines}");
    // To a command, which is waited for, and to standard output.
    let words = ["--text", "|grep -c ^ > count", "-e", "trace=write", "sh", "-c", "echo x; echo y"];
    assert_eq!(bench.record(&words).status.code(), Some(0));
    assert_eq!(bench.read("count"), "3\n", "two writes and an exit");
    let done = bench.record(&[
        "--text",
        "-",
        "-e",
        "trace=write",
        "-P",
        "/dev/null",
        "sh",
        "-c",
        "echo x > /dev/null",
    ]);
    assert!(done.stdout.contains(r#"write(1</dev/null>, "x\n", 2) = 2"#), "{done:?}");
}

/// Who is stopped by a signal, and its threads, as strace tells it.
#[test]
fn stops_are_told() {
    const STOP: &str = " --- stopped by SIGSTOP ---";
    let bench = Bench::new();
    let stops =
        crate::support::programs::program("stops").into_os_string().into_string().expect("our own path");
    bench.record(&["--text", "text", "-e", "trace=none", &stops]);
    let text = bench.read("text");
    let shown = [bench.show(&[]), bench.show(&["-e", "trace=none"]), bench.show(&["--strace"])];
    let count = text.matches(STOP).count();
    // Three stops each of one thread and of four; in all others they may go on, or be killed, before they have stopped.
    assert!(count >= 15 && text.contains(" --- stopped by SIGTSTP ---"), "{text}");
    assert_eq!(shown.map(|text| text.matches(STOP).count()), [count; 3]);
    let marks = bench.show(&["--json"]).matches(r#""text":"stopped""#).count();
    assert_eq!(marks, text.matches(" --- stopped by ").count());
}

/// A command that fails is told of, and one that has seen enough is not; the traced command's status is kept.
#[test]
fn how_the_command_that_reads_the_text_ends() {
    let bench = Bench::new();
    for (reader, said) in [
        ("|exit 3", "the command that reads the text failed (exit status: 3)"),
        ("|cat >/dev/null; exit 3", "the command that reads the text failed (exit status: 3)\n"),
        ("|nosuchcommand", "the command that reads the text failed (exit status: 127, not found)"),
        ("|/dev/null", "the command that reads the text failed (exit status: 126, cannot be executed)"),
        ("|kill -9 $$", "the command that reads the text failed (signal: 9 (SIGKILL))"),
        ("|head -1 >/dev/null", ""),
        ("|cat >/dev/null", ""),
    ] {
        let done = bench.record(&["--text", reader, "sh", "-c", "exit 5"]);
        assert_eq!(done.status.code(), Some(5), "{reader}: {done:?}");
        assert!(
            if said.is_empty() { !done.stderr.contains("--text") } else { done.stderr.contains(said) },
            "{done:?}"
        );
        // The log is whole.
        assert!(bench.show(&["-e", "trace=exit_group"]).contains("exit_group(5) = ?"));
    }
}

/// A shell that becomes the tracer by exec leaves it its children: their ends are none of the command's.
#[test]
fn a_child_of_before_is_none_of_the_command() {
    let bench = Bench::new();
    for delay in ["", "sleep 0.01", "sleep 0.03"] {
        let mut shell = run::command("sh", bench.dir.path());
        shell.args(["-c", "$0 & exec \"$@\""]).arg(if delay.is_empty() { ":" } else { delay });
        let trace = [
            env!("CARGO_BIN_EXE_trace"),
            "record",
            "--backend",
            "ptrace",
            "-qo",
            "log",
            "sh",
            "-c",
            "exit 5",
        ];
        let done = run(shell.args(trace));
        assert_eq!(done.status.code(), Some(5), "{done:?}");
        assert!(!bench.show(&[]).contains("*** lost"), "{delay}");
    }
}

/// What is put into a call is told wherever it is printed, as strace does it; of a call that never returns it is not.
#[test]
fn calls_that_were_changed_are_marked() {
    let bench = Bench::new();
    let words = [
        "--inject",
        "openat:delay_exit=1",
        "--inject",
        "readlink:error=EIO:delay_enter=1",
        "--inject",
        "exit_group:delay_enter=1",
        "--text",
        "text",
        "readlink",
        "x",
    ];
    bench.record(&words);
    for text in [bench.read("text"), bench.show(&[]), bench.show(&["--strace"])] {
        let has = |call: &str, end: &str| text.lines().any(|line| line.contains(call) && line.contains(end));
        assert!(has(" openat(", "> (DELAYED) <"), "{text}");
        assert!(has(" readlink(", "-1 EIO (Input/output error) (INJECTED) (DELAYED) <"), "{text}");
        assert!(text.lines().any(|line| line.contains(" exit_group(") && line.ends_with(" = ?")), "{text}");
    }
}

/// Who is delayed keeps nobody waiting: what another does meanwhile is told before the delayed call returns.
#[test]
fn delays_are_side_by_side() {
    let bench = Bench::new();
    // The shell goes on when the other is in its call.
    let script = "sleep 0.01 & until grep -q clock_nanosleep log; do :; done; echo >meanwhile; wait";
    let filter = ["-f", "-o", "log", "-e", "trace=clock_nanosleep,openat"];
    let delay = ["-e", "inject=clock_nanosleep:delay_enter=3s:delay_exit=1ms", "sh", "-c", script];
    let run = bench.strace(&[&filter[..], &delay].concat());
    assert!(run.status.success(), "{run:?}");
    let text = bench.read("log");
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} in {text}"));
    assert!(place("\"meanwhile\"") < place("<... clock_nanosleep resumed>"), "{text}");
    assert!(text.contains(" = 0 (DELAYED)"), "{text}");
}

/// A pipe that the command closes is closed then, and not with the tracer.
#[test]
fn standard_input_is_left_to_the_command() {
    let bench = Bench::new();
    let script = ["sh", "-c", "exec <&-; echo closed; exec sleep 60 >&2"];
    let mut drop_in = run::command(&bench.strace, bench.dir.path());
    drop_in.arg0("strace").args(["-o", "out"]).args(script);
    let mut commands = vec![drop_in];
    let backends = if log::ebpf_refused().is_none() { &["ptrace", "ebpf"][..] } else { &["ptrace"] };
    for backend in backends {
        let mut recorder = log::command_by(backend, &bench.path("log"), bench.dir.path());
        recorder.args(script);
        commands.push(recorder);
    }
    for mut command in commands {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut child = piped.spawn().expect("it can be run");
        let mut output = String::new();
        // The end of the output is told, too, though the command goes on.
        child.stdout.take().expect("piped").read_to_string(&mut output).expect("text");
        assert_eq!(output, "closed\n", "{command:?}");
        let written = child.stdin.take().expect("piped").write(b"x");
        assert_eq!(written.unwrap_err().kind(), std::io::ErrorKind::BrokenPipe, "{command:?}");
        killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL).expect("our own group");
        child.wait().expect("our own child");
    }
}

/// The same under strace and by the link, the call that never returns included.
#[test]
fn markers_are_where_strace_has_them() {
    if !strace::is_there() {
        return skip_peer("markers_are_where_strace_has_them", "no strace");
    }
    let bench = Bench::new();
    let words = [
        "-e",
        "inject=exit_group,close:delay_enter=1",
        "-e",
        "inject=mprotect:delay_exit=1",
        "-e",
        "trace=exit_group,close,mprotect",
        "-e",
        "raw=mprotect",
        "-o",
        "out",
        "true",
    ];
    let markers = |text: &str| -> Vec<String> {
        text.lines()
            .map(|line| line.split_once(" = ").map_or(line, |(_, result)| result).to_owned())
            .collect()
    };
    bench.strace(&words);
    let ours = markers(&bench.read("out"));
    run(run::command("strace", bench.dir.path()).args(words));
    let theirs = markers(&bench.read("out"));
    assert_eq!(ours, theirs);
    assert!(ours.iter().any(|line| line == "? ") || ours.contains(&"?".to_owned()), "{ours:?}");
    assert!(ours.contains(&"0 (DELAYED)".to_owned()), "{ours:?}");
}

#[test]
fn a_log_keeps_no_memory_by_itself() {
    let bench = Bench::new();
    bench.record(&["sh", "-c", "echo secret"]);
    let text = bench.show(&["-e", "trace=write"]);
    assert!(text.contains("write(1<") && !text.contains(", \"secret"), "{text}");
    assert!(!bench.show(&["--json"]).contains("\"memory\":\""));
    bench.record(&["--decode", "full", "sh", "-c", "echo secret"]);
    assert!(bench.show(&["--json"]).contains("\"memory\":\""));
}

#[test]
fn text_goes_out_while_the_command_runs() {
    let bench = Bench::new();
    // The command ends when its own text has been seen.
    let script = "until grep -q 'unlink.*nosuch' text; do rm -f nosuch; done";
    let done =
        bench.record(&["--text", "text", "-e", "trace=/^unlink", "timeout", "100", "sh", "-c", script]);
    assert_eq!(done.status.code(), Some(0), "{done:?}");
}

#[test]
fn what_needs_ptrace_takes_ptrace() {
    let bench = Bench::new();
    let record = |words: &[&str]| {
        let mut command = run::command(env!("CARGO_BIN_EXE_trace"), bench.dir.path());
        run(command.args(["record", "-o", "log"]).args(words))
    };
    for option in [["--decode", "full"], ["--inject", "openat:delay_exit=1"], ["--stacks", "both"]] {
        let done = record(&[&option[..], &["true"]].concat());
        assert_eq!(done.status.code(), Some(0), "{done:?}");
        let done = record(&[&option[..], &["--backend", "ebpf", "true"]].concat());
        assert_eq!(done.status.code(), Some(125), "{done:?}");
        assert!(done.stderr.contains("not possible by eBPF"), "{done:?}");
    }
}

#[test]
fn a_signal_ends_a_delay() {
    let bench = Bench::new();
    let log = bench.path("log");
    let mut command = log::command_by("ptrace", &log, bench.dir.path());
    // The delay is after the call: the file is there when it begins.
    let inject = "unlinkat,unlink:delay_exit=18446744073709551615s";
    fs::write(bench.path("file"), "").expect("our own directory");
    command.args(["--inject", inject, "sh", "-c", "rm -f file; exec sleep 1000"]);
    let mut child = command.stderr(Stdio::null()).spawn().expect("trace runs");
    while bench.path("file").exists() {
        std::thread::yield_now();
    }
    let kill = format!("kill -TERM {}", child.id());
    let killed = Command::new("sh").args(["-c", &kill]).status().expect("sh runs");
    assert!(killed.success(), "{killed:?}");
    let status = child.wait().expect("our own child");
    assert_eq!(status.signal(), Some(libc::SIGTERM));
}

#[test]
fn faults_are_put_in() {
    let bench = Bench::new();
    let done = bench.record(&[
        "--inject",
        "%file:error=EPERM:when=1+",
        "--inject",
        "execve:delay_enter=1",
        "cat",
        "file",
    ]);
    // The loader cannot open a library.
    assert_eq!(done.status.code(), Some(127), "{done:?}");
    fs::write(bench.path("file"), "content").expect("our own directory");
    let done = bench.record(&["--inject", "read:error=EIO:when=2", "cat", "file"]);
    assert_eq!((done.status.code(), done.stdout.as_str()), (Some(1), ""), "{done:?}");
    assert!(bench.show(&["--json"]).contains("\"flags\":[\"injected\""));
    let done = bench.record(&["--inject", "nosuch:error=EIO", "true"]);
    assert_eq!(done.status.code(), Some(125), "{done:?}");
}

#[test]
fn faults_are_those_of_strace() {
    if !strace::is_there() {
        return skip_peer("faults_are_those_of_strace", "no strace");
    }
    let bench = Bench::new();
    let place = Place::new();
    place.prepare("echo content > file");
    for spec in [
        "inject=read:error=EIO:when=2",
        "inject=read:retval=0:when=2+",
        "fault=openat:when=3..4",
        "inject=close:signal=SIGTERM:when=2",
        "inject=write:error=ENOSPC:delay_exit=100",
        // Not traced: nothing is done to them.
        "inject=newfstatat,fstat:error=EIO",
    ] {
        let run = |tracer: &Path| {
            let mut whole = Command::new(tracer);
            whole.args(["-e", spec, "-e", "trace=read,write,close,openat", "-o"]).arg(&place.log);
            let run = place.traced(&whole, &["cat", "file"]);
            (run, fs::read_to_string(&place.log).expect("strace writes"))
        };
        let (theirs, ours) = (run(Path::new("strace")), run(&bench.strace));
        assert_eq!(ours, theirs, "{spec}");
    }
}

#[test]
fn called_by_the_name_of_strace() {
    let bench = Bench::new();
    let done = bench.strace(&["-e", "trace=none", "sh", "-c", "echo out; exit 5"]);
    assert_eq!((done.status.code(), done.stdout.as_str()), (Some(5), "out\n"));
    assert_eq!(done.stderr, "+++ exited with 5 +++\n");
    let done = bench.strace(&["-f", "-e", "trace=none", "-e", "signal=none", "sh", "-c", "(exit 4); exit 5"]);
    let (attached, rest) = done.stderr.split_once('\n').expect("two lines");
    let pid = attached.strip_prefix("strace: Process ").and_then(|text| text.strip_suffix(" attached"));
    let pid = pid.unwrap_or_else(|| panic!("{done:?}"));
    assert_eq!(rest, format!("[pid {pid:>5}] +++ exited with 4 +++\n+++ exited with 5 +++\n"));
    // Not followed, nobody else is told of.
    let done = bench.strace(&["-e", "trace=none", "-e", "signal=none", "sh", "-c", "(exit 4); exit 5"]);
    assert_eq!(done.stderr, "+++ exited with 5 +++\n");
    let done = bench.strace(&["-qq", "-e", "trace=none", "sh", "-c", "kill -9 $$"]);
    assert_eq!((done.status.signal(), done.stderr.as_str()), (Some(9), "+++ killed by SIGKILL +++\n"));
    let done = bench.strace(&["-o", "/dev/full", "sh", "-c", "exit 7"]);
    assert_eq!(done.status.code(), Some(7), "{done:?}");
    let done = bench.strace(&["nosuchprogram"]);
    assert_eq!(done.stderr, "strace: Can't stat 'nosuchprogram': No such file or directory\n");
    assert_eq!(done.status.code(), Some(1));
    let done = bench.strace(&["-d", "true"]);
    assert_eq!((done.status.code(), done.stdout.as_str()), (Some(1), ""));
    assert!(done.stderr.starts_with("strace: option -d (--debug)"), "{done:?}");
}

#[test]
fn a_file_for_each_thread_and_a_summary() {
    let bench = Bench::new();
    let done = bench.strace(&["-ff", "-o", "each", "sh", "-c", "(exit 4); exit 5"]);
    assert_eq!((done.status.code(), done.stderr.as_str()), (Some(5), ""));
    let files = fs::read_dir(bench.dir.path()).expect("our own directory").filter_map(|entry| {
        let name = entry.expect("our own directory").file_name().into_string().expect("our own name");
        name.starts_with("each.").then(|| bench.read(&name))
    });
    let mut ends: Vec<String> =
        files.map(|text| text.lines().last().unwrap_or_default().to_owned()).collect();
    ends.sort_unstable();
    assert_eq!(ends, ["+++ exited with 4 +++", "+++ exited with 5 +++"]);
    let done = bench.strace(&["-c", "-w", "-o", "summary", "cat", "nosuch"]);
    assert_eq!(done.status.code(), Some(1));
    let summary = bench.read("summary");
    assert!(summary.starts_with("% time     seconds  usecs/call     calls    errors syscall\n"), "{summary}");
    assert!(summary.lines().last().is_some_and(|line| line.ends_with(" total")), "{summary}");
    assert!(summary.lines().any(|line| line.ends_with(" openat")), "{summary}");
}

/// Ends with its value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_process_that_runs_is_attached_to() {
    let bench = Bench::new();
    let script = "echo ready; read word; echo got $word > answer; read word";
    let mut shell = run::command("sh", bench.dir.path());
    let shell = shell.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut shell = Running(shell.expect("sh"));
    let mut first = [0; 6];
    Read::read_exact(shell.0.stdout.as_mut().expect("a pipe"), &mut first).expect("it says so");
    let pid = shell.0.id().to_string();
    let mut tracer = run::command(&bench.strace, bench.dir.path());
    let tracer = tracer
        .args(["-f", "-o", "attached", "-e", "trace=read,write", "-p", &pid])
        .stderr(Stdio::null())
        .spawn();
    let mut tracer = Running(tracer.expect("trace"));
    // It is attached to when it is said to be traced.
    let status = format!("/proc/{pid}/status");
    while fs::read_to_string(&status).expect("it runs").contains("TracerPid:\t0\n") {
        std::thread::yield_now();
    }
    let input = shell.0.stdin.as_mut().expect("a pipe");
    Write::write_all(input, b"word\n").expect("it reads");
    drop(shell.0.stdin.take());
    assert!(tracer.0.wait().expect("our own child").success());
    let text = bench.read("attached");
    assert!(text.contains(r#"write(1, "got word\n", 9)"#), "{text}");
    assert!(text.ends_with("+++ exited with 1 +++\n"), "{text}");
}

/// What a call that a tracer has interrupted is shown with.
const RESUMED: &str = "<... resuming interrupted read ...>";

/// Attaches to a program with two threads that sleep, and ends it when this is in the text so many times. `which` makes
/// the options of the process's number and a thread's; they are returned with the other thread's, and what was written and said.
fn attached_to_sleepers(
    which: impl Fn(&str, &str) -> Vec<String>,
    (line, times): (&str, usize),
) -> ([String; 3], String, String) {
    let bench = Bench::new();
    let mut program = run::command(crate::support::programs::program("sleepers"), bench.dir.path());
    let program = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut program = Running(program.expect("the fixture runs"));
    let mut tids = String::new();
    let mut output = std::io::BufReader::new(program.0.stdout.take().expect("a pipe"));
    std::io::BufRead::read_line(&mut output, &mut tids).expect("text");
    let (one, other) = tids.trim_end().split_once(' ').expect("two threads");
    let pid = program.0.id().to_string();
    for tid in [one, other] {
        let state = format!("/proc/{tid}/syscall");
        // Number 7 is poll(2).
        wait_until("it sleeps", || fs::read_to_string(&state).is_ok_and(|text| text.starts_with("7 ")));
    }
    let mut tracer = run::command(&bench.strace, bench.dir.path());
    let tracer = tracer.arg0("strace").args(["-o", "attached"]).args(which(&pid, one)).stderr(Stdio::piped());
    let mut tracer = Running(tracer.spawn().expect("trace"));
    let text = || fs::read_to_string(bench.path("attached")).unwrap_or_default();
    wait_until("they are recorded", || text().matches(line).count() >= times);
    drop(program.0.stdin.take());
    assert!(program.0.wait().expect("our own child").success());
    assert!(tracer.0.wait().expect("our own child").success());
    let mut said = String::new();
    Read::read_to_string(&mut tracer.0.stderr.take().expect("a pipe"), &mut said).expect("text");
    ([pid, one.to_owned(), other.to_owned()], text(), said)
}

#[test]
fn one_thread_is_attached_to_alone() {
    let only = |_: &str, tid: &str| ["-p", tid].map(str::to_owned).to_vec();
    let ([_, tid, _], text, said) = attached_to_sleepers(only, (RESUMED, 1));
    assert_eq!(said, format!("strace: Process {tid} attached\n"));
    let end = "<... resuming interrupted read ...>) = ?\n+++ exited with 0 +++\n";
    assert_eq!(text, format!("restart_syscall({end}"));
    // Of the process, its first thread.
    let first = |pid: &str, _: &str| ["-p", pid].map(str::to_owned).to_vec();
    let ([pid, ..], text, said) = attached_to_sleepers(first, ("read(0", 1));
    assert_eq!(said, format!("strace: Process {pid} attached\n"));
    assert!(!text.contains("restart_syscall") && text.ends_with("+++ exited with 0 +++\n"), "{text}");
}

#[test]
fn all_threads_are_attached_to_where_they_are_followed() {
    for by_thread in [false, true] {
        let which = |pid: &str, tid: &str| {
            ["-f", "-p", if by_thread { tid } else { pid }].map(str::to_owned).to_vec()
        };
        let ([pid, one, other], text, said) = attached_to_sleepers(which, (RESUMED, 2));
        let asked_for = if by_thread { &one } else { &pid };
        assert_eq!(said, format!("strace: Process {asked_for} attached with 3 threads\n"));
        for tid in [one, other] {
            let line = format!("{tid:<5} restart_syscall(<... resuming interrupted read ...>");
            assert!(text.lines().any(|text| text.starts_with(&line)), "{tid}: {text}");
        }
        assert_eq!(text.matches("+++ exited with 0 +++").count(), 3, "{text}");
    }
}

#[test]
fn the_version_is_where_scripts_look_for_it() {
    let done = Bench::new().strace(&["-V"]);
    let ours = format!("trace {}", env!("CARGO_PKG_VERSION"));
    let version = done.stdout.strip_prefix("strace -- version ").and_then(|text| text.split(' ').next());
    assert_eq!((done.status.code(), version), (Some(0), Some("6.1")), "{done:?}");
    assert!(done.stdout.contains(&ours), "{done:?}");
}

#[test]
fn a_command_that_cannot_be_traced_or_found_is_told_of() {
    let bench = Bench::new();
    // Under a tracer that follows there is no other one.
    let link = bench.strace.to_str().expect("our own directory");
    let done = bench.strace(&["-f", "-o", "outer", link, "true"]);
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    let (before, after) = done.stderr.split_once("ptrace(PTRACE_SEIZE, ").expect("the request is named");
    assert!(before.ends_with("strace: ") && after.ends_with("): Operation not permitted\n"), "{done:?}");
    let mut without = run::command(&bench.strace, bench.dir.path());
    let done = run(without.arg0("strace").arg("true").env_remove("PATH"));
    assert_eq!(done.stderr, "strace: Can't stat 'true': No such file or directory\n");
}

#[test]
fn the_functions_that_made_a_call_stand_below_it() {
    let bench = Bench::new();
    let program = crate::support::programs::program("descriptors");
    let program = program.to_str().expect("our own directory");
    let run = bench.strace(&["-k", "-o", "out", "-e", "trace=timerfd_create", program]);
    assert!(run.status.success(), "{run:?}");
    let text = bench.read("out");
    let mut lines = text.lines();
    assert!(
        lines.next().is_some_and(|line| line.starts_with("timerfd_create(CLOCK_MONOTONIC, 0)")),
        "{text}"
    );
    let frames: Vec<&str> = lines.take_while(|line| line.starts_with(" > ")).collect();
    let own = |line: &&&str| line.starts_with(&format!(" > {program}(main+0x"));
    assert!(frames.len() >= 3 && frames[0].contains("timerfd_create+0x"), "{text}");
    assert_eq!(frames.iter().filter(own).count(), 1, "{text}");
    // With a place in the file, in hexadecimal.
    let is_place = |line: &&str| line.rsplit_once(" [0x").is_some_and(|(_, end)| end.ends_with(']'));
    assert!(frames.iter().all(is_place), "{text}");
}

/// Functions that a library exports have the names that strace gives them, not those of separate debug files.
#[test]
fn functions_have_straces_names() {
    if !strace::is_there() {
        return skip_peer("functions_have_straces_names", "no strace");
    }
    let bench = Bench::new();
    fs::write(bench.path("file"), "text").expect("our own directory");
    let words = ["-k", "-e", "trace=read,write,close", "-o", "out", "cat", "file"];
    // Of the call itself, in the C library.
    let innermost = |text: &str| -> Vec<String> {
        let lines: Vec<&str> = text.lines().collect();
        let pairs = lines.windows(2).filter(|pair| pair[0].contains(" = ") && pair[1].contains("/libc.so"));
        pairs.map(|pair| pair[1].to_owned()).collect()
    };
    bench.strace(&words);
    let ours = innermost(&bench.read("out"));
    run(run::command("strace", bench.dir.path()).args(words));
    let theirs = innermost(&bench.read("out"));
    let exported = |frame: &&String| {
        ["(read+", "(write+", "(__close+", "(__close_nocancel+"].iter().any(|name| frame.contains(name))
    };
    let [ours, theirs] =
        [&ours, &theirs].map(|frames| frames.iter().filter(exported).cloned().collect::<Vec<String>>());
    assert_eq!(ours, theirs);
    assert!(ours.len() >= 3, "{ours:?}");
}

#[test]
fn a_summary_counts_time_in_the_kernel() {
    let bench = Bench::new();
    let run = bench.strace(&["-c", "-o", "out", "dd", "if=/dev/zero", "of=/dev/null", "bs=8M", "count=200"]);
    assert!(run.status.success(), "{run:?}");
    let text = bench.read("out");
    let row = |name: &str| {
        let line = text.lines().find(|line| line.ends_with(name)).unwrap_or_else(|| panic!("{text}"));
        line.split_ascii_whitespace().nth(1).and_then(|seconds| seconds.parse::<f64>().ok()).expect("seconds")
    };
    // It fills 1.6 GB with zeros, and waits for nobody.
    assert!(row(" read") > 0.005, "{text}");
    let total = row(" total");
    let wall = bench.strace(&["-c", "-w", "-o", "slept", "sleep", "0.3"]);
    assert!(wall.status.success(), "{wall:?}");
    let kernel = bench.strace(&["-c", "-o", "kernel", "sleep", "0.3"]);
    assert!(kernel.status.success(), "{kernel:?}");
    let total_of = |name: &str| {
        let text = bench.read(name);
        let line = text.lines().find(|line| line.ends_with(" total")).expect("a total").to_owned();
        line.split_ascii_whitespace().nth(1).and_then(|seconds| seconds.parse::<f64>().ok()).expect("seconds")
    };
    assert!(total > 0.005 && total_of("slept") >= 0.3 && total_of("kernel") < 0.3, "{text}");
}

#[test]
fn times_have_the_precision_asked_for() {
    let bench = Bench::new();
    for (options, decimals) in [
        (&["--timestamps=unix,ms"][..], 3),
        (&["--timestamps=time,ns"], 9),
        (&["--relative-timestamps=ms"], 3),
        (&["-ttt"], 6),
    ] {
        let words = [options, &["-o", "out", "-e", "trace=execve", "true"]].concat();
        assert!(bench.strace(&words).status.success());
        let text = bench.read("out");
        let time = text.trim_start().split(' ').next().expect("a time").to_owned();
        assert_eq!(time.split_once('.').map(|(_, rest)| rest.len()), Some(decimals), "{options:?} {text}");
    }
    assert!(
        bench
            .strace(&["-t", "-r", "--syscall-times=ns", "-o", "out", "-e", "trace=execve", "true"])
            .status
            .success()
    );
    let text = bench.read("out");
    assert!(text.contains(" (+     0.000000) execve("), "{text}");
    let taken = text.lines().next().and_then(|line| line.rsplit_once(" <0.")).expect("a time taken").1;
    assert_eq!(taken.len(), "123456789>".len(), "{text}");
}

/// A filtered process whose tracer is gone would get errors from its calls: the kernel ends it with its tracer.
#[test]
fn a_filtered_command_does_not_outlive_its_tracer() {
    let bench = Bench::new();
    let script = "echo $$ >pid.new; mv pid.new pid; exec sleep 1000";
    let mut command = run::command(&bench.strace, bench.dir.path());
    command.args(["-f", "--seccomp-bpf", "-e", "trace=openat", "-o", "out", "sh", "-c", script]);
    let mut tracer = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs");
    while !bench.path("pid").exists() {
        std::thread::yield_now();
    }
    let pid: i32 = bench.read("pid").trim().parse().expect("a pid");
    tracer.kill().expect("our own child");
    tracer.wait().expect("our own child");
    let is_alive = || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
    };
    let begin = std::time::Instant::now();
    while is_alive() {
        assert!(begin.elapsed().as_secs() < 60, "it outlives its tracer");
        std::thread::yield_now();
    }
}

/// A thread that another's execve puts itself in the place of.
#[test]
fn a_superseded_thread_is_told_of() {
    let bench = Bench::new();
    let program = crate::support::programs::program("exec_thread");
    let run = bench.strace(&[
        "-f",
        "-o",
        "out",
        "-e",
        "trace=execve",
        program.to_str().expect("our own directory"),
    ]);
    let text = bench.read("out");
    let ids: Vec<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    let told =
        text.lines().find(|line| line.contains("+++ superseded by execve in pid ")).unwrap_or_else(|| {
            panic!("{text}{run:?}");
        });
    assert!(told.starts_with(ids[0]), "{text}");
    let resumed = text.lines().find(|line| line.contains("<... execve resumed>")).expect("it succeeds");
    assert!(resumed.starts_with(ids[0]), "{text}");
}

/// With a file for each thread: its own tells that it goes on elsewhere, and that of the first one how.
#[test]
fn a_superseding_thread_goes_on_in_the_first_ones_file() {
    let bench = Bench::new();
    let program = crate::support::programs::program("exec_thread");
    let program = program.to_str().expect("our own directory");
    let done = bench.strace(&["-ff", "-o", "out", "-e", "trace=execve", program]);
    let names = fs::read_dir(bench.dir.path()).expect("our own directory").filter_map(|entry| {
        let name = entry.expect("our own directory").file_name().into_string().expect("our own name");
        name.starts_with("out.").then_some(name)
    });
    let files: Vec<(String, String)> = names.map(|name| (name.clone(), bench.read(&name))).collect();
    let (first, text) =
        files.iter().find(|(_, text)| text.contains("+++ superseded by execve in pid ")).expect("one has");
    let told = text.split_once("+++ superseded by execve in pid ").map_or("", |(_, told)| told);
    let (thread, rest) = told.split_once(" +++\n").expect("the end of the line");
    assert!(rest.starts_with("<... execve resumed>"), "{text}{done:?}");
    let left = bench.read(&format!("out.{thread}"));
    let leader = first.trim_start_matches("out.");
    assert!(left.ends_with(&format!(" <pid changed to {leader} ...>\n")), "{left}");
}

/// A call that was going on already is complete but for its result.
#[test]
fn a_call_that_is_resumed_and_never_returns() {
    let bench = Bench::new();
    let mut sleeper = run::command("sleep", bench.dir.path()).arg("1000").spawn().expect("it can be run");
    let pid = sleeper.id();
    let killer = std::thread::spawn({
        let output = bench.path("out");
        move || {
            wait_until("the call is told", || fs::read(&output).is_ok_and(|text| !text.is_empty()));
            let outcome = sleeper.kill();
            (outcome, sleeper.wait())
        }
    });
    bench.strace(&["-p", &pid.to_string(), "-o", "out"]);
    let (outcome, _) = killer.join().expect("it waits only");
    outcome.expect("our own child");
    let text = bench.read("out");
    assert!(text.starts_with("restart_syscall(<... resuming interrupted read ...>) = ?\n"), "{text}");
}
