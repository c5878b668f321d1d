//! Text that came from a traced program: bytes, mostly UTF-8, never to be trusted.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::event::escape;

/// A path, argument or name from a traced program.
///
/// Kept as the bytes it is, so that a report can show what is not UTF-8 exactly; JSON has no bytes,
/// so there such a byte becomes a character as in a log (see [`crate::event::escape`]). Show it on a terminal only through `report::escape`.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text(Box<[u8]>);

impl Text {
    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// What follows the last `/`, or all of it.
    #[must_use]
    pub fn file_name(&self) -> Self {
        Self::from(file_name(&self.0))
    }
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().into())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match str::from_utf8(&self.0) {
            Ok(text) if !escape::is_escaped(text) => serializer.serialize_str(text),
            _ => {
                let mut text = String::with_capacity(self.0.len());
                escape::escape(&self.0, &mut text);
                serializer.serialize_str(&text)
            }
        }
    }
}

/// What follows the last `/` of a path, or all of it.
#[must_use]
pub fn file_name(path: &[u8]) -> &[u8] {
    path.iter().rposition(|&b| b == b'/').map_or(path, |at| &path[at + 1..])
}

/// The directory a path lies in: what stands before its last `/`, `/` for a file of the root,
/// `None` where there is no `/`.
#[must_use]
pub fn directory(path: &[u8]) -> Option<&[u8]> {
    match path.iter().rposition(|&b| b == b'/')? {
        0 => Some(b"/"),
        at => Some(&path[..at]),
    }
}

/// The arguments of an exec event: each ended by a NUL byte, the last one perhaps cut short.
pub fn arguments(argv: &[u8]) -> impl Iterator<Item = &[u8]> {
    let body = argv.strip_suffix(b"\0").unwrap_or(argv);
    let empty = argv.is_empty();
    body.split(|&b| b == 0).filter(move |_| !empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_apart() {
        assert_eq!(file_name(b"/a/b.py"), b"b.py");
        assert_eq!(file_name(b"b.py"), b"b.py");
        assert_eq!(directory(b"/a/b.py"), Some(&b"/a"[..]));
        assert_eq!(directory(b"/b"), Some(&b"/"[..]));
        assert_eq!(directory(b"b"), None);
    }

    #[test]
    fn arguments_end_at_nul_bytes() {
        let all = |argv: &'static [u8]| arguments(argv).collect::<Vec<_>>();
        assert_eq!(all(b"python\0-c\0\0"), [&b"python"[..], b"-c", b""]);
        assert_eq!(all(b"cut\0sho"), [&b"cut"[..], b"sho"]);
        assert_eq!(all(b"\0"), [&b""[..]], "one empty argument");
        assert!(all(b"").is_empty(), "no argument");
    }

    #[test]
    fn json_keeps_what_is_not_utf8() {
        let json = |bytes: &[u8]| serde_json::to_string(&Text::from(bytes)).unwrap();
        assert_eq!(json(b"a\xffb"), "\"a\u{10feff}b\"");
        assert_ne!(json("\u{10feff}".as_bytes()), json(b"\xff"), "different names stay different");
    }
}
