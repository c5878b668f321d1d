//! Reading an Arrow stream message by message, from input that nobody vouches for.
//!
//! Arrow's own stream reader takes a cut stream for a broken one, does not say where a message
//! begins, and reserves what a message claims to need. Here a message's length buys memory only as
//! its bytes arrive, and each message is known by its offset. The layout is that of Arrow's columnar
//! format, "Encapsulated message format": `FF FF FF FF`, the length of the metadata (32 bits), the
//! metadata, the body.

use std::io::{self, Read};

use super::verify;
use crate::log::Error;
use crate::log::checksum::{self, Sealed};

/// What a stream begins with, and each of its messages.
const CONTINUATION: [u8; 4] = [0xFF; 4];

/// Longest schema message. The header in it holds the command's arguments, of which Linux allows
/// 6 MiB at most (`MAX_ARG_STRINGS`, three quarters of the stack's 8 MiB), and JSON can make two
/// characters of one.
const MAX_SCHEMA: u32 = 32 << 20;

/// Longest metadata of any other message; ours take some 3 KiB.
const MAX_METADATA: u32 = 1 << 20;

/// Longest body: incompressible data takes a little more room than it does decoded.
const MAX_BODY: i64 = verify::MAX_DECODED as i64 * 2;

/// What is wrong with a message that is not as it was written.
const WRONG_SUM: &str =
    "its checksum is not that of what it holds, so something of it has changed since it was written";

/// What other files begin with, those that are given for a log by mistake.
const OTHERS: [(&[u8], &str); 9] = [
    (b"\x7fELF", "it is a program: `trace record` runs it and writes a log"),
    (b"#!", "it is a script: `trace record` runs it and writes a log"),
    (b"\x28\xb5\x2f\xfd", "it is compressed: `zstd -dc FILE | trace show -` reads it"),
    (b"\x1f\x8b", "it is compressed: `gzip -dc FILE | trace show -` reads it"),
    (b"\xfd7zX", "it is compressed: `xz -dc FILE | trace show -` reads it"),
    (b"BZh", "it is compressed: `bzip2 -dc FILE | trace show -` reads it"),
    (b"\xff\xfe", "it is text in UTF-16: `iconv -f UTF-16 -t UTF-8 FILE | trace show -` may read it"),
    (b"\xfe\xff", "it is text in UTF-16: `iconv -f UTF-16 -t UTF-8 FILE | trace show -` may read it"),
    (b"ARRO", "it is an Arrow file; a log is an Arrow stream"),
];

/// What a file is that is no log, as far as its beginning tells.
fn what_begins_with(prefix: &[u8]) -> &'static str {
    let known = OTHERS.iter().find(|(magic, _)| prefix.starts_with(magic));
    known.map_or("it begins neither as an Arrow stream nor with lines of strace", |(_, what)| what)
}

/// One message: its metadata, with the body still to be read.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::log) struct Frame {
    /// Where it begins in the stream.
    pub(in crate::log) offset: u64,
    /// A flatbuffer, not verified yet.
    pub(in crate::log) metadata: Vec<u8>,
    /// That of the body, if the message has one.
    checksum: Option<u32>,
}

/// What comes next in a stream.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::log) enum Next<T> {
    /// This.
    Some(T),
    /// The end marker.
    End,
    /// The end of the input in the middle of something, or without an end marker.
    Cut,
}

/// A stream of messages.
pub(in crate::log) struct Frames {
    input: Box<dyn Read + Send>,
    offset: u64,
    /// The first message has checksums, so all others must have them.
    is_sealed: bool,
}

impl Frames {
    pub(in crate::log) fn new(input: impl Read + Send + 'static) -> Self {
        Self { input: Box::new(input), offset: 0, is_sealed: false }
    }

    /// Bytes read so far.
    pub(in crate::log) fn offset(&self) -> u64 {
        self.offset
    }

