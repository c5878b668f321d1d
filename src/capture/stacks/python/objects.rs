//! Where the fields of Python's objects are that names and lines are read from.

use super::lines::Lines;

/// Offsets in bytes, and what else differs between versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Objects {
    /// In any object: its type; in a type: its name.
    pub kind: usize,
    /// See `kind`.
    pub kind_name: usize,
    /// In an object of varying length: how long it is. A code object has so many units of two bytes, where `code` is none.
    pub length: usize,
    /// In a code object: the `bytes` that are its code.
    pub code: Option<usize>,
    /// Bytes of code that a frame's position counts by.
    pub unit: u64,
    /// In a code object: its file, its name with that of its class, its table of lines, its first line.
    pub file: usize,
    /// See `file`.
    pub qualified_name: usize,
    /// See `file`.
    pub line_table: usize,
    /// See `file`.
    pub first_line: usize,
    /// How the table of lines is written.
    pub lines: Lines,
    /// In a `bytes`: what it holds.
    pub bytes: usize,
    /// In a `str`: of what kind it is; the first bit of that which says how wide characters are; how many they are.
    pub text_state: usize,
    /// See `text_state`.
    pub width_bit: u32,
    /// See `text_state`.
    pub text_length: usize,
    /// In a `str` of ASCII: the characters. In others they are so many bytes further on.
    pub text: usize,
    /// See `text`.
    pub text_gap: usize,
}

/// Of 3.6, from which the others differ (`Include/code.h`, `bytesobject.h`, `unicodeobject.h` of `CPython`). Functions have no
/// name with that of their class.
const V3_6: Objects = Objects {
    kind: 8,
    kind_name: 24,
    length: 16,
    code: Some(40),
    unit: 1,
    file: 96,
    qualified_name: 104,
    line_table: 112,
    first_line: 36,
    lines: Lines::Changes,
    bytes: 32,
    text_state: 32,
    width_bit: 2,
    text_length: 16,
    text: 48,
    text_gap: 24,
};

/// With a count of arguments more.
const V3_8: Objects =
    Objects { code: Some(48), file: 104, qualified_name: 112, line_table: 120, first_line: 40, ..V3_6 };

/// With the code in the code object.
const V3_11: Objects = Objects {
    code: None,
    file: 112,
    qualified_name: 128,
    line_table: 136,
    first_line: 72,
    lines: Lines::Locations,
    ..V3_6
};

/// Those of a version that does not tell them; `None`: they are not known.
pub fn of(major: u64, minor: u64) -> Option<Objects> {
    Some(match (major, minor) {
        (3, 6 | 7) => V3_6,
        (3, 8 | 9) => V3_8,
        // Positions count instructions.
        (3, 10) => Objects { lines: Lines::Ranges, unit: 2, ..V3_8 },
        (3, 11) => V3_11,
        // Strings have no other form besides (`wstr`).
        (3, 12) => Objects { first_line: 68, text: 40, text_gap: 16, ..V3_11 },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::layout;
    use super::*;

    #[test]
    fn what_tells_code_objects_apart_has_their_names_and_lines() {
        for minor in 6..=12 {
            let (objects, layout) = (of(3, minor).expect("known"), layout::of(3, minor).expect("known"));
            let (begin, length) = layout.identity;
            let fields = [objects.file, objects.qualified_name, objects.line_table, objects.first_line];
            assert!(fields.iter().all(|at| (begin..begin + length).contains(at)), "3.{minor}");
            assert_eq!(objects.code.is_none(), layout.bytecode.is_some(), "3.{minor}");
        }
        assert_eq!((of(2, 7), of(3, 5), of(3, 13)), (None, None, None));
    }
}
