use std::collections::BTreeMap;

use super::*;
use crate::analysis::cost::Quality;
use crate::analysis::integrity::Integrity;
use crate::analysis::testing::{call, header};
use crate::analysis::text::Text;
use crate::event::{Event, Kind};

fn profile(events: &[Event<'_>]) -> Profile {
    let mut profiler = Profiler::new(&header());
    for event in events {
        profiler.add(event);
    }
    profiler.add(&Event { text: Some(b"events"), ret: Some(0), ..Event::new(Kind::Total) });
    profiler.finish()
}

fn on(name: &'static str, path: &'static str, ret: i64) -> Event<'static> {
    Event { path: Some(path.as_bytes()), path_abs: Some(path.as_bytes()), ..call(name, 0, 9_000, ret) }
}

fn creates(path: &'static str) -> Event<'static> {
    Event { args: [0, 0, 0o101, 0o644, 0, 0], ..on("openat", path, 3) }
}

fn sample(name: &str, profiles: Vec<Profile>) -> Sample {
    Sample { name: name.to_owned(), runs: Vec::new(), profiles }
}

#[test]
fn a_run_is_told_by_what_it_does() {
    let rename =
        Event { path2_abs: Some(b"/v/site-packages/a/__pycache__/b.pyc"), ..on("rename", "/v/x", 0) };
    let clone = Event { args: [4, 0x4004_9409, 5, 0, 0, 0], ..call("ioctl", 0, 9_000, 0) };
    let found = profile(&[
        creates("/v/site-packages/a/b.py"),
        on("openat", "/v/site-packages/a/b.py", 3),
        on("openat", "/other/site-packages/a/b.py", -2),
        Event { path2_abs: Some(b"/v/site-packages/a/c.py"), ..on("linkat", "/c", 0) },
        on("unlinkat", "/t", 0),
        on("unlinkat", "/t", -2),
        on("mkdir", "/v/site-packages/a", -17),
        rename,
        clone,
        Event { file: Some(b"/v/x"), ..call("write", 0, 9_000, 70) },
        Event { file: Some(b"/v/x"), ..call("read", 0, 9_000, 30) },
        Event { peer: Some(b"inet:1.2.3.4:443"), ..call("connect", 0, 9_000, 0) },
        call("poll", 0, 3_000_000, 1),
        call("fsync", 0, 9_000, 0),
    ]);
    let expected = BTreeMap::from([
        (Measure::Calls, 14),
        (Measure::Failed, 3),
        (Measure::Processes, 1),
        (Measure::Threads, 0),
        (Measure::Programs, 0),
        (Measure::BytesRead, 30),
        (Measure::BytesWritten, 70),
        (Measure::Created, 1),
        (Measure::HardLinks, 1),
        (Measure::Reflinks, 1),
        (Measure::Renamed, 1),
        (Measure::Deleted, 1),
        (Measure::Syncs, 1),
        (Measure::Bytecode, 1),
        (Measure::Connections, 1),
        (Measure::NetworkWait, 3_000_000),
    ]);
    let counts: BTreeMap<_, _> = found
        .figures
        .iter()
        .filter(|(measure, _)| **measure != Measure::Cost)
        .map(|(a, b)| (*a, *b))
        .collect();
    assert_eq!(counts, expected);
    let tally = |dimension, name: &str| found.tallies[&(dimension, Text::from(name))].calls;
    assert_eq!(tally(Dimension::Place, "target environment"), 3, "two opens and a mkdir");
    assert_eq!(tally(Dimension::Place, "installed packages"), 1);
    assert_eq!(tally(Dimension::Family, "open"), 3);
    assert_eq!(found.tallies[&(Dimension::Syscall, "openat".into())].failed, 1);
    assert_eq!(found.directories[&Text::from("/v/site-packages/a")], 2);
}

#[test]
fn what_one_side_alone_does_in_all_runs() {
    let run = |extra: &[Event<'static>]| profile(&[&[on("openat", "/lib/x", 3)], extra].concat());
    let a = sample(
        "a",
        vec![run(&[on("stat", "/only/x", 0)]), run(&[on("stat", "/only/x", 0), on("stat", "/tmp/r1", 0)])],
    );
    let b = sample("b", vec![run(&[]), run(&[])]);
    let compared = compare(&[a.clone(), b], false);
    let only: Vec<_> = compared.only.iter().map(|only| (only.side, only.kind, only.name.bytes())).collect();
    assert_eq!(only, [(0, only::Kind::Syscall, &b"stat"[..]), (0, only::Kind::Directory, b"/only")]);
    assert!(compare(&[a, sample("c", Vec::new())], false).only.is_empty());
}

#[test]
fn a_log_without_calls_says_nothing_of_what_is_not_done() {
    let (full, empty) = (profile(&[on("stat", "/only/x", 0)]), profile(&[]));
    let known = sample("a", vec![full.clone()]);
    let none = sample("b", vec![empty.clone()]);
    for pair in [[known.clone(), none.clone()], [none.clone(), known.clone()], [none.clone(), none.clone()]] {
        let compared = compare(&pair, false);
        assert!(!compared.is_one() && compared.only.is_empty() && compared.unlike.is_empty());
        let mut rows = compared.figures.iter().chain(&compared.calls).flat_map(|row| &row.others);
        assert!(rows.all(|against| against.verdict == Verdict::Unknown && against.ratio.is_none()));
    }
    let compared = compare(&[known.clone(), none, sample("c", vec![full.clone(), empty])], false);
    let counts: Vec<_> = compared.sides.iter().map(|side| (side.traced, side.without_calls)).collect();
    assert_eq!((compared.is_one(), counts), (true, vec![(1, 0), (0, 1), (1, 1)]));
    let calls = compared.figures.iter().find(|row| row.measure == Some(Measure::Calls)).unwrap();
    let verdicts: Vec<_> = calls.others.iter().map(|against| against.verdict).collect();
    assert_eq!(verdicts, [Verdict::Unknown, Verdict::Untested]);
    // Of a log that lacks events nobody knows what it does not do.
    let mut cut = full;
    cut.tallies.clear();
    cut.directories.clear();
    cut.integrity.complete = false;
    assert!(compare(&[known, sample("cut", vec![cut])], false).only.is_empty());
}

#[test]
fn what_is_unlike_is_said() {
    let plain = profile(&[creates("/v/site-packages/a/b.py")]);
    let compiled = profile(&[creates("/v/site-packages/a/b.pyc")]);
    let mut elsewhere = plain.clone();
    elsewhere.setting.backend = "ebpf".to_owned();
    elsewhere.quality = Quality::True;
    let what = |a: &Profile, b: &Profile| -> Vec<&str> {
        let compared = compare(&[sample("a", vec![a.clone(); 2]), sample("b", vec![b.clone()])], false);
        compared.unlike.iter().map(|unlike| unlike.what).collect()
    };
    assert_eq!(what(&plain, &plain), Vec::<&str>::new());
    assert_eq!(what(&plain, &compiled), ["bytecode"]);
    assert_eq!(what(&plain, &elsewhere), ["backend", "costs"]);
}

#[test]
fn other_packages_and_a_resolver_are_unlike() {
    let exec = |argv: &'static [u8]| {
        let path = Some(&b"/usr/bin/tool"[..]);
        Event { argv: Some(argv), path, path_abs: path, ..Event::new(Kind::Exec) }
    };
    let installs = |argv, described: &'static str| {
        profile(&[exec(argv), creates(described), creates("/v/site-packages/b-2.dist-info/RECORD")])
    };
    let [old, new] = ["/v/site-packages/a-1.dist-info/RECORD", "/v/site-packages/a-1.5.dist-info/RECORD"];
    let resolving = installs(b"pip\0install\0a\0", old);
    let told = installs(b"pip\0install\0--no-deps\0a\0", new);
    let unlike = |a: &Profile, b: &Profile| {
        let compared = compare(&[sample("a", vec![a.clone()]), sample("b", vec![b.clone()])], false);
        compared.unlike.into_iter().map(|one| (one.what, one.sides)).collect::<Vec<_>>()
    };
    let words = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
    assert_eq!(
        unlike(&resolving, &told),
        [
            ("resolver", words("run", "not run")),
            ("options", words("none", "--no-deps")),
            ("packages", words("a-1", "a-1.5")),
        ]
    );
    assert!(unlike(&resolving, &resolving).is_empty());
}

