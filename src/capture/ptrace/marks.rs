//! Points of interest in the log, and what the user is told at the end.

use super::super::Sink;
use super::session::Session;
use super::thread::Thread;
use crate::event::{Event, Kind};

impl<S: Sink> Session<'_, S> {
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
