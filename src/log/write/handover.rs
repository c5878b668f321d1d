//! How batches go from the tracer to the writer's thread and back.
//!
//! ```text
//!   tracer                 │ one lock │            writer's thread
//!   push ─> open batch ────┤          ├─ full, or a while old ─> encode, compress, write ─┐
//!              ^           │          │                                                   │
//!              └── spare batch, its memory reused <───────────────────────────────────────┘
//! ```
//!
//! There are two batches: one is filled while the other is written. So memory is bounded, and a
//! tracer faster than the disk waits in [`Handover::push`]. The thread takes the open batch when it
//! is full or [`MAX_AGE`] old, the latter also while the tracer sleeps in `waitpid`, for what a
//! SIGKILL takes with it should be no more than a second of events.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::rows::{FIRST_ROWS, Rows};
use crate::event::Event;

/// A batch is written when its first event is this old. A second is what is promised; the rest is
/// for compressing and writing.
const MAX_AGE: Duration = Duration::from_millis(800);

/// How a log ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    /// With totals and the end marker.
    Complete,
    /// Without: its writer was dropped before [`Writer::finish`](super::Writer::finish).
    Abandoned,
}

/// What both threads see.
#[derive(Debug)]
pub(super) struct Handover {
    state: Mutex<State>,
    /// The thread waits here for batches.
    work: Condvar,
    /// The tracer waits here for the spare batch.
    room: Condvar,
    failed: AtomicBool,
}

#[derive(Debug)]
struct State {
    open: Box<Rows>,
    /// When the first event of the open batch came.
    since: Option<Instant>,
    /// A full batch.
    ready: Option<Box<Rows>>,
    /// An empty batch, when neither `ready` nor with the thread.
    spare: Option<Box<Rows>>,
    closing: Option<Closing>,
    /// The thread is gone (it panicked): events are dropped.
    gone: bool,
    dropped: u64,
}

/// What the thread is to do next.
pub(super) enum Work {
    Write(Box<Rows>),
    Close(Closing),
}

impl Handover {
    pub(super) fn new(seed: u64) -> Self {
        let state = State {
            open: Box::new(Rows::with_room(seed, FIRST_ROWS)),
            since: None,
            ready: None,
            spare: Some(Box::new(Rows::with_room(seed, 0))),
            closing: None,
            gone: false,
            dropped: 0,
        };
        Self {
            state: Mutex::new(state),
            work: Condvar::new(),
            room: Condvar::new(),
            failed: AtomicBool::new(false),
        }
    }

    /// A panic of the other thread leaves nothing half done that would matter here.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an event. Waits only when the disk is a whole batch behind.
    pub(super) fn push(&self, event: &Event<'_>) {
        let mut state = self.lock();
        if self.failed() || state.gone {
            state.dropped += u64::from(event.kind.happened());
            return;
        }
        state.open.push(event);
        if state.since.is_none() {
            state.since = Some(Instant::now());
            self.work.notify_one();
        }
        if state.open.is_full() {
            self.hand_over(state);
        }
    }

    /// Tells the thread to write what is left and end.
    pub(super) fn close(&self, closing: Closing) {
        self.lock().closing = Some(closing);
        self.work.notify_one();
    }

    /// Whether writing has failed.
    pub(super) fn failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Exchanges the full open batch for the spare one, for which it may have to wait.
    fn hand_over(&self, mut state: MutexGuard<'_, State>) {
        loop {
            if state.gone {
                state.dropped += state.open.counts.events;
                state.open.clear();
                return;
            }
            if let Some(spare) = state.spare.take() {
                state.exchange(spare);
                self.work.notify_one();
                return;
            }
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for a batch that is full or old enough, or for the end.
    pub(super) fn next_work(&self) -> Work {
        let mut state = self.lock();
        loop {
            if let Some(rows) = state.ready.take() {
                return Work::Write(rows);
            }
            if let Some(closing) = state.closing {
                return Work::Close(closing);
            }
            let left = state.since.map_or(Duration::MAX, |since| MAX_AGE.saturating_sub(since.elapsed()));
            if left.is_zero() {
                // The thread is here and nothing is `ready`, so the second batch is `spare`.
                if let Some(spare) = state.spare.take() {
                    state.exchange(spare);
                    continue;
                }
            }
            state = if left == Duration::MAX {
                self.work.wait(state).unwrap_or_else(PoisonError::into_inner)
            } else {
                self.work.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
            };
        }
    }

    /// Gives an emptied batch back.
    pub(super) fn give_back(&self, rows: Box<Rows>) {
        self.lock().spare = Some(rows);
        self.room.notify_one();
    }

    /// From now on events are dropped.
    pub(super) fn fail(&self) {
        self.failed.store(true, Ordering::Relaxed);
    }

    /// Events dropped by [`Self::push`] so far, and the open batch, which is the last one.
    pub(super) fn take_last(&self) -> (u64, Option<Box<Rows>>) {
        let mut state = self.lock();
        if let Some(spare) = state.spare.take() {
            state.exchange(spare);
        }
        (state.dropped, state.ready.take())
    }
}

impl State {
    fn exchange(&mut self, spare: Box<Rows>) {
        self.ready = Some(std::mem::replace(&mut self.open, spare));
        self.since = None;
    }
}

/// Lets the tracer go on when the thread ends, however it ends.
pub(super) struct Gone<'a>(pub(super) &'a Handover);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.0.lock().gone = true;
        self.0.room.notify_one();
    }
}
