//! Waiting for traced threads. nix's `waitpid` swallows real-time signal stops, so wait4(2) is called raw.

use std::io;

/// A change of state of one thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The thread.
    pub tid: i32,
    /// Raw wait status.
    pub status: i32,
}

/// Waits for any child or traced thread of the calling thread. `None`: with `block` false, nothing has
/// changed; with `block` true, a signal handler ran.
///
/// # Errors
/// `ECHILD` when there is nothing left to wait for.
pub fn any(block: bool) -> io::Result<Option<Change>> {
    // Without __WALL: traced threads are waited for in any case (Linux 4.7), and helpers of our own that
    // end silently are not.
    let flags = libc::__WNOTHREAD | if block { 0 } else { libc::WNOHANG };
    one(-1, flags)
}

/// Waits for one thread or child.
pub fn thread(tid: i32) -> io::Result<Change> {
    loop {
        if let Some(change) = one(tid, libc::__WALL)? {
            return Ok(change);
        }
    }
}

fn one(tid: i32, flags: i32) -> io::Result<Option<Change>> {
    let mut status = 0;
    // SAFETY: `status` is a live integer and no rusage is asked for.
    let tid = unsafe { libc::wait4(tid, &raw mut status, flags, std::ptr::null_mut()) };
    match tid {
        -1 => match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => Ok(None),
            error => Err(error),
        },
        0 => Ok(None),
        tid => Ok(Some(Change { tid, status })),
    }
}
