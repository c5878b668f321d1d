//! Numbers as text, appended without allocating.

/// Writes `0x1f`, and `0` for zero, as strace does.
pub fn write_hex(out: &mut Vec<u8>, value: u64) {
    if value != 0 {
        out.extend_from_slice(b"0x");
    }
    write_radix(out, value, 16, 1);
}

/// Writes a decimal number.
pub fn write_number(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    write_radix(out, value.unsigned_abs(), 10, 1);
}

/// Writes permission bits as `0644`, at least three digits.
pub(crate) fn write_mode(out: &mut Vec<u8>, value: u64) {
    if value > 0o77 {
        out.push(b'0');
    }
    write_radix(out, value, 8, 3);
}

/// Writes a number in any base up to 16, filled with zeros to at least `digits`.
pub(crate) fn write_radix(out: &mut Vec<u8>, mut value: u64, base: u64, digits: usize) {
    // 64 digits are enough for base 2.
    let mut text = [b'0'; 64];
    let mut at = text.len();
    while value != 0 || text.len() - at < digits.min(text.len()) {
        at -= 1;
        text[at] = b"0123456789abcdef"[(value % base) as usize];
        value /= base;
    }
    out.extend_from_slice(&text[at..]);
}
