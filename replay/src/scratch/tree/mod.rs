//! The scratch tree on disk: made from its list here, looked at after each run in `state`, and put back as it was in
//! `restore`.
//!
//! Only what a run has changed is made again: what has another inode, time of modification, size or mode than when it
//! was made. A kernel's clock for files ticks a few hundred times a second, so a change right after a file was made could
//! leave its time as it is; therefore all that is made gets a time long ago ([`MADE`]), which no call of a replay sets.

mod kept;
mod restore;
mod state;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use kept::Kept;
pub(crate) use state::{State, first_difference, first_other_name};

use super::manifest::{Item, Made, OWN_DIRECTORY};
use crate::sys::files::{set_modified, share_blocks};

/// Filler is written so many bytes at a time.
const CHUNK: usize = 1 << 20;
/// Entries made between two reports of progress.
const REPORTED: usize = 5_000;
/// When files and links of a tree were modified last, after the beginning of time.
const MADE: Duration = Duration::from_secs(2 * 3600);

/// What tells whether something is still what was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    mode: u32,
    /// Of files and links; directories change with what is in them.
    size: u64,
    modified: (i64, i64),
    /// It is made again before each run: what else may have changed shows in nothing that is cheap to look at.
    is_fleeting: bool,
}

impl Stamp {
    fn is_directory(&self) -> bool {
        self.mode & libc::S_IFMT == libc::S_IFDIR
    }

    /// A directory's permissions can be put right. (What a run has made in place of a file can have its inode.)
    fn is_same_but_mode(&self, now: &Self) -> bool {
        !self.is_fleeting && self.inode == now.inode && (self.mode ^ now.mode) & libc::S_IFMT == 0
    }
}

/// A tree that replays run in.
#[derive(Debug)]
pub(crate) struct Tree {
    root: PathBuf,
    root_mode: u32,
    items: Vec<Item>,
    made: HashMap<Box<[u8]>, Stamp>,
    /// Where removing files makes others dearer: those that runs have made.
    kept: Option<Kept>,
}

impl Tree {
    /// Makes a tree below an empty directory. `progress` is told of how many entries are made.
    pub(crate) fn make(
        root: &Path,
        root_mode: u32,
        items: Vec<Item>,
        mut progress: impl FnMut(usize, usize),
    ) -> io::Result<Self> {
        let mut tree = Self { root: root.to_owned(), root_mode, items, made: HashMap::new(), kept: None };
        let all: Vec<usize> = (0..tree.items.len()).collect();
        for chunk in all.chunks(REPORTED) {
            progress(chunk[0], all.len());
            chunk.iter().try_for_each(|&index| tree.make_item(index))?;
        }
        tree.finish(&all)?;
        set_mode(root, root_mode).map_err(about(b""))?;
        Ok(tree)
    }

    /// From now on inodes of what runs have made are kept.
    pub(crate) fn keep_inodes(&mut self) -> io::Result<()> {
        self.kept = Some(Kept::new(&self.root)?);
        Ok(())
    }

    /// Whether files here can share blocks, found out by doing.
    pub(crate) fn shares_blocks(&self) -> bool {
        let own = self.path(OWN_DIRECTORY.as_bytes());
        let [from, to] = ["blocks", "shared"].map(|name| own.join(name));
        let tried = fs::write(&from, "contents").and_then(|()| {
            let (from, to) = (File::open(&from)?, File::create(&to)?);
            share_blocks(&from, &to)
        });
        for made in [from, to] {
            let _ = fs::remove_file(made);
        }
        tried.is_ok()
    }

    /// Where it is, and what it was made of.
    pub(crate) fn made_of(&self) -> (&[u8], &[Item]) {
        let root = self.root.as_os_str().as_bytes();
        (if root == b"/" { b"" } else { root }, &self.items)
    }

    pub(crate) fn entries(&self) -> usize {
        self.items.len()
    }

    /// Bytes that files have contents of.
    pub(crate) fn bytes(&self) -> u64 {
        let filled = self.items.iter().map(|item| match item.what {
            Made::File { filled, .. } => filled,
            _ => 0,
        });
        filled.sum()
    }

    fn path(&self, path: &[u8]) -> PathBuf {
        self.root.join(OsStr::from_bytes(path))
    }

