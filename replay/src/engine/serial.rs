//! Strategy 1: plain calls, one after the other, in log order, as fast as possible. The baseline.

use std::io;
use std::sync::Arc;

use super::{Counts, Engine};
use crate::program::Program;
use crate::run::Run;
use crate::sys::calls::Scratch;

#[derive(Debug)]
pub(crate) struct Serial {
    /// The executed steps.
    steps: Vec<u32>,
    scratch: Scratch,
}

impl Serial {
    pub(crate) fn new(program: &Program) -> Self {
        Self { steps: executed(program), scratch: Scratch::new(program.room()) }
    }
}

pub(crate) fn executed(program: &Program) -> Vec<u32> {
    let steps = program.steps.iter().enumerate();
    steps.filter(|(_, step)| step.action.is_executed()).map(|(index, _)| index as u32).collect()
}

impl Engine for Serial {
    fn run(&mut self, run: &Arc<Run>) -> io::Result<Counts> {
        for &step in &self.steps {
            run.perform(step, &mut self.scratch);
        }
        Ok(Counts { kernel_entries: self.steps.len() as u64, ..Counts::default() })
    }
}
