//! The plain system call of each change: only for programs of a scratch tree, by threads that can reach nothing else.

use std::ffi::CStr;

use super::attributes::{Attribute, file_system};
use super::calls::{Descriptors, Observed, Scratch, bare, define, result};
use crate::bind::Change;
use crate::plan::{CopyCall, Offset, Paths, RangeLock, SharedPart};

/// What is set in place of the times that no log has: an hour after the beginning of time, which no file made by
/// a replay would have by itself.
pub(crate) const SET_TIME: libc::timespec = libc::timespec { tv_sec: 3600, tv_nsec: 0 };

/// Flags of an open here: no descriptor is left to others, no terminal becomes ours. `O_NONBLOCK` means nothing to the
/// regular files of a scratch tree, and to a ring that it must not wait for them (EAGAIN); direct writes want
/// aligned buffers.
pub(crate) const fn open_flags(flags: u32) -> u32 {
    flags & !((libc::O_ASYNC | libc::O_DIRECT | libc::O_NONBLOCK) as u32)
        | (libc::O_CLOEXEC | libc::O_NOCTTY) as u32
}

/// Makes the call of a change.
pub(crate) fn change(
    change: &Change,
    paths: &Paths,
    descriptors: &Descriptors,
    scratch: &mut Scratch,
) -> Observed {
    let fd = |handle| descriptors.get(handle);
    let at = |start| descriptors.start(start);
    let name = |path| paths.c_str(path).as_ptr();
    match *change {
        Change::Open { start, path, flags, mode, resolve, into } => {
            let ret = open(at(start), paths.c_str(path), open_flags(flags), mode, resolve);
            define(descriptors, into, ret)
        }
        Change::Write { handle, count, seed } => {
            let from = scratch.pattern(seed, count);
            // SAFETY: the pattern has `count` bytes from there.
            call(unsafe { libc::syscall(libc::SYS_write, fd(handle), from, count as usize) })
        }
        Change::Pwrite { handle, count, seed, offset } => {
            let from = scratch.pattern(seed, count);
            // SAFETY: the pattern has `count` bytes from there.
            call(unsafe { libc::syscall(libc::SYS_pwrite64, fd(handle), from, count as usize, offset) })
        }
        Change::Symlink { target, start, path } => {
            // SAFETY: both names end with NUL.
            call(unsafe { libc::syscall(libc::SYS_symlinkat, name(target), at(start), name(path)) })
        }
        Change::MakeDir { start, path, mode } => {
            // SAFETY: the name ends with NUL.
            call(unsafe { libc::syscall(libc::SYS_mkdirat, at(start), name(path), u32::from(mode)) })
        }
        Change::Unlink { start, path, flags } => {
            // SAFETY: the name ends with NUL.
            call(unsafe { libc::syscall(libc::SYS_unlinkat, at(start), name(path), flags) })
        }
        Change::Rename { from_start, from, to_start, to, flags } => {
            let (from_start, to_start) = (at(from_start), at(to_start));
            // SAFETY: both names end with NUL.
            call(unsafe {
                libc::syscall(libc::SYS_renameat2, from_start, name(from), to_start, name(to), flags)
            })
        }
        Change::Link { from_start, from, to_start, to, flags } => {
            let (from_start, to_start) = (at(from_start), at(to_start));
            // SAFETY: both names end with NUL.
            call(unsafe {
                libc::syscall(libc::SYS_linkat, from_start, name(from), to_start, name(to), flags)
            })
        }
        Change::Truncate { path, length, start } => truncate(at(start), paths.c_str(path), length),
        Change::Attribute { start, path, nofollow, call, name, size, flags, seed } => {
            let (start, path, name) = (at(start), paths.c_str(path), paths.c_str(name));
            Attribute { start, path, call, name, size, seed, flags, nofollow }.perform(scratch)
        }
        Change::FileSystem { start, path } => file_system(at(start), paths.c_str(path)),
        Change::LockRange { handle, lock } => lock_range(fd(handle), lock),
        Change::Copy { from, from_offset, to, to_offset, count, call } => {
            copy((fd(from), from_offset), (fd(to), to_offset), count as usize, call)
        }
        Change::CloneRange { from, to, part } => clone_range(fd(from), fd(to), part),
        ref on_file => change_file(on_file, paths, descriptors),
    }
}

