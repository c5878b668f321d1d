//! The columns that take more than a vector to fill: texts, numbers with nulls, lists of texts.

use super::intern::Interner;
use crate::event::escape;

/// A text column: a number into the dictionary per row, -1 for null.
#[derive(Debug)]
pub(super) struct TextColumn {
    pub(super) keys: Vec<i32>,
    pub(super) dictionary: Interner,
}

impl TextColumn {
    pub(super) fn new(seed: u64, rows: usize) -> Self {
        Self { keys: Vec::with_capacity(rows), dictionary: Interner::new(seed) }
    }

    pub(super) fn push(&mut self, text: Option<&[u8]>) {
        let key = text.map_or(-1, |text| self.dictionary.intern(text));
        self.keys.push(key);
    }

    pub(super) fn clear(&mut self) {
        self.keys.clear();
        self.dictionary.clear();
    }
}

/// A column of numbers, some of them null.
#[derive(Debug)]
pub(super) struct NullableColumn<T> {
    /// 0 where null.
    pub(super) values: Vec<T>,
    pub(super) valid: Vec<bool>,
}

impl<T: Default> NullableColumn<T> {
    pub(super) fn new(rows: usize) -> Self {
        Self { values: Vec::with_capacity(rows), valid: Vec::with_capacity(rows) }
    }

    pub(super) fn push(&mut self, value: Option<T>) {
        self.valid.push(value.is_some());
        self.values.push(value.unwrap_or_default());
    }

    pub(super) fn clear(&mut self) {
        self.values.clear();
        self.valid.clear();
    }
}

/// A column of bytes, some of them null.
#[derive(Debug)]
pub(super) struct BytesColumn {
    pub(super) valid: Vec<bool>,
    /// Where each row's bytes begin, and the end of the last row's.
    pub(super) offsets: Vec<i32>,
    pub(super) bytes: Vec<u8>,
}

impl BytesColumn {
    pub(super) fn new() -> Self {
        Self { valid: Vec::new(), offsets: vec![0], bytes: Vec::new() }
    }

    pub(super) fn push(&mut self, bytes: Option<&[u8]>) {
        self.valid.push(bytes.is_some());
        self.bytes.extend_from_slice(bytes.unwrap_or_default());
        self.offsets.push(self.bytes.len() as i32);
    }

    pub(super) fn clear(&mut self) {
        self.valid.clear();
        self.offsets.truncate(1);
        self.bytes.clear();
    }
}

/// The `argv` column: a list of texts per row.
#[derive(Debug)]
pub(super) struct ListColumn {
    pub(super) valid: Vec<bool>,
    /// Where each row's texts begin in `item_ends`, and the end of the last row's.
    pub(super) offsets: Vec<i32>,
    /// Where each text begins in `text`, and the end of the last one.
    pub(super) item_offsets: Vec<i32>,
    pub(super) text: String,
}

impl ListColumn {
    pub(super) fn new() -> Self {
        Self { valid: Vec::new(), offsets: vec![0], item_offsets: vec![0], text: String::new() }
    }

    /// Appends an argument list, each argument ended by NUL.
    pub(super) fn push(&mut self, list: Option<&[u8]>) {
        self.valid.push(list.is_some());
        if let Some((&last, rest)) = list.and_then(<[u8]>::split_last) {
            let (whole, cut) = if last == 0 { (rest, false) } else { (list.unwrap_or_default(), true) };
            for item in whole.split(|&byte| byte == 0) {
                escape::escape(item, &mut self.text);
                self.item_offsets.push(self.text.len() as i32);
            }
            if cut && let Some(end) = self.item_offsets.last_mut() {
                self.text.push(escape::UNTERMINATED);
                *end = self.text.len() as i32;
            }
        }
        self.offsets.push(self.item_offsets.len() as i32 - 1);
    }

    pub(super) fn clear(&mut self) {
        self.valid.clear();
        self.offsets.truncate(1);
        self.item_offsets.truncate(1);
        self.text.clear();
    }
}
