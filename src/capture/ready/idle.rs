//! Whether the command has come to rest: none of its threads has used the CPU for a while.
//!
//! The kernel accounts for a running thread at each tick and when it goes to sleep (`/proc/PID/schedstat`,
//! `Documentation/scheduler/sched-stats.rst`), so the beginning of a rest is seen at the next look. Waiting for a
//! disk or the network is rest as well; waiting for a CPU is not, and nobody rests before there is anybody.

use std::hash::{Hash, Hasher};
use std::time::Duration;

use rustc_hash::FxHasher;

use super::tree::{State, task_files, task_states};

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
        let since_ns = self.rest_since(now_ns)?;
        if self.is_at_rest() {
            return Some(since_ns);
        }
        self.seen = None;
        None
    }

    /// Whether somebody lives, and nobody would run if there were a CPU to run on.
    fn is_at_rest(&self) -> bool {
        let states: Vec<State> = self.pids.iter().flat_map(|&pid| task_states(pid)).collect();
        states.contains(&State::Waits) && !states.contains(&State::Runs)
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

    /// A child that does as this shell script says.
    fn child(script: &str) -> std::process::Child {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", script]).spawn().expect("there is a shell")
    }

    /// Whether it rests, by two looks that are as far apart as a rest must be long at least.
    fn rests(pids: &[i32]) -> bool {
        let mut idle = Idle::new(Duration::from_nanos(100));
        assert_eq!(idle.check(|| pids.to_vec(), 1_000), None);
        assert_eq!(idle.check(|| pids.to_vec(), 1_099), None);
        idle.check(|| pids.to_vec(), 1_100) == Some(1_000)
    }

    #[test]
    fn rest_is_told_from_its_beginning() {
        let mut sleeper = child("exec sleep 1000");
        let pid = sleeper.id().cast_signed();
        let patience = std::time::Instant::now() + Duration::from_secs(60);
        while !rests(&[pid]) {
            assert!(std::time::Instant::now() < patience, "it sleeps");
            std::thread::sleep(Duration::from_millis(10));
        }
        sleeper.kill().expect("our own child");
        sleeper.wait().expect("our own child");
        // Who works does not rest: this process makes the look. Nor does nobody, or who is gone.
        assert!(!rests(&[std::process::id().cast_signed()]));
        assert!(!rests(&[]) && !rests(&[pid]));
    }

    #[test]
    fn who_waits_for_a_cpu_does_not_rest() {
        // What the kernel counts stays as it is where nothing is taken off or put on a CPU between the looks.
        let mut busy = child("while :; do :; done");
        let pid = busy.id().cast_signed();
        let patience = std::time::Instant::now() + Duration::from_secs(60);
        while task_states(pid) != [State::Runs] {
            assert!(std::time::Instant::now() < patience, "it runs");
        }
        let mut idle = Idle::new(Duration::ZERO);
        let found: Vec<_> = (0..200).filter_map(|at| idle.check(|| vec![pid], at)).collect();
        busy.kill().expect("our own child");
        busy.wait().expect("our own child");
        assert_eq!(found, [] as [u64; 0]);
    }
}
