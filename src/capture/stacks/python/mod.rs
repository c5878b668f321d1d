//! The Python frames of a stopped thread, by py-spy's library, which knows the interpreter of each version.
//!
//! A process is looked at when it may have an interpreter: at its first call about Python's `encodings`, which the
//! interpreter imports first of all, and after that ever more seldom, since looking takes milliseconds. What was read
//! once is known again by [`memo`], of the versions in [`layout`].

mod layout;
mod memo;

use py_spy::config::LockingStrategy;
use py_spy::{Config, PythonSpy};

use super::guard::guarded;
use super::table::Table;
use crate::event::Event;
use crate::event::stack::{Frame, FrameKind};
use memo::Memo;

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
    },
    /// It is there.
    Found(Box<Found>),
    /// There is none.
    None,
}

/// An interpreter.
pub struct Found {
    spy: PythonSpy,
    /// Where its version's layout is known.
    memo: Option<Memo>,
    /// The frames of the last stack, innermost first.
    frames: Vec<u32>,
}

impl Default for Interpreter {
    fn default() -> Self {
        Self::Unknown { calls: 0, next: FIRST_WAIT, tries: 0 }
    }
}

impl std::fmt::Debug for Interpreter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unknown { .. } => "Unknown",
            Self::Found(_) => "Found",
            Self::None => "None",
        })
    }
}

impl Interpreter {
    /// That of a child that was just made.
    pub fn of_child(&self) -> Self {
        match self {
            Self::Unknown { calls, next, tries } => {
                Self::Unknown { calls: *calls, next: *next, tries: *tries }
            }
            // It is at the same place, and is found there anew.
            Self::Found(_) => Self::Unknown { calls: 0, next: 1, tries: 1 },
            Self::None => Self::None,
        }
    }

    /// Appends the Python frames of a thread that stands still, outermost first. `pointer` is what the thread's
    /// segment register points to: the thread's number to Python.
    pub fn frames(
        &mut self,
        (pid, tid): (i32, i32),
        pointer: u64,
        care: Care,
        table: &mut Table,
        define: &mut dyn FnMut(&Event<'_>),
        out: &mut Vec<u32>,
    ) {
        let Self::Found(found) = self else { return };
        let looked = found.memo.as_mut().is_some_and(|memo| memo.look(pid, tid, pointer));
        if looked && found.memo.as_ref().is_some_and(|memo| memo.known(out)) {
            debug_assert!(found.agrees(tid, pointer, out, table), "what is known is what is there");
            return;
        }
        found.read(tid, pointer, table, define);
        if let Some(memo) = &mut found.memo {
            let agreed = looked && memo.learn(&found.frames);
            if !agreed && care == Care::Anywhere {
                return;
            }
        }
        out.extend(found.frames.iter().rev());
    }

    /// Looks for the interpreter, if the time has come: at a call with this path, or anywhere.
    pub fn look_for(&mut self, pid: i32, path: Option<&[u8]>) {
        let Self::Unknown { calls, next, tries } = self else { return };
        *calls += 1;
        let is_sign = *tries == 0 && path.is_some_and(|path| contains(path, FIRST_MODULE));
        if !is_sign && *calls < *next {
            return;
        }
        *tries += 1;
        *next = *calls * 2;
        let last = *tries >= MOST_TRIES;
        let found = if may_be_python(pid) { guarded(|| PythonSpy::new(pid, &config()).ok()) } else { None };
        match found {
            Some(spy) => {
                let layout = layout::of(spy.version.major, spy.version.minor);
                let memo = layout.map(|layout| Memo::new(layout, spy.addresses.interpreter_address as u64));
                *self = Self::Found(Box::new(Found { spy, memo, frames: Vec::new() }));
            }
            None if last => *self = Self::None,
            None => {}
        }
    }
}

impl Found {
    /// Reads the frames of a thread, by all their names.
    fn read(&mut self, tid: i32, pointer: u64, table: &mut Table, define: &mut dyn FnMut(&Event<'_>)) {
        self.frames.clear();
        let Some(traces) = guarded(|| self.spy.get_stack_traces().ok()) else { return };
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
    }

    /// Whether reading the frames gives the same, if it can be done while other threads go on; for builds to be tested.
    fn agrees(&mut self, tid: i32, pointer: u64, known: &[u32], table: &mut Table) -> bool {
        self.read(tid, pointer, table, &mut |_| ());
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
    std::fs::read(format!("/proc/{pid}/maps")).is_ok_and(|maps| {
        maps.split(|&byte| byte == b'\n').any(|line| {
            let name = line.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
            contains(name, b"python")
        })
    })
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
