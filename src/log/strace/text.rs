//! The pieces of a line: items of an argument list, quoted strings, numbers, files behind descriptors.
//!
//! Everything here borrows from the line and takes any bytes: what does not fit is `None`. Nothing is read
//! twice, and nothing is allocated.

use std::ops::Range;

/// The items of a list, up to the bracket that closes it: arguments, fields of a structure, strings.
#[derive(Clone, Debug)]
pub struct Items<'a> {
    text: &'a [u8],
    at: usize,
    close: u8,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    First,
    Open,
    Closed,
    Broken,
}

impl<'a> Items<'a> {
    /// The items of a list that `close` ends; `text` begins behind its opening bracket.
    pub fn new(text: &'a [u8], close: u8) -> Self {
        Self { text, at: 0, close, state: State::First }
    }

    /// The items of a list that stands at the beginning of `text`, brackets included; none of anything else.
    pub fn within(text: &'a [u8], open: u8, close: u8) -> Self {
        match text.split_first() {
            Some((first, rest)) if *first == open => Self::new(rest, close),
            _ => Self { text: b"", at: 0, close, state: State::Broken },
        }
    }

    /// What stands behind the closing bracket, once the last item was taken; `None`: there was no such bracket.
    pub fn rest(&self) -> Option<&'a [u8]> {
        (self.state == State::Closed).then(|| &self.text[self.at..])
    }

    /// The end of the item that begins at `from`: the place of its comma or of the closing bracket.
    fn end(&self, from: usize) -> Option<usize> {
        let text = self.text;
        let (mut at, mut depth) = (from, 0_usize);
        loop {
            let byte = *text.get(at)?;
            match byte {
                b'"' => {
                    at = after_string(text, at)?;
                    continue;
                }
                b'<' => {
                    at = after_bracket(text, at)?;
                    continue;
                }
                b'/' if text.get(at + 1) == Some(&b'*') => {
                    at = after_comment(text, at)?;
                    continue;
                }
                b',' if depth == 0 => return Some(at),
                b'{' | b'[' | b'(' => depth += 1,
                b'}' | b']' | b')' if depth > 0 => depth -= 1,
                b'}' | b']' | b')' => return (byte == self.close).then_some(at),
                _ => {}
            }
            at += 1;
        }
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if matches!(self.state, State::Closed | State::Broken) {
            return None;
        }
        let from = self.at;
        let Some(end) = self.end(from) else {
            self.state = State::Broken;
            return None;
        };
        let item = self.text[from..end].trim_ascii();
        let is_only = self.state == State::First;
        self.at = end + 1;
        self.state = if self.text[end] == b',' { State::Open } else { State::Closed };
        (!item.is_empty() || !is_only || self.state == State::Open).then_some(item)
    }
}

