//! Ids of processes in other namespaces of ids (`pid_namespaces(7)`) than this one.
//!
//! The kernel tells of each process the ids that it has in the namespaces from that of `/proc` down to its own, in
//! `/proc/PID/status`. That of `/proc` is mostly ours, and may be one above ours (`unshare --pid` with no `/proc` of its
//! own): there `/proc` knows processes by other ids than we do.

use std::cell::RefCell;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;

use rustc_hash::FxHashMap;

use super::super::sys::namespaces;
use super::files::proc_is_ours;
use crate::syscall::decode::escape::write_bracketed;
use crate::syscall::decode::{IdKind, Style};

/// What is told of an id that a thread passes or is given: the name of the thread or process, and the id that it has here if that is
/// another.
pub fn describe_id(tid: i32, kind: IdKind, id: i32, style: &Style) -> Option<Vec<u8>> {
    let ours = in_ours(tid, kind, id)?;
    let mut text = Vec::new();
    if style.names
        && matches!(kind, IdKind::Thread | IdKind::Process)
        && let Some(name) = known(ours).and_then(|known| fs::read(format!("/proc/{known}/comm")).ok())
    {
        write_bracketed(&mut text, name.strip_suffix(b"\n").unwrap_or(&name));
    }
    if style.namespaces && ours != id {
        text.extend_from_slice(format!(" /* {ours} in strace's PID NS */").as_bytes());
    }
    Some(text)
}

/// The id here of what a thread knows by this one; `None`: nobody has it.
pub fn in_ours(tid: i32, kind: IdKind, id: i32) -> Option<i32> {
    let tid = known(tid)?;
    let theirs = namespace_above(tid, 0)?;
    if theirs == own_namespace()? {
        return Some(id);
    }
    let (depth, level) = (Ids::of(tid, IdKind::Thread)?.0.len(), level()?);
    // Most ids are those of the thread itself and of who made it.
    let near = [tid, value(tid, "PPid").and_then(|parent| parent.parse().ok()).unwrap_or(tid)];
    let candidates = near.into_iter().chain(processes()).flat_map(|process| tasks(process, kind));
    for candidate in candidates {
        let Some(Ids(ids)) = Ids::of(candidate, kind) else { continue };
        // It may be of a namespace below theirs, too.
        if ids.get(depth - 1) == Some(&id) && namespace_above(candidate, ids.len() - depth) == Some(theirs) {
            return ids.get(level).copied().filter(|&id| id > 0);
        }
    }
    None
}

/// The id by which `/proc` knows a thread that we know by this one.
pub fn known(tid: i32) -> Option<i32> {
    thread_local! {
        static KNOWN: RefCell<FxHashMap<i32, i32>> = RefCell::default();
    }
    if proc_is_ours() {
        return Some(tid);
    }
    let (level, own) = (level()?, own_namespace()?);
    let is_it = |candidate: &i32| {
        Ids::of(*candidate, IdKind::Thread).is_some_and(|Ids(ids)| {
            ids.get(level) == Some(&tid)
                && namespace_above(*candidate, (ids.len() - 1).saturating_sub(level)) == Some(own)
        })
    };
    let latest = KNOWN.with_borrow(|known| known.get(&tid).copied());
    if let Some(latest) = latest.filter(is_it) {
        return Some(latest);
    }
    let found = processes().flat_map(|process| tasks(process, IdKind::Thread)).find(is_it)?;
    KNOWN.with_borrow_mut(|known| {
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(tid, found)
    });
    Some(found)
}

/// So many ids are remembered, and then none.
const MOST_KNOWN: usize = 4096;

/// Where ours is among the namespaces that `/proc` tells ids of.
fn level() -> Option<usize> {
    Some(value_of("self", "NSpid")?.split_whitespace().count().saturating_sub(1))
}

/// All processes, as `/proc` knows them.
fn processes() -> impl Iterator<Item = i32> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The threads of a process, where one is looked for; else itself.
fn tasks(process: i32, kind: IdKind) -> Vec<i32> {
    if kind != IdKind::Thread {
        return vec![process];
    }
    let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    tasks.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The inode of the namespace that is so many above that of a thread.
fn namespace_above(tid: i32, above: usize) -> Option<u64> {
    let path = format!("/proc/{tid}/ns/pid");
    if above == 0 {
        return Some(fs::metadata(path).ok()?.ino());
    }
    let mut namespace = File::open(path).ok()?;
    for _ in 0..above {
        namespace = namespaces::above(&namespace).ok()?;
    }
    Some(namespace.metadata().ok()?.ino())
}

fn own_namespace() -> Option<u64> {
    Some(fs::metadata("/proc/self/ns/pid").ok()?.ino())
}

/// The ids of a thread, from the namespace of `/proc` to its own.
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
    value_of(&tid.to_string(), line)
}

fn value_of(thread: &str, line: &str) -> Option<String> {
    let status = fs::read(format!("/proc/{thread}/status")).ok()?;
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
        assert_eq!((known(own), level()), (Some(own), Some(0)));
        assert_eq!(namespace_above(own, 0), own_namespace());
        assert_eq!(namespace_above(own, 40), None, "there are no more than 32");
        let told =
            describe_id(own, IdKind::Group, 77, &Style { names: true, namespaces: true, ..Style::PLAIN });
        assert_eq!(told, Some(Vec::new()));
    }
}
