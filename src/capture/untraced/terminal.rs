//! The terminal's foreground process group between two runs.
//!
//! A program with job control of its own (an interactive shell) makes its own group the foreground
//! one. When it has ended, a shell takes the terminal back; between the runs nobody would, and the
//! next run would be stopped at its first read.

use crate::capture::sys::fds;
use nix::errno::Errno;
use nix::sys::signal::killpg;
use nix::unistd::{Pid, getpgrp, tcgetpgrp, tcsetpgrp};
use std::os::fd::BorrowedFd;

/// The terminal, if we are in its foreground.
pub struct Foreground(Option<BorrowedFd<'static>>);

impl Foreground {
    /// Looks for it among the standard descriptors.
    pub fn now() -> Self {
        let ours = |fd: &BorrowedFd<'static>| tcgetpgrp(fd) == Ok(getpgrp());
        Self((0..3).filter_map(fds::borrow).find(ours))
    }

    /// Takes the terminal back from a group that has no process left. (From any other it is not
    /// ours to take: a shell has it while we are in the background.)
    pub fn restore(&self) {
        let Some(terminal) = self.0 else { return };
        let abandoned =
            |group: Pid| group.as_raw() > 1 && group != getpgrp() && killpg(group, None) == Err(Errno::ESRCH);
        if tcgetpgrp(terminal).is_ok_and(abandoned) {
            // SIGTTOU is ignored while commands are measured, so this does not stop us.
            let _ = tcsetpgrp(terminal, getpgrp());
        }
    }
}
