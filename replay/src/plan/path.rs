//! Interned paths: each distinct path is kept once, NUL-terminated, in one arena.
//!
//! A call then holds four bytes, and an engine hands the kernel a pointer without copying. The hash is
//! keyed at random, because the paths of a log may have been chosen to collide.

use std::ffi::CStr;
use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use crate::sys::text::until_nul;

/// A path of one [`Plan`](super::Plan).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathId(pub(crate) u32);

/// The distinct paths of a plan, in order of first use.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    arena: Vec<u8>,
    /// Where each path begins; its end is the NUL before the next one.
    starts: Vec<u32>,
    ids: HashTable<u32>,
    hasher: RandomState,
}

impl Paths {
    /// The path's id, new or known. The caller has checked the length and that there is no NUL in it;
    /// `None` if the arena would pass 4 GiB.
    pub(crate) fn intern(&mut self, path: &[u8]) -> Option<PathId> {
        let hash = self.hasher.hash_one(path);
        let (arena, starts) = (&self.arena, &self.starts);
        if let Some(&id) = self.ids.find(hash, |&id| bytes_of(arena, starts, id) == path) {
            return Some(PathId(id));
        }
        let id = u32::try_from(self.starts.len()).ok()?;
        let start = u32::try_from(self.arena.len()).ok()?;
        self.arena.extend_from_slice(path);
        self.arena.push(0);
        self.starts.push(start);
        let (arena, starts, hasher) = (&self.arena, &self.starts, &self.hasher);
        self.ids.insert_unique(hash, id, |&id| hasher.hash_one(bytes_of(arena, starts, id)));
        Some(PathId(id))
    }

    /// Puts a directory before every absolute path; `None` if the arena would pass 4 GiB.
    pub(crate) fn prefix(&mut self, directory: &[u8]) -> Option<()> {
        let mut new = Self::default();
        for id in 0..self.starts.len() as u32 {
            let path = self.bytes(PathId(id));
            let start = u32::try_from(new.arena.len()).ok()?;
            if path.starts_with(b"/") {
                new.arena.extend_from_slice(directory);
            }
            new.arena.extend_from_slice(path);
            new.arena.push(0);
            new.starts.push(start);
        }
        // Ids stay; nothing is looked up by its bytes any more.
        *self = new;
        Some(())
    }

    pub(crate) fn bytes(&self, id: PathId) -> &[u8] {
        bytes_of(&self.arena, &self.starts, id.0)
    }

    /// The path as the kernel takes it.
    pub(crate) fn c_str(&self, id: PathId) -> &CStr {
        until_nul(&self.arena[self.starts[id.0 as usize] as usize..])
    }

    pub(crate) fn len(&self) -> usize {
        self.starts.len()
    }

    pub(crate) fn arena_len(&self) -> usize {
        self.arena.len()
    }
}

fn bytes_of<'a>(arena: &'a [u8], starts: &[u32], id: u32) -> &'a [u8] {
    let index = id as usize;
    let end = starts.get(index + 1).map_or(arena.len(), |&next| next as usize);
    &arena[starts[index] as usize..end - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_kept_once() {
        let mut paths = Paths::default();
        let ids: Vec<PathId> = [&b"/usr"[..], b"", b"/usr", b"lib", b""]
            .iter()
            .map(|path| paths.intern(path).unwrap())
            .collect();
        assert_eq!((ids[0], ids[1]), (ids[2], ids[4]));
        assert_eq!(paths.len(), 3);
        assert_eq!(paths.bytes(ids[0]), b"/usr");
        assert_eq!(paths.bytes(ids[1]), b"");
        assert_eq!(paths.c_str(ids[3]), c"lib");
        assert_eq!(paths.c_str(ids[1]), c"");
    }
}
