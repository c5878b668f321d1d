//! The files of a log, as far as it tells of them: run through once, in log order, without touching any file.
//!
//! ```text
//! bound steps ──> lookups in a model of directories, files and links ──> what was there before (the tree to make)
//!                                                                  └──> what each step reads and writes (its order)
//! ```
//!
//! A name that a call found without the log having made it was there before: it becomes part of the tree. One that was
//! not found, or nobody asked for, is not. The tree is made from the model and holds nothing else, so a path leads to
//! the same place in both, and the order worked out here is that of the tree.

pub(crate) mod access;
mod calls;
mod changes;
mod links;
pub(crate) mod node;
mod walk;

use rustc_hash::{FxHashMap, FxHashSet};

use super::limits::{ScratchLimits, TooMuch};
use crate::bind::{Action, Bound, Change, Handle, Skip, Start, Step};
use crate::plan::{Call, PathId, Paths, Plan, ProcessId};
use crate::rule::Rule;
use access::{Accesses, Use};
#[cfg(test)]
pub(in crate::scratch) use calls::entry_bytes;
use node::{Aspect, Entry, EntryId, Kind, Node, NodeId, Now, ROOT};
use walk::{Expect, Name, Place};

/// Names of one file in the tree that stand for those the log does not show.
const MOST_NAMES: u32 = 1000;
const MOST_NAMES_HELD: usize = 1 << 26;

/// What was there before, and the steps with what they use.
#[derive(Debug)]
pub(crate) struct Modelled {
    pub(crate) nodes: Vec<Node>,
    /// Names of before, directories first.
    pub(crate) initial: Vec<(NodeId, PathId, NodeId)>,
    pub(crate) names: Paths,
    pub(crate) steps: Vec<Step>,
    pub(crate) accesses: Accesses,
    /// Of each call, why it has no step.
    pub(crate) skips: Vec<Option<Skip>>,
    /// Handles open before the first step, those that are in the tree.
    pub(crate) opened: Vec<(Handle, PathId)>,
}

/// Runs through the steps.
///
/// `attributes`: whether they may be set.
pub(crate) fn model(
    plan: &Plan,
    bound: &Bound,
    limits: ScratchLimits,
    attributes: bool,
) -> Result<Modelled, TooMuch> {
    let mut model = Model::new(plan, bound, limits);
    let opened = model.open_initial()?;
    let mut kept = Vec::with_capacity(bound.steps.len());
    let mut skips = bound.skips.clone();
    for step in &bound.steps {
        let outcome = match step.action {
            Action::Change(change) if change.sets_attributes() && !attributes => Err(Skip::Ungoverned),
            _ => model.step(step)?,
        };
        match outcome {
            Ok(()) => {
                model.accesses.end_step();
                kept.push(*step);
            }
            Err(skip) => {
                model.accesses.drop_step();
                if let Some(handle) = step.action.defines() {
                    model.handles[handle.index()] = None;
                }
                if let Some(place) = skips.get_mut(step.call as usize) {
                    *place = Some(skip);
                }
            }
        }
    }
    // A replay is one process, to which locks of its own would never be in each other's way.
    for step in &mut kept {
        if let Action::Change(Change::LockRange { handle, lock }) = &mut step.action {
            lock.of_description |= model.has_several_lockers(*handle);
        }
    }
    let Model { mut nodes, initial, names, accesses, .. } = model;
    share_with_first(&mut nodes);
    Ok(Modelled { nodes, initial, names, steps: kept, accesses, skips, opened })
}

/// What was seen of a file by one of its names holds for all.
fn share_with_first(nodes: &mut [Node]) {
    for node in 0..nodes.len() {
        if let Some(first) = nodes[node].same_as {
            let Node { least_mode, least_size, .. } = nodes[node];
            let first = &mut nodes[first as usize];
            first.least_mode |= least_mode;
            first.least_size = first.least_size.max(least_size);
        }
    }
}

