//! What is known of a process's descriptors, cwd and root.
//!
//! The truth is in `/proc/PID/fd`, `/proc/PID/cwd` and `/proc/PID/root`; this is a cache of it that
//! calls invalidate (close, dup2, exec, chdir, ...), so that a descriptor costs one readlink(2) in its
//! life. What is not cached is looked up, so that descriptors that came by ways not tracked (inherited,
//! sent over a socket) are known too.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStringExt;
use std::rc::Rc;

use rustc_hash::FxHashMap;

/// A name shared by all that refer to it.
pub type Name = Rc<[u8]>;

/// The descriptors of one process, or of several that share them (`CLONE_FILES`). Copies made by fork
/// share the map until one side changes.
#[derive(Clone, Debug, Default)]
pub struct Descriptors(Rc<FxHashMap<i32, Name>>);

impl Descriptors {
    /// The file behind a descriptor of a thread, from the cache or from `/proc`.
    pub fn file(&mut self, tid: i32, fd: i32) -> Option<Name> {
        if let Some(name) = self.0.get(&fd) {
            return Some(name.clone());
        }
        self.refresh(tid, fd)
    }

    /// Looks a descriptor up in `/proc`, whatever the cache says.
    pub fn refresh(&mut self, tid: i32, fd: i32) -> Option<Name> {
        let name = proc_link(tid, format_args!("fd/{fd}"));
        match &name {
            Some(name) => {
                Rc::make_mut(&mut self.0).insert(fd, name.clone());
            }
            None => self.forget(fd),
        }
        name
    }

    /// Makes `to` another name of `from`.
    pub fn duplicate(&mut self, tid: i32, from: i32, to: i32) -> Option<Name> {
        let name = self.file(tid, from)?;
        Rc::make_mut(&mut self.0).insert(to, name.clone());
        Some(name)
    }

    /// The descriptor is closed, or may have become another.
    pub fn forget(&mut self, fd: i32) {
        if self.0.contains_key(&fd) {
            Rc::make_mut(&mut self.0).remove(&fd);
        }
    }

    /// As [`Self::forget`], for all from `first` to `last`.
    pub fn forget_range(&mut self, first: u32, last: u32) {
        Rc::make_mut(&mut self.0).retain(|&fd, _| !(first..=last).contains(&(fd as u32)));
    }
}

/// The cwd and root of one process, or of several that share them (`CLONE_FS`).
#[derive(Clone, Debug, Default)]
pub struct Directories {
    /// Absolute path of the cwd; `None`: unknown.
    pub cwd: Option<Name>,
    /// Absolute path of the root, if it is not `/`.
    pub root: Option<Name>,
}

impl Directories {
    /// Asks `/proc` for both.
    pub fn of(tid: i32) -> Self {
        let root = proc_link(tid, format_args!("root")).filter(|root| **root != *b"/");
        Self { cwd: proc_link(tid, format_args!("cwd")), root }
    }
}

/// What threads of a process share. Each part is shared on its own, as clone(2) can ask for.
#[derive(Clone, Debug)]
pub struct Shares {
    /// Descriptors.
    pub descriptors: Rc<RefCell<Descriptors>>,
    /// Directories.
    pub directories: Rc<RefCell<Directories>>,
}

impl Shares {
    /// Those of a process that is seen for the first time.
    pub fn of(tid: i32) -> Self {
        Self { descriptors: Rc::default(), directories: Rc::new(RefCell::new(Directories::of(tid))) }
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
}

/// Reads a link below `/proc/TID`.
pub fn proc_link(tid: i32, entry: std::fmt::Arguments<'_>) -> Option<Name> {
    let mut path = String::with_capacity(32);
    write!(path, "/proc/{tid}/{entry}").ok()?;
    let target = nix::fcntl::readlink(path.as_str()).ok()?;
    Some(Rc::from(target.into_vec()))
}

/// Reads a small file below `/proc/TID`.
pub fn proc_file(tid: i32, entry: &str) -> Option<Vec<u8>> {
    std::fs::read(format!("/proc/{tid}/{entry}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(entries: &[(i32, &[u8])]) -> Descriptors {
        Descriptors(Rc::new(entries.iter().map(|&(fd, name)| (fd, Rc::from(name))).collect()))
    }

    /// A thread id that does not exist, so that `/proc` knows nothing.
    const NOBODY: i32 = i32::MAX;

    #[test]
    fn forgetting_is_per_copy() {
        let mut parent = with(&[(3, b"/a"), (4, b"/b")]);
        let mut child = parent.clone();
        child.forget(3);
        assert_eq!(parent.file(NOBODY, 3).as_deref(), Some(&b"/a"[..]));
        assert_eq!(child.file(NOBODY, 3), None);
        parent.forget_range(4, u32::MAX);
        assert_eq!(parent.file(NOBODY, 4), None);
        assert_eq!(child.file(NOBODY, 4).as_deref(), Some(&b"/b"[..]));
    }

    #[test]
    fn clone_flags_decide_what_is_shared() {
        let parent = Shares::of(std::process::id() as i32);
        let thread = parent.for_child((libc::CLONE_FILES | libc::CLONE_FS) as u64);
        assert!(Rc::ptr_eq(&parent.descriptors, &thread.descriptors));
        assert!(Rc::ptr_eq(&parent.directories, &thread.directories));
        let process = parent.for_child(libc::CLONE_FS as u64);
        assert!(!Rc::ptr_eq(&parent.descriptors, &process.descriptors));
        assert!(Rc::ptr_eq(&parent.directories, &process.directories));
    }

    #[test]
    fn a_descriptor_is_looked_up_and_kept() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        let fd = std::os::fd::AsRawFd::as_raw_fd(file.as_file());
        let me = std::process::id() as i32;
        let mut descriptors = Descriptors::default();
        let name = descriptors.file(me, fd).expect("open here");
        assert_eq!(*name, *std::os::unix::ffi::OsStrExt::as_bytes(file.path().as_os_str()));
        assert!(Rc::ptr_eq(&name, &descriptors.file(me, fd).expect("cached")));
        assert_eq!(descriptors.duplicate(me, fd, 700), Some(name));
    }
}
