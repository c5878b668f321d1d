//! `trace plot` from outside: what its pictures hold, their files, its messages. (That they are well-formed whatever names
//! are, and the arithmetic, is tested beside the code.)

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::run::{self, Run, run};

fn trace(dir: &Path, words: &[&str]) -> Run {
    run(run::command(env!("CARGO_BIN_EXE_trace"), dir).args(words))
}

/// A directory with the log of a `pip install`.
fn place() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/logs/pip-install.trace");
    fs::copy(log, dir.path().join("pip.trace")).expect("the fixture is there");
    dir
}

#[test]
fn a_log_is_drawn_beside_it_and_replaces_no_other_file() {
    let place = place();
    let dir = place.path();
    for _ in 0..2 {
        let drawn = trace(dir, &["plot", "pip.trace"]);
        assert!(drawn.status.success() && drawn.stdout.is_empty(), "{drawn:?}");
        assert_eq!(drawn.stderr.lines().last(), Some("trace: plot in pip.plot.svg"));
    }
    let text = fs::read_to_string(dir.join("pip.plot.svg")).expect("a picture");
    assert!(text.len() < 2_000_000, "{}", text.len());
    let parts = ["pip install", "phases", "critical path", "file-system calls", "Python modules", "site"];
    for part in parts {
        assert!(text.contains(part), "{part}");
    }
    let piped = trace(dir, &["plot", "-o", "-", "pip.trace"]);
    assert!(piped.stdout == text, "the same each time");
    fs::write(dir.join("mine.svg"), "mine").expect("written");
    let refused = trace(dir, &["plot", "-o", "mine.svg", "pip.trace"]);
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(refused.stderr, "trace: mine.svg holds something else and is not overwritten\n");
    let nowhere = trace(dir, &["plot", "-o", "none/x.svg", "pip.trace"]);
    assert!(nowhere.stderr.contains("there is no directory none"), "{nowhere:?}");
}

#[test]
fn what_is_drawn_can_be_had_as_json() {
    let place = place();
    let done = trace(place.path(), &["plot", "--json", "pip.trace"]);
    assert!(done.status.success() && done.stderr.is_empty(), "{done:?}");
    assert!(!place.path().join("pip.plot.svg").exists());
    let picture: serde_json::Value = serde_json::from_str(&done.stdout).expect("JSON");
    let number = |value: &serde_json::Value| value.as_f64().expect("a number");
    let length = number(&picture["length_ns"]);
    let columns = picture["columns"].as_u64().expect("a number") as usize;
    // The critical path is as long as the axis: as a whole, by stretches, and column by column.
    let critical = &picture["critical"];
    let sum = |of: &serde_json::Value| of.as_object().expect("kinds").values().map(number).sum::<f64>();
    let stretches = critical["stretches"].as_array().expect("stretches");
    let by_stretch: f64 =
        stretches.iter().map(|part| number(&part["to_ns"]) - number(&part["from_ns"])).sum();
    let lists = critical["columns"].as_object().expect("kinds").values();
    let by_column: f64 = lists
        .flat_map(|list| {
            let list = list.as_array().expect("a list");
            assert_eq!(list.len(), columns);
            list.iter().map(number)
        })
        .sum();
    for found in [sum(&critical["parts"]), by_stretch, by_column] {
        assert!((found - length).abs() < length / 100.0, "{found} of {length}");
    }
    let threads = picture["threads"].as_array().expect("threads");
    let first = &threads[0];
    assert_eq!(first["name"], "python3.11", "{first:#}");
    assert!((sum(&first["parts"]) - (number(&first["to_ns"]) - number(&first["from_ns"]))).abs() < 1000.0);
    let phases = picture["phases"].as_array().expect("phases");
    assert!(phases.iter().any(|phase| phase["kind"] == "site"), "{phases:#?}");
    let with_output = trace(place.path(), &["plot", "--json", "-o", "x.svg", "pip.trace"]);
    assert_eq!(with_output.status.code(), Some(2), "{with_output:?}");
}

