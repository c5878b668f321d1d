//! What `record --text` prints while a command runs, and what `show` prints of the log of the same run, recorded with
//! `--decode full`: the same lines, byte by byte.

use std::path::Path;
use std::process::Command;

use crate::support::programs::program;
use crate::support::run::run;
use crate::support::skip::skip;

/// Lines that only a finished log has.
const TOTAL: &str = "*** total ";

/// Records the command once, both as a log and as text, and compares.
fn compare(prepare: &str, options: &[&str], command: &[&str]) {
    if command[0].starts_with('/') && !Path::new(command[0]).exists() {
        return skip(&command.join(" "), "no such program");
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let prepared = Command::new("sh").args(["-c", prepare]).current_dir(dir.path()).status();
    assert!(prepared.expect("sh starts").success());
    let trace = || Command::new(env!("CARGO_BIN_EXE_trace"));
    let mut recorded = trace();
    recorded.args(["record", "--backend", "ptrace", "--decode", "full", "--text", "live", "-o", "log"]);
    recorded.args(options).args(command).current_dir(dir.path());
    let recorded = run(&mut recorded);
    // Whatever the program says: it has ended by itself.
    assert!(recorded.status.code().is_some(), "{recorded:?}");
    let mut shown = trace();
    shown.args(["show", "log"]).current_dir(dir.path());
    let shown = run(&mut shown);
    assert!(shown.status.success(), "{shown:?}");
    let live = std::fs::read(dir.path().join("live")).expect("it was asked for");
    let (live, shown) = (String::from_utf8_lossy(&live), shown.stdout);
    let live: Vec<&str> = live.lines().filter(|line| !line.contains(TOTAL)).collect();
    let shown: Vec<&str> = shown.lines().filter(|line| !line.contains(TOTAL)).collect();
    assert!(live.len() > 5, "{live:?}");
    let different = live.iter().zip(&shown).find(|(live, shown)| live != shown);
    assert_eq!(different, None, "{command:?} {options:?}");
    assert_eq!(live.len(), shown.len(), "{command:?} {options:?}");
}

#[test]
fn of_our_programs() {
    for name in ["decoded", "structures", "descriptors", "requests", "addresses"] {
        let program = program(name);
        for options in [&[][..], &["--string-limit", "3"]] {
            compare("touch file", options, &[program.to_str().expect("our own directory")]);
        }
    }
}

#[test]
fn of_calls_with_any_arguments() {
    for name in ["random_calls", "random_calls32"] {
        let program = program(name);
        for errno in ["22", "0"] {
            compare("", &[], &[program.to_str().expect("our own directory"), errno, "2", "21"]);
        }
    }
}

#[test]
fn of_programs_of_every_day() {
    let files = "mkdir d; echo a > d/a; ln -s a d/b; seq 100 > d/c";
    for command in [
        &["/bin/ls", "-l", "d"][..],
        &["/bin/cat", "d/a"],
        &["/usr/bin/sort", "-r", "d/c"],
        &["/usr/bin/find", "d", "-type", "f"],
        &["/bin/sh", "-c", "echo x > y; (exit 3); cat d/c | wc -l"],
        &["/bin/tar", "-cf", "t", "d/a"],
    ] {
        compare(files, &[], command);
    }
}
