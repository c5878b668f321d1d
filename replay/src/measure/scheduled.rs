//! The projection of a program with several threads: not its calls' time is taken off, but its schedule is made again.
//!
//! T̂k = T - (M - Mk), or T Mk / M where the schedule takes longer than the program did (it was slower when it was recorded):
//! M is the makespan of the program's own threads and pauses with calls that cost what they cost in
//! the program, Mk that with calls that cost so many times as much as strategy k's cost those of the program's own
//! way. That own way is plain calls from several threads, as far as they were faster than from one:
//! what a program with threads gains by threads it has already.
//!
//! A strategy that knows the whole run makes all calls together, before the rest: then what is scheduled is the program without
//! them, M0, and they come on top: T̂k = T - (M - M0) + Tk.

use super::blocks::{Contender, Sample, ratios};
use super::bootstrap::{estimate, median};
use super::projection::Projection;
use crate::engine::Strategy;
use crate::graph::Lookahead;
use crate::schedule::{CallCost, Schedule};

/// Within this share of the log's time a schedule is believed.
const GATE: f64 = 0.10;
/// How well the threads of a log are understood.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threaded {
    /// Threads that did something.
    pub threads: usize,
    /// Processors that they are scheduled on.
    pub cores: usize,
    /// What the log took, nanoseconds.
    pub logged_ns: f64,
    /// What the schedule takes with the log's own times.
    pub scheduled_ns: f64,
}

impl Threaded {
    pub(crate) fn of(schedule: &Schedule) -> Option<Self> {
        let scheduled_ns = schedule.makespan_ns(CallCost::LOGGED)?;
        Some(Self {
            threads: schedule.threads(),
            cores: schedule.cores(),
            logged_ns: schedule.logged_ns(),
            scheduled_ns,
        })
    }

    /// Whether projections are to be believed.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        (self.scheduled_ns - self.logged_ns).abs() <= GATE * self.logged_ns
    }
}

/// A way of making calls against the program's own.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// Its time against the program's own way, a block each.
    ratios: Vec<f64>,
    /// Processors it uses.
    cores: f64,
}

impl Way {
    pub(super) const FREE: Self = Self { ratios: Vec::new(), cores: 1.0 };
}

/// A schedule, and what its calls cost in the program.
pub(super) struct Again<'a> {
    schedule: &'a Schedule,
    /// The calls' cost in the program against their time in the log.
    scale: f64,
    /// The makespan with that.
    before_ns: f64,
    /// The program's own way, if that is not plain calls from one thread.
    own: Option<&'a Contender>,
    /// Calls that are under way together in the own way, on average.
    together: f64,
}

impl<'a> Again<'a> {
    /// `None`: there are no times, or they contradict each other.
    pub(super) fn new(schedule: &'a Schedule, scale: f64, contenders: &'a [Contender]) -> Option<Self> {
        if !scale.is_finite() {
            return None;
        }
        let cost = CallCost { factor: scale, ..CallCost::LOGGED };
        let own = own_way(contenders);
        let serial = contenders.iter().find(|contender| contender.strategy == Strategy::Serial);
        let together = together(serial.and_then(processors), own.and_then(processors));
        Some(Self { schedule, scale, before_ns: schedule.makespan_ns(cost)?, own, together })
    }

    /// What the program, which takes so long, is rid of without its calls: less than their time, where others have more to do
    /// meanwhile.
    pub(super) fn saved_by_none(&self, wall_ns: f64) -> Option<f64> {
        Some(wall_ns - self.projected(wall_ns, self.makespan(0.0, 1.0)?))
    }

    /// The program's time with another schedule.
    fn projected(&self, wall_ns: f64, after_ns: f64) -> f64 {
        let projected = if self.before_ns > wall_ns {
            // What is left of the schedule is left of the program: a difference could be more than there was.
            wall_ns * after_ns / self.before_ns
        } else {
            wall_ns - (self.before_ns - after_ns)
        };
        projected.max(1.0)
    }

    /// How a strategy's calls compare with the program's own.
    pub(super) fn way(&self, contender: &Contender, serial: &[Sample]) -> Way {
        let is_serial = matches!(
            contender.strategy,
            Strategy::Serial
                | Strategy::Thinking { .. }
                | Strategy::Memo { .. }
                | Strategy::Fewer(_)
                | Strategy::Relative
        );
        let own = self.own.filter(|_| !is_serial).map_or(serial, |own| &own.samples);
        let of = |sample: &Sample| sample.calls_ns;
        let is_own = self.own.is_some_and(|own| own.strategy == contender.strategy);
        // All of a strategy's processors serve as many of the program's calls as its own way has under way together.
        let cores = match processors(contender) {
            Some(used) if !is_serial && !is_own => (used / self.together).max(0.01),
            _ => 1.0,
        };
        Way { ratios: ratios(&contender.samples, own, of), cores }
    }