/// The state at one point of the log.
pub(crate) struct Model<'a> {
    plan: &'a Plan,
    bound: &'a Bound,
    limits: ScratchLimits,
    links: links::Links,
    names: Paths,
    nodes: Vec<Node>,
    entries: Vec<Entry>,
    by_name: FxHashMap<(NodeId, PathId), EntryId>,
    /// First nodes of files by device and inode.
    by_file: FxHashMap<(u64, u64), NodeId>,
    initial: Vec<(NodeId, PathId, NodeId)>,
    accesses: Accesses,
    /// Of each handle, what it is open on.
    handles: Vec<Option<NodeId>>,
    /// Of each open file description: its offset, and the bytes that a listing has returned.
    offsets: Vec<u64>,
    /// Files that somebody locks, in whole (`flock`) or in part (`fcntl`).
    locked: FxHashSet<NodeId>,
    /// Of those that are locked in part, the process that does; `None`: several.
    lockers: FxHashMap<NodeId, Option<ProcessId>>,
    written: u64,
}

impl<'a> Model<'a> {
    fn new(plan: &'a Plan, bound: &'a Bound, limits: ScratchLimits) -> Self {
        let mut accesses = Accesses::default();
        let [root, ..] = Aspect::RULES.map(|rule| accesses.resource(rule));
        Self {
            links: links::links(plan),
            names: Paths::default(),
            nodes: vec![Node::new(Kind::Directory, true, 0, root)],
            entries: Vec::new(),
            by_name: FxHashMap::default(),
            by_file: FxHashMap::default(),
            initial: Vec::new(),
            accesses,
            handles: vec![None; bound.handles],
            offsets: vec![0; bound.handles],
            locked: FxHashSet::default(),
            lockers: FxHashMap::default(),
            written: 0,
            plan,
            bound,
            limits,
        }
    }

    /// What is open before the first step: working directories, and what the caller said of others.
    fn open_initial(&mut self) -> Result<Vec<(Handle, PathId)>, TooMuch> {
        let mut opened = Vec::new();
        for &(handle, path) in &self.bound.initial {
            let there = Expect::There(Kind::Any);
            let place = self.walk(None, self.plan.paths.bytes(path), true, &there)?;
            self.accesses.drop_step();
            if let Place::Node { node, .. } = place
                && self.nodes[node as usize].kind != Kind::Special
            {
                self.handles[handle.index()] = Some(node);
                opened.push((handle, path));
            }
        }
        Ok(opened)
    }

    fn step(&mut self, step: &Step) -> Result<Result<(), Skip>, TooMuch> {
        if matches!(step.action, Action::Order(_)) {
            return Ok(Ok(()));
        }
        let mut needed = step.action.uses().into_iter().flatten().chain(step.action.closes());
        if needed.any(|handle| self.handles[handle.index()].is_none()) {
            return Ok(Err(Skip::DependsOnSkipped));
        }
        let call = self.plan.calls.get(step.call as usize);
        match &step.action {
            Action::Change(change) => self.change(change, call),
            action => self.call(action, call),
        }
    }

    /// Where a path leads, from an open directory or the root.
    fn lookup(
        &mut self,
        start: Start,
        path: PathId,
        follow: bool,
        expect: &Expect,
    ) -> Result<Place, TooMuch> {
        let start = start.and_then(|handle| self.handles[handle.index()]);
        let plan = self.plan;
        self.walk(start, plan.paths.bytes(path), follow, expect)
    }

    fn entry(&mut self, directory: NodeId, name: PathId) -> Result<EntryId, TooMuch> {
        if let Some(&entry) = self.by_name.get(&(directory, name)) {
            return Ok(entry);
        }
        // Names that are asked for in vain are no files, but take room here. (There are fewer of both than resources can be
        // numbered.)
        if self.entries.len() >= self.limits.entries.min(MOST_NAMES_HELD).saturating_mul(4) {
            return Err(TooMuch::Entries(self.limits.entries));
        }
        let resource = self.accesses.resource(Rule::Entry);
        let entry = self.entries.len() as EntryId;
        self.entries.push(Entry { name, now: Now::Unseen, resource });
        self.by_name.insert((directory, name), entry);
        self.nodes[directory as usize].entries.push(entry);
        Ok(entry)
    }

