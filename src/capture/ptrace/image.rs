//! What the kernel set up at an exec: where the program begins, and which dynamic loader runs before it.
//!
//! From the auxiliary vector (getauxval(3)) and the ELF headers in the process's memory (elf(5)). The
//! loader's place tells its calls from those of everybody else, by the instruction pointer; its name
//! tells musl's, which is the C library too. All of it comes from the traced program and may be anything:
//! what makes no sense is left out.

use super::files::proc_file;
use super::memory::{Memory, StringEnd, ThreadMemory, read_exact, read_string};

/// Keys of the auxiliary vector (`elf.h`).
const AT_PHDR: u64 = 3;
const AT_PHENT: u64 = 4;
const AT_PHNUM: u64 = 5;
const AT_BASE: u64 = 7;
const AT_ENTRY: u64 = 9;
/// Types of program headers.
const PT_LOAD: u64 = 1;
const PT_INTERP: u64 = 3;
const PT_PHDR: u64 = 6;
/// More program headers than any program has.
const MOST_HEADERS: u64 = 64;
/// Longest name of a loader that is kept.
const LONGEST_NAME: usize = 255;
const PAGE: u64 = 4096;

/// A program as it begins.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Image {
    /// Its entry point.
    pub(super) entry: u64,
    /// Where the dynamic loader lies: its first address, and the first after it; zeros without one.
    pub(super) loader: (u64, u64),
    /// The loader's path, as the program names it; empty without one.
    pub(super) loader_path: Vec<u8>,
}

/// Field widths and places for the two sizes of word.
#[derive(Clone, Copy)]
struct Layout {
    word: usize,
    /// Of `e_phoff`, `e_phentsize`, `e_phnum` in the ELF header, and its size.
    header: [usize; 4],
    /// Of `p_vaddr`, `p_memsz` in a program header, and its size.
    program: [usize; 3],
}

const WIDE: Layout = Layout { word: 8, header: [32, 54, 56, 64], program: [16, 40, 56] };
const NARROW: Layout = Layout { word: 4, header: [28, 42, 44, 52], program: [8, 20, 32] };

/// A program header, as far as it matters here.
struct ProgramHeader {
    kind: u64,
    address: u64,
    size: u64,
}

impl Image {
    /// Of the program that the thread has just begun to run.
    pub(super) fn of(tid: i32) -> Option<Self> {
        Self::read(&proc_file(tid, "auxv")?, &ThreadMemory(tid))
    }

    fn read(auxv: &[u8], memory: &impl Memory) -> Option<Self> {
        // The first key is a small number: read as 64 bits, a 32-bit vector shows its first value above it.
        let layout = if number(auxv.get(..8)?) < 1 << 16 { WIDE } else { NARROW };
        let value = |key| {
            let mut pairs = auxv.chunks_exact(2 * layout.word);
            pairs.find(|pair| number(&pair[..layout.word]) == key).map(|pair| number(&pair[layout.word..]))
        };
        let base = value(AT_BASE).unwrap_or(0);
        let mut image = Self { entry: value(AT_ENTRY)?, ..Self::default() };
        if base != 0 {
            image.loader = (base, base.saturating_add(extent(base, layout, memory).unwrap_or(0)));
            let headers = (value(AT_PHDR)?, value(AT_PHENT)?, value(AT_PHNUM)?);
            image.loader_path = interpreter(headers, layout, memory).unwrap_or_default();
        }
        Some(image)
    }
}

/// How far from its first address an object reaches whose ELF header is at `base`.
fn extent(base: u64, layout: Layout, memory: &impl Memory) -> Option<u64> {
    let mut header = [0; 64];
    let [offset, entry_size, count, size] = layout.header;
    if !read_exact(memory, base, &mut header[..size]) || !header.starts_with(b"\x7fELF") {
        return None;
    }
    let field = |at: usize, length: usize| number(&header[at..at + length]);
    let table = (base.checked_add(field(offset, layout.word))?, field(entry_size, 2), field(count, 2));
    let headers = program_headers(table, layout, memory)?;
    let loaded = headers.iter().filter(|header| header.kind == PT_LOAD);
    loaded.filter_map(|header| header.address.checked_add(header.size)?.checked_next_multiple_of(PAGE)).max()
}

/// The name of the loader that a program asks for.
fn interpreter(table: (u64, u64, u64), layout: Layout, memory: &impl Memory) -> Option<Vec<u8>> {
    let headers = program_headers(table, layout, memory)?;
    let of = |kind| headers.iter().find(|header| header.kind == kind);
    // The table tells its own address, so that the program's place can be told from it.
    let moved_by = table.0.wrapping_sub(of(PT_PHDR)?.address);
    let mut name = Vec::new();
    let at = of(PT_INTERP)?.address.wrapping_add(moved_by);
    (read_string(memory, at, LONGEST_NAME, &mut name) == StringEnd::Nul).then_some(name)
}

/// The table of program headers: its address, the size of one, how many.
fn program_headers(
    (address, entry_size, count): (u64, u64, u64),
    layout: Layout,
    memory: &impl Memory,
) -> Option<Vec<ProgramHeader>> {
    let [at, memory_size, size] = layout.program;
    if entry_size != size as u64 || count > MOST_HEADERS {
        return None;
    }
    let mut table = vec![0; size * count as usize];
    if !read_exact(memory, address, &mut table) {
        return None;
    }
    let header = |bytes: &[u8]| ProgramHeader {
        kind: number(&bytes[..4]),
        address: number(&bytes[at..at + layout.word]),
        size: number(&bytes[memory_size..memory_size + layout.word]),
    };
    Some(table.chunks_exact(size).map(header).collect())
}

