//! Schedules of plans with known answers.

use super::{CallCost, Schedule};
use crate::plan::{At, CallId, Op, PlanBuilder, Recorded, Scope, Share, StatCall, ThreadId};

/// A plan in the making, its times in microseconds.
struct Threads {
    builder: PlanBuilder,
    replayed: Vec<CallId>,
}

const THREAD: Share = Share { thread: true, files: true, fs: true };

impl Threads {
    fn new() -> (Self, ThreadId) {
        let mut builder = PlanBuilder::default();
        let main = builder.process(Some(b"/")).unwrap();
        (Self { builder, replayed: Vec::new() }, main)
    }

    fn add(&mut self, thread: ThreadId, op: Op, from: u64, to: u64) -> CallId {
        self.builder.call(thread, op, Recorded::returned(0).at(from * 1000, to * 1000)).unwrap()
    }

    /// A replayed call.
    fn stat(&mut self, thread: ThreadId, from: u64, to: u64) {
        let path = self.builder.path(b"/").unwrap();
        let stat = Op::Stat { at: At::Cwd, path, flags: 0, call: StatCall::Stat };
        let id = self.add(thread, stat, from, to);
        self.replayed.push(id);
    }

    fn futex(&mut self, thread: ThreadId, address: u64, from: u64, to: u64) {
        self.add(thread, Op::Unknown(Scope::All), from, to);
        self.builder.meets(address);
    }

    fn schedule(self, cores: usize) -> Option<Schedule> {
        let replayed = self.replayed;
        Schedule::of(&self.builder.build(), cores, |id| replayed.contains(&id))
    }
}

fn micros(schedule: &Schedule, factor: f64) -> f64 {
    schedule.makespan_ns(CallCost { factor, ..CallCost::LOGGED }).unwrap() / 1000.0
}

/// Main makes a thread, both work, main waits for it: 100 µs of calls on each, main done at 300 and the other at 500.
fn two_threads() -> Threads {
    let (mut threads, main) = Threads::new();
    threads.add(main, Op::Inert, 0, 1);
    let other = threads.builder.child(main, THREAD).unwrap();
    threads.stat(main, 100, 200);
    threads.stat(other, 200, 300);
    threads.futex(other, 7, 500, 501);
    threads.futex(main, 7, 300, 502);
    threads
}

#[test]
fn only_the_longest_chain_counts() {
    let schedule = two_threads().schedule(2).unwrap();
    assert_eq!(schedule.threads(), 2);
    assert!(
        (micros(&schedule, 1.0) - schedule.logged_ns() / 1000.0).abs() < 1.0,
        "{}",
        micros(&schedule, 1.0)
    );
    // The other thread's call is on the way, main's own is not, until it is the longer.
    assert!((micros(&schedule, 0.0) - 402.0).abs() < 1.0, "{}", micros(&schedule, 0.0));
    assert!((micros(&schedule, 2.0) - 602.0).abs() < 1.0, "{}", micros(&schedule, 2.0));
}

#[test]
fn what_one_thread_saves_another_uses_where_there_is_one_processor() {
    // On one processor both threads ran at half speed in the log.
    let schedule = two_threads().schedule(1).unwrap();
    let (before, free) = (micros(&schedule, 1.0), micros(&schedule, 0.0));
    assert!((before - 502.0).abs() < 20.0, "{before}");
    // Of 200 µs of calls about 100 to 150 were work, the others waited for the processor.
    assert!(before - free > 90.0 && before - free < 160.0, "{before} {free}");
}

#[test]
fn a_way_that_uses_more_processors_gains_nothing_where_there_are_none() {
    let (mut threads, main) = Threads::new();
    let other = threads.builder.child(main, THREAD).unwrap();
    threads.stat(main, 0, 100);
    threads.stat(other, 0, 100);
    let schedule = threads.schedule(2).unwrap();
    let halved = |cores| schedule.makespan_ns(CallCost { factor: 0.5, more_ns: 0.0, cores }).unwrap();
    assert!((halved(1.0) - 50_000.0).abs() < 1.0);
    assert!((halved(2.0) - 100_000.0).abs() < 1.0, "{}", halved(2.0));
}

#[test]
fn who_waits_for_nobody_known_sleeps_as_long_as_it_did() {
    let (mut threads, main) = Threads::new();
    let other = threads.builder.child(main, THREAD).unwrap();
    threads.stat(other, 0, 100);
    threads.futex(main, 1, 0, 400);
    let schedule = threads.schedule(2).unwrap();
    assert!((micros(&schedule, 0.0) - 400.0).abs() < 1.0);
    assert!((micros(&schedule, 10.0) - 1000.0).abs() < 1.0);
}

#[test]
fn a_thread_that_ends_lets_go_who_joins_it() {
    let (mut threads, main) = Threads::new();
    threads.add(main, Op::Inert, 0, 1);
    let other = threads.builder.child(main, THREAD).unwrap();
    threads.stat(other, 1, 101);
    threads.builder.exit(other).unwrap();
    threads.futex(main, 5, 2, 111);
    let schedule = threads.schedule(2).unwrap();
    assert!((micros(&schedule, 3.0) - 311.0).abs() < 1.0, "{}", micros(&schedule, 3.0));
}

#[test]
fn a_process_that_is_waited_for_is_on_the_way() {
    let (mut threads, main) = Threads::new();
    threads.add(main, Op::Inert, 0, 10);
    let child = threads.builder.child(main, Share::default()).unwrap();
    let process = threads.builder.process_of(child).unwrap();
    threads.stat(child, 20, 120);
    threads.builder.exit(child).unwrap();
    threads.add(main, Op::Wait { child: process }, 15, 130);
    let schedule = threads.schedule(2).unwrap();
    assert!((micros(&schedule, 1.0) - 130.0).abs() < 1.0, "{}", micros(&schedule, 1.0));
    assert!((micros(&schedule, 0.0) - 30.0).abs() < 1.0, "{}", micros(&schedule, 0.0));
}

#[test]
fn one_thread_or_no_times_is_no_schedule() {
    let (mut threads, main) = Threads::new();
    threads.stat(main, 0, 1);
    assert!(threads.schedule(2).is_none());
    let (mut threads, main) = Threads::new();
    threads.builder.child(main, THREAD).unwrap();
    let call = threads.builder.call(main, Op::Getcwd, Recorded::returned(0)).unwrap();
    threads.replayed.push(call);
    assert!(threads.schedule(2).is_none());
}

#[test]
fn times_that_cannot_be_end_all_the_same() {
    let mut random = fastrand::Rng::with_seed(5);
    for _ in 0..200 {
        let (mut threads, main) = Threads::new();
        let mut all = vec![main];
        for _ in 0..random.usize(2..40) {
            let thread = all[random.usize(..all.len())];
            let from = random.u64(..60);
            let to = from + random.u64(..60);
            match random.u8(..4) {
                0 => all.push(threads.builder.child(thread, THREAD).unwrap()),
                1 => threads.stat(thread, from, to),
                2 => threads.futex(thread, random.u64(..2), from, to),
                _ => drop(threads.add(thread, Op::Unknown(Scope::All), from, to)),
            }
        }
        if let Some(schedule) = threads.schedule(2) {
            for factor in [0.0, 1.0, 1e9] {
                let makespan = schedule.makespan_ns(CallCost { factor, ..CallCost::LOGGED });
                assert!(makespan.is_none_or(|ns| ns.is_finite() && ns >= 0.0), "{makespan:?}");
            }
        }
    }
}
