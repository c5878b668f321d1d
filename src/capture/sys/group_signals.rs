//! Which signals that have come to this process were sent to its whole group, as the kernel has counted them when it
//! queued them: exact, and known before the handler runs. For backends that have the kernel count; under ptrace
//! [`super::doubled`] finds it out by looking on.
//!
//! A signal of which one is pending already is not queued again, nor counted: each that is counted is handled once.

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering::SeqCst};

use super::startup::SIGNALS;

/// One a signal, 0 unused.
type PerSignal = [AtomicU64; SIGNALS as usize + 1];

/// The kernel's counts; null: nobody counts.
static COUNTED: AtomicPtr<PerSignal> = AtomicPtr::new(ptr::null_mut());
/// How many of them have been handled.
static HANDLED: PerSignal = [const { AtomicU64::new(0) }; _];

/// While it lives, [`was_to_group`] knows. One at a time.
#[derive(Debug)]
pub struct Counts(NonNull<PerSignal>);

impl Counts {
    /// Maps the counts: an array map of 64-bit numbers, one a signal number from 0 on, that may be mapped.
    ///
    /// # Errors
    /// Where the map cannot be mapped.
    pub fn map(map: BorrowedFd<'_>) -> io::Result<Self> {
        let (fd, size) = (map.as_raw_fd(), size_of::<PerSignal>());
        // SAFETY: a new mapping, of a file that is at least as long: the kernel refuses more than the map's pages.
        let place = unsafe { libc::mmap(ptr::null_mut(), size, libc::PROT_READ, libc::MAP_SHARED, fd, 0) };
        if place == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let place = NonNull::new(place.cast()).ok_or_else(|| io::Error::other("mmap returned address 0"))?;
        Ok(Self(place))
    }

    /// From now on [`was_to_group`] knows.
    pub fn begin(&self) {
        // SAFETY: the mapping lives as long as `self`, is page-aligned, and any bytes are valid numbers.
        let counted = unsafe { self.0.as_ref() };
        for (handled, counted) in HANDLED.iter().zip(counted) {
            handled.store(counted.load(SeqCst), SeqCst);
        }
        COUNTED.store(self.0.as_ptr(), SeqCst);
    }
}

impl Drop for Counts {
    fn drop(&mut self) {
        let _ = COUNTED.compare_exchange(self.0.as_ptr(), ptr::null_mut(), SeqCst, SeqCst);
        // SAFETY: the mapping made in `map`; no handler uses it any more but one that runs in another thread at this
        // moment, and threads of ours that could have ended before.
        unsafe { libc::munmap(self.0.as_ptr().cast(), size_of::<PerSignal>()) };
    }
}

/// Whether the signal that is being handled was sent to the whole group; `None`: nobody counts. To be asked once for
/// each signal. Async-signal-safe.
pub fn was_to_group(signal: c_int) -> Option<bool> {
    let counted = NonNull::new(COUNTED.load(SeqCst))?;
    let signal = usize::try_from(signal).ok()?;
    // SAFETY: what is stored there is mapped for as long.
    let counted = unsafe { counted.as_ref() }.get(signal)?.load(SeqCst);
    let take = |handled: u64| (handled < counted).then_some(handled + 1);
    Some(HANDLED.get(signal)?.fetch_update(SeqCst, SeqCst, take).is_ok())
}