/// Behind the string whose opening quote is at `at`.
fn after_string(text: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        at += text.get(at..)?.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        if text[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// Behind the comment that begins at `at`, and those in it (`-X verbose`).
pub fn after_comment(text: &[u8], at: usize) -> Option<usize> {
    let (mut at, mut depth) = (at + 2, 1);
    loop {
        at += text.get(at..)?.iter().position(|&byte| byte == b'*')? + 1;
        if text.get(at) == Some(&b'/') {
            at += 1;
            depth -= 1;
        } else if text[at - 2] == b'/' {
            depth += 1;
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

/// Behind what begins with `<` at `at`: a shift, or the file behind a descriptor.
fn after_bracket(text: &[u8], at: usize) -> Option<usize> {
    let behind_value = at > 0 && matches!(text[at - 1], b'0'..=b'9' | b'D' | b'/');
    match text.get(at + 1)? {
        b'<' => Some(at + 2),
        b'.' => Some(bracketed(text, at)?.end + 1),
        _ if behind_value => Some(bracketed(text, at)?.end + 1),
        _ => Some(at + 1),
    }
}

/// What stands between the `<` at `at` and its `>`. A socket's addresses hold an arrow, a device its number in
/// brackets of its own; strace escapes the brackets of a file's name.
pub fn bracketed(text: &[u8], at: usize) -> Option<Range<usize>> {
    let is_path = text.get(at + 1) == Some(&b'/');
    let (mut depth, mut end) = (1_usize, at + 1);
    loop {
        match *text.get(end)? {
            b'<' => depth += 1,
            b'>' if !is_path && text[end - 1] == b'-' => {}
            b'>' => depth -= 1,
            b'\\' => end += 1,
            b'"' if !is_path => {
                end = after_string(text, end)?;
                continue;
            }
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1..end);
        }
        end += 1;
    }
}

/// The file behind a descriptor argument or result (`3</etc/passwd>`), without what `-yy` adds to a device; the
/// brackets and the word behind them of a file that was deleted tell it.
pub fn file_behind(text: &[u8]) -> Option<(&[u8], bool)> {
    let open = text.iter().position(|&byte| byte == b'<')?;
    if text.get(open + 1) == Some(&b'<') {
        return None;
    }
    let range = bracketed(text, open)?;
    let deleted = text[range.end + 1..].starts_with(b"(deleted)");
    let name = &text[range];
    let bare = name.iter().position(|&byte| byte == b'<').map_or(name, |device| &name[..device]);
    Some((bare, deleted))
}

/// A string's content between its quotes, and whether strace has cut it.
pub fn quoted(text: &[u8]) -> Option<(&[u8], bool)> {
    let text = text.strip_prefix(b"@").unwrap_or(text);
    if text.first() != Some(&b'"') {
        return None;
    }
    let end = after_string(text, 0)?;
    Some((&text[1..end - 1], text[end..].starts_with(b"...")))
}

/// Appends the bytes that an escaped text stands for.
pub fn unescape(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|&byte| byte == b'\\') {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        let Some((&letter, behind)) = rest.split_first() else { return };
        rest = behind;
        match letter {
            b'n' => out.push(b'\n'),
            b't' => out.push(b'\t'),
            b'v' => out.push(0x0b),
            b'f' => out.push(0x0c),
            b'r' => out.push(b'\r'),
            b'0'..=b'7' => {
                let more = rest.iter().take(2).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
                let digits = rest[..more].iter();
                out.push(
                    digits.fold(letter - b'0', |value, byte| value.wrapping_mul(8).wrapping_add(byte - b'0')),
                );
                rest = &rest[more..];
            }
            b'x' => {
                let digits = rest.iter().take(2).map_while(|&byte| char::from(byte).to_digit(16));
                let (count, value) =
                    digits.fold((0, 0), |(count, value), digit| (count + 1, value * 16 + digit));
                out.push(value as u8);
                rest = &rest[count..];
            }
            other => out.push(other),
        }
    }
    out.extend_from_slice(rest);
}

/// A number at the beginning of a text (decimal, `0x` hexadecimal, `0` octal, negative), and what follows it.
pub fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    if let Some(positive) = text.strip_prefix(b"-") {
        let (value, rest) = number(positive).filter(|_| !positive.starts_with(b"-"))?;
        return Some((value.wrapping_neg(), rest));
    }
    let (digits, radix) = match text {
        [b'0', b'x', digits @ ..] => (digits, 16),
        [b'0', digit, ..] if digit.is_ascii_digit() => (text, 8),
        _ => (text, 10),
    };
    let mut value = 0_u64;
    let mut count = 0;
    for &byte in digits {
        let Some(digit) = char::from(byte).to_digit(radix) else { break };
        value = value.checked_mul(u64::from(radix))?.checked_add(u64::from(digit))?;
        count += 1;
    }
    (count > 0).then(|| (value, &digits[count..]))
}

/// Seconds with or without a fraction at the beginning of a text, in nanoseconds, and what follows.
pub fn seconds(text: &[u8]) -> Option<(u64, &[u8])> {
    let (whole, rest) = decimal(text)?;
    let mut ns = whole.checked_mul(1_000_000_000)?;
    let Some(fraction) = rest.strip_prefix(b".") else { return Some((ns, rest)) };
    let (mut unit, mut count) = (100_000_000, 0);
    for byte in fraction.iter().take_while(|byte| byte.is_ascii_digit()) {
        ns = ns.checked_add(u64::from(byte - b'0') * unit)?;
        unit /= 10;
        count += 1;
    }
    (count > 0).then(|| (ns, &fraction[count..]))
}

/// Decimal digits at the beginning of a text.
pub fn decimal(text: &[u8]) -> Option<(u64, &[u8])> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let value = text[..count]
        .iter()
        .try_fold(0_u64, |value, byte| value.checked_mul(10)?.checked_add(u64::from(byte - b'0')))?;
    (count > 0).then(|| (value, &text[count..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(text: &str) -> (Vec<String>, Option<String>) {
        let mut items = Items::new(text.as_bytes(), b')');
        let each = items.by_ref().map(|item| String::from_utf8_lossy(item).into_owned()).collect();
        (each, items.rest().map(|rest| String::from_utf8_lossy(rest).into_owned()))
    }

    #[test]
    fn lists_are_split_at_their_own_commas() {
        let (all, rest) = items(r#"AT_FDCWD</a,b(c>, "x,\")", {st_mode=S_IFREG|0644, ...}, 0) = 0"#);
        assert_eq!(all, ["AT_FDCWD</a,b(c>", r#""x,\")""#, "{st_mode=S_IFREG|0644, ...}", "0"]);
        assert_eq!(rest.as_deref(), Some(" = 0"));
        assert_eq!(items(") = 5"), (vec![], Some(" = 5".to_owned())));
        let (all, _) = items("0x3 /* A, B) */, 21<<MAP_HUGE_SHIFT, 5<TCP:[1.2.3.4:5->6.7.8.9:10]>, 1)");
        assert_eq!(all, ["0x3 /* A, B) */", "21<<MAP_HUGE_SHIFT", "5<TCP:[1.2.3.4:5->6.7.8.9:10]>", "1"]);
        let (all, _) =
            items("1</dev/pts/0<char 136:0>>, {a=1} => {b=2}, <... resuming interrupted read ...>)");
        assert_eq!(
            all,
            ["1</dev/pts/0<char 136:0>>", "{a=1} => {b=2}", "<... resuming interrupted read ...>"]
        );
        for broken in ["1, 2", "\"a", "3</x", "[1)", "/* "] {
            assert_eq!(items(broken).1, None, "{broken}");
        }
    }

    #[test]
    fn strings_and_files() {
        assert_eq!(quoted(br#""a\"b"..."#), Some((&br#"a\"b"#[..], true)));
        assert_eq!(quoted(b"@\"bus\""), Some((&b"bus"[..], false)));
        assert_eq!(quoted(b"0x7ffe"), None);
        let mut out = Vec::new();
        unescape(br#"a\"b\\\n\t\33\303\2511\x41\xfg\0"#, &mut out);
        assert_eq!(out, b"a\"b\\\n\t\x1b\xc3\xa91A\x0fg\0");
        assert_eq!(file_behind(b"3</etc/passwd>"), Some((&b"/etc/passwd"[..], false)));
        assert_eq!(file_behind(b"1</dev/pts/0<char 136:0>>"), Some((&b"/dev/pts/0"[..], false)));
        assert_eq!(file_behind(b"4</tmp/x>(deleted)"), Some((&b"/tmp/x"[..], true)));
        assert_eq!(file_behind(b"1<<5"), None);
    }

    #[test]
    fn numbers() {
        assert_eq!(number(b"-100 /* AT_FDCWD */"), Some((-100_i64 as u64, &b" /* AT_FDCWD */"[..])));
        assert_eq!(number(b"0x1f|A"), Some((31, &b"|A"[..])));
        assert_eq!(number(b"0644"), Some((0o644, &b""[..])));
        assert_eq!(number(b"0"), Some((0, &b""[..])));
        assert_eq!(number(b"18446744073709551615"), Some((u64::MAX, &b""[..])));
        assert_eq!(number(b"18446744073709551616"), None);
        assert_eq!(number(b"--1"), None);
        assert_eq!(number(b"NULL"), None);
        assert_eq!(seconds(b"0.000546>"), Some((546_000, &b">"[..])));
        assert_eq!(seconds(b"1795276316.736071123 x"), Some((1_795_276_316_736_071_123, &b" x"[..])));
        assert_eq!(seconds(b"7."), None);
    }
}
