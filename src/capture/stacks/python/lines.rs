//! Which line of its file a position in a code object is of: `co_linetable` since Python 3.11.
//!
//! One entry after the other covers one to eight units of two bytes. Its first byte has the high bit set, then four bits
//! which form it has, then three how many units. What the forms hold is told by `Objects/locations.md` of `CPython`.

/// Bytes of a unit of code.
const UNIT: u64 = 2;

/// The line, given the bytes before the position and the code's first line; 0: none, or the table does not say.
pub fn line(table: &[u8], first: u32, position: u64) -> u32 {
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
        let of = |position| line(&table, 1, position);
        assert_eq!([0, 2, 11, 12, 22, 24, 36, 38, 52].map(of), [1, 3, 3, 4, 5, 4, 4, 3, 6]);
        assert_eq!(of(1 << 20), 0, "behind the end");
        assert_eq!(line(&[], 7, 0), 0);
        assert_eq!(line(&[0xf8], 7, 0), 0, "code of no line");
        assert_eq!(line(&[0xe8, 0x7f, 0x7f], 7, 2), 0, "a table that is cut short");
    }
}
