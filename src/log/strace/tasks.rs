//! What is known of the traced threads: whose they are, where they are, what their descriptors stand for.
//!
//! A log of a million threads that never end is hostile or cut; what is kept is bounded, and what is forgotten
//! makes paths unknown, never wrong.

use std::cell::RefCell;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::call::Call;
use super::line::{Line, Names};
use super::text::unescape;
use crate::event::Abi;
use crate::syscall::effect::Effect;

/// Threads kept that have no call under way.
const MOST_TASKS: usize = 1 << 14;
/// Threads that make children at the same time; among more nobody could tell whose a new one is.
const MOST_MAKERS: usize = 64;
/// Descriptors kept of one table; programs seldom may have more (`ulimit -n`).
const MOST_FILES: usize = 1024;
/// Flags of `clone(2)`.
const CLONE_FS: u64 = 0x200;
const CLONE_FILES: u64 = 0x400;
const CLONE_THREAD: u64 = 0x1_0000;
const CLOSE_RANGE_CLOEXEC: u64 = 4;
const O_CLOEXEC: u64 = 0o2_000_000;
/// Commands of `fcntl(2)`.
const F_DUPFD: u64 = 0;
const F_SETFD: u64 = 2;
const F_DUPFD_CLOEXEC: u64 = 1030;

/// A name shared by descriptors.
pub type Name = Rc<[u8]>;

/// A descriptor table.
#[derive(Clone, Debug, Default)]
pub struct Files(FxHashMap<i32, (Name, bool)>);

impl Files {
    /// The file behind a descriptor.
    pub fn get(&self, fd: i32) -> Option<Name> {
        self.0.get(&fd).map(|(name, _)| name.clone())
    }

    /// A descriptor stands for this file, or for one that is not known.
    pub fn set(&mut self, fd: i32, name: Option<Name>, closed_by_exec: bool) {
        match name.filter(|_| self.0.len() < MOST_FILES || self.0.contains_key(&fd)) {
            Some(name) => self.0.insert(fd, (name, closed_by_exec)),
            None => self.0.remove(&fd),
        };
    }

    /// Descriptors are closed.
    pub fn close(&mut self, first: i32, last: i32) {
        if first == last {
            self.0.remove(&first);
        } else {
            self.0.retain(|fd, _| !(first..=last).contains(fd));
        }
    }

    /// The process runs a new program.
    pub fn exec(&mut self) {
        self.0.retain(|_, (_, closed_by_exec)| !*closed_by_exec);
    }

    /// Whether exec closes a descriptor.
    pub fn close_on_exec(&mut self, fd: i32, closed: bool) {
        if let Some((_, closed_by_exec)) = self.0.get_mut(&fd) {
            *closed_by_exec = closed;
        }
    }
}

/// A call whose return stands on a later line.
#[derive(Debug, Default)]
pub struct Pending {
    /// The line as far as it went, without its prefix.
    pub text: Vec<u8>,
    /// When it began.
    pub start_ns: u64,
    /// Instruction pointer.
    pub ip: u64,
    /// Number, where the line has it.
    pub nr: Option<u32>,
}

/// A call whose arguments do not end on its line.
#[derive(Debug)]
pub struct Open {
    /// Its thread.
    pub tid: u32,
    /// Its line's number.
    pub number: u64,
    /// Its line, with the prefix.
    pub call: Pending,
}

/// A thread's name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Comm {
    bytes: [u8; 15],
    len: u8,
}

impl Comm {
    /// The name, cut as the kernel does.
    pub fn of(name: &[u8]) -> Self {
        let mut comm = Self::default();
        let len = name.len().min(comm.bytes.len());
        comm.bytes[..len].copy_from_slice(&name[..len]);
        comm.len = len as u8;
        comm
    }

