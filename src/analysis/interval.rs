//! How sure a median is: order statistics of repeated runs, and a summary of each figure.
//!
//! Times of a command are skewed (a floor that the machine sets, a tail that its other work adds), so
//! the median stands for them and its interval makes no assumption on their distribution. With
//! `B ~ Binomial(n, 1/2)`, the population median lies between the r-th smallest and the r-th largest
//! of n independent runs with probability `1 - 2 P(B < r)`: at least that for any distribution,
//! exactly that for a continuous one. Sources: David & Nagaraja, *Order Statistics*, 3rd ed., 7.1;
//! Hollander & Wolfe, *Nonparametric Statistical Methods*, 2nd ed., 3.6.
//!
//! Pure functions over [`Run`]; the runs come from `capture::untraced` or from a log's header.

use crate::log::Run;
use serde::Serialize;

/// The confidence asked for.
pub const CONFIDENCE: f64 = 0.95;

/// A modified z-score above this makes a value an outlier (Iglewicz & Hoaglin, *How to Detect and
/// Handle Outliers*, 1993).
pub const OUTLIER_SCORE: f64 = 3.5;

/// An interval for the median, in the unit of the values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// Its lower end: one of the values.
    pub low: f64,
    /// Its upper end: one of the values.
    pub high: f64,
    /// The probability that it holds the true median: at least [`CONFIDENCE`], and the least such.
    pub confidence: f64,
}

/// One figure over all runs, in the unit of the figure (nanoseconds, KiB or a count).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// How many values.
    pub count: usize,
    /// The middle one, or the mean of the two in the middle.
    pub median: f64,
    /// Where the true median is; `None` below six values, which cannot give [`CONFIDENCE`]: then
    /// `min` and `max` are all that can be said.
    pub interval: Option<Interval>,
    /// Arithmetic mean.
    pub mean: f64,
    /// Sample standard deviation (divisor n - 1); `None` for a single value.
    pub deviation: Option<f64>,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// How many values lie suspiciously far from the median, see [`OUTLIER_SCORE`].
    pub outliers: usize,
}

/// The figures of [`Run`], each over all runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// Elapsed time, nanoseconds.
    pub wall_ns: Summary,
    /// The part of that from the fork until `execve` was called, nanoseconds, over the runs where it is known;
    /// `None` where it is known for none.
    pub launch_ns: Option<Summary>,
    /// Elapsed time less that part, each run by itself, likewise.
    pub from_exec_ns: Option<Summary>,
    /// CPU time, nanoseconds: user mode and the kernel together, which is exact.
    pub cpu_ns: Summary,
    /// CPU time in user mode, nanoseconds, as the kernel tells it of each run: see [`super::cpu`].
    pub user_ns: Summary,
    /// CPU time in the kernel, likewise.
    pub system_ns: Summary,
    /// Page faults without I/O.
    pub minor_faults: Summary,
    /// Page faults with I/O.
    pub major_faults: Summary,
    /// Voluntary context switches.
    pub voluntary_switches: Summary,
    /// Involuntary context switches.
    pub involuntary_switches: Summary,
    /// Largest resident set of any one process, KiB, over the runs where it is known;
    /// `None` where it is known for none.
    pub max_rss_kib: Option<Summary>,
}

impl Figures {
    /// Summarises every figure; `None` without runs.
    #[must_use]
    pub fn of(runs: &[Run]) -> Option<Self> {
        let figure = |value: fn(&Run) -> u64| summarize(runs.iter().map(value));
        let launched = || runs.iter().filter(|run| run.launch_ns > 0);
        Some(Self {
            wall_ns: figure(|run| run.wall_ns)?,
            launch_ns: summarize(launched().map(|run| run.launch_ns)),
            from_exec_ns: summarize(launched().map(|run| run.wall_ns.saturating_sub(run.launch_ns))),
            cpu_ns: figure(|run| run.user_ns.saturating_add(run.system_ns))?,
            user_ns: figure(|run| run.user_ns)?,
            system_ns: figure(|run| run.system_ns)?,
            minor_faults: figure(|run| run.minor_faults)?,
            major_faults: figure(|run| run.major_faults)?,
            voluntary_switches: figure(|run| run.voluntary_switches)?,
            involuntary_switches: figure(|run| run.involuntary_switches)?,
            max_rss_kib: summarize(runs.iter().map(|run| run.max_rss_kib).filter(|&kib| kib > 0)),
        })
    }
}

/// Summarises values; `None` where there are none.
#[must_use]
pub fn summarize(values: impl IntoIterator<Item = u64>) -> Option<Summary> {
    let mut sorted: Vec<f64> = values.into_iter().map(|value| value as f64).collect();
    sorted.sort_by(f64::total_cmp);
    let (&min, &max) = (sorted.first()?, sorted.last()?);
    let count = sorted.len();
    let mean = sorted.iter().sum::<f64>() / count as f64;
    let squares: f64 = sorted.iter().map(|value| (value - mean).powi(2)).sum();
    Some(Summary {
        count,
        median: median_of_sorted(&sorted)?,
        interval: median_interval(&sorted, CONFIDENCE),
        mean,
        deviation: (count > 1).then(|| (squares / (count - 1) as f64).sqrt()),
        min,
        max,
        outliers: outliers(&sorted),
    })
}

