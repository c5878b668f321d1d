//! Which line of its file a position in a code object is of.

/// Bytes of a unit of code.
const UNIT: u64 = 2;

/// How a table of lines is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// `co_lnotab` of Python 3.6 to 3.9: pairs of bytes, how many bytes of code until the line changes, and by how much, with a
    /// sign (`Objects/lnotab_notes.txt` of `CPython`).
    Changes,
    /// `co_linetable` of 3.10: pairs of bytes, how many bytes of code a range has, and the line's distance from the
    /// one before, or that it has none (PEP 626).
    Ranges,
    /// `co_linetable` since 3.11. One entry after the other covers one to eight units of two bytes. Its first byte has the high
    /// bit set, then four bits which form it has, then three how many units. What the forms hold is told by
    /// `Objects/locations.md`.
    Locations,
}

impl Lines {
    /// The line, given the bytes before the position and the code's first line; 0: none, or the table does not say.
    pub fn line(self, table: &[u8], first: u32, position: u64) -> u32 {
        match self {
            Self::Changes => by_changes(table, first, position),
            Self::Ranges => by_ranges(table, first, position),
            Self::Locations => by_locations(table, first, position),
        }
    }
}

/// The pairs of a table.
fn pairs(table: &[u8]) -> impl Iterator<Item = (u64, i8)> {
    table.chunks_exact(2).map(|pair| (u64::from(pair[0]), pair[1].cast_signed()))
}

fn by_changes(table: &[u8], first: u32, position: u64) -> u32 {
    let mut line = i64::from(first);
    let mut begin = 0;
    for (distance, change) in pairs(table) {
        begin += distance;
        if begin > position {
            break;
        }
        line += i64::from(change);
    }
    u32::try_from(line).unwrap_or(0)
}

fn by_ranges(table: &[u8], first: u32, position: u64) -> u32 {
    /// Of a range without a line.
    const NONE: i8 = i8::MIN;
    let mut line = i64::from(first);
    let mut end = 0;
    for (length, change) in pairs(table) {
        end += length;
        if change != NONE {
            line += i64::from(change);
        }
        if end > position {
            return if change == NONE { 0 } else { u32::try_from(line).unwrap_or(0) };
        }
    }
    0
}

fn by_locations(table: &[u8], first: u32, position: u64) -> u32 {
    let mut bytes = table.iter().copied();
    let mut line = i64::from(first);
    let mut covered = 0;
    while let Some(head) = bytes.next() {
        covered += (u64::from(head & 7) + 1) * UNIT;
        let form = head >> 3 & 15;
        line += match form {
            // No line at all.
            15 => 0,
            // The lines and columns in full: the line's distance, that of its end, two columns.
            14 => {
                let distance = signed(&mut bytes);
                for _ in 0..3 {
                    unsigned(&mut bytes);
                }
                distance
            }
            // Without columns.
            13 => signed(&mut bytes),
            // The line's distance is in the form; two columns follow.
            10..=12 => {
                bytes.nth(1);
                i64::from(form) - 10
            }
            // The same line, and the columns in a byte.
            _ => {
                bytes.next();
                0
            }
        };
        if covered > position {
            return if form == 15 { 0 } else { u32::try_from(line).unwrap_or(0) };
        }
    }
    0
}

/// A number in pieces of six bits, the lowest first; a bit above them says that more follow.
fn unsigned(bytes: &mut impl Iterator<Item = u8>) -> u64 {
    let mut number = 0_u64;
    for shift in (0..60).step_by(6) {
        let Some(byte) = bytes.next() else { break };
        number |= u64::from(byte & 63) << shift;
        if byte & 64 == 0 {
            break;
        }
    }
    number
}

/// The same with a sign in its lowest bit.
fn signed(bytes: &mut impl Iterator<Item = u8>) -> i64 {
    let number = unsigned(bytes);
    let distance = (number >> 1).cast_signed();
    if number & 1 == 1 { -distance } else { distance }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `co_linetable` of Python 3.13's for these lines from 1 on, with what `co_lines()` gives for each position.
    ///
    /// ```python
    /// def f(a):
    ///
    ///     for b in a:
    ///         g(
    ///             b)
    ///     return f
    /// ```
    #[test]
    fn lines_are_those_that_python_gives() {
        let table = [
            0x80, 0x00, 0xe3, 0x0d, 0x0e, 0x88, 0x01, 0xdc, 0x08, 0x09, 0xd8, 0x0c, 0x0d, 0xf6, 0x03, 0x01,
            0x09, 0x0f, 0xf1, 0x03, 0x00, 0x0e, 0x0f, 0xf4, 0x06, 0x00, 0x0c, 0x0d, 0x80, 0x48,
        ];
        let line = |table: &[u8], first, position| Lines::Locations.line(table, first, position);
        let of = |position| line(&table, 1, position);
        assert_eq!([0, 2, 11, 12, 22, 24, 36, 38, 52].map(of), [1, 3, 3, 4, 5, 4, 4, 3, 6]);
        assert_eq!(of(1 << 20), 0, "behind the end");
        assert_eq!(line(&[], 7, 0), 0);
        assert_eq!(line(&[0xf8], 7, 0), 0, "code of no line");
        assert_eq!(line(&[0xe8, 0x7f, 0x7f], 7, 2), 0, "a table that is cut short");
    }

    #[test]
    fn lines_of_older_pythons_are_those_that_python_gives() {
        // Forward, a step of more than a byte holds, and backward.
        let changes = [0, 1, 8, 1, 255, 0, 3, 127, 0, 100, 6, 0xfe];
        let of = |position| Lines::Changes.line(&changes, 10, position);
        assert_eq!([0, 7, 8, 265, 266, 271, 272, 9999].map(of), [11, 11, 12, 12, 239, 239, 237, 237]);
        assert_eq!(Lines::Changes.line(&[], 7, 0), 7);
        // The second range has no line, and those behind it lie behind it all the same.
        let ranges = [4, 1, 6, 0x80, 0, 5, 2, 0xff, 2, 0];
        let of = |position| Lines::Ranges.line(&ranges, 10, position);
        assert_eq!([0, 3, 4, 9, 10, 12, 14].map(of), [11, 11, 0, 0, 15, 15, 0]);
    }
}
