//! The loop of engines that keep a ring full: whatever may run goes into the ring, up to its depth, and what rings have no
//! operation for is done beside it.

use std::io;
use std::sync::Arc;

use super::Counts;
use crate::program::Program;
use crate::run::Run;
use crate::sys::calls::Scratch;
use crate::sys::ring::Ring;

/// What may run now.
pub(super) trait Supply {
    /// Puts it into the ring until that is full or there is nothing, and the rest among the plain calls.
    fn fill(&mut self, waves: &mut Waves, run: &Run, counts: &mut Counts);

    /// A step is done: others may run.
    fn done(&mut self, step: u32);
}

/// A ring, and what is done beside it.
#[derive(Debug)]
pub(super) struct Waves {
    pub(super) ring: Ring,
    /// Steps for plain calls, taken while a wave is put together.
    pub(super) plain: Vec<u32>,
    scratch: Scratch,
}

impl Waves {
    pub(super) fn new(program: &Program, ring: Ring) -> Self {
        let plain = Vec::with_capacity(program.steps.len());
        Self { ring, plain, scratch: Scratch::new(program.room()) }
    }

    /// Runs until there is nothing more.
    pub(super) fn run(&mut self, supply: &mut impl Supply, run: &Arc<Run>) -> io::Result<Counts> {
        let mut counts = Counts::default();
        self.ring.begin(run);
        loop {
            supply.fill(self, run, &mut counts);
            if self.ring.in_flight() == 0 && self.plain.is_empty() {
                break;
            }
            self.wave(supply, run, &mut counts)?;
        }
        self.ring.end();
        Ok(counts)
    }

    /// Hands the wave over; waits for a part of it if there is nothing else to do.
    fn wave(&mut self, supply: &mut impl Supply, run: &Run, counts: &mut Counts) -> io::Result<()> {
        counts.kernel_entries += self.ring.hand_over(self.plain.is_empty())?;
        for step in self.plain.drain(..) {
            counts.kernel_entries += run.perform(step, &mut self.scratch);
            supply.done(step);
        }
        self.ring.completed(|step, observed| {
            run.record(step, observed);
            supply.done(step);
        });
        Ok(())
    }
}
