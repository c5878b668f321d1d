//! What only the eBPF backend does.

use std::path::Path;
use std::process::Command;

use trace::event::Kind;

use crate::support::log;
use crate::support::run::{self, run};
use crate::support::skip::skip;

/// Whether the backend is missing, which is said.
fn is_skipped(name: &str) -> bool {
    let refused = log::ebpf_refused();
    if let Some(why) = refused {
        skip(name, why);
    }
    refused.is_some()
}

fn recorder(log: &Path, dir: &Path) -> Command {
    log::command_by("ebpf", log, dir)
}

#[test]
fn ids_are_those_of_the_recorders_namespace() {
    if is_skipped("ebpf in a pid namespace") {
        return;
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("log");
    let inner = recorder(&log, dir.path());
    let mut outer = run::command("unshare", dir.path());
    outer.args(["--pid", "--fork", "--mount-proc"]).arg(inner.get_program()).args(inner.get_args());
    let done = run(outer.args(["sh", "-c", "sh -c 'echo $$'; echo $$"]));
    if done.stderr.starts_with("unshare") {
        return skip("ebpf in a pid namespace", &done.stderr);
    }
    assert!(done.status.success(), "{done:?}");
    let log = log::read(&log);
    log.assert_complete();
    let told: Vec<String> =
        log.rows.iter().filter(|row| row.call.name == "getpid").map(|row| row.pid.to_string()).collect();
    let mut printed: Vec<&str> = done.stdout.lines().collect();
    printed.reverse();
    assert_eq!(told, printed, "each shell asks for its id as it begins");
    let exits = log.rows.iter().filter(|row| row.kind == Kind::Exit && told.contains(&row.pid.to_string()));
    assert_eq!(exits.count(), 2);
}
