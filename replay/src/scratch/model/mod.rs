//! The files of a log, as far as it tells of them: run through in log order, without touching any file.
//!
//! ```text
//! bound steps ──> learnt from their results ──> what was there before (the tree to make)
//! tree, steps that the rehearsal kept ──> followed ──> what each step reads and writes (its order)
//! ```
//!
//! First the tree is learnt: a name that a call found without the log having made it was there before. One that was not
//! found, or nobody asked for, was not. Then, when the tree is made and the rehearsal has shown which steps come to the
//! log's results in it, those are followed from the tree as it is (`follow`). Only then is it known of each lookup, also
//! of one in vain, which names it asked for: a directory may be learnt of long after the first lookup below it.

pub(crate) mod access;
mod calls;
mod changes;
mod follow;
mod links;
pub(crate) mod node;
mod walk;

use rustc_hash::{FxHashMap, FxHashSet};

use super::limits::{ScratchLimits, TooMuch};
use crate::bind::{Action, Bound, Change, Handle, Skip, Start, Step};
use crate::plan::{Call, PathId, Paths, Plan, ProcessId};
use crate::rule::Rule;
use access::{Accesses, Use};
pub(in crate::scratch) use calls::entry_bytes;
pub(crate) use follow::follow;
use links::{LinkPaths, Links};
use node::{Aspect, Entry, EntryId, Kind, Node, NodeId, Now, ROOT};
use walk::{Expect, Name, Place};

/// Names of one file in the tree that stand for those the log does not show.
const MOST_NAMES: u32 = 1000;
const MOST_NAMES_HELD: usize = 1 << 26;
/// How often the tree is learnt of anew, without links that turned out to be the log's own.
const MOST_ROUNDS: usize = 4;

/// What was there before, and the steps with what they use.
#[derive(Debug)]
pub(crate) struct Modelled {
    pub(crate) nodes: Vec<Node>,
    /// Names of before, directories first.
    pub(crate) initial: Vec<(NodeId, PathId, NodeId)>,
    pub(crate) names: Paths,
    pub(crate) steps: Vec<Step>,
    /// Of each call, why it has no step.
    pub(crate) skips: Vec<Option<Skip>>,
    /// Handles open before the first step, those that are in the tree.
    pub(crate) opened: Vec<(Handle, PathId)>,
}

/// Learns of the files that were there before.
///
/// `attributes`: whether they may be set.
pub(crate) fn model(
    plan: &Plan,
    bound: &Bound,
    limits: ScratchLimits,
    attributes: bool,
) -> Result<Modelled, TooMuch> {
    let mut links = links::links(plan);
    for _ in 0..MOST_ROUNDS {
        let (modelled, own) = learn(plan, bound, limits, attributes, &links)?;
        if own.is_empty() {
            return Ok(modelled);
        }
        links.retain(|path, _| !own.contains(path));
    }
    links.clear();
    learn(plan, bound, limits, attributes, &links).map(|(modelled, _)| modelled)
}

