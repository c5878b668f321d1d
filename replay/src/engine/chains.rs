//! Strategy 6: linked chains. A file that is opened, read and closed is one hand-off, without a descriptor of the
//! process (a direct one); other steps in a row on one descriptor are linked, too.
//!
//! Links are hard ones: a short read ends a soft chain, and the close would not be done.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use super::units::{LONGEST, Units};
use super::{Counts, Engine};
use crate::graph::Graph;
use crate::program::Program;
use crate::run::Run;
use crate::sys::calls::Scratch;
use crate::sys::ring::{Pushed, Ring};

#[derive(Debug)]
pub(crate) struct Chains {
    graph: Arc<Graph>,
    units: Units,
    ring: Ring,
    waits: Vec<u32>,
    ready: VecDeque<u32>,
    plain: Vec<u32>,
    scratch: Scratch,
}

impl Chains {
    pub(crate) fn new(program: &Program, graph: Arc<Graph>, depth: u32) -> io::Result<Self> {
        let room = program.room();
        let units = Units::new(program, &graph);
        let mut ring = Ring::new(depth.max(LONGEST as u32), room)?;
        if units.list.iter().any(|unit| unit.direct) {
            ring.make_slots()?;
        }
        Ok(Self {
            waits: units.waits.clone(),
            ready: VecDeque::with_capacity(units.list.len()),
            plain: Vec::with_capacity(program.steps.len()),
            scratch: Scratch::new(room),
            graph,
            units,
            ring,
        })
    }

    fn fill(&mut self, run: &Run, counts: &mut Counts) {
        while let Some(number) = self.ready.pop_front() {
            let unit = &self.units.list[number as usize];
            let is_single = unit.steps.len() == 1;
            if is_single && !run.program.action(unit.steps[0]).is_executed() {
                done(unit.steps[0], &self.graph, &self.units, &mut self.waits, &mut self.ready);
                continue;
            }
            let pushed = self.ring.push_chain(&unit.steps, unit.direct);
            match pushed {
                Pushed::Taken { stand_in } => {
                    counts.submissions += unit.steps.len() as u64;
                    counts.stand_ins += u64::from(stand_in);
                    counts.chains += u64::from(!is_single);
                }
                // Chains hold only what rings can do, unless a transfer is too large for the ring's buffers.
                Pushed::NotForRings => self.plain.extend(&unit.steps),
                Pushed::Full => {
                    self.ready.push_front(number);
                    break;
                }
            }
        }
    }

    fn wave(&mut self, run: &Run, counts: &mut Counts) -> io::Result<()> {
        counts.kernel_entries += self.ring.hand_over(self.plain.is_empty())?;
        let Self { plain, graph, units, waits, ready, scratch, ring, .. } = self;
        for step in plain.drain(..) {
            counts.kernel_entries += run.perform_beside_ring(step, scratch);
            done(step, graph, units, waits, ready);
        }
        ring.completed(|step, observed| {
            run.record(step, observed);
            done(step, graph, units, waits, ready);
        });
        Ok(())
    }
}

/// The step is done: units that waited only for it are ready.
fn done(step: u32, graph: &Graph, units: &Units, waits: &mut [u32], ready: &mut VecDeque<u32>) {
    let own = units.unit_of[step as usize];
    for &successor in graph.successors(step) {
        let unit = units.unit_of[successor as usize];
        if unit == own {
            continue;
        }
        let waits = &mut waits[unit as usize];
        *waits -= 1;
        if *waits == 0 {
            ready.push_back(unit);
        }
    }
}

impl Engine for Chains {
    fn prepare(&mut self) -> io::Result<()> {
        self.waits.copy_from_slice(&self.units.waits);
        self.ready.clear();
        let first = self.waits.iter().zip(0..).filter(|(waits, _)| **waits == 0);
        self.ready.extend(first.map(|(_, unit)| unit));
        Ok(())
    }

    fn run(&mut self, run: &Arc<Run>) -> io::Result<Counts> {
        let mut counts = Counts::default();
        self.ring.begin(run);
        loop {
            self.fill(run, &mut counts);
            if self.ring.in_flight() == 0 && self.plain.is_empty() {
                break;
            }
            self.wave(run, &mut counts)?;
        }
        self.ring.end();
        Ok(counts)
    }
}
