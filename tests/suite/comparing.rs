//! `trace compare` on commands and logs: the answer, what one side alone does, and sides that fail or hang.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::support::ending::interrupt_before;
use crate::support::log;
use crate::support::run::{self, Run, run};

fn trace(dir: &Path, words: &[&str]) -> Run {
    run(run::command(env!("CARGO_BIN_EXE_trace"), dir).args(["compare"]).args(words))
}

fn json(dir: &Path, words: &[&str]) -> Value {
    let done = trace(dir, &[&["--json", "--backend", "ptrace"], words].concat());
    assert!(done.status.success(), "{done:?}");
    serde_json::from_str(&done.stdout).expect("JSON")
}

fn place() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

/// The row of a figure.
fn row<'a>(compared: &'a Value, table: &str, name: &str) -> &'a Value {
    let rows = compared[table].as_array().expect("rows");
    rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no {name}: {compared}"))
}

#[test]
fn a_slower_side_that_does_more_is_told() {
    let dir = place();
    let sides = ["sh -c 'mkdir d; rmdir d'", "sh -c 'sleep 0.3; cat /dev/null'"];
    let compared = json(dir.path(), &["--runs", "6", sides[0], sides[1]]);
    let wall = row(&compared, "times", "wall");
    assert_eq!(wall["others"][0]["verdict"], "differs", "{wall}");
    assert!(wall["others"][0]["ratio"]["interval"]["low"].as_f64() > Some(1.0), "{wall}");
    let made = row(&compared, "figures", "directories made");
    assert_eq!((&made["sides"][0]["median"], &made["sides"][1]["median"]), (&1.0.into(), &0.0.into()));
    assert_eq!(made["others"][0]["verdict"], "differs", "{made}");
    let programs: Vec<_> =
        compared["only"].as_array().expect("a list").iter().filter(|one| one["kind"] == "program").collect();
    assert!(
        programs
            .iter()
            .any(|one| one["side"] == 1 && one["name"].as_str().is_some_and(|name| name.ends_with("/sleep"))),
        "{programs:?}"
    );
}

#[test]
fn logs_are_compared_as_they_are() {
    let dir = place();
    fs::write(dir.path().join("f"), "x\n").expect("a new file");
    fs::create_dir(dir.path().join("many")).expect("a new directory");
    for (name, script) in [
        ("a.trace", "read x <f"),
        ("many/1.trace", "read x <f; read x <f"),
        ("many/2.trace", "read x <f; read x <f"),
    ] {
        let done = run(log::command(&dir.path().join(name), dir.path()).args(["sh", "-c", script]));
        assert!(done.status.success(), "{done:?}");
    }
    let shown = trace_show(dir.path(), "a.trace");
    fs::write(dir.path().join("text.strace"), shown).expect("a new file");
    let compared = json(dir.path(), &["a.trace", "many", "text.strace"]);
    let calls = row(&compared, "figures", "system calls");
    let median = |side: usize| calls["sides"][side]["median"].as_f64().expect("a number");
    assert!(median(0) < median(1), "{calls}");
    assert!((median(0) - median(2)).abs() < 0.5, "{calls}");
    assert_eq!((&calls["sides"][1]["runs"], &calls["others"][0]["verdict"]), (&2.into(), &"untested".into()));
    let unlike: Vec<_> =
        compared["unlike"].as_array().expect("a list").iter().map(|one| one["what"].as_str()).collect();
    assert!(unlike.contains(&Some("backend")) && unlike.contains(&Some("costs")), "{unlike:?}");
    let done = trace(dir.path(), &["a.trace", "many"]);
    assert!(done.stdout.contains("which is faster is not known"), "{done:?}");
}

fn trace_show(dir: &Path, log: &str) -> String {
    run(run::command(env!("CARGO_BIN_EXE_trace"), dir).args(["show", log])).stdout
}

