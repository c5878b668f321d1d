//! Several commands measured against each other, in rounds of random order.
//!
//! A machine's speed drifts, and one command warms up caches for the next. In each round every command runs
//! once, in a new random order, so that neither favours one of them; the runs of a round can be compared.

use super::{Progress, RunError, prepare, run, terminal};
use crate::capture::launch::Command;
use crate::capture::stdio::Stdio;
use crate::capture::sys::clock::monotonic_ns;
use crate::capture::sys::signals::Watch;
use crate::log::Run;
use std::process::ExitStatus;

/// How many rounds.
#[derive(Clone, Debug)]
pub struct Rounds {
    /// Exactly this many.
    pub rounds: Option<usize>,
    /// Otherwise at least this many...
    pub min_rounds: usize,
    /// ...and so long for each command, in nanoseconds...
    pub min_each_ns: u64,
    /// ...but no longer than this in all.
    pub max_total_ns: u64,
}

impl Default for Rounds {
    fn default() -> Self {
        Self { rounds: None, min_rounds: 12, min_each_ns: 1_000_000_000, max_total_ns: 60_000_000_000 }
    }
}

impl Rounds {
    /// About this share of the work (0 to 1) is done.
    pub(super) fn share(&self, rounds: usize, commands: usize, total_ns: u64) -> f64 {
        let part = |done: u64, wanted: u64| (done as f64 / wanted.max(1) as f64).min(1.0);
        if let Some(wanted) = self.rounds {
            return part(rounds as u64, wanted as u64);
        }
        let each = part(total_ns / commands.max(1) as u64, self.min_each_ns);
        part(rounds as u64, self.min_rounds as u64).min(each).max(part(total_ns, self.max_total_ns))
    }

    /// Whether these are enough.
    pub(super) fn enough(&self, rounds: usize, commands: usize, total_ns: u64) -> bool {
        if let Some(wanted) = self.rounds {
            return rounds >= wanted;
        }
        let each_ns = total_ns / commands.max(1) as u64;
        (rounds > 0 && total_ns >= self.max_total_ns)
            || (rounds >= self.min_rounds && each_ns >= self.min_each_ns)
    }
}

/// The runs of one command, one a round.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// What each round took.
    pub runs: Vec<Run>,
    /// It ended in another way than expected: it was left out from then on.
    pub failed: Option<ExitStatus>,
}

/// Measures commands against each other until there are enough rounds, or a signal comes (given back with
/// what was measured). Each is expected to end with `status`.
pub fn interleaved(
    commands: &[Command],
    stdio: &mut Stdio,
    rounds: &Rounds,
    preparing: Option<&str>,
    status: ExitStatus,
    progress: &mut dyn Progress,
) -> Result<(Vec<Series>, Option<i32>), RunError> {
    let watch = Watch::install();
    let foreground = terminal::Foreground::now();
    let mut all = vec![Series::default(); commands.len()];
    let mut random = Random(monotonic_ns());
    let (mut done, mut runs, began_ns) = (0, 1, monotonic_ns());
    while !rounds.enough(done, commands.len(), monotonic_ns() - began_ns) {
        let mut order: Vec<usize> = (0..commands.len()).filter(|&at| all[at].failed.is_none()).collect();
        random.shuffle(&mut order);
        for at in order {
            let prepared = prepare::prepare(preparing, &watch);
            if let Some(signal) = watch.received() {
                even(&mut all, done);
                return Ok((all, Some(signal)));
            }
            prepared?;
            let ended = run::once(&commands[at], stdio, runs, &watch, None);
            foreground.restore();
            if let Some(signal) = watch.received() {
                even(&mut all, done);
                return Ok((all, Some(signal)));
            }
            let ended = ended?;
            runs += 1;
            if ended.status == status {
                all[at].runs.push(ended.figures);
            } else {
                all[at].failed = Some(ended.status);
            }
        }
        done += 1;
        progress.finished(done, rounds.share(done, commands.len(), monotonic_ns() - began_ns));
    }
    Ok((all, None))
}

/// Takes the runs of an unfinished round out.
fn even(all: &mut [Series], rounds: usize) {
    for series in all {
        series.runs.truncate(rounds);
    }
}

/// `SplitMix64`: good enough to choose an order.
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Fisher and Yates.
    pub(super) fn shuffle(&mut self, order: &mut [usize]) {
        for last in (1..order.len()).rev() {
            let other = (self.next() % (last as u64 + 1)) as usize;
            order.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_comes_up() {
        let mut random = Random(7);
        let mut seen = std::collections::BTreeMap::new();
        for _ in 0..6_000 {
            let mut order = vec![0, 1, 2];
            random.shuffle(&mut order);
            *seen.entry(order).or_insert(0) += 1;
        }
        assert_eq!(seen.len(), 6);
        assert!(seen.values().all(|&times| (850..1150).contains(&times)), "{seen:?}");
    }

    #[test]
    fn rounds_end_by_number_or_time() {
        let exactly = Rounds { rounds: Some(3), ..Rounds::default() };
        assert!(!exactly.enough(2, 5, u64::MAX) && exactly.enough(3, 5, 0));
        let open = Rounds::default();
        assert!(!open.enough(11, 2, 3_000_000_000), "too few");
        assert!(!open.enough(12, 2, 1_000_000_000), "too short");
        assert!(open.enough(12, 2, 2_000_000_000));
        assert!(open.enough(1, 2, 60_000_000_000), "too long");
        assert!(!open.enough(0, 2, u64::MAX), "one at least");
        let share = |rounds, total_ns| (open.share(rounds, 2, total_ns) * 100.0) as u64;
        assert_eq!([share(6, 2_000_000_000), share(12, 500_000_000), share(3, 30_000_000_000)], [50, 25, 50]);
        assert!((exactly.share(1, 2, 0) - 1.0 / 3.0).abs() < 1e-9);
    }
}
