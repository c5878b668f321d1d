//! One recording: takes a change, hands it to its handler, lets the thread go on, until none is left.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rustc_hash::FxHashMap;

use super::super::decode::effect::Effect;
use super::super::decode::restart::asks_for_restart;
use super::super::others::Others;
use super::super::sys::clock::monotonic_ns;
use super::super::sys::doubled::GRACE_MS;
use super::super::sys::ptrace::{self as request, SyscallStop};
use super::super::sys::signals::{Watch, is_for_us, stop_too};
use super::super::sys::wait;
use super::super::{Interruption, Outcome, Sink};
use super::beginning::Gate;
use super::entry::{self, Entry};
use super::exit;
use super::files::Shares;
use super::pinning::Pinning;
use super::signals_taken;
use super::stop::{Change, End, Reason, Stop};
use super::thread::{Comm, Thread};
use super::waiting::{Next, Waiting};
use crate::event::{Event, Flags, Kind, mark};

/// How to record.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// End with the command's first process, letting the others go on untraced.
    pub leader_only: bool,
    /// Share one CPU with the tree while it is one thread.
    pub pin: bool,
    /// The monotonic clock's reading that is time 0, in nanoseconds.
    pub origin_ns: u64,
    /// When to end at the latest, on the same clock; only for processes that were attached to.
    pub until_ns: Option<u64>,
}

/// In place of the command's first process, where there is none because the processes ran already.
pub(super) const NOBODY: i32 = -1;

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
    record_from(Begin::AtExec, pid, go, sink, options)
}

/// Where a recording begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// With the first execve.
    AtExec,
    /// With the first call.
    AtOnce,
}

/// As [`record`], from a point of choice.
pub(super) fn record_from<S: Sink>(
    begin: Begin,
    pid: i32,
    go: impl FnOnce() -> io::Result<()>,
    sink: &mut S,
    options: Options,
) -> io::Result<Outcome> {
    request::seize(pid)?;
    let watch = (begin == Begin::AtExec).then(|| {
        let mut watch = Watch::install();
        watch.see_deliveries(GRACE_MS);
        watch.follow(pid);
        watch
    });
    let mut pinning = if options.pin { Pinning::prepare()? } else { None };
    if let Some(pinning) = &mut pinning {
        pinning.pin(pid);
    }
    let mut session = Session::new(pid, sink, options, pinning, watch);
    if begin == Begin::AtOnce {
        session.sink.open();
    }
    let result = session.begin(go).and_then(|()| session.run());
    if result.is_err() {
        session.detach_all();
    }
    let outcome = session.outcome();
    drop(session);
    result.map(|()| outcome)
}

/// What a child did before it was known.
pub(super) enum Early {
    /// It stopped, and waits.
    Stopped(Stop, Reason),
    /// It was killed.
    Ended(End),
}

/// The state of one recording.
pub(super) struct Session<'s, S: Sink> {
    pub(super) threads: FxHashMap<i32, Thread>,
    /// Children of which the kernel told before their parents' events did.
    pub(super) early: FxHashMap<i32, Early>,
    /// The last thread that died inside a fork, which cannot tell of its child any more.
    pub(super) died_in_fork: Option<Thread>,
    pub(super) sink: Gate<'s, S>,
    pub(super) pinning: Option<Pinning>,
    pub(super) leader: i32,
    pub(super) end: Option<End>,
    /// Signals meant for the command are passed on to it, until its first process has ended.
    pub(super) watch: Option<Watch>,
    /// The signal that had asked for an end when the command's first process ended.
    pub(super) asked: Option<i32>,
    pub(super) warnings: Vec<&'static str>,
    pub(super) threads_seen: u64,
    pub(super) was_parallel: bool,
    pub(super) waiting: Waiting,
    options: Options,
    others: Others,
    /// The command's first process has sent itself SIGSTOP.
    pub(super) stopped_itself: bool,
    /// The command was stopped from the terminal: stop too, once nothing is left to handle.
    stop_requested: Option<i32>,
}

