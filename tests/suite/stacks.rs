//! Stacks and CPU samples: that the frames are those of the program, by name.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use trace::event::Kind;
use trace::event::stack::{Frame, FrameKind, Node};
use trace::log::{Ending, Reader};

use crate::differential::python;
use crate::support::programs::program;
use crate::support::run::{self, Run, run};
use crate::support::skip::skip;

fn trace(dir: &Path, arguments: &[&str]) -> Run {
    run(run::command(env!("CARGO_BIN_EXE_trace"), dir).args(arguments))
}

/// A row with a stack.
#[derive(Debug)]
pub struct Row {
    pub kind: Kind,
    pub path: Option<Vec<u8>>,
    stands_for_ns: u64,
    /// Outermost first: kind and name.
    pub frames: Vec<(FrameKind, String)>,
    /// Of each, where it is known.
    lines: Vec<u32>,
    /// Of each, or empty.
    pub files: Vec<Vec<u8>>,
}

impl Row {
    fn has(&self, name: &str) -> bool {
        self.frames.iter().any(|(_, frame)| frame == name)
    }
}

/// All rows of a log that have a stack, of which every frame must have been defined before.
pub fn rows(log: &Path) -> Vec<Row> {
    let mut frames: HashMap<u32, (FrameKind, String)> = HashMap::new();
    let mut place_of: HashMap<u32, (u32, Vec<u8>)> = HashMap::new();
    let mut nodes: HashMap<u32, Node> = HashMap::new();
    let mut rows = Vec::new();
    let ending = Reader::open(log).expect("a log").for_each(|event| {
        if let Some((number, frame)) = Frame::of(event) {
            let name = String::from_utf8_lossy(frame.name).into_owned();
            place_of.insert(number, (frame.line, frame.file.to_vec()));
            assert!(frames.insert(number, (frame.kind, name)).is_none(), "defined once");
        } else if let Some((number, node)) = Node::of(event) {
            assert!(frames.contains_key(&node.frame), "frames come first");
            assert!(node.caller.is_none_or(|caller| nodes.contains_key(&caller)), "callers come first");
            assert!(nodes.insert(number, node).is_none(), "defined once");
        } else if let Some(mut stack) = event.stack {
            let (mut list, mut places) = (Vec::new(), Vec::new());
            loop {
                let node = nodes[&stack];
                list.push(frames[&node.frame].clone());
                places.push(place_of[&node.frame].clone());
                let Some(caller) = node.caller else { break };
                stack = caller;
            }
            list.reverse();
            let (lines, files) = places.into_iter().rev().unzip();
            let path = event.path.map(<[u8]>::to_vec);
            rows.push(Row {
                kind: event.kind,
                path,
                stands_for_ns: event.args[1],
                frames: list,
                lines,
                files,
            });
        }
    });
    assert!(matches!(ending, Ok(Ending::Complete { .. })), "{ending:?}");
    rows
}

#[test]
fn samples_show_where_a_program_spends_its_time() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("log");
    let mut command = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
    // By a shell: a child that executes another program must not be taken for the shell.
    command.args(["record", "-q", "--sample", "997", "-o"]).arg(&log);
    command.args(["sh", "-c", "\"$0\" 80; exit $?"]).arg(program("busy"));
    let done = run(&mut command);
    if done.stderr.contains("not permitted") {
        return skip("CPU samples", &done.stderr);
    }
    assert!(done.status.success(), "{done:?}");
    let spent: u64 = done.stdout.trim().parse().expect("nanoseconds");
    let samples: Vec<Row> = rows(&log).into_iter().filter(|row| row.kind == Kind::Sample).collect();
    let sum =
        |name: &str| -> u64 { samples.iter().filter(|row| row.has(name)).map(|row| row.stands_for_ns).sum() };
    let (all, thrice, once) = (sum("main"), sum("thrice"), sum("once"));
    // On a busy virtual machine samples are late, and fewer; more CPU time than was spent they are not.
    assert!(all > spent / 4 && all < spent + spent / 8 + 20_000_000, "{all} of {spent}");
    let share = thrice as f64 / (thrice + once) as f64;
    assert!((0.6..0.9).contains(&share), "three of four parts: {share}, {} samples", samples.len());
    let whole = samples.iter().filter(|row| row.has("thrice") && row.frames[0].1 == "_start");
    assert!(whole.count() * 10 > samples.len() * 3, "stacks begin where the program does");
    let folded = trace(dir.path(), &["flame", "--by", "stack", "--folded", "log"]);
    assert!(folded.stdout.lines().any(|line| line.contains(";main;thrice ")), "{folded:?}");
    assert!(folded.stderr.contains("CPU samples at 997 a second"), "{folded:?}");
}

