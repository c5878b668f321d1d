//! The process tree, like processes collapsed.
//!
//! Siblings with the same programs and like children are one node that says how many they are, so a
//! storm of thousands of equal processes is a few nodes. Nothing here recurses, and depth is bounded:
//! the shape of the tree is the traced program's to choose.

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::process::{Process, ProcessId, Processes};
use super::text::{Text, arguments, file_name};

/// Processes nested deeper than this are shown beside their parent instead of below it.
const DEEPEST: u32 = 32;
/// How many of the last siblings with the same name a process is compared with.
const CANDIDATES: usize = 64;

/// All processes of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tree {
    /// Processes, the command's own included.
    pub processes: u64,
    /// Threads made beyond each process's first.
    pub threads: u64,
    /// Programs started: execs that succeeded.
    pub programs: u64,
    /// Processes made by processes of the run.
    pub forks: u64,
    /// Execs that failed because there was no such file.
    pub failed_execs: u64,
    /// The command's own process, and any whose maker was not seen.
    pub roots: Vec<Node>,
}

/// One process, or several siblings that are alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// How many processes.
    pub times: u64,
    /// Process id (of the first one).
    pub pid: u32,
    /// Its last program's file name, or its thread's name if it started none.
    pub name: Text,
    /// Executable of its last program; empty if it started none.
    pub path: Text,
    /// Arguments of its last program (of the first process).
    pub argv: Vec<Text>,
    /// Whether all of them had those arguments.
    pub same_argv: bool,
    /// File names of the programs it was before, in order.
    pub before: Vec<Text>,
    /// When it started, since the beginning of the run (the first one), as traced.
    pub traced_at_ns: u64,
    /// From its start to its end as traced, added up.
    pub traced_ns: u64,
    /// System calls, added up.
    pub syscalls: u64,
    /// Threads beyond the first, added up.
    pub threads: u64,
    /// Failed execs (no such file), added up.
    pub failed_execs: u64,
    /// How it ended (the first one): exit status, or minus the signal; `None`: its end was not seen.
    pub status: Option<i64>,
    /// What it started.
    pub children: Vec<Node>,
}

/// Makes the tree. `origin_ns`: the beginning of the run.
#[must_use]
pub fn tree(processes: &Processes, origin_ns: u64) -> Tree {
    let list = processes.list();
    let (order, parents) = levels(list);
    let mut children: Vec<Vec<Node>> = Vec::new();
    children.resize_with(list.len(), Vec::new);
    let mut roots = Vec::new();
    for &id in order.iter().rev() {
        let below = std::mem::take(&mut children[id as usize]);
        let node = node(processes, &list[id as usize], collapse(below), origin_ns);
        match parents[id as usize] {
            Some(parent) => children[parent as usize].push(node),
            None => roots.push(node),
        }
    }
    Tree {
        processes: list.len() as u64,
        threads: list.iter().map(|process| u64::from(process.threads)).sum(),
        programs: list.iter().map(|process| process.execs.len() as u64).sum(),
        forks: list.iter().map(|process| u64::from(process.forks)).sum(),
        failed_execs: list.iter().map(|process| u64::from(process.failed_execs)).sum(),
        roots: collapse(roots),
    }
}

/// Processes in an order where each stands after its parent, and the parent each is shown below.
pub(super) fn levels(list: &[Process]) -> (Vec<ProcessId>, Vec<Option<ProcessId>>) {
    let mut below: FxHashMap<ProcessId, Vec<ProcessId>> = FxHashMap::default();
    let mut parents: Vec<Option<ProcessId>> = vec![None; list.len()];
    let mut depth = vec![u32::MAX; list.len()];
    let mut order = Vec::with_capacity(list.len());
    for (id, process) in list.iter().enumerate() {
        match process.parent {
            Some(parent) if id != 0 => below.entry(parent).or_default().push(id as ProcessId),
            _ => {
                depth[id] = 0;
                order.push(id as ProcessId);
            }
        }
    }
    let mut next = 0;
    while let Some(&id) = order.get(next) {
        next += 1;
        for child in below.remove(&id).unwrap_or_default() {
            let deep = depth[id as usize] >= DEEPEST;
            let parent = if deep { parents[id as usize] } else { Some(id) };
            depth[child as usize] = depth[id as usize] + u32::from(!deep);
            parents[child as usize] = parent;
            order.push(child);
        }
    }
    // What was not reached has itself for an ancestor: only a broken log says so.
    let unreached = (0..list.len() as ProcessId).filter(|&id| depth[id as usize] == u32::MAX);
    order.extend(unreached);
    (order, parents)
}

fn node(processes: &Processes, process: &Process, children: Vec<Node>, origin_ns: u64) -> Node {
    let strings = &processes.strings;
    let (last, before) = match process.execs.split_last() {
        Some((last, before)) => (Some(last), before),
        None => (None, &[][..]),
    };
    Node {
        times: 1,
        pid: process.pid,
        name: processes.name(process).into(),
        path: last.map_or(&b""[..], |exec| strings.get(exec.path)).into(),
        argv: last.map_or_else(Vec::new, |exec| arguments(strings.get(exec.argv)).map(Text::from).collect()),
        same_argv: true,
        before: before.iter().map(|exec| file_name(strings.get(exec.path)).into()).collect(),
        traced_at_ns: process.start_ns.saturating_sub(origin_ns),
        traced_ns: process.end_ns.saturating_sub(process.start_ns),
        syscalls: process.calls,
        threads: u64::from(process.threads),
        failed_execs: u64::from(process.failed_execs),
        status: process.status,
        children,
    }
}

