//! Records that were taken from the ring and wait to be made events of.
//!
//! Copying a record takes a tenth of what making an event takes. So bursts are copied, which keeps the ring small:
//! that counts twice in the resident set, and all the time.

use super::load::Loaded;
use super::wire::{self, Record};

/// Most bytes that wait here. They count only while they are needed.
const MOST: usize = 96 << 20;
/// So much is kept for the next burst.
const KEPT: usize = 4 << 20;
/// Records made events of before the ring is looked at again: some milliseconds.
const AT_ONCE: usize = 1024;

/// See above.
pub struct Backlog {
    bytes: Vec<u8>,
    /// How much of it is done.
    done: usize,
}

impl Backlog {
    /// Nothing waits.
    pub fn new() -> Self {
        Self { bytes: Vec::new(), done: 0 }
    }

    /// Takes what is in the ring, as far as there is room, and hands on the oldest records. False: nothing was there.
    pub fn work(&mut self, loaded: &mut Loaded, mut take: impl FnMut(Record<'_>)) -> bool {
        self.fill(loaded);
        let any = self.done < self.bytes.len();
        for _ in 0..AT_ONCE {
            let Some(record) = self.next() else { break };
            if let Some(record) = wire::decode(record) {
                take(record);
            }
        }
        if self.done >= self.bytes.len() {
            if self.bytes.len() > KEPT {
                self.bytes = Vec::new();
            }
            self.bytes.clear();
            self.done = 0;
        }
        any
    }

    /// Whether all is done that was in the ring at the last look.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn fill(&mut self, loaded: &mut Loaded) {
        if self.bytes.capacity() == 0 {
            self.bytes.reserve_exact(MOST);
        }
        while self.bytes.len() + wire::LONGEST <= MOST
            && let Some(record) = loaded.ring.next()
        {
            self.bytes.extend_from_slice(&(record.len() as u32).to_ne_bytes());
            self.bytes.extend_from_slice(&record);
        }
    }

    fn next(&mut self) -> Option<&[u8]> {
        let (length, rest) = self.bytes.get(self.done..)?.split_first_chunk()?;
        let length = u32::from_ne_bytes(*length) as usize;
        self.done += size_of::<u32>() + length;
        rest.get(..length)
    }
}