#[test]
fn straces_logs_are_drawn_where_they_have_times() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let fixture = |name: &str| {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/logs/strace").join(name);
        path.to_str().expect("plain").to_owned()
    };
    let drawn = trace(dir.path(), &["plot", "-o", "x.svg", &fixture("ttt.strace")]);
    assert!(drawn.status.success(), "{drawn:?}");
    assert!(fs::read_to_string(dir.path().join("x.svg")).expect("a picture").contains("</svg>"));
    let none = trace(dir.path(), &["plot", "-o", "y.svg", &fixture("plain.strace")]);
    assert_eq!(none.status.code(), Some(1), "{none:?}");
    assert!(none.stderr.contains("has no times"), "{none:?}");
    assert!(!dir.path().join("y.svg").exists());
}

#[test]
fn a_start_is_drawn_with_its_processes() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let words =
        ["startup", "--runs", "1", "-o", "a.trace", "--plot", "a.plot.svg", "sh", "-c", "sleep 0.05; true"];
    let done = trace(dir.path(), &words);
    assert!(done.status.success(), "{done:?}");
    let text = fs::read_to_string(dir.path().join("a.plot.svg")).expect("a picture");
    for part in ["sleep 0.05", "waiting: child", "waiting: time", "1 untraced run"] {
        assert!(text.contains(part), "{part}");
    }
    let refused = trace(dir.path(), &["startup", "--plot", "no/x.svg", "touch", "ran"]);
    assert_eq!(refused.status.code(), Some(125), "{refused:?}");
    assert!(!dir.path().join("ran").exists(), "told before anything runs");
}

/// What a log without times does not tell is not told as nothing, and the loader's calls are its own.
#[test]
fn a_start_without_times_says_so() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let with_times = "1 1700000000.1 execve(\"/bin/x\", [\"x\"], 0x1 /* 0 vars */) = 0 <0.0001>\n\
        1 1700000000.2 openat(AT_FDCWD, \"/etc/ld.so.cache\", O_RDONLY|O_CLOEXEC) = 3 <0.0001>\n\
        1 1700000000.3 mmap(NULL, 100, PROT_READ, MAP_PRIVATE, 3, 0) = 0x7f0000000000 <0.0001>\n\
        1 1700000000.4 close(3) = 0 <0.0001>\n\
        1 1700000000.5 munmap(0x7f0000000000, 100) = 0 <0.0001>\n\
        1 1700000000.6 openat(AT_FDCWD, \"/a\", O_RDONLY) = -1 ENOENT (No such file or directory) <0.0001>\n\
        1 1700000000.7 openat(AT_FDCWD, \"/b\", O_RDONLY) = -1 ENOENT (No such file or directory) <0.0001>\n\
        1 1700000000.8 exit_group(0) = ?\n1 1700000000.9 +++ exited with 0 +++\n";
    let untimed = |line: &str| {
        let (pid, rest) = line.split_once(' ').expect("a pid");
        let (_, rest) = rest.split_once(' ').expect("a time");
        format!("{pid} {}\n", rest.split(" <0").next().expect("a call"))
    };
    let without: String = with_times.lines().map(untimed).collect();
    fs::write(dir.path().join("with.txt"), with_times).expect("a log");
    fs::write(dir.path().join("without.txt"), without).expect("a log");
    let report = |log: &str| trace(dir.path(), &["startup", "--from", log]);
    let (with, without) = (report("with.txt"), report("without.txt"));
    for done in [&with, &without] {
        assert!(done.stdout.contains("the dynamic loader 1 (0), other programs 2 (2)"), "{done:?}");
    }
    assert!(with.stdout.contains("traced 800 ms"), "{with:?}");
    assert!(without.stdout.contains("how long is not known"), "{without:?}");
    assert!(without.stdout.contains("The log has no times"), "{without:?}");
    assert!(!without.stdout.contains("0 ns"), "{without:?}");
}

#[test]
fn a_plot_is_not_put_where_the_flame_graph_goes() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let done = trace(dir.path(), &["startup", "--plot", "x.svg", "-o", "x.trace", "touch", "made"]);
    assert_eq!(done.status.code(), Some(125), "{done:?}");
    assert!(done.stderr.contains("x.svg is where the flame graph goes"), "{done:?}");
    assert!(!dir.path().join("made").exists());
}
