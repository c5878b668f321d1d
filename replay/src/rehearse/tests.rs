//! Hostile plans, and plans of files that have changed.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;
use crate::plan::{At, Op, Recorded, StatCall};
use crate::testing::{DIRECTORY, Script};
use crate::verify::What;

/// Rehearses in a thread of its own, since confinement cannot be undone; each call's reason for being left out.
fn skips(script: Script) -> (Vec<Option<Skip>>, Rehearsed) {
    let (plan, _directory) = script.build();
    let rehearse = || {
        let guard = crate::guard::forbid_writing().unwrap();
        rehearse(plan, guard, false).unwrap()
    };
    let rehearsed = std::thread::scope(|scope| scope.spawn(rehearse).join().unwrap());
    (rehearsed.program.skips.clone(), rehearsed)
}

#[test]
fn a_plan_that_matches_passes_whole() {
    let mut script = Script::new();
    let main = script.main;
    script.write("d/a", "12345");
    script.open(main, "d/a", 0, 3);
    script.read(main, 3, 100, 5);
    script.close(main, 3);
    script.open(main, "d", DIRECTORY, 3);
    script.stat(main, "d/b", -i64::from(libc::ENOENT));
    script.close(main, 3);
    script.chdir(main, "d");
    script.open(main, "a", 0, 3);
    script.call(main, Op::Fchdir { fd: 3 }, -i64::from(libc::ENOTDIR));
    let (skips, rehearsed) = skips(script);
    assert_eq!(skips[..8], [None; 8]);
    assert_eq!(rehearsed.program.executed(), 9, "and the directory left by chdir is closed");
    assert_eq!(rehearsed.differences, []);
}

