//! `trace imports` beside `python -X importtime`: the same modules, within each other alike, at times of the same size.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use crate::support::run::{self, run};
use crate::support::skip::skip;

/// The versions it was tried with.
const VERSIONS: [&str; 4] = ["3.8", "3.11", "3.12", "3.13"];
/// Attempts until the times are of the same size: other work of the machine may come between.
const ATTEMPTS: usize = 6;

/// `-X importtime` of Python: how deep, self in microseconds, cumulative in microseconds, module.
type Line = (usize, u64, u64, String);

fn lines(text: &str) -> Vec<Line> {
    let line = |line: &str| {
        let mut columns = line.strip_prefix("import time:")?.split('|');
        let mut number = || columns.next()?.trim().parse().ok();
        let (own, all) = (number()?, number()?);
        let name = columns.next()?.strip_prefix(' ')?;
        let module = name.trim_start();
        Some(((name.len() - module.len()) / 2, own, all, module.to_owned()))
    };
    text.lines().filter_map(line).collect()
}

pub fn python(version: &str) -> Option<PathBuf> {
    let versions = Path::new(&std::env::var("HOME").unwrap_or_default()).join(".pyenv/versions");
    let mut found: Vec<PathBuf> =
        versions.read_dir().into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    found.sort();
    let of_pyenv = found.into_iter().find(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&format!("{version}.")))
    });
    let of_system = PathBuf::from(format!("/usr/bin/python{version}"));
    of_pyenv.map(|path| path.join("bin/python")).into_iter().chain([of_system]).find(|path| path.is_file())
}

fn modules(lines: &[Line]) -> Vec<(usize, &str)> {
    lines.iter().map(|(depth, .., name)| (*depth, name.as_str())).collect()
}

/// The microseconds of all modules together.
fn sum(lines: &[Line]) -> u64 {
    lines.iter().map(|(_, own, ..)| own).sum()
}

fn check(python: &Path, dir: &Path) {
    let script = dir.join("script.py");
    std::fs::write(&script, "import json\n\n\ndef f():\n    import http.client\n\n\nf()\n")
        .expect("a script");
    let listing = dir.join("listing");
    for attempt in 1.. {
        let done = run(run::command(env!("CARGO_BIN_EXE_trace"), dir)
            .args(["imports", "--runs", "1", "--all", "--json", "-o", "log.trace", "--importtime"])
            .args([listing.as_path(), python, &script]));
        assert!(done.status.success(), "{done:?}");
        let ours = lines(&std::fs::read_to_string(&listing).expect("a listing"));
        let reference = || {
            let done = run(run::command(python, dir).args(["-X", "importtime"]).arg(&script));
            lines(&done.stderr)
        };
        let theirs = reference();
        assert!(theirs.len() > 50, "{theirs:?}");
        assert_eq!(modules(&ours), modules(&theirs), "{}", python.display());
        check_json(&done.stdout, &script);
        // The same size, other work of the machine being in either.
        let (ours, theirs) = (sum(&ours), sum(&theirs));
        if ours < theirs * 2 && theirs < ours * 2 {
            break;
        }
        assert!(attempt < ATTEMPTS, "{ours} µs, importtime: {theirs} µs ({})", python.display());
    }
    assert!(std::fs::read_to_string(dir.join("log.svg")).expect("a picture").contains("http.client"));
}

/// That parts add up, and who imported what where.
fn check_json(text: &str, script: &Path) {
    let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let imports = value["imports"].as_array().expect("imports");
    let number = |import: &serde_json::Value, name: &str| import[name].as_u64().expect("a number");
    let mut cumulative: Vec<u64> = imports.iter().map(|import| number(import, "self_ns")).collect();
    for (at, import) in imports.iter().enumerate().rev() {
        let parts = ["find_ns", "read_ns", "execute_ns", "rest_ns"].map(|part| number(import, part));
        assert_eq!(parts.iter().sum::<u64>(), number(import, "self_ns"));
        assert_eq!(cumulative[at], number(import, "cumulative_ns"));
        if let Some(parent) = import["parent"].as_u64() {
            cumulative[usize::try_from(parent).expect("small")] += cumulative[at];
        }
    }
    let of = |name: &str| imports.iter().find(|import| import["name"] == name).expect("the module");
    let (json, client) = (of("json"), of("http.client"));
    let script = script.to_str().expect("plain");
    assert_eq!((json["importer"].as_str(), json["importer_line"].as_u64()), (Some(script), Some(1)));
    assert_eq!((client["importer"].as_str(), client["importer_line"].as_u64()), (Some(script), Some(5)));
    for module in [json, client] {
        assert!(number(module, "probes") > 0 && number(module, "find_ns") > 0, "{module:#}");
        assert!(number(module, "read_ns") > 0 && number(module, "execute_ns") > 0, "{module:#}");
        assert!(module["file"].as_str().is_some_and(|file| file.contains("__pycache__")), "{module:#}");
    }
    let [known, calls] =
        [&value["aligned"][1], &value["aligned"][0]].map(|number| number.as_f64().expect("a number"));
    assert!(known / calls > 0.95, "{known} of {calls}");
}

