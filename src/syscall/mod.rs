//! The system-call table: names, arguments, families and classes, one file per architecture.
//!
//! To add an architecture: a table file like `x86_64.rs`, a file in `flags/` for the values that differ,
//! an [`Abi`], and its line in [`table`]. Nothing else of the crate knows the numbers.

pub mod decode;
pub(crate) mod effect;
pub mod flags;
mod i386;
pub(crate) mod multiplexed;
pub(crate) mod passed;
pub(crate) mod paths;
pub(crate) mod plan;
pub mod spec;
#[cfg(test)]
mod tests;
mod x32;
mod x86_64;

use crate::event::Abi;
pub use spec::{Arg, ArgSpec, Classes, Family, Ret, Spec, Struct};

/// The bit that marks an x32 call (`__X32_SYSCALL_BIT` in `asm/unistd.h`).
pub const X32_BIT: u32 = 0x4000_0000;

/// The first number of the calls that x32 has of its own.
const X32_FIRST: u32 = 512;

/// The table of an ABI, ordered by number. That of x32 is the 64-bit one; [`lookup`] knows the few calls
/// it has of its own.
#[must_use]
pub fn table(abi: Abi) -> &'static [Spec] {
    match abi {
        Abi::X86_64 | Abi::X32 => x86_64::TABLE,
        Abi::I386 => i386::TABLE,
    }
}

/// The call with this number, or `None` where the kernel has none (or a newer one than 6.18 has).
#[must_use]
pub fn lookup(abi: Abi, nr: u32) -> Option<&'static Spec> {
    let (nr, table) = match abi {
        Abi::X32 if nr & !X32_BIT >= X32_FIRST => (nr & !X32_BIT, x32::TABLE),
        Abi::X32 => (nr & !X32_BIT, x86_64::TABLE),
        Abi::X86_64 | Abi::I386 => (nr, table(abi)),
    };
    // Up to the first gap the index is the number.
    match table.get(nr as usize) {
        Some(spec) if spec.nr == nr => Some(spec),
        _ => table.binary_search_by_key(&nr, |spec| spec.nr).ok().map(|at| &table[at]),
    }
}

/// The call with this name.
#[must_use]
pub fn by_name(abi: Abi, name: &str) -> Option<&'static Spec> {
    table(abi).iter().find(|spec| spec.name == name)
}

/// The flags of `open(2)`, whose values differ between architectures.
#[must_use]
pub fn open_flags(abi: Abi) -> &'static flags::FlagSet {
    match abi {
        Abi::X86_64 | Abi::X32 | Abi::I386 => &flags::x86::OPEN,
    }
}