/// Runs through the steps, given where symbolic links were. With what was learnt come those of the links that the log may have made
/// itself.
fn learn(
    plan: &Plan,
    bound: &Bound,
    limits: ScratchLimits,
    attributes: bool,
    links: &Links,
) -> Result<(Modelled, LinkPaths), TooMuch> {
    let mut model = Model::new(plan, (bound.handles, &bound.descriptions), limits, Some(links));
    let opened = model.open_initial(&bound.initial)?;
    let mut kept = Vec::with_capacity(bound.steps.len());
    let mut skips = bound.skips.clone();
    for step in &bound.steps {
        let outcome = match step.action {
            Action::Change(change) if change.sets_attributes() && !attributes => Err(Skip::Ungoverned),
            _ => model.step(step)?,
        };
        model.accesses.drop_step();
        match outcome {
            Ok(()) => kept.push(*step),
            Err(skip) => {
                if let Some(handle) = step.action.defines() {
                    model.handles[handle.index()] = None;
                }
                if skip == Skip::Differs {
                    // It is tried all the same: what comes of it instead is to be told.
                    kept.push(*step);
                } else if let Some(place) = skips.get_mut(step.call as usize) {
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
    let Model { mut nodes, initial, names, own_links, .. } = model;
    share_with_first(&mut nodes);
    Ok((Modelled { nodes, initial, names, steps: kept, skips, opened }, own_links))
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
    /// Of each handle, its open file description.
    descriptions: &'a [u32],
    limits: ScratchLimits,
    /// Where links were, while the tree is learnt of; `None`: it is known, and steps are followed in it.
    links: Option<&'a Links>,
    /// Links that were first seen after the log had changed their names.
    own_links: LinkPaths,
    /// The call that is looked at.
    call: u32,
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
    /// Whether a lookup of this step ended at nothing; `None`: it has none.
    missed: Option<bool>,
    /// What absolute paths begin with, before the tree's own.
    root: &'a [u8],
}

impl<'a> Model<'a> {
    fn new(
        plan: &'a Plan,
        (handles, descriptions): (usize, &'a [u32]),
        limits: ScratchLimits,
        links: Option<&'a Links>,
    ) -> Self {
        let mut accesses = Accesses::default();
        let [root, ..] = Aspect::RULES.map(|rule| accesses.resource(rule));
        Self {
            links,
            own_links: LinkPaths::default(),
            call: 0,
            missed: None,
            root: b"",
            names: Paths::default(),
            nodes: vec![Node::new(Kind::Directory, true, 0, root)],
            entries: Vec::new(),
            by_name: FxHashMap::default(),
            by_file: FxHashMap::default(),
            initial: Vec::new(),
            accesses,
            handles: vec![None; handles],
            offsets: vec![0; handles],
            locked: FxHashSet::default(),
            lockers: FxHashMap::default(),
            written: 0,
            plan,
            descriptions,
            limits,
        }
    }

    /// What is open before the first step: working directories, and what the caller said of others.
    fn open_initial(&mut self, initial: &[(Handle, PathId)]) -> Result<Vec<(Handle, PathId)>, TooMuch> {
        let mut opened = Vec::new();
        for &(handle, path) in initial {
            let there = Expect::There(Kind::Any);
            let place = self.walk(None, self.path(path), true, &there)?;
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
        (self.call, self.missed) = (step.call, None);
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
        self.walk(start, self.path(path), follow, expect)
    }

    /// A path as the log has it.
    fn path(&self, path: PathId) -> &'a [u8] {
        self.below_root(self.plan.paths.bytes(path))
    }

    fn below_root<'p>(&self, path: &'p [u8]) -> &'p [u8] {
        path.strip_prefix(self.root).filter(|path| path.starts_with(b"/")).unwrap_or(path)
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
        self.is_initial(name.directory, self.entries[name.entry as usize].name, node);
        Ok(node)
    }

    /// A name turns out to have been there before: it was in a listing then that did not know it.
    fn is_initial(&mut self, directory: NodeId, name: PathId, node: NodeId) {
        self.initial.push((directory, name, node));
        let bytes = entry_bytes(self.names.bytes(name).len());
        let above = &mut self.nodes[directory as usize];
        if let Some(unseen) = above.unseen_bytes.as_mut().filter(|_| node >= above.listed_before) {
            *unseen = unseen.saturating_sub(bytes);
        }
    }

    /// An open that was taken to have made its file has found it.
    fn was_there(&mut self, node: NodeId) {
        let one = &mut self.nodes[node as usize];
        if let Some((directory, name)) = one.may_be_initial.take() {
            one.is_initial = true;
            self.is_initial(directory, name, node);
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

    /// A link that is first seen after its name was changed, or made, says nothing of before.
    fn may_be_own_link(&mut self, name: Name) {
        let Some(links) = self.links.filter(|links| !links.is_empty()) else { return };
        let path = self.path_of_name(name);
        if links.get(&path[..]).is_some_and(|link| link.seen_at > self.call) {
            self.own_links.insert(path.into());
        }
    }

    /// A name is made or goes: with it the listing of its directory, and that one's times.
    fn changes_name(&mut self, name: Name) {
        self.uses_name(name, Use::Write);
        self.may_be_own_link(name);
        self.uses(name.directory, Aspect::Listing, Use::Update);
        self.uses(name.directory, Aspect::Attributes, Use::Update);
    }

    fn of_handle(&self, handle: Handle) -> NodeId {
        self.handles[handle.index()].unwrap_or(ROOT)
    }

    fn offset(&mut self, handle: Handle) -> &mut u64 {
        &mut self.offsets[self.descriptions[handle.index()] as usize]
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