#[test]
fn a_rate_beyond_the_kernels_is_refused_before_anything_runs() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let done = trace(dir.path(), &["record", "--sample", "1000000", "-o", "log", "touch", "made"]);
    if done.stderr.contains("not permitted") {
        return skip("CPU samples", &done.stderr);
    }
    let start = trace(dir.path(), &["startup", "--sample", "1000000", "-o", "log", "touch", "made"]);
    for done in [done, start] {
        assert_eq!(done.status.code(), Some(125), "{done:?}");
        assert!(done.stderr.contains("kernel.perf_event_max_sample_rate"), "{done:?}");
    }
    assert!(!dir.path().join("made").exists());
}

#[test]
fn a_call_has_the_functions_that_made_it() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("log");
    let mut command = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
    command.args(["record", "-q", "--stacks", "native", "-o"]).arg(&log).arg(program("busy"));
    let done = run(&mut command);
    assert!(done.status.success(), "{done:?}");
    let rows = rows(&log);
    let call = rows.iter().find(|row| row.path.as_deref() == Some(b"/no/such/file/busy")).expect("the call");
    let names: Vec<&str> = call.frames.iter().map(|(_, name)| name.as_str()).collect();
    let main = names.iter().position(|name| *name == "main").expect("main");
    assert_eq!(names[0], "_start", "{names:?}");
    assert_eq!(names[main..main + 3], ["main", "outer", "inner"], "{names:?}");
    assert!(call.frames.iter().all(|(kind, _)| *kind == FrameKind::Native), "{call:?}");
    let shown = trace(dir.path(), &["show", "-k", "-e", "%file", "log"]).stdout;
    let below: Vec<&str> = shown.lines().skip_while(|line| !line.contains("/no/such/file/busy")).collect();
    let at = below.iter().position(|line| line.starts_with(" > inner (")).expect("the function");
    assert!(below[at].contains("busy.c:"), "{shown}");
    assert!(below[at + 1].starts_with(" > outer (") && below[at + 2].starts_with(" > main ("), "{shown}");
}

/// Every Python there is, as far as its frames are known: those of pyenv, and what `TRACE_TEST_PYTHONS` names (as `PATH` does
/// directories).
pub fn pythons() -> Vec<PathBuf> {
    let versions = Path::new(&std::env::var("HOME").unwrap_or_default()).join(".pyenv/versions");
    let of_pyenv = std::fs::read_dir(versions).into_iter().flatten().flatten();
    let mut all: Vec<PathBuf> = of_pyenv.map(|entry| entry.path().join("bin/python")).collect();
    all.extend(python().map(PathBuf::from));
    all.extend(std::env::split_paths(&std::env::var_os("TRACE_TEST_PYTHONS").unwrap_or_default()));
    all.retain(|path| path.exists());
    all
}

/// Those of them whose threads run at the same time, and such ones on `PATH`.
fn free_threaded_pythons() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let named = ["python3.13t", "python3.14t", "python3.15t"];
    let named = named.iter().flat_map(|name| places.iter().map(move |place| place.join(name)));
    let mut all = pythons();
    all.extend(named.filter(|path| path.exists()));
    let question = "import sysconfig, sys; sys.exit(not sysconfig.get_config_var('Py_GIL_DISABLED'))";
    all.retain(|python| {
        let answer = std::process::Command::new(python).args(["-c", question]).output();
        answer.is_ok_and(|answer| answer.status.success())
    });
    all
}

