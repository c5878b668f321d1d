//! The first message of a log: the header, and the shape of the table.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Seek, SeekFrom};

use arrow_schema::{Schema, SchemaRef};
use serde_json::error::Category;

use super::frame::Frames;
use super::verify;
use crate::log::schema::{self, Column};
use crate::log::{Error, FORMAT_VERSION, Header};

/// Width of the elements of the buffers of a dictionary, whose texts are `Utf8`.
pub(super) const DICTIONARY_WIDTHS: [usize; 3] = [1, 4, 1];

/// What is wrong with a first message that is no schema.
const NO_SCHEMA: &str = "its first message is no Arrow schema";

/// Whether something that begins with these bytes can be a log, as opposed to text. Four bytes are
/// enough to tell.
#[must_use]
pub fn looks_like_log(beginning: &[u8]) -> bool {
    beginning.starts_with(&[0xFF; 4])
}

/// Whether a file holds a log of ours, of whatever version.
pub(in crate::log) fn is_log(file: &File) -> bool {
    let Ok(mut file) = file.try_clone() else { return false };
    if file.seek(SeekFrom::Start(0)).is_err() {
        return false;
    }
    let metadata = Frames::new(file).first();
    metadata.is_ok_and(|metadata| {
        let found = schema_message(&metadata).and_then(header_json);
        found.is_ok_and(|json| serde_json::from_str::<Version>(json).is_ok())
    })
}

/// What the first message says of those after it.
pub(super) struct Table {
    pub(super) header: Header,
    pub(super) schema: SchemaRef,
    /// Where each column stands in the schema, if it is there.
    pub(super) positions: [Option<usize>; Column::ALL.len()],
    /// Width of the elements of each buffer of a batch.
    pub(super) widths: Vec<usize>,
    /// Column of each dictionary id.
    pub(super) dictionary_columns: HashMap<i64, usize>,
}

impl Table {
    /// Reads the first message.
    pub(super) fn read(metadata: &[u8]) -> Result<Self, Error> {
        let damaged = Error::Header;
        let found = schema_message(metadata)?;
        // Before the schema, of which a newer version's may be anything.
        let header = read_header(header_json(found)?)?;
        verify::schema(found, metadata.len()).map_err(damaged)?;
        // What Arrow and serde say of damage is for those who write programs with them.
        let schema = arrow_ipc::convert::try_fb_to_schema(found)
            .map_err(|_| damaged("its columns are described as no log's are".to_owned()))?;
        Ok(Self {
            header,
            positions: schema::positions(&schema)?,
            widths: widths(&schema)?,
            dictionary_columns: dictionary_columns(found)?,
            schema: SchemaRef::new(schema),
        })
    }
}

/// The parts of a header that every version has.
#[derive(serde::Deserialize)]
struct Version {
    format: u32,
    writer: String,
}

fn schema_message(metadata: &[u8]) -> Result<arrow_ipc::Schema<'_>, Error> {
    let message = arrow_ipc::root_as_message(metadata).map_err(|_| Error::NotALog(NO_SCHEMA))?;
    message.header_as_schema().ok_or(Error::NotALog(NO_SCHEMA))
}

fn header_json(schema: arrow_ipc::Schema<'_>) -> Result<&str, Error> {
    let mut entries = schema.custom_metadata().unwrap_or_default().iter();
    entries
        .find(|entry| entry.key() == Some(schema::HEADER_KEY))
        .and_then(|entry| entry.value())
        .ok_or(Error::NoHeader)
}

fn read_header(json: &str) -> Result<Header, Error> {
    let damaged = |error: serde_json::Error| {
        let what = match error.classify() {
            Category::Data => "something in its JSON is missing, or not what it should be, before",
            Category::Io | Category::Syntax | Category::Eof => "its JSON is broken at",
        };
        Error::Header(format!("{what} character {} of line {}", error.column(), error.line()))
    };
    let Version { format, writer } = serde_json::from_str(json).map_err(damaged)?;
    if format > FORMAT_VERSION {
        return Err(Error::Newer { found: format, supported: FORMAT_VERSION, writer });
    }
    serde_json::from_str(json).map_err(damaged)
}

fn widths(schema: &Schema) -> Result<Vec<usize>, Error> {
    let mut all = Vec::new();
    for field in schema.fields() {
        let problem = || format!("column `{}` is of type {}", field.name(), field.data_type());
        all.extend(verify::widths(field.data_type()).ok_or_else(|| Error::Header(problem()))?);
    }
    Ok(all)
}

fn dictionary_columns(schema: arrow_ipc::Schema<'_>) -> Result<HashMap<i64, usize>, Error> {
    let mut columns = HashMap::new();
    for (column, field) in schema.fields().unwrap_or_default().iter().enumerate() {
        if let Some(dictionary) = field.dictionary()
            && columns.insert(dictionary.id(), column).is_some()
        {
            return Err(Error::Header("two columns share a dictionary".to_owned()));
        }
    }
    Ok(columns)
}
