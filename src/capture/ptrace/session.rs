//! One recording: takes a change, hands it to its handler, lets the thread go on, until none is left.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rustc_hash::FxHashMap;

use super::super::decode::effect::Effect;
use super::super::others::Others;
use super::super::sys::clock::monotonic_ns;
use super::super::sys::signals::{Watch, hand_over, is_for_us, stop_too};
use super::super::{Interruption, Outcome, Sink};
use super::beginning::Gate;
use super::call_stacks::CallStacks;
use super::delays::Delays;
use super::files::Shares;
use super::marks::lifecycle_event;
use super::pinning::Pinning;
use super::recording::Options;
use super::samples::Samples;
use super::stop::{Change, End, Reason, Stop};
use super::thread::{Comm, Thread};
use super::waiting::{Next, Waiting};
use crate::event::{Event, Kind, mark};

/// In place of the command's first process, where there is none because the processes ran already.
pub(super) const NOBODY: i32 = -1;

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
    pub(super) options: Options,
    /// Where stacks of calls are wanted.
    pub(super) stacks: Option<Box<CallStacks>>,
    /// Threads whose calls are delayed.
    pub(super) delays: Delays,
    /// Where CPU samples are wanted, from the beginning on.
    pub(super) samples: Option<Samples>,
    others: Others,
    /// The command's first process has sent itself SIGSTOP.
    pub(super) stopped_itself: bool,
    /// The command was stopped from the terminal: stop too, once nothing is left to handle.
    stop_requested: Option<i32>,
}

impl<'s, S: Sink> Session<'s, S> {
    pub(super) fn new(
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
            sink: Gate::closed(sink, leader, options.interruptible.is_some()),
            pinning,
            leader,
            end: None,
            watch,
            asked: None,
            warnings: Vec::new(),
            threads_seen: 1,
            was_parallel: false,
            waiting: Waiting::new(options.system_time),
            options,
            stacks: CallStacks::wanted(&options).map(Box::new),
            samples: None,
            delays: Delays::default(),
            others: Others::default(),
            stopped_itself: false,
            stop_requested: None,
        }
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
            // Whoever polls gives its CPU away, and is late when it is time for samples.
            let beside = !self.is_pinned() && self.samples.is_none();
            let (leader, stop_requested) = (self.leader, &mut self.stop_requested);
            let samples = self.samples.as_ref();
            let delays = &self.delays;
            let due = || samples.is_some_and(Samples::is_due) || delays.is_due();
            let change = self.waiting.next(several, beside, &due, || {
                if let Some(signal) = stop_requested.take() {
                    stop_too(leader, signal);
                }
            })?;
            let now = self.now();
            let mut changed = None;
            match change {
                Next::Nobody => {
                    self.lost_threads();
                    break;
                }
                Next::Change(Change::Stopped(stop, reason)) => {
                    changed = Some(stop.tid());
                    self.stopped(stop, reason, now)?;
                }
                Next::Change(Change::Ended(tid, end)) => self.ended(tid, end, now)?,
                Next::Interrupted => {}
            }
            self.end_delays()?;
            self.tick(changed);
            let may_be_over =
                self.end.is_some() || self.leader == NOBODY || self.options.interruptible.is_some();
            if self.sink.wants_end() || may_be_over && self.is_over(now) {
                self.interrupt_command();
                self.detach_all();
                break;
            }
        }
        Ok(())
    }

    /// Where the tracer ends before the command, by a signal: the command is to end by the same.
    fn interrupt_command(&self) {
        let asked = self.watch.as_ref().and_then(Watch::received);
        if let Some(signal) = asked.filter(|_| self.options.interruptible.is_some() && !self.options.is_apart)
            && self.threads.contains_key(&self.leader)
            && self.end.is_none()
        {
            hand_over(self.leader, signal);
        }
    }

    /// The command's first process has ended, or there is none, or signals end the tracer: whether that is the end of the recording. If
    /// others keep it waiting, that is told, once.
    fn is_over(&mut self, now: u64) -> bool {
        let asked = self.watch.as_ref().is_some_and(|watch| watch.received().is_some());
        let is_late = self.options.until_ns.is_some_and(|until| self.log_time(until) <= now);
        if self.options.leader_only || asked || is_late {
            return true;
        }
        if self.end.is_none() {
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
            lost: 0,
            parallel: self.was_parallel,
            interruption: self.interruption(),
            sampled: self.samples.as_ref().map(Samples::result),
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
            if !self.options.follow {
                // It was made to be traced by its maker's tracer (CLONE_PTRACE).
                self.sink.unknown(stop.tid(), false);
                return stop.detach(0);
            }
            // A child that runs before its parent's event is handled waits for it.
            self.early.insert(stop.tid(), Early::Stopped(stop, reason));
            return self.adopt_orphans(now);
        }
        self.note_entry_point(stop.tid());
        self.choose_cpu(stop.tid());
        let is_in_call = self.threads.get(&stop.tid()).is_some_and(|thread| thread.in_call);
        let stop = stop.filtered(self.options.filtered && !is_in_call);
        if self.options.system_time {
            self.sink.used(stop.tid(), stop.system_ns());
        }
        self.is_halted(stop.tid(), matches!(reason, Reason::Group(_)));
        match reason {
            Reason::Syscall => self.syscall(stop, now),
            Reason::Signal(signal) => self.signal(stop, signal, now),
            Reason::NewChild => self.new_child(stop, now),
            Reason::Exec => self.exec(stop, now),
            Reason::Exiting => self.exiting(stop),
            Reason::Group(signal) => self.group_stop(stop, signal),
            Reason::Attached => self.sample(stop, now),
        }
    }

    fn choose_cpu(&mut self, tid: i32) {
        let threads = &self.threads;
        if let Some(pinning) = &mut self.pinning {
            pinning.stopped(tid, || threads.values().all(|thread| thread.tid == tid || waits(thread)));
        }
    }

    /// Whether the tree shares the tracer's CPU now.
    pub(super) fn is_pinned(&self) -> bool {
        self.pinning.as_ref().is_some_and(Pinning::is_active)
    }

    /// Puts the masks back before the tree becomes parallel.
    pub(super) fn release_cpu(&mut self) {
        if let Some(pinning) = &mut self.pinning {
            pinning.release();
        }
    }

    fn group_stop(&mut self, stop: Stop, signal: i32) -> io::Result<()> {
        let now = self.now();
        if let Some(thread) = self.threads.get(&stop.tid()) {
            let event = lifecycle_event(Kind::Signal, thread, now);
            self.sink.stopped(&Event { nr: signal as u32, ..event });
        }
        let alone = || self.stopped_itself && self.threads.values().all(|thread| thread.pid == self.leader);
        // strace does not stop with it.
        let is_ours = self.options.interruptible.is_none() && is_for_us(signal, self.leader, alone);
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
}

/// Whether the thread is inside a call, and not one that could show another thread's mask.
fn waits(thread: &Thread) -> bool {
    thread.in_call && thread.call.plan.effect != Effect::AskAffinity
}
