//! Each rule by itself: with all rules every order gives the log's results; with one switched off, a plan
//! made for it fails.

use std::fs;

use super::*;
use crate::plan::{Op, Scope, Share};
use crate::rule::Rule;
use crate::testing::{DIRECTORY, Script, run_in_some_order, unrehearsed};

const ENOENT: i64 = -libc::ENOENT as i64;
const ORDERS: u64 = 100;

fn graph(program: &Program, lookahead: Lookahead, rules: Rules) -> Graph {
    build::build(program, lookahead, rules, 1000)
}

/// 100 random orders under all rules match; under `without`, at least one of 100 does not. The effect of
/// unknown calls is to make `made`, if the script has any.
fn needed(script: Script, without: Rules) {
    let made = script.path().join("made");
    let (plan, _directory) = script.build();
    let program = unrehearsed(plan);
    let run = |graph: &Graph, seed| {
        let _ = fs::remove_file(&made);
        run_in_some_order(&program, graph, seed, |_| fs::write(&made, "").unwrap())
    };
    for lookahead in [Lookahead::FAITHFUL, Lookahead::calls(4), Lookahead::ALL] {
        let all = graph(&program, lookahead, Rules::ALL);
        for seed in 0..ORDERS {
            run(&all, seed).unwrap_or_else(|step| panic!("{lookahead}, {seed}: {:?}", program.action(step)));
        }
    }
    let fewer = graph(&program, Lookahead::ALL, without);
    assert!((0..ORDERS).any(|seed| run(&fewer, seed).is_err()), "no order fails without the rule");
}

#[test]
fn processes() {
    let mut script = Script::new();
    let main = script.main;
    script.stat(main, "made", ENOENT);
    script.call(main, Op::Unknown(Scope::Process), 0);
    let child = script.fork(main);
    script.stat(child, "made", 0);
    needed(script, Rules::without(Rule::Process));

    let mut script = Script::new();
    let main = script.main;
    let child = script.fork(main);
    let process = script.builder.process_of(child).unwrap();
    script.call(child, Op::Unknown(Scope::Process), 0);
    script.builder.exit(child).unwrap();
    script.call(main, Op::Wait { child: process }, 0);
    script.stat(main, "made", 0);
    needed(script, Rules::without(Rule::Process));
}

#[test]
fn descriptor_slots() {
    let mut script = Script::new();
    let main = script.main;
    for name in ["a", "b", "c"] {
        script.write(name, name);
        script.open(main, name, 0, 3);
        script.call(main, Op::Fstat { fd: 3 }, 0);
        script.call(main, Op::Pread { fd: 3, count: 9, offset: 0 }, 1);
        script.close(main, 3);
    }
    needed(script, Rules::without(Rule::Slot));
}

#[test]
fn open_file_descriptions() {
    let mut script = Script::new();
    let main = script.main;
    script.write("a", "0123456789");
    script.open(main, "a", 0, 3);
    script.call(main, Op::Dup { fd: 3, cloexec: true }, 4);
    for (fd, count, ret) in [(3, 4, 4), (4, 5, 5), (3, 4, 1), (4, 4, 0)] {
        script.read(main, fd, count, ret);
    }
    script.call(main, Op::Seek { fd: 3, offset: 8, whence: 0 }, 8);
    script.read(main, 4, 4, 2);
    script.close(main, 3);
    script.close(main, 4);
    needed(script, Rules::without(Rule::Description));
}

#[test]
fn working_directories() {
    let mut script = Script::new();
    let main = script.main;
    script.write("d/inner", "1");
    script.write("d/e/innermost", "1");
    script.stat(main, "inner", ENOENT);
    script.chdir(main, "d");
    script.stat(main, "inner", 0);
    script.open(main, "e", DIRECTORY, 3);
    script.call(main, Op::Fchdir { fd: 3 }, 0);
    script.stat(main, "inner", ENOENT);
    script.stat(main, "innermost", 0);
    script.stat(main, "../inner", 0);
    needed(script, Rules::without(Rule::Directory));
}

#[test]
fn unknown_calls() {
    let mut script = Script::new();
    let main = script.main;
    let share = Share { thread: true, files: true, fs: true };
    let thread = script.builder.child(main, share).unwrap();
    script.stat(thread, "made", ENOENT);
    script.call(main, Op::Unknown(Scope::Process), 0);
    script.stat(thread, "made", 0);
    needed(script, Rules::without(Rule::Unknown));

    let mut script = Script::new();
    let main = script.main;
    let child = script.fork(main);
    script.stat(child, "made", ENOENT);
    script.call(main, Op::Unknown(Scope::All), 0);
    script.stat(child, "made", 0);
    needed(script, Rules::without(Rule::Unknown));
}

#[test]
fn no_order_has_more_descriptors_open_than_there_may_be() {
    let mut script = Script::new();
    let main = script.main;
    script.write("a", "1");
    for _ in 0..30 {
        script.open(main, "a", 0, 3);
        script.open(main, "a", 0, 4);
        script.close(main, 3);
        script.close(main, 4);
    }
    let (plan, _directory) = script.build();
    let program = unrehearsed(plan);
    let most_open = |rules| {
        let graph = build::build(&program, Lookahead::ALL, rules, 5);
        let orders = (0..ORDERS).map(|seed| run_in_some_order(&program, &graph, seed, |_| ()).unwrap());
        orders.map(|order| most_open(&program, &order)).max().unwrap()
    };
    assert!(most_open(Rules::ALL) <= 5);
    assert!(most_open(Rules::without(Rule::Budget)) > 5);
}

fn most_open(program: &Program, order: &[u32]) -> usize {
    let (mut open, mut most) = (program.initial.len(), 0);
    for &step in order {
        open += usize::from(program.action(step).defines().is_some());
        open -= usize::from(program.action(step).closes().is_some());
        most = most.max(open);
    }
    most
}

#[test]
fn lookahead_is_a_window_in_each_thread() {
    let mut script = Script::new();
    let main = script.main;
    for _ in 0..6 {
        script.stat(main, "nowhere", ENOENT);
    }
    let (plan, _directory) = script.build();
    let program = unrehearsed(plan);
    let ready = |lookahead| graph(&program, lookahead, Rules::ALL).roots().count();
    assert_eq!(ready(Lookahead::FAITHFUL), 1);
    assert_eq!(ready(Lookahead::calls(4)), 4);
    assert_eq!(ready(Lookahead::ALL), 6);
    let four = graph(&program, Lookahead::calls(4), Rules::ALL);
    assert_eq!(four.successors(0), [4]);
    assert_eq!(four.successors(1), [5]);
    assert_eq!(four.successors(2), [0_u32; 0]);
}

#[test]
fn reuse_of_a_number_orders_nothing() {
    let mut script = Script::new();
    let main = script.main;
    for _ in 0..2 {
        script.open(main, "a", 0, 3);
        script.close(main, 3);
    }
    let (plan, _directory) = script.build();
    let graph = graph(&unrehearsed(plan), Lookahead::ALL, Rules::ALL);
    assert_eq!(graph.roots().collect::<Vec<_>>(), [0, 2]);
}