    /// The name as a line has it.
    pub fn escaped(text: &[u8]) -> Self {
        if !text.contains(&b'\\') {
            return Self::of(text);
        }
        let mut name = Vec::new();
        unescape(text, &mut name);
        Self::of(&name)
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// A thread.
#[derive(Debug)]
pub struct Task {
    /// Its process.
    pub pid: u32,
    /// Its name.
    pub comm: Comm,
    /// How it makes calls.
    pub abi: Abi,
    /// Where it is, if that is known.
    pub cwd: Rc<RefCell<Option<Name>>>,
    /// Its descriptors.
    pub files: Rc<RefCell<Files>>,
    /// Its call that has not returned.
    pub pending: Option<Pending>,
    /// Its child that appeared before the call that made it returned.
    pub early_child: Option<u32>,
    /// Its root is another directory, so that absolute paths are not what they say.
    pub chrooted: bool,
}

impl Task {
    /// Whether this is the rest of the call that has begun.
    pub fn goes_on_with(&self, rest: &[u8], names: &Names) -> bool {
        let Some(pending) = &self.pending else { return false };
        let text = [&pending.text[..], rest].concat();
        Line::of(&text, pending.nr, self.abi, names).is_some()
    }

    fn new(tid: u32, cwd: Option<Name>) -> Self {
        Self {
            chrooted: false,
            pid: tid,
            comm: Comm::default(),
            abi: Abi::X86_64,
            cwd: Rc::new(RefCell::new(cwd)),
            files: Rc::default(),
            pending: None,
            early_child: None,
        }
    }

    /// Its child, made with these flags.
    fn child(&self, tid: u32, flags: u64) -> Self {
        let share = |flag| flags & flag != 0;
        let (cwd, files) = (self.cwd.borrow().clone(), self.files.borrow());
        Self {
            pid: if share(CLONE_THREAD) { self.pid } else { tid },
            comm: self.comm,
            abi: self.abi,
            cwd: if share(CLONE_FS) { self.cwd.clone() } else { Rc::new(RefCell::new(cwd)) },
            files: if share(CLONE_FILES) { self.files.clone() } else { Rc::new(RefCell::new(files.clone())) },
            pending: None,
            early_child: None,
            chrooted: self.chrooted,
        }
    }

    /// The line says where the thread is (`AT_FDCWD</tmp>`).
    pub fn is_in(&self, cwd: &[u8]) {
        let mut known = self.cwd.borrow_mut();
        if known.as_deref() != Some(cwd) {
            *known = Some(Name::from(cwd));
        }
    }

    /// The thread runs a new program.
    pub fn exec(&mut self, call: &Call, arena: &[u8]) {
        // A table that was shared is no longer (execve(2)).
        let mut files = self.files.borrow().clone();
        files.exec();
        self.files = Rc::new(RefCell::new(files));
        if let Some(path) = call.paths[0].clone() {
            let name = arena[path].rsplit(|&byte| byte == b'/').next().unwrap_or_default();
            self.comm = Comm::of(name);
        }
    }

    /// What a call changes for those after it. The file behind a new descriptor becomes one of the call's.
    pub fn apply(&mut self, call: &mut Call, arena: &[u8]) {
        if call.plan.effect == Effect::Close {
            // Free even where close fails (EINTR).
            self.files.borrow_mut().close(call.fd(0), call.fd(0));
        }
        if !call.succeeded() {
            return;
        }
        let new = call.ret.and_then(|fd| i32::try_from(fd).ok()).unwrap_or(-1);
        let file =
            |slot: &Option<std::ops::Range<usize>>| slot.clone().map(|range| Name::from(&arena[range]));
        match call.plan.effect {
            Effect::CloseRange if call.args[2] & CLOSE_RANGE_CLOEXEC == 0 => {
                let last = i32::try_from(call.args[1] as u32).unwrap_or(i32::MAX);
                self.files.borrow_mut().close(call.fd(0), last);
            }
            Effect::Dup => {
                self.files.borrow_mut().set(new, file(&call.files[0]), call.args[2] & O_CLOEXEC != 0);
            }
            Effect::Fcntl if matches!(call.args[1], F_DUPFD | F_DUPFD_CLOEXEC) => {
                self.files.borrow_mut().set(new, file(&call.files[0]), call.args[1] == F_DUPFD_CLOEXEC);
            }
            Effect::Fcntl if call.args[1] == F_SETFD => {
                self.files.borrow_mut().close_on_exec(call.fd(0), call.args[2] & 1 != 0);
            }
            Effect::Chdir => {
                let place = call.absolute[0].as_ref().or(call.files[0].as_ref()).cloned();
                *self.cwd.borrow_mut() = file(&place);
            }
            Effect::Root => self.chrooted = true,
            Effect::Unshare => {
                let (cwd, files) = (self.cwd.borrow().clone(), self.files.borrow().clone());
                self.cwd = Rc::new(RefCell::new(cwd));
                self.files = Rc::new(RefCell::new(files));
            }
            _ if call.plan.makes_fd => self.opened(call, new, arena),
            _ => {}
        }
    }

    fn opened(&mut self, call: &mut Call, fd: i32, arena: &[u8]) {
        let place = call.returned.clone().or_else(|| call.absolute[0].clone());
        if call.returned.is_none() {
            let name = place.clone().map(|range| Name::from(&arena[range]));
            let cloexec = [call.args[1], call.args[2]].iter().any(|flags| flags & O_CLOEXEC != 0);
            self.files.borrow_mut().set(fd, name, cloexec);
        }
        if let Some(slot) = call.files.iter_mut().find(|slot| slot.is_none()) {
            *slot = place;
        }
    }
}

/// All threads that have been seen and have not ended.
#[derive(Debug)]
pub struct Tasks {
    by_tid: FxHashMap<u32, Task>,
    /// Of them at most, before those that do nothing are forgotten.
    most: usize,
    /// Where the command was started.
    cwd: Option<Name>,
    /// Threads that began to make a child, and may be at it still.
    makers: Vec<u32>,
    /// The command has been seen.
    has_begun: bool,
    /// Whose lines are those that name no thread.
    only: u32,
    /// Text buffers that are free.
    buffers: Vec<Vec<u8>>,
}

impl Tasks {
    /// Where the command was started, if that is known, and the thread of lines that name none.
    pub fn new(cwd: Option<&[u8]>, only: u32) -> Self {
        Self {
            by_tid: FxHashMap::default(),
            most: MOST_TASKS,
            cwd: cwd.map(Name::from),
            makers: Vec::new(),
            has_begun: false,
            only,
            buffers: Vec::new(),
        }
    }

    /// The thread of a line that names none. strace names threads while there are several: where one is
    /// left, it is that one.
    pub fn only(&self) -> u32 {
        match self.by_tid.len() {
            1 => self.by_tid.keys().next().copied().unwrap_or(self.only),
            _ => self.only,
        }
    }

    /// The log begins with this thread: lines that name none are of it.
    pub fn begins_with(&mut self, tid: u32) {
        if !self.has_begun {
            self.only = tid;
        }
    }

    /// Whether a thread is known.
    pub fn knows(&self, tid: u32) -> bool {
        self.by_tid.contains_key(&tid)
    }

    /// A thread, which is new if it is not known.
    pub fn get(&mut self, tid: u32) -> &mut Task {
        if !self.by_tid.contains_key(&tid) {
            self.appear(tid);
        }
        self.by_tid.entry(tid).or_insert_with(|| Task::new(tid, None))
    }

    /// A thread that nobody is known to have made. The first one is the command; where another is, is not known.
    pub fn appear(&mut self, tid: u32) {
        let cwd = if self.has_begun { None } else { self.cwd.clone() };
        self.has_begun = true;
        self.put(tid, Task::new(tid, cwd));
    }

    /// A thread takes another's place.
    pub fn put(&mut self, tid: u32, task: Task) {
        if self.by_tid.len() >= self.most {
            // Those with a call under way are known by it, and how many there may be is the reader's to limit.
            self.by_tid.retain(|_, task| task.pending.is_some());
            self.most = MOST_TASKS.max(2 * self.by_tid.len());
        }
        self.by_tid.insert(tid, task);
    }

    /// A thread has made a child. `false`: it had been seen to be the child's parent before.
    pub fn fork(&mut self, parent: u32, child: u32, flags: u64) -> bool {
        let maker = self.get(parent);
        if maker.early_child.take() == Some(child) {
            return false;
        }
        let mut new = maker.child(child, flags);
        // A child that was seen before its maker was known may be in the middle of a call.
        new.pending = self.by_tid.get_mut(&child).and_then(|seen| seen.pending.take());
        self.put(child, new);
        true
    }

    /// A thread begins a call that returns on a later line.
    pub fn begin(&mut self, tid: u32, call: Pending, makes_child: bool) {
        if makes_child && self.makers.len() < MOST_MAKERS {
            self.makers.push(tid);
        }
        self.get(tid).pending = Some(call);
    }

    /// A thread's call that has begun, which now returns or never will.
    pub fn take_call(&mut self, tid: u32) -> Option<Pending> {
        self.makers.retain(|maker| *maker != tid);
        self.by_tid.get_mut(&tid)?.pending.take()
    }

    /// The thread that is about to return from making a child that has not been seen, if there is exactly one.
    pub fn making_child(&mut self) -> Option<u32> {
        let by_tid = &self.by_tid;
        let is_making = |tid: &u32| {
            by_tid.get(tid).is_some_and(|task| task.early_child.is_none() && task.pending.is_some())
        };
        self.makers.retain(is_making);
        match self.makers[..] {
            [tid] => Some(tid),
            _ => None,
        }
    }

    /// A thread has ended.
    pub fn end(&mut self, tid: u32) -> Option<Task> {
        self.by_tid.remove(&tid)
    }

    /// Threads with a call that has not returned.
    pub fn unfinished(&self) -> Vec<u32> {
        let mut tids: Vec<u32> =
            self.by_tid.iter().filter(|(_, task)| task.pending.is_some()).map(|(tid, _)| *tid).collect();
        tids.sort_unstable();
        tids
    }

    /// An empty buffer.
    pub fn buffer(&mut self) -> Vec<u8> {
        self.buffers.pop().unwrap_or_default()
    }

    /// Gives a buffer back.
    pub fn reuse(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() < 1 << 16 && self.buffers.len() < 64 {
            buffer.clear();
            self.buffers.push(buffer);
        }
    }
}
