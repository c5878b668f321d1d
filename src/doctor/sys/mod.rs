//! Raw kernel calls of the probes: the only place here with `unsafe`, one small file per subject.
//!
//! Each function tries one thing and gives what the kernel answered. They are meant to be run in a child
//! ([`child::in_child`]), because a seccomp filter may kill who makes a call, and because some change the process
//! for good.
#![allow(unsafe_code, reason = "raw system calls; each block has a SAFETY comment")]

pub(super) mod bpf;
pub(super) mod child;
pub(super) mod landlock;
pub(super) mod namespace;
pub(super) mod perf;
pub(super) mod uring;

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

/// The result of a call as the kernel's libraries give it: -1 means that it failed.
fn checked(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// A descriptor that a call has just returned.
fn owned(result: libc::c_long) -> io::Result<OwnedFd> {
    let fd = checked(result)?;
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}
