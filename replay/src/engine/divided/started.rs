//! Threads that are started for the calls and joined: in the time taken is what both cost.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::thread::{Builder, Scope};

use super::Order;
use super::cut::parts;
use crate::engine::{Counts, Engine};
use crate::graph::Graph;
use crate::program::Program;
use crate::run::Run;
use crate::sys::calls::Scratch;

/// What the C library gives a thread if nothing else is asked for. It keeps 40 MiB of stacks: more are mapped anew in each run,
/// as they are in a program.
const STACK: usize = 8 << 20;

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
        let parts = &mut self.parts;
        let mut failed = Ok(());
        std::thread::scope(|scope| {
            for part in parts {
                if let Err(error) = start(scope, order, run, part) {
                    failed = Err(error);
                }
            }
        });
        failed?;
        Ok(Counts { kernel_entries: run.program.executed() as u64, ..Counts::default() })
    }
}

/// A part without a thread is done here, for others may wait for it.
fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    order: &'scope Order,
    run: &'scope Run,
    (steps, scratch): &'scope mut Part,
) -> io::Result<()> {
    let part = steps.clone();
    let started =
        Builder::new().stack_size(STACK).spawn_scoped(scope, move || order.work(run, part, scratch));
    let alone = || order.work(run, steps.clone(), &mut Scratch::new(run.program.room()));
    started.map(drop).inspect_err(|_| alone())
}
