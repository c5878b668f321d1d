//! Names of files by the identities that records carry.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::wire::NameHead;

/// `linux/magic.h`.
const PIPE: u64 = 0x5049_5045;
const SOCKET: u64 = 0x534f_434b;
const ANONYMOUS: u64 = 0x0904_1934;

/// Of a device's number within the kernel (`linux/kdev_t.h`).
const MINOR_BITS: u32 = 20;

/// Names kept before they are forgotten: more than the kernel's side takes for known at once.
const MOST: usize = 100_000;

/// What was told, in two generations: when the first one is full, it becomes the second, and the kernel's side tells anew
/// what it meets from then on. Records on their way still mean the second.
#[derive(Debug, Default)]
pub struct Names {
    now: FxHashMap<u64, Named>,
    before: FxHashMap<u64, Named>,
}

/// A name, and whose it is.
#[derive(Debug)]
struct Named {
    name: Rc<[u8]>,
    file: FileId,
}

/// Which file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    /// Device (`makedev`).
    pub dev: u64,
    /// Inode.
    pub ino: u64,
}

impl Names {
    /// The name of an identity; 0 is nobody's.
    pub fn get(&self, identity: u64) -> Option<Rc<[u8]>> {
        self.named(identity).map(|named| Rc::clone(&named.name))
    }

    /// The same, with the file that has the name.
    pub fn file(&self, identity: u64) -> Option<(Rc<[u8]>, FileId)> {
        self.named(identity).map(|named| (Rc::clone(&named.name), named.file))
    }

    fn named(&self, identity: u64) -> Option<&Named> {
        self.now.get(&identity).or_else(|| self.before.get(&identity))
    }

    /// Takes in a name, in the form that `/proc/PID/fd` gives it (proc(5)).
    pub fn tell(&mut self, head: &NameHead, components: &[u8]) {
        let dev = libc::makedev((head.dev >> MINOR_BITS) as u32, head.dev as u32 & ((1 << MINOR_BITS) - 1));
        let file = FileId { dev, ino: head.ino };
        self.now.insert(head.identity, Named { name: name(head, components).into(), file });
    }

    /// Begins a new generation if this one is full; true: then the kernel's side is to tell every name again.
    #[must_use]
    pub fn begin_anew(&mut self) -> bool {
        let is_full = self.now.len() >= MOST;
        if is_full {
            self.before = std::mem::take(&mut self.now);
        }
        is_full
    }
}

fn name(head: &NameHead, components: &[u8]) -> Vec<u8> {
    let only = components.split(|&byte| byte == 0).next().unwrap_or_default();
    match head.magic {
        PIPE => return format!("pipe:[{}]", head.ino).into_bytes(),
        SOCKET => return format!("socket:[{}]", head.ino).into_bytes(),
        ANONYMOUS => return [b"anon_inode:", only].concat(),
        _ => {}
    }
    let mut path = Vec::with_capacity(components.len() + 16);
    for component in components.split(|&byte| byte == 0).rev().filter(|component| !component.is_empty()) {
        path.push(b'/');
        path.extend_from_slice(component);
    }
    if path.is_empty() {
        path.push(b'/');
    } else if head.deleted != 0 {
        path.extend_from_slice(b" (deleted)");
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;

    #[test]
    fn names_are_as_proc_gives_them() {
        let with = |magic, deleted| NameHead { magic, deleted, ino: 7, ..NameHead::zeroed() };
        let text =
            |head: &NameHead, components: &[u8]| String::from_utf8(name(head, components)).expect("ASCII");
        assert_eq!(text(&with(0, 0), b"passwd\0etc\0"), "/etc/passwd");
        assert_eq!(text(&with(0, 1), b"x\0tmp\0"), "/tmp/x (deleted)");
        assert_eq!(text(&with(0, 0), b""), "/");
        assert_eq!(text(&with(PIPE, 1), b""), "pipe:[7]");
        assert_eq!(text(&with(SOCKET, 1), b"\0"), "socket:[7]");
        assert_eq!(text(&with(ANONYMOUS, 1), b"[eventpoll]\0"), "anon_inode:[eventpoll]");
    }

    #[test]
    fn names_are_forgotten_a_generation_late() {
        let mut names = Names::default();
        let tell = |names: &mut Names, identities: std::ops::Range<u64>| {
            for identity in identities {
                names.tell(&NameHead { identity, ..NameHead::zeroed() }, b"x\0");
            }
        };
        let most = MOST as u64;
        tell(&mut names, 0..most - 1);
        assert!(!names.begin_anew());
        tell(&mut names, most - 1..most);
        assert!(names.begin_anew() && !names.begin_anew());
        assert!(names.get(0).is_some(), "records on their way may mean it");
        tell(&mut names, most..2 * most);
        assert!(names.begin_anew());
        assert!(names.get(0).is_none() && names.get(most).is_some());
    }
}
