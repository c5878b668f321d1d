//! That what is not known of a stack is shown as unknown, and no other function in its place.

use std::path::{Path, PathBuf};
use std::process::Command;

use trace::event::stack::FrameKind;

use crate::stacks::{Row, pythons, rows};
use crate::support::run::{self, run};
use crate::support::skip::skip;

/// Records with these stacks, and gives the rows with the log's directory.
fn recorded(frames: &str, command: &[&std::ffi::OsStr]) -> (tempfile::TempDir, Vec<Row>) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("log");
    let mut trace = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
    trace.args(["record", "-q", "--stacks", frames, "-o"]).arg(&log).args(command);
    let done = run(trace.env("LC_ALL", "C.UTF-8"));
    assert!(done.status.success(), "{done:?}");
    let rows = rows(&log);
    (dir, rows)
}

/// Those of calls about files with these names.
fn named<'a>(rows: &'a [Row], name: &str) -> Vec<&'a Row> {
    let path = format!("/no/such/file/{name}");
    rows.iter().filter(|row| row.path.as_deref() == Some(path.as_bytes())).collect()
}

fn names(row: &Row) -> Vec<&str> {
    row.frames.iter().map(|(_, name)| name.as_str()).collect()
}

/// Pythons whose code objects can be given other names.
fn pythons_since_3_8() -> Vec<PathBuf> {
    let question = "import sys; sys.exit(sys.version_info < (3, 8))";
    let mut all = pythons();
    all.retain(|python| {
        Command::new(python).args(["-c", question]).output().is_ok_and(|done| done.status.success())
    });
    all
}

/// Code objects with the same numbers and pointers as others before them; names that are no UTF-8, or too long.
const NAMES: &str = "
import os
def f(): os.access('/no/such/file/names', 0)
def named(name='f', file='names.py'):
    code = f.__code__.replace(co_name=name, co_filename=file)
    if hasattr(code, 'co_qualname'): code = code.replace(co_qualname=name)
    return type(f)(code, globals())
for file in 'GOOD\\u4e2d.py', 'other\\u4e2d.py', 'BAD\\udcff.py', 'BAD2\\udcfe.py', '/x' * 2500, '':
    named(file=file)()
for name in 'astral\\U0001f600', 'half\\ud800', 'b' * 5000:
    named(name=name)()
";

#[test]
fn names_are_those_of_the_code_that_runs_and_unreadable_ones_are_unknown() {
    let pythons = pythons_since_3_8();
    if pythons.is_empty() {
        return skip("names of Python", "no Python since 3.8 here");
    }
    for python in &pythons {
        let (dir, rows) = recorded("python", &[python.as_os_str(), "-c".as_ref(), NAMES.as_ref()]);
        let innermost: Vec<(&str, &[u8])> = named(&rows, "names")
            .into_iter()
            .map(|row| {
                let at = row.frames.len() - 1;
                assert_eq!(names(row)[..at].last(), Some(&"<module>"), "{}: {row:?}", python.display());
                assert!(row.frames.iter().all(|(kind, _)| *kind == FrameKind::Python), "{row:?}");
                (row.frames[at].1.as_str(), &row.files[at][..])
            })
            .collect();
        let expected: [(&str, &[u8]); 9] = [
            ("f", "GOOD\u{4e2d}.py".as_bytes()),
            ("f", "other\u{4e2d}.py".as_bytes()),
            ("f", b"BAD\xff.py"),
            ("f", b"BAD2\xfe.py"),
            ("f", b""),
            ("f", b""),
            ("astral\u{1f600}", b"names.py"),
            // What is no UTF-8 is replaced by whoever made the row.
            ("half\u{fffd}\u{fffd}\u{fffd}", b"names.py"),
            ("", b"names.py"),
        ];
        assert_eq!(innermost, expected, "{}", python.display());
        let shown = run(run::command(env!("CARGO_BIN_EXE_trace"), dir.path()).args(["show", "-k", "log"]));
        assert!(shown.stdout.contains(" > f (BAD\\377.py:3)"), "{}", python.display());
        assert!(shown.stdout.contains(" > [unknown] (names.py:3)"), "{}", python.display());
    }
}

/// Runs code in another interpreter, by the thread that has made it and by another.
const INTERPRETERS: &str = "
import os, sys, threading
try:
    try: import _interpreters as interpreters
    except ImportError: import _xxsubinterpreters as interpreters
    other = interpreters.create()
