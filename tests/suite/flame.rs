//! `trace flame` from outside: its numbers against those of `trace stats`, its files, its messages.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use trace::log::{Reader, Writer};

use crate::support::run::{self, Run, run};

/// A recorded `pip install`.
fn log() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/logs/pip-install.trace")
}

fn trace(dir: &Path, arguments: &[&str]) -> Run {
    run(run::command(env!("CARGO_BIN_EXE_trace"), dir).args(arguments))
}

/// A directory with the log in it.
fn place() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::copy(log(), dir.path().join("pip.trace")).expect("the fixture is there");
    dir
}

/// What a folded text says, by a frame of each stack.
fn folded(dir: &Path, arguments: &[&str], frame: impl Fn(&[&str]) -> String) -> BTreeMap<String, u64> {
    let folded = trace(dir, &[&["flame", "--folded"], arguments, &["pip.trace"]].concat());
    assert!(folded.status.success(), "{folded:?}");
    let mut sums = BTreeMap::new();
    for line in folded.stdout.lines() {
        let (stack, number) = line.rsplit_once(' ').expect("a stack and a number");
        let frames: Vec<&str> = stack.split(';').collect();
        *sums.entry(frame(&frames)).or_default() += number.parse::<u64>().expect("a number");
    }
    sums
}

/// What the table says by name.
fn table(dir: &Path, by: &str, column: &str) -> BTreeMap<String, (u64, u64)> {
    let table = trace(dir, &["stats", "--json", "--by", by, "pip.trace"]);
    let table: serde_json::Value = serde_json::from_str(&table.stdout).expect("JSON");
    let rows = table["rows"].as_array().expect("rows").iter();
    rows.map(|row| {
        let number = |column: &str| row[column].as_u64().expect("a number");
        (row["name"].as_str().expect("a name").to_owned(), (number(column), number("calls")))
    })
    .filter(|(_, (value, _))| *value > 0)
    .collect()
}

/// The last frame that is a call, an errno being perhaps upon it.
fn call(frames: &[&str]) -> String {
    let errno = |frame: &str| frame.starts_with('E') && frame.bytes().all(|b| b.is_ascii_uppercase());
    let call = frames.iter().rev().find(|frame| !errno(frame));
    (*call.expect("a call")).to_owned()
}

#[test]
fn folded_stacks_add_up_to_the_tables() {
    let place = place();
    let dir = place.path();
    for (by, rows, frame) in [
        ("path", "syscall", call as fn(&[&str]) -> String),
        ("process", "syscall", call),
        ("phase", "phase", |frames| frames[1].to_owned()),
    ] {
        for (metric, column) in [(["--metric", "count"], "calls"), (["--metric", "time"], "total_ns")] {
            let waits: &[&str] = if column == "calls" { &[] } else { &["--waits"] };
            let here = folded(dir, &[&["--by", by], &metric[..], waits].concat(), frame);
            let there = table(dir, rows, column);
            assert_eq!(here.keys().collect::<Vec<_>>(), there.keys().collect::<Vec<_>>(), "{by} {column}");
            for (name, value) in here {
                let (expected, calls) = there[&name];
                // A part of what long calls waited is rounded in every cell.
                let room = if column == "calls" { 0 } else { calls };
                assert!(value.abs_diff(expected) <= room, "{by} {name}: {value}, {expected}");
            }
        }
    }
}

#[test]
fn a_drawing_stands_beside_its_log_and_replaces_no_other_file() {
    let place = place();
    let dir = place.path();
    let svg = dir.join("pip.svg");
    for _ in 0..2 {
        let drawn = trace(dir, &["flame", "pip.trace"]);
        assert!(drawn.status.success() && drawn.stdout.is_empty(), "{drawn:?}");
        let [line] = drawn.stderr.lines().collect::<Vec<_>>()[..] else { panic!("{drawn:?}") };
        assert!(line.starts_with("trace: ") && line.contains(" by phase in pip.svg"), "{line}");
    }
    let text = fs::read_to_string(&svg).expect("a drawing");
    assert!(text.contains("</svg>") && text.contains("pip install"), "{text}");
    fs::write(&svg, "mine").expect("written");
    let refused = trace(dir, &["flame", "pip.trace"]);
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(refused.stderr, "trace: pip.svg holds something else and is not overwritten\n");
    assert_eq!(fs::read_to_string(&svg).expect("still there"), "mine");
    let piped = trace(dir, &["flame", "-o", "-", "pip.trace"]);
    assert_eq!(piped.stdout, text, "the same each time");
}

