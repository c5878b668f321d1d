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

#[cfg(test)]
mod tests {
    use super::*;
    use nix::pty::openpty;
    use std::os::fd::AsFd;

    #[test]
    fn a_read_is_seen_once() {
        let pty = openpty(None, None).unwrap();
        let reads = Reads::of(pty.slave.as_fd()).unwrap();
        nix::unistd::write(&pty.master, b"typed\n").unwrap();
        assert!(!reads.any(), "what waits was not read");
        assert_eq!(nix::unistd::read(&pty.slave, &mut [0; 16]).unwrap(), 6);
        assert!(reads.any());
        assert!(!reads.any());
    }
}
