//! What recording adds to a program's time, beside strace in the same run.
//!
//! ```text
//! cargo bench --bench overhead [-- WORKLOAD...]
//! ```
//!
//! Each workload runs untraced, under `trace record` and under `strace -f -o FILE`, in turn, several times
//! over; what counts is the median added time of ours as a share of strace's. `memory` records five million
//! calls and prints the recorder's largest resident set; `log` prints bytes an event of a `pip install`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

mod support;

use support::{largest_resident_set, median, python};
use trace::analysis::compare::ratio;

/// At least; short workloads, whose times differ more, until they have run this long under strace.
const ROUNDS: usize = 5;
const LONG_ENOUGH: f64 = 5.0;
/// Makes this program itself call getppid so often and end: a workload that is nothing but calls.
const CALLS_VARIABLE: &str = "TRACE_BENCH_CALLS";

struct Workload {
    name: &'static str,
    /// Goal: ours adds at most this share of what strace adds.
    goal: f64,
    command: Vec<OsString>,
    variables: Vec<(&'static str, String)>,
    /// Removed before each run.
    scratch: Option<PathBuf>,
}

fn main() {
    if let Ok(calls) = std::env::var(CALLS_VARIABLE) {
        let calls: u64 = calls.parse().expect("a number of calls");
        for _ in 0..calls {
            let _ = nix::unistd::getppid();
        }
        return;
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|word| word == name);
    let place = tempfile::tempdir().expect("a temporary directory");
    println!(
        "{:<16} {:>10} {:>10} {:>10} {:>7} {:>14} {:>6}",
        "workload", "untraced", "trace", "strace", "ratio", "95 % interval", "goal"
    );
    for workload in workloads(place.path()).iter().filter(|workload| is_wanted(workload.name)) {
        compare(workload, place.path());
    }
    if is_wanted("start") {
        start(place.path());
    }
    match wanted.as_slice() {
        [only] if only == "memory" => memory(place.path()),
        // In a process of its own, whose only child is the recorder.
        _ if is_wanted("memory") => {
            let me = std::env::current_exe().expect("our own path");
            assert!(Command::new(me).arg("memory").status().expect("runs").success());
        }
        _ => {}
    }
}

fn workloads(place: &Path) -> Vec<Workload> {
    let me = std::env::current_exe().expect("our own path");
    let python = python();
    let plain = |name, goal, command: Vec<OsString>| Workload {
        name,
        goal,
        command,
        variables: Vec::new(),
        scratch: None,
    };
    let mut calls = plain("calls", 0.25, vec![me.into()]);
    calls.variables.push((CALLS_VARIABLE, "20000".to_owned()));
    let mut all = vec![calls];
    all.push(plain("find", 0.25, ["find", "/usr/share", "-newer", "/etc/passwd"].map(OsString::from).into()));
    if let Some(python) = python {
        let hello = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hello.py");
        all.push(plain("python", 0.25, vec![python.clone().into(), hello.into()]));
        all.push(pip_install(&python, place));
    }
    all.push(plain("shim", 0.60, ["sh", "-c", SHIM].map(OsString::from).into()));
    all.push(plain("parallel", 0.60, ["sh", "-c", PARALLEL].map(OsString::from).into()));
    all
}

/// A chain of short processes, one after the other, as a shim makes them.
const SHIM: &str =
    "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do a=$(ls /etc/passwd); done";
/// Two processes that are busy at once.
const PARALLEL: &str = "ls -lR /usr/share/doc >/dev/null & ls -lR /usr/lib/python3 >/dev/null; wait";

fn pip_install(python: &Path, place: &Path) -> Workload {
    let target = place.join("target");
    let command = support::pip_install(python, place, &target);
    Workload { name: "pip", goal: 0.25, command, variables: Vec::new(), scratch: Some(target) }
}

fn compare(workload: &Workload, place: &Path) {
    let log = place.join("log.trace");
    let ours: Vec<OsString> = vec![
        env!("CARGO_BIN_EXE_trace").into(),
        "record".into(),
        "--backend=ptrace".into(),
        "-qo".into(),
        log.clone().into(),
    ];
    let text = place.join("strace");
    let theirs: Vec<OsString> =
        ["strace", "-f", "-o"].map(OsString::from).into_iter().chain([text.clone().into()]).collect();
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    while times[2].len() < ROUNDS || times[2].iter().sum::<f64>() < LONG_ENOUGH {
        let tools = [(&[][..], None), (&ours, Some(&log)), (&theirs, Some(&text))];
        for ((tool, output), times) in tools.into_iter().zip(&mut times) {
            // A new file each time: to give the blocks of an older one back takes longer than some recordings.
            if let Some(output) = output.filter(|output| output.exists()) {
                std::fs::remove_file(output).expect("the output of the last round goes");
            }
            times.push(timed(tool, workload));
        }
    }
    let [ours, theirs] = [1, 2].map(|tool| added(&times[0], &times[tool]));
    let ratio = ratio(&theirs, &ours, true).expect("strace takes its time");
    let interval =
        ratio.interval.map_or((ratio.value, ratio.value), |interval| (interval.low, interval.high));
    let [untraced, ours, theirs] = times.map(median);
    println!(
        "{:<16} {:>7.1} ms {:>7.1} ms {:>7.1} ms {:>6.1}% {:>5.1} to {:>5.1}% {:>5.0}%{}",
        workload.name,
        untraced * 1e3,
        ours * 1e3,
        theirs * 1e3,
        ratio.value * 100.0,
        interval.0 * 100.0,
        interval.1 * 100.0,
        workload.goal * 100.0,
        verdict(interval, workload.goal)
    );
    if workload.name == "pip" {
        let mut reader = trace::log::Reader::open(&log).expect("the log opens");
        reader.for_each(|_| ()).expect("the log reads");
        let bytes = log.metadata().expect("the log is there").len();
        let events = reader.events_read();
        println!(
            "  log of the install: {bytes} bytes, {events} events, {:.1} bytes an event (goal 16)",
            bytes as f64 / events as f64
        );
    }
}

/// What a tool adds in each round.
fn added(untraced: &[f64], traced: &[f64]) -> Vec<f64> {
    untraced.iter().zip(traced).map(|(untraced, traced)| traced - untraced).collect()
}

/// Whether the interval says that the goal was missed.
fn verdict((low, high): (f64, f64), goal: f64) -> &'static str {
    match (low > goal, high > goal) {
        (true, _) => "  MISSED",
        (false, true) => "  undecided",
        (false, false) => "",
    }
}

