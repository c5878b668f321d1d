//! The plain system call of each action: what the serial engine is made of, and what every other engine falls
//! back to.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicI32, Ordering};

use super::entries::{digest, mix};
use crate::bind::{Action, Handle, Start};
use crate::plan::{Paths, StatCall, WRITING_FLAGS};

/// What came of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Observed {
    /// A negative errno for a failure.
    pub(crate) ret: i64,
    /// Of what the call wrote besides: mode, size and links of a file, the entries of a directory; 0 for others.
    pub(crate) digest: u64,
}

impl Observed {
    pub(crate) const fn failed(errno: i32) -> Self {
        Self { ret: -(errno as i64), digest: 0 }
    }
}

/// The descriptors that handles have in one run.
#[derive(Debug, Default)]
pub(crate) struct Descriptors {
    numbers: Vec<AtomicI32>,
    /// The handle of the directory that the replaying threads are in.
    here: Option<Handle>,
}

impl Descriptors {
    /// All closed. -1 is what a step is given that runs before the one it needs: EBADF, and never another file.
    pub(crate) fn new(handles: usize) -> Self {
        Self { numbers: (0..handles).map(|_| AtomicI32::new(-1)).collect(), here: None }
    }

    /// The same where the replaying threads are in a handle's directory.
    pub(crate) fn standing_in(self, here: Handle) -> Self {
        Self { here: Some(here), ..self }
    }

    /// The edges of the graph order the accesses; engines with threads synchronise along them.
    pub(crate) fn get(&self, handle: Handle) -> i32 {
        self.numbers[handle.index()].load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, handle: Handle, fd: i32) {
        self.numbers[handle.index()].store(fd, Ordering::Relaxed);
    }

    /// Closes a handle's number in this table: the number, or -1.
    pub(crate) fn take(&self, handle: Handle) -> i32 {
        self.numbers[handle.index()].swap(-1, Ordering::Relaxed)
    }

    /// What a ring's operation starts from, which may be resolved when its thread is elsewhere.
    pub(crate) fn start(&self, start: Start) -> i32 {
        start.map_or(libc::AT_FDCWD, |handle| self.get(handle))
    }

    /// What a plain call starts from: where its thread is, if that will do, as in the program. A descriptor has a count of its
    /// users, and threads that all start from one would fight for the line of memory that it is in.
    pub(crate) fn plain_start(&self, start: Start) -> i32 {
        if self.is_here(start) { libc::AT_FDCWD } else { self.start(start) }
    }

    /// Whether that is the directory that the replaying threads are in.
    pub(crate) fn is_here(&self, start: Start) -> bool {
        start.is_some() && start == self.here
    }

    /// Closes whatever is open; how many were.
    pub(crate) fn close_all(&self) -> usize {
        let open = self.numbers.iter().map(|fd| fd.swap(-1, Ordering::Relaxed)).filter(|&fd| fd >= 0);
        open.map(close).count()
    }
}

/// The most bytes that calls read at once, and those that they write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) read: usize,
    pub(crate) written: usize,
}

/// What is written begins so far into the pattern, by the write's seed: a prime, so that writes in a row differ.
const SEEDS: u32 = 4093;

/// Bytes for so large a write, whatever its seed.
pub(crate) fn pattern(written: usize) -> Vec<u8> {
    let bytes = if written == 0 { 0 } else { written + SEEDS as usize };
    (0..bytes as u64).map(|at| (mix(at, at >> 3) >> 56) as u8).collect()
}

/// Where in the pattern a write begins.
pub(crate) fn pattern_offset(seed: u32) -> usize {
    (seed % SEEDS) as usize
}

/// What the kernel writes results into, and what it reads.
#[derive(Debug)]
pub(crate) struct Scratch {
    buffer: Vec<u8>,
    pattern: Vec<u8>,
}

impl Scratch {
    pub(crate) fn new(room: Room) -> Self {
        Self { buffer: vec![0; room.read], pattern: pattern(room.written) }
    }

    /// What a write of `count` bytes writes.
    pub(crate) fn pattern(&self, seed: u32, count: u32) -> *const u8 {
        self.pattern[pattern_offset(seed)..][..count as usize].as_ptr()
    }

    /// As large as this at least.
    pub(crate) fn grow(&mut self, room: Room) {
        if self.buffer.len() < room.read {
            self.buffer.resize(room.read, 0);
        }
        if self.pattern.len() < room.written {
            self.pattern = pattern(room.written);
        }
    }

    /// Where the kernel may write.
    pub(crate) fn as_mut_ptr(&mut self) -> *mut u8 {
        self.buffer.as_mut_ptr()
    }

    /// The first bytes, as many as a call returned.
    pub(crate) fn written(&self, ret: i64) -> &[u8] {
        let length = usize::try_from(ret).unwrap_or(0);
        self.buffer.get(..length).unwrap_or_default()
    }

    pub(super) fn pointer_for(&mut self, count: u32) -> *mut u8 {
        assert!(count as usize <= self.buffer.len(), "a buffer as large as the largest transfer");
        self.buffer.as_mut_ptr()
    }
}