/// Made of so many figures, each of which differs from run to run, as a log's do: some much, some now and then.
fn random_profile(random: &mut fastrand::Rng, more: u64) -> Profile {
    let mut made = profile(&[]);
    for at in 0..20_u64 {
        let noise = match at % 4 {
            0 => 0,
            1 => random.u64(..at + 2),
            2 => u64::from(random.u8(..5) == 0),
            _ => random.u64(..200),
        };
        let calls = (50 + 10 * at + noise) * if at < more { 2 } else { 1 };
        let tally =
            Tally { calls, failed: calls / 3, cost_ns: Some(calls * 800 + random.u64(..calls * 200)) };
        made.tallies.insert((Dimension::Syscall, format!("call{at}").as_str().into()), tally);
    }
    made.figures.insert(Measure::Calls, 9_000 + random.u64(..40));
    made.integrity = Integrity { calls: 9_000, complete: true, ..Integrity::default() };
    made
}

fn random_run(random: &mut fastrand::Rng, scale: f64) -> Run {
    let ns = |random: &mut fastrand::Rng, mean: f64| {
        (scale * mean * (1.0 - 0.1 * (1.0 - random.f64()).ln())) as u64
    };
    Run {
        wall_ns: ns(random, 2e7),
        user_ns: ns(random, 1e7),
        system_ns: ns(random, 5e6),
        minor_faults: 900 + random.u64(..10),
        voluntary_switches: random.u64(..5),
        involuntary_switches: random.u64(..9),
        ..Run::default()
    }
}

