//! What the link by the name `strace` says of command lines, and which calls it chooses: the same as strace 6.1, word for word.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::Path;

use crate::support::run::{self, Run, run};
use crate::support::skip::skip;
use crate::support::strace;

/// The version that the link is like; others have other words.
const VERSION: &str = "version 6.1";

/// Runs strace, or the link, by the name `strace`.
fn called(program: &Path, dir: &Path, words: &[&str]) -> Run {
    run(run::command(program, dir).arg0("strace").args(words))
}

/// strace itself, if it is the one that we are like.
fn real(test: &str) -> Option<&'static Path> {
    let path = Path::new("/usr/bin/strace");
    let is_like = strace::is_there() && path.exists() && {
        let said = run(run::command(path, Path::new("/")).arg("-V")).stdout;
        said.lines().next().is_some_and(|line| line.ends_with(VERSION))
    };
    if !is_like {
        skip(test, "no strace 6.1 in /usr/bin");
    }
    is_like.then_some(path)
}

fn place() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    symlink(env!("CARGO_BIN_EXE_trace"), dir.path().join("strace")).expect("our own directory");
    fs::write(dir.path().join("f"), "text\n").expect("our own directory");
    symlink("f", dir.path().join("link")).expect("our own directory");
    dir
}

#[test]
fn what_is_wrong_is_told_in_straces_words() {
    let Some(real) = real("what_is_wrong_is_told_in_straces_words") else { return };
    let dir = place();
    for words in [
        "-e trace=bogus true",
        "-e trace=bogus? true",
        "-e trace=?bogus,bogus2 true",
        "-e trace=%bogus true",
        "-e trace=, true",
        "-e trace=! true",
        "-e trace=all,none true",
        "-e trace=/nosuch true",
        "-e trace=/( true",
        "-e trace=/*a true",
        "-e trace=openat@99 true",
        "-e status=bogus true",
        "-e signal=bogus true",
        "-e quiet=detach true",
        "-e decode-fds=bogus true",
        "-e inject=openat true",
        "-e inject=openat:error=EBOGUS true",
        "-e inject=openat:error=EIO:retval=3 true",
        "-e inject=bogus:error=EIO true",
        "-e fault=openat:retval=1 true",
        "-S bogus true",
        "-c -C true",
        "-w true",
        "-s x true",
        "-a -1 true",
        "-X bogus true",
        "-I 5 true",
        "-p x",
        "-p 0",
        "--timestamps=bogus true",
        "--syscall-times=bogus true",
        "--strings-in-hex=bogus true",
        "-o",
        "--bogus",
        "-o /nosuch/file true",
        "nosuchcommand",
        "-z -Z -e trace=none true",
        "-F -o log -e trace=none true",
        "--output-separately -e trace=none true",
        "-e trace=?bogus true",
        "-e trace=?/nosuch true",
        "-e trace=!!openat -P nosuch true",
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        let theirs = called(real, dir.path(), &words);
        let ours = called(&dir.path().join("strace"), dir.path(), &words);
        assert_eq!((ours.stderr, ours.status.code()), (theirs.stderr, theirs.status.code()), "{words:?}");
    }
}

/// Paths are those that calls are passed, and those behind descriptors; nothing is made absolute.
#[test]
fn paths_are_chosen_as_strace_does() {
    let Some(real) = real("paths_are_chosen_as_strace_does") else { return };
    let dir = place();
    let whole = dir.path().join("f").to_string_lossy().into_owned();
    for path in ["f", "link", "./f", "nosuch", &whole] {
        for options in [&[][..], &["-y"], &["-e", "trace=openat"]] {
            let words = |log| [options, &["-o", log, "-P", path, "cat", "f", "link", "nosuch"]].concat();
            let theirs = called(real, dir.path(), &words("theirs"));
            let ours = called(&dir.path().join("strace"), dir.path(), &words("ours"));
            let log = |name| fs::read_to_string(dir.path().join(name)).expect("a log");
            assert_eq!(log("ours"), log("theirs"), "{path} {options:?}");
            assert_eq!(ours.stderr, theirs.stderr, "{path}");
        }
    }
}

#[test]
fn a_command_that_is_not_there_leaves_an_empty_file() {
    let dir = place();
    let log = dir.path().join("log");
    for (words, expected) in
        [(&["-o", "log", "nosuchcommand"][..], ""), (&["-A", "-o", "log", "nosuchcommand"], "old\n")]
    {
        fs::write(&log, "old\n").expect("our own directory");
        let done = called(&dir.path().join("strace"), dir.path(), words);
        assert_eq!(done.status.code(), Some(1), "{done:?}");
        assert_eq!(fs::read_to_string(&log).expect("the log"), expected, "{words:?}");
    }
}

/// `when=` counts the calls of a name by themselves, however many names the set has.
#[test]
fn injections_count_each_call_by_itself() {
    let dir = place();
    let words = ["-o", "log", "-e", "inject=openat,close:error=EIO:when=3", "cat", "f", "f", "f", "f"];
    called(&dir.path().join("strace"), dir.path(), &words);
    let log = fs::read_to_string(dir.path().join("log")).expect("the log");
    for call in ["openat(", "close("] {
        let calls: Vec<&str> = log.lines().filter(|line| line.starts_with(call)).collect();
        let injected: Vec<usize> = calls
            .iter()
            .enumerate()
            .filter(|(_, line)| line.ends_with("(INJECTED)"))
            .map(|(at, _)| at)
            .collect();
        assert_eq!(injected, [2], "{calls:#?}");
    }
}
