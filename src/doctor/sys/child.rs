//! Trying something in a child, which may be killed for it.
//!
//! The child writes what it finds into memory shared with us, number by number, so that what it found before its
//! end is known however it ends. It is ended when it takes too long, and when we end.

use std::io;
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};

/// Numbers that a probe can report.
pub const SLOTS: usize = 8;

/// What stands in a slot that was not reached.
const UNTOUCHED: i64 = i64::MIN;

/// After this a probe is taken for one that hangs; all of them take milliseconds.
const HANGING: Duration = Duration::from_secs(20);

/// The numbers as the child writes them.
pub struct Slots(NonNull<[AtomicI64; SLOTS]>);

impl Slots {
    fn new() -> io::Result<Self> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let kind = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        let size = size_of::<[AtomicI64; SLOTS]>();
        // SAFETY: a new mapping at an address that the kernel chooses.
        let page = unsafe { libc::mmap(std::ptr::null_mut(), size, access, kind, -1, 0) };
        if page == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let slots = Self(NonNull::new(page.cast()).ok_or(io::ErrorKind::OutOfMemory)?);
        slots.all().iter().for_each(|slot| slot.store(UNTOUCHED, Ordering::Relaxed));
        Ok(slots)
    }

    fn all(&self) -> &[AtomicI64; SLOTS] {
        // SAFETY: the mapping is as large, aligned to a page, lives as long as `self`, and zero bytes
        // are atomics.
        unsafe { self.0.as_ref() }
    }

    /// Notes the result of a step: its value (not below 0) or minus its errno (`-EIO` where it has none).
    pub fn set(&self, slot: usize, result: &io::Result<i64>) {
        let number = match result {
            Ok(value) => (*value).max(0),
            Err(error) => -i64::from(error.raw_os_error().unwrap_or(libc::EIO)),
        };
        self.all()[slot].store(number, Ordering::SeqCst);
    }
}

impl Drop for Slots {
    fn drop(&mut self) {
        // SAFETY: the mapping made in `new`, to which no reference is left.
        unsafe { libc::munmap(self.0.as_ptr().cast(), size_of::<[AtomicI64; SLOTS]>()) };
    }
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself.
    Returned,
    /// By this signal.
    Killed(i32),
    /// Not in time.
    Hung,
}

/// What a probe found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// How the child ended.
    pub end: End,
    slots: [i64; SLOTS],
}

/// What became of one step of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It worked, with this value.
    Done(i64),
    /// It failed with this errno.
    Failed(i32),
    /// The child was killed while it was tried, with this signal.
    Killed(i32),
    /// It did not end.
    Hung,
    /// It was answered, and yet nothing came of it.
    Nothing,
    /// Not reached, because one before failed.
    Untried,
}

impl Found {
    /// What became of a step. Of those not reached, the first is the one that ended the child.
    pub fn step(&self, slot: usize) -> Step {
        let is_first = self.slots[..slot].iter().all(|number| *number != UNTOUCHED);
        match (self.slots[slot], self.end) {
            (UNTOUCHED, End::Killed(signal)) if is_first => Step::Killed(signal),
            (UNTOUCHED, End::Hung) if is_first => Step::Hung,
            (UNTOUCHED, _) => Step::Untried,
            (number, _) if number < 0 => Step::Failed(-number as i32),
            (number, _) => Step::Done(number),
        }
    }
}

/// Runs a probe in a child.
pub fn in_child(probe: impl FnOnce(&Slots)) -> io::Result<Found> {
    let slots = Slots::new()?;
    // Its other end is closed when the child has ended.
    let (ended, alive) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
    let parent = std::process::id() as i32;
    // SAFETY: the child only runs the probe and exits; it does not return from here.
    let pid = unsafe { libc::fork() };
    if pid < 0 {
        return Err(io::Error::last_os_error());
    }
    if pid == 0 {
        prepare(parent);
        // A panic must not run on into what the parent does.
        let _ = catch_unwind(AssertUnwindSafe(|| probe(&slots)));
        // SAFETY: ends this process, without the parent's exit handlers.
        unsafe { libc::_exit(0) };
    }
    drop(alive);
    let child = nix::unistd::Pid::from_raw(pid);
    let mut waited = [PollFd::new(std::os::fd::AsFd::as_fd(&ended), PollFlags::POLLIN)];
    let timeout = PollTimeout::try_from(HANGING).unwrap_or(PollTimeout::MAX);
    let has_ended = loop {
        match poll(&mut waited, timeout) {
            Err(nix::errno::Errno::EINTR) => {}
            result => break result.is_ok_and(|ready| ready > 0),
        }
    };
    if !has_ended {
        // It may have ended just now.
        let _ = kill(child, Signal::SIGKILL);
    }
    let status = loop {
        match waitpid(child, None) {
            Err(nix::errno::Errno::EINTR) => {}
            status => break status?,
        }
    };
    let end = match status {
        _ if !has_ended => End::Hung,
        WaitStatus::Signaled(_, signal, _) => End::Killed(signal as i32),
        _ => End::Returned,
    };
    let slots = slots.all().each_ref().map(|slot| slot.load(Ordering::SeqCst));
    Ok(Found { end, slots })
}

/// The child ends with its parent, prints nothing, and leaves no core file.
fn prepare(parent: i32) {
    // SAFETY: calls without pointers into memory but to live values; a failure changes nothing of the probe's.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        if libc::getppid() != parent {
            libc::_exit(0);
        }
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        libc::setrlimit(libc::RLIMIT_CORE, &raw const none);
    }
    if let Ok(null) = std::fs::File::options().write(true).open("/dev/null") {
        // SAFETY: both are descriptors of this process.
        unsafe { libc::dup2(null.as_raw_fd(), 2) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_before_a_kill_is_kept() {
        let found = in_child(|slots| {
            slots.set(0, &Ok(7));
            slots.set(1, &Err(io::Error::from_raw_os_error(libc::EPERM)));
            // SAFETY: kills this child.
            unsafe { libc::kill(libc::getpid(), libc::SIGSYS) };
        })
        .unwrap();
        assert_eq!(found.end, End::Killed(libc::SIGSYS));
        let steps = [0, 1, 2, 3].map(|slot| found.step(slot));
        assert_eq!(
            steps,
            [Step::Done(7), Step::Failed(libc::EPERM), Step::Killed(libc::SIGSYS), Step::Untried]
        );
    }

    #[test]
    fn a_probe_that_returns_early_leaves_steps_untried() {
        let found = in_child(|slots| slots.set(0, &Err(io::ErrorKind::Other.into()))).unwrap();
        assert_eq!(
            (found.end, found.step(0), found.step(1)),
            (End::Returned, Step::Failed(libc::EIO), Step::Untried)
        );
    }
}
