//! What is in a tree, and whether that is what it must be.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, OpenOptions};
use std::hash::Hasher;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustc_hash::FxHasher;

use super::{CHUNK, Tree, about, stamp};
use crate::sys::files::next_data;

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

impl Tree {
    /// All that is there.
    pub(crate) fn state(&self) -> io::Result<State> {
        let mut first_names: HashMap<u64, Box<[u8]>> = HashMap::new();
        let mut state = State::new();
        let walked = self.open()?;
        for (path, metadata) in &walked.names {
            let is_made = self.made.get(path).is_some_and(|made| *made == stamp(metadata));
            let is_file = metadata.is_file();
            let same_as = (is_file && metadata.nlink() > 1)
                .then(|| first_names.entry(metadata.ino()).or_insert_with(|| path.clone()).clone())
                .filter(|first| first != path);
            let is_hashed = !is_made && !metadata.is_dir();
            let contents =
                if is_hashed { hash(&self.path(path), metadata).map_err(about(path))? } else { 0 };
            let found = Found {
                mode: metadata.mode(),
                size: if metadata.is_dir() { 0 } else { metadata.size() },
                links: if is_file { metadata.nlink() } else { 0 },
                same_as,
                contents,
            };
            state.insert(path.clone(), found);
        }
        self.close(&walked)?;
        Ok(state)
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

/// What a file or link holds. Holes are passed over: a log may make files of 64 GiB that are nothing else.
fn hash(path: &Path, metadata: &fs::Metadata) -> io::Result<u64> {
    let mut hasher = FxHasher::default();
    if metadata.is_symlink() {
        hasher.write(fs::read_link(path)?.as_os_str().as_bytes());
        return Ok(hasher.finish());
    }
    let opened = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC).open(path);
    let file = match opened {
        Ok(file) => file,
        // Made so that nobody may read it: its size stands for it.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut buffer = vec![0; (CHUNK as u64).min(metadata.size().max(1)) as usize];
    if metadata.size() <= CHUNK as u64 {
        let read = read_whole(&file, &mut buffer, 0)?;
        hasher.write(&buffer[..read]);
        return Ok(hasher.finish());
    }
    let mut at = 0;
    while at < metadata.size() {
        // What is no hole begins anywhere.
        let Some(data) = next_data(&file, at)? else { break };
        at = data / CHUNK as u64 * CHUNK as u64;
        let read = read_whole(&file, &mut buffer, at)?;
        // Whether zeros are a hole is the file system's matter.
        if buffer[..read].iter().any(|&byte| byte != 0) {
            hasher.write_u64(at);
            hasher.write(&buffer[..read]);
        }
        at += CHUNK as u64;
    }
    Ok(hasher.finish())
}

/// Reads until the buffer is full or the file ends.
fn read_whole(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match file.read_at(&mut buffer[read..], at + read as u64)? {
            0 => break,
            more => read += more,
        }
    }
    Ok(read)
}
