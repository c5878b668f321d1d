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
use super::super::sys::ptrace as request;
use super::super::sys::signals::Watch;
use super::super::sys::wait;
use super::pinning::Pinning;
use super::recording::{Options, Pin};
use super::session::Session;
use super::stop::{Change, End, Reason, Stop};
use super::waiting::Next;

/// See the module. Dropped, the process stays stopped: it is for who has made it to end it.
#[derive(Debug)]
pub struct Held {
    pub(super) pid: i32,
    at: At,
    pinning: Option<Pinning>,
}

/// Where a process is held.
#[derive(Debug)]
enum At {
    /// In this stop, which is still to be handled.
    Stop(Stop, Reason),
    /// A signal has ended it, which would have ended the command.
    End(End),
}

impl Held {
    /// Attaches to the process and stops it where it waits.
    ///
    /// # Errors
    /// When it cannot be attached to (ptrace forbidden, or traced by another already).
    pub fn attach(pid: i32, options: Options) -> io::Result<Self> {
        request::seize(pid, options.seized())?;
        let pinning = match options.pin {
            Pin::No => None,
            pin => Pinning::prepare(pin == Pin::Guarded)?,
        };
        request::interrupt(pid)?;
        let at = match Change::decode(wait::thread(pid)?) {
            Some(Change::Stopped(stop, reason)) => At::Stop(stop, reason),
            Some(Change::Ended(_, end)) => At::End(end),
            None => return Err(lost()),
        };
        Ok(Self { pid, at, pinning })
    }

    /// Traces what the process does once it was told to `start`, until the sink has all that it wants, or the process has
    /// ended; then it is held in its next stop.
    ///
    /// # Errors
    /// When the kernel refuses a request that it never should.
    pub fn trace_until_wanted<S: Sink>(
        mut self,
        start: impl FnOnce() -> io::Result<()>,
        sink: &mut S,
        options: Options,
    ) -> io::Result<Self> {
        if matches!(self.at, At::End(_)) {
            return Ok(self);
        }
        let pid = self.pid;
        let mut session = self.session(sink, options, None);
        let at = session.go_on(self).and_then(|()| start()).and_then(|()| session.run_until_wanted());
        // What was measured does not need it any more, and threads that are made now should not have its mask.
        session.release_cpu();
        let pinning = session.pinning.take();
        drop(session);
        Ok(Self { pid, at: at?, pinning })
    }

    /// A recording of the process, which shares our CPU from here on, if it may. Without a watch for signals, it begins with
    /// the process's first call.
    pub(super) fn session<'s, S: Sink>(
        &mut self,
        sink: &'s mut S,
        options: Options,
        watch: Option<Watch>,
    ) -> Session<'s, S> {
        let mut pinning = self.pinning.take();
        if let Some(pinning) = &mut pinning {
            pinning.pin(self.pid);
        }
        let begins_at_once = watch.is_none();
        let mut session = Session::new(self.pid, sink, options, pinning, watch);
        if begins_at_once {
            session.sink.open();
        }
        session
    }
}

fn lost() -> io::Error {
    io::Error::other("the kernel does not tell what became of the command's process")
}

impl<S: Sink> Session<'_, S> {
    /// Lets a process go on from where it is held.
    pub(super) fn go_on(&mut self, held: Held) -> io::Result<()> {
        let now = self.now();
        match held.at {
            At::Stop(stop, reason) => self.stopped(stop, reason, now),
            At::End(end) => self.ended(held.pid, end, now),
        }
    }

    /// Handles changes until the sink has all it wants. Returns the first stop after that, or the process's end, which are still
    /// to be handled.
    fn run_until_wanted(&mut self) -> io::Result<At> {
        loop {
            let beside = !self.is_pinned();
            match self.waiting.next(false, beside, &|| false, || {})? {
                Next::Change(Change::Stopped(stop, reason)) if self.sink.wants_end() => {
                    return Ok(At::Stop(stop, reason));
                }
                Next::Change(Change::Stopped(stop, reason)) => {
                    let now = self.now();
                    self.stopped(stop, reason, now)?;
                }
                Next::Change(Change::Ended(tid, end)) if tid == self.leader => return Ok(At::End(end)),
                Next::Nobody => return Err(lost()),
                // The end is of a child that was ours before, as of a shell that has become this program by exec.
                Next::Interrupted | Next::Change(Change::Ended(..)) => {}
            }
        }
    }
}