fn random_sample(random: &mut fastrand::Rng, scale: f64, more: u64) -> Sample {
    let runs = (0..12).map(|_| random_run(random, scale)).collect();
    let profiles = (0..5).map(|_| random_profile(random, more)).collect();
    Sample { name: "x".to_owned(), runs, profiles }
}

fn differing(tables: &[Vec<Row>; 3]) -> Vec<&Row> {
    tables
        .iter()
        .flatten()
        .filter(|row| row.others.iter().any(|against| against.verdict == Verdict::Differs))
        .collect()
}

#[test]
fn where_there_is_no_difference_hardly_ever_one_is_called() {
    const TRIALS: usize = 500;
    let mut random = fastrand::Rng::with_seed(0x6e75_6c6c);
    let alarms = (0..TRIALS).filter(|_| {
        let sides = [random_sample(&mut random, 1.0, 0), random_sample(&mut random, 1.0, 0)];
        !differing(&judged(&sides)).is_empty()
    });
    let alarms = alarms.count();
    assert!(alarms * 20 <= TRIALS, "{alarms} of {TRIALS}");
}

#[test]
fn real_differences_are_called() {
    let mut random = fastrand::Rng::with_seed(5);
    let sides = [random_sample(&mut random, 1.0, 0), random_sample(&mut random, 1.3, 10)];
    let tables = judged(&sides);
    let names: Vec<_> =
        differing(&tables).iter().map(|row| String::from_utf8_lossy(row.name.bytes()).into_owned()).collect();
    assert!(names.contains(&"wall".to_owned()) && names.contains(&"call0".to_owned()), "{names:?}");
    assert!(!names.contains(&"call19".to_owned()), "{names:?}");
    let wall = &compare(&sides, true).times[0];
    let ratio = wall.others[0].ratio.unwrap();
    let interval = ratio.interval.unwrap();
    assert!(interval.low < ratio.value && ratio.value < interval.high && interval.low > 1.1, "{ratio:?}");
}

#[test]
fn the_wall_time_is_made_up_of_the_path_and_a_rest() {
    let mut run = profile(&[call("getpid", 0, 9_000, 1)]);
    run.quality = Quality::True;
    run.path.parts = [5_000, 3_000, 0, 0, 0, 1_000];
    let untraced = |wall_ns| vec![Run { wall_ns, ..Run::default() }];
    let known = Sample { runs: untraced(10_000), ..sample("a", vec![run.clone()]) };
    let others =
        [sample("no untraced run", vec![run]), Sample { runs: untraced(7), ..sample("no log", vec![]) }];
    let compared = compare(&[&[known], &others[..]].concat(), false);
    let parts: Vec<_> = compared.parts.iter().map(|part| (part.kind, part.ns.clone())).collect();
    assert_eq!(
        parts,
        [
            (PartKind::Along(Along::Computing), vec![Some(5e3), Some(5e3), None]),
            (PartKind::Along(Along::FileSystem), vec![Some(3e3), Some(3e3), None]),
            (PartKind::Along(Along::Waiting), vec![Some(1e3), Some(1e3), None]),
            (PartKind::Unexplained, vec![Some(1e3), None, None]),
            (PartKind::Wall, vec![Some(1e4), None, Some(7.0)]),
        ]
    );
}

#[test]
fn few_runs_are_not_tested_and_differences_shown() {
    let a = profile(&[on("stat", "/x", 0)]);
    let b = profile(&[on("stat", "/x", 0), on("stat", "/x", -2)]);
    let compared = compare(&[sample("a", vec![a]), sample("b", vec![b])], false);
    let calls = compared.figures.iter().find(|row| row.measure == Some(Measure::Calls)).unwrap();
    assert_eq!((calls.others[0].difference, calls.others[0].verdict), (1.0, Verdict::Untested));
    assert!(compared.times.is_empty());
}
