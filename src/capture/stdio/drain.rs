//! Throws away what a repeated run writes to a pipe, socket or terminal, but for its last words.

use super::words::Tail;
use super::worker::{Stop, Worker};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

/// Reads that are made after the end was asked for, at most: somebody left behind may write for ever.
const LAST_READS: usize = 64;

/// A running drain.
#[derive(Debug)]
pub struct Drain {
    worker: Option<Worker>,
    tail: Arc<Mutex<Tail>>,
}

impl Drain {
    /// Reads and forgets until dropped. The other end must stay open meanwhile.
    pub fn start(source: OwnedFd) -> io::Result<Self> {
        let tail = Arc::new(Mutex::new(Tail::default()));
        let shared = Arc::clone(&tail);
        let worker = Worker::start("drain", move |stop| run(&stop, &source, &shared))?;
        Ok(Self { worker: Some(worker), tail })
    }

    /// Forgets what was written until now.
    pub fn forget(&self) {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Reads what is left and gives the end of what was written. Nothing is read any more after that.
    pub fn finish(&mut self) -> Option<String> {
        drop(self.worker.take());
        self.tail.lock().unwrap_or_else(PoisonError::into_inner).words()
    }
}

fn run(stop: &Stop, source: &OwnedFd, tail: &Mutex<Tail>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Some([seen]) = stop.wait([(source.as_fd(), PollFlags::POLLIN)]) {
        if !seen.contains(PollFlags::POLLIN) || !read(source, &mut buffer, tail) {
            return; // only a hang-up or an error is left
        }
    }
    for _ in 0..LAST_READS {
        let mut left = [PollFd::new(source.as_fd(), PollFlags::POLLIN)];
        let ready = poll(&mut left, PollTimeout::ZERO).is_ok_and(|ready| ready > 0);
        let readable = left[0].revents().is_some_and(|seen| seen.contains(PollFlags::POLLIN));
        if !ready || !readable || !read(source, &mut buffer, tail) {
            return;
        }
    }
}

/// Reads once. False: there is no more.
fn read(source: &OwnedFd, buffer: &mut [u8], tail: &Mutex<Tail>) -> bool {
    match nix::unistd::read(source, buffer) {
        Ok(got) => {
            tail.lock().unwrap_or_else(PoisonError::into_inner).push(&buffer[..got]);
            true
        }
        Err(Errno::EINTR | Errno::EAGAIN) => true,
        Err(_) => false,
    }
}
