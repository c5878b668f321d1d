//! What the command inherits is what it would inherit without `trace` in between: signals, descriptors,
//! limits, environment and all the rest.

use std::process::Command;

use crate::support::log;
use crate::support::programs::program;
use crate::support::run::{self, run};

/// Runs `inherited` with and without a tracer; `odd` puts odd state before both.
fn inherits_alike(odd: bool) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("log");
    let launcher = |command: Command| {
        let mut whole = run::command(program("inherited"), dir.path());
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        if odd {
            whole.arg("set").args(words);
            return whole;
        }
        command
    };
    let alone = run(&mut launcher(run::command(program("inherited"), dir.path())));
    let mut tracer = log::command(&log, dir.path());
    tracer.arg(program("inherited"));
    let watched = run(&mut launcher(tracer));
    // `run` makes each command the leader of a process group; the traced one is in its tracer's.
    let members = |text: &str| text.replace("group leader 1", "group leader 0");
    assert_eq!(members(&alone.stdout), members(&watched.stdout), "alone (left) and traced: {watched:?}");
    assert_eq!(alone.status, watched.status);
    log::read(&log).assert_complete();
}

#[test]
fn an_ordinary_state() {
    log::each_backend("an ordinary state", || {
        inherits_alike(false);
    });
}

#[test]
fn an_odd_state() {
    log::each_backend("an odd state", || {
        inherits_alike(true);
    });
}
