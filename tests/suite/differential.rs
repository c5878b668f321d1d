//! Real programs under strace and under each backend: the same calls, process by process.
//!
//! Both runs begin in the same directory with the same content and environment, without address
//! randomisation, so that even addresses agree. Programs are chosen that do the same each time; those that do not
//! are for the [`crate::witness`].

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::call::{Call, Text};
use crate::support::retry::alike_once;
use crate::support::run::{self, Run, run};
use crate::support::skip::{skip, skip_peer};
use crate::support::tree::{self, Tree};
use crate::support::{log, strace};

/// Whether a difference between strace (first) and the log (second) is right.
type Rule = fn(&Call, &Call) -> bool;

/// Differences between strace (first) and the log (second) that are right, and why.
const PERMITTED: [(&str, Rule); 1] =
    [("rt_sigreturn puts back what a register held, which is no result", |strace, log| {
        strace.name == "rt_sigreturn" && strace.name == log.name
    })];

/// A place in which both runs find the same.
pub struct Place {
    _dir: tempfile::TempDir,
    /// The working directory.
    pub work: PathBuf,
    /// Where tracers write.
    pub log: PathBuf,
}

impl Place {
    /// A place that nobody else has.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        Self { work: dir.path().join("work"), log: dir.path().join("log"), _dir: dir }
    }

    /// Makes the working directory anew and runs the shell script `prepare` in it, untraced.
    pub fn prepare(&self, prepare: &str) {
        if self.work.exists() {
            std::fs::remove_dir_all(&self.work).expect("our own directory");
        }
        std::fs::create_dir(&self.work).expect("our own directory");
        let done = run(run::command("sh", &self.work).args(["-e", "-c", prepare]));
        assert!(done.status.success(), "{prepare}: {done:?}");
    }

    /// Runs the command under a tracer.
    pub fn traced(&self, tracer: &Command, command: &[&str]) -> Run {
        // setarch stands before the tracer, so that what is traced is the command alone.
        let mut whole = run::command("setarch", &self.work);
        whole.arg("-R").arg(tracer.get_program()).args(tracer.get_args());
        run(whole.args(command))
    }

    /// Whether the logs of a run under strace and of one under the backend are alike.
    fn compare(&self, prepare: &str, command: &[&str], untraced: &Run) -> Result<(), String> {
        let name = command.join(" ");
        let traced = |tracer: &Command| {
            if self.log.exists() {
                std::fs::remove_file(&self.log).expect("the log of the tracer before");
            }
            self.prepare(prepare);
            self.traced(tracer, command)
        };
        let strace_run = traced(&strace::command(&self.log, &self.work));
        let by_strace = tree::of(&strace::read(&self.log));
        let our_run = traced(&log::command(&self.log, &self.work));
        let log = log::read(&self.log);
        log.assert_complete();
        let by = log::backend();
        assert_eq!(untraced.status, our_run.status, "{name}: untraced and under trace by {by}: {our_run:?}");
        assert_eq!(strace_run, our_run, "{name}: under strace (left) and under trace by {by}");
        let wrong = differences(&by_strace, &tree::of(&log.calls()));
        match wrong.len() {
            0 => Ok(()),
            processes => Err(format!("{processes} processes differ by {by}:\n{}", wrong.join("\n"))),
        }
    }
}

/// Runs a command under strace and each backend, and compares.
fn compare(prepare: &str, command: &[&str]) {
    let name = command.join(" ");
    compare_by(prepare, command, |test| log::each_backend(&name, test));
}

/// The same with backends of choice, for which a test is run.
fn compare_by(prepare: &str, command: &[&str], backends: impl FnOnce(&dyn Fn())) {
    let name = command.join(" ");
    if !is_there(command[0]) {
        return skip(&name, "no such program");
    }
    if !strace::is_there() {
        return skip_peer(&name, "no strace");
    }
    let place = Place::new();
    place.prepare(prepare);
    let untraced = run(run::command(command[0], &place.work).args(&command[1..]));
    backends(&|| alike_once(&name, || place.compare(prepare, command, &untraced)));
}

fn is_there(program: &str) -> bool {
    program.contains('/') && Path::new(program).exists()
        || std::env::var_os("PATH")
            .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).exists()))
}

/// The first difference of each process.
fn differences(strace: &Tree, log: &Tree) -> Vec<String> {
    let mut wrong = Vec::new();
    for (position, expected) in strace {
        let Some(calls) = log.get(position) else {
            wrong.push(format!("process {position} is missing in the log"));
            continue;
        };
        if let Some(at) = expected.iter().zip(calls).position(|(strace, log)| !same(strace, log)) {
            wrong.push(format!(
                "process {position}, call {at}:\n  strace {}\n  log    {}",
                expected[at], calls[at]
            ));
        } else if expected.len() != calls.len() {
            wrong.push(format!(
                "process {position}: {} calls by strace, {} in the log",
                expected.len(),
                calls.len()
            ));
        }
    }
    wrong.extend(
        log.keys().filter(|key| !strace.contains_key(*key)).map(|key| format!("strace has no process {key}")),
    );
    wrong
}

fn same(strace: &Call, log: &Call) -> bool {
    let agree = |one: &[Text; 2], two: &[Text; 2]| one[0].agrees(&two[0]) && one[1].agrees(&two[1]);
    let equal = strace.name == log.name
        && strace.ret == log.ret
        && agree(&strace.paths, &log.paths)
        && agree(&strace.absolute, &log.absolute)
        && agree(&strace.files, &log.files);
    equal || PERMITTED.iter().any(|(_, permits)| permits(strace, log))
}

