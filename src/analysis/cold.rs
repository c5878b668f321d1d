//! A cold start beside the warm one: what a run takes when the page cache is empty.

use serde::Serialize;

use super::interval::{Figures, Summary};
use super::phases::Phases;
use crate::log::{Emptied, Untraced};

/// Cold runs, in short.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cold {
    /// How the page cache was emptied before each run.
    pub method: Emptied,
    /// How many runs.
    pub runs: usize,
    /// What they took and used.
    #[serde(flatten)]
    pub figures: Figures,
    /// Cold over warm wall time.
    pub wall_ratio: Option<Ratio>,
    /// The same for time in user mode.
    pub user_ratio: Option<Ratio>,
    /// The same for time in the kernel.
    pub system_ratio: Option<Ratio>,
    /// The phases of a cold traced run, scaled to the cold wall time, if there was one.
    pub phases: Option<Phases>,
}

/// One median over another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ratio {
    /// The ratio of the medians.
    pub ratio: f64,
    /// The least it can be, were each true median at the end of its interval that makes it so. With two intervals
    /// of 95 % the range holds the true ratio with at least 90 %. `None` where one has no interval.
    pub low: Option<f64>,
    /// The most, likewise.
    pub high: Option<f64>,
}

impl Ratio {
    /// `None` where the divisor is nothing.
    #[must_use]
    pub fn of(over: &Summary, under: &Summary) -> Option<Self> {
        let divide = |over: f64, under: f64| (under > 0.0).then(|| over / under);
        let ends = over.interval.zip(under.interval);
        Some(Self {
            ratio: divide(over.median, under.median)?,
            low: ends.and_then(|(over, under)| divide(over.low, under.high)),
            high: ends.and_then(|(over, under)| divide(over.high, under.low)),
        })
    }
}

impl Cold {
    /// Sums cold runs up beside the warm ones; `None` if there are none.
    #[must_use]
    pub fn of(untraced: &Untraced, warm: Option<&Figures>) -> Option<Self> {
        let cold = untraced.cold.as_ref()?;
        let figures = Figures::of(&cold.runs)?;
        let ratio = |figure: fn(&Figures) -> &Summary| Ratio::of(figure(&figures), figure(warm?));
        Some(Self {
            method: cold.method.clone(),
            runs: cold.runs.len(),
            wall_ratio: ratio(|figures| &figures.wall_ns),
            user_ratio: ratio(|figures| &figures.user_ns),
            system_ratio: ratio(|figures| &figures.system_ns),
            figures,
            phases: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::interval::summarize;
    use super::*;
    use crate::log::{self, Run};

    #[test]
    fn ratios_are_of_medians_and_their_ranges_of_the_far_ends() {
        let cold = summarize([40, 41, 42, 43, 44, 45]).unwrap();
        let warm = summarize([10, 10, 10, 10, 10, 20]).unwrap();
        let ratio = Ratio::of(&cold, &warm).unwrap();
        assert!((ratio.ratio - 4.25).abs() < 1e-9);
        assert_eq!((ratio.low, ratio.high), (Some(2.0), Some(4.5)));
        let few = summarize([8, 12]).unwrap();
        assert_eq!(Ratio::of(&few, &warm), Some(Ratio { ratio: 1.0, low: None, high: None }));
        assert_eq!(Ratio::of(&cold, &summarize([0, 0]).unwrap()), None);
    }

    #[test]
    fn cold_runs_stand_beside_warm_ones() {
        let run = |wall_ns| Run { wall_ns, user_ns: wall_ns / 2, ..Run::default() };
        let method = Emptied::DropCaches;
        let cold = Some(log::Cold { method, runs: vec![run(300), run(300)] });
        let untraced = Untraced { first: None, runs: vec![run(100)], cold };
        let warm = Figures::of(&untraced.runs);
        let cold = Cold::of(&untraced, warm.as_ref()).unwrap();
        assert_eq!((cold.runs, cold.wall_ratio.map(|r| r.ratio), cold.system_ratio), (2, Some(3.0), None));
        assert_eq!(Cold::of(&Untraced { cold: None, ..untraced }, warm.as_ref()), None);
    }
}
