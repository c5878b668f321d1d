//! `--lossless`: processes that make calls faster than they are recorded are stopped until the ring is drained.
//!
//! ```text
//!  sys_exit, ring more than half full ──> pid into the map `held`, SIGSTOP to its process
//!  ring drained ────────────────────────> pid out of it, SIGCONT
//!  recorder gone ───────────────────────> its guard, a child: SIGCONT to all that are in the map
//! ```
//!
//! The signal comes from the kernel and takes effect before the thread's next call, so each thread adds one call at
//! most to the half that is left. Freezing a cgroup instead would be seen by nobody, but it is asked for from here, when
//! the ring may be full already.
//!
//! When the last process goes that ties a group of processes to the rest of its session, and one of the group is stopped, the
//! kernel sends SIGHUP to all of it (setpgid(2)). The recorder may be that last one. So the guard leads another
//! group of the session, and a child of the guard, the anchor, stays in the command's: that is a tie too.

use std::io;
use std::time::Duration;

use aya::maps::{HashMap, MapData};

use super::super::sys::held::continue_all;
use super::super::sys::process::{
    Ending, be_first, become_helper, block_signals, end_with_parent, fork_child, kill, leave_group,
    pidfd_of_self, reap, wait_forever, wait_until_gone,
};
use super::load::Loaded;

/// Sees to it that nobody stays stopped.
pub struct Holding {
    guard: i32,
    held_fd: i32,
}

/// How often the guard looks, and the time between.
const LOOKS: u32 = 5;
const BETWEEN: Duration = Duration::from_millis(10);

impl Holding {
    /// Starts the guard.
    pub fn begin(held_fd: i32) -> io::Result<Self> {
        let recorder = pidfd_of_self()?;
        let guard = fork_child(Ending::Silent, || {
            become_helper(c"stop-guard", [recorder, held_fd]);
            block_signals();
            be_first();
            let guard = std::process::id().cast_signed();
            let anchor = fork_child(Ending::Silent, || {
                end_with_parent(guard);
                become_helper(c"stop-anchor", []);
                wait_forever();
            });
            leave_group();
            wait_until_gone(recorder);
            // A program that runs on another CPU may stop somebody yet.
            for _ in 0..LOOKS {
                continue_all(held_fd);
                std::thread::sleep(BETWEEN);
            }
            if let Ok(anchor) = anchor {
                kill(anchor, libc::SIGKILL);
                reap(anchor);
            }
        });
        nix::unistd::close(recorder)?;
        Ok(Self { guard: guard?, held_fd })
    }

    /// Whether the process is stopped by us.
    pub fn holds(loaded: &Loaded, pid: u32) -> bool {
        loaded.held.get(&pid, 0).is_ok()
    }

    /// Lets all go on.
    pub fn release(held: &mut HashMap<MapData, u32, u8>) {
        loop {
            // Each look begins anew, because a key that is gone ends an iteration or begins it again.
            let Some(Ok(pid)) = held.keys().next() else { return };
            // Out of the map first: who is stopped from here on is in it again.
            if held.remove(&pid).is_err() {
                return;
            }
            kill(pid.cast_signed(), libc::SIGCONT);
        }
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        continue_all(self.held_fd);
        kill(self.guard, libc::SIGKILL);
        reap(self.guard);
    }
}
