//! Strategies 4 and 5, and 7 to 10, which set the ring up otherwise: whatever the graph lets run goes into a ring, up to its depth.
//!
//! ```text
//! ready steps ──> ring, as many as fit ──> enter: submit, wait ──> completions make others ready
//!             └─> plain calls, where a ring has no such operation (or, as a hybrid, is known to do it worse)
//! ```

use std::io;
use std::sync::Arc;

use super::ready::Ready;
use super::{Counts, Engine, Tuning};
use crate::bind::Action;
use crate::graph::Graph;
use crate::program::Program;
use crate::run::Run;
use crate::sys::calls::Scratch;
use crate::sys::ring::{Pushed, Ring};

/// What goes into the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Into {
    /// All there is an operation for.
    All,
    /// What the kernel does at once if its caches have it: open, read, close. A stat always goes to a worker thread.
    Inline,
}

#[derive(Debug)]
pub(crate) struct RingWaves {
    ready: Ready,
    ring: Ring,
    into: Into,
    /// Steps for plain calls, taken while a wave is put together.
    plain: Vec<u32>,
    scratch: Scratch,
}

impl RingWaves {
    pub(crate) fn new(program: &Program, graph: Arc<Graph>, depth: u32, into: Into) -> io::Result<Self> {
        Ok(Self::with(program, graph, Ring::new(depth, program.room())?, into))
    }

    /// All that is ready into a ring that is set up otherwise.
    pub(crate) fn tuned(
        program: &Program,
        graph: Arc<Graph>,
        depth: u32,
        tuning: Tuning,
    ) -> io::Result<Self> {
        let ring = Ring::tuned(depth, program.room(), Some(tuning))?;
        Ok(Self::with(program, graph, ring, Into::All))
    }

    fn with(program: &Program, graph: Arc<Graph>, ring: Ring, into: Into) -> Self {
        let plain = Vec::with_capacity(program.steps.len());
        Self { ready: Ready::new(graph), ring, into, plain, scratch: Scratch::new(program.room()) }
    }

    /// Puts ready steps into the ring until it is full or there are none.
    fn fill(&mut self, run: &Run, counts: &mut Counts) {
        while let Some(step) = self.ready.pop() {
            let action = run.program.action(step);
            if !action.is_executed() {
                self.ready.done(step);
                continue;
            }
            if self.into == Into::Inline && !is_inline(action) {
                self.plain.push(step);
                continue;
            }
            match self.ring.push(step) {
                Pushed::Taken { stand_in } => {
                    counts.submissions += 1;
                    counts.stand_ins += u64::from(stand_in);
                }
                Pushed::NotForRings => self.plain.push(step),
                Pushed::Full => {
                    self.ready.unpop(step);
                    break;
                }
            }
        }
    }

    /// Hands the wave over; waits for a part of it if there is nothing else to do.
    fn wave(&mut self, run: &Run, counts: &mut Counts) -> io::Result<()> {
        counts.kernel_entries += self.ring.hand_over(self.plain.is_empty())?;
        for step in self.plain.drain(..) {
            counts.kernel_entries += run.perform_beside_ring(step, &mut self.scratch);
            self.ready.done(step);
        }
        let ready = &mut self.ready;
        self.ring.completed(|step, observed| {
            run.record(step, observed);
            ready.done(step);
        });
        Ok(())
    }
}

fn is_inline(action: &Action) -> bool {
    matches!(action, Action::Open { .. } | Action::Close { .. } | Action::Read { .. } | Action::Pread { .. })
}

impl Engine for RingWaves {
    fn prepare(&mut self) -> io::Result<()> {
        self.ready.reset();
        Ok(())
    }

    fn run(&mut self, run: &Arc<Run>) -> io::Result<Counts> {
        let mut counts = Counts::default();
        self.ring.begin(run);
        loop {
            self.fill(run, &mut counts);
            if self.ring.in_flight() == 0 && self.plain.is_empty() {
                break;
            }
            self.wave(run, &mut counts)?;
        }
        self.ring.end();
        Ok(counts)
    }
}