/// The middle of values in ascending order.
fn median_of_sorted(sorted: &[f64]) -> Option<f64> {
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(sorted[sorted.len() / 2 - 1], upper))
}

/// The narrowest symmetric interval between two order statistics that holds the true median with at
/// least the given confidence. The values are in ascending order. `None` where there are too few.
#[must_use]
pub fn median_interval(sorted: &[f64], confidence: f64) -> Option<Interval> {
    let (rank, confidence) = interval_rank(sorted.len(), confidence)?;
    Some(Interval { low: sorted[rank - 1], high: sorted[sorted.len() - rank], confidence })
}

/// The largest r for which the r-th smallest and r-th largest of n values enclose the true median
/// with at least this confidence, and the confidence they reach. `None` where r = 1 is not enough.
///
/// The sum is the exact binomial one; its terms are taken through logarithms, because `2^-n` alone
/// is below the smallest `f64` from n = 1075.
#[must_use]
pub fn interval_rank(n: usize, confidence: f64) -> Option<(usize, f64)> {
    let mut ln_term = -(n as f64) * std::f64::consts::LN_2; // ln P(B = 0)
    let mut below = 0.0; // P(B < r)
    let mut found = None;
    for r in 1..=n.div_ceil(2) {
        below += ln_term.exp();
        let reached = 1.0 - 2.0 * below;
        if reached < confidence {
            break;
        }
        found = Some((r, reached));
        // C(n, r) = C(n, r - 1) * (n - r + 1) / r
        ln_term += ((n - r + 1) as f64 / r as f64).ln();
    }
    found
}

