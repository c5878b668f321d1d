//! Closing a log that was cut short.
//!
//! The whole batches are decoded and written anew, which needs no knowledge of how the cut log's
//! version stored them, and the original is not touched. A log repaired in place is replaced by
//! `rename(2)`, so that there is a readable log at every moment.

use std::path::Path;

use super::annotate::is_same_file;
use super::write::Sink;
use super::{Ending, Error, Reader, Source, Summary, TOTAL_EVENTS, TOTAL_LOST, Writer};
use crate::event::{Event, Kind, loss};

/// What a repair has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// How the log was found.
    pub found: Found,
    /// Events taken over, the row that says the log was cut not counted.
    pub events: u64,
    /// The new log; `None`: the log needed no repair in its place.
    pub summary: Option<Summary>,
}

/// The state of a log before its repair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Closed.
    Complete {
        /// Events lost while it was recorded; `None`: some, nobody knows how many.
        lost: Option<u64>,
    },
    /// Cut short.
    Cut,
    /// Damaged, and how.
    Damaged(String),
}

/// Copies the whole batches of a cut or damaged log to a new one and closes it with a
/// [`Kind::Lost`] row named [`loss::CUT`]. A log that is complete is copied as it is.
///
/// `output` may be `input`: then a complete log is left alone. It may not be a file that is no log.
pub fn repair(input: &Path, output: &Path) -> Result<Repaired, Error> {
    let reader = Reader::open(input).map_err(|error| explain(input, error))?;
    let file = std::fs::File::open(input).map_err(|source| Error::Open { path: input.to_owned(), source })?;
    if matches!(file.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock)) {
        return Err(Error::Busy { path: input.to_owned() });
    }
    drop(file);
    let (found, events) = examine(input)?;
    if !is_same_file(input, output) {
        let writer = Writer::create(output, reader.header())?;
        return copy(reader, writer, found);
    }
    if matches!(found, Found::Complete { .. }) {
        return Ok(Repaired { found, events, summary: None });
    }
    repair_in_place(reader, input, found)
}

/// Why what is no log of ours is not repaired: strace's text can be read wherever it ends.
fn explain(input: &Path, error: Error) -> Error {
    match error {
        Error::NotALog(_) if matches!(Source::open(input, None), Ok(Source::Strace(_))) => {
            Error::NotALog("it is strace's text, which needs no repair: it is read as far as it goes")
        }
        error => error,
    }
}

fn repair_in_place(reader: Reader, path: &Path, found: Found) -> Result<Repaired, Error> {
    let failed = |source| Error::Create { path: path.to_owned(), source };
    // The file itself is replaced, not a symbolic link to it.
    let path = path.canonicalize().map_err(failed)?;
    let directory = path.parent().unwrap_or(Path::new("/"));
    let new = tempfile::NamedTempFile::new_in(directory)
        // Without the temporary name, which means nothing to anyone.
        .map_err(|error| Error::Create { path: directory.to_owned(), source: error.kind().into() })?;
    let file = new.as_file().try_clone().map_err(failed)?;
    let writer = Writer::on(Sink::at_start(file, new.path())?, reader.header())?;
    let repaired = copy(reader, writer, found)?;
    new.as_file().sync_data().map_err(failed)?;
    new.persist(&path).map_err(|error| failed(error.error))?;
    Ok(repaired)
}

/// Reads the log through, to see how it is and how many events it has.
fn examine(path: &Path) -> Result<(Found, u64), Error> {
    match Reader::open(path)?.with_columns(super::Columns::of(&[])).for_each(|_| {}) {
        Ok(Ending::Complete { events, lost }) => Ok((Found::Complete { lost }, events)),
        Ok(Ending::Cut { events, .. }) => Ok((Found::Cut, events)),
        Err(Error::Damaged { offset, events, problem }) => {
            Ok((Found::Damaged(format!("at byte {offset}: {problem}")), events))
        }
        Err(error) => Err(error),
    }
}

fn copy(mut reader: Reader, mut writer: Writer, found: Found) -> Result<Repaired, Error> {
    let mut last_ns = 0;
    let result = reader.for_each(|event| {
        last_ns = last_ns.max(event.end_ns.unwrap_or(event.start_ns));
        // These two are written anew.
        if !is_own_total(event) {
            writer.push(event);
        }
    });
    if let Err(error) = result
        && !matches!(error, Error::Damaged { .. })
    {
        return Err(error);
    }
    if !matches!(found, Found::Complete { .. }) {
        writer.push(&cut_row(last_ns));
    }
    Ok(Repaired { found, events: reader.events_read(), summary: Some(writer.finish()?) })
}

/// Whether this is one of the two totals that every closed log ends with.
pub(super) fn is_own_total(event: &Event<'_>) -> bool {
    let is = |name: &str| event.text == Some(name.as_bytes());
    event.kind == Kind::Total && (is(TOTAL_EVENTS) || is(TOTAL_LOST))
}

/// The row that says that a log was cut short, and closed later.
pub(super) fn cut_row(at_ns: u64) -> Event<'static> {
    Event {
        start_ns: at_ns,
        end_ns: Some(at_ns),
        text: Some(loss::CUT.as_bytes()),
        ret: Some(-1),
        ..Event::new(Kind::Lost)
    }
}
