//! The backends beside each other: which one is chosen, that both tell the same phases, and what only eBPF records.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use trace::event::{Kind, mark};
use trace::log::{Header, Reader};

use crate::differential::{hello, python};
use crate::support::call::Text;
use crate::support::log;
use crate::support::programs::program;
use crate::support::run::{self, Run, run};
use crate::support::skip::{skip, skip_peer};

const TRACE: &str = env!("CARGO_BIN_EXE_trace");

/// Whether eBPF is missing, which is said.
fn is_skipped(name: &str) -> bool {
    log::ebpf_refused().inspect(|why| skip(name, why)).is_some()
}

fn header(log: &Path) -> Header {
    Reader::open(log).expect("a log").header().clone()
}

/// `trace record` by the best backend there is, behind another command.
fn record_behind(words: &[&str], log: &Path, dir: &Path) -> Run {
    let all = words.iter().copied().chain([TRACE, "record", "--backend", "auto", "-o"]);
    let mut command = run::command(words.first().unwrap_or(&TRACE), dir);
    run(command.args(all.skip(1)).arg(log).arg("true"))
}

#[test]
fn what_is_permitted_is_chosen_and_the_reason_told() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("log");
    let done = record_behind(&[], &log, dir.path());
    let refused = log::ebpf_refused();
    assert_eq!(header(&log).backend, if refused.is_none() { "ebpf" } else { "ptrace" });
    assert_eq!(header(&log).not_ebpf().is_some(), refused.is_some());
    assert_eq!(done.stderr.lines().count(), 1 + usize::from(refused.is_some()), "{done:?}");
}

#[test]
fn without_privilege_ptrace_records() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("log");
    let done = record_behind(&["setpriv", "--bounding-set=-all", "--inh-caps=-all"], &log, dir.path());
    if done.stderr.starts_with("setpriv") {
        return skip("a recording without privilege", &done.stderr);
    }
    let header = header(&log);
    let why = "it needs root, or CAP_BPF and CAP_PERFMON";
    assert_eq!((header.backend.as_str(), header.not_ebpf()), ("ptrace", Some(why)));
    assert!(
        done.stderr.contains(&format!("recorded with ptrace, for eBPF does not work here: {why}")),
        "{done:?}"
    );
    log::read(&log).assert_complete();
}

#[test]
fn a_filter_that_kills_who_calls_bpf_is_survived() {
    if is_skipped("a filter that kills who calls bpf") {
        return;
    }
    let (deny, bpf) = (program("deny"), libc::SYS_bpf.to_string());
    for (answer, why) in [("kill", "a seccomp filter kills who calls bpf"), ("1", "Operation not permitted")]
    {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let log = dir.path().join("log");
        let words = [deny.to_str().expect("a plain path"), answer, &bpf, "--"];
        let done = record_behind(&words, &log, dir.path());
        assert!(done.status.success(), "{done:?}");
        let header = header(&log);
        assert_eq!(header.backend, "ptrace");
        assert!(header.not_ebpf().is_some_and(|told| told.contains(why)), "{:?}", header.options);
    }
}

/// The report of a start, as JSON.
fn report(backend: &str, command: &[&str]) -> Value {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut trace = run::command(TRACE, dir.path());
    trace.args(["startup", "--runs", "3", "--json", "--backend", backend, "-o", "log"]).args(command);
    let done = run(&mut trace);
    serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {done:?}"))
}

/// What does not depend on time: each phase with its counts.
fn phases(report: &Value) -> Vec<String> {
    let phases = report["phases"]["phases"].as_array().expect("a list");
    let counts = |phase: &Value| {
        ["name", "syscalls", "stat", "open", "misses"].map(|field| phase[field].to_string()).join(" ")
    };
    phases.iter().map(counts).collect()
}

