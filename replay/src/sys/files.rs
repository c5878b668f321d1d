//! What the rehearsal asks about a file before it is opened: where it is and what it is.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// What an `O_PATH` descriptor says of its file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) mode: u32,
    pub(crate) size: u64,
    pub(crate) nlink: u64,
}

/// Opens a file without doing anything to it (`O_PATH`).
pub(crate) fn locate(start: i32, path: &CStr, flags: i32, resolve: u16) -> io::Result<OwnedFd> {
    // SAFETY: all-zero bytes are a valid `open_how`, which holds integers only.
    let mut how: libc::open_how = unsafe { MaybeUninit::zeroed().assume_init() };
    how.flags = (libc::O_PATH | libc::O_CLOEXEC | flags) as u64;
    how.resolve = u64::from(resolve);
    // SAFETY: `path` ends with NUL, and `how` is live and of the size told.
    owned(unsafe {
        libc::syscall(libc::SYS_openat2, start, path.as_ptr(), &raw const how, size_of::<libc::open_how>())
    })
}

/// `RESOLVE_CACHED` of `linux/openat2.h`.
const RESOLVE_CACHED: u64 = 0x20;

/// Whether the kernel can open this at once, or fail to, without waiting for a disk or a lock. `None`: it cannot be
/// asked (before Linux 5.12).
pub(crate) fn is_cached(start: i32, path: &CStr, flags: i32) -> Option<bool> {
    // SAFETY: all-zero bytes are a valid `open_how`, which holds integers only.
    let mut how: libc::open_how = unsafe { MaybeUninit::zeroed().assume_init() };
    how.flags = (super::calls::read_only(flags as u32) as i32 | libc::O_CLOEXEC) as u64;
    how.resolve = RESOLVE_CACHED;
    // SAFETY: `path` ends with NUL, and `how` is live and of the size told.
    let opened = owned(unsafe {
        libc::syscall(libc::SYS_openat2, start, path.as_ptr(), &raw const how, size_of::<libc::open_how>())
    });
    match opened.map_err(|error| error.raw_os_error()) {
        Err(Some(libc::EINVAL | libc::ENOSYS | libc::EPERM)) => None,
        Err(Some(libc::EAGAIN)) => Some(false),
        _ => Some(true),
    }
}

/// Opens the very file behind a descriptor, by its name in /proc, with other flags.
pub(crate) fn reopen(file: BorrowedFd, flags: i32) -> io::Result<OwnedFd> {
    let path = proc_name(file);
    // SAFETY: `path` ends with NUL.
    owned(unsafe {
        libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path.as_ptr(), flags | libc::O_CLOEXEC, 0)
    })
}

