//! What is carried over from the replay to the program: the cost of the calls there, and what a strategy makes of it.
//!
//! Where the calls cost otherwise here than in the program, the figure stands on one of the two costs (C in
//! [`super::projection`]) and its interval holds what the other comes to: a strategy may save the same share of what makes the difference, or
//! nothing of it.

use super::blocks::{Contender, Sample};
use super::bootstrap::median;
use super::gate::Gate;
use super::projection::{CostSource, Projection, Whole, project};
use super::scheduled::{Again, Way};
use crate::engine::Strategy;
use crate::graph::Lookahead;
use crate::schedule::Schedule;

/// What rows are seen against.
pub(crate) struct Context<'a> {
    pub(crate) wall_ns: &'a [f64],
    /// What the calls cost in the program at least and at most, in each run that is known, if the log says so.
    pub(crate) recorded_ns: Option<Vec<f64>>,
    /// Of a program with several threads, where the log has times.
    pub(crate) schedule: Option<&'a Schedule>,
    /// What the log has as the calls' time, all together.
    pub(crate) logged_ns: f64,
    /// Whether they cost here what they cost in the program.
    pub(crate) gate: Option<Gate>,
}

impl Context<'_> {
    /// C, and where it comes from.
    fn cost(&self, contenders: &[Contender]) -> (Vec<f64>, CostSource) {
        if let Some(recorded) = &self.recorded_ns {
            return (recorded.clone(), CostSource::Recorded);
        }
        let calls = |contender: &Contender| contender.samples.iter().map(|sample| sample.calls_ns).collect();
        match with_pauses(contenders) {
            Some(thinking) => (calls(thinking), CostSource::ThinkTime),
            None => (of(contenders, Strategy::Serial).map(calls).unwrap_or_default(), CostSource::Loop),
        }
    }
}

fn of(contenders: &[Contender], strategy: Strategy) -> Option<&Contender> {
    contenders.iter().find(|contender| contender.strategy == strategy)
}

/// The serial replay with the program's pauses, if there is one and its times are not void.
fn with_pauses(contenders: &[Contender]) -> Option<&Contender> {
    let thinking = |disturb| of(contenders, Strategy::Thinking { disturb });
    thinking(true).or(thinking(false)).filter(|thinking| thinking.voided.is_none())
}

/// One cost of the calls in the program, and what follows from it.
struct View<'a> {
    calls_ns: Vec<f64>,
    /// Of a program with several threads.
    again: Option<Again<'a>>,
}

/// Projects strategies.
pub(super) struct Forecast<'a> {
    wall_ns: &'a [f64],
    view: View<'a>,
    /// With the other cost, where that is not the same.
    other: Option<View<'a>>,
    pub(super) source: CostSource,
    /// Plain serial calls, if their times are not void.
    pub(super) baseline: &'a [Sample],
    /// The same with the program's pauses; without, where there are no times.
    with_pauses: &'a [Sample],
}

impl<'a> Forecast<'a> {
    pub(super) fn new(context: &Context<'a>, contenders: &'a [Contender]) -> Self {
        let view = |calls_ns: Vec<f64>| {
            let scale = median(&calls_ns) / context.logged_ns;
            let again = context.schedule.and_then(|schedule| Again::new(schedule, scale, contenders));
            View { calls_ns, again }
        };
        let (calls_ns, source) = context.cost(contenders);
        let other = context.gate.filter(|gate| !gate.is_near()).map(|gate| match source {
            CostSource::Recorded => vec![gate.replayed_ns],
            CostSource::ThinkTime | CostSource::Loop => vec![gate.in_program_least_ns, gate.in_program_ns],
        });
        let baseline = of(contenders, Strategy::Serial).filter(|serial| serial.voided.is_none());
        let baseline: &[Sample] = baseline.map_or(&[], |serial| &serial.samples);
        Self {
            wall_ns: context.wall_ns,
            view: view(calls_ns),
            other: other.map(view),
            source,
            baseline,
            with_pauses: with_pauses(contenders).map_or(baseline, |thinking| &thinking.samples),
        }
    }

