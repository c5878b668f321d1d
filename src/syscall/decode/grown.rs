//! Structures that grew from version to version, passed with their size: what is behind the part that has names.

use super::text::{Hex, write_text};
use super::{Decoder, Phase};
use crate::syscall::flags::write_radix;

/// More than a page of them the kernel does not take.
const PAGE: u64 = 4096;

impl Decoder<'_, '_> {
    /// `, /* bytes 24..31 */ "\x01.."`: what is behind the first `known` bytes of a structure of so many, where not all
    /// of it is 0; `, ???` where it cannot be read.
    pub(super) fn write_rest(&mut self, out: &mut Vec<u8>, address: u64, known: u64, size: u64) {
        let end = size.min(PAGE);
        let Some(count) = end.checked_sub(known).filter(|&count| count > 0) else { return };
        let mut bytes = vec![0; count as usize];
        if self.memory.read(Phase::Entry, address.wrapping_add(known), &mut bytes) < bytes.len() {
            return out.extend_from_slice(b", ???");
        }
        if bytes.iter().all(|&byte| byte == 0) {
            return;
        }
        out.extend_from_slice(b", /* bytes ");
        write_radix(out, known, 10, 1);
        out.extend_from_slice(b"..");
        write_radix(out, end - 1, 10, 1);
        out.extend_from_slice(b" */ ");
        let shown = bytes.len().min(self.style.strings);
        write_text(out, &bytes[..shown], Hex::All, shown < bytes.len());
    }
}
