use proptest::prelude::*;

use super::Verdict::{Broken, Measured, Met, Unknown};
use super::*;
use crate::analysis::testing::{call, header, with_untraced};
use crate::event::{Event, Kind};
use crate::log::Header;

fn metrics(texts: &[&str]) -> Vec<Metric> {
    texts.iter().map(|text| parse(text).unwrap().metric).collect()
}

fn budgets(texts: &[&str]) -> Vec<Budget> {
    texts.iter().map(|text| Budget { expression: parse(text).unwrap(), source: None }).collect()
}

fn opens(ret: i64, path: &'static [u8]) -> Event<'static> {
    Event { path: Some(path), path_abs: Some(path), comm: b"python", ..call("openat", 10, 9_000, ret) }
}

fn totals() -> Event<'static> {
    Event { text: Some(b"events"), ret: Some(0), ..Event::new(Kind::Total) }
}

/// Three opens, two of which fail, a read of 100 bytes, a socket's 50, and an exec.
fn read(header: &Header, metrics: &[Metric], whole: bool) -> Reading {
    let mut meter = Meter::new(header, metrics.to_vec());
    meter.add(&Event { kind: Kind::Exec, path_abs: Some(b"/bin/python"), ..call("openat", 0, 0, 0) });
    meter.add(&opens(3, b"/lib/site-packages/a.py"));
    meter.add(&opens(-2, b"/lib/site-packages/b.py"));
    meter.add(&opens(-2, b"/lib/b.py"));
    meter.add(&Event { file: Some(b"/lib/site-packages/a.py"), ..call("read", 20, 9_000, 100) });
    meter.add(&Event { file: Some(b"socket:[7]"), ..call("recvfrom", 30, 9_000, 50) });
    meter.add(&Event { file: Some(b"/x"), ..call("getdents64", 40, 9_000, 480) });
    if whole {
        meter.add(&totals());
    }
    meter.finish()
}

fn amounts(texts: &[&str]) -> Vec<Option<u64>> {
    let reading = read(&header(), &metrics(texts), true);
    reading.values.iter().map(|value| value.amount).collect()
}

#[test]
fn metrics_count_what_they_say() {
    let counted = [
        ("all", 6),
        ("fs", 5),
        ("open", 3),
        ("openat", 3),
        ("syscall:open", 0),
        ("open.enoent", 2),
        ("open.ENOENT.calls", 2),
        ("open.failed", 2),
        ("open.ok", 1),
        ("open.eacces", 0),
        ("%network", 1),
        ("%file.failed", 2),
        ("open{path~site-packages}", 2),
        ("open{path~site-packages}.enoent", 1),
        ("open{path!~site-packages, thread=python}", 1),
        ("open{path=/lib/b.py}", 1),
        ("open{path=\"/lib/b?py\"}", 0),
        ("open{path~\"/[ab]\\.py$\"}", 3),
        ("open{thread=ruby}", 0),
        ("read.bytes", 100),
        ("all.bytes", 150),
        ("programs", 1),
        ("processes", 1),
        ("threads", 0),
    ];
    let texts = counted.map(|(text, _)| text);
    for ((text, wanted), found) in counted.iter().zip(amounts(&texts)) {
        assert_eq!(found, Some(*wanted), "{text}");
    }
}

#[test]
fn costs_and_wall_times_are_known_or_not() {
    let wanted = metrics(&["open.cost", "wall", "cpu"]);
    let amounts = |header: &Header| {
        let reading = read(header, &wanted, true);
        reading.values.iter().map(|value| value.amount).collect::<Vec<_>>()
    };
    let measured = amounts(&with_untraced(header(), &[1_000, 3_000, 2_000]));
    assert!(measured[0].is_some_and(|ns| ns > 0), "{measured:?}");
    assert_eq!(measured[1..], [Some(2_000), Some(1_000)]);
    assert_eq!(amounts(&header())[1..], [None, None]);
    assert_eq!(amounts(&Header { calibration: None, ..header() })[0], None);
}

