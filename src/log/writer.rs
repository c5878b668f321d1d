//! Writing a log while the tracer goes on.
//!
//! ```text
//!   tracer                 │ one lock │            writer's thread
//!   push ─> open batch ────┤          ├─ full, or a while old ─> encode, compress, write ─┐
//!              ^           │          │                                                   │
//!              └── spare batch, its memory reused <───────────────────────────────────────┘
//! ```
//!
//! There are two batches: one is filled while the other is written. So memory is bounded, and a
//! tracer faster than the disk waits in [`Writer::push`]. The thread takes the open batch when it is
//! full or [`MAX_AGE`] old, the latter also while the tracer sleeps in `waitpid`, for what a
//! SIGKILL takes with it should be no more than a second of events.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::rows::Rows;
use super::sink::Sink;
use super::worker::Worker;
use super::{Error, Header, schema};
use crate::event::Event;

/// A batch is written when its first event is this old. A second is what is promised; the rest is
/// for compressing and writing.
const MAX_AGE: Duration = Duration::from_millis(800);

/// What became of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Events in it, totals not counted.
    pub events: u64,
    /// Its size.
    pub bytes: u64,
    /// Batches in it.
    pub batches: u64,
}

/// How a log ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    /// With totals and the end marker.
    Complete,
    /// Without: its writer was dropped before [`Writer::finish`].
    Abandoned,
}

/// Writes a log. Events go in by [`Writer::push`]; [`Writer::finish`] closes the log, and without
/// it the log is one that was cut short.
///
/// The writer's thread has all signals blocked, so it neither takes signals meant for the tracer nor
/// dies of SIGXFSZ. It inherits the CPU affinity of the thread that calls [`Writer::create`]: create
/// first, then pin.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Result<Summary, Error>>>,
}

/// What both threads see.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// The thread waits here for batches.
    work: Condvar,
    /// The tracer waits here for the spare batch.
    room: Condvar,
    failed: AtomicBool,
}

#[derive(Debug)]
struct State {
    open: Rows,
    /// When the first event of the open batch came.
    since: Option<Instant>,
    /// A full batch.
    ready: Option<Rows>,
    /// An empty batch, when neither `ready` nor with the thread.
    spare: Option<Rows>,
    closing: Option<Closing>,
    /// The thread is gone (it panicked): events are dropped.
    gone: bool,
    dropped: u64,
}

/// What the thread is to do next.
pub(super) enum Work {
    Write(Rows),
    Close(Closing),
}

impl Writer {
    /// Makes the file and writes the header.
    ///
    /// A file that exists is replaced if it is empty or a log, and is an error if it is anything
    /// else; `/dev/null` is accepted.
    pub fn create(path: &Path, header: &Header) -> Result<Self, Error> {
        Self::on(Sink::create(path)?, header)
    }

    /// Writes to a file that was made already.
    pub(super) fn on(sink: Sink, header: &Header) -> Result<Self, Error> {
        let schema = schema::schema(header).map_err(|error| Error::Header(error.to_string()))?;
        // The seed differs from run to run: `RandomState` takes it from the kernel.
        let seed = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0);
        let shared = Arc::new(Shared::new(seed));
        let (tell, told) = mpsc::channel();
        let for_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("trace-log".to_owned())
            .spawn(move || {
                nix::sys::signal::SigSet::all()
                    .thread_block()
                    .map_err(|errno| Error::Thread(io::Error::from(errno)))?;
                let _gone = Gone(&for_thread);
                let started = Worker::start(sink, schema);
                let worker = match started {
                    Ok(worker) => worker,
                    Err(error) => {
                        // The other side waits for this message and takes it.
                        let _ = tell.send(Err(error));
                        return Ok(Summary { events: 0, bytes: 0, batches: 0 });
                    }
                };
                let _ = tell.send(Ok(()));
                worker.run(&for_thread)
            })
            .map_err(Error::Thread)?;
        let writer = Self { shared, thread: Some(thread) };
        match told.recv() {
            Ok(result) => result.map(|()| writer),
            // The thread ended without a word: it has an error, or panicked.
            Err(_) => writer.finish().and(Err(Error::Thread(io::Error::other("it ended at once")))),
        }
    }

    /// Adds an event. Waits only when the disk is a whole batch behind.
    pub fn push(&mut self, event: &Event<'_>) {
        let mut state = self.shared.lock();
        if self.failed() || state.gone {
            state.dropped += u64::from(event.kind != crate::event::Kind::Total);
            return;
        }
        state.open.push(event);
        if state.since.is_none() {
            state.since = Some(Instant::now());
            self.shared.work.notify_one();
        }
        if state.open.is_full() {
            self.shared.hand_over(state);
        }
    }

    /// Whether writing has failed: events are being dropped, [`Writer::finish`] will say why.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.shared.failed.load(Ordering::Relaxed)
    }

    /// Writes what is left, the totals and the end marker.
    ///
    /// The totals are two rows more, `events` and `lost` (-1: unknown how many). When writing
    /// failed at some time, the error says how many events are missing, and the log is closed with
    /// a row saying the same if the disk has room again.
    pub fn finish(mut self) -> Result<Summary, Error> {
        self.close(Closing::Complete)
    }

    fn close(&mut self, closing: Closing) -> Result<Summary, Error> {
        let Some(thread) = self.thread.take() else {
            return Err(Error::Thread(io::Error::other("it was closed before")));
        };
        self.shared.lock().closing = Some(closing);
        self.shared.work.notify_one();
        thread.join().unwrap_or_else(|_| Err(Error::Thread(io::Error::other("it panicked"))))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if self.thread.is_some() {
            // Whoever drops a writer has an error of his own to tell.
            let _ = self.close(Closing::Abandoned);
        }
    }
}

impl Shared {
    fn new(seed: u64) -> Self {
        let state = State {
            open: Rows::new(seed),
            since: None,
            ready: None,
            spare: Some(Rows::new(seed)),
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
            let left = match (state.closing, state.since) {
                (Some(closing), None) => return Work::Close(closing),
                (Some(_), Some(_)) => Duration::ZERO,
                (None, since) => since.map_or(Duration::MAX, |since| MAX_AGE.saturating_sub(since.elapsed())),
            };
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
    pub(super) fn give_back(&self, rows: Rows) {
        self.lock().spare = Some(rows);
        self.room.notify_one();
    }

    /// From now on events are dropped.
    pub(super) fn fail(&self) {
        self.failed.store(true, Ordering::Relaxed);
    }

    /// Events dropped by [`Writer::push`] so far, and an empty batch.
    pub(super) fn take_last(&self) -> (u64, Option<Rows>) {
        let mut state = self.lock();
        (state.dropped, state.spare.take())
    }
}

impl State {
    fn exchange(&mut self, spare: Rows) {
        self.ready = Some(std::mem::replace(&mut self.open, spare));
        self.since = None;
    }
}

/// Lets the tracer go on when the thread ends, however it ends.
struct Gone<'a>(&'a Shared);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.0.lock().gone = true;
        self.0.room.notify_one();
    }
}
