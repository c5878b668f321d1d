//! `trace` at a terminal, in the hands of a shell with job control: ^C, ^Z, `fg` and a resize do to
//! the command what they do without it.

use crate::support::log;
use crate::support::programs::program;
use crate::support::run::{self, run};

/// Plays steps (see `fixtures/programs/terminal.c`) untraced and traced; both must show the same.
fn play(steps: &str) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("log");
    let alone = run(run::command(program("terminal"), dir.path()).arg(steps).arg(program("interactive")));
    let tracer = log::command(&log, dir.path());
    let mut command = run::command(program("terminal"), dir.path());
    command.arg(steps).arg(tracer.get_program()).args(tracer.get_args());
    let watched = run(command.arg(program("interactive")));
    assert_eq!(alone, watched, "alone (left) and traced");
    assert_eq!(watched.status.code(), Some(6), "{watched:?}");
    log::read(&log).assert_complete();
}

#[test]
fn control_c_goes_to_the_command_alone() {
    log::each_backend("control c goes to the command alone", || {
        play("rCiCiCiQq");
    });
}

#[test]
fn control_z_stops_and_fg_continues() {
    log::each_backend("control z stops and fg continues", || {
        play("rZSFcQq");
    });
}

#[test]
fn all_of_it_repeatedly() {
    log::each_backend("all of it repeatedly", || {
        play("rCiZSFcWwCiZSFcZSFcWwQq");
    });
}

#[test]
fn control_z_at_the_end_of_the_command_stops_trace() {
    for how in [&["record", "-o", "log"][..], &["startup", "--runs", "2", "-o", "log"]] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut command = run::command(program("terminal"), dir.path());
        command.arg("rZSF").arg(env!("CARGO_BIN_EXE_trace")).args(how).arg(program("gone_at_stop"));
        let done = run(&mut command);
        assert_eq!(done.status.code(), Some(0), "{how:?} {done:?}");
        assert_eq!(done.stdout.matches("job: stopped").count(), 1, "{how:?} {done:?}");
    }
}
