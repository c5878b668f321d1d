//! Waiting for traced threads. nix's `waitpid` swallows real-time signal stops, so wait4(2) is called raw.

use std::io;
use std::mem::MaybeUninit;

/// A change of state of one thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The thread.
    pub tid: i32,
    /// Raw wait status.
    pub status: i32,
    /// Time that its process has spent in the kernel, in nanoseconds; 0 where that was not asked for.
    pub system_ns: u64,
}

/// Waits for any child or traced thread of the calling thread. `None`: with `block` false, nothing has
/// changed; with `block` true, a signal handler ran. `usage`: also ask for times.
///
/// # Errors
/// `ECHILD` when there is nothing left to wait for.
pub fn any(block: bool, usage: bool) -> io::Result<Option<Change>> {
    // Without __WALL: traced threads are waited for in any case (Linux 4.7), and helpers of our own that
    // end silently are not.
    let flags = libc::__WNOTHREAD | if block { 0 } else { libc::WNOHANG };
    one(-1, flags, usage)
}

/// Waits for one thread or child.
pub fn thread(tid: i32) -> io::Result<Change> {
    loop {
        if let Some(change) = one(tid, libc::__WALL, false)? {
            return Ok(change);
        }
    }
}

fn one(tid: i32, flags: i32, usage: bool) -> io::Result<Option<Change>> {
    let mut status = 0;
    let mut times = MaybeUninit::<libc::rusage>::zeroed();
    let place = if usage { times.as_mut_ptr() } else { std::ptr::null_mut() };
    // SAFETY: `status` is a live integer, and `place` is null or a live rusage.
    let tid = unsafe { libc::wait4(tid, &raw mut status, flags, place) };
    // SAFETY: all zeroes is a valid rusage, and the kernel has filled it or left it alone.
    let time = unsafe { times.assume_init() }.ru_stime;
    let system_ns = time.tv_sec as u64 * 1_000_000_000 + time.tv_usec as u64 * 1000;
    match tid {
        -1 => match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => Ok(None),
            error => Err(error),
        },
        0 => Ok(None),
        tid => Ok(Some(Change { tid, status, system_ns })),
    }
}