/// Looks for files whose names are the stack that Python itself sees: functions and lines, outermost first.
const TELLS_ITS_STACK: &str = "
import os, sys, threading
def seen():
    frame, names = sys._getframe(1), []
    while frame:
        names.append('%s:%d' % (frame.f_code.co_name, frame.f_lineno))
        frame = frame.f_back
    return ';'.join(reversed(names))
def look():
    os.access('/no/such/file/' + seen(), 0)
class Makes:
    def __init__(self):
        look()
    def looks(self):
        for _ in range(3):
            (lambda: look())()
        look()
def yields():
    yield look()
    yield [look() for _ in range(2)]
def NAMED():
    look()
def catches():
    for _ in range(2):
        try:
            try:
                1 / 0
            except KeyError as error:
                pass
            except ValueError as error:
                pass
        except ZeroDivisionError as error:
            look()
        look()
    look()
Makes().looks()
list(yields())
NAMED()
catches()
threads = [threading.Thread(target=Makes().looks) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
look()
";

/// Every such file's name is the stack of the call.
fn frames_are_those_that_python_sees(python: &Path) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("log");
    let is_2 = python.to_string_lossy().contains("/2.7");
    let name = if is_2 { "name" } else { "\u{540d}\u{524d}" };
    std::fs::write(dir.path().join("tells.py"), TELLS_ITS_STACK.replace("NAMED", name)).expect("a script");
    let mut command = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
    command.args(["record", "-q", "--stacks", "python", "-o"]).arg(&log);
    let done = run(command.arg(python).arg("tells.py").env("LC_ALL", "C.UTF-8"));
    assert!(done.status.success(), "{done:?}");
    let mut alone = 0;
    for row in rows(&log) {
        let path = row.path.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
        let Some(seen) = path.strip_prefix("/no/such/file/") else { continue };
        let shown = row.frames.iter().zip(&row.lines).map(|((kind, name), line)| {
            assert_eq!(*kind, FrameKind::Python, "{}: {row:?}", python.display());
            format!("{}:{line}", name.rsplit('.').next().unwrap_or_default())
        });
        assert_eq!(shown.collect::<Vec<_>>().join(";"), seen, "{}", python.display());
        alone += usize::from(seen.starts_with("<module>"));
    }
    // While other threads change theirs, a stack may be unreadable, and is then missing.
    assert_eq!(alone, 18, "{}", python.display());
}

#[test]
fn every_frame_is_the_one_that_python_itself_sees() {
    let pythons = pythons();
    if pythons.is_empty() {
        return skip("stacks of Python", "no Python here");
    }
    for python in &pythons {
        frames_are_those_that_python_sees(python);
    }
}

#[test]
fn frames_of_free_threaded_pythons_are_known() {
    let pythons = free_threaded_pythons();
    if pythons.is_empty() {
        return skip(
            "stacks of free-threaded Python",
            "no python3.13t or later on PATH or in TRACE_TEST_PYTHONS",
        );
    }
    for python in &pythons {
        frames_are_those_that_python_sees(python);
    }
}

