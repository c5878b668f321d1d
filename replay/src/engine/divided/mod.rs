//! Strategy 2 as a program would be written that knows its calls: each thread is given its part beforehand, and is waited
//! for.
//!
//! The other threads ([`super::threads`]) share their work as they go: whoever is late gets less of it. A program that
//! divides its files once waits for its slowest part, and pays for every hand-over, or for making its threads:
//!
//! ```text
//! steps in log order:  [ part 1 | part 2 | ... ]   cut where the fewest steps need one before
//! woken:    caller does part 1 ───────┐            others sleep until there is work, as those of a pool do
//!           others wake, do theirs ───┴─> caller wakes, if it had to wait
//! started:  caller starts a thread for each part ──> joins them
//! ```
//!
//! A step that needs one of another part waits for it. Each part is done in log order, and a step needs only steps before it in
//! the log: so the first of all that are not done can always be done.

mod cut;
mod started;
mod woken;

use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

pub(super) use started::Started;
pub(super) use woken::Woken;

use crate::graph::Graph;
use crate::run::Run;
use crate::sys::calls::Scratch;

/// What the parts tell each other.
#[derive(Debug)]
struct Order {
    graph: Arc<Graph>,
    waits: Vec<AtomicU32>,
    /// Threads that wait for a step of another part.
    waiting: AtomicUsize,
    lock: Mutex<()>,
    freed: Condvar,
}

impl Order {
    fn new(graph: Arc<Graph>) -> Self {
        Self {
            waits: graph.waits.iter().map(|&waits| AtomicU32::new(waits)).collect(),
            waiting: AtomicUsize::new(0),
            lock: Mutex::new(()),
            freed: Condvar::new(),
            graph,
        }
    }

    /// Back to the beginning.
    fn reset(&self) {
        for (waits, &initial) in self.waits.iter().zip(&self.graph.waits) {
            waits.store(initial, Ordering::Relaxed);
        }
    }

    /// Does a part.
    fn work(&self, run: &Run, steps: Range<u32>, scratch: &mut Scratch) {
        for step in steps.clone() {
            if self.waits[step as usize].load(Ordering::Acquire) > 0 {
                self.wait_for(step);
            }
            if run.program.action(step).is_executed() {
                run.perform(step, scratch);
            }
            self.free_successors(step, steps.end);
        }
    }

    /// Acquire and release along the edges: whoever runs a step sees the descriptors that those before it made.
    fn free_successors(&self, step: u32, end: u32) {
        let mut of_others = false;
        for &successor in self.graph.successors(step) {
            let is_free = self.waits[successor as usize].fetch_sub(1, Ordering::SeqCst) == 1;
            of_others |= is_free && successor >= end;
        }
        // Who waits has said so before it looked for the last time, so either side sees the other.
        if of_others && self.waiting.load(Ordering::SeqCst) > 0 {
            drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner));
            self.freed.notify_all();
        }
    }

    fn wait_for(&self, step: u32) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = &self.waits[step as usize];
        let guard = self.freed.wait_while(guard, |()| waits.load(Ordering::SeqCst) > 0);
        drop(guard.unwrap_or_else(PoisonError::into_inner));
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}
