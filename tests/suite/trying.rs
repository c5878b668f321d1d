//! `trace try` on real programs: what is tried, and whether a remedy that changes something is seen.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::support::programs::executable;
use super::support::run::{self, Run};
use super::support::skip::skip;

/// Rounds: the fewest that give an interval.
const ROUNDS: &str = "6";

fn run_try(dir: &Path, variables: &[(&str, &str)], command: &[&str]) -> Run {
    let mut trying = run::command(env!("CARGO_BIN_EXE_trace"), dir);
    trying.args(["try", "--json", "--runs", ROUNDS]).args(command);
    for (name, value) in variables {
        trying.env(name, value);
    }
    run::run(&mut trying)
}

fn trials(dir: &Path, variables: &[(&str, &str)], command: &[&str]) -> Value {
    let done = run_try(dir, variables, command);
    assert!(done.status.success(), "{command:?}: {}", done.stderr);
    serde_json::from_str(&done.stdout).expect("a report")
}

/// The trial of a remedy from this kind of finding.
fn trial<'a>(trials: &'a Value, finding: &str) -> &'a Value {
    let tried = trials["tried"].as_array().expect("trials");
    tried.iter().find(|trial| trial["finding"] == finding).unwrap_or_else(|| panic!("no {finding}: {trials}"))
}

fn script(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    executable(&path, text.as_bytes());
    path.to_string_lossy().into_owned()
}

fn empty_directories(dir: &Path, count: usize) -> String {
    let make = |n: usize| {
        let path = dir.join(format!("empty{n}"));
        fs::create_dir(&path).expect("a directory");
        path.to_string_lossy().into_owned()
    };
    (0..count).map(make).collect::<Vec<_>>().join(":")
}

/// A Python of the system's, if that can keep bytecode in a directory of its own (3.8).
fn python(test: &str) -> Option<&'static str> {
    let new_enough = |path: &&str| {
        let code = "import sys; sys.exit(sys.version_info < (3, 8))";
        Command::new(path).args(["-c", code]).status().is_ok_and(|status| status.success())
    };
    let found = ["/usr/bin/python3", "/usr/local/bin/python3"].into_iter().find(new_enough);
    if found.is_none() {
        skip(test, "there is no Python 3.8 in /usr/bin or /usr/local/bin");
    }
    found
}

#[test]
fn a_shorter_library_path_is_measured_and_changes_nothing() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let path = empty_directories(dir.path(), 10);
    let all = trials(dir.path(), &[("LD_LIBRARY_PATH", &path)], &["/bin/ls", "/dev/null"]);
    let trial = trial(&all, "library-search");
    assert_eq!(trial["what"], "LD_LIBRARY_PATH without 10 of 10 directories");
    assert_eq!(trial["shell"], "env -u LD_LIBRARY_PATH /bin/ls /dev/null");
    assert_eq!((&trial["effect"], &trial["measured"]["rounds"]), (&"same".into(), &6.into()), "{trial}");
    assert!(trial["measured"]["interval"]["low"].is_number(), "{trial}");
    assert!(trial["predicted"]["at_most_ns"].as_u64() > Some(0), "{trial}");
    assert_eq!(all["original_wall_ns"]["count"], 6);
    let mut left: Vec<_> = fs::read_dir(dir.path()).expect("the directory").flatten().collect();
    left.retain(|entry| !entry.file_name().to_string_lossy().starts_with("empty"));
    assert!(left.is_empty(), "trace try leaves something behind: {left:?}");
}

/// So many directories that either remedy saves more than what a busy machine adds.
#[test]
fn remedies_that_are_faster_alone_are_tried_together() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let empty = empty_directories(dir.path(), 400);
    let path = format!("{empty}:/usr/bin:/bin");
    let script = "i=0; while [ $i -lt 40 ]; do command -v none$i; i=$((i+1)); done; cat /dev/null; true";
    let attempt = || {
        let mut trying = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
        trying.args(["try", "--json", "--runs", "15", "--only", "library-search,program-search"]);
        trying.args(["/bin/sh", "-c", script]).env("LD_LIBRARY_PATH", &empty).env("PATH", &path);
        let done = run::run(&mut trying);
        assert!(done.status.success(), "{}", done.stderr);
        serde_json::from_str::<Value>(&done.stdout).expect("a report")
    };
    // Once more where the machine was so busy that a saving drowned.
    let together = |all: &Value| all["tried"].as_array().is_some_and(|tried| tried.len() == 3);
    let all = (0..3).map(|_| attempt()).find(together).expect("both are faster alone");
    let together = &all["tried"][2];
    assert!(together["finding"].is_null() && together["predicted"].is_null(), "{all}");
    assert_eq!(together["what"], "the 2 that are faster, together");
    let rounds = (&together["measured"]["rounds"], &together["beyond_best"]["rounds"]);
    assert_eq!(rounds, (&15.into(), &15.into()), "{together}");
    assert!(all["recommended"].is_number() && together["effect"] == "same", "{all}");
    let shell = together["shell"].as_str().expect("a command line");
    assert!(shell.starts_with("env -u LD_LIBRARY_PATH PATH=/usr/bin"), "{shell}");
}

/// The command and the words of `sh -c` that count its runs in a file.
const COUNTING: [&str; 3] = ["/bin/sh", "-c", "echo ${LD_LIBRARY_PATH:+original} >>runs; cat /dev/null"];

