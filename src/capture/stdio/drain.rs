//! Throws away what a repeated run writes to a pipe, socket or terminal.

use super::worker::{Stop, Worker};
use nix::errno::Errno;
use nix::poll::PollFlags;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

/// Reads and forgets until stopped. The other end must stay open meanwhile.
pub fn drain(source: OwnedFd) -> io::Result<Worker> {
    Worker::start("drain", move |stop| run(&stop, &source))
}

fn run(stop: &Stop, source: &OwnedFd) {
    let mut buffer = vec![0; 64 * 1024];
    while let Some([seen]) = stop.wait([(source.as_fd(), PollFlags::POLLIN)]) {
        if !seen.contains(PollFlags::POLLIN) {
            return; // only a hang-up or an error is left
        }
        match nix::unistd::read(source, &mut buffer) {
            Ok(_) | Err(Errno::EINTR | Errno::EAGAIN) => {}
            Err(_) => return,
        }
    }
}
