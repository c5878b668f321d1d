//! Which calls are file-system work, and what they work on.

use crate::event::Event;
use crate::syscall::Family;

/// What a call is about: the path it was given, made absolute, or the file behind its descriptor.
#[must_use]
pub fn object<'a>(event: &Event<'a>) -> Option<&'a [u8]> {
    let given = event.path.filter(|path| !path.is_empty());
    match (event.path_abs, given, event.file) {
        // An empty path with AT_EMPTY_PATH means the descriptor itself.
        (Some(path), Some(_), _) | (None, Some(path), _) | (_, None, Some(path)) => Some(path),
        (path_abs, None, None) => path_abs.filter(|path| !path.is_empty()),
    }
}

/// What a descriptor is that no file system stands behind, as `/proc/PID/fd` names it; `None` for files.
#[must_use]
pub fn not_a_file(object: &[u8]) -> Option<&'static str> {
    const KINDS: [(&[u8], &str); 7] = [
        (b"pipe:", "pipe"),
        (b"socket:", "socket"),
        (b"anon_inode:", "anon_inode"),
        (b"/memfd:", "memfd"),
        (b"/dev/pts/", "terminal"),
        (b"/dev/tty", "terminal"),
        (b"/dev/ptmx", "terminal"),
    ];
    KINDS.iter().find(|(prefix, _)| object.starts_with(prefix)).map(|&(_, kind)| kind)
}

/// Whether a call of this family on this object is file-system work: a read from a pipe waits for
/// another process, and no faster file system would shorten it.
#[must_use]
pub fn is_file_work(family: Family, object: Option<&[u8]>) -> bool {
    family.is_file_system() && object.is_none_or(|object| not_a_file(object).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Kind;

    #[test]
    fn the_object_is_the_path_or_the_file_behind_the_descriptor() {
        let call = Event::new(Kind::Syscall);
        assert_eq!(object(&call), None);
        let relative = Event { path: Some(b"x"), path_abs: Some(b"/d/x"), file: Some(b"/d"), ..call };
        assert_eq!(object(&relative), Some(&b"/d/x"[..]));
        let unknown_base = Event { path: Some(b"x"), ..call };
        assert_eq!(object(&unknown_base), Some(&b"x"[..]));
        let fstat = Event { path: Some(b""), path_abs: Some(b"/d/"), file: Some(b"/d/f"), ..call };
        assert_eq!(object(&fstat), Some(&b"/d/f"[..]));
        let read = Event { file: Some(b"/d/f"), ..call };
        assert_eq!(object(&read), Some(&b"/d/f"[..]));
    }

    #[test]
    fn pipes_sockets_and_terminals_are_not_file_work() {
        assert!(is_file_work(Family::Read, Some(b"/etc/passwd")));
        assert!(is_file_work(Family::Stat, None));
        assert!(!is_file_work(Family::Memory, Some(b"/lib/libc.so.6")));
        for odd in ["pipe:[77]", "socket:[1]", "anon_inode:[eventpoll]", "/dev/pts/3", "/memfd:x (deleted)"] {
            assert!(!is_file_work(Family::Read, Some(odd.as_bytes())), "{odd}");
        }
        assert_eq!(not_a_file(b"/tmp/pipe:x"), None);
    }
}
