//! Which step waits for which: the partial order that every engine keeps.
//!
//! ```text
//! steps in log order ──> edges (what a step reads was written before it) ──> waiting counts + successors
//! ```
//!
//! Resources are versions: a descriptor slot's generation, an open file description's offset, a working
//! directory, a process behind a barrier. An edge goes from the step that made a version to those that use it,
//! and from those to the step that ends it. Edges always lead forward in the log, so there is no cycle.

mod build;
mod lookahead;
#[cfg(test)]
mod tests;
mod uses;

pub use lookahead::Lookahead;

use crate::program::Program;
use crate::rule::Rules;

/// The order of a program's steps.
#[derive(Debug)]
pub(crate) struct Graph {
    /// Of each step: how many others it waits for.
    pub(crate) waits: Vec<u32>,
    /// Of each step: where its successors begin in `successors`; one more than there are steps.
    starts: Vec<u32>,
    successors: Vec<u32>,
}

impl Graph {
    /// The graph of a program, all rules in force.
    pub(crate) fn new(program: &Program, lookahead: Lookahead, descriptor_budget: usize) -> Self {
        build::build(program, lookahead, Rules::ALL, descriptor_budget)
    }

    /// With some rules only: to show that all are needed.
    #[cfg(test)]
    pub(crate) fn with_rules(program: &Program, lookahead: Lookahead, budget: usize, rules: Rules) -> Self {
        build::build(program, lookahead, rules, budget)
    }

    /// The steps that wait for this one.
    pub(crate) fn successors(&self, step: u32) -> &[u32] {
        let index = step as usize;
        &self.successors[self.starts[index] as usize..self.starts[index + 1] as usize]
    }

    pub(crate) fn len(&self) -> usize {
        self.waits.len()
    }

    /// The steps that wait for nothing, in log order.
    pub(crate) fn roots(&self) -> impl Iterator<Item = u32> + '_ {
        self.waits.iter().enumerate().filter(|&(_, &waits)| waits == 0).map(|(step, _)| step as u32)
    }

    /// From the predecessors of each step, one list after the other, ending at `ends`.
    fn from_predecessors(ends: &[u32], predecessors: &[u32]) -> Self {
        let steps = ends.len();
        let mut starts = vec![0_u32; steps + 1];
        for &predecessor in predecessors {
            starts[predecessor as usize + 1] += 1;
        }
        for index in 0..steps {
            starts[index + 1] += starts[index];
        }
        let mut next = starts.clone();
        let mut successors = vec![0_u32; predecessors.len()];
        let mut waits = Vec::with_capacity(steps);
        let mut begin = 0;
        for (step, &end) in ends.iter().enumerate() {
            for &predecessor in &predecessors[begin as usize..end as usize] {
                let place = &mut next[predecessor as usize];
                successors[*place as usize] = step as u32;
                *place += 1;
            }
            waits.push(end - begin);
            begin = end;
        }
        Self { waits, starts, successors }
    }
}
