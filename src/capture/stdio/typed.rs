//! Whether anybody has read from the terminal on standard input: what was typed is gone, and every other run
//! will want it typed again.

use super::kind;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use std::os::fd::BorrowedFd;

/// Watches a terminal for reads.
#[derive(Debug)]
pub struct Reads(Inotify);

impl Reads {
    /// From now on; `None` where that is not possible, and then nobody will know.
    pub fn of(terminal: BorrowedFd<'_>) -> Option<Self> {
        use std::os::fd::AsRawFd;
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).ok()?;
        inotify.add_watch(kind::path_of(&terminal.as_raw_fd()).as_str(), AddWatchFlags::IN_ACCESS).ok()?;
        Some(Self(inotify))
    }

    /// Whether there were any since the last time.
    pub fn any(&self) -> bool {
        self.0.read_events().is_ok_and(|events| !events.is_empty())
    }
}