impl<'s, S: Sink> Session<'s, S> {
    fn new(
        leader: i32,
        sink: &'s mut S,
        options: Options,
        pinning: Option<Pinning>,
        watch: Option<Watch>,
    ) -> Self {
        let thread = Thread::new(leader, leader, Comm::of(leader), Shares::of(leader));
        Self {
            threads: FxHashMap::from_iter([(leader, thread)]),
            early: FxHashMap::default(),
            died_in_fork: None,
            sink: Gate::closed(sink),
            pinning,
            leader,
            end: None,
            watch,
            asked: None,
            warnings: Vec::new(),
            threads_seen: 1,
            was_parallel: false,
            waiting: Waiting::default(),
            options,
            others: Others::default(),
            stopped_itself: false,
            stop_requested: None,
        }
    }

    /// Stops the process where it waits, so that its next calls are seen, and lets it go.
    fn begin(&mut self, go: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        request::interrupt(self.leader)?;
        match Change::decode(wait::thread(self.leader)?) {
            Some(Change::Stopped(stop, _)) => stop.resume(0)?,
            _ => return Err(io::Error::other("the process ended before it ran the command")),
        }
        go()
    }

    /// One without a first process, and without any thread yet.
    pub(super) fn of_running(sink: &'s mut S, options: Options, watch: Watch) -> Self {
        let mut session = Self::new(NOBODY, sink, options, None, Some(watch));
        session.threads.clear();
        session.threads_seen = 0;
        session.sink.open();
        session
    }

    pub(super) fn run(&mut self) -> io::Result<()> {
        // A parent that died inside fork may have left a child that is still to be seen.
        while !self.threads.is_empty() || self.died_in_fork.is_some() {
            let several = self.threads.len() > 1;
            let beside = !self.is_pinned();
            let (leader, stop_requested) = (self.leader, &mut self.stop_requested);
            let change = self.waiting.next(several, beside, || {
                if let Some(signal) = stop_requested.take() {
                    stop_too(leader, signal);
                }
            })?;
            let now = self.now();
            match change {
                Next::Nobody => {
                    self.lost_threads();
                    break;
                }
                Next::Change(Change::Stopped(stop, reason)) => self.stopped(stop, reason, now)?,
                Next::Change(Change::Ended(tid, end)) => self.ended(tid, end, now)?,
                Next::Interrupted => {}
            }
            let may_be_over = self.end.is_some() || self.leader == NOBODY;
            if self.sink.wants_end() || may_be_over && self.is_over(now) {
                self.detach_all();
                break;
            }
        }
        Ok(())
    }

    /// The command's first process has ended, or there is none: whether that is the end of the recording. If
    /// others keep it waiting, that is told, once.
    fn is_over(&mut self, now: u64) -> bool {
        let asked = self.watch.as_ref().is_some_and(|watch| watch.received().is_some());
        let is_late = self.options.until_ns.is_some_and(|until| self.log_time(until) <= now);
        if self.options.leader_only || asked || is_late {
            return true;
        }
        if self.leader == NOBODY {
            return false;
        }
        if !self.threads.is_empty() && self.others.go_on(now) {
            let mut pids: Vec<i32> = self.threads.values().map(|thread| thread.pid).collect();
            pids.sort_unstable();
            pids.dedup();
            self.sink.waits_for(&pids);
        }
        false
    }

    /// The kernel says that nothing is left to wait for, yet threads are known: somebody else has waited
    /// for them.
    fn lost_threads(&mut self) {
        if self.threads.is_empty() {
            return;
        }
        let lost = Event {
            text: Some(b"threads whose end was not reported"),
            ret: Some(self.threads.len() as i64),
            start_ns: self.now(),
            ..Event::new(Kind::Lost)
        };
        self.sink.push(&lost);
        self.threads.clear();
    }

    pub(super) fn now(&self) -> u64 {
        monotonic_ns().saturating_sub(self.options.origin_ns)
    }

    /// A reading of the monotonic clock as a time of the log.
    pub(super) fn log_time(&self, monotonic_ns: u64) -> u64 {
        monotonic_ns.saturating_sub(self.options.origin_ns)
    }

    pub(super) fn outcome(&self) -> Outcome {
        Outcome {
            status: match self.end {
                Some(End::Exited(code)) => ExitStatus::from_raw(code << 8),
                Some(End::Killed(signal)) => ExitStatus::from_raw(signal),
                // Only when waiting failed, which `record` reports.
                None => ExitStatus::from_raw(125 << 8),
            },
            warnings: self.warnings.clone(),
            threads: self.threads_seen,
            parallel: self.was_parallel,
            interruption: self.interruption(),
        }
    }

