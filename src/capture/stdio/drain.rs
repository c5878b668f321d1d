//! Throws away what a repeated run writes to a pipe, socket or terminal, but for its last words; or passes on
//! what the first one writes, where somebody waits for a word of it.

use super::super::ready::OutputWatch;
use super::words::Tail;
use super::worker::{Stop, Worker};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
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
    /// Reads until dropped, and tells of what is read. The other end must stay open meanwhile.
    pub fn watched(source: OwnedFd, watched: Watched) -> io::Result<Self> {
        let tail = Arc::new(Mutex::new(Tail::default()));
        let shared = Arc::clone(&tail);
        let worker =
            Worker::start("drain", move |stop| run(&stop, &source, &mut Reader { tail: shared, watched }))?;
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

/// Who learns of what is read.
#[derive(Debug, Default)]
pub struct Watched {
    /// Who waits for a word of it.
    pub watch: Option<Arc<OutputWatch>>,
    /// Where it goes on to.
    pub pass_on: Option<BorrowedFd<'static>>,
    /// The end of what was read, for the watch.
    pub before: Vec<u8>,
}

struct Reader {
    tail: Arc<Mutex<Tail>>,
    watched: Watched,
}

fn run(stop: &Stop, source: &OwnedFd, reader: &mut Reader) {
    let mut buffer = vec![0; 64 * 1024];
    while let Some([seen]) = stop.wait([(source.as_fd(), PollFlags::POLLIN)]) {
        if !seen.contains(PollFlags::POLLIN) || !read(source, &mut buffer, reader) {
            return; // only a hang-up or an error is left
        }
    }
    for _ in 0..LAST_READS {
        let mut left = [PollFd::new(source.as_fd(), PollFlags::POLLIN)];
        let ready = poll(&mut left, PollTimeout::ZERO).is_ok_and(|ready| ready > 0);
        let readable = left[0].revents().is_some_and(|seen| seen.contains(PollFlags::POLLIN));
        if !ready || !readable || !read(source, &mut buffer, reader) {
            return;
        }
    }
}

/// Reads once. False: there is no more.
fn read(source: &OwnedFd, buffer: &mut [u8], reader: &mut Reader) -> bool {
    match nix::unistd::read(source, buffer) {
        Ok(got) => {
            reader.tail.lock().unwrap_or_else(PoisonError::into_inner).push(&buffer[..got]);
            let Watched { watch, pass_on, before } = &mut reader.watched;
            if let Some(watch) = watch {
                watch.see(before, &buffer[..got]);
            }
            // Where nobody reads it any more, the command learns so by the end of this thread.
            pass_on.is_none_or(|to| write_all(to, &buffer[..got]).is_ok())
        }
        Err(Errno::EINTR | Errno::EAGAIN) => true,
        Err(_) => false,
    }
}

fn write_all(to: BorrowedFd<'_>, mut bytes: &[u8]) -> nix::Result<()> {
    while !bytes.is_empty() {
        match nix::unistd::write(to, bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => {
                poll(&mut [PollFd::new(to, PollFlags::POLLOUT)], PollTimeout::NONE)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
