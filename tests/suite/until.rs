//! `trace startup --until`: programs that do not end are measured until they are ready, and then ended.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use trace::event::{Kind, mark};

use crate::attach::wait_until;
use crate::support::log;
use crate::support::programs::program;
use crate::support::run::{self, Run, run};
use crate::support::skip::skip;

/// What `server` waits before it is ready.
const AT_LEAST_NS: f64 = 30e6;

fn startup(dir: &Path, until: &str, options: &[&str]) -> Command {
    let mut command = run::command(env!("CARGO_BIN_EXE_trace"), dir);
    command.args(["startup", "--runs", "2", "-o", "log", "--until", until]).args(options);
    command
}

/// Every server that was started, and none is left.
fn ended(dir: &Path) -> usize {
    let pids = fs::read_to_string(dir.join("pids")).expect("servers have run");
    for pid in pids.lines() {
        let pid = Pid::from_raw(pid.parse().expect("a number"));
        // Whoever adopted it may take a while to reap it; one that was not ended stays for good.
        let mut looks = 0;
        while kill(pid, None) != Err(Errno::ESRCH) {
            looks += 1;
            assert!(looks < 1000, "{pid} is left");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    pids.lines().count()
}

/// Measures a server until then; the report.
fn measured(dir: &Path, until: &str, options: &[&str], server: &[&str]) -> Value {
    let mut command = startup(dir, until, options);
    let done = run(command.arg("--json").arg(program("server")).args(server));
    assert!(done.status.success(), "{until} {done:?}");
    assert!((4..=10).contains(&ended(dir)), "an uncounted run, two, and one to seven traced ones");
    let json: Value = serde_json::from_str(&done.stdout).expect("it is JSON");
    assert_eq!(json["until"], until);
    json
}

/// The report ends where the program was ready, and the log says where that is.
fn assert_up_to_ready(dir: &Path, json: &Value) {
    let wall_ns = json["untraced"]["wall_ns"]["median"].as_f64().expect("a number");
    assert!(wall_ns >= AT_LEAST_NS, "{json}");
    let phases = json["phases"]["phases"].as_array().expect("phases");
    let takes_ns: f64 = phases.iter().filter_map(|phase| phase["takes_ns"].as_f64()).sum();
    assert!((takes_ns - wall_ns).abs() < 2.0, "{json}");
    let log = log::read(&dir.join("log"));
    log.assert_complete();
    let marks = log.rows.iter().filter(|row| row.kind == Kind::Mark && row.text == mark::READY);
    assert_eq!(marks.count(), 1);
    let in_phases: u64 = phases.iter().filter_map(|phase| phase["syscalls"].as_u64()).sum();
    // Where readiness is seen late, nothing but the signal that ends it comes after.
    assert!((20..=log.calls().len() as u64).contains(&in_phases), "the end is no part of it: {in_phases}");
}

#[test]
fn until_it_listens() {
    for kind in ["tcp", "unix"] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        assert_up_to_ready(dir.path(), &measured(dir.path(), "listen", &[], &[kind]));
    }
}

#[test]
fn until_it_has_opened_a_file() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let until = format!("open={}/marker", dir.path().display());
    assert_up_to_ready(dir.path(), &measured(dir.path(), &until, &[], &["tcp"]));
}

#[test]
fn until_it_rests() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    // Longer than the rest before it listens.
    let json = measured(dir.path(), "idle=200", &[], &["tcp"]);
    assert_eq!(json["phases"]["phases"].as_array().map(Vec::is_empty), Some(false));
}

#[test]
fn until_it_says_so_which_is_shown_once() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    assert_up_to_ready(dir.path(), &measured(dir.path(), "output=^Serving [0-9]+", &[], &["tcp"]));
    let mut command = startup(dir.path(), "output=Serving", &[]);
    let done = run(command.arg(program("server")).arg("tcp"));
    assert_eq!(done.stdout.matches("Serving ").count(), 1, "{done:?}");
    assert!(done.stdout.contains("ready (output=Serving) "), "{done:?}");
}

#[test]
fn what_has_left_its_parent_is_found_and_ended() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let json = measured(dir.path(), "listen", &["--end", "KILL"], &["tcp", "daemon", "stubborn"]);
    assert_eq!(json["tree"]["processes"], 3, "{json}");
    // The first of them has ended long before: what the others did is part of the wall time.
    assert_up_to_ready(dir.path(), &json);
}

#[test]
fn a_command_that_ends_before_it_is_ready_is_an_error() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let Run { status, stderr, .. } = run(startup(dir.path(), "listen", &[]).args(["sh", "-c", "exit 3"]));
    assert_eq!(status.code(), Some(125), "{stderr}");
    assert_eq!(stderr, "trace: the command ended (exit status: 3) before it was ready (--until listen)\n");
    for (until, what) in [
        ("idle=1", "at least 10"),
        ("output=(", "unclosed"),
        ("never", "listen, output="),
        ("open=/gone/x", "no directory /gone;"),
    ] {
        let Run { status, stderr, .. } = run(startup(dir.path(), until, &[]).arg("true"));
        assert_eq!(status.code(), Some(125), "{stderr}");
        assert!(stderr.contains(what), "{stderr}");
    }
}

/// A process that was left running; ended when dropped.
struct Left(i32);

impl Left {
    fn of(json: &Value) -> Self {
        let left = json["left_running"].as_array().expect("pids");
        assert_eq!(left.len(), 1, "{left:?}");
        Self(left[0].as_i64().expect("a number") as i32)
    }

