//! Strategy 6: linked chains. A file that is opened, read and closed is one hand-off, without a descriptor of the
//! process (a direct one); other steps in a row on one descriptor are linked, too.
//!
//! Links are hard ones: a short read ends a soft chain, and the close would not be done.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use super::units::{LONGEST, Units};
use super::waves::{Supply, Waves};
use super::{Counts, Engine};
use crate::graph::Graph;
use crate::program::Program;
use crate::run::Run;
use crate::sys::ring::{Pushed, Ring};

#[derive(Debug)]
pub(crate) struct Chains {
    waves: Waves,
    chains: ReadyUnits,
}

/// The units that are ready: single steps, and steps that are linked.
#[derive(Debug)]
struct ReadyUnits {
    graph: Arc<Graph>,
    units: Units,
    waits: Vec<u32>,
    ready: VecDeque<u32>,
}

impl Chains {
    pub(crate) fn new(program: &Program, graph: Arc<Graph>, depth: u32) -> io::Result<Self> {
        let units = Units::new(program, &graph);
        let mut ring = Ring::new(depth.max(LONGEST as u32), program.room())?;
        if units.list.iter().any(|unit| unit.direct) {
            ring.make_slots()?;
        }
        let (waits, ready) = (units.waits.clone(), VecDeque::with_capacity(units.list.len()));
        Ok(Self { waves: Waves::new(program, ring), chains: ReadyUnits { graph, units, waits, ready } })
    }
}

impl Supply for ReadyUnits {
    fn fill(&mut self, waves: &mut Waves, run: &Run, counts: &mut Counts) {
        while let Some(number) = self.ready.pop_front() {
            let unit = &self.units.list[number as usize];
            let is_single = unit.steps.len() == 1;
            if is_single && !run.program.action(unit.steps[0]).is_executed() {
                let step = unit.steps[0];
                self.done(step);
                continue;
            }
            match waves.ring.push_chain(&unit.steps, unit.direct) {
                Pushed::Taken { stand_in } => {
                    counts.submissions += unit.steps.len() as u64;
                    counts.stand_ins += u64::from(stand_in);
                    counts.chains += u64::from(!is_single);
                }
                // Chains hold only what rings can do, unless a transfer is too large for the ring's buffers.
                Pushed::NotForRings => waves.plain.extend(&unit.steps),
                Pushed::Full => {
                    self.ready.push_front(number);
                    break;
                }
            }
        }
    }

    /// Units that waited only for this step are ready.
    fn done(&mut self, step: u32) {
        let own = self.units.unit_of[step as usize];
        for &successor in self.graph.successors(step) {
            let unit = self.units.unit_of[successor as usize];
            if unit == own {
                continue;
            }
            let waits = &mut self.waits[unit as usize];
            *waits -= 1;
            if *waits == 0 {
                self.ready.push_back(unit);
            }
        }
    }
}

impl Engine for Chains {
    fn prepare(&mut self) -> io::Result<()> {
        let ReadyUnits { units, waits, ready, .. } = &mut self.chains;
        waits.copy_from_slice(&units.waits);
        ready.clear();
        let first = waits.iter().zip(0..).filter(|(waits, _)| **waits == 0);
        ready.extend(first.map(|(_, unit)| unit));
        Ok(())
    }

    fn run(&mut self, run: &Arc<Run>) -> io::Result<Counts> {
        self.waves.run(&mut self.chains, run)
    }
}
