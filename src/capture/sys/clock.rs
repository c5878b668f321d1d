//! Clocks.

fn read(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is live; the clocks used always exist, so the call cannot fail.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// `CLOCK_MONOTONIC`, in nanoseconds: the clock of every log, and of the kernel's `bpf_ktime_get_ns`.
pub fn monotonic_ns() -> u64 {
    read(libc::CLOCK_MONOTONIC)
}

/// Nanoseconds since the epoch.
pub fn realtime_ns() -> u64 {
    read(libc::CLOCK_REALTIME)
}

/// How far the local time is ahead of UTC now, in seconds.
pub fn local_offset_s() -> i64 {
    let mut parts = std::mem::MaybeUninit::<libc::tm>::zeroed();
    let now = (realtime_ns() / 1_000_000_000).cast_signed();
    // SAFETY: both pointers are to live values; a zeroed `tm` is valid, should the call fill nothing.
    unsafe {
        libc::localtime_r(&raw const now, parts.as_mut_ptr());
        parts.assume_init().tm_gmtoff
    }
}
