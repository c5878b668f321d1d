//! Where a scratch tree is: a directory of its own that is gone afterwards, whatever ends the replay.
//!
//! ```text
//! BASE/trace-scratch-XXXXXX/lock          held by every process of the replay
//!                           tree-XXXXXX/  the root of what the log sees
//! ```
//!
//! A process of its own removes it as soon as nobody else has the other end of a pipe: at the end, after an
//! interrupt, after a kill. If that one is killed, too, the next replay does: nobody holds the lock then.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::manifest::OWN_DIRECTORY;
use crate::sys::confine::{close_all_but, effective_ids, fork_to, leave_session, try_lock, wait};
use crate::sys::files::spread_directories;

const PREFIX: &str = "trace-scratch-";
const LOCK: &str = "lock";
const TREE: &str = "tree-";
const MARKER: &str = "marker";
/// How often a home is made that another replay takes for one that was left.
const ATTEMPTS: usize = 10;

/// A directory with an empty tree.
#[derive(Debug)]
pub(super) struct Home {
    path: PathBuf,
    lock: File,
    token: String,
}

impl Home {
    /// `None`: before it was locked, somebody else took it for one that was left, and removes it.
    /// `spread`: what is in it shall not be near to what was in others.
    fn create(path: PathBuf, token: String, spread: bool) -> io::Result<Option<Self>> {
        DirBuilder::new().mode(0o700).create(&path)?;
        if spread {
            // It is only faster so.
            let _ = File::open(&path).and_then(|home| spread_directories(&home));
        }
        let lock = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path.join(LOCK));
        let lock = match lock {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            lock => lock?,
        };
        let is_still_there = || fs::metadata(path.join(LOCK)).is_ok();
        if !try_lock(lock.as_fd())? || !is_still_there() {
            return Ok(None);
        }
        let home = Self { path, lock, token };
        let own = home.tree().join(OWN_DIRECTORY);
        DirBuilder::new().mode(0o755).create(home.tree())?;
        DirBuilder::new().mode(0o700).create(&own)?;
        fs::write(own.join(MARKER), &home.token)?;
        Ok(Some(home))
    }

    pub(super) fn tree(&self) -> PathBuf {
        self.path.join(format!("{TREE}{}", self.token))
    }

    pub(super) fn lock(&self) -> &File {
        &self.lock
    }

    /// What the marker in the tree's root says, which shows that a root is this tree.
    pub(super) fn token(&self) -> &str {
        &self.token
    }
}

/// Whoever has this keeps the tree.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) home: Home,
    keeper: Keeper,
}

impl Watch {
    /// Makes a home, and removes those that others have left behind; `left` is told of those that cannot be. Who removes it is
    /// there before it is.
    pub(super) fn new(base: &Path, spread: bool, left: impl FnMut(PathBuf)) -> io::Result<Self> {
        remove_left(base, left);
        for _ in 0..ATTEMPTS {
            let token = format!("{:016x}", fastrand::Rng::new().u64(..));
            let path = std::path::absolute(base)?.join(format!("{PREFIX}{token}"));
            let keeper = Keeper::start(&path)?;
            if let Some(home) = Home::create(path, token, spread)? {
                return Ok(Self { home, keeper });
            }
        }
        Err(io::Error::other("other replays remove it again and again"))
    }

    /// Returns when the tree is gone, or, with its path, when it cannot be removed.
    pub(super) fn remove(self) -> Option<PathBuf> {
        let Self { home, keeper } = self;
        drop(keeper);
        Some(home.path).filter(|path| path.symlink_metadata().is_ok() && !is_removed(path))
    }

    pub(super) fn held(&self) -> Option<i32> {
        self.keeper.held.as_ref().map(AsRawFd::as_raw_fd)
    }
}

/// A process that removes a directory when nobody has the pipe's other end any more.
#[derive(Debug)]
struct Keeper {
    pid: libc::pid_t,
    held: Option<io::PipeWriter>,
}

impl Keeper {
    fn start(path: &Path) -> io::Result<Self> {
        let (mut end, held) = io::pipe()?;
        let pid = fork_to(|| {
            leave_session();
            let _ = close_all_but(&[end.as_raw_fd()]);
            let _ = end.read(&mut [0]);
            let _ = remove(path);
        })?;
        Ok(Self { pid, held: Some(held) })
    }
}

