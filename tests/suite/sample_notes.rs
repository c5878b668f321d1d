//! What is said of CPU samples that cannot be what was asked for.

use std::os::unix::fs::PermissionsExt;

use crate::support::programs::{copy, program};
use crate::support::run::{self, Run, run};
use crate::support::skip::skip;

fn trace(dir: &std::path::Path, words: &[&str]) -> Run {
    run(run::command(env!("CARGO_BIN_EXE_trace"), dir).args(words))
}

#[test]
fn a_rate_at_which_a_program_hardly_gets_on_is_said_before_it_begins() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let done = trace(dir.path(), &["record", "--sample", "50000", "-o", "log", "sh", "-c", "echo begun >&2"]);
    if done.stderr.contains("not permitted") || done.stderr.contains("max_sample_rate") {
        return skip("50,000 samples a second", &done.stderr);
    }
    assert!(done.status.success(), "{done:?}");
    let lines: Vec<&str> = done.stderr.lines().collect();
    let begun = lines.iter().position(|line| *line == "begun").expect("the command's own line");
    let is_warned =
        lines[..begun].iter().any(|line| line.contains(": --sample ") && line.contains("leaves it"));
    // What a sample takes is measured, so it depends on the machine whether there is anything to warn of.
    assert_eq!(is_warned, done.stderr.contains("hardly got on"), "{done:?}");
}

#[test]
fn programs_of_which_the_kernel_takes_no_samples_are_counted() {
    if !nix::unistd::geteuid().is_root() {
        return skip("samples of a set-user-ID program", "only root can make one");
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let busy = copy(&program("busy"), dir.path());
    let nobody = nix::unistd::Uid::from_raw(65534);
    nix::unistd::chown(&busy, Some(nobody), None).expect("our own file");
    std::fs::set_permissions(&busy, std::fs::Permissions::from_mode(0o4755)).expect("our own file");
    let path = busy.to_str().expect("a name that is UTF-8");
    let done = trace(dir.path(), &["record", "--sample", "997", "-o", "log", path, "80"]);
    if !done.stderr.contains(" 0 CPU samples") {
        return skip("samples of a set-user-ID program", &done.stderr);
    }
    assert!(
        done.stderr.contains("1 thread executed a program that may not be read, or a set-user-ID one"),
        "{done:?}"
    );
    let others =
        trace(dir.path(), &["record", "--sample", "997", "-o", "log", "sh", "-c", "true; true & wait"]);
    assert!(!others.stderr.contains("executed a program"), "those that end are not taken for it: {others:?}");
}
