//! Children that run our own code: the watchdog and the calibration's.
//!
//! They are forked from a process that may have other threads, so what runs in them may not allocate,
//! lock or unwind: system calls and atomics only.

use std::ffi::CStr;
use std::io;

use super::super::decode::threads::threads_of;

/// How the end of a child is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By SIGCHLD, and to whoever waits for any child.
    Reported,
    /// Only to whoever waits for this one (`__WALL`).
    Silent,
}

/// Forks a child that runs `body` and then exits with status 0. `body` must keep to the rule above.
pub fn fork_child(ending: Ending, body: impl FnOnce()) -> io::Result<i32> {
    let signal = if ending == Ending::Reported { libc::SIGCHLD } else { 0 };
    // SAFETY: as fork(2), with a signal of choice: the child has a copy of this stack. It runs only
    // `body`, which keeps to system calls, and `_exit`.
    match unsafe { libc::syscall(libc::SYS_clone, signal, 0, 0, 0, 0) as i32 } {
        -1 => Err(explain_fork(io::Error::last_os_error())),
        0 => {
            body();
            // SAFETY: ends this process; nothing of the parent's is flushed or dropped.
            unsafe { libc::_exit(0) }
        }
        pid => Ok(pid),
    }
}

/// The error of a fork, with what to try.
pub fn explain_fork(error: io::Error) -> io::Error {
    if error.raw_os_error() != Some(libc::EAGAIN) {
        return error;
    }
    let limit = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NPROC);
    let limit = match limit {
        Ok((soft, _)) if soft != libc::RLIM_INFINITY => format!(", now {soft},"),
        _ => String::new(),
    };
    io::Error::new(
        error.kind(),
        format!(
            "no more processes may be started ({error}): raise the limit on the user's processes (ulimit -u{limit} or \
             pids.max of the cgroup), or end some"
        ),
    )
}

/// The calling child gets a CPU before others do, where that is permitted: it has next to nothing to do.
pub fn be_first() {
    // SAFETY: integers only.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, -20) };
}

/// While this lives, the threads that the process has get a CPU before others do, where that is permitted: who takes
/// events in and who writes them. Children made meanwhile would inherit it.
pub struct First {
    /// Threads, and their nice values.
    before: Vec<(u32, i32)>,
}

impl First {
    /// From now on.
    pub fn begin() -> Self {
        let threads = threads_of(std::process::id().cast_signed()).into_iter().map(i32::cast_unsigned);
        // SAFETY: integers only.
        let nice = |tid| unsafe { libc::getpriority(libc::PRIO_PROCESS, tid) };
        let before: Vec<_> = threads.map(|tid| (tid, nice(tid))).collect();
        for &(tid, _) in &before {
            set_nice(tid, -20);
        }
        Self { before }
    }
}

impl Drop for First {
    fn drop(&mut self) {
        for &(tid, nice) in &self.before {
            set_nice(tid, nice);
        }
    }
}

fn set_nice(tid: u32, nice: i32) {
    // SAFETY: integers only.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, tid, nice) };
}

/// A descriptor of a process, closed on exec.
pub fn pidfd_of_self() -> io::Result<i32> {
    // SAFETY: takes integers only.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, libc::getpid(), 0) };
    if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(fd as i32) }
}

/// Waits until the process behind a pidfd has ended.
pub fn wait_until_gone(pidfd: i32) {
    let mut poll = libc::pollfd { fd: pidfd, events: libc::POLLIN, revents: 0 };
    // SAFETY: `poll` is one live pollfd.
    while unsafe { libc::poll(&raw mut poll, 1, -1) } < 0 {
        if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return;
        }
    }
}

/// Makes the calling child independent of the terminal and of every descriptor but `keep`, under a name of
/// its own, so that killing all that is called `trace` spares it.
pub fn become_background(name: &CStr, keep: i32) {
    become_helper(name, [keep]);
    // SAFETY: takes no arguments.
    unsafe { libc::setsid() };
}

/// As [`become_background`], in the session of the caller.
pub fn become_helper<const N: usize>(name: &CStr, mut keep: [i32; N]) {
    keep.sort_unstable();
    // SAFETY: integers and a live string; the child uses none of the closed descriptors.
    unsafe {
        libc::prctl(libc::PR_SET_NAME, name.as_ptr());
        let mut next = 0;
        for fd in keep.map(|fd| fd as libc::c_uint) {
            if fd > next {
                libc::syscall(libc::SYS_close_range, next, fd - 1, 0);
            }
            next = fd + 1;
        }
        libc::syscall(libc::SYS_close_range, next, libc::c_uint::MAX, 0);
    }
}

/// From here on the calling child is killed when the thread that forked it ends; at once, if it has ended.
pub fn end_with_parent(parent: i32) {
    // SAFETY: integers only.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        if libc::getppid() != parent {
            libc::_exit(0);
        }
    }
}

/// The calling child leads a process group of its own.
pub fn leave_group() {
    // SAFETY: integers only.
    unsafe { libc::setpgid(0, 0) };
}

/// No signal but SIGKILL and SIGSTOP reaches the calling child.
pub fn block_signals() {
    let mut all = std::mem::MaybeUninit::uninit();
    // SAFETY: `all` is live, and filled before it is read.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, all.as_ptr(), std::ptr::null_mut());
    }
}

/// Waits until the calling child is killed.
pub fn wait_forever() -> ! {
    loop {
        // SAFETY: takes no arguments.
        unsafe { libc::pause() };
    }
}

/// Closes the descriptors 0 to 2, so that whoever reads them is not kept waiting.
pub fn close_standard_streams() {
    // SAFETY: the calling child uses none of them.
    unsafe { libc::syscall(libc::SYS_close_range, 0, 2, 0) };
}

/// The cheapest system call there is: it takes no argument, touches no file and always succeeds.
pub fn null_call() {
    // SAFETY: takes no arguments.
    unsafe { libc::syscall(libc::SYS_getppid) };
}

/// Threads made from now on take memory from where this one does: what it has given back is warm, and the kernel need not
/// be asked for an arena of their own. For a process whose threads hardly allocate at the same time.
pub fn share_memory_arena() {
    // SAFETY: integers only. Not taking it is no error, only slower.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1)
    };
}

/// Sends a signal.
pub fn kill(pid: i32, signal: i32) {
    // SAFETY: integers only.
    unsafe { libc::kill(pid, signal) };
}

/// Whether a thread has ended and was waited for.
pub fn thread_is_gone(pid: i32, tid: i32) -> bool {
    // SAFETY: integers only; signal 0 is none.
    let done = unsafe { libc::syscall(libc::SYS_tgkill, pid, tid, 0) };
    done < 0 && io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH)
}

/// Waits for a child of ours that is not traced.
pub fn reap(pid: i32) {
    let mut status = 0;
    // SAFETY: `status` is live.
    unsafe { libc::waitpid(pid, &raw mut status, libc::__WALL) };
}

/// The process group of a process, or of the caller (0).
pub fn process_group(pid: i32) -> i32 {
    // SAFETY: integers only.
    unsafe { libc::getpgid(pid) }
}

/// The calling thread.
pub fn own_tid() -> i32 {
    // SAFETY: takes no arguments.
    unsafe { libc::gettid() }
}
