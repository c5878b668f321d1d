//! Costs of a replay, of those calls of a log that were replayed.

use serde::Serialize;

use super::base::Base;
use crate::log::Replayed;

/// What the costs of a log are that were attached to it by a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplayedCosts {
    /// What the caches held.
    pub cache: String,
    /// How many runs each cost is the median of.
    pub runs: usize,
    /// Whether the program's pauses were waited for.
    pub pauses: bool,
    /// Calls that have a cost.
    pub calls: u64,
    /// Calls that were not replayed, so that nothing is known of their cost.
    pub without: u64,
    /// Those by call, most first.
    pub without_by_call: Vec<Without>,
}

/// Calls without a cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Without {
    /// Which.
    pub call: String,
    /// How many.
    pub calls: u64,
}

impl ReplayedCosts {
    /// Of a log, once all of its events are in.
    #[must_use]
    pub(super) fn of(how: Replayed, base: &Base) -> Self {
        let untimed = base.groups.untimed();
        let name = |call| base.calls.find(call).map_or_else(String::new, |call| call.name.to_string());
        Self {
            cache: how.cache,
            runs: how.runs,
            pauses: how.pauses,
            calls: base.groups.timed(),
            without: untimed.iter().map(|(_, calls)| calls).sum(),
            without_by_call: untimed
                .into_iter()
                .map(|(call, calls)| Without { call: name(call), calls })
                .collect(),
        }
    }
}
