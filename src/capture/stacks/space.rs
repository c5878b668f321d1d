//! Where files are mapped in a process, and unwinding by what they say.

use std::collections::BTreeMap;
use std::sync::Arc;

use framehop::x86_64::{CacheX86_64, Reg, UnwindRegsX86_64, UnwinderX86_64};
use framehop::{FrameAddress, Unwinder};
use rustc_hash::FxHashMap;

use super::calls::ends_with_call;
use super::guard::guarded;
use super::object::{Bytes, Object, ObjectId, Objects};

/// Frames of a stack at most; a deeper one is cut at its outer end.
const DEEPEST: usize = 512;
/// Addresses that calls return to or not, of which that is kept.
const MOST_RETURNS: usize = 1 << 16;
/// Mappings of code of a process that are kept.
const MOST: usize = 1 << 14;

/// The registers of a thread in user mode.
pub type Registers = UnwindRegsX86_64;

/// An address in code, as unwinding finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// Where the process has it.
    pub at: u64,
    /// The object mapped there, and the address in it as its headers count. A return address is that of its call.
    pub place: Option<(ObjectId, u64)>,
}

#[derive(Clone, Debug)]
struct Mapping {
    end: u64,
    id: ObjectId,
    object: Arc<Object>,
    /// Where the object's address 0 is, wrapping.
    base: u64,
}

/// The code mapped into one process. A child's is a copy.
#[derive(Clone, Default)]
pub struct Space {
    code: BTreeMap<u64, Mapping>,
    unwinder: UnwinderX86_64<Bytes>,
}

impl std::fmt::Debug for Space {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Space").field("code", &self.code).finish_non_exhaustive()
    }
}

/// What unwinding needs besides a [`Space`]: memory that is used again.
#[derive(Default)]
pub struct Walk {
    cache: CacheX86_64,
    /// The addresses of the last stack, innermost first.
    pub addresses: Vec<Address>,
    /// The outermost frame was not reached.
    pub cut: bool,
    /// Whether a call returns to these addresses of objects.
    returns: FxHashMap<(ObjectId, u64), bool>,
}

impl std::fmt::Debug for Walk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Walk").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

impl Space {
    /// Code of an object (from this offset of its file on) is mapped; what was there before is gone.
    pub fn map(
        &mut self,
        objects: &Objects,
        object: Option<ObjectId>,
        (start, end): (u64, u64),
        offset: u64,
    ) {
        self.unmap(start, end);
        let Some(id) = object else { return };
        let Some(address) = objects.get(id).address(offset) else { return };
        if start >= end || self.code.len() >= MOST {
            return;
        }
        let base = start.wrapping_sub(address);
        let object = Arc::clone(&objects.list()[id as usize]);
        self.code.insert(start, Mapping { end, id, object, base });
        self.unwinder.add_module(objects.get(id).module(start..end, base));
    }

    /// Nothing of what was known of these addresses holds any more.
    pub fn unmap(&mut self, start: u64, end: u64) {
        let overlaps = |(&begin, mapping): (&u64, &Mapping)| (mapping.end > start).then_some(begin);
        while let Some(begin) = self.code.range(..end).next_back().and_then(overlaps) {
            self.code.remove(&begin);
            self.unwinder.remove_module(begin);
        }
    }

    /// What is mapped at an address of code.
    pub fn find(&self, at: u64) -> Address {
        Address { at, place: self.mapping(at).map(|mapping| (mapping.id, at.wrapping_sub(mapping.base))) }
    }

    fn mapping(&self, at: u64) -> Option<&Mapping> {
        let (_, mapping) = self.code.range(..=at).next_back()?;
        (at < mapping.end).then_some(mapping)
    }

    /// Whether a call may return there: one stands before it. True of code that cannot be read, such as what is made at run
    /// time.
    pub fn may_return_to(&self, walk: &mut Walk, at: u64) -> bool {
        let Some(mapping) = self.mapping(at.saturating_sub(1)) else { return true };
        let place = (mapping.id, at.wrapping_sub(mapping.base));
        if walk.returns.len() >= MOST_RETURNS {
            walk.returns.clear();
        }
        *walk
            .returns
            .entry(place)
            .or_insert_with(|| mapping.object.before(place.1).is_none_or(ends_with_call))
    }

    /// Whether this is in the code of a program that runs first.
    fn is_entry(&self, at: u64) -> bool {
        self.mapping(at).is_some_and(|mapping| mapping.object.is_entry(at.wrapping_sub(mapping.base)))
    }

    /// Finds a stack's addresses. `read` gives the eight bytes at an address of the stack, where they are known.
    pub fn walk(&self, walk: &mut Walk, registers: Registers, read: &mut dyn FnMut(u64) -> Option<u64>) {
        walk.addresses.clear();
        walk.cut = true;
        guarded(|| {
            self.follow(walk, registers, read);
            Some(())
        });
    }

    /// Whether DWARF says that there is no caller. Without it, a frame pointer or return address of 0 is taken for the end, but may
    /// be whatever a function has left there.
    fn is_said_to_end(&self, walk: &mut Walk, address: FrameAddress, mut registers: Registers) -> bool {
        // Who goes by the stack or the frame pointer cannot go on with these.
        registers.set_bp(u64::MAX);
        let mut nothing = |_| Err(());
        self.unwinder.unwind_frame(address, &mut registers, &mut walk.cache, &mut nothing) == Ok(None)
    }

    fn follow(&self, walk: &mut Walk, mut registers: Registers, read: &mut dyn FnMut(u64) -> Option<u64>) {
        let mut read = |at| read(at).ok_or(());
        let mut address = FrameAddress::from_instruction_pointer(registers.ip());
        loop {
            let at = match address {
                FrameAddress::InstructionPointer(at) => at,
                FrameAddress::ReturnAddress(at) => at.get() - 1,
            };
            walk.addresses.push(self.find(at));
            if walk.addresses.len() >= DEEPEST {
                return;
            }
            let before = registers;
            let caller = self.unwinder.unwind_frame(address, &mut registers, &mut walk.cache, &mut read);
            let Ok(caller) = caller else { return };
            let Some(caller) = caller else {
                walk.cut = !self.is_entry(at) && !self.is_said_to_end(walk, address, before);
                return;
            };
            // By frame pointers, by a guess where there is no DWARF, or by a wrong one.
            if !self.may_return_to(walk, caller) {
                return;
            }
            let Some(caller) = FrameAddress::from_return_address(caller) else { return };
            address = caller;
        }
    }
}

/// The registers as framehop orders them, from the kernel's order of those in `PERF_REGS_X86` (`asm/perf_regs.h`):
/// ax, bx, cx, dx, si, di, bp, sp, ip, r8 to r15.
pub fn registers(values: &[u64]) -> Option<Registers> {
    const ORDER: [Reg; 8] = [Reg::RAX, Reg::RBX, Reg::RCX, Reg::RDX, Reg::RSI, Reg::RDI, Reg::RBP, Reg::RSP];
    const HIGH: [Reg; 8] = [Reg::R8, Reg::R9, Reg::R10, Reg::R11, Reg::R12, Reg::R13, Reg::R14, Reg::R15];
    let (low, rest) = values.split_first_chunk::<8>()?;
    let (&ip, high) = rest.split_first()?;
    let mut registers = Registers::new(ip, 0, 0);
    let high: &[u64; 8] = high.try_into().ok()?;
    for (register, value) in ORDER.iter().zip(low).chain(HIGH.iter().zip(high)) {
        registers.set(*register, *value);
    }
    Some(registers)
}
