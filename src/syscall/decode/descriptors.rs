//! What is told of descriptors: the file behind each, and of sockets, devices and processes what they are.
//!
//! Structures have descriptors, too, so what is behind one is looked up where a call is decoded: at an address that no
//! program has, from a [`Memory`](super::Memory) that may know it. It is kept with the rest.

use super::escape::write_escaped;
use super::{Decoder, Phase, call};
use crate::syscall::flags::write_number;

/// What more is told of descriptors than paths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Device numbers: `</dev/null<char 1:3>>`.
    pub devices: bool,
    /// Protocols and addresses: `<TCP:[127.0.0.1:80]>`.
    pub sockets: bool,
    /// Processes: `<pid:17>`.
    pub processes: bool,
}

impl Details {
    /// All of them.
    pub const ALL: Self = Self { devices: true, sockets: true, processes: true };

    /// Whether there is any.
    #[must_use]
    pub fn is_any(self) -> bool {
        self != Self::default()
    }
}

/// A set of descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptors {
    bits: [u64; Self::MOST as usize / 64],
    /// Whether higher ones are in it.
    beyond: bool,
}

impl Descriptors {
    /// Those below are told apart.
    pub const MOST: u32 = 256;
    /// None.
    pub const NONE: Self = Self { bits: [0; Self::MOST as usize / 64], beyond: false };

    /// `3,5`, `!3`, `all`, `none`; the part that is wrong otherwise.
    ///
    /// # Errors
    /// What is no number below [`MOST`](Self::MOST).
    pub fn parse(text: &str) -> Result<Self, &str> {
        let (is_inverted, list) = text.strip_prefix('!').map_or((false, text), |list| (true, list));
        let mut set = Self::NONE;
        for item in list.split(',') {
            match item {
                "all" => set = Self::NONE.inverted(),
                "none" => {}
                item => {
                    let fd: u32 = item.parse().ok().filter(|&fd| fd < Self::MOST).ok_or(item)?;
                    set.bits[fd as usize / 64] |= 1 << (fd % 64);
                }
            }
        }
        Ok(if is_inverted { set.inverted() } else { set })
    }

    fn inverted(self) -> Self {
        Self { bits: self.bits.map(|word| !word), beyond: !self.beyond }
    }

    /// Whether this one is in it.
    #[must_use]
    pub fn has(&self, fd: i32) -> bool {
        let Ok(fd) = u32::try_from(fd) else { return false };
        self.bits.get(fd as usize / 64).map_or(self.beyond, |word| word >> (fd % 64) & 1 != 0)
    }
}

/// Where a [`Memory`](super::Memory) has what is behind descriptors, 64 KiB for each; the last is the working
/// directory's.
const BASE: u64 = 0xffff_0000_0000_0000;
const SHIFT: u32 = 16;
/// Before the text stands its length.
const TEXT: u64 = 8;
/// The longest text.
const LONGEST: usize = 5000;

/// What is behind a descriptor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// The path of the file, or what stands in its place.
    pub path: Vec<u8>,
    /// What is printed as it is, behind the path.
    pub more: Vec<u8>,
}

impl Described {
    /// What a memory has from an offset of [`descriptor_at`] on.
    pub fn read(&self, offset: usize, buffer: &mut [u8]) -> usize {
        let length = (self.path.len() + 1 + self.more.len()).min(LONGEST);
        let head = (length as u64).to_le_bytes();
        let bytes = head.iter().chain(&self.path).chain(&[0]).chain(&self.more).take(TEXT as usize + length);
        let mut count = 0;
        for (to, from) in buffer.iter_mut().zip(bytes.skip(offset)) {
            *to = *from;
            count += 1;
        }
        count
    }
}

/// Which descriptor an address asks for, and from which byte on; `None`: it is an address of the program's.
#[must_use]
pub fn descriptor_at(address: u64) -> Option<(i32, usize)> {
    let fd = i32::try_from(address.checked_sub(BASE)? >> SHIFT).ok()?;
    Some((fd, (address & 0xffff) as usize))
}

impl Decoder<'_, '_> {
    /// A descriptor inside of a structure, with what is behind it.
    pub(super) fn write_descriptor(&mut self, out: &mut Vec<u8>, fd: i32) {
        write_number(out, i64::from(fd));
        self.write_behind(out, fd);
    }

    /// `</dev/null<char 1:3>>`; `false`: nothing is known, or wanted.
    pub(super) fn write_behind(&mut self, out: &mut Vec<u8>, fd: i32) -> bool {
        let Ok(number) = u64::try_from(fd) else { return false };
        if !self.style.files && !self.style.details.is_any() {
            return false;
        }
        let at = BASE + (number << SHIFT);
        let Some(length) = self.read_u32_at(self.phase, at) else { return false };
        let mut text = vec![0; (length as usize).min(LONGEST)];
        if self.memory.read(self.phase, at + TEXT, &mut text) < text.len() {
            return false;
        }
        let (path, more) = match text.iter().position(|&byte| byte == 0) {
            Some(end) => (&text[..end], &text[end + 1..]),
            None => return false,
        };
        if path.is_empty() && more.is_empty() {
            return false;
        }
        let start = out.len();
        if path.is_empty() {
            out.extend_from_slice(b"<>");
        } else {
            call::write_file_name(out, path, self.style.hex);
        }
        let end = out.len() - 1;
        out.truncate(end);
        // The marks around are ours; whatever else is in there is not to end a line.
        if more.iter().all(|byte| (b' '..=b'~').contains(byte)) {
            out.extend_from_slice(more);
        } else {
            write_escaped(out, more, b"<>");
        }
        out.push(b'>');
        debug_assert!(out.len() > start);
        true
    }

    /// What is behind the descriptor that the call has returned, where more than its path is to be told.
    pub fn describe_returned(&mut self, out: &mut Vec<u8>) {
        let returns_one = matches!(self.returned(), super::Returned::Fd(_));
        if !returns_one || !self.style.details.is_any() || !self.succeeded() {
            return;
        }
        self.phase = Phase::Exit;
        if let Some(Ok(fd)) = self.event.ret.map(i32::try_from) {
            self.write_behind(out, fd);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_descriptors() {
        let has = |text| Descriptors::parse(text).map(|set| [0, 3, 64, 2000, -1].map(|fd| set.has(fd)));
        assert_eq!(has("3,64"), Ok([false, true, true, false, false]));
        assert_eq!(has("!3"), Ok([true, false, true, true, false]));
        assert_eq!(has("all"), Ok([true, true, true, true, false]));
        assert_eq!(has("none"), Ok([false; 5]));
        assert_eq!(has("1,x"), Err("x"));
        assert_eq!(has("99999"), Err("99999"));
    }

    #[test]
    fn addresses_of_descriptors_are_none_of_a_programs() {
        assert_eq!(descriptor_at(BASE + (5 << SHIFT) + 8), Some((5, 8)));
        assert_eq!(descriptor_at(0x7fff_ffff_ffff), None);
        assert_eq!(descriptor_at(u64::MAX), None);
    }
}