except Exception: sys.exit()
run = getattr(interpreters, 'run_string', None) or interpreters.exec
def calls(): run(other, '''
import os
def inner(): os.access('/no/such/file/inner', 0)
inner()
''')
def host():
    calls()
    os.access('/no/such/file/host', 0)
host()
thread = threading.Thread(target=calls)
thread.start()
thread.join()
host()
";

#[test]
fn what_another_interpreter_runs_is_not_shown_as_the_first_ones() {
    let pythons = pythons_since_3_8();
    if pythons.is_empty() {
        return skip("other interpreters", "no Python since 3.8 here");
    }
    for python in &pythons {
        let (_dir, rows) = recorded("python", &[python.as_os_str(), "-c".as_ref(), INTERPRETERS.as_ref()]);
        for row in named(&rows, "inner") {
            let is_unknown = row.frames.len() == 1 && row.frames[0].0 == FrameKind::Unknown;
            assert!(is_unknown || names(row) == ["<module>", "inner"], "{}: {row:?}", python.display());
        }
        let (inner, host) = (named(&rows, "inner").len(), named(&rows, "host"));
        assert!((inner, host.len()) == (3, 2) || inner == 0, "{}: {inner}", python.display());
        // The last one runs while nobody else does.
        if let Some(row) = host.last() {
            assert_eq!(names(row), ["<module>", "host"], "{}", python.display());
        }
    }
}

/// A list on the stack, in the register of the frame pointer, with addresses of a function that calls nobody.
const LIST: &str = r#"
#include <sys/stat.h>
#include <unistd.h>
struct node { struct node *next; void *function; long more[4]; };
__attribute__((noinline)) int innocent(void) { return getpid() + 7; }
__attribute__((noinline)) int looks(struct node *list) {
    register struct node *kept asm("rbp") = list;
    asm volatile("" :: "r"(kept));
    struct stat found;
    int failed = stat("/no/such/file/list", &found);
    asm volatile("" :: "r"(kept));
    return failed + 1;
}
int main(void) {
    struct node list[4];
    for (int i = 0; i < 4; i++) {
        list[i].next = i < 3 ? &list[i + 1] : 0;
        list[i].function = (char *)innocent + 4;
    }
    asm volatile("" :: "r"(list) : "memory");
    return looks(list);
}
"#;

/// Functions that call each other, the innermost a file.
const CALLS: &str = r#"
#include <sys/stat.h>
__attribute__((noinline)) int inner(void) { struct stat found; return stat("/no/such/file/calls", &found) + 1; }
__attribute__((noinline)) int outer(void) { int failed = inner(); return failed + 2; }
int main(void) { int failed = outer(); return failed - 2; }
"#;

/// Compiles it without unwinding information. `None`: there is no compiler that does.
fn compiled(dir: &Path, source: &str, options: &[&str]) -> Option<PathBuf> {
    let (text, program) = (dir.join("program.c"), dir.join("program"));
    std::fs::write(&text, source).expect("a source");
    let mut compiler = Command::new("cc");
    compiler.args(["-fno-asynchronous-unwind-tables", "-fno-unwind-tables", "-o"]).arg(&program).arg(&text);
    compiler.args(options).status().is_ok_and(|status| status.success()).then_some(program)
}

#[test]
fn callers_that_cannot_be_found_are_unknown() {
    for (source, file, innermost) in [(LIST, "list", "looks"), (CALLS, "calls", "inner")] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let Some(program) = compiled(dir.path(), source, &["-O2", "-fomit-frame-pointer"]) else {
            return skip("programs without unwinding information", "cc does not make any");
        };
        let (_dir, rows) = recorded("native", &[program.as_os_str()]);
        let call = named(&rows, file);
        assert_eq!(call.len(), 1, "{file}");
        assert_eq!(call[0].frames[0].0, FrameKind::Unknown, "{:?}", call[0]);
        assert_eq!(names(call[0])[1], innermost, "{:?}", call[0]);
        assert!(!names(call[0]).contains(&"innocent"), "{:?}", call[0]);
    }
}

#[test]
fn callers_that_frame_pointers_lead_to_are_shown() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let options = ["-O1", "-fno-omit-frame-pointer", "-fno-optimize-sibling-calls"];
    let Some(program) = compiled(dir.path(), CALLS, &options) else {
        return skip("programs without unwinding information", "cc does not make any");
    };
    let (_dir, rows) = recorded("native", &[program.as_os_str()]);
    let call = named(&rows, "calls");
    let names = names(call[0]);
    let main = names.iter().position(|name| *name == "main").expect("main");
    assert_eq!(names[main..main + 3], ["main", "outer", "inner"], "{names:?}");
}
