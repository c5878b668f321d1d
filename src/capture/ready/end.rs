//! The end of a program that is ready: it and all it has started are asked to end, and then made to.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::tree;

/// How long a program may take to end before it is killed.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the kernel may take for that.
const LAST: Duration = Duration::from_secs(5);
/// The time between two looks for who is left.
const LOOK: Duration = Duration::from_millis(2);

/// How a program is asked to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndBy {
    /// SIGTERM.
    #[default]
    Term,
    /// SIGINT.
    Int,
    /// SIGKILL.
    Kill,
}

/// What becomes of a program that is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtReady {
    /// It is ended, with all that it has started.
    End(EndBy),
    /// It goes on, alone.
    Leave,
}

impl EndBy {
    fn signal(self) -> Signal {
        match self {
            Self::Term => Signal::SIGTERM,
            Self::Int => Signal::SIGINT,
            Self::Kill => Signal::SIGKILL,
        }
    }
}

/// Sends each process the signal once, and SIGKILL to all that are left after a while.
#[derive(Debug)]
pub struct Ending {
    by: EndBy,
    begin: Instant,
    told: BTreeSet<i32>,
}

impl Ending {
    /// Begins now.
    pub fn new(by: EndBy) -> Self {
        Self { by, begin: Instant::now(), told: BTreeSet::new() }
    }

    /// Tells those that have not been told.
    pub fn tell(&mut self, pids: &[i32]) {
        let late = self.begin.elapsed() > PATIENCE;
        for &pid in pids {
            let new = self.told.insert(pid);
            if late || new {
                let signal = if late { Signal::SIGKILL } else { self.by.signal() };
                // It may have ended meanwhile.
                let _ = kill(Pid::from_raw(pid), signal);
            }
        }
    }

    /// Whether nothing more can be done.
    pub fn is_over(&self) -> bool {
        self.begin.elapsed() > PATIENCE + LAST
    }
}

/// While it lives, this process is the one that orphans of the command are given to (prctl(2),
/// `PR_SET_CHILD_SUBREAPER`).
#[derive(Debug)]
pub struct Reaper(bool);

impl Reaper {
    /// From now on.
    pub fn new() -> Self {
        let before = prctl::get_child_subreaper().unwrap_or(true);
        // Without it, those whose parent dies are not found.
        let _ = prctl::set_child_subreaper(true);
        Self(before)
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        let _ = prctl::set_child_subreaper(self.0);
    }
}

/// Ends every process below this one, and reaps them.
pub fn end_tree(by: EndBy) {
    let mut ending = Ending::new(by);
    loop {
        let pids = tree::pids();
        ending.tell(&pids);
        reap();
        if pids.is_empty() || ending.is_over() {
            return;
        }
        std::thread::sleep(LOOK);
    }
}

/// Reaps whoever has ended.
fn reap() {
    while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        if status == WaitStatus::StillAlive {
            return;
        }
    }
}
