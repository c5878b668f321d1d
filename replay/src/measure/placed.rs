//! What a way of making calls takes where its threads are put on processors.
//!
//! Where threads run the kernel decides anew in each program, and nobody can foresee it: two that are started together may share a processor for
//! milliseconds, and a ring whose worker is on another one than its thread takes up to twice as long as one whose worker is on the same. A replay sees
//! some of that, and a program may see the rest. So both are measured, each by a thread of its own that is put on a processor before anything
//! is made, so that its threads and its rings' workers are born where they are to be.

use std::io;
use std::time::Instant;

use super::blocks::{Bench, Contender};
use super::gate::middle;
use super::options::Cache;
use crate::ReplayError;
use crate::engine::{Engine, Strategy};
use crate::graph::Lookahead;
use crate::sys::processors::Processors;

/// Runs that are timed, after one that is not.
const RUNS: usize = 7;

/// In a run that takes longer, the kernel moves its threads anyway (in nanoseconds).
const LONGEST_NS: f64 = 50e6;

/// Where threads are put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// All on one processor.
    One,
    /// A ring's thread on one, its workers on others.
    Apart,
}

/// What makes the engine, on the thread that runs it.
pub(crate) type Make<'a> = dyn Fn() -> io::Result<Option<Box<dyn Engine>>> + Sync + 'a;

/// Whether where its threads are makes a difference to a way of making calls.
pub(crate) fn matters(contender: &Contender, cache: Cache) -> bool {
    let strategy = contender.strategy;
    let has_threads = strategy.needs_ring()
        || matches!(
            strategy,
            Strategy::Threads { .. } | Strategy::Divided { .. } | Strategy::TokioBlocking { .. }
        );
    let is_short = contender.median_calls_ns().is_some_and(|calls_ns| calls_ns < LONGEST_NS);
    let is_measured = contender.voided.is_none() && is_short;
    has_threads && strategy.lookahead() == Lookahead::ALL && cache == Cache::Warm && is_measured
}

impl Bench {
    /// The time within the calls for each place that there is, in nanoseconds: of several runs the least and the most, a quarter left out at
    /// either end.
    pub(crate) fn placed(&mut self, strategy: Strategy, make: &Make) -> Result<Vec<f64>, ReplayError> {
        let places: &[Place] =
            if strategy.needs_ring() { &[Place::One, Place::Apart] } else { &[Place::One] };
        let mut times = Vec::new();
        for &place in places {
            let thread = || self.at(place, make);
            let took = std::thread::scope(|scope| scope.spawn(thread).join());
            times.extend(took.map_err(|_| ReplayError::Panicked)??.into_iter().flatten());
        }
        Ok(times)
    }

    /// `None`: it cannot be put there.
    fn at(&mut self, place: Place, make: &Make) -> Result<Option<[f64; 2]>, ReplayError> {
        let Ok(Some([first, others])) = Processors::own().map(|own| own.divided()) else { return Ok(None) };
        let workers = if place == Place::One { first } else { others };
        // Where there is no ring, there are none to be put.
        let _ = workers.confine_workers();
        if first.confine().is_err() {
            return Ok(None);
        }
        let Ok(Some(mut engine)) = make() else { return Ok(None) };
        let mut took_ns = Vec::with_capacity(RUNS);
        for run in 0..=RUNS {
            self.make_ready(&mut *engine)?;
            self.other_work.evict();
            let begin = Instant::now();
            let counts = engine.run(&self.run).map_err(ReplayError::io("a strategy failed"))?;
            let wall_ns = begin.elapsed().as_nanos() as f64;
            if self.is_wrong() {
                return Ok(None);
            }
            if run > 0 {
                took_ns.push(counts.calls_ns.map_or(wall_ns, |ns| ns as f64));
            }
        }
        Ok(middle(&took_ns))
    }
}