#[test]
fn imports_are_those_that_python_tells() {
    for version in VERSIONS {
        let dir = tempfile::tempdir().expect("a temporary directory");
        match python(version) {
            Some(python) => check(&python, dir.path()),
            None => skip("imports", &format!("no Python {version} here")),
        }
    }
}

#[test]
fn what_imports_nothing_is_told() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let done =
        run(run::command(env!("CARGO_BIN_EXE_trace"), dir.path()).args(["imports", "--runs", "1", "true"]));
    assert_eq!(done.status.code(), Some(125), "{done:?}");
    assert!(done.stderr.contains("the command started no Python"), "{done:?}");
}

#[test]
fn what_cannot_be_run_ends_as_env_does() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(dir.path().join("text"), "no program\n").expect("a file");
    for (word, code, said) in [("text", 126, "chmod +x"), ("./text", 126, "chmod +x"), ("", 127, "empty")] {
        let done = run(run::command(env!("CARGO_BIN_EXE_trace"), dir.path()).args(["imports", word]));
        assert_eq!(done.status.code(), Some(code), "{word}: {done:?}");
        assert!(done.stderr.contains(said), "{word}: {done:?}");
    }
    let gone = dir.path().join("gone");
    let mut trace = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
    let done = run(trace.args(["imports", "--runs", "1", "true"]).env("TMPDIR", &gone));
    assert_eq!(done.status.code(), Some(125), "{done:?}");
    assert!(done.stderr.contains(gone.to_str().expect("a plain path")), "{done:?}");
}

/// A module that a thread imports while the first one waits for it.
#[test]
fn imports_of_other_threads_are_told_as_well() {
    let Some(python) = VERSIONS.into_iter().rev().find_map(python) else {
        return skip("imports of threads", "no Python here");
    };
    let dir = tempfile::tempdir().expect("a temporary directory");
    let script = dir.path().join("script.py");
    let text = "import threading\n\ndef f():\n    import colorsys\n\nt = threading.Thread(target=f)\nt.start()\nt.join()\nimport this\n";
    std::fs::write(&script, text).expect("a script");
    let done = run(run::command(env!("CARGO_BIN_EXE_trace"), dir.path())
        .args(["imports", "--runs", "1", "--all", "--json", "-o", "log.trace"])
        .args([&python, &script]));
    assert!(done.status.success(), "{done:?}");
    let value: serde_json::Value = serde_json::from_str(&done.stdout).expect("JSON");
    let imports = value["imports"].as_array().expect("imports");
    let of = |name: &str| imports.iter().find(|import| import["name"] == name).expect("the module");
    for (name, line) in [("threading", 1), ("colorsys", 4), ("this", 9)] {
        let module = of(name);
        assert_eq!(
            (module["importer"].as_str(), module["importer_line"].as_u64()),
            (script.to_str(), Some(line))
        );
    }
}

#[test]
fn the_commands_end_is_passed_on() {
    let Some(python) = VERSIONS.into_iter().rev().find_map(python) else {
        return skip("the end of a command with imports", "no Python here");
    };
    let dir = tempfile::tempdir().expect("a temporary directory");
    let end = |script: &str| {
        let mut trace = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
        trace.args(["imports", "-i", "--runs", "1"]).arg(&python).args(["-c", script]);
        run(&mut trace).status
    };
    assert_eq!(end("import json; raise SystemExit(3)").code(), Some(3));
    assert_eq!(end("import json, os; os.kill(os.getpid(), 9)").signal(), Some(9));
}

#[test]
fn what_python_does_not_tell_has_its_reason() {
    let Some(python) = VERSIONS.into_iter().find_map(python) else {
        return skip("reasons without imports", "no Python here");
    };
    let dir = tempfile::tempdir().expect("a temporary directory");
    let trace = || {
        let mut command = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
        command.args(["imports", "--runs", "1", "-o", "log.trace"]).arg(&python);
        command
    };
    let isolated = run(trace().args(["-I", "-c", "pass"]));
    assert_eq!(isolated.status.code(), Some(125), "{isolated:?}");
    assert!(isolated.stderr.contains("-X importtime"), "{isolated:?}");
    let way_out = run(trace().args(["-I", "-X", "importtime", "-c", "pass"]));
    assert!(way_out.status.success() && way_out.stdout.contains("encodings"), "{way_out:?}");
    // What has no imports is nothing to compare with.
    let mut other = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
    assert!(run(other.args(["record", "-q", "-o", "other.trace", "true"])).status.success());
    let mut diff = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
    let diff = run(diff.args(["flame", "--by", "import", "--diff", "other.trace", "log.trace"]));
    assert_eq!(diff.status.code(), Some(1), "{diff:?}");
    assert!(diff.stderr.starts_with("trace: other.trace "), "{diff:?}");
    let strace = "1 1700000000.1 execve(\"/bin/true\", [\"true\"], 0x1 /* 0 vars */) = 0 <0.000100>\n1 1700000000.2 +++ exited with 0 +++\n";
    std::fs::write(dir.path().join("strace.txt"), strace).expect("a log");
    let theirs = run(run::command(env!("CARGO_BIN_EXE_trace"), dir.path()).args(["imports", "strace.txt"]));
    assert!(theirs.stderr.contains("strace does not know of them"), "{theirs:?}");
}