/// How many values have a modified z-score beyond [`OUTLIER_SCORE`]: their distance from the median
/// in units of the median absolute deviation, scaled to be a standard deviation under normality.
/// Where over half of the values are equal that deviation is 0 and the mean absolute one takes its
/// place, as Iglewicz & Hoaglin propose.
fn outliers(sorted: &[f64]) -> usize {
    const MEDIAN_SCALE: f64 = 1.482_602; // 1 / 0.6745
    const MEAN_SCALE: f64 = 1.253_314; // sqrt(pi / 2)
    let Some(median) = median_of_sorted(sorted) else { return 0 };
    let mut distances: Vec<f64> = sorted.iter().map(|value| (value - median).abs()).collect();
    distances.sort_by(f64::total_cmp);
    let mad = median_of_sorted(&distances).unwrap_or(0.0);
    let scale = if mad > 0.0 {
        MEDIAN_SCALE * mad
    } else {
        MEAN_SCALE * distances.iter().sum::<f64>() / distances.len() as f64
    };
    distances.iter().filter(|&&distance| distance > OUTLIER_SCORE * scale).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    /// P(B < r) by whole numbers, for n up to 100 or so.
    fn tail_exact(n: u32, r: u32) -> f64 {
        let mut binomial: u128 = 1;
        let mut sum: u128 = 0;
        for k in 0..r {
            sum += binomial;
            binomial = binomial * u128::from(n - k) / u128::from(k + 1);
        }
        sum as f64 / 2f64.powi(n as i32)
    }

    #[test]
    fn ranks_are_those_of_sign_test_tables() {
        // As in any table of the sign test at 5 %, two-sided: a critical value c there is rank c + 1.
        assert_eq!(interval_rank(5, 0.95), None);
        let known = [(6, 1), (8, 1), (9, 2), (10, 2), (12, 3), (15, 4), (20, 6), (25, 8), (30, 10), (50, 18)];
        for (n, rank) in known {
            assert_eq!(interval_rank(n, 0.95).unwrap().0, rank, "n = {n}");
        }
        assert!(close(interval_rank(6, 0.95).unwrap().1, 0.968_75));
        assert!(close(interval_rank(10, 0.95).unwrap().1, 0.978_515_625));
    }

    #[test]
    fn confidence_is_the_exact_binomial_sum() {
        for n in 6..100u32 {
            let (rank, reached) = interval_rank(n as usize, 0.95).unwrap();
            assert!(close(reached, 1.0 - 2.0 * tail_exact(n, rank as u32)), "n = {n}");
            assert!(1.0 - 2.0 * tail_exact(n, rank as u32 + 1) < 0.95, "n = {n}: a narrower one would do");
        }
    }

    #[test]
    fn thousands_of_runs_do_not_underflow() {
        // Large-sample rank: n/2 - 1.96 sqrt(n)/2.
        for n in [1_000usize, 2_000, 100_000] {
            let (rank, reached) = interval_rank(n, 0.95).unwrap();
            let expected = n as f64 / 2.0 - 1.959_964 * (n as f64).sqrt() / 2.0;
            assert!((rank as f64 - expected).abs() <= 1.5, "n = {n}: {rank} {expected}");
            assert!((0.95..0.96).contains(&reached), "{reached}");
        }
    }

    #[test]
    fn summary_of_known_values() {
        let summary = summarize([2, 4, 4, 4, 5, 5, 7, 9]).unwrap();
        assert_eq!(summary.count, 8);
        assert!(close(summary.median, 4.5));
        assert!(close(summary.mean, 5.0));
        assert!(close(summary.deviation.unwrap(), (32f64 / 7.0).sqrt()));
        assert!(close(summary.min, 2.0) && close(summary.max, 9.0));
        let interval = summary.interval.unwrap();
        assert!(close(interval.low, 2.0) && close(interval.high, 9.0));
        assert!(close(interval.confidence, 1.0 - 2.0 / 256.0));
    }

    #[test]
    fn few_values_say_so() {
        assert_eq!(summarize([]), None);
        let one = summarize([7]).unwrap();
        assert!(close(one.median, 7.0) && one.deviation.is_none() && one.interval.is_none());
        assert!(summarize([1, 2, 3, 4, 5]).unwrap().interval.is_none());
        assert!(summarize([6, 5, 4, 3, 2, 1]).unwrap().interval.is_some());
    }

    #[test]
    fn outliers_by_either_deviation() {
        assert_eq!(summarize([10, 11, 12, 10, 11, 12, 11, 100]).unwrap().outliers, 1);
        assert_eq!(summarize([10, 11, 12, 13, 14]).unwrap().outliers, 0);
        // Median absolute deviation 0; the mean one is 5, so 50 is (50 / 6.27) = 8 of them away.
        assert_eq!(summarize([10, 10, 10, 10, 10, 10, 10, 10, 10, 60]).unwrap().outliers, 1);
        assert_eq!(summarize([10; 20]).unwrap().outliers, 0);
    }

    #[test]
    fn figures_are_taken_from_their_fields() {
        let run = |n: u64| Run {
            wall_ns: n,
            launch_ns: 0,
            user_ns: 10 * n,
            system_ns: 100 * n,
            minor_faults: 1_000 * n,
            major_faults: 2_000 * n,
            voluntary_switches: 3_000 * n,
            involuntary_switches: 4_000 * n,
            max_rss_kib: 0,
        };
        let mut runs = [run(1), run(2), run(3)];
        let figures = Figures::of(&runs).unwrap();
        let medians = [
            figures.wall_ns.median,
            figures.cpu_ns.median,
            figures.user_ns.median,
            figures.system_ns.median,
            figures.minor_faults.median,
            figures.major_faults.median,
            figures.voluntary_switches.median,
            figures.involuntary_switches.median,
        ];
        let expected = [2.0, 220.0, 20.0, 200.0, 2_000.0, 4_000.0, 6_000.0, 8_000.0];
        assert!(medians.iter().zip(expected).all(|(&a, b)| close(a, b)), "{medians:?}");
        assert_eq!((figures.max_rss_kib, figures.launch_ns, figures.from_exec_ns), (None, None, None));
        (runs[1].launch_ns, runs[2].launch_ns) = (1, 1);
        let figures = Figures::of(&runs).unwrap();
        assert!(close(figures.launch_ns.unwrap().median, 1.0));
        assert!(close(figures.from_exec_ns.unwrap().median, 1.5));
        runs[1].max_rss_kib = 5_000;
        assert_eq!(Figures::of(&runs).unwrap().max_rss_kib.unwrap().count, 1);
        assert_eq!(Figures::of(&[]), None);
    }

    /// Uniform numbers in (0, 1): `SplitMix64`, seeded.
    struct Uniform(u64);

    impl Uniform {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64 + f64::EPSILON / 4.0
        }
    }

    #[test]
    fn interval_holds_the_true_median_as_often_as_it_says() {
        const TRIALS: usize = 20_000;
        let mut uniform = Uniform(0x5EED);
        for n in [6usize, 10, 17, 40] {
            let mut held = 0;
            let mut claimed = 0.0;
            for _ in 0..TRIALS {
                // Exponential: as skewed as run times are, with the median at ln 2.
                let mut sample: Vec<f64> = (0..n).map(|_| -uniform.next().ln()).collect();
                sample.sort_by(f64::total_cmp);
                let interval = median_interval(&sample, CONFIDENCE).unwrap();
                claimed = interval.confidence;
                held += usize::from((interval.low..=interval.high).contains(&std::f64::consts::LN_2));
            }
            let share = held as f64 / TRIALS as f64;
            assert!(share >= 0.94, "n = {n}: {share}");
            // Three standard errors of a share near 0.96 over 20 000 trials.
            assert!((share - claimed).abs() < 0.005, "n = {n}: {share}, claimed {claimed}");
        }
    }
}
