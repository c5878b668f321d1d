//! What is carried over from the replay to the program: the cost of the calls there, and what a strategy makes of it.
//!
//! Where the calls cost otherwise here than in the program, the figure stands on one of the two costs (C in
//! [`super::projection`]) and its interval holds what the other comes to: a strategy may save the same share of what makes the difference, or
//! nothing of it.

use super::blocks::{Contender, Sample};
use super::bootstrap::median;
use super::gate::Gate;
use super::projection::{CostSource, Instead, Projection, Whole, project};
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
        let of = |strategy| contenders.iter().find(|contender| contender.strategy == strategy);
        let calls = |contender: &Contender| contender.samples.iter().map(|sample| sample.calls_ns).collect();
        match of(Strategy::Thinking { disturb: true }).or(of(Strategy::Thinking { disturb: false })) {
            Some(thinking) if thinking.voided.is_none() => (calls(thinking), CostSource::ThinkTime),
            _ => (of(Strategy::Serial).map(calls).unwrap_or_default(), CostSource::Loop),
        }
    }
}

/// One cost of the calls in the program, and what follows from it.
struct View<'a> {
    calls_ns: Vec<f64>,
    /// So many times what they cost in a replay with the program's pauses; `None`: not known.
    factor: Option<f64>,
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
}

impl<'a> Forecast<'a> {
    pub(super) fn new(context: &Context<'a>, contenders: &'a [Contender]) -> Self {
        let view = |calls_ns: Vec<f64>, factor| {
            let scale = median(&calls_ns) / context.logged_ns;
            let again = context.schedule.and_then(|schedule| Again::new(schedule, scale, contenders));
            View { calls_ns, factor, again }
        };
        let (calls_ns, source) = context.cost(contenders);
        let in_program = context.gate.map(|gate| if gate.is_near() { 1.0 } else { gate.ratio() });
        let factor = if source == CostSource::Recorded { in_program } else { Some(1.0) };
        let other = context.gate.filter(|gate| !gate.is_near()).map(|gate| match source {
            CostSource::Recorded => view(vec![gate.replayed_ns], Some(1.0)),
            CostSource::ThinkTime | CostSource::Loop => {
                view(vec![gate.in_program_least_ns, gate.in_program_ns], in_program)
            }
        });
        let serial = contenders.iter().find(|contender| contender.strategy == Strategy::Serial);
        let baseline = serial.filter(|serial| serial.voided.is_none());
        Self {
            wall_ns: context.wall_ns,
            view: view(calls_ns, factor),
            other,
            source,
            baseline: baseline.map_or(&[], |serial| &serial.samples),
        }
    }

    /// The program if its calls took no time.
    pub(super) fn free(&self) -> Option<Projection> {
        self.with(|view| match &view.again {
            Some(again) => again.project(self.wall_ns, &Way::FREE),
            None => project(self.whole(view), Instead::Share(&[0.0])),
        })
    }

    /// The program with a strategy; `calls` is its time within the calls to that of plain serial ones, a block each.
    pub(super) fn of(&self, contender: &Contender, calls: &[f64]) -> Option<Projection> {
        let are_together = contender.strategy.lookahead() == Lookahead::ALL;
        self.with(|view| match (&view.again, view.factor.filter(|_| are_together)) {
            (Some(again), _) => again.project(self.wall_ns, &again.way(contender, self.baseline)),
            (None, Some(factor)) => self.together(contender, view, factor),
            (None, None) => project(self.whole(view), Instead::Share(calls)),
        })
    }

    /// All calls together. What the program's other work leaves of them in the caches is between all and nothing: the figure stands in the
    /// middle, and the interval holds both.
    fn together(&self, contender: &Contender, view: &View, factor: f64) -> Option<Projection> {
        let of = |took: fn(&Sample) -> f64| {
            let took: Vec<f64> = contender.samples.iter().map(|sample| took(sample) * factor).collect();
            project(self.whole(view), Instead::Together(&took))
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
