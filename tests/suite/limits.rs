//! What a backend cannot keep as it is untraced, or may not tell: each is warned of and marked in the log.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use trace::event::{Kind, mark};

use crate::support::call::Text;
use crate::support::programs::{copy, program};
use crate::support::run::{self, Run, run};
use crate::support::skip::skip_peer;
use crate::support::{account, log};

/// A directory that everyone may enter and write to.
fn public_dir() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    allow(dir.path(), 0o777);
    dir
}

fn allow(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("our own file");
}

fn is_root(test: &str) -> bool {
    let is_root = nix::unistd::geteuid().is_root();
    if !is_root {
        skip_peer(test, "needs root, to become someone else");
    }
    is_root
}

fn marks(log: &log::Log, name: &str) -> usize {
    log.rows.iter().filter(|row| row.text == name).count()
}

/// Runs a command as nobody, under a tracer that is nobody as well.
fn traced_by_nobody(dir: &Path, log: &Path, command: &[&Path], account: &Path) -> Run {
    let tracer = copy(Path::new(env!("CARGO_BIN_EXE_trace")), dir);
    let become_nobody = copy(&program("setuid"), dir);
    let mut whole = run::command(become_nobody, dir);
    whole.arg("as-nobody").arg(tracer).args(["record", "-o"]).arg(log);
    run(whole.args(command).env("ACCOUNT", account))
}

#[test]
fn a_setuid_program_loses_its_privilege_under_a_tracer_without() {
    if !is_root("set-user-ID under an unprivileged tracer") {
        return;
    }
    let dir = public_dir();
    let other = public_dir();
    let log = dir.path().join("log");
    let setuid = copy(&program("setuid"), other.path());
    allow(&setuid, 0o4755);
    let untraced = run(run::command(program("setuid"), dir.path()).arg("as-nobody").arg(&setuid));
    assert_eq!(untraced.stdout, "uid 65534 euid 0 gid 65534 egid 65534\n", "{untraced:?}");
    let traced = traced_by_nobody(dir.path(), &log, &[&setuid], Path::new(""));
    assert_eq!(traced.stdout, "uid 65534 euid 65534 gid 65534 egid 65534\n", "{traced:?}");
    assert_eq!(traced.status.code(), Some(11), "{traced:?}");
    assert!(traced.stderr.contains("set-user-ID"), "no warning: {traced:?}");
    assert_eq!(marks(&log::read(&log), mark::SETUID), 1);
}

#[test]
fn a_setuid_program_keeps_its_privilege_under_root() {
    log::each_backend("a setuid program keeps its privilege under root", || {
        if !is_root("set-user-ID under root") {
            return;
        }
        let dir = public_dir();
        let log = dir.path().join("log");
        let setuid = copy(&program("setuid"), dir.path());
        allow(&setuid, 0o4755);
        let untraced = run(run::command(program("setuid"), dir.path()).arg("as-nobody").arg(&setuid));
        let traced = run(log::command(&log, dir.path()).arg(program("setuid")).arg("as-nobody").arg(&setuid));
        assert_eq!(untraced, traced);
        assert_eq!(marks(&log::read(&log), mark::SETUID), 0);
    });
}

/// What the capabilities of `trace`'s own file let it see is the caller's own, not what a set-user-ID program does.
#[test]
fn capabilities_of_the_file_show_the_callers_own_only() {
    const TEST: &str = "eBPF by capabilities of the file";
    if !is_root(TEST) {
        return;
    }
    if let Some(why) = log::ebpf_refused() {
        return skip_peer(TEST, why);
    }
    let dir = public_dir();
    let tracer = copy(Path::new(env!("CARGO_BIN_EXE_trace")), dir.path());
    let mut setcap = run::command("setcap", dir.path());
    setcap.arg("cap_bpf,cap_perfmon+ep").arg(&tracer);
    if !setcap.status().is_ok_and(|status| status.success()) {
        return skip_peer(TEST, "setcap does not work");
    }
    let setuid = copy(&program("setuid"), dir.path());
    allow(&setuid, 0o4755);
    let by_nobody = |log: &Path, rest: &[&OsStr]| {
        let mut whole = run::command(program("setuid"), dir.path());
        whole.arg("as-nobody").arg(&tracer).args(["record", "--backend", "ebpf", "-qo"]).arg(log).args(rest);
        run(&mut whole)
    };
    let log = dir.path().join("log");
    let script = "grep CapPrm /proc/$PPID/status; exec \"$0\"";
    let done = by_nobody(
        &log,
        &["sh", "-c", script].map(OsStr::new).into_iter().chain([setuid.as_os_str()]).collect::<Vec<_>>(),
    );
    let expected = "CapPrm:\t0000000000000000\nuid 65534 euid 0 gid 65534 egid 65534\n";
    assert_eq!((done.stdout.as_str(), done.status.code()), (expected, Some(10)), "{done:?}");
    let log = log::read(&log);
    log.assert_complete();
    assert_eq!(marks(&log, mark::HIDDEN), 1);
    let at = log.rows.iter().position(|row| row.text == mark::HIDDEN).expect("the mark");
    let later: Vec<_> = log.rows[at..].iter().filter(|row| row.kind == Kind::Syscall).collect();
    assert!(at > 50 && later.is_empty(), "told of the program: {later:?}");

    let refused = by_nobody(&dir.path().join("other"), &["-p", "1"].map(OsStr::new));
    assert_eq!(refused.status.code(), Some(125));
    assert!(refused.stderr.contains("process 1 is not yours to record"), "{refused:?}");

    // ptrace needs none of it, and is not kept from its children by it.
    let mut by_ptrace = run::command(program("setuid"), dir.path());
    by_ptrace.arg("as-nobody").arg(&tracer).args([
        "record",
        "--backend",
        "ptrace",
        "-qo",
        "by-ptrace",
        "true",
    ]);
    let done = run(&mut by_ptrace);
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    log::read(&dir.path().join("by-ptrace")).assert_complete();
}

