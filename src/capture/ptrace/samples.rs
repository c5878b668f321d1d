//! CPU samples by ptrace, where the kernel permits no perf events, and where frames of an interpreter are wanted, which can
//! be read only while the thread stands still.
//!
//! ```text
//!   ticker ── wakes the tracer ──> tick: whoever is in user mode is asked to stop (PTRACE_INTERRUPT)
//!                                   ├─ it stops there ────────> sample: its stack, and the CPU time since its last one
//!                                   └─ it stops at a call ────> the call is put off: skipped, and made again
//! ```
//!
//! A thread inside a call is never asked, because calls that wait would return EINTR. One that enters a call at the very
//! moment has been told of a signal that is none; the call would still see it. So that call is not let into the kernel: it
//! is skipped and the instruction executed again, and the way back to user mode clears the mark. What a sample stands for
//! is the time its thread has had on a CPU in user mode, by the kernel's account (`schedstat`, proc(5)), so that neither
//! waiting nor what calls take is in it; what stops take of it is taken off, as far as the shortest time between two calls tells.
//! What a thread used behind its last sample is one more, of no known place.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::ptrace::getregs;
use nix::unistd::Pid;

use super::super::Sink;
use super::super::sampler::Sampled;
use super::super::stacks::Wanted;
use super::super::sys::child::reap;
use super::super::sys::process::{Ending, fork_child, own_tid};
use super::super::sys::ptrace::{self as request, SyscallStop};
use super::super::sys::{seccomp, signals};
use super::marks::lifecycle_event;
use super::session::Session;
use super::stop::{Reason, Stop, unless_gone};
use super::thread::Thread;
use crate::event::{Event, Kind};

/// Which samples are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Most times a second that a thread is stopped.
    pub hz: u32,
    /// What their stacks are to have.
    pub frames: Wanted,
}

/// Whether a call can be put off here: what there is for the kernel to see of one may be what a filter kills for, and the
/// command is under the filters that we are under.
#[must_use]
pub fn may_put_off_calls() -> bool {
    if !seccomp::is_filtered() {
        return true;
    }
    let Ok(child) = fork_child(Ending::Reported, seccomp::call_nothing) else { return false };
    reap(child).is_ok_and(|(status, _)| status.success())
}

/// The state of taking samples.
pub(super) struct Samples {
    taken: u64,
    /// The CPU time in user mode that they stand for.
    user_ns: u64,
    /// Threads that are under seccomp filters of their own.
    confined: u64,
    ticker: Ticker,
    /// CPU time between a call's end and the next one's beginning: the least there was, of how many.
    shortest: (u64, u32),
}

impl Samples {
    /// Taken by the calling thread.
    pub fn start(sample: Sample) -> io::Result<Self> {
        let ticker = Ticker::start(Duration::from_secs(1) / sample.hz.max(1))?;
        Ok(Self { taken: 0, user_ns: 0, confined: 0, ticker, shortest: (u64::MAX, 0) })
    }

    /// Whether it is time.
    pub fn is_due(&self) -> bool {
        self.ticker.0.due.load(Ordering::Acquire)
    }

    /// A thread has been in user mode from one call to the next, for this long.
    fn spent(&mut self, cpu_ns: u64) {
        self.shortest = (self.shortest.0.min(cpu_ns), self.shortest.1.saturating_add(1));
    }

    /// What a stop itself takes of the thread's CPU time, at most: the least that there was between two.
    fn stop_ns(&self) -> u64 {
        if self.shortest.1 >= ENOUGH { self.shortest.0 } else { 0 }
    }

    /// One was taken, for so much CPU time.
    fn count(&mut self, user_ns: u64) {
        self.taken += 1;
        self.user_ns = self.user_ns.saturating_add(user_ns);
    }

    /// What came of it.
    pub fn result(&self) -> Sampled {
        let Self { taken: samples, user_ns, confined, .. } = *self;
        Sampled { samples, confined, user_ns: Some(user_ns), user_only: true, ..Sampled::default() }
    }
}

/// Calls that were made before the least time between two is believed.
const ENOUGH: u32 = 32;

/// Interrupts the tracer's waiting again and again.
struct Ticker(Arc<Ticks>);

