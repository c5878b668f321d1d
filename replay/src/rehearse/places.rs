//! Where a lookup leads, found out without opening anything: the kernel's own file systems are off limits.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::bind::Skip;
use crate::sys::files::{file_system, locate, proc_name};

/// Directories below which nothing is replayed.
const OFF_LIMITS: [&str; 3] = ["/proc", "/sys", "/dev"];

/// File systems whose files are not stored data, by whatever name they are reached: proc, sysfs, debugfs, tracefs,
/// securityfs, cgroup, cgroup2, devpts, bpf, configfs, pstore, efivarfs, mqueue, `binfmt_misc`, nsfs,
/// selinuxfs, smackfs, autofs (a lookup there can mount). Source: `linux/magic.h`.
const KERNEL_FILE_SYSTEMS: [i64; 18] = [
    0x9fa0,
    0x6265_6572,
    0x6462_6720,
    0x7472_6163,
    0x7363_6673,
    0x0027_e0eb,
    0x6367_7270,
    0x1cd1,
    0xcafe_4a11,
    0x6265_6570,
    0x6165_676c,
    0xde5e_81e4,
    0x1980_0202,
    0x4249_4e4d,
    0x6e73_6673,
    0xf97c_ff8c,
    0x4341_5d53,
    0x0187,
];

/// The file that a lookup finds, or its error, if it is not off limits. The last link is not followed with `O_NOFOLLOW`
/// in `flags`.
pub(super) fn find(
    start: i32,
    path: &CStr,
    flags: i32,
    resolve: u16,
) -> Result<Result<OwnedFd, io::Error>, Skip> {
    match locate(start, path, flags, resolve) {
        Ok(file) => {
            check(file.as_fd())?;
            Ok(Ok(file))
        }
        Err(error) => {
            check_parents(start, path)?;
            Ok(Err(error))
        }
    }
}

/// Whether a file may be looked at.
pub(super) fn check(file: BorrowedFd) -> Result<(), Skip> {
    let magic = file_system(file).map_err(|_| Skip::KernelFileSystem)?;
    if KERNEL_FILE_SYSTEMS.contains(&magic) {
        return Err(Skip::KernelFileSystem);
    }
    let name = proc_name(file);
    let real = std::fs::read_link(Path::new(std::ffi::OsStr::from_bytes(name.to_bytes())));
    match real {
        Ok(real) if OFF_LIMITS.iter().all(|directory| !real.starts_with(directory)) => Ok(()),
        _ => Err(Skip::KernelFileSystem),
    }
}

/// A lookup that fails was somewhere, too: in the last directory on its way that is there.
fn check_parents(start: i32, path: &CStr) -> Result<(), Skip> {
    let mut path = path.to_bytes();
    while let Some(slash) = path.iter().rposition(|&byte| byte == b'/') {
        path = &path[..slash];
        let parent = if path.is_empty() { &b"/"[..] } else { path };
        let parent = CString::new(parent).unwrap_or_default();
        if let Ok(directory) = locate(start, &parent, 0, 0) {
            return check(directory.as_fd());
        }
        if path.is_empty() {
            return Err(Skip::KernelFileSystem);
        }
    }
    match crate::sys::files::borrow(start) {
        Some(directory) => check(directory),
        None => Err(Skip::DependsOnSkipped),
    }
}

/// What /proc calls this descriptor is what reopening it needs; without /proc there is no safe way.
pub(super) fn proc_is_there() -> io::Result<()> {
    let here = std::fs::File::open("/")?;
    let name = proc_name(here.as_fd());
    locate(libc::AT_FDCWD, &name, 0, 0).map(drop)
}
