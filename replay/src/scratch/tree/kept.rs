//! Files that runs have made and whose inodes are kept until the end, where a freed inode makes the next file dearer.
//!
//! ext4 without a journal gives no inode to a new file within a minute and more of its removal (`recently_deleted`,
//! fs/ext4/ialloc.c): whoever makes a file passes all those over, one after the other. A replay makes and removes the
//! same files again and again, so its runs, and the putting back between them, would take as long as the product of both. So there
//! what a run has made is emptied and moved away instead, into the tree's own directory, which no call of a log reaches.
//! (Of what other replays have removed it is kept away by its place: `home`.)

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::restore::remove;
use crate::scratch::manifest::OWN_DIRECTORY;
use crate::sys::files::free_inodes;

/// More are not kept: they are to be removed at the end.
const MOST: u64 = 1_000_000;

/// The directory that they are in.
#[derive(Debug)]
pub(super) struct Kept {
    directory: PathBuf,
    count: u64,
    most: u64,
}

impl Kept {
    /// Room for as many as do not matter to others.
    pub(super) fn new(root: &Path) -> io::Result<Self> {
        let directory = root.join(OWN_DIRECTORY).join("removed");
        DirBuilder::new().mode(0o700).create(&directory)?;
        let most = MOST.min(free_inodes(&File::open(&directory)?)? / 4);
        Ok(Self { directory, count: 0, most })
    }

    /// Moves a name away. One of several is removed, which frees no inode, and what there is no room for.
    pub(super) fn take(&mut self, path: &Path, metadata: &Metadata) -> io::Result<()> {
        // Other names may have gone since.
        let is_last = metadata.is_dir() || metadata.nlink() == 1 || path.symlink_metadata()?.nlink() == 1;
        if !is_last || self.count == self.most {
            return remove(path, metadata);
        }
        if metadata.is_file() && metadata.size() > 0 {
            fs::set_permissions(path, Permissions::from_mode(0o600))?;
            OpenOptions::new().write(true).truncate(true).custom_flags(libc::O_NOFOLLOW).open(path)?;
        }
        fs::rename(path, self.directory.join(self.count.to_string()))?;
        self.count += 1;
        Ok(())
    }
}
