//! Parts of messages, of which less may be readable than they say to have.

use super::super::text::write_text;
use super::super::{Decoder, Hex};

/// A part of a message: what could be read of it, how long it says to be, and where it is.
#[derive(Clone, Copy)]
pub(in super::super) struct Piece<'a> {
    /// No more than `length`.
    pub(super) bytes: &'a [u8],
    pub(super) length: usize,
    pub(super) address: u64,
}

impl<'a> Piece<'a> {
    pub(super) fn is_empty(self) -> bool {
        self.length == 0
    }

    /// The rest behind so many bytes.
    pub(super) fn after(self, count: usize) -> Self {
        let count = count.min(self.length);
        Self {
            bytes: self.bytes.get(count..).unwrap_or_default(),
            length: self.length - count,
            address: self.address.wrapping_add(count as u64),
        }
    }

    /// So many bytes of it, or all where it has fewer.
    pub(super) fn up_to(self, count: usize) -> Self {
        let bytes = self.bytes.get(..count).unwrap_or(self.bytes);
        Self { bytes, length: self.length.min(count), ..self }
    }

    /// The first bytes, if they could be read.
    pub(super) fn first(self, count: usize) -> Option<&'a [u8]> {
        self.bytes.get(..count)
    }

    /// All of it, if it could be read.
    pub(super) fn whole(self) -> Option<&'a [u8]> {
        self.first(self.length)
    }
}

impl Decoder<'_, '_> {
    /// What is looked at of a part that is shown as text: one byte more than is shown, where there is more.
    pub(super) fn text_of<'b>(&self, piece: Piece<'b>) -> Option<&'b [u8]> {
        piece.first(piece.length.min(self.style.strings.saturating_add(1)))
    }

    /// Bytes in hexadecimal, as many as are shown of a string.
    pub(super) fn write_bytes(&mut self, out: &mut Vec<u8>, piece: Piece<'_>) {
        let Some(bytes) = self.text_of(piece) else { return self.write_address(out, piece.address) };
        let shown = &bytes[..bytes.len().min(self.style.strings)];
        write_text(out, shown, Hex::All, shown.len() < piece.length);
    }

    /// Where the next one of a list is that cannot be read.
    pub(super) fn write_unreadable(&mut self, out: &mut Vec<u8>, piece: Piece<'_>, is_first: bool) {
        if is_first {
            return self.write_address(out, piece.address);
        }
        out.extend_from_slice(b"... /* ");
        self.write_address(out, piece.address);
        out.extend_from_slice(b" */");
    }

    /// `[1, 2]`: elements of so many bytes each; none: there are too few bytes for one.
    pub(super) fn write_elements(
        &mut self,
        out: &mut Vec<u8>,
        piece: Piece<'_>,
        size: usize,
        mut write: impl FnMut(&mut Self, &mut Vec<u8>, usize, &[u8]),
    ) -> Option<()> {
        let count = piece.length / size;
        if count == 0 {
            return None;
        }
        if piece.first(size).is_none() {
            self.write_address(out, piece.address);
            return Some(());
        }
        out.push(b'[');
        for at in 0..count {
            let element = piece.after(at * size);
            if at > 0 {
                out.extend_from_slice(b", ");
            }
            // strace looks at the first one that it does not show, too.
            let Some(bytes) = element.first(size) else {
                self.write_unreadable(out, element, false);
                break;
            };
            if at >= self.most_elements() {
                out.extend_from_slice(b"...");
                break;
            }
            write(self, out, at, bytes);
        }
        out.push(b']');
        Some(())
    }
}
