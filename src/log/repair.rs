//! Closing a log that was cut short.
//!
//! The whole batches are decoded and written anew, which needs no knowledge of how the cut log's
//! version stored them, and the original is not touched. A log repaired in place is replaced by
//! `rename(2)`, so that there is a readable log at every moment.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::write::Sink;
use super::{Ending, Error, Reader, Summary, TOTAL_EVENTS, TOTAL_LOST, Writer};
use crate::event::{Event, Kind};

/// Name of the [`Kind::Lost`] row in a repaired log.
pub const CUT: &str = "log cut short";

/// What a repair has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// The new log. Its events include the row that says it was cut.
    pub summary: Summary,
    /// Events taken over.
    pub events: u64,
    /// Why the rest could not be read, where it is damaged rather than cut.
    pub damage: Option<String>,
}

/// Copies the whole batches of a cut or damaged log to a new one and closes it with a
/// [`Kind::Lost`] row named [`CUT`].
///
/// `output` may be `input`. It may not be a file that is no log.
pub fn repair(input: &Path, output: &Path) -> Result<Repaired, Error> {
    let reader = Reader::open(input)?;
    let file = std::fs::File::open(input).map_err(|source| Error::Open { path: input.to_owned(), source })?;
    if matches!(file.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock)) {
        return Err(Error::Busy { path: input.to_owned() });
    }
    drop(file);
    if is_same(input, output) {
        return repair_in_place(reader, input);
    }
    let damage = find_damage(input)?;
    let writer = Writer::create(output, reader.header())?;
    copy(reader, writer, damage)
}

fn is_same(one: &Path, other: &Path) -> bool {
    let id = |path: &Path| path.metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()));
    id(one).is_some_and(|one| Some(one) == id(other))
}

fn repair_in_place(reader: Reader, path: &Path) -> Result<Repaired, Error> {
    let damage = find_damage(path)?;
    let failed = |source| Error::Create { path: path.to_owned(), source };
    // The file itself is replaced, not a symbolic link to it.
    let path = path.canonicalize().map_err(failed)?;
    let directory = path.parent().unwrap_or(Path::new("/"));
    let new = tempfile::NamedTempFile::new_in(directory).map_err(failed)?;
    let file = new.as_file().try_clone().map_err(failed)?;
    let writer = Writer::on(Sink::at_start(file, new.path())?, reader.header())?;
    let repaired = copy(reader, writer, damage)?;
    new.as_file().sync_data().map_err(failed)?;
    new.persist(&path).map_err(|error| failed(error.error))?;
    Ok(repaired)
}

/// Reads the log through: an error if it is complete; the damage, if it has any.
fn find_damage(path: &Path) -> Result<Option<String>, Error> {
    match Reader::open(path)?.with_columns(super::Columns::of(&[])).for_each(|_| {}) {
        Ok(Ending::Complete { events, .. }) => Err(Error::Complete { events }),
        Ok(Ending::Cut { .. }) => Ok(None),
        Err(error @ Error::Damaged { .. }) => Ok(Some(error.to_string())),
        Err(error) => Err(error),
    }
}

fn copy(mut reader: Reader, mut writer: Writer, damage: Option<String>) -> Result<Repaired, Error> {
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
        text: Some(CUT.as_bytes()),
        ret: Some(-1),
        ..Event::new(Kind::Lost)
    };
    writer.push(&cut);
    Ok(Repaired { summary: writer.finish()?, events: reader.events_read(), damage })
}
