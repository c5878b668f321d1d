//! tracefs: the kernel's own tracepoints.

use std::fs;
use std::path::Path;

use super::check::Check;
use super::machine::Machine;
use super::sys::child::Step;

/// Where it is mounted: today, and before Linux 4.1.
const PLACES: [&str; 2] = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];
/// The tracepoint that every system call passes.
const TRACEPOINT: &str = "events/raw_syscalls/sys_enter/id";

/// Reads the number of a tracepoint.
pub(super) fn check(_machine: &Machine) -> Check {
    let read = |place: &&str| fs::read_to_string(format!("{place}/{TRACEPOINT}"));
    let tries: Vec<_> = PLACES.iter().map(read).collect();
    let number = tries.iter().flatten().find_map(|text| text.trim().parse().ok());
    // Not allowed tells more than not there.
    let errors = tries.iter().filter_map(|read| read.as_ref().err()?.raw_os_error());
    let errno = errors.min_by_key(|errno| *errno == libc::ENOENT).unwrap_or(libc::EIO);
    let mut check = Check::new(
        "tracefs",
        "trace replay, to count what a ring hands to workers; the tests that compare with the kernel",
    );
    let step = number.map_or(Step::Failed(errno), Step::Done);
    let works =
        check.essential("read a tracepoint", step, |number| format!("raw_syscalls:sys_enter is {number}"));
    match (works, errno) {
        (false, libc::EACCES | libc::EPERM) => check.because(
            "tracefs belongs to root",
            // The mode alone opens the directories only.
            format!(
                "run trace as root, or let this group in: sudo mount -o remount,mode=750,gid={} {}",
                nix::unistd::getegid(),
                PLACES[0]
            ),
        ),
        (false, libc::ENOENT) if Path::new(PLACES[0]).join("events").exists() => {
            check.because(
                "the kernel is built without tracepoints of system calls",
                "use a kernel built with CONFIG_FTRACE_SYSCALLS",
            );
        }
        (false, libc::ENOENT) => {
            let command = format!("sudo mount -t tracefs tracefs {}", PLACES[0]);
            check.because("tracefs is not mounted", command);
        }
        _ => {}
    }
    check.or_unknown()
}
