//! Forms of values that several kinds of messages have.

use super::super::address::{write_host4, write_host6};
use super::super::descriptors::Question;
use super::super::net::{word16, word32};
use super::super::text::write_text;
use super::super::{Constants, Decoder, Hex, Style};
use super::piece::Piece;
use crate::syscall::flags::{ETHERNET_PROTOCOL, FlagSet, write_number, write_radix};

/// Numbers of arrays, and how they are counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Element {
    /// Of four bytes.
    U32,
    /// Of four bytes, signed.
    I32,
    /// As that, from 1 on: `[NAME-1]`.
    I32FromOne,
    /// Of eight bytes.
    U64,
}

impl Element {
    fn size(self) -> usize {
        if self == Self::U64 { 8 } else { 4 }
    }
}

impl Decoder<'_, '_> {
    /// A string in so many bytes, the last of which is a NUL byte: strace says that there is more behind one without it,
    /// and counts it where a string is in hexadecimal.
    pub(super) fn write_name_of(&mut self, out: &mut Vec<u8>, bytes: &[u8]) {
        let shown = &bytes[..bytes.len().min(self.style.strings)];
        match (shown, self.style.hex) {
            ([text @ .., 0], Hex::Never | Hex::Characters) => self.write_text(out, text, false),
            _ => self.write_text(out, shown, true),
        }
    }

    /// A string up to its first NUL byte.
    pub(super) fn write_text_to_nul(&mut self, out: &mut Vec<u8>, piece: Piece<'_>) {
        let most = piece.length.min(self.style.strings.saturating_add(1));
        let read = &piece.bytes[..piece.bytes.len().min(most)];
        match read.iter().position(|&byte| byte == 0) {
            Some(end) => self.write_text(out, &read[..end], false),
            None if read.len() < most => self.write_address(out, piece.address),
            None => self.write_text(out, &read[..most.min(self.style.strings)], true),
        }
    }

    /// `00:11:22:33:44:55`
    pub(super) fn write_hardware(&mut self, out: &mut Vec<u8>, address: &[u8]) {
        let number = |out: &mut Vec<u8>| write_text(out, address, Hex::All, false);
        self.style.constants.write(out, number, |out| {
            for (at, &byte) in address.iter().enumerate() {
                if at > 0 {
                    out.push(b':');
                }
                write_radix(out, u64::from(byte), 16, 2);
            }
        });
    }

    /// `if_nametoindex("lo")`
    pub(in crate::syscall::decode) fn write_interface(&mut self, out: &mut Vec<u8>, index: i32) {
        let name = if index > 0 { self.ask(Question::Interface(index)) } else { None };
        let hex = self.style.hex;
        let number = |out: &mut Vec<u8>| write_radix(out, u64::from(index.cast_unsigned()), 10, 1);
        let Some(name) = name else { return number(out) };
        self.style.constants.write(out, number, |out| {
            out.extend_from_slice(b"if_nametoindex(");
            write_text(out, &name, hex, false);
            out.push(b')');
        });
    }

    /// `250 /* 2.50 s */`; none: it has more bytes than a number.
    pub(super) fn write_ticks(&mut self, out: &mut Vec<u8>, piece: Piece<'_>) -> Option<()> {
        if piece.length > 8 {
            return None;
        }
        let Some(bytes) = piece.whole() else {
            self.write_address(out, piece.address);
            return Some(());
        };
        let ticks = number(bytes, bytes.len())?;
        let plain = |out: &mut Vec<u8>| write_radix(out, ticks, 10, 1);
        self.style.constants.write(out, plain, |out| {
            plain(out);
            if ticks == 0 {
                return;
            }
            out.extend_from_slice(b" /* ");
            write_radix(out, ticks / 100, 10, 1);
            out.push(b'.');
            write_radix(out, ticks % 100, 10, 2);
            out.extend_from_slice(b" s */");
        });
        Some(())
    }

    /// `htons(ETH_P_8021Q)`
    pub(super) fn write_ethernet(&mut self, out: &mut Vec<u8>, bytes: &[u8], unknown: &'static str) {
        let protocol = u64::from(word16(bytes, 0).swap_bytes());
        out.extend_from_slice(b"htons(");
        self.style.constants.one(out, &FlagSet { unknown, ..ETHERNET_PROTOCOL }, protocol);
        out.push(b')');
    }

