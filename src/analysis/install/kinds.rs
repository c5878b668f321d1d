//! Calls by their name and the errno they end in: what an installer does thousands of times.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::analysis::errno;
use crate::analysis::lookups::plus;

/// Calls that end alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kind {
    /// The call.
    pub call: String,
    /// The errno; `None`: they succeed.
    pub errno: Option<String>,
    /// How many.
    pub calls: u64,
    /// What they cost; `None`: not known.
    pub cost_ns: Option<u64>,
}

/// Adds calls up.
#[derive(Debug, Default)]
pub struct Kinds {
    found: BTreeMap<(Box<str>, u16), (u64, Option<u64>)>,
}

impl Kinds {
    /// Adds calls.
    pub fn add(&mut self, call: &str, errno: u16, calls: u64, cost_ns: Option<u64>) {
        let sum = self.found.entry((call.into(), errno)).or_insert((0, Some(0)));
        *sum = (sum.0 + calls, plus(sum.1, cost_ns));
    }

    /// All of them, most calls first.
    pub fn finish(self) -> Vec<Kind> {
        let kind = |((call, errno), (calls, cost_ns)): ((Box<str>, u16), (u64, Option<u64>))| Kind {
            call: call.into(),
            errno: (errno != 0).then(|| errno::name(errno)),
            calls,
            cost_ns,
        };
        let mut kinds: Vec<Kind> = self.found.into_iter().map(kind).collect();
        kinds.sort_by_key(|kind| Reverse(kind.calls));
        kinds
    }
}
