//! Where the recording of a command begins: with its first execve, if that is taken or kills.
//!
//! The process that becomes the command is a child of ours that runs our code before, and after an execve that
//! fails, to tell why. Nothing of that is the command's. A program that is damaged past the point where the
//! kernel has given up the old one kills the process inside execve, though: that is the command's end.
//!
//! Where strace is spoken, the attempt itself is shown as well, whatever comes of it, and that the process ended.

use super::super::{AttachError, Intervention, PokeError, Sink};
use super::marks::lifecycle_event;
use super::stop::End;
use super::thread::Thread;
use crate::event::{Event, Kind};

/// A signal as a ptrace stop tells of it.
#[derive(Clone, Copy, Debug)]
pub struct Signal {
    /// Number.
    pub number: i32,
    /// `si_code`.
    pub code: i32,
    /// The sender's pid.
    pub sender: i32,
    /// When it was about to be delivered.
    pub at_ns: u64,
    /// Where the thread was, if that is to be told.
    pub ip: u64,
}

impl Signal {
    /// As an event of this thread.
    pub fn event(self, thread: &Thread) -> Event<'_> {
        Event {
            nr: self.number as u32,
            ip: self.ip,
            args: [i64::from(self.code) as u64, self.sender as u64, 0, 0, 0, 0],
            memory: Some(&thread.signal_memory[..]).filter(|kept| !kept.is_empty()),
            ..lifecycle_event(Kind::Signal, thread, self.at_ns)
        }
    }
}

/// How far the process is.
#[derive(Clone, Copy, Debug)]
enum Progress {
    /// It runs our code.
    Ours,
    /// It is inside execve.
    InExec,
    /// An execve has failed, and nothing else of note has happened but at most this signal.
    Failed { ret: i64, at_ns: u64, signal: Option<Signal> },
    /// It is the command.
    Begun,
}

/// Keeps from the sink what comes before the beginning.
pub struct Gate<'s, S: Sink> {
    sink: &'s mut S,
    progress: Progress,
    /// The command's first process.
    leader: i32,
    /// The execve that may fail is shown, too.
    shows_attempt: bool,
    /// Processes that ran already are recorded beside it.
    has_others: bool,
}

impl<'s, S: Sink> Gate<'s, S> {
    /// Waits for the first execve of this process, which is shown even where it fails if `shows_attempt`.
    pub fn closed(sink: &'s mut S, leader: i32, shows_attempt: bool) -> Self {
        Self { sink, progress: Progress::Ours, leader, shows_attempt, has_others: false }
    }

    /// All is recorded from now on.
    pub fn open(&mut self) {
        self.progress = Progress::Begun;
    }

    /// Whether the beginning was reached.
    pub fn is_open(&self) -> bool {
        matches!(self.progress, Progress::Begun)
    }

    /// Processes that run already are going to be recorded beside it.
    pub fn takes_others(&mut self) {
        self.has_others = true;
    }

    /// Whether the process is recorded by now.
    pub fn has_begun(&self, pid: i32) -> bool {
        self.is_open() || self.has_others && pid != self.leader
    }

    /// The same of an event.
    fn takes(&self, event: &Event<'_>) -> bool {
        match self.progress {
            Progress::InExec if self.shows_attempt => true,
            Progress::Failed { .. } if self.shows_attempt && event.kind == Kind::Exit => true,
            _ => self.has_begun(event.pid.cast_signed()),
        }
    }

    /// Takes an event, once it has begun.
    pub fn push(&mut self, event: &Event<'_>) {
        if self.takes(event) {
            self.sink.push(event);
        }
    }

    /// What is to be done to a call. As under strace, nothing to the execve that becomes the command.
    pub fn intervention(&mut self, event: &Event<'_>) -> Intervention {
        if self.has_begun(event.pid.cast_signed()) {
            self.sink.intervention(event)
        } else {
            Intervention::default()
        }
    }

    /// Tells of a call that begins, once it has begun.
    pub fn entered(&mut self, event: &Event<'_>) {
        if self.takes(event) {
            self.sink.entered(event);
        }
    }

    /// Tells of what could not be done to a call.
    pub fn not_poked(&mut self, tid: i32, error: PokeError) {
        self.sink.not_poked(tid.cast_unsigned(), error);
    }

    /// Tells of a stop, once it has begun.
    pub fn stopped(&mut self, event: &Event<'_>) {
        if self.takes(event) {
            self.sink.stopped(event);
        }
    }

    /// Tells of a thread that goes on untraced, once it has begun.
    pub fn lets_go(&mut self, thread: &Thread) {
        if self.has_begun(thread.pid) {
            self.sink.lets_go(thread.tid.cast_unsigned());
        }
    }

    /// Tells of the time a process has spent in the kernel.
    pub fn used(&mut self, tid: i32, system_ns: u64) {
        self.sink.used(tid.cast_unsigned(), system_ns);
    }

    /// A process that nobody is known to have made.
    pub fn unknown(&mut self, pid: i32, has_ended: bool) {
        self.sink.unknown(pid.cast_unsigned(), has_ended);
    }

    /// A process that ran already is recorded from now on.
    pub fn attached(&mut self, pid: i32, threads: usize) {
        self.sink.attached(pid.cast_unsigned(), threads);
    }

    /// One of several processes is not to be had.
    pub fn not_attached(&mut self, error: &AttachError) {
        self.sink.not_attached(error);
    }

    /// The process goes on for these.
    pub fn waits_for(&mut self, pids: &[i32]) {
        self.sink.waits_for(pids);
    }

    /// Whether the sink has all it wants.
    pub fn wants_end(&self) -> bool {
        self.sink.wants_end()
    }

    /// Before the beginning: the process makes a call.
    pub fn enters(&mut self, is_exec: bool) {
        if self.shows_attempt && matches!(self.progress, Progress::Failed { .. }) {
            // Our own code on its way to its end.
            return;
        }
        self.progress = if is_exec { Progress::InExec } else { Progress::Ours };
    }

    /// A call of this process has failed.
    pub fn failed(&mut self, pid: i32, ret: i64, at_ns: u64) {
        if pid == self.leader && matches!(self.progress, Progress::InExec) {
            self.progress = Progress::Failed { ret, at_ns, signal: None };
        }
    }

    /// A signal is about to be delivered to the thread.
    pub fn signal(&mut self, thread: &Thread, new: Signal) {
        if self.has_begun(thread.pid) {
            return self.sink.push(&new.event(thread));
        }
        match &mut self.progress {
            Progress::InExec | Progress::Failed { .. } if self.shows_attempt => {
                self.sink.push(&new.event(thread));
            }
            Progress::Failed { signal, .. } => *signal = Some(new),
            Progress::Begun | Progress::Ours | Progress::InExec => {}
        }
    }

    /// The thread is gone.
    pub fn ended(&mut self, thread: &Thread, end: Option<End>) {
        let progress = self.progress;
        if self.shows_attempt || thread.tid != self.leader {
            return;
        }
        if !matches!(end, Some(End::Killed(_)))
            || !matches!(progress, Progress::InExec | Progress::Failed { .. })
        {
            return;
        }
        self.open();
        if let Progress::Failed { ret, at_ns, signal } = progress {
            let call = thread.call.event(thread.pid, thread.comm.as_bytes(), Some(ret), Some(at_ns));
            self.sink.push(&call);
            if let Some(signal) = signal {
                self.sink.push(&signal.event(thread));
            }
        }
    }
}
