//! From the replay to the program: what its wall time would be if its calls were made another way.
//!
//! With T the program's untraced wall time, C what the replayed calls cost in it, Ts and Tk what they take
//! serially and with strategy k, measured side by side: T̂k = T - C (1 - Tk/Ts). A ratio is carried over, not a
//! difference, because a hot loop is a floor: in the program the same calls cost more, for it does something else between
//! them.
//!
//! A strategy that knows the whole run makes all calls together, as the replay does: with nothing between them in the program
//! either. So what they take is what they take here, Tk, and what the program is rid of is C: T̂k = T - C + Tk. (By a ratio to the serial
//! replay, what is uncertain in C against Ts would be multiplied by Tk, which for a ring is several times C.)

use super::bootstrap::{Estimate, estimate, median};

/// Where C, the cost of the calls in the program, comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CostSource {
    /// The log's own times, less what recording them added: from a backend whose times are costs.
    Recorded,
    /// A serial replay with the program's pauses, in which the caches are disturbed.
    ThinkTime,
    /// A serial replay in a loop: a floor, for the log has no times.
    Loop,
}

/// What the program's wall time would be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Projection {
    /// T̂k, in nanoseconds.
    pub wall_ns: Estimate,
    /// T / T̂k: above 1 is faster.
    pub speedup: Estimate,
}

impl Projection {
    /// The interval of a change that is settled reaches at most this part of it to either side,
    const OF_CHANGE: f64 = 0.10;
    /// or this part of the program's time.
    const OF_WALL: f64 = 0.02;

    /// Whether the change is known: to a tenth, or so well that the program's time with it is. What is not known of the program's time as
    /// it is now is no part of that.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let change = |speedup: f64| 1.0 / speedup - 1.0;
        let Estimate { median, low, high } = self.speedup;
        let reach = (change(low) - change(median)).max(change(median) - change(high));
        reach <= (Self::OF_CHANGE * change(median).abs()).max(Self::OF_WALL)
    }

    /// The same, its intervals with another's in them.
    pub(super) fn reaching(self, other: Self) -> Self {
        let [wall_ns, speedup] =
            [(self.wall_ns, other.wall_ns), (self.speedup, other.speedup)].map(|(own, other)| Estimate {
                median: own.median,
                low: own.low.min(other.low),
                high: own.high.max(other.high),
            });
        Self { wall_ns, speedup }
    }
}

/// What a program does at least beside its calls, by its log.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Rest {
    /// What lies between the calls in the log, nanoseconds, less what recording is known to have added.
    pub(crate) pauses_ns: f64,
    /// Which part of the program's time that is.
    pub(crate) share: f64,
}

impl Rest {
    /// Recording does more than what is known: it takes the caches. Pauses are believed to be no shorter than this part of what they are
    /// in the log.
    const BELIEVED: f64 = 0.5;

    /// Of a program that takes so long: no larger part of it than of the log, where that was made by a slower machine.
    fn least_ns(self, wall_ns: f64) -> f64 {
        (self.pauses_ns * Self::BELIEVED).min(wall_ns * self.share)
    }
}

/// What is carried over from the program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whole<'a> {
    /// Untraced wall times.
    pub(crate) wall_ns: &'a [f64],
    /// What the calls cost in the program, measured several times.
    pub(crate) calls_ns: &'a [f64],
    /// What the program does besides.
    pub(crate) rest: Rest,
}

/// `ratios` are Tk/Ts, one of each block.
pub(crate) fn project(whole: Whole, ratios: &[f64]) -> Option<Projection> {
    projected(whole, ratios, |calls, ratio| calls * ratio)
}

/// `took_ns` are Tk, one of each block, of calls that are made together.
pub(crate) fn project_together(whole: Whole, took_ns: &[f64]) -> Option<Projection> {
    projected(whole, took_ns, |_, took| took)
}

