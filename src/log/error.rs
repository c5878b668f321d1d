//! What can go wrong with a log: what failed, on what, what to try.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// An error of reading or writing a log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file to be read cannot be opened.
    #[error("cannot open log {}: {source}{}", .path.display(), opening_hint(.path, .source))]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file to be written cannot be made.
    #[error("cannot write log {}: {source}{}", .path.display(), creating_hint(.path, .source))]
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
    #[error("cannot start the thread that writes the log: {0}{hint}", hint = thread_hint(.0))]
    Thread(io::Error),
    /// Writing failed in mid-log. What was written before stays readable.
    #[error("cannot write log {}: {source}: events written {written}, missing {dropped}", .path.display())]
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
    #[error("not a trace log ({0})")]
    NotALog(&'static str),
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
        "the log is damaged at byte {offset}, after {events} whole events: {problem}; what follows cannot be read, `trace repair` keeps what is before"
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
}

/// What to try where a log cannot be opened.
fn opening_hint(path: &Path, error: &io::Error) -> String {
    match (error.kind(), path.metadata()) {
        (io::ErrorKind::PermissionDenied, Ok(file)) if file.mode() & 0o111 != 0 => {
            " (a program, not a log? `trace record` runs it)".to_owned()
        }
        (io::ErrorKind::PermissionDenied, Ok(file)) => {
            format!(" (it belongs to user {}; a log can be read by its owner only)", file.uid())
        }
        (io::ErrorKind::PermissionDenied, Err(_)) => " (a directory above it cannot be searched)".to_owned(),
        _ => hint(error).to_owned(),
    }
}

/// What to try where a log cannot be made.
fn creating_hint(path: &Path, error: &io::Error) -> String {
    match (error.kind(), path.metadata()) {
        (io::ErrorKind::PermissionDenied, Ok(file)) if file.is_file() => {
            format!(" (it belongs to user {}: name another file)", file.uid())
        }
        (io::ErrorKind::PermissionDenied, _) => " (name a file in a directory of yours)".to_owned(),
        (io::ErrorKind::ExecutableFileBusy, _) => {
            " (a program that is running: name another file)".to_owned()
        }
        _ => hint(error).to_owned(),
    }
}

/// What to try, for the other errors that people meet.
fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::IsADirectory => " (name a file in it)",
        io::ErrorKind::NotFound => " (check the name and the directory)",
        _ => "",
    }
}

fn thread_hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::WouldBlock => {
            " (raise the limit on the user's processes and threads, ulimit -u or pids.max of the cgroup, or end some)"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_fit_what_is_there() {
        let denied = || io::Error::from_raw_os_error(13);
        let directory = tempfile::tempdir().unwrap();
        let open = |path: &Path| Error::Open { path: path.to_owned(), source: denied() }.to_string();
        let program = std::env::current_exe().unwrap();
        assert!(
            open(&program).ends_with("(a program, not a log? `trace record` runs it)"),
            "{}",
            open(&program)
        );
        let log = directory.path().join("log");
        std::fs::write(&log, "").unwrap();
        let owner = log.metadata().unwrap().uid();
        let expected = format!("(it belongs to user {owner}; a log can be read by its owner only)");
        assert!(open(&log).ends_with(&expected), "{}", open(&log));
        let create = |path: &Path| Error::Create { path: path.to_owned(), source: denied() }.to_string();
        assert!(create(&log).ends_with(&format!("(it belongs to user {owner}: name another file)")));
        assert!(create(&directory.path().join("new")).ends_with("(name a file in a directory of yours)"));
    }
}
