//! Ids of processes in other namespaces of ids (`pid_namespaces(7)`) than this one.
//!
//! The kernel tells of each process the ids that it has in the namespaces from ours down to its own, in `/proc/PID/status`.

use std::fs;

use super::content::name_of;
use super::files::{proc_file, proc_link};
use crate::syscall::decode::escape::write_bracketed;
use crate::syscall::decode::{IdKind, Style};

/// What is told of an id that a thread passes or is given: the name of the thread or process, and the id that it has here if that is
/// another.
pub fn describe_id(tid: i32, kind: IdKind, id: i32, style: &Style) -> Option<Vec<u8>> {
    let ours = in_ours(tid, kind, id)?;
    let mut text = Vec::new();
    if style.names
        && matches!(kind, IdKind::Thread | IdKind::Process)
        && let Some(name) = name_of(ours)
    {
        write_bracketed(&mut text, &name);
    }
    if style.namespaces && ours != id {
        text.extend_from_slice(format!(" /* {ours} in strace's PID NS */").as_bytes());
    }
    Some(text)
}

/// The id here of what a thread knows by this one; `None`: nobody has it.
fn in_ours(tid: i32, kind: IdKind, id: i32) -> Option<i32> {
    let theirs = namespace(tid)?;
    if theirs == namespace(std::process::id().cast_signed())? {
        return Some(id);
    }
    let depth = Ids::of(tid, IdKind::Thread)?.0.len();
    // Most ids are those of the thread itself and of who made it.
    let near = [tid, value(tid, "PPid").and_then(|parent| parent.parse().ok()).unwrap_or(tid)];
    let all = fs::read_dir("/proc").ok()?.flatten();
    let all = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let candidates = near.into_iter().chain(all).flat_map(|process| tasks(process, kind));
    let mut below = None;
    for candidate in candidates {
        let Some(Ids(ids)) = Ids::of(candidate, kind) else { continue };
        if ids.get(depth - 1) != Some(&id) {
            continue;
        }
        if ids.len() == depth && namespace(candidate).as_ref() == Some(&theirs) {
            return ids.first().copied();
        }
        // In a namespace below, as it is probably that of theirs.
        if ids.len() > depth {
            below = below.or(ids.first().copied());
        }
    }
    below
}

/// The threads of a process, where one is looked for; else itself.
fn tasks(process: i32, kind: IdKind) -> Vec<i32> {
    if kind != IdKind::Thread {
        return vec![process];
    }
    let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    tasks.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// `pid:[4026531836]`
fn namespace(tid: i32) -> Option<Vec<u8>> {
    Some(proc_link(tid, format_args!("ns/pid"))?.to_vec())
}

/// The ids of a thread, from our namespace to its own.
struct Ids(Vec<i32>);

impl Ids {
    fn of(tid: i32, kind: IdKind) -> Option<Self> {
        let line = match kind {
            IdKind::Thread => "NSpid",
            IdKind::Process => "NStgid",
            IdKind::Group => "NSpgid",
            IdKind::Session => "NSsid",
        };
        let ids =
            value(tid, line)?.split_whitespace().map(|id| id.parse().ok()).collect::<Option<Vec<i32>>>()?;
        (!ids.is_empty()).then_some(Self(ids))
    }
}

/// What stands in a line of a thread's `status`.
fn value(tid: i32, line: &str) -> Option<String> {
    let status = proc_file(tid, "status")?;
    let status = String::from_utf8_lossy(&status);
    status.lines().find_map(|each| Some(each.strip_prefix(line)?.strip_prefix(':')?.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_our_own_namespace_are_themselves() {
        let own = std::process::id().cast_signed();
        for kind in [IdKind::Thread, IdKind::Process, IdKind::Group, IdKind::Session] {
            assert!(Ids::of(own, kind).is_some(), "{kind:?}");
            assert_eq!(in_ours(own, kind, 77), Some(77));
        }
        let told =
            describe_id(own, IdKind::Group, 77, &Style { names: true, namespaces: true, ..Style::PLAIN });
        assert_eq!(told, Some(Vec::new()));
    }
}
