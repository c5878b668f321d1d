//! How the command's end becomes the end of `trace record`: its exit status, the signal that killed it, and
//! when.

use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use trace::event::Kind;

use crate::support::log;
use crate::support::programs::{executable, program};
use crate::support::run::{self, run};
use crate::support::skip::skip_peer;

struct Place {
    dir: tempfile::TempDir,
    log: PathBuf,
}

fn place() -> Place {
    let dir = tempfile::tempdir().expect("a temporary directory");
    Place { log: dir.path().join("log"), dir }
}

/// The same as untraced, by status and in the log.
fn ends_alike(how: &str, number: i32) {
    let Place { dir, log } = place();
    let args = [how.to_owned(), number.to_string()];
    let untraced = run(run::command(program("exits"), dir.path()).args(&args));
    let traced = run(log::command(&log, dir.path()).arg(program("exits")).args(&args));
    assert_eq!(untraced, traced, "{how} {number}");
    let log = log::read(&log);
    log.assert_complete();
    let exits: Vec<_> =
        log.rows.iter().filter(|row| row.kind == Kind::Exit).map(|row| row.call.ret).collect();
    let expected = if how == "exit" { number } else { -number };
    assert_eq!(exits, [Some(i64::from(expected))], "{how} {number}");
}

#[test]
fn exit_statuses_are_passed_on() {
    log::each_backend("exit statuses are passed on", || {
        for status in [0, 1, 2, 42, 77, 125, 126, 127, 128, 137, 254, 255] {
            ends_alike("exit", status);
        }
    });
}

#[test]
fn deadly_signals_are_passed_on() {
    log::each_backend("deadly signals are passed on", || {
        // Those a shell would die of first are left out: 1 to 15 without 9, then some odd ones, then the last.
        for signal in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 24, 31, 34, 64] {
            ends_alike("signal", signal);
        }
    });
}

/// Also one that comes before the command's program runs, while what a call costs is measured in its process.
#[test]
fn an_alarm_ends_the_command_whenever_it_comes() {
    if !Path::new("/usr/bin/perl").exists() {
        return skip_peer("an_alarm_ends_the_command_whenever_it_comes", "no perl");
    }
    log::each_backend("an alarm ends the command whenever it comes", || {
        for after_us in (1000..40_000).step_by(1000) {
            let Place { dir, log } = place();
            let mut alarmed = run::command("/usr/bin/perl", dir.path());
            alarmed
                .args(["-MTime::HiRes=ualarm", "-e", "ualarm shift; exec @ARGV"])
                .arg(after_us.to_string());
            let traced = log::command(&log, dir.path());
            alarmed.arg(traced.get_program()).args(traced.get_args()).args(["/bin/sleep", "60"]);
            let done = run(&mut alarmed);
            assert_eq!(done.status.signal(), Some(libc::SIGALRM), "after {after_us} us: {done:?}");
        }
    });
}

#[test]
fn the_recording_lasts_until_the_last_process() {
    log::each_backend("the recording lasts until the last process", || {
        let Place { dir, log } = place();
        let mut command = log::command(&log, dir.path());
        command.arg(program("exits")).arg("orphan").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("trace can be run");
        // The orphan ends when its input does; had the recording ended before it, its last words were not in the log.
        drop(child.stdin.take());
        let mut output = String::new();
        child.stdout.take().expect("piped").read_to_string(&mut output).expect("text");
        let status = run::wait(&mut child, "an orphan");
        assert_eq!((status.code(), output.as_str()), (Some(4), "orphan ends\n"));
        let log = log::read(&log);
        log.assert_complete();
        let mut exits: Vec<_> =
            log.rows.iter().filter(|row| row.kind == Kind::Exit).map(|row| row.call.ret).collect();
        exits.sort_unstable();
        assert_eq!(exits, [Some(4), Some(5)]);
    });
}

#[test]
fn leader_only_ends_with_the_first_process() {
    log::each_backend("leader only ends with the first process", || {
        let Place { dir, log } = place();
        let mut command = log::command(&log, dir.path());
        command
            .arg("--leader-only")
            .arg(program("exits"))
            .arg("orphan")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("trace can be run");
        let input = child.stdin.take();
        // It ends while the orphan still waits for its input, and the orphan goes on.
        assert_eq!(run::wait(&mut child, "an orphan, leader only").code(), Some(4));
        drop(input);
        let mut output = String::new();
        child.stdout.take().expect("piped").read_to_string(&mut output).expect("text");
        assert_eq!(output, "orphan ends\n");
        let detached =
            log::read(&log).rows.iter().filter(|row| row.text == trace::event::mark::DETACHED).count();
        assert_eq!(detached, 1, "one process goes on untraced");
    });
}

#[test]
fn streams_are_the_commands_own() {
    log::each_backend("streams are the commands own", || {
        let Place { dir, log } = place();
        let script = "cat; echo to stderr >&2; exit 3";
        let mut command = log::command(&log, dir.path());
        command.args(["sh", "-c", script]);
        let input = dir.path().join("input");
        std::fs::write(&input, b"from stdin\n").expect("our own directory");
        let done = run(command.stdin(std::fs::File::open(input).expect("just written")));
        assert_eq!(
            (done.status.code(), done.stdout.as_str(), done.stderr.as_str()),
            (Some(3), "from stdin\n", "to stderr\n")
        );
    });
}

/// Ends with this status under `trace`, with every thread's end in the log.
fn ends_with(command: &mut std::process::Command, log: &Path, status: i32) {
    let outcome = command
        .process_group(0)
        .stdout(Stdio::null())
        .spawn()
        .map(|mut child| run::wait(&mut child, "trace"));
    assert_eq!(outcome.expect("trace can be run").code(), Some(status));
    let log = log::read(log);
    log.assert_complete();
    let count = |kind| log.rows.iter().filter(|row| row.kind == kind).count();
    assert_eq!(count(Kind::Fork) + 1, count(Kind::Exit), "each that was made has ended");
}

