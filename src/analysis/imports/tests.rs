//! Imports within imports, of a log made by hand.

use super::*;
use crate::analysis::testing::{call, header};
use crate::event::stack::{Frame, FrameKind, Node};

const LIB: &str = "<frozen importlib._bootstrap>";
const EXTERNAL: &str = "<frozen importlib._bootstrap_external>";

/// Defines stacks 1 to 4: a script that imports, finds, reads; and a module it runs.
fn definitions() -> Vec<Event<'static>> {
    let frames = [
        ("<module>", "/x.py", 7),
        ("_find_and_load", LIB, 1),
        ("_find_spec", LIB, 2),
        ("SourceLoader.get_code", EXTERNAL, 3),
        ("<module>", "/lib/a.py", 4),
    ];
    let frame = |(at, (name, file, line)): (usize, (&'static str, &'static str, u32))| {
        let (name, file) = (name.as_bytes(), file.as_bytes());
        Frame { kind: FrameKind::Python, name, file, line, ..Frame::UNKNOWN }.event(at as u32 + 1)
    };
    let nodes = [(1, None, 1), (2, Some(1), 2), (3, Some(2), 3), (4, Some(2), 4), (5, Some(2), 5)];
    let node = |(number, caller, frame): (u32, Option<u32>, u32)| Node { caller, frame }.event(number);
    frames.into_iter().enumerate().map(frame).chain(nodes.into_iter().map(node)).collect()
}

fn imported(at_us: u64, line: Line<'static>, stack: u32) -> Event<'static> {
    line.mark(&Event { start_ns: at_us * 1000, ..call("write", 0, 0, 0) }, Some(stack))
}

fn at(name: &'static str, path: &'static str, (at_us, stack, ret): (u64, u32, i64)) -> Event<'static> {
    let path = Some(path.as_bytes());
    let start_ns = at_us * 1000;
    Event {
        start_ns,
        end_ns: Some(start_ns + 1000),
        path,
        path_abs: path,
        stack: Some(stack),
        ret: Some(ret),
        ..call(name, 0, 0, 0)
    }
}

#[test]
fn imports_are_a_tree_and_their_time_is_divided() {
    let mut header = header();
    header.backend = "ebpf".to_owned();
    header.calibration = None;
    let mut imports = Imports::new(&header);
    let line = |depth, self_us, cumulative_us, name| Line { depth, self_us, cumulative_us, name };
    let events = [
        at("openat", "/lib/a.so", (90, 1, 3)),
        at("newfstatat", "/lib/a", (110, 3, -2)),
        at("newfstatat", "/lib/a.py", (120, 3, 0)),
        at("openat", "/lib/a.pyc", (130, 4, 3)),
        imported(200, line(1, 20, 20, b"_a"), 5),
        Event { start_ns: 200_000, end_ns: Some(210_000), ..call("write", 0, 0, 0) },
        imported(300, line(0, 180, 200, b"a"), 1),
    ];
    for event in definitions().iter().chain(&events) {
        imports.add(event, true);
    }
    let tree = imports.finish();
    let [a, inner] = &tree.imports[..] else { panic!("{tree:#?}") };
    assert_eq!((a.name.bytes(), a.depth, inner.name.bytes(), inner.depth), (&b"a"[..], 0, &b"_a"[..], 1));
    assert_eq!(
        (inner.parent, inner.rest_ns, inner.self_ns, inner.cumulative_ns),
        (Some(0), 20_000, 20_000, 20_000)
    );
    assert_eq!((a.importer.bytes(), a.importer_line), (&b"/x.py"[..], 7));
    assert_eq!((inner.importer.bytes(), inner.importer_line), (&b"/lib/a.py"[..], 4));
    assert_eq!(a.file.as_ref().map(Text::bytes), Some(&b"/lib/a.pyc"[..]));
    assert_eq!((a.find_ns, a.read_ns, a.execute_ns, a.rest_ns), (21_000, 10_000, 139_000, 0));
    assert_eq!((a.self_ns, a.cumulative_ns, tree.total_ns), (170_000, 190_000, 190_000));
    assert_eq!((a.probes, a.probes_failed, a.calls), (2, 1, 3));
    let total = |measured| graph(&tree, measured).total()[0];
    assert_eq!((total(Measured::Wall), total(Measured::Calls), total(Measured::Cost)), (190_000, 3, 3_000));
}

#[test]
fn a_hostile_log_is_no_reason_to_stop() {
    let mut imports = Imports::new(&header());
    for at_us in 0..100 {
        let line =
            Line { depth: u64::MAX - at_us, self_us: u64::MAX, cumulative_us: u64::MAX, name: b"a;b\n" };
        imports.add(&imported(at_us, line, 99), true);
    }
    let tree = imports.finish();
    assert_eq!(tree.imports.len(), 100);
    assert!(tree.imports.iter().all(|import| import.importer.bytes().is_empty()));
}
