//! A thread that moves bytes in the background and can be stopped at any moment.
//!
//! It blocks every signal, so that handlers run in the thread that waits for the command, and a
//! write to a closed pipe is an error whatever SIGPIPE is set to.

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll, ppoll};
use nix::sys::signal::{SigSet, SigmaskHow};
use nix::sys::time::TimeSpec;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A running thread; stopped and joined when finished or dropped.
#[derive(Debug)]
pub struct Worker {
    stop: OwnedFd,
    /// Shared with the thread, so that asking one that has ended is no error and no SIGPIPE.
    _asked: Arc<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts a thread. `work` must return soon after [`Stop::wait`] has said so.
    pub fn start(name: &str, work: impl FnOnce(Stop) + Send + 'static) -> io::Result<Self> {
        let (asked, stop) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
        let asked = Arc::new(asked);
        let stopped = Stop(Arc::clone(&asked));
        // The mask is inherited: no signal can reach the thread before it blocks them.
        let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK)?;
        let thread = thread::Builder::new().name(name.to_owned()).spawn(|| work(stopped));
        before.thread_set_mask()?;
        Ok(Self { stop, _asked: asked, thread: Some(thread?) })
    }

    /// Stops the thread and waits for it.
    pub fn finish(self) {
        drop(self);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // A byte, not just the end of the pipe: a process forked meanwhile may hold this end too.
        let _ = nix::unistd::write(&self.stop, b"s");
        if let Some(thread) = self.thread.take() {
            // A panic in there has been reported by the panic hook.
            let _ = thread.join();
        }
    }
}

/// How a thread learns that it shall stop.
pub struct Stop(Arc<OwnedFd>);

impl Stop {
    /// Waits for this long; true: the thread shall stop (or cannot wait any more).
    pub fn asked_within(&self, time: Duration) -> bool {
        let mut asked = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        let time = TimeSpec::from_duration(time);
        match ppoll(&mut asked, Some(time), None) {
            Ok(ready) => ready > 0,
            Err(error) => error != Errno::EINTR,
        }
    }

    /// Waits until one of the descriptors has an event of those asked for, a hang-up or an error.
    /// `None`: the thread shall stop (or cannot wait any more).
    pub fn wait<const N: usize>(&self, events: [(BorrowedFd<'_>, PollFlags); N]) -> Option<[PollFlags; N]> {
        let mut all: Vec<PollFd<'_>> = vec![PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        all.extend(events.map(|(fd, flags)| PollFd::new(fd, flags)));
        loop {
            match poll(&mut all, PollTimeout::NONE) {
                Err(Errno::EINTR) => {}
                Err(_) => return None,
                Ok(_) => break,
            }
        }
        let seen = |at: usize| all[at].revents().unwrap_or(PollFlags::empty());
        if seen(0).is_empty() { Some(std::array::from_fn(|at| seen(at + 1))) } else { None }
    }
}
