//! Strategy 2: plain calls from several threads over the same graph. The control: parallelism without a ring.
//!
//! ```text
//! a thread: do a step ──> of those it made ready: go on with the first, keep the others
//!           somebody is hungry ──> offer half of what is kept
//!           nothing to go on with ──> take a share of what is offered, or look out for a while, then sleep
//! ```
//!
//! Shares keep threads from meeting at the lock for every call, which takes less time than the lock would. A chain of
//! steps stays on its thread, so a graph without parallelism costs what the serial engine costs. The calling thread
//! is one of the threads.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::{Counts, Engine};
use crate::graph::Graph;
use crate::run::Run;
use crate::sys::calls::{Room, Scratch};

/// How often a thread without work looks for some before it sleeps: some tens of microseconds. Only where each thread can have a
/// processor: else it would look with one that another needs to work.
const LOOKS: u32 = 2000;

#[derive(Debug)]
pub(crate) struct Threads {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    scratch: Scratch,
}

#[derive(Debug)]
struct Shared {
    graph: Arc<Graph>,
    waits: Vec<AtomicU32>,
    left: AtomicUsize,
    /// How many steps are offered: looked at without the lock.
    offered: AtomicUsize,
    /// How many threads have nothing to do.
    hungry: AtomicUsize,
    over: AtomicBool,
    threads: usize,
    looks: u32,
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    offers: Vec<u32>,
    /// The run at hand, and how many there have been.
    run: Option<Arc<Run>>,
    runs: u64,
    sleeping: usize,
    working: usize,
    quit: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleep<'a>(&self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        state.sleeping += 1;
        let mut state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        state.sleeping -= 1;
        state
    }

    /// Does steps until none is left in the run.
    fn work(&self, run: &Run, scratch: &mut Scratch) {
        let mut kept = Vec::new();
        while self.take(&mut kept) {
            // Told once a share: threads that told each other of every step would wait for each other's caches.
            let mut done = 0;
            while let Some(step) = kept.pop() {
                if run.program.action(step).is_executed() {
                    run.perform(step, scratch);
                }
                self.free_successors(step, &mut kept);
                done += 1;
                if kept.len() > 1 && self.somebody_waits() {
                    self.offer(&mut kept);
                }
            }
            self.done(done);
        }
    }

    /// Acquire and release along the edges: whoever runs a step sees the descriptors that those before it made.
    /// What comes first in the log is kept last, to be taken first.
    fn free_successors(&self, step: u32, kept: &mut Vec<u32>) {
        for &successor in self.graph.successors(step).iter().rev() {
            if self.waits[successor as usize].fetch_sub(1, Ordering::AcqRel) == 1 {
                kept.push(successor);
            }
        }
    }

    fn done(&self, steps: usize) {
        if self.left.fetch_sub(steps, Ordering::AcqRel) == steps {
            let state = self.lock();
            self.over.store(true, Ordering::Release);
            drop(state);
            self.wake.notify_all();
        }
    }

    /// Whether a thread has nothing to do and nothing to take. One that only waits for a processor has something to take.
    fn somebody_waits(&self) -> bool {
        self.hungry.load(Ordering::Relaxed) > 0 && self.offered.load(Ordering::Relaxed) == 0
    }

    /// The half that would be done last.
    fn offer(&self, kept: &mut Vec<u32>) {
        let mut state = self.lock();
        state.offers.extend(kept.drain(..kept.len() / 2));
        self.offered.store(state.offers.len(), Ordering::Release);
        let sleeping = state.sleeping > 0;
        drop(state);
        if sleeping {
            self.wake.notify_one();
        }
    }

    /// Whether there is more to do, and a share of it.
    fn take(&self, kept: &mut Vec<u32>) -> bool {
        self.hungry.fetch_add(1, Ordering::Relaxed);
        let taken = self.wait_for_offers(kept);
        self.hungry.fetch_sub(1, Ordering::Relaxed);
        taken
    }

    fn wait_for_offers(&self, kept: &mut Vec<u32>) -> bool {
        for _ in 0..self.looks {
            if self.over.load(Ordering::Acquire) {
                return false;
            }
            if self.offered.load(Ordering::Acquire) > 0 {
                break;
            }
            std::hint::spin_loop();
        }
        let mut state = self.lock();
        loop {
            if !state.offers.is_empty() {
                let left = state.offers.len() - state.offers.len().div_ceil(2 * self.threads);
                kept.extend(state.offers.drain(left..));
                self.offered.store(left, Ordering::Release);
                if left > 0 && state.sleeping > 0 {
                    self.wake.notify_one();
                }
                return true;
            }
            if self.over.load(Ordering::Acquire) {
                return false;
            }
            state = self.sleep(state);
        }
    }

    fn worker(&self, room: Room) {
        let mut scratch = Scratch::new(room);
        let mut seen = 0;
        loop {
            let mut state = self.lock();
            while !state.quit && (state.runs == seen || state.run.is_none()) {
                state = self.sleep(state);
            }
            if state.quit {
                return;
            }
            seen = state.runs;
            let Some(run) = state.run.clone() else { continue };
            state.working += 1;
            drop(state);
            self.work(&run, &mut scratch);
            drop(run);
            self.lock().working -= 1;
            self.wake.notify_all();
        }
    }
}

