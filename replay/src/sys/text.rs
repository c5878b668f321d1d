//! Text as the kernel takes it.

use std::ffi::CStr;

/// What stands before the first NUL, which must be there; nothing if the last byte is none.
///
/// `CStr::from_bytes_until_nul` says the same without libc's `strlen`. This is done for each call that is replayed: with the former a
/// serial replay of `stat` takes 8 % more than the bare loop, with the latter 3.5 (`benches/serial.rs`).
pub(crate) fn until_nul(bytes: &[u8]) -> &CStr {
    if bytes.last() != Some(&0) {
        return c"";
    }
    // SAFETY: the last byte is a NUL, so the first one is inside `bytes`, which outlives the result.
    unsafe { CStr::from_ptr(bytes.as_ptr().cast()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_at_the_first_nul() {
        assert_eq!(until_nul(b"a\0b\0"), c"a");
        assert_eq!(until_nul(b"\0"), c"");
        assert_eq!(until_nul(b"ab"), c"");
        assert_eq!(until_nul(b""), c"");
    }
}
