//! Landlock (landlock(7)).

use std::io;
use std::os::fd::AsRawFd;

use super::{checked, owned};

/// `LANDLOCK_CREATE_RULESET_VERSION` of `linux/landlock.h`.
const VERSION: u32 = 1;
/// `LANDLOCK_ACCESS_FS_READ_DIR`.
const READ_DIR: u64 = 1 << 3;

/// The version of Landlock's ABI.
pub fn version() -> io::Result<i64> {
    let none = std::ptr::null::<u64>();
    // SAFETY: with this flag the kernel reads no attributes.
    checked(unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, none, 0_usize, VERSION) })
}

/// Forbids this process to list directories.
pub fn forbid_listing() -> io::Result<i64> {
    let handled: u64 = READ_DIR;
    let attributes = &raw const handled;
    // SAFETY: the attributes of the first ABI are one live number of this size.
    let ruleset =
        owned(unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, attributes, size_of::<u64>(), 0) })?;
    // SAFETY: takes no pointers.
    checked(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }.into())?;
    // SAFETY: takes no pointers.
    checked(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0) })
}
