//! Records that were taken from the ring and wait to be made events of.
//!
//! Copying a record takes a tenth of what making an event takes. So bursts are copied, which keeps the ring small:
//! that counts twice in the resident set, and all the time.

use std::collections::VecDeque;

use super::load::Loaded;
use super::wire::{self, Record};

/// Most bytes that wait here: twice as many as in the ring. More of them would let a burst that never ends grow the resident
/// set; whoever makes it waits for the ring to be drained instead.
const MOST: usize = 16 << 20;
/// Bytes of a chunk: many records, and few enough that memory is given back soon.
const CHUNK: usize = 1 << 20;
/// Chunks kept for the next burst.
const KEPT: usize = 2;
/// Records made events of before the ring is looked at again: a millisecond or less.
const AT_ONCE: usize = 256;

/// See above.
#[derive(Default)]
pub struct Backlog {
    /// Records, each after its length; the oldest chunk first.
    chunks: VecDeque<Vec<u8>>,
    /// How much of the oldest one is done.
    done: usize,
    /// Empty ones.
    spare: Vec<Vec<u8>>,
    /// Whether any record has come.
    pub has_begun: bool,
}

impl Backlog {
    /// Takes what is in the ring, as far as there is room, and hands on the oldest records. Gives whether more wait.
    pub fn work(&mut self, loaded: &mut Loaded, mut take: impl FnMut(Record<'_>)) -> bool {
        while (self.chunks.len() + 1) * CHUNK <= MOST
            && let Some(record) = loaded.ring.next()
        {
            self.push(&record);
        }
        for _ in 0..AT_ONCE {
            let Some(record) = self.next() else { break };
            if let Some(record) = wire::decode(record) {
                take(record);
                self.has_begun = true;
            }
        }
        !self.is_empty()
    }

    /// Whether all is done that was in the ring at the last look.
    pub fn is_empty(&self) -> bool {
        self.chunks.len() <= 1 && self.chunks.front().is_none_or(|chunk| self.done >= chunk.len())
    }

    fn push(&mut self, record: &[u8]) {
        let needed = size_of::<u32>() + record.len();
        if self.chunks.back().is_none_or(|chunk| chunk.len() + needed > CHUNK) {
            self.chunks.push_back(self.spare.pop().unwrap_or_else(|| Vec::with_capacity(CHUNK)));
        }
        if let Some(chunk) = self.chunks.back_mut() {
            chunk.extend_from_slice(&(record.len() as u32).to_ne_bytes());
            chunk.extend_from_slice(record);
        }
    }

    fn next(&mut self) -> Option<&[u8]> {
        while self.chunks.front().is_some_and(|chunk| self.done >= chunk.len()) {
            self.done = 0;
            if self.chunks.len() == 1 {
                // To be filled again.
                self.chunks[0].clear();
                return None;
            }
            let mut chunk = self.chunks.pop_front()?;
            if self.spare.len() < KEPT {
                chunk.clear();
                self.spare.push(chunk);
            }
        }
        let (length, rest) = self.chunks.front()?.get(self.done..)?.split_first_chunk()?;
        let length = u32::from_ne_bytes(*length) as usize;
        self.done += size_of::<u32>() + length;
        rest.get(..length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_out_as_they_went_in_whatever_their_size() {
        let mut backlog = Backlog::default();
        assert!(backlog.is_empty() && backlog.next().is_none());
        let record = |number: usize| vec![number as u8; 1 + number * 7919 % 5000];
        let (mut pushed, mut taken) = (0, 0);
        // More and more wait, over several chunks, and then fewer.
        for round in 0..40 {
            for _ in 0..if round < 20 { 60 } else { 0 } {
                backlog.push(&record(pushed));
                pushed += 1;
            }
            for _ in 0..30 {
                assert_eq!(backlog.next().expect("some wait"), record(taken), "{taken}");
                taken += 1;
            }
            assert_eq!(backlog.is_empty(), taken == pushed, "{round}");
        }
        assert!(pushed == 1200 && backlog.next().is_none() && backlog.chunks.len() == 1);
        backlog.push(&record(3));
        assert_eq!(backlog.next(), Some(&record(3)[..]));
    }
}
