//! Whole reports, of real starts, as text.

use super::{Options, TOP, write};
use crate::analysis::startup::{Report, Startup};
use crate::analysis::testing::{call, header, startup, total, with_untraced};
use crate::event::{Event, Kind};
use crate::log::{Cold, Emptied, Header, Run};
use crate::report::look::Look;

/// Six untraced runs around this wall time.
fn runs(wall_ns: u64) -> Header {
    let walls = [99, 98, 100, 101, 103, 100].map(|percent| wall_ns / 100 * percent);
    let header = with_untraced(header(), &walls);
    Header { command: vec!["python".to_owned(), "hello.py".to_owned()], ..header }
}

fn text(report: &Report, width: Option<usize>) -> String {
    let look = Look { width, colour: false };
    let mut out = Vec::new();
    let last = "log python-hello.trace · flame graph python-hello.svg";
    write(&mut out, report, Options { top: TOP, look, last }).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_script() {
    insta::assert_snapshot!(text(&startup("3.11-script", &runs(14_500_000)).0, None));
}

#[test]
fn a_script_without_untraced_runs_on_a_narrow_terminal() {
    let text = text(&startup("3.11-uses", &header()).0, Some(80));
    let tables = text.lines().filter(|line| line.starts_with("  ") || line.contains(" s  "));
    for line in tables {
        assert!(line.chars().count() <= 80, "{line}");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_shim_is_the_first_thing_said() {
    let text = text(&startup("shim", &runs(400_000_000)).0, Some(120));
    assert!(
        text.starts_with("Before python starts: 38 programs, 40 forks, 102 failed execve probes"),
        "{text}"
    );
    insta::assert_snapshot!(text);
}

#[test]
fn what_is_lost_comes_before_everything() {
    let mut startup = Startup::new(&header());
    startup.add(&call("getpid", 0, 6_000, 1));
    startup.add(&Event { text: Some(b"buffer full"), ret: Some(12), ..Event::new(Kind::Lost) });
    let text = text(&startup.finish().0, None);
    let lines: Vec<_> = text.lines().take(2).collect();
    assert_eq!(lines[0], "12 events are missing from this log: buffer full (12)");
    assert!(lines[1].starts_with("this log is cut short"));
}

#[test]
fn nothing_at_all_is_a_report_too() {
    let text = text(&Startup::new(&header()).finish().0, Some(40));
    assert!(text.replace('\n', " ").contains("call were free: not known, for events are missing, or may be"));
}

#[test]
fn names_cannot_write_to_the_terminal() {
    let evil: &[u8] = b"/tmp/\x1b[2J\x07\n\xffx.py";
    let mut startup = Startup::new(&Header { command: vec!["a\x1b]0;b".to_owned()], ..header() });
    let argv = [b"python\0", evil, b"\0"].concat();
    startup.add(&Event {
        path: Some(b"/bin/python3\x1b[1m"),
        argv: Some(&argv),
        comm: b"\x1b",
        ..Event::new(Kind::Exec)
    });
    for ret in [-2, 3, 3] {
        startup.add(&Event { path: Some(evil), path_abs: Some(evil), ..call("openat", 10, 6_000, ret) });
    }
    startup.add(&Event { text: Some(b"\x1b[31m"), ..Event::new(Kind::Lost) });
    startup.add(&total());
    let text = text(&startup.finish().0, Some(100));
    assert!(text.contains("\\33[2J"));
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
}

#[test]
fn names_in_findings_cannot_write_to_the_terminal_either() {
    let mut startup = Startup::new(&header());
    let names: Vec<String> = (0..40).map(|n| format!("/tmp/\u{1b}[2J\u{7}\n{n}/x")).collect();
    for (n, name) in names.iter().enumerate() {
        let path = Some(name.as_bytes());
        for again in 0..9 {
            let at_ns = (n * 9 + again) as u64 * 10_000;
            startup.add(&Event { path, path_abs: path, ..call("newfstatat", at_ns, 6_900, -2) });
        }
    }
    startup.add(&total());
    let report = startup.finish().0;
    assert!(report.findings.list.len() >= 2, "{:?}", report.findings);
    for top in [TOP, usize::MAX] {
        let mut out = Vec::new();
        write(&mut out, &report, Options { top, look: Look { width: Some(60), colour: false }, last: "" })
            .unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains("\nFindings") && text.chars().all(|c| c == '\n' || !c.is_control()),
            "{text:?}"
        );
    }
}

#[test]
fn a_storm_of_processes_is_a_bounded_number_of_lines() {
    let mut startup = Startup::new(&header());
    let own = |pid: u32, at_ns| Event {
        pid,
        tid: pid,
        start_ns: at_ns,
        end_ns: Some(at_ns),
        ..Event::new(Kind::Exec)
    };
    let names: Vec<String> = (0..3000).map(|n| format!("/bin/tool{n}")).collect();
    for (n, name) in names.iter().enumerate() {
        let (pid, at_ns) = (n as u32 + 2, n as u64);
        let args = [17, u64::from(pid), 0, 0, 0, 0];
        startup.add(&Event { kind: Kind::Fork, args, ..own(1, at_ns) });
        startup.add(&Event { path: Some(name.as_bytes()), argv: Some(b"tool\0"), ..own(pid, at_ns) });
    }
    let text = text(&startup.finish().0, None);
    assert!(text.lines().count() < 60, "{} lines", text.lines().count());
    assert!(text.contains("3001 processes: 3000 programs started"));
    assert!(text.contains("(2986 more processes)"));
}

#[test]
fn how_cold_cpu_time_divides_stands_below_it() {
    let mut header = runs(14_500_000);
    let untraced = header.untraced.as_mut().expect("made above");
    let cold = |run: &Run| Run { wall_ns: 40_000_000, user_ns: 6_000_000, system_ns: 6_000_000, ..*run };
    let runs = untraced.runs.iter().map(cold).collect();
    untraced.cold = Some(Cold { method: Emptied::DropCaches, runs });
    let text = text(&startup("3.11-script", &header).0, None);
    let rows = text.lines().skip_while(|line| !line.starts_with("Cold start ")).skip(1);
    let names: Vec<&str> = rows.filter_map(|line| line.split("  ").next()).take(4).collect();
    assert_eq!(names, ["wall", "CPU", "of it user", "major faults"], "{text}");
}

#[test]
fn a_program_that_was_left_running_was_traced_until_it_was_ready() {
    let until = ("until".to_owned(), "listen".to_owned());
    let header = Header { options: [until].into(), ..header() };
    let text = text(&startup("3.11-script", &header).0, None);
    assert!(text.lines().next().is_some_and(|line| line.contains("   ready (listen) after ")), "{text}");
    assert!(
        text.contains("traced until the command was ready (--until listen), and then left alone.\n"),
        "{text}"
    );
}
