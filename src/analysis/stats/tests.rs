//! Tables from events made by hand, and the sums of tables from real logs.

use super::{By, Options, Sort, Stats, Table};
use crate::analysis::cost::Quality;
use crate::analysis::testing::{call, fixture, header, strace, with_untraced};
use crate::analysis::wall::WallKind;
use crate::event::{Event, Kind};
use crate::log::Header;

/// A traced duration whose estimate is this: the stop of the test header is 5,900 ns.
const fn traced(cost_ns: u64) -> u64 {
    5_900 + cost_ns
}

fn on(name: &str, path: &'static str, cost_ns: u64, ret: i64) -> Event<'static> {
    Event {
        path: Some(path.as_bytes()),
        path_abs: Some(path.as_bytes()),
        ..call(name, 0, traced(cost_ns), ret)
    }
}

fn events() -> Vec<Event<'static>> {
    vec![
        on("newfstatat", "/a/x", 1_000, 0),
        on("newfstatat", "/a/y", 500, -2),
        on("newfstatat", "/a/y", 500, -2),
        on("newfstatat", "/a/z", 500, -13),
        on("openat", "/a/x", 2_000, 3),
        Event { file: Some(b"/a/x"), ..call("read", 0, traced(300), 10) },
        Event { file: Some(b"pipe:[77]"), ..call("read", 0, traced(700), 10) },
        call("getpid", 100_000, traced(50), 1),
        Event { ret: None, end_ns: None, ..call("exit_group", 110_000, 0, 0) },
        Event { ret: None, end_ns: None, ..call("read", 0, 0, 0) },
    ]
}

fn table(by: By, header: &Header, options: Options) -> Table {
    let mut stats = Stats::new(header, by);
    for event in &events() {
        stats.add(event);
    }
    stats.finish(options)
}

/// Name, calls, errors, total.
fn rows(table: &Table) -> Vec<(String, u64, u64, Option<u64>)> {
    let name = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    table.rows.iter().map(|row| (name(row.name.bytes()), row.calls, row.errors, row.total_ns)).collect()
}

fn row(name: &str, calls: u64, errors: u64, total_ns: u64) -> (String, u64, u64, Option<u64>) {
    (name.to_owned(), calls, errors, Some(total_ns))
}

#[test]
fn by_syscall() {
    let table = table(By::Syscall, &header(), Options::default());
    assert_eq!(
        rows(&table),
        [
            row("newfstatat", 4, 3, 2_500),
            row("openat", 1, 0, 2_000),
            row("read", 3, 0, 1_000),
            row("getpid", 1, 0, 100),
            row("exit_group", 1, 0, 0),
        ]
    );
    let stat = &table.rows[0];
    let errnos: Vec<_> = stat.errnos.iter().map(|errno| (errno.errno.as_str(), errno.calls)).collect();
    assert_eq!(errnos, [("ENOENT", 2), ("EACCES", 1)]);
    assert_eq!((stat.mean_ns, stat.times.median_ns, stat.times.p99_ns), (Some(625), Some(500), None));
    assert_eq!((table.total.calls, table.total.errors, table.total.total_ns), (10, 3, Some(5_600)));
    assert_eq!((table.total.traced_ns, table.integrity.never_returned), (Some(110_000), 1));
    assert_eq!((table.wall.ns, table.wall.kind), (110_000, WallKind::TracedSpan));
    assert!((stat.share.unwrap() - 2_500.0 / 110_000.0).abs() < 1e-9);
}

#[test]
fn by_family_class_path_and_directory() {
    let all = Options { sort: Sort::Name, top: None };
    let families = table(By::Family, &header(), all);
    let stat = row("stat", 4, 3, 2_500);
    let read = row("read", 3, 0, 1_000);
    assert_eq!(
        rows(&families)[..],
        [row("identity", 1, 0, 100), row("open", 1, 0, 2_000), row("process", 1, 0, 0), read, stat]
    );
    let classes = table(By::Class, &header(), all);
    assert!(classes.overlapping);
    let file = rows(&classes).into_iter().find(|row| row.0 == "file").unwrap();
    assert_eq!(file, row("file", 5, 3, 4_500));
    assert!(classes.rows.iter().map(|row| row.calls).sum::<u64>() > classes.total.calls);
    assert!(classes.uncounted_calls <= 1, "all but getpid have a class");

    let paths = table(By::Path, &header(), all);
    assert_eq!(
        rows(&paths),
        [row("/a/x", 3, 0, 3_300), row("/a/y", 2, 2, 1_000), row("/a/z", 1, 1, 500), row("pipe", 1, 0, 700)]
    );
    assert_eq!(paths.uncounted_calls, 3);
    let directories = table(By::Dir, &header(), all);
    assert_eq!(rows(&directories), [row("/a", 6, 3, 4_800), row("pipe", 1, 0, 700)]);
}

