//! Logs that mean harm, replayed with the calls that write: nothing outside the scratch tree changes, nothing is left
//! behind, and whatever a log says, a plan of it and what its tree would take are worked out or refused.
//!
//! The corpus is `fixtures/logs/hostile`. It is replayed as it is, with a canary beside the tree; changed at random it is
//! planned, which makes nothing. The short test runs for two seconds; the long one for `TRACE_TEST_MUTATION_SECONDS`,
//! from `TRACE_TEST_MUTATION_SEED`:
//!
//! ```text
//! TRACE_TEST_MUTATION_SECONDS=600 cargo test --test suite -- --ignored mutated_replays_for_long
//! ```

use std::fs;
use std::io::Cursor;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use trace::log::{Columns, Source};
use trace::plan::Planner;
use trace_replay::{CallCost, Schedule, ScratchLimits, needs};

use crate::mutation::{Numbers, plain};
use crate::support::run::{command, run};

/// What a log that wants too much is told, by its name in the corpus.
const TOO_MUCH: [(&str, &str); 5] = [
    ("deep", "more than 200 deep"),
    ("huge_file", "1152921504606846976 bytes"),
    ("huge_listing", "more than 2000000 files"),
    ("huge_seen", "1152921504606846976 bytes"),
    ("huge_write", "bytes"),
];

fn corpus() -> Vec<(String, String)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/logs/hostile");
    let files = fs::read_dir(directory).expect("the corpus").map(|entry| entry.expect("a file").path());
    let mut corpus: Vec<_> = files
        .map(|file| {
            let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(file).expect("text"))
        })
        .collect();
    corpus.sort();
    corpus
}

/// A file: its name, contents, permissions, owner, links, and when it was changed.
type File = (PathBuf, Vec<u8>, u32, u32, u64, i64, i64);

/// Everything below a directory.
fn everything(directory: &Path) -> Vec<File> {
    let (mut all, mut open) = (Vec::new(), vec![directory.to_owned()]);
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).expect("our own directory") {
            let path = entry.expect("our own file").path();
            let facts = path.symlink_metadata().expect("our own file");
            if facts.is_dir() {
                open.push(path.clone());
            }
            let contents = if facts.is_file() { fs::read(&path).expect("our own file") } else { Vec::new() };
            let times = (facts.ctime(), facts.ctime_nsec());
            all.push((path, contents, facts.mode(), facts.uid(), facts.nlink(), times.0, times.1));
        }
    }
    all.sort();
    all
}

/// Where no more namespaces of users can be made: what a container's limits, or Ubuntu's, come to.
const WITHOUT_NAMESPACES: [&str; 5] =
    ["unshare", "--map-root-user", "sh", "-c", r#"echo 0 > /proc/sys/user/max_user_namespaces && exec "$@""#];

#[test]
fn a_canary_outlives_every_log_of_the_corpus() {
    outlives(&[]);
}

#[test]
fn a_canary_outlives_them_where_there_are_no_namespaces() {
    let words = &WITHOUT_NAMESPACES;
    let mut tried = command(words[0], Path::new("/"));
    let is_possible =
        tried.args(&words[1..]).args(["sh", "true"]).output().is_ok_and(|done| done.status.success());
    if is_possible {
        outlives(words);
    } else {
        eprintln!("skipped: the number of namespaces cannot be limited here");
    }
}

/// Replays the corpus beside a canary; `wrapper` is what runs the program, if anything does.
fn outlives(wrapper: &[&str]) {
    let place = tempfile::tempdir().expect("a temporary directory");
    let (canary, base) = (place.path().join("canary"), place.path().join("base"));
    fs::create_dir_all(canary.join("directory/below")).expect("our own directory");
    fs::create_dir(&base).expect("our own directory");
    for name in ["file", "directory/file", "directory/below/file"] {
        fs::write(canary.join(name), name).expect("our own file");
    }
    let before = everything(&canary);
    for (name, log) in corpus() {
        let log = log.replace("@CANARY@", canary.to_str().expect("a plain name"));
        fs::write(place.path().join("log"), log).expect("our own file");
        let trace = env!("CARGO_BIN_EXE_trace");
        let mut replay = command(wrapper.first().unwrap_or(&trace), place.path());
        if !wrapper.is_empty() {
            replay.args(&wrapper[1..]).args(["sh", trace]);
        }
        replay.args(["replay", "--writes", "--serial", "--runs", "6", "--cwd"]).arg(&base);
        let done = run(replay.arg("--scratch").arg(&base).arg("log"));
        assert_eq!(before, everything(&canary), "{name} has reached the canary");
        assert!(done.status.signal().is_none() && done.status.code() != Some(101), "{name}: {done:?}");
        if let Some((_, words)) = TOO_MUCH.iter().find(|(too_much, _)| *too_much == name) {
            assert_eq!(done.status.code(), Some(1), "{name}: {done:?}");
            assert!(done.stderr.contains(words), "{name}: {done:?}");
        }
        let left = fs::read_dir(&base).expect("our own directory").count();
        assert_eq!(left, 0, "{name} has left something behind");
    }
}

/// Numbers that are too large, negative, or just past something.
const ABSURD: [&str; 10] = [
    "0",
    "-1",
    "1",
    "4096",
    "2147483647",
    "-2147483648",
    "4294967296",
    "9223372036854775807",
    "1e9",
    "AT_FDCWD",
];
/// Names that lead elsewhere.
const NAMES: [&str; 9] = ["/", ".", "..", "a", "a/b", "d/../..", "//", "w/out", "/proc/self/fd/3"];

/// Some lines of a text changed: moved, doubled, left out, numbers and names replaced.
fn changed(text: &str, numbers: &mut Numbers) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..=numbers.below(12) {
        let (line, other) = (numbers.below(lines.len()), numbers.below(lines.len()));
        match numbers.below(6) {
            0 => lines.swap(line, other),
            1 => lines.insert(line, lines[other].clone()),
            2 if lines.len() > 1 => drop(lines.remove(line)),
            3 => lines[line] = with_other(&lines[line], char::is_numeric, ABSURD[numbers.below(10)], numbers),
            4 => lines[line] = with_name(&lines[line], NAMES[numbers.below(9)], numbers),
            _ => {
                let (call, ret) = lines[line].rsplit_once(" = ").unwrap_or((&lines[line], "0"));
                let rets =
                    ["0", "-1 ENOENT (No such file or directory)", "-1 EEXIST (File exists)", "?", ret];
                lines[line] = format!("{call} = {}", rets[numbers.below(5)]);
            }
        }
    }
    lines.join("\n") + "\n"
}

