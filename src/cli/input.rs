//! Opening the LOG argument that reporting commands take.

use std::path::Path;

use super::failure::Failure;
use crate::log::{Columns, Error, Reader};

/// Opens a log, `-` being standard input, to decode these columns only.
pub fn open(path: &Path, columns: Columns) -> Result<Reader, Failure> {
    let reader = if path.as_os_str() == "-" { Reader::new(std::io::stdin()) } else { Reader::open(path) };
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
