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
            _ => return None,
        })
    }
}

const NAME: u8 = 2;

/// Bits of [`Head::flags`].
pub mod flag {
    /// The first path could not be read.
    pub const UNREADABLE0: u16 = 1;
    /// The second path could not be read.
    pub const UNREADABLE1: u16 = 2;
    /// Something else could not be read.
    pub const RESULT_UNREADABLE: u16 = 4;
    /// Something did not fit.
    pub const TRUNCATED: u16 = 8;
    /// The call has returned.
    pub const RETURNED: u16 = 16;
    /// The call was begun before its thread was met: the start is when following began, paths are those at its return.
    pub const ENTERED_BEFORE: u16 = 32;
}

/// What every record but a name begins with.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub struct Head {
    /// Bytes in all.
    pub size: u32,
    /// A [`Kind`].
    pub kind: u8,
    /// As [`crate::event::Abi`] counts them.
    pub abi: u8,
    /// Bits of [`flag`].
    pub flags: u16,
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
    /// Number.
    pub nr: u32,
    /// Bytes behind the head.
    pub used: u32,
    /// Behind the call's instruction.
    pub ip: u64,
    /// Arguments.
    pub args: [u64; 6],
    /// Flags of a clone; where a signal handler's return leads to.
    pub extra: u64,
    /// Identity of the cwd.
    pub cwd: u64,
    /// Identity of the root.
    pub root: u64,
    /// Identities of the files behind descriptors.
    pub file: [u64; 2],
    /// Name of the thread, where the record tells it.
    pub comm: [u8; 16],
}

/// What a name begins with.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub struct NameHead {
    /// Bytes in all.
    pub size: u32,
    /// [`NAME`].
    pub kind: u8,
    /// The file has no name any more.
    pub deleted: u8,
    /// Not all components are there.
    pub cut: u16,
    /// What records say for it.
    pub identity: u64,
    /// Of the file system (`linux/magic.h`).
    pub magic: u64,
    /// Inode.
    pub ino: u64,
    /// Bytes of components, the last one first, each ended by a NUL byte.
    pub used: u32,
    /// Nothing.
    pub pad: u32,
}

/// One record.
#[derive(Clone, Copy, Debug)]
pub enum Record<'a> {
    /// The name of an identity.
    Name(NameHead, &'a [u8]),
    /// Anything else, with the bytes of its pieces.
    Other(Kind, Head, &'a [u8]),
}

/// Reads a record; `None` for bytes that are none.
pub fn decode(bytes: &[u8]) -> Option<Record<'_>> {
    let kind = *bytes.get(4)?;
    if kind == NAME {
        let (head, rest) = bytes.split_at_checked(size_of::<NameHead>())?;
        let head: NameHead = bytemuck::pod_read_unaligned(head);
        return Some(Record::Name(head, rest.get(..head.used as usize)?));
    }
    let (head, rest) = bytes.split_at_checked(size_of::<Head>())?;
    let head: Head = bytemuck::pod_read_unaligned(head);
    Some(Record::Other(Kind::of(kind)?, head, rest.get(..head.used as usize)?))
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
}

/// The pieces behind a head.
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
            _ => return None,
        };
        let (piece_bytes, rest) =
            rest.split_at_checked(usize::from(u16::from_le_bytes([head[2], head[3]])))?;
        bytes = rest;
        Some((piece, piece_bytes))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::offset_of;

    #[test]
    fn layouts_are_those_that_the_kernel_side_asserts() {
        assert_eq!(size_of::<Head>(), 160);
        assert_eq!(
            [
                offset_of!(Head, start_ns),
                offset_of!(Head, args),
                offset_of!(Head, cwd),
                offset_of!(Head, comm)
            ],
            [16, 56, 112, 144]
        );
        assert_eq!((offset_of!(NameHead, identity), size_of::<NameHead>()), (8, 40));
    }

    #[test]
    fn anything_else_is_no_record() {
        assert!(decode(&[]).is_none() && decode(&[0; 4]).is_none() && decode(&[1; 200]).is_none());
        let mut bytes = [0; 164];
        bytes[4] = 1;
        assert!(matches!(decode(&bytes), Some(Record::Other(Kind::Call, head, [])) if head.used == 0));
        bytes[44..48].copy_from_slice(&5_u32.to_le_bytes());
        assert!(decode(&bytes).is_none(), "more bytes than there are");
        assert_eq!(pieces(&[1, 0, 2, 0, b'a', b'b', 9, 9, 9]).count(), 1);
        assert_eq!(pieces(&[1, 0, 200, 0, b'a']).count(), 0);
    }
}