/// One of the runs of such characters replaced.
fn with_other(line: &str, is_part: impl Fn(char) -> bool, other: &str, numbers: &mut Numbers) -> String {
    let starts: Vec<usize> = line
        .char_indices()
        .filter(|&(at, one)| is_part(one) && !line[..at].chars().next_back().is_some_and(&is_part))
        .map(|(at, _)| at)
        .collect();
    let Some(&start) = starts.get(numbers.below(starts.len())) else { return line.to_owned() };
    let rest = &line[start..];
    let length = rest.find(|one| !is_part(one)).unwrap_or(rest.len());
    format!("{}{other}{}", &line[..start], &rest[length..])
}

/// One of the strings replaced.
fn with_name(line: &str, name: &str, numbers: &mut Numbers) -> String {
    let mut parts: Vec<&str> = line.split('"').collect();
    let strings = parts.len() / 2;
    if strings > 0 {
        parts[1 + 2 * numbers.below(strings)] = name;
    }
    parts.join("\"")
}

/// A log, planned, and what its tree would take worked out; nothing is made. How many calls could be replayed.
fn dry_run(log: Vec<u8>) -> usize {
    let Ok(source) = Source::new(Cursor::new(log), Some(b"/base")) else { return 0 };
    let mut source = source.with_columns(Columns::ALL);
    let header = source.header().clone();
    let Ok(mut planner) = Planner::new(&header, Some(b"/base"), None) else { return 0 };
    // A log that is too large, or cut, is planned as far as it goes.
    let _ = source.for_each(|event| {
        let _ = planner.add(event);
    });
    let plan = planner.finish().plan;
    let limits = ScratchLimits { entries: 20_000, ..ScratchLimits::default() };
    if let Some(schedule) = Schedule::of(&plan, 2, |call| call.index().is_multiple_of(2)) {
        let makespan = schedule.makespan_ns(CallCost { factor: 2.0, ..CallCost::LOGGED });
        assert!(makespan.is_none_or(|ns| ns.is_finite() && ns >= 0.0), "{makespan:?}");
    }
    needs(&plan, &limits).map_or(0, |needs| {
        assert!(needs.entries <= limits.entries && needs.bytes <= limits.written_bytes, "{needs:?}");
        needs.calls
    })
}

fn mutate(seed: u64, time: Duration) {
    let texts = corpus();
    let own = ["pip-install.trace"].map(plain);
    let begin = Instant::now();
    let (mut logs, mut calls) = (0_u64, 0);
    while begin.elapsed() < time {
        let own_seed = seed + logs;
        let mut numbers = Numbers::new(own_seed);
        let log = if logs % 8 == 7 {
            let mut log = own[numbers.below(own.len())].clone();
            for _ in 0..=numbers.below(20) {
                let at = numbers.below(log.len());
                log[at] = numbers.next() as u8;
            }
            log
        } else {
            let text = &texts[numbers.below(texts.len())].1;
            let text = text.replace("@CANARY@", "/canary");
            (0..=numbers.below(3)).fold(text, |text, _| changed(&text, &mut numbers)).into_bytes()
        };
        let started = Instant::now();
        let done = std::panic::catch_unwind(|| dry_run(log));
        assert!(done.is_ok() && started.elapsed() < Duration::from_secs(20), "seed {own_seed}");
        calls += done.unwrap_or(0);
        logs += 1;
    }
    println!("{logs} logs with {calls} calls that could be replayed");
    assert!(logs > 0 && calls > 0, "nothing was tried");
}

#[test]
fn mutated_replays() {
    mutate(1, Duration::from_secs(2));
}

#[test]
#[ignore = "runs for as long as one says"]
fn mutated_replays_for_long() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let time = number("TRACE_TEST_MUTATION_SECONDS").unwrap_or(60);
    mutate(number("TRACE_TEST_MUTATION_SEED").unwrap_or(1 << 32), Duration::from_secs(time));
}
