//! Opening the LOG argument that reporting commands take.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::failure::Failure;
use super::progress::ReadBar;
use crate::log::{Columns, Error, Reader};

/// Opens a log, `-` being standard input, to decode these columns only.
pub fn open(path: &Path, columns: Columns) -> Result<Reader, Failure> {
    let reader = if path.as_os_str() == "-" { Reader::new(std::io::stdin()) } else { Reader::open(path) };
    Ok(reader.map_err(|error| named(path, error))?.with_columns(columns))
}

/// The same, a bar telling how far the reading has come.
pub fn open_watched(path: &Path, columns: Columns, bar: &ReadBar) -> Result<Reader, Failure> {
    if bar.is_hidden() {
        return open(path, columns);
    }
    let file = File::open(path).map_err(|source| Error::Open { path: path.to_owned(), source })?;
    let reader = Reader::new(BufReader::new(bar.wrap(file)));
    Ok(reader.map_err(|error| named(path, error))?.with_columns(columns))
}

/// An error of reading, with the log's name where the error does not have it.
pub fn named(path: &Path, error: Error) -> anyhow::Error {
    match error {
        // These name their file, which may be another.
        Error::Open { .. }
        | Error::Create { .. }
        | Error::Occupied { .. }
        | Error::Busy { .. }
        | Error::Write { .. } => error.into(),
        error if path.as_os_str() == "-" => anyhow::Error::new(error).context("standard input"),
        error => anyhow::Error::new(error).context(path.display().to_string()),
    }
}
