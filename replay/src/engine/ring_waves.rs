//! Strategies 4 and 5, and 7 to 10, which set the ring up otherwise: whatever the graph lets run goes into a ring, up to its depth.
//!
//! ```text
//! ready steps ──> ring, as many as fit ──> enter: submit, wait ──> completions make others ready
//!             └─> plain calls, where a ring has no such operation (or, as a hybrid, is known to do it worse)
//! ```

use std::io;
use std::sync::Arc;

use super::ready::Ready;
use super::waves::{Supply, Waves};
use super::{Counts, Engine, Tuning};
use crate::bind::Action;
use crate::graph::Graph;
use crate::program::Program;
use crate::run::Run;
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
    waves: Waves,
    steps: Steps,
}

/// The steps that are ready, and which of them are for the ring.
#[derive(Debug)]
struct Steps {
    ready: Ready,
    into: Into,
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
        Self { waves: Waves::new(program, ring), steps: Steps { ready: Ready::new(graph), into } }
    }
}

impl Supply for Steps {
    fn fill(&mut self, waves: &mut Waves, run: &Run, counts: &mut Counts) {
        while let Some(step) = self.ready.pop() {
            let action = run.program.action(step);
            if !action.is_executed() {
                self.ready.done(step);
                continue;
            }
            if self.into == Into::Inline && !is_inline(action) {
                waves.plain.push(step);
                continue;
            }
            match waves.ring.push(step) {
                Pushed::Taken { stand_in } => {
                    counts.submissions += 1;
                    counts.stand_ins += u64::from(stand_in);
                }
                Pushed::NotForRings => waves.plain.push(step),
                Pushed::Full => {
                    self.ready.unpop(step);
                    break;
                }
            }
        }
    }

    fn done(&mut self, step: u32) {
        self.ready.done(step);
    }
}

fn is_inline(action: &Action) -> bool {
    matches!(action, Action::Open { .. } | Action::Close { .. } | Action::Read { .. } | Action::Pread { .. })
}

impl Engine for RingWaves {
    fn prepare(&mut self) -> io::Result<()> {
        self.steps.ready.reset();
        Ok(())
    }

    fn run(&mut self, run: &Arc<Run>) -> io::Result<Counts> {
        self.waves.run(&mut self.steps, run)
    }
}