    fn interruption(&self) -> Option<Interruption> {
        let later = || self.watch.as_ref().and_then(Watch::received);
        let (signal, after_leader) = match self.asked {
            Some(signal) => (signal, false),
            None => (later()?, self.end.is_some()),
        };
        Some(Interruption { signal, after_leader })
    }

    pub(super) fn stopped(&mut self, stop: Stop, reason: Reason, now: u64) -> io::Result<()> {
        if !self.threads.contains_key(&stop.tid()) && reason != Reason::Exec {
            // A child that runs before its parent's event is handled waits for it.
            self.early.insert(stop.tid(), Early::Stopped(stop, reason));
            return self.adopt_orphans(now);
        }
        self.note_entry_point(stop.tid());
        self.choose_cpu(stop.tid());
        match reason {
            Reason::Syscall => self.syscall(stop, now),
            Reason::Signal(signal) => self.signal(stop, signal, now),
            Reason::NewChild => self.new_child(stop, now),
            Reason::Exec => self.exec(stop, now),
            Reason::Group(signal) => self.group_stop(stop, signal),
            Reason::Attached => stop.resume(0),
        }
    }

    fn choose_cpu(&mut self, tid: i32) {
        let threads = &self.threads;
        if let Some(pinning) = &mut self.pinning {
            pinning.stopped(tid, || threads.values().all(|thread| thread.tid == tid || waits(thread)));
        }
    }

    /// Whether the tree shares the tracer's CPU now.
    fn is_pinned(&self) -> bool {
        self.pinning.as_ref().is_some_and(Pinning::is_active)
    }

    /// Puts the masks back before the tree becomes parallel.
    pub(super) fn release_cpu(&mut self) {
        if let Some(pinning) = &mut self.pinning {
            pinning.release();
        }
    }