    /// A field of the status of each of its threads.
    fn field(&self, name: &str) -> Vec<String> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.0)).expect("it runs");
        let field = |status: String| {
            let mut lines = status.lines();
            lines.find_map(|line| line.strip_prefix(name)).expect("in every status").trim().to_owned()
        };
        let statuses = tasks.map(|task| fs::read_to_string(task.expect("it runs").path().join("status")));
        statuses.map(|status| field(status.expect("it runs"))).collect()
    }

    fn assert_untouched(&self) {
        assert!(self.field("TracerPid:").iter().all(|tracer| tracer == "0"), "still traced");
        let own = fs::read_to_string("/proc/self/status").expect("our own");
        let own =
            own.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).expect("in every status");
        assert!(self.field("Cpus_allowed_list:").iter().all(|cpus| cpus == own.trim()), "{own}");
        assert!(self.field("State:").iter().all(|state| !state.starts_with(['t', 'T'])), "stopped");
    }
}

impl Drop for Left {
    fn drop(&mut self) {
        // It may have ended.
        let _ = kill(Pid::from_raw(self.0), Signal::SIGKILL);
    }
}

/// Makes the one run, whose output (and with it the files that are kept open) goes to files.
fn leave(dir: &Path, until: &str, command: &[&str]) -> (Value, Left) {
    let file = |name: &str| File::create(dir.join(name)).expect("our own directory");
    let mut trace = run::command(env!("CARGO_BIN_EXE_trace"), dir);
    trace.args(["startup", "--json", "-o", "log", "--end", "leave", "--until", until]).args(command);
    let mut trace = trace.stdout(file("report")).stderr(file("words")).spawn().expect("trace can be run");
    let status = run::wait(&mut trace, "startup --end leave");
    let words = fs::read_to_string(dir.join("words")).expect("our own file");
    assert!(status.success(), "{until}: {status:?} {words}");
    let report = fs::read_to_string(dir.join("report")).expect("our own file");
    let json: Value = serde_json::from_str(&report).expect("it is JSON");
    let left = Left::of(&json);
    assert!(
        words.contains(&format!("process {0} is left running; to end it: kill {0}\n", left.0)),
        "{words}"
    );
    assert_eq!((&json["untraced"], &json["until"]), (&Value::Null, &until.into()), "{json}");
    let log = log::read(&dir.join("log"));
    log.assert_complete();
    let marks = |name| log.rows.iter().filter(|row| row.kind == Kind::Mark && row.text == name).count();
    assert_eq!(marks(mark::READY), 1);
    assert!(marks(mark::DETACHED) >= 1);
    (json, left)
}

#[test]
fn a_server_is_left_running_alone() {
    let python = "/usr/bin/python3";
    if !Path::new(python).exists() {
        return skip("an http.server that is left running", "there is no /usr/bin/python3");
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let command = [python, "-u", "-m", "http.server", "--bind", "127.0.0.1", "0"];
    let (json, left) = leave(dir.path(), "listen", &command);
    left.assert_untouched();
    assert!(json["traced_ns"].as_u64() > Some(0), "{json}");
    let words = || fs::read_to_string(dir.path().join("words")).expect("our own file");
    let port = || words().split_once(" port ")?.1.split_once(' ')?.0.parse::<u16>().ok();
    wait_until("it says where", || port().is_some());
    let mut stream = TcpStream::connect(("127.0.0.1", port().expect("it has said so"))).expect("it listens");
    stream.write_all(b"GET /log HTTP/1.0\r\n\r\n").expect("it reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("it answers");
    assert!(answer.starts_with(b"HTTP/1.0 200 "), "{:?}", String::from_utf8_lossy(&answer));
}

#[test]
fn whoever_is_ready_can_be_left_running() {
    for (until, kind) in [("listen", "tcp"), ("idle=200", "unix"), ("open=marker", "tcp")] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let until = until.replace("marker", &format!("{}/marker", dir.path().display()));
        let server = program("server");
        let command = [server.to_str().expect("plain"), kind, "daemon"];
        let (json, left) = leave(dir.path(), &until, &command);
        assert_eq!(json["tree"]["processes"], 3, "{json}");
        left.assert_untouched();
        let pids = fs::read_to_string(dir.path().join("pids")).expect("the server has run");
        assert_eq!(pids, format!("{}\n", left.0), "the last of them, started once");
        kill(Pid::from_raw(left.0), Signal::SIGTERM).expect("it runs");
        let status = format!("/proc/{}/status", left.0);
        wait_until("it ends by SIGTERM", || {
            fs::read_to_string(&status).map_or(true, |status| status.contains("State:\tZ"))
        });
    }
}

#[test]
fn what_cannot_be_left_running_is_refused() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (options, why) in [
        (&["--until", "output=x"][..], "keeps its own output"),
        (&["--until", "exit"], "cannot be left"),
        (&[], "--until"),
        (&["--until", "listen", "--runs", "3"], "--runs"),
        (&["--until", "listen", "--cold"], "--cold"),
        (&["--until", "listen"], "traced, the command ended (exit status: 0) before it was ready"),
    ] {
        let mut command = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
        let done = run(command.args(["startup", "-o", "log", "--end", "leave"]).args(options).arg("true"));
        assert_eq!((done.status.code(), done.stderr.lines().count()), (Some(125), 1), "{done:?}");
        assert!(done.stderr.contains(why), "{done:?}");
    }
}