/// Makes the call of an action; for an open, the new descriptor is the handle's from then on.
#[inline]
pub(crate) fn perform(
    action: &Action,
    paths: &Paths,
    descriptors: &Descriptors,
    scratch: &mut Scratch,
) -> Observed {
    match *action {
        Action::Open { start, path, flags, resolve, into } => {
            let (start, path) = (descriptors.plain_start(start), paths.c_str(path));
            define(descriptors, into, open(start, path, flags, resolve))
        }
        Action::EnterPath { start, path, into } => {
            let flags = (libc::O_PATH | libc::O_DIRECTORY) as u32;
            define(descriptors, into, open(descriptors.plain_start(start), paths.c_str(path), flags, 0))
        }
        Action::EnterHandle { handle, into } | Action::Dup { handle, into } => {
            define(descriptors, Some(into), dup(descriptors.get(handle)))
        }
        Action::Close { handle } => bare(close(descriptors.take(handle))),
        Action::Read { handle, count } => read(descriptors.get(handle), count, scratch),
        Action::Pread { handle, count, offset } => pread(descriptors.get(handle), count, offset, scratch),
        Action::Seek { handle, offset, whence } => {
            // SAFETY: takes no pointers.
            bare(result(unsafe { libc::syscall(libc::SYS_lseek, descriptors.get(handle), offset, whence) }))
        }
        Action::Stat { start, path, flags, call } => {
            let (start, path) = (descriptors.plain_start(start), paths.c_str(path));
            match call {
                StatCall::Stat => stat(start, path, flags),
                StatCall::Statx(mask) => statx(start, path, flags, mask),
            }
        }
        Action::Fstat { handle } => fstat(descriptors.get(handle)),
        Action::Access { start, path, mode, flags } => {
            bare(access(descriptors.plain_start(start), paths.c_str(path), mode, flags))
        }
        Action::ReadLink { start, path, size } => {
            read_link(descriptors.plain_start(start), paths.c_str(path), size, scratch)
        }
        Action::ListDir { handle, count } => list(descriptors.get(handle), count, scratch),
        Action::Change(ref change) => super::changes::change(change, paths, descriptors, scratch),
        Action::Order(_) => Observed::default(),
    }
}

/// What a statx wrote, as one number.
pub(crate) fn digest_of_statx(statx: &libc::statx) -> u64 {
    digest_of(u32::from(statx.stx_mode), statx.stx_size, u64::from(statx.stx_nlink))
}

/// A directory's size is its file system's affair: it grows with every name, and stays when they go.
fn digest_of(mode: u32, size: u64, nlink: u64) -> u64 {
    let size = if mode & libc::S_IFMT == libc::S_IFDIR { 0 } else { size };
    mix(mix(u64::from(mode), size), nlink)
}

pub(super) fn define(descriptors: &Descriptors, into: Option<Handle>, ret: i64) -> Observed {
    if let Ok(fd) = i32::try_from(ret)
        && fd >= 0
    {
        match into {
            Some(into) => descriptors.set(into, fd),
            // Expected to fail: nobody will close it.
            None => drop(close(fd)),
        }
    }
    bare(ret)
}

pub(super) fn bare(ret: i64) -> Observed {
    Observed { ret, digest: 0 }
}

/// The kernel's own form of a result: a negative errno for a failure.
pub(super) fn result(ret: libc::c_long) -> i64 {
    if ret == -1 { -i64::from(std::io::Error::last_os_error().raw_os_error().unwrap_or(0)) } else { ret }
}

/// Flags of an open that reads and changes nothing. Whatever else a plan may have is not passed to the kernel: the last
/// of several checks, in the place that all opens pass.
pub(crate) const fn read_only(flags: u32) -> u32 {
    flags & !WRITING_FLAGS
}

pub(super) fn open(start: i32, path: &CStr, flags: u32, resolve: u16) -> i64 {
    let flags = read_only(flags) | libc::O_CLOEXEC as u32;
    if resolve == 0 {
        // SAFETY: `path` ends with NUL.
        return result(unsafe { libc::syscall(libc::SYS_openat, start, path.as_ptr(), flags, 0) });
    }
    // SAFETY: all-zero bytes are a valid `open_how`, which holds integers only.
    let mut how: libc::open_how = unsafe { MaybeUninit::zeroed().assume_init() };
    how.flags = u64::from(flags);
    how.resolve = u64::from(resolve);
    // SAFETY: `path` ends with NUL, and `how` is live and of the size told.
    result(unsafe {
        libc::syscall(libc::SYS_openat2, start, path.as_ptr(), &raw const how, size_of::<libc::open_how>())
    })
}

fn dup(fd: i32) -> i64 {
    // SAFETY: takes no pointers.
    result(unsafe { libc::syscall(libc::SYS_fcntl, fd, libc::F_DUPFD_CLOEXEC, 3) })
}

/// Closes a descriptor of a replay.
pub(crate) fn close(fd: i32) -> i64 {
    // SAFETY: the number comes from an open of this run, and is taken from its table by whoever closes it.
    result(unsafe { libc::syscall(libc::SYS_close, fd) })
}

