//! A recording from its beginning to its outcome: the command's process is attached to where it waits, and let go.

use std::io;

use super::super::stacks::Wanted;
use super::super::sys::ptrace::Seized;
use super::super::sys::signals::{Interruptible, Watch};
use super::super::{Outcome, Sink};
use super::held::Held;
use super::samples::{Sample, Samples};
use super::session::Session;
use crate::syscall::decode::Style;

/// Whether one CPU is shared with the tree while it is one thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pin {
    /// Never.
    #[default]
    No,
    /// It is, and put right if the tracer is killed.
    Guarded,
    /// It is, with a child that ends with the tracer: nothing is to be put right then.
    Unguarded,
}

/// How to record; not at all, if nothing is said.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "one for each switch")]
pub struct Options {
    /// End with the command's first process, letting the others go on untraced.
    pub leader_only: bool,
    /// Share one CPU with the tree while it is one thread.
    pub pin: Pin,
    /// The monotonic clock's reading that is time 0, in nanoseconds.
    pub origin_ns: u64,
    /// When to end at the latest, on the same clock; only for processes that were attached to.
    pub until_ns: Option<u64>,
    /// Which frames the stacks of calls about files are to have, if stacks are wanted.
    pub stacks: Option<Wanted>,
    /// Stacks are wanted of all calls, each frame an instruction.
    pub every_stack: bool,
    /// Tell where a thread was when a signal came.
    pub signal_pointers: bool,
    /// Of the processes to attach to, those that cannot be had are told of ([`not_attached`](crate::capture::Sink::not_attached)), and the
    /// others are recorded. A number may be that of a thread then: it alone is recorded, or all of its process if `follow`.
    pub any_process: bool,
    /// Take CPU samples, too; only of a command.
    pub sample: Option<Sample>,
    /// Record children and new threads, too.
    pub follow: bool,
    /// The command is under a filter that stops it at the calls to be recorded ([`filter`](super::super::filter)).
    pub filtered: bool,
    /// Tell the sink at each stop how long the thread's process has been in the kernel.
    pub system_time: bool,
    /// Signals are not handed on to the command: they end the tracer, or do not.
    pub interruptible: Option<Interruptible>,
    /// Who runs another program goes on untraced from then on, the command's own first one aside.
    pub detach_on_exec: bool,
    /// The command is not our child: that it is attached to is told, and it does not end with us.
    pub is_apart: bool,
    /// A call that does not return is told of when its thread begins to end, not when it is gone.
    pub tells_exit: bool,
    /// Nobody who is traced outlives the tracer.
    pub kill_on_exit: bool,
    /// Keep what pointers point to, as far as calls printed like this show it.
    pub keep: Option<Style>,
}

impl Options {
    /// How signals are treated while this process is recorded.
    fn watch(&self, pid: i32) -> Watch {
        if let Some(how) = self.interruptible {
            return Watch::install_interruptible(how);
        }
        let mut watch = Watch::install();
        watch.see_deliveries();
        watch.follow(pid);
        watch
    }

    /// What is asked of the kernel for each thread.
    pub(super) fn seized(&self) -> Seized {
        Seized {
            follow: self.follow,
            filtered: self.filtered,
            ends_with_us: self.kill_on_exit || self.filtered,
            tells_exit: self.tells_exit,
        }
    }
}

/// Records a process that waits to be let go: `go` is called once it is attached to. Recording begins
/// with its first execve, and never where that fails.
///
/// # Errors
/// When the process cannot be attached to (ptrace forbidden, or traced by another already), or the kernel
/// refuses a request that it never should. Threads are let go untraced then.
pub fn record<S: Sink>(
    pid: i32,
    go: impl FnOnce() -> io::Result<()>,
    sink: &mut S,
    options: Options,
) -> io::Result<Outcome> {
    record_held(Held::attach(pid, options)?, go, sink, options)
}

/// The same, and beside it processes that run already, as [`attach`](super::attach()) with `any_process`. The status is that of
/// the command's process.
///
/// # Errors
/// As [`record`].
pub fn record_beside<S: Sink>(
    pid: i32,
    go: impl FnOnce() -> io::Result<()>,
    running: &[i32],
    sink: &mut S,
    options: Options,
) -> io::Result<Outcome> {
    let watch = options.watch(pid);
    Held::attach(pid, options)?.record(go, running, sink, options, Some(watch))
}

/// The same with a process that is attached to already, with the same options.
///
/// # Errors
/// As [`record`].
pub fn record_held<S: Sink>(
    held: Held,
    go: impl FnOnce() -> io::Result<()>,
    sink: &mut S,
    options: Options,
) -> io::Result<Outcome> {
    let watch = options.watch(held.pid);
    held.record(go, &[], sink, options, Some(watch))
}

/// The same from the process's first call on, with signals left alone: for a child that runs our own code.
pub(super) fn record_at_once<S: Sink>(
    pid: i32,
    go: impl FnOnce() -> io::Result<()>,
    sink: &mut S,
    options: Options,
) -> io::Result<Outcome> {
    Held::attach(pid, options)?.record(go, &[], sink, options, None)
}

impl Held {
    /// To its end ([`Held::session`]).
    fn record<S: Sink>(
        mut self,
        go: impl FnOnce() -> io::Result<()>,
        running: &[i32],
        sink: &mut S,
        options: Options,
        watch: Option<Watch>,
    ) -> io::Result<Outcome> {
        let mut session = self.session(sink, options, watch);
        let result = session.begin(self, running, go).and_then(|()| session.run());
        if result.is_err() {
            session.detach_all();
        }
        let outcome = session.outcome();
        drop(session);
        result.map(|()| outcome)
    }
}

impl<S: Sink> Session<'_, S> {
    /// Lets the process go on from where it is held, so that its next calls are seen, and attaches to those that run.
    fn begin(&mut self, held: Held, running: &[i32], go: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let leader = held.pid;
        self.go_on(held)?;
        if !running.is_empty() {
            self.sink.takes_others();
        }
        for &pid in running {
            self.attach_if_possible(pid);
        }
        if self.options.is_apart {
            self.sink.attached(leader, 1);
        }
        self.samples = self.options.sample.map(Samples::start).transpose()?;
        go()
    }
}
