//! What is above a namespace of ids (`ioctl_ns(2)`).

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};

/// `NS_GET_PARENT` of `linux/nsfs.h`.
const NS_GET_PARENT: libc::c_ulong = 0xb702;

/// The namespace above this one; an error above that of this process, or of what is no namespace that has one.
pub fn above(namespace: &File) -> io::Result<File> {
    // SAFETY: the request takes no argument, and nothing of this process's memory.
    let fd = unsafe { libc::ioctl(namespace.as_raw_fd(), NS_GET_PARENT as _) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it has just been opened for us, and nobody else has it.
    Ok(unsafe { File::from_raw_fd(fd) })
}