fn read(fd: i32, count: u32, scratch: &mut Scratch) -> Observed {
    // SAFETY: the buffer has room for `count` bytes.
    bare(result(unsafe { libc::syscall(libc::SYS_read, fd, scratch.pointer_for(count), count as usize) }))
}

fn pread(fd: i32, count: u32, offset: i64, scratch: &mut Scratch) -> Observed {
    // SAFETY: the buffer has room for `count` bytes.
    bare(result(unsafe {
        libc::syscall(libc::SYS_pread64, fd, scratch.pointer_for(count), count as usize, offset)
    }))
}

fn stat(start: i32, path: &CStr, flags: u32) -> Observed {
    let mut buffer = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: `path` ends with NUL, and `buffer` has room for the kernel's struct.
    let ret = result(unsafe {
        libc::syscall(libc::SYS_newfstatat, start, path.as_ptr(), buffer.as_mut_ptr(), flags)
    });
    stat_result(ret, &buffer)
}

fn fstat(fd: i32) -> Observed {
    let mut buffer = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: `buffer` has room for the kernel's struct.
    let ret = result(unsafe { libc::syscall(libc::SYS_fstat, fd, buffer.as_mut_ptr()) });
    stat_result(ret, &buffer)
}

fn stat_result(ret: i64, buffer: &MaybeUninit<libc::stat>) -> Observed {
    if ret != 0 {
        return bare(ret);
    }
    // SAFETY: the call succeeded, so the kernel has filled the struct.
    let stat = unsafe { buffer.assume_init_ref() };
    Observed { ret, digest: digest_of(stat.st_mode, stat.st_size as u64, stat.st_nlink) }
}

fn statx(start: i32, path: &CStr, flags: u32, mask: u32) -> Observed {
    let mut buffer = MaybeUninit::<libc::statx>::uninit();
    // SAFETY: `path` ends with NUL, and `buffer` has room for the kernel's struct.
    let ret = result(unsafe {
        libc::syscall(libc::SYS_statx, start, path.as_ptr(), flags, mask, buffer.as_mut_ptr())
    });
    if ret != 0 {
        return bare(ret);
    }
    // SAFETY: the call succeeded, so the kernel has filled the struct.
    Observed { ret, digest: digest_of_statx(unsafe { buffer.assume_init_ref() }) }
}

/// `faccessat2` only where flags ask for it, as the program did.
fn access(start: i32, path: &CStr, mode: u32, flags: u32) -> i64 {
    if flags == 0 {
        // SAFETY: `path` ends with NUL.
        return result(unsafe { libc::syscall(libc::SYS_faccessat, start, path.as_ptr(), mode) });
    }
    // SAFETY: `path` ends with NUL.
    result(unsafe { libc::syscall(libc::SYS_faccessat2, start, path.as_ptr(), mode, flags) })
}

fn read_link(start: i32, path: &CStr, size: u32, scratch: &mut Scratch) -> Observed {
    // SAFETY: `path` ends with NUL, and the buffer has room for `size` bytes.
    bare(result(unsafe {
        libc::syscall(libc::SYS_readlinkat, start, path.as_ptr(), scratch.pointer_for(size), size as usize)
    }))
}

/// Lists a directory from beginning to end; how many calls it took.
pub(crate) fn list_directory(path: &CStr, scratch: &mut Scratch) -> u64 {
    let fd = open(libc::AT_FDCWD, path, libc::O_DIRECTORY as u32, 0) as i32;
    if fd < 0 {
        return 1;
    }
    let mut calls = 2;
    loop {
        calls += 1;
        let room = scratch.buffer.len() as u32;
        if list(fd, room, scratch).ret <= 0 {
            close(fd);
            return calls;
        }
    }
}

pub(super) fn list(fd: i32, count: u32, scratch: &mut Scratch) -> Observed {
    // SAFETY: the buffer has room for `count` bytes.
    let ret = result(unsafe {
        libc::syscall(libc::SYS_getdents64, fd, scratch.pointer_for(count), count as usize)
    });
    Observed { ret, digest: digest(scratch.written(ret)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_open_empties_a_file_whatever_its_flags() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        std::fs::write(&path, "12345").unwrap();
        let name = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
        let flags = (libc::O_TRUNC | libc::O_WRONLY | libc::O_APPEND) as u32;
        let fd = open(libc::AT_FDCWD, &name, flags, 0);
        assert!(fd >= 0);
        // SAFETY: the descriptor is this test's.
        let written = unsafe { libc::write(fd as i32, c"x".as_ptr().cast(), 1) };
        close(fd as i32);
        let new = std::ffi::CString::new(directory.path().join("new").to_str().unwrap()).unwrap();
        assert_eq!(open(libc::AT_FDCWD, &new, libc::O_CREAT as u32, 0), -i64::from(libc::ENOENT));
        assert_eq!((written, std::fs::read_to_string(path).unwrap().as_str()), (-1, "12345"));
        assert_eq!(read_only(libc::O_DIRECTORY as u32), libc::O_DIRECTORY as u32);
    }
}
