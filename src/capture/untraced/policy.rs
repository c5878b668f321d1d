//! How many runs are enough.

/// When to stop. The first run is never counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Exactly this many counted runs, whatever they take.
    pub runs: Option<usize>,
    /// Otherwise: at least this many...
    pub min_runs: usize,
    /// ...and at least this long in all, in nanoseconds...
    pub min_total_ns: u64,
    /// ...but no longer than this, in nanoseconds, unless there are fewer than [`Policy::few`].
    pub max_total_ns: u64,
    /// ...and, with the time of preparing each run in it, no longer than this, likewise.
    pub max_prepared_ns: u64,
    /// So many are made where a single run is shorter than `max_total_ns`. A longer one is made
    /// once more, because the first run tells of cold caches only.
    pub few: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            runs: None,
            min_runs: 10,
            min_total_ns: 1_000_000_000,
            max_total_ns: 5_000_000_000,
            max_prepared_ns: 15_000_000_000,
            few: 3,
        }
    }
}

/// What has been run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Counted runs.
    pub counted: usize,
    /// Their time in all, in nanoseconds.
    pub total_ns: u64,
    /// The longest run, the first one included, in nanoseconds.
    pub longest_ns: u64,
    /// What preparing runs took in all, in nanoseconds.
    pub prepared_ns: u64,
    /// The longest preparation, in nanoseconds.
    pub longest_prepared_ns: u64,
}

impl Tally {
    /// Adds run 0 or a counted one.
    pub fn add(&mut self, run: usize, wall_ns: u64) {
        self.longest_ns = self.longest_ns.max(wall_ns);
        if run > 0 {
            self.counted += 1;
            self.total_ns = self.total_ns.saturating_add(wall_ns);
        }
    }

    /// Adds the preparation of any run.
    pub fn add_preparation(&mut self, elapsed_ns: u64) {
        self.prepared_ns = self.prepared_ns.saturating_add(elapsed_ns);
        self.longest_prepared_ns = self.longest_prepared_ns.max(elapsed_ns);
    }

    /// What all has taken, and what another run would add to that.
    fn prepared_total_ns(&self) -> (u64, u64) {
        let all = self.total_ns.saturating_add(self.prepared_ns);
        (all, all / (self.counted as u64 + 1))
    }

    fn mean_ns(&self) -> u64 {
        self.total_ns / self.counted.max(1) as u64
    }
}

/// What to do after the first run or a counted one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// One more.
    Run,
    /// All are made.
    Enough,
    /// Another one would take too long; there are fewer than `min_runs`.
    TimeUp,
}

impl Policy {
    /// What to do now.
    #[must_use]
    pub fn next(&self, tally: &Tally) -> Next {
        if let Some(runs) = self.runs {
            return if tally.counted < runs { Next::Run } else { Next::Enough };
        }
        if tally.counted >= self.min_runs && tally.total_ns >= self.min_total_ns {
            return Next::Enough;
        }
        let least = if tally.longest_ns > self.max_total_ns { 1 } else { self.few };
        let (all_ns, one_ns) = tally.prepared_total_ns();
        let in_time = tally.total_ns.saturating_add(tally.mean_ns()) <= self.max_total_ns
            && (tally.prepared_ns == 0 || all_ns.saturating_add(one_ns) <= self.max_prepared_ns);
        if tally.counted < least || in_time {
            return Next::Run;
        }
        if tally.counted >= self.min_runs { Next::Enough } else { Next::TimeUp }
    }

    /// Which share of the work is done, roughly: 0 to 1.
    #[must_use]
    pub fn share(&self, tally: &Tally) -> f64 {
        let share = |done: f64, all: f64| if all > 0.0 { (done / all).min(1.0) } else { 1.0 };
        let count = tally.counted as f64;
        if let Some(runs) = self.runs {
            return share(count, runs as f64);
        }
        let total = tally.total_ns as f64;
        let wanted = share(count, self.min_runs as f64).min(share(total, self.min_total_ns as f64));
        let prepared = share(tally.prepared_total_ns().0 as f64, self.max_prepared_ns as f64);
        let allowed =
            share(total, self.max_total_ns as f64).max(if tally.prepared_ns > 0 { prepared } else { 0.0 });
        let allowed = allowed.min(share(count, self.few as f64));
        wanted.max(allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    /// Runs a command that takes this long each time: (counted runs, why no more).
    fn simulate(policy: &Policy, first_ms: u64, wall_ms: u64) -> (usize, Next) {
        let mut tally = Tally::default();
        tally.add(0, first_ms * MS);
        let mut share = policy.share(&tally);
        loop {
            let next = policy.next(&tally);
            if next != Next::Run {
                return (tally.counted, next);
            }
            tally.add(1, wall_ms * MS);
            let now = policy.share(&tally);
            assert!((share..=1.0).contains(&now), "progress goes forward: {share} {now}");
            share = now;
        }
    }

    #[test]
    fn at_least_ten_and_a_second_at_most_five_seconds() {
        let policy = Policy::default();
        assert_eq!(simulate(&policy, 3, 2), (500, Next::Enough)); // a second
        assert_eq!(simulate(&policy, 900, 100), (10, Next::Enough));
        assert_eq!(simulate(&policy, 400, 400), (10, Next::Enough)); // four seconds
        assert_eq!(simulate(&policy, 500, 500), (10, Next::Enough)); // just five
        assert_eq!(simulate(&policy, 600, 600), (8, Next::TimeUp)); // a ninth would be past five
        assert_eq!(simulate(&policy, 2_000, 2_000), (3, Next::TimeUp)); // but always three...
        assert_eq!(simulate(&policy, 6_000, 6_000), (1, Next::TimeUp)); // ...unless very slow,
        assert_eq!(simulate(&policy, 9_000, 50), (20, Next::Enough)); // which a cold start is not
        assert_eq!(simulate(&policy, 100, 7_000), (1, Next::TimeUp));
    }

    #[test]
    fn slow_preparations_are_bounded_too() {
        let simulate = |prepare_ms: u64, wall_ms: u64| {
            let (policy, mut tally) = (Policy::default(), Tally::default());
            for run in 0.. {
                let next = policy.next(&tally);
                if run > 0 && next != Next::Run {
                    return (tally.counted, next);
                }
                tally.add_preparation(prepare_ms * MS);
                tally.add(run, wall_ms * MS);
            }
            unreachable!()
        };
        assert_eq!(simulate(1, 100), (10, Next::Enough)); // a second of runs
        assert_eq!(simulate(100, 5), (141, Next::Enough)); // not twenty seconds for one of runs
        assert_eq!(simulate(3_000, 5), (3, Next::TimeUp)); // fewer than ten, but three
        assert_eq!(simulate(60_000, 5), (3, Next::TimeUp));
    }

    #[test]
    fn a_number_is_kept_whatever_it_takes() {
        let policy = |runs| Policy { runs: Some(runs), ..Policy::default() };
        assert_eq!(simulate(&policy(4), 1, 1), (4, Next::Enough));
        assert_eq!(simulate(&policy(4), 60_000, 60_000), (4, Next::Enough));
        assert_eq!(simulate(&policy(0), 1, 1), (0, Next::Enough));
    }

    #[test]
    fn runs_of_no_time_at_all_end() {
        let policy = Policy { min_total_ns: 0, ..Policy::default() };
        assert_eq!(simulate(&policy, 0, 0), (10, Next::Enough));
    }
}
