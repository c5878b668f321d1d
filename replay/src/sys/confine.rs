//! A process that can reach nothing but one directory: namespaces, a changed root, no capabilities to speak of.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

/// What root keeps, within its namespace: what changes files and their attributes (`linux/capability.h`: CHOWN,
/// `DAC_OVERRIDE`, FOWNER, FSETID).
const KEPT_CAPABILITIES: u32 = 1 | 1 << 1 | 1 << 3 | 1 << 4;
const LAST_CAPABILITY: libc::c_ulong = 63;
/// `_LINUX_CAPABILITY_VERSION_3`.
const CAPABILITY_VERSION: u32 = 0x2008_0522;

/// A child that does this and ends; its id.
///
/// Other threads of the caller do not exist in it, and what they hold locked stays so: the child keeps to memory (the C
/// library's allocator sees to forks), system calls and threads of its own, and no output of the standard library.
pub(crate) fn fork_to(work: impl FnOnce()) -> io::Result<libc::pid_t> {
    // SAFETY: the child calls what is named above only, and never returns to the caller's code.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            // An unwinding would go on into what belongs to the parent.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            exit(0)
        }
        pid => Ok(pid),
    }
}

/// Ends this process, without what a program does at its end.
fn exit(code: i32) -> ! {
    // SAFETY: never returns.
    unsafe { libc::_exit(code) }
}

/// Waits for a child's end; its status.
pub(crate) fn wait(pid: libc::pid_t) -> io::Result<i32> {
    let mut status = 0;
    loop {
        // SAFETY: `status` is live.
        if unsafe { libc::waitpid(pid, &raw mut status, 0) } == pid {
            return Ok(status);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Waits for one of two descriptors to be readable or at its end; whether the first is.
pub(crate) fn comes_first(first: RawFd, second: RawFd) -> bool {
    let mut watched = [first, second].map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 });
    // SAFETY: `watched` is of two.
    while unsafe { libc::poll(watched.as_mut_ptr(), 2, -1) } == -1 {
        if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return false;
        }
    }
    watched[0].revents != 0
}

/// Ends a child that was not waited for.
pub(crate) fn kill(child: libc::pid_t) {
    // SAFETY: takes no pointers. Its number is its own until it is waited for.
    unsafe { libc::kill(child, libc::SIGKILL) };
}

/// The signal that ended a child, by its status.
pub(crate) fn signal_of(status: i32) -> Option<i32> {
    libc::WIFSIGNALED(status).then(|| libc::WTERMSIG(status))
}

/// This process is killed when the one that made it ends.
pub(crate) fn die_with_parent(parent: libc::pid_t) -> io::Result<()> {
    // SAFETY: takes no pointers.
    check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) })?;
    // SAFETY: takes nothing.
    if unsafe { libc::getppid() } == parent { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
}

/// Signals of the terminal are for others.
pub(crate) fn leave_session() {
    // SAFETY: takes nothing; fails only in the leader of a group, which a child just forked is not.
    let _ = unsafe { libc::setsid() };
}

pub(crate) fn process_id() -> libc::pid_t {
    // SAFETY: takes nothing.
    unsafe { libc::getpid() }
}

/// Who runs this.
pub(crate) fn effective_ids() -> (u32, u32) {
    // SAFETY: both take nothing.
    unsafe { (libc::geteuid(), libc::getegid()) }
}

/// A file that grows beyond what may be (`ulimit -f`) is a call that fails (EFBIG), not this process's end.
pub(crate) fn ignore_size_limit() {
    // SAFETY: no handler is set.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

/// Files are made with the very mode that is asked for.
pub(crate) fn clear_umask() {
    // SAFETY: takes no pointers.
    unsafe { libc::umask(0) };
}

/// Closes every descriptor above the standard ones but these.
pub(crate) fn close_all_but(kept: &[RawFd]) -> io::Result<()> {
    let mut kept: Vec<u32> = kept.iter().filter(|&&fd| fd > 2).map(|&fd| fd as u32).collect();
    kept.sort_unstable();
    let mut first = 3;
    for fd in kept.into_iter().chain([u32::MAX]) {
        if first < fd {
            // SAFETY: takes no pointers. The descriptors are of nobody's use in this child.
            check(unsafe { libc::syscall(libc::SYS_close_range, first, fd - 1, 0) } as i32)?;
        }
        first = fd.saturating_add(1);
    }
    Ok(())
}

/// A lock that ends with the last process that has the file open.
pub(crate) fn try_lock(file: BorrowedFd) -> io::Result<bool> {
    // SAFETY: takes no pointers.
    match check(unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) }) {
        Ok(()) => Ok(true),
        Err(error) if error.raw_os_error() == Some(libc::EWOULDBLOCK) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A user and a mount namespace of this process's own. Needs a process with one thread.
pub(crate) fn enter_namespaces() -> io::Result<()> {
    // SAFETY: takes no pointers.
    check(unsafe { libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNS) })
}

/// Makes a directory the root of this process's mount namespace, and lets go of everything else.
pub(crate) fn enter_root(directory: &Path) -> io::Result<()> {
    let directory = CString::new(directory.as_os_str().as_bytes())?;
    let here = c".";
    // SAFETY: all names end with NUL, and a null type, source or data is allowed for these flags.
    unsafe {
        check(libc::mount(
            ptr::null(),
            c"/".as_ptr(),
            ptr::null(),
            libc::MS_REC | libc::MS_PRIVATE,
            ptr::null(),
        ))?;
        check(libc::mount(directory.as_ptr(), directory.as_ptr(), ptr::null(), libc::MS_BIND, ptr::null()))?;
        check(libc::chdir(directory.as_ptr()))?;
        // Not MS_NOEXEC: access(2) would say that nothing may be executed, which nobody tries.
        let flags = libc::MS_REMOUNT | libc::MS_BIND | libc::MS_NOSUID | libc::MS_NODEV;
        // One layer more, where the kernel lets it be: in a user namespace devices and set-id files have no effect anyway.
        libc::mount(ptr::null(), here.as_ptr(), ptr::null(), flags, ptr::null());
        check(libc::syscall(libc::SYS_pivot_root, here.as_ptr(), here.as_ptr()) as i32)?;
        check(libc::umount2(here.as_ptr(), libc::MNT_DETACH))?;
        check(libc::chdir(c"/".as_ptr()))
    }
}

/// Gives up what lets a process do more than change its own files, for good.
pub(crate) fn drop_capabilities() -> io::Result<()> {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: i32,
    }
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Sets {
        effective: u32,
        permitted: u32,
        inheritable: u32,
    }
    for capability in 0..=LAST_CAPABILITY {
        // SAFETY: takes no pointers. Those that this kernel does not know are refused, and needed by nobody.
        unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) };
    }
    let kept = if effective_ids().0 == 0 { KEPT_CAPABILITIES } else { 0 };
    let header = Header { version: CAPABILITY_VERSION, pid: 0 };
    let low = Sets { effective: kept, permitted: kept, inheritable: 0 };
    let sets = [low, Sets { effective: 0, permitted: 0, inheritable: 0 }];
    // SAFETY: both structures are live and of this version's shape: two sets.
    check(unsafe { libc::syscall(libc::SYS_capset, &raw const header, sets.as_ptr()) } as i32)?;
    // SAFETY: takes no pointers.
    check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) })
}

fn check(ret: i32) -> io::Result<()> {
    if ret == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
