//! CPU affinity masks of any size.

use std::io;

/// Bytes of a mask: enough for 8192 CPUs, the most Linux can be built for.
const BYTES: usize = 1024;

/// A set of CPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct CpuMask([u8; BYTES]);

impl CpuMask {
    /// The set of one CPU.
    pub fn only(cpu: usize) -> Self {
        let mut mask = Self([0; BYTES]);
        if let Some(byte) = mask.0.get_mut(cpu / 8) {
            *byte |= 1 << (cpu % 8);
        }
        mask
    }

    /// The CPUs a thread may run on (0: the caller).
    pub fn of(tid: i32) -> io::Result<Self> {
        let mut mask = Self([0; BYTES]);
        // SAFETY: the buffer is `BYTES` long and the kernel writes no more than that.
        let size = unsafe { libc::syscall(libc::SYS_sched_getaffinity, tid, BYTES, mask.0.as_mut_ptr()) };
        if size < 0 { Err(io::Error::last_os_error()) } else { Ok(mask) }
    }

    /// Lets a thread (0: the caller) run on these CPUs only.
    pub fn apply(&self, tid: i32) -> io::Result<()> {
        // SAFETY: the buffer is `BYTES` long and only read.
        let done = unsafe { libc::syscall(libc::SYS_sched_setaffinity, tid, BYTES, self.0.as_ptr()) };
        if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// How many CPUs are in the set.
    pub fn count(&self) -> usize {
        self.0.iter().map(|byte| byte.count_ones() as usize).sum()
    }
}

/// The CPU the caller runs on.
pub fn current_cpu() -> Option<usize> {
    // SAFETY: takes no arguments.
    usize::try_from(unsafe { libc::sched_getcpu() }).ok()
}
