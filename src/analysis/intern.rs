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
        let mut hasher = FxHasher::default();
        hasher.write(text);
        let hash = hasher.finish();
        let newest = self.newest.get(&hash).copied();
        let mut candidate = newest;
        while let Some(id) = candidate {
            if self.get(id) == text {
                return id;
            }
            candidate = self.older[id as usize];
        }
        let id = self.ends.len() as Id;
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len());
        self.older.push(newest);
        self.newest.insert(hash, id);
        id
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
