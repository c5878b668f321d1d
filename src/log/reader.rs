//! Reading a log, batch by batch, whole or cut, from a file or a pipe.
//!
//! Every message is framed and bounded here ([`super::frame`], [`super::verify`]) before Arrow
//! decodes it. A log cut anywhere is read up to its last whole batch and is then said to be cut;
//! garbage is an error that names its place, after everything before it was delivered.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use arrow_array::ArrayRef;
use arrow_buffer::Buffer;
use arrow_ipc::{Message, MessageHeader};
use arrow_schema::{Schema, SchemaRef};

use super::batch::Batch;
use super::frame::{Frame, Frames, Next};
use super::rows::Counts;
use super::schema::{self, Column, Columns};
use super::{Error, FORMAT_VERSION, Header, TOTAL_EVENTS, TOTAL_LOST, verify};
use crate::event::{Event, Kind};

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
    header: Header,
    schema: SchemaRef,
    /// Columns to decode, as places in the schema; `None`: all that an event is made of.
    projection: Vec<usize>,
    /// Width of the elements of each buffer of a batch.
    widths: Vec<usize>,
    /// Where each column stands.
    positions: [usize; Column::ALL.len()],
    /// Column of each dictionary id.
    dictionary_columns: HashMap<i64, usize>,
    dictionaries: HashMap<i64, ArrayRef>,
    /// Decoded size of each dictionary.
    sizes: HashMap<i64, u64>,
    counts: Counts,
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

/// The totals that every complete log has.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    events: Option<i64>,
    lost: Option<i64>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("header", &self.header)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Whether something that begins with these bytes can be a log, as opposed to text. Four bytes are
/// enough to tell.
#[must_use]
pub fn looks_like_log(beginning: &[u8]) -> bool {
    beginning.starts_with(&[0xFF; 4])
}

