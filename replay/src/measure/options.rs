//! What to measure and how long.

use std::time::Duration;

use crate::engine::{Strategy, Tuning, Without};
use crate::graph::Lookahead;

/// What the caches hold when a run begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cache {
    /// Everything: each run has others before it.
    #[default]
    Warm,
    /// No pages of the files that the calls open, as far as the kernel takes the advice (`POSIX_FADV_DONTNEED`);
    /// dentries and inodes are there.
    ColdPages,
    /// Nothing: `/proc/sys/vm/drop_caches` before each run, which needs root.
    Dropped,
}

impl Cache {
    /// The method, for a report.
    #[must_use]
    pub const fn method(self) -> &'static str {
        match self {
            Self::Warm => "warm",
            Self::ColdPages => "cold pages (POSIX_FADV_DONTNEED), dentries and inodes warm",
            Self::Dropped => "cold (drop_caches)",
        }
    }
}

/// What the times of the log are worth.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum RecordedTimes {
    /// Nothing as costs of calls.
    #[default]
    Unusable,
    /// Estimates, with this much added to each call by the tracer, in nanoseconds: good for the gate.
    Estimates {
        /// What the tracer added to each recorded time, measured in a loop.
        probe_ns: f64,
        /// What it added at most: in the program the tracer finds less of its own in the processor's caches.
        most_probe_ns: f64,
    },
    /// Costs, with this much added to each call by the probe, in nanoseconds.
    Costs {
        /// What the probe added to each recorded time, measured in a loop.
        probe_ns: f64,
        /// What it added at most, as above.
        most_probe_ns: f64,
    },
}

/// What to measure and how long.
#[derive(Clone, Debug)]
pub struct Options {
    /// The ways to compare; the baseline is measured in any case.
    pub strategies: Vec<Strategy>,
    /// What the caches hold.
    pub cache: Cache,
    /// Untraced wall times of the program, in nanoseconds: without any there is no projection.
    pub wall_ns: Vec<f64>,
    /// What the log's times are worth.
    pub recorded: RecordedTimes,
    /// What recording added to the program's time for each call, in nanoseconds, measured in a loop; 0: not known.
    pub added_ns: f64,
    /// What the same calls took in each recorded run of the program, in parts of what they took in the log's; with fewer
    /// than two, how far runs lie apart is not known.
    pub runs: Vec<f64>,
    /// Rounds through all strategies, in random order each.
    pub blocks: usize,
    /// No round begins after this, once there are [`Options::LEAST_BLOCKS`]; a strategy of which so many runs do not fit
    /// into it is left out.
    pub time: Duration,
}

impl Options {
    /// Fewer rounds give no interval worth the name.
    pub const LEAST_BLOCKS: usize = 6;

    /// What a run may take, so that there are enough of them.
    pub(crate) fn longest_run(&self) -> Duration {
        self.time / Self::LEAST_BLOCKS as u32
    }

    /// The strategies that are compared when nothing else is asked for.
    #[must_use]
    pub fn default_strategies() -> Vec<Strategy> {
        let mut strategies = vec![Strategy::Free, Strategy::Serial];
        strategies.extend([false, true].map(|disturb| Strategy::Thinking { disturb }));
        for lookahead in Self::lookaheads() {
            strategies.extend([2, 4].map(|threads| Strategy::Threads { threads, lookahead }));
        }
        strategies.push(Strategy::RingOne);
        for lookahead in Self::lookaheads() {
            strategies.push(Strategy::Ring { depth: 128, lookahead });
            strategies.push(Strategy::Hybrid { depth: 128, lookahead });
        }
        for lookahead in [Lookahead::FAITHFUL, Lookahead::ALL] {
            strategies.push(Strategy::Chains { depth: 128, lookahead });
        }
        strategies.extend([false, true].map(|listings| Strategy::Memo { listings }));
        strategies.push(Strategy::TokioBlocking { lookahead: Lookahead::ALL });
        strategies.push(Strategy::TokioUring { depth: 128, lookahead: Lookahead::ALL });
        strategies
    }

    /// Threads of which each is given its part beforehand, as a program would.
    #[must_use]
    pub fn divided_strategies() -> Vec<Strategy> {
        [false, true].map(|started| Strategy::Divided { threads: 2, started }).to_vec()
    }

    /// Names looked up from open directories; a ring set up in all ways there are, for a program as it is and for one that
    /// knows its future.
    #[must_use]
    pub fn tuned_strategies() -> Vec<Strategy> {
        let lookaheads = [Lookahead::FAITHFUL, Lookahead::ALL].into_iter();
        let tuned = |lookahead| Tuning::ALL.map(|tuning| Strategy::Tuned { tuning, depth: 128, lookahead });
        [Strategy::Relative].into_iter().chain(lookaheads.flat_map(tuned)).collect()
    }

    /// Those that make sense only where calls write, besides.
    #[must_use]
    pub fn strategies_for_writes() -> Vec<Strategy> {
        Without::ALL.map(Strategy::Fewer).to_vec()
    }

    /// The lookaheads that are compared.
    #[must_use]
    pub fn lookaheads() -> [Lookahead; 4] {
        [Lookahead::FAITHFUL, Lookahead::calls(4), Lookahead::calls(16), Lookahead::ALL]
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            strategies: Self::default_strategies(),
            cache: Cache::default(),
            wall_ns: Vec::new(),
            recorded: RecordedTimes::default(),
            added_ns: 0.0,
            runs: Vec::new(),
            blocks: 30,
            time: Duration::from_secs(20),
        }
    }
}
