//! Strategy 12, the usual half: an asynchronous application on tokio, whose file calls go to the pool of blocking
//! threads, one task a call (as `tokio::fs` does it).
//!
//! The tasks are made in an order that the graph allows; each completion makes others ready. The pool is tokio's
//! own, with its own number of threads, which are started by the untimed first run and then kept.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::ready::Ready;
use super::{Counts, Engine};
use crate::graph::Graph;
use crate::run::Run;
use crate::sys::calls::{Room, Scratch};

/// Longer than any measurement.
const KEEP_THREADS: Duration = Duration::from_secs(3600);

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::new(Room::default()));
}

#[derive(Debug)]
pub(crate) struct TokioBlocking {
    runtime: Runtime,
    ready: Ready,
    room: Room,
    done: UnboundedSender<u32>,
    completions: UnboundedReceiver<u32>,
}

impl TokioBlocking {
    pub(crate) fn new(graph: Arc<Graph>, room: Room) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().thread_keep_alive(KEEP_THREADS).build()?;
        let (done, completions) = unbounded_channel();
        Ok(Self { runtime, ready: Ready::new(graph), room, done, completions })
    }
}

/// The call, on a thread of the pool.
fn perform(run: &Run, step: u32, room: Room) {
    SCRATCH.with_borrow_mut(|scratch| {
        scratch.grow(room);
        run.perform(step, scratch);
    });
}

impl Engine for TokioBlocking {
    fn prepare(&mut self) -> io::Result<()> {
        self.ready.reset();
        Ok(())
    }

    fn run(&mut self, run: &Arc<Run>) -> io::Result<Counts> {
        let Self { runtime, ready, room, done, completions } = self;
        let (room, mut in_flight) = (*room, 0_usize);
        runtime.block_on(async {
            loop {
                while let Some(step) = ready.pop() {
                    if !run.program.action(step).is_executed() {
                        ready.done(step);
                        continue;
                    }
                    let (run, done) = (Arc::clone(run), done.clone());
                    in_flight += 1;
                    tokio::task::spawn_blocking(move || {
                        perform(&run, step, room);
                        drop(run);
                        // The receiver is the engine's, which waits for this.
                        let _ = done.send(step);
                    });
                }
                if in_flight == 0 {
                    break;
                }
                if let Some(step) = completions.recv().await {
                    in_flight -= 1;
                    ready.done(step);
                }
            }
        });
        Ok(Counts { kernel_entries: run.program.executed() as u64, ..Counts::default() })
    }
}
