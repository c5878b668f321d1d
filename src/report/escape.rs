//! Text from a traced program, made safe to show.
//!
//! A file name may hold anything but `/` and NUL: line breaks that fake a line of the report,
//! sequences that change the terminal's colours, title or contents, marks that reverse the text
//! after them. Nothing of that reaches the reader: what does not print, and the backslash that marks
//! it, is written as an escape, so what is shown can be read back.

use std::fmt::Write;

use crate::event::escape::unescape;

/// What has an escape of its own, as in C and in strace's lines.
const NAMED: [(char, &str); 5] =
    [('\n', "\\n"), ('\t', "\\t"), ('\r', "\\r"), ('\u{b}', "\\v"), ('\u{c}', "\\f")];

/// The text with everything escaped that does not print as itself: what has no escape of its own is in octal, byte by
/// byte, as strace writes it.
#[must_use]
pub fn escape(bytes: &[u8]) -> String {
    escaped(bytes, "\\")
}

/// A sentence of ours that may have such text in it: what does not print is escaped, the backslash stays.
#[must_use]
pub fn printable(text: &str) -> String {
    escaped(text.as_bytes(), "")
}

/// The same with a backslash before some characters.
fn escaped(bytes: &[u8], marked: &str) -> String {
    let mut out = String::with_capacity(bytes.len());
    let mut done = 0;
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            done += c.len_utf8();
            match NAMED.iter().find(|(known, _)| *known == c) {
                Some((_, name)) => out.push_str(name),
                None if marked.contains(c) => out.extend(['\\', c]),
                None if unprintable(c) => {
                    write_octal(&mut out, c.encode_utf8(&mut [0; 4]).as_bytes(), bytes.get(done));
                }
                None => out.push(c),
            }
        }
        done += chunk.invalid().len();
        write_octal(&mut out, chunk.invalid(), bytes.get(done));
    }
    out
}

/// Bytes in octal, with as few digits as can be told from what follows them.
fn write_octal(out: &mut String, bytes: &[u8], next: Option<&u8>) {
    for (at, byte) in bytes.iter().enumerate() {
        let digit_follows = at + 1 == bytes.len() && next.is_some_and(|next| (b'0'..=b'7').contains(next));
        let digits = if digit_follows { 3 } else { 1 };
        out.write_fmt(format_args!("\\{byte:0digits$o}")).expect("writing to a string cannot fail");
    }
}

/// Controls; characters that print as nothing or turn others around (Unicode TR 36 and TR 9, the property
/// `Default_Ignorable_Code_Point`); those that mean nothing outside of one program (noncharacters, of which
/// XML forbids two, and the last plane of private use, where a log keeps bytes that are not UTF-8).
pub(super) fn unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fdd0}'..='\u{fdef}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' | '\u{100000}'..)
        || u32::from(c) & 0xfffe == 0xfffe
}

/// Cuts the middle out of a text longer than this many characters. Ends of paths tell most.
#[must_use]
pub fn shorten(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width {
        return text.to_owned();
    }
    let kept = width.saturating_sub(1);
    let front = kept / 3;
    let start: String = text.chars().take(front).collect();
    let end: String = text.chars().skip(length - (kept - front)).collect();
    format!("{start}…{end}")
}

/// Arguments as a shell takes them, each [`quoted`].
pub fn arguments<'a>(arguments: impl IntoIterator<Item = &'a [u8]>) -> String {
    arguments.into_iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// The same of the words that a log's header has.
#[must_use]
pub fn command_line(words: &[String]) -> String {
    let quoted_word = |word: &String| {
        let mut bytes = Vec::with_capacity(word.len());
        unescape(word, &mut bytes);
        quoted(&bytes)
    };
    words.iter().map(quoted_word).collect::<Vec<_>>().join(" ")
}

/// A word as a shell takes it, and safe to show: in quotes if need be, and where something does not print in
/// those of `$'...'` (POSIX.1-2024, bash, zsh, ksh).
#[must_use]
pub fn quoted(word: &[u8]) -> String {
    let plain = |c: char| c.is_alphanumeric() || "%+,-./:=@_".contains(c);
    match str::from_utf8(word) {
        Ok(text) if !text.is_empty() && text.chars().all(plain) => text.to_owned(),
        Ok(text) if !text.chars().any(unprintable) => format!("'{}'", text.replace('\'', "'\\''")),
        _ => format!("$'{}'", escaped(word, "\\'")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_prints_stays() {
        assert_eq!(escape(b"/usr/lib/x y.py"), "/usr/lib/x y.py");
        assert_eq!(escape("/home/ä/文".as_bytes()), "/home/ä/文");
    }

    #[test]
    fn nothing_reaches_the_terminal_as_a_control() {
        for (bytes, shown) in [
            (&b"a\x1b[31mred"[..], "a\\33[31mred"),
            (b"two\nlines\r\t", "two\\nlines\\r\\t"),
            (b"\x7f\x00", "\\177\\0"),
            (b"\x0127\xff9\x0b\x0c", "\\00127\\3779\\v\\f"),
            (b"back\\slash", "back\\\\slash"),
            (b"\xff\xfe", "\\377\\376"),
            ("\u{9b}31m".as_bytes(), "\\302\\23331m"),
            ("\u{202e}txt.exe".as_bytes(), "\\342\\200\\256txt.exe"),
            ("\u{fffe}\u{ffff}\u{1ffff}".as_bytes(), "\\357\\277\\276\\357\\277\\277\\360\\237\\277\\277"),
        ] {
            assert_eq!(escape(bytes), shown);
        }
        let all: Vec<u8> = (0..=255).collect();
        assert!(escape(&all).chars().all(|c| !c.is_control()));
    }

    #[test]
    fn sentences_keep_their_backslashes() {
        assert_eq!(printable("a\\b\x1b[2J\u{9b}\n"), "a\\b\\33[2J\\302\\233\\n");
    }

    /// The characters that XML has (XML 1.0, production 2).
    #[test]
    fn nothing_that_xml_forbids_is_left() {
        let all: String = ('\0'..=char::MAX).collect();
        let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        assert!(escape(all.as_bytes()).chars().all(allowed));
    }

    #[test]
    fn long_text_loses_its_middle() {
        assert_eq!(shorten("/usr/lib/python3/x.py", 30), "/usr/lib/python3/x.py");
        let short = shorten("/usr/lib/python3/dist-packages/x.py", 16);
        assert_eq!((short.as_str(), short.chars().count()), ("/usr/…kages/x.py", 16));
        assert_eq!(shorten("abc", 1), "…");
        assert_eq!(shorten("äöüß", 3), "…üß");
    }

    /// bash gives back what was quoted.
    #[test]
    fn arguments_can_be_read_by_a_shell() {
        let all =
            [&b"python"[..], b"-c", b"print(1)", b"", b"it's", b"a\\b", b"\\'\x1b[2J\n\t\x01", b"\xff0"];
        let line = arguments(all);
        assert!(line.starts_with("python -c 'print(1)' '' 'it'\\''s' 'a\\b' $'"), "{line}");
        assert!(!line.chars().any(unprintable), "{line:?}");
        let script = format!("printf '%s\\0' {line}");
        let read = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
        let words: Vec<&[u8]> = read.stdout.split(|&b| b == 0).collect();
        assert_eq!(words, [&all[..], &[b""]].concat(), "{line}");
    }
}
