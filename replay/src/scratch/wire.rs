//! What the confined process says to the one that made it: frames through a pipe.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::session::Progress;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// How far it has come.
    Progress(Progress),
    /// It has a user namespace and waits for its ids to be mapped.
    Namespaces,
    /// The report.
    Report(Vec<u8>),
    /// Why there is none.
    Error(String),
}

impl Frame {
    pub(super) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let numbers = |kind: u64, done: usize, of: usize| {
            [kind, done as u64, of as u64].iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>()
        };
        let (tag, payload) = match self {
            Self::Progress(Progress::Making { done, of }) => (0, numbers(0, *done, *of)),
            Self::Progress(Progress::Rehearsing) => (0, numbers(1, 0, 0)),
            Self::Progress(Progress::Measuring { done, of }) => (0, numbers(2, *done, *of)),
            Self::Progress(Progress::Stopping) => (0, numbers(3, 0, 0)),
            Self::Progress(Progress::Left(path)) => (4, path.as_os_str().as_bytes().to_vec()),
            Self::Namespaces => (1, Vec::new()),
            Self::Report(report) => (2, report.clone()),
            Self::Error(error) => (3, error.clone().into_bytes()),
        };
        let mut bytes = vec![tag];
        bytes.extend((payload.len() as u64).to_le_bytes());
        bytes.extend(payload);
        to.write_all(&bytes)
    }

    /// The next one; `None` at the end, which comes after a report or an error, or too early.
    pub(super) fn read(from: &mut impl Read) -> io::Result<Option<Self>> {
        let mut head = [0; 9];
        match from.read_exact(&mut head) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let [tag, length @ ..] = head;
        let mut payload = Vec::new();
        let length = u64::from_le_bytes(length);
        if from.take(length).read_to_end(&mut payload)? as u64 != length {
            return Ok(None);
        }
        Ok(match tag {
            0 => progress(&payload).map(Self::Progress),
            1 => Some(Self::Namespaces),
            2 => Some(Self::Report(payload)),
            4 => Some(Self::Progress(Progress::Left(OsString::from_vec(payload).into()))),
            _ => Some(Self::Error(String::from_utf8_lossy(&payload).into_owned())),
        })
    }
}

fn progress(payload: &[u8]) -> Option<Progress> {
    let number =
        |at: usize| Some(u64::from_le_bytes(payload.get(at * 8..at * 8 + 8)?.try_into().ok()?) as usize);
    let (done, of) = (number(1)?, number(2)?);
    Some(match number(0)? {
        0 => Progress::Making { done, of },
        1 => Progress::Rehearsing,
        3 => Progress::Stopping,
        _ => Progress::Measuring { done, of },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_as_they_went_in() {
        let frames = [
            Frame::Progress(Progress::Making { done: 3, of: 7 }),
            Frame::Namespaces,
            Frame::Progress(Progress::Rehearsing),
            Frame::Progress(Progress::Measuring { done: 1, of: 30 }),
            Frame::Progress(Progress::Left("/tmp/\u{e4}".into())),
            Frame::Report(b"text\0".to_vec()),
            Frame::Error("why".to_owned()),
        ];
        let mut wire = Vec::new();
        for frame in &frames {
            frame.write(&mut wire).unwrap();
        }
        let mut from = &wire[..];
        for frame in frames {
            assert_eq!(Frame::read(&mut from).unwrap(), Some(frame));
        }
        assert_eq!(Frame::read(&mut from).unwrap(), None);
        assert_eq!(Frame::read(&mut &wire[..12]).unwrap(), None, "cut short");
    }
}