#[test]
fn each_side_is_prepared_concluded_and_cleaned_up() {
    let dir = place();
    let words = [
        "--runs",
        "2",
        "--traced",
        "1",
        "--warmup",
        "0",
        "--prepare",
        "echo pa >>order",
        "--prepare",
        "echo pb >>order",
        "--conclude",
        "echo c >>order",
        "--cleanup",
        "echo end >>order",
        "-n",
        "first",
        "sh -c 'echo a >>order'",
        "sh -c 'echo b >>order'",
    ];
    let done = trace(dir.path(), &words);
    assert!(done.status.success(), "{done:?}");
    assert!(done.stdout.starts_with("A  first"), "{done:?}");
    let order = fs::read_to_string(dir.path().join("order")).expect("the order");
    let lines: Vec<&str> = order.lines().collect();
    assert_eq!(lines.len(), 3 * 2 * 3 + 2, "{order}");
    for run in lines[..18].chunks(3) {
        assert!(matches!(run, ["pa", "a", "c"] | ["pb", "b", "c"]), "{order}");
    }
    assert_eq!(lines[18..], ["end", "end"]);
}

#[test]
fn failing_and_hanging_sides_are_told() {
    let dir = place();
    let cases: [(&[&str], &str); 4] = [
        (&["--runs", "2", "true", "sh -c 'echo oops >&2; exit 3'"], "a run failed (exit status: 3)"),
        (
            &["--runs", "2", "--timeout", "300ms", "true", "sh -c 'sleep 600 & sleep 600'"],
            "took longer than --timeout allows",
        ),
        (
            &["--runs", "2", "--prepare", "echo why >&2; exit 4", "true", "true"],
            "--prepare failed (exit status: 4)",
        ),
        (&["--runs", "2", "--conclude", "exit 5", "true", "true"], "--conclude failed (exit status: 5)"),
    ];
    for (words, expected) in cases {
        let begin = Instant::now();
        let done = trace(dir.path(), words);
        assert_eq!(done.status.code(), Some(125), "{words:?}: {done:?}");
        assert!(
            done.stderr.contains(expected) && begin.elapsed() < Duration::from_secs(120),
            "{words:?}: {done:?}"
        );
    }
    let done = trace(dir.path(), &["-i", "--runs", "2", "--traced", "1", "true", "sh -c 'exit 3'"]);
    assert!(done.status.success(), "{done:?}");
}

#[test]
fn wrong_words_are_one_line() {
    let dir = place();
    for (words, code, expected) in [
        (&["true"][..], 2, "2 values required"),
        (&["true", "nosuch-command"], 127, "nosuch-command"),
        (&["true", "none.trace"], 125, "cannot open log none.trace"),
        (
            &["--prepare", "a", "--prepare", "b", "--prepare", "c", "true", "true"],
            2,
            "for all sides (given once)",
        ),
        (&["-n", "a", "-n", "b", "-n", "c", "true", "true"], 2, "more names than sides"),
        (&["-", "-"], 2, "one side only"),
        (&["--timeout", "x", "true", "true"], 2, "unknown unit x"),
        (&["--timeout", "0", "true", "true"], 2, "every run takes longer"),
    ] {
        let done = trace(dir.path(), words);
        assert_eq!((done.status.code(), done.stdout.as_str()), (Some(code), ""), "{words:?}: {done:?}");
        assert!(done.stderr.contains(expected) && done.stderr.lines().count() == 1, "{words:?}: {done:?}");
    }
}

#[test]
fn a_log_without_calls_is_nothing_to_compare_and_no_measure() {
    let dir = place();
    let done = run(log::command(&dir.path().join("a.trace"), dir.path()).arg("true"));
    assert!(done.status.success(), "{done:?}");
    let whole = fs::read(dir.path().join("a.trace")).expect("the log");
    // The first message, which is the header: eight bytes, the last four of which say how many follow.
    let header = 8 + u32::from_le_bytes(whole[4..8].try_into().expect("four bytes")) as usize;
    fs::write(dir.path().join("cut.trace"), &whole[..header]).expect("a new file");
    for sides in [["a.trace", "cut.trace"], ["cut.trace", "a.trace"]] {
        let done = trace(dir.path(), &sides);
        assert_eq!((done.status.code(), done.stdout.as_str()), (Some(125), ""), "{done:?}");
        let why = "(cut.trace) has no calls: it was cut short before the first";
        assert!(done.stderr.contains(why) && done.stderr.lines().count() == 1, "{done:?}");
    }
    let done = trace(dir.path(), &["a.trace", "cut.trace", "a.trace"]);
    assert!(done.status.success(), "{done:?}");
    assert!(done.stdout.contains("\n   its log has no calls") && !done.stdout.contains("none"), "{done:?}");
    let assert =
        |words: &[&str]| run(run::command(env!("CARGO_BIN_EXE_trace"), dir.path()).arg("assert").args(words));
    let done = assert(&["cut.trace", "all < 100", "all > 1"]);
    assert_eq!(done.status.code(), Some(125), "{done:?}");
    assert!(
        done.stdout.contains("the log has no calls") && done.stdout.contains("2 cannot be told"),
        "{done:?}"
    );
    let done = assert(&["--learn", "cut.trace", "all"]);
    assert_eq!((done.status.code(), done.stdout.as_str()), (Some(125), ""), "{done:?}");
    assert!(done.stderr.contains("no budget is learned"), "{done:?}");
}

