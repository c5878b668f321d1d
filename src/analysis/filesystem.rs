//! Which calls are file-system work, and what they work on.

use crate::event::Event;
use crate::syscall::Family;

/// What a call is about: the path it was given, made absolute, or the file behind its descriptor.
#[must_use]
pub fn object<'a>(event: &Event<'a>) -> Option<&'a [u8]> {
    let given = event.path.filter(|path| !path.is_empty());
    let file = event.file.map(|file| own_proc_file(file, event.pid).unwrap_or(file));
    match (event.path_abs, given, file) {
        // An empty path with AT_EMPTY_PATH means the descriptor itself.
        (Some(path), Some(_), _) | (None, Some(path), _) | (_, None, Some(path)) => Some(path),
        (path_abs, None, None) => path_abs.filter(|path| !path.is_empty()),
    }
}

/// The usual name of a file that `/proc` holds of the process itself, as its descriptor names it: nearly always it
/// was opened as that, and the number would tell the runs apart.
fn own_proc_file(file: &[u8], pid: u32) -> Option<&'static [u8]> {
    const NAMES: [&[u8]; 16] = [
        b"/proc/self/auxv",
        b"/proc/self/cgroup",
        b"/proc/self/cmdline",
        b"/proc/self/comm",
        b"/proc/self/environ",
        b"/proc/self/fd",
        b"/proc/self/io",
        b"/proc/self/limits",
        b"/proc/self/maps",
        b"/proc/self/mountinfo",
        b"/proc/self/mounts",
        b"/proc/self/smaps",
        b"/proc/self/stat",
        b"/proc/self/statm",
        b"/proc/self/status",
        b"/proc/self/task",
    ];
    let (number, name) = file.strip_prefix(b"/proc/")?.split_at_checked(decimal_length(pid))?;
    let is_own = std::str::from_utf8(number).ok()?.parse() == Ok(pid);
    NAMES.into_iter().find(|known| is_own && known.strip_prefix(b"/proc/self") == Some(name))
}

fn decimal_length(number: u32) -> usize {
    number.checked_ilog10().unwrap_or(0) as usize + 1
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
    fn what_proc_holds_of_the_process_itself_has_its_usual_name() {
        let read = |file| Event { file: Some(file), pid: 77, ..Event::new(Kind::Syscall) };
        assert_eq!(object(&read(b"/proc/77/maps")), Some(&b"/proc/self/maps"[..]));
        for other in
            ["/proc/7/maps", "/proc/771/maps", "/proc/77/mapsx", "/proc/+7/maps", "/proc/77", "/d/77/maps"]
        {
            assert_eq!(object(&read(other.as_bytes())), Some(other.as_bytes()));
        }
        let asked = Event { path: Some(b"/proc/77/maps"), path_abs: Some(b"/proc/77/maps"), ..read(b"/") };
        assert_eq!(object(&asked), Some(&b"/proc/77/maps"[..]), "as the program named it");
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
