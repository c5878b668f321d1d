//! Where stacks are missing, the reason is told: a log that was cut, a Python that cannot be read, a thread that is none of its.

use std::path::Path;

use serde_json::Value;
use trace::event::Kind;

use crate::differential::python;
use crate::imports;
use crate::stacks::rows;
use crate::support::run::{self, Run, run};
use crate::support::skip::skip;

fn trace(dir: &Path, words: &[&str]) -> Run {
    run(run::command(env!("CARGO_BIN_EXE_trace"), dir).args(words))
}

/// Cuts a log within the only batch that it has.
fn cut(dir: &Path, log: &str) {
    let bytes = std::fs::read(dir.join(log)).expect("a log");
    std::fs::write(dir.join("cut"), &bytes[..bytes.len() * 3 / 4]).expect("our own directory");
}

#[test]
fn a_log_that_was_cut_says_so_before_anything_else() {
    let Some(python) = python() else { return skip("stacks of a cut log", "no Python here") };
    let dir = tempfile::tempdir().expect("a temporary directory");
    let options = ["startup", "--runs", "1", "--sample", "0", "--stacks", "python", "-o", "log.trace"];
    let command = [&python, "-c", "import json"];
    let done = trace(dir.path(), &[&options[..], &command].concat());
    assert!(done.status.success(), "{done:?}");
    cut(dir.path(), "log.trace");
    for words in [&["flame", "--by", "stack", "cut"][..], &["imports", "cut"]] {
        let done = trace(dir.path(), words);
        assert!(!done.status.success(), "{done:?}");
        assert!(done.stderr.contains("this log is cut short"), "{done:?}");
        assert!(done.stderr.contains("as far as it is there"), "{done:?}");
        assert!(!done.stderr.contains("--stacks") && !done.stderr.contains("no Python"), "{done:?}");
    }
    let report = trace(dir.path(), &["startup", "--json", "--from", "cut"]).stdout;
    let report: Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["integrity"]["complete"], false, "{report:#}");
    let calls = &report["integrity"]["calls"];
    assert_eq!(&report["alignment"]["calls"], calls, "those that are left: {report:#}");
}

#[test]
fn stacks_that_were_asked_for_in_vain_are_not_advised_again() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    assert!(trace(dir.path(), &["record", "-q", "--stacks", "python", "-o", "log", "true"]).status.success());
    let done = trace(dir.path(), &["flame", "--by", "stack", "log"]);
    assert!(!done.status.success(), "{done:?}");
    assert!(done.stderr.contains("--stacks native") && !done.stderr.contains("--stacks python"), "{done:?}");
}

/// A 3.13 whose table of itself says that it is a 3.99; `None`: there is none that could be changed.
fn of_an_unknown_version(dir: &Path) -> Option<String> {
    let python = imports::python("3.13")?;
    let library = python.parent()?.parent()?.join("lib/libpython3.13.so.1.0");
    let mut bytes = std::fs::read(library).ok()?;
    let cookies: Vec<usize> =
        bytes.windows(8).enumerate().filter(|(_, part)| part == b"xdebugpy").map(|(at, _)| at).collect();
    for at in &cookies {
        bytes[at + 8..at + 16].copy_from_slice(&0x03_6300_00f0_u64.to_le_bytes());
    }
    std::fs::write(dir.join("libpython3.13.so.1.0"), bytes).expect("our own directory");
    (!cookies.is_empty()).then(|| python.to_str().map(str::to_owned)).flatten()
}

#[test]
fn a_python_that_cannot_be_read_is_told_of_wherever_its_stacks_would_be() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let Some(python) = of_an_unknown_version(dir.path()) else {
        return skip("a Python of an unknown version", "no 3.13 with a shared library");
    };
    let trace = |words: &[&str]| {
        let mut trace = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
        run(trace.env("LD_LIBRARY_PATH", dir.path()).args(words))
    };
    let imports = trace(&["imports", "--runs", "1", "-o", "imports", &python, "-c", "import json"]);
    assert!(imports.status.success(), "{imports:?}");
    let report = trace(&[
        "startup", "--runs", "1", "--sample", "0", "--stacks", "python", "-o", "start", &python, "-c", "pass",
    ]);
    assert!(report.status.success(), "{report:?}");
    let told = "a Python of a version or build that is not known has run";
    for shown in [
        &imports.stdout,
        &report.stdout,
        &trace(&["imports", "imports"]).stdout,
        &trace(&["startup", "--from", "start"]).stdout,
    ] {
        assert!(shown.contains(told), "{shown}");
    }
    let json: Value = serde_json::from_str(&trace(&["imports", "--json", "imports"]).stdout).expect("JSON");
    assert_eq!(json["integrity"]["marks"][0]["name"], "unread-python", "{json:#}");
    let drawn = trace(&["flame", "--by", "stack", "start"]);
    assert!(drawn.stderr.contains(told) && drawn.stderr.contains("--stacks native"), "{drawn:?}");
}

#[test]
fn what_a_thread_runs_that_python_does_not_know_is_unknown() {
    let Some(python) = python() else { return skip("threads of C in Python", "no Python here") };
    let dir = tempfile::tempdir().expect("a temporary directory");
    // A thread that calls rmdir of the C library, and nothing of Python's.
    let script = "import ctypes, os\nlibc = ctypes.CDLL(None)\nthread = ctypes.c_ulong()\n\
                  libc.pthread_create(ctypes.byref(thread), None, libc.rmdir, b'/no/such/thread')\n\
                  libc.pthread_join(thread, None)\nos.path.exists('/no/such/script')\n";
    std::fs::write(dir.path().join("script.py"), script).expect("our own directory");
    let done = trace(dir.path(), &["record", "-q", "--stacks", "python", "-o", "log", &python, "script.py"]);
    assert!(done.status.success(), "{done:?}");
    let rows = rows(&dir.path().join("log"));
    let frames = |path: &str| -> Vec<&str> {
        let is_it = |row: &&crate::stacks::Row| {
            row.kind == Kind::Syscall && row.path.as_deref() == Some(path.as_bytes())
        };
        let call = rows.iter().find(is_it).unwrap_or_else(|| panic!("{path}: {done:?}"));
        call.frames.iter().map(|(_, name)| name.as_str()).collect()
    };
    assert_eq!(frames("/no/such/thread"), [""], "one frame, of which nothing is known");
    assert_eq!(frames("/no/such/script").first(), Some(&"<module>"));
}