#[test]
fn nothing_that_is_no_regular_file_or_directory_is_opened() {
    let mut script = Script::new();
    let main = script.main;
    let fifo = std::ffi::CString::new(script.path().join("fifo").to_str().unwrap()).unwrap();
    crate::sys::files::tests_support::make_fifo(&fifo);
    symlink("fifo", script.path().join("link")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(script.path().join("socket")).unwrap();
    for path in ["fifo", "link", "socket", "../../../../../../..//dev/null"] {
        script.open(main, path, 0, 3);
    }
    script.read(main, 3, 10, 10);
    let (skips, rehearsed) = skips(script);
    let special = Some(Skip::SpecialFile);
    assert_eq!(skips[..3], [special; 3]);
    assert_eq!(skips[3..], [Some(Skip::KernelFileSystem), Some(Skip::DependsOnSkipped)]);
    assert_eq!(rehearsed.program.executed(), 0);
}

#[test]
fn kernel_file_systems_are_off_limits_by_any_name() {
    let mut script = Script::new();
    let main = script.main;
    symlink("/proc/self", script.path().join("me")).unwrap();
    symlink("/sys", script.path().join("sys")).unwrap();
    let paths = [
        "/proc/self/mem",
        "/proc/self/nowhere",
        "/proc/nowhere/at/all",
        "me/mem",
        "me/nowhere",
        "sys/kernel",
        "/usr/../proc/self/environ",
        "/dev",
        "/dev/nowhere",
        "//dev/./null",
        "/proc",
    ];
    for path in paths {
        script.open(main, path, 0, 3);
        script.stat(main, path, 0);
        let path = script.builder.path(path.as_bytes()).unwrap();
        script.call(main, Op::ReadLink { at: At::Cwd, path, size: 100 }, 10);
        script.call(main, Op::Access { at: At::Cwd, path, mode: 0, flags: 0 }, 0);
        script.call(main, Op::Chdir { path }, -1);
    }
    let (skips, _) = skips(script);
    let wrong: Vec<_> =
        skips.iter().enumerate().filter(|(_, skip)| **skip != Some(Skip::KernelFileSystem)).collect();
    assert_eq!(wrong, []);
}

#[test]
fn links_by_the_million_and_circles_are_errors_of_their_own() {
    let mut script = Script::new();
    let main = script.main;
    symlink("b", script.path().join("a")).unwrap();
    symlink("a", script.path().join("b")).unwrap();
    script.open(main, "a", 0, -i64::from(libc::ELOOP));
    script.stat(main, &"a/".repeat(1000), -i64::from(libc::ELOOP));
    script.open(main, "a", 0, 3);
    let (skips, _) = skips(script);
    assert_eq!(skips, [None, None, Some(Skip::Differs)]);
}

#[test]
fn what_differs_is_left_out_and_told() {
    let mut script = Script::new();
    let main = script.main;
    script.write("a", "12345");
    fs::set_permissions(script.path().join("a"), fs::Permissions::from_mode(0o640)).unwrap();
    script.open(main, "gone", 0, 3);
    script.read(main, 3, 10, 10);
    script.open(main, "a", 0, 4);
    script.read(main, 4, 10, 9);
    script.read(main, 4, 10, 0);
    script.call(main, Op::Pread { fd: 4, count: 2, offset: 0 }, 2);
    script.close(main, 4);
    let path = script.builder.path(b"a").unwrap();
    let facts =
        |mode, size, nlink| StatFacts { mode: Some(mode), size: Some(size), nlink: Some(nlink), file: None };
    for facts in [
        facts(0o100_640, 5, 1),
        facts(0o100_644, 5, 1),
        facts(0o100_640, 6, 1),
        facts(0o100_640, 5, 2),
        facts(0o040_640, 5, 1),
    ] {
        let op = Op::Stat { at: At::Cwd, path, flags: 0, call: StatCall::Stat };
        script.builder.call(main, op, Recorded::returned(0).with_stat(facts)).unwrap();
    }
    let (skips, rehearsed) = skips(script);
    let (differs, depends) = (Some(Skip::Differs), Some(Skip::DependsOnSkipped));
    assert_eq!(skips[..7], [differs, depends, None, differs, depends, None, None]);
    assert_eq!(skips[7..], [None, differs, differs, differs, differs]);
    let what: Vec<What> = rehearsed.differences.iter().map(|difference| difference.what).collect();
    assert_eq!(what, [What::Errno, What::Count, What::Mode, What::Size, What::Links, What::Type]);
    assert_eq!((rehearsed.differences[0].recorded, rehearsed.differences[0].here), (3, -2));
}

#[test]
fn landlock_lets_only_accepted_files_be_read() {
    let mut script = Script::new();
    let main = script.main;
    script.write("a", "1");
    script.write("other", "1");
    script.open(main, "a", 0, 3);
    let (plan, directory) = script.build();
    let outcome = || {
        let guard = crate::guard::forbid_writing().unwrap();
        let rehearsed = rehearse(plan, guard, false).unwrap();
        rehearsed.readable.enforce().unwrap();
        let path = |name| directory.path().join(name);
        let readable = |name| fs::read(path(name)).is_ok();
        (guard, readable("a"), readable("other"), fs::write(path("a"), "2").is_ok())
    };
    let (guard, accepted, other, written) = std::thread::scope(|scope| scope.spawn(outcome).join().unwrap());
    if guard == Guard::None {
        eprintln!("skipped: this kernel has no Landlock");
        return;
    }
    assert_eq!((accepted, other, written), (true, false, false));
    assert!(fs::read(directory.path().join("other")).is_ok(), "other threads are as they were");
    fs::write(directory.path().join("a"), "2").unwrap();
}

#[test]
fn without_landlock_an_open_does_not_wait_for_a_fifo_that_was_put_there() {
    let mut script = Script::new();
    let main = script.main;
    script.write("a", "1");
    script.open(main, "a", 0, 3);
    let (plan, directory) = script.build();
    let program = rehearse(plan, Guard::None, false).unwrap().program;
    fs::remove_file(directory.path().join("a")).unwrap();
    let fifo = std::ffi::CString::new(directory.path().join("a").to_str().unwrap()).unwrap();
    crate::sys::files::tests_support::make_fifo(&fifo);
    let run = crate::run::Run::new(std::sync::Arc::new(program));
    run.reset().unwrap();
    // Ends, which is what is tested.
    run.perform(0, &mut Scratch::new(crate::sys::calls::Room { read: 16, written: 0 }));
}
