//! What `execve(2)` hands down to the next program but `fork(2)` does not: a command that is started by
//! `trace` must find it as if there had been no fork in between.

use std::ffi::{c_int, c_ulong};
use std::mem;
use std::ptr;

const TIMERS: [c_int; 3] = [libc::ITIMER_REAL, libc::ITIMER_VIRTUAL, libc::ITIMER_PROF];

/// `struct sched_attr` of `linux/sched/types.h`, as of Linux 3.14: the kernel takes every older size.
#[repr(C)]
#[derive(Clone, Copy)]
struct SchedAttr {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime: u64,
    deadline: u64,
    period: u64,
}

/// `SCHED_FLAG_RESET_ON_FORK` of `linux/sched.h`.
const RESET_ON_FORK: u64 = 1;

/// The state of this process.
pub struct HandedDown {
    /// The signal that is sent when the parent ends, 0 for none.
    parent_death: c_int,
    is_subreaper: c_int,
    /// Where it is not inherited by children.
    scheduling: Option<SchedAttr>,
    timers: Option<[libc::itimerval; 3]>,
}

impl HandedDown {
    /// Of this thread and process.
    pub fn of_self() -> Self {
        let (mut parent_death, mut is_subreaper): (c_int, c_int) = (0, 0);
        // SAFETY: each call writes one int, into a live one; failing, it leaves a 0.
        unsafe {
            libc::prctl(libc::PR_GET_PDEATHSIG, &raw mut parent_death);
            libc::prctl(libc::PR_GET_CHILD_SUBREAPER, &raw mut is_subreaper);
        }
        Self { parent_death, is_subreaper, scheduling: scheduling(), timers: None }
    }

    /// Nothing: for a process that stays what it is.
    pub fn nothing() -> Self {
        Self { parent_death: 0, is_subreaper: 0, scheduling: None, timers: None }
    }

    /// The interval timers as well: they no longer run here then.
    pub fn and_timers(mut self) -> Self {
        // SAFETY: all zeroes is a timer that does not run.
        let off: libc::itimerval = unsafe { mem::zeroed() };
        let mut timers = [off; 3];
        for (which, timer) in TIMERS.into_iter().zip(&mut timers) {
            // SAFETY: reads `off` and fills `timer`, both live.
            unsafe { libc::setitimer(which as _, &raw const off, timer) };
        }
        self.timers = Some(timers);
        self
    }

    /// Gives all of it to the calling child of `parent`. Async-signal-safe. What is refused stays as the fork
    /// has left it.
    pub fn take_up(&self, parent: libc::pid_t) {
        // SAFETY: integers, and live structures that are only read.
        unsafe {
            if self.parent_death != 0 {
                libc::prctl(libc::PR_SET_PDEATHSIG, self.parent_death as c_ulong);
                if libc::getppid() != parent {
                    libc::raise(self.parent_death);
                }
            }
            if self.is_subreaper != 0 {
                libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1 as c_ulong);
            }
            if let Some(scheduling) = &self.scheduling {
                libc::syscall(libc::SYS_sched_setattr, 0, ptr::from_ref(scheduling), 0);
            }
            for (which, timer) in TIMERS.into_iter().zip(self.timers.iter().flatten()) {
                libc::setitimer(which as _, timer, ptr::null_mut());
            }
        }
    }
}

fn scheduling() -> Option<SchedAttr> {
    // SAFETY: all zeroes is a valid value; the kernel writes no more than the size it is told.
    let (done, attr) = unsafe {
        let mut attr: SchedAttr = mem::zeroed();
        let size = size_of::<SchedAttr>();
        (libc::syscall(libc::SYS_sched_getattr, 0, &raw mut attr, size, 0), attr)
    };
    (done == 0 && attr.flags & RESET_ON_FORK != 0).then_some(attr)
}
