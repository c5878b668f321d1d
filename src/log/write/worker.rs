//! What the writer's thread does: encodes batches, writes them, counts, and closes the log.

use std::io;

use super::Summary;
use super::encode::Encoder;
use super::handover::{Closing, Handover, Work};
use super::rows::Rows;
use super::sink::Sink;
use crate::event::{Event, Kind};
use crate::log::counts::Counts;
use crate::log::{Error, TOTAL_EVENTS, TOTAL_LOST};

/// How far the number of rows that fit on a full disk is halved: to within this part of a batch, 2 to the power of it.
const FITTING_STEPS: u32 = 6;
/// Bytes by which the closing rows may be longer than they were with smaller numbers.
const CLOSING_MARGIN: u64 = 256;

pub(super) struct Worker {
    encoder: Encoder,
    sink: Sink,
    written: Counts,
    batches: u64,
    /// The first error, after which nothing more is written but the closing rows.
    error: Option<io::Error>,
    dropped: u64,
    /// Time of the latest event, for the closing rows.
    last_ns: u64,
}

impl Worker {
    /// Writes the header; where an older log is in the file, with the first batch.
    pub(super) fn start(sink: Sink, encoder: Encoder) -> Result<Self, Error> {
        let failed = |sink: &Sink, source| Error::Create { path: sink.path().to_owned(), source };
        let mut worker = Self {
            encoder,
            sink,
            written: Counts::default(),
            batches: 0,
            error: None,
            dropped: 0,
            last_ns: 0,
        };
        if !worker.sink.holds_older()
            && let Err(source) = worker.write_output()
        {
            let error = failed(&worker.sink, source);
            // Without room for a header there is no log; `error` says why.
            let _ = worker.sink.leave();
            return Err(error);
        }
        Ok(worker)
    }

    /// Writes batches until the log is closed.
    pub(super) fn run(mut self, shared: &Handover) -> Result<Summary, Error> {
        loop {
            match shared.next_work() {
                Work::Write(mut rows) => {
                    self.write(&rows, shared);
                    rows.clear();
                    shared.give_back(rows);
                }
                Work::Close(closing) => {
                    let (dropped, rows) = shared.take_last();
                    self.dropped += dropped;
                    return self.close(closing, rows, shared);
                }
            }
        }
    }

    fn write(&mut self, rows: &Rows, shared: &Handover) {
        self.note_time(rows);
        if self.error.is_some() {
            self.dropped += rows.counts.events;
        } else if let Err(error) = self.encode_and_write(rows) {
            self.failed(error, rows, rows.len(), shared);
        }
    }

    fn note_time(&mut self, rows: &Rows) {
        self.last_ns = rows.start.iter().copied().fold(self.last_ns, u64::max);
    }

    /// A batch, of which so many rows are events, could not be written.
    fn failed(&mut self, error: io::Error, rows: &Rows, len: usize, shared: &Handover) {
        self.error = Some(error);
        shared.fail();
        // Should this fail too, all of it is missing.
        let kept = self.write_what_fits(rows, len).unwrap_or_default();
        self.dropped += rows.counts.events - kept;
    }

    /// After a batch has found no room: writes as many of its first `len` rows as there is room for, and for the closing rows
    /// behind them. Returns how many events that kept.
    fn write_what_fits(&mut self, rows: &Rows, len: usize) -> io::Result<u64> {
        let fitted = self.sink.fitted();
        let mut closing = Rows::with_room(0, 0);
        self.encode_closing(&mut closing)?;
        let room = fitted.saturating_sub(self.encoder.output_len() + CLOSING_MARGIN);
        let mut count = 0;
        for halvings in 1..=FITTING_STEPS {
            let tried = count + (len >> halvings);
            self.restart()?;
            self.encoder.encode_first(rows, tried).map_err(io::Error::other)?;
            if self.encoder.output_len() <= room {
                count = tried;
            }
        }
        self.restart()?;
        if count == 0 {
            return Ok(0);
        }
        self.encoder.encode_first(rows, count).map_err(io::Error::other)?;
        self.write_output()?;
        let counts = rows.counts_of_first(count);
        self.written.add(counts);
        self.batches += 1;
        Ok(counts.events)
    }

