//! Records as the kernel's side puts them into the ring: `trace.bpf.c` has the same layout.

use bytemuck::{Pod, Zeroable};

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A call, returned or (without [`flag::RETURNED`]) not.
    Call,
    /// A thread was made.
    Fork,
    /// A program was executed.
    Exec,
    /// A thread has ended.
    Exit,
    /// A signal is about to be delivered.
    Signal,
    /// A thread has another name.
    Comm,
    /// A thread that ran before is followed from now on, as [`super::load::Target`] says.
    Met,
    /// A process is stopped until the ring is drained.
    Held,
    /// The dynamic loader has handed over to the program, which begins.
    Entered,
    /// A thread has to wait a little after each call for the ring to be drained. Told once in a recording.
    Slowed,
    /// A thread runs as another user from now on, whose calls are not told.
    Hidden,
    /// Registers and stack of a thread at the entry of its next call (see [`super::stacks`]).
    Stack,
}

impl Kind {
    fn of(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Call,
            3 => Self::Fork,
            4 => Self::Exec,
            5 => Self::Exit,
            6 => Self::Signal,
            7 => Self::Comm,
            8 => Self::Met,
            9 => Self::Held,
            10 => Self::Entered,
            11 => Self::Slowed,
            12 => Self::Hidden,
            13 => Self::Stack,
            _ => return None,
        })
    }
}

const NAME: u8 = 2;

/// Bits of [`Head::flags`].
pub mod flag {
    /// The first path could not be read.
    pub const UNREADABLE0: u8 = 1;
    /// The second path could not be read.
    pub const UNREADABLE1: u8 = 2;
    /// Something else could not be read.
    pub const RESULT_UNREADABLE: u8 = 4;
    /// Something did not fit.
    pub const TRUNCATED: u8 = 8;
    /// The call has returned.
    pub const RETURNED: u8 = 16;
    /// The call was begun before its thread was met: the start is when following began, paths are those at its return.
    pub const ENTERED_BEFORE: u8 = 32;
}

/// What every record but a name begins with.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub struct Head {
    /// A [`Kind`].
    pub kind: u8,
    /// As [`crate::event::Abi`] counts them.
    pub abi: u8,
    /// Bits of [`flag`].
    pub flags: u8,
    /// How many numbers follow.
    pub words: u8,
    /// Number.
    pub nr: u32,
    /// Process.
    pub pid: u32,
    /// Thread.
    pub tid: u32,
    /// `CLOCK_MONOTONIC`.
    pub start_ns: u64,
    /// `CLOCK_MONOTONIC`.
    pub end_ns: u64,
    /// Result.
    pub ret: i64,
    /// Behind the call's instruction.
    pub ip: u64,
}

/// What a name begins with.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub struct NameHead {
    /// [`NAME`].
    pub kind: u8,
    /// The file has no name any more.
    pub deleted: u8,
    /// Not all components are there.
    pub cut: u16,
    /// Bytes of components, the last one first, each ended by a NUL byte.
    pub used: u32,
    /// What records say for it.
    pub identity: u64,
    /// Of the file system (`linux/magic.h`).
    pub magic: u64,
    /// Inode.
    pub ino: u64,
    /// Device, as the kernel itself writes it (`linux/kdev_t.h`).
    pub dev: u64,
}

/// What a thread's calls say of the thread: once, and again when it has changed.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub struct Itself {
    /// Identity of the cwd.
    pub cwd: u64,
    /// Identity of the root.
    pub root: u64,
    /// Name of the thread.
    pub comm: [u8; 16],
}

/// Most numbers behind a head.
const MOST_WORDS: usize = 8;

/// The numbers behind a head, zero where there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Words(pub [u64; MOST_WORDS]);

impl Words {
    /// Two of them as a thread's name.
    pub fn comm(&self, at: usize) -> [u8; 16] {
        let mut comm = [0; 16];
        comm.copy_from_slice(bytemuck::cast_slice(&self.0[at..at + 2]));
        comm
    }
}

