//! Every name of a tree, also below directories whose permissions keep their owner out.
//!
//! Who is not root must open those before looking into them or changing what is in them, and give them their permissions
//! again. That leaves nothing by which a run could see it, nor what tells whether a run has changed something.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;

use super::{Tree, about, set_mode};
use crate::scratch::manifest::OWN_DIRECTORY;

/// What an owner needs to list a directory and to make and remove names in it.
const OPEN: u32 = 0o700;

/// What was there before any directory was opened.
pub(super) struct Walked {
    root: fs::Metadata,
    /// In the order of paths: what is in a directory comes after it.
    pub(super) names: BTreeMap<Box<[u8]>, fs::Metadata>,
}

/// Whether a directory had to be opened.
pub(super) fn was_closed(metadata: &fs::Metadata) -> bool {
    metadata.is_dir() && metadata.mode() & OPEN != OPEN
}

impl Tree {
    /// Looks at every name, and leaves all directories open to their owner.
    pub(super) fn open(&self) -> io::Result<Walked> {
        let root = self.root.symlink_metadata().map_err(about(b""))?;
        self.open_one(b"", &root)?;
        let mut walked = Walked { root, names: BTreeMap::new() };
        let mut open = vec![Vec::new()];
        while let Some(directory) = open.pop() {
            for (path, metadata) in self.list(&directory).map_err(about(&directory))? {
                if metadata.is_dir() {
                    self.open_one(&path, &metadata)?;
                    open.push(path.clone());
                }
                walked.names.insert(path.into(), metadata);
            }
        }
        Ok(walked)
    }

    fn open_one(&self, path: &[u8], metadata: &fs::Metadata) -> io::Result<()> {
        if !was_closed(metadata) {
            return Ok(());
        }
        set_mode(&self.path(path), metadata.mode() & 0o7777 | OPEN).map_err(about(path))
    }

    /// The names in a directory, but for the tree's own.
    fn list(&self, directory: &[u8]) -> io::Result<Vec<(Vec<u8>, fs::Metadata)>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.path(directory))? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.as_bytes();
            if directory.is_empty() {
                if name != OWN_DIRECTORY.as_bytes() {
                    names.push((name.to_vec(), entry.metadata()?));
                }
            } else {
                names.push(([directory, b"/", name].concat(), entry.metadata()?));
            }
        }
        Ok(names)
    }

    /// Gives directories the permissions that they had, from the innermost on.
    pub(super) fn close(&self, walked: &Walked) -> io::Result<()> {
        let names = walked.names.iter().rev().map(|(path, metadata)| (&**path, metadata));
        for (path, metadata) in names.chain([(&b""[..], &walked.root)]) {
            if was_closed(metadata) {
                set_mode(&self.path(path), metadata.mode() & 0o7777).map_err(about(path))?;
            }
        }
        Ok(())
    }
}
