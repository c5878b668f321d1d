//! A log of ours or of strace's, told apart by its first bytes.

use std::fs::File;
use std::io::{Cursor, ErrorKind, Read};
use std::path::Path;

use super::read::looks_like_log;
use super::{Columns, Ending, Error, Header, Reader, strace};
use crate::event::Event;

/// Either kind of log, read in the same way.
#[derive(Debug)]
pub enum Source {
    /// Ours.
    Own(Box<Reader>),
    /// strace's text.
    Strace(Box<strace::Reader>),
}

impl Source {
    /// Opens a log: a file, or what `strace -ff -o NAME` wrote. `cwd` is where the command was started, which
    /// strace's text does not always say.
    pub fn open(path: &Path, cwd: Option<&[u8]>) -> Result<Self, Error> {
        let failed = |source| Error::Open { path: path.to_owned(), source };
        let file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let files = strace::Reader::files(path, cwd)?;
                return files.map(|files| Self::Strace(Box::new(files))).ok_or_else(|| failed(error));
            }
            file => file.map_err(failed)?,
        };
        if file.metadata().map_err(failed)?.is_dir() {
            return Err(failed(ErrorKind::IsADirectory.into()));
        }
        Self::of(Box::new(file), cwd, strace::tid_of_file(path))
    }

    /// Reads a log from a stream, standard input for one.
    pub fn new(input: impl Read + Send + 'static, cwd: Option<&[u8]>) -> Result<Self, Error> {
        Self::of(Box::new(input), cwd, None)
    }

    /// The same for a file at this path, of which the name may tell the thread.
    pub fn named(input: impl Read + Send + 'static, path: &Path, cwd: Option<&[u8]>) -> Result<Self, Error> {
        Self::of(Box::new(input), cwd, strace::tid_of_file(path))
    }

    fn of(mut input: Box<dyn Read + Send>, cwd: Option<&[u8]>, tid: Option<u32>) -> Result<Self, Error> {
        let mut first = Vec::new();
        let failed = |source| Error::Read { offset: 0, source };
        (&mut input).take(4).read_to_end(&mut first).map_err(failed)?;
        let is_own = looks_like_log(&first) || first.iter().all(|&byte| byte == 0xff);
        let whole: Box<dyn Read + Send> = Box::new(Cursor::new(first).chain(input));
        if is_own {
            return Self::own(whole);
        }
        // What is no text of strace's is left to the other reader to complain of.
        match strace::Reader::new(whole, cwd, tid)? {
            Ok(reader) => Ok(Self::Strace(Box::new(reader))),
            Err(input) => Self::own(input),
        }
    }

    fn own(input: Box<dyn Read + Send>) -> Result<Self, Error> {
        Ok(Self::Own(Box::new(Reader::new(std::io::BufReader::new(input))?)))
    }

    /// Reads only these columns, where a log has columns.
    #[must_use]
    pub fn with_columns(self, columns: Columns) -> Self {
        match self {
            Self::Own(reader) => Self::Own(Box::new(reader.with_columns(columns))),
            strace @ Self::Strace(_) => strace,
        }
    }

    /// What the log says of itself.
    #[must_use]
    pub fn header(&self) -> &Header {
        match self {
            Self::Own(reader) => reader.header(),
            Self::Strace(reader) => reader.header(),
        }
    }

    /// What a text of strace's held besides calls; `None`: it is a log of ours.
    #[must_use]
    pub fn lineage(&self) -> Option<&strace::Lineage> {
        match self {
            Self::Own(_) => None,
            Self::Strace(reader) => Some(reader.lineage()),
        }
    }

    /// Calls a function with every event, and returns how the log ended.
    pub fn for_each(&mut self, function: impl FnMut(&Event<'_>)) -> Result<Ending, Error> {
        match self {
            Self::Own(reader) => reader.for_each(function),
            Self::Strace(reader) => reader.for_each(function),
        }
    }
}
