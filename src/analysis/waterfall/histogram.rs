//! How many calls there were when, of a run whose length is known at its end only.

/// Bins; their width doubles when the run grows longer than all of them.
const BINS: usize = 4096;
/// Their first width.
const NARROWEST_NS: u64 = 1 << 10;

/// Calls, and those of them that failed.
pub type Bin = [u64; 2];

/// Counts in bins of equal width.
#[derive(Debug, Default)]
pub struct Histogram {
    width_ns: u64,
    bins: Vec<Bin>,
}

impl Histogram {
    /// Counts a call.
    pub fn add(&mut self, at_ns: u64, failed: bool) {
        self.width_ns = self.width_ns.max(NARROWEST_NS);
        while at_ns / self.width_ns >= BINS as u64 {
            let sum = |pair: &[Bin]| pair.iter().fold([0, 0], |sum, bin| [sum[0] + bin[0], sum[1] + bin[1]]);
            self.bins = self.bins.chunks(2).map(sum).collect();
            self.width_ns *= 2;
        }
        let at = (at_ns / self.width_ns) as usize;
        if self.bins.len() <= at {
            self.bins.resize(at + 1, [0, 0]);
        }
        self.bins[at][0] += 1;
        self.bins[at][1] += u64::from(failed);
    }

    /// The bins that have something: from when, to when, what.
    pub fn bins(&self) -> impl Iterator<Item = (u64, u64, Bin)> {
        let width_ns = self.width_ns;
        let bin = move |(at, bin): (usize, &Bin)| {
            let from_ns = at as u64 * width_ns;
            (from_ns, from_ns.saturating_add(width_ns), *bin)
        };
        self.bins.iter().enumerate().filter(|(_, bin)| bin[0] > 0).map(bin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_grow_wider_and_lose_nothing() {
        let mut histogram = Histogram::default();
        for at in [0, 1000, 1030, 5_000_000, 40_000_000_000] {
            histogram.add(at, at == 1030);
        }
        let bins: Vec<_> = histogram.bins().collect();
        assert_eq!(bins.iter().map(|(.., bin)| bin[0]).sum::<u64>(), 5);
        assert_eq!(bins.iter().map(|(.., bin)| bin[1]).sum::<u64>(), 1);
        assert!(bins.iter().all(|(from, to, _)| to > from) && bins.len() <= 4096);
        assert!(bins.iter().any(|(from, to, _)| (*from..*to).contains(&40_000_000_000)));
        histogram.add(u64::MAX, false);
        assert_eq!(histogram.bins().map(|(.., bin)| bin[0]).sum::<u64>(), 6);
    }
}