/// The script that prints a line, in the repository.
pub fn hello() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/hello.py").to_owned()
}

const SOME_FILES: &str = "mkdir -p d/a d/b/c d/e; echo text >d/a/one; echo more >d/b/c/two; ln -s ../a/one d/b/link; \
    ln d/a/one d/e/hard; mkfifo d/fifo; chmod 600 d/a/one; touch -d 2020-01-01 d/a/* d/b/c/* d/b d/e d";

/// The interpreter that `python3` comes to, which may be a script that looks for it.
pub fn python() -> Option<String> {
    let command = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().ok()?;
    Some(String::from_utf8(command.stdout).ok()?.trim_end().to_owned())
}

/// No directory with two names in it, which programs would handle in the order of inodes.
const NARROW: &str =
    "mkdir -p d/a/b copy; echo text >d/a/b/one; chmod 600 d/a/b/one; ln -s d/a link; mkfifo fifo";

#[test]
fn python_from_the_path() {
    let Some(python) = python() else { return skip_peer("python3", "no such program") };
    compare("", &[&python, &hello()]);
    let imports = "import json, email, http.client, decimal, csv, logging; print(json.dumps([1]))";
    compare("", &[&python, "-B", "-c", imports]);
    compare("", &[&python, "-c", "import subprocess; subprocess.run(['/bin/echo', 'x'])"]);
}

#[test]
fn every_python_of_pyenv() {
    let versions = Path::new(&std::env::var("HOME").unwrap_or_default()).join(".pyenv/versions");
    let pythons: Vec<PathBuf> = std::fs::read_dir(versions)
        .map(|dir| {
            dir.flatten().map(|entry| entry.path().join("bin/python")).filter(|path| path.exists()).collect()
        })
        .unwrap_or_default();
    if pythons.is_empty() {
        return skip("pythons of pyenv", "no pyenv here");
    }
    for python in pythons {
        compare("", &[python.to_str().expect("a plain path"), &hello()]);
    }
}

#[test]
fn perl() {
    compare(
        "echo a >a; echo b >b",
        &[
            "perl",
            "-MData::Dumper",
            "-e",
            "open F, 'a'; print <F>; opendir D, '.'; print sort readdir D; print `echo c`",
        ],
    );
}

/// Without substitutions, which bash waits for from a signal handler, at whatever moment it runs; by ptrace alone, as
/// [`make`].
#[test]
fn a_bash_script() {
    let script = "cd d; for f in */*; do if [ -f $f ]; then read x <$f; echo $f $x; fi; done; \
        exec 5<a/one 6>new; read y <&5; echo $y >&6; (cd b; pwd -P); nosuch 2>/dev/null; trap 'echo bye' EXIT; exit 3";
    compare_by(SOME_FILES, &["bash", "-c", script], |test| test());
}

#[test]
fn git_status_and_log() {
    let prepare = "git init -q r; cd r; git config user.name n; git config user.email e@x; export GIT_AUTHOR_DATE=2020-01-01T00:00:00Z GIT_COMMITTER_DATE=2020-01-01T00:00:00Z; mkdir s; echo 1 >a; echo 2 >s/b; \
        touch -d 2020-01-01 a s/b s .; git add .; git commit -qm one; echo untracked >c; touch -d 2021-01-01 .git/index";
    compare(prepare, &["git", "-C", "r", "--no-optional-locks", "status"]);
    compare(prepare, &["git", "-C", "r", "--no-pager", "log", "--stat"]);
}

#[test]
fn tar_packs_and_unpacks() {
    compare(SOME_FILES, &["tar", "--sort=name", "-cf", "d.tar", "d"]);
    compare(&format!("{SOME_FILES}; tar cf d.tar d; rm -r d"), &["tar", "-xf", "d.tar"]);
}

#[test]
fn ls_and_find() {
    compare(SOME_FILES, &["ls", "-lR", "--time-style=full-iso", "d/a", "d/b/c", "/etc"]);
    compare(SOME_FILES, &["find", "d", "/usr/include", "-newer", "/etc/passwd"]);
}

#[test]
fn files_are_changed() {
    compare(NARROW, &["cp", "-a", "d", "link", "fifo", "copy"]);
    compare(NARROW, &["mv", "d/a", "link", "copy"]);
    compare(NARROW, &["rm", "-rv", "d", "link", "fifo"]);
    compare(NARROW, &["install", "-D", "-m", "755", "d/a/b/one", "new/dir/one"]);
}

/// By ptrace alone: whether a child's SIGCHLD comes before make waits for it is a race, which is the same under tracers
/// that slow the child down, and another at full speed. What eBPF records of it is held against the kernel by the
/// [`crate::witness`].
#[test]
fn make() {
    let prepare = "printf 'all: a b\\na:\\n\\techo a >a\\nb: a\\n\\tcat a >b; test -s b\\n' >Makefile";
    compare_by(prepare, &["make"], |test| test());
}

#[test]
fn gcc_compiles_a_file() {
    let prepare = "printf '#include <stdio.h>\\nint main(void) { return puts(\"x\"); }\\n' >a.c";
    // -save-temps: without it the names of temporary files are random.
    compare(prepare, &["gcc", "-save-temps", "-O1", "-c", "a.c", "-o", "a.o"]);
}
