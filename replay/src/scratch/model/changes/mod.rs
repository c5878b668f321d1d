//! Calls that change files, in the model: contents and attributes here, names in `names`, opens that may make or
//! empty a file in `opens`.

mod names;
mod opens;

use super::access::Use;
use super::calls::elsewhere;
use super::node::{Aspect, Kind, NodeId};
use super::{Model, Name, Place, expect};
use crate::bind::{Change, Handle, Skip, Start};
use crate::plan::{AttributeCall, Call, Offset, PathId};
use crate::scratch::limits::TooMuch;

pub(super) type Outcome = Result<Result<(), Skip>, TooMuch>;

const NOFOLLOW: u32 = libc::AT_SYMLINK_NOFOLLOW as u32;

impl Model<'_> {
    pub(super) fn change(&mut self, change: &Change, call: Option<&Call>) -> Outcome {
        let done = call.is_none_or(|call| call.ret >= 0);
        match *change {
            Change::Open { start, path, flags, into, .. } => self.open(start, path, flags, into, call),
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
            Change::Copy { from, from_offset, to, to_offset, count, .. } => {
                self.copies((from, from_offset), (to, to_offset), u64::from(count), call)
            }
            Change::Clone { from, to } => {
                self.shares(from, to, 0, done);
                Ok(Ok(()))
            }
            Change::CloneRange { from, to, part } => {
                // In whole blocks, or to the end: the file has at least as much.
                let end = part.from.saturating_add(part.length);
                self.check_size(end)?;
                self.check_size(part.to.saturating_add(part.length))?;
                self.shares(from, to, if done { end } else { 0 }, done);
                Ok(Ok(()))
            }
            Change::Sync { handle, .. } => {
                let node = self.of_handle(handle);
                self.uses(node, Aspect::Data, Use::Read);
                self.uses(node, Aspect::Listing, Use::Read);
                Ok(Ok(()))
            }
            Change::Lock { handle, .. } => {
                self.locks(self.of_handle(handle));
                Ok(Ok(()))
            }
            Change::LockRange { handle, lock } => {
                let node = self.of_handle(handle);
                self.locks(node);
                self.knows_locker(node, call);
                if lock.whence == libc::SEEK_END as i16 {
                    self.uses(node, Aspect::Data, Use::Read);
                }
                Ok(Ok(()))
            }
            Change::Rename { from_start, from, to_start, to, flags } => {
                self.renames((from_start, from), (to_start, to), flags, call)
            }
            Change::Link { from_start, from, to_start, to, flags } => {
                self.links_to((from_start, from), (to_start, to), flags, call)
            }
            Change::Symlink { target, start, path } => {
                let target = self.path(target);
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
            Change::Attribute { start, path, nofollow, call: which, .. } => {
                let changes = matches!(which, AttributeCall::Set | AttributeCall::Remove);
                self.on_path(start, path, !nofollow, call, |model, node| {
                    model.uses(node, Aspect::Attributes, if changes { Use::Write } else { Use::Read });
                    let first = model.nodes[node as usize].same_as.unwrap_or(node);
                    model.node(first).has_attributes |= changes && done;
                })
            }
            Change::FileSystem { start, path } => self.on_path(start, path, true, call, |_, _| ()),
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
        if self.path(path).is_empty() {
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

    fn locks(&mut self, node: NodeId) {
        self.uses(node, Aspect::Lock, Use::Write);
        self.locked.insert(node);
    }

    /// Locks of parts are a process's own, unless they are of a description.
    fn knows_locker(&mut self, node: NodeId, call: Option<&Call>) {
        let Some(process) = call.map(|call| self.plan.threads[call.thread.index()].process) else { return };
        let first = self.nodes[node as usize].same_as.unwrap_or(node);
        let only = self.lockers.entry(first).or_insert(Some(process));
        *only = only.filter(|known| *known == process);
    }

    /// Whether more than one process of the log has locks of parts of a file.
    pub(super) fn has_several_lockers(&self, handle: Handle) -> bool {
        let node = self.of_handle(handle);
        let first = self.nodes[node as usize].same_as.unwrap_or(node);
        self.lockers.get(&first) == Some(&None)
    }

    /// One file gets blocks of another, which has so many bytes at least.
    fn shares(&mut self, from: Handle, to: Handle, least: u64, done: bool) {
        let (from, to) = (self.of_handle(from), self.of_handle(to));
        self.uses(from, Aspect::Data, Use::Read);
        self.uses(to, Aspect::Data, Use::Write);
        let shared = self.node(from);
        let least = if shared.is_initial && !shared.size_changed { least } else { 0 };
        shared.least_size = shared.least_size.max(shared.facts.size.unwrap_or(0)).max(least);
        self.node(to).size_changed |= done;
    }

    fn copies(
        &mut self,
        (from, from_offset): (Handle, Offset),
        (to, to_offset): (Handle, Offset),
        asked: u64,
        call: Option<&Call>,
    ) -> Outcome {
        let moved = call.map_or(0, |call| u64::try_from(call.ret).unwrap_or(0));
        let offset = from_offset.bytes().unwrap_or(*self.offset(from));
        self.read(self.of_handle(from), offset, moved, asked, call.is_none_or(|call| call.ret >= 0))?;
        if from_offset == Offset::OWN {
            *self.offset(from) = offset.saturating_add(moved);
        }
        let end = to_offset.bytes().unwrap_or(*self.offset(to)).saturating_add(moved);
        if to_offset == Offset::OWN {
            *self.offset(to) = end;
        }
        self.check_size(end)?;
        self.charge(moved)?;
        let node = self.of_handle(to);
        self.uses(node, Aspect::Data, Use::Write);
        self.node(node).size_changed |= moved > 0;
        Ok(Ok(()))
    }
}