    fn encode_and_write(&mut self, rows: &Rows) -> io::Result<()> {
        self.encoder.encode(rows).map_err(io::Error::other)?;
        self.write_output()?;
        self.written.add(rows.counts);
        self.batches += 1;
        Ok(())
    }

    /// Begins output anew. Where nothing is written yet (in the place of an older log), the header is to come first.
    fn restart(&mut self) -> io::Result<()> {
        self.encoder.restart(self.sink.len() > 0).map_err(io::Error::other)
    }

    fn write_output(&mut self) -> io::Result<()> {
        self.encoder.take_output(|bytes| self.sink.write_whole(bytes))
    }

    fn close(
        mut self,
        closing: Closing,
        rows: Option<Box<Rows>>,
        shared: &Handover,
    ) -> Result<Summary, Error> {
        let written = match (closing, rows) {
            (Closing::Complete, Some(rows)) => self.close_complete(rows, shared),
            (Closing::Abandoned, Some(rows)) => self.close_abandoned(&rows, shared),
            (_, None) => self.written.events,
        };
        if closing == Closing::Abandoned && self.batches == 0 && self.error.is_none() {
            let path = self.sink.path().to_owned();
            let summary = Summary { events: 0, bytes: 0, batches: 0 };
            return self.sink.leave().map(|()| summary).map_err(|source| Error::Create { path, source });
        }
        let bytes = self.sink.len();
        let events = self.written.events;
        let path = self.sink.path().to_owned();
        let closed = self.sink.close();
        match self.error.or(closed.err()) {
            None => Ok(Summary { events, bytes, batches: self.batches }),
            Some(source) => Err(Error::Write { path, source, written, dropped: self.dropped }),
        }
    }

    fn close_abandoned(&mut self, rows: &Rows, shared: &Handover) -> u64 {
        if rows.len() > 0 {
            self.write(rows, shared);
        }
        self.written.events
    }

    /// Closes the log in one batch with its last events. Returns how many events are in it, those not counted that tell
    /// of a failure.
    fn close_complete(&mut self, mut rows: Box<Rows>, shared: &Handover) -> u64 {
        let events = rows.len();
        self.note_time(&rows);
        if self.error.is_none() {
            match self.write_totals(&mut rows) {
                Ok(()) => return self.written.events,
                Err(error) => self.failed(error, &rows, events, shared),
            }
        } else {
            self.dropped += rows.counts.events;
        }
        let written = self.written.events;
        rows.clear();
        // An attempt: there may be room again for a few rows that say what is missing, because the half batch was taken
        // back.
        let _ = self.write_totals(&mut rows);
        written
    }

    fn write_totals(&mut self, rows: &mut Rows) -> io::Result<()> {
        let counts = self.encode_closing(rows)?;
        self.write_output()?;
        self.written = counts;
        self.batches += 1;
        Ok(())
    }

    /// Encodes the closing rows, and the end. Returns what the totals among them say.
    fn encode_closing(&mut self, rows: &mut Rows) -> io::Result<Counts> {
        if let Some(error) = &self.error {
            let text = format!("log not written: {error}");
            let lost = Event {
                text: Some(text.as_bytes()),
                ret: i64::try_from(self.dropped).ok(),
                ..self.closing_row(Kind::Lost)
            };
            rows.push(&lost);
            self.restart()?;
        }
        let mut counts = self.written;
        counts.add(rows.counts);
        for (name, count) in [(TOTAL_EVENTS, counts.events as i64), (TOTAL_LOST, counts.lost_total())] {
            let total =
                Event { text: Some(name.as_bytes()), ret: Some(count), ..self.closing_row(Kind::Total) };
            rows.push(&total);
        }
        self.encoder.encode(rows).map_err(io::Error::other)?;
        self.encoder.finish().map_err(io::Error::other)?;
        Ok(counts)
    }

    fn closing_row(&self, kind: Kind) -> Event<'static> {
        Event { start_ns: self.last_ns, end_ns: Some(self.last_ns), ..Event::new(kind) }
    }
}