#[test]
fn what_it_writes_is_said_and_left_as_the_command_writes_it() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let path = empty_directories(dir.path(), 10);
    let all = trials(dir.path(), &[("LD_LIBRARY_PATH", &path)], &COUNTING);
    let written = dir.path().canonicalize().expect("the directory").join("runs");
    assert_eq!(all["writes"], serde_json::json!([written]), "{all}");
    let runs = fs::read_to_string(&written).expect("what it wrote");
    assert!(runs.lines().any(str::is_empty), "a remedy ran: {runs}");
    assert_eq!(runs.lines().last(), Some("original"));
}

#[test]
fn an_interrupted_trial_shows_what_was_measured() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let path = empty_directories(dir.path(), 10);
    let mut trying = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
    trying.args(["try", "--runs", "100000"]).args(COUNTING).env("LD_LIBRARY_PATH", &path);
    trying.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = trying.spawn().expect("trace starts");
    let runs = dir.path().join("runs");
    let began = Instant::now();
    // About ten runs come before the rounds.
    while fs::read_to_string(&runs).map_or(0, |runs| runs.lines().count()) < 60 {
        assert!(began.elapsed() < Duration::from_secs(200), "no rounds");
        sleep(Duration::from_millis(5));
    }
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).expect("our own child");
    let done = child.wait_with_output().expect("trace ends");
    let (shown, said) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!(done.status.code(), Some(130), "{said}");
    assert!(said.contains("trace: ended by SIGINT in round "), "{said}");
    assert!(
        shown.contains("Ended by SIGINT in round ") && shown.contains("LD_LIBRARY_PATH without"),
        "{shown}"
    );
}

#[test]
fn a_remedy_that_changes_the_output_is_not_recommended() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let outer = script(dir.path(), "outer", "#!/bin/sh\nMODE=fast exec /usr/bin/printenv MODE\n");
    let status = trials(dir.path(), &[], &[&outer]);
    let found = trial(&status, "wrapper");
    assert_eq!(
        (&found["effect"], &found["verdict"]),
        (&"status_differs".into(), &"not_the_same".into()),
        "{found}"
    );
    assert!(found["measured"].is_null(), "what does something else need not be measured: {found}");
    let done = run_try(dir.path(), &[("MODE", "slow")], &[&outer]);
    assert!(done.stderr.contains("fast"), "the command's own output is shown once: {}", done.stderr);
    let output: Value = serde_json::from_str(&done.stdout).expect("a report");
    let found = trial(&output, "wrapper");
    assert_eq!(
        (&found["effect"], &found["verdict"]),
        (&"output_differs".into(), &"not_the_same".into()),
        "{found}"
    );
}

#[test]
fn output_that_always_differs_is_not_compared() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let path = format!("{}:/usr/bin:/bin", empty_directories(dir.path(), 10));
    let all = trials(dir.path(), &[("PATH", &path)], &["/bin/sh", "-c", "echo $$; cat /dev/null; true"]);
    assert_eq!(all["output_compared"], false);
    assert_eq!(trial(&all, "program-search")["effect"], "status_same", "{all}");
}

#[test]
fn bytecode_is_compiled_for_a_python_that_writes_none() {
    let Some(python) = python("bytecode_is_compiled_for_a_python_that_writes_none") else { return };
    let dir = tempfile::tempdir().expect("a scratch directory");
    let modules = dir.path().join("modules");
    fs::create_dir(&modules).expect("a directory");
    // Says whether there is bytecode where Python looks for it.
    let seen = "import os\nkept = os.path.exists(__spec__.cached)\n";
    fs::write(modules.join("one.py"), seen).expect("a module");
    let main = script(
        dir.path(),
        "main.py",
        "import sys\nsys.dont_write_bytecode = True\nsys.path.insert(0, sys.argv[1])\nimport one\nprint(one.kept)\n",
    );
    let modules = modules.to_str().expect("UTF-8");
    for option in ["-B", "-E", "-I", "-O"] {
        let command = ["--only", "bytecode", python, option, &main, modules];
        let all = trials(dir.path(), &[], &command);
        let bytecode = trial(&all, "bytecode");
        assert_eq!(bytecode["effect"], "output_differs", "{option}: the module finds its bytecode: {all}");
        assert_eq!(fs::read_dir(modules).expect("a directory").count(), 1, "nothing is written there");
        // What is shown does the same.
        let shell = bytecode["shell"].as_str().expect("a command line");
        let home = tempfile::tempdir().expect("a scratch directory");
        let mut typed = run::command("/bin/sh", dir.path());
        let typed = run::run(typed.args(["-c", shell]).env("HOME", home.path()));
        assert!(typed.stdout.contains("True"), "{shell}: {typed:?}");
    }
}

#[test]
fn what_cannot_be_tried_is_said() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let failing = run_try(dir.path(), &[], &["/bin/false"]);
    assert_eq!(failing.status.code(), Some(1), "{}", failing.stderr);
    assert!(failing.stderr.contains("failed"), "{}", failing.stderr);
    let mut unknown = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
    let unknown = run::run(unknown.args(["try", "--only", "magic", "/bin/true"]));
    assert_eq!(unknown.status.code(), Some(125));
    assert!(unknown.stderr.contains("no such finding"), "{}", unknown.stderr);
    let mut nothing = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
    let nothing = run::run(nothing.args(["try", "/bin/true"]));
    assert!(nothing.status.success() && nothing.stdout.contains("Nothing was found"), "{nothing:?}");
}
