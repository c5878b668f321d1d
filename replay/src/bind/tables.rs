//! What the kernel would keep for the plan's processes: descriptor tables and working directories, shared
//! or copied as clone says, and how many places still hold each handle.

use std::collections::BTreeMap;

use super::Handle;
use crate::plan::{PlanError, Share};

/// A descriptor of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) handle: Handle,
    pub(super) cloexec: bool,
}

/// A table that threads share: ordered, so that hostile numbers cannot make it slow.
#[derive(Debug, Default)]
struct Files {
    slots: BTreeMap<i32, Slot>,
    /// Numbers that somebody has got anew while the close of what they stood for is still to come in the log, with the thread that has.
    closing: BTreeMap<i32, (Slot, u32)>,
    users: u32,
}

/// A working directory that threads share (`struct fs_struct`).
#[derive(Clone, Copy, Debug)]
struct Fs {
    cwd: Option<Handle>,
    umask: u16,
    users: u32,
}

/// The state of all processes at one point of the log.
#[derive(Debug)]
pub(super) struct Tables {
    files: Vec<Files>,
    fs: Vec<Fs>,
    /// Of each thread: index into `files` and into `fs`.
    threads: Vec<(u32, u32)>,
    /// How many tables and directories hold each handle.
    holders: Vec<u32>,
    copies_left: usize,
    copy_limit: usize,
}

impl Tables {
    pub(super) fn new(copy_limit: usize) -> Self {
        Self {
            files: Vec::new(),
            fs: Vec::new(),
            threads: Vec::new(),
            holders: Vec::new(),
            copies_left: copy_limit,
            copy_limit,
        }
    }

    /// A handle that nothing holds yet.
    pub(super) fn new_handle(&mut self) -> Handle {
        self.holders.push(0);
        Handle(self.holders.len() as u32 - 1)
    }

    pub(super) fn handles(&self) -> usize {
        self.holders.len()
    }

    /// The next thread, of a new process with an empty table.
    pub(super) fn add_root(&mut self, cwd: Option<Handle>, umask: u16) {
        self.hold(cwd);
        self.files.push(Files { users: 1, ..Files::default() });
        self.fs.push(Fs { cwd, umask, users: 1 });
        self.threads.push((self.files.len() as u32 - 1, self.fs.len() as u32 - 1));
    }

    /// The next thread, made by another.
    pub(super) fn add_child(&mut self, parent: u32, share: Share) -> Result<(), PlanError> {
        let (mut files, mut fs) = self.threads[parent as usize];
        if share.files {
            self.files[files as usize].users += 1;
        } else {
            files = self.copy_files(files)?;
        }
        if share.fs {
            self.fs[fs as usize].users += 1;
        } else {
            let Fs { cwd, umask, .. } = self.fs[fs as usize];
            self.hold(cwd);
            self.fs.push(Fs { cwd, umask, users: 1 });
            fs = self.fs.len() as u32 - 1;
        }
        self.threads.push((files, fs));
        Ok(())
    }

    fn copy_files(&mut self, from: u32) -> Result<u32, PlanError> {
        self.charge(self.files[from as usize].slots.len())?;
        let slots = &self.files[from as usize].slots;
        for slot in slots.values() {
            self.holders[slot.handle.index()] += 1;
        }
        let slots = slots.clone();
        self.files.push(Files { slots, users: 1, ..Files::default() });
        Ok(self.files.len() as u32 - 1)
    }

    /// Counts descriptors against the limit.
    fn charge(&mut self, descriptors: usize) -> Result<(), PlanError> {
        let left = self.copies_left.checked_sub(descriptors);
        self.copies_left = left.ok_or(PlanError::TooManyDescriptors(self.copy_limit))?;
        Ok(())
    }

    fn hold(&mut self, handle: Option<Handle>) {
        if let Some(handle) = handle {
            self.holders[handle.index()] += 1;
        }
    }

    /// Takes one holder off; whether it was the last.
    fn release(&mut self, handle: Handle) -> bool {
        let holders = &mut self.holders[handle.index()];
        *holders -= 1;
        *holders == 0
    }

    fn slots(&mut self, thread: u32) -> &mut BTreeMap<i32, Slot> {
        &mut self.files[self.threads[thread as usize].0 as usize].slots
    }

    pub(super) fn slot(&mut self, thread: u32, fd: i32) -> Option<Slot> {
        self.slots(thread).get(&fd).copied()
    }

    pub(super) fn cwd(&self, thread: u32) -> Option<Handle> {
        self.fs[self.threads[thread as usize].1 as usize].cwd
    }

    pub(super) fn umask(&self, thread: u32) -> u16 {
        self.fs[self.threads[thread as usize].1 as usize].umask
    }

    pub(super) fn set_umask(&mut self, thread: u32, umask: u16) {
        self.fs[self.threads[thread as usize].1 as usize].umask = umask;
    }

