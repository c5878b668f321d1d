//! `trace doctor` where things work and where they do not: as it is here, without privilege, under seccomp filters,
//! under another tracer, in namespaces whose settings differ. Nothing is changed outside of those.

use std::path::Path;

use serde_json::Value;

use crate::support::log;
use crate::support::programs::program;
use crate::support::run::{self, Run, run};
use crate::support::skip::skip;
use crate::support::strace;

/// Calls that filters deny, by what needs them.
const PTRACE: i64 = libc::SYS_ptrace;
const OTHERS: [(i64, &str); 5] = [
    (libc::SYS_perf_event_open, "perf events"),
    (libc::SYS_bpf, "BPF"),
    (libc::SYS_io_uring_setup, "io_uring"),
    (libc::SYS_unshare, "user namespaces"),
    (libc::SYS_landlock_create_ruleset, "Landlock"),
];

const TRACE: &str = env!("CARGO_BIN_EXE_trace");

/// The backend that works here.
fn chosen() -> &'static str {
    if log::ebpf_refused().is_none() { "ebpf" } else { "ptrace" }
}

/// Runs the doctor behind the words of another command.
fn behind(words: &[&str]) -> Run {
    let all: Vec<&str> = words.iter().copied().chain([TRACE, "doctor", "--json"]).collect();
    run(run::command(all[0], Path::new("/")).args(&all[1..]))
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

fn check<'a>(diagnosis: &'a Value, name: &str) -> &'a Value {
    let checks = diagnosis["checks"].as_array().expect("a list");
    checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name}: {diagnosis}"))
}

/// All reasons given for a check, with what to do.
fn causes(check: &Value) -> String {
    check["causes"].to_string()
}

/// Under a filter that answers these calls so ("kill", or an errno).
fn under_a_filter(answer: &str, calls: &[i64]) -> Run {
    let deny = program("deny");
    let numbers: Vec<String> = calls.iter().map(ToString::to_string).collect();
    let mut words = vec![deny.to_str().expect("a plain path"), answer];
    words.extend(numbers.iter().map(String::as_str));
    words.push("--");
    behind(&words)
}

#[test]
fn where_tests_run_recording_works() {
    let run = behind(&[]);
    assert!(run.status.success(), "{run:?}");
    let found = json(&run);
    assert_eq!(found["backend"], chosen());
    let ptrace = check(&found, "ptrace");
    assert_eq!((&ptrace["verdict"], &ptrace["causes"]), (&"works".into(), &Value::Array(Vec::new())));
    let proof = ptrace["outcomes"][0]["found"].as_str().expect("a text");
    assert!(proof.starts_with("100 calls of a child traced, "), "{proof}");
    // Whatever fails is explained, whatever works needs no explanation.
    for check in found["checks"].as_array().expect("a list") {
        let works = check["verdict"] == "works";
        assert_eq!(works, check["causes"].as_array().is_some_and(Vec::is_empty), "{check}");
        assert!(check["outcomes"].as_array().is_some_and(|outcomes| !outcomes.is_empty()), "{check}");
    }
}

#[test]
fn the_first_line_is_the_answer() {
    let works = run(run::command(TRACE, Path::new("/")).arg("doctor"));
    let answer = match chosen() {
        "ebpf" => "trace record works here, by ebpf: its programs load and attach; ptrace works too.",
        _ => "trace record works here, by ptrace: 100 calls of a child traced",
    };
    assert!(works.stdout.starts_with(answer), "{works:?}");
    let deny = program("deny");
    let mut command = run::command(deny, Path::new("/"));
    let calls = [PTRACE, libc::SYS_bpf].map(|call| call.to_string());
    let fails = run(command.args(["1", &calls[0], &calls[1], "--", TRACE, "doctor"]));
    assert_eq!(fails.status.code(), Some(1));
    let mut lines = fails.stdout.lines();
    let first = lines.next().expect("a line");
    let expected =
        "trace record does not work here: EPERM (Operation not permitted): a seccomp filter is in force";
    assert!(first.starts_with(expected), "{first}");
    assert!(lines.next().is_some_and(|line| line.starts_with("To enable it: ")), "{fails:?}");
}

#[test]
fn a_filter_that_refuses() {
    let run = under_a_filter("1", &[PTRACE, libc::SYS_bpf]);
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    let found = json(&run);
    assert_eq!(found["backend"], Value::Null);
    assert_eq!(check(&found, "ptrace")["outcomes"][0]["errno"], "EPERM");
    if chosen() == "ebpf" {
        let run = under_a_filter("1", &[PTRACE]);
        assert!(run.status.success(), "eBPF needs no ptrace: {run:?}");
        assert_eq!(json(&run)["backend"], "ebpf");
    }
    let calls: Vec<i64> = OTHERS.iter().map(|(call, _)| *call).collect();
    for (answer, errno) in [("1", "EPERM"), ("38", "ENOSYS")] {
        let run = under_a_filter(answer, &calls);
        assert!(run.status.success(), "recording needs none of them: {run:?}");
        let found = json(&run);
        assert_eq!(found["machine"]["seccomp"], true);
        for (_, name) in OTHERS {
            let check = check(&found, name);
            assert_eq!(
                (&check["verdict"], &check["outcomes"][0]["errno"]),
                (&"fails".into(), &errno.into()),
                "{check}"
            );
            assert!(
                causes(check).contains("may forbid") && causes(check).contains("seccomp=unconfined"),
                "{check}"
            );
        }
    }
}

