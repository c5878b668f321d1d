//! Where the dynamic loader hands over to the program: `AT_ENTRY` of the auxiliary vector (getauxval(3)).
//!
//! The first perf event of any task makes the kernel wait for a grace period, tens of milliseconds
//! (`account_event` in `kernel/events/core.c`), which must not fall into the traced program's first exec.
//! So one event that counts nothing is opened beforehand and kept: [`prepare`], or
//! [`prepare_in_background`] where the command must not wait; an exec before it is ready gets no mark.

use std::sync::OnceLock;

use super::super::sys::breakpoint::{Breakpoint, KeepReady};
use super::files::proc_file;

/// `None` inside: perf events are not permitted.
static READY: OnceLock<Option<KeepReady>> = OnceLock::new();

/// Gets ready to note entry points. Takes tens of milliseconds where nobody else uses perf events.
pub fn prepare() {
    READY.get_or_init(|| KeepReady::open().ok());
}

/// As [`prepare`], without waiting for it.
pub fn prepare_in_background() {
    // Without a thread for it, it is done when it is needed.
    let _ = std::thread::Builder::new().spawn(prepare);
}

/// `AT_ENTRY` of `elf.h`.
const AT_ENTRY: u64 = 9;

/// Arms a breakpoint at the entry point of the program that the thread has just begun to run. `None`
/// where nothing is ready yet or the kernel does not permit one (perf events forbidden, no debug register
/// free).
pub fn arm(tid: i32) -> Option<Breakpoint> {
    READY.get()?.as_ref()?;
    let address = entry_address(&proc_file(tid, "auxv")?)?;
    Breakpoint::arm(tid, address).ok()
}

/// Finds the entry point in an auxiliary vector of 64-bit or of 32-bit words.
fn entry_address(auxv: &[u8]) -> Option<u64> {
    // The first key is a small number: read as 64 bits, a 32-bit vector shows its first value above it.
    let is_64_bit = word(auxv.get(..8)?) < 1 << 16;
    let size = if is_64_bit { 8 } else { 4 };
    let mut pairs = auxv.chunks_exact(2 * size);
    let entry = pairs.find(|pair| word(&pair[..size]) == AT_ENTRY)?;
    Some(word(&entry[size..]))
}

fn word(bytes: &[u8]) -> u64 {
    let mut whole = [0; 8];
    whole[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_word_sizes_are_read() {
        let wide: Vec<u8> =
            [33_u64, 0x7fff_0000_1000, 9, 0x40_1000, 0, 0].into_iter().flat_map(u64::to_le_bytes).collect();
        assert_eq!(entry_address(&wide), Some(0x40_1000));
        let narrow: Vec<u8> =
            [32_u32, 0xf7f0_0000, 9, 0x804_8000, 0, 0].into_iter().flat_map(u32::to_le_bytes).collect();
        assert_eq!(entry_address(&narrow), Some(0x804_8000));
        assert_eq!(entry_address(&[]), None);
        assert_eq!(entry_address(&wide[..16]), None);
    }

    #[test]
    fn our_own_vector_has_one() {
        assert!(entry_address(&proc_file(std::process::id() as i32, "auxv").expect("readable")).is_some());
    }
}
