//! Strings and buffers in quotes.

use super::Decoder;
use super::escape::write_escaped;
use super::files::LONGEST_PATH;
use super::memory::{LARGE, Phase};
use crate::event::Abi;
use crate::syscall::flags::write_radix;

/// Which strings are printed in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Hex {
    /// None.
    #[default]
    Never,
    /// Of all the bytes that do not print (`--strings-in-hex=non-ascii-chars`).
    Characters,
    /// Those with bytes that do not print (`-x`).
    Unprintable,
    /// All (`-xx`).
    All,
}

/// How a string read from memory ended.
pub(super) enum End {
    Nul,
    Limit,
    Unreadable,
}

/// The longest string read at all, whatever is asked for.
pub(super) const LONGEST: usize = 256 << 10;

/// Strings are read in pieces of this many bytes.
const CHUNK: usize = 4096;

impl Decoder<'_, '_> {
    /// `"text"`, with `...` behind it if more of it was there.
    pub(super) fn write_text(&self, out: &mut Vec<u8>, text: &[u8], is_cut: bool) {
        write_text(out, text, self.style.hex, is_cut);
    }

    /// A buffer of this length as the style wants it.
    pub(super) fn write_buffer(&mut self, out: &mut Vec<u8>, address: u64, length: u64) {
        self.write_buffer_as(out, address, length, self.style.hex);
    }

    pub(super) fn write_buffer_as(&mut self, out: &mut Vec<u8>, address: u64, length: u64, hex: Hex) {
        // Of no length, memory is looked at nowhere, but that it can be there is.
        if address == 0 || self.event.abi == Abi::X32 && address > u64::from(u32::MAX) {
            return self.write_address(out, address);
        }
        let shown = usize::try_from(length).unwrap_or(usize::MAX).min(self.style.strings).min(LONGEST);
        // strace reads one byte more where there is more.
        let mut bytes = vec![0; shown + usize::from(length > shown as u64)];
        let read = self.memory.read(self.phase, address, &mut bytes);
        if read < bytes.len() || (shown == 0 && !self.is_deep()) {
            return self.write_address(out, address);
        }
        write_text(out, &bytes[..shown], hex, length > shown as u64);
    }

    /// A string that ends with a NUL byte.
    pub(super) fn write_c_string(&mut self, out: &mut Vec<u8>, address: u64) {
        self.write_string_up_to(out, address, self.style.strings.min(LONGEST));
    }

    /// The same, however long strings are to be.
    pub(super) fn write_whole_path(&mut self, out: &mut Vec<u8>, address: u64) {
        self.write_string_up_to(out, address, LONGEST_PATH);
    }

    pub(super) fn write_string_up_to(&mut self, out: &mut Vec<u8>, address: u64, limit: usize) {
        let mut text = Vec::new();
        match self.read_c_string(address, limit, &mut text) {
            End::Unreadable => self.write_address(out, address),
            end => self.write_text(out, &text, matches!(end, End::Limit)),
        }
    }

    /// A string of which a call takes so many bytes, its NUL byte among them, and strace shows no more; of a longer one
    /// all of those.
    pub(super) fn write_string_within(&mut self, out: &mut Vec<u8>, address: u64, size: usize) {
        let limit = self.style.strings.min(LONGEST);
        if limit < size {
            return self.write_string_up_to(out, address, limit);
        }
        let mut bytes = vec![0; size];
        let read = if address == 0 { 0 } else { self.memory.read(self.phase, address, &mut bytes) };
        match bytes[..read].iter().position(|&byte| byte == 0) {
            Some(end) => self.write_text(out, &bytes[..end], false),
            None if read == size && size > 0 => self.write_text(out, &bytes, true),
            None => self.write_address(out, address),
        }
    }

    /// A string in a buffer of this size, which it may fill.
    pub(super) fn write_string_of(&mut self, out: &mut Vec<u8>, address: u64, size: u32) {
        let size = (size as usize).min(LONGEST);
        let shown = size.min(self.style.strings);
        let mut bytes = vec![0; size.min(shown + 1)];
        if address == 0 || self.memory.read(self.phase, address, &mut bytes) < bytes.len() {
            return self.write_address(out, address);
        }
        match bytes.iter().position(|&byte| byte == 0) {
            Some(end) => self.write_text(out, &bytes[..end], false),
            None => self.write_text(out, &bytes[..shown], true),
        }
    }

    pub(super) fn read_c_string(&mut self, address: u64, limit: usize, text: &mut Vec<u8>) -> End {
        let mut chunk = [0; CHUNK];
        loop {
            // One byte past the limit, so that a string of exactly `limit` bytes is told from a longer one.
            let want = CHUNK.min(limit + 1 - text.len());
            let at = address.wrapping_add(text.len() as u64);
            let got = self.memory.read(self.phase, at, &mut chunk[..want]);
            if let Some(end) = chunk[..got].iter().position(|&byte| byte == 0) {
                text.extend_from_slice(&chunk[..end]);
                return End::Nul;
            }
            text.extend_from_slice(&chunk[..got]);
            if text.len() > limit {
                text.truncate(limit);
                return End::Limit;
            }
            if got < want {
                return End::Unreadable;
            }
        }
    }