#[test]
fn children_of_a_leader_that_an_exec_replaces_are_let_go_on() {
    log::each_backend("children of a leader that an exec replaces are let go on", || {
        for kind in ["fork", "vfork"] {
            let Place { dir, log } = place();
            ends_with(log::command(&log, dir.path()).arg(program("exec_race")).args(["30", kind]), &log, 7);
        }
    });
}

#[test]
fn a_death_in_the_moment_of_the_fork_leaves_nobody_waiting() {
    log::each_backend("a death in the moment of the fork leaves nobody waiting", || {
        for victim in ["parent", "child"] {
            let Place { dir, log } = place();
            let shared = dir.path().join("shared");
            let mut killer = run::command(program("killed_in_fork"), dir.path())
                .arg(&shared)
                .arg(victim)
                .spawn()
                .expect("runs");
            let mut command = log::command(&log, dir.path());
            ends_with(command.arg(program("killed_in_fork")).arg(&shared).arg("200"), &log, 0);
            run::wait(&mut killer, "the killer");
        }
    });
}

#[test]
fn a_command_that_cannot_be_run_leaves_no_log_and_an_older_one_alone() {
    log::each_backend("a command that cannot be run leaves no log and an older one alone", || {
        let Place { dir, log } = place();
        let script = |name: &str, content: &[u8]| {
            let path = dir.path().join(name);
            executable(&path, content);
            path
        };
        let broken_elf = [&b"\x7fELF\x02\x01\x01"[..], &[0; 120]].concat();
        let commands = [
            script("no-interpreter-line", b"echo hello\n"),
            script("bad-interpreter", b"#!/no/such/interpreter\n"),
            script("broken", &broken_elf),
        ];
        for command in &commands {
            let done = run(log::command(&log, dir.path()).arg(command));
            assert!(matches!(done.status.code(), Some(126 | 127)), "{done:?}");
            assert_eq!(done.stderr.lines().count(), 1, "{done:?}");
            assert!(!log.exists(), "a log of {}", command.display());
        }
        run(log::command(&log, dir.path()).arg("true"));
        let older = std::fs::read(&log).expect("a log");
        for command in &commands {
            run(log::command(&log, dir.path()).arg(command));
            assert_eq!(std::fs::read(&log).expect("a log"), older, "{}", command.display());
        }
        run(log::command(&log, dir.path()).args(["sh", "-c", "exit 1"]));
        log::read(&log).assert_complete();
        assert_ne!(std::fs::read(&log).expect("a log"), older);
    });
}

#[test]
fn a_first_exec_that_kills_is_recorded() {
    log::each_backend("a first exec that kills is recorded", || {
        use std::os::unix::process::ExitStatusExt;
        let Place { dir, log } = place();
        let mut program = std::fs::read("/bin/true").expect("there is /bin/true");
        // The headers promise more than there is: the kernel finds out when it has given the old program up.
        program.truncate(program.len() / 2);
        let path = dir.path().join("half");
        let shell = run::command("sh", dir.path())
            .args(["-c", "cat >half; chmod +x half"])
            .stdin(Stdio::piped())
            .spawn();
        let mut shell = shell.expect("sh is there");
        std::io::Write::write_all(&mut shell.stdin.take().expect("piped"), &program).expect("sh reads");
        run::wait(&mut shell, "cat");
        let done = run(log::command(&log, dir.path()).arg(&path));
        assert_eq!(done.status.signal(), Some(libc::SIGSEGV), "{done:?}");
        let log = log::read(&log);
        log.assert_complete();
        let kinds: Vec<Kind> =
            log.rows.iter().map(|row| row.kind).filter(|kind| *kind != Kind::Signal).collect();
        assert_eq!(kinds, [Kind::Syscall, Kind::Exit, Kind::Total, Kind::Total], "{:?}", log.rows);
        let calls = log.calls();
        assert_eq!((calls[0].name.as_str(), calls[0].ret), ("execve", Some(-i64::from(libc::EFAULT))));
        let exit = log.rows.iter().find(|row| row.kind == Kind::Exit).expect("one of the kinds");
        assert_eq!(exit.call.ret, Some(-i64::from(libc::SIGSEGV)));
    });
}

#[test]
fn a_recording_that_waits_for_others_says_so_and_can_be_ended() {
    log::each_backend("a recording that waits for others says so and can be ended", || {
        use nix::sys::signal::{Signal, kill};
        use std::io::{BufRead, BufReader};
        let Place { dir, log } = place();
        let mut command = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
        command
            .args(["record", "--backend", log::backend(), "-o"])
            .arg(&log)
            .arg(program("exits"))
            .arg("orphan");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("trace can be run");
        let input = child.stdin.take();
        let mut words = BufReader::new(child.stderr.take().expect("piped"));
        let mut line = String::new();
        words.read_line(&mut line).expect("text");
        assert!(line.starts_with("trace: waiting for 1 process that exits started ("), "{line}");
        kill(nix::unistd::Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).expect("our own child");
        assert_eq!(
            run::wait(&mut child, "an orphan, interrupted").code(),
            Some(4),
            "the command's own status"
        );
        let log = log::read(&log);
        log.assert_complete();
        assert_eq!(log.rows.iter().filter(|row| row.text == trace::event::mark::DETACHED).count(), 1);
        drop(input);
        let mut output = String::new();
        child.stdout.take().expect("piped").read_to_string(&mut output).expect("text");
        assert_eq!(output, "orphan ends\n", "it goes on untraced");
    });
}
