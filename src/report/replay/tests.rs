//! The report of replays made up.

use super::*;
use crate::analysis::replay::{Believed, KnownWall, Projected, Unavailable, Verdict};

fn range(median: f64) -> Range {
    Range { median, low: median * 0.9, high: median * 1.1 }
}

fn measured(ratio: f64, punts: Option<u64>) -> Measured {
    Measured {
        blocks: 30,
        wall_ns: range(ratio * 250_000.0),
        calls_ns: range(ratio * 250_000.0),
        against_serial: range(ratio),
        against_threads: punts.map(|_| range(ratio / 2.0)),
        cpu_ratio: range(ratio * 1.5),
        kernel_entries: 243,
        submissions: punts.map_or(0, |_| 240),
        punts,
        punts_at_least: None,
        stand_ins: 0,
        switches: 12.0,
        setup_ns: 80_000,
    }
}

fn row(strategy: &str, lookahead: Option<u32>, ratio: Option<f64>, punts: Option<u64>) -> Row {
    Row {
        strategy: strategy.to_owned(),
        lookahead,
        at_once: None,
        way: if punts.is_some() { "ring" } else { "serial" },
        ring: punts.is_some(),
        measured: ratio.map(|ratio| measured(ratio, punts)),
        void: None,
        projection: Some(Projected {
            wall_ns: range(17e6),
            speedup: range(1.0),
            bound: lookahead != Some(1),
            settled: false,
        }),
        helps: punts.map(|_| false),
    }
}

fn replay(verdict: Verdict) -> Replay {
    let reason = |reason: &str, calls| Reason { reason: reason.to_owned(), calls };
    Replay {
        command: vec!["python3".to_owned(), "hello.py".to_owned()],
        backend: "ptrace".to_owned(),
        cache: "warm",
        confined: true,
        scratch: None,
        coverage: Coverage {
            calls: 387,
            file_system_calls: 243,
            replayed: 217,
            share: 217.0 / 243.0,
            fidelity: 0.995,
            not_replayed: vec![
                reason("in /proc, /sys or /dev", 14),
                reason("not a call that is replayed", 11),
            ],
            not_counted: vec![reason("no file-system call", 144)],
            refused: Vec::new(),
            differences: vec![Differing {
                call: "stat /tmp/\x1bx".into(),
                what: "errno",
                recorded: -2,
                here: Some(0),
            }],
            unsteady: 1,
            unsteady_calls: vec!["getdents /tmp".into()],
            lost: Some(1),
            uses_io_uring: false,
        },
        wall: Some(KnownWall { ns: 16.8e6, runs: 51 }),
        logged_ns: Some(40e6),
        disturbed: false,
        best: None,
        cost_source: "think_time",
        gate: None,
        threads: None,
        no_ring: None,
        unavailable: Vec::new(),
        sweep: Vec::new(),
        rows: vec![
            row("free", Some(1), None, None),
            row("serial", Some(1), Some(1.0), None),
            row("2 threads, lookahead all", None, Some(0.8), None),
            row("ring, depth 1", Some(1), Some(7.3), Some(210)),
            row("ring, depth 128, lookahead all", None, Some(3.1), Some(200)),
        ],
        verdict,
        bound: Some(4),
        ceiling: Some(Ceiling { calls: 0.022, calls_at_most: 0.025, misses: 0.003, missed: 19 }),
    }
}