#[test]
fn a_start_has_the_same_phases_by_both() {
    if is_skipped("phases by both backends") {
        return;
    }
    let hello = hello();
    let Some(python) = python() else { return skip_peer("phases by both backends", "no python3") };
    let no_loader = program("no_loader");
    let commands: [&[&str]; 4] = [
        &[&python, &hello],
        &["ls", "/"],
        &["sh", "-c", "ls / >/dev/null; exec true"],
        &[no_loader.to_str().expect("a plain path")],
    ];
    for command in commands {
        let (ptrace, ebpf) = (report("ptrace", command), report("ebpf", command));
        assert_eq!((&ptrace["backend"], &ebpf["backend"]), (&"ptrace".into(), &"ebpf".into()));
        assert_eq!((&ptrace["quality"], &ebpf["quality"]), (&"estimated".into(), &"true".into()));
        assert_eq!(ebpf["stop_ns"], 0, "nothing is taken off what is true");
        assert!(phases(&ptrace).len() > 2, "{command:?}: {}", ptrace["phases"]);
        assert_eq!(phases(&ptrace), phases(&ebpf), "{command:?}: ptrace (left) and ebpf");
    }
}

#[test]
fn a_recorder_inside_another() {
    if is_skipped("a recorder inside another") {
        return;
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (outer, inner) = (dir.path().join("outer"), dir.path().join("inner"));
    let inside = log::command_by("ebpf", &inner, dir.path());
    let mut command = log::command_by("ebpf", &outer, dir.path());
    let done = run(command.arg(inside.get_program()).args(inside.get_args()).args(["cat", "/etc/passwd"]));
    assert!(done.status.success() && done.stderr.is_empty(), "{done:?}");
    let (outer, inner) = (log::read(&outer), log::read(&inner));
    inner.assert_complete();
    outer.assert_complete();
    let of_cat = |log: &log::Log| {
        let pid = log.rows.iter().rfind(|row| row.kind == Kind::Exec).expect("an exec").pid;
        let calls = log.rows.iter().filter(|row| row.kind == Kind::Syscall && row.pid == pid);
        calls.map(|row| row.call.name.clone()).collect::<Vec<_>>()
    };
    let (inside, outside) = (of_cat(&inner), of_cat(&outer));
    assert!(inside.len() > 20 && outside.ends_with(&inside), "{inside:?}\n{outside:?}");
}

/// Programs of the kernel that a process holds.
fn programs_of(pid: u32) -> Vec<u32> {
    let infos = std::fs::read_dir(format!("/proc/{pid}/fdinfo")).expect("our own child");
    let texts = infos.filter_map(|info| std::fs::read_to_string(info.ok()?.path()).ok());
    let id = |text: String| text.lines().find_map(|line| line.strip_prefix("prog_id:")?.trim().parse().ok());
    texts.filter_map(id).collect()
}

/// Whether the kernel still has a program.
fn is_loaded(program: u32) -> bool {
    let name = program.to_string();
    let shown = Command::new("bpftool").args(["prog", "show", "id", &name]).output().expect("checked");
    shown.status.success()
}

#[test]
fn nothing_stays_loaded_or_stopped_when_it_is_killed() {
    let name = "what a killed recorder leaves";
    if is_skipped(name) {
        return;
    }
    if Command::new("bpftool").arg("version").output().is_err() {
        return skip(name, "no bpftool");
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("log");
    let mut command = log::command_by("ebpf", &log, dir.path());
    command.args(["sh", "-c", "echo ready; read x; echo went on"]);
    let mut trace = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("trace can be run");
    let mut output = BufReader::new(trace.stdout.take().expect("piped"));
    read_line(&mut output, "ready\n");
    let programs = programs_of(trace.id());
    assert!(programs.len() > 5 && programs.iter().all(|&program| is_loaded(program)), "{programs:?}");
    let mut input = trace.stdin.take().expect("piped");
    kill(pid(&trace), Signal::SIGKILL).expect("our own child");
    run::wait(&mut trace, "a killed trace");
    input.write_all(b"x\n").expect("it reads");
    let mut rest = String::new();
    output.read_to_string(&mut rest).expect("text");
    assert_eq!(rest, "went on\n");
    wait_until("the programs are gone", || !programs.iter().any(|&program| is_loaded(program)));
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed())
}

fn read_line(output: &mut BufReader<ChildStdout>, expected: &str) {
    let mut line = String::new();
    output.read_line(&mut line).expect("text");
    assert_eq!(line, expected);
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < patience, "not in a minute: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A shell that does something for each line that it reads.
fn shell(dir: &Path) -> (Child, BufReader<ChildStdout>) {
    let script = "echo ready; while read x; do cat $x; echo done; done";
    let mut command = run::command("sh", dir);
    command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut shell = command.spawn().expect("sh is there");
    let mut output = BufReader::new(shell.stdout.take().expect("piped"));
    read_line(&mut output, "ready\n");
    (shell, output)
}

/// Waits until a recording shows by a file it opens that the shell's work is seen; gives the log. `how` says whom to
/// record.
fn seen_at_work(how: &[&str], shell: Child, output: BufReader<ChildStdout>, dir: &Path) -> log::Log {
    seen_at_work_and(how, shell, output, dir, |_| ())
}

/// The same, and something is done before the recording ends, for which the shell can be given files.
fn seen_at_work_and(
    how: &[&str],
    mut shell: Child,
    mut output: BufReader<ChildStdout>,
    dir: &Path,
    meanwhile: impl FnOnce(&mut dyn FnMut(&Path)),
) -> log::Log {
    let (log, wanted) = (dir.join("log"), dir.join("wanted"));
    std::fs::write(&wanted, "").expect("our own directory");
    let mut trace = log::command_by("ebpf", &log, dir).args(how).spawn().expect("trace can be run");
    let mut input = shell.stdin.take().expect("piped");
    let mut show = |path: &Path| {
        input.write_all(format!("{}\n", path.display()).as_bytes()).expect("it reads");
        read_line(&mut output, "done\n");
    };
    wait_until("the work is in the log", || {
        show(&wanted);
        let mut found = false;
        if let Ok(mut reader) = Reader::open(&log) {
            let name = wanted.as_os_str().as_encoded_bytes();
            let _ = reader.for_each(|event| found |= event.path_abs == Some(name));
        }
        found
    });
    meanwhile(&mut show);
    kill(pid(&trace), Signal::SIGINT).expect("our own child");
    assert_eq!(run::wait(&mut trace, "trace").code(), Some(0));
    drop(input);
    assert!(run::wait(&mut shell, "the shell").success());
    log::read(&log)
}

fn marks(log: &log::Log, name: &str, pid: u32) -> usize {
    log.rows.iter().filter(|row| row.text == name && row.pid == pid).count()
}

#[test]
fn running_processes_are_recorded_with_their_children() {
    if is_skipped("ebpf on running processes") {
        return;
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (process, output) = shell(dir.path());
    let id = process.id();
    let log = seen_at_work(&["-p", &id.to_string()], process, output, dir.path());
    log.assert_complete();
    assert_eq!((marks(&log, mark::ATTACHED, id), marks(&log, mark::DETACHED, id)), (1, 1));
    assert!(log.rows.iter().any(|row| row.kind == Kind::Exec && row.pid != id), "cat is a child");
    let entries = log.rows.iter().filter(|row| row.text == mark::ENTRY).count();
    assert!(entries > 0, "of cat's loader");
}

#[test]
fn the_whole_machine_is_recorded() {
    if is_skipped("ebpf on the whole machine") {
        return;
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (process, output) = shell(dir.path());
    let id = process.id();
    // Not that nothing is lost: others may do anything meanwhile.
    let log = seen_at_work(&["-a"], process, output, dir.path());
    assert_eq!(marks(&log, mark::ATTACHED, id), 1);
    assert!(
        log.rows.iter().any(|row| row.kind == Kind::Syscall && row.pid == std::process::id()),
        "of others, too"
    );
}

/// A cgroup of version 2 that is made for a test, and removed once nobody is in it.
struct Cgroup(PathBuf);

impl Cgroup {
    /// None where none can be made.
    fn make() -> Option<Self> {
        let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
        let top = mounts.lines().find_map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            (words.get(2) == Some(&"cgroup2")).then(|| PathBuf::from(words[1]))
        })?;
        let made = top.join(format!("trace-test-{}", std::process::id()));
        std::fs::create_dir(&made).ok()?;
        Some(Self(made))
    }

    fn take_in(&self, process: &Child) -> bool {
        std::fs::write(self.0.join("cgroup.procs"), process.id().to_string()).is_ok()
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
    }
}

#[test]
fn the_processes_of_a_cgroup_are_recorded_and_no_others() {
    let name = "ebpf on a cgroup";
    if is_skipped(name) {
        return;
    }
    let Some(cgroup) = Cgroup::make() else {
        return skip(name, "no cgroup of version 2 can be made here");
    };
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (process, output) = shell(dir.path());
    let id = process.id();
    if !cgroup.take_in(&process) {
        return skip(name, "no process can be put into a cgroup of version 2 here");
    }
    let below = cgroup.0.file_name().and_then(|name| name.to_str()).expect("ours");
    // Another one joins later, in the middle of its read.
    let (mut joins, mut its_output) = shell(dir.path());
    let (its_id, later) = (joins.id(), dir.path().join("later"));
    std::fs::write(&later, "").expect("our own directory");
    let log = seen_at_work_and(&["--cgroup", below], process, output, dir.path(), |show| {
        show(&later);
        assert!(cgroup.take_in(&joins), "as the other one");
        let input = joins.stdin.as_mut().expect("piped");
        input.write_all(b"/dev/null\n").expect("it reads");
        read_line(&mut its_output, "done\n");
    });
    drop(joins.stdin.take());
    assert!(run::wait(&mut joins, "the shell").success());
    log.assert_complete();
    let name = Text::Is(later.into_os_string().into_encoded_bytes());
    let opened = log.rows.iter().find(|row| row.call.paths[0] == name).expect("what was shown");
    let its = log.rows.iter().filter(|row| row.pid == its_id && row.kind == Kind::Syscall);
    let begins: Vec<u64> = its.map(|row| row.times_ns.0).collect();
    assert!(!begins.is_empty() && begins.iter().all(|begin| *begin > opened.times_ns.0), "{begins:?}");
    assert_eq!(marks(&log, mark::ATTACHED, id), 1);
    assert!(log.rows.iter().any(|row| row.kind == Kind::Exec && row.pid != id), "cat is a child");
    // This process reads the log meanwhile, and is not in it.
    assert!(log.rows.iter().all(|row| row.pid != std::process::id()));
}

#[test]
fn what_only_ebpf_records_is_refused_elsewhere() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let fails = |words: &[&str], why: &str| {
        let done = run(run::command(TRACE, dir.path()).arg("record").args(words));
        assert_eq!((done.status.code(), done.stderr.lines().count()), (Some(125), 1), "{done:?}");
        assert!(done.stderr.contains(why), "{done:?}");
    };
    fails(&["--backend", "ptrace", "-a"], "-a and --cgroup need eBPF");
    fails(&["--cgroup", "/no/such"], "/no/such: No such file");
    fails(&["--cgroup", "/"], "not a directory of cgroup v2");
    fails(&["--duration", "1s", "true"], "--duration needs -p, -a or --cgroup");
    let (told, thread) = std::sync::mpsc::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let waiting = std::thread::spawn(move || {
        told.send(nix::unistd::gettid()).expect("somebody listens");
        let _ = released.recv();
    });
    let thread = thread.recv().expect("a thread").to_string();
    let why = format!("{thread} is a thread of process {}", std::process::id());
    fails(&["--backend", "ptrace", "-p", &thread], &why);
    if log::ebpf_refused().is_none() {
        fails(&["-p", &thread], &why);
        fails(&["-p", &i32::MAX.to_string()], "no process");
    }
    drop(release);
    waiting.join().expect("it ends");
}

#[test]
fn a_command_runs_as_another_user() {
    if !nix::unistd::geteuid().is_root() {
        return skip("a command as another user", "not root");
    }
    log::each_backend("a command as another user", || {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let log = dir.path().join("log");
        let mut command = log::command(&log, Path::new("/"));
        let script = "id -u; id -g; id -G; echo $USER $LOGNAME; grep CapEff /proc/self/status";
        let done = run(command.args(["-u", "65534", "sh", "-c", script]));
        let name = nix::unistd::User::from_uid(65534.into()).ok().flatten();
        let Some(user) = name else { return skip("a command as another user", "no user 65534") };
        let expected = format!(
            "65534\n{}\n{}\n{} {}\nCapEff:\t0000000000000000\n",
            user.gid, user.gid, user.name, user.name
        );
        assert_eq!(done.stdout, expected, "{done:?}");
        log::read(&log).assert_complete();
    });
}
