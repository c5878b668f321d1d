//! The Python frames of a stopped thread: since 3.13 by what the interpreter tells of itself ([`offsets`]), from 3.6 on by where
//! each version has what is to be read ([`layout`], [`objects`]), in an interpreter that py-spy's library finds, and before by that
//! library.
//!
//! A process is looked at when it may have an interpreter: at its first call about Python's `encodings`, which the
//! interpreter imports first of all, and after that ever more seldom, since looking takes milliseconds. What was read
//! once is known again by [`memo`], of the versions in [`layout`].

mod codes;
mod layout;
mod lines;
mod memo;
mod memory;
mod objects;
mod offsets;
mod runtime;

use py_spy::config::LockingStrategy;
use py_spy::{Config, PythonSpy};

use super::guard::guarded;
use super::object::Objects;
use super::table::Table;
use crate::event::Event;
use crate::event::stack::{Frame, FrameKind};
use codes::Codes;
use layout::{Layout, Root};
use memo::Memo;
use offsets::Told;

/// How often a thread is read that is not found: others that begin or end meanwhile change the list of all.
const READINGS: usize = 3;
/// How often a process is looked at in vain.
const MOST_TRIES: u32 = 10;
/// Calls before it is looked at without a sign of an interpreter; twice as many before the next time.
const FIRST_WAIT: u64 = 64;
/// What paths of the first module that every interpreter imports contain.
const FIRST_MODULE: &[u8] = b"/encodings";

/// How far what is read of an interpreter can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    /// The thread is about to make a call: its frames are whole.
    AtCall,
    /// It was stopped anywhere, perhaps while it makes a frame: two ways of reading it must agree.
    Anywhere,
}

/// What is known of a process's interpreter.
pub enum Interpreter {
    /// Nothing yet.
    Unknown {
        /// Calls seen.
        calls: u64,
        /// At which of them to look next.
        next: u64,
        /// Times it was looked for in vain.
        tries: u32,
        /// It is there, and could not be read.
        unread: bool,
    },
    /// It is there.
    Found(Box<Found>),
    /// There is none, or none that can be read.
    None {
        /// It is there.
        unread: bool,
    },
}

/// What looking for an interpreter finds.
enum Search {
    Found(Box<Found>),
    /// One that is not known, or not ready yet.
    Unread,
    Nothing,
}

/// An interpreter.
pub struct Found {
    /// Where its version's layout is known.
    memo: Option<Memo>,
    names: Names,
    /// The frames of the last stack, innermost first.
    frames: Vec<u32>,
}

/// Who reads the names of frames.
enum Names {
    Spy(Box<PythonSpy>),
    Own(Box<Codes>),
}

impl Default for Interpreter {
    fn default() -> Self {
        Self::Unknown { calls: 0, next: FIRST_WAIT, tries: 0, unread: false }
    }
}

impl std::fmt::Debug for Interpreter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unknown { .. } => "Unknown",
            Self::Found(_) => "Found",
            Self::None { .. } => "None",
        })
    }
}

impl Interpreter {
    /// That of a child that was just made.
    pub fn of_child(&self) -> Self {
        match self {
            Self::Unknown { calls, next, tries, unread } => {
                Self::Unknown { calls: *calls, next: *next, tries: *tries, unread: *unread }
            }
            // It is at the same place, and is found there anew.
            Self::Found(_) => Self::Unknown { calls: 0, next: 1, tries: 1, unread: false },
            Self::None { unread } => Self::None { unread: *unread },
        }
    }

    /// Whether there is one that could not be read up to now.
    pub fn is_unread(&self) -> bool {
        matches!(self, Self::Unknown { unread: true, .. } | Self::None { unread: true })
    }

