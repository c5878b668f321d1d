//! What `/proc` says of a process's threads.

use std::io;

/// The threads of a process; the process alone where `/proc` does not say.
pub fn threads_of(pid: i32) -> Vec<i32> {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return vec![pid] };
    let tid = |task: io::Result<std::fs::DirEntry>| task.ok()?.file_name().to_str()?.parse().ok();
    tasks.filter_map(tid).collect()
}

/// The name of a thread, filled up with NUL bytes.
pub fn comm_of(pid: i32, tid: i32) -> [u8; 16] {
    let name = std::fs::read(format!("/proc/{pid}/task/{tid}/comm")).unwrap_or_default();
    let name = name.strip_suffix(b"\n").unwrap_or(&name);
    let mut comm = [0; 16];
    let length = name.len().min(15);
    comm[..length].copy_from_slice(&name[..length]);
    comm
}

/// The process that a thread belongs to, by the `Tgid` of `/proc/TID/status` (proc(5)).
pub fn process_of(tid: i32) -> Option<i32> {
    let text = std::fs::read(format!("/proc/{tid}/status")).ok()?;
    let text = String::from_utf8_lossy(&text);
    text.lines().find_map(|line| line.strip_prefix("Tgid:"))?.trim().parse().ok()
}
