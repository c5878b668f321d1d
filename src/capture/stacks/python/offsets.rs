//! What an interpreter says of itself since Python 3.13: at the beginning of its run-time state stands a table of where the
//! fields of its structures are (`_Py_DebugOffsets`), so that free-threaded and debug builds are read as well as others.
//!
//! The table is of words of eight bytes; which word is what hangs on the version, which is one of the first.
//! From `Include/internal/pycore_runtime.h` (3.13) and `pycore_debug_offsets.h` (3.14, 3.15) of `CPython`.

use super::layout::{Bytecode, Innermost, LONGEST_HEAD, LONGEST_IDENTITY, Layout, Root};
use super::lines::Lines;
use super::memory;
use super::objects::Objects;

/// What the table begins with.
const COOKIE: &[u8; 8] = b"xdebugpy";
/// Words of the table up to the last that is used, in the version that has most.
const WORDS: usize = 93;
/// Frames of this owner and further ones are of no function (`FRAME_OWNED_BY_CSTACK`, `FRAME_OWNED_BY_INTERPRETER`).
const NO_FUNCTION: u8 = 3;

/// Which word of the table is what.
struct Words {
    interpreters: usize,
    next_interpreter: usize,
    first_thread: usize,
    next_thread: usize,
    innermost: usize,
    native_thread: usize,
    back: usize,
    code: usize,
    instruction: usize,
    owner: usize,
    /// In a frame, and in a code object.
    copies: Option<(usize, usize)>,
    file: usize,
    qualified_name: usize,
    line_table: usize,
    first_line: usize,
    bytecode: usize,
    kind: usize,
    kind_name: usize,
    length: usize,
    bytes: usize,
    text_state: usize,
    text_length: usize,
    text: usize,
}

const V3_13: Words = Words {
    interpreters: 5,
    next_interpreter: 8,
    first_thread: 9,
    next_thread: 21,
    innermost: 23,
    native_thread: 25,
    back: 29,
    code: 30,
    instruction: 31,
    owner: 33,
    copies: None,
    file: 35,
    qualified_name: 37,
    line_table: 38,
    first_line: 39,
    bytecode: 43,
    kind: 45,
    kind_name: 47,
    length: 65,
    bytes: 66,
    text_state: 68,
    text_length: 69,
    text: 70,
};

const V3_14: Words = Words {
    next_thread: 24,
    innermost: 26,
    native_thread: 28,
    back: 32,
    code: 33,
    instruction: 34,
    owner: 36,
    copies: Some((38, 49)),
    file: 40,
    qualified_name: 42,
    line_table: 43,
    first_line: 44,
    bytecode: 48,
    kind: 51,
    kind_name: 53,
    length: 75,
    bytes: 76,
    text_state: 78,
    text_length: 79,
    text: 80,
    ..V3_13
};

const V3_15: Words = Words {
    native_thread: 31,
    back: 40,
    code: 41,
    instruction: 42,
    owner: 44,
    copies: Some((46, 57)),
    file: 48,
    qualified_name: 50,
    line_table: 51,
    first_line: 52,
    bytecode: 56,
    kind: 59,
    kind_name: 61,
    length: 87,
    bytes: 88,
    text_state: 90,
    text_length: 91,
    text: 92,
    ..V3_14
};

/// What is read of an interpreter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offsets {
    /// Of its frames.
    pub layout: Layout,
    /// Of its code objects and what these point to.
    pub objects: Objects,
}

/// What a process has at this address, if that is an interpreter's state which tells of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It does not.
    Nothing,
    /// It is of a version that is not known here.
    Unknown,
    /// It does.
    All(Box<Offsets>),
}

/// Reads the table of the run-time state at an address.
pub fn read(pid: i32, runtime: u64) -> Told {
    let mut table = [0; WORDS * 8];
    match memory::read(pid, runtime, &mut table) {
        Some(()) => parse(&table, runtime),
        None => Told::Nothing,
    }
}

fn parse(table: &[u8; WORDS * 8], runtime: u64) -> Told {
    if !table.starts_with(COOKIE) {
        return Told::Nothing;
    }
    let words = match memory::field(table, 8) >> 16 {
        0x030d => V3_13,
        0x030e => V3_14,
        0x030f => V3_15,
        _ => return Told::Unknown,
    };
    let is_free_threaded = memory::field(table, 16) != 0;
    offsets(table, &words, is_free_threaded, runtime)
        .map_or(Told::Unknown, |offsets| Told::All(Box::new(offsets)))
}

