//! `trace try` on real programs: what is tried, and whether a remedy that changes something is seen.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use super::support::run::{self, Run};

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
    fs::write(&path, text).expect("a script");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("an executable");
    path.to_string_lossy().into_owned()
}

fn empty_directories(dir: &Path) -> String {
    let make = |n: usize| {
        let path = dir.join(format!("empty{n}"));
        fs::create_dir(&path).expect("a directory");
        path.to_string_lossy().into_owned()
    };
    (0..10).map(make).collect::<Vec<_>>().join(":")
}

#[test]
fn a_shorter_library_path_is_measured_and_changes_nothing() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let path = empty_directories(dir.path());
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

#[test]
fn harmless_remedies_are_tried_together() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let empty = empty_directories(dir.path());
    let path = format!("{empty}:/usr/bin:/bin");
    let variables = [("LD_LIBRARY_PATH", empty.as_str()), ("PATH", &path)];
    let all = trials(dir.path(), &variables, &["/bin/sh", "-c", "cat /dev/null; echo done; true"]);
    let tried = all["tried"].as_array().expect("trials");
    let together = tried.last().expect("a trial");
    assert!(together["finding"].is_null() && together["predicted"].is_null(), "{together}");
    assert_eq!(together["what"], format!("{} of these together", tried.len() - 1));
    assert_eq!(
        (&together["effect"], &together["measured"]["rounds"]),
        (&"same".into(), &6.into()),
        "{together}"
    );
    let shell = together["shell"].as_str().expect("a command line");
    assert!(shell.starts_with("env -u LD_LIBRARY_PATH PATH=/usr/bin"), "{shell}");
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
    let path = format!("{}:/usr/bin:/bin", empty_directories(dir.path()));
    let all = trials(dir.path(), &[("PATH", &path)], &["/bin/sh", "-c", "echo $$; cat /dev/null; true"]);
    assert_eq!(all["output_compared"], false);
    assert_eq!(trial(&all, "program-search")["effect"], "status_same", "{all}");
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
