//! What kind of thing a descriptor is, as far as programs can tell and behave by.

use super::super::sys::fds;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::stat::{SFlag, fstat};
use std::ffi::c_int;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A terminal.
    Terminal,
    /// `/dev/null`.
    Null,
    /// Another device.
    Device,
    /// A pipe, named or not.
    Pipe,
    /// A socket of this type (`SOCK_STREAM`...).
    Socket(c_int),
    /// A regular file.
    File,
    /// A directory, an anonymous inode, ...
    Other,
}

/// Looks at a descriptor.
pub fn kind(fd: BorrowedFd<'_>) -> io::Result<Kind> {
    let stat = fstat(fd)?;
    Ok(match SFlag::from_bits_truncate(stat.st_mode & SFlag::S_IFMT.bits()) {
        SFlag::S_IFCHR if nix::unistd::isatty(fd).unwrap_or(false) => Kind::Terminal,
        SFlag::S_IFCHR if stat.st_rdev == nix::sys::stat::makedev(1, 3) => Kind::Null,
        SFlag::S_IFCHR | SFlag::S_IFBLK => Kind::Device,
        SFlag::S_IFIFO => Kind::Pipe,
        SFlag::S_IFSOCK => Kind::Socket(fds::socket_type(fd)?),
        SFlag::S_IFREG => Kind::File,
        _ => Kind::Other,
    })
}

/// Status flags and access mode of its open file description.
pub fn flags(fd: BorrowedFd<'_>) -> io::Result<OFlag> {
    Ok(OFlag::from_bits_truncate(fcntl(fd, FcntlArg::F_GETFL)?))
}

/// The access mode alone.
pub fn access(fd: BorrowedFd<'_>) -> io::Result<OFlag> {
    Ok(flags(fd)? & OFlag::O_ACCMODE)
}

/// Gives a description the status flags that another has and that can be set.
pub fn copy_status(from: OFlag, to: impl AsFd) -> io::Result<()> {
    let status = from & (OFlag::O_APPEND | OFlag::O_NONBLOCK);
    fcntl(to, FcntlArg::F_SETFL(status))?;
    Ok(())
}

/// Gives a pipe the capacity that another has, as far as that is allowed.
pub fn copy_capacity(from: BorrowedFd<'_>, to: impl AsFd) {
    if let Ok(capacity) = fcntl(from, FcntlArg::F_GETPIPE_SZ) {
        // Past /proc/sys/fs/pipe-max-size or the user's quota it stays what it is.
        let _ = fcntl(to, FcntlArg::F_SETPIPE_SZ(capacity));
    }
}

/// Whether two descriptors are one open file description, as `2>&1` makes them. Where the kernel
/// does not say, what looks the same in every respect is taken for the same.
pub fn same_description(a: BorrowedFd<'_>, b: BorrowedFd<'_>) -> bool {
    fds::same_description(a, b).unwrap_or_else(|| {
        let look = |fd: BorrowedFd<'_>| {
            let stat = fstat(fd).ok()?;
            Some((stat.st_dev, stat.st_ino, stat.st_rdev, flags(fd).ok()?))
        };
        look(a).is_some_and(|one| look(b) == Some(one))
    })
}

/// The name under which a descriptor of this process can be opened anew.
pub fn path_of(fd: &impl AsRawFd) -> String {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}