    fn syscall(&mut self, stop: Stop, now: u64) -> io::Result<()> {
        match request::syscall_stop(stop.tid()) {
            Ok(SyscallStop::Entry { arch, nr, args, ip }) => {
                self.syscall_entry(stop, &Entry { arch, nr, args, ip })
            }
            Ok(SyscallStop::Exit { ret, ip }) => self.syscall_exit(stop, ret, ip, now),
            // The stop that was reported is over: the thread was killed, or an exec of another thread
            // replaced it. The kernel will report what came of it.
            Ok(SyscallStop::None) => Ok(()),
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn syscall_entry(&mut self, stop: Stop, entry: &Entry) -> io::Result<()> {
        let Some(thread) = self.threads.get_mut(&stop.tid()) else { return stop.resume(0) };
        entry::capture(thread, entry);
        let effect = thread.call.plan.effect;
        if !self.sink.is_open() {
            self.sink.enters(effect == Effect::Exec);
            if effect != Effect::Exec {
                return stop.resume(0);
            }
        }
        thread.in_call = true;
        let clone_flags = thread.call.clone_flags;
        self.before(stop.tid(), effect, clone_flags);
        let start_ns = self.now();
        let beside = !self.is_pinned();
        if let Some(thread) = self.threads.get_mut(&stop.tid()) {
            thread.call.start_ns = start_ns;
            if beside {
                thread.call.flags.set(Flags::BESIDE);
                self.was_parallel = true;
            }
        }
        stop.resume(0)
    }

    /// What must happen before the kernel sees the call.
    fn before(&mut self, tid: i32, effect: Effect, clone_flags: u64) {
        match effect {
            Effect::None => {}
            // Asked for again, it is put back again; glibc asks at the start of many programs.
            effect if effect.makes_child() || effect == Effect::AskAffinity => self.release_cpu(),
            Effect::Affinity => self.unpin(tid),
            Effect::IoUring => {
                self.unpin(tid);
                self.mark(tid, mark::IO_URING);
            }
            Effect::Ptrace => {
                self.mark(tid, mark::PTRACE);
                self.warn(mark::PTRACE);
            }
            effect => {
                if let Some(pinning) = &mut self.pinning {
                    pinning.before(effect);
                }
            }
        }
        if clone_flags & libc::CLONE_UNTRACED as u64 != 0 {
            self.mark(tid, mark::UNTRACED_CHILD);
            self.warn(mark::UNTRACED_CHILD);
        }
    }

    fn syscall_exit(&mut self, stop: Stop, ret: i64, ip: u64, now: u64) -> io::Result<()> {
        let Some(thread) = self.threads.get_mut(&stop.tid()) else { return stop.resume(0) };
        if !thread.in_call {
            return stop.resume(0);
        }
        thread.in_call = false;
        let stat = exit::capture(thread, ret);
        if asks_for_restart(ret) {
            thread.interrupted.push(thread.call.nr, thread.call.ip);
        } else if thread.call.plan.effect == Effect::Sigreturn {
            thread.interrupted.handler_returned(ip);
        }
        if exit::is_error(ret) {
            self.sink.failed(ret, now);
        }
        let event = thread.call.event(thread.pid, thread.comm.as_bytes(), Some(ret), Some(now));
        self.sink.push(&Event { stat, ..event });
        if exit::is_error(ret) && thread.call.plan.effect.makes_child() {
            self.adopt_orphans(now)?;
        }
        self.after(stop, ret)
    }

    /// What must happen before the thread makes use of the result.
    fn after(&mut self, stop: Stop, ret: i64) -> io::Result<()> {
        let Some(thread) = self.threads.get(&stop.tid()) else { return stop.resume(0) };
        let named = thread.call.files[0].as_deref().and_then(thread_named_by);
        if ret > 0 && thread.pid == self.leader {
            signals_taken::note(thread, ret);
        }
        let shows_mask = thread.call.plan.makes_fd
            && thread.call.files.iter().flatten().any(|file| file.ends_with(b"/status"));
        if shows_mask {
            self.unpin(stop.tid());
        }
        if let Some(thread) = named.filter(|_| ret > 0).and_then(|tid| self.threads.get_mut(&tid)) {
            thread.comm = Comm::of(thread.tid);
        }
        stop.resume(0)
    }

    fn group_stop(&mut self, stop: Stop, signal: i32) -> io::Result<()> {
        let alone = || self.stopped_itself && self.threads.values().all(|thread| thread.pid == self.leader);
        let is_ours = is_for_us(signal, self.leader, alone);
        if is_ours && stop.tid() == self.leader {
            self.stop_requested = Some(signal);
            self.stopped_itself = false;
        }
        stop.listen()
    }

    /// Puts the masks back, for good: something that could show them is about to happen.
    pub(super) fn unpin(&mut self, tid: i32) {
        if self.pinning.take().is_some() {
            self.mark(tid, mark::UNPINNED);
        }
    }

    /// Records a point of interest, now.
    pub(super) fn mark(&mut self, tid: i32, name: &'static str) {
        let now = self.now();
        self.mark_at(tid, name, now);
    }

    /// Records a point of interest.
    pub(super) fn mark_at(&mut self, tid: i32, name: &'static str, at_ns: u64) {
        if let Some(thread) = self.threads.get(&tid) {
            let event = Event { text: Some(name.as_bytes()), ..lifecycle_event(Kind::Mark, thread, at_ns) };
            self.sink.push(&event);
        }
    }

    /// Records what the user should be told, the first time it happens.
    pub(super) fn mark_once(&mut self, tid: i32, name: &'static str) {
        if !self.warnings.contains(&name) {
            self.mark(tid, name);
            self.warn(name);
        }
    }

    /// Remembers what the user should be told, once.
    pub(super) fn warn(&mut self, name: &'static str) {
        if !self.warnings.contains(&name) {
            self.warnings.push(name);
        }
    }
}

/// Whether the thread is inside a call, and not one that could show another thread's mask.
fn waits(thread: &Thread) -> bool {
    thread.in_call && thread.call.plan.effect != Effect::AskAffinity
}

/// A point in a thread's life as an event.
pub(super) fn lifecycle_event(kind: Kind, thread: &Thread, at_ns: u64) -> Event<'_> {
    Event {
        pid: thread.pid as u32,
        tid: thread.tid as u32,
        comm: thread.comm.as_bytes(),
        start_ns: at_ns,
        end_ns: Some(at_ns),
        ..Event::new(kind)
    }
}

/// The thread whose name is read or written at `/proc/PID/task/TID/comm`.
fn thread_named_by(file: &[u8]) -> Option<i32> {
    let path = file.strip_prefix(b"/proc/")?.strip_suffix(b"/comm")?;
    std::str::from_utf8(path.rsplit(|&byte| byte == b'/').next()?).ok()?.parse().ok()
}
