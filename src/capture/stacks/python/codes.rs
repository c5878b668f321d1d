//! Names and lines of frames, read by where a version has them or says to have them: each code object once.

use std::hash::Hasher;
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHasher};

use super::super::super::sys::memory::{MOST_SPANS, Span, read_spans};
use super::super::table::Table;
use super::memo::{Identity, NO_FUNCTION, Place};
use super::memory::{bytes, field, int, word};
use super::objects::Objects;
use crate::event::Event;
use crate::event::stack::{Frame, FrameKind};

/// What the type of code objects is called.
const CODE: &[u8] = b"code\0";
/// A longer name, file or table is none.
const LONGEST_TEXT: u64 = 4096;
const LONGEST_TABLE: u64 = 1 << 20;
/// Code objects remembered.
const MOST: usize = 1 << 16;
/// Bytes of a unit of code.
const UNIT: u64 = 2;
/// How far before its code a frame is that has not begun.
const BEFORE: i64 = 2;
/// What the interpreter calls code of its own that stands between functions.
const SHIM: &[u8] = b"<shim>";

/// See the module's documentation.
pub struct Codes {
    objects: Objects,
    /// The type of code objects.
    kind: Option<u64>,
    known: FxHashMap<u64, (Box<Identity>, Option<Rc<Code>>)>,
    /// Those of the present stack, with what they hold now.
    present: FxHashMap<u64, u64>,
    memory: Vec<u8>,
}

/// A code object.
struct Code {
    /// Its name and file, where they can be read.
    name: Option<Vec<u8>>,
    file: Option<Vec<u8>>,
    first_line: u32,
    lines: Vec<u8>,
    /// Bytes of code.
    length: u64,
    /// Where name, file and table are, each with the NUL behind it.
    pieces: [Span; 3],
}

/// What was read, and where it is.
type Piece = (Option<Vec<u8>>, Span);

/// Nothing was read.
const NOWHERE: Piece = (None, Span { address: 0, length: 0 });

impl Code {
    /// Whether it is code of the interpreter's own, which stands between functions. In 3.13 that which looks at what an
    /// `__init__` gives back has its name for a file.
    fn is_shim(&self) -> bool {
        let (Some(name), Some(file)) = (&self.name, &self.file) else { return false };
        let is_nowhere = file.is_empty() && name.is_empty();
        is_nowhere || file == SHIM || self.first_line == 0 && (file.is_empty() || file == name)
    }
}

impl Codes {
    pub fn new(objects: Objects) -> Self {
        Self {
            objects,
            kind: None,
            known: FxHashMap::default(),
            present: FxHashMap::default(),
            memory: Vec::new(),
        }
    }

