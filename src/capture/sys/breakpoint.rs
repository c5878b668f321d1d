//! A hardware breakpoint that only notes the time it was reached (`perf_event_open(2)`).
//!
//! Unlike one set through ptrace's debug registers, it does not stop the thread, the thread cannot see
//! it, and it is gone when the tracer is: a SIGKILL of the tracer cannot leave a trap behind.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use perf_event_open_sys::bindings;

/// One page for the ring's own state, one for its records.
const PAGE: usize = 4096;
/// Breakpoint on execution (`HW_BREAKPOINT_X` in `linux/hw_breakpoint.h`).
const ON_EXECUTION: u32 = 4;
/// Offset of a sample's only field, its time, behind the record's header.
const HEADER: usize = 8;

/// An armed breakpoint of one thread.
pub struct Breakpoint {
    _event: File,
    ring: NonNull<u8>,
}

impl Breakpoint {
    /// Notes when the thread first executes the instruction at `address`.
    pub fn arm(tid: i32, address: u64) -> io::Result<Self> {
        let mut attr = bindings::perf_event_attr {
            type_: bindings::PERF_TYPE_BREAKPOINT,
            size: size_of::<bindings::perf_event_attr>() as u32,
            sample_type: u64::from(bindings::PERF_SAMPLE_TIME),
            bp_type: ON_EXECUTION,
            clockid: libc::CLOCK_MONOTONIC,
            ..Default::default()
        };
        attr.__bindgen_anon_1.sample_period = 1;
        attr.__bindgen_anon_3.bp_addr = address;
        attr.__bindgen_anon_4.bp_len = size_of::<libc::c_long>() as u64;
        attr.set_exclude_kernel(1);
        attr.set_exclude_hv(1);
        attr.set_use_clockid(1);
        let event = open(&attr, tid)?;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping of the event's ring at an address the kernel chooses.
        let ring = unsafe {
            libc::mmap(std::ptr::null_mut(), 2 * PAGE, access, libc::MAP_SHARED, event.as_raw_fd(), 0)
        };
        if ring == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let ring = NonNull::new(ring.cast()).ok_or_else(|| io::Error::other("mmap returned address 0"))?;
        Ok(Self { _event: event, ring })
    }

    /// When the instruction was first reached, in nanoseconds of the monotonic clock.
    pub fn reached_ns(&self) -> Option<u64> {
        let page = self.ring.cast::<bindings::perf_event_mmap_page>();
        // SAFETY: the first page of the mapping is this struct, aligned to a page; the kernel writes
        // `data_head` atomically.
        let head = unsafe { AtomicU64::from_ptr(&raw mut (*page.as_ptr()).data_head) };
        if head.load(Ordering::Acquire) < (HEADER + 8) as u64 {
            return None;
        }
        // SAFETY: inside the second page of the mapping, and written before `data_head` was.
        Some(unsafe { self.ring.add(PAGE + HEADER).cast::<u64>().read_unaligned() })
    }
}

/// Opens an event of one thread (0: the caller) on any CPU.
fn open(attr: &bindings::perf_event_attr, tid: i32) -> io::Result<File> {
    let flags = u64::from(bindings::PERF_FLAG_FD_CLOEXEC);
    let attr = std::ptr::from_ref(attr);
    // SAFETY: `attr` is live and says its own size.
    let fd = unsafe { libc::syscall(libc::SYS_perf_event_open, attr, tid, -1, -1, flags) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { File::from_raw_fd(fd as i32) })
}

/// An event that counts nothing; while it lives, opening others is quick.
pub struct KeepReady {
    _event: File,
}

impl KeepReady {
    /// Opens it.
    pub fn open() -> io::Result<Self> {
        let mut attr = bindings::perf_event_attr {
            type_: bindings::PERF_TYPE_SOFTWARE,
            size: size_of::<bindings::perf_event_attr>() as u32,
            config: u64::from(bindings::PERF_COUNT_SW_DUMMY),
            ..Default::default()
        };
        attr.set_exclude_kernel(1);
        attr.set_exclude_hv(1);
        Ok(Self { _event: open(&attr, 0)? })
    }
}

impl Drop for Breakpoint {
    fn drop(&mut self) {
        // SAFETY: the mapping made in `arm`, to which no reference is left.
        unsafe { libc::munmap(self.ring.as_ptr().cast(), 2 * PAGE) };
    }
}