#[test]
fn logs_and_a_flame_graph_are_kept_where_wanted() {
    let dir = place();
    let done =
        trace(dir.path(), &["--runs", "1", "--traced", "1", "-o", "kept", "cat /dev/null", "ls /dev/null"]);
    assert!(done.status.success(), "{done:?}");
    for name in ["a.trace", "b.trace", "a-b.svg"] {
        assert!(dir.path().join("kept").join(name).is_file(), "{name}: {done:?}");
    }
    let again = trace(dir.path(), &["kept/a.trace", "kept/b.trace"]);
    assert!(again.status.success(), "{again:?}");
}

/// What was measured before an end was asked for is shown.
#[test]
fn a_log_that_cannot_be_kept_loses_no_times() {
    let dir = place();
    // Where a file is to be there is a directory; a full disk says its word at the same place.
    fs::create_dir_all(dir.path().join("kept/b.trace")).expect("a new directory");
    let done = trace(dir.path(), &["--runs", "2", "--backend", "ptrace", "-o", "kept", "true", "sh -c :"]);
    assert_eq!(done.status.code(), Some(125), "{done:?}");
    assert!(done.stdout.contains("\nwall ") && done.stdout.contains("2 untraced runs"), "{done:?}");
    assert!(done.stderr.contains("no further run was traced") && done.stderr.contains("b.trace"), "{done:?}");
}

#[test]
fn replays_stand_beside_the_sides_they_are_of() {
    let dir = place();
    let sides = ["sh -c 'cat f f f'", "sh -c 'cat f; mkdir d; rmdir d'"];
    fs::write(dir.path().join("f"), "x\n").expect("a new file");
    let compared = json(dir.path(), &["--runs", "2", "--traced", "1", "--replay", sides[0], sides[1]]);
    let replays = compared["replays"].as_array().expect("a list");
    assert_eq!(replays.len(), 2, "{compared}");
    for side in replays {
        let ways = side["ways"].as_array().expect("ways");
        let kinds: Vec<_> = ways.iter().filter_map(|way| way["kind"].as_str()).collect();
        assert!(kinds.contains(&"none") && kinds.contains(&"fewer"), "{side}");
        assert!(side["replayed"].as_u64() > Some(0) && side["writes"] == false, "{side}");
        assert!(ways.iter().all(|way| way["speedup"].is_array()), "{side}");
    }
    let without = json(dir.path(), &["--runs", "2", "--traced", "1", "true", "sh -c :"]);
    assert_eq!(without["replays"], Value::Array(Vec::new()), "nobody asked for any");
}