    /// Gives the code objects of a stack that are known the hash of what they hold now, and forgets those that have changed: what
    /// they point to may have gone, and something else have come to lie there.
    pub fn tell_apart<'a>(&mut self, pid: i32, places: impl Iterator<Item = (&'a Place, &'a mut Identity)>) {
        self.present.clear();
        for ((address, _), identity) in places {
            identity.contents = self.contents(pid, *address, identity);
        }
    }

    /// The hash of what a code object holds, if that is what is known of it; else 0.
    fn contents(&mut self, pid: i32, address: u64, identity: &Identity) -> u64 {
        if let Some(&contents) = self.present.get(&address) {
            return contents;
        }
        let Some((known, code)) = self.known.get(&address) else { return 0 };
        let is_same = known.fields == identity.fields;
        let contents = code.as_ref().filter(|_| is_same).and_then(|code| hash(pid, code, &mut self.memory));
        let contents = contents.filter(|contents| *contents == known.contents).unwrap_or(0);
        if contents == 0 {
            self.known.remove(&address);
        }
        self.present.insert(address, contents);
        contents
    }

    /// The number of the frame at this place; [`NO_FUNCTION`]: it is none. `None`: what is there is no code, or none that
    /// has this position.
    pub fn frame(
        &mut self,
        pid: i32,
        (place, identity): (&Place, &mut Identity),
        table: &mut Table,
        define: &mut dyn FnMut(&Event<'_>),
    ) -> Option<u32> {
        let (address, position) = *place;
        let code = self.code(pid, address, identity)?;
        if code.is_shim() {
            return Some(NO_FUNCTION);
        }
        let position = position.wrapping_mul(self.objects.unit);
        let line = if (-BEFORE..0).contains(&position.cast_signed()) {
            code.first_line
        } else if position < code.length {
            self.objects.lines.line(&code.lines, code.first_line, position)
        } else {
            return None;
        };
        let frame = Frame {
            kind: FrameKind::Python,
            name: code.name.as_deref().unwrap_or_default(),
            file: code.file.as_deref().unwrap_or_default(),
            line,
            ..Frame::UNKNOWN
        };
        Some(table.frame(&frame, define))
    }

    fn code(&mut self, pid: i32, address: u64, identity: &mut Identity) -> Option<Rc<Code>> {
        if let Some((known, code)) =
            self.known.get(&address).filter(|(known, _)| known.fields == identity.fields)
        {
            identity.contents = known.contents;
            return code.clone();
        }
        let code = self.read(pid, address).map(Rc::new);
        let contents = code.as_ref().and_then(|code| hash(pid, code, &mut self.memory));
        let code = code.filter(|_| contents.is_some());
        identity.contents = contents.unwrap_or(0);
        if self.known.len() >= MOST {
            self.known.clear();
        }
        self.known.insert(address, (Box::new(*identity), code.clone()));
        code
    }

    fn read(&mut self, pid: i32, address: u64) -> Option<Code> {
        let Objects { kind, length, code, file, qualified_name, line_table, first_line, .. } = self.objects;
        let last = [kind, length, file, qualified_name, line_table, first_line].into_iter().max()?;
        let object = bytes(pid, address, last + 8)?;
        if !self.is_code(pid, field(&object, kind)) {
            return None;
        }
        let read = |piece: Option<Piece>| piece.unwrap_or(NOWHERE);
        let (name, name_at) = read(self.text(pid, field(&object, qualified_name)));
        let (file, file_at) = read(self.text(pid, field(&object, file)));
        let (lines, lines_at) = read(self.table(pid, field(&object, line_table)));
        Some(Code {
            name,
            file,
            first_line: int(&object, first_line),
            lines: lines.unwrap_or_default(),
            pieces: [name_at, file_at, lines_at],
            length: match code {
                Some(code) => word(pid, field(&object, code), length)?,
                None => field(&object, length).checked_mul(UNIT)?,
            },
        })
    }

    /// Whether this is the type of code objects.
    fn is_code(&mut self, pid: i32, kind: u64) -> bool {
        if self.kind.is_none() {
            let name = word(pid, kind, self.objects.kind_name);
            let name = name.and_then(|name| bytes(pid, name, CODE.len()));
            self.kind = name.filter(|name| name == CODE).map(|_| kind);
        }
        self.kind == Some(kind)
    }

    /// What a `bytes` holds.
    fn table(&self, pid: i32, address: u64) -> Option<Piece> {
        let length = word(pid, address, self.objects.length).filter(|length| *length <= LONGEST_TABLE)?;
        piece(pid, address.wrapping_add(self.objects.bytes as u64), length as usize, 1)
    }

    /// What a `str` holds, in UTF-8.
    fn text(&self, pid: i32, address: u64) -> Option<Piece> {
        let Objects { text_state, width_bit, text_length, text, text_gap, .. } = self.objects;
        let head = bytes(pid, address, text)?;
        let state = int(&head, text_state) >> width_bit;
        let length = field(&head, text_length);
        let (width, is_compact, is_ascii) = (state & 7, state & 8 != 0, state & 16 != 0);
        if length > LONGEST_TEXT || !is_compact {
            return None;
        }
        let begin = if is_ascii { text } else { text + text_gap };
        let begin = address.wrapping_add(begin as u64);
        let (characters, span) = piece(pid, begin, length as usize * width as usize, width as usize)?;
        let characters = characters?;
        match (width, is_ascii) {
            (1, true) => characters.is_ascii().then_some((Some(characters), span)),
            (1 | 2 | 4, false) => Some((Some(utf8(&characters, width as usize)), span)),
            _ => None,
        }
    }
}

/// So many bytes at an address, and where they are with the NUL behind them.
fn piece(pid: i32, address: u64, length: usize, nul: usize) -> Option<Piece> {
    Some((Some(bytes(pid, address, length)?), Span { address, length: length + nul }))
}

/// A hash of what a code object's pieces hold now, which is not 0; `None`: they cannot be read.
fn hash(pid: i32, code: &Code, memory: &mut Vec<u8>) -> Option<u64> {
    const { assert!(MOST_SPANS >= 3) };
    let length = code.pieces.iter().map(|piece| piece.length).sum();
    memory.resize(length, 0);
    if length > 0 {
        (read_spans(pid, &code.pieces, memory).ok()? == length).then_some(())?;
    }
    let mut hasher = FxHasher::default();
    hasher.write(memory);
    Some(hasher.finish() | 1)
}

/// Characters of so many bytes each in UTF-8. Bytes of a file's name that were none become what they were, and halves of pairs
/// what they would be in UTF-8.
fn utf8(characters: &[u8], width: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(characters.len());
    for character in characters.chunks_exact(width) {
        let number = character.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte));
        match (char::from_u32(number), number) {
            (Some(character), _) => text.extend(character.encode_utf8(&mut [0; 4]).bytes()),
            // `surrogateescape` of PEP 383.
            (None, 0xdc80..=0xdcff) => text.push(number as u8),
            (None, 0xd800..=0xdfff) => {
                text.extend([0xed, 0x80 | (number >> 6) as u8 & 0x3f, 0x80 | number as u8 & 0x3f]);
            }
            (None, _) => text.extend(char::REPLACEMENT_CHARACTER.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_become_utf8_and_bytes_that_were_none_themselves() {
        let wide =
            |numbers: &[u16]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<_>>();
        assert_eq!(utf8(b"caf\xe9", 1), "caf\u{e9}".as_bytes());
        assert_eq!(utf8(&wide(&[0x4e2d, 0xdcff, 0xdcfe]), 2), b"\xe4\xb8\xad\xff\xfe");
        assert_eq!(utf8(&wide(&[0xd800, 0x78]), 2), b"\xed\xa0\x80x");
        assert_eq!(utf8(&0x1_f600_u32.to_le_bytes(), 4), "\u{1f600}".as_bytes());
        assert_eq!(utf8(&u32::MAX.to_le_bytes(), 4), "\u{fffd}".as_bytes());
    }
}
