//! What each call costs, made one after the other.

use std::time::{Duration, Instant};

use super::Session;
use crate::ReplayError;
use crate::engine::{Engine, Thinking};
use crate::plan::CallId;

/// Runs of which each call's cost is the median, if they are quick.
const MOST_RUNS: usize = 9;
/// No run begins after this.
const TIME: Duration = Duration::from_secs(3);

/// What each call took in serial replays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Costs {
    /// Of each call of the plan, in nanoseconds, the clock's own time taken off; `None`: not replayed.
    ns: Vec<Option<u32>>,
    /// How many runs they are the medians of.
    pub runs: usize,
    /// The program's pauses were waited for, and the processor's caches disturbed as it does. Without (the log has no
    /// times) costs are a floor.
    pub pauses: bool,
}

impl Costs {
    /// What a call takes, in nanoseconds; `None`: it was not replayed.
    #[must_use]
    pub fn of(&self, call: CallId) -> Option<u32> {
        self.ns.get(call.index()).copied().flatten()
    }

    /// The same in the order of the plan.
    #[must_use]
    pub fn in_order(&self) -> &[Option<u32>] {
        &self.ns
    }
}

impl<P: FnMut(crate::Progress)> Session<'_, P> {
    /// The cost of each call. One that came to something else than it had to has none.
    pub(super) fn costs(&mut self) -> Result<Costs, ReplayError> {
        let none = Vec::new();
        let think = self.think.as_ref().unwrap_or(&none);
        let mut engine = Thinking::new(&self.program, think, !think.is_empty());
        let mut runs: Vec<Vec<(u32, Option<u32>)>> = Vec::new();
        let begin = Instant::now();
        while runs.len() < MOST_RUNS && (runs.is_empty() || begin.elapsed() < TIME) {
            self.bench.make_ready(&mut engine)?;
            engine.run(&self.bench.run).map_err(ReplayError::io("the serial replay failed"))?;
            let run = &self.bench.run;
            let is_right = |step: u32| {
                let came_to = run.result(step as usize);
                self.bench.unsteady.has(step)
                    || came_to.is_some_and(|observed| self.program.matches(step as usize, observed))
            };
            runs.push(engine.costs().map(|(step, ns)| (step, Some(ns).filter(|_| is_right(step)))).collect());
        }
        let mut ns = vec![None; self.program.plan.len()];
        for (at, &(step, _)) in runs[0].iter().enumerate() {
            let call = self.program.steps[step as usize].call;
            let took: Option<Vec<u32>> = runs.iter().map(|run| run[at].1).collect();
            if let (Some(place), Some(mut took)) = (ns.get_mut(call as usize), took) {
                let middle = took.len() / 2;
                *place = Some(*took.select_nth_unstable(middle).1);
            }
        }
        Ok(Costs { ns, runs: runs.len(), pauses: !think.is_empty() })
    }
}
