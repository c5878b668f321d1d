//! The schedule: processors shared equally, one item after the other of each thread.
//!
//! Time runs in steps from one end of an item to the next. What wants a processor advances together in *shared* time,
//! which is real time as long as there are processors for all, and slower in proportion when there are not: so
//! each such item has one shared time at which it ends, and nothing has to be counted down.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::{CallCost, NONE, Schedule, What};

/// A thread, and when it is done with its item.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Due {
    at: f64,
    thread: u32,
}

impl Eq for Due {}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at.total_cmp(&other.at).then(self.thread.cmp(&other.thread))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

struct Simulation<'a> {
    schedule: &'a Schedule,
    cost: CallCost,
    now: f64,
    /// What each of those that want a processor would have done by now.
    shared: f64,
    /// Processors wanted.
    wanted: f64,
    running: BinaryHeap<Reverse<Due>>,
    sleeping: BinaryHeap<Reverse<Due>>,
    /// Of each item: when it ended; not a number: not yet.
    ended: Vec<f64>,
    /// Of each thread: the item it is at.
    at: Vec<u32>,
    /// Of each item, the threads that wait for its end: the first, and of each thread the next.
    first_waiter: Vec<u32>,
    next_waiter: Vec<u32>,
    left: usize,
}

pub(super) fn makespan(schedule: &Schedule, cost: CallCost) -> Option<f64> {
    let threads = schedule.threads.len();
    let mut simulation = Simulation {
        schedule,
        cost,
        now: 0.0,
        shared: 0.0,
        wanted: 0.0,
        running: BinaryHeap::with_capacity(threads),
        sleeping: BinaryHeap::with_capacity(threads),
        ended: vec![f64::NAN; schedule.items.len()],
        at: schedule.threads.iter().map(|lane| lane.start).collect(),
        first_waiter: vec![NONE; schedule.items.len()],
        next_waiter: vec![NONE; threads],
        left: schedule.threads.iter().filter(|lane| !lane.is_empty()).count(),
    };
    for thread in 0..threads as u32 {
        if !schedule.threads[thread as usize].is_empty() {
            simulation.enter(thread);
        }
    }
    simulation.run()
}

impl Simulation<'_> {
    /// Until everything has ended; `None`: somebody waits for ever.
    fn run(mut self) -> Option<f64> {
        while self.left > 0 {
            let slower = (self.wanted / self.schedule.cores).max(1.0);
            let run = self.running.peek().map(|due| self.now + (due.0.at - self.shared).max(0.0) * slower);
            let sleep = self.sleeping.peek().map(|due| due.0.at);
            let is_run = match (run, sleep) {
                (Some(run), Some(sleep)) => run <= sleep,
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (None, None) => return None,
            };
            let until = if is_run { run } else { sleep }?.max(self.now);
            self.shared += (until - self.now) / slower;
            self.now = until;
            let Reverse(due) = if is_run { self.running.pop() } else { self.sleeping.pop() }?;
            if is_run {
                self.wanted -= self.cores_of(self.at[due.thread as usize]);
                if self.running.is_empty() {
                    self.wanted = 0.0;
                }
            }
            self.end(due.thread);
        }
        Some(self.now)
    }

    /// A thread is done with its item.
    fn end(&mut self, thread: u32) {
        let item = self.at[thread as usize];
        self.ended[item as usize] = self.now;
        let mut waiter = std::mem::replace(&mut self.first_waiter[item as usize], NONE);
        self.at[thread as usize] = item + 1;
        if item + 1 == self.schedule.threads[thread as usize].end {
            self.left -= 1;
        } else {
            self.enter(thread);
        }
        while waiter != NONE {
            let next = std::mem::replace(&mut self.next_waiter[waiter as usize], NONE);
            let lag_ns = self.schedule.items[self.at[waiter as usize] as usize].lag_ns;
            self.sleeping.push(Reverse(Due { at: self.now + lag_ns, thread: waiter }));
            waiter = next;
        }
    }

    /// A thread begins with its item.
    fn enter(&mut self, thread: u32) {
        let at = self.at[thread as usize];
        let item = self.schedule.items[at as usize];
        match item.what {
            What::Sleep if item.after == NONE => {
                self.sleeping.push(Reverse(Due { at: self.now + item.ns, thread }));
            }
            What::Sleep => {
                let ended = self.ended[item.after as usize];
                if ended.is_nan() {
                    self.wait_for(thread, item.after);
                } else {
                    let at = (ended + item.lag_ns).max(self.now);
                    self.sleeping.push(Reverse(Due { at, thread }));
                }
            }
            What::Work | What::Call => {
                self.wanted += self.cores_of(at);
                let ns = if item.what == What::Call {
                    item.ns * self.cost.factor + self.cost.more_ns
                } else {
                    item.ns
                };
                self.running.push(Reverse(Due { at: self.shared + ns, thread }));
            }
        }
    }

    fn wait_for(&mut self, thread: u32, item: u32) {
        let first = std::mem::replace(&mut self.first_waiter[item as usize], thread);
        self.next_waiter[thread as usize] = first;
    }

    /// Processors that an item uses.
    fn cores_of(&self, item: u32) -> f64 {
        match self.schedule.items[item as usize].what {
            What::Work => 1.0,
            What::Call => self.cost.cores.min(self.schedule.cores),
            What::Sleep => 0.0,
        }
    }
}
