//! Absolute paths by string: base directory and path put together.
//!
//! `.` components and repeated slashes are dropped, which never changes what a path means. `..` stays:
//! behind a symbolic link it means something else than the text says.

use std::ops::Range;

use super::plan::{PathArg, Plan};

/// What a path is relative to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// The process's root.
    Root,
    /// Its working directory.
    Cwd,
    /// The file behind the call's first or second descriptor argument.
    File(usize),
    /// It names nothing.
    Nothing,
}

impl Base {
    /// Of the path argument `at` of a call with these arguments.
    pub fn of(path: &[u8], at: PathArg, plan: &Plan, args: &[u64; 6]) -> Self {
        let dirfd = at.dirfd.filter(|&index| args[usize::from(index)] as i32 != libc::AT_FDCWD);
        match dirfd {
            _ if path.first() == Some(&b'/') => Self::Root,
            Some(index) => Self::File(usize::from(plan.fds[0] != Some(index))),
            // An empty path names nothing, unless a descriptor stands before it (AT_EMPTY_PATH).
            None if path.is_empty() => Self::Nothing,
            None => Self::Cwd,
        }
    }
}

/// Appends the absolute form of the path that stands in `text` at `path`: relative to `base`, or to
/// `root` when it begins with a slash (`root` empty: `/`).
pub fn push_absolute(text: &mut Vec<u8>, root: &[u8], base: &[u8], path: Range<usize>) {
    let begin = text.len();
    text.extend_from_slice(if text.get(path.start) == Some(&b'/') { root } else { base });
    while text.len() > begin && text.last() == Some(&b'/') {
        text.pop();
    }
    let mut at = path.start;
    while at < path.end {
        let length = text[at..path.end].iter().take_while(|&&byte| byte != b'/').count();
        let component = at..at + length;
        if length > 0 && text[component.clone()] != *b"." {
            text.push(b'/');
            text.extend_from_within(component);
        }
        at += length + 1;
    }
    if text.len() == begin {
        text.push(b'/');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn absolute(root: &str, base: &str, path: &str) -> String {
        let mut text = [b"x", path.as_bytes()].concat();
        let begin = text.len();
        push_absolute(&mut text, root.as_bytes(), base.as_bytes(), 1..begin);
        String::from_utf8(text[begin..].to_vec()).expect("built from strings")
    }

    #[test]
    fn paths_are_put_together() {
        assert_eq!(absolute("", "/home/me", "a/b"), "/home/me/a/b");
        assert_eq!(absolute("", "/", "a"), "/a");
        assert_eq!(absolute("", "/home", "/etc//passwd/"), "/etc/passwd");
        assert_eq!(absolute("/new/root", "/home", "/etc"), "/new/root/etc");
        assert_eq!(absolute("", "/home", "./a/./b/../c"), "/home/a/b/../c");
        assert_eq!(absolute("", "/home", "/"), "/");
        assert_eq!(absolute("/jail", "/home", "/"), "/jail");
        assert_eq!(absolute("", "/home", "."), "/home");
    }
}
