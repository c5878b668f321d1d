//! Counting the operations that a ring hands to a worker thread: the kernel's tracepoint
//! `io_uring:io_uring_queue_async_work`, for the calling thread only, while it is switched on.

use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// `PERF_TYPE_TRACEPOINT` of `linux/perf_event.h`.
const TRACEPOINT: u32 = 2;
/// Bit 0 of `perf_event_attr`'s flags: not counting yet.
const DISABLED: u64 = 1;
/// `PERF_EVENT_IOC_ENABLE`, `_DISABLE`, `_RESET`.
const ENABLE: libc::c_ulong = 0x2400;
const DISABLE: libc::c_ulong = 0x2401;
const RESET: libc::c_ulong = 0x2403;
/// `PERF_FLAG_FD_CLOEXEC`.
const CLOEXEC: libc::c_ulong = 8;

const IDS: [&str; 2] = [
    "/sys/kernel/tracing/events/io_uring/io_uring_queue_async_work/id",
    "/sys/kernel/debug/tracing/events/io_uring/io_uring_queue_async_work/id",
];

/// The beginning of `struct perf_event_attr` as its first version had it (`PERF_ATTR_SIZE_VER0`).
#[repr(C)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup: u32,
    breakpoint: u32,
    config1: u64,
}

/// A counter of the calling thread.
#[derive(Debug)]
pub(crate) struct Punts(OwnedFd);

impl Punts {
    /// Needs privilege, usually (tracefs, `perf_event_paranoid`).
    pub(crate) fn new() -> io::Result<Self> {
        let text = IDS.iter().find_map(|path| fs::read_to_string(path).ok());
        let id = text.and_then(|text| text.trim().parse().ok()).ok_or(io::ErrorKind::PermissionDenied)?;
        // SAFETY: all-zero bytes are valid: the struct holds integers only.
        let mut attributes: Attributes = unsafe { MaybeUninit::zeroed().assume_init() };
        attributes.kind = TRACEPOINT;
        attributes.size = size_of::<Attributes>() as u32;
        attributes.config = id;
        attributes.flags = DISABLED;
        // SAFETY: `attributes` is live and of the size that it tells.
        let fd =
            unsafe { libc::syscall(libc::SYS_perf_event_open, &raw const attributes, 0, -1, -1, CLOEXEC) };
        match i32::try_from(fd) {
            // SAFETY: a descriptor that the kernel has just made for us.
            Ok(fd) if fd >= 0 => Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) })),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// From 0, from now on.
    pub(crate) fn begin(&self) {
        self.control(RESET);
        self.control(ENABLE);
    }

    /// How many there were.
    pub(crate) fn end(&self) -> Option<u64> {
        self.control(DISABLE);
        let mut count = 0_u64;
        // SAFETY: room for the eight bytes that a counter without a read format gives.
        let read = unsafe { libc::read(self.0.as_raw_fd(), (&raw mut count).cast(), size_of::<u64>()) };
        (read == size_of::<u64>() as isize).then_some(count)
    }

    fn control(&self, what: libc::c_ulong) {
        // SAFETY: these take no pointer.
        unsafe { libc::ioctl(self.0.as_raw_fd(), what, 0) };
    }
}