#[test]
fn every_python_names_who_looks_for_a_module() {
    let pythons = pythons();
    if pythons.is_empty() {
        return skip("stacks of Python", "no Python here");
    }
    for python in pythons {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let log = dir.path().join("log");
        let script = "import json\ntry:\n    import http.client\nexcept ImportError:\n    import httplib\n";
        let mut command = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
        command.args(["record", "-q", "--stacks", "python", "-o"]).arg(&log);
        let done = run(command.arg(&python).args(["-c", script]));
        assert!(done.status.success(), "{done:?}");
        let rows = rows(&log);
        let shown: Vec<Vec<&str>> =
            rows.iter().map(|row| row.frames.iter().map(|(_, name)| name.as_str()).collect()).collect();
        let stands_upon = |frames: &Vec<&str>, lower: &str, upper: &str| {
            let lower = frames.iter().position(|name| name.rsplit('.').next() == Some(lower));
            lower.is_some_and(|at| frames[at..].contains(&upper))
        };
        // Nor does Python 2 leave anything that can be read once it has ended, though it closes a file then.
        let is_python = |row: &Row| row.frames.iter().all(|(kind, _)| *kind == FrameKind::Python);
        let last = rows.iter().rposition(is_python).unwrap_or(0);
        let other = rows[..last].iter().find(|row| !is_python(row));
        assert!(other.is_none() && rows.len() - last < 4, "{}: {other:?}", python.display());
        let is_2 = !shown.iter().flatten().any(|name| name.contains("find_spec"));
        let found = if is_2 {
            shown.iter().any(|frames| frames.len() > 2 && frames.iter().all(|name| *name == "<module>"))
        } else {
            shown.iter().any(|frames| stands_upon(frames, "find_spec", "_path_stat"))
        };
        assert!(found, "{}: {} stacks", python.display(), shown.len());
        assert!(shown.len() > 100, "{}: {} stacks", python.display(), shown.len());
    }
}

/// A copy of a Python that says it is of a version which nobody knows, and where its library is.
fn python_of_no_version(dir: &Path) -> Option<(PathBuf, PathBuf)> {
    pythons().into_iter().find_map(|python| {
        let program = python.canonicalize().ok()?;
        let mut bytes = std::fs::read(&program).ok()?;
        // What the table begins with, and the version: 3.13 or later, the major number in the highest byte.
        let begins = |part: &[u8]| part.starts_with(b"xdebugpy") && part[11] == 3 && part[10] >= 13;
        let at = bytes.windows(16).position(begins)?;
        bytes[at + 10] = 99;
        let copy = dir.join("python-of-no-version");
        std::fs::write(&copy, bytes).ok()?;
        let mode = std::fs::metadata(&program).ok()?.permissions();
        std::fs::set_permissions(&copy, mode).ok()?;
        Some((copy, program.parent()?.parent()?.to_owned()))
    })
}

#[test]
fn a_python_that_nobody_knows_has_no_functions_and_that_is_said() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let Some((python, home)) = python_of_no_version(dir.path()) else {
        return skip("a Python of no version", "no Python since 3.13 in one file here");
    };
    let log = dir.path().join("log");
    let mut command = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
    command.args(["record", "--stacks", "both", "-o"]).arg(&log).arg(&python).args(["-c", "import json"]);
    let done = run(command.env("PYTHONHOME", home));
    assert!(done.status.success(), "{done:?}");
    assert!(done.stderr.contains("the functions of a Python are missing from the stacks"), "{done:?}");
    let rows = rows(&log);
    assert!(rows.len() > 50, "{} stacks of machine code", rows.len());
    assert!(rows.iter().flat_map(|row| &row.frames).all(|(kind, _)| *kind != FrameKind::Python));
    let shown = trace(dir.path(), &["stats", "log"]);
    assert!(
        shown.stderr.contains("is not known has run") || shown.stdout.contains("is not known has run"),
        "{shown:?}"
    );
}

#[test]
fn frames_of_both_kinds_stand_upon_each_other() {
    let Some(python) = python() else { return skip("stacks of Python", "no Python here") };
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("log");
    let script = "import os\ndef looks():\n    return os.access('/no/such/file/both', 0)\nlooks()";
    let mut command = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
    command.args(["record", "-q", "--stacks", "both", "-o"]).arg(&log);
    let done = run(command.arg(&python).args(["-c", script]));
    assert!(done.status.success(), "{done:?}");
    let rows = rows(&log);
    let call = rows.iter().find(|row| row.path.as_deref() == Some(b"/no/such/file/both")).expect("the call");
    let python_frames: Vec<&str> = call
        .frames
        .iter()
        .take_while(|(kind, _)| *kind == FrameKind::Python)
        .map(|(_, name)| name.as_str())
        .collect();
    assert_eq!(python_frames, ["<module>", "looks"], "{call:?}");
    assert!(call.frames[2..].iter().all(|(kind, _)| *kind != FrameKind::Python), "{call:?}");
}

