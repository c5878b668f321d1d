//! Reading strings and structures out of a traced process.
//!
//! Pointers come from the traced program and may be anything: every read may fail, and none reads more
//! than its limit. [`Memory`] has a fake in the tests, so that this is tested without a process.

use super::super::sys::memory::{Span, read_spans};

/// Another process's memory.
pub trait Memory {
    /// Reads whole stretches one after the other into `buffer`, up to the first that is not readable;
    /// returns how many bytes were read.
    fn read(&self, spans: &[Span], buffer: &mut [u8]) -> usize;
}

/// The memory of a traced thread.
#[derive(Clone, Copy, Debug)]
pub struct ThreadMemory(pub i32);

impl Memory for ThreadMemory {
    fn read(&self, spans: &[Span], buffer: &mut [u8]) -> usize {
        read_spans(self.0, spans, buffer).unwrap_or(0)
    }
}

/// How reading a string ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StringEnd {
    /// At its NUL byte.
    Nul,
    /// At the limit.
    Limit,
    /// At memory that cannot be read.
    Unreadable,
}

const PAGE: u64 = 4096;
/// Most paths are shorter than this, so that one read of this size does.
const FIRST: usize = 256;
const CHUNK: usize = 4096;

/// Appends the NUL-terminated string at `address` to `out`, without the NUL, at most `limit` bytes.
pub fn read_string(memory: &impl Memory, address: u64, limit: usize, out: &mut Vec<u8>) -> StringEnd {
    let begin = out.len();
    let mut chunk = [0; CHUNK];
    let mut at = address;
    let mut want = FIRST;
    loop {
        // One byte past the limit, so that a string of exactly `limit` bytes is told from a longer one.
        want = want.min(limit + 1 - (out.len() - begin));
        let got = read_up_to(memory, at, &mut chunk[..want]);
        if let Some(end) = chunk[..got].iter().position(|&byte| byte == 0) {
            out.extend_from_slice(&chunk[..end]);
            return StringEnd::Nul;
        }
        out.extend_from_slice(&chunk[..got]);
        if out.len() - begin > limit {
            out.truncate(begin + limit);
            return StringEnd::Limit;
        }
        if got < want {
            return StringEnd::Unreadable;
        }
        at = at.wrapping_add(got as u64);
        want = CHUNK;
    }
}

/// Reads as much of `buffer.len()` bytes as can be read; a page that cannot be read cuts it short.
fn read_up_to(memory: &impl Memory, address: u64, buffer: &mut [u8]) -> usize {
    let length = buffer.len();
    let in_page = ((PAGE - address % PAGE) as usize).min(length);
    let spans = [
        Span { address, length: in_page },
        Span { address: address.wrapping_add(in_page as u64), length: length - in_page },
    ];
    let count = if in_page == length { 1 } else { 2 };
    memory.read(&spans[..count], buffer)
}

/// Fills `buffer` from `address`; false if any of it cannot be read.
pub fn read_exact(memory: &impl Memory, address: u64, buffer: &mut [u8]) -> bool {
    let span = Span { address, length: buffer.len() };
    memory.read(&[span], buffer) == buffer.len()
}

/// Reads an array of strings (`argv`), each followed by a NUL byte in `out`, at most `limit` bytes in
/// all. `word` is the size of a pointer in bytes.
pub fn read_string_array(
    memory: &impl Memory,
    address: u64,
    word: usize,
    limit: usize,
    out: &mut Vec<u8>,
) -> StringEnd {
    let begin = out.len();
    let mut at = address;
    loop {
        let mut pointer = [0; 8];
        if !read_exact(memory, at, &mut pointer[..word]) {
            return StringEnd::Unreadable;
        }
        let pointer = u64::from_le_bytes(pointer);
        if pointer == 0 {
            return StringEnd::Nul;
        }
        let used = out.len() - begin;
        if used >= limit {
            return StringEnd::Limit;
        }
        let end = read_string(memory, pointer, limit - used, out);
        out.push(0);
        if end != StringEnd::Nul {
            return end;
        }
        at = at.wrapping_add(word as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Memory that exists from `base` on.
    struct Fake {
        base: u64,
        bytes: Vec<u8>,
    }

    impl Memory for Fake {
        fn read(&self, spans: &[Span], buffer: &mut [u8]) -> usize {
            let mut done = 0;
            for span in spans {
                let Some(from) = span.address.checked_sub(self.base) else { break };
                let Some(bytes) = self.bytes.get(from as usize..from as usize + span.length) else { break };
                buffer[done..done + span.length].copy_from_slice(bytes);
                done += span.length;
            }
            done
        }
    }

    fn page_with(text: &[u8], at: usize) -> Fake {
        let mut bytes = vec![0xff; PAGE as usize];
        bytes[at..at + text.len()].copy_from_slice(text);
        Fake { base: 0x7000, bytes }
    }

    #[test]
    fn a_string_ends_at_its_nul() {
        let memory = page_with(b"/etc/passwd\0", 16);
        let mut out = b"before".to_vec();
        assert_eq!(read_string(&memory, 0x7010, 4095, &mut out), StringEnd::Nul);
        assert_eq!(out, b"before/etc/passwd");
    }

    #[test]
    fn a_string_may_end_right_before_an_unmapped_page() {
        let memory = page_with(b"/end\0", PAGE as usize - 5);
        let mut out = Vec::new();
        assert_eq!(read_string(&memory, 0x7000 + PAGE - 5, 4095, &mut out), StringEnd::Nul);
        assert_eq!(out, b"/end");
    }

    #[test]
    fn a_string_without_an_end_is_unreadable() {
        let memory = page_with(b"/end", PAGE as usize - 4);
        let mut out = Vec::new();
        assert_eq!(read_string(&memory, 0x7000 + PAGE - 4, 4095, &mut out), StringEnd::Unreadable);
        assert_eq!(read_string(&memory, 0, 4095, &mut out), StringEnd::Unreadable);
    }

    #[test]
    fn a_string_is_cut_at_the_limit_exactly() {
        let mut text = vec![b'a'; 1000];
        text.push(0);
        let memory = page_with(&text, 0);
        let mut out = Vec::new();
        assert_eq!(read_string(&memory, 0x7000, 1000, &mut out), StringEnd::Nul);
        assert_eq!(out.len(), 1000);
        out.clear();
        assert_eq!(read_string(&memory, 0x7000, 999, &mut out), StringEnd::Limit);
        assert_eq!(out.len(), 999);
    }

    #[test]
    fn an_array_of_strings_stops_at_null_and_at_the_limit() {
        let mut page = vec![0; 64];
        page[..8].copy_from_slice(&0x7020_u64.to_le_bytes());
        page[8..16].copy_from_slice(&0x7024_u64.to_le_bytes());
        page[32..40].copy_from_slice(b"ls\0\0-l\0\0");
        page.resize(PAGE as usize, 0);
        let memory = Fake { base: 0x7000, bytes: page };
        let mut out = Vec::new();
        assert_eq!(read_string_array(&memory, 0x7000, 8, 4096, &mut out), StringEnd::Nul);
        assert_eq!(out, b"ls\0-l\0");
        out.clear();
        assert_eq!(read_string_array(&memory, 0x7000, 8, 3, &mut out), StringEnd::Limit);
        assert_eq!(read_string_array(&memory, 0x10, 8, 3, &mut out), StringEnd::Unreadable);
    }
}
