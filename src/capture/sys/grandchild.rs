//! A tracer that is not the parent of what it traces: this process becomes the command, and a grandchild of it traces.
//!
//! ```text
//! caller ── this process ────────────── waits ── execve: the command, still the caller's child
//!                └─ one in between (ends at once) ── grandchild: goes on here, attaches, lets go
//! ```
//!
//! The grandchild's parent is whoever takes in orphans, so that the command never has a child that it did not make.

use std::io;

use super::process::explain_fork;

/// How far the grandchild keeps away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apart {
    /// In the same process group.
    Grandchild,
    /// In a group of its own, so that what is sent to the group does not end it.
    Group,
    /// In a session of its own, so that no terminal ends it either.
    Session,
}

/// Who goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The process that there was before.
    Former,
    /// Its grandchild.
    Grandchild,
}

/// Returns twice, once in each process. To be called while there is one thread only.
///
/// # Errors
/// When no more processes may be started. There is no grandchild then.
pub fn split(apart: Apart) -> io::Result<Side> {
    // SAFETY: as fork(2), whose end no signal tells: nobody but us, who wait for it, is to notice. The child only forks, and
    // ends without running anything of ours; its own child was made by fork(3), and there is one thread to go on with.
    unsafe {
        match libc::syscall(libc::SYS_clone, 0, 0, 0, 0, 0) as i32 {
            -1 => Err(explain_fork(io::Error::last_os_error())),
            0 => match libc::fork() {
                -1 => libc::_exit(*libc::__errno_location()),
                0 => {
                    keep_away(apart);
                    Ok(Side::Grandchild)
                }
                _ => libc::_exit(0),
            },
            between => match wait(between) {
                0 => Ok(Side::Former),
                errno => Err(explain_fork(io::Error::from_raw_os_error(errno))),
            },
        }
    }
}

fn keep_away(apart: Apart) {
    // SAFETY: integers only. A process that was just made leads no group yet, so that neither fails.
    unsafe {
        match apart {
            Apart::Grandchild => {}
            Apart::Group => drop(libc::setpgid(0, 0)),
            Apart::Session => drop(libc::setsid()),
        }
    }
}

/// The exit status of this child.
fn wait(pid: i32) -> i32 {
    let mut status = 0;
    // SAFETY: writes one int, into a live one.
    while unsafe { libc::waitpid(pid, &raw mut status, libc::__WALL) } == -1 {
        if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return libc::ECHILD;
        }
    }
    if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { libc::EAGAIN }
}
