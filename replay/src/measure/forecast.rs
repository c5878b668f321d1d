//! What is carried over from the replay to the program: the cost of the calls there, and what a strategy makes of it.
//!
//! Calls that stay where the program makes them cost there what a strategy leaves of them here: a share. Calls that are all made together,
//! as by a strategy that knows the whole run, have nothing of the program between them any more, and take what they take here: a time. So
//! the two are projected in two ways ([`super::projection`]).
//!
//! Where the calls cost otherwise here than in the program, the figure stands on one of the two costs (C in
//! [`super::projection`]) and its interval holds what the other comes to: a strategy may save the same share of what makes the difference, or
//! nothing of it.

use super::blocks::{Contender, Sample};
use super::bootstrap::median;
use super::gate::Gate;
use super::projection::{CostSource, Projection, Rest, Whole, project, project_together};
use super::scheduled::{Again, Way};
use crate::engine::Strategy;
use crate::graph::Lookahead;
use crate::schedule::Schedule;

/// What rows are seen against.
pub(crate) struct Context<'a> {
    pub(crate) wall_ns: &'a [f64],
    /// What the calls cost in the program at least and at most, in each run that is known, if the log says so.
    pub(crate) recorded_ns: Option<Vec<[f64; 2]>>,
    /// Of a program with several threads, where the log has times.
    pub(crate) schedule: Option<&'a Schedule>,
    /// What the log has as the calls' time, all together.
    pub(crate) logged_ns: f64,
    /// What the program did besides, where the log tells of runs like these.
    pub(crate) rest: Rest,
    /// Whether they cost here what they cost in the program.
    pub(crate) gate: Option<Gate>,
}

impl Context<'_> {
    /// C, and where it comes from. Between two bounds of what the calls cost in a run stands what they cost here.
    fn cost(&self, contenders: &[Contender]) -> (Vec<f64>, CostSource) {
        if let Some(recorded) = &self.recorded_ns {
            let costs = recorded.iter().flat_map(|&[least, most]| match self.gate {
                Some(gate) => vec![gate.replayed_ns.min(most).max(least)],
                None => vec![least, most],
            });
            return (costs.collect(), CostSource::Recorded);
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
    /// How many times what they take here calls take that are made together: what the figure stands on, and what may be, too.
    scales: [f64; 2],
    /// Of a program with several threads.
    again: Option<Again<'a>>,
}

/// Projects strategies.
pub(super) struct Forecast<'a> {
    wall_ns: &'a [f64],
    rest: Rest,
    view: View<'a>,
    /// With the other cost, where that is not the same.
    other: Option<View<'a>>,
    pub(super) source: CostSource,
    /// Plain serial calls, if their times are not void.
    pub(super) baseline: &'a [Sample],
}

