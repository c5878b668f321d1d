//! What a run cost beyond time: CPU and context switches, and how many descriptors there may be.

use std::io;
use std::mem::MaybeUninit;

/// Totals of the whole process, kernel workers of a ring included (they are threads of it, `io_uring_setup(2)`).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) cpu_ns: u64,
    pub(crate) switches: u64,
}

impl Usage {
    /// Up to now.
    pub(crate) fn now() -> Self {
        let mut usage = MaybeUninit::<libc::rusage>::zeroed();
        let mut clock = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: room for the struct; RUSAGE_SELF cannot fail, and zeroes are a valid rusage.
        let usage = unsafe {
            libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
            usage.assume_init()
        };
        // SAFETY: room for the struct. This clock is finer than rusage's times and counts the same threads.
        unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut clock) };
        Self {
            cpu_ns: clock.tv_sec as u64 * 1_000_000_000 + clock.tv_nsec as u64,
            switches: (usage.ru_nvcsw + usage.ru_nivcsw) as u64,
        }
    }

    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            cpu_ns: self.cpu_ns.saturating_sub(before.cpu_ns),
            switches: self.switches.saturating_sub(before.switches),
        }
    }
}

/// How many descriptors the process may have.
pub(crate) fn descriptor_limit() -> io::Result<usize> {
    Ok(usize::try_from(descriptor_limits()?.rlim_cur).unwrap_or(usize::MAX))
}

fn descriptor_limits() -> io::Result<libc::rlimit> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is live.
    match unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } {
        0 => Ok(limit),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Raises the soft limit of descriptors to the hard one; the limit then in force.
pub(crate) fn raise_descriptor_limit() -> io::Result<usize> {
    let mut limit = descriptor_limits()?;
    let before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: `limit` is live.
    let raised = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } == 0;
    Ok(usize::try_from(if raised { limit.rlim_max } else { before }).unwrap_or(usize::MAX))
}