/// Changes of a file's size and attributes, and from one file to another.
fn change_file(change: &Change, paths: &Paths, descriptors: &Descriptors) -> Observed {
    let fd = |handle| descriptors.get(handle);
    let at = |start| descriptors.start(start);
    let name = |path| paths.c_str(path).as_ptr();
    let times = [SET_TIME; 2];
    // SAFETY: names end with NUL, `times` is of two, and no other pointer is passed.
    call(unsafe {
        match *change {
            Change::Ftruncate { handle, length } => libc::syscall(libc::SYS_ftruncate, fd(handle), length),
            Change::Allocate { handle, mode, offset, length } => {
                libc::syscall(libc::SYS_fallocate, fd(handle), mode, offset, length)
            }
            Change::Chmod { start, path, mode } => {
                libc::syscall(libc::SYS_fchmodat, at(start), name(path), u32::from(mode))
            }
            Change::Fchmod { handle, mode } => libc::syscall(libc::SYS_fchmod, fd(handle), u32::from(mode)),
            Change::Chown { start, path, owner, group, flags } => {
                libc::syscall(libc::SYS_fchownat, at(start), name(path), owner, group, flags)
            }
            Change::Fchown { handle, owner, group } => {
                libc::syscall(libc::SYS_fchown, fd(handle), owner, group)
            }
            Change::SetTimes { start, path, flags } => {
                libc::syscall(libc::SYS_utimensat, at(start), name(path), times.as_ptr(), flags)
            }
            Change::FsetTimes { handle } => libc::syscall(
                libc::SYS_utimensat,
                fd(handle),
                std::ptr::null::<libc::c_char>(),
                times.as_ptr(),
                0,
            ),
            Change::Sync { handle, data_only: true } => libc::syscall(libc::SYS_fdatasync, fd(handle)),
            Change::Sync { handle, data_only: false } => libc::syscall(libc::SYS_fsync, fd(handle)),
            Change::Lock { handle, operation } => {
                libc::syscall(libc::SYS_flock, fd(handle), operation | libc::LOCK_NB as u32)
            }
            Change::Clone { from, to } => libc::syscall(libc::SYS_ioctl, fd(to), libc::FICLONE, fd(from)),
            _ => return Observed::failed(libc::ENOSYS),
        }
    })
}

pub(super) fn copy(
    (from, from_at): (i32, Offset),
    (to, to_at): (i32, Offset),
    count: usize,
    made: CopyCall,
) -> Observed {
    // Offsets of a log are positive as i64; of those it does not give, a null pointer is passed.
    let mut offsets = [from_at, to_at].map(|offset| offset.bytes().unwrap_or(0) as libc::loff_t);
    let [from_offset, to_offset] = &mut offsets;
    let passed = |offset: &mut libc::loff_t, at: Offset| match at {
        Offset::OWN => std::ptr::null_mut(),
        _ => std::ptr::from_mut(offset),
    };
    let (from_offset, to_offset) = (passed(from_offset, from_at), passed(to_offset, to_at));
    // SAFETY: offsets are null or live.
    call(unsafe {
        match made {
            CopyCall::Range => {
                libc::syscall(libc::SYS_copy_file_range, from, from_offset, to, to_offset, count, 0)
            }
            CopyCall::Send => libc::syscall(libc::SYS_sendfile, to, from, from_offset, count),
        }
    })
}

fn clone_range(from: i32, to: i32, part: SharedPart) -> Observed {
    let passed = libc::file_clone_range {
        src_fd: from.into(),
        src_offset: part.from,
        src_length: part.length,
        dest_offset: part.to,
    };
    // SAFETY: `passed` is live.
    call(unsafe { libc::syscall(libc::SYS_ioctl, to, libc::FICLONERANGE, &raw const passed) })
}

/// In the log's order nobody has to wait for a lock, so nobody does: where one would, the result is another.
fn lock_range(fd: i32, lock: RangeLock) -> Observed {
    let command = match (lock.asks, lock.of_description) {
        (true, true) => libc::F_OFD_GETLK,
        (true, false) => libc::F_GETLK,
        (false, true) => libc::F_OFD_SETLK,
        (false, false) => libc::F_SETLK,
    };
    let RangeLock { kind, whence, start, length, .. } = lock;
    let mut passed = libc::flock { l_type: kind, l_whence: whence, l_start: start, l_len: length, l_pid: 0 };
    // SAFETY: `passed` is live.
    call(unsafe { libc::syscall(libc::SYS_fcntl, fd, command, &raw mut passed) })
}

fn call(ret: libc::c_long) -> Observed {
    bare(result(ret))
}

fn open(start: i32, path: &CStr, flags: u32, mode: u16, resolve: u16) -> i64 {
    if resolve == 0 {
        // SAFETY: `path` ends with NUL.
        return result(unsafe {
            libc::syscall(libc::SYS_openat, start, path.as_ptr(), flags, u32::from(mode))
        });
    }
    // SAFETY: all-zero bytes are a valid `open_how`, which holds integers only.
    let mut how: libc::open_how = unsafe { std::mem::MaybeUninit::zeroed().assume_init() };
    how.flags = u64::from(flags);
    how.mode = if flags & (libc::O_CREAT | libc::O_TMPFILE & !libc::O_DIRECTORY) as u32 == 0 {
        0
    } else {
        mode.into()
    };
    how.resolve = u64::from(resolve);
    // SAFETY: `path` ends with NUL, and `how` is live and of the size told.
    result(unsafe {
        libc::syscall(libc::SYS_openat2, start, path.as_ptr(), &raw const how, size_of::<libc::open_how>())
    })
}

/// `truncate` has no variant with a directory to start from: its file is opened, which the call does by itself, too.
fn truncate(start: i32, path: &CStr, length: i64) -> Observed {
    let fd = open(start, path, open_flags(libc::O_WRONLY as u32), 0, 0);
    if fd < 0 {
        return bare(fd);
    }
    // SAFETY: takes no pointers.
    let ret = result(unsafe { libc::syscall(libc::SYS_ftruncate, fd, length) });
    super::calls::close(fd as i32);
    bare(ret)
}
