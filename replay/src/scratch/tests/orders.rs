//! Every order that the rules allow comes to the same, and no rule can be left out.

use super::*;
use crate::bind::{Action, Order};
use crate::graph::{Graph, Lookahead};
use crate::plan::{RangeLock, Share};
use crate::rehearse::Difference;
use crate::rule::{Rule, Rules};
use crate::run::Run;
use crate::scratch::in_tree;
use crate::scratch::place::Base;
use crate::sys::calls::Scratch as Buffers;

/// A run in a tree of its own, without confinement: for plans of these tests only.
pub(super) fn in_own_tree(plan: Plan, base: &Path) -> Run {
    with_differences(plan, base).0
}

/// The same, and the calls that have other results there.
pub(super) fn with_differences(plan: Plan, base: &Path) -> (Run, Vec<Difference>) {
    fs::create_dir(base.join(crate::scratch::manifest::OWN_DIRECTORY)).unwrap();
    let here = Base {
        directory: base.to_owned(),
        file_system: String::new(),
        original: None,
        passes_freed_inodes: false,
    };
    let (run, differences, _) =
        in_tree(plan, &ScratchLimits::default(), &here, base, Guard::Namespaces, 1000, |_| ()).unwrap();
    (run, differences)
}

/// What a log has.
type Write = fn(&mut Log);

/// Whether all random orders that the graph allows come to the log's results and the same tree.
pub(super) fn all_orders_match(log: Log, rules: Rules) -> bool {
    let base = tempfile::tempdir().unwrap();
    orders_match(&in_own_tree(log.plan(), base.path()), rules, 200)
}

/// The same of so many orders of a run.
pub(super) fn orders_match(run: &Run, rules: Rules, orders: u64) -> bool {
    let graph = Graph::with_rules(&run.program, Lookahead::ALL, 1000, rules);
    let mut buffers = Buffers::new(run.program.room());
    (0..orders).all(|seed| {
        let mut random = fastrand::Rng::with_seed(seed);
        run.reset().unwrap();
        let mut waits = graph.waits.clone();
        let mut ready: Vec<u32> = graph.roots().collect();
        while !ready.is_empty() {
            let step = ready.swap_remove(random.usize(..ready.len()));
            if !matches!(
                run.program.action(step),
                Action::Order(Order::Start { .. } | Order::Wait { .. } | Order::Barrier(_))
            ) {
                run.perform(step, &mut buffers);
            }
            for &successor in graph.successors(step) {
                waits[successor as usize] -= 1;
                if waits[successor as usize] == 0 {
                    ready.push(successor);
                }
            }
        }
        run.mismatches().next().is_none() && run.wrong_file(false).unwrap().is_none()
    })
}

#[test]
fn every_order_that_the_rules_allow_comes_to_the_same() {
    assert!(all_orders_match(install(), Rules::ALL));
}

#[test]
fn every_rule_about_files_is_needed() {
    let logs: [(Rule, Write); 5] = [
        (Rule::Lock, |log| {
            log.open("a", CREATE, 3);
            log.open("a", libc::O_RDONLY as u32, 4);
            log.call(Op::Lock { fd: 3, operation: libc::LOCK_EX as u32 }, 0);
            let busy = (libc::LOCK_SH | libc::LOCK_NB) as u32;
            log.call(Op::Lock { fd: 4, operation: busy }, -i64::from(libc::EWOULDBLOCK));
            // This gives it up.
            log.close(3);
            log.call(Op::Lock { fd: 4, operation: libc::LOCK_EX as u32 }, 0);
        }),
        (Rule::Data, |log| {
            log.open("a", CREATE, 3);
            log.open("a", libc::O_RDONLY as u32, 4);
            log.call(Op::Pwrite { fd: 3, count: 10, offset: 0 }, 10);
            log.call(Op::Pread { fd: 4, count: 20, offset: 0 }, 10);
        }),
        (Rule::Entry, |log| {
            log.stat("a", ENOENT, StatFacts::default());
            log.mkdir("a", 0);
            log.mkdir("a/b", 0);
        }),
        (Rule::Listing, |log| {
            log.mkdir("a", 0);
            log.open("a", libc::O_DIRECTORY as u32, 4);
            log.create("a/b", 1);
            log.call(Op::ListDir { fd: 4, count: 4096 }, 72);
        }),
        (Rule::Attributes, |log| {
            log.create("a", 3);
            let path = log.path("a");
            log.stat("a", 0, file(0o644, 3, 1));
            log.call(Op::Chmod { at: At::Cwd, path, mode: 0o600 }, 0);
            log.stat("a", 0, file(0o600, 3, 1));
        }),
    ];
    for (rule, write) in logs {
        let log = || {
            let mut log = Log::new();
            log.stat(".", 0, StatFacts { mode: Some(libc::S_IFDIR | 0o755), ..StatFacts::default() });
            write(&mut log);
            log
        };
        assert!(all_orders_match(log(), Rules::ALL), "{rule:?}");
        assert!(!all_orders_match(log(), Rules::without(rule)), "{rule:?} is not needed");
    }
}

/// How many steps the rehearsal left: those that came to what the log says.
pub(super) fn executed(run: &Run) -> usize {
    run.program.steps.iter().filter(|step| step.action.is_executed()).count()
}

