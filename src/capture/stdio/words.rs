//! The last words of a command: the end of what it wrote, fit for a terminal.

/// As much as is kept, in bytes.
pub const KEPT: usize = 1024;

/// The end of a stream of bytes.
#[derive(Debug, Default)]
pub struct Tail(Vec<u8>);

impl Tail {
    /// Takes in what comes next.
    pub fn push(&mut self, bytes: &[u8]) {
        let last = &bytes[bytes.len().saturating_sub(KEPT)..];
        let excess = (self.0.len() + last.len()).saturating_sub(KEPT);
        self.0.drain(..excess);
        self.0.extend_from_slice(last);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// What it is, as text.
    pub fn words(&self) -> Option<String> {
        words(&self.0)
    }
}

/// Bytes as lines of text without control characters; `None` if there are none.
#[must_use]
pub fn words(bytes: &[u8]) -> Option<String> {
    let printable = |c: char| if c.is_control() && c != '\n' { char::REPLACEMENT_CHARACTER } else { c };
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    let text: String = text.trim().chars().map(printable).collect();
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_kept() {
        let mut tail = Tail::default();
        assert_eq!(tail.words(), None);
        tail.push(b"one\r\n\x1b[2J");
        assert_eq!(tail.words().as_deref(), Some("one\n\u{fffd}[2J"));
        tail.push(&[b'x'; 3 * KEPT]);
        tail.push(b"end\n");
        let words = tail.words().unwrap();
        assert_eq!(words.len(), KEPT - 1);
        assert!(words.starts_with('x') && words.ends_with("xend"));
    }
}
