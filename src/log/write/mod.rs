//! Writing a log while the tracer goes on; [`handover`] shows how.

mod columns;
mod encode;
mod handover;
mod intern;
mod rows;
mod sink;
mod worker;

use std::io;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use super::{Error, Header, schema};
use crate::event::Event;
pub(super) use encode::Encoder;
use handover::{Closing, Gone, Handover};
#[cfg(test)]
pub(super) use rows::Rows;
pub(super) use sink::Sink;
pub use sink::check_output;
use worker::Worker;

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

/// Writes a log. Events go in by [`Writer::push`]; [`Writer::finish`] closes the log, and without
/// it the log is one that was cut short, or, without any event, none: what was there before stays.
///
/// The writer's thread has all signals blocked, so it neither takes signals meant for the tracer nor
/// dies of SIGXFSZ. It inherits the CPU affinity of the thread that calls [`Writer::create`]: create
/// first, then pin.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Handover>,
    thread: Option<JoinHandle<Result<Summary, Error>>>,
}

impl Writer {
    /// Makes the file and writes the header.
    ///
    /// A file that exists is replaced if it is empty or a log, and is an error if it is anything
    /// else; `/dev/null` is accepted.
    pub fn create(path: &Path, header: &Header) -> Result<Self, Error> {
        let path = path.to_owned();
        Self::start(move || Sink::create(&path), header)
    }

    /// Writes to a file that was made already.
    pub(super) fn on(sink: Sink, header: &Header) -> Result<Self, Error> {
        Self::start(|| Ok(sink), header)
    }

    /// Header and thread come before the file: as long as that is there without the header, whoever kills us leaves
    /// an empty file.
    fn start(
        sink: impl FnOnce() -> Result<Sink, Error> + Send + 'static,
        header: &Header,
    ) -> Result<Self, Error> {
        let schema = schema::schema(header).map_err(|error| Error::Header(error.to_string()))?;
        let encoder = Encoder::new(schema).map_err(|error| Error::Header(error.to_string()))?;
        // The seed differs from run to run: `RandomState` takes it from the kernel.
        let seed = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0);
        let shared = Arc::new(Handover::new(seed));
        let (tell, told) = mpsc::channel();
        let for_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("trace-log".to_owned())
            .spawn(move || run(sink, encoder, &for_thread, &tell))
            .map_err(Error::Thread)?;
        let writer = Self { shared, thread: Some(thread) };
        match told.recv() {
            Ok(result) => result.map(|()| writer),
            // The thread ended without a word: it has an error, or panicked.
            Err(_) => writer.finish().and(Err(Error::Thread(io::Error::other("it ended at once")))),
        }
    }

    /// A second way into the log, for another thread. What goes in by it after the log was closed is dropped.
    #[must_use]
    pub fn feeder(&self) -> Feeder {
        Feeder(Arc::clone(&self.shared))
    }

    /// Adds an event. Waits only when the disk is a whole batch behind.
    pub fn push(&mut self, event: &Event<'_>) {
        self.shared.push(event);
    }

    /// Whether writing has failed: events are being dropped, [`Writer::finish`] will say why.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.shared.failed()
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
        self.shared.close(closing);
        thread.join().unwrap_or_else(|_| Err(Error::Thread(io::Error::other("it panicked"))))
    }
}

/// See [`Writer::feeder`].
#[derive(Clone, Debug)]
pub struct Feeder(Arc<Handover>);

impl Feeder {
    /// Adds an event, as [`Writer::push`] does.
    pub fn push(&self, event: &Event<'_>) {
        self.0.push(event);
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

/// The thread: opens the file, writes the header, says how that went, and writes batches until the log is closed.
fn run(
    sink: impl FnOnce() -> Result<Sink, Error>,
    encoder: Encoder,
    shared: &Handover,
    tell: &mpsc::Sender<Result<(), Error>>,
) -> Result<Summary, Error> {
    nix::sys::signal::SigSet::all().thread_block().map_err(|errno| Error::Thread(errno.into()))?;
    let _gone = Gone(shared);
    let (worker, started) = match sink().and_then(|sink| Worker::start(sink, encoder)) {
        Ok(worker) => (Some(worker), Ok(())),
        Err(error) => (None, Err(error)),
    };
    // The other side waits for this message.
    let _ = tell.send(started);
    worker.map_or(Ok(Summary { events: 0, bytes: 0, batches: 0 }), |worker| worker.run(shared))
}