    /// An array of strings that a null pointer ends: `["sh", "-c"]`, or how many there are.
    pub(super) fn write_string_array(&mut self, out: &mut Vec<u8>, address: u64, is_counted: bool) {
        let word = self.word_size();
        let (pointers, ends) = self.read_pointers(address);
        if !ends && pointers.is_empty() {
            return self.write_address(out, address);
        }
        if is_counted {
            self.write_address(out, address);
            out.extend_from_slice(b" /* ");
            write_radix(out, pointers.len() as u64, 10, 1);
            let suffix: &[u8] = match (ends, pointers.len()) {
                (true, 1) => b" var */",
                (true, _) => b" vars */",
                (false, 1) => b" var, unterminated */",
                (false, _) => b" vars, unterminated */",
            };
            return out.extend_from_slice(suffix);
        }
        self.read_together(&pointers[..pointers.len().min(self.most_elements())]);
        out.push(b'[');
        for (index, pointer) in pointers.iter().enumerate() {
            if index > 0 {
                out.extend_from_slice(b", ");
            }
            if index >= self.most_elements() {
                out.extend_from_slice(b"...]");
                return;
            }
            self.write_c_string(out, *pointer);
        }
        if !ends {
            let next = address.wrapping_add((pointers.len() * word) as u64);
            out.extend_from_slice(b", ... /* ");
            self.write_address(out, next);
            out.extend_from_slice(b" */");
        }
        out.push(b']');
    }

    /// Reads what many strings are in, where they are near each other, in large pieces: each string by itself would be
    /// looked for among all that were read before it. Not where environments are left out: they may be in between.
    fn read_together(&mut self, pointers: &[u64]) {
        const FEW: usize = 64;
        if pointers.len() <= FEW || !self.style.environment {
            return;
        }
        let mut sorted = pointers.to_vec();
        sorted.sort_unstable();
        let mut piece = vec![0; LARGE];
        let mut rest = &sorted[..];
        while let Some(&first) = rest.first() {
            let count = rest.partition_point(|&pointer| pointer - first < (LARGE - CHUNK) as u64);
            if count > FEW {
                self.memory.read(self.phase, first, &mut piece);
            }
            rest = &rest[count..];
        }
    }

    /// The pointers of an array that a null pointer ends, as far as they can be read, and whether it does.
    ///
    /// Read in pieces, each larger than the one before: few are asked for where there are few, and an exec may have a
    /// million.
    fn read_pointers(&mut self, address: u64) -> (Vec<u64>, bool) {
        const FIRST: usize = 512;
        /// Of more bytes the kernel takes no array: `_STK_LIM / 4 * 3` is for these and the strings.
        const MOST: usize = 6 << 20;
        let word = self.word_size();
        let (mut pointers, mut piece, mut size) = (Vec::new(), Vec::new(), FIRST);
        while address != 0 && pointers.len() * word < MOST {
            piece.resize(size, 0);
            let at = address.wrapping_add((pointers.len() * word) as u64);
            let got = self.memory.read(self.phase, at, &mut piece);
            for bytes in piece[..got].chunks_exact(word) {
                let mut pointer = [0; 8];
                pointer[..word].copy_from_slice(bytes);
                match u64::from_le_bytes(pointer) {
                    0 => return (pointers, true),
                    pointer => pointers.push(pointer),
                }
            }
            if got < size {
                break;
            }
            size = (size * 4).min(LARGE);
        }
        (pointers, false)
    }

    /// How many elements of an array are shown.
    pub(super) fn most_elements(&self) -> usize {
        /// Whatever a program says of its arrays.
        const MOST: usize = 1 << 16;
        if self.style.verbose { MOST } else { self.style.strings.min(MOST) }
    }

    /// An unsigned word of the ABI.
    pub(super) fn read_word(&mut self, address: u64) -> Option<u64> {
        self.read_word_at(self.phase, address)
    }

    pub(super) fn read_word_at(&mut self, phase: Phase, address: u64) -> Option<u64> {
        let size = self.word_size();
        let mut bytes = [0; 8];
        (address != 0 && self.memory.read(phase, address, &mut bytes[..size]) == size)
            .then(|| u64::from_le_bytes(bytes))
    }

    /// A 32-bit integer.
    pub(super) fn read_u32_at(&mut self, phase: Phase, address: u64) -> Option<u32> {
        let mut bytes = [0; 4];
        (address != 0 && self.memory.read(phase, address, &mut bytes) == 4).then(|| u32::from_le_bytes(bytes))
    }
}

/// Whether a byte is printed where others are in hexadecimal.
pub(super) fn prints(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t'..=b'\r')
}

/// `"text"` or `"\x74\x65"`, with `...` behind it if it was cut.
pub(super) fn write_text(out: &mut Vec<u8>, text: &[u8], hex: Hex, is_cut: bool) {
    out.push(b'"');
    if hex == Hex::All || (hex == Hex::Unprintable && !text.iter().copied().all(prints)) {
        for &byte in text {
            out.extend_from_slice(b"\\x");
            write_radix(out, u64::from(byte), 16, 2);
        }
    } else if hex == Hex::Characters {
        for byte in text {
            if prints(*byte) {
                write_escaped(out, std::slice::from_ref(byte), b"");
            } else {
                out.extend_from_slice(b"\\x");
                write_radix(out, u64::from(*byte), 16, 2);
            }
        }
    } else {
        write_escaped(out, text, b"");
    }
    out.extend_from_slice(if is_cut { b"\"..." } else { b"\"" });
}
