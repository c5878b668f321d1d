//! Every order that the rules allow comes to the same, and no rule can be left out.

use super::*;
use crate::bind::{Action, Order};
use crate::graph::{Graph, Lookahead, Rule, Rules};
use crate::plan::Share;
use crate::run::Run;
use crate::scratch::in_tree;
use crate::scratch::place::Base;
use crate::sys::calls::Scratch as Buffers;

/// A run in a tree of its own, without confinement: for plans of these tests only.
pub(super) fn in_own_tree(plan: Plan, base: &Path) -> Run {
    fs::create_dir(base.join(crate::scratch::manifest::OWN_DIRECTORY)).unwrap();
    let here = Base {
        directory: base.to_owned(),
        file_system: String::new(),
        original: None,
        passes_freed_inodes: false,
    };
    in_tree(plan, &ScratchLimits::default(), &here, base, Guard::Namespaces, |_| ()).unwrap().0
}

/// What a log has.
type Write = fn(&mut Log);

/// Whether so many random orders that the graph allows all come to the log's results and the same tree.
fn all_orders_match(log: Log, rules: Rules) -> bool {
    let base = tempfile::tempdir().unwrap();
    let run = in_own_tree(log.plan(), base.path());
    let graph = Graph::with_rules(&run.program, Lookahead::ALL, 1000, rules);
    let mut buffers = Buffers::new(run.program.room());
    (0..200).all(|seed| {
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
