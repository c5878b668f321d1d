//! An engine that makes no calls: it answers every step with what is expected, or wrongly where told to.
//!
//! It shows in tests that verification and measurement take an engine at its results and not at its word.

#![cfg(test)]

use std::io;
use std::sync::Arc;

use super::{Counts, Engine};
use crate::run::Run;
use crate::sys::calls::Observed;

#[derive(Debug, Default)]
pub(crate) struct Mock {
    /// Steps to answer otherwise.
    pub(crate) wrong: Vec<(u32, Observed)>,
    /// Steps to leave out.
    pub(crate) forgotten: Vec<u32>,
}

impl Engine for Mock {
    fn run(&mut self, run: &Arc<Run>) -> io::Result<Counts> {
        for (step, &expected) in run.program.expected.iter().enumerate() {
            let step = step as u32;
            if self.forgotten.contains(&step) {
                continue;
            }
            let wrong = self.wrong.iter().find(|(wrong, _)| *wrong == step);
            run.record(step, wrong.map_or(expected, |&(_, observed)| observed));
        }
        Ok(Counts::default())
    }
}
