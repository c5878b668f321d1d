//! Where `CPython` keeps what its frames are told apart by, for each version.
//!
//! Offsets in bytes on x86-64, from `CPython`'s headers (`Include/cpython/pystate.h`, `code.h`,
//! `Include/internal/pycore_frame.h`) as py-spy's bindings have them. They hold within a minor version; debug builds have
//! others and are told by what is read, which then does not fit. From 3.13 on interpreters tell their layout ([`super::offsets`]).

/// How a thread's state leads to its innermost frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Innermost {
    /// A pointer in the state.
    At(usize),
    /// A pointer in what a pointer in the state points to.
    Behind(usize, usize),
}

/// How interpreters are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// This one, found when the process was first looked at, and those that were made before it.
    From(u64),
    /// Where the pointer to the youngest is.
    First(u64),
}

/// Where a frame's code begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytecode {
    /// In a code object.
    pub at: usize,
    /// Threads have copies of their own: in a frame, which one it runs; in a code object, the list of copies.
    pub copies: Option<(usize, usize)>,
}

/// See the module's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The interpreters.
    pub root: Root,
    /// In an interpreter's state: that of the one made before it.
    pub next_interpreter: usize,
    /// A thread that lets another interpreter than the first run uses whichever state that has, whose number then is
    /// another thread's.
    pub moves: bool,
    /// In the interpreter's state: its first thread's.
    pub first_thread: usize,
    /// In a thread's state: the next one's.
    pub next_thread: usize,
    /// In a thread's state: its number, the kernel's where `is_tid`, else what the thread's segment register holds.
    pub thread: usize,
    /// See `thread`.
    pub is_tid: bool,
    /// The innermost frame.
    pub innermost: Innermost,
    /// In a frame: its caller's.
    pub back: usize,
    /// In a frame: its code object.
    pub code: usize,
    /// In a frame: where it is in the code, and how many bytes that takes.
    pub position: (usize, usize),
    /// Where what `position` tells is counted from, if that is not the code object.
    pub bytecode: Option<Bytecode>,
    /// In a frame: who made it; frames with the second value and higher ones are no functions.
    pub owner: Option<(usize, u8)>,
    /// In a code object: fields that never change, names and lines among them: first byte and length.
    pub identity: (usize, usize),
}

/// Longest [`Layout::identity`].
pub const LONGEST_IDENTITY: usize = 88;
/// Longest of [`Layout::heads`].
pub const LONGEST_HEAD: usize = 512;

impl Layout {
    /// Bytes of a thread's state and of a frame that hold all the fields.
    pub fn heads(&self) -> (usize, usize) {
        let (Innermost::At(innermost) | Innermost::Behind(innermost, _)) = self.innermost;
        let thread = self.next_thread.max(self.thread).max(innermost) + 8;
        let copy = self.bytecode.and_then(|bytecode| bytecode.copies).map_or(0, |(at, _)| at + 4);
        let owner = self.owner.map_or(0, |(at, _)| at + 1);
        let (at, length) = self.position;
        (thread, (self.back.max(self.code) + 8).max(at + length).max(copy).max(owner))
    }
}

/// Before 3.11: the fields of frames and threads that differ are given.
const fn old(
    next_thread: usize,
    thread: usize,
    frame: usize,
    position: usize,
    identity: (usize, usize),
) -> Layout {
    Layout {
        root: Root::From(0),
        next_interpreter: 0,
        moves: true,
        first_thread: 8,
        next_thread,
        thread,
        is_tid: false,
        innermost: Innermost::At(frame),
        back: 24,
        code: 32,
        position: (position, 4),
        bytecode: None,
        owner: None,
        identity,
    }
}

/// Of 3.12, and with other fields of 3.11.
const fn new(first_thread: usize, thread: usize, innermost: Innermost, bytecode: usize) -> Layout {
    Layout {
        root: Root::From(0),
        next_interpreter: 0,
        moves: true,
        first_thread,
        next_thread: 8,
        thread,
        is_tid: true,
        innermost,
        back: 8,
        code: 0,
        position: (56, 8),
        bytecode: Some(Bytecode { at: bytecode, copies: None }),
        owner: Some((70, 3)),
        identity: (68, 76),
    }
}

/// The layout of a version; `None`: it is not known.
pub fn of(major: u64, minor: u64) -> Option<Layout> {
    Some(match (major, minor) {
        (2, 7) => old(0, 144, 16, 120, (80, 32)),
        (3, 6) => old(8, 152, 24, 120, (36, 84)),
        (3, 7) => old(8, 176, 24, 104, (36, 84)),
        (3, 8 | 9) => old(8, 176, 24, 104, (40, 88)),
        (3, 10) => old(8, 176, 24, 96, (40, 88)),
        (3, 11) => Layout {
            back: 48,
            code: 32,
            owner: None,
            identity: (72, 72),
            ..new(16, 160, Innermost::Behind(56, 8), 184)
        },
        (3, 12) => new(72, 144, Innermost::Behind(56, 0), 192),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_fields_are_in_what_is_read() {
        for (major, minor) in [(2, 7), (3, 6), (3, 7), (3, 8), (3, 9), (3, 10), (3, 11), (3, 12)] {
            let layout = of(major, minor).expect("a known version");
            let (thread, frame) = layout.heads();
            assert!(thread.max(frame) <= LONGEST_HEAD && layout.identity.1 <= LONGEST_IDENTITY);
        }
        assert_eq!(of(3, 5), None);
        assert_eq!(of(3, 13), None, "tells itself");
    }
}
