//! `trace assert`: verdicts and exit codes on logs and on commands, and budgets that are learned.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::ending::interrupt_before;
use crate::support::log;
use crate::support::run::{self, Run, run};

/// A shell script whose calls are the same in every run: two files that are there, three that are not.
const SCRIPT: &str = "for f in a b no1 no2 no3; do test -e d/$f; done; true";

fn trace(dir: &Path, words: &[&str]) -> Run {
    run(run::command(env!("CARGO_BIN_EXE_trace"), dir).args(words))
}

fn place() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::create_dir(dir.path().join("d")).expect("a new directory");
    for name in ["a", "b"] {
        fs::write(dir.path().join("d").join(name), "x").expect("a new file");
    }
    let done = run(log::command(&dir.path().join("a.trace"), dir.path()).args(["sh", "-c", SCRIPT]));
    assert!(done.status.success(), "{done:?}");
    dir
}

const MISSED: &str = "stat{path~/d/}.enoent";

#[test]
fn verdicts_are_exit_codes() {
    let dir = place();
    let command = format!("sh -c '{SCRIPT}'");
    for target in ["a.trace", &command] {
        for (limit, code) in [("<= 3", 0), ("== 3", 0), ("< 3", 1), (">= 4", 1), ("", 0)] {
            let done = trace(dir.path(), &["assert", target, &format!("{MISSED} {limit}")]);
            assert_eq!(done.status.code(), Some(code), "{target} {limit}: {done:?}");
        }
    }
    let done = trace(dir.path(), &["assert", "a.trace", &format!("{MISSED} < 3"), "processes <= 1"]);
    assert!(done.stdout.contains("1 of 2 budgets broken"), "{done:?}");
    assert!(done.stdout.contains("3 paths"), "the directory is pointed at: {done:?}");
}

#[test]
fn what_cannot_be_told_is_neither_met_nor_broken() {
    let dir = place();
    let shown = trace(dir.path(), &["show", "a.trace"]);
    fs::write(dir.path().join("text.strace"), &shown.stdout).expect("a new file");
    let done = trace(dir.path(), &["assert", "text.strace", "fs.cost < 1s", "wall < 1s"]);
    assert_eq!(done.status.code(), Some(125), "{done:?}");
    assert!(done.stdout.contains("the log does not tell costs"), "{done:?}");
    let whole = fs::read(dir.path().join("a.trace")).expect("the log");
    fs::write(dir.path().join("cut.trace"), &whole[..whole.len() - 600]).expect("a new file");
    let done = trace(dir.path(), &["assert", "cut.trace", "all < 100000"]);
    assert_eq!(done.status.code(), Some(125), "{done:?}");
    let done = trace(dir.path(), &["assert", "cut.trace", "fs.cost < 100s", "all < 1"]);
    assert_ne!(done.status.code(), Some(0), "{done:?}");
}

