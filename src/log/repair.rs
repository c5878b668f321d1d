//! Closing a log that was cut short.
//!
//! The whole batches are decoded and written anew, which needs no knowledge of how the cut log's
//! version stored them, and the original is not touched. A log repaired in place is replaced by
//! `rename(2)`, so that there is a readable log at every moment.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::write::Sink;
use super::{Ending, Error, Reader, Summary, TOTAL_EVENTS, TOTAL_LOST, Writer};
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
    /// All there.
    Complete,
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
    let reader = Reader::open(input)?;
    let file = std::fs::File::open(input).map_err(|source| Error::Open { path: input.to_owned(), source })?;
    if matches!(file.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock)) {
        return Err(Error::Busy { path: input.to_owned() });
    }
    drop(file);
    let (found, events) = examine(input)?;
    if !is_same(input, output) {
        let writer = Writer::create(output, reader.header())?;
        return copy(reader, writer, found);
    }
    if found == Found::Complete {
        return Ok(Repaired { found, events, summary: None });
    }
    repair_in_place(reader, input, found)
}

fn is_same(one: &Path, other: &Path) -> bool {
    let id = |path: &Path| path.metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()));
    id(one).is_some_and(|one| Some(one) == id(other))
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
        Ok(Ending::Complete { events, .. }) => Ok((Found::Complete, events)),
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
        let is_ours = |name: &str| event.text == Some(name.as_bytes());
        // These two are written anew.
        if event.kind != Kind::Total || !(is_ours(TOTAL_EVENTS) || is_ours(TOTAL_LOST)) {
            writer.push(event);
        }
    });
    if let Err(error) = result
        && !matches!(error, Error::Damaged { .. })
    {
        return Err(error);
    }
    let cut = Event {
        start_ns: last_ns,
        end_ns: Some(last_ns),
        text: Some(loss::CUT.as_bytes()),
        ret: Some(-1),
        ..Event::new(Kind::Lost)
    };
    if found != Found::Complete {
        writer.push(&cut);
    }
    Ok(Repaired { found, events: reader.events_read(), summary: Some(writer.finish()?) })
}
