//! The dictionary of one text column while a batch is being filled: each text is stored once and
//! known by its number.
//!
//! The hash table and the arena keep their memory from batch to batch, so a recording in its
//! steady state allocates nothing here. Texts are looked up by their bytes; only a new one is
//! checked for being UTF-8 (see [`crate::event::escape`]).

use std::hash::Hasher;

use rustc_hash::FxHasher;

use crate::event::escape;

/// Marks a free place in the hash table.
const FREE: u32 = u32::MAX;

/// Smallest hash table; a power of two, as all sizes are.
const FIRST_SLOTS: usize = 64;

/// See the module.
#[derive(Debug)]
pub(super) struct Interner {
    /// All texts, one after the other: valid UTF-8.
    text: Vec<u8>,
    /// Where each text begins, and the end of the last one.
    offsets: Vec<i32>,
    /// Hash of each text; the lowest bit is set for those stored escaped, so that a name that
    /// looks like another one's escaped form is not taken for it.
    tags: Vec<u64>,
    /// Open-addressing table of numbers, at most half full.
    slots: Vec<u32>,
    /// Differs from run to run, so that nobody can prepare names with equal hashes.
    seed: usize,
    /// The number given out last: neighbouring events often share their text.
    last: usize,
    /// Reused for texts that need escapes.
    escaped: String,
}

impl Interner {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            text: Vec::new(),
            offsets: vec![0],
            tags: Vec::new(),
            slots: vec![FREE; FIRST_SLOTS],
            seed: seed as usize,
            last: usize::MAX,
            escaped: String::new(),
        }
    }

    /// The number of this text, a new one if it has none yet.
    ///
    /// The caller sees to it that a batch never holds more than 2 GiB of text.
    pub(super) fn intern(&mut self, bytes: &[u8]) -> i32 {
        if self.tags.get(self.last).is_some_and(|tag| tag & 1 == 0) && self.get(self.last) == bytes {
            return self.last as i32;
        }
        let tag = self.tag(bytes) & !1;
        let number = match self.find(tag, bytes) {
            Some(number) => number,
            None if escape::is_needed(bytes) => self.intern_escaped(bytes),
            None => self.insert(tag, bytes),
        };
        self.last = number;
        number as i32
    }

    fn intern_escaped(&mut self, bytes: &[u8]) -> usize {
        let mut text = std::mem::take(&mut self.escaped);
        text.clear();
        escape::escape(bytes, &mut text);
        let tag = self.tag(text.as_bytes()) | 1;
        let number = match self.find(tag, text.as_bytes()) {
            Some(number) => number,
            None => self.insert(tag, text.as_bytes()),
        };
        self.escaped = text;
        number
    }

    /// Length of all texts in bytes.
    pub(super) fn text_len(&self) -> usize {
        self.text.len()
    }

    /// All texts, one after the other.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Where each text begins in [`Self::text`], and the end of the last one.
    pub(super) fn offsets(&self) -> &[i32] {
        &self.offsets
    }

    /// Forgets all texts, keeps the memory.
    pub(super) fn clear(&mut self) {
        if !self.tags.is_empty() {
            self.slots.fill(FREE);
        }
        self.text.clear();
        self.offsets.truncate(1);
        self.tags.clear();
        self.last = usize::MAX;
    }

    fn get(&self, number: usize) -> &[u8] {
        &self.text[self.offsets[number] as usize..self.offsets[number + 1] as usize]
    }

    fn tag(&self, bytes: &[u8]) -> u64 {
        let mut hasher = FxHasher::with_seed(self.seed);
        hasher.write(bytes);
        hasher.finish()
    }

    fn find(&self, tag: u64, bytes: &[u8]) -> Option<usize> {
        let mask = self.slots.len() - 1;
        let mut slot = (tag >> 1) as usize & mask;
        loop {
            let number = self.slots[slot];
            if number == FREE {
                return None;
            }
            if self.tags[number as usize] == tag && self.get(number as usize) == bytes {
                return Some(number as usize);
            }
            slot = (slot + 1) & mask;
        }
    }

    fn insert(&mut self, tag: u64, bytes: &[u8]) -> usize {
        let number = self.tags.len();
        self.text.extend_from_slice(bytes);
        self.offsets.push(self.text.len() as i32);
        self.tags.push(tag);
        if self.tags.len() * 2 > self.slots.len() {
            self.slots.clear();
            self.slots.resize(self.tags.len().next_power_of_two() * 4, FREE);
            (0..=number).for_each(|number| self.place(number));
        } else {
            self.place(number);
        }
        number
    }

    /// Enters a number that is not in the table yet.
    fn place(&mut self, number: usize) {
        let mask = self.slots.len() - 1;
        let mut slot = (self.tags[number] >> 1) as usize & mask;
        while self.slots[slot] != FREE {
            slot = (slot + 1) & mask;
        }
        self.slots[slot] = number as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(interner: &Interner) -> Vec<&str> {
        (0..interner.tags.len()).map(|number| str::from_utf8(interner.get(number)).unwrap()).collect()
    }

    #[test]
    fn equal_texts_share_a_number() {
        let mut interner = Interner::new(1);
        let numbers: Vec<i32> =
            ["a", "b", "a", "", "", "b", "c"].iter().map(|text| interner.intern(text.as_bytes())).collect();
        assert_eq!(numbers, [0, 1, 0, 2, 2, 1, 3]);
        assert_eq!(texts(&interner), ["a", "b", "", "c"]);
        assert_eq!(interner.offsets(), [0, 1, 2, 2, 3]);
        assert_eq!(interner.text_len(), 3);
    }

    #[test]
    fn many_texts_survive_the_growth_of_the_table() {
        let mut interner = Interner::new(7);
        let name = |i: i32| format!("/usr/lib/file{i}");
        for _ in 0..2 {
            for i in 0..10_000 {
                assert_eq!(interner.intern(name(i).as_bytes()), i);
            }
        }
        assert_eq!(texts(&interner)[4321], name(4321));
        let slots = interner.slots.len();
        interner.clear();
        assert_eq!(interner.intern(b"again"), 0);
        assert_eq!(texts(&interner), ["again"]);
        assert_eq!(interner.slots.len(), slots, "memory is kept");
    }

    #[test]
    fn a_name_like_an_escape_is_another_name() {
        let mut interner = Interner::new(3);
        let raw = interner.intern(b"\xff");
        let imitation = texts(&interner)[0].to_owned();
        let other = interner.intern(imitation.as_bytes());
        assert_ne!(raw, other);
        assert_eq!(interner.intern(b"\xff"), raw);
        assert_eq!(interner.intern(imitation.as_bytes()), other);
        let all = texts(&interner);
        assert_eq!(all.len(), 2);
        assert_ne!(all[0], all[1]);
    }
}
