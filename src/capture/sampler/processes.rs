//! The processes that are sampled: what is mapped in each, and their threads' names.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use perf_event_open::sample::record::mmap::{Info, Mmap};

use super::super::stacks::{Identity, ObjectId, Objects, Space, VDSO};

/// Processes and threads known at a time; there are no more process ids than this.
const MOST: usize = 1 << 22;

/// See the module's documentation.
#[derive(Debug, Default)]
pub struct Processes {
    spaces: FxHashMap<u32, Space>,
    comms: FxHashMap<u32, Arc<[u8]>>,
    /// Threads of a process, where there are or were more than the one that it began with.
    threads: FxHashMap<u32, u32>,
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
        if pid == parent {
            *self.threads.entry(pid).or_insert(1) += 1;
        } else if self.spaces.len() < MOST {
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

    /// A thread has ended; the first one of a process need not be the last.
    pub fn ended(&mut self, pid: u32, tid: u32) {
        self.comms.remove(&tid);
        let threads = self.threads.entry(pid).or_insert(1);
        *threads = threads.saturating_sub(1);
        if *threads == 0 {
            self.threads.remove(&pid);
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

/// Whether a thread goes on, of which the kernel says that it has ended: it says so too of one whose counters it takes away
/// when it executes a program that may not be read (`begin_new_exec` in `fs/exec.c`).
pub fn goes_on(tid: u32) -> bool {
    /// `PF_EXITING` of `linux/sched.h`.
    const EXITING: u32 = 4;
    let Ok(text) = std::fs::read(format!("/proc/{tid}/stat")) else { return false };
    // The name may hold anything; behind it come the state and, as seventh, the flags.
    let behind = text.iter().rposition(|&byte| byte == b')').map_or(&[][..], |at| &text[at..]);
    let flags = behind.split(|&byte| byte == b' ').nth(7);
    let flags = flags.and_then(|flags| std::str::from_utf8(flags).ok()?.parse::<u32>().ok());
    flags.is_some_and(|flags| flags & EXITING == 0)
}

/// Opens the file of a mapping; `None`: it has none (the heap, code made at run time, the vDSO).
pub fn open(objects: &mut Objects, map: &Mmap) -> Option<ObjectId> {
    let Some(Info::Device { major, minor, inode, .. }) = map.ext.as_ref().map(|ext| &ext.info) else {
        return None;
    };
    let path = map.file.as_bytes();
    if path == VDSO {
        return objects.vdso((map.addr, map.addr.saturating_add(map.len)));
    }
    if *inode == 0 || !path.starts_with(b"/") {
        return None;
    }
    let identity = Identity { dev: libc::makedev(*major, *minor), ino: *inode };
    // A deleted file is named so by the kernel.
    let path = path.strip_suffix(b" (deleted)").unwrap_or(path);
    objects.open(map.task.pid, path, (map.addr, map.addr.saturating_add(map.len)), identity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_goes_on_until_it_ends() {
        assert!(goes_on(std::process::id()));
        let mut child = std::process::Command::new("true").spawn().expect("true");
        let pid = child.id();
        child.wait().expect("its end");
        assert!(!goes_on(pid), "it is gone");
    }

    #[test]
    fn mappings_are_there_as_long_as_a_thread_is() {
        let mut processes = Processes::default();
        processes.spaces.insert(1, Space::default());
        processes.named(1, b"sh"[..].into());
        processes.forked((1, 2), (1, 1));
        processes.forked((3, 3), (1, 2));
        assert_eq!(processes.comm(3).as_deref(), Some(&b"sh"[..]), "a child is called as its maker is");
        processes.ended(1, 1);
        assert!(processes.spaces.contains_key(&1), "a thread goes on");
        processes.ended(1, 2);
        processes.ended(3, 3);
        assert!(processes.spaces.is_empty() && processes.comms.is_empty() && processes.threads.is_empty());
    }

    #[test]
    fn another_program_has_none_of_the_mappings() {
        let mut processes = Processes::default();
        processes.spaces.insert(1, Space::default());
        processes.executed(1);
        assert!(processes.spaces.is_empty());
    }
}
