//! Bytes as text and back: how file names that are not UTF-8 are kept in the UTF-8 columns of a log, and in
//! the strings of JSON.
//!
//! Each byte that is not part of well-formed UTF-8 is stored as one character of a private-use
//! range, `U+10FE00` plus the byte. A name that really contains such a character (which no script
//! uses) has that character's four bytes stored the same way, so the mapping is one to one: other
//! text is stored as it is, different bytes give different text, and every reader of the log, not
//! only this one, can get the bytes back. A replacement character would lose them, and would make
//! two names one.

/// The character that stands for byte 0; byte `b` is `b` further on.
const BASE: u32 = 0x0010_FE00;

/// Stands in a log after the last argument of an `argv` that is not ended by NUL. (Byte 0 is valid UTF-8 and
/// is never stored as an escape.)
pub const UNTERMINATED: char = '\u{10FE00}';

/// First byte of each escape in UTF-8 (and of every character from U+100000 on, nothing else).
const FIRST_BYTE: u8 = 0xF4;

fn byte_of(character: char) -> Option<u8> {
    u8::try_from(u32::from(character).wrapping_sub(BASE)).ok()
}

fn push_byte(byte: u8, text: &mut String) {
    text.extend(char::from_u32(BASE + u32::from(byte)));
}

/// Whether these bytes are stored otherwise than as they are.
#[must_use]
pub fn is_needed(bytes: &[u8]) -> bool {
    str::from_utf8(bytes).map_or(true, is_escaped)
}

/// Whether this text has characters of the escape range.
#[must_use]
pub fn is_escaped(text: &str) -> bool {
    text.as_bytes().contains(&FIRST_BYTE) && text.chars().any(|character| byte_of(character).is_some())
}

/// Appends the text that stands for `bytes`.
pub fn escape(bytes: &[u8], text: &mut String) {
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if byte_of(character).is_some() {
                let mut buffer = [0; 4];
                character.encode_utf8(&mut buffer).bytes().for_each(|byte| push_byte(byte, text));
            } else {
                text.push(character);
            }
        }
        chunk.invalid().iter().for_each(|&byte| push_byte(byte, text));
    }
}

/// The text that stands for `bytes`.
#[must_use]
pub fn text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    escape(bytes, &mut text);
    text
}

/// Appends the bytes that `text` stands for.
pub fn unescape(text: &str, bytes: &mut Vec<u8>) {
    for character in text.chars() {
        match byte_of(character) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text_of(bytes: &[u8]) -> String {
        let mut text = String::new();
        escape(bytes, &mut text);
        text
    }

    fn there_and_back(bytes: &[u8]) {
        let text = text_of(bytes);
        assert_eq!(is_escaped(&text), is_needed(bytes), "{bytes:?}");
        if !is_needed(bytes) {
            assert_eq!(text.as_bytes(), bytes);
        }
        let mut back = Vec::new();
        unescape(&text, &mut back);
        assert_eq!(back, bytes);
    }

    #[test]
    fn text_stays_as_it_is() {
        for text in ["", "/usr/lib", "/tmp/é", "/tmp/\u{1F600}", "\u{10FDFF}\u{10FF00}\u{10FFFF}", "a\0b"] {
            assert!(!is_needed(text.as_bytes()), "{text:?}");
            there_and_back(text.as_bytes());
        }
    }

    #[test]
    fn bytes_survive() {
        for bytes in
            [&b"\xff"[..], b"/tmp/\xe9t\xe9", b"\xed\xa0\x80", b"a\xf0\x9f", b"\xc0\x80", b"\x80\0\x80"]
        {
            assert!(is_needed(bytes));
            there_and_back(bytes);
        }
    }

    #[test]
    fn escapes_in_the_input_are_escaped_themselves() {
        let imitation = text_of(b"\xff");
        assert!(is_needed(imitation.as_bytes()));
        there_and_back(imitation.as_bytes());
        assert_ne!(text_of(imitation.as_bytes()), imitation);
        there_and_back(UNTERMINATED.to_string().as_bytes());
    }

    proptest! {
        #[test]
        fn any_bytes_survive(bytes in proptest::collection::vec(
            prop_oneof![any::<u8>(), Just(0xF4), Just(0x8F), Just(0xBB), Just(0xBF)], 0..40,
        )) {
            there_and_back(&bytes);
        }
    }
}
