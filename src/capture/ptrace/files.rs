//! What is known of a process's descriptors, cwd and root.
//!
//! The truth is in `/proc/PID/fd`, `/proc/PID/cwd` and `/proc/PID/root`; this is a cache of it that
//! calls invalidate (close, dup2, exec, chdir, ...), so that a descriptor costs one readlink(2) in its
//! life. What is not cached is looked up, so that descriptors that came by ways not tracked (inherited,
//! sent over a socket) are known too. A rename by any traced process may change every name, and makes
//! all caches stale.

use std::cell::{Cell, RefCell, RefMut};
use std::fmt::Write as _;
use std::os::unix::ffi::OsStringExt;
use std::rc::Rc;
use std::sync::LazyLock;

use rustc_hash::FxHashMap;

/// A name shared by all that refer to it.
pub type Name = Rc<[u8]>;

/// The descriptors of one process, or of several that share them (`CLONE_FILES`). Copies made by fork
/// share the map until one side changes.
#[derive(Clone, Debug, Default)]
struct Descriptors {
    names: Rc<FxHashMap<i32, Name>>,
    /// Renames there had been when this was last in use.
    renames: u64,
}

/// The cwd and root of one process, or of several that share them (`CLONE_FS`).
#[derive(Clone, Debug, Default)]
struct Directories {
    /// Absolute path of the cwd; `None`: unknown.
    cwd: Option<Name>,
    /// Absolute path of the root, if it is not `/`.
    root: Option<Name>,
    renames: u64,
}

/// What threads of a process share. Each part is shared on its own, as clone(2) can ask for.
#[derive(Clone, Debug)]
pub struct Shares {
    descriptors: Rc<RefCell<Descriptors>>,
    directories: Rc<RefCell<Directories>>,
    /// Renames by any traced process, shared by all.
    renames: Rc<Cell<u64>>,
}

impl Shares {
    /// Those of the first process.
    pub fn of(tid: i32) -> Self {
        let new = Self { descriptors: Rc::default(), directories: Rc::default(), renames: Rc::default() };
        new.refresh_directories(tid);
        new
    }

    /// Those of another process that runs already.
    pub fn beside(&self, tid: i32) -> Self {
        let new = Self {
            descriptors: Rc::default(),
            directories: Rc::default(),
            renames: Rc::clone(&self.renames),
        };
        new.refresh_directories(tid);
        new
    }

    /// Those of a child made with these clone flags.
    pub fn for_child(&self, clone_flags: u64) -> Self {
        let mut child = self.clone();
        if clone_flags & libc::CLONE_FILES as u64 == 0 {
            child.unshare_descriptors();
        }
        if clone_flags & libc::CLONE_FS as u64 == 0 {
            child.unshare_directories();
        }
        child
    }

    /// From here on the descriptors are this thread's alone.
    pub fn unshare_descriptors(&mut self) {
        let copy = self.descriptors.borrow().clone();
        self.descriptors = Rc::new(RefCell::new(copy));
    }

    /// From here on the directories are this thread's alone.
    pub fn unshare_directories(&mut self) {
        let copy = self.directories.borrow().clone();
        self.directories = Rc::new(RefCell::new(copy));
    }

    /// exec: a table of its own, from which close-on-exec descriptors are gone.
    pub fn exec(&mut self) {
        self.descriptors = Rc::default();
        self.unshare_directories();
    }

    /// A file or directory was renamed.
    pub fn renamed(&self) {
        self.renames.set(self.renames.get() + 1);
    }

    /// The file behind a descriptor, from the cache or from `/proc`.
    pub fn file(&self, tid: i32, fd: i32) -> Option<Name> {
        if let Some(name) = self.fresh_descriptors().names.get(&fd) {
            return Some(name.clone());
        }
        self.refresh(tid, fd)
    }

    /// Looks a descriptor up in `/proc`, whatever the cache says.
    pub fn refresh(&self, tid: i32, fd: i32) -> Option<Name> {
        let name = proc_link(tid, format_args!("fd/{fd}"));
        match &name {
            Some(name) => {
                Rc::make_mut(&mut self.fresh_descriptors().names).insert(fd, name.clone());
            }
            None => self.forget(fd),
        }
        name
    }

    /// Descriptor `to` has become another name of `from`.
    pub fn duplicate(&self, tid: i32, from: i32, to: i32) {
        match self.file(tid, from) {
            Some(name) => {
                Rc::make_mut(&mut self.fresh_descriptors().names).insert(to, name);
            }
            None => self.forget(to),
        }
    }

    /// The descriptor is closed, or may have become another.
    pub fn forget(&self, fd: i32) {
        let mut descriptors = self.descriptors.borrow_mut();
        if descriptors.names.contains_key(&fd) {
            Rc::make_mut(&mut descriptors.names).remove(&fd);
        }
    }

    /// As [`Self::forget`], for all from `first` to `last`.
    pub fn forget_range(&self, first: u32, last: u32) {
        let mut descriptors = self.descriptors.borrow_mut();
        Rc::make_mut(&mut descriptors.names).retain(|&fd, _| !(first..=last).contains(&(fd as u32)));
    }

