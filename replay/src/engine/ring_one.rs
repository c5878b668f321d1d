//! Strategy 3: every call through a ring, one at a time, in log order. What a ring costs by itself.

use std::io;
use std::sync::Arc;

use super::serial::executed;
use super::{Counts, Engine};
use crate::program::Program;
use crate::run::Run;
use crate::sys::calls::Scratch;
use crate::sys::ring::{Pushed, Ring};

#[derive(Debug)]
pub(crate) struct RingOne {
    steps: Vec<u32>,
    ring: Ring,
    scratch: Scratch,
}

impl RingOne {
    pub(crate) fn new(program: &Program) -> io::Result<Self> {
        let room = program.room();
        Ok(Self { steps: executed(program), ring: Ring::new(1, room)?, scratch: Scratch::new(room) })
    }
}

impl Engine for RingOne {
    fn run(&mut self, run: &Arc<Run>) -> io::Result<Counts> {
        let mut counts = Counts::default();
        self.ring.begin(run);
        for &step in &self.steps {
            counts.kernel_entries += 1;
            match self.ring.push(step) {
                Pushed::Taken { stand_in } => {
                    counts.submissions += 1;
                    counts.stand_ins += u64::from(stand_in);
                    while self.ring.in_flight() > 0 {
                        self.ring.submit_and_wait(1)?;
                        self.ring.completed(|step, observed| run.record(step, observed));
                    }
                }
                Pushed::NotForRings | Pushed::Full => {
                    counts.kernel_entries += run.perform(step, &mut self.scratch) - 1;
                }
            }
        }
        self.ring.end();
        Ok(counts)
    }
}
