//! `trace install` on a real pip, with wheels that are made here and no network.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::ending::interrupt_before;
use crate::support::run::{self, Run};
use crate::support::skip::skip;

/// A Python that can make an environment with a pip of its own.
fn environment(test: &str, dir: &Path) -> Option<PathBuf> {
    let wheels = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/make_wheels.py");
    let made = |python: &str| {
        let run = |words: &[&str]| {
            let done =
                Command::new(python).args(words).current_dir(dir).env("PYENV_VERSION", "system").output();
            done.is_ok_and(|done| done.status.success())
        };
        run(&["-m", "venv", "v"]) && run(&[&wheels.to_string_lossy(), "wheels", "2", "3"])
    };
    let candidates = ["/usr/bin/python3", "/usr/local/bin/python3", "python3"];
    if candidates.into_iter().any(made) && dir.join("v/bin/pip").exists() {
        return Some(dir.join("v/bin/python"));
    }
    skip(test, "no Python here can make an environment with pip (venv, ensurepip)");
    None
}

const PIP: [&str; 9] = [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--no-index",
    "--find-links",
    "wheels",
    "fixture_package_0",
    "fixture_package_1",
];

fn install(dir: &Path, options: &[&str], command: &[&str]) -> Run {
    let mut trace = run::command(env!("CARGO_BIN_EXE_trace"), dir);
    trace.args(["install", "--json", "--backend", "ptrace", "-o", "log.trace"]).args(options).args(command);
    run::run(&mut trace)
}

#[test]
fn what_pip_installs_is_told_by_phase_and_package() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let test = "what_pip_installs_is_told_by_phase_and_package";
    let Some(python) = environment(test, dir.path()) else { return };
    let python = python.to_string_lossy().into_owned();
    let command: Vec<&str> = std::iter::once(python.as_str()).chain(PIP).collect();
    let done = install(dir.path(), &[], &command);
    assert!(done.status.success(), "{done:?}");
    let report: Value = serde_json::from_str(&done.stdout).expect("JSON");
    assert_eq!(report["installer"], "pip");
    let packages = report["packages"].as_array().expect("packages");
    let mut names: Vec<_> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["fixture_package_0", "fixture_package_1"]);
    for package in packages {
        // Four modules and what describes them, and bytecode of each module.
        assert!(
            package["files"].as_u64() >= Some(4 + 3 + 4) && package["bytes"].as_u64() > Some(1_000),
            "{package}"
        );
    }
    let phase = |name: &str| {
        let phases = report["phases"].as_array().expect("phases");
        phases.iter().find(|row| row["phase"] == name).and_then(|row| row["calls"].as_u64()).unwrap_or(0)
    };
    for name in ["start", "resolve", "unpack", "create", "bytecode"] {
        assert!(phase(name) > 0, "{name}: {}", report["phases"]);
    }
    // Eight modules, each read and its bytecode written, in pip's own process: more than ten calls a module.
    assert!(phase("bytecode") > 80, "{}", report["phases"]);
    let findings = report["startup"]["findings"]["list"].as_array().expect("findings");
    let compiled =
        |finding: &&Value| finding["kind"] == "imports" && finding.to_string().contains("fixture_package");
    assert!(!findings.iter().any(|finding| compiled(&finding)), "what is compiled is not imported");
    assert!(
        report["startup"]["file_system"]["ceiling_share"].is_number()
            && report["startup"]["findings"]["list"].is_array()
    );
    assert!(dir.path().join("log.trace").is_file() && dir.path().join("log.svg").is_file());
}

