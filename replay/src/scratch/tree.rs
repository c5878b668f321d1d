//! The scratch tree on disk: made from its list, looked at after each run, and put back as it was.
//!
//! Only what a run has changed is made again: what has another inode, time of modification, size or mode than when it
//! was made. (No call of a replay sets a time of modification to that of a file of the tree.)

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::hash::Hasher;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustc_hash::FxHasher;

use super::manifest::{Item, Made, OWN_DIRECTORY};

/// Filler is written so many bytes at a time.
const CHUNK: usize = 1 << 20;
/// Entries made between two reports of progress.
const REPORTED: usize = 5_000;

/// What tells whether something is still what was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    mode: u32,
    /// Of files and links; directories change with what is in them.
    size: u64,
    modified: (i64, i64),
}

/// One name of the tree as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Type and permission bits.
    mode: u32,
    /// Of a file: its size and number of names; of others 0.
    size: u64,
    links: u64,
    /// The first name of the same file, if that is another.
    same_as: Option<Box<[u8]>>,
    /// Of what a run has changed: a hash of the contents, or of what a link holds.
    contents: u64,
}

/// Every name of a tree, and what is there.
pub(crate) type State = BTreeMap<Box<[u8]>, Found>;

/// A tree that replays run in.
#[derive(Debug)]
pub(crate) struct Tree {
    root: PathBuf,
    root_mode: u32,
    items: Vec<Item>,
    made: HashMap<Box<[u8]>, Stamp>,
}

impl Tree {
    /// Makes a tree below an empty directory. `progress` is told of how many entries are made.
    pub(crate) fn make(
        root: &Path,
        root_mode: u32,
        items: Vec<Item>,
        mut progress: impl FnMut(usize, usize),
    ) -> io::Result<Self> {
        let mut tree = Self { root: root.to_owned(), root_mode, items, made: HashMap::new() };
        set_mode(root, root_mode)?;
        let all: Vec<usize> = (0..tree.items.len()).collect();
        for chunk in all.chunks(REPORTED) {
            progress(chunk[0], all.len());
            chunk.iter().try_for_each(|&index| tree.make_item(index))?;
        }
        tree.close_directories(&all)?;
        tree.stamp_others(&all)?;
        Ok(tree)
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

    /// A file's stamp is taken while it is open, which saves a lookup; those of others when all are made.
    fn make_item(&mut self, index: usize) -> io::Result<()> {
        let item = &self.items[index];
        let path = self.path(&item.path);
        match &item.what {
            Made::Directory => DirBuilder::new().mode(0o700).create(path),
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
                let mut metadata = file.metadata()?;
                // Mostly it has them: the confined process has no umask.
                if metadata.mode() & 0o7777 != item.mode {
                    file.set_permissions(Permissions::from_mode(item.mode))?;
                    metadata = file.metadata()?;
                }
                self.made.insert(item.path.as_slice().into(), stamp(&metadata));
                Ok(())
            }
            Made::Link(target) => symlink(OsStr::from_bytes(target), path),
            Made::Name { of } => fs::hard_link(self.path(&self.items[*of as usize].path), path),
        }
    }

    /// Directories get their own permissions when all is in them.
    fn close_directories(&self, made: &[usize]) -> io::Result<()> {
        for &index in made.iter().rev() {
            let item = &self.items[index];
            if item.what == Made::Directory {
                set_mode(&self.path(&item.path), item.mode)?;
            }
        }
        Ok(())
    }

    fn stamp_others(&mut self, items: &[usize]) -> io::Result<()> {
        for &index in items {
            if matches!(self.items[index].what, Made::File { .. }) {
                continue;
            }
            let path = &self.items[index].path;
            let stamp = stamp(&self.path(path).symlink_metadata()?);
            self.made.insert(path.as_slice().into(), stamp);
        }
        Ok(())
    }

    /// All that is there.
    pub(crate) fn state(&self) -> io::Result<State> {
        let mut first_names: HashMap<u64, Box<[u8]>> = HashMap::new();
        let mut state = State::new();
        for (path, metadata) in self.walk()? {
            let is_made = self.made.get(&path).is_some_and(|made| *made == stamp(&metadata));
            let is_file = metadata.is_file();
            let same_as = (is_file && metadata.nlink() > 1)
                .then(|| first_names.entry(metadata.ino()).or_insert_with(|| path.clone()).clone())
                .filter(|first| *first != path);
            let contents = if is_made || metadata.is_dir() { 0 } else { hash(&self.path(&path), &metadata)? };
            let found = Found {
                mode: metadata.mode(),
                size: if metadata.is_dir() { 0 } else { metadata.size() },
                links: if is_file { metadata.nlink() } else { 0 },
                same_as,
                contents,
            };
            state.insert(path, found);
        }
        Ok(state)
    }

