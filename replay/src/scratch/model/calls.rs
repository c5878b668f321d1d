//! Calls that read, in the model: what their results say of what was there.

use super::access::Use;
use super::node::{Aspect, Kind, NodeId, Now, ROOT};
use super::{Expect, MOST_NAMES, Model, Place, expect};
use crate::bind::{Action, Handle, Skip, Start};
use crate::plan::{Call, PathId};
use crate::scratch::limits::TooMuch;

/// Bytes of a name's entry in a listing: `struct linux_dirent64` up to the name, the name and its NUL, to 8 bytes.
pub(in crate::scratch) const fn entry_bytes(name: usize) -> u64 {
    (19 + name + 1).next_multiple_of(8) as u64
}

impl Model<'_> {
    pub(super) fn call(&mut self, action: &Action, call: Option<&Call>) -> Result<Result<(), Skip>, TooMuch> {
        let done = call.is_none_or(|call| call.ret >= 0);
        let moved = call.map_or(0, |call| u64::try_from(call.ret).unwrap_or(0));
        match *action {
            Action::Open { start, path, flags, into, .. } => {
                return self.open(start, path, flags, into, call);
            }
            Action::EnterPath { start, path, into } => {
                return self.open(start, path, (libc::O_PATH | libc::O_DIRECTORY) as u32, into, call);
            }
            Action::EnterHandle { handle, into } | Action::Dup { handle, into } => {
                self.handles[into.index()] = self.handles[handle.index()];
            }
            Action::Read { handle, count } => {
                let offset = *self.offset(handle);
                self.read(self.of_handle(handle), offset, moved, u64::from(count), done)?;
                *self.offset(handle) = offset.saturating_add(moved);
            }
            Action::Pread { handle, count, offset } => {
                let offset = u64::try_from(offset).unwrap_or(0);
                self.read(self.of_handle(handle), offset, moved, u64::from(count), done)?;
            }
            Action::Seek { handle, whence, .. } => {
                if whence == libc::SEEK_END as u32 {
                    self.uses(self.of_handle(handle), Aspect::Data, Use::Read);
                }
                if done {
                    *self.offset(handle) = moved;
                }
            }
            Action::Fstat { handle } => return self.stat(self.of_handle(handle), call),
            Action::Stat { start, path, flags, .. } => {
                if self.path(path).is_empty() {
                    let Some(handle) = start else { return Ok(Err(Skip::UnknownDirectory)) };
                    return self.stat(self.of_handle(handle), call);
                }
                let follow = flags & libc::AT_SYMLINK_NOFOLLOW as u32 == 0;
                let kind = self.kind_seen(call);
                let expected = expect(call, kind);
                return match self.lookup(start, path, follow, &expected)? {
                    Place::Node { node, .. } => self.stat(node, call),
                    place => Ok(elsewhere(place)),
                };
            }
            Action::Access { start, path, mode, flags } => {
                let follow = flags & libc::AT_SYMLINK_NOFOLLOW as u32 == 0;
                return match self.lookup(start, path, follow, &expect(call, Kind::Any))? {
                    Place::Node { node, .. } => {
                        if done && mode & libc::X_OK as u32 != 0 {
                            self.node(node).least_mode |= 0o111;
                        }
                        Ok(self.looks_at(node))
                    }
                    place => Ok(elsewhere(place)),
                };
            }
            Action::ReadLink { start, path, .. } => return self.read_link(start, path, call),
            Action::ListDir { handle, .. } => self.list(handle, moved, done),
            // The last close of a description gives its lock up, any close of a file those that its process has on parts.
            Action::Close { handle } => {
                let node = self.of_handle(handle);
                if self.locked.contains(&node) {
                    self.uses(node, Aspect::Lock, Use::Write);
                }
            }
            Action::Order(_) | Action::Change(_) => {}
        }
        Ok(Ok(()))
    }

    pub(super) fn opens(&mut self, into: Handle, node: NodeId) {
        self.handles[into.index()] = Some(node);
        *self.offset(into) = 0;
    }

    /// Permissions are looked at; nothing is done with devices, FIFOs and sockets.
    pub(super) fn looks_at(&mut self, node: NodeId) -> Result<(), Skip> {
        match self.nodes[node as usize].kind {
            Kind::Special => return Err(Skip::SpecialFile),
            // A directory's are looked at on the way.
            Kind::Directory => {}
            _ => self.uses(node, Aspect::Attributes, Use::Read),
        }
        Ok(())
    }

    /// What a stat says the file is.
    fn kind_seen(&self, call: Option<&Call>) -> Kind {
        let facts = call.and_then(|call| self.plan.stats.get(call.stat as usize));
        match facts.and_then(|facts| facts.mode).map(|mode| mode & libc::S_IFMT) {
            Some(libc::S_IFREG) => Kind::File,
            Some(libc::S_IFDIR) => Kind::Directory,
            Some(libc::S_IFLNK) => Kind::Link(None),
            Some(libc::S_IFCHR | libc::S_IFBLK | libc::S_IFIFO | libc::S_IFSOCK) => Kind::Special,
            _ => Kind::Any,
        }
    }

    fn stat(&mut self, node: NodeId, call: Option<&Call>) -> Result<Result<(), Skip>, TooMuch> {
        self.learn(node, call)?;
        if self.nodes[node as usize].kind == Kind::Special {
            return Ok(Err(Skip::SpecialFile));
        }
        self.uses(node, Aspect::Attributes, Use::Read);
        self.uses(node, Aspect::Data, Use::Read);
        Ok(Ok(()))
    }

    /// The first that is seen of a file, before it is changed, is what it was.
    fn learn(&mut self, node: NodeId, call: Option<&Call>) -> Result<(), TooMuch> {
        if self.links.is_none() {
            return Ok(());
        }
        let kind = self.kind_seen(call);
        let Some(call) = call.filter(|call| call.ret >= 0) else { return Ok(()) };
        let Some(seen) = self.plan.stats.get(call.stat as usize).copied() else { return Ok(()) };
        if seen.size.is_some_and(|size| size > 0) && !self.nodes[node as usize].size_changed {
            self.was_there(node);
        }
        let one = self.node(node);
        if !one.is_initial {
            return Ok(());
        }
        if one.kind == Kind::Any && kind != Kind::Any {
            one.kind = kind;
        }
        if !one.mode_changed {
            one.facts.mode = one.facts.mode.or(seen.mode);
        }
        if !one.size_changed {
            one.facts.size = one.facts.size.or(seen.size);
        }
        if one.facts.nlink.is_none() {
            let before =
                |links: u32| links.min(MOST_NAMES).saturating_add_signed(one.new_names.saturating_neg());
            one.facts.nlink = seen.nlink.map(before);
        }
        let (is_file, size) = (one.kind == Kind::File, one.facts.size);
        if let Some(file) = seen.file.filter(|_| is_file) {
            let first = *self.by_file.entry(file).or_insert(node);
            if first != node && self.nodes[first as usize].is_initial {
                self.node(node).same_as = Some(first);
            }
        }
        if is_file { self.check_size(size.unwrap_or(0)) } else { Ok(()) }
    }

    /// What a read returned says how large a file is at least.
    pub(super) fn read(
        &mut self,
        node: NodeId,
        offset: u64,
        moved: u64,
        asked: u64,
        done: bool,
    ) -> Result<(), TooMuch> {
        self.uses(node, Aspect::Data, Use::Read);
        if !done {
            // EISDIR.
            return Ok(());
        }
        if moved > 0 && !self.nodes[node as usize].size_changed {
            self.was_there(node);
        }
        let end = offset.saturating_add(moved);
        let one = self.node(node);
        if one.is_initial && one.kind == Kind::Any {
            one.kind = Kind::File;
        }
        if one.is_initial && !one.size_changed {
            if moved < asked && moved > 0 {
                one.facts.size = one.facts.size.or(Some(end));
            }
            one.least_size = one.least_size.max(if moved > 0 { end } else { 0 });
        }
        self.check_size(if moved > 0 { end } else { 0 })
    }

    fn read_link(
        &mut self,
        start: Start,
        path: PathId,
        call: Option<&Call>,
    ) -> Result<Result<(), Skip>, TooMuch> {
        let length = call.map_or(0, |call| usize::try_from(call.ret).unwrap_or(0));
        let kind = if length == 0 {
            Kind::Any
        } else {
            let known = self.links.and_then(|links| links.get(&self.joined(start, path)[..]));
            let known = known.map(|link| link.target.clone()).filter(|target| target.len() == length);
            // Where it leads is not known; how long that is is.
            Kind::Link(Some(known.unwrap_or_else(|| vec![b'x'; length.min(4095)].into())))
        };
        match self.lookup(start, path, false, &expect(call, kind))? {
            Place::Node { node, .. } => {
                if self.nodes[node as usize].kind == Kind::Special {
                    return Ok(Err(Skip::SpecialFile));
                }
                self.uses(node, Aspect::Attributes, Use::Read);
                Ok(Ok(()))
            }
            place => Ok(elsewhere(place)),
        }
    }

    /// A path behind the directory it starts from.
    fn joined(&self, start: Start, path: PathId) -> Vec<u8> {
        let path = self.path(path);
        let from = start.filter(|_| !path.starts_with(b"/")).map(|handle| self.of_handle(handle));
        let mut joined = from.map_or_else(Vec::new, |node| self.path_of(node));
        if from.is_some() {
            joined.push(b'/');
        }
        joined.extend_from_slice(path);
        joined
    }

    /// The absolute path of a node, empty for the root.
    fn path_of(&self, node: NodeId) -> Vec<u8> {
        let home = self.nodes[node as usize].home;
        let name = home.and_then(|(directory, name)| {
            let entry = *self.by_name.get(&(directory, name))?;
            Some(super::Name { directory, entry })
        });
        name.map_or_else(Vec::new, |name| self.path_of_name(name))
    }

    /// A directory's names: those that the log does not show otherwise have to be made up, for a listing takes as long
    /// as there are names.
    fn list(&mut self, handle: Handle, moved: u64, done: bool) {
        let node = self.of_handle(handle);
        self.uses(node, Aspect::Listing, Use::Read);
        if !done {
            return;
        }
        let listed = self.offset(handle).saturating_add(moved);
        *self.offset(handle) = if moved == 0 { 0 } else { listed };
        let one = self.node(node);
        if one.kind == Kind::Any && one.is_initial {
            one.kind = Kind::Directory;
        }
        let one = &self.nodes[node as usize];
        if moved > 0 || one.unseen_bytes.is_some() || !one.is_initial {
            return;
        }
        let there = one.entries.iter().map(|&entry| &self.entries[entry as usize]);
        let there = there.filter(|entry| matches!(entry.now, Now::Node(_)));
        let known: u64 = there.map(|entry| entry_bytes(self.names.bytes(entry.name).len())).sum();
        let dots = entry_bytes(1) + entry_bytes(2);
        let nodes = self.nodes.len() as NodeId;
        let one = self.node(node);
        one.unseen_bytes = Some(listed.saturating_sub(known + dots));
        one.listed_before = nodes;
    }
}

/// A lookup that ends nowhere is replayed as one that fails, unless it is of the kernel's own.
pub(super) fn elsewhere(place: Place) -> Result<(), Skip> {
    if place == Place::Kernel { Err(Skip::KernelFileSystem) } else { Ok(()) }
}

const _: () = assert!(ROOT == 0, "the root's resources are the first");

/// What a failing change says.
pub(super) fn expect_parent(call: Option<&Call>, kind: Kind) -> Expect {
    match call.map_or(0, |call| call.ret) {
        0.. => Expect::Parent,
        _ => expect(call, kind),
    }
}
