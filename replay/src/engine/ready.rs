//! Which steps may run next, for engines that run the graph from one thread.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::graph::Graph;

/// The front of a run through the graph.
#[derive(Debug)]
pub(crate) struct Ready {
    graph: Arc<Graph>,
    waits: Vec<u32>,
    queue: VecDeque<u32>,
}

impl Ready {
    pub(crate) fn new(graph: Arc<Graph>) -> Self {
        let waits = graph.waits.clone();
        let queue = VecDeque::with_capacity(graph.len());
        Self { graph, waits, queue }
    }

    /// Back to the beginning, without allocating.
    pub(crate) fn reset(&mut self) {
        self.waits.copy_from_slice(&self.graph.waits);
        self.queue.clear();
        self.queue.extend(self.graph.roots());
    }

    pub(crate) fn pop(&mut self) -> Option<u32> {
        self.queue.pop_front()
    }

    /// Puts a step back that could not be taken yet.
    pub(crate) fn unpop(&mut self, step: u32) {
        self.queue.push_front(step);
    }

    /// The step is done: those that waited only for it are ready.
    pub(crate) fn done(&mut self, step: u32) {
        for &successor in self.graph.successors(step) {
            let waits = &mut self.waits[successor as usize];
            *waits -= 1;
            if *waits == 0 {
                self.queue.push_back(successor);
            }
        }
    }
}
