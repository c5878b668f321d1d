//! Puts a tree back as it was made: what a run has made goes, what it has changed is made again.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{Tree, set_mode, stamp};
use crate::scratch::manifest::{Item, Made, OWN_DIRECTORY};

impl Tree {
    /// Puts everything back as it was when the tree was made.
    pub(crate) fn restore(&mut self) -> io::Result<()> {
        set_mode(&self.root, self.root_mode)?;
        let found = self.walk()?;
        let kept = self.kept(&found);
        // What is below a directory comes after it in the order of paths: backwards, it goes first.
        for (path, metadata) in found.iter().rev() {
            match self.made.get(path).copied().filter(|_| kept.contains(&**path)) {
                Some(made) if made.mode != metadata.mode() => set_mode(&self.path(path), made.mode & 0o7777)?,
                Some(_) => {}
                None => {
                    let path = self.path(path);
                    self.remove(&path, metadata)?;
                }
            }
        }
        let is_missing =
            |item: &Item| !item.path.starts_with(OWN_DIRECTORY.as_bytes()) && !kept.contains(&item.path[..]);
        let missing: Vec<usize> =
            (0..self.items.len()).filter(|&index| is_missing(&self.items[index])).collect();
        let missing = self.with_other_names(missing)?;
        self.make_again(&missing)
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
            let path = self.path(&self.items[index].path);
            self.remove(&path, &path.symlink_metadata()?)?;
        }
        missing.extend(others);
        missing.sort_unstable();
        Ok(missing)
    }

    /// Makes items again; the directories they are in may have permissions against that.
    fn make_again(&mut self, missing: &[usize]) -> io::Result<()> {
        for &index in missing {
            if let Err(error) = self.make_item(index) {
                let parent = self.path(&self.items[index].path).parent().map(Path::to_owned);
                let Some(parent) = parent.filter(|_| error.kind() == io::ErrorKind::PermissionDenied) else {
                    return Err(error);
                };
                let mode = parent.symlink_metadata()?.mode();
                set_mode(&parent, 0o700)?;
                self.make_item(index)?;
                set_mode(&parent, mode & 0o7777)?;
            }
        }
        self.close_directories(missing)?;
        self.stamp_others(missing)
    }

    /// Removes a name; its directory may have lost the permission for that.
    fn remove(&mut self, path: &Path, metadata: &fs::Metadata) -> io::Result<()> {
        let mut remove = || match &mut self.kept {
            Some(kept) => kept.take(path, metadata),
            None => remove(path, metadata),
        };
        match (remove(), path.parent()) {
            (Err(error), Some(parent)) if error.kind() == io::ErrorKind::PermissionDenied => {
                let mode = parent.symlink_metadata()?.mode();
                set_mode(parent, 0o700)?;
                remove()?;
                set_mode(parent, mode & 0o7777)
            }
            (done, _) => done,
        }
    }
}

pub(super) fn remove(path: &Path, metadata: &fs::Metadata) -> io::Result<()> {
    if metadata.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) }
}
