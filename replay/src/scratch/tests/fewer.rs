//! What strategies leave out, or do as one: counted, and verified as all are.

use super::*;
use crate::graph::Lookahead;
use crate::{Counts, Without};

/// What strategies did with a plan, none of them void.
fn counts(plan: Plan, strategies: &[Strategy]) -> Vec<Counts> {
    let base = tempfile::tempdir().unwrap();
    let Some(&guard) = guards().first() else { return Vec::new() };
    let options = Options { strategies: strategies.to_vec(), blocks: 1, ..Options::default() };
    let scratch =
        Scratch { directory: Some(base.path().to_owned()), confinement: Some(guard), ..Scratch::default() };
    let told = replay_in_scratch(
        plan,
        &options,
        &scratch,
        |_| (),
        |outcome| {
            let told = strategies.iter().filter_map(|&strategy| {
                let row = outcome.row(strategy)?;
                assert!(row.figures.is_ok(), "{strategy}: {:?}", row.figures);
                let Counts { chains, answered_from_memory, .. } = row.counts;
                Some(format!("{chains} {answered_from_memory}"))
            });
            told.collect::<Vec<_>>().join("\n").into_bytes()
        },
    );
    let told = String::from_utf8(told.unwrap()).unwrap();
    let numbers = |line: &str| {
        let (chains, answered) = line.split_once(' ').unwrap();
        let (chains, answered_from_memory) = (chains.parse().unwrap(), answered.parse().unwrap());
        Counts { chains, answered_from_memory, ..Counts::default() }
    };
    told.lines().map(numbers).collect()
}

#[test]
fn a_file_that_is_made_written_closed_and_renamed_is_one_chain() {
    if let Err(reason) = crate::sys::ring::probe() {
        eprintln!("skipped: io_uring is {reason}");
        return;
    }
    let mut log = Log::new();
    for number in 0..10 {
        let (temporary, end) = (format!("{number}.new"), format!("{number}"));
        log.create(&temporary, 100);
        log.rename(&temporary, &end, 0);
    }
    let ways =
        [Lookahead::FAITHFUL, Lookahead::ALL].map(|lookahead| Strategy::Chains { depth: 64, lookahead });
    for counts in counts(log.plan(), &ways) {
        assert_eq!(counts.chains, 10);
    }
}

#[test]
fn permissions_are_given_as_files_are_made_where_nobody_looks_in_between() {
    let mut log = Log::new();
    for (number, looks) in [false, true, false, true, false].into_iter().enumerate() {
        let name = number.to_string();
        log.open(&name, CREATE, 4);
        if looks {
            log.builder.call(log.main, Op::Fstat { fd: 4 }, Recorded::returned(0)).unwrap();
        }
        log.call(Op::Fchmod { fd: 4, mode: 0o751 }, 0);
        log.close(4);
        log.stat(&name, 0, file(0o751, 0, 1));
    }
    // A file that was there before has its permissions already.
    log.stat("old", 0, file(0o644, 3, 1));
    log.open("old", (libc::O_WRONLY | libc::O_CREAT) as u32, 4);
    log.call(Op::Fchmod { fd: 4, mode: 0o700 }, 0);
    log.close(4);
    let without = [Strategy::Fewer(Without::Chmods)];
    if guards().first() == Some(&Guard::Namespaces) {
        assert_eq!(counts(log.plan(), &without)[0].answered_from_memory, 3);
    }
}

#[test]
fn a_copy_of_a_whole_file_can_be_a_second_name() {
    let mut log = Log::new();
    let copy = |log: &mut Log, from: &str, to: &str| {
        log.open(from, 0, 3);
        log.builder.call(log.main, Op::Fstat { fd: 3 }, Recorded::returned(0)).unwrap();
        log.open(to, CREATE, 4);
        // As `fstat` has been made since glibc 2.33.
        let (at, path, flags) = (At::Fd(4), log.path(""), libc::AT_EMPTY_PATH as u32);
        log.call(Op::Stat { at, path, flags, call: StatCall::Stat }, 0);
        for moved in [700, 0] {
            log.call(copied(3, 4, 4096), moved);
        }
        log.call(Op::Fchmod { fd: 4, mode: 0o755 }, 0);
        log.close(4);
        log.close(3);
        log.stat(to, 0, file(0o755, 700, 1));
    };
    for from in ["a", "b", "c"] {
        log.stat(from, 0, file(0o644, 700, 1));
    }
    copy(&mut log, "a", "a.copy");
    copy(&mut log, "b", "b.copy");
    // What is written to one of them later is not to be written to the other.
    log.open("b", libc::O_WRONLY as u32, 3);
    log.write(3, 5);
    log.close(3);
    copy(&mut log, "c", "c.copy");
    if guards().first() == Some(&Guard::Namespaces) {
        // Open, fstat and close of the original; stat, two copies, chmod and close.
        assert_eq!(counts(log.plan(), &[Strategy::Fewer(Without::Copies)])[0].answered_from_memory, 2 * 8);
    }
}

#[test]
fn a_copy_of_a_whole_file_can_share_its_blocks() {
    let mut log = Log::new();
    for (from, moved) in [("a", &[700_i64, 0][..]), ("b", &[700]), ("c", &[300])] {
        log.stat(from, 0, file(0o644, 700, 1));
        log.open(from, 0, 3);
        log.open(&format!("{from}.copy"), CREATE, 4);
        for &moved in moved {
            // The last is of a part.
            let count = if moved == 300 { 300 } else { 4096 };
            log.call(copied(3, 4, count), moved);
        }
        log.close(4);
        log.close(3);
    }
    let base = tempfile::tempdir().unwrap();
    let run = orders::in_own_tree(log.plan(), base.path());
    let shared = crate::engine::with_shared_blocks(&run.program);
    assert_eq!((shared.made.len(), shared.left_out.len()), (2, 1), "{shared:?}");
    let mut fewer = crate::engine::Fewer::new(&run.program, Without::CopiedBlocks).unwrap();
    let run = std::sync::Arc::new(run);
    run.reset().unwrap();
    crate::engine::Engine::run(&mut fewer, &run).unwrap();
    // Where blocks cannot be shared, the calls that would have done it are those that fail.
    let failed = if run.shares_blocks() { 0 } else { 2 };
    assert_eq!(run.mismatches().count(), failed);
    assert_eq!(run.wrong_file(false).unwrap().is_none(), failed == 0);
}

#[test]
fn directories_that_move_are_not_held() {
    let mut log = Log::new();
    for _ in 0..2 {
        log.mkdir("d", 0);
        log.mkdir("d/e", 0);
        for name in ["x", "y", "z"] {
            log.create(&format!("d/e/{name}"), 10);
        }
        log.unlink("d/e/z", 0, 0);
        log.rename("d", "f", 0);
        log.stat("f/e/x", 0, file(0o644, 10, 1));
        log.stat("f/e/z", ENOENT, StatFacts::default());
        for name in ["f/e/x", "f/e/y"] {
            log.unlink(name, 0, 0);
        }
        for name in ["f/e", "f"] {
            log.unlink(name, libc::AT_REMOVEDIR, 0);
        }
    }
    for counts in counts(log.plan(), &[Strategy::Relative]) {
        assert_eq!(counts.answered_from_memory, 0);
    }
}
