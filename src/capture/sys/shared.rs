//! A page of memory that a forked child shares with its parent.

use std::io;
use std::ops::Deref;
use std::ptr::NonNull;

/// A value in shared memory. `T` must be usable from two processes at once: integers and atomics.
#[derive(Debug)]
pub struct Shared<T: ProcessShared> {
    place: NonNull<T>,
}

/// Types that may be shared between processes.
///
/// # Safety
/// All-zero bytes must be a valid value, and every access through `&T` must be atomic.
pub unsafe trait ProcessShared {}

impl<T: ProcessShared> Shared<T> {
    /// A new value, all bytes zero.
    pub fn zeroed() -> io::Result<Self> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        // SAFETY: a new anonymous mapping, filled with zeros.
        let place = unsafe { libc::mmap(std::ptr::null_mut(), size_of::<T>(), access, flags, -1, 0) };
        if place == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let place = NonNull::new(place.cast()).ok_or_else(|| io::Error::other("mmap returned address 0"))?;
        Ok(Self { place })
    }
}

impl<T: ProcessShared> Deref for Shared<T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the mapping lives as long as `self`, is page-aligned and holds a valid `T`.
        unsafe { self.place.as_ref() }
    }
}

impl<T: ProcessShared> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: the mapping made in `zeroed`.
        unsafe { libc::munmap(self.place.as_ptr().cast(), size_of::<T>()) };
    }
}

// SAFETY: zero is a valid atomic integer, and every access to one is atomic.
unsafe impl ProcessShared for std::sync::atomic::AtomicI32 {}
// SAFETY: as above.
unsafe impl ProcessShared for std::sync::atomic::AtomicU64 {}
// SAFETY: an array of such values, nothing between them.
unsafe impl<T: ProcessShared, const N: usize> ProcessShared for [T; N] {}