impl Threads {
    /// `threads` of them, the caller's included; they inherit what confines the caller.
    pub(crate) fn new(graph: Arc<Graph>, room: Room, threads: u32) -> io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let shared = Arc::new(Shared {
            looks: if threads as usize <= cores { LOOKS } else { 0 },
            waits: graph.waits.iter().map(|&waits| AtomicU32::new(waits)).collect(),
            left: AtomicUsize::new(0),
            offered: AtomicUsize::new(0),
            hungry: AtomicUsize::new(0),
            over: AtomicBool::new(true),
            threads: threads.max(1) as usize,
            state: Mutex::default(),
            wake: Condvar::new(),
            graph,
        });
        let mut engine = Self { shared, workers: Vec::new(), scratch: Scratch::new(room) };
        for _ in 1..threads {
            let shared = Arc::clone(&engine.shared);
            let worker =
                std::thread::Builder::new().name("replay".into()).spawn(move || shared.worker(room))?;
            engine.workers.push(worker);
        }
        Ok(engine)
    }
}

impl Engine for Threads {
    fn prepare(&mut self) -> io::Result<()> {
        let shared = &self.shared;
        for (waits, &initial) in shared.waits.iter().zip(&shared.graph.waits) {
            waits.store(initial, Ordering::Relaxed);
        }
        let mut state = shared.lock();
        state.offers.clear();
        state.offers.extend(shared.graph.roots());
        state.offers.reverse();
        shared.left.store(shared.graph.len(), Ordering::Relaxed);
        shared.offered.store(state.offers.len(), Ordering::Release);
        shared.over.store(shared.graph.len() == 0, Ordering::Release);
        Ok(())
    }

    fn run(&mut self, run: &Arc<Run>) -> io::Result<Counts> {
        let mut state = self.shared.lock();
        state.run = Some(Arc::clone(run));
        state.runs += 1;
        drop(state);
        if !self.workers.is_empty() {
            self.shared.wake.notify_all();
        }
        self.shared.work(run, &mut self.scratch);
        let mut state = self.shared.lock();
        state.run = None;
        while state.working > 0 {
            state = self.shared.sleep(state);
        }
        Ok(Counts { kernel_entries: run.program.executed() as u64, ..Counts::default() })
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.shared.lock().quit = true;
        self.shared.wake.notify_all();
        for worker in self.workers.drain(..) {
            // A worker that panicked has said so itself.
            let _ = worker.join();
        }
    }
}
