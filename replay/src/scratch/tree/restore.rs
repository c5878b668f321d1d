//! Puts a tree back as it was made: what a run has made goes, what it has changed is made again.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::walk::was_closed;
use super::{Tree, about, set_mode, stamp};
use crate::scratch::manifest::{Item, Made, OWN_DIRECTORY};

impl Tree {
    /// Puts everything back as it was when the tree was made.
    pub(crate) fn restore(&mut self) -> io::Result<()> {
        let advise = |error: io::Error| {
            let kind = error.kind();
            io::Error::new(kind, format!("{error} (another directory: --scratch DIR, or TMPDIR=DIR)"))
        };
        self.put_back().map_err(advise)
    }

    fn put_back(&mut self) -> io::Result<()> {
        let found = self.open()?.names;
        let kept = self.kept(&found);
        // What is below a directory comes after it in the order of paths: backwards, it goes first.
        for (path, metadata) in found.iter().rev().filter(|(path, _)| !kept.contains(&***path)) {
            self.remove(path, metadata)?;
        }
        let is_missing =
            |item: &Item| !item.path.starts_with(OWN_DIRECTORY.as_bytes()) && !kept.contains(&item.path[..]);
        let missing: Vec<usize> =
            (0..self.items.len()).filter(|&index| is_missing(&self.items[index])).collect();
        let missing = self.with_other_names(missing)?;
        missing.iter().try_for_each(|&index| self.make_item(index))?;
        self.finish(&missing)?;
        for (path, metadata) in found.iter().rev().filter(|(path, _)| kept.contains(&***path)) {
            let made = self.made.get(path).filter(|made| made.is_directory());
            if let Some(made) = made.filter(|made| made.mode != metadata.mode() || was_closed(metadata)) {
                set_mode(&self.path(path), made.mode & 0o7777).map_err(about(path))?;
            }
        }
        set_mode(&self.root, self.root_mode).map_err(about(b""))
    }

    /// What is still what was made, in directories that are.
    fn kept<'a>(&self, found: &'a BTreeMap<Box<[u8]>, fs::Metadata>) -> HashSet<&'a [u8]> {
        let mut kept: HashSet<&[u8]> = HashSet::with_capacity(found.len());
        for (path, metadata) in found {
            let parent = path.iter().rposition(|&byte| byte == b'/').map(|slash| &path[..slash]);
            let is_same = self.made.get(path).is_some_and(|made| {
                let now = stamp(metadata);
                *made == now || (made.is_directory() && made.is_same_but_mode(&now))
            });
            if is_same && parent.is_none_or(|parent| kept.contains(parent)) {
                kept.insert(path);
            }
        }
        kept
    }

    /// Of a file with several names, all are made again if one is: those that are still there go.
    fn with_other_names(&mut self, mut missing: Vec<usize>) -> io::Result<Vec<usize>> {
        let first = |index: usize| match self.items[index].what {
            Made::Name { of } => of as usize,
            _ => index,
        };
        let broken: HashSet<usize> = missing.iter().map(|&index| first(index)).collect();
        let all: HashSet<usize> = missing.iter().copied().collect();
        let is_file = |index: usize| matches!(self.items[index].what, Made::File { .. } | Made::Name { .. });
        let is_other =
            |&index: &usize| is_file(index) && broken.contains(&first(index)) && !all.contains(&index);
        let others: Vec<usize> = (0..self.items.len()).filter(is_other).collect();
        for &index in &others {
            let path = self.items[index].path.clone();
            let metadata = self.path(&path).symlink_metadata().map_err(about(&path))?;
            self.remove(&path, &metadata)?;
        }
        missing.extend(others);
        missing.sort_unstable();
        Ok(missing)
    }

    fn remove(&mut self, path: &[u8], metadata: &fs::Metadata) -> io::Result<()> {
        let place = self.path(path);
        let removed = match &mut self.kept {
            Some(kept) => kept.take(&place, metadata),
            None => remove(&place, metadata),
        };
        removed.map_err(about(path))
    }
}

pub(super) fn remove(path: &Path, metadata: &fs::Metadata) -> io::Result<()> {
    if metadata.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) }
}
