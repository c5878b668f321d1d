//! The stack of a call, taken where its thread is stopped at the call's entry, before the clock of the call runs.
//!
//! Taken of calls about files, or of all. A process's mappings are read anew after a call that may have changed those of code.

use nix::sys::ptrace::getregs;
use nix::unistd::Pid;
use rustc_hash::FxHashMap;

use super::super::stacks::{
    Care, Interpreter, Objects, Space, Symbols, Table, Walk, Wanted, maps, registers,
};
use super::super::sys::memory::{Span, read_spans};
use super::call::Call;
use super::recording::Options;
use crate::event::stack::Frame;
use crate::event::{Abi, Event};
use crate::syscall::{self, Family};

const PAGE: usize = 4096;
/// What is read of a stack at a time.
const PIECE: usize = 16 << 10;
/// What is read of a stack at most.
const LONGEST: usize = 1 << 20;
/// `__USER_CS` of x86-64: the thread runs 64-bit code (`asm/segment.h`).
const CODE_64: u64 = 0x33;
/// The function of `CPython` in which its own functions run, and its name in Python 2.
const EVALUATORS: [&[u8]; 2] = [b"_PyEval_EvalFrameDefault", b"PyEval_EvalFrameEx"];

/// What is known of a process.
#[derive(Debug, Default)]
struct Process {
    space: Option<Space>,
    interpreter: Interpreter,
}

/// Takes stacks.
pub struct CallStacks {
    wanted: Wanted,
    /// Of calls, not only of samples.
    of_calls: bool,
    every: bool,
    processes: FxHashMap<i32, Process>,
    objects: Objects,
    symbols: Symbols,
    table: Table,
    walk: Walk,
    memory: Vec<u8>,
    native: Vec<u32>,
    frames: Vec<u32>,
    /// Frames in which Python functions run.
    evaluators: Vec<u32>,
}

impl CallStacks {
    /// Those that are wanted, if any are.
    pub fn wanted(options: &Options) -> Option<Self> {
        let of_samples = options.sample.map(|sample| sample.frames);
        let wanted = options.stacks.or(of_samples)?;
        Some(Self::new(wanted, options.stacks.is_some(), options.every_stack))
    }

    /// With `every`, of all calls, and with a frame for each instruction.
    fn new(wanted: Wanted, of_calls: bool, every: bool) -> Self {
        Self {
            wanted,
            of_calls,
            every,
            processes: FxHashMap::default(),
            objects: Objects::default(),
            symbols: if every { Symbols::default().exact() } else { Symbols::default() },
            table: Table::default(),
            walk: Walk::default(),
            memory: Vec::new(),
            native: Vec::new(),
            frames: Vec::new(),
            evaluators: Vec::new(),
        }
    }

