use super::*;
use crate::analysis::testing::{call, header};
use crate::event::Kind as EventKind;

fn at(name: &'static str, path: &'static str, at_ns: u64, ret: i64) -> Event<'static> {
    Event { path: Some(path.as_bytes()), path_abs: Some(path.as_bytes()), ..call(name, at_ns, 50_000, ret) }
}

fn creates(path: &'static str, at_ns: u64) -> Event<'static> {
    Event { args: [0, 0, 0o101, 0o644, 0, 0], ..at("openat", path, at_ns, 3) }
}

/// A small install: the tool starts, reads a wheel, makes two files, compiles one, and takes a temporary one away.
fn report() -> Report {
    let exec = Event {
        kind: EventKind::Exec,
        path_abs: Some(b"/v/bin/python"),
        argv: Some(b"python\0-m\0pip\0install\0six\0"),
        ..call("execve", 0, 0, 0)
    };
    let file = "/v/lib/python3.11/site-packages/six/a.py";
    let events = [
        exec,
        at("openat", "/v/lib/python3.11/site-packages/pip/x.pyc", 1_000_000, 3),
        at("openat", "/w/six-1.0-py3-none-any.whl", 3_000_000, 4),
        at("mkdir", "/v/lib/python3.11/site-packages/six", 4_000_000, 0),
        creates(file, 5_000_000),
        Event { file: Some(file.as_bytes()), ..call("write", 5_500_000, 50_000, 700) },
        at("lseek", "/w/six-1.0-py3-none-any.whl", 6_000_000, 0),
        creates("/v/lib/python3.11/site-packages/six-1.0.dist-info/RECORD", 7_000_000),
        at("mkdir", "/v/lib/python3.11/site-packages/six", 7_500_000, -17),
        at("openat", file, 8_000_000, 3),
        creates("/v/lib/python3.11/site-packages/six/__pycache__/a.cpython-311.pyc", 9_000_000),
        creates("/v/lib/python3.11/site-packages/x.pth", 9_500_000),
        at("unlink", "/tmp/t", 10_000_000, 0),
    ];
    let mut install = Install::new(&header());
    for event in &events {
        install.add(event);
    }
    install.add(&Event { text: Some(b"events"), ret: Some(0), ..Event::new(EventKind::Total) });
    install.finish(&Owners::default()).0
}

#[test]
fn phases_are_told_by_what_calls_are_about() {
    let report = report();
    assert_eq!(report.installer, Some("pip"));
    let calls: Vec<_> = report.phases.iter().map(|row| (row.phase, row.calls)).collect();
    assert_eq!(
        calls,
        [
            (Phase::Start, 1),
            (Phase::Resolve, 1),
            (Phase::Unpack, 1),
            (Phase::Create, 6),
            (Phase::Bytecode, 2),
            (Phase::CleanUp, 1),
        ]
    );
    let shares: f64 = report.phases.iter().map(|row| row.share).sum();
    assert!((shares - 1.0).abs() < 1e-9, "{shares}");
    let time: u64 = report.phases.iter().map(|row| row.takes_ns).sum();
    assert!(report.wall().ns - time < 10, "{time} of {}", report.wall().ns);
}

/// The phases of an install in which, after two files were made, this is done.
fn phases_after(events: &[Event<'static>]) -> Vec<(Phase, u64)> {
    let source = |path| Event { file: Some(path), ..call("read", 5_000_000, 50_000, 7) };
    let made = [
        creates("/v/lib/python3.11/site-packages/six/a.py", 1_000_000),
        creates("/v/lib/python3.11/site-packages/six/b.py", 2_000_000),
        at("openat", "/v/lib/python3.11/site-packages/six/a.py", 4_000_000, 3),
        source(b"/v/lib/python3.11/site-packages/six/a.py"),
        call("brk", 6_000_000, 50_000, 0),
    ];
    let mut install = Install::new(&header());
    for event in made.iter().chain(events) {
        install.add(event);
    }
    let report = install.finish(&Owners::default()).0;
    report.phases.iter().map(|row| (row.phase, row.calls)).collect()
}

#[test]
fn compiling_in_the_installers_own_process_is_told_by_the_bytecode_that_follows() {
    let bytecode = "/v/lib/python3.11/site-packages/six/__pycache__/a.cpython-311.pyc.1402";
    let compiled = phases_after(&[
        at("newfstatat", "/v/lib/python3.11/site-packages/six", 9_000_000, 0),
        at("mkdir", "/v/lib/python3.11/site-packages/six/__pycache__", 9_100_000, -17),
        creates(bytecode, 9_200_000),
        Event { file: Some(bytecode.as_bytes()), ..call("write", 9_300_000, 50_000, 70) },
        Event {
            path2_abs: bytecode.strip_suffix(".1402").map(str::as_bytes),
            ..at("rename", bytecode, 9_400_000, 0)
        },
        at("newfstatat", "/v/lib/python3.11/site-packages/six/b.py", 9_500_000, 0),
        creates("/v/lib/python3.11/site-packages/six-1.0.dist-info/RECORD", 9_600_000),
    ]);
    assert_eq!(compiled, [(Phase::Create, 3), (Phase::Bytecode, 9)]);
    let only_read = phases_after(&[
        at("newfstatat", "/v/lib/python3.11/site-packages/six/b.py", 9_000_000, 0),
        creates("/v/lib/python3.11/site-packages/six-1.0.dist-info/RECORD", 9_600_000),
    ]);
    assert_eq!(only_read, [(Phase::Create, 7)], "a hash of it, say");
    assert_eq!(phases_after(&[]), [(Phase::Create, 5)]);
}

#[test]
fn modules_that_are_named_otherwise_are_their_packages() {
    let mut install = Install::new(&header());
    install.add(&creates("/v/lib/python3.11/site-packages/yaml/a.py", 1_000_000));
    install.add(&creates("/v/lib/python3.11/site-packages/PyYAML-6.0.dist-info/RECORD", 2_000_000));
    assert_eq!(install.targets(), [b"/v/lib/python3.11/site-packages".to_vec()]);
    let mut owners = Owners::default();
    owners.add(b"PyYAML-6.0.dist-info", b"yaml/a.py,,\n");
    let report = install.finish(&owners).0;
    let rows: Vec<_> =
        report.packages.iter().map(|one| (one.name.bytes(), one.files, one.modules.len())).collect();
    assert_eq!(rows, [(&b"pyyaml"[..], 2, 1)]);
}

#[test]
fn packages_have_their_files_and_others_none() {
    let report = report();
    let rows: Vec<_> = report.packages.iter().map(|one| (one.name.bytes(), one.files, one.bytes)).collect();
    assert_eq!(
        rows,
        [(&b"six"[..], 3, 700)],
        "its metadata and bytecode are its own; pip's files were there before"
    );
    assert_eq!(report.not_packages.as_ref().map(|none| none.files), Some(1));
    let targets: Vec<_> = report.targets.iter().map(Text::bytes).collect();
    assert_eq!(targets, [&b"/v/lib/python3.11/site-packages"[..]]);
}

#[test]
fn kinds_have_their_errno() {
    let report = report();
    let kind = report.kinds.iter().find(|kind| kind.errno.is_some()).unwrap();
    assert_eq!((kind.call.as_str(), kind.errno.as_deref(), kind.calls), ("mkdir", Some("EEXIST"), 1));
    assert_eq!(
        report.made.iter().find(|(measure, _)| *measure == Measure::Bytecode),
        Some(&(Measure::Bytecode, 1))
    );
}