#[test]
fn a_drawing_by_stack_needs_stacks() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    assert!(trace(dir.path(), &["record", "-q", "-o", "log", "true"]).status.success());
    let by_calls = trace(dir.path(), &["flame", "--by", "stack", "--folded", "log"]);
    assert_eq!(by_calls.status.code(), Some(1), "{by_calls:?}");
    assert!(by_calls.stderr.contains("--stacks"), "{by_calls:?}");
    let by_samples = trace(dir.path(), &["flame", "--by", "stack", "--metric", "cpu", "--folded", "log"]);
    assert!(by_samples.stderr.contains("--sample"), "{by_samples:?}");
    let by_path = trace(dir.path(), &["flame", "--metric", "cpu", "--folded", "log"]);
    assert_eq!(by_path.status.code(), Some(2), "{by_path:?}");
}

#[test]
fn a_start_is_divided_without_a_rest() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let done = trace(
        dir.path(),
        &[
            "startup",
            "--runs",
            "3",
            "--sample",
            "997",
            "-o",
            "log.trace",
            "--json",
            "sh",
            "-c",
            "sleep 0.3; exit $?",
        ],
    );
    assert!(done.status.success(), "{done:?}");
    let report: serde_json::Value = serde_json::from_str(&done.stdout).expect("JSON");
    let partition = &report["partition"];
    if partition.is_null() {
        return skip("where the time of a start goes", report["not_sampled"].as_str().expect("why"));
    }
    let number = |value: &serde_json::Value| value.as_u64().expect("a number");
    let parts = partition["parts"].as_object().expect("parts");
    let wall_ns = number(&partition["wall_ns"]);
    assert_eq!(parts.values().map(number).sum::<u64>(), wall_ns);
    assert_eq!(Some(wall_ns as f64), report["untraced"]["wall_ns"]["median"].as_f64().map(f64::round));
    // What the shell waits for is its child, and that waits for the time to pass.
    let slept = number(&parts["timer"]);
    assert!((150_000_000..=wall_ns).contains(&slept), "{partition:#}");
    assert!(number(&parts["child"]) < slept, "{partition:#}");
    let threads = partition["threads"].as_array().expect("threads");
    let shell = threads.iter().find(|thread| thread["comm"] == "sh").expect("the shell");
    // On a busy machine it has a CPU only a while after it was woken.
    let waited = number(&shell["parts"]["child"]) + number(&shell["parts"]["ready"]);
    assert!(waited > 250_000_000, "{shell:#}");
    // The samples of all runs are in one log, whose stacks are whole.
    assert!(rows(&dir.path().join("log.cpu.trace")).iter().all(|row| row.kind == Kind::Sample));
}

/// Whether tracepoints can be read, and process ids are the kernel's.
fn can_know_wakes() -> bool {
    let all_pids =
        std::fs::read_link("/proc/self/ns/pid").is_ok_and(|link| link == Path::new("pid:[4026531836]"));
    let id =
        |place: &&str| std::fs::read(format!("/sys/kernel/{place}/events/sched/sched_wakeup/id")).is_ok();
    all_pids && ["tracing", "debug/tracing"].iter().any(id)
}

