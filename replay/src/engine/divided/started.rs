//! Threads that are started for the calls and joined: in the time taken is what both cost.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use super::Order;
use super::cut::parts;
use crate::engine::{Counts, Engine};
use crate::graph::Graph;
use crate::program::Program;
use crate::run::Run;
use crate::sys::calls::Scratch;
use crate::sys::started::in_threads;

type Part = (Range<u32>, Scratch);

#[derive(Debug)]
pub(in crate::engine) struct Started {
    order: Order,
    parts: Vec<Part>,
}

impl Started {
    pub(in crate::engine) fn new(program: &Program, graph: Arc<Graph>, threads: u32) -> Self {
        let parts = parts(program, &graph, threads.max(1) as usize);
        let parts = parts.into_iter().map(|part| (part, Scratch::new(program.room()))).collect();
        Self { order: Order::new(graph), parts }
    }
}

impl Engine for Started {
    fn prepare(&mut self) -> io::Result<()> {
        self.order.reset();
        Ok(())
    }

    fn run(&mut self, run: &Arc<Run>) -> io::Result<Counts> {
        let order = &self.order;
        let parts = self.parts.iter_mut();
        let mut works: Vec<_> =
            parts.map(|(steps, scratch)| move || order.work(run, steps.clone(), scratch)).collect();
        in_threads(&mut works)?;
        Ok(Counts { kernel_entries: run.program.executed() as u64, ..Counts::default() })
    }
}