    /// `[[NAME]=1, [NAME]=2]`
    pub(super) fn write_numbers(
        &mut self,
        out: &mut Vec<u8>,
        names: &FlagSet,
        element: Element,
        value: Piece<'_>,
    ) -> Option<()> {
        self.write_elements(out, value, element.size(), |call, out, at, bytes| {
            call.write_key(out, names, element, at);
            let number = number(bytes, element.size()).unwrap_or_default();
            match element {
                Element::I32 | Element::I32FromOne => write_number(out, i64::from(number as i32)),
                Element::U32 | Element::U64 => write_radix(out, number, 10, 1),
            }
        })
    }

    /// `[NAME]=`
    fn write_key(&mut self, out: &mut Vec<u8>, names: &FlagSet, element: Element, at: usize) {
        let from = u64::from(element == Element::I32FromOne);
        let number = |out: &mut Vec<u8>| write_radix(out, at as u64, 10, 1);
        out.push(b'[');
        self.style.constants.write(out, number, |out| {
            if let Some(name) = names.name(at as u64 + from) {
                out.extend_from_slice(name.as_bytes());
                return out.extend_from_slice(if from == 1 { b"-1" } else { b"" });
            }
            number(out);
            out.extend_from_slice(b" /* ");
            out.extend_from_slice(names.unknown.as_bytes());
            out.extend_from_slice(b" */");
        });
        out.extend_from_slice(b"]=");
    }

    /// `name=inet_addr("127.0.0.1")`, an address of this family in a room of 16 bytes; of others all of those.
    pub(super) fn write_host_of(&mut self, out: &mut Vec<u8>, family: i32, room: &[u8], name: &str) {
        if family == libc::AF_INET6 {
            let host = room.first_chunk().copied().unwrap_or_default();
            return write_host6(out, host, Some(name), self.style);
        }
        out.extend_from_slice(name.as_bytes());
        out.push(b'=');
        match family {
            libc::AF_INET => self.write_host4_of(out, room),
            _ => write_text(out, room, Hex::All, false),
        }
    }

    /// `inet_addr("127.0.0.1")` in a room of 16 bytes, which as a number are all told.
    pub(super) fn write_host4_of(&mut self, out: &mut Vec<u8>, room: &[u8]) {
        let style = self.style;
        let bytes = |out: &mut Vec<u8>| write_text(out, room, Hex::All, false);
        style.constants.write(out, bytes, |out| {
            let style = Style { constants: Constants::Names, ..*style };
            write_host4(out, room.first_chunk().copied().unwrap_or_default(), &style);
        });
    }
}

/// A little-endian number of so many bytes.
pub(super) fn number(bytes: &[u8], size: usize) -> Option<u64> {
    let mut word = [0; 8];
    word.get_mut(..size)?.copy_from_slice(bytes.get(..size)?);
    Some(u64::from_le_bytes(word))
}

/// `[3, 0]`: the two halves of a cookie.
pub(super) fn write_cookie(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'[');
    write_radix(out, u64::from(word32(bytes, 0)), 10, 1);
    out.extend_from_slice(b", ");
    write_radix(out, u64::from(word32(bytes, 4)), 10, 1);
    out.push(b']');
}

/// `[171, 254]`
pub(super) fn write_octets(
    call: &mut Decoder<'_, '_>,
    out: &mut Vec<u8>,
    piece: Piece<'_>,
    _: u8,
) -> Option<()> {
    call.write_elements(out, piece, 1, |_, out, _, octet| {
        write_radix(out, number(octet, 1).unwrap_or_default(), 10, 1);
    })
}

/// As C's `%#0*x` with room for the digits alone: `0x00012a`, and `00000000`.
pub(super) fn write_padded(out: &mut Vec<u8>, value: u64, size: usize) {
    if value == 0 {
        return write_radix(out, 0, 16, 2 * size);
    }
    out.extend_from_slice(b"0x");
    write_radix(out, value, 16, 2 * size - 2);
}
