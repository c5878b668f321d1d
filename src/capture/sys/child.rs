//! Waiting for a child: what happened to it, when, and what it used.
//!
//! Raw calls, because the safe wrappers have no `wait4(2)` and hide the order that is needed here:
//! a child is first seen to have ended (`WNOWAIT`), then the clock is read, then it is reaped.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// What a child did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// This signal stopped it.
    Stopped(i32),
    /// It ended and waits to be reaped.
    Ended,
}

/// Blocks until the child stops or ends. An ended child is left to [`reap`].
pub fn next_change(pid: libc::pid_t) -> io::Result<Change> {
    let ended = libc::WEXITED | libc::WNOWAIT;
    let (code, signal) = wait_info(pid, ended | libc::WSTOPPED)?;
    if code != libc::CLD_STOPPED {
        return Ok(Change::Ended);
    }
    // Takes the report of the stop away; the child may have been continued or killed meanwhile.
    stopped_by(pid)?;
    Ok(Change::Stopped(signal))
}

/// The signal that has stopped the child, without waiting for that; told once for each stop.
pub fn stopped_by(pid: libc::pid_t) -> io::Result<Option<i32>> {
    match wait_info(pid, libc::WSTOPPED | libc::WNOHANG) {
        Ok((code, signal)) => Ok((code == libc::CLD_STOPPED).then_some(signal)),
        // It has ended, and only ends are left to be waited for.
        Err(error) if error.raw_os_error() == Some(libc::ECHILD) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the child has ended, without waiting for it. An ended child is left to [`reap`].
pub fn has_ended(pid: libc::pid_t) -> io::Result<bool> {
    wait_info(pid, libc::WEXITED | libc::WNOWAIT | libc::WNOHANG).map(|(code, _)| code != 0)
}

/// Becomes readable when the process has ended (`pidfd_open(2)`).
pub fn end_of(pid: libc::pid_t) -> io::Result<OwnedFd> {
    // SAFETY: takes numbers only.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it is new, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as libc::c_int) })
}

/// `waitid(2)`: the code of what happened (`CLD_*`), 0 where nothing had and `WNOHANG` was given; and the
/// exit status or signal.
fn wait_info(pid: libc::pid_t, options: libc::c_int) -> io::Result<(libc::c_int, libc::c_int)> {
    loop {
        let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
        // SAFETY: `info` is large enough, and all zeroes is a valid value of it.
        let (done, info) = unsafe {
            (libc::waitid(libc::P_PID, pid as libc::id_t, info.as_mut_ptr(), options), info.assume_init())
        };
        if done == 0 {
            // SAFETY: the member that waitid(2) fills.
            return Ok((info.si_code, unsafe { info.si_status() }));
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Reaps a child: how it ended, and what it and the descendants it waited for used.
pub fn reap(pid: libc::pid_t) -> io::Result<(ExitStatus, libc::rusage)> {
    loop {
        let mut status = 0;
        let mut usage = MaybeUninit::<libc::rusage>::zeroed();
        // SAFETY: both places are large enough, and all zeroes is a valid `struct rusage`.
        let (got, usage) =
            unsafe { (libc::wait4(pid, &raw mut status, 0, usage.as_mut_ptr()), usage.assume_init()) };
        if got == pid {
            return Ok((ExitStatus::from_raw(status), usage));
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}