    /// Every name with its metadata, in the order of paths.
    fn walk(&self) -> io::Result<BTreeMap<Box<[u8]>, fs::Metadata>> {
        let mut found = BTreeMap::new();
        let mut open = vec![Vec::new()];
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(self.path(&directory))? {
                let entry = entry?;
                let name = entry.file_name();
                let name = name.as_bytes();
                if directory.is_empty() && name == OWN_DIRECTORY.as_bytes() {
                    continue;
                }
                let path =
                    if directory.is_empty() { name.to_vec() } else { [&directory, &b"/"[..], name].concat() };
                let metadata = entry.metadata()?;
                if metadata.is_dir() {
                    open.push(path.clone());
                }
                found.insert(path.into(), metadata);
            }
        }
        Ok(found)
    }

    /// Puts everything back as it was when the tree was made.
    pub(crate) fn restore(&mut self) -> io::Result<()> {
        set_mode(&self.root, self.root_mode)?;
        let found = self.walk()?;
        let kept = self.kept(&found);
        // What is below a directory comes after it in the order of paths: backwards, it goes first.
        for (path, metadata) in found.iter().rev() {
            match self.made.get(path).filter(|_| kept.contains(&**path)) {
                Some(made) if made.mode != metadata.mode() => set_mode(&self.path(path), made.mode & 0o7777)?,
                Some(_) => {}
                None => self.remove(path, metadata)?,
            }
        }
        let is_missing =
            |item: &Item| !item.path.starts_with(OWN_DIRECTORY.as_bytes()) && !kept.contains(&item.path[..]);
        let missing: Vec<usize> =
            (0..self.items.len()).filter(|&index| is_missing(&self.items[index])).collect();
        let missing = self.with_other_names(missing)?;
        self.make_again(&missing)
    }

    /// What is still what was made, in directories that are. (A directory's mode can be put right.)
    fn kept<'a>(&self, found: &'a BTreeMap<Box<[u8]>, fs::Metadata>) -> HashSet<&'a [u8]> {
        let mut kept: HashSet<&[u8]> = HashSet::with_capacity(found.len());
        for (path, metadata) in found {
            let parent = path.iter().rposition(|&byte| byte == b'/').map(|slash| &path[..slash]);
            let is_same = self.made.get(path).is_some_and(|made| {
                let now = stamp(metadata);
                *made == now || (metadata.is_dir() && made.inode == now.inode)
            });
            if is_same && parent.is_none_or(|parent| kept.contains(parent)) {
                kept.insert(path);
            }
        }
        kept
    }

    /// Of a file with several names, all are made again if one is: those that are still there go.
    fn with_other_names(&self, mut missing: Vec<usize>) -> io::Result<Vec<usize>> {
        let first = |index: usize| match self.items[index].what {
            Made::Name { of } => of as usize,
            _ => index,
        };
        let broken: HashSet<usize> = missing.iter().map(|&index| first(index)).collect();
        let all: HashSet<usize> = missing.iter().copied().collect();
        for index in 0..self.items.len() {
            let is_file = matches!(self.items[index].what, Made::File { .. } | Made::Name { .. });
            if is_file && broken.contains(&first(index)) && !all.contains(&index) {
                let path = self.path(&self.items[index].path);
                fs::remove_file(&path)?;
                missing.push(index);
            }
        }
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
    fn remove(&self, path: &[u8], metadata: &fs::Metadata) -> io::Result<()> {
        let path = self.path(path);
        let remove = || if metadata.is_dir() { fs::remove_dir(&path) } else { fs::remove_file(&path) };
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

/// The first name that is not the same in both.
pub(crate) fn first_difference(expected: &State, found: &State) -> Option<Box<[u8]>> {
    let missing = expected.iter().find(|(path, one)| found.get(*path) != Some(one)).map(|(path, _)| path);
    missing.or_else(|| found.keys().find(|path| !expected.contains_key(*path))).cloned()
}

/// The first name that only one of the two has.
pub(crate) fn first_other_name(expected: &State, found: &State) -> Option<Box<[u8]>> {
    let missing = expected.keys().find(|path| !found.contains_key(*path));
    missing.or_else(|| found.keys().find(|path| !expected.contains_key(*path))).cloned()
}

fn stamp(metadata: &fs::Metadata) -> Stamp {
    let is_directory = metadata.is_dir();
    Stamp {
        inode: metadata.ino(),
        mode: metadata.mode(),
        size: if is_directory { 0 } else { metadata.size() },
        modified: if is_directory { (0, 0) } else { (metadata.mtime(), metadata.mtime_nsec()) },
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

fn hash(path: &Path, metadata: &fs::Metadata) -> io::Result<u64> {
    let mut hasher = FxHasher::default();
    if metadata.is_symlink() {
        hasher.write(fs::read_link(path)?.as_os_str().as_bytes());
        return Ok(hasher.finish());
    }
    let opened = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC).open(path);
    let mut file = match opened {
        Ok(file) => file,
        // Made so that nobody may read it: its size stands for it.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut buffer = vec![0; (CHUNK as u64).min(metadata.size().max(1)) as usize];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finish()),
            read => hasher.write(&buffer[..read]),
        }
    }
}
