//! What a call's pointers point to: read from a living process, or out of what was kept of it.
//!
//! Decoding asks a [`Memory`] and never knows which it is. While recording, a [`Keeper`] stands between the decoder
//! and the process and keeps whatever was read, so that the same decoder, asked again with a [`Snapshot`], prints the
//! same. What is kept is therefore never mirrored by hand from what is printed.
//!
//! A snapshot is a sequence of stretches: one byte for the moment (0 entry, 1 exit), eight for the address, four for
//! the length, both little-endian, and the bytes. Snapshots come from logs and may be anything.

/// When memory was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Before the kernel saw the call: what it was passed.
    Entry,
    /// After it returned: what it has filled.
    Exit,
}

/// Memory of a traced program, at the two moments of a call.
pub trait Memory {
    /// Fills `buffer` from `address` as far as memory can be read there; returns how many bytes were.
    fn read(&mut self, phase: Phase, address: u64, buffer: &mut [u8]) -> usize;

    /// Whether there is any: otherwise nothing was kept, and what cannot be read says nothing.
    fn is_there(&self) -> bool {
        true
    }
}

/// A log that keeps no memory.
#[derive(Clone, Copy, Debug)]
pub struct NoMemory;

impl Memory for NoMemory {
    fn read(&mut self, _: Phase, _: u64, _: &mut [u8]) -> usize {
        0
    }

    fn is_there(&self) -> bool {
        false
    }
}

/// What was kept of one call, see the module.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot<'a>(pub &'a [u8]);

/// Bytes before those of a stretch.
const HEAD: usize = 13;

impl<'a> Snapshot<'a> {
    /// The stretches: moment, address, bytes. Ends at what is no stretch.
    fn stretches(self) -> impl Iterator<Item = (Phase, u64, &'a [u8])> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (head, after) = rest.split_at_checked(HEAD)?;
            let phase = if head[0] == 0 { Phase::Entry } else { Phase::Exit };
            let address = u64::from_le_bytes(head[1..9].try_into().ok()?);
            let length = u32::from_le_bytes(head[9..].try_into().ok()?);
            let (bytes, after) = after.split_at_checked(length as usize)?;
            rest = after;
            Some((phase, address, bytes))
        })
    }
}

impl Memory for Snapshot<'_> {
    fn read(&mut self, phase: Phase, address: u64, buffer: &mut [u8]) -> usize {
        let mut most = 0;
        for (_, begin, bytes) in self.stretches().filter(|(of, ..)| *of == phase) {
            let Some(offset) = address.checked_sub(begin).and_then(|offset| usize::try_from(offset).ok())
            else {
                continue;
            };
            let Some(from) = bytes.get(offset..) else { continue };
            let count = from.len().min(buffer.len());
            if count > most {
                buffer[..count].copy_from_slice(&from[..count]);
                most = count;
            }
            if most == buffer.len() {
                break;
            }
        }
        most
    }
}

/// Most bytes kept of one call, large pieces apart.
pub const MOST_KEPT: usize = 1 << 20;

/// Pieces from this size on are whole buffers, asked for as such (`-e write=`), and those of large arrays: nothing else is
/// read in as large ones.
pub const LARGE: usize = 1 << 19;

/// Most bytes kept of one call, with them.
const MOST_WITH_LARGE: usize = 64 << 20;

/// Reads a living process at one moment, and keeps what it reads.
pub struct Keeper<'a, R> {
    /// What is kept.
    pub kept: &'a mut Vec<u8>,
    /// The moment that is now. The other one is known only by what was kept.
    pub now: Phase,
    /// Reads the process.
    pub live: R,
}

impl<R> Keeper<'_, R> {
    /// Whether there is room for a piece of this many bytes.
    fn has_room(&self, bytes: usize) -> bool {
        let whole = self.kept.len() + HEAD + bytes;
        if whole <= MOST_KEPT {
            return true;
        }
        let pieces = || Snapshot(self.kept).stretches().map(|(.., bytes)| bytes.len());
        let small: usize = pieces().filter(|&size| size < LARGE).map(|size| HEAD + size).sum();
        whole <= MOST_WITH_LARGE && (bytes >= LARGE || small + HEAD + bytes <= MOST_KEPT)
    }
}

impl<R: FnMut(u64, &mut [u8]) -> usize> Memory for Keeper<'_, R> {
    fn read(&mut self, phase: Phase, address: u64, buffer: &mut [u8]) -> usize {
        let known = Snapshot(self.kept).read(phase, address, buffer);
        if phase != self.now || known == buffer.len() {
            return known;
        }
        let got = (self.live)(address, buffer).min(buffer.len());
        if got > 0 && self.has_room(got) {
            self.kept.push(u8::from(phase == Phase::Exit));
            self.kept.extend_from_slice(&address.to_le_bytes());
            self.kept.extend_from_slice(&(got as u32).to_le_bytes());
            self.kept.extend_from_slice(&buffer[..got]);
        }
        got
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_was_read_can_be_read_again() {
        let process: Vec<u8> = (0..=255).collect();
        let mut kept = Vec::new();
        let live = |address: u64, buffer: &mut [u8]| {
            let from = process.get(address as usize..).unwrap_or_default();
            let count = from.len().min(buffer.len());
            buffer[..count].copy_from_slice(&from[..count]);
            count
        };
        let mut entry = Keeper { kept: &mut kept, now: Phase::Entry, live };
        let mut buffer = [0; 8];
        assert_eq!(entry.read(Phase::Entry, 16, &mut buffer), 8);
        assert_eq!(entry.read(Phase::Exit, 16, &mut buffer), 0, "it has not returned yet");
        assert_eq!(entry.read(Phase::Entry, 252, &mut buffer), 4, "what can be read is");
        assert_eq!(entry.read(Phase::Entry, 1000, &mut buffer), 0);
        let before = kept.len();
        let mut exit = Keeper { kept: &mut kept, now: Phase::Exit, live };
        assert_eq!(exit.read(Phase::Entry, 18, &mut buffer[..4]), 4);
        assert_eq!(buffer[..4], [18, 19, 20, 21]);
        assert_eq!(exit.read(Phase::Entry, 30, &mut buffer), 0, "not what it is now");
        assert_eq!(kept.len(), before, "nothing is kept twice");
        let mut snapshot = Snapshot(&kept);
        assert_eq!(snapshot.read(Phase::Entry, 252, &mut buffer), 4);
        assert_eq!(snapshot.read(Phase::Exit, 252, &mut buffer), 0);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_snapshot(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            address in any::<u64>(),
        ) {
            let mut buffer = [0; 32];
            prop_assert!(Snapshot(&bytes).read(Phase::Exit, address, &mut buffer) <= 32);
        }
    }
}
