//! Calls that change files, in the model.

use super::access::Use;
use super::calls::{elsewhere, expect_parent};
use super::node::{Aspect, Kind, NodeId, Now};
use super::{Expect, Model, Name, Place, expect};
use crate::bind::{Change, Handle, Skip, Start};
use crate::plan::{Call, PathId};
use crate::scratch::limits::TooMuch;

type Outcome = Result<Result<(), Skip>, TooMuch>;

/// Renames can put directories deeper than a path can reach, not further than this.
const MOST_DEEP: usize = 4096;
const NOFOLLOW: u32 = libc::AT_SYMLINK_NOFOLLOW as u32;

impl Model<'_> {
    pub(super) fn change(&mut self, change: &Change, call: Option<&Call>) -> Outcome {
        let done = call.is_none_or(|call| call.ret >= 0);
        match *change {
            Change::Open { start, path, flags, into, .. } => {
                self.open_to_write(start, path, flags, into, call)
            }
            Change::Write { handle, .. }
            | Change::Pwrite { handle, .. }
            | Change::Ftruncate { handle, .. }
            | Change::Allocate { handle, .. } => self.writes(handle, change, call),
            Change::Truncate { start, path, length } => {
                self.check_size(u64::try_from(length).unwrap_or(0))?;
                self.on_path(start, path, true, call, |model, node| {
                    model.uses(node, Aspect::Data, Use::Write);
                    model.node(node).size_changed = true;
                })
            }
            Change::Copy { from, to, count, .. } => self.copies(from, to, u64::from(count), call),
            Change::Clone { from, to } => {
                self.uses(self.of_handle(from), Aspect::Data, Use::Read);
                self.uses(self.of_handle(to), Aspect::Data, Use::Write);
                let shared = self.node(self.of_handle(from));
                shared.least_size = shared.least_size.max(shared.facts.size.unwrap_or(0));
                self.node(self.of_handle(to)).size_changed |= done;
                Ok(Ok(()))
            }
            Change::Sync { handle, .. } => {
                let node = self.of_handle(handle);
                self.uses(node, Aspect::Data, Use::Read);
                self.uses(node, Aspect::Listing, Use::Read);
                Ok(Ok(()))
            }
            Change::Lock { handle, .. } => {
                let node = self.of_handle(handle);
                self.uses(node, Aspect::Lock, Use::Write);
                self.locked.insert(node);
                Ok(Ok(()))
            }
            Change::Rename { from_start, from, to_start, to, flags } => {
                self.renames((from_start, from), (to_start, to), flags, call)
            }
            Change::Link { from_start, from, to_start, to, flags } => {
                self.links_to((from_start, from), (to_start, to), flags, call)
            }
            Change::Symlink { target, start, path } => {
                let target = self.plan.paths.bytes(target);
                self.makes(start, path, Kind::Link(Some(target.into())), call)
            }
            Change::MakeDir { start, path, .. } => self.makes(start, path, Kind::Directory, call),
            Change::Unlink { start, path, flags } => self.removes(start, path, flags, call),
            Change::Chmod { start, path, .. } => {
                self.on_path(start, path, true, call, |model, node| model.sets_attributes(node, done))
            }
            Change::Chown { start, path, flags, .. } | Change::SetTimes { start, path, flags } => self
                .on_path(start, path, flags & NOFOLLOW == 0, call, |model, node| {
                    model.sets_attributes(node, false);
                }),
            Change::Fchmod { handle, .. } => {
                self.sets_attributes(self.of_handle(handle), done);
                Ok(Ok(()))
            }
            Change::Fchown { handle, .. } | Change::FsetTimes { handle } => {
                self.sets_attributes(self.of_handle(handle), false);
                Ok(Ok(()))
            }
        }
    }

    /// A change of what a path leads to.
    fn on_path(
        &mut self,
        start: Start,
        path: PathId,
        follow: bool,
        call: Option<&Call>,
        change: impl FnOnce(&mut Self, NodeId),
    ) -> Outcome {
        if self.plan.paths.bytes(path).is_empty() {
            // AT_EMPTY_PATH.
            if let Some(handle) = start {
                change(self, self.of_handle(handle));
            }
            return Ok(Ok(()));
        }
        match self.lookup(start, path, follow, &expect(call, Kind::Any))? {
            Place::Node { node, .. } if self.nodes[node as usize].kind == Kind::Special => {
                Ok(Err(Skip::SpecialFile))
            }
            Place::Node { node, .. } => {
                change(self, node);
                Ok(Ok(()))
            }
            place => Ok(elsewhere(place)),
        }
    }

    /// Permissions of a directory matter to every lookup through it, which reads its name.
    fn sets_attributes(&mut self, node: NodeId, is_mode: bool) {
        self.uses(node, Aspect::Attributes, Use::Write);
        self.node(node).mode_changed |= is_mode;
        let one = &self.nodes[node as usize];
        if let Some(home) = one.home.filter(|_| one.is_directory())
            && let Some(&entry) = self.by_name.get(&home)
        {
            self.uses_name(Name { directory: home.0, entry }, Use::Write);
        }
    }

    fn open_to_write(
        &mut self,
        start: Start,
        path: PathId,
        flags: u32,
        into: Option<Handle>,
        call: Option<&Call>,
    ) -> Outcome {
        let has = |flag: i32| flags & flag as u32 == flag as u32;
        if has(libc::O_TMPFILE) {
            return self.open_unnamed(start, path, into, call);
        }
        let exclusive = has(libc::O_CREAT) && has(libc::O_EXCL);
        let follow = !has(libc::O_NOFOLLOW) && !exclusive;
        let expected =
            if has(libc::O_CREAT) { expect_parent(call, Kind::Any) } else { expect(call, Kind::File) };
        let node = match self.lookup(start, path, follow, &expected)? {
            Place::Node { node, .. } => {
                if self.looks_at(node).is_err() {
                    return Ok(Err(Skip::SpecialFile));
                }
                if has(libc::O_TRUNC) && into.is_some() {
                    self.uses(node, Aspect::Data, Use::Write);
                    let one = self.node(node);
                    (one.size_changed, one.may_be_initial) = (true, None);
                }
                node
            }
            Place::Absent(name) if into.is_some() && has(libc::O_CREAT) => {
                let unseen = self.entries[name.entry as usize].now == Now::Unseen;
                let node = self.add_node(name, Kind::File, false)?;
                let parent_was_there = self.nodes[name.directory as usize].is_initial;
                if unseen && !exclusive && parent_was_there {
                    self.node(node).may_be_initial = self.nodes[node as usize].home;
                }
                self.changes_name(name);
                node
            }
            place => {
                return Ok(elsewhere(place).and(if into.is_some() { Err(Skip::Differs) } else { Ok(()) }));
            }
        };
        if let Some(into) = into {
            self.opens(into, node);
        }
        Ok(Ok(()))
    }

    /// `O_TMPFILE`: a file without a name, in a directory.
    fn open_unnamed(
        &mut self,
        start: Start,
        path: PathId,
        into: Option<Handle>,
        call: Option<&Call>,
    ) -> Outcome {
        match self.lookup(start, path, true, &expect(call, Kind::Directory))? {
            Place::Node { node: directory, .. } => {
                if let Some(into) = into {
                    if self.nodes.len() >= self.limits.entries {
                        return Err(TooMuch::Entries(self.limits.entries));
                    }
                    let resource = self.node_resources();
                    let depth = self.nodes[directory as usize].depth;
                    self.nodes.push(super::Node::new(Kind::File, false, depth, resource));
                    self.opens(into, self.nodes.len() as NodeId - 1);
                }
                Ok(Ok(()))
            }
            place => Ok(elsewhere(place)),
        }
    }

    fn writes(&mut self, handle: Handle, change: &Change, call: Option<&Call>) -> Outcome {
        let node = self.of_handle(handle);
        self.uses(node, Aspect::Data, Use::Write);
        let at = |offset: i64| u64::try_from(offset).unwrap_or(0);
        let done = call.map_or(0, |call| u64::try_from(call.ret).unwrap_or(0));
        let (end, bytes) = match *change {
            Change::Write { .. } => {
                let offset = self.offset(handle);
                *offset = offset.saturating_add(done);
                (*offset, done)
            }
            Change::Pwrite { offset, .. } => (at(offset).saturating_add(done), done),
            Change::Ftruncate { length, .. } => (at(length), 0),
            Change::Allocate { offset, length, .. } => (at(offset).saturating_add(at(length)), at(length)),
            _ => (0, 0),
        };
        if call.is_some_and(|call| call.ret < 0) {
            return Ok(Ok(()));
        }
        self.check_size(end)?;
        self.charge(bytes)?;
        let one = self.node(node);
        one.size_changed = true;
        Ok(Ok(()))
    }

    fn copies(&mut self, from: Handle, to: Handle, asked: u64, call: Option<&Call>) -> Outcome {
        let moved = call.map_or(0, |call| u64::try_from(call.ret).unwrap_or(0));
        let offset = *self.offset(from);
        self.read(self.of_handle(from), offset, moved, asked, call.is_none_or(|call| call.ret >= 0))?;
        *self.offset(from) = offset.saturating_add(moved);
        let end = self.offset(to).saturating_add(moved);
        *self.offset(to) = end;
        self.check_size(end)?;
        self.charge(moved)?;
        let node = self.of_handle(to);
        self.uses(node, Aspect::Data, Use::Write);
        self.node(node).size_changed |= moved > 0;
        Ok(Ok(()))
    }

    /// A directory or a symbolic link.
    fn makes(&mut self, start: Start, path: PathId, kind: Kind, call: Option<&Call>) -> Outcome {
        let done = call.is_none_or(|call| call.ret >= 0);
        // What is in the way of a directory mostly is one.
        let in_the_way = if kind == Kind::Directory { Kind::Directory } else { Kind::Any };
        let path = self.plan.paths.bytes(path);
        let path = path.strip_suffix(b"/").filter(|path| !path.is_empty()).unwrap_or(path);
        let start = start.and_then(|handle| self.handles[handle.index()]);
        match self.walk(start, path, false, &expect_parent(call, in_the_way))? {
            Place::Absent(name) if done => {
                self.add_node(name, kind, false)?;
                self.changes_name(name);
                Ok(Ok(()))
            }
            place if done => Ok(elsewhere(place).and(Err(Skip::Differs))),
            place => Ok(elsewhere(place)),
        }
    }

    fn removes(&mut self, start: Start, path: PathId, flags: u32, call: Option<&Call>) -> Outcome {
        let is_directory = flags & libc::AT_REMOVEDIR as u32 != 0;
        let kind = if is_directory { Kind::Directory } else { Kind::File };
        match self.lookup(start, path, false, &expect(call, kind))? {
            Place::Node { node, name: Some(name) } => {
                if is_directory {
                    self.uses(node, Aspect::Listing, Use::Read);
                }
                if call.is_some_and(|call| call.ret == -i64::from(libc::ENOTEMPTY)) {
                    let one = self.node(node);
                    one.unseen_bytes = one.unseen_bytes.max(Some(32));
                }
                if call.is_none_or(|call| call.ret >= 0) {
                    self.changes_name(name);
                    self.uses(node, Aspect::Attributes, Use::Update);
                    self.entries[name.entry as usize].now = Now::Absent;
                }
                Ok(Ok(()))
            }
            place => Ok(elsewhere(place)),
        }
    }

    fn renames(
        &mut self,
        from: (Start, PathId),
        to: (Start, PathId),
        flags: u32,
        call: Option<&Call>,
    ) -> Outcome {
        let done = call.is_none_or(|call| call.ret >= 0);
        let source = self.lookup(from.0, from.1, false, &expect(call, Kind::Any))?;
        let expected = if done { Expect::Parent } else { Expect::Unknown };
        let exchange = flags & libc::RENAME_EXCHANGE != 0;
        let expected = if exchange { expect(call, Kind::Any) } else { expected };
        let target = self.lookup(to.0, to.1, false, &expected)?;
        if source == Place::Kernel || target == Place::Kernel {
            return Ok(Err(Skip::KernelFileSystem));
        }
        if !done {
            return Ok(Ok(()));
        }
        let Place::Node { node, name: Some(source) } = source else { return Ok(Err(Skip::Differs)) };
        let (name, replaced) = match target {
            Place::Node { node, name: Some(name) } => (name, Some(node)),
            Place::Absent(name) => (name, None),
            _ => return Ok(Err(Skip::Differs)),
        };
        let swapped = replaced.filter(|_| exchange);
        if self.is_below(name.directory, node)
            || swapped.is_some_and(|other| self.is_below(source.directory, other))
        {
            return Ok(Err(Skip::Differs));
        }
        for name in [source, name] {
            self.changes_name(name);
        }
        self.uses(node, Aspect::Attributes, Use::Update);
        if let Some(replaced) = replaced {
            self.uses(replaced, Aspect::Attributes, Use::Update);
            self.uses(replaced, Aspect::Listing, Use::Read);
        }
        if replaced != Some(node) {
            match swapped {
                Some(other) => self.put(source, other),
                None => self.entries[source.entry as usize].now = Now::Absent,
            }
            self.put(name, node);
        }
        Ok(Ok(()))
    }

    /// Whether a directory is another, or somewhere below it, or too deep to be told.
    fn is_below(&self, directory: NodeId, other: NodeId) -> bool {
        let mut at = directory;
        for _ in 0..MOST_DEEP {
            if at == other {
                return true;
            }
            match self.nodes[at as usize].home {
                Some((parent, _)) => at = parent,
                None => return false,
            }
        }
        true
    }

    fn links_to(
        &mut self,
        from: (Start, PathId),
        to: (Start, PathId),
        flags: u32,
        call: Option<&Call>,
    ) -> Outcome {
        let done = call.is_none_or(|call| call.ret >= 0);
        let follow = flags & libc::AT_SYMLINK_FOLLOW as u32 != 0;
        let source = if self.plan.paths.bytes(from.1).is_empty() {
            from.0.map_or(Place::Nowhere, |handle| Place::Node { node: self.of_handle(handle), name: None })
        } else {
            // A link that fails because of the new name says that the old one is there.
            self.lookup(from.0, from.1, follow, &expect(call, Kind::File))?
        };
        let expected = match call.map_or(0, |call| call.ret) {
            0.. => Expect::Parent,
            failed if failed == -i64::from(libc::EEXIST) => Expect::There(Kind::Any),
            _ => Expect::Unknown,
        };
        let target = self.lookup(to.0, to.1, false, &expected)?;
        if source == Place::Kernel || target == Place::Kernel {
            return Ok(Err(Skip::KernelFileSystem));
        }
        match (source, target) {
            _ if !done => Ok(Ok(())),
            // No kernel gives a directory a second name.
            (Place::Node { node, .. }, Place::Absent(name)) if !self.nodes[node as usize].is_directory() => {
                if self.nodes[node as usize].kind == Kind::Any {
                    self.node(node).kind = Kind::File;
                }
                self.uses(node, Aspect::Attributes, Use::Update);
                self.changes_name(name);
                self.entries[name.entry as usize].now = Now::Node(node);
                let home = Some((name.directory, self.entries[name.entry as usize].name));
                let one = self.node(node);
                one.home = one.home.or(home);
                Ok(Ok(()))
            }
            _ => Ok(Err(Skip::Differs)),
        }
    }
}
