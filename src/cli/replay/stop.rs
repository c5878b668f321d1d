//! Signals that ask a replay to end: said, and nothing left behind.
//!
//! They are blocked, and wait behind a descriptor. A replay in a scratch tree watches it, and ends when the tree is gone; else a
//! thread does, and ends the program at once.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::Context;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::super::failure::{Failure, ending_code, note};
use super::super::progress::RunsBar;
use crate::capture::launch::was_ignored_at_start;
use crate::capture::untraced::signal_name;

const ENDING: [Signal; 3] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM];

/// From now on these signals do not end this process by themselves.
pub(super) struct Stop {
    signals: SignalFd,
}

impl Stop {
    /// Before there are other threads, which would get the signals. One that this process was told to ignore when it was
    /// started (`nohup`) stays ignored: blocked, it would come nevertheless.
    pub(super) fn new() -> Result<Self, Failure> {
        let signals: SigSet =
            ENDING.into_iter().filter(|&signal| !was_ignored_at_start(signal as i32)).collect();
        let opened = signals
            .thread_block()
            .and_then(|()| SignalFd::with_flags(&signals, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC));
        Ok(Self { signals: opened.context("signals cannot be waited for")? })
    }

    /// What becomes readable when a signal comes.
    pub(super) fn descriptor(&self) -> Result<Arc<OwnedFd>, Failure> {
        Ok(Arc::new(self.signals.as_fd().try_clone_to_owned()?))
    }

    /// The signal that came.
    pub(super) fn received(&self) -> Option<i32> {
        let signal = self.signals.read_signal().ok().flatten()?;
        i32::try_from(signal.ssi_signo).ok()
    }

    /// From now on a signal ends the program, but not while somebody holds what is given back: what is written then is whole.
    pub(super) fn end_at_once(self, bar: RunsBar) -> io::Result<Arc<Mutex<()>>> {
        let writing = Arc::new(Mutex::new(()));
        let held = Arc::clone(&writing);
        let wait = move || {
            loop {
                let mut watched = [PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
                let _ = poll(&mut watched, PollTimeout::NONE);
                if let Some(signal) = self.received() {
                    let _nothing_is_written = writing.lock().unwrap_or_else(PoisonError::into_inner);
                    bar.finish();
                    note(format_args!("the replay was interrupted ({})", signal_name(signal)));
                    std::process::exit(ending_code(signal).into());
                }
            }
        };
        thread::Builder::new().name("signals".to_owned()).spawn(wait).map(|_| held)
    }
}
