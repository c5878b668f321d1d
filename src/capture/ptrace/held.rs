//! A process of ours that waits to be let go, attached to and held in a stop.
//!
//! ```text
//! attach ──> held ──> what a call costs it ──> held ──> record
//! ```
//!
//! What a call costs is measured in the very process that becomes the command: another one would have to be made, and
//! ended, before the command can begin.

use std::io;

use super::super::Sink;
use super::super::sys::process::{kill, reap};
use super::super::sys::ptrace as request;
use super::super::sys::wait;
use super::pinning::Pinning;
use super::recording::{Options, Pin};
use super::session::Session;
use super::stop::{Change, Reason, Stop};
use super::waiting::Next;

/// See the module. Dropped, the process is ended.
#[derive(Debug)]
pub struct Held {
    pub(super) pid: i32,
    /// Where it is held; `None` once it goes on.
    at: Option<(Stop, Reason)>,
    pub(super) pinning: Option<Pinning>,
}

impl Held {
    /// Attaches to the process and stops it where it waits.
    ///
    /// # Errors
    /// When it cannot be attached to (ptrace forbidden, or traced by another already), or has ended.
    pub fn attach(pid: i32, options: Options) -> io::Result<Self> {
        request::seize(pid, options.follow, options.filtered)?;
        let pinning = match options.pin {
            Pin::No => None,
            pin => Pinning::prepare(pin == Pin::Guarded)?,
        };
        request::interrupt(pid)?;
        match Change::decode(wait::thread(pid)?) {
            Some(Change::Stopped(stop, reason)) => Ok(Self { pid, at: Some((stop, reason)), pinning }),
            _ => Err(ended_early()),
        }
    }

    /// Traces what the process does once it was told to `start`, until the sink has all that it wants; then it is held
    /// in its next stop.
    ///
    /// # Errors
    /// When it ends before, and when the kernel refuses a request that it never should.
    pub fn trace_until_wanted<S: Sink>(
        mut self,
        start: impl FnOnce() -> io::Result<()>,
        sink: &mut S,
        options: Options,
    ) -> io::Result<Self> {
        let pid = self.pid;
        let mut pinning = self.pinning.take();
        if let Some(pinning) = &mut pinning {
            pinning.pin(pid);
        }
        let mut session = Session::new(pid, sink, options, pinning, None);
        session.sink.open();
        let at = session.go_on(self).and_then(|()| start()).and_then(|()| session.run_until_wanted());
        // What was measured does not need it any more, and threads that are made now should not have its mask.
        session.release_cpu();
        let pinning = session.pinning.take();
        drop(session);
        match at {
            Ok(at) => Ok(Self { pid, at: Some(at), pinning }),
            Err(error) => {
                end(pid);
                Err(error)
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.at.is_some() {
            end(self.pid);
        }
    }
}

fn end(pid: i32) {
    kill(pid, libc::SIGKILL);
    reap(pid);
}

fn ended_early() -> io::Error {
    io::Error::other("the process ended before it ran the command")
}

impl<S: Sink> Session<'_, S> {
    /// Lets a process go on from where it is held.
    pub(super) fn go_on(&mut self, mut held: Held) -> io::Result<()> {
        let Some((stop, reason)) = held.at.take() else { return Ok(()) };
        let now = self.now();
        self.stopped(stop, reason, now)
    }

    /// Handles changes until the sink has all it wants. Returns the first stop after that, which is still to be handled.
    fn run_until_wanted(&mut self) -> io::Result<(Stop, Reason)> {
        loop {
            let beside = !self.is_pinned();
            match self.waiting.next(false, beside, &|| false, || {})? {
                Next::Change(Change::Stopped(stop, reason)) if self.sink.wants_end() => {
                    return Ok((stop, reason));
                }
                Next::Change(Change::Stopped(stop, reason)) => {
                    let now = self.now();
                    self.stopped(stop, reason, now)?;
                }
                Next::Change(Change::Ended(..)) | Next::Nobody => return Err(ended_early()),
                Next::Interrupted => {}
            }
        }
    }
}
