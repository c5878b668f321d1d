//! Medians with 95 % intervals, by resampling blocks (Efron & Tibshirani, *An Introduction to the Bootstrap*,
//! 1993, chapter 13: the percentile method).

/// How many times the blocks are drawn again.
const RESAMPLES: usize = 2000;
/// Drawn alike each time, so that the same measurements give the same interval.
const SEED: u64 = 0x7265_706c_6179;

/// A median and where the true one lies with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The median of the blocks.
    pub median: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Estimate {
    /// The median of values, by resampling them; `None` without any.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        Some(estimate(median(values), |resampler| resampler.median_of_a_draw(values)))
    }

    /// Whether the value lies in the interval.
    #[must_use]
    pub fn holds(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Whether there is a value in both intervals.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.low <= other.high && other.low <= self.high
    }
}

/// Blocks drawn with replacement, and what is made of them.
#[derive(Debug)]
pub(crate) struct Resampler {
    random: fastrand::Rng,
    drawn: Vec<f64>,
}

impl Resampler {
    pub(crate) fn new() -> Self {
        Self { random: fastrand::Rng::with_seed(SEED), drawn: Vec::new() }
    }

    /// The median of values drawn from `values` with replacement.
    pub(crate) fn median_of_a_draw(&mut self, values: &[f64]) -> f64 {
        self.drawn.clear();
        let random = &mut self.random;
        self.drawn.extend((0..values.len()).map(|_| values[random.usize(..values.len())]));
        median_of(&mut self.drawn)
    }
}

/// The estimate of a figure, from its value and its value in each resample.
pub(crate) fn estimate(value: f64, mut resample: impl FnMut(&mut Resampler) -> f64) -> Estimate {
    let mut resampler = Resampler::new();
    let mut values: Vec<f64> = (0..RESAMPLES).map(|_| resample(&mut resampler)).collect();
    values.sort_by(f64::total_cmp);
    let tail = RESAMPLES / 40;
    Estimate { median: value, low: values[tail], high: values[RESAMPLES - 1 - tail] }
}

/// The median; not a number without values.
pub(crate) fn median(values: &[f64]) -> f64 {
    median_of(&mut values.to_vec())
}

fn median_of(values: &mut [f64]) -> f64 {
    let count = values.len();
    if count == 0 {
        return f64::NAN;
    }
    let (below, &mut middle, _) = values.select_nth_unstable_by(count / 2, f64::total_cmp);
    if count % 2 == 1 {
        return middle;
    }
    let before = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    f64::midpoint(before, middle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(&[3.0, 1.0, 2.0]).to_string(), "2");
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]).to_string(), "2.5");
        assert!(median(&[]).is_nan());
        assert_eq!(Estimate::of(&[]), None);
    }

    #[test]
    fn intervals_hold_the_true_median_about_as_often_as_they_say() {
        let mut random = fastrand::Rng::with_seed(1);
        let held = (0..200).filter(|_| {
            let values: Vec<f64> = (0..30).map(|_| random.f64()).collect();
            Estimate::of(&values).unwrap().holds(0.5)
        });
        let held = held.count();
        assert!((175..=200).contains(&held), "{held} of 200");
    }

    #[test]
    fn the_same_values_give_the_same_interval() {
        let values = [1.0, 5.0, 2.0, 8.0, 3.0];
        assert_eq!(Estimate::of(&values), Estimate::of(&values));
        let all_alike = Estimate::of(&[7.0; 9]).unwrap();
        assert_eq!((all_alike.low, all_alike.high), (7.0, 7.0));
    }
}