    /// The first message's metadata.
    pub(in crate::log) fn first(&mut self) -> Result<Vec<u8>, Error> {
        let mut prefix = Vec::new();
        let whole = self.fill(&mut prefix, 4)?;
        if prefix.is_empty() {
            return Err(Error::Empty);
        }
        if !CONTINUATION.starts_with(&prefix) {
            return Err(Error::NotALog(what_begins_with(&prefix)));
        }
        let len = if whole { self.length()? } else { None };
        let Some(len) = len else { return Err(Error::CutHeader) };
        if len == 0 || len > MAX_SCHEMA {
            return Err(Error::NotALog("its first message has no length that a log's could have"));
        }
        let mut metadata = Vec::new();
        if !self.fill(&mut metadata, len as usize)? {
            return Err(Error::CutHeader);
        }
        match checksum::of_metadata(&metadata) {
            Sealed::No => {}
            Sealed::Body(_) => self.is_sealed = true,
            Sealed::Broken => return Err(Error::Header(WRONG_SUM.to_owned())),
        }
        Ok(metadata)
    }

    /// The next message.
    pub(in crate::log) fn next(&mut self, events: u64) -> Result<Next<Frame>, Error> {
        let offset = self.offset;
        let damaged = |problem: String| Error::Damaged { offset, events, problem };
        let mut prefix = Vec::with_capacity(4);
        let whole = self.fill(&mut prefix, 4)?;
        if !CONTINUATION.starts_with(&prefix) {
            return Err(damaged("no message begins here".to_owned()));
        }
        let len = if whole { self.length()? } else { None };
        let Some(len) = len else { return Ok(Next::Cut) };
        if len == 0 {
            return Ok(Next::End);
        }
        if len > MAX_METADATA {
            return Err(damaged(format!("a message claims {len} bytes of metadata")));
        }
        let mut metadata = Vec::new();
        if !self.fill(&mut metadata, len as usize)? {
            return Ok(Next::Cut);
        }
        let checksum = match checksum::of_metadata(&metadata) {
            Sealed::Body(checksum) => Some(checksum),
            Sealed::No if !self.is_sealed => None,
            Sealed::No => return Err(damaged("a message has lost its checksum".to_owned())),
            Sealed::Broken => return Err(damaged(WRONG_SUM.to_owned())),
        };
        Ok(Next::Some(Frame { offset, metadata, checksum }))
    }

    /// The body of a message, as long as its metadata says.
    pub(in crate::log) fn body(
        &mut self,
        frame: &Frame,
        len: i64,
        events: u64,
    ) -> Result<Next<Vec<u8>>, Error> {
        let offset = frame.offset;
        if !(0..=MAX_BODY).contains(&len) {
            let problem = format!("a message claims a body of {len} bytes");
            return Err(Error::Damaged { offset, events, problem });
        }
        let mut body = Vec::new();
        if !self.fill(&mut body, len as usize)? {
            return Ok(Next::Cut);
        }
        match frame.checksum {
            Some(checksum) if !checksum::is_body(&body, checksum) => {
                Err(Error::Damaged { offset, events, problem: WRONG_SUM.to_owned() })
            }
            _ => Ok(Next::Some(body)),
        }
    }

    /// Whether the input is at its end.
    pub(in crate::log) fn is_at_end(&mut self) -> Result<bool, Error> {
        let mut rest = Vec::new();
        self.fill(&mut rest, 1)?;
        Ok(rest.is_empty())
    }

    fn length(&mut self) -> Result<Option<u32>, Error> {
        let mut bytes = Vec::new();
        self.fill(&mut bytes, 4)?;
        Ok(<[u8; 4]>::try_from(bytes).ok().map(u32::from_le_bytes))
    }

    /// Reads this many bytes; false if the input ends before. Memory grows as bytes arrive.
    fn fill(&mut self, bytes: &mut Vec<u8>, len: usize) -> Result<bool, Error> {
        const STEP: usize = 1 << 20;
        bytes.reserve_exact(len.min(STEP));
        let read = self.input.by_ref().take(len as u64).read_to_end(bytes);
        let result: io::Result<usize> = read;
        self.offset += bytes.len() as u64;
        match result {
            Ok(_) => Ok(bytes.len() == len),
            Err(source) => Err(Error::Read { offset: self.offset, source }),
        }
    }
}
