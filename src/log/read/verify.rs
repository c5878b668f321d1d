//! Bounds that a message must keep before Arrow may decode it.
//!
//! Arrow's decoder checks types, offsets, dictionary keys and UTF-8 by itself, but it trusts the
//! lengths in a message: a buffer outside of the body is a panic, and a compressed one gets the
//! memory it claims to need. What a schema may look like is bounded too, because flatbuffers can
//! share their parts, so that a small message describes a huge one.

use arrow_ipc::{Endianness, Message, MetadataVersion, RecordBatch, Schema};
use arrow_schema::DataType;

/// Most rows in a batch.
const MAX_ROWS: i64 = 1 << 20;

/// Most bytes of a batch together with its dictionaries, decoded. A full batch of ours takes 15 MiB;
/// its last event can add 26 MiB, each byte that is not UTF-8 being stored in four.
pub(super) const MAX_DECODED: u64 = 64 << 20;

/// Most columns in a schema.
const MAX_FIELDS: usize = 256;

/// Entries of metadata a schema or field may have.
const MAX_ENTRIES: usize = 64;

/// Checks a message's outer parts.
pub(super) fn message(metadata: &[u8]) -> Result<Message<'_>, String> {
    let message =
        arrow_ipc::root_as_message(metadata).map_err(|_| "its metadata is that of no Arrow message")?;
    if message.version() != MetadataVersion::V5 {
        return Err("its metadata is of another version of Arrow's format".to_owned());
    }
    Ok(message)
}

/// Checks that a schema is flat and small.
pub(super) fn schema(schema: Schema<'_>, metadata_len: usize) -> Result<(), String> {
    if schema.endianness() != Endianness::Little {
        return Err("it is big-endian".to_owned());
    }
    let fields = schema.fields().ok_or("it has no columns")?;
    if fields.len() > MAX_FIELDS {
        return Err(format!("it has {} columns", fields.len()));
    }
    for field in fields {
        let children = field.children().unwrap_or_default();
        let is_nested = children.len() > 1
            || children.iter().any(|child| {
                child.children().is_some_and(|grandchildren| !grandchildren.is_empty())
                    || child.custom_metadata().is_some_and(|entries| !entries.is_empty())
            });
        let has_metadata = field.custom_metadata().is_some_and(|entries| !entries.is_empty());
        let name_len = field.name().map_or(0, str::len);
        if is_nested || has_metadata || name_len > MAX_ENTRIES {
            return Err("it has columns no log has".to_owned());
        }
    }
    let entries = schema.custom_metadata().unwrap_or_default();
    let text = |text: Option<&str>| text.map_or(0, str::len);
    if entries.len() > MAX_ENTRIES
        || entries.iter().map(|entry| text(entry.key()) + text(entry.value())).sum::<usize>() > metadata_len
    {
        return Err("it has more metadata than fits into it".to_owned());
    }
    Ok(())
}

/// The width of the elements of each buffer of a column, in the order of the format; `None` for
/// types that no log has.
pub(super) fn widths(data_type: &DataType) -> Option<Vec<usize>> {
    Some(match data_type {
        // A bitmap's elements count as bytes.
        DataType::Boolean => vec![1, 1],
        DataType::Utf8 | DataType::Binary => vec![1, 4, 1],
        DataType::Dictionary(keys, _) => vec![1, keys.primitive_width()?],
        DataType::List(item) => [vec![1, 4], widths(item.data_type())?].concat(),
        other => vec![1, other.primitive_width()?],
    })
}

/// Checks the lengths in a batch (or in a dictionary, which is a batch of one column) against its
/// body and against the widths of the elements in its buffers. Returns how many bytes it will take
/// decoded.
pub(super) fn batch(batch: RecordBatch<'_>, body: &[u8], widths: &[usize]) -> Result<u64, String> {
    if !(0..=MAX_ROWS).contains(&batch.length()) {
        return Err(format!("it claims {} rows", batch.length()));
    }
    for node in batch.nodes().unwrap_or_default() {
        // A list's items may be more than the rows, but each takes four bytes of offsets.
        if !(0..=MAX_DECODED as i64 / 4).contains(&node.length())
            || !(0..=node.length()).contains(&node.null_count())
        {
            return Err(format!("a column claims {} rows, {} null", node.length(), node.null_count()));
        }
    }
    let buffers = batch.buffers().unwrap_or_default();
    if buffers.len() != widths.len() {
        return Err(format!("it has {} buffers, not {}", buffers.len(), widths.len()));
    }
    let mut decoded = 0_u64;
    for (buffer, &width) in buffers.iter().zip(widths) {
        let range = usize::try_from(buffer.offset()).ok().zip(usize::try_from(buffer.length()).ok());
        let bytes = range
            .and_then(|(start, len)| body.get(start..start.checked_add(len)?))
            .ok_or("a buffer lies outside of its body")?;
        let len = if batch.compression().is_some() { uncompressed_len(bytes)? } else { bytes.len() as u64 };
        if len % width as u64 != 0 {
            return Err(format!("a buffer of {len} bytes is not made of {width}-byte elements"));
        }
        decoded = decoded.saturating_add(len);
    }
    if decoded > MAX_DECODED {
        return Err(format!("it claims {decoded} bytes"));
    }
    Ok(decoded)
}

/// A compressed buffer begins with its length uncompressed (64 bits), or with -1 if it is stored as
/// it is.
fn uncompressed_len(bytes: &[u8]) -> Result<u64, String> {
    let Some((prefix, rest)) = bytes.split_first_chunk::<8>() else {
        return if bytes.is_empty() { Ok(0) } else { Err("a buffer is too short".to_owned()) };
    };
    match i64::from_le_bytes(*prefix) {
        -1 => Ok(rest.len() as u64),
        len => u64::try_from(len).map_err(|_| format!("a buffer claims {len} bytes")),
    }
}