#[test]
fn a_comparison_with_itself_changes_nothing() {
    let place = place();
    let dir = place.path();
    let lines = trace(dir, &["flame", "--folded", "--metric", "bytes", "--diff", "pip.trace", "pip.trace"]);
    assert!(lines.status.success(), "{lines:?}");
    for line in lines.stdout.lines() {
        let numbers: Vec<&str> = line.rsplit(' ').take(2).collect();
        assert_eq!(numbers[0], numbers[1], "{line}");
    }
    assert!(lines.stdout.lines().count() > 100);
}

#[test]
fn filters_choose_what_is_drawn() {
    let place = place();
    let dir = place.path();
    let failed = folded(dir, &["--metric", "count", "--by", "process", "-Z", "-e", "%file"], call);
    let shown = trace(dir, &["show", "-Z", "-e", "%file", "pip.trace"]);
    let calls = shown.stdout.lines().filter(|line| line.contains(" = -1 E")).count() as u64;
    assert!(calls > 0);
    assert_eq!(failed.values().sum::<u64>(), calls);
    let none = trace(dir, &["flame", "-P", "/no/such/path", "pip.trace"]);
    assert_eq!(none.status.code(), Some(1));
    assert_eq!(none.stderr, "trace: there is nothing to draw: no call of pip.trace is chosen\n");
    assert_eq!(trace(dir, &["flame", "-e", "opne", "pip.trace"]).status.code(), Some(2));
}

#[test]
fn calls_of_unknown_cost_are_counted_and_that_is_said() {
    let place = place();
    let dir = place.path();
    let mut reader = Reader::open(&log()).expect("the fixture is there");
    let mut header = reader.header().clone();
    header.calibration = None;
    let mut writer = Writer::create(&dir.join("old.trace"), &header).expect("a log");
    reader.for_each(|event| writer.push(event)).expect("a whole log");
    writer.finish().expect("written");
    let refused = trace(dir, &["flame", "--metric", "time", "old.trace"]);
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(
        refused.stderr,
        "trace: old.trace holds no calibration, so what its calls cost is not known; try --metric count\n"
    );
    let counted = trace(dir, &["flame", "--folded", "old.trace"]);
    assert!(counted.stderr.contains("old.trace holds no calibration") && counted.status.success());
    let known = trace(dir, &["flame", "--folded", "--metric", "count", "pip.trace"]);
    assert_eq!(counted.stdout, known.stdout);
}

#[test]
fn json_has_what_the_stacks_have() {
    let dir = place();
    let json = |arguments: &[&str]| {
        let done = trace(dir.path(), &[&["flame", "--json"], arguments, &["pip.trace"]].concat());
        assert!(done.status.success(), "{done:?}");
        serde_json::from_str::<serde_json::Value>(&done.stdout).expect("JSON")
    };
    let drawing = json(&["--by", "path"]);
    let frames = drawing["frames"].as_array().expect("frames");
    let number = |frame: &serde_json::Value, name: &str| frame[name].as_u64().expect("a number");
    let own: u64 = frames.iter().map(|frame| number(frame, "own")).sum();
    assert_eq!(own, folded(dir.path(), &["--by", "path"], |_| String::new())[""]);
    // Each stands after what it stands upon, whose total holds its own.
    let mut below = vec![0; frames.len()];
    for (at, frame) in frames.iter().enumerate() {
        if let Some(parent) = frame["parent"].as_u64() {
            assert!((parent as usize) < at, "{frame}");
            below[parent as usize] += number(frame, "total");
        }
    }
    for (frame, below) in frames.iter().zip(below) {
        assert_eq!(number(frame, "total"), number(frame, "own") + below, "{frame}");
    }
    assert_eq!((&drawing["unit"], &drawing["by"]), (&"ns".into(), &"path".into()));
    // Nothing is more or less than in itself.
    let compared = json(&["--metric", "count", "--diff", "pip.trace"]);
    for frame in compared["frames"].as_array().expect("frames") {
        assert_eq!((&frame["total"], &frame["own"]), (&frame["total_before"], &frame["own_before"]));
    }
}