impl Drop for Keeper {
    /// Returns when the tree is gone.
    fn drop(&mut self) {
        drop(self.held.take());
        let _ = wait(self.pid);
    }
}

/// Whether the root that a process has now is the tree with this token.
pub(super) fn is_marked(root: &Path, token: &str) -> bool {
    fs::read(root.join(OWN_DIRECTORY).join(MARKER)).is_ok_and(|found| found == token.as_bytes())
}

/// Trees of this user that no process holds any more, and that this one holds now: whoever has just made one sees that.
fn left_in(base: &Path) -> Vec<(PathBuf, File)> {
    let entries = fs::read_dir(base).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| {
        entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX))
            && entry.metadata().is_ok_and(|found| found.is_dir() && found.uid() == effective_ids().0)
    });
    let flags = libc::O_NOFOLLOW | libc::O_CLOEXEC;
    let lock = |path: &Path| OpenOptions::new().read(true).custom_flags(flags).open(path.join(LOCK));
    let held = ours.filter_map(|entry| Some((entry.path(), lock(&entry.path()).ok()?)));
    held.filter(|(_, lock)| try_lock(lock.as_fd()).unwrap_or(false)).collect()
}

/// Removes those; `kept` is told of those that cannot be.
fn remove_left(base: &Path, kept: impl FnMut(PathBuf)) {
    let cannot = |(path, _held): (PathBuf, File)| Some(path).filter(|path| !is_removed(path));
    left_in(base).into_iter().filter_map(cannot).for_each(kept);
}

/// Removes a directory; whether that can be done. Somebody else may be removing it, too.
fn is_removed(directory: &Path) -> bool {
    match remove(directory) {
        Ok(()) => true,
        Err(error) => matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty),
    }
}

/// Removes a directory and all in it. What cannot be looked into is made so that it can; no link is followed.
fn remove(directory: &Path) -> io::Result<()> {
    if fs::remove_dir_all(directory).is_ok() {
        return Ok(());
    }
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        fs::set_permissions(&directory, Permissions::from_mode(0o700))?;
        for entry in fs::read_dir(&directory)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                open.push(entry.path());
            }
        }
    }
    fs::remove_dir_all(directory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::files::tests_support::unprivileged;

    #[test]
    fn a_home_goes_with_its_watch_and_a_left_one_with_the_next() {
        let base = tempfile::tempdir().unwrap();
        let left = base.path().join(format!("{PREFIX}left"));
        let held = Home::create(left.clone(), "token".to_owned(), false).unwrap().unwrap();
        let watched = Watch::new(base.path(), true, |_| ()).unwrap();
        assert!(left.exists(), "it is held");
        let deep = watched.home.tree().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        fs::set_permissions(&deep, Permissions::from_mode(0o0)).unwrap();
        let path = watched.home.path.clone();
        assert!(is_marked(&watched.home.tree(), watched.home.token()));
        assert!(!is_marked(&held.tree(), watched.home.token()));
        drop(watched);
        assert!(!path.exists());
        drop(held);
        drop(Watch::new(base.path(), true, |_| ()).unwrap());
        assert!(!left.exists(), "nobody held it");
    }

    #[test]
    fn a_home_that_cannot_be_removed_is_told() {
        unprivileged(|base| {
            let watch = Watch::new(base, false, |left| panic!("{left:?}")).unwrap();
            let home = watch.home.path.clone();
            fs::set_permissions(base, Permissions::from_mode(0o500)).unwrap();
            assert_eq!(watch.remove(), Some(home.clone()));
            fs::set_permissions(base, Permissions::from_mode(0o700)).unwrap();
            fs::remove_dir_all(home).unwrap();
            assert_eq!(Watch::new(base, false, |left| panic!("{left:?}")).unwrap().remove(), None);
        });
    }

    #[test]
    fn a_home_is_not_removed_by_others_that_clear_up() {
        let base = tempfile::tempdir().unwrap();
        let over = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(std::sync::atomic::Ordering::Relaxed) {
                    remove_left(base.path(), |_| ());
                }
            });
            let kept = (0..300).all(|round| {
                let path = base.path().join(format!("{PREFIX}{round}"));
                let kept = match Home::create(path.clone(), "token".to_owned(), false) {
                    Ok(home) => home.is_none_or(|home| is_marked(&home.tree(), "token")),
                    Err(_) => false,
                };
                let _ = remove(&path);
                kept
            });
            over.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(kept, "it was removed while it was made");
        });
    }
}