#[test]
fn order_and_number_of_rows() {
    let names = |sort| {
        let table = table(By::Syscall, &header(), Options { sort, top: Some(2) });
        let left = table.left_out.clone().unwrap();
        assert_eq!((left.rows, left.calls), (3, 10 - table.rows.iter().map(|row| row.calls).sum::<u64>()));
        rows(&table).into_iter().map(|row| row.0).collect::<Vec<_>>()
    };
    assert_eq!(names(Sort::Total), ["newfstatat", "openat"]);
    assert_eq!(names(Sort::Calls), ["newfstatat", "read"]);
    assert_eq!(names(Sort::Errors), ["newfstatat", "read"]);
    assert_eq!(names(Sort::Mean), ["openat", "newfstatat"]);
    assert_eq!(names(Sort::Name), ["exit_group", "getpid"]);
    assert_eq!(table(By::Syscall, &header(), Options { top: Some(5), ..Options::default() }).left_out, None);
}

#[test]
fn true_costs_have_tails_and_unknown_ones_have_nothing() {
    let true_costs = table(By::Path, &Header { backend: "ebpf".to_owned(), ..header() }, Options::default());
    assert_eq!(true_costs.quality, Quality::True);
    assert_eq!(true_costs.rows[0].times.max_ns, Some(traced(2_000)));
    let unknown = table(By::Syscall, &Header { calibration: None, ..header() }, Options::default());
    assert_eq!(unknown.quality, Quality::Unknown);
    let first = &unknown.rows[0];
    assert_eq!((first.name.bytes(), first.total_ns, first.mean_ns), (&b"newfstatat"[..], None, None));
    assert_eq!(unknown.total.total_ns, None);
}

#[test]
fn shares_are_of_the_untraced_median_where_there_is_one() {
    let header = with_untraced(header(), &[50_000, 40_000, 60_000]);
    let table = table(By::Syscall, &header, Options::default());
    assert_eq!((table.wall.ns, table.wall.kind), (50_000, WallKind::UntracedMedian));
    assert!((table.rows[0].share.unwrap() - 0.05).abs() < 1e-9);
}

#[test]
fn only_what_is_chosen_is_counted_at_the_price_of_all() {
    let mut stats = Stats::new(&header(), By::Syscall);
    for event in &events() {
        stats.add_chosen(event, event.path == Some(b"/a/x") || event.errno() == Some(13));
    }
    let table = stats.finish(Options::default());
    assert_eq!(rows(&table), [row("openat", 1, 0, 2_000), row("newfstatat", 2, 1, 1_500)]);
    assert_eq!((table.total.calls, table.total.errors, table.total.total_ns), (3, 1, Some(3_500)));
    assert_eq!((table.not_chosen_calls, table.uncounted_calls), (7, 0));
    // What one call takes is told by those that are chosen.
    assert_eq!(
        table.rows[1].times.max_ns,
        table_of_all().rows.iter().find(|one| one.name == table.rows[1].name).unwrap().times.max_ns
    );
}

fn table_of_all() -> Table {
    table(By::Syscall, &header(), Options::default())
}

#[test]
fn rows_of_real_logs_add_up() {
    for name in ["2.7-script", "3.11-uses", "wrapper", "shim"] {
        let log = fixture(name);
        let mut calls = 0;
        strace(&log, |event| calls += u64::from(event.kind == Kind::Syscall));
        for (by, what) in By::ALL {
            let mut stats = Stats::new(&header(), by);
            strace(&log, |event| stats.add(event));
            let table = stats.finish(Options::default());
            assert_eq!(table.total.calls, calls, "{name} by {what}");
            if by != By::Class {
                let counted: u64 = table.rows.iter().map(|row| row.calls).sum();
                assert_eq!(counted + table.uncounted_calls, calls, "{name} by {what}");
            }
        }
    }
}

#[test]
fn phases_by_name_stay_in_order_of_time() {
    let mut stats = Stats::new(&header(), By::Phase);
    strace(&fixture("3.11-script"), |event| stats.add(event));
    let table = stats.finish(Options { sort: Sort::Name, top: None });
    let names: Vec<_> = rows(&table).into_iter().map(|row| row.0).collect();
    let loader = ["exec", "dynamic loader", "relocation"];
    assert_eq!(names, [&loader[..], &["interpreter init", "site", "hello.py", "exit"]].concat());
}