#[test]
fn other_installers_are_told_by_what_they_make() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let script = "mkdir -p t/site-packages/one t/site-packages/one-1.dist-info; echo x >t/site-packages/one/a.py; \
                  echo y >t/site-packages/one-1.dist-info/RECORD; echo z >t/site-packages/x.pth";
    let prepare = ["--runs", "2", "--prepare", "rm -rf t"];
    let done = install(dir.path(), &prepare, &["sh", "-c", script]);
    assert!(done.status.success(), "{done:?}");
    let report: Value = serde_json::from_str(&done.stdout).expect("JSON");
    assert_eq!(
        (&report["installer"], &report["packages"][0]["files"]),
        (&Value::Null, &2.into()),
        "{report}"
    );
    assert_eq!(report["not_packages"]["files"], 1);
    assert_eq!(report["startup"]["wall"]["kind"], "untraced_median");
    assert!(fs::metadata(dir.path().join("t/site-packages/one/a.py")).is_ok());
}

#[test]
fn what_goes_wrong_is_told() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (options, command, code, expected) in [
        (&["--runs", "2"][..], &["true"][..], 125, "--prepare"),
        (&[], &["nosuch-command"], 127, "nosuch-command"),
        (&["--prepare", "exit 3"], &["true"], 125, "--prepare failed"),
        (&["--runs", "2", "--prepare", "true"], &["false"], 1, "failed"),
    ] {
        let done = install(dir.path(), options, command);
        assert_eq!(done.status.code(), Some(code), "{command:?}: {done:?}");
        assert!(done.stderr.contains(expected), "{command:?}: {done:?}");
    }
    let failed = install(dir.path(), &[], &["sh", "-c", "exit 7"]);
    assert_eq!(failed.status.code(), Some(7));
    assert!(failed.stderr.contains("the command failed (exit status: 7)"), "{failed:?}");
    let mut trace = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
    let done = run::run(trace.args(["install", "-o", "/dev/null", "touch", "ran"]));
    assert_eq!(done.status.code(), Some(125), "{done:?}");
    assert!(done.stderr.contains("is not a file") && !dir.path().join("ran").exists(), "{done:?}");
}

#[test]
fn an_end_that_is_asked_for_leaves_what_was_measured() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let end = |before: u32| {
        let _ = fs::remove_file(dir.path().join("n"));
        let mut trace = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
        trace.args(["install", "--backend", "ptrace", "--runs", "2", "--prepare", &interrupt_before(before)]);
        run::run(trace.args(["-o", "log.trace", "true"]))
    };
    // One run is not counted, two are, and one is traced.
    let between = end(3);
    assert_eq!(between.status.signal(), Some(libc::SIGINT), "{between:?}");
    assert!(between.stdout.contains("1 untraced run") && between.stderr.contains("SIGINT"), "{between:?}");
    let last = end(4);
    assert_eq!(last.status.signal(), Some(libc::SIGINT), "{last:?}");
    assert!(
        last.stdout.contains("2 untraced runs") && last.stderr.contains("before the traced run"),
        "{last:?}"
    );
    assert!(!dir.path().join("log.trace").exists(), "nothing was traced");
}

#[test]
fn what_is_left_behind_is_in_no_phase() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    // The child goes on when its parent has been reaped.
    let script = "mkdir -p site-packages; echo >site-packages/a.py; \
                  { while kill -0 $$ 2>/dev/null; do :; done; echo >site-packages/b.py; } & exit 0";
    let done = install(dir.path(), &[], &["sh", "-c", script]);
    assert!(done.status.success(), "{done:?}");
    let report: Value = serde_json::from_str(&done.stdout).expect("JSON");
    let left = &report["left_behind"];
    assert!(left["calls"].as_u64() > Some(3) && left["traced_ns"].as_u64() > Some(0), "{left}");
    let packages: Vec<&str> = report["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    assert!(packages.contains(&"a") && packages.contains(&"b"), "{packages:?}");
    let phases = report["phases"].as_array().expect("phases");
    let in_phases: u64 = phases.iter().filter_map(|phase| phase["calls"].as_u64()).sum();
    assert_eq!(
        in_phases + left["calls"].as_u64().unwrap_or(0),
        report["startup"]["integrity"]["calls"].as_u64().expect("a number")
    );
}
