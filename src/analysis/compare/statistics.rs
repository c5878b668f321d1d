//! Whether two samples differ, how many such findings to believe, and how large a ratio is.
//!
//! Runs are few and far from normal, and counts have ties, so the test is the exact permutation test on sums of
//! midranks (Wilcoxon; Lehmann, *Nonparametrics*, 1975, 1.4), for larger samples its normal approximation with the
//! correction for ties. Of many tests at once, those are believed that the procedure of Benjamini and Hochberg (1995)
//! keeps at a false discovery rate. The interval of a ratio of medians is a bootstrap by rounds (Efron and Tibshirani,
//! 1993, chapter 13).

use serde::Serialize;

use crate::analysis::interval::Interval;

/// The share of false ones among the differences that are believed, and the confidence of intervals.
pub const FALSE_DISCOVERIES: f64 = 0.05;
/// Up to so many values in both samples the test is exact.
const EXACT: usize = 16;
/// How many times samples are drawn again.
const RESAMPLES: usize = 1000;
/// Drawn alike each time, so that the same runs give the same interval.
const SEED: u64 = 0x0063_6f6d_7061_7265;
/// Fewest values of each sample for an interval.
const FEWEST: usize = 6;

/// A ratio of two medians.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ratio {
    /// The other's median over the reference's.
    pub value: f64,
    /// Where the true one lies; `None` below six runs of each.
    pub interval: Option<Interval>,
}

/// The middle of some values; 0 without any.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    median_of(&mut values.to_vec())
}

fn median_of(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    if values.is_empty() {
        return 0.0;
    }
    let is_odd = values.len() % 2 == 1;
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if is_odd { upper } else { f64::midpoint(lower, upper) }
}

/// The probability of ranks at least so uneven if both samples came from one source; `None` where there is nothing to
/// test: a sample is empty, or all values are one.
#[must_use]
pub fn rank_test(a: &[f64], b: &[f64]) -> Option<f64> {
    let ranks = midranks(a, b);
    if a.is_empty() || b.is_empty() || ranks.iter().all(|rank| *rank == ranks[0]) {
        return None;
    }
    if let Some(bound) = constants(a, b) {
        return Some(bound);
    }
    let sum: u64 = ranks[..a.len()].iter().sum();
    Some(if ranks.len() <= EXACT { exact(&ranks, a.len(), sum) } else { approximate(&ranks, a.len(), sum) })
}

/// The most that the probability of what most counts do can be: to be one number in all runs of one side, and another in
/// all of the other. Whatever the distribution, that is likeliest where there are two values only, and then at most
/// `2 p^n (1 - p)^m` for `p = n / (n + m)`. It is less than what ranks alone tell, and the same event or a rarer one, so
/// the test stays one.
fn constants(a: &[f64], b: &[f64]) -> Option<f64> {
    let is_constant = |values: &[f64]| values.iter().all(|value| value.total_cmp(&values[0]).is_eq());
    if !is_constant(a) || !is_constant(b) {
        return None;
    }
    let (n, m) = (a.len() as f64, b.len() as f64);
    Some((2.0 * (n / (n + m)).powf(n) * (m / (n + m)).powf(m)).min(1.0))
}

/// Twice the rank of each value among all, those of equal ones being their mean: whole numbers.
fn midranks(a: &[f64], b: &[f64]) -> Vec<u64> {
    let values: Vec<f64> = a.iter().chain(b).copied().collect();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
    let mut ranks = vec![0; values.len()];
    for equal in order.chunk_by(|&i, &j| values[i].total_cmp(&values[j]).is_eq()) {
        let before = order.iter().position(|at| *at == equal[0]).unwrap_or(0) as u64;
        let twice = 2 * before + 1 + equal.len() as u64;
        for &at in equal {
            ranks[at] = twice;
        }
    }
    ranks
}