    /// The program's wall time with that.
    pub(super) fn project(&self, wall_ns: &[f64], way: &Way) -> Option<Projection> {
        if wall_ns.is_empty() {
            return None;
        }
        let ratio = if way.ratios.is_empty() { 0.0 } else { median(&way.ratios) };
        let after = self.between(way, ratio)?;
        let projected = |wall: f64, ratio: f64| self.projected(wall, after.at(ratio));
        let wall = median(wall_ns);
        let value = projected(wall, ratio);
        let draw_ratio = |draw: &mut super::bootstrap::Resampler| {
            if way.ratios.is_empty() { 0.0 } else { draw.median_of_a_draw(&way.ratios) }
        };
        let wall_estimate = estimate(value, |draw| {
            let wall = draw.median_of_a_draw(wall_ns);
            projected(wall, draw_ratio(draw))
        });
        let speedup = estimate(wall / value, |draw| {
            let wall = draw.median_of_a_draw(wall_ns);
            wall / projected(wall, draw_ratio(draw))
        });
        Some(Projection { wall_ns: wall_estimate, speedup })
    }

    /// The makespan from a way's least ratio to its greatest.
    fn between(&self, way: &Way, middle: f64) -> Option<Bent> {
        let least = way.ratios.iter().copied().fold(middle, f64::min);
        let most = way.ratios.iter().copied().fold(middle, f64::max);
        let at = |ratio: f64| Some((ratio, self.makespan(ratio, way.cores)?));
        Some(Bent([at(least)?, at(middle)?, at(most)?]))
    }

    fn makespan(&self, ratio: f64, cores: f64) -> Option<f64> {
        self.schedule.makespan_ns(CallCost { factor: self.scale * ratio, more_ns: 0.0, cores })
    }
}

/// Plain calls from the program's own threads, if they are faster than from one.
fn own_way(contenders: &[Contender]) -> Option<&Contender> {
    let time = |contender: &Contender| contender.median_calls_ns().unwrap_or(f64::INFINITY);
    let serial = contenders.iter().find(|contender| contender.strategy == Strategy::Serial).map(time)?;
    let is_own = |contender: &&Contender| {
        let lookahead = contender.strategy.lookahead();
        matches!(contender.strategy, Strategy::Threads { .. }) && lookahead == Lookahead::FAITHFUL
    };
    let threads = contenders.iter().filter(is_own).filter(|contender| contender.voided.is_none());
    let fastest = threads.min_by(|a, b| time(a).total_cmp(&time(b)))?;
    (time(fastest) < serial).then_some(fastest)
}

/// Processors that a way of making calls uses on average.
fn processors(contender: &Contender) -> Option<f64> {
    let used = |sample: &Sample| sample.cpu_ns / sample.wall_ns.max(1.0);
    let used: Vec<f64> = contender.samples.iter().map(used).collect();
    (!used.is_empty()).then(|| median(&used))
}

/// How many calls the program's own way has under way together: as many as its processors are of what one call uses, which
/// plain calls from one thread show (less than one where they wait for a disk).
fn together(serial: Option<f64>, own: Option<f64>) -> f64 {
    let of_a_call = serial.unwrap_or(1.0).clamp(0.01, 1.0);
    own.map_or(1.0, |own| (own / of_a_call).max(1.0))
}

/// A line with one bend: three points of it, in order. (A makespan is the longest of many paths, so it bends little.)
struct Bent([(f64, f64); 3]);

impl Bent {
    fn at(&self, ratio: f64) -> f64 {
        let [low, middle, high] = self.0;
        let ((x0, y0), (x1, y1)) = if ratio <= middle.0 { (low, middle) } else { (middle, high) };
        if x1 > x0 { y0 + (ratio - x0) / (x1 - x0) * (y1 - y0) } else { y1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_of_a_way_are_shared_by_the_calls_under_way_together() {
        // Two threads on two processors have two calls under way, also where each mostly waits for a disk.
        for (serial, own, expected) in [(1.0, 2.0, 2.0), (0.2, 0.4, 2.0), (1.02, 1.7, 1.7), (0.9, 0.5, 1.0)] {
            assert!((together(Some(serial), Some(own)) - expected).abs() < 1e-9, "{serial} {own}");
        }
        assert!((together(Some(0.2), None) - 1.0).abs() < 1e-9, "one thread has one");
    }

    #[test]
    fn between_points_it_is_a_line() {
        let bent = Bent([(0.5, 10.0), (1.0, 20.0), (2.0, 100.0)]);
        for (at, makespan) in [(0.5, 10.0), (0.75, 15.0), (1.0, 20.0), (1.5, 60.0), (2.0, 100.0)] {
            assert!((bent.at(at) - makespan).abs() < 1e-9, "{at}");
        }
        assert!((Bent([(1.0, 7.0); 3]).at(1.0) - 7.0).abs() < 1e-9);
    }
}
