//! Strategy 1 with think time: the same calls in the same order, with the program's pauses between them.
//!
//! In a hot loop the kernel's code and data stay in the processor's caches, so a call costs less there than in
//! the program, which does something else in between. Here the pauses are filled with work on memory and code
//! that evicts them ([`Pollution`]), and each call is timed by itself: an estimate of the program's own cost that lies nearer than
//! the loop's floor.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::pollution::Pollution;
use super::serial::executed;
use super::{Counts, Engine};
use crate::program::Program;
use crate::run::Run;
use crate::sys::calls::Scratch;

/// Pauses are cut to this: longer ones evict no more, and a replay is not to take as long as a server ran.
const LONGEST_PAUSE: Duration = Duration::from_millis(2);
/// How often the clock is read to learn what reading it costs.
const CLOCK_READS: u32 = 1000;

#[derive(Debug)]
pub(crate) struct Thinking {
    steps: Vec<(u32, Duration)>,
    /// Of each of `steps`: what its call took in the last run.
    took_ns: Vec<u32>,
    scratch: Scratch,
    pollution: Pollution,
}

impl Thinking {
    /// `think` has one pause for each step of the program.
    pub(crate) fn new(program: &Program, think: &[u64], disturb: bool) -> Self {
        let pause = |&step: &u32| Duration::from_nanos(think.get(step as usize).copied().unwrap_or(0));
        let steps: Vec<(u32, Duration)> =
            executed(program).iter().map(|step| (*step, pause(step).min(LONGEST_PAUSE))).collect();
        Self {
            took_ns: vec![0; steps.len()],
            steps,
            scratch: Scratch::new(program.room()),
            pollution: Pollution::new(disturb),
        }
    }

    /// What each executed step took in the last run, in nanoseconds, the clock's own time taken off.
    pub(crate) fn costs(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.steps.iter().map(|&(step, _)| step).zip(self.took_ns.iter().copied())
    }
}

impl Engine for Thinking {
    fn run(&mut self, run: &Arc<Run>) -> io::Result<Counts> {
        let clock_ns = clock_ns();
        let mut total = 0_u64;
        for (&(step, pause), took) in self.steps.iter().zip(&mut self.took_ns) {
            if !pause.is_zero() {
                self.pollution.pass(pause);
            }
            let begin = Instant::now();
            run.perform(step, &mut self.scratch);
            let ns = (begin.elapsed().as_nanos() as u64).saturating_sub(clock_ns);
            *took = u32::try_from(ns).unwrap_or(u32::MAX);
            total += ns;
        }
        std::hint::black_box(&self.pollution);
        Ok(Counts { kernel_entries: self.steps.len() as u64, calls_ns: Some(total), ..Counts::default() })
    }
}

/// What two readings of the clock in a row differ by, at the least.
fn clock_ns() -> u64 {
    let reads = (0..CLOCK_READS).map(|_| Instant::now().elapsed().as_nanos() as u64);
    reads.min().unwrap_or(0)
}