/// A lock of the first ten bytes, or (`F_UNLCK`) their being given up.
fn lock(fd: i32, kind: i32) -> Op {
    let lock = RangeLock {
        asks: false,
        of_description: false,
        kind: kind as i16,
        whence: libc::SEEK_SET as i16,
        start: 0,
        length: 10,
    };
    Op::LockRange { fd, lock }
}

/// Two processes that want the same bytes.
fn two_lockers() -> Log {
    let mut log = Log::new();
    log.stat(".", 0, StatFacts { mode: Some(libc::S_IFDIR | 0o755), ..StatFacts::default() });
    log.create("a", 20);
    let child = log.builder.child(log.main, Share::default()).unwrap();
    let path = log.path("a");
    let open = Op::Open { at: At::Cwd, path, flags: libc::O_RDWR as u32, mode: 0, resolve: 0 };
    log.call(open, 3);
    log.by(child, open, 4);
    log.call(lock(3, libc::F_WRLCK), 0);
    log.by(child, lock(4, libc::F_RDLCK), -i64::from(libc::EAGAIN));
    log.call(lock(3, libc::F_UNLCK), 0);
    log.by(child, lock(4, libc::F_RDLCK), 0);
    log
}

#[test]
fn processes_that_lock_parts_of_a_file_keep_each_other_out() {
    let base = tempfile::tempdir().unwrap();
    assert_eq!(executed(&in_own_tree(two_lockers().plan(), base.path())), 10);
    assert!(all_orders_match(two_lockers(), Rules::ALL));
    assert!(!all_orders_match(two_lockers(), Rules::without(Rule::Lock)));
}

#[test]
fn a_process_is_not_kept_out_by_its_own_locks() {
    let mut log = Log::new();
    log.stat(".", 0, StatFacts { mode: Some(libc::S_IFDIR | 0o755), ..StatFacts::default() });
    log.create("a", 20);
    log.open("a", libc::O_RDWR as u32, 3);
    log.open("a", libc::O_RDWR as u32, 4);
    log.call(lock(3, libc::F_WRLCK), 0);
    log.call(lock(4, libc::F_WRLCK), 0);
    log.close(4);
    log.call(lock(3, libc::F_UNLCK), 0);
    log.close(3);
    let base = tempfile::tempdir().unwrap();
    assert_eq!(executed(&in_own_tree(log.plan(), base.path())), 11);
}

#[test]
fn copies_at_offsets_leave_the_own_ones_alone() {
    let base = tempfile::tempdir().unwrap();
    let mut log = Log::new();
    log.stat(".", 0, StatFacts { mode: Some(libc::S_IFDIR | 0o755), ..StatFacts::default() });
    log.open("from", libc::O_RDONLY as u32, 3);
    log.open("to", libc::O_RDWR as u32 | libc::O_CREAT as u32 | libc::O_EXCL as u32, 4);
    log.write(4, 5);
    let at = |bytes| Offset::at(bytes).unwrap();
    let copy =
        |from_offset, to_offset, call| Op::Copy { from: 3, from_offset, to: 4, to_offset, count: 10, call };
    log.call(copy(at(90), at(100), CopyCall::Range), 10);
    log.call(copy(Offset::OWN, at(0), CopyCall::Range), 10);
    log.call(copy(at(0), Offset::OWN, CopyCall::Send), 10);
    // One wrote, the other moved with it.
    for (fd, offset) in [(3, 10), (4, 15)] {
        log.call(Op::Seek { fd, offset: 0, whence: libc::SEEK_CUR as u32 }, offset);
    }
    log.call(copy(at(100), at(200), CopyCall::Range), 0);
    let facts = file(0o644, 110, 1);
    log.builder.call(log.main, Op::Fstat { fd: 4 }, Recorded::returned(0).with_stat(facts)).unwrap();
    log.close(3);
    log.close(4);
    let calls = log.plan();
    let run = in_own_tree(calls, base.path());
    assert_eq!(executed(&run), 13);
    assert_eq!(Offset::at(-1), None);
    assert_eq!(
        (at(0).bytes(), at(i64::MAX).bytes(), Offset::OWN.bytes()),
        (Some(0), Some(i64::MAX as u64), None)
    );
}

#[test]
fn threads_of_a_log_keep_what_they_did_to_each_other() {
    let mut log = Log::new();
    log.stat(".", 0, StatFacts { mode: Some(libc::S_IFDIR | 0o755), ..StatFacts::default() });
    let share = Share { thread: true, files: true, fs: true };
    let workers: Vec<ThreadId> = (0..4).map(|_| log.builder.child(log.main, share).unwrap()).collect();
    log.mkdir("out", 0);
    for round in 0..6 {
        for (number, &worker) in workers.iter().enumerate() {
            let path = log.path(&format!("out/{round}-{number}"));
            let fd = 10 + number as i32;
            log.by(
                worker,
                Op::Open { at: At::Cwd, path, flags: CREATE, mode: 0o600, resolve: 0 },
                i64::from(fd),
            );
            log.by(worker, Op::Write { fd, count: 50, scope: Scope::Process }, 50);
            log.by(worker, Op::Close { fd }, 0);
            let (from, to) = (path, log.path(&format!("out/{number}")));
            log.by(worker, Op::Rename { from_at: At::Cwd, from, to_at: At::Cwd, to, flags: 0 }, 0);
        }
    }
    log.rename("out", "done", 0);
    log.stat("done/3", 0, file(0o600, 50, 1));
    assert!(all_orders_match(log, Rules::ALL));
}
