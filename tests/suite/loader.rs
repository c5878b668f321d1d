//! What a report says of the dynamic loader: whether there is one, and which lookups are its own.

use std::path::Path;

use serde_json::Value;
use trace::event::mark;

use crate::support::log;
use crate::support::programs::program;
use crate::support::run::{command, run};
use crate::support::skip::skip_peer;

/// The JSON of `trace startup` of a fixture program.
fn report(name: &str) -> Value {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut trace = command(env!("CARGO_BIN_EXE_trace"), dir.path());
    trace.args(["startup", "--runs", "1", "--json", "-o", "log.trace"]).arg(program(name));
    let run = run(&mut trace);
    assert!(run.status.success(), "{run:?}");
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

fn phases(report: &Value) -> Vec<&str> {
    let phases = report["phases"]["phases"].as_array().expect("phases");
    phases.iter().map(|phase| phase["name"].as_str().expect("a name")).collect()
}

#[test]
fn lookups_of_the_loader_are_not_the_programs() {
    let report = report("loads");
    assert_eq!(phases(&report)[..2], ["exec", "dynamic loader"]);
    let lookups = &report["lookups"];
    let of = |searcher: &str| {
        let rows = lookups["searchers"].as_array().expect("searchers");
        let row = rows.iter().find(|row| row["searcher"] == searcher);
        row.map(|row| (row["lookups"].as_u64(), row["misses"].as_u64()))
    };
    assert_eq!(of("dlopen"), Some((Some(2), Some(0))), "the cache and the library: {lookups}");
    assert_eq!(of("program"), Some((Some(1), Some(1))), "the file that is not there: {lookups}");
    assert_eq!(of("interpreter"), None);
    assert!(of("loader").is_some_and(|(lookups, _)| lookups > Some(1)));
    assert_eq!(lookups["tells_dlopen"], true);
}

/// Compiles with musl's C library; `None`: there is none.
fn musl(dir: &Path, arguments: &[&str]) -> Option<()> {
    let done = std::process::Command::new("musl-gcc").args(arguments).current_dir(dir).output();
    let done = done.inspect_err(|_| skip_peer("musl", "there is no musl-gcc (Debian: musl-tools)")).ok()?;
    assert!(done.status.success(), "{done:?}");
    Some(())
}

/// The JSON of `trace startup` of a program of this directory, and whether its entry point was seen.
fn report_of(dir: &Path, name: &str, library_path: &str) -> (Value, bool) {
    let mut trace = command(env!("CARGO_BIN_EXE_trace"), dir);
    trace.args(["startup", "--runs", "1", "--json", "-o", "log.trace", name]);
    let run = run(trace.env("LD_LIBRARY_PATH", library_path));
    assert!(run.status.success(), "{run:?}");
    let marked = log::read(&dir.join("log.trace")).rows.iter().any(|row| row.text == mark::ENTRY);
    (serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}")), marked)
}

#[test]
fn the_loader_of_musl_is_its_c_library() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let source = "#include <sys/stat.h>\nint part(void);\n\
                  int main(void) { struct stat st; stat(\"/no/such/file.so\", &st); return part(); }\n";
    std::fs::write(dir.path().join("main.c"), source).expect("a source");
    std::fs::write(dir.path().join("part.c"), "int part(void) { return 0; }\n").expect("a source");
    std::fs::create_dir(dir.path().join("lib")).expect("a directory");
    let part = ["-shared", "-fPIC", "-o", "lib/libpart.so", "part.c"];
    if musl(dir.path(), &part).is_none() {
        return;
    }
    musl(dir.path(), &["-o", "dynamic", "main.c", "-Llib", "-lpart"]);
    musl(dir.path(), &["-o", "alone", "main.c", "part.c"]);
    musl(dir.path(), &["-static", "-o", "static", "main.c", "part.c"]);

    let empty: Vec<String> = (0..3).map(|n| format!("{}/none{n}", dir.path().display())).collect();
    let path = format!("{}:{}/lib", empty.join(":"), dir.path().display());
    let (report, marked) = report_of(dir.path(), "./dynamic", &path);
    let expected: &[&str] = if marked {
        &["exec", "dynamic loader", "relocation", "dynamic", "exit"]
    } else {
        &["exec", "dynamic loader", "relocation and dynamic", "exit"]
    };
    assert_eq!(phases(&report), expected);
    // Three places in vain, and the library; the program's own lookup comes after the entry point only.
    let lookups = &report["lookups"];
    let of = |searcher: &str| {
        let rows = lookups["searchers"].as_array().expect("searchers");
        let row = rows.iter().find(|row| row["searcher"] == searcher);
        row.map_or((0, 0), |row| (row["lookups"].as_u64().unwrap_or(0), row["misses"].as_u64().unwrap_or(0)))
    };
    assert_eq!(
        (of("loader"), of("program")),
        if marked { ((4, 3), (1, 1)) } else { ((5, 4), (0, 0)) },
        "{lookups}"
    );
    assert_eq!(lookups["tells_dlopen"], false, "the pointer is the C library's");
    let found = report["findings"]["list"].as_array().expect("findings");
    let search = found.iter().find(|finding| finding["kind"] == "library-search").expect("a search in vain");
    let dropped = search["remedy"]["drop"].as_array().expect("directories");
    assert_eq!(dropped.iter().filter(|path| empty.iter().any(|empty| *path == empty)).count(), 3, "{search}");
    assert!(!search["advice"].as_str().expect("text").contains("ldconfig"), "{search}");

    // Nothing to load: what the loader does is to relocate itself and the program.
    let (report, marked) = report_of(dir.path(), "./alone", "");
    if marked {
        assert_eq!(phases(&report), ["exec", "dynamic loader", "relocation", "alone", "exit"]);
    }
    assert_eq!(phases(&report_of(dir.path(), "./static", "").0), ["exec", "static", "exit"]);
}

#[test]
fn a_static_program_has_no_loader() {
    let report = report("no_loader");
    assert_eq!(phases(&report), ["exec", "no_loader", "exit"]);
}