#[derive(Default)]
struct Ticks {
    due: AtomicBool,
    over: AtomicBool,
}

impl Ticker {
    fn start(period: Duration) -> io::Result<Self> {
        let ticks = Arc::new(Ticks::default());
        let (tracer, ours) = (own_tid(), Arc::clone(&ticks));
        std::thread::Builder::new().name("trace-ticks".to_owned()).spawn(move || {
            let _ = nix::sys::signal::SigSet::all().thread_block();
            while !ours.over.load(Ordering::Acquire) {
                std::thread::sleep(period);
                ours.due.store(true, Ordering::Release);
                if !ours.over.load(Ordering::Acquire) {
                    signals::wake(tracer);
                }
            }
        })?;
        Ok(Self(ticks))
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::Release);
    }
}

/// What is known of a thread that is sampled.
#[derive(Debug, Default)]
pub struct ThreadSamples {
    account: Option<File>,
    /// CPU time it had had when it was last let go.
    begin_ns: u64,
    /// CPU time in user mode since its last sample.
    user_ns: u64,
    /// It was asked to stop, and has not stopped since.
    asked: bool,
    /// It stands still with its process.
    halted: bool,
    /// A filter of its own may kill it for a call that is put off.
    confined: bool,
    /// The number of the call that was put off.
    put_off: Option<u64>,
    /// Where it went on behind its last call.
    behind_call: Option<u64>,
}

impl ThreadSamples {
    /// That of a thread it makes.
    pub fn of_child(&self) -> Self {
        Self { confined: self.confined, ..Self::default() }
    }

    /// The thread runs another program, perhaps under another number.
    pub fn executed(&mut self) {
        self.account = None;
    }

    /// CPU time that the thread, which stands still, has had.
    fn cpu_ns(&mut self, tid: i32) -> Option<u64> {
        if self.account.is_none() {
            self.account = File::open(format!("/proc/{tid}/task/{tid}/schedstat")).ok();
        }
        let mut text = [0; 64];
        let length = self.account.as_ref()?.read_at(&mut text, 0).ok()?;
        std::str::from_utf8(&text[..length]).ok()?.split(' ').next()?.parse().ok()
    }

    /// It is let go into user mode.
    fn goes_on(&mut self, tid: i32) {
        if let Some(cpu_ns) = self.cpu_ns(tid) {
            self.begin_ns = cpu_ns;
        }
    }

    /// It has stopped in user mode: CPU time it has had there, and in the kernel's part of its last stop and of this one.
    fn stopped(&mut self, tid: i32) -> Option<u64> {
        let cpu_ns = self.cpu_ns(tid)?;
        let spent_ns = cpu_ns.saturating_sub(self.begin_ns);
        self.begin_ns = cpu_ns;
        Some(spent_ns)
    }
}

