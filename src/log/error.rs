//! What can go wrong with a log: what failed, on what, what to try.

use std::io;
use std::path::PathBuf;

/// An error of reading or writing a log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file to be read cannot be opened.
    #[error("cannot open log {}: {source}{}", .path.display(), hint(.source))]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file to be written cannot be made.
    #[error("cannot write log {}: {source}{}", .path.display(), hint(.source))]
    Create {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is something else in the place of the log to be written.
    #[error("{} is {what} and is not overwritten: remove it or write the log elsewhere", .path.display())]
    Occupied {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// Another recording is writing to this file.
    #[error("{} is being written by another recording: wait for its end, or name another file", .path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The writer's thread cannot be started.
    #[error("cannot start the thread that writes the log: {0}")]
    Thread(io::Error),
    /// Writing failed in mid-log. What was written before stays readable.
    #[error("cannot write log {}: {source}: {written} events are in it, {dropped} are missing", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
        /// Events in the file.
        written: u64,
        /// Events that were dropped.
        dropped: u64,
    },
    /// Nothing in it.
    #[error("the log is empty: its recording was killed before it began, or is about to begin")]
    Empty,
    /// Not a log of ours.
    #[error("not a trace log (it does not begin as an Arrow stream does)")]
    NotALog,
    /// An Arrow stream without our header.
    #[error("an Arrow stream, but not a trace log (its schema has no `trace` metadata)")]
    NoHeader,
    /// The end came before the end of the header.
    #[error("the log is cut off within its header: there are no events in it to be read")]
    CutHeader,
    /// The header is not what it should be.
    #[error("the log's header is damaged: {0}")]
    Header(String),
    /// Written by a newer version.
    #[error(
        "the log has format {found}, this version of trace reads up to {supported}: use trace {writer} or newer"
    )]
    Newer {
        /// Format of the log.
        found: u32,
        /// Newest format read here.
        supported: u32,
        /// Version of `trace` that wrote it.
        writer: String,
    },
    /// A column is missing or of another type.
    #[error("the log's table is damaged: column `{column}` {problem}")]
    Column {
        /// The column.
        column: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// Garbage in the log. What stands before it was read.
    #[error(
        "the log is damaged at byte {offset}, after {events} whole events: {problem}; `trace repair` keeps what is before"
    )]
    Damaged {
        /// Where the damaged message begins.
        offset: u64,
        /// Events read before it.
        events: u64,
        /// What is wrong.
        problem: String,
    },
    /// The file cannot be read further.
    #[error("cannot read the log at byte {offset}: {source}")]
    Read {
        /// Where.
        offset: u64,
        /// Why.
        source: io::Error,
    },
    /// Nothing to repair.
    #[error("the log is complete ({events} events): there is nothing to repair")]
    Complete {
        /// Events in it.
        events: u64,
    },
}

/// What to try, for the errors that people meet.
fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => " (logs can be read and replaced by their owner only)",
        io::ErrorKind::IsADirectory => " (name a file in it)",
        io::ErrorKind::NotFound => " (check the name and the directory)",
        _ => "",
    }
}
