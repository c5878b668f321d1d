//! The processes that are sampled: what is mapped in each, and their threads' names.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use perf_event_open::sample::record::mmap::{Info, Mmap};

use super::super::stacks::{Identity, ObjectId, Objects, Space};

/// Processes and threads known at a time; there are no more process ids than this.
const MOST: usize = 1 << 22;

/// See the module's documentation.
#[derive(Debug, Default)]
pub struct Processes {
    spaces: FxHashMap<u32, Space>,
    comms: FxHashMap<u32, Arc<[u8]>>,
    nothing: Space,
}

impl Processes {
    /// What is mapped in a process.
    pub fn space(&self, pid: u32) -> &Space {
        self.spaces.get(&pid).unwrap_or(&self.nothing)
    }

    /// The name of a thread.
    pub fn comm(&self, tid: u32) -> Option<Arc<[u8]>> {
        self.comms.get(&tid).cloned()
    }

    /// A thread was made; where that is a process, its mappings are its parent's.
    pub fn forked(&mut self, (pid, tid): (u32, u32), (parent, parent_tid): (u32, u32)) {
        if let Some(comm) = self.comms.get(&parent_tid).cloned() {
            self.named(tid, comm);
        }
        if pid != parent && self.spaces.len() < MOST {
            let space = self.space(parent).clone();
            self.spaces.insert(pid, space);
        }
    }

    /// A thread has this name now.
    pub fn named(&mut self, tid: u32, comm: Arc<[u8]>) {
        if self.comms.len() < MOST {
            self.comms.insert(tid, comm);
        }
    }

    /// A process executes another program: nothing is mapped any more.
    pub fn executed(&mut self, pid: u32) {
        self.spaces.remove(&pid);
    }

    /// A thread has ended.
    pub fn ended(&mut self, pid: u32, tid: u32) {
        self.comms.remove(&tid);
        if pid == tid {
            self.spaces.remove(&pid);
        }
    }

    /// Code was mapped.
    pub fn mapped(&mut self, objects: &Objects, map: &Mmap, object: Option<ObjectId>) {
        if self.spaces.len() < MOST {
            let space = self.spaces.entry(map.task.pid).or_default();
            space.map(objects, object, (map.addr, map.addr.saturating_add(map.len)), map.page_offset);
        }
    }
}

/// Opens the file of a mapping; `None`: it has none (the heap, code made at run time, the vDSO).
pub fn open(objects: &mut Objects, map: &Mmap) -> Option<ObjectId> {
    let Some(Info::Device { major, minor, inode, .. }) = map.ext.as_ref().map(|ext| &ext.info) else {
        return None;
    };
    let path = map.file.as_bytes();
    if *inode == 0 || !path.starts_with(b"/") {
        return None;
    }
    let identity = Identity { dev: libc::makedev(*major, *minor), ino: *inode };
    // A deleted file is named so by the kernel.
    let path = path.strip_suffix(b" (deleted)").unwrap_or(path);
    objects.open(map.task.pid, path, (map.addr, map.addr.saturating_add(map.len)), identity)
}