/// One record.
#[derive(Clone, Copy, Debug)]
pub enum Record<'a> {
    /// The name of an identity.
    Name(NameHead, &'a [u8]),
    /// Anything else, with the bytes of its pieces.
    Other(Kind, Head, Words, &'a [u8]),
}

/// Reads a record; `None` for bytes that are none.
pub fn decode(bytes: &[u8]) -> Option<Record<'_>> {
    if *bytes.first()? == NAME {
        let (head, rest) = bytes.split_at_checked(size_of::<NameHead>())?;
        let head: NameHead = bytemuck::pod_read_unaligned(head);
        return Some(Record::Name(head, rest.get(..head.used as usize)?));
    }
    let (head, rest) = bytes.split_at_checked(size_of::<Head>())?;
    let head: Head = bytemuck::pod_read_unaligned(head);
    let (numbers, pieces) = rest.split_at_checked(usize::from(head.words) * size_of::<u64>())?;
    let mut words = Words::default();
    bytemuck::cast_slice_mut(&mut words.0).get_mut(..numbers.len())?.copy_from_slice(numbers);
    Some(Record::Other(Kind::of(head.kind)?, head, words, pieces))
}

/// What a piece holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A path.
    Path(usize),
    /// A string that is no path.
    Text,
    /// A socket address.
    Peer,
    /// Arguments, each ended by a NUL byte.
    Argv,
    /// What the call gave.
    Result,
    /// A structure that decides what the call does.
    Effect,
    /// One or two identities of files behind descriptors.
    Files,
    /// Flags of a clone; where a signal handler's return leads to.
    Extra,
    /// An [`Itself`].
    Itself,
}

/// The pieces behind a head and its words.
pub fn pieces(mut bytes: &[u8]) -> impl Iterator<Item = (Piece, &[u8])> {
    std::iter::from_fn(move || {
        let (head, rest) = bytes.split_at_checked(4)?;
        let piece = match head[0] {
            1 => Piece::Path(0),
            2 => Piece::Path(1),
            3 => Piece::Text,
            4 => Piece::Peer,
            5 => Piece::Argv,
            6 => Piece::Result,
            7 => Piece::Effect,
            8 => Piece::Files,
            9 => Piece::Extra,
            10 => Piece::Itself,
            _ => return None,
        };
        let (piece_bytes, rest) =
            rest.split_at_checked(usize::from(u16::from_le_bytes([head[2], head[3]])))?;
        bytes = rest;
        Some((piece, piece_bytes))
    })
}

/// One or two numbers of a piece.
pub fn numbers<const N: usize>(bytes: &[u8]) -> [u64; N] {
    let mut numbers = [0; N];
    for (number, bytes) in numbers.iter_mut().zip(bytes.chunks_exact(8)) {
        *number = bytemuck::pod_read_unaligned(bytes);
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::offset_of;

    #[test]
    fn layouts_are_those_that_the_kernel_side_asserts() {
        assert_eq!((size_of::<Head>(), offset_of!(Head, start_ns)), (48, 16));
        assert_eq!((size_of::<Itself>(), offset_of!(Itself, comm)), (32, 16));
        assert_eq!((offset_of!(NameHead, identity), size_of::<NameHead>()), (8, 40));
    }

    #[test]
    fn anything_else_is_no_record() {
        assert!(decode(&[]).is_none() && decode(&[0; 4]).is_none() && decode(&[1; 40]).is_none());
        let mut bytes = [0; 48 + 16];
        bytes[0] = 1;
        let has_words = |bytes: &[u8], count| matches!(decode(bytes), Some(Record::Other(Kind::Call, _, words, rest)) if words == Words::default() && rest.len() == count);
        assert!(has_words(&bytes, 16));
        bytes[3] = 2;
        assert!(has_words(&bytes, 0));
        bytes[3] = 3;
        assert!(decode(&bytes).is_none(), "more numbers than there are");
        let mut many = [0; 48 + 72];
        (many[0], many[3]) = (1, 9);
        assert!(decode(&many).is_none(), "more numbers than any record has");
        assert_eq!(pieces(&[1, 0, 2, 0, b'a', b'b', 99, 9, 9]).count(), 1);
        assert_eq!(pieces(&[1, 0, 200, 0, b'a']).count(), 0);
        assert_eq!((numbers(&[1, 0, 0, 0, 0, 0, 0, 0, 9]), numbers(&[])), ([1, 0], [0, 0]));
    }
}