impl<S: Sink> Session<'_, S> {
    /// Asks whoever is in user mode to stop, if it is time. Not the one that has just changed: it stood still when the time
    /// came, and would always be found where it goes on.
    pub(super) fn tick(&mut self, changed: Option<i32>) {
        let Some(samples) = &mut self.samples else { return };
        if !samples.ticker.0.due.swap(false, Ordering::AcqRel) || !self.sink.is_open() {
            return;
        }
        for thread in self.threads.values_mut().filter(|thread| Some(thread.tid) != changed) {
            let state = &mut thread.sampled;
            let may_be = !thread.in_call && !state.asked && !state.halted && !state.confined;
            // Fails for a thread that is gone, whose end is about to be told.
            state.asked |= may_be && request::interrupt(thread.tid).is_ok();
        }
    }

    /// A thread has stopped because it was asked to, or by itself: takes a sample of one that was asked.
    pub(super) fn sample(&mut self, stop: Stop, now: u64) -> io::Result<()> {
        if let (Some(samples), Some(thread)) = (&mut self.samples, self.threads.get_mut(&stop.tid())) {
            let asked = std::mem::take(&mut thread.sampled.asked);
            if asked && let Ok(registers) = getregs(Pid::from_raw(stop.tid())) {
                let spent_ns = thread.sampled.stopped(thread.tid).unwrap_or(0);
                thread.sampled.user_ns += spent_ns.saturating_sub(samples.stop_ns());
                // One that has not moved since its last stop was found in the kernel's part of that.
                let has_moved = thread.sampled.behind_call != Some(registers.rip);
                if let (Some(stacks), 1.., true) = (&mut self.stacks, thread.sampled.user_ns, has_moved) {
                    let sink = &mut self.sink;
                    let stack = stacks.sample((thread.pid, thread.tid), &registers, &mut |e| sink.push(e));
                    sink.push(&sample_of(thread, now, registers.rip, stack));
                    samples.count(std::mem::take(&mut thread.sampled.user_ns));
                }
            }
            thread.sampled.goes_on(thread.tid);
        }
        stop.resume(0)
    }

    /// A thread is about to make a call. True: it was asked to stop, and the call is put off.
    pub(super) fn puts_off(&mut self, stop: &Stop, nr: u64) -> io::Result<bool> {
        let Some(samples) = &mut self.samples else { return Ok(false) };
        let Some(thread) = self.threads.get_mut(&stop.tid()) else { return Ok(false) };
        if let Some(spent_ns) = thread.sampled.stopped(stop.tid()) {
            samples.spent(spent_ns);
            thread.sampled.user_ns += spent_ns.saturating_sub(samples.stop_ns());
        }
        if !std::mem::take(&mut thread.sampled.asked) {
            return Ok(false);
        }
        unless_gone(request::skip_call(stop.tid()))?;
        thread.sampled.put_off = Some(nr);
        Ok(true)
    }

    /// A thread returns from a call that was put off: it makes it again. False: it was none.
    pub(super) fn repeats(&mut self, stop: &Stop, ip: u64) -> io::Result<bool> {
        if self.samples.is_none() {
            return Ok(false);
        }
        let Some(thread) = self.threads.get_mut(&stop.tid()) else { return Ok(false) };
        thread.sampled.goes_on(stop.tid());
        thread.sampled.behind_call = Some(ip);
        let Some(nr) = thread.sampled.put_off.take() else { return Ok(false) };
        unless_gone(request::repeat_call(stop.tid(), nr, ip))?;
        Ok(true)
    }

    /// A thread is about to be let go for good: if it returns from a call that was put off, it makes it again.
    pub(super) fn repeat_at_last(&mut self, stop: &Stop, reason: Reason) {
        if reason == Reason::Syscall
            && let Ok(SyscallStop::Exit { ip, .. }) = request::syscall_stop(stop.tid())
        {
            // Fails for a thread that is gone.
            let _ = self.repeats(stop, ip);
        }
    }

    /// A process puts itself under a filter, which may kill it for a call that is put off: it is not asked any more.
    pub(super) fn is_confined(&mut self, pid: i32) {
        let Some(samples) = &mut self.samples else { return };
        for thread in self.threads.values_mut().filter(|thread| thread.pid == pid) {
            samples.confined += u64::from(!std::mem::replace(&mut thread.sampled.confined, true));
        }
    }

    /// A process was stopped by a signal, or goes on.
    pub(super) fn is_halted(&mut self, tid: i32, halted: bool) {
        if let (Some(_), Some(thread)) = (&self.samples, self.threads.get_mut(&tid)) {
            thread.sampled.halted = halted;
        }
    }

    /// A thread has ended: what it used behind its last sample is of no known place.
    pub(super) fn sample_rest(&mut self, thread: &Thread, now: u64) {
        if let (Some(samples), Some(stacks), 1..) =
            (&mut self.samples, &mut self.stacks, thread.sampled.user_ns)
        {
            let sink = &mut self.sink;
            let stack = stacks.unknown(&mut |event| sink.push(event));
            sink.push(&sample_of(thread, now, 0, stack));
            samples.count(thread.sampled.user_ns);
        }
    }
}

fn sample_of(thread: &Thread, now: u64, ip: u64, stack: Option<u32>) -> Event<'_> {
    let args = [ANY_CPU, thread.sampled.user_ns, 0, 0, 0, 0];
    Event { args, ip, stack, end_ns: Some(now), ..lifecycle_event(Kind::Sample, thread, now) }
}

/// Which CPU it was is not known.
const ANY_CPU: u64 = u64::MAX;
