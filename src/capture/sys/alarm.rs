//! A timer that interrupts a thread's waiting when it is time, and again and again until it is set anew: a thread that was
//! about to wait would miss a single signal.

use std::io;
use std::mem::{self, MaybeUninit};
use std::ptr;
use std::time::Duration;

use super::doubled::TICK;

/// How soon it comes again.
const AGAIN: Duration = Duration::from_millis(1);

/// Interrupts the thread that made it, where a [`Watch`](super::signals::Watch) has a handler for its signal.
#[derive(Debug)]
pub struct Alarm(libc::timer_t);

impl Alarm {
    /// One that is not set.
    pub fn new() -> io::Result<Self> {
        let mut timer = MaybeUninit::<libc::timer_t>::uninit();
        // SAFETY: all zeroes is a valid sigevent; gettid takes nothing; timer_create fills `timer` or fails.
        unsafe {
            let mut event: libc::sigevent = mem::zeroed();
            event.sigev_notify = libc::SIGEV_THREAD_ID;
            event.sigev_signo = TICK;
            event.sigev_notify_thread_id = libc::gettid();
            if libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, timer.as_mut_ptr()) == -1 {
                return Err(io::Error::last_os_error());
            }
            Ok(Self(timer.assume_init()))
        }
    }

    /// Interrupts in so long; `None`: not any more.
    pub fn set(&self, after: Option<Duration>) {
        let time = |of: Duration| libc::timespec {
            tv_sec: of.as_secs().cast_signed(),
            tv_nsec: of.subsec_nanos().into(),
        };
        let (interval, value) = match after {
            // Zero would not set it.
            Some(after) => (AGAIN, after.max(Duration::from_nanos(1))),
            None => (Duration::ZERO, Duration::ZERO),
        };
        let new = libc::itimerspec { it_interval: time(interval), it_value: time(value) };
        // SAFETY: the timer is this one, `new` is live. It can fail for no valid time.
        unsafe { libc::timer_settime(self.0, 0, &raw const new, ptr::null_mut()) };
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        // SAFETY: the timer is this one, and nobody uses it any more.
        unsafe { libc::timer_delete(self.0) };
    }
}