#[test]
fn who_cannot_record_is_sent_to_the_doctor() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut command = run::command(program("deny"), dir.path());
    let calls = [PTRACE, libc::SYS_bpf].map(|call| call.to_string());
    let failed = run(command.args(["38", &calls[0], &calls[1], "--", TRACE, "record", "true"]));
    assert_eq!(failed.status.code(), Some(125));
    assert!(failed.stderr.lines().count() == 1 && failed.stderr.contains("`trace doctor`"), "{failed:?}");
}

#[test]
fn a_filter_that_kills() {
    let calls: Vec<i64> = OTHERS.iter().map(|(call, _)| *call).chain([PTRACE]).collect();
    let run = under_a_filter("kill", &calls);
    assert_eq!(run.status.code(), Some(1), "the doctor outlives its probes: {run:?}");
    let found = json(&run);
    for name in OTHERS.map(|(_, name)| name).into_iter().chain(["ptrace"]) {
        let check = check(&found, name);
        assert_eq!(check["outcomes"][0]["found"], "killed with SIGSYS, by a seccomp filter", "{check}");
        assert!(causes(check).contains("a service, and forbids"), "{check}");
    }
}

#[test]
fn without_privilege() {
    if !nix::unistd::geteuid().is_root() {
        return skip("the doctor without privilege", "not root");
    }
    if !behind(&["setpriv", "--reuid=65534", "--clear-groups"]).stdout.starts_with('{') {
        return skip("the doctor without privilege", "others cannot run this build");
    }
    let users: [&[&str]; 2] = [
        &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
        &["setpriv", "--bounding-set=-all", "--inh-caps=-all"],
    ];
    for user in users {
        let run = behind(user);
        let found = json(&run);
        assert_eq!(found["machine"]["capabilities"], "0000000000000000");
        // Programs of one's own can be traced, unless a setting forbids it; that is then the reason.
        let ptrace = check(&found, "ptrace");
        assert!(run.status.success() || causes(ptrace).contains("ptrace_scope"), "{found}");
        let bpf = check(&found, "BPF");
        let may = std::fs::read_to_string("/proc/sys/kernel/unprivileged_bpf_disabled");
        if may.is_ok_and(|value| value.trim() != "0") {
            assert_eq!(bpf["verdict"], "fails", "{bpf}");
        }
        if bpf["verdict"] == "fails" {
            assert!(causes(bpf).contains("CAP_BPF and CAP_PERFMON are missing"), "{bpf}");
        }
        let tracefs = check(&found, "tracefs");
        let is_nobody = found["machine"]["uid"] == 65534;
        assert!(!is_nobody || tracefs["verdict"] == "works" || causes(tracefs).contains("root"), "{tracefs}");
    }
}

#[test]
fn under_another_tracer() {
    if !strace::is_there() {
        return skip("the doctor under strace", "no strace");
    }
    let run = behind(&["strace", "-f", "-o", "/dev/null"]);
    let found = json(&run);
    let other = if chosen() == "ebpf" { "ebpf".into() } else { Value::Null };
    assert_eq!((&found["backend"], run.status.success()), (&other, chosen() == "ebpf"));
    assert!(causes(check(&found, "ptrace")).contains("this process is traced itself, by process"), "{found}");
}

#[test]
fn in_a_user_namespace_without_more_of_them() {
    let forbid = "echo 0 >/proc/sys/user/max_user_namespaces && exec \"$0\" \"$@\"";
    let run = behind(&["unshare", "-Ur", "sh", "-c", forbid]);
    if !run.stdout.starts_with('{') {
        return skip("the doctor in a user namespace", &run.stderr);
    }
    let found = json(&run);
    assert_eq!(found["machine"]["user_namespace"], true);
    let namespaces = check(&found, "user namespaces");
    assert_eq!(namespaces["outcomes"][0]["errno"], "ENOSPC", "{namespaces}");
    assert!(causes(namespaces).contains("sudo sysctl -w user.max_user_namespaces="), "{namespaces}");
    let bpf = check(&found, "BPF");
    assert!(bpf["verdict"] != "fails" || causes(bpf).contains("of a user namespace does not reach"), "{bpf}");
}

#[test]
fn without_sysfs() {
    if !nix::unistd::geteuid().is_root() {
        return skip("the doctor without sysfs", "not root");
    }
    let hide = "mount -t tmpfs none /sys && exec \"$0\" \"$@\"";
    let run = behind(&["unshare", "-m", "sh", "-c", hide]);
    if !run.stdout.starts_with('{') {
        return skip("the doctor without sysfs", &run.stderr);
    }
    let found = json(&run);
    assert!(causes(check(&found, "tracefs")).contains("sudo mount -t tracefs"), "{found}");
    assert!(run.status.success(), "recording needs nothing of it");
}