#[test]
fn waits_end_when_the_thread_is_woken() {
    if !can_know_wakes() {
        return skip("when threads are woken", "sched:sched_wakeup cannot be read");
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let done = trace(
        dir.path(),
        &[
            "record",
            "-q",
            "--sample",
            "997",
            "-o",
            "log",
            "sh",
            "-c",
            "for i in 1 2 3 4 5; do sleep 0.01; done",
        ],
    );
    if done.stderr.contains("not permitted") {
        return skip("CPU samples", &done.stderr);
    }
    assert!(done.status.success(), "{done:?}");
    // By thread: times off CPUs, whether it was ready in them.
    let mut away: HashMap<u32, Vec<(u64, u64, bool)>> = HashMap::new();
    let ending = Reader::open(&dir.path().join("log")).expect("a log").for_each(|event| {
        if event.text == Some(b"off-cpu") {
            let end_ns = event.end_ns.expect("an end");
            away.entry(event.tid).or_default().push((event.start_ns, end_ns, event.args[0] != 0));
        }
    });
    assert!(matches!(ending, Ok(Ending::Complete { .. })), "{ending:?}");
    let (mut waits, mut woken) = (0, 0);
    for times in away.values_mut() {
        times.sort_unstable();
        assert!(times.windows(2).all(|pair| pair[0].1 <= pair[1].0), "one after the other: {times:?}");
        waits += times.iter().filter(|(.., ready)| !ready).count();
        woken += times.windows(2).filter(|pair| !pair[0].2 && pair[1].2 && pair[0].1 == pair[1].0).count();
    }
    // The kernel may have had no room for some.
    assert!(woken * 2 > waits && woken >= 5, "{woken} of {waits}");
}

#[test]
fn the_kernels_time_is_in_calls() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let done = trace(
        dir.path(),
        &["startup", "--runs", "3", "--json", "dd", "if=/dev/zero", "of=/dev/null", "bs=1M", "count=8000"],
    );
    assert!(done.status.success(), "{done:?}");
    let report: serde_json::Value = serde_json::from_str(&done.stdout).expect("JSON");
    if report["partition"].is_null() {
        return skip("where the time of a start goes", report["not_sampled"].as_str().expect("why"));
    }
    let of = |part: &str| report["partition"]["parts"][part].as_u64().expect("a number");
    assert!(of("call") > 3 * of("user"), "{:#}", report["partition"]);
}

#[test]
fn waits_are_drawn_by_what_was_waited_for() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let done = trace(
        dir.path(),
        &["record", "-q", "--sample", "997", "-o", "log", "sh", "-c", "sleep 0.2; exit $?"],
    );
    if done.stderr.contains("not permitted") {
        return skip("CPU samples", &done.stderr);
    }
    assert!(done.status.success(), "{done:?}");
    let folded = trace(dir.path(), &["flame", "--by", "stack", "--metric", "wall", "--folded", "log"]).stdout;
    let of = |stack: &str| {
        let line = folded.lines().find_map(|line| line.strip_prefix(stack)?.strip_prefix(' '));
        line.map_or(0, |number| number.parse::<u64>().expect("a number"))
    };
    // Without a sample too: neither runs for long.
    assert!(of("sleep;in calls, waiting: time;clock_nanosleep") > 190_000_000, "{folded}");
    // On a busy machine the shell may have no CPU before its child is half done; from then on it waits for that.
    let of_shell = |stack: &&str| {
        ["sh;in calls, waiting: child;", "sh;ready"].iter().any(|begin| stack.starts_with(begin))
    };
    let shell =
        folded.lines().filter(of_shell).filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
    assert!(shell.sum::<u64>() > 100_000_000, "{folded}");
    let json =
        trace(dir.path(), &["flame", "--by", "stack", "--metric", "wall", "--speedscope", "log"]).stdout;
    let file: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let profile = &file["profiles"][0];
    let weights =
        profile["weights"].as_array().expect("weights").iter().filter_map(serde_json::Value::as_u64);
    let sums = folded.lines().filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
    assert_eq!((weights.sum::<u64>(), profile["endValue"].as_u64()), (sums.clone().sum(), Some(sums.sum())));
    let stacks = profile["samples"].as_array().expect("stacks");
    assert_eq!(stacks.len(), folded.lines().count());
}

/// What a header says of who took the samples, and the rows of samples.
fn sampled_by_ptrace(log: &Path) -> Vec<Row> {
    assert_eq!(Reader::open(log).expect("a log").header().sampled_by(), Some("ptrace"));
    rows(log).into_iter().filter(|row| row.kind == Kind::Sample).collect()
}

