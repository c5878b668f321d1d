//! Whether the calls cost in the replay what they cost in the program.
//!
//! They need not: a replay touches no new memory, and its caches are warmer. What a strategy saves is a share of what the calls cost in the
//! program, so within bounds it is scaled by the ratio of the two; beyond them, whatever makes the difference is more than the
//! calls that are measured.

/// The replay's cost of the calls against the program's own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gate {
    /// What the calls took in the program, nanoseconds, at most; of several runs, those in the middle.
    pub in_program_ns: f64,
    /// At least: what the recorder added to each call in the program, where the caches hold less of it than in a loop, is not
    /// known more exactly.
    pub in_program_least_ns: f64,
    /// Runs of the program that these two are of.
    pub runs: usize,
    /// What they took here, with the program's pauses.
    pub replayed_ns: f64,
}

/// Between which of several runs those in the middle lie, a quarter at most left out at either end: what somebody else's work
/// on the machine did to one of them is to decide nothing. `None`: there are not several.
pub(crate) fn middle(runs: &[f64]) -> Option<[f64; 2]> {
    let mut sorted = runs.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let left_out = sorted.len() / 4;
    let [low, .., high] = sorted.get(left_out..sorted.len() - left_out)? else { return None };
    Some([*low, *high])
}

impl Gate {
    /// Within this share of the program's own time the replay's is taken for the same.
    const NEAR: f64 = 0.10;
    /// A cost so many times as high or as low is another one: nothing is carried over.
    const FARTHEST: f64 = 1.5;

    /// How many times what they took here the calls took in the program, to the nearer of the two bounds; 1 between them.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        let replayed_ns = self.replayed_ns.max(1.0);
        replayed_ns.min(self.in_program_ns).max(self.in_program_least_ns) / replayed_ns
    }

    /// Whether they took as long here as in the program.
    #[must_use]
    pub fn is_near(&self) -> bool {
        let near = self.in_program_least_ns * (1.0 - Self::NEAR)..=self.in_program_ns * (1.0 + Self::NEAR);
        near.contains(&self.replayed_ns)
    }

    /// Whether projections are to be believed: what a strategy saves is scaled by the ratio, where that is not too far from 1.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        (1.0 / Self::FARTHEST..=Self::FARTHEST).contains(&self.ratio())
    }
}
