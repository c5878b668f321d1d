//! Pictures of runs made by hand.

use super::*;
use crate::analysis::testing::{call, header, with_untraced};

const MS: u64 = 1_000_000;

fn of(pid: u32, event: &Event<'static>) -> Event<'static> {
    Event { pid, tid: pid, ..*event }
}

fn at(pid: u32, kind: Kind, at_ms: u64) -> Event<'static> {
    Event { start_ns: at_ms * MS, end_ns: Some(at_ms * MS), ..of(pid, &Event::new(kind)) }
}

fn fork(pid: u32, child: u32, at_ms: u64) -> Event<'static> {
    Event {
        ret: Some(i64::from(child)),
        args: [0, u64::from(child), 0, 0, 0, 0],
        ..at(pid, Kind::Fork, at_ms)
    }
}

fn exec(pid: u32, path: &'static str, at_ms: u64) -> Event<'static> {
    Event { path: Some(path.as_bytes()), argv: Some(b"x\0y z\0"), ..at(pid, Kind::Exec, at_ms) }
}

fn from_to(pid: u32, name: &str, from_ms: u64, to_ms: u64, ret: i64) -> Event<'static> {
    of(pid, &call(name, from_ms * MS, (to_ms - from_ms) * MS, ret))
}

fn away(pid: u32, from_ms: u64, to_ms: u64, is_ready: bool) -> Event<'static> {
    let args = [u64::from(is_ready), 0, 0, 0, 0, 0];
    Event {
        end_ns: Some(to_ms * MS),
        text: Some(mark::OFF_CPU.as_bytes()),
        args,
        ..at(pid, Kind::Mark, from_ms)
    }
}

/// A shell that waits from 20 ms on for a child, which sleeps from 30 ms to 70 ms and ends at 80 ms.
fn events() -> Vec<Event<'static>> {
    let open = Event { path: Some(b"/x"), path_abs: Some(b"/x"), ..from_to(2, "openat", 28, 29, -2) };
    vec![
        exec(1, "/bin/sh", 0),
        from_to(1, "getpid", 1, 1, 1),
        fork(1, 2, 10),
        exec(2, "/bin/sleep", 25),
        open,
        from_to(2, "clock_nanosleep", 30, 70, 0),
        at(2, Kind::Exit, 80),
        from_to(1, "wait4", 20, 90, 2),
        at(1, Kind::Exit, 100),
    ]
}