    fn make_item(&mut self, index: usize) -> io::Result<()> {
        let stamp = self.make_one(index).map_err(|error| about(&self.items[index].path)(error))?;
        if let Some(stamp) = stamp {
            self.made.insert(self.items[index].path.as_slice().into(), stamp);
        }
        Ok(())
    }

    /// A file's stamp is taken while it is open, which saves a lookup; those of others when all are made.
    fn make_one(&self, index: usize) -> io::Result<Option<Stamp>> {
        let item = &self.items[index];
        let path = self.path(&item.path);
        match &item.what {
            Made::Directory => DirBuilder::new().mode(0o700).create(path)?,
            Made::File { size, filled } => {
                let flags = libc::O_NOFOLLOW | libc::O_CLOEXEC;
                let mut file = OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(item.mode)
                    .custom_flags(flags)
                    .open(path)?;
                fill(&mut file, *filled)?;
                if size > filled {
                    file.set_len(*size)?;
                }
                file.set_modified(SystemTime::UNIX_EPOCH + MADE)?;
                let mut metadata = file.metadata()?;
                // Mostly it has them: the confined process has no umask.
                if metadata.mode() & 0o7777 != item.mode {
                    file.set_permissions(Permissions::from_mode(item.mode))?;
                    metadata = file.metadata()?;
                }
                return Ok(Some(Stamp { is_fleeting: item.has_attributes, ..stamp(&metadata) }));
            }
            Made::Link(target) => {
                symlink(OsStr::from_bytes(target), &path)?;
                set_modified(&path, MADE)?;
            }
            Made::Name { of } => fs::hard_link(self.path(&self.items[*of as usize].path), path)?,
        }
        Ok(None)
    }

    /// Directories get their own permissions when all is in them, from the innermost on; what has no stamp yet gets one.
    fn finish(&mut self, made: &[usize]) -> io::Result<()> {
        for &index in made.iter().rev() {
            let Item { path, what, mode, has_attributes } = &self.items[index];
            let place = self.path(path);
            let looked_at = match what {
                Made::File { .. } => continue,
                Made::Directory => set_mode(&place, *mode).and_then(|()| place.symlink_metadata()),
                _ => place.symlink_metadata(),
            };
            let stamp = stamp(&looked_at.map_err(about(path))?);
            let stamp = Stamp { is_fleeting: *has_attributes, ..stamp };
            self.made.insert(path.as_slice().into(), stamp);
        }
        Ok(())
    }
}

/// Says of an error which name of the tree it is about.
fn about(path: &[u8]) -> impl FnOnce(io::Error) -> io::Error {
    let path = String::from_utf8_lossy(path).into_owned();
    move |error| io::Error::new(error.kind(), format!("/{path}: {error}"))
}

fn stamp(metadata: &fs::Metadata) -> Stamp {
    let is_directory = metadata.is_dir();
    Stamp {
        inode: metadata.ino(),
        mode: metadata.mode(),
        size: if is_directory { 0 } else { metadata.size() },
        modified: if is_directory { (0, 0) } else { (metadata.mtime(), metadata.mtime_nsec()) },
        is_fleeting: false,
    }
}

/// By descriptor: what is there now must be a directory, and no link is followed.
fn set_mode(directory: &Path, mode: u32) -> io::Result<()> {
    let flags = libc::O_NOFOLLOW | libc::O_DIRECTORY | libc::O_CLOEXEC;
    match OpenOptions::new().read(true).custom_flags(flags).open(directory) {
        Ok(directory) => directory.set_permissions(Permissions::from_mode(mode)),
        // Its own permissions may be against that.
        Err(error)
            if error.kind() == io::ErrorKind::PermissionDenied && directory.symlink_metadata()?.is_dir() =>
        {
            fs::set_permissions(directory, Permissions::from_mode(mode))
        }
        Err(error) => Err(error),
    }
}

fn fill(file: &mut File, size: u64) -> io::Result<()> {
    let chunk: Vec<u8> =
        (0..size.min(CHUNK as u64)).map(|at| b"0123456789abcdef"[(at % 16) as usize]).collect();
    let mut left = size;
    while left > 0 {
        let part = left.min(CHUNK as u64) as usize;
        file.write_all(&chunk[..part])?;
        left -= part as u64;
    }
    Ok(())
}
