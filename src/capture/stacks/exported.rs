//! Functions by the symbols of a program's file itself, as strace -k names them: by libunwind, which knows no separate
//! debug files.
//!
//! Of several names of one function (`write`, `__write`, and `__GI___libc_write` of a debug file) libunwind takes the first
//! one of the file's tables, that of dynamic symbols before the other. It takes the nearest one before an address, too,
//! whether it reaches that far or not; here one that does not is none, for it is another function's.

use std::fs::File;
use std::path::Path;

use object::read::elf::ElfFile64;
use object::{Endianness, Object as _, ObjectSymbol, ReadCache, SymbolFlags};

/// Symbols that are looked at.
const MOST: usize = 1 << 20;
/// Longest name that is kept.
const LONGEST_NAME: usize = 4096;

#[derive(Clone, Copy, Debug)]
struct Function {
    address: u64,
    size: u64,
    /// Its name: a range of `names`.
    name: (usize, usize),
}

/// The functions of one file, by their addresses.
#[derive(Debug, Default)]
pub struct Functions {
    list: Vec<Function>,
    names: Vec<u8>,
}

impl Functions {
    /// Reads the symbols of a file; `None`: it cannot be read.
    pub fn of(path: &Path) -> Option<Self> {
        let file = File::open(path).ok()?;
        let cache = ReadCache::new(&file);
        let elf = ElfFile64::<Endianness, _>::parse(&cache).ok()?;
        let mut functions = Self::default();
        for symbol in elf.dynamic_symbols().chain(elf.symbols()).take(MOST) {
            let is_function = matches!(symbol.flags(), SymbolFlags::Elf { st_info, .. }
                if st_info & 0xf == object::elf::STT_FUNC);
            if is_function
                && !symbol.is_undefined()
                && let Ok(name) = symbol.name_bytes()
            {
                functions.push(symbol.address(), symbol.size(), name);
            }
        }
        // The first of those at an address stays the first.
        functions.list.sort_by_key(|function| function.address);
        functions.list.dedup_by_key(|function| function.address);
        Some(functions)
    }

    fn push(&mut self, address: u64, size: u64, name: &[u8]) {
        let begin = self.names.len();
        self.names.extend_from_slice(&name[..name.len().min(LONGEST_NAME)]);
        self.list.push(Function { address, size, name: (begin, self.names.len()) });
    }

    /// The function that an address is in, and how far in; of one without a size, `reaches` says whether it goes so far.
    pub fn at(&self, at: u64, reaches: impl FnOnce(u64) -> bool) -> Option<(&[u8], u64)> {
        let behind = self.list.partition_point(|function| function.address <= at);
        let function = self.list[..behind].last()?;
        let offset = at - function.address;
        let is_inside = if function.size == 0 { reaches(function.address) } else { offset < function.size };
        is_inside.then(|| (&self.names[function.name.0..function.name.1], offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_name_of_those_that_reach_so_far() {
        let mut functions = Functions::default();
        for (address, size, name) in
            [(0x10, 8, "write"), (0x10, 8, "__write"), (0x20, 0, "_start"), (0x8, 4, "read")]
        {
            functions.push(address, size, name.as_bytes());
        }
        functions.list.sort_by_key(|function| function.address);
        functions.list.dedup_by_key(|function| function.address);
        let at = |at| {
            functions.at(at, |begin| begin == 0x20 && at < 0x30).map(|(name, offset)| (name.to_vec(), offset))
        };
        assert_eq!(at(0x13), Some((b"write".to_vec(), 3)));
        assert_eq!(at(0x25), Some((b"_start".to_vec(), 5)));
        assert_eq!((at(0x7), at(0xc), at(0x18), at(0x30)), (None, None, None, None));
    }
}