fn timed(tool: &[OsString], workload: &Workload) -> f64 {
    if let Some(scratch) = &workload.scratch
        && scratch.exists()
    {
        std::fs::remove_dir_all(scratch).expect("the scratch directory goes");
    }
    let words: Vec<&OsString> = tool.iter().chain(&workload.command).collect();
    let begin = Instant::now();
    let status = Command::new(words[0])
        .args(&words[1..])
        .envs(workload.variables.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap_or_else(|error| panic!("{words:?}: {error}"));
    let elapsed = begin.elapsed();
    assert!(status.success(), "{words:?}: {status}");
    elapsed.as_secs_f64()
}

/// From `trace record` to the command's first instruction.
fn start(place: &Path) {
    let mut delays = Vec::new();
    for _ in 0..20 {
        let begin = nanoseconds();
        let output = Command::new(env!("CARGO_BIN_EXE_trace"))
            .args(["record", "--backend", "ptrace", "-qo"])
            .arg(place.join("start.trace"))
            .args(["cat", "/proc/uptime"])
            .output()
            .expect("trace runs");
        assert!(output.status.success());
        let mut reader = trace::log::Reader::open(&place.join("start.trace")).expect("the log opens");
        let origin = reader.header().clock.origin_ns;
        let mut first = None;
        reader.for_each(|event| first = first.or(Some(origin + event.start_ns))).expect("the log reads");
        delays.push((first.expect("an event") - begin) as f64 / 1e6);
    }
    println!("  command started after {:.1} ms (goal 10)", median(delays));
}

fn nanoseconds() -> u64 {
    trace::capture::monotonic_ns()
}

/// The recorder's memory over five million calls, and `stats` over its log.
fn memory(place: &Path) {
    let log = place.join("memory.trace");
    let begin = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_trace"))
        .args(["record", "--backend", "ptrace", "-qo"])
        .arg(&log)
        .arg(std::env::current_exe().expect("our own path"))
        .env(CALLS_VARIABLE, "5000000")
        .status()
        .expect("trace runs");
    assert!(status.success());
    let recorder = largest_resident_set();
    println!(
        "  5 million calls recorded in {:.0?}, largest resident set {recorder} MiB (goal 64)",
        begin.elapsed()
    );
    let begin = Instant::now();
    let status =
        Command::new(env!("CARGO_BIN_EXE_trace")).arg("stats").arg(&log).stdout(Stdio::null()).status();
    assert!(status.expect("trace runs").success());
    let elapsed: Duration = begin.elapsed();
    println!("  stats over them took {elapsed:.1?} (goal 3 s)");
}