fn offsets(table: &[u8], words: &Words, is_free_threaded: bool, runtime: u64) -> Option<Offsets> {
    // A structure has no field at such an offset.
    let far = 1 << 20;
    let of = |word: usize| usize::try_from(memory::field(table, word * 8)).ok().filter(|at| *at < far);
    let (first_line, line_table) = (of(words.first_line)?, of(words.line_table)?);
    let copies = match words.copies.filter(|_| is_free_threaded) {
        Some((index, list)) => Some((of(index)?, of(list)?)),
        None => None,
    };
    let layout = Layout {
        root: Root::First(runtime.wrapping_add(of(words.interpreters)? as u64)),
        next_interpreter: of(words.next_interpreter)?,
        moves: false,
        first_thread: of(words.first_thread)?,
        next_thread: of(words.next_thread)?,
        thread: of(words.native_thread)?,
        is_tid: true,
        innermost: Innermost::At(of(words.innermost)?),
        back: of(words.back)?,
        code: of(words.code)?,
        position: (of(words.instruction)?, 8),
        bytecode: Some(Bytecode { at: of(words.bytecode)?, copies }),
        owner: Some((of(words.owner)?, NO_FUNCTION)),
        // The fields from the first line to the table of lines: counts, the names of variables, file and name.
        identity: (first_line, (line_table + 8).checked_sub(first_line)?),
    };
    let (thread, frame) = layout.heads();
    let file = of(words.file)?;
    let is_sound = thread.max(frame) <= LONGEST_HEAD
        && layout.identity.1 <= LONGEST_IDENTITY
        && (first_line..line_table).contains(&file);
    // Whether a string is interned has two bits, and a byte where threads are free, from 3.14 on.
    let has_byte = is_free_threaded && words.copies.is_some();
    let objects = Objects {
        kind: of(words.kind)?,
        kind_name: of(words.kind_name)?,
        length: of(words.length)?,
        code: None,
        unit: 1,
        file,
        qualified_name: of(words.qualified_name)?,
        line_table,
        first_line,
        lines: Lines::Locations,
        bytes: of(words.bytes)?,
        text_state: of(words.text_state)?,
        width_bit: if has_byte { 8 } else { 2 },
        text_length: of(words.text_length)?,
        text: of(words.text)?,
        // Its UTF-8 form and how long that is.
        text_gap: 16,
    };
    is_sound.then_some(Offsets { layout, objects })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(words: &[u64]) -> [u8; WORDS * 8] {
        let mut table = [0; WORDS * 8];
        table[..8].copy_from_slice(COOKIE);
        for (slot, word) in table[8..].chunks_exact_mut(8).zip(words) {
            slot.copy_from_slice(&word.to_ne_bytes());
        }
        table
    }

    /// Those of Python 3.14 built with and without free threads, by a C program from its headers, from the second word on.
    const WITH: [u64; 80] = [
        51_251_440, 0, 316_616, 784, 808, 225_864, 7280, 7272, 7344, 7360, 7408, 7688, 7672, 7680, 16, 7784,
        0, 7800, 7792, 7992, 0, 832, 0, 8, 16, 72, 152, 160, 232, 32, 88, 8, 0, 56, 80, 74, 64, 0, 216, 112,
        120, 128, 136, 68, 52, 96, 104, 208, 0, 16, 8, 416, 24, 88, 168, 40, 32, 16, 40, 24, 16, 200, 24, 40,
        32, 48, 32, 40, 24, 16, 32, 16, 24, 40, 16, 32, 64, 32, 16, 40,
    ];
    const FREE: [u64; 80] = [
        51_251_440, 1, 362_368, 784, 808, 246_720, 7280, 7272, 7344, 7360, 7408, 7712, 7696, 7704, 16, 7808,
        0, 7832, 7824, 8024, 17_628, 832, 0, 8, 16, 72, 152, 160, 232, 32, 88, 8, 0, 56, 80, 78, 64, 72, 240,
        128, 136, 144, 152, 84, 68, 112, 120, 232, 224, 32, 24, 432, 40, 104, 184, 56, 48, 32, 56, 40, 32,
        216, 40, 56, 48, 64, 48, 56, 40, 32, 48, 32, 40, 56, 32, 48, 80, 48, 32, 56,
    ];

    #[test]
    fn both_builds_of_a_version_are_read_by_what_they_say() {
        let Told::All(with) = parse(&table(&WITH), 1000) else { panic!("known") };
        assert_eq!((with.layout.root, with.layout.next_interpreter), (Root::First(1808), 7272));
        assert_eq!((with.layout.thread, with.layout.innermost), (160, Innermost::At(72)));
        assert_eq!(with.layout.bytecode, Some(Bytecode { at: 208, copies: None }));
        assert_eq!(with.layout.identity, (68, 76));
        assert_eq!((with.objects.kind, with.objects.width_bit, with.objects.text), (8, 2, 40));
        let Told::All(free) = parse(&table(&FREE), 0) else { panic!("known") };
        assert_eq!(free.layout.bytecode, Some(Bytecode { at: 232, copies: Some((72, 224)) }));
        assert_eq!(free.layout.owner, Some((78, 3)));
        assert_eq!((free.objects.kind, free.objects.width_bit, free.objects.text), (24, 8, 56));
        assert_eq!((free.objects.file, free.objects.qualified_name), (128, 144));
    }

    #[test]
    fn what_is_no_table_or_of_another_version_is_not_read() {
        assert_eq!(parse(&[0; WORDS * 8], 0), Told::Nothing);
        assert_eq!(parse(&table(&[0x0399_00f0]), 0), Told::Unknown);
        let mut far = WITH;
        far[32] = 1 << 40;
        assert_eq!(parse(&table(&far), 0), Told::Unknown, "a field beyond all structures");
        assert_eq!(parse(&table(&[51_251_440]), 0), Told::Unknown, "fields that are all one");
    }
}