    fn fresh_descriptors(&self) -> RefMut<'_, Descriptors> {
        let mut descriptors = self.descriptors.borrow_mut();
        if descriptors.renames != self.renames.get() {
            *descriptors = Descriptors { names: Rc::default(), renames: self.renames.get() };
        }
        descriptors
    }

    /// Absolute path of the cwd; `None`: unknown, or removed.
    pub fn cwd(&self, tid: i32) -> Option<Name> {
        self.fresh_directories(tid);
        self.directories.borrow().cwd.clone()
    }

    /// Absolute path of the root, if it is not `/`.
    pub fn root(&self, tid: i32) -> Option<Name> {
        self.fresh_directories(tid);
        self.directories.borrow().root.clone()
    }

    fn fresh_directories(&self, tid: i32) {
        if self.directories.borrow().renames != self.renames.get() {
            self.refresh_directories(tid);
        }
    }

    /// The cwd or root has changed.
    pub fn refresh_directories(&self, tid: i32) {
        *self.directories.borrow_mut() = Directories {
            cwd: proc_link(tid, format_args!("cwd")).filter(|cwd| !is_removed(tid, cwd)),
            root: proc_link(tid, format_args!("root")).filter(|root| **root != *b"/"),
            renames: self.renames.get(),
        };
    }
}

/// Whether `/proc` knows processes by the ids that we know them by. It does not where it is absent, or that
/// of another pid namespace (a chroot with the host's `/proc` mounted): other processes' names would be
/// taken for ours, so nothing is read there then.
pub fn proc_is_ours() -> bool {
    static OURS: LazyLock<bool> = LazyLock::new(|| {
        let me = std::fs::read_link("/proc/self").ok();
        me.is_some_and(|me| me.to_str() == Some(std::process::id().to_string().as_str()))
    });
    *OURS
}

/// Whether the thread's cwd was removed: `/proc` then names it with a suffix that is no part of any path
/// (and may be one of a directory that is there).
fn is_removed(tid: i32, cwd: &[u8]) -> bool {
    use std::os::unix::fs::MetadataExt;
    cwd.ends_with(b" (deleted)")
        && std::fs::metadata(format!("/proc/{tid}/cwd")).is_ok_and(|directory| directory.nlink() == 0)
}

/// Reads a link below `/proc/TID`.
pub fn proc_link(tid: i32, entry: std::fmt::Arguments<'_>) -> Option<Name> {
    if !proc_is_ours() {
        return None;
    }
    let mut path = String::with_capacity(32);
    write!(path, "/proc/{tid}/{entry}").ok()?;
    let target = nix::fcntl::readlink(path.as_str()).ok()?;
    Some(Rc::from(target.into_vec()))
}

/// Reads a small file below `/proc/TID`.
pub fn proc_file(tid: i32, entry: &str) -> Option<Vec<u8>> {
    proc_is_ours().then(|| std::fs::read(format!("/proc/{tid}/{entry}")).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thread id that does not exist, so that `/proc` knows nothing.
    const NOBODY: i32 = i32::MAX;

    fn with(entries: &[(i32, &[u8])]) -> Shares {
        let shares = Shares::of(NOBODY);
        let names = entries.iter().map(|&(fd, name)| (fd, Rc::from(name))).collect();
        shares.descriptors.borrow_mut().names = Rc::new(names);
        shares
    }

    fn file(shares: &Shares, fd: i32) -> Option<Vec<u8>> {
        shares.file(NOBODY, fd).map(|name| name.to_vec())
    }

    #[test]
    fn forgetting_is_per_copy() {
        let parent = with(&[(3, b"/a"), (4, b"/b")]);
        let child = parent.for_child(0);
        child.forget(3);
        assert_eq!(file(&parent, 3), Some(b"/a".to_vec()));
        assert_eq!(file(&child, 3), None);
        parent.forget_range(4, u32::MAX);
        assert_eq!(file(&parent, 4), None);
        assert_eq!(file(&child, 4), Some(b"/b".to_vec()));
    }

    #[test]
    fn clone_flags_decide_what_is_shared() {
        let parent = with(&[(3, b"/a")]);
        let thread = parent.for_child((libc::CLONE_FILES | libc::CLONE_FS) as u64);
        assert!(Rc::ptr_eq(&parent.descriptors, &thread.descriptors));
        assert!(Rc::ptr_eq(&parent.directories, &thread.directories));
        let process = parent.for_child(libc::CLONE_FS as u64);
        assert!(!Rc::ptr_eq(&parent.descriptors, &process.descriptors));
        assert!(Rc::ptr_eq(&parent.directories, &process.directories));
    }

    #[test]
    fn a_rename_anywhere_makes_every_name_stale() {
        let parent = with(&[(3, b"/a")]);
        let child = parent.for_child(0);
        child.renamed();
        assert_eq!(file(&parent, 3), None);
        assert_eq!(file(&child, 3), None);
    }

    #[test]
    fn a_descriptor_is_looked_up_and_kept() {
        let temporary = tempfile::NamedTempFile::new().expect("a temporary file");
        let fd = std::os::fd::AsRawFd::as_raw_fd(temporary.as_file());
        let me = std::process::id() as i32;
        let shares = Shares::of(me);
        let name = shares.file(me, fd).expect("open here");
        assert_eq!(*name, *std::os::unix::ffi::OsStrExt::as_bytes(temporary.path().as_os_str()));
        assert!(Rc::ptr_eq(&name, &shares.file(me, fd).expect("cached")));
        shares.duplicate(me, fd, 700);
        assert_eq!(shares.file(NOBODY, 700), Some(name));
    }
}