    /// Puts a handle into a slot; the handle that was there and is now held by nobody.
    pub(super) fn insert(&mut self, thread: u32, fd: i32, slot: Slot) -> Option<Handle> {
        self.hold(Some(slot.handle));
        let old = self.slots(thread).insert(fd, slot)?;
        self.release(old.handle).then_some(old.handle)
    }

    /// The same at a number that the kernel chose, so that it was free. If it is not by this table, another thread is in the close
    /// of it, which ends later, and so stands later in the log: that one is not of the new handle.
    pub(super) fn insert_free(&mut self, thread: u32, fd: i32, slot: Slot) -> Option<Handle> {
        let files = &mut self.files[self.threads[thread as usize].0 as usize];
        let mut never_closed = None;
        if files.users > 1
            && let Some(old) = files.slots.remove(&fd)
        {
            never_closed = files.closing.insert(fd, (old, thread));
        }
        let freed = self.insert(thread, fd, slot);
        let never_closed = never_closed.map(|(slot, _)| slot.handle).filter(|&handle| self.release(handle));
        freed.or(never_closed)
    }

    /// Closes a number: what is returned by [`Tables::remove`].
    pub(super) fn close(&mut self, thread: u32, fd: i32) -> Option<(Handle, bool)> {
        let files = &mut self.files[self.threads[thread as usize].0 as usize];
        if files.closing.get(&fd).is_some_and(|&(_, opener)| opener != thread) {
            let (slot, _) = files.closing.remove(&fd)?;
            return Some((slot.handle, self.release(slot.handle)));
        }
        self.remove(thread, fd)
    }

    /// Empties a slot; its handle, and whether nobody holds it any more.
    pub(super) fn remove(&mut self, thread: u32, fd: i32) -> Option<(Handle, bool)> {
        let slot = self.slots(thread).remove(&fd)?;
        Some((slot.handle, self.release(slot.handle)))
    }

    pub(super) fn set_cloexec(&mut self, thread: u32, fd: i32, on: bool) {
        if let Some(slot) = self.slots(thread).get_mut(&fd) {
            slot.cloexec = on;
        }
    }

    /// Empties the slots of a range; the handles that nobody holds any more.
    pub(super) fn remove_range(&mut self, thread: u32, first: i32, last: i32) -> Vec<Handle> {
        let fds: Vec<i32> = self.slots(thread).range(first..=last).map(|(&fd, _)| fd).collect();
        fds.into_iter().filter_map(|fd| self.remove(thread, fd)).filter_map(freed).collect()
    }

    /// Changes the working directory; the old one if nobody holds it any more.
    pub(super) fn enter(&mut self, thread: u32, handle: Handle) -> Option<Handle> {
        self.hold(Some(handle));
        let fs = &mut self.fs[self.threads[thread as usize].1 as usize];
        let old = fs.cwd.replace(handle)?;
        self.release(old).then_some(old)
    }

    /// An exec: the table becomes the thread's own and loses its close-on-exec descriptors; those that nobody
    /// holds any more.
    pub(super) fn exec(&mut self, thread: u32) -> Result<Vec<Handle>, PlanError> {
        let (files, fs) = self.threads[thread as usize];
        if self.files[files as usize].users > 1 {
            let own = self.copy_files(files)?;
            self.files[files as usize].users -= 1;
            self.threads[thread as usize] = (own, fs);
        }
        // Looking through a large table for each of many execs is as dear as copying it.
        let looked_at = self.slots(thread).len();
        self.charge(looked_at)?;
        let slots = self.slots(thread).iter();
        let closed: Vec<i32> = slots.filter(|(_, slot)| slot.cloexec).map(|(&fd, _)| fd).collect();
        Ok(closed.into_iter().filter_map(|fd| self.remove(thread, fd)).filter_map(freed).collect())
    }

    /// A thread's end; the handles that nobody holds any more.
    pub(super) fn exit(&mut self, thread: u32) -> Vec<Handle> {
        let (files, fs) = self.threads[thread as usize];
        let mut freed = Vec::new();
        let files = &mut self.files[files as usize];
        files.users -= 1;
        if files.users == 0 {
            let (slots, closing) = (std::mem::take(&mut files.slots), std::mem::take(&mut files.closing));
            let held = slots.into_values().chain(closing.into_values().map(|(slot, _)| slot));
            freed.extend(held.map(|slot| slot.handle).filter(|&handle| self.release(handle)));
        }
        let fs = &mut self.fs[fs as usize];
        fs.users -= 1;
        let cwd = if fs.users == 0 { fs.cwd.take() } else { None };
        freed.extend(cwd.filter(|&cwd| self.release(cwd)));
        freed
    }
}

fn freed((handle, is_last): (Handle, bool)) -> Option<Handle> {
    is_last.then_some(handle)
}
