//! What the parts of a report have in common.

use super::super::testing::{call, header, startup, total, with_untraced};
use super::*;
use crate::analysis::phases::PhaseKind;
use crate::event::Flags;

#[test]
fn phases_count_what_the_table_of_files_counts() {
    for name in ["3.11-script", "3.11-uses", "shim", "wrapper"] {
        let (report, _) = startup(name, &header());
        let row = |name| report.file_system.families.iter().find(|row| row.family == name);
        let stat: u64 = report.phases.phases.iter().map(|phase| phase.stat).sum();
        let open: u64 = report.phases.phases.iter().map(|phase| phase.open).sum();
        assert_eq!(Some(stat), row("stat").map(|row| row.calls), "{name}");
        assert_eq!(Some(open), row("open").map(|row| row.calls), "{name}");
    }
}

fn with_a_child_left_behind() -> Report {
    left_behind(&with_untraced(header(), &[1_000_000, 1_000_000]))
}

/// The same where runs last until the command, that is the child, is ready.
fn header_of_a_daemon() -> Header {
    let mut header = header();
    header.options.insert("until".to_owned(), "listen".to_owned());
    header
}

/// A command that runs for 1 ms, and a child of it that makes the same call 9 ms later.
fn left_behind(header: &Header) -> Report {
    let mut startup = Startup::new(header);
    let at = |kind, pid: u32, at_ns| Event {
        pid,
        tid: pid,
        start_ns: at_ns,
        end_ns: Some(at_ns),
        ret: Some(0),
        ..Event::new(kind)
    };
    let stat = |pid: u32, at_ns| {
        let path = Some(&b"/etc/passwd"[..]);
        Event {
            pid,
            tid: pid,
            path,
            path_abs: path,
            flags: Flags::default(),
            ..call("stat", at_ns, 20_000, 0)
        }
    };
    startup.add(&Event { path: Some(b"/bin/sh"), argv: Some(b"sh\0"), ..at(Kind::Exec, 1, 0) });
    startup.add(&stat(1, 100_000));
    startup.add(&Event { args: [17, 2, 0, 0, 0, 0], ret: Some(2), ..at(Kind::Fork, 1, 200_000) });
    startup.add(&Event { nr: 231, ret: None, end_ns: None, ..call("exit_group", 900_000, 0, 0) });
    startup.add(&at(Kind::Exit, 1, 1_000_000));
    startup.add(&stat(2, 10_000_000));
    startup.add(&at(Kind::Exit, 2, 11_000_000));
    startup.add(&total());
    startup.finish().0
}

#[test]
fn what_comes_after_the_command_is_not_part_of_its_wall_time() {
    let report = with_a_child_left_behind();
    let (after, before) = report.phases.phases.split_last().unwrap();
    assert_eq!((after.kind, after.share, after.at_ns), (PhaseKind::After, None, 1_000_000));
    assert!(after.takes_ns > 9_000_000, "{after:?}");
    assert_eq!(before.iter().map(|phase| phase.takes_ns).sum::<u64>(), 1_000_000);
    let shares: f64 = before.iter().filter_map(|phase| phase.share).sum();
    assert!((shares - 1.0).abs() < 1e-6, "{before:?}");
    let factor = report.phases.scaled_by.unwrap();
    assert!((0.9..1.2).contains(&factor), "{factor}");
}

#[test]
fn a_daemon_that_gets_ready_after_its_first_process_is_waited_for() {
    let wall_ns = 11_000_000;
    let report = left_behind(&with_untraced(header_of_a_daemon(), &[wall_ns; 2]));
    let (rest, first) = report.phases.phases.split_last().unwrap();
    assert_eq!((rest.kind, rest.name.bytes()), (PhaseKind::Rest, &b"after sh"[..]));
    assert!(rest.share.unwrap() > 0.8, "{rest:?}");
    assert!(first.iter().map(|phase| phase.takes_ns).sum::<u64>() < 1_200_000, "{first:?}");
    assert_eq!(report.phases.phases.iter().map(|phase| phase.takes_ns).sum::<u64>(), wall_ns);
    let factor = report.phases.scaled_by.unwrap();
    assert!((0.9..1.2).contains(&factor), "{factor}");
}

#[test]
fn phases_and_files_of_a_daemon_are_parts_of_one_whole() {
    let report = left_behind(&header_of_a_daemon());
    let phases = &report.phases.phases;
    let shares: f64 = phases.iter().map(|phase| phase.share.unwrap()).sum();
    assert!((shares - 1.0).abs() < 1e-6, "{phases:?}");
    let whole = phases.iter().map(|phase| phase.takes_ns + phase.added_ns).sum::<u64>();
    assert_eq!(whole, report.wall.ns);
}

#[test]
fn the_ceiling_is_of_the_calls_within_the_wall_time() {
    let files = with_a_child_left_behind().file_system;
    assert_eq!(files.calls, 1, "not what the child does later");
    let (share, cost) = (files.ceiling_share.unwrap(), files.cost_ns.unwrap());
    assert!((share - cost as f64 / 1e6).abs() < 1e-6, "{share} {cost}");
}

#[test]
fn the_ceiling_has_the_range_of_the_wall_time() {
    let (report, _) = startup("3.11-script", &with_untraced(header(), &[10_000_000, 20_000_000]));
    let files = report.file_system;
    let (low, high) = files.ceiling_range.unwrap();
    let cost = files.cost_ns.unwrap() as f64;
    assert!((low - cost / 20e6).abs() < 1e-9 && (high - cost / 10e6).abs() < 1e-9, "{low} {high}");
    assert!((low..high).contains(&files.ceiling_share.unwrap()));
}