#[test]
fn what_broke_a_budget_is_pointed_at() {
    let budgets = budgets(&["open.enoent <= 1", "open < 4", "programs == 1", "all >= 7", "stat"]);
    let metrics: Vec<Metric> = budgets.iter().map(|budget| budget.expression.metric.clone()).collect();
    let judgement = judge("x".to_owned(), &budgets, vec![read(&header(), &metrics, true)]);
    let verdicts: Vec<Verdict> = judgement.budgets.iter().map(|judged| judged.verdict).collect();
    assert_eq!(verdicts, [Broken, Met, Met, Broken, Measured]);
    assert!(!judgement.met);
    let places = &judgement.budgets[0].places;
    let names: Vec<_> = places.iter().map(|place| (place.name.bytes(), place.amount, place.paths)).collect();
    assert_eq!(names, [(&b"/lib"[..], 1, 1), (b"/lib/site-packages", 1, 1)]);
    assert_eq!(places[1].example.bytes(), b"/lib/site-packages/b.py");
}

#[test]
fn what_a_loss_could_have_changed_is_no_verdict() {
    let budgets =
        budgets(&["open <= 2", "open <= 3", "open >= 3", "open >= 4", "open == 2", "open == 3", "open"]);
    let metrics: Vec<Metric> = budgets.iter().map(|budget| budget.expression.metric.clone()).collect();
    let judgement = judge("x".to_owned(), &budgets, vec![read(&header(), &metrics, false)]);
    let verdicts: Vec<Verdict> = judgement.budgets.iter().map(|judged| judged.verdict).collect();
    assert_eq!(verdicts, [Broken, Unknown, Met, Unknown, Broken, Unknown, Measured]);
}

#[test]
fn a_log_without_calls_is_no_verdict() {
    let budgets = budgets(&["open <= 2", "open > 2", "processes == 0", "all"]);
    let metrics: Vec<Metric> = budgets.iter().map(|budget| budget.expression.metric.clone()).collect();
    let mut meter = Meter::new(&header(), metrics.clone());
    meter.add(&totals());
    let judgement = judge("x".to_owned(), &budgets, vec![meter.finish(), read(&header(), &metrics, true)]);
    for judged in &judgement.budgets {
        assert_eq!(
            (judged.verdict, judged.value, judged.reason),
            (Unknown, None, Some("the log has no calls"))
        );
    }
}

#[test]
fn the_worst_run_counts() {
    let budget = budgets(&["all <= 10", "all >= 5", "all == 7"]);
    let reading = |amount| Reading {
        values: vec![Value { amount, ..Value::default() }; 3],
        ..read(&header(), &[], true)
    };
    let judgement = judge("x".to_owned(), &budget, [Some(4), Some(11), Some(7)].map(reading).into());
    let worst: Vec<_> = judgement.budgets.iter().map(|judged| judged.value).collect();
    assert_eq!(worst, [Some(11), Some(4), Some(11)]);
    assert!(judgement.budgets.iter().all(|judged| judged.verdict == Broken));
    let judgement = judge("x".to_owned(), &budget, [Some(7), None].map(reading).into());
    assert!(judgement.budgets.iter().all(|judged| judged.verdict == Unknown));
}

#[test]
fn limits_have_units() {
    let limit = |text: &str| parse(text).unwrap().limit.unwrap().value;
    assert_eq!(limit("fs.cost < 5ms"), 5_000_000);
    assert_eq!(limit("fs.cost<1.5 us"), 1_500);
    assert_eq!(limit("wall <= 2 s"), 2_000_000_000);
    assert_eq!(limit("read.bytes <= 10MB"), 10_000_000);
    assert_eq!(limit("read.bytes <= 1 MiB"), 1 << 20);
    assert_eq!(limit("read.bytes <= 7"), 7);
    assert_eq!(limit("  stat.enoent<=50 "), 50);
}