/// Siblings, those alike made one, in order of their first start.
fn collapse(mut siblings: Vec<Node>) -> Vec<Node> {
    siblings.sort_by_key(|node| (node.traced_at_ns, node.pid));
    let mut kept: Vec<Node> = Vec::new();
    let mut by_name: FxHashMap<Text, Vec<usize>> = FxHashMap::default();
    for node in siblings {
        let candidates = by_name.entry(node.name.clone()).or_default();
        let mut recent = candidates.iter().rev().take(CANDIDATES).copied();
        if let Some(at) = recent.find(|&at| alike(&kept[at], &node)) {
            join(&mut kept[at], node);
        } else {
            candidates.push(kept.len());
            kept.push(node);
        }
    }
    kept
}

/// Whether two processes did the same in outline: the same programs, and like children as often.
/// (It recurses no deeper than [`DEEPEST`].)
fn alike(a: &Node, b: &Node) -> bool {
    let outcome = |node: &Node| node.status.map(i64::signum);
    a.name == b.name
        && a.path == b.path
        && a.before == b.before
        && outcome(a) == outcome(b)
        && a.children.len() == b.children.len()
        && a.children.iter().zip(&b.children).all(|(x, y)| {
            // A node that was joined has the children of all it joins.
            u128::from(x.times) * u128::from(b.times) == u128::from(y.times) * u128::from(a.times)
                && alike(x, y)
        })
}

fn join(into: &mut Node, node: Node) {
    into.times += node.times;
    into.same_argv &= node.same_argv && into.argv == node.argv;
    into.traced_ns = into.traced_ns.saturating_add(node.traced_ns);
    into.syscalls += node.syscalls;
    into.threads += node.threads;
    into.failed_execs += node.failed_execs;
    for (child, other) in into.children.iter_mut().zip(node.children) {
        join(child, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Kind};

    /// `sh` (1) starts processes; each entry is (pid, parent, program or "").
    fn run(entries: &[(u32, u32, &str)]) -> Tree {
        let mut processes = Processes::default();
        let event = |kind, pid, at| Event {
            pid,
            tid: pid,
            start_ns: at,
            end_ns: Some(at),
            comm: b"sh",
            ret: Some(0),
            ..Event::new(kind)
        };
        let exec = Event { path: Some(b"/bin/sh"), argv: Some(b"sh\0x\0"), ..event(Kind::Exec, 1, 1) };
        processes.add(&exec, false);
        for (at, (pid, parent, program)) in entries.iter().enumerate() {
            let at = at as u64 + 2;
            let args = [17, u64::from(*pid), 0, 0, 0, 0];
            processes.add(&Event { args, ..event(Kind::Fork, *parent, at) }, false);
            if !program.is_empty() {
                let exec = Event { path: Some(program.as_bytes()), ..event(Kind::Exec, *pid, at) };
                processes.add(&exec, false);
            }
            processes.add(&event(Kind::Syscall, *pid, at), false);
        }
        for (pid, ..) in entries {
            processes.add(&event(Kind::Exit, *pid, 10_000), false);
        }
        tree(&processes, 1)
    }

    #[test]
    fn like_siblings_are_one_node() {
        let tree = run(&[(2, 1, "/bin/sed"), (3, 1, ""), (4, 1, "/bin/sed"), (5, 1, "/usr/bin/sed")]);
        assert_eq!((tree.processes, tree.forks, tree.programs), (5, 4, 4));
        let [root] = &tree.roots[..] else { panic!("{tree:?}") };
        assert_eq!((root.pid, root.argv.len()), (1, 2));
        let children: Vec<_> = root.children.iter().map(|c| (c.name.bytes(), c.times, c.syscalls)).collect();
        assert_eq!(children, [(&b"sed"[..], 2, 2), (b"sh", 1, 1), (b"sed", 1, 1)]);
    }

    #[test]
    fn processes_with_like_children_are_joined_with_them() {
        let tree = run(&[(2, 1, "/b/a"), (3, 2, "/b/x"), (4, 1, "/b/a"), (5, 4, "/b/x"), (6, 1, "/b/a")]);
        let children = &tree.roots[0].children;
        assert_eq!(children.iter().map(|c| c.times).collect::<Vec<_>>(), [2, 1]);
        assert_eq!((children[0].children[0].times, children[0].children[0].syscalls), (2, 2));
        assert!(children[1].children.is_empty());
    }

    #[test]
    fn a_chain_of_thousands_is_bounded_in_depth() {
        let chain: Vec<_> = (2..5000).map(|pid| (pid, pid - 1, "/bin/x")).collect();
        let tree = run(&chain);
        assert_eq!(tree.processes, 4999);
        let (mut node, mut depth) = (&tree.roots[0], 0);
        while let Some(child) = node.children.last() {
            (node, depth) = (child, depth + 1);
        }
        assert_eq!(depth, DEEPEST);
    }

    #[test]
    fn a_storm_is_one_node() {
        let storm: Vec<_> = (2..5000).map(|pid| (pid, 1, "/bin/true")).collect();
        let tree = run(&storm);
        assert_eq!(tree.roots[0].children.len(), 1);
        assert_eq!(tree.roots[0].children[0].times, 4998);
    }

    #[test]
    fn a_log_whose_processes_made_each_other_still_has_a_tree() {
        let tree = run(&[(2, 3, "/bin/x"), (3, 2, "/bin/y")]);
        assert_eq!(tree.processes, 3);
        assert!(!tree.roots.is_empty());
    }
}
