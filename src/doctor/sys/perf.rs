//! Perf events (`perf_event_open(2)`).

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use perf_event_open_sys::bindings::{
    PERF_COUNT_HW_CPU_CYCLES, PERF_COUNT_SW_CPU_CLOCK, PERF_COUNT_SW_TASK_CLOCK, PERF_FLAG_FD_CLOEXEC,
    PERF_SAMPLE_IP, PERF_TYPE_BREAKPOINT, PERF_TYPE_HARDWARE, PERF_TYPE_SOFTWARE, perf_event_attr,
    perf_event_mmap_page,
};

use super::owned;

/// Nanoseconds between samples.
const PERIOD: u64 = 100_000;
/// CPU time that is spent to be counted: some tens of samples.
const WORK: Duration = Duration::from_millis(5);
/// One page for the ring's own state, one for its records.
const PAGE: usize = 4096;
/// `HW_BREAKPOINT_X` and the length that goes with it (`linux/hw_breakpoint.h`).
const ON_EXECUTION: u32 = 4;

fn attributes(kind: u32, config: u64) -> perf_event_attr {
    let mut attributes = perf_event_attr {
        type_: kind,
        size: size_of::<perf_event_attr>() as u32,
        config,
        ..Default::default()
    };
    attributes.set_exclude_hv(1);
    attributes
}

fn open(attributes: &perf_event_attr, pid: i32, cpu: i32) -> io::Result<File> {
    let attributes = std::ptr::from_ref(attributes);
    let flags = u64::from(PERF_FLAG_FD_CLOEXEC);
    // SAFETY: `attributes` is live and says its own size.
    let fd = unsafe { libc::syscall(libc::SYS_perf_event_open, attributes, pid, cpu, -1, flags) };
    owned(fd).map(File::from)
}

/// Spends CPU time, mostly in user mode.
fn work() {
    let spent = || clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(WORK, Duration::from);
    let begin = spent();
    while spent().saturating_sub(begin) < WORK {
        (0..10_000).for_each(|turn| _ = std::hint::black_box(turn));
    }
}

/// Counts this process for a while.
fn count(attributes: &perf_event_attr) -> io::Result<i64> {
    let mut event = open(attributes, 0, -1)?;
    work();
    let mut value = [0; 8];
    event.read_exact(&mut value)?;
    Ok(u64::from_ne_bytes(value).min(i64::MAX as u64) as i64)
}

/// The software clock of this process, in user mode: its nanoseconds.
pub fn clock_in_user_mode() -> io::Result<i64> {
    let mut attributes = attributes(PERF_TYPE_SOFTWARE, u64::from(PERF_COUNT_SW_TASK_CLOCK));
    attributes.set_exclude_kernel(1);
    count(&attributes)
}

/// The same, with the kernel's part.
pub fn clock_in_kernel() -> io::Result<i64> {
    count(&attributes(PERF_TYPE_SOFTWARE, u64::from(PERF_COUNT_SW_TASK_CLOCK)))
}

/// Cycles of the processor in user mode, which takes its performance counters (a PMU).
pub fn cycles() -> io::Result<i64> {
    let mut attributes = attributes(PERF_TYPE_HARDWARE, u64::from(PERF_COUNT_HW_CPU_CYCLES));
    attributes.set_exclude_kernel(1);
    count(&attributes)
}

/// The clock of a whole CPU, whatever runs on it.
pub fn whole_cpu() -> io::Result<i64> {
    let attributes = attributes(PERF_TYPE_SOFTWARE, u64::from(PERF_COUNT_SW_CPU_CLOCK));
    // SAFETY: takes no pointers; the CPU this runs on is one that is there.
    let cpu = unsafe { libc::sched_getcpu() };
    open(&attributes, -1, cpu.max(0)).map(|_| 0)
}

/// A hardware breakpoint on execution in this process, as the recorder arms one at a program's entry.
pub fn breakpoint() -> io::Result<i64> {
    let mut attributes = attributes(PERF_TYPE_BREAKPOINT, 0);
    attributes.bp_type = ON_EXECUTION;
    attributes.__bindgen_anon_1.sample_period = 1;
    attributes.__bindgen_anon_3.bp_addr = breakpoint as *const () as u64;
    attributes.__bindgen_anon_4.bp_len = size_of::<libc::c_long>() as u64;
    attributes.set_exclude_kernel(1);
    open(&attributes, 0, -1).map(|_| 0)
}

/// Samples of this process by its software clock: bytes of records in the ring.
pub fn samples() -> io::Result<i64> {
    let mut attributes = attributes(PERF_TYPE_SOFTWARE, u64::from(PERF_COUNT_SW_CPU_CLOCK));
    attributes.__bindgen_anon_1.sample_period = PERIOD;
    attributes.sample_type = u64::from(PERF_SAMPLE_IP);
    attributes.set_exclude_kernel(1);
    let event = open(&attributes, 0, -1)?;
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a new mapping of the event's ring at an address that the kernel chooses.
    let ring =
        unsafe { libc::mmap(std::ptr::null_mut(), 2 * PAGE, access, libc::MAP_SHARED, event.as_raw_fd(), 0) };
    if ring == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    work();
    let page = ring.cast::<perf_event_mmap_page>();
    // SAFETY: the first page of the mapping is this struct, aligned to a page; the kernel writes `data_head`
    // atomically. The mapping ends with the child.
    let head = unsafe { AtomicU64::from_ptr(&raw mut (*page).data_head) };
    Ok(head.load(Ordering::Acquire) as i64)
}