#[test]
fn without_perf_events_ptrace_takes_the_samples_and_says_so() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("log");
    let mut command = run::command(program("deny"), dir.path());
    // EPERM, for perf_event_open and bpf.
    command.args(["1", "298", "321", "--"]).arg(env!("CARGO_BIN_EXE_trace"));
    command.args(["record", "--sample", "997", "-o"]).arg(&log).arg(program("busy")).arg("80");
    let done = run(&mut command);
    assert!(done.status.success(), "{done:?}");
    assert!(
        done.stderr.contains("taken by ptrace, in user mode only: perf events are not permitted"),
        "{done:?}"
    );
    let samples = sampled_by_ptrace(&log);
    let sum =
        |name: &str| -> u64 { samples.iter().filter(|row| row.has(name)).map(|row| row.stands_for_ns).sum() };
    let (thrice, once) = (sum("thrice"), sum("once"));
    assert!(thrice + once > 0, "{samples:?}");
    // Each nanosecond is of some sample, though of an unknown place where none was taken.
    let spent: u64 = done.stdout.trim().parse().expect("nanoseconds");
    let all: u64 = samples.iter().map(|row| row.stands_for_ns).sum();
    assert!(all > spent / 2 && all < spent + spent / 2, "{all} of {spent}");
    let folded = trace(dir.path(), &["flame", "--by", "stack", "--folded", "log"]);
    assert!(folded.stderr.contains("taken by ptrace, user mode only"), "{folded:?}");
    let waits = trace(dir.path(), &["flame", "--by", "stack", "--metric", "wall", "--folded", "log"]);
    assert_eq!((waits.status.code(), waits.stdout.as_str()), (Some(1), ""), "{waits:?}");
    assert!(waits.stderr.contains("does not tell when threads waited"), "{waits:?}");
}

#[test]
fn a_filter_that_kills_for_what_sampling_by_ptrace_does_is_told_before_anything_runs() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut command = run::command(program("deny"), dir.path());
    command.args(["kill", "-1", "--"]).arg(program("deny")).args(["1", "298", "--"]);
    command
        .arg(env!("CARGO_BIN_EXE_trace"))
        .args(["record", "--sample", "997", "-o", "log", "touch", "made"]);
    let done = run(&mut command);
    assert_eq!(done.status.code(), Some(125), "{done:?}");
    assert!(done.stderr.contains("nor by ptrace"), "{done:?}");
    assert!(!dir.path().join("made").exists());
}

#[test]
fn calls_do_not_see_that_they_were_sampled() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let plain = run(&mut run::command(program("waits_often"), dir.path()));
    assert_eq!(plain.stdout, "interrupted 0, short 0\n", "{plain:?}");
    let mut command = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
    command.args(["record", "-q", "--sample", "20000", "--stacks", "native", "-o", "log"]);
    let done = run(command.arg(program("waits_often")));
    assert_eq!(done.stdout, plain.stdout, "{done:?}");
    assert!(!sampled_by_ptrace(&dir.path().join("log")).is_empty());
}

#[test]
fn samples_have_the_functions_of_python() {
    let Some(python) = python() else { return skip("stacks of Python", "no Python here") };
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("log");
    let script = "import time\n\
                  def spins(until):\n    while time.process_time() < until: sum(range(2000))\n\
                  def calls():\n    spins(time.process_time() + 0.7)\n\
                  calls()";
    let mut command = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
    command.args(["record", "-q", "--sample", "499", "--stacks", "both", "-o"]).arg(&log);
    let done = run(command.arg(&python).args(["-c", script]));
    assert!(done.status.success(), "{done:?}");
    let samples = sampled_by_ptrace(&log);
    let known: Vec<&Row> = samples.iter().filter(|row| row.has("spins")).collect();
    assert!(!known.is_empty(), "{} samples", samples.len());
    for row in known {
        let python: Vec<&str> = row
            .frames
            .iter()
            .take_while(|(kind, _)| *kind == FrameKind::Python)
            .map(|(_, name)| name.as_str())
            .collect();
        assert_eq!(python, ["<module>", "calls", "spins"], "{row:?}");
    }
}
