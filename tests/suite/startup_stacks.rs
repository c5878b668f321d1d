//! `trace startup --stacks`: calls have the stacks of a run of their own, and what has no counterpart there is told.

use std::path::Path;

use serde_json::Value;
use trace::event::{Flags, Kind};
use trace::log::Reader;

use crate::differential::python;
use crate::stacks::rows;
use crate::support::programs::program;
use crate::support::run::{self, run};
use crate::support::skip::skip;

/// The report of a start, whose log is `log` in the directory.
fn startup(dir: &Path, frames: &str, command: &[&str]) -> Value {
    let mut trace = run::command(env!("CARGO_BIN_EXE_trace"), dir);
    trace.args(["startup", "--json", "--runs", "1", "--sample", "0", "--stacks", frames, "-o", "log"]);
    let done = run(trace.args(command));
    assert!(done.status.success(), "{done:?}");
    serde_json::from_str(&done.stdout).expect("JSON")
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

/// Calls are aligned, or listed: none is in neither or in both.
fn check_sum(alignment: &Value) {
    let unmatched = alignment["unmatched"].as_array().expect("a list");
    let unmatched: u64 = unmatched.iter().map(|row| number(&row["calls"])).sum();
    assert_eq!(number(&alignment["aligned"]) + unmatched, number(&alignment["calls"]), "{alignment:#}");
}

#[test]
fn calls_of_a_start_have_the_functions_that_made_them() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let busy = program("busy");
    let report = startup(dir.path(), "native", &[busy.to_str().expect("a plain path")]);
    check_sum(&report["alignment"]);
    assert_eq!(report["alignment"]["frames"], "native");
    let rows = rows(&dir.path().join("log"));
    let call = rows.iter().find(|row| row.path.as_deref() == Some(b"/no/such/file/busy")).expect("the call");
    let names: Vec<&str> = call.frames.iter().map(|(_, name)| name.as_str()).collect();
    let main = names.iter().position(|name| *name == "main").expect("main");
    assert_eq!(names[main..main + 3], ["main", "outer", "inner"], "{names:?}");
    let lines = report["behind"]["lines"].as_array().expect("lines");
    let inner = lines.iter().find(|line| line["function"] == "inner").expect("the function behind the call");
    assert!(inner["file"].as_str().is_some_and(|file| file.ends_with("busy.c")), "{inner:#}");
    // The log alone says the same as the report that was made with it.
    let mut trace = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
    let again = run(trace.args(["startup", "--json", "--from", "log"]));
    let again: Value = serde_json::from_str(&again.stdout).expect("JSON");
    assert_eq!([&again["alignment"], &again["behind"]], [&report["alignment"], &report["behind"]]);
    let picture = std::fs::read_to_string(dir.path().join("log.svg")).expect("a flame graph");
    assert!(picture.contains("by stack"), "{}", &picture[..picture.len().min(4000)]);
}

#[test]
fn a_call_that_only_one_run_makes_is_listed_and_has_no_stack() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    // Each run has another process id.
    let report =
        startup(dir.path(), "native", &["sh", "-c", "test -e /no/such/$$; test -e /no/such/file; :"]);
    let alignment = &report["alignment"];
    check_sum(alignment);
    let unmatched = alignment["unmatched"].as_array().expect("a list");
    let objects = unmatched.iter().flat_map(|row| row["objects"].as_array().expect("a list"));
    let is_it = |object: &Value| object.as_str().is_some_and(|path| path.starts_with("/no/such/"));
    assert_eq!(objects.filter(|object| is_it(object)).count(), 1, "{alignment:#}");
    assert!(number(&alignment["only_with_stacks"]) >= 1, "{alignment:#}");
    let (mut alone, mut other) = (None, None);
    let read = Reader::open(&dir.path().join("log")).expect("a log").for_each(|event| {
        let path = event.path.filter(|_| event.kind == Kind::Syscall).unwrap_or_default();
        if path == b"/no/such/file" {
            other = Some((event.flags.has(Flags::UNMATCHED), event.stack.is_some()));
        } else if path.starts_with(b"/no/such/") {
            alone = Some((event.flags.has(Flags::UNMATCHED), event.stack.is_some()));
        }
    });
    assert!(read.is_ok(), "{read:?}");
    assert_eq!((alone, other), (Some((true, false)), Some((false, true))));
}

#[test]
fn lines_of_python_are_behind_the_calls_of_its_imports() {
    let Some(python) = python() else { return skip("stacks of Python", "no Python here") };
    let dir = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(dir.path().join("use.py"), "import json\nimport http.client\n").expect("a script");
    let report = startup(dir.path(), "python", &[&python, "use.py"]);
    check_sum(&report["alignment"]);
    let lines = report["behind"]["lines"].as_array().expect("lines");
    let of = |line: u64| {
        let is_it = |row: &&Value| {
            row["line"] == line && row["file"].as_str().is_some_and(|file| file.ends_with("use.py"))
        };
        number(&lines.iter().find(is_it).expect("the import")["calls"])
    };
    assert!(of(1) > 3 && of(2) > 3, "{lines:#?}");
    let mut trace = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
    let folded = run(trace.args(["flame", "--by", "stack", "--metric", "count", "--folded", "log"])).stdout;
    let stat = |line: &str| {
        let (stack, _) = line.rsplit_once(' ').expect("a number");
        let stands_upon = stack.find("find_spec").zip(stack.find("_path_stat")).is_some_and(|(a, b)| a < b);
        let call = stack.trim_end_matches(";ENOENT").rsplit(';').next();
        stands_upon && call.is_some_and(|call| call.contains("stat"))
    };
    assert!(folded.lines().any(stat), "{} stacks", folded.lines().count());
}

/// An interpreter, a script that looks for a file, and a function of its machine code.
const OTHERS: [(&str, &str, &str); 3] = [
    ("ruby", "File.exist?('/no/such/file')", "ruby_run_node"),
    ("perl", "stat '/no/such/file'", "perl_run"),
    ("node", "require('fs').existsSync('/no/such/file')", "node::Start"),
];

#[test]
fn calls_of_other_interpreters_have_the_script_and_machine_code() {
    for (interpreter, script, function) in OTHERS {
        let is_there = std::process::Command::new(interpreter).arg("--version").output();
        if !is_there.is_ok_and(|done| done.status.success()) {
            skip(&format!("stacks of {interpreter}"), "no such program here");
            continue;
        }
        let dir = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(dir.path().join("looks"), script).expect("a script");
        let trace = || run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
        let done =
            run(trace().args(["record", "-q", "--stacks", "native", "-o", "log", interpreter, "looks"]));
        assert!(done.status.success(), "{done:?}");
        let drawn = ["flame", "--by", "stack", "--metric", "count", "--folded", "-P", "/no/such/file", "log"];
        let folded = run(trace().args(drawn)).stdout;
        let names = |line: &str| {
            let (_, names) = line.split_once(';').expect("a process");
            names.starts_with("looks;") && names.contains(function) && names.contains("ENOENT")
        };
        assert!(folded.lines().any(names), "{interpreter}: {folded}");
    }
}
