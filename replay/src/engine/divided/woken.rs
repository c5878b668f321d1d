//! Threads that are there already and sleep: they are woken, and the caller does the first part itself.

use std::io;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use super::Order;
use super::cut::parts;
use crate::engine::{Counts, Engine};
use crate::graph::Graph;
use crate::program::Program;
use crate::run::Run;
use crate::sys::calls::Scratch;

#[derive(Debug)]
pub(in crate::engine) struct Woken {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    part: Range<u32>,
    scratch: Scratch,
}

#[derive(Debug)]
struct Shared {
    order: Order,
    state: Mutex<State>,
    begin: Condvar,
    end: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The run at hand, and how many there have been.
    run: Option<Arc<Run>>,
    runs: u64,
    working: usize,
    quit: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn worker(&self, part: &Range<u32>, mut scratch: Scratch) {
        let mut seen = 0;
        loop {
            let state = self.begin.wait_while(self.lock(), |state| !state.quit && state.runs == seen);
            let state = state.unwrap_or_else(PoisonError::into_inner);
            if state.quit {
                return;
            }
            seen = state.runs;
            let run = state.run.clone();
            drop(state);
            if let Some(run) = run {
                self.order.work(&run, part.clone(), &mut scratch);
            }
            let mut state = self.lock();
            state.working -= 1;
            let is_last = state.working == 0;
            drop(state);
            if is_last {
                self.end.notify_one();
            }
        }
    }
}

impl Woken {
    /// `threads` of them, the caller's included; they inherit what confines the caller.
    pub(in crate::engine) fn new(program: &Program, graph: Arc<Graph>, threads: u32) -> io::Result<Self> {
        let mut parts = parts(program, &graph, threads.max(1) as usize).into_iter();
        let part = parts.next().unwrap_or_default();
        let shared = Shared {
            order: Order::new(graph),
            state: Mutex::default(),
            begin: Condvar::new(),
            end: Condvar::new(),
        };
        let scratch = || Scratch::new(program.room());
        let mut engine = Self { shared: Arc::new(shared), workers: Vec::new(), part, scratch: scratch() };
        for part in parts {
            let (shared, scratch) = (Arc::clone(&engine.shared), scratch());
            let worker = Builder::new().name("replay".into()).spawn(move || shared.worker(&part, scratch))?;
            engine.workers.push(worker);
        }
        Ok(engine)
    }
}

impl Engine for Woken {
    fn prepare(&mut self) -> io::Result<()> {
        self.shared.order.reset();
        Ok(())
    }

    fn run(&mut self, run: &Arc<Run>) -> io::Result<Counts> {
        let mut state = self.shared.lock();
        state.run = Some(Arc::clone(run));
        state.runs += 1;
        state.working = self.workers.len();
        drop(state);
        self.shared.begin.notify_all();
        self.shared.order.work(run, self.part.clone(), &mut self.scratch);
        let state = self.shared.end.wait_while(self.shared.lock(), |state| state.working > 0);
        state.unwrap_or_else(PoisonError::into_inner).run = None;
        Ok(Counts { kernel_entries: run.program.executed() as u64, ..Counts::default() })
    }
}

impl Drop for Woken {
    fn drop(&mut self) {
        self.shared.lock().quit = true;
        self.shared.begin.notify_all();
        for worker in self.workers.drain(..) {
            // A worker that panicked has said so itself.
            let _ = worker.join();
        }
    }
}
