//! What `io_uring`, threads and fewer calls would do for a side: its log replayed, and the best way of each kind.
//!
//! Values only: they pass from a confined process to the one that shows them, so they can be read back, too.

use serde::{Deserialize, Serialize};

use crate::analysis::replay::{Range, Replay, Row};

/// What a replay of a side's log comes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replayed {
    /// Calls that write were made, too, in a scratch tree.
    pub writes: bool,
    /// Calls replayed.
    pub replayed: usize,
    /// File-system calls of the log.
    pub file_system_calls: usize,
    /// The replay's cost of the calls is near that in the program; `None`: the log has no times.
    pub believable: Option<bool>,
    /// The best of each kind that could be measured.
    pub ways: Vec<Way>,
}

/// The best way of a kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Way {
    /// Which kind.
    pub kind: WayKind,
    /// The strategy, as `trace replay` names it.
    pub strategy: String,
    /// The calls' time over that of plain calls: median, low, high; `None`: nothing had to be run.
    pub against_serial: Option<[f64; 3]>,
    /// How many times as fast the program would be, likewise; `None`: its wall time is not known.
    pub speedup: Option<[f64; 3]>,
    /// Whether it helps, for all that can be seen.
    pub helps: Option<bool>,
}

/// A kind of ways of making calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WayKind {
    /// Rings, for the program as it is: one call of a thread under way.
    Ring,
    /// Rings, if the program knew its next calls: a bound.
    RingAhead,
    /// Plain calls from threads, for a program that knew its next calls: a bound, too.
    ThreadsAhead,
    /// Fewer calls: each lookup once; without fsync, without mkdir of what is there.
    Fewer,
    /// No calls at all: the ceiling.
    None,
}

impl WayKind {
    /// All of them, in order.
    pub const ALL: [Self; 5] = [Self::Ring, Self::RingAhead, Self::ThreadsAhead, Self::Fewer, Self::None];

    /// The name used in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ring => "io_uring",
            Self::RingAhead => "io_uring, next calls known (bound)",
            Self::ThreadsAhead => "threads, next calls known (bound)",
            Self::Fewer => "fewer calls (bound)",
            Self::None => "no calls (ceiling)",
        }
    }

    fn of(row: &Row) -> Option<Self> {
        let is_ahead = row.lookahead != Some(1);
        match row.way {
            "threads" if is_ahead => Some(Self::ThreadsAhead),
            "each lookup once" | "fewer calls" => Some(Self::Fewer),
            "free" => Some(Self::None),
            _ if row.ring => Some(if is_ahead { Self::RingAhead } else { Self::Ring }),
            _ => None,
        }
    }
}

impl Replayed {
    /// Sums a replay up.
    #[must_use]
    pub fn of(replay: &Replay) -> Self {
        let best = |kind| {
            let rows = replay.rows.iter().filter(|row| row.void.is_none() && WayKind::of(row) == Some(kind));
            let ratio = |row: &Row| row.measured.map_or(0.0, |measured| measured.against_serial.median);
            let best = rows.min_by(|a, b| ratio(a).total_cmp(&ratio(b)))?;
            Some(Way {
                kind,
                strategy: best.strategy.clone(),
                against_serial: best.measured.map(|measured| numbers(measured.against_serial)),
                speedup: best.projection.map(|projection| numbers(projection.speedup)),
                helps: best.helps,
            })
        };
        Self {
            writes: replay.scratch.is_some(),
            replayed: replay.coverage.replayed,
            file_system_calls: replay.coverage.file_system_calls,
            believable: replay.gate.map(|gate| gate.passed),
            ways: WayKind::ALL.into_iter().filter_map(best).collect(),
        }
    }
}

fn numbers(range: Range) -> [f64; 3] {
    [range.median, range.low, range.high]
}
