//! Reading a log, batch by batch, whole or cut, from a file or a pipe.
//!
//! Every message is framed and bounded here ([`frame`], [`verify`]) before Arrow decodes it. A log
//! cut anywhere is read up to its last whole batch and is then said to be cut; garbage is an error
//! that names its place, after everything before it was delivered.

mod batch;
mod columns;
mod frame;
mod open;
mod verify;

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use arrow_array::ArrayRef;
use arrow_buffer::Buffer;
use arrow_ipc::{Message, MessageHeader};

use super::counts::Totals;
use super::projection::Columns;
use super::schema::Column;
use super::{Error, Header};
use crate::event::{Event, Kind};
pub use batch::Batch;
pub use columns::Dictionary;
pub(super) use frame::{Frames, Next};
pub(super) use open::is_log;
pub use open::looks_like_log;
use open::{DICTIONARY_WIDTHS, Table};

/// How a log ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With its totals: everything is there.
    Complete {
        /// Events, totals not counted.
        events: u64,
        /// Events lost while recording; `None`: some, nobody knows how many.
        lost: Option<u64>,
    },
    /// Cut short: the recording was killed, or the file is not all there.
    Cut {
        /// Events that could be read.
        events: u64,
        /// Bytes after the last whole batch, which could not.
        unread: u64,
    },
}