#[test]
fn errors_point_at_their_place() {
    for (text, column, message) in [
        ("", 1, "is expected"),
        ("stta <= 5", 1, "no such family"),
        ("%fiel < 3", 1, "a class of strace's"),
        ("syscall:stta < 3", 1, "no such family, system call"),
        ("stat.enoen <= 5", 6, "an errno (enoent) is expected"),
        ("stat.enoent.eacces < 5", 13, "said already"),
        ("stat <= x", 9, "a number is expected"),
        ("stat <= 5ms", 10, "this is a count"),
        ("stat <= 5.5", 9, "a whole number"),
        ("stat ~ 5", 6, "one of <="),
        ("fs.cost < 5", 12, "a unit of time"),
        ("read.bytes < 5 apples", 16, "a unit of size"),
        ("stat < 5 6", 10, "the end is expected"),
        ("open{path~[} < 5", 11, "a regular expression is expected (unclosed character class)"),
        ("open{file~x} < 5", 6, "path or thread"),
        ("open{path x} < 5", 11, "~ (matches)"),
        ("open{path~\"x} < 5", 11, "not closed"),
        ("open{path~} < 5", 11, "a text is expected"),
        ("open{path~x < 5", 16, "} is expected"),
        ("wall.cost < 5ms", 5, "no conditions and no parts"),
        ("ä", 1, "is expected"),
        ("stat < 99999999999999999999", 8, "a smaller number"),
    ] {
        let error = parse(text).expect_err(text);
        assert_eq!(error.column, column, "{text}: {error}");
        assert!(error.to_string().contains(message), "{text}: {error}");
    }
    for (text, expected) in [
        ("stat <= x", r#"a number is expected, at "x" in "stat <= x""#),
        ("stat <= ", r#"a number is expected, at the end of "stat <= ""#),
        ("stat <= 5.5 ms", r#"no unit is expected: this is a count, at "ms" in "stat <= 5.5 ms""#),
        ("%fiel", r#"a class of strace's is expected, as %file or %network, at the beginning of "%fiel""#),
    ] {
        assert_eq!(parse(text).unwrap_err().to_string(), expected);
    }
}

#[test]
fn what_was_learned_holds() {
    let texts = metrics(&["all", "stat", "sync"]);
    let reading = |amounts: [u64; 3]| Reading {
        values: amounts.map(|amount| Value { amount: Some(amount), ..Value::default() }).into(),
        ..read(&header(), &[], true)
    };
    let runs: Vec<Reading> = [[1_000, 50, 0], [1_004, 50, 0], [1_001, 50, 0]].map(reading).into();
    let learned = learn(&texts, &runs, 0.02).unwrap();
    let limits: Vec<_> = learned.iter().map(|one| (one.least, one.most, one.limit)).collect();
    assert_eq!(limits, [(1_000, 1_004, 1_004 + 12 + 20), (50, 50, 51), (0, 0, 0)]);
    assert_eq!(learn(&metrics(&["wall"]), &[], 0.0), Err("wall".to_owned()));
    assert!(DEFAULT_METRICS.iter().all(|text| parse(text).is_ok_and(|one| one.limit.is_none())));
}

proptest! {
    #[test]
    fn no_text_is_a_panic(text in "\\PC{0,40}") {
        if let Err(error) = parse(&text) {
            prop_assert!(error.column <= text.chars().count() + 1);
        }
    }

    #[test]
    fn nearly_right_is_no_panic(text in "(stat|open|fs|%file|wall|syscall:read)(\\{(path|thread)[~=!]{0,2}[\"a}(]{0,3}\\}?)?(\\.(enoent|cost|x)){0,2} ?[<>=]{0,2} ?[0-9.]{0,22}(ms|MB|q)?") {
        let _ = parse(&text);
    }
}