/// Counts the ways to choose `size` of the ranks by their sum, and adds up those at least as far from the middle.
fn exact(ranks: &[u64], size: usize, sum: u64) -> f64 {
    let total: u64 = ranks.iter().sum();
    let width = total as usize + 1;
    let mut ways = vec![vec![0.0_f64; width]; size + 1];
    ways[0][0] = 1.0;
    for &rank in ranks {
        let rank = rank as usize;
        for chosen in (0..size).rev() {
            for at in (0..width - rank).rev() {
                let more = ways[chosen][at];
                if more > 0.0 {
                    ways[chosen + 1][at + rank] += more;
                }
            }
        }
    }
    // The mean of all sums is total * size / n; in whole numbers: distances times n.
    let n = ranks.len() as i64;
    let distance = |sum: u64| (sum as i64 * n - total as i64 * size as i64).abs();
    let (mut far, mut all) = (0.0, 0.0);
    for (at, count) in ways[size].iter().enumerate() {
        all += count;
        far += if distance(at as u64) >= distance(sum) { *count } else { 0.0 };
    }
    far / all
}

fn approximate(ranks: &[u64], size: usize, sum: u64) -> f64 {
    let n = ranks.len() as f64;
    let (a, b) = (size as f64, n - size as f64);
    let mean = ranks.iter().sum::<u64>() as f64 / n;
    let spread: f64 = ranks.iter().map(|rank| (*rank as f64 - mean).powi(2)).sum();
    let deviation = (a * b / (n * (n - 1.0)) * spread).sqrt();
    // One less, for sums are whole numbers (of doubled ranks, every second one).
    let distance = ((sum as f64 - mean * a).abs() - 1.0).max(0.0);
    erfc(distance / deviation / std::f64::consts::SQRT_2)
}

/// The complementary error function to 1.2e-7 (Press et al., *Numerical Recipes*, 2nd ed., 6.2), for x >= 0.
fn erfc(x: f64) -> f64 {
    const TERMS: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let t = 1.0 / (1.0 + 0.5 * x);
    let series = TERMS.iter().rev().fold(0.0, |sum, term| sum * t + term);
    t * (series - x * x).exp()
}

/// Which of these tests to believe, by the procedure of Benjamini and Hochberg. Those that could not be made (`None`) are
/// no tests.
#[must_use]
pub fn believed(tests: &[Option<f64>], rate: f64) -> Vec<bool> {
    let mut made: Vec<f64> = tests.iter().copied().flatten().collect();
    made.sort_by(f64::total_cmp);
    let count = made.len() as f64;
    let kept = made.iter().enumerate().rev().find(|(at, p)| **p <= rate * (*at + 1) as f64 / count);
    let limit = kept.map_or(-1.0, |(_, p)| *p);
    tests.iter().map(|test| test.is_some_and(|p| p <= limit)).collect()
}

/// The other's median over the reference's; `None` where that is 0. `paired`: values of the same place were measured in
/// the same round, and are drawn together.
#[must_use]
pub fn ratio(reference: &[f64], other: &[f64], paired: bool) -> Option<Ratio> {
    let base = median(reference);
    if base <= 0.0 || other.is_empty() {
        return None;
    }
    let value = median(other) / base;
    let enough = reference.len().min(other.len()) >= FEWEST;
    let interval = enough.then(|| bootstrap(reference, other, paired && reference.len() == other.len()));
    Some(Ratio { value, interval: interval.flatten() })
}