#[test]
fn interrupted_rounds_are_shown_as_far_as_they_came() {
    let dir = place();
    let mut command = Command::new(env!("CARGO_BIN_EXE_trace"));
    command.current_dir(dir.path()).args(["compare", "--runs", "100000", "--warmup", "0"]);
    command
        .args(["sh -c 'echo x >>ran'", "true"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .stdin(Stdio::null());
    let child = command.spawn().expect("trace starts");
    let begin = Instant::now();
    while fs::read_to_string(dir.path().join("ran")).map_or(0, |ran| ran.lines().count()) < 4 {
        assert!(begin.elapsed() < Duration::from_secs(120), "no rounds");
        sleep(Duration::from_millis(5));
    }
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).expect("it runs");
    let done = child.wait_with_output().expect("it ends");
    let (stdout, stderr) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!(done.status.code(), Some(130), "{stderr}");
    assert!(stdout.contains("untraced runs") && stderr.contains("ended by SIGINT"), "{stdout}{stderr}");
}

#[test]
fn interrupted_traced_runs_are_shown_as_far_as_they_came() {
    let dir = place();
    let prepare = interrupt_before(5);
    let options = ["compare", "--backend", "ptrace", "--runs", "1", "--warmup", "0", "--traced", "5"];
    let mut command = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
    let done = run(command.args(options).args(["--prepare", &prepare, "true", "sh -c :"]));
    assert_eq!(done.status.code(), Some(130), "{done:?}");
    // Two runs without the tracer, two with it.
    assert!(
        done.stdout.contains("1 untraced run, 1 traced run") && done.stderr.contains("SIGINT"),
        "{done:?}"
    );
}

/// Runs well the first time, which is untraced, and hangs the second time, which is traced; nothing ends it but being
/// killed, nor its child.
const HANGS_TRACED: &str = "sh -c 'test -e ran || { touch ran; exit 0; }; trap \"\" INT TERM; echo about to hang >&2; \
    sleep 1000 & echo $! >pid.new; mv pid.new pid; wait; sleep 1000'";

/// Whether the process whose number is in this file has ended.
fn is_gone(file: &Path) -> bool {
    let pid = fs::read_to_string(file).expect("the command has said it");
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['Z', 'X']))
}

#[test]
fn traced_runs_have_the_time_limit_too() {
    let dir = place();
    let words =
        ["--backend", "ptrace", "--runs", "1", "--warmup", "0", "--timeout", "10s", HANGS_TRACED, "true"];
    let done = trace(dir.path(), &words);
    assert_eq!(done.status.code(), Some(125), "{done:?}");
    assert!(done.stderr.contains("(traced): a run took longer than --timeout allows"), "{done:?}");
    assert!(done.stderr.contains("about to hang"), "its output: {done:?}");
    assert!(is_gone(&dir.path().join("pid")), "its child goes on");
}

#[test]
fn who_ignores_the_end_of_a_comparison_does_not_outlive_it() {
    let dir = place();
    let mut command = Command::new(env!("CARGO_BIN_EXE_trace"));
    command.current_dir(dir.path()).args(["compare", "--backend", "ptrace", "--runs", "1", "--warmup", "0"]);
    command.args([HANGS_TRACED, "true"]).stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null());
    let child = command.spawn().expect("trace starts");
    let begin = Instant::now();
    while !dir.path().join("pid").exists() {
        assert!(begin.elapsed() < Duration::from_secs(120), "it is not traced");
        sleep(Duration::from_millis(5));
    }
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).expect("it runs");
    let done = child.wait_with_output().expect("it ends");
    let (stdout, stderr) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!(done.status.code(), Some(143), "{stderr}");
    assert!(stdout.contains("untraced run") && stderr.contains("ended by SIGTERM"), "{stdout}{stderr}");
    assert!(is_gone(&dir.path().join("pid")), "its child goes on");
}

/// The commands of `--cleanup` can be ended, too: by one signal, however many there are.
#[test]
fn a_hanging_cleanup_is_ended_by_a_signal() {
    let dir = place();
    let mut command = Command::new(env!("CARGO_BIN_EXE_trace"));
    command.current_dir(dir.path()).args(["compare", "--runs", "1", "--traced", "1", "--warmup", "0"]);
    command
        .args(["--cleanup", "echo x >>cleaning; exec sleep 600", "true", "true"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .stdin(Stdio::null());
    let child = command.spawn().expect("trace starts");
    let begin = Instant::now();
    while !dir.path().join("cleaning").exists() {
        assert!(begin.elapsed() < Duration::from_secs(120), "no cleanup");
        sleep(Duration::from_millis(5));
    }
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).expect("it runs");
    let done = child.wait_with_output().expect("it ends");
    let (stdout, stderr) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!(done.status.code(), Some(130), "{stderr}");
    assert!(
        stdout.contains("untraced run") && stderr.contains("SIGINT in a command of --cleanup"),
        "{stderr}"
    );
    assert_eq!(fs::read_to_string(dir.path().join("cleaning")).expect("it was there"), "x\n");
}
