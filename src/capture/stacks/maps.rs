//! `/proc/PID/maps`: where a stopped process has code.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::object::{Identity, Objects};
use super::space::Space;
use super::vdso;

/// Reads the mappings of a thread's process anew. `None`: they cannot be read.
pub fn read(tid: i32, objects: &mut Objects) -> Option<Space> {
    let mut path = String::new();
    // Writing to a string cannot fail.
    let _ = write!(path, "/proc/{tid}/maps");
    let text = std::fs::read(path).ok()?;
    let mut space = Space::default();
    for line in code(&text) {
        let object = if *line.path == *vdso::NAME {
            objects.vdso(line.range)
        } else {
            objects.open(tid.cast_unsigned(), &line.path, line.range, line.identity)
        };
        space.map(objects, object, line.range, line.offset);
    }
    Some(space)
}

/// The mappings of code among the lines of such a file.
pub fn code(text: &[u8]) -> impl Iterator<Item = Line<'_>> {
    text.split(|&byte| byte == b'\n').filter_map(parse)
}

/// A mapping of a file's code.
#[derive(Debug, PartialEq)]
pub struct Line<'a> {
    /// The addresses.
    pub range: (u64, u64),
    /// In the file.
    pub offset: u64,
    /// Of the file.
    pub identity: Identity,
    /// Its name.
    pub path: Cow<'a, [u8]>,
}

/// `7f00-7f10 r-xp 00001000 fd:01 12 /usr/lib/x.so`; `None`: no code, or of no file.
fn parse(line: &[u8]) -> Option<Line<'_>> {
    let mut rest = line;
    let mut field = || {
        let start = rest.iter().position(|&byte| byte != b' ')?;
        let end = rest[start..].iter().position(|&byte| byte == b' ').map_or(rest.len(), |end| start + end);
        let field = &rest[start..end];
        rest = &rest[end..];
        Some(field)
    };
    let hex = |text: &[u8]| u64::from_str_radix(std::str::from_utf8(text).ok()?, 16).ok();
    let pair = |text: &[u8], between| {
        let at = text.iter().position(|&byte| byte == between)?;
        Some((hex(&text[..at])?, hex(&text[at + 1..])?))
    };
    let range = pair(field()?, b'-')?;
    let code = field()?.get(2) == Some(&b'x');
    let offset = hex(field()?)?;
    let (major, minor) = pair(field()?, b':')?;
    let ino: u64 = std::str::from_utf8(field()?).ok()?.parse().ok()?;
    let start = rest.iter().position(|&byte| byte != b' ')?;
    let path = &rest[start..];
    let path = path.strip_suffix(b" (deleted)").unwrap_or(path);
    let identity = Identity { dev: libc::makedev(major as u32, minor as u32), ino };
    let is_known = path == vdso::NAME || ino != 0 && path.starts_with(b"/");
    (code && is_known).then(|| Line { range, offset, identity, path: unescaped(path) })
}

/// How the kernel writes a line break in a name.
const LINE_BREAK: &[u8] = br"\012";

/// A name as it is; one that has the four characters in it that stand for a line break cannot be told from it.
fn unescaped(path: &[u8]) -> Cow<'_, [u8]> {
    let mut rest = path;
    let mut whole = Vec::new();
    while let Some(at) = rest.windows(LINE_BREAK.len()).position(|part| part == LINE_BREAK) {
        whole.extend_from_slice(&rest[..at]);
        whole.push(b'\n');
        rest = &rest[at + LINE_BREAK.len()..];
    }
    if whole.is_empty() {
        return Cow::Borrowed(path);
    }
    whole.extend_from_slice(rest);
    Cow::Owned(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_code_are_read() {
        let line = b"7f00-7f10 r-xp 00001000 fd:01 12      /usr/lib/a b.so (deleted)";
        let identity = Identity { dev: libc::makedev(0xfd, 1), ino: 12 };
        let found =
            Line { range: (0x7f00, 0x7f10), offset: 0x1000, identity, path: b"/usr/lib/a b.so".into() };
        assert_eq!(parse(line), Some(found));
        let path = |line| parse(line).map(|line| line.path.into_owned());
        let broken = br"7f00-7f10 r-xp 00001000 fd:01 12      /a\012b/\012";
        assert_eq!(path(broken).as_deref(), Some(&b"/a\nb/\n"[..]));
        for other in [
            &b"7f00-7f10 r--p 00001000 fd:01 12      /usr/lib/a.so"[..],
            b"7f00-7f10 r-xp 00000000 00:00 0      [heap]",
            b"7f00-7f10 rwxp 00000000 00:00 0",
            b"7f00-7f10 rwxp 00000000 00:00 0 ",
            b"7f00 r-xp",
            b"",
        ] {
            assert_eq!(parse(other), None, "{}", String::from_utf8_lossy(other));
        }
    }

    #[test]
    fn our_own_code_is_found() {
        let mut objects = Objects::default();
        let tid = std::process::id() as i32;
        let space = read(tid, &mut objects).unwrap();
        let here = our_own_code_is_found as fn() as usize as u64;
        let (object, _) = space.find(here).place.expect("this code is of a file");
        let own = std::env::current_exe().unwrap();
        assert_eq!(objects.get(object).source().as_deref(), Some(&*own));
        assert_eq!(space.find(0).place, None);
    }
}
