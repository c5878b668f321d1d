//! Stacks of calls about files: the kernel's side copies registers and the upper end of the stack at the entry of such a
//! call, and here the functions are found that the thread is in, by DWARF.
//!
//! Where code is mapped is known from the recording itself: from execs (`program`), and from the calls that map and
//! unmap. A stack that reaches further down than what was copied is cut there, and has the unknown frame at its outer end.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;

use rustc_hash::FxHashMap;

use super::super::stacks::{Identity, ObjectId, Objects, Space, Symbols, Table, Walk, registers};
use super::names::{FileId, Names};
use super::program::{Programs, Start};
use super::wire::Head;
use crate::event::stack::Frame;
use crate::event::{Abi, Event};
use crate::syscall::{self, Family};

/// Registers in front of the stack, in the order of [`registers`].
const REGISTERS: usize = 17;
/// The stack pointer among them.
const STACK_POINTER: usize = 7;
/// Processes known at a time; there are no more process ids than this.
const MOST: usize = 1 << 22;

/// See the module's documentation.
#[derive(Default)]
pub struct CallStacks {
    objects: Objects,
    symbols: Symbols,
    table: Table,
    walk: Walk,
    frames: Vec<u32>,
    /// Of each process.
    spaces: FxHashMap<u32, Space>,
    /// Of the call that a thread is in.
    taken: FxHashMap<u32, u32>,
}

/// A call that has returned.
#[derive(Clone, Copy, Debug)]
pub struct Done<'a> {
    pub head: &'a Head,
    pub abi: Abi,
    pub args: &'a [u64; 6],
    /// Identity of the file behind its descriptor.
    pub file: u64,
}

impl CallStacks {
    /// A thread has entered a call: finds its stack.
    pub fn take(&mut self, head: &Head, bytes: &[u8], define: &mut dyn FnMut(&Event<'_>)) {
        self.taken.remove(&head.tid);
        let Some((values, memory)) = bytes.split_at_checked(REGISTERS * size_of::<u64>()) else { return };
        let mut order = [0_u64; REGISTERS];
        bytemuck::cast_slice_mut(&mut order).copy_from_slice(values);
        let (Some(space), Some(registers)) = (self.spaces.get(&head.pid), registers(&order)) else { return };
        let bottom = order[STACK_POINTER];
        let mut read = |at: u64| {
            let offset = usize::try_from(at.checked_sub(bottom)?).ok()?;
            memory.get(offset..offset.checked_add(8)?).map(bytemuck::pod_read_unaligned)
        };
        space.walk(&mut self.walk, registers, &mut read);
        self.frames.clear();
        if self.walk.cut {
            self.frames.push(self.table.frame(&Frame::UNKNOWN, define));
        }
        for address in self.walk.addresses.iter().rev() {
            let list = self.objects.list();
            self.symbols.code((list, head.pid), *address, &mut self.table, define, &mut self.frames);
        }
        if let Some(stack) = self.table.stack(self.frames.iter().copied(), define) {
            self.taken.insert(head.tid, stack);
        }
    }

    /// The stack of the call that a thread was in.
    pub fn of_call(&mut self, tid: u32) -> Option<u32> {
        self.taken.remove(&tid)
    }

    /// A process has executed a program, so that nothing is mapped but this and its loader.
    pub fn executed(
        &mut self,
        pid: u32,
        start: &Start,
        file: Option<(&[u8], FileId)>,
        programs: &mut Programs,
    ) {
        let mut space = Space::default();
        if let Some((path, file)) = file {
            let [program, loader] = programs.parts(path, start);
            let of = program.and_then(|part| self.map(&mut space, pid, part.path, part.range, 0, file));
            // Only where the program is the file that it was read from, is the loader the one that it names there.
            if of.is_some_and(|id| self.objects.get(id).source().is_some())
                && let Some(part) = loader
                && let Some((path, file)) = identify(part.path)
            {
                self.map(&mut space, pid, &path, part.range, 0, file);
            }
        }
        if self.spaces.len() < MOST {
            self.spaces.insert(pid, space);
        }
    }

    /// A process has made another, which is its copy.
    pub fn forked(&mut self, parent: u32, child: u32) {
        if let Some(space) = self.spaces.get(&parent).filter(|_| parent != child).cloned()
            && self.spaces.len() < MOST
        {
            self.spaces.insert(child, space);
        }
    }

    /// A process has ended.
    pub fn ended(&mut self, pid: u32) {
        self.spaces.remove(&pid);
    }

    /// A call has returned that may have changed mappings.
    pub fn returned(&mut self, done: Done<'_>, names: &Names) {
        let Done { head, abi, args, file } = done;
        let Some(spec) = syscall::lookup(abi, head.nr).filter(|spec| spec.family == Family::Memory) else {
            return;
        };
        if (-4095..0).contains(&head.ret) {
            return;
        }
        let Some(mut space) = self.spaces.remove(&head.pid) else { return };
        let range = |start: u64, length: u64| (start, start.saturating_add(length));
        match spec.name {
            "mmap" if abi != Abi::I386 => {
                let range = range(head.ret.cast_unsigned(), args[1]);
                let is_code = args[2] & libc::PROT_EXEC as u64 != 0;
                match names.file(file).filter(|_| is_code) {
                    Some((path, file)) => {
                        self.map(&mut space, head.pid, &path, range, args[5], file);
                    }
                    None => space.unmap(range.0, range.1),
                }
            }
            "munmap" | "mremap" => {
                let (start, end) = range(args[0], args[1]);
                space.unmap(start, end);
            }
            _ => {}
        }
        self.spaces.insert(head.pid, space);
    }

    fn map(
        &mut self,
        space: &mut Space,
        pid: u32,
        path: &[u8],
        range: (u64, u64),
        offset: u64,
        file: FileId,
    ) -> Option<ObjectId> {
        let identity = Identity { dev: file.dev, ino: file.ino };
        let path = path.strip_suffix(b" (deleted)").unwrap_or(path);
        let object = self.objects.open(pid, path, range, identity);
        space.map(&self.objects, object, range, offset);
        object
    }
}

/// The file that a path leads to: its own name, as the kernel has it for mappings, and which it is.
fn identify(path: &[u8]) -> Option<(Vec<u8>, FileId)> {
    let path = std::fs::canonicalize(OsStr::from_bytes(path)).ok()?;
    let meta = path.metadata().ok()?;
    Some((path.into_os_string().into_encoded_bytes(), FileId { dev: meta.dev(), ino: meta.ino() }))
}