pub(crate) fn identity(file: BorrowedFd) -> io::Result<Identity> {
    let mut stat = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: `stat` has room for the struct.
    if unsafe { libc::fstat(file.as_raw_fd(), stat.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so the struct is filled.
    let stat = unsafe { stat.assume_init() };
    Ok(Identity {
        device: stat.st_dev,
        inode: stat.st_ino,
        mode: stat.st_mode,
        size: stat.st_size as u64,
        nlink: stat.st_nlink,
    })
}

/// The magic number of the file system that a file is on (`statfs(2)`).
pub(crate) fn file_system(file: BorrowedFd) -> io::Result<i64> {
    let mut statfs = MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: `statfs` has room for the struct.
    if unsafe { libc::fstatfs(file.as_raw_fd(), statfs.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so the struct is filled.
    Ok(unsafe { statfs.assume_init() }.f_type)
}

/// How many files there may still be on the file system that a file is on.
pub(crate) fn free_inodes(file: &File) -> io::Result<u64> {
    Ok(statvfs(file.as_fd())?.f_favail)
}

/// How many bytes this user may still write on the file system that a file is on.
pub(crate) fn free_bytes(file: BorrowedFd) -> io::Result<u64> {
    let statvfs = statvfs(file)?;
    Ok(statvfs.f_bavail.saturating_mul(statvfs.f_frsize))
}

fn statvfs(file: BorrowedFd) -> io::Result<libc::statvfs> {
    let mut statvfs = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: `statvfs` has room for the struct.
    if unsafe { libc::fstatvfs(file.as_raw_fd(), statvfs.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so the struct is filled.
    Ok(unsafe { statvfs.assume_init() })
}

/// Makes the contents of a file those of another, without copying them.
pub(crate) fn share_blocks(from: &File, to: &File) -> io::Result<()> {
    // SAFETY: both are open; the call takes no pointers.
    match unsafe { libc::ioctl(to.as_raw_fd(), libc::FICLONE, from.as_raw_fd()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Where a file has data from this offset on (`SEEK_DATA`, lseek(2)); `None`: a hole up to its end. A file system that cannot
/// tell has data everywhere.
pub(crate) fn next_data(file: &File, from: u64) -> io::Result<Option<u64>> {
    // SAFETY: takes no pointers.
    let at = unsafe { libc::lseek(file.as_raw_fd(), from as libc::off_t, libc::SEEK_DATA) };
    match u64::try_from(at) {
        Ok(at) => Ok(Some(at)),
        Err(_) => match io::Error::last_os_error() {
            error if error.raw_os_error() == Some(libc::ENXIO) => Ok(None),
            error if error.raw_os_error() == Some(libc::EINVAL) => Ok(Some(from)),
            error => Err(error),
        },
    }
}

/// Has ext4 put each directory that is made in this one far from the others, at a place that depends on its name
/// (`EXT4_TOPDIR_FL`; `find_group_orlov`, fs/ext4/ialloc.c).
pub(crate) fn spread_directories(directory: &File) -> io::Result<()> {
    const TOP_DIRECTORY: libc::c_int = 0x0002_0000;
    let mut flags: libc::c_int = 0;
    // SAFETY: `flags` is live, and as large as the kernel takes it to be (an int, whatever the request's number says).
    let done = unsafe {
        libc::ioctl(directory.as_raw_fd(), libc::FS_IOC_GETFLAGS, &raw mut flags) == 0 && {
            flags |= TOP_DIRECTORY;
            libc::ioctl(directory.as_raw_fd(), libc::FS_IOC_SETFLAGS, &raw const flags) == 0
        }
    };
    if done { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Sets when a link was modified, not what it leads to.
pub(crate) fn set_modified(path: &Path, since_epoch: Duration) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let omitted = libc::timespec { tv_sec: 0, tv_nsec: libc::UTIME_OMIT };
    let modified = libc::timespec { tv_sec: since_epoch.as_secs() as i64, tv_nsec: 0 };
    let times = [omitted, modified];
    let nofollow = libc::AT_SYMLINK_NOFOLLOW;
    // SAFETY: `path` ends with NUL, `times` is of two.
    match unsafe { libc::utimensat(libc::AT_FDCWD, path.as_ptr(), times.as_ptr(), nofollow) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Whether this process may make files in a directory.
pub(crate) fn may_write(directory: &CStr) -> bool {
    // SAFETY: `directory` ends with NUL.
    unsafe {
        libc::faccessat(libc::AT_FDCWD, directory.as_ptr(), libc::W_OK | libc::X_OK, libc::AT_EACCESS) == 0
    }
}

/// The name in /proc that leads to the file behind a descriptor.
pub(crate) fn proc_name(file: BorrowedFd) -> CString {
    let name = format!("/proc/self/fd/{}", file.as_raw_fd());
    CString::new(name).unwrap_or_default()
}

/// A descriptor of the run's table, which stays open as long as the table is not changed.
pub(crate) fn borrow<'a>(fd: i32) -> Option<BorrowedFd<'a>> {
    // SAFETY: not -1, and the caller's table keeps it open while it is looked at.
    (fd >= 0).then(|| unsafe { BorrowedFd::borrow_raw(fd) })
}

/// The calling thread, and threads that it starts, are in this directory from now on; others of the process stay where they are.
pub(crate) fn go_alone_to(directory: &CStr) -> io::Result<()> {
    // SAFETY: takes no pointers; what is no longer shared is the directory, the root and the umask.
    if unsafe { libc::unshare(libc::CLONE_FS) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the name ends with NUL.
    match unsafe { libc::chdir(directory.as_ptr()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn owned(fd: libc::c_long) -> io::Result<OwnedFd> {
    match i32::try_from(fd) {
        // SAFETY: a descriptor that the kernel has just made for us.
        Ok(fd) if fd >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_goes_alone() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().canonicalize().unwrap();
        let path = CString::new(place.as_os_str().as_bytes()).unwrap();
        let before = std::env::current_dir().unwrap();
        let went = std::thread::spawn(move || {
            go_alone_to(&path).unwrap();
            let of_child = std::thread::spawn(|| std::env::current_dir().unwrap()).join().unwrap();
            (std::env::current_dir().unwrap(), of_child)
        });
        assert_eq!(went.join().unwrap(), (place.clone(), place.clone()));
        assert_eq!(std::env::current_dir().unwrap(), before);
    }
}

/// Files that only tests make.
#[cfg(test)]
pub(crate) mod tests_support {
    /// Whether a file system has extended attributes for users: a tmpfs has them since Linux 6.6.
    pub(crate) fn takes_attributes(path: &std::ffi::CStr) -> bool {
        // SAFETY: both names end with NUL, and the value has a byte.
        unsafe { libc::setxattr(path.as_ptr(), c"user.probe".as_ptr(), c"1".as_ptr().cast(), 1, 0) == 0 }
    }

    /// Does this with the rights of a user who is not root; a directory of that user's is given.
    pub(crate) fn unprivileged<T: Send>(work: impl FnOnce(&std::path::Path) -> T + Send) -> T {
        const NOBODY: u32 = 65534;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        std::thread::scope(|scope| {
            let as_user = || {
                if super::super::confine::effective_ids().0 == 0 {
                    std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
                    // SAFETY: takes no pointers. Both are of this thread alone, which ends.
                    unsafe { (libc::setfsgid(NOBODY), libc::setfsuid(NOBODY)) };
                }
                work(path)
            };
            scope.spawn(as_user).join().unwrap()
        })
    }

    pub(crate) fn make_fifo(path: &std::ffi::CStr) {
        // SAFETY: `path` ends with NUL.
        assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
    }
}
