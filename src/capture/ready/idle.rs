//! Whether the command has come to rest: none of its threads has used the CPU for a while.
//!
//! The kernel accounts for a running thread at each tick and when it goes to sleep (`/proc/PID/schedstat`,
//! `Documentation/scheduler/sched-stats.rst`), so the beginning of a rest is seen at the next look. Waiting for a
//! disk or the network is rest as well.

use std::hash::{Hash, Hasher};
use std::time::Duration;

use rustc_hash::FxHasher;

use super::tree::task_files;

/// How long a list of processes does, in nanoseconds: to make it is dearer than to look at each. Before a rest is
/// called one, a new list is made.
const LIST_FOR_NS: u64 = 10_000_000;

/// Looks at the CPU time of processes.
#[derive(Debug)]
pub struct Idle {
    rest_ns: u64,
    pids: Vec<i32>,
    listed_ns: Option<u64>,
    /// What was seen, and since when it is so.
    seen: Option<(u64, u64)>,
}

impl Idle {
    /// Ready is who rests for so long.
    pub fn new(rest: Duration) -> Self {
        Self { rest_ns: rest.as_nanos() as u64, pids: Vec::new(), listed_ns: None, seen: None }
    }

    /// When the rest began, if it has lasted long enough. Threads that end or begin are work, too.
    pub fn check(&mut self, pids: impl Fn() -> Vec<i32>, now_ns: u64) -> Option<u64> {
        if self.listed_ns.is_none_or(|at_ns| now_ns.saturating_sub(at_ns) >= LIST_FOR_NS) {
            self.pids = pids();
            self.listed_ns = Some(now_ns);
        }
        self.rest_since(now_ns)?;
        self.pids = pids();
        self.listed_ns = Some(now_ns);
        self.rest_since(now_ns)
    }

    fn rest_since(&mut self, now_ns: u64) -> Option<u64> {
        let mut hasher = FxHasher::default();
        for &pid in &self.pids {
            (pid, task_files(pid, "schedstat")).hash(&mut hasher);
        }
        let now = hasher.finish();
        let since_ns = match self.seen {
            Some((seen, since_ns)) if seen == now => since_ns,
            _ => now_ns,
        };
        self.seen = Some((now, since_ns));
        (now_ns - since_ns >= self.rest_ns).then_some(since_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rest_is_told_from_its_beginning() {
        let mut idle = Idle::new(Duration::from_nanos(100));
        assert_eq!(idle.check(Vec::new, 1_000), None);
        assert_eq!(idle.check(Vec::new, 1_099), None);
        assert_eq!(idle.check(Vec::new, 1_100), Some(1_000));
        // This process works: it makes the look. It was not on the list that rested.
        let own = || vec![std::process::id().cast_signed()];
        assert_eq!(idle.check(own, 1_200), None);
    }
}
