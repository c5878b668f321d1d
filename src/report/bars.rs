//! Histograms on one line: one bar for each power of two.

use crate::analysis::durations::Bucket;

/// From nearly none to all.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Most bars of a line; the lowest and highest powers beyond them share the outer ones.
const MOST: u32 = 20;

/// The powers of two that several histograms share as their axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    first: u32,
    last: u32,
}

impl Axis {
    /// An axis that holds all of these histograms; `None` if all are empty.
    pub fn of<'a>(histograms: impl IntoIterator<Item = &'a [Bucket]>) -> Option<Self> {
        let used = histograms.into_iter().flatten().filter(|bucket| bucket.calls > 0);
        let (mut first, mut last) = (u32::MAX, 0);
        for bucket in used {
            let power = bucket.from_ns.max(1).ilog2();
            first = first.min(power);
            last = last.max(power);
        }
        (first <= last).then(|| Self { first, last: last.min(first + MOST - 1) })
    }

    /// Where it begins and ends, in nanoseconds.
    #[must_use]
    pub fn range_ns(self) -> (u64, u64) {
        (1 << self.first, 1 << (self.last + 1).min(63))
    }

    /// The bars of one histogram, as many characters as the axis is long. A power without calls is
    /// blank, one with few is never blank; heights are relative to the fullest power.
    #[must_use]
    pub fn bars(self, histogram: &[Bucket]) -> String {
        let mut counts = vec![0; (self.last - self.first + 1) as usize];
        for bucket in histogram {
            let power = bucket.from_ns.max(1).ilog2().clamp(self.first, self.last);
            counts[(power - self.first) as usize] += bucket.calls;
        }
        let most = counts.iter().copied().max().unwrap_or(0).max(1);
        let bar = |&calls: &u64| match calls {
            0 => ' ',
            calls => BARS[((calls as f64 / most as f64 * 8.0).ceil() as usize).clamp(1, 8) - 1],
        };
        counts.iter().map(bar).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(counts: &[(u64, u64)]) -> Vec<Bucket> {
        counts.iter().map(|&(from_ns, calls)| Bucket { from_ns, calls }).collect()
    }

    #[test]
    fn bars_are_relative_to_the_fullest_power() {
        let a = histogram(&[(1024, 1), (2048, 1000), (4096, 500), (8192, 0)]);
        let b = histogram(&[(512, 3), (65_536, 1)]);
        let axis = Axis::of([&a[..], &b[..]]).unwrap();
        assert_eq!(axis.range_ns(), (512, 131_072));
        assert_eq!(axis.bars(&a), " ▁█▄    ");
        assert_eq!(axis.bars(&b), "█      ▃");
        assert_eq!(axis.bars(&[]), "        ");
        assert_eq!(Axis::of([&[][..]]), None);
    }

    #[test]
    fn a_wide_range_is_cut() {
        let wide = histogram(&[(1, 1), (1 << 40, 1)]);
        assert_eq!(Axis::of([&wide[..]]).unwrap().bars(&wide).chars().count(), 20);
    }
}
