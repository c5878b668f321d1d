//! Byte strings stored once each, named by small numbers.
//!
//! A log of millions of events names tens of thousands of paths; an id is four bytes, and comparing
//! two ids is comparing two paths. Strings lie end to end in one buffer, so an interned string costs
//! its bytes and about 20 more.

use std::hash::Hasher;

use rustc_hash::{FxHashMap, FxHasher};

/// Id of a string in an [`Interner`].
pub type Id = u32;

/// See the module's documentation.
#[derive(Debug, Default)]
pub struct Interner {
    /// Hash of a string to the newest id with that hash.
    newest: FxHashMap<u64, Id>,
    /// For each id, the next older id with the same hash.
    older: Vec<Option<Id>>,
    /// For each id, where its bytes end in `bytes`; they begin where the one before ends.
    ends: Vec<usize>,
    bytes: Vec<u8>,
}

impl Interner {
    /// The id of a string, a new one if it was not seen before.
    pub fn id(&mut self, text: &[u8]) -> Id {
        let hash = hash(text);
        if let Some(id) = self.with_hash(hash, text) {
            return id;
        }
        let id = self.ends.len() as Id;
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len());
        self.older.push(self.newest.insert(hash, id));
        id
    }

    /// The id of a string that was seen before.
    #[must_use]
    pub fn find(&self, text: &[u8]) -> Option<Id> {
        self.with_hash(hash(text), text)
    }

    fn with_hash(&self, hash: u64, text: &[u8]) -> Option<Id> {
        let mut candidate = self.newest.get(&hash).copied();
        while let Some(id) = candidate.filter(|&id| self.get(id) != text) {
            candidate = self.older[id as usize];
        }
        candidate
    }

    /// Length of all strings together.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The string of an id; empty for an id that was never given out.
    #[must_use]
    pub fn get(&self, id: Id) -> &[u8] {
        let at = id as usize;
        let Some(&end) = self.ends.get(at) else { return b"" };
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[start..end]
    }

    /// How many distinct strings there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether nothing was interned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

fn hash(text: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(text);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_string_has_the_same_id() {
        let mut interner = Interner::default();
        let a = interner.id(b"/usr/lib");
        let b = interner.id(b"");
        let c = interner.id(b"/usr/lib/x\xff");
        assert_eq!((a, b, c), (0, 1, 2));
        assert_eq!(interner.id(b"/usr/lib"), a);
        assert_eq!(interner.id(b""), b);
        assert_eq!(interner.get(c), b"/usr/lib/x\xff");
        assert_eq!(interner.get(b), b"");
        assert_eq!(interner.len(), 3);
        assert_eq!((interner.find(b"/usr/lib"), interner.find(b"/usr")), (Some(a), None));
        assert_eq!(interner.bytes(), 8 + 11);
        assert_eq!(interner.get(99), b"", "an unknown id is no panic");
    }

    #[test]
    fn many_strings_keep_their_ids() {
        let mut interner = Interner::default();
        let ids: Vec<Id> = (0..10_000).map(|n: u32| interner.id(n.to_string().as_bytes())).collect();
        assert_eq!(interner.len(), 10_000);
        for (n, id) in ids.iter().enumerate() {
            assert_eq!(interner.get(*id), n.to_string().as_bytes());
        }
    }
}
