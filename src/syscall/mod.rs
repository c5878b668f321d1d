//! The system-call table: names, arguments, families and classes, one file per architecture.

pub mod flags;
mod i386;
pub mod spec;
mod x86_64;

use crate::event::Abi;
pub use spec::{Arg, ArgSpec, Classes, Family, Ret, Spec, Struct};

/// The bit that marks an x32 call (`__X32_SYSCALL_BIT` in `asm/unistd.h`).
pub const X32_BIT: u32 = 0x4000_0000;

/// The table of an ABI, ordered by number. The x32 ABI shares the 64-bit table.
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
    let nr = if abi == Abi::X32 { nr & !X32_BIT } else { nr };
    let table = table(abi);
    // Numbers are nearly dense: the index is at most the number, so search only below it.
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