fn bootstrap(reference: &[f64], other: &[f64], paired: bool) -> Option<Interval> {
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut drawn = [vec![0.0; reference.len()], vec![0.0; other.len()]];
    let mut ratios: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let [a, b] = &mut drawn;
            for at in 0..a.len() {
                let chosen = random.usize(..reference.len());
                a[at] = reference[chosen];
                if paired {
                    b[at] = other[chosen];
                }
            }
            if !paired {
                for value in b.iter_mut() {
                    *value = other[random.usize(..other.len())];
                }
            }
            median_of(b) / median_of(a)
        })
        .filter(|ratio| ratio.is_finite())
        .collect();
    ratios.sort_by(f64::total_cmp);
    let tail = ((ratios.len() as f64) * (1.0 - super::CONFIDENCE) / 2.0) as usize;
    let (low, high) = (*ratios.get(tail)?, *ratios.get(ratios.len().checked_sub(1 + tail)?)?);
    Some(Interval { low, high, confidence: super::CONFIDENCE })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64, within: f64) -> bool {
        (a - b).abs() <= within
    }

    #[test]
    fn probabilities_are_those_of_tables() {
        let test = |a: &[f64], b: &[f64]| rank_test(a, b).unwrap();
        // Apart altogether: 2 of all the ways to choose.
        assert!(close(test(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]), 2.0 / 20.0, 1e-12));
        assert!(close(test(&[9.0, 9.0, 8.0], &[4.0; 3]), 2.0 / 20.0, 1e-12), "ties within a sample");
        assert!(close(test(&[9.0; 5], &[4.0; 5]), 2.0 / 1024.0, 1e-12), "constants");
        // W = 1 + 2 + 4 = 7 of three among six: sums of 6, 7, 14, 15 are as far, 4 of 20 ways.
        assert!(close(test(&[1.0, 2.0, 4.0], &[3.0, 5.0, 6.0]), 0.2, 1e-12));
        assert!(close(test(&[1.0, 4.0], &[2.0, 3.0]), 1.0, 1e-12));
        assert_eq!(rank_test(&[1.0, 1.0], &[1.0]), None);
        assert_eq!(rank_test(&[], &[1.0, 2.0]), None);
    }

    #[test]
    fn the_approximation_is_near_the_exact_one() {
        let mut random = fastrand::Rng::with_seed(3);
        for _ in 0..50 {
            let sample =
                |random: &mut fastrand::Rng| (0..12).map(|_| f64::from(random.u8(..40))).collect::<Vec<_>>();
            let (a, b) = (sample(&mut random), sample(&mut random));
            let ranks = midranks(&a, &b);
            let sum = ranks[..12].iter().sum();
            let (one, other) = (exact(&ranks, 12, sum), approximate(&ranks, 12, sum));
            assert!(close(one, other, 0.02), "{one} {other}");
        }
        assert!(close(erfc(0.0), 1.0, 2e-7) && close(erfc(1.0), 0.157_299_2, 2e-7) && erfc(6.0) < 1e-15);
    }

    #[test]
    fn of_many_tests_few_are_believed() {
        let tests = [Some(0.001), None, Some(0.04), Some(0.03), Some(0.9)];
        assert_eq!(believed(&tests, 0.05), [true, false, false, false, false]);
        // The example of the paper, of 15 tests: four of them.
        let paper = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
            0.6528, 0.7590, 1.0,
        ];
        let kept = believed(&paper.map(Some), 0.05);
        assert_eq!(kept.iter().filter(|kept| **kept).count(), 4);
        assert_eq!(believed(&[None], 0.05), [false]);
    }

    /// Times as machines give them: a floor, and a long tail above it.
    fn time(random: &mut fastrand::Rng, scale: f64) -> f64 {
        scale * (1.0 + 0.05 * -(1.0 - random.f64()).ln() + 0.02 * random.f64())
    }

    #[test]
    fn intervals_hold_known_ratios_as_often_as_they_say() {
        let mut random = fastrand::Rng::with_seed(11);
        for (runs, ratio_of) in [(10, 1.0), (15, 1.3), (20, 3.0)] {
            let (mut held, mut made) = (0, 0);
            for trial in 0..300 {
                let draw = |random: &mut fastrand::Rng, scale| {
                    (0..runs).map(|_| time(random, scale)).collect::<Vec<_>>()
                };
                let (a, b) = (draw(&mut random, 1e6), draw(&mut random, 1e6 * ratio_of));
                let interval = ratio(&a, &b, trial % 2 == 0).unwrap().interval.unwrap();
                made += 1;
                held += usize::from((interval.low..=interval.high).contains(&ratio_of));
            }
            let share = held as f64 / f64::from(made);
            assert!((0.93..=0.98).contains(&share), "{runs} runs, ratio {ratio_of}: {share}");
        }
    }

    #[test]
    fn ratios_of_few_runs_and_of_nothing() {
        assert_eq!(ratio(&[0.0], &[1.0], false), None);
        assert_eq!(ratio(&[2.0], &[], false), None);
        let few = ratio(&[2.0; 5], &[4.0; 9], true).unwrap();
        assert!(close(few.value, 2.0, 1e-12) && few.interval.is_none());
    }
}