/// A little-endian number of at most eight bytes.
fn number(bytes: &[u8]) -> u64 {
    let mut whole = [0; 8];
    whole[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(whole)
}

#[cfg(test)]
mod tests {
    use super::super::super::sys::memory::Span;
    use super::*;

    /// Stretches of memory by address.
    struct Fake(Vec<(u64, Vec<u8>)>);

    impl Memory for Fake {
        fn read(&self, spans: &[Span], buffer: &mut [u8]) -> usize {
            let mut done = 0;
            for span in spans {
                let part = self.0.iter().find_map(|(address, bytes)| {
                    let from = usize::try_from(span.address.checked_sub(*address)?).ok()?;
                    bytes.get(from..from.checked_add(span.length)?)
                });
                let Some(part) = part else { return done };
                buffer[done..done + span.length].copy_from_slice(part);
                done += span.length;
            }
            done
        }
    }

    fn put(bytes: &mut [u8], at: usize, width: usize, value: u64) {
        bytes[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
    }

    fn table(layout: Layout, headers: &[(u64, u64, u64)]) -> Vec<u8> {
        let [address, memory_size, size] = layout.program;
        let mut bytes = vec![0; size * headers.len()];
        for (header, &(kind, at, length)) in bytes.chunks_exact_mut(size).zip(headers) {
            put(header, 0, 4, kind);
            put(header, address, layout.word, at);
            put(header, memory_size, layout.word, length);
        }
        bytes
    }

    /// A loader of two segments, and a program that asks for it and lies 0x1000 above what it says.
    fn process(layout: Layout, base: u64) -> (Vec<u8>, Fake) {
        let [offset, entry_size, count, size] = layout.header;
        let mut loader = vec![0; size];
        loader[..4].copy_from_slice(b"\x7fELF");
        put(&mut loader, offset, layout.word, size as u64);
        put(&mut loader, entry_size, 2, layout.program[2] as u64);
        put(&mut loader, count, 2, 2);
        loader.extend(table(layout, &[(PT_LOAD, 0, 0x800), (PT_LOAD, 0x2000, 0x1001)]));
        let program = table(layout, &[(PT_PHDR, 0x4_0040, 0), (PT_INTERP, 0x4_0200, 0)]);
        let mut name = b"/lib/ld.so\0".to_vec();
        name.resize(256, 0);
        let memory = vec![(base, loader), (0x4_1040, program), (0x4_1200, name)];
        let pairs = [
            (33, 0x7fff_0000),
            (AT_PHDR, 0x4_1040),
            (AT_PHENT, layout.program[2] as u64),
            (AT_PHNUM, 2),
            (AT_BASE, base),
            (AT_ENTRY, 0x4_1500),
            (0, 0),
        ];
        let words = pairs.iter().flat_map(|&(key, value)| [key, value]);
        let auxv = words.flat_map(|word| word.to_le_bytes()[..layout.word].to_vec()).collect();
        (auxv, Fake(memory))
    }

    #[test]
    fn both_word_sizes_are_read() {
        for layout in [WIDE, NARROW] {
            let (auxv, memory) = process(layout, 0x70_0000);
            let image = Image::read(&auxv, &memory).unwrap();
            let expected = Image {
                entry: 0x4_1500,
                loader: (0x70_0000, 0x70_4000),
                loader_path: b"/lib/ld.so".to_vec(),
            };
            assert_eq!(image, expected, "{}", layout.word);
        }
    }

    #[test]
    fn what_makes_no_sense_is_left_out() {
        let (auxv, memory) = process(WIDE, 0);
        assert_eq!(
            Image::read(&auxv, &memory),
            Some(Image { entry: 0x4_1500, ..Image::default() }),
            "a program without a loader"
        );
        let (auxv, _) = process(WIDE, u64::MAX);
        let blind = Image::read(&auxv, &Fake(Vec::new())).unwrap();
        assert_eq!((blind.loader, blind.loader_path.len()), ((u64::MAX, u64::MAX), 0));
        assert_eq!(Image::read(&[], &Fake(Vec::new())), None);
        assert_eq!(Image::read(&auxv[..16], &Fake(Vec::new())), None);
    }

    #[test]
    fn our_own_is_as_the_kernel_says() {
        let image = Image::of(std::process::id() as i32).expect("readable");
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let spans = maps.lines().filter(|line| line.contains("/ld-") || line.contains("/ld."));
        let ends = spans.filter_map(|line| line.split_once(' ')?.0.split_once('-'));
        let ends: Vec<(u64, u64)> = ends
            .map(|(from, to)| (u64::from_str_radix(from, 16).unwrap(), u64::from_str_radix(to, 16).unwrap()))
            .collect();
        let (from, to) = (ends.iter().map(|e| e.0).min(), ends.iter().map(|e| e.1).max());
        assert_eq!(Some(image.loader), from.zip(to));
        assert!(image.loader_path.starts_with(b"/lib"));
    }
}
