//! What a report says of the dynamic loader: whether there is one, and which lookups are its own.

use serde_json::Value;

use crate::support::programs::program;
use crate::support::run::{command, run};

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

#[test]
fn a_static_program_has_no_loader() {
    let report = report("no_loader");
    assert_eq!(phases(&report), ["exec", "no_loader", "exit"]);
}