/// Reads a log from its beginning to its end.
pub struct Reader {
    frames: Frames,
    table: Table,
    /// Columns to decode, as places in the schema.
    projection: Vec<usize>,
    /// The dictionaries in force.
    dictionaries: HashMap<i64, ArrayRef>,
    /// Decoded size of each of them in bytes.
    sizes: HashMap<i64, u64>,
    /// Events read.
    events: u64,
    totals: Totals,
    /// Bytes up to the last whole batch.
    whole: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Reading,
    Ended(Ending),
    /// An error was returned; there is no more.
    Broken,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("header", &self.table.header)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Reader {
    /// Opens a log file.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Open { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.is_dir() {
            return Err(failed(std::io::ErrorKind::IsADirectory.into()));
        }
        Self::new(std::io::BufReader::new(file))
    }

    /// Reads a log from a stream, standard input for one. Small reads are made, so a file is better
    /// given buffered.
    pub fn new(input: impl Read + Send + 'static) -> Result<Self, Error> {
        let mut frames = Frames::new(input);
        let table = Table::read(&frames.first()?)?;
        let whole = frames.offset();
        let mut reader = Self {
            frames,
            table,
            projection: Vec::new(),
            dictionaries: HashMap::new(),
            sizes: HashMap::new(),
            events: 0,
            totals: Totals::default(),
            whole,
            state: State::Reading,
        };
        reader.project(Columns::ALL);
        Ok(reader)
    }

    /// Reads only these columns (and those they need); the other fields of an event may be empty.
    #[must_use]
    pub fn with_columns(mut self, columns: Columns) -> Self {
        self.project(columns);
        self
    }

    fn project(&mut self, columns: Columns) {
        let columns = columns.completed();
        self.projection = Column::ALL
            .iter()
            .filter(|&&column| columns.has(column))
            .filter_map(|&column| self.table.positions[column as usize])
            .collect();
    }

    /// What the log says of itself.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.table.header
    }

    /// How the log ended; `None` while there are batches left, and after an error.
    #[must_use]
    pub fn ending(&self) -> Option<Ending> {
        match self.state {
            State::Ended(ending) => Some(ending),
            State::Reading | State::Broken => None,
        }
    }

    /// Events read so far, totals and definitions of stacks not counted.
    #[must_use]
    pub fn events_read(&self) -> u64 {
        self.events
    }

    /// The next batch; `None` at the end, of which [`ending`](Self::ending) tells more.
    pub fn next_batch(&mut self) -> Result<Option<Batch>, Error> {
        if self.state != State::Reading {
            return Ok(None);
        }
        let result = self.read_batch();
        match &result {
            Ok(Some(_)) => self.whole = self.frames.offset(),
            Ok(None) => {}
            Err(_) => self.state = State::Broken,
        }
        result
    }

    /// Calls a function with every event that is left, and returns how the log ended.
    pub fn for_each(&mut self, mut function: impl FnMut(&Event<'_>)) -> Result<Ending, Error> {
        loop {
            while let Some(batch) = self.next_batch()? {
                batch.events().for_each(|event| function(&event));
            }
            match self.state {
                State::Ended(ending) => return Ok(ending),
                State::Reading => {}
                State::Broken => return Err(self.damaged(self.whole, "it was read before".to_owned())),
            }
        }
    }

    fn damaged(&self, offset: u64, problem: String) -> Error {
        Error::Damaged { offset, events: self.events, problem }
    }

    fn read_batch(&mut self) -> Result<Option<Batch>, Error> {
        loop {
            let frame = match self.frames.next(self.events)? {
                Next::Some(frame) => frame,
                Next::Cut => return self.end(None),
                Next::End => {
                    let offset = self.frames.offset();
                    if !self.frames.is_at_end()? {
                        return Err(self.damaged(offset, "something follows its end".to_owned()));
                    }
                    return self.end(Some(offset));
                }
            };
            let offset = frame.offset;
            let message =
                verify::message(&frame.metadata).map_err(|problem| self.damaged(offset, problem))?;
            let body = match self.frames.body(&frame, message.bodyLength(), self.events)? {
                Next::Some(body) => body,
                Next::Cut | Next::End => return self.end(None),
            };
            let read = match message.header_type() {
                MessageHeader::DictionaryBatch => self.read_dictionary(&message, body).map(|()| None),
                MessageHeader::RecordBatch => self.read_record_batch(&message, body).map(Some),
                _ => Err("it is neither a batch nor a dictionary".to_owned()),
            };
            match read {
                Ok(None) => {}
                Ok(Some(batch)) => return Ok(Some(batch)),
                Err(problem) => return Err(self.damaged(offset, problem)),
            }
        }
    }

    fn read_dictionary(&mut self, message: &Message<'_>, body: Vec<u8>) -> Result<(), String> {
        let dictionary = message.header_as_dictionary_batch().ok_or("it has no dictionary")?;
        let id = dictionary.id();
        let column =
            self.table.dictionary_columns.get(&id).ok_or_else(|| format!("no column has dictionary {id}"))?;
        if !self.projection.contains(column) {
            return Ok(());
        }
        if dictionary.isDelta() {
            return Err("it extends a dictionary, as no log does".to_owned());
        }
        let batch = dictionary.data().ok_or("its dictionary is empty")?;
        self.sizes.insert(id, verify::batch(batch, &body, &DICTIONARY_WIDTHS)?);
        self.check_sizes(0)?;
        arrow_ipc::reader::read_dictionary(
            &Buffer::from_vec(body),
            dictionary,
            &self.table.schema,
            &mut self.dictionaries,
            &message.version(),
        )
        .map_err(|_| {
            format!("the texts of column `{}` cannot be decoded", self.table.schema.field(*column).name())
        })
    }

    fn read_record_batch(&mut self, message: &Message<'_>, body: Vec<u8>) -> Result<Batch, String> {
        let batch = message.header_as_record_batch().ok_or("it has no batch")?;
        self.check_sizes(verify::batch(batch, &body, &self.table.widths)?)?;
        let decoded = arrow_ipc::reader::read_record_batch(
            &Buffer::from_vec(body),
            batch,
            self.table.schema.clone(),
            &self.dictionaries,
            Some(&self.projection),
            &message.version(),
        )
        .map_err(|_| "its columns cannot be decoded")?;
        let batch = Batch::new(&decoded)?;
        self.count(&batch);
        Ok(batch)
    }

    /// Refuses what would take too much memory together with the dictionaries there are.
    fn check_sizes(&self, batch: u64) -> Result<(), String> {
        let decoded = self.sizes.values().sum::<u64>() + batch;
        if decoded > verify::MAX_DECODED { Err(format!("it claims {decoded} bytes")) } else { Ok(()) }
    }

    /// Counts events and takes the totals down.
    fn count(&mut self, batch: &Batch) {
        self.events += batch.happened() as u64;
        for row in batch.rows_of(Kind::Total) {
            self.totals.take_down(&batch.event(row));
        }
    }

    /// Ends the reading, at the end marker or where the log is cut.
    fn end(&mut self, marker: Option<u64>) -> Result<Option<Batch>, Error> {
        let events = self.events;
        let ending = match (marker, self.totals) {
            (Some(offset), Totals { events: Some(total), lost: Some(lost) }) => {
                if u64::try_from(total) != Ok(events) {
                    return Err(self.damaged(offset, format!("its totals count {total} events")));
                }
                Ending::Complete { events, lost: u64::try_from(lost).ok() }
            }
            _ => Ending::Cut { events, unread: self.frames.offset() - self.whole },
        };
        self.state = State::Ended(ending);
        Ok(None)
    }
}
