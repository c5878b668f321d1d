//! Whether the command has come to rest: none of its threads has used the CPU for a while.
//!
//! The kernel accounts for a running thread at each tick and when it goes to sleep (`/proc/PID/schedstat`,
//! `Documentation/scheduler/sched-stats.rst`), so the beginning of a rest is seen at the next look. Waiting for a
//! disk or the network is rest as well.

use std::hash::{Hash, Hasher};
use std::time::Duration;

use rustc_hash::FxHasher;

use super::tree::task_files;

/// Looks at the CPU time of processes.
#[derive(Debug)]
pub struct Idle {
    rest_ns: u64,
    /// What was seen, and since when it is so.
    seen: u64,
    since_ns: u64,
}

impl Idle {
    /// Ready is who rests for so long.
    pub fn new(rest: Duration) -> Self {
        Self { rest_ns: rest.as_nanos() as u64, seen: 0, since_ns: u64::MAX }
    }

    /// When the rest began, if it has lasted long enough. Threads that end or begin are work, too.
    pub fn check(&mut self, pids: &[i32], now_ns: u64) -> Option<u64> {
        let mut hasher = FxHasher::default();
        for &pid in pids {
            (pid, task_files(pid, "schedstat")).hash(&mut hasher);
        }
        let seen = hasher.finish();
        if seen != self.seen || self.since_ns == u64::MAX {
            (self.seen, self.since_ns) = (seen, now_ns);
        }
        (now_ns - self.since_ns >= self.rest_ns).then_some(self.since_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rest_is_told_from_its_beginning() {
        let nobody = [];
        let mut idle = Idle::new(Duration::from_nanos(100));
        assert_eq!(idle.check(&nobody, 1_000), None);
        assert_eq!(idle.check(&nobody, 1_099), None);
        assert_eq!(idle.check(&nobody, 1_100), Some(1_000));
        // This process works: it makes the look.
        let own = [std::process::id().cast_signed()];
        assert_eq!(idle.check(&own, 1_200), None);
    }
}
