//! JSON of reports: pretty, and safe to print as it is.
//!
//! JSON demands escapes for U+0000 to U+001F only; the controls from U+007F to U+009F and the marks that turn
//! text around would reach a terminal. Everything that [`super::escape`] finds unprintable is written as
//! `\uXXXX` here, which means the same to every reader.

use std::io::{self, Write};

use serde::Serialize;

use super::escape::unprintable;

/// Writes a value as JSON over several lines, with a newline at the end.
pub fn write(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    put(out, &serde_json::to_string_pretty(value)?)
}

/// Writes a value as JSON on one line.
pub fn write_line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    put(out, &serde_json::to_string(value)?)
}

fn put(out: &mut dyn Write, json: &str) -> io::Result<()> {
    // Outside of strings all is ASCII, and line breaks are the only controls.
    let must_escape = |c: char| c != '\n' && unprintable(c);
    let mut rest = json;
    while let Some(at) = rest.find(must_escape) {
        let (before, from) = rest.split_at(at);
        out.write_all(before.as_bytes())?;
        let mut after = from.chars();
        for unit in after.next().map(|c| c.encode_utf16(&mut [0; 2]).to_vec()).unwrap_or_default() {
            write!(out, "\\u{unit:04x}")?;
        }
        rest = after.as_str();
    }
    writeln!(out, "{rest}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::analysis::text::Text;

    fn json(value: &impl Serialize) -> String {
        let mut out = Vec::new();
        write(&mut out, value).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn nothing_reaches_the_terminal_as_a_control() {
        let odd = "a\u{9b}31m\u{7f}\u{202e}b\u{e0041}\u{ffff}ä\n\"";
        assert_eq!(json(&odd), "\"a\\u009b31m\\u007f\\u202eb\\udb40\\udc41\\uffffä\\n\\\"\"\n");
    }

    #[test]
    fn bytes_that_are_not_utf8_can_be_had_back() {
        assert_eq!(json(&Text::from(&b"caf\xe9"[..])), "\"caf\\udbff\\udee9\"\n");
    }

    proptest! {
        #[test]
        fn means_the_same_and_shows_no_control(text in any::<String>(), bytes in prop::collection::vec(any::<u8>(), 0..20)) {
            let written = json(&[&text]);
            prop_assert!(written.chars().all(|c| c == '\n' || !unprintable(c)));
            prop_assert_eq!(&serde_json::from_str::<Vec<String>>(&written).unwrap(), &[text]);
            let name: String = serde_json::from_str(&json(&Text::from(bytes.as_slice()))).unwrap();
            let mut back = Vec::new();
            crate::event::escape::unescape(&name, &mut back);
            prop_assert_eq!(back, bytes);
        }
    }
}