#[test]
fn wrong_words_are_told_with_their_place() {
    let dir = place();
    fs::write(dir.path().join("bad.txt"), "# a comment\nall < 5 # more\nstat.x < 5\n").expect("a new file");
    for (words, code, expected) in [
        (&["a.trace"][..], 2, "there is no budget"),
        (&["a.trace", "stat <= x"], 2, r#"budget, column 9: a number is expected, at "x" in "stat <= x""#),
        (&["--budget", "bad.txt", "a.trace"], 2, "budget bad.txt:3, column 6: calls, cost"),
        (&["--budget", "none.txt", "a.trace"], 125, "cannot read budgets from none.txt"),
        (&["none.trace", "all < 5"], 125, "cannot open log none.trace"),
        (&["sh -c 'exit 3'", "all < 5"], 125, "exit status: 3); to judge it all the same"),
        (&["nosuch-command", "all < 5"], 127, "nosuch-command"),
        (&["sh -c 'open", "all < 5"], 2, "missing closing quote"),
        (&["--learn", "a.trace", "all < 5"], 2, "name the metric only"),
        (&["--margin", "3", "a.trace", "all"], 2, "--learn"),
        (&["--learn", "--margin", "-3", "a.trace"], 2, "margin"),
    ] {
        let done = trace(dir.path(), &[&["assert"], words].concat());
        assert_eq!((done.status.code(), done.stdout.as_str()), (Some(code), ""), "{words:?}: {done:?}");
        assert!(done.stderr.contains(expected) && done.stderr.lines().count() == 1, "{words:?}: {done:?}");
    }
}

#[test]
fn a_learned_budget_holds_and_notices_more() {
    let dir = place();
    let command = format!("sh -c '{SCRIPT}'");
    let done = trace(dir.path(), &["assert", "--learn", "--budget", "b.txt", &command]);
    assert!(done.status.success(), "{done:?}");
    let learned = fs::read_to_string(dir.path().join("b.txt")).expect("the budget");
    assert!(learned.contains("\nstat.enoent <= "), "{learned}");
    let done = trace(dir.path(), &["assert", "--runs", "3", "--budget", "b.txt", &command]);
    assert!(done.status.success(), "{done:?}");
    let more = command.replace("true'", "ls d >/dev/null'");
    let done = trace(dir.path(), &["assert", "--budget", "b.txt", "--json", &more]);
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    let json: Value = serde_json::from_str(&done.stdout).expect("JSON");
    let broken = json["budgets"].as_array().expect("budgets").iter().find(|one| one["metric"] == "programs");
    let broken = broken.expect("programs are in the budget");
    assert_eq!((&broken["verdict"], &broken["source"]), (&"broken".into(), &"b.txt:12".into()), "{json}");
    assert!(broken["places"][0]["name"].is_string(), "{json}");
    let done = trace(dir.path(), &["assert", "--learn", "--runs", "2", &command, MISSED]);
    assert!(done.stdout.contains(&format!("\n{MISSED} <= 3  # 3\n")), "{done:?}");
    let done = trace(dir.path(), &["assert", "--learn", "--json", "--runs", "2", &command, MISSED]);
    let json: Value = serde_json::from_str(&done.stdout).expect("JSON");
    let learned = &json["learned"][0];
    assert_eq!(
        (&json["runs"], &learned["metric"], &learned["limit"]),
        (&2.into(), &MISSED.into(), &3.into())
    );
}

#[test]
fn a_directory_of_logs_is_as_many_runs() {
    let dir = place();
    fs::create_dir(dir.path().join("logs")).expect("a new directory");
    fs::copy(dir.path().join("a.trace"), dir.path().join("logs/a.trace")).expect("a copy");
    let twice = SCRIPT.replace("; true", "; test -e d/no4");
    let log = dir.path().join("logs/b.trace");
    run(log::command(&log, dir.path()).args(["sh", "-c", &twice]));
    let done = trace(dir.path(), &["assert", "--json", "logs", &format!("{MISSED} <= 3")]);
    let json: Value = serde_json::from_str(&done.stdout).expect("JSON");
    assert_eq!(json["budgets"][0]["values"], serde_json::json!([3, 4]));
    assert_eq!(done.status.code(), Some(1), "{done:?}");
}

#[test]
fn an_end_that_is_asked_for_leaves_what_was_measured() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::write(dir.path().join("b.txt"), "all < 1\n").expect("our own directory");
    let prepare = interrupt_before(3);
    let end = |words: &[&str]| {
        let _ = fs::remove_file(dir.path().join("n"));
        trace(dir.path(), &[&["assert", "--runs", "5", "--prepare", &prepare], words].concat())
    };
    let learned = end(&["--learn", "--budget", "b.txt", "true"]);
    assert_eq!(learned.status.code(), Some(130), "{learned:?}");
    assert!(
        learned.stdout.contains("stat.enoent <= ") && learned.stderr.contains("2 of 5 runs"),
        "{learned:?}"
    );
    assert_eq!(fs::read_to_string(dir.path().join("b.txt")).expect("it stays"), "all < 1\n");
    let judged = end(&["true", "all < 100000"]);
    assert_eq!(judged.status.code(), Some(130), "{judged:?}");
    assert!(judged.stdout.contains("1 of 1 budget met, the worst of 2 runs"), "{judged:?}");
    fs::write(dir.path().join("n"), "2").expect("our own directory");
    let nothing = trace(dir.path(), &["assert", "--prepare", &prepare, "true", "all < 9"]);
    assert_eq!((nothing.status.code(), nothing.stdout.as_str()), (Some(130), ""), "{nothing:?}");
}
