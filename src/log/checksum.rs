//! Checksums of the messages of a log, so that a flipped bit is found even where what it makes is well-formed.
//!
//! Behind the metadata of a message an Arrow stream has padding, which every reader passes over. There stand eight bytes by
//! which it is known, the CRC-32 of the metadata before them, and that of the body, little-endian. Arrow's writer has no
//! place for them, so its output is gone through once more.

use arrow_schema::ArrowError;

/// What the padding of a message with checksums begins with.
const MARK: [u8; 8] = *b"checksum";
/// What they take, a multiple of what messages are aligned to.
const LENGTH: usize = MARK.len() + 8;
/// What a message begins with: `FF FF FF FF`, and the length of its metadata.
const PREFIX: usize = 8;

/// Takes messages that Arrow's writer has made, all of them whole, and adds them with their checksums.
pub(super) fn seal(messages: &[u8], to: &mut Vec<u8>) -> Result<(), ArrowError> {
    let broken = || ArrowError::IpcError("a message was not made whole".to_owned());
    let mut rest = messages;
    while let Some((prefix, behind)) = rest.split_first_chunk::<PREFIX>() {
        let [continuation @ .., a, b, c, d] = *prefix;
        let length = u32::from_le_bytes([a, b, c, d]);
        if length == 0 {
            // The end of the stream.
            to.extend_from_slice(prefix);
            rest = behind;
            continue;
        }
        let (metadata, behind) = behind.split_at_checked(length as usize).ok_or_else(broken)?;
        let message = arrow_ipc::root_as_message(metadata).map_err(|_| broken())?;
        let body = usize::try_from(message.bodyLength()).map_err(|_| broken())?;
        let (body, behind) = behind.split_at_checked(body).ok_or_else(broken)?;
        to.reserve(PREFIX + metadata.len() + LENGTH + body.len());
        to.extend_from_slice(&continuation);
        to.extend_from_slice(&(length + LENGTH as u32).to_le_bytes());
        to.extend_from_slice(metadata);
        to.extend_from_slice(&MARK);
        to.extend_from_slice(&crc32fast::hash(metadata).to_le_bytes());
        to.extend_from_slice(&crc32fast::hash(body).to_le_bytes());
        to.extend_from_slice(body);
        rest = behind;
    }
    if rest.is_empty() { Ok(()) } else { Err(broken()) }
}

/// What the metadata of a message says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sealed {
    /// It has no checksums.
    No,
    /// They are wrong.
    Broken,
    /// It is what was written; the body's checksum is this.
    Body(u32),
}

/// Looks for the checksums of a message behind its metadata.
pub(super) fn of_metadata(metadata: &[u8]) -> Sealed {
    let sums = metadata.split_last_chunk::<LENGTH>();
    let Some((metadata, [mark @ .., m0, m1, m2, m3, b0, b1, b2, b3])) = sums else { return Sealed::No };
    if *mark != MARK {
        return Sealed::No;
    }
    if crc32fast::hash(metadata) != u32::from_le_bytes([*m0, *m1, *m2, *m3]) {
        return Sealed::Broken;
    }
    Sealed::Body(u32::from_le_bytes([*b0, *b1, *b2, *b3]))
}

/// Whether this is the body that was written.
pub(super) fn is_body(body: &[u8], checksum: u32) -> bool {
    crc32fast::hash(body) == checksum
}