fn text(replay: &Replay, width: Option<usize>) -> String {
    let mut out = Vec::new();
    write(&mut out, replay, Look { width, colour: false }).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_ring_that_is_slower() {
    let replay = replay(Verdict::Slower { row: 3, punted: Some(0.83) });
    insta::assert_snapshot!(text(&replay, None));
    let narrow = text(&replay, Some(80));
    assert!(narrow.lines().all(|line| line.chars().count() <= 80), "{narrow}");
    assert!(!narrow.contains('\x1b'), "{narrow:?}");
    let narrowest = text(&replay, Some(40));
    assert!(narrowest.lines().all(|line| line.chars().count() <= 40), "{narrowest}");
    assert!(
        narrowest.lines().any(|line| line.contains("strategy") && line.contains("program")),
        "{narrowest}"
    );
}

#[test]
fn what_helps_most_is_told_and_a_disturbed_program_too() {
    let mut replay = replay(Verdict::NoRing);
    let lines = |replay: &Replay| text(replay, None);
    assert!(!lines(&replay).contains("What helps most"));
    let at = replay.rows.iter().position(|row| row.projection.is_some()).unwrap();
    replay.best = Some(at);
    let name = replay.rows[at].strategy.clone();
    assert!(
        lines(&replay).contains(&format!(
            "What helps most of all that was measured is {name}: the program would take "
        ))
    );
    assert!(!lines(&replay).contains("Projections are unreliable"));
    replay.disturbed = true;
    assert!(lines(&replay).contains("though it was traced then"), "{}", lines(&replay));
}

#[test]
fn a_time_that_is_not_settled_is_marked_and_explained() {
    let mut replay = replay(Verdict::NoRing);
    let [unsure, bound] = ["  ~17.0 ms", "≥ ~17.0 ms"];
    let told = text(&replay, None);
    assert!(told.contains(unsure) && told.contains(bound), "{told}");
    assert!(told.contains("A time with ~ is unsure:"), "{told}");
    for row in &mut replay.rows {
        row.projection = row.projection.map(|projected| Projected { settled: true, ..projected });
    }
    let told = text(&replay, None);
    assert!(!told.contains('~') && told.contains("≥ 17.0 ms"), "{told}");
}

#[test]
fn without_wall_time_and_ring() {
    let mut replay = replay(Verdict::NoRing);
    replay.rows.truncate(3);
    for row in &mut replay.rows {
        row.projection = None;
    }
    replay.wall = None;
    replay.ceiling = None;
    replay.coverage.lost = Some(0);
    replay.coverage.differences.clear();
    replay.no_ring = Some("switched off (kernel.io_uring_disabled = 2)".to_owned());
    insta::assert_snapshot!(text(&replay, None));
}

#[test]
fn every_verdict_is_a_sentence() {
    for verdict in [
        Verdict::Alike { row: 4 },
        Verdict::AsThreads { row: 4 },
        Verdict::Faster { row: 3 },
        Verdict::Slower { row: 3, punted: None },
    ] {
        let text = text(&replay(verdict.clone()), None);
        let line = text.lines().find(|line| line.starts_with("Batching through io_uring")).unwrap();
        assert!(line.contains(" If all of these calls were free"), "{verdict:?}: {line}");
        let tells_bound = line.contains("beforehand, it could be 3.10 times (a bound).");
        assert_eq!(
            tells_bound,
            !matches!(verdict, Verdict::Alike { .. } | Verdict::AsThreads { .. }),
            "{line}"
        );
    }
}

#[test]
fn strategies_without_figures_share_a_line_by_reason() {
    let mut replay = replay(Verdict::NoRing);
    let unavailable = |strategy: &str, reason: &str| Unavailable {
        strategy: strategy.to_owned(),
        reason: reason.to_owned(),
    };
    replay.unavailable =
        vec![unavailable("a", "it is slow"), unavailable("b", "it is new"), unavailable("c", "it is slow")];
    let text = text(&replay, None);
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("Not measured")).collect();
    assert_eq!(lines, ["Not measured, for it is slow: a; c.", "Not measured, for it is new: b."]);
}

