//! A call that has been entered and has not returned: all that was captured at its entry.

use std::ops::Range;

use super::super::Intervention;
use super::super::decode::plan::{self, Plan};
use super::files::Name;
use crate::event::{Abi, Event, Flags, Kind};

/// A stretch of [`Call::text`].
pub type Text = Option<Range<usize>>;

/// The call a thread is in. One value a thread is used again for each call, so that its buffer is
/// allocated once.
#[derive(Debug)]
pub struct Call {
    /// The thread that entered it (an exec from another thread than the leader changes its tid inside).
    pub tid: i32,
    /// Convention.
    pub abi: Abi,
    /// Number.
    pub nr: u32,
    /// Arguments, those not taken set to 0.
    pub args: [u64; 6],
    /// Address behind the call's instruction.
    pub ip: u64,
    /// When the thread was let into the call.
    pub start_ns: u64,
    /// What is special.
    pub flags: Flags,
    /// What to do at its exit.
    pub plan: &'static Plan,
    /// Flags of a clone, wherever they were passed.
    pub clone_flags: u64,
    /// The call has made its child, which is known.
    pub child_known: bool,
    /// It was told that it never returns.
    pub is_over: bool,
    /// All captured text, one stretch after the other.
    pub text: Vec<u8>,
    /// Paths as passed.
    pub paths: [Text; 2],
    /// Paths made absolute.
    pub absolute: [Text; 2],
    /// Socket address.
    pub peer: Text,
    /// Arguments of an exec.
    pub argv: Text,
    /// Text returned or passed in a structure.
    pub result: Text,
    /// Files behind descriptor arguments.
    pub files: [Option<Name>; 2],
    /// The stack it was made with.
    pub stack: Option<u32>,
    /// Whether `memory` is kept.
    pub keeps: bool,
    /// What its pointers pointed to, as [`crate::syscall::decode`] has it.
    pub memory: Vec<u8>,
    /// What is done to it.
    pub intervention: Intervention,
}

impl Default for Call {
    fn default() -> Self {
        Self {
            tid: 0,
            abi: Abi::X86_64,
            nr: 0,
            args: [0; 6],
            ip: 0,
            start_ns: 0,
            flags: Flags::default(),
            plan: plan::of(Abi::X86_64, u32::MAX),
            clone_flags: 0,
            child_known: false,
            is_over: false,
            text: Vec::new(),
            paths: [None, None],
            absolute: [None, None],
            peer: None,
            argv: None,
            result: None,
            files: [None, None],
            stack: None,
            keeps: false,
            memory: Vec::new(),
            intervention: Intervention::default(),
        }
    }
}

/// Buffers longer than this are given back after the call (an exec's arguments can be long).
const KEEP_CAPACITY: usize = 16 * 1024;

impl Call {
    /// Forgets the call before, keeping the buffer.
    pub fn clear(&mut self) {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        text.shrink_to(KEEP_CAPACITY);
        let mut memory = std::mem::take(&mut self.memory);
        memory.clear();
        memory.shrink_to(KEEP_CAPACITY);
        *self = Self { text, memory, ..Self::default() };
    }

    /// An argument that is a descriptor.
    pub fn fd(&self, index: u8) -> i32 {
        self.args[usize::from(index)] as i32
    }

    /// What was appended to the text since `begin`.
    pub fn since(&self, begin: usize) -> Range<usize> {
        begin..self.text.len()
    }

    /// A stretch of the text.
    pub fn text(&self, range: &Text) -> Option<&[u8]> {
        self.text.get(range.clone()?)
    }

    /// The call as an event; `ret` and `end_ns` are `None` when it never returned.
    pub fn event<'a>(&'a self, pid: i32, comm: &'a [u8], ret: Option<i64>, end_ns: Option<u64>) -> Event<'a> {
        Event {
            pid: pid as u32,
            comm,
            tid: self.tid as u32,
            start_ns: self.start_ns,
            end_ns,
            abi: self.abi,
            nr: self.nr,
            args: self.args,
            ret,
            ip: self.ip,
            path: self.text(&self.paths[0]),
            path_abs: self.text(&self.absolute[0]),
            path2: self.text(&self.paths[1]),
            path2_abs: self.text(&self.absolute[1]),
            file: self.files[0].as_deref(),
            file2: self.files[1].as_deref(),
            text: self.text(&self.result),
            peer: self.text(&self.peer),
            argv: self.text(&self.argv),
            memory: self.keeps.then_some(&self.memory[..]),
            flags: self.flags,
            stack: self.stack,
            ..Event::new(Kind::Syscall)
        }
    }
}
