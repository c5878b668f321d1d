//! Standard input: the real one for run 0, the same bytes from the same kind of thing for the others.

use super::kind::{self, Kind};
use super::relay::{self, Source};
use super::spool::{SPOOL_LIMIT, Spool};
use super::typed::Reads;
use super::worker::Worker;
use super::{StdioError, own};
use crate::capture::launch::Stream;
use crate::capture::sys::fds;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::unistd::{Whence, lseek};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

/// How repeated runs get their input.
#[derive(Debug)]
pub enum Input {
    /// There is none.
    Closed,
    /// As it is: devices, and what nobody reads from.
    AsIs,
    /// A terminal, as it is.
    Terminal(Option<Reads>),
    /// A file, opened anew.
    File(Reopened),
    /// A stream of bytes that passes only once.
    Stream {
        /// The real one.
        real: BorrowedFd<'static>,
        /// Whether it is a socket.
        socket: bool,
        /// What the relay of run 0 has read.
        spool: Arc<Mutex<Spool>>,
    },
}

/// A file to be read from the same place by each run.
#[derive(Debug)]
pub struct Reopened {
    real: BorrowedFd<'static>,
    /// Stands for the file where it must not be opened again.
    copy: Option<Spool>,
    access: OFlag,
    offset: i64,
}

/// The input of one run.
#[derive(Debug)]
pub struct InputRun {
    /// What the command gets.
    pub stream: Stream,
    /// Our copy of the command's end.
    pub end: Option<OwnedFd>,
    /// What fills it.
    pub worker: Option<Worker>,
}

impl Input {
    /// Looks at what standard input is; `None` for a closed one.
    pub fn new(real: Option<BorrowedFd<'static>>) -> Result<Self, StdioError> {
        Self::with_limit(real, SPOOL_LIMIT)
    }

    fn with_limit(real: Option<BorrowedFd<'static>>, limit: u64) -> Result<Self, StdioError> {
        let Some(real) = real else { return Ok(Self::Closed) };
        let look = own("look at standard input");
        let (kind, access) = match kind::kind(real).and_then(|kind| Ok((kind, kind::access(real)?))) {
            Ok(seen) => seen,
            Err(error) => return Err(look(error)),
        };
        if access == OFlag::O_WRONLY {
            return Ok(Self::AsIs);
        }
        let stream = |socket| {
            let spool = Spool::new(limit).map_err(own("make room for standard input"))?;
            Ok(Self::Stream { real, socket, spool: Arc::new(Mutex::new(spool)) })
        };
        match kind {
            Kind::Pipe => stream(false),
            Kind::Socket(libc::SOCK_STREAM) => stream(true),
            Kind::File => Ok(Self::File(Reopened::new(real, access, limit)?)),
            Kind::Terminal => Ok(Self::Terminal(Reads::of(real))),
            _ => Ok(Self::AsIs),
        }
    }

    /// See [`Stdio::was_typed_to`](super::Stdio::was_typed_to).
    pub fn was_typed_to(&self) -> bool {
        matches!(self, Self::Terminal(Some(reads)) if reads.any())
    }

    /// The input for a run.
    pub fn for_run(&mut self, first: bool) -> Result<InputRun, StdioError> {
        let as_it_is = |stream| InputRun { stream, end: None, worker: None };
        match self {
            Self::Closed => Ok(as_it_is(Stream::Close)),
            Self::AsIs | Self::Terminal(_) => Ok(as_it_is(Stream::Inherit)),
            Self::File(_) if first => Ok(as_it_is(Stream::Inherit)),
            Self::File(file) => {
                let end = file.reopen().map_err(own("open standard input again"))?;
                Ok(InputRun { stream: Stream::Fd(end.as_raw_fd()), end: Some(end), worker: None })
            }
            Self::Stream { real, socket, spool } => {
                let (end, far) = stream_like(*real, *socket)
                    .map_err(own("make a pipe for the command's standard input"))?;
                let worker = if first {
                    let source =
                        if *socket { Source::Socket(real.as_raw_fd()) } else { relay::pipe_source(*real) };
                    relay::relay(source, far, Arc::clone(spool)).map(Some)
                } else {
                    spool.lock().unwrap_or_else(PoisonError::into_inner).complete()?;
                    relay::feed(spool, far)
                };
                let worker = worker.map_err(own("relay standard input"))?;
                Ok(InputRun { stream: Stream::Fd(end.as_raw_fd()), end: Some(end), worker })
            }
        }
    }
}

/// A new pipe or socket pair that looks like the real one: the command's end, and the other.
fn stream_like(real: BorrowedFd<'_>, socket: bool) -> io::Result<(OwnedFd, OwnedFd)> {
    let (end, far) = if socket {
        fds::socket_pair(libc::SOCK_STREAM)?
    } else {
        let ends = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
        kind::copy_capacity(real, &ends.0);
        ends
    };
    kind::copy_status(kind::flags(real)?, &end)?;
    Ok((end, far))
}

impl Reopened {
    fn new(real: BorrowedFd<'static>, access: OFlag, limit: u64) -> Result<Self, StdioError> {
        let offset = lseek(real, 0, Whence::SeekCur)
            .map_err(io::Error::from)
            .map_err(own("seek in standard input"))?;
        let file = Self { real, copy: None, access, offset };
        // Opened by somebody with more rights, it can be read but not opened.
        if file.reopen().is_ok() { Ok(file) } else { file.copied(limit) }
    }

    /// The same with a copy of what is left to read.
    fn copied(self, limit: u64) -> Result<Self, StdioError> {
        let mut copy = Spool::new(limit).map_err(own("make room for standard input"))?;
        copy_from(self.real, self.offset, &mut copy).map_err(own("read standard input"))?;
        copy.complete()?;
        Ok(Self { copy: Some(copy), access: OFlag::O_RDONLY, offset: 0, ..self })
    }

    /// A new description of the file, at the offset where the real one was at first.
    fn reopen(&self) -> io::Result<OwnedFd> {
        let source = self.copy.as_ref().map_or(self.real, Spool::as_fd);
        let path = kind::path_of(&source);
        let status = kind::flags(self.real)? & (OFlag::O_NONBLOCK | OFlag::O_DIRECT);
        let opened = open(path.as_str(), self.access | status | OFlag::O_CLOEXEC, Mode::empty())?;
        lseek(&opened, self.offset, Whence::SeekSet)?;
        Ok(opened)
    }
}

/// Copies a file from an offset on without moving its own.
fn copy_from(real: BorrowedFd<'_>, offset: i64, copy: &mut Spool) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    let mut at = offset;
    loop {
        match nix::sys::uio::pread(real, &mut buffer, at) {
            Ok(0) => return Ok(()),
            Ok(got) => {
                copy.append(&buffer[..got]);
                at += got as i64;
            }
            Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        if copy.complete().is_err() {
            return Ok(());
        }
    }
}

#[cfg(test)]
#[path = "input_tests.rs"]
mod tests;