/// Whether a file holds a log of ours, of whatever version; leaves the file's position at its start.
pub(super) fn is_log(file: &File) -> bool {
    let Ok(mut again) = file.try_clone() else { return false };
    if again.seek(SeekFrom::Start(0)).is_err() {
        return false;
    }
    let Ok(metadata) = Frames::new(again).first() else { return false };
    read_schema(&metadata).is_ok_and(|schema| schema.metadata().contains_key(schema::HEADER_KEY))
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

    /// Reads a log from a stream, standard input for one. Only small reads gain from a buffered one.
    pub fn new(input: impl Read + Send + 'static) -> Result<Self, Error> {
        let mut frames = Frames::new(input);
        let metadata = frames.first()?;
        let schema = read_schema(&metadata)?;
        let header = read_header(&schema)?;
        let positions = schema::positions(&schema)?;
        let dictionary_columns = dictionary_columns(&metadata)?;
        let widths = widths(&schema)?;
        let whole = frames.offset();
        let mut reader = Self {
            frames,
            header,
            schema: SchemaRef::new(schema),
            projection: Vec::new(),
            widths,
            positions,
            dictionary_columns,
            dictionaries: HashMap::new(),
            sizes: HashMap::new(),
            counts: Counts::default(),
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
            .map(|&column| self.positions[column as usize])
            .collect();
    }

    /// What the log says of itself.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How the log ended; `None` while there are batches left, and after an error.
    #[must_use]
    pub fn ending(&self) -> Option<Ending> {
        match self.state {
            State::Ended(ending) => Some(ending),
            State::Reading | State::Broken => None,
        }
    }

    /// Events read so far, totals not counted.
    #[must_use]
    pub fn events_read(&self) -> u64 {
        self.counts.events
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
        Error::Damaged { offset, events: self.counts.events, problem }
    }

    fn read_batch(&mut self) -> Result<Option<Batch>, Error> {
        loop {
            let frame = match self.frames.next(self.counts.events)? {
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
            let Frame { offset, metadata } = frame;
            let message = verify::message(&metadata).map_err(|problem| self.damaged(offset, problem))?;
            let body = match self.frames.body(message.bodyLength(), offset, self.counts.events)? {
                Next::Some(body) => body,
                Next::Cut | Next::End => return self.end(None),
            };
            let read = match message.header_type() {
                MessageHeader::DictionaryBatch => self.read_dictionary(&message, body).map(|()| None),
                MessageHeader::RecordBatch => self.read_record_batch(&message, body).map(Some),
                other => Err(format!("a message of type {other:?} has no place there")),
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
            self.dictionary_columns.get(&id).ok_or_else(|| format!("no column has dictionary {id}"))?;
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
            &self.schema,
            &mut self.dictionaries,
            &message.version(),
        )
        .map_err(|error| format!("column `{}`: {error}", self.schema.field(*column).name()))
    }

    fn read_record_batch(&mut self, message: &Message<'_>, body: Vec<u8>) -> Result<Batch, String> {
        let batch = message.header_as_record_batch().ok_or("it has no batch")?;
        self.check_sizes(verify::batch(batch, &body, &self.widths)?)?;
        let decoded = arrow_ipc::reader::read_record_batch(
            &Buffer::from_vec(body),
            batch,
            self.schema.clone(),
            &self.dictionaries,
            Some(&self.projection),
            &message.version(),
        )
        .map_err(|error| error.to_string())?;
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
        let totals = batch.rows_of(Kind::Total);
        self.counts.events += (batch.len() - totals.len()) as u64;
        for row in totals {
            let total = batch.event(row);
            match total.text {
                Some(name) if name == TOTAL_EVENTS.as_bytes() => self.totals.events = total.ret,
                Some(name) if name == TOTAL_LOST.as_bytes() => self.totals.lost = total.ret,
                _ => {}
            }
        }
    }

    /// Ends the reading, at the end marker or where the log is cut.
    fn end(&mut self, marker: Option<u64>) -> Result<Option<Batch>, Error> {
        let events = self.counts.events;
        let cut = Ending::Cut { events, unread: self.frames.offset() - self.whole };
        let ending = match (marker, self.totals) {
            (Some(offset), Totals { events: Some(total), lost: Some(lost) }) => {
                if u64::try_from(total) != Ok(events) {
                    return Err(self.damaged(offset, format!("its totals count {total} events")));
                }
                Ending::Complete { events, lost: u64::try_from(lost).ok() }
            }
            _ => cut,
        };
        self.state = State::Ended(ending);
        Ok(None)
    }
}

fn read_schema(metadata: &[u8]) -> Result<Schema, Error> {
    let damaged = |problem: String| Error::Header(problem);
    let message = arrow_ipc::root_as_message(metadata).map_err(|_| Error::NotALog)?;
    let found = message.header_as_schema().ok_or(Error::NotALog)?;
    verify::schema(found, metadata.len()).map_err(damaged)?;
    arrow_ipc::convert::try_fb_to_schema(found).map_err(|error| damaged(error.to_string()))
}

fn read_header(schema: &Schema) -> Result<Header, Error> {
    /// The parts that every version has.
    #[derive(serde::Deserialize)]
    struct Version {
        format: u32,
        writer: String,
    }
    let json = schema.metadata().get(schema::HEADER_KEY).ok_or(Error::NoHeader)?;
    let parse = |error: serde_json::Error| Error::Header(error.to_string());
    let Version { format, writer } = serde_json::from_str(json).map_err(parse)?;
    if format > FORMAT_VERSION {
        return Err(Error::Newer { found: format, supported: FORMAT_VERSION, writer });
    }
    serde_json::from_str(json).map_err(parse)
}

/// Width of the elements of each buffer of a batch.
fn widths(schema: &Schema) -> Result<Vec<usize>, Error> {
    let mut all = Vec::new();
    for field in schema.fields() {
        let problem = || format!("column {} is of type {}", field.name(), field.data_type());
        all.extend(verify::widths(field.data_type()).ok_or_else(|| Error::Header(problem()))?);
    }
    Ok(all)
}

/// Width of the elements of the buffers of a dictionary, whose texts are `Utf8`.
const DICTIONARY_WIDTHS: [usize; 3] = [1, 4, 1];

/// Which column each dictionary belongs to.
fn dictionary_columns(metadata: &[u8]) -> Result<HashMap<i64, usize>, Error> {
    let message = arrow_ipc::root_as_message(metadata).map_err(|_| Error::NotALog)?;
    let fields = message.header_as_schema().and_then(|schema| schema.fields()).unwrap_or_default();
    let mut columns = HashMap::new();
    for (column, field) in fields.iter().enumerate() {
        if let Some(dictionary) = field.dictionary()
            && columns.insert(dictionary.id(), column).is_some()
        {
            return Err(Error::Header("two columns share a dictionary".to_owned()));
        }
    }
    Ok(columns)
}
