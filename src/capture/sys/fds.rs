//! Questions about descriptors, and copies of their kind, that the standard library cannot put.

use std::ffi::c_int;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// `F_DUPFD_QUERY` of `linux/fcntl.h`, Linux 6.10.
const F_DUPFD_QUERY: c_int = 1024 + 3;
/// `KCMP_FILE` of `linux/kcmp.h`.
const KCMP_FILE: c_int = 0;

/// One of this process's own descriptors, or `None` if that number is closed.
pub fn borrow(fd: RawFd) -> Option<BorrowedFd<'static>> {
    // SAFETY: it was just seen to be open; only the standard descriptors are asked for, which
    // nothing in this program closes.
    unsafe { (libc::fcntl(fd, libc::F_GETFD) != -1).then(|| BorrowedFd::borrow_raw(fd)) }
}

/// How many descriptors can still be opened under the limit on their number; no more than `most` are counted.
pub fn free(most: u64) -> io::Result<u64> {
    let (limit, _) = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE)?;
    let numbers = 0..RawFd::try_from(limit).unwrap_or(RawFd::MAX);
    // SAFETY: the call takes numbers only.
    let is_free = |&fd: &RawFd| unsafe { libc::fcntl(fd, libc::F_GETFD) == -1 };
    Ok(numbers.filter(is_free).take(most as usize).count() as u64)
}

/// A duplicate that no program inherits, numbered 3 or above.
pub fn duplicate_above_standard(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: the call takes numbers only; the descriptor returned is new.
    unsafe {
        let copy = libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 3);
        check(copy)?;
        Ok(OwnedFd::from_raw_fd(copy))
    }
}

/// Whether two descriptors are duplicates of one open file description. Where the kernel answers
/// neither way (before 6.10, with `kcmp(2)` forbidden), `None`.
pub fn same_description(a: BorrowedFd<'_>, b: BorrowedFd<'_>) -> Option<bool> {
    let (a, b) = (a.as_raw_fd(), b.as_raw_fd());
    // SAFETY: these calls take numbers only.
    unsafe {
        match libc::fcntl(a, F_DUPFD_QUERY, b) {
            -1 => {}
            answer => return Some(answer == 1),
        }
        let pid = libc::getpid();
        match libc::syscall(libc::SYS_kcmp, pid, pid, KCMP_FILE, a, b) {
            -1 => None,
            order => Some(order == 0),
        }
    }
}

/// `SO_TYPE` of a socket.
pub fn socket_type(fd: BorrowedFd<'_>) -> io::Result<c_int> {
    let mut kind: c_int = 0;
    let mut size = size_of_val(&kind) as libc::socklen_t;
    let place = (&raw mut kind).cast();
    // SAFETY: `place` and `size` describe `kind`.
    check(unsafe {
        libc::getsockopt(fd.as_raw_fd(), libc::SOL_SOCKET, libc::SO_TYPE, place, &raw mut size)
    })?;
    Ok(kind)
}

/// Two connected local sockets of a type (`SOCK_STREAM`...), not inherited by programs.
pub fn socket_pair(kind: c_int) -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    let kind = kind | libc::SOCK_CLOEXEC;
    // SAFETY: `ends` has room for the two descriptors, which are new and so owned by nobody else.
    unsafe {
        check(libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()))?;
        Ok((OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])))
    }
}

/// Reads from a socket without waiting, whatever its flags say.
pub fn receive_now(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the pointer and length are those of `buffer`.
    let got =
        unsafe { libc::recv(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), libc::MSG_DONTWAIT) };
    usize::try_from(got).map_err(|_| io::Error::last_os_error())
}

/// The slave of a pseudo-terminal, opened through its master (`TIOCGPTPEER`, Linux 4.13), which
/// works whatever is mounted on `/dev/pts`.
pub fn terminal_peer(master: BorrowedFd<'_>, flags: c_int) -> io::Result<OwnedFd> {
    let flags = flags | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: the argument is a number; the descriptor returned is new.
    unsafe {
        let fd = libc::ioctl(master.as_raw_fd(), libc::TIOCGPTPEER, flags);
        check(fd)?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// The size of a terminal's window.
pub fn window_size(terminal: BorrowedFd<'_>) -> io::Result<libc::winsize> {
    let mut size = MaybeUninit::<libc::winsize>::zeroed();
    // SAFETY: the call fills `size`; all zeroes is a valid value of it.
    unsafe {
        check(libc::ioctl(terminal.as_raw_fd(), libc::TIOCGWINSZ, size.as_mut_ptr()))?;
        Ok(size.assume_init())
    }
}

/// Sets the size of a terminal's window.
pub fn set_window_size(terminal: BorrowedFd<'_>, size: &libc::winsize) -> io::Result<()> {
    // SAFETY: the call reads `size`.
    check(unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSWINSZ, std::ptr::from_ref(size)) })
}

fn check(result: c_int) -> io::Result<()> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