impl<'a> Forecast<'a> {
    pub(super) fn new(context: &Context<'a>, contenders: &'a [Contender]) -> Self {
        let view = |calls_ns: Vec<f64>, scales: [f64; 2]| {
            let scale = median(&calls_ns) / context.logged_ns;
            let again = context.schedule.and_then(|schedule| Again::new(schedule, scale, contenders));
            View { calls_ns, scales, again }
        };
        let (calls_ns, source) = context.cost(contenders);
        let ratio = context.gate.map_or(1.0, |gate| gate.ratio());
        let is_near = context.gate.is_none_or(|gate| gate.is_near());
        let scales = match source {
            // What differs less than a gate can tell is not scaled: it would make much of it where a strategy takes many times as long.
            // And of several threads C has in it what they cost each other, which one that makes all calls is rid of.
            CostSource::Recorded if is_near || context.schedule.is_some() => [1.0, ratio],
            // A machine that was slower then is what most often makes more of a difference.
            CostSource::Recorded => [ratio, 1.0],
            CostSource::ThinkTime | CostSource::Loop => [1.0; 2],
        };
        let other = context.gate.filter(|gate| !gate.is_near()).map(|gate| match source {
            CostSource::Recorded => view(vec![gate.replayed_ns], [1.0; 2]),
            CostSource::ThinkTime | CostSource::Loop => {
                view(vec![gate.in_program_least_ns, gate.in_program_ns], [ratio; 2])
            }
        });
        let baseline = of(contenders, Strategy::Serial).filter(|serial| serial.voided.is_none());
        Self {
            wall_ns: context.wall_ns,
            rest: context.rest,
            view: view(calls_ns, scales),
            other,
            source,
            baseline: baseline.map_or(&[], |serial| &serial.samples),
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
        if contender.strategy.lookahead() == Lookahead::ALL {
            return self.with(|view| self.together(contender, view));
        }
        self.with(|view| match &view.again {
            Some(again) => again.project(self.wall_ns, &again.way(contender, self.baseline)),
            None => project(self.whole(view), calls),
        })
    }

    /// All calls together, before the rest. What the program's other work leaves of them in the caches is between all and nothing:
    /// the figure stands in the middle, and the interval holds both; and of threads and rings what they take on one processor and on
    /// several, for the kernel decides that anew in each program.
    fn together(&self, contender: &Contender, view: &View) -> Option<Projection> {
        // What is left without the calls is all that several threads differ in.
        let saved = view.again.as_ref().map(|again| again.saved_by_none(median(self.wall_ns)));
        let all = |took: &[f64]| match saved {
            Some(saved) => project_together(
                Whole { wall_ns: self.wall_ns, calls_ns: &[saved?], rest: Rest::default() },
                took,
            ),
            None => project_together(self.whole(view), took),
        };
        let of = |took: fn(&Sample) -> f64, scale: f64| {
            let took: Vec<f64> = contender.samples.iter().map(|sample| took(sample) * scale).collect();
            all(&took)
        };
        let between = |sample: &Sample| f64::midpoint(sample.calls_ns, sample.calls_after_work_ns);
        let [scale, other] = view.scales;
        let ends = [
            of(|sample| sample.calls_ns, scale)?,
            of(|sample| sample.calls_after_work_ns, scale)?,
            of(between, other)?,
        ];
        let placed = contender.placed_ns.iter().filter_map(|took| all(&[took * scale]));
        Some(ends.into_iter().chain(placed).fold(of(between, scale)?, Projection::reaching))
    }

    fn whole<'v>(&'v self, view: &'v View) -> Whole<'v> {
        Whole { wall_ns: self.wall_ns, calls_ns: &view.calls_ns, rest: self.rest }
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

    /// What calls take in a loop, after other work, and on one processor.
    fn contender(strategy: Strategy, [calls_ns, calls_after_work_ns, on_one]: [f64; 3]) -> Contender {
        let mut contender = Contender::new(strategy, Box::new(Mock::default()), Duration::ZERO);
        let sample = Sample { wall_ns: calls_ns, calls_ns, calls_after_work_ns, ..Sample::default() };
        contender.samples = vec![sample; 8];
        contender.placed_ns = vec![on_one];
        contender
    }

    fn threads(lookahead: Lookahead) -> Strategy {
        Strategy::Threads { threads: 2, lookahead }
    }

    fn wall(forecast: &Forecast, contender: &Contender, ratio: f64) -> [u32; 3] {
        let wall = forecast.of(contender, &[ratio; 8]).unwrap().wall_ns;
        [wall.low, wall.median, wall.high].map(|ns| ns.round() as u32)
    }

    #[test]
    fn calls_made_together_take_what_they_take_here() {
        let contenders = [
            contender(Strategy::Serial, [50.0; 3]),
            contender(Strategy::Thinking { disturb: true }, [100.0; 3]),
            contender(threads(Lookahead::FAITHFUL), [40.0; 3]),
            contender(threads(Lookahead::ALL), [40.0, 60.0, 60.0]),
            contender(threads(Lookahead::ALL), [40.0, 60.0, 95.0]),
        ];
        let context = Context {
            wall_ns: &[1000.0; 5],
            recorded_ns: None,
            schedule: None,
            logged_ns: 100.0,
            rest: Rest::default(),
            gate: None,
        };
        let forecast = Forecast::new(&context, &contenders);
        assert_eq!(forecast.source, CostSource::ThinkTime);
        // A fifth of what they cost in the program.
        assert_eq!(wall(&forecast, &contenders[2], 0.8), [980; 3]);
        // What is left of them in the caches is not known.
        assert_eq!(wall(&forecast, &contenders[3], 0.8), [940, 950, 960]);
        // Nor how often the kernel puts threads on one processor.
        assert_eq!(wall(&forecast, &contenders[4], 0.8), [940, 950, 995]);
    }

    fn recorded(least: f64, most: f64, replayed_ns: f64) -> Context<'static> {
        Context {
            wall_ns: &[1000.0; 5],
            recorded_ns: Some(vec![[least, most]; 3]),
            schedule: None,
            logged_ns: most,
            rest: Rest::default(),
            gate: Some(Gate { in_program_ns: most, in_program_least_ns: least, runs: 3, replayed_ns }),
        }
    }

    /// A ring that takes four times what plain calls take.
    #[test]
    fn what_is_uncertain_in_the_calls_cost_is_not_multiplied_by_what_a_ring_takes() {
        let ring = Strategy::Ring { depth: 8, lookahead: Lookahead::ALL };
        let contenders = [
            contender(Strategy::Serial, [80.0; 3]),
            contender(Strategy::Thinking { disturb: true }, [100.0; 3]),
            contender(ring, [400.0; 3]),
        ];
        let wall = |context: &Context| wall(&Forecast::new(context, &contenders), &contenders[2], 5.0);
        // Within what a gate can tell: 108 are saved, 400 are spent; the interval holds a slower machine, too.
        assert_eq!(wall(&recorded(108.0, 108.0, 100.0)), [1292, 1292, 1324]);
        // Between two bounds stands what the calls cost here.
        assert_eq!(wall(&recorded(60.0, 150.0, 100.0)), [1300, 1300, 1300]);
        // A machine that was slower by a fifth when the program ran; or it was not, and they cost what they cost here.
        assert_eq!(wall(&recorded(120.0, 120.0, 100.0)), [1280, 1360, 1360]);
    }
}