#[test]
fn what_is_unreliable_says_by_how_much() {
    let mut replay = replay(Verdict::NoRing);
    let gate = |in_program_ns, replayed_ns| {
        Some(Believed {
            in_program_ns,
            in_program_least_ns: in_program_ns,
            runs: 1,
            replayed_ns,
            ratio: in_program_ns / replayed_ns,
            scaled: false,
            passed: false,
        })
    };
    replay.gate = gate(600_000.0, 450_000.0);
    replay.cost_source = "recorded";
    replay.backend = "ebpf".to_owned();
    assert!(text(&replay, None).contains("savings may be 25 % smaller than shown."));
    replay.cost_source = "think_time";
    replay.backend = "ptrace".to_owned();
    let estimated = text(&replay, None);
    assert!(estimated.contains("(an estimate, the tracer's jitter in it)"), "{estimated}");
    assert!(estimated.contains("savings may be 1.33 times what is shown."), "{estimated}");
    let between = Believed {
        in_program_least_ns: 500_000.0,
        runs: 7,
        ..replay.gate.unwrap_or_else(|| unreachable!("set above"))
    };
    replay.gate = Some(between);
    assert!(
        text(&replay, None).contains("500 µs to 600 µs in the program (the middle of 7 runs)"),
        "{}",
        text(&replay, None)
    );
    replay.gate = gate(300_000.0, 600_000.0);
    assert!(text(&replay, None).contains("Savings may be 50 % smaller than shown."));
}

#[test]
fn what_is_scaled_says_so() {
    let mut replay = replay(Verdict::NoRing);
    replay.backend = "ebpf".to_owned();
    replay.cost_source = "recorded";
    replay.gate = Some(Believed {
        in_program_ns: 420_000.0,
        in_program_least_ns: 400_000.0,
        runs: 7,
        replayed_ns: 300_000.0,
        ratio: 4.0 / 3.0,
        scaled: true,
        passed: true,
    });
    let told = text(&replay, None);
    assert!(
        told.contains(
            "take 300 µs here, 400 µs to 420 µs in the program (the middle of 7 runs), 1.33 times as much:"
        ),
        "{told}"
    );
    assert!(told.contains("Projections are scaled by that;") && !told.contains("unreliable"), "{told}");
    replay.cost_source = "think_time";
    assert!(text(&replay, None).contains("Projections take what they take here;"));
}

#[test]
fn the_best_way_is_named_beside_the_plain_ring() {
    let mut replay = replay(Verdict::Slower { row: 5, punted: None });
    replay
        .rows
        .push(Row { way: "hybrid", ..row("hybrid, depth 128, lookahead 1", Some(1), Some(1.2), Some(0)) });
    let text = text(&replay, None);
    let told = "1.20 times the time of plain calls with ring and plain calls mixed (7.30 times with a \
                ring for all of them).";
    assert!(text.contains(told), "{text}");
}

#[test]
fn only_all_is_a_hundred_per_cent() {
    let mut replay = replay(Verdict::NoRing);
    replay.coverage.share = 20_001.0 / 20_003.0;
    replay.coverage.fidelity = 20_001.0 / 20_002.0;
    let nearly = text(&replay, None);
    assert!(nearly.contains("replayed (>99.9 %), >99.9 % of those"), "{nearly}");
    (replay.coverage.share, replay.coverage.fidelity) = (1.0, 1.0);
    let all = text(&replay, None);
    assert!(all.contains("replayed (100 %), 100 % of those"), "{all}");
}

#[test]
fn calls_that_differ_are_not_among_other_reasons() {
    let reason = |reason: &str, calls| Reason { reason: reason.to_owned(), calls };
    let five: Vec<Reason> = (1..6).map(|calls| reason("so", 10 - calls)).collect();
    assert_eq!(reasons(&five), "9 so; 8 so; 7 so; 6 so; 5 so");
    let eight = [&five[..], &[reason("thus", 4), reason(DIFFERS, 3), reason("thus", 2)]].concat();
    let told = format!("9 so; 8 so; 7 so; 6 so; 3 {DIFFERS}; 11 for other reasons");
    assert_eq!(reasons(&eight), told);
}

#[test]
fn without_a_cold_wall_time_that_is_what_is_missing() {
    let mut replay = replay(Verdict::NoRing);
    (replay.wall, replay.cache) = (None, "cold (drop_caches)");
    let text = text(&replay, None);
    assert!(
        text.contains("its wall time with cold caches is not known (--rerun -- CMD measures it;"),
        "{text}"
    );
}
