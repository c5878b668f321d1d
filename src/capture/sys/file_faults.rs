//! Files that are cut short while they are mapped into this process: reading them then is SIGBUS (mmap(2)).
//!
//! The page that is gone becomes one of zeroes, and the fault is counted for the thread that read it: whoever reads a file
//! that others may change looks at the count, and throws away what it has read.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::mem;
use std::ptr;
use std::sync::Once;

use super::startup;

/// No page is smaller, and none of a file's that this architecture maps by default is larger.
const PAGE: usize = 4096;
/// `BUS_ADRERR` (asm-generic/siginfo.h): no such physical address, as behind the end of a file.
const NO_ADDRESS: c_int = 2;

thread_local! {
    /// Without a destructor and known at compile time, so that a handler finds it without any work (the signal of a fault
    /// comes to the thread that made it).
    static FAULTS: Cell<u64> = const { Cell::new(0) };
}

/// Pages that were gone when this thread read them, so far. From the first call on they do not end this process.
pub fn count() -> u64 {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An ignored signal is handed down to the command, and a handled one is not.
        if startup::is_ignored(libc::SIGBUS) {
            return;
        }
        // SAFETY: all zeroes is a valid `struct sigaction` (empty mask); the handler stays valid for ever.
        unsafe {
            let mut new: libc::sigaction = mem::zeroed();
            new.sa_sigaction = handle as *const () as libc::sighandler_t;
            // On the stack that Rust's runtime has for handlers.
            new.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
            libc::sigaction(libc::SIGBUS, &raw const new, ptr::null_mut());
        }
    });
    FAULTS.get()
}

/// The handler: system calls and a thread's own number only.
extern "C" fn handle(signal: c_int, info: *mut libc::siginfo_t, _context: *mut c_void) {
    // SAFETY: the kernel passes a valid siginfo_t. A page that has just faulted because it lies behind the end of its file
    // holds nothing that could be lost; a signal that was sent has another code.
    unsafe {
        if (*info).si_code == NO_ADDRESS {
            let page = ((*info).si_addr() as usize & !(PAGE - 1)) as *mut c_void;
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
            if libc::mmap(page, PAGE, libc::PROT_READ, flags, -1, 0) == page {
                FAULTS.set(FAULTS.get() + 1);
                return;
            }
        }
        // It happens again, and ends this process as it would have.
        libc::signal(signal, libc::SIG_DFL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsRawFd;

    #[test]
    fn a_file_that_is_cut_short_reads_as_zeroes_and_is_counted() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[7; 2 * PAGE]).unwrap();
        let before = count();
        // SAFETY: a new mapping of two pages, read within its bounds.
        let (first, second) = unsafe {
            let (read, shared) = (libc::PROT_READ, libc::MAP_SHARED);
            let mapped = libc::mmap(ptr::null_mut(), 2 * PAGE, read, shared, file.as_raw_fd(), 0);
            assert_ne!(mapped, libc::MAP_FAILED);
            file.set_len(PAGE as u64).unwrap();
            let bytes = mapped.cast::<u8>();
            (bytes.read_volatile(), bytes.add(PAGE).read_volatile())
        };
        assert_eq!((first, second), (7, 0));
        assert!(count() > before);
    }
}
