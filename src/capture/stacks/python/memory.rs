//! Reading an interpreter's memory while its thread stands still.

use super::super::super::sys::memory::{Span, read_spans};

/// Fills the buffer with what lies at an address, or does not.
pub fn read(pid: i32, address: u64, buffer: &mut [u8]) -> Option<()> {
    let span = Span { address, length: buffer.len() };
    (read_spans(pid, &[span], buffer).ok()? == buffer.len()).then_some(())
}

/// So many bytes at an address.
pub fn bytes(pid: i32, address: u64, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    read(pid, address, &mut bytes)?;
    Some(bytes)
}

/// The pointer or size at an offset from an address.
pub fn word(pid: i32, address: u64, offset: usize) -> Option<u64> {
    let mut bytes = [0; 8];
    read(pid, address.wrapping_add(offset as u64), &mut bytes)?;
    Some(u64::from_ne_bytes(bytes))
}

/// A pointer or size in what was read; what lies outside is null.
pub fn field(bytes: &[u8], at: usize) -> u64 {
    let field = at.checked_add(8).and_then(|end| bytes.get(at..end));
    field.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_ne_bytes)
}

/// An `int` in what was read.
pub fn int(bytes: &[u8], at: usize) -> u32 {
    let field = at.checked_add(4).and_then(|end| bytes.get(at..end));
    field.and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_ne_bytes)
}
