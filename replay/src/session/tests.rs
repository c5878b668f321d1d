//! A session where something is missing.

use super::*;
use crate::plan::Op;
use crate::testing::Script;

#[test]
fn without_rings_the_other_strategies_run_and_the_reason_is_given() {
    let mut script = Script::new();
    let main = script.main;
    script.write("a", "1");
    script.open(main, "a", 0, 3);
    script.call(main, Op::Fstat { fd: 3 }, 0);
    script.close(main, 3);
    let (plan, _directory) = script.build();
    let options = Options { blocks: 6, ..Options::default() };
    let replay = || {
        let mut session = Session::begin(plan, &options, |_| ()).unwrap();
        session.no_ring = Some("switched off".to_owned());
        session.finish().unwrap()
    };
    let outcome = std::thread::scope(|scope| scope.spawn(replay).join().unwrap());
    assert!(outcome.rows.iter().all(|row| !row.strategy.needs_ring()));
    let (rings, others): (Vec<_>, Vec<_>) =
        outcome.unavailable.iter().partition(|(strategy, _)| strategy.needs_ring());
    assert_eq!(rings.len(), options.strategies.iter().filter(|strategy| strategy.needs_ring()).count());
    assert!(rings.iter().all(|(_, reason)| reason == "io_uring is switched off"), "{rings:?}");
    assert!(others.iter().all(|(strategy, _)| matches!(strategy, Strategy::Thinking { .. })), "{others:?}");
    assert!(outcome.rows.iter().all(|row| row.figures.is_ok()));
}

#[test]
fn what_recording_does_besides_its_known_cost_is_its_share_of_the_time() {
    let near = |share: f64, expected: f64| assert!((share - expected).abs() < 1e-9, "{share}");
    // Of 20 µs recorded, 5 are known to be the recorder's; of the others a third was there without it.
    near(share_untraced(5_000.0, 20_000.0, 5_000.0), 1.0 / 3.0);
    near(share_untraced(15_000.0, 20_000.0, 5_000.0), 1.0);
    // A program that waited less when it was recorded; and a log of nobody's known cost.
    near(share_untraced(30_000.0, 20_000.0, 5_000.0), 1.0);
    near(share_untraced(5_000.0, 20_000.0, 0.0), 1.0);
    // More than all of it.
    near(share_untraced(5_000.0, 20_000.0, 25_000.0), 1.0);
}

/// What the gate and the projection say of 100 calls of 1000 ns, 2000 ns apart.
fn saved(wall_ns: f64, added_ns: f64) -> f64 {
    let mut script = Script::new();
    let main = script.main;
    for index in 0..100 {
        let path = script.builder.path(b"/").unwrap();
        let call = crate::plan::StatCall::Stat;
        let op = Op::Stat { at: crate::At::Cwd, path, flags: 0, call };
        let begin = index * 3000;
        script.builder.call(main, op, crate::Recorded::returned(0).at(begin, begin + 1000)).unwrap();
    }
    let (plan, _directory) = script.build();
    let options = Options {
        strategies: vec![Strategy::Free],
        wall_ns: vec![wall_ns; 5],
        recorded: RecordedTimes::Costs { probe_ns: 0.0, most_probe_ns: 0.0 },
        added_ns,
        blocks: 6,
        ..Options::default()
    };
    let outcome = replay(plan, &options, |_| ()).unwrap();
    let free = outcome.row(Strategy::Free).unwrap().figures.as_ref().unwrap().projection.unwrap();
    wall_ns - free.wall_ns.median
}

#[test]
fn what_the_log_says_of_calls_is_seen_against_the_untraced_time() {
    let near = |saved: f64, expected: f64| assert!((saved - expected).abs() < 1.0, "{saved} {expected}");
    // 298 µs, less 980 ns a call: 200 µs, where the program took 150. So the calls took 75 to 100.
    near(saved(150_000.0, 980.0), 87_500.0);
    near(saved(150_000.0, 0.0), 100_000.0);
    near(saved(900_000.0, 980.0), 100_000.0);
}
