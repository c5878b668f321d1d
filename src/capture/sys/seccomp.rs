//! Seccomp filters that this process is under.

/// Whether there is one (proc(5), `Seccomp` in `/proc/PID/status`).
pub fn is_filtered() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.strip_prefix("Seccomp:").is_some_and(|mode| mode.trim() != "0"))
}

/// Makes a call that does not exist, which a filter may kill for.
pub fn call_nothing() {
    // SAFETY: the kernel has no call of this number: ENOSYS, or what a filter says.
    unsafe { libc::syscall(-1) };
}

/// Calls bpf(2) with nothing to do, which a filter may kill for.
pub fn call_bpf() {
    // SAFETY: a null attribute of no length: the kernel answers EINVAL or EPERM.
    unsafe { libc::syscall(libc::SYS_bpf, 0, std::ptr::null::<u8>(), 0) };
}
