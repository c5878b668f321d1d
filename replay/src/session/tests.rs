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
