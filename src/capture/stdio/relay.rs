//! Threads that bring standard input to a run: from the real one (keeping a copy), or from the copy.

use super::spool::Spool;
use super::worker::{Stop, Worker};
use crate::capture::sys::fds;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::PollFlags;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::{Arc, Mutex, PoisonError};

/// How much is moved at once: the capacity of a pipe as it is made.
const CHUNK: usize = 64 * 1024;

/// Where the real input comes from.
pub enum Source {
    /// A pipe, through a description of our own that does not block.
    Own(OwnedFd),
    /// A pipe that could not be opened anew. A read can block if another process takes the bytes
    /// that were seen; the flags of its description are not ours to change.
    Shared(RawFd),
    /// A socket, which can be told not to block at each call.
    Socket(RawFd),
}

impl Source {
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Own(fd) => Ok(nix::unistd::read(fd, buffer)?),
            Self::Shared(_) => Ok(nix::unistd::read(self.as_fd()?, buffer)?),
            Self::Socket(_) => fds::receive_now(self.as_fd()?, buffer),
        }
    }

    fn as_fd(&self) -> io::Result<BorrowedFd<'_>> {
        match self {
            Self::Own(fd) => Ok(fd.as_fd()),
            Self::Shared(fd) | Self::Socket(fd) => {
                fds::borrow(*fd).ok_or_else(|| io::Error::from_raw_os_error(libc::EBADF))
            }
        }
    }
}

/// Copies from the real input to the command and into the spool, until the end of the input, until
/// the command has closed its end, or until stopped.
pub fn relay(source: Source, sink: OwnedFd, spool: Arc<Mutex<Spool>>) -> io::Result<Worker> {
    set_nonblocking(&sink)?;
    Worker::start("stdin relay", move |stop| {
        // Errors of the real input end the command's input, as they would end its own reading.
        let _ = run_relay(&stop, &source, &sink, &spool);
    })
}

fn run_relay(stop: &Stop, source: &Source, sink: &OwnedFd, spool: &Mutex<Spool>) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        // Without flags asked for, the sink still reports POLLERR: nobody reads it any more.
        let waited = [(source.as_fd()?, PollFlags::POLLIN), (sink.as_fd(), PollFlags::empty())];
        let Some([input, output]) = stop.wait(waited) else { return Ok(()) };
        if !output.is_empty() {
            return Ok(());
        }
        if input.is_empty() {
            continue;
        }
        let got = match source.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(got) => got,
            Err(error) if is_transient(&error) => continue,
            Err(error) => return Err(error),
        };
        spool.lock().unwrap_or_else(PoisonError::into_inner).append(&buffer[..got]);
        if !write_all(stop, sink, &buffer[..got])? {
            return Ok(());
        }
    }
}

/// Gives the command what the spool has, then end of file. What fits into the pipe at once is put
/// there without a thread, which would disturb what is measured.
pub fn feed(spool: &Arc<Mutex<Spool>>, sink: OwnedFd) -> io::Result<Option<Worker>> {
    set_nonblocking(&sink)?;
    let mut offset = 0;
    let mut buffer = vec![0; CHUNK];
    loop {
        let got = read_spool(spool, &mut buffer, offset)?;
        if got == 0 {
            return Ok(None);
        }
        match nix::unistd::write(&sink, &buffer[..got]) {
            Ok(written) => offset += written as u64,
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => break,
            Err(error) => return Err(error.into()),
        }
    }
    let spool = Arc::clone(spool);
    let worker = Worker::start("stdin feeder", move |stop| {
        // An error here means that the command has closed its end.
        let _ = run_feed(&stop, &spool, &sink, offset, &mut buffer);
    })?;
    Ok(Some(worker))
}

fn run_feed(
    stop: &Stop,
    spool: &Mutex<Spool>,
    sink: &OwnedFd,
    mut offset: u64,
    buffer: &mut [u8],
) -> io::Result<()> {
    loop {
        let got = read_spool(spool, buffer, offset)?;
        if got == 0 || !write_all(stop, sink, &buffer[..got])? {
            return Ok(());
        }
        offset += got as u64;
    }
}

fn read_spool(spool: &Mutex<Spool>, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    spool.lock().unwrap_or_else(PoisonError::into_inner).read_at(buffer, offset)
}

/// Writes everything, waiting where the command does not read; `false`: stopped before that.
fn write_all(stop: &Stop, sink: &OwnedFd, mut bytes: &[u8]) -> io::Result<bool> {
    while !bytes.is_empty() {
        match nix::unistd::write(sink, bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => {
                if stop.wait([(sink.as_fd(), PollFlags::POLLOUT)]).is_none() {
                    return Ok(false);
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(true)
}

fn set_nonblocking(sink: &OwnedFd) -> io::Result<()> {
    let flags = OFlag::from_bits_truncate(fcntl(sink, FcntlArg::F_GETFL)?);
    fcntl(sink, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}

fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock)
}

/// Opens a pipe anew so that reading from it need not block, or else shares the descriptor.
pub fn pipe_source(fd: BorrowedFd<'static>) -> Source {
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    match nix::fcntl::open(super::kind::path_of(&fd).as_str(), flags, nix::sys::stat::Mode::empty()) {
        Ok(own) => Source::Own(own),
        Err(_) => Source::Shared(fd.as_raw_fd()),
    }
}
