//! What stands in the way of a recording (limits, mounts, odd directories) is told as it is, in one line.

use std::path::Path;

use crate::support::log;
use crate::support::programs::copy;
use crate::support::run::{self, Run, run};
use crate::support::skip::skip;

/// `trace` as `$TRACE` in a shell script.
fn shell(dir: &Path, script: &str) -> Run {
    run(run::command("sh", dir).args(["-c", script]).env("TRACE", env!("CARGO_BIN_EXE_trace")))
}

/// The same, free to mount and unmount.
fn in_mount_namespace(dir: &Path, script: &str) -> Run {
    let mut unshare = run::command("unshare", dir);
    let flags: &[&str] = if nix::unistd::geteuid().is_root() { &["-m"] } else { &["-rm"] };
    run(unshare.args(flags).args(["sh", "-c", script]).env("TRACE", env!("CARGO_BIN_EXE_trace")))
}

#[test]
fn a_log_that_cannot_be_written_is_named_with_the_true_reason() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let record = "\"$TRACE\" record --quiet -o log true; ";
    // The header of a new log does not fit; in the place of an older one it is written later.
    for before in ["", record] {
        let script = format!("{before}ulimit -f 0; exec \"$TRACE\" startup --runs 2 -o log true");
        let done = shell(dir.path(), &script);
        assert_eq!(done.status.code(), Some(125), "{done:?}");
        assert_eq!(done.stderr.lines().count(), 1, "{done:?}");
        let why = "cannot write log log: File too large (os error 27)";
        assert!(done.stderr.contains(why), "{done:?}");
        assert_eq!(done.stderr.matches("os error").count(), 1, "{done:?}");
        assert!(!done.stdout.contains("27): File"), "{done:?}");
    }
    // Nothing at all was recorded: that is no success, however the command has ended.
    let done = shell(
        dir.path(),
        &format!("{record}ulimit -f 0; exec \"$TRACE\" record -o log sh -c 'echo ran; exit 3'"),
    );
    assert_eq!((done.status.code(), done.stdout.as_str()), (Some(125), "ran\n"), "{done:?}");
    let why = "trace: nothing was recorded: cannot write log log: File too large (os error 27)";
    assert!(done.stderr.starts_with(why) && done.stderr.contains("exit status: 3"), "{done:?}");
    assert_eq!(done.stderr.lines().count(), 1, "{done:?}");
}

#[test]
fn what_cannot_be_run_leaves_no_directory_behind() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let program = dir.path().join("program");
    std::fs::write(&program, b"\0 neither a program nor a script").expect("a new file");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, executable).expect("our own file");
    let temporary = dir.path().join("temporary");
    std::fs::create_dir(&temporary).expect("a new directory");
    // Nobody can write there, so that the log goes to a directory of its own.
    let mut trace = run::command(env!("CARGO_BIN_EXE_trace"), Path::new("/proc"));
    let done = run(trace.args(["record"]).arg(&program).env("TMPDIR", &temporary));
    assert_eq!(done.status.code(), Some(126), "{done:?}");
    assert!(done.stderr.contains("what trace writes is in"), "{done:?}");
    assert_eq!(temporary.read_dir().expect("our own directory").count(), 0, "{done:?}");
}

#[test]
fn too_few_descriptors_are_told_before_anything_runs() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let commands = [(8, "startup -o log"), (12, "startup -o log"), (12, "try"), (5, "record -o log")];
    for (limit, words) in commands {
        let done = shell(dir.path(), &format!("ulimit -n {limit}; exec \"$TRACE\" {words} echo ran"));
        assert_eq!((done.status.code(), done.stdout.as_str()), (Some(125), ""), "{done:?}");
        assert_eq!(done.stderr.lines().count(), 1, "{done:?}");
        assert!(done.stderr.contains("Too many open files") && done.stderr.contains("ulimit -n"), "{done:?}");
    }
    let done = shell(dir.path(), "ulimit -n 24; exec \"$TRACE\" startup --runs 2 -o log echo ran");
    assert_eq!(done.status.code(), Some(0), "{done:?}");
}