    /// The first of a new node's resources.
    fn node_resources(&mut self) -> u32 {
        let [first, ..] = Aspect::RULES.map(|rule| self.accesses.resource(rule));
        first
    }

    fn add_node(&mut self, name: Name, kind: Kind, is_initial: bool) -> Result<NodeId, TooMuch> {
        if self.nodes.len() >= self.limits.entries {
            return Err(TooMuch::Entries(self.limits.entries));
        }
        let depth = self.nodes[name.directory as usize].depth + 1;
        if depth > self.limits.depth {
            return Err(TooMuch::Depth(self.limits.depth));
        }
        let resource = self.node_resources();
        let node = self.nodes.len() as NodeId;
        self.nodes.push(Node::new(kind, is_initial, depth, resource));
        self.put(name, node);
        Ok(node)
    }

    /// A name stands for a node from now on.
    fn put(&mut self, name: Name, node: NodeId) {
        let entry = &mut self.entries[name.entry as usize];
        entry.now = Now::Node(node);
        self.nodes[node as usize].home = Some((name.directory, entry.name));
    }

    /// A node that was there before the log began.
    fn add_initial(&mut self, name: Name, kind: Kind) -> Result<NodeId, TooMuch> {
        let node = self.add_node(name, kind, true)?;
        self.initial.push((name.directory, self.entries[name.entry as usize].name, node));
        Ok(node)
    }

    /// An open that was taken to have made its file has found it.
    fn was_there(&mut self, node: NodeId) {
        let one = &mut self.nodes[node as usize];
        if let Some((directory, name)) = one.may_be_initial.take() {
            one.is_initial = true;
            self.initial.push((directory, name, node));
        }
    }

    fn node(&mut self, node: NodeId) -> &mut Node {
        &mut self.nodes[node as usize]
    }

    /// A step uses an aspect of a node.
    fn uses(&mut self, node: NodeId, aspect: Aspect, how: Use) {
        let node = self.nodes[node as usize].same_as.unwrap_or(node);
        self.accesses.add(self.nodes[node as usize].resource + aspect as u32, how);
    }

    fn uses_name(&mut self, name: Name, how: Use) {
        self.accesses.add(self.entries[name.entry as usize].resource, how);
    }

    /// A name is made or goes: with it the listing of its directory, and that one's times.
    fn changes_name(&mut self, name: Name) {
        self.uses_name(name, Use::Write);
        self.uses(name.directory, Aspect::Listing, Use::Update);
        self.uses(name.directory, Aspect::Attributes, Use::Update);
    }

    fn of_handle(&self, handle: Handle) -> NodeId {
        self.handles[handle.index()].unwrap_or(ROOT)
    }

    fn offset(&mut self, handle: Handle) -> &mut u64 {
        &mut self.offsets[self.bound.descriptions[handle.index()] as usize]
    }

    /// A file is as large as this.
    fn check_size(&self, bytes: u64) -> Result<(), TooMuch> {
        let limit = self.limits.file_bytes;
        if bytes > limit { Err(TooMuch::FileBytes { bytes, limit }) } else { Ok(()) }
    }

    /// So much is written to the disk.
    fn charge(&mut self, bytes: u64) -> Result<(), TooMuch> {
        self.written = self.written.saturating_add(bytes);
        let limit = self.limits.written_bytes;
        if self.written > limit { Err(TooMuch::WrittenBytes(limit)) } else { Ok(()) }
    }
}

/// What a result says of whether the last component of the path was there.
fn expect(call: Option<&Call>, kind: Kind) -> Expect {
    match call.map_or(0, |call| call.ret) {
        0.. => Expect::There(kind),
        failed => match -failed as i32 {
            libc::ENOENT | libc::ENAMETOOLONG | libc::ELOOP | libc::EINTR | libc::EMFILE | libc::ENFILE => {
                Expect::Unknown
            }
            libc::ENOTDIR if kind == Kind::Directory => Expect::There(Kind::File),
            libc::ENOTDIR => Expect::FileOnTheWay,
            libc::EISDIR | libc::ENOTEMPTY => Expect::There(Kind::Directory),
            _ => Expect::There(Kind::Any),
        },
    }
}