    /// Appends the Python frames of a thread that stands still, outermost first. `pointer` is what the thread's
    /// segment register points to: the thread's number to Python. False: there is an interpreter, and what of it this thread
    /// runs is not known.
    pub fn frames(
        &mut self,
        (pid, tid): (i32, i32),
        pointer: u64,
        care: Care,
        table: &mut Table,
        define: &mut dyn FnMut(&Event<'_>),
        out: &mut Vec<u32>,
    ) -> bool {
        let Self::Found(found) = self else { return true };
        (0..READINGS).any(|_| found.read((pid, tid), pointer, care, table, define, out))
            || found.memo.as_ref().is_some_and(|memo| memo.is_idle(pid))
    }

    /// Looks for the interpreter, if the time has come: at a call with this path, or anywhere.
    pub fn look_for(&mut self, pid: i32, path: Option<&[u8]>, objects: &mut Objects) {
        let Self::Unknown { calls, next, tries, unread } = self else { return };
        *calls += 1;
        let is_sign = *tries == 0 && path.is_some_and(|path| contains(path, FIRST_MODULE));
        if !is_sign && *calls < *next {
            return;
        }
        *tries += 1;
        *next = *calls * 2;
        let last = *tries >= MOST_TRIES;
        match find(pid, objects) {
            Search::Found(found) => *self = Self::Found(found),
            Search::Unread if last => *self = Self::None { unread: true },
            Search::Unread => *unread = true,
            Search::Nothing if last => *self = Self::None { unread: *unread },
            Search::Nothing => {}
        }
    }
}

/// Looks for the interpreter of a process.
fn find(pid: i32, objects: &mut Objects) -> Search {
    let found = |memo, names| Search::Found(Box::new(Found { memo, names, frames: Vec::new() }));
    if !may_be_python(pid) {
        return Search::Nothing;
    }
    match runtime::look(pid, objects) {
        Told::All(offsets) => {
            found(Some(Memo::new(offsets.layout)), Names::Own(Box::new(Codes::new(offsets.objects))))
        }
        // Of a build that nobody here knows: what py-spy would find there means something else.
        Told::Unknown => Search::Unread,
        Told::Nothing => {
            let Some(spy) = guarded(|| PythonSpy::new(pid, &config()).ok()) else { return Search::Unread };
            let (major, minor) = (spy.version.major, spy.version.minor);
            let interpreter = spy.addresses.interpreter_address as u64;
            let head = runtime::head(pid, minor, interpreter, objects);
            let root = head.map_or(Root::From(interpreter), Root::First);
            let layout = layout::of(major, minor);
            let memo = layout.map(|layout| Memo::new(Layout { root, ..layout }));
            let own = objects::of(major, minor).map(|objects| Names::Own(Box::new(Codes::new(objects))));
            found(memo, own.unwrap_or_else(|| Names::Spy(Box::new(spy))))
        }
    }
}

impl Found {
    /// Appends the frames of a thread. False: the interpreter does not know it, or cannot be read.
    fn read(
        &mut self,
        (pid, tid): (i32, i32),
        pointer: u64,
        care: Care,
        table: &mut Table,
        define: &mut dyn FnMut(&Event<'_>),
        out: &mut Vec<u32>,
    ) -> bool {
        let looked = self.memo.as_mut().is_some_and(|memo| memo.look(pid, tid, pointer));
        if let (Names::Own(codes), Some(memo)) = (&mut self.names, &mut self.memo) {
            codes.tell_apart(pid, memo.places());
        }
        if looked && self.memo.as_ref().is_some_and(|memo| memo.known(out)) {
            debug_assert!(self.agrees(tid, pointer, out, table), "what is known is what is there");
            return true;
        }
        let (is_found, is_whole) = match &mut self.names {
            Names::Own(_) => (looked, looked && self.read_own(pid, table, define)),
            Names::Spy(_) => self.read_by_spy(tid, pointer, looked, table, define),
        };
        let is_read = is_found && (is_whole || care == Care::AtCall);
        if is_read {
            out.extend(self.frames.iter().rev().filter(|frame| **frame != memo::NO_FUNCTION));
        }
        is_read
    }

    /// Reads the names of the frames that were looked at and are not known. False: one cannot be read.
    fn read_own(&mut self, pid: i32, table: &mut Table, define: &mut dyn FnMut(&Event<'_>)) -> bool {
        self.frames.clear();
        let (Names::Own(codes), Some(memo)) = (&mut self.names, &mut self.memo) else { return false };
        let mut is_whole = true;
        for index in 0.. {
            let Some((place, identity)) = memo.place(index) else { break };
            let mut known = *identity;
            let frame = memo.number(&place, &known);
            let frame = frame.or_else(|| codes.frame(pid, (&place, &mut known), table, define));
            if let Some((_, identity)) = memo.place(index) {
                *identity = known;
            }
            is_whole &= frame.is_some();
            self.frames.push(frame.unwrap_or_else(|| table.frame(&Frame::UNKNOWN, define)));
        }
        if is_whole {
            memo.learn(&self.frames);
        }
        is_whole
    }

    /// Reads the frames of a thread by py-spy. Whether it was found, and whether they are known to be as many as those `looked`
    /// at.
    fn read_by_spy(
        &mut self,
        tid: i32,
        pointer: u64,
        looked: bool,
        table: &mut Table,
        define: &mut dyn FnMut(&Event<'_>),
    ) -> (bool, bool) {
        let is_found = self.spy(tid, pointer, table, define);
        let is_whole = self.memo.as_mut().is_none_or(|memo| looked && memo.learn(&self.frames));
        (is_found && is_whole, is_whole)
    }

    /// Reads the frames of a thread by py-spy, with all their names. False: there is no such thread.
    fn spy(&mut self, tid: i32, pointer: u64, table: &mut Table, define: &mut dyn FnMut(&Event<'_>)) -> bool {
        self.frames.clear();
        let Names::Spy(spy) = &mut self.names else { return false };
        let Some(traces) = guarded(|| spy.get_stack_traces().ok()) else { return false };
        // Since 3.11 the interpreter knows its threads by the kernel's number.
        let is_known = traces.iter().any(|trace| trace.os_thread_id.is_some());
        let found = if is_known {
            traces.iter().find(|trace| trace.os_thread_id == u64::try_from(tid).ok())
        } else {
            traces.iter().find(|trace| trace.thread_id == pointer)
        };
        for frame in found.into_iter().flat_map(|trace| &trace.frames) {
            let frame = Frame {
                kind: FrameKind::Python,
                name: frame.name.as_bytes(),
                file: frame.filename.as_bytes(),
                line: u32::try_from(frame.line).unwrap_or(0),
                ..Frame::UNKNOWN
            };
            self.frames.push(table.frame(&frame, define));
        }
        // Before the first thread begins and after the last one has ended, none runs a function.
        found.is_some() || traces.is_empty()
    }

    /// Whether reading the frames gives the same, if it can be done while other threads go on; for builds to be tested.
    fn agrees(&mut self, tid: i32, pointer: u64, known: &[u32], table: &mut Table) -> bool {
        self.spy(tid, pointer, table, &mut |_| ());
        self.frames.is_empty() || self.frames.iter().rev().eq(known)
    }
}

/// Of py-spy: the thread is stopped already, and its frames are all that is wanted.
fn config() -> Config {
    Config {
        blocking: LockingStrategy::NonBlocking,
        collect_thread_names: false,
        full_filenames: true,
        include_idle: true,
        ..Config::default()
    }
}

/// Whether a program or library of the process is named after Python.
fn may_be_python(pid: i32) -> bool {
    std::fs::read(format!("/proc/{pid}/maps"))
        .is_ok_and(|maps| maps.split(|&byte| byte == b'\n').any(named_after_python))
}

/// Whether a path's last part has the name in it.
fn named_after_python(path: &[u8]) -> bool {
    contains(path.rsplit(|&byte| byte == b'/').next().unwrap_or_default(), b"python")
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
