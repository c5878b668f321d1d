//! Bytes chosen by the traced program, made safe to print.
//!
//! The form is strace's: what is not printable ASCII becomes a C escape, `\n` and the like where there is
//! one, else octal with as few digits as are unambiguous. UTF-8 is escaped byte by byte, because a byte
//! of 0x80 to 0x9f by itself is a control character to some terminals.

use crate::syscall::flags::write_radix;

/// Appends `"text"`.
pub fn write_quoted(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    write_escaped(out, text, b"");
    out.push(b'"');
}

/// Appends `<text>`, for the file behind a descriptor or the name of a thread. The brackets inside the
/// text are escaped too.
pub fn write_bracketed(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'<');
    write_escaped(out, text, b"<>");
    out.push(b'>');
}

/// Appends what is to be printed as it is; escaped if that cannot be, for a log may hold anything.
pub(super) fn write_printable(out: &mut Vec<u8>, text: &[u8]) {
    if text.iter().all(|byte| (b' '..=b'~').contains(byte)) {
        out.extend_from_slice(text);
    } else {
        write_escaped(out, text, b"");
    }
}

/// Appends the text escaped, with the bytes of `also` in octal.
pub fn write_escaped(out: &mut Vec<u8>, text: &[u8], also: &[u8]) {
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0b => out.extend_from_slice(b"\\v"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b' '..=b'~' if !also.contains(&byte) => out.push(byte),
            _ => {
                let digit_follows = after.first().is_some_and(|byte| (b'0'..=b'7').contains(byte));
                out.push(b'\\');
                write_radix(out, u64::from(byte), 8, if digit_follows { 3 } else { 1 });
            }
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn quoted(text: &[u8]) -> String {
        let mut out = Vec::new();
        write_quoted(&mut out, text);
        String::from_utf8(out).expect("escaped text is ASCII")
    }

    #[test]
    fn the_forms_of_strace() {
        // What strace 6.1 -y printed for files of these names.
        assert_eq!(quoted(b"a>b<c:d\"e\\f\ng\x1b\xc3\xa9\x9b1"), r#""a>b<c:d\"e\\f\ng\33\303\251\2331""#);
        assert_eq!(quoted(b"x\x0127"), r#""x\00127""#);
        let mut out = Vec::new();
        write_bracketed(&mut out, b"/tmp/a>b<c:d\"e");
        assert_eq!(out, br#"</tmp/a\76b\74c:d\"e>"#);
    }

    #[test]
    fn every_control_byte_alone() {
        for byte in (0..0x20_u8).chain(0x7f..=0xff) {
            let text = quoted(&[byte]);
            assert!(text.starts_with("\"\\") && text.len() >= 4, "{byte:#x}: {text}");
        }
        assert_eq!(quoted(b"\0"), r#""\0""#);
        assert_eq!(quoted(b"\t\n\x0b\x0c\r\x7f"), r#""\t\n\v\f\r\177""#);
    }

    /// Reads the C escapes back.
    fn unescape(text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = text;
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            if byte != b'\\' {
                out.push(byte);
                continue;
            }
            let digits = rest.iter().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
            if digits > 0 {
                let value = rest[..digits].iter().fold(0_u32, |sum, digit| sum * 8 + u32::from(digit - b'0'));
                out.push(value as u8);
                rest = &rest[digits..];
            } else {
                let plain = b"tnvfr\"\\".iter().position(|&known| known == rest[0]).expect("a known escape");
                out.push(b"\t\n\x0b\x0c\r\"\\"[plain]);
                rest = &rest[1..];
            }
        }
        out
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_raw(text in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut out = Vec::new();
            write_escaped(&mut out, &text, b"<>");
            prop_assert!(out.iter().all(|byte| (b' '..=b'~').contains(byte)));
            prop_assert_eq!(unescape(&out), text);
        }
    }
}
