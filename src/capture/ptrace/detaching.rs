//! The end of a recording while threads run: each is stopped once more and goes on untraced.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::super::Sink;
use super::super::sys::clock::monotonic_ns;
use super::super::sys::ptrace as request;
use super::super::sys::wait;
use super::session::{Early, Session};
use super::stop::{Change, End, Reason, Stop};
use crate::event::mark;

/// How long detaching waits for threads to stop.
const PATIENCE_NS: u64 = 200_000_000;

impl<S: Sink> Session<'_, S> {
    /// Lets every thread go on untraced. Threads that do not stop soon, because they wait for a vfork child
    /// or for a disk, are let go by the end of the tracer.
    pub(super) fn detach_all(&mut self) {
        self.pinning = None;
        self.drop_delays();
        if self.options.filtered || self.options.kill_on_exit {
            // One that is gone cannot be killed. Let go from a filter, they would get errors from every call that the filter stops them at.
            for thread in self.threads.values() {
                let _ = kill(Pid::from_raw(thread.pid), Signal::SIGKILL);
            }
        }
        for (_, early) in std::mem::take(&mut self.early) {
            if let Early::Stopped(stop, reason) = early {
                detach(stop, reason);
            }
        }
        while let Some(change) = self.waiting.take_queued() {
            self.detach_changed(change);
        }
        for &tid in self.threads.keys() {
            // Fails for a thread that is gone, whose end is reported below.
            let _ = request::interrupt(tid);
        }
        let begin = monotonic_ns();
        while !self.threads.is_empty() && monotonic_ns() - begin < PATIENCE_NS {
            match wait::any(false, false) {
                Ok(Some(change)) => {
                    if let Some(change) = Change::decode(change) {
                        self.detach_changed(change);
                    }
                }
                Ok(None) => std::thread::sleep(std::time::Duration::from_micros(200)),
                Err(_) => break,
            }
        }
        let left: Vec<i32> = self.threads.keys().copied().collect();
        for tid in left {
            self.leave(tid);
        }
        self.threads.clear();
    }

    /// The thread, which stands in this stop, goes on untraced; others go on being traced.
    pub(super) fn let_go(&mut self, stop: Stop) {
        let tid = stop.tid();
        if let Some(pinning) = &mut self.pinning {
            pinning.release();
            pinning.rename(tid, None);
        }
        if tid == self.leader {
            // What becomes of it is not told to us.
            self.end = Some(End::Exited(0));
        }
        self.leave(tid);
        self.threads.remove(&tid);
        detach(stop, Reason::Exec);
    }

    /// The thread goes on untraced: the call it is in is not seen to return.
    fn leave(&mut self, tid: i32) {
        if let Some(thread) = self.threads.get(&tid) {
            self.sink.lets_go(thread);
        }
        if let Some(thread) = self.threads.get_mut(&tid).filter(|thread| thread.in_call) {
            thread.in_call = false;
            // It may have become the first of its process in this call.
            thread.call.tid = tid;
            let event = thread.call.event(thread.pid, thread.comm.as_bytes(), None, None);
            self.sink.push(&event);
        }
        self.mark(tid, mark::DETACHED);
    }

    /// Lets the thread of this change go; a child that it has just made is next.
    fn detach_changed(&mut self, change: Change) {
        match change {
            Change::Stopped(stop, reason) => {
                let tid = stop.tid();
                if !self.threads.contains_key(&tid) {
                    // A new child, before or after its parent was let go.
                    return detach(stop, reason);
                }
                if reason == Reason::NewChild
                    && let Ok(child) = request::event_message(tid)
                    && let Some(parent) = self.threads.remove(&tid)
                {
                    // Its own first stop is to come.
                    self.adopt(&parent, child as i32, self.log_time(monotonic_ns()));
                    self.threads.insert(tid, parent);
                }
                self.repeat_at_last(&stop, reason);
                self.leave(tid);
                self.threads.remove(&tid);
                detach(stop, reason);
            }
            Change::Ended(tid, _) => drop(self.threads.remove(&tid)),
        }
    }
}

/// Lets a stopped thread go, with the signal that it was about to get. Where this fails, the thread is
/// gone, or the tracer's end lets it go.
fn detach(stop: Stop, reason: Reason) {
    let signal = if let Reason::Signal(signal) = reason { signal } else { 0 };
    let _ = stop.detach(signal);
}