/// Capabilities that whoever starts `trace` hands down are the command's as well.
#[test]
fn ambient_capabilities_reach_the_command() {
    const TEST: &str = "ambient capabilities";
    if !is_root(TEST) {
        return;
    }
    let dir = public_dir();
    let by_nobody = |rest: &[&OsStr]| {
        let mut command = run::command("setpriv", dir.path());
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
        command.args(["--inh-caps", "+net_bind_service", "--ambient-caps", "+net_bind_service"]);
        run(command.args(rest).args(["grep", "^Cap", "/proc/self/status"]))
    };
    if run::command("setpriv", dir.path()).arg("--version").output().is_err() {
        return skip_peer(TEST, "there is no setpriv");
    }
    let untraced = by_nobody(&[]);
    assert!(untraced.stdout.contains("CapAmb:\t0000000000000400"), "{untraced:?}");
    let tracer = copy(Path::new(env!("CARGO_BIN_EXE_trace")), dir.path());
    for backend in ["auto", "ptrace"] {
        let mut words = vec![tracer.as_os_str()];
        words.extend(["record", "-qo", "ambient", "--backend", backend].map(OsStr::new));
        assert_eq!(by_nobody(&words).stdout, untraced.stdout, "{backend}");
    }
}

/// A process that may not be dumped hides its memory from a tracer without privilege (`ptrace_access_vm` in the
/// kernel refuses `PTRACE_PEEKDATA` as it does `process_vm_readv`): its paths are flagged, nothing else is lost.
#[test]
fn a_process_that_is_not_dumpable() {
    if !is_root("not dumpable under an unprivileged tracer") {
        return;
    }
    let dir = public_dir();
    let (log, told) = (dir.path().join("log"), dir.path().join("account"));
    account::create(&told);
    let names = copy(&program("names"), dir.path());
    let untraced =
        run(run::command(program("setuid"), dir.path()).arg("as-nobody").arg(&names).env("ACCOUNT", &told));
    let traced = traced_by_nobody(dir.path(), &log, &[&names], &told);
    assert_eq!(
        (untraced.status, untraced.stdout),
        (traced.status, traced.stdout),
        "untraced (left) and traced"
    );
    let log = log::read(&log);
    log.assert_complete();
    let hidden = log.calls().into_iter().filter(|call| call.paths[0] == Text::Unreadable).collect::<Vec<_>>();
    // The call of the process itself, and two of its child.
    assert_eq!(hidden.len(), 3, "{hidden:?}");
    assert!(hidden.iter().all(|call| call.name == "access" && call.ret == Some(-2)), "{hidden:?}");
}

#[test]
fn a_program_that_uses_ptrace_itself() {
    let dir = public_dir();
    let log = dir.path().join("log");
    let traced = run(run::command(env!("CARGO_BIN_EXE_trace"), dir.path())
        .args(["record", "--backend", "ptrace", "-o"])
        .arg(&log)
        .arg(program("ptracer")));
    // Untraced: 0, Success. EPERM (1) is what strace's tracees see as well.
    let expected = "traceme: exited 1\nseize: Operation not permitted\nno such process: No such process\ntarget: killed 9\n";
    assert_eq!((traced.stdout.as_str(), traced.status.code()), (expected, Some(0)), "{traced:?}");
    assert!(traced.stderr.contains("ptrace"), "no warning: {traced:?}");
    let log = log::read(&log);
    log.assert_complete();
    assert!(marks(&log, mark::PTRACE) > 0);
}

#[test]
fn children_and_calls_out_of_sight() {
    let dir = public_dir();
    let log = dir.path().join("log");
    let untraced = run(&mut run::command(program("unfollowed"), dir.path()));
    let traced = run(log::command(&log, dir.path()).arg(program("unfollowed")));
    assert_eq!(untraced, traced);
    let log = log::read(&log);
    log.assert_complete();
    assert_eq!(marks(&log, mark::UNTRACED_CHILD), 1);
    assert_eq!(marks(&log, mark::IO_URING), 1);
    let hidden = log.calls().iter().filter(|call| call.to_string().contains("//untraced")).count();
    assert_eq!(hidden, 0, "the child that cannot be followed");
}
