//! What order leaves open: a plan's parallelism, without executing anything.

use crate::ReplayError;
use crate::bind::bind;
use crate::graph::{Graph, Lookahead};
use crate::plan::Plan;
use crate::program::Program;
use crate::sys::calls::Observed;

/// The shape of a plan's graph, as far as it can be known without looking at any file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Steps: calls that could be replayed, what orders them, and closes that the kernel did by itself.
    pub steps: usize,
    /// How many of them are executed.
    pub executed: usize,
    /// The longest chain of executed steps, each waiting for the one before.
    pub longest_chain: usize,
}

impl Order {
    /// How many steps could run at once on average, if each took as long as another.
    #[must_use]
    pub fn parallelism(&self) -> f64 {
        self.executed as f64 / self.longest_chain.max(1) as f64
    }
}

/// Works out what waits for what in a plan, and executes nothing.
pub fn order(plan: Plan, lookahead: Lookahead) -> Result<Order, ReplayError> {
    let bound = bind(&plan)?;
    let expected = vec![Observed::default(); bound.steps.len()];
    let program = Program {
        plan,
        steps: bound.steps,
        expected,
        handles: bound.handles,
        descriptions: bound.descriptions,
        initial: bound.initial,
        skips: bound.skips,
        accesses: None,
    };
    let graph = Graph::new(&program, lookahead, usize::MAX - 1);
    let mut depth = vec![0_usize; graph.len()];
    let mut longest_chain = 0;
    for step in 0..graph.len() as u32 {
        let own = depth[step as usize] + usize::from(program.action(step).is_executed());
        longest_chain = longest_chain.max(own);
        for &successor in graph.successors(step) {
            let depth = &mut depth[successor as usize];
            *depth = own.max(*depth);
        }
    }
    Ok(Order { steps: graph.len(), executed: program.executed(), longest_chain })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Script;

    #[test]
    fn the_longest_chain_of_files_is_one_file() {
        let plan = || {
            let mut script = Script::new();
            let main = script.main;
            for _ in 0..5 {
                script.open(main, "a", 0, 3);
                script.read(main, 3, 9, 9);
                script.close(main, 3);
            }
            script.build().0
        };
        let all = order(plan(), Lookahead::ALL).unwrap();
        assert_eq!(all, Order { steps: 15, executed: 15, longest_chain: 3 });
        assert_eq!(order(plan(), Lookahead::FAITHFUL).unwrap().longest_chain, 15);
    }
}