/// `after` is what the calls take, of what they cost in the program and one of `measured`.
fn projected(whole: Whole, measured: &[f64], after: impl Fn(f64, f64) -> f64) -> Option<Projection> {
    if whole.wall_ns.is_empty() || whole.calls_ns.is_empty() || measured.is_empty() {
        return None;
    }
    let projected = |wall: f64, calls: f64, measured: f64| {
        // They cost no more than there was beside what the program did between them.
        let calls = calls.min(wall - whole.rest.least_ns(wall));
        (wall - calls + after(calls, measured)).max(1.0)
    };
    let (wall, calls) = (median(whole.wall_ns), median(whole.calls_ns));
    let value = projected(wall, calls, median(measured));
    let wall_ns = estimate(value, |draw| {
        let (wall, calls) = (draw.median_of_a_draw(whole.wall_ns), draw.median_of_a_draw(whole.calls_ns));
        projected(wall, calls, draw.median_of_a_draw(measured))
    });
    // The same wall time above and below: its own uncertainty hardly touches the quotient.
    let speedup = estimate(wall / value, |draw| {
        let (wall, calls) = (draw.median_of_a_draw(whole.wall_ns), draw.median_of_a_draw(whole.calls_ns));
        wall / projected(wall, calls, draw.median_of_a_draw(measured))
    });
    Some(Projection { wall_ns, speedup })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formula() {
        let whole = Whole { wall_ns: &[100.0; 5], calls_ns: &[40.0; 5], rest: Rest::default() };
        let half = project(whole, &[0.5; 5]).unwrap();
        assert_eq!((half.wall_ns.median, half.speedup.median), (80.0, 1.25));
        let free = project(whole, &[0.0; 5]).unwrap();
        assert!((free.wall_ns.median - 60.0).abs() < 1e-9);
        let slower = project(whole, &[2.0; 5]).unwrap();
        assert!(slower.speedup.high < 1.0);
        assert_eq!(project(Whole { wall_ns: &[], calls_ns: &[1.0], rest: Rest::default() }, &[1.0]), None);
    }

    #[test]
    fn a_change_is_settled_whose_interval_is_narrow_against_it() {
        let with = |median: f64, low: f64, high: f64| Projection {
            wall_ns: Estimate { median, low, high },
            speedup: Estimate { median: 100.0 / median, low: 100.0 / high, high: 100.0 / low },
        };
        assert!(with(80.0, 78.5, 81.5).is_settled() && with(300.0, 290.0, 315.0).is_settled());
        assert!(!with(80.0, 77.0, 81.5).is_settled() && !with(80.0, 79.0, 83.0).is_settled());
        // Of a small change little may be known, and much of the program's time with it.
        assert!(with(99.0, 98.0, 100.0).is_settled() && with(100.0, 98.5, 101.5).is_settled());
        assert!(!with(99.0, 96.5, 100.0).is_settled() && !with(100.0, 97.0, 101.0).is_settled());
        // How long the program takes as it is may be known badly.
        let Projection { speedup, .. } = with(80.0, 78.5, 81.5);
        let wall_ns = Estimate { median: 80.0, low: 60.0, high: 100.0 };
        assert!(Projection { wall_ns, speedup }.is_settled());
    }

    #[test]
    fn together_calls_take_their_own_time() {
        let whole = Whole { wall_ns: &[100.0; 5], calls_ns: &[40.0; 5], rest: Rest::default() };
        let ring = project_together(whole, &[90.0; 5]).unwrap();
        assert!((ring.wall_ns.median - 150.0).abs() < 1e-9);
        // What is not known of C is not multiplied.
        let dearer = Whole { wall_ns: &[100.0; 5], calls_ns: &[44.0; 5], rest: Rest::default() };
        let ring = project_together(dearer, &[90.0; 5]).unwrap();
        assert!((ring.wall_ns.median - 146.0).abs() < 1e-9);
        assert!((project(dearer, &[90.0 / 40.0; 5]).unwrap().wall_ns.median - 155.0).abs() < 1e-9);
    }

    #[test]
    fn calls_that_cost_more_than_the_program_took_leave_something() {
        let whole = Whole { wall_ns: &[10.0], calls_ns: &[40.0], rest: Rest::default() };
        assert!((project(whole, &[0.0]).unwrap().wall_ns.median - 1.0).abs() < 1e-9);
        // Three tenths of the program's time were not in calls; of a program that takes long, half of what they were.
        let rest = Rest { pauses_ns: 30.0, share: 0.3 };
        assert!((project(Whole { rest, ..whole }, &[0.0]).unwrap().wall_ns.median - 3.0).abs() < 1e-9);
        let long = Whole { wall_ns: &[100.0], calls_ns: &[400.0], rest };
        assert!((project(long, &[0.0]).unwrap().wall_ns.median - 15.0).abs() < 1e-9);
    }
}
