//! Signals that ask for an end while no run of several is watched ([`super::signals`]).
//!
//! Between two runs logs are read and programs are loaded. Whoever asks for an end then wants what was measured so far,
//! as during a run: the signal is kept, and the next watch has received it from its beginning.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering::SeqCst};

use super::signals::{ENDING, end_by, replace};
use super::startup;

/// The first one that came; 0: none.
static KEPT: AtomicI32 = AtomicI32::new(0);

/// While it lives, signals that ask for an end are kept while nobody else sees to them.
pub struct BetweenRuns {
    before: Vec<(c_int, libc::sigaction)>,
}

impl BetweenRuns {
    /// From now on. Signals that are ignored stay so.
    #[must_use]
    pub fn keep() -> Self {
        let keep = keep as extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) as libc::sighandler_t;
        let signals = ENDING.into_iter().filter(|&signal| !startup::is_ignored(signal));
        Self { before: signals.filter_map(|signal| Some((signal, replace(signal, keep)?))).collect() }
    }

    /// There is nothing more to be lost; the signal that has come since the last run, if one did.
    #[must_use]
    pub fn end(mut self) -> Option<i32> {
        self.restore();
        Some(take()).filter(|&signal| signal != 0)
    }

    fn restore(&mut self) {
        for (signal, action) in self.before.drain(..) {
            // SAFETY: puts back an action that sigaction itself returned.
            unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) };
        }
    }
}

impl Drop for BetweenRuns {
    fn drop(&mut self) {
        self.restore();
        // Nobody has looked: then it does what it would have done.
        let signal = take();
        if signal != 0 {
            let _ = end_by(signal);
        }
    }
}

/// The signal that was kept, which is kept no longer; 0: none.
pub fn take() -> c_int {
    KEPT.swap(0, SeqCst)
}

/// Whoever asks a second time is not kept waiting.
extern "C" fn keep(signal: c_int, _info: *mut libc::siginfo_t, _context: *mut c_void) {
    if KEPT.compare_exchange(0, signal, SeqCst, SeqCst).is_err() {
        // SAFETY: both are async-signal-safe and take no pointers; the signal comes again when this handler returns.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
            libc::raise(signal);
        }
    }
}
