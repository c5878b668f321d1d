//! What `/proc` says of a process's threads.

use std::io;
use std::path::Path;

/// The threads of a process; the process alone where `/proc` does not say.
pub fn threads_of(pid: i32) -> Vec<i32> {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return vec![pid] };
    let tid = |task: io::Result<std::fs::DirEntry>| task.ok()?.file_name().to_str()?.parse().ok();
    tasks.filter_map(tid).collect()
}

/// The threads of a cgroup (v2) and of those below it, by its directory.
pub fn threads_of_cgroup(directory: &Path) -> Vec<u32> {
    let mut threads = Vec::new();
    let mut left = vec![directory.to_owned()];
    while let Some(directory) = left.pop() {
        // One that is removed meanwhile has none.
        let text = std::fs::read_to_string(directory.join("cgroup.threads")).unwrap_or_default();
        threads.extend(text.lines().filter_map(|line| line.parse::<u32>().ok()));
        let below = std::fs::read_dir(&directory).into_iter().flatten().filter_map(Result::ok);
        left.extend(
            below.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()),
        );
    }
    threads
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