fn picture(header: &Header, events: &[Event<'_>]) -> Picture {
    let mut waterfall = Waterfall::new(header);
    for event in events {
        waterfall.add(event);
    }
    waterfall.finish()
}

fn close(ns: f64, ms: u64) -> bool {
    (ns - (ms * MS) as f64).abs() < 0.6 * MS as f64
}

fn without_calibration() -> Header {
    let mut header = header();
    header.calibration = None;
    header
}

#[test]
fn each_thread_has_a_row_and_waits_are_followed() {
    let picture = picture(&without_calibration(), &events());
    assert!(close(picture.length_ns, 100) && picture.knows_times && !picture.knows_cpu);
    let [shell, child] = &picture.rows[..] else { panic!("{:#?}", picture.rows) };
    assert_eq!((shell.name.bytes(), child.name.bytes(), child.depth), (&b"sh"[..], &b"sleep"[..], 1));
    assert!(close(shell.from, 0) && close(shell.to, 100) && close(child.from, 10) && close(child.to, 80));
    assert!(close(shell.sum.get(Class::Off(Part::Child)), 70) && close(shell.sum.get(Class::Computing), 30));
    assert!(close(child.sum.get(Class::Off(Part::Timer)), 40) && close(child.sum.get(Class::FileCall), 1));
    assert!(close(child.sum.sum(), 70) && close(shell.sum.sum(), 100));
    let critical = picture.critical.expect("a path");
    assert!(close(critical.sum.sum(), 100) && close(critical.sum.get(Class::Off(Part::Timer)), 40));
    assert!(
        close(critical.sum.get(Class::Off(Part::Child)), 10),
        "from the child's end to the shell's waking up"
    );
    let rows: Vec<_> = critical.stretches.iter().map(|(row, ..)| *row).collect();
    assert_eq!(rows, [Some(0), Some(1), Some(0)]);
    assert!(close(shell.critical, 30) && close(child.critical, 70));
    assert_eq!((picture.all_file_calls, picture.calls), ([1, 1], 4));
    assert!((picture.file_calls.iter().map(|[all, _]| all).sum::<f64>() - 1.0).abs() < 1e-6);
    assert!(picture.busy.iter().all(|busy| (0.0..2.001).contains(busy)));
    assert_eq!(child.long.iter().map(|long| &*long.call).collect::<Vec<_>>(), ["openat", "clock_nanosleep"]);
    assert_eq!(child.programs.len(), 1);
}

#[test]
fn times_off_cpus_come_late_and_are_those_of_their_calls() {
    let mut events = events();
    events.extend([
        away(2, 30, 68, false),
        away(2, 72, 74, true),
        away(2, 76, 77, false),
        away(1, 21, 89, false),
    ]);
    let picture = picture(&without_calibration(), &events);
    assert!(picture.knows_cpu);
    let [shell, child] = &picture.rows[..] else { panic!("{:#?}", picture.rows) };
    let of = |class| child.sum.get(class);
    assert!(
        close(of(Class::Off(Part::Timer)), 38)
            && close(of(Class::OtherCall), 2)
            && close(of(Class::Off(Part::Ready)), 2)
    );
    assert!(close(of(Class::Off(Part::FaultWait)), 1) && close(child.sum.sum(), 70));
    assert!(close(shell.sum.get(Class::Off(Part::Child)), 68) && close(shell.sum.sum(), 100));
    assert_eq!(picture.rows.len(), 2, "what comes after a thread's end is no other thread");
}

#[test]
fn the_axis_is_that_of_the_untraced_runs() {
    let picture = picture(&with_untraced(without_calibration(), &[50 * MS]), &events());
    assert!(close(picture.length_ns, 50) && picture.wall_ns == Some(50 * MS));
    assert!(close(picture.rows[0].to, 50) && close(picture.rows[1].sum.get(Class::Off(Part::Timer)), 20));
    assert!(picture.scaled_by.is_some_and(|factor| (factor - 0.5).abs() < 0.01));
}

#[test]
fn many_threads_have_one_row_together_and_much_is_added_up() {
    let mut waterfall = Waterfall::new(&without_calibration());
    waterfall.add(&exec(1, "/bin/sh", 0));
    let threads = 300;
    for pid in 2..2 + threads {
        waterfall.add(&fork(1, pid, 1));
    }
    let each = 1500;
    for at in 0..each {
        for pid in 2..2 + threads {
            let start_ns = 2 * MS + at * 1000;
            waterfall.add(&of(pid, &call("getpid", start_ns, 300, 1)));
        }
    }
    assert!(waterfall.entries <= MOST_ENTRIES);
    for pid in 1..2 + threads {
        waterfall.add(&at(pid, Kind::Exit, 4));
    }
    let picture = waterfall.finish();
    let others = picture.others.expect("others");
    assert_eq!((picture.rows.len() as u64 + others.threads, picture.calls), (301, 300 * 1500));
    assert!(picture.cell_ns > 0);
    let in_calls: f64 = picture.rows.iter().map(|row| row.sum.get(Class::OtherCall)).sum::<f64>()
        + others.columns.iter().map(|shares| shares.get(Class::OtherCall)).sum::<f64>();
    let expected = f64::from(threads) * each as f64 * 300.0;
    assert!((in_calls / expected - 1.0).abs() < 0.05, "{in_calls} {expected}");
    assert!(others.most > 200.0);
}

#[test]
fn imports_are_those_that_python_tells() {
    let line = Line { depth: 1, self_us: 10, cumulative_us: 5000, name: b"a.b" };
    let mut events = events();
    events.insert(3, line.mark(&from_to(1, "write", 15, 15, 1), None));
    let picture = picture(&without_calibration(), &events);
    let [import] = &picture.imports.list[..] else { panic!("{:#?}", picture.imports) };
    assert_eq!((import.name.bytes(), import.depth), (&b"a.b"[..], 1));
    assert!(close(import.from, 10) && close(import.to, 15) && picture.imports.are_told);
}