    /// The stack of the call a thread of a process is about to make; `None`: it is about no file, or nothing is known.
    pub fn take(&mut self, pid: i32, call: &Call, define: &mut dyn FnMut(&Event<'_>)) -> Option<u32> {
        let stack = self.stack(pid, call, define);
        // Behind the stack of the call itself, which still is of the mappings before it.
        self.note_mappings(pid, call);
        stack
    }

    fn stack(&mut self, pid: i32, call: &Call, define: &mut dyn FnMut(&Event<'_>)) -> Option<u32> {
        if !self.every && !is_about_files(call) {
            return None;
        }
        if self.wanted.python() {
            let interpreter = &mut self.processes.entry(pid).or_default().interpreter;
            interpreter.look_for(pid, call.text(&call.paths[0]), &mut self.objects);
        }
        if !self.of_calls {
            return None;
        }
        let regs = getregs(Pid::from_raw(call.tid)).ok()?;
        self.at((pid, call.tid), &regs, Care::AtCall, define)
    }

    /// The stack of a thread of a process that has stopped anywhere.
    pub fn sample(
        &mut self,
        ids: (i32, i32),
        regs: &libc::user_regs_struct,
        define: &mut dyn FnMut(&Event<'_>),
    ) -> Option<u32> {
        if self.wanted.python() {
            let interpreter = &mut self.processes.entry(ids.0).or_default().interpreter;
            interpreter.look_for(ids.0, None, &mut self.objects);
        }
        self.at(ids, regs, Care::Anywhere, define).or_else(|| self.unknown(define))
    }

    /// A stack of which nothing is known.
    pub fn unknown(&mut self, define: &mut dyn FnMut(&Event<'_>)) -> Option<u32> {
        let frame = self.table.frame(&Frame::UNKNOWN, define);
        self.table.stack([frame], define)
    }

    fn at(
        &mut self,
        (pid, tid): (i32, i32),
        regs: &libc::user_regs_struct,
        care: Care,
        define: &mut dyn FnMut(&Event<'_>),
    ) -> Option<u32> {
        self.frames.clear();
        let is_read = !self.wanted.python() || {
            let interpreter = &mut self.processes.entry(pid).or_default().interpreter;
            interpreter.frames((pid, tid), regs.fs_base, care, &mut self.table, define, &mut self.frames)
        };
        if self.wanted.native() && regs.cs == CODE_64 {
            self.take_native(pid, tid, regs, define);
            // Python's functions, which are not known, stand below these or among them.
            if !is_read && !self.walk.cut {
                let unknown = self.table.frame(&Frame::UNKNOWN, define);
                self.native.insert(0, unknown);
            }
            // Upon Python's frames stand those that the innermost of them calls.
            let calls = self.native.iter().rposition(|frame| self.evaluators.contains(frame));
            let start = match (self.frames.is_empty(), calls) {
                (true, _) => 0,
                (false, Some(at)) => at + 1,
                (false, None) => self.native.len(),
            };
            self.frames.extend_from_slice(&self.native[start..]);
        }
        if self.frames.is_empty() && !is_read {
            return self.unknown(define);
        }
        self.table.stack(self.frames.iter().copied(), define)
    }

    /// What a call does to the mappings of its process.
    fn note_mappings(&mut self, pid: i32, call: &Call) {
        let Some(spec) = spec(call).filter(|spec| spec.family == Family::Memory) else { return };
        let Some(process) = self.processes.get_mut(&pid) else { return };
        let executable = call.args[2] & libc::PROT_EXEC as u64 != 0;
        match spec.name {
            // What i386's first mmap maps stands in memory.
            "mmap" | "mmap2" | "mprotect" | "pkey_mprotect" if !executable && call.abi != Abi::I386 => {}
            "munmap" => {
                if let Some(space) = &mut process.space {
                    space.unmap(call.args[0], call.args[0].saturating_add(call.args[1]));
                }
            }
            "mmap" | "mmap2" | "mprotect" | "pkey_mprotect" | "mremap" | "remap_file_pages" => {
                process.space = None;
            }
            _ => {}
        }
    }

    /// A process has made another, which is its copy.
    pub fn forked(&mut self, parent: i32, child: i32) {
        if let Some(parent) = self.processes.get(&parent) {
            let interpreter = parent.interpreter.of_child();
            self.processes.insert(child, Process { space: parent.space.clone(), interpreter });
        }
    }

    /// Whether a process has an interpreter whose functions cannot be told.
    pub fn is_unread(&self, pid: i32) -> bool {
        self.processes.get(&pid).is_some_and(|process| process.interpreter.is_unread())
    }

    /// The process runs another program, or has ended.
    pub fn forget(&mut self, pid: i32) {
        self.processes.remove(&pid);
        self.symbols.forget(pid.cast_unsigned());
    }

    fn take_native(
        &mut self,
        pid: i32,
        tid: i32,
        regs: &libc::user_regs_struct,
        define: &mut dyn FnMut(&Event<'_>),
    ) {
        self.native.clear();
        let process = self.processes.entry(pid).or_default();
        if process.space.is_none() {
            process.space = maps::read(tid, &mut self.objects);
        }
        let Some(space) = &process.space else { return };
        let order = [
            regs.rax, regs.rbx, regs.rcx, regs.rdx, regs.rsi, regs.rdi, regs.rbp, regs.rsp, regs.rip,
            regs.r8, regs.r9, regs.r10, regs.r11, regs.r12, regs.r13, regs.r14, regs.r15,
        ];
        let Some(registers) = registers(&order) else { return };
        let memory = &mut self.memory;
        memory.clear();
        space.walk(&mut self.walk, registers, &mut |at| word(tid, memory, regs.rsp, at));
        if self.walk.cut {
            self.native.push(self.table.frame(&Frame::UNKNOWN, define));
        }
        let evaluators = &mut self.evaluators;
        let mut note = |event: &Event<'_>| {
            if event.text.is_some_and(|name| EVALUATORS.contains(&name)) {
                evaluators.push(event.args[0] as u32);
            }
            define(event);
        };
        for address in self.walk.addresses.iter().rev() {
            let objects = (self.objects.list(), pid.cast_unsigned());
            self.symbols.code(objects, *address, &mut self.table, &mut note, &mut self.native);
        }
    }
}

/// The eight bytes at an address of the stack, of which what was read is in `memory`, from `bottom` on.
fn word(tid: i32, memory: &mut Vec<u8>, bottom: u64, at: u64) -> Option<u64> {
    let offset = usize::try_from(at.checked_sub(bottom)?).ok()?;
    let end = offset.checked_add(8).filter(|end| *end <= LONGEST)?;
    while memory.len() < end {
        let known = memory.len();
        // Up to the end of a page; the last piece of a stack need not be whole.
        let into_page = (bottom as usize).wrapping_add(known) % PAGE;
        let read = [PIECE - into_page, PAGE - into_page].into_iter().find_map(|length| {
            memory.resize(known + length, 0);
            let span = Span { address: bottom.wrapping_add(known as u64), length };
            read_spans(tid, &[span], &mut memory[known..]).ok().filter(|read| *read > 0)
        });
        memory.truncate(known + read.unwrap_or(0));
        read?;
    }
    Some(u64::from_ne_bytes(memory.get(offset..end)?.try_into().ok()?))
}

fn spec(call: &Call) -> Option<&'static syscall::Spec> {
    syscall::lookup(call.abi, call.nr)
}

fn is_about_files(call: &Call) -> bool {
    spec(call).is_some_and(|spec| spec.family.is_about_files())
}