#[test]
fn a_program_on_a_noexec_mount_is_said_to_be() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    std::fs::create_dir(dir.path().join("mount")).expect("our own directory");
    let mounted = "mount -t tmpfs -o noexec none mount && cp /bin/true mount/ && ";
    let inside = |then: &str| in_mount_namespace(dir.path(), &format!("{mounted}{then}"));
    if !inside("true").status.success() {
        return skip("a noexec mount", "needs a mount namespace");
    }
    let done = inside("exec \"$TRACE\" record -o log mount/true");
    assert_eq!(done.status.code(), Some(126), "{done:?}");
    assert!(done.stderr.contains("mount/true: is on a file system mounted noexec"), "{done:?}");
}

#[test]
fn a_full_disk_is_a_failure_whatever_could_not_be_written() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    std::fs::create_dir(dir.path().join("mount")).expect("our own directory");
    // Room for a log, and for little else.
    let inside = |size: &str, then: &str| {
        let script = format!("mount -t tmpfs -o size={size} none mount && cd mount && {then}");
        in_mount_namespace(dir.path(), &script)
    };
    if !inside("1m", "true").status.success() {
        return skip("a full disk", "needs a mount namespace");
    }
    let python = "python3 -c 'import json, http.client'";
    for (size, words) in [
        ("60k", "startup --runs 1 --stacks python --sample 4000 -o log"),
        ("60k", "startup --runs 1 -o log"),
        ("60k", "imports --runs 1 -o log"),
        ("400k", "startup --runs 1 --stacks native --sample 20000 -o log"),
    ] {
        let done = inside(size, &format!("exec \"$TRACE\" {words} {python}"));
        assert_eq!(done.status.code(), Some(125), "{words}: {done:?}");
        assert!(done.stderr.contains("No space left on device"), "{words}: {done:?}");
    }
}

#[test]
fn without_proc_repeated_runs_say_what_is_missing() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    if !in_mount_namespace(dir.path(), "umount -l /proc").status.success() {
        return skip("no /proc", "needs a mount namespace");
    }
    for words in ["startup -o log", "try"] {
        let script = format!("umount -l /proc; exec \"$TRACE\" {words} echo ran");
        let done = in_mount_namespace(dir.path(), &script);
        assert_eq!((done.status.code(), done.stdout.as_str()), (Some(125), ""), "{done:?}");
        assert_eq!(done.stderr.lines().count(), 1, "{done:?}");
        assert!(done.stderr.starts_with("trace: /proc is missing"), "{done:?}");
    }
}

#[test]
fn too_few_processes_are_told_with_the_limit() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let all = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(dir.path(), all).expect("our own directory");
    copy(Path::new(env!("CARGO_BIN_EXE_trace")), dir.path());
    // A user without processes, so that the limit is the number that may be started.
    let script = "ulimit -u 1; exec ./trace record -o log true";
    let done = run(run::command("setpriv", dir.path()).args([
        "--reuid",
        "64123",
        "--clear-groups",
        "bash",
        "-c",
        script,
    ]));
    if done.stderr.starts_with("setpriv") {
        return skip("a limit on processes", "needs root, to become someone else");
    }
    assert_eq!(done.status.code(), Some(125), "{done:?}");
    assert_eq!(done.stderr.lines().count(), 1, "{done:?}");
    assert!(
        done.stderr.contains("no more processes may be started") && done.stderr.contains("ulimit -u, now 1"),
        "{done:?}"
    );
}

#[test]
fn where_the_directory_has_a_longer_name_than_the_kernel_takes() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let deep = "d=$(printf %0200d 0); for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22; do \
                mkdir $d; cd $d; done; exec \"$TRACE\"";
    for (at, what) in [("1", "record"), ("2", "startup --runs 1")] {
        let done = shell(dir.path(), &format!("mkdir {at}; cd {at}; {deep} {what} -o log true"));
        assert_eq!(done.status.code(), Some(0), "{done:?}");
    }
}

#[test]
fn a_long_command_does_not_make_a_long_log() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("log");
    let done = run(log::command(&log, dir.path()).arg("true").args(vec!["x".repeat(1000); 130]));
    assert!(done.status.success(), "{done:?}");
    let reader = trace::log::Reader::open(&log).expect("a log");
    let header = reader.header();
    assert_eq!(header.command.iter().map(|word| word.len() + 1).sum::<usize>(), 32 * 1024 + 1);
    let missing: usize = header.options["command_cut"].parse().expect("a number");
    let all = 130 * 1000 + "true".len();
    assert_eq!(header.command.iter().map(String::len).sum::<usize>() + missing, all);
    assert!(log.metadata().expect("there").len() < 150_000, "{:?}", log.metadata());
}
