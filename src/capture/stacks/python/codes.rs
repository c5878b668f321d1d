//! Names and lines of frames, read by what the interpreter says of itself: each code object once.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::super::table::Table;
use super::lines;
use super::memo::{Identity, NO_FUNCTION, Place};
use super::memory::{bytes, field, int, word};
use super::offsets::Objects;
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
/// What the interpreter calls code of its own that stands between functions.
const SHIM: &str = "<shim>";

/// See the module's documentation.
pub struct Codes {
    objects: Objects,
    /// The type of code objects.
    kind: Option<u64>,
    known: FxHashMap<u64, (Box<Identity>, Option<Rc<Code>>)>,
}

/// A code object.
struct Code {
    name: String,
    file: String,
    first_line: u32,
    lines: Vec<u8>,
    /// Bytes of code.
    length: u64,
}

impl Code {
    /// Whether it is code of the interpreter's own, which stands between functions. In 3.13 that which looks at what an
    /// `__init__` gives back has its name for a file.
    fn is_shim(&self) -> bool {
        self.file.is_empty() || self.file == SHIM || self.file == self.name && self.first_line == 0
    }
}

impl Codes {
    pub fn new(objects: Objects) -> Self {
        Self { objects, kind: None, known: FxHashMap::default() }
    }

    /// The number of the frame at this place; [`NO_FUNCTION`]: it is none. `None`: what is there is no code, or none that
    /// has this position.
    pub fn frame(
        &mut self,
        pid: i32,
        (place, identity): (&Place, &Identity),
        table: &mut Table,
        define: &mut dyn FnMut(&Event<'_>),
    ) -> Option<u32> {
        let (address, position) = *place;
        let code = self.code(pid, address, identity)?;
        if code.is_shim() {
            return Some(NO_FUNCTION);
        }
        if position >= code.length {
            return None;
        }
        let frame = Frame {
            kind: FrameKind::Python,
            name: code.name.as_bytes(),
            file: code.file.as_bytes(),
            line: lines::line(&code.lines, code.first_line, position),
            ..Frame::UNKNOWN
        };
        Some(table.frame(&frame, define))
    }

    fn code(&mut self, pid: i32, address: u64, identity: &Identity) -> Option<Rc<Code>> {
        if let Some((_, code)) = self.known.get(&address).filter(|(known, _)| **known == *identity) {
            return code.clone();
        }
        let code = self.read(pid, address).map(Rc::new);
        if self.known.len() >= MOST {
            self.known.clear();
        }
        self.known.insert(address, (Box::new(*identity), code.clone()));
        code
    }

    fn read(&mut self, pid: i32, address: u64) -> Option<Code> {
        let Objects { kind, length, file, qualified_name, line_table, first_line, .. } = self.objects;
        let last = [kind, length, file, qualified_name, line_table, first_line].into_iter().max()?;
        let object = bytes(pid, address, last + 8)?;
        if !self.is_code(pid, field(&object, kind)) {
            return None;
        }
        Some(Code {
            name: self.text(pid, field(&object, qualified_name))?,
            file: self.text(pid, field(&object, file))?,
            first_line: int(&object, first_line),
            lines: self.table(pid, field(&object, line_table)).unwrap_or_default(),
            length: field(&object, length).checked_mul(UNIT)?,
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
    fn table(&self, pid: i32, address: u64) -> Option<Vec<u8>> {
        let length = word(pid, address, self.objects.length).filter(|length| *length <= LONGEST_TABLE)?;
        bytes(pid, address.wrapping_add(self.objects.bytes as u64), length as usize)
    }

    /// What a `str` holds.
    fn text(&self, pid: i32, address: u64) -> Option<String> {
        let Objects { text_state, width_bit, text_length, text, .. } = self.objects;
        let head = bytes(pid, address, text)?;
        let state = int(&head, text_state) >> width_bit;
        let length = field(&head, text_length);
        let (width, is_compact, is_ascii) = (state & 7, state & 8 != 0, state & 16 != 0);
        if length > LONGEST_TEXT || !is_compact {
            return None;
        }
        // Of others than ASCII, its UTF-8 form and how long that is stand before the characters.
        let begin = if is_ascii { text } else { text + 16 };
        let characters = bytes(pid, address.wrapping_add(begin as u64), length as usize * width as usize)?;
        match (width, is_ascii) {
            (1, true) => String::from_utf8(characters).ok(),
            (1, false) => Some(characters.iter().copied().map(char::from).collect()),
            (2 | 4, false) => characters
                .chunks_exact(width as usize)
                .map(|character| {
                    let number =
                        character.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte));
                    // File names that are no UTF-8 have halves of pairs for their bytes.
                    Some(char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER))
                })
                .collect(),
            _ => None,
        }
    }
}
