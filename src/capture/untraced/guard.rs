//! Runs that are not to outlast a time limit, nor a signal that asks for an end, whatever the command makes of it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::capture::ready::{EndBy, Reaper, end_tree, pids};
use crate::capture::sys::signals::end_was_asked;

/// How long a command may take to end once it was asked to.
const GRACE: Duration = Duration::from_secs(2);
/// How often is looked whether it was.
const LOOK: Duration = Duration::from_millis(100);

/// What became of a guarded run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guarded {
    /// It came to its end.
    Ended,
    /// It took longer than its limit, and was killed.
    Late,
}

/// Makes a run. When its limit has passed, or an end was asked for a while ago, all processes that it has made are
/// killed, those included whose parents are gone; after an end that was asked for, none is left in any case.
pub fn guarded<T>(limit: Option<Duration>, run: impl FnOnce() -> T) -> (T, Guarded) {
    let _reaper = Reaper::new();
    let (is_over, over) = channel::<()>();
    let (done, is_late) = std::thread::scope(|scope| {
        let guard = scope.spawn(move || watch(limit, &over));
        let done = run();
        drop(is_over);
        (done, guard.join().unwrap_or(false))
    });
    if is_late || end_was_asked() {
        end_tree(EndBy::Kill);
    }
    (done, if is_late { Guarded::Late } else { Guarded::Ended })
}

/// Kills all processes below this one again and again, once there is a reason. Whether that was the limit.
fn watch(limit: Option<Duration>, over: &Receiver<()>) -> bool {
    let begin = Instant::now();
    let (mut asked, mut is_late) = (None, false);
    loop {
        let left = limit.map_or(LOOK, |limit| limit.saturating_sub(begin.elapsed()).min(LOOK));
        if over.recv_timeout(left) != Err(RecvTimeoutError::Timeout) {
            return is_late;
        }
        if end_was_asked() {
            asked.get_or_insert_with(Instant::now);
        }
        let ignores_signal = asked.is_some_and(|asked| asked.elapsed() > GRACE);
        is_late |= asked.is_none() && limit.is_some_and(|limit| begin.elapsed() >= limit);
        if is_late || ignores_signal {
            for pid in pids() {
                // It may have ended meanwhile.
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
            // Whoever was made meanwhile is killed the next time.
            if over.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
                return is_late;
            }
        }
    }
}