    /// The program if its calls took no time.
    pub(super) fn free(&self) -> Option<Projection> {
        self.with(|view| match &view.again {
            Some(again) => again.project(self.wall_ns, &Way::FREE),
            None => project(self.whole(view), &[0.0]),
        })
    }

    /// The program with a strategy; `calls` is its time within the calls to that of plain serial ones, a block each.
    pub(super) fn of(&self, contender: &Contender, calls: &[f64]) -> Option<Projection> {
        let are_together = contender.strategy.lookahead() == Lookahead::ALL;
        self.with(|view| match &view.again {
            Some(again) => again.project(self.wall_ns, &again.way(contender, self.baseline)),
            None if are_together => self.together(contender, view),
            None => project(self.whole(view), calls),
        })
    }

    /// All calls together. What the program's other work leaves of them in the caches is between all and nothing: the figure
    /// stands in the middle, and the interval holds both.
    fn together(&self, contender: &Contender, view: &View) -> Option<Projection> {
        let of = |took: fn(&Sample) -> f64| {
            let blocks = contender.samples.iter().zip(self.with_pauses);
            let ratios: Vec<f64> =
                blocks.map(|(sample, apart)| took(sample) / apart.calls_ns.max(1.0)).collect();
            project(self.whole(view), &ratios)
        };
        let between = of(|sample| f64::midpoint(sample.calls_ns, sample.calls_after_work_ns))?;
        let ends = [of(|sample| sample.calls_ns)?, of(|sample| sample.calls_after_work_ns)?];
        Some(ends.into_iter().fold(between, Projection::reaching))
    }

    fn whole<'v>(&'v self, view: &'v View) -> Whole<'v> {
        Whole { wall_ns: self.wall_ns, calls_ns: &view.calls_ns }
    }

    fn with(&self, project: impl Fn(&View) -> Option<Projection>) -> Option<Projection> {
        let projection = project(&self.view)?;
        let other = self.other.as_ref().and_then(project);
        Some(other.map_or(projection, |other| projection.reaching(other)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::Mock;

    fn contender(strategy: Strategy, calls_ns: f64, calls_after_work_ns: f64) -> Contender {
        let mut contender = Contender::new(strategy, Box::new(Mock::default()), Duration::ZERO);
        let sample = Sample { wall_ns: calls_ns, calls_ns, calls_after_work_ns, ..Sample::default() };
        contender.samples = vec![sample; 8];
        contender
    }

    #[test]
    fn calls_made_together_are_held_against_those_between_pauses() {
        let threads = |lookahead| Strategy::Threads { threads: 2, lookahead };
        let contenders = [
            contender(Strategy::Serial, 50.0, 50.0),
            contender(Strategy::Thinking { disturb: true }, 100.0, 100.0),
            contender(threads(Lookahead::FAITHFUL), 40.0, 40.0),
            contender(threads(Lookahead::ALL), 40.0, 60.0),
        ];
        let context = Context {
            wall_ns: &[1000.0; 5],
            recorded_ns: None,
            schedule: None,
            logged_ns: 100.0,
            gate: None,
        };
        let forecast = Forecast::new(&context, &contenders);
        let wall = |contender: &Contender, ratio: f64| {
            let wall = forecast.of(contender, &[ratio; 8]).unwrap().wall_ns;
            [wall.low, wall.median, wall.high].map(f64::round)
        };
        assert_eq!(forecast.source, CostSource::ThinkTime);
        // A fifth of what they cost in the program.
        assert!(wall(&contenders[2], 0.8).iter().all(|&wall| (wall - 980.0).abs() < 0.5));
        // What is left of them in the caches is not known.
        let together = wall(&contenders[3], 0.8).map(|wall| wall as u32);
        assert_eq!(together, [940, 950, 960]);
    }
}
