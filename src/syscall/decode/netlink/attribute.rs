//! Attributes of netlink messages: `struct nlattr` with a value each, in lists.

use super::super::address::{write_host4, write_host6};
use super::super::descriptors::Question;
use super::super::layout::Layout;
use super::super::net::{word16, word32};
use super::super::text::write_text;
use super::super::{Decoder, Hex};
use super::piece::Piece;
use crate::syscall::flags::{FlagSet, write_hex, write_number, write_radix};

/// Size of `struct nlattr`.
const HEADER: usize = 4;
const NLA_F_NESTED: u16 = 0x8000;
const NLA_F_NET_BYTEORDER: u16 = 0x4000;

/// How a value is shown. One with fewer bytes than that takes is shown as bytes.
#[derive(Clone, Copy)]
pub(in super::super) enum Show {
    /// As bytes.
    Bytes,
    /// Unsigned numbers.
    U8,
    U16,
    U32,
    U64,
    /// Signed.
    I32,
    /// A string that ends with a NUL byte, and may have more of them.
    Text,
    /// `00:11:22:33:44:55`
    Hardware,
    /// An address of the family of the message.
    Host,
    /// An address of IPv6.
    Host6,
    /// The number of an interface.
    Interface,
    /// A set of bits in four bytes.
    Bits(&'static FlagSet),
    /// One of several values, in so many bytes.
    One(&'static FlagSet, usize),
    /// A structure.
    Of(&'static Layout),
    /// A list of attributes.
    Nested(&'static Attributes),
    /// Numbers of so many bytes, the first of them with this number: `[[NAME]=1, ...]`.
    Array(&'static FlagSet, usize, Index),
    /// As that; one of more than eight bytes is shown as bytes.
    Small(&'static Self),
    /// A form of its own of so many bytes.
    Fixed(usize, fn(&mut Decoder<'_, '_>, &mut Vec<u8>, &[u8])),
    /// Its own form; none: it has too few bytes for it.
    Own(fn(&mut Decoder<'_, '_>, &mut Vec<u8>, Piece<'_>) -> Option<()>),
    /// A list of attributes that the family of the message has, of others that.
    OfFamilies(&'static [(i32, &'static Attributes)], &'static Self),
    /// A structure that grew: all of it, or the first version of so many bytes.
    Grown(usize, &'static Layout),
}

/// How the elements of an array are counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Index {
    /// From 0 on.
    FromZero,
    /// From 1 on: `[NAME-1]`.
    FromOne,
}

/// The attributes that a list can have: what an unknown one is called, and number, name and form of each.
pub(in super::super) struct Attributes {
    pub(super) unknown: &'static str,
    pub(super) rows: &'static [(u16, &'static str, Show)],
}

/// What an error says beside the message that it is about (`linux/netlink.h`).
pub(super) static OF_ERRORS: Attributes = Attributes {
    unknown: "NLMSGERR_ATTR_???",
    rows: &[
        (1, "NLMSGERR_ATTR_MSG", Show::Text),
        (2, "NLMSGERR_ATTR_OFFS", Show::U32),
        (3, "NLMSGERR_ATTR_COOKIE", Show::Own(write_octets)),
        (4, "NLMSGERR_ATTR_POLICY", Show::Bytes),
        (5, "NLMSGERR_ATTR_MISS_TYPE", Show::U32),
        (6, "NLMSGERR_ATTR_MISS_NEST", Show::U32),
    ],
};

impl Decoder<'_, '_> {
    /// A list of attributes of a message of this address family; in brackets where there are several.
    pub(super) fn write_attributes(
        &mut self,
        out: &mut Vec<u8>,
        table: &Attributes,
        family: u8,
        piece: Piece<'_>,
    ) {
        let (mut rest, mut count, mut is_array) = (piece, 0, false);
        loop {
            if rest.length < HEADER {
                self.write_bytes(out, rest);
                break;
            }
            if count >= self.most_elements() {
                out.extend_from_slice(b"...");
                break;
            }
            let Some(header) = rest.first(HEADER) else {
                self.write_unreadable(out, rest, count == 0);
                break;
            };
            let length = usize::from(word16(header, 0));
            let next = rest.after(length.next_multiple_of(4));
            let has_next = length >= HEADER && !next.is_empty();
            if count == 0 && has_next {
                out.push(b'[');
                is_array = true;
            }
            count += 1;
            let value = rest.up_to(length.max(HEADER)).after(HEADER);
            self.write_attribute(out, table, family, header, value);
            if !has_next {
                break;
            }
            out.extend_from_slice(b", ");
            rest = next;
        }
        if is_array {
            out.push(b']');
        }
    }

    /// `[{nla_len=7, nla_type=IFLA_IFNAME}, "lo"]`
    fn write_attribute(
        &mut self,
        out: &mut Vec<u8>,
        table: &Attributes,
        family: u8,
        header: &[u8],
        value: Piece<'_>,
    ) {
        let (length, kind) = (word16(header, 0), word16(header, 2));
        if !value.is_empty() {
            out.push(b'[');
        }
        out.extend_from_slice(b"{nla_len=");
        write_radix(out, u64::from(length), 10, 1);
        out.extend_from_slice(b", nla_type=");
        for (flag, name) in
            [(NLA_F_NESTED, &b"NLA_F_NESTED|"[..]), (NLA_F_NET_BYTEORDER, b"NLA_F_NET_BYTEORDER|")]
        {
            if kind & flag != 0 {
                out.extend_from_slice(name);
            }
        }
        let number = kind & !(NLA_F_NESTED | NLA_F_NET_BYTEORDER);
        let row = table.rows.iter().find(|(known, ..)| *known == number);
        let name = |out: &mut Vec<u8>| {
            if let Some((_, name, _)) = row {
                return out.extend_from_slice(name.as_bytes());
            }
            write_hex(out, u64::from(number));
            if !table.unknown.is_empty() {
                out.extend_from_slice(b" /* ");
                out.extend_from_slice(table.unknown.as_bytes());
                out.extend_from_slice(b" */");
            }
        };
        self.style.constants.write(out, |out| write_hex(out, u64::from(number)), name);
        out.push(b'}');
        if !value.is_empty() {
            out.extend_from_slice(b", ");
            let show = row.map_or(Show::Bytes, |(_, _, show)| *show);
            if self.write_value(out, show, family, value).is_none() {
                self.write_bytes(out, value);
            }
            out.push(b']');
        }
    }

    /// A value; none: there are too few bytes for it.
    fn write_value(&mut self, out: &mut Vec<u8>, show: Show, family: u8, value: Piece<'_>) -> Option<()> {
        let size = self.size_of(show, family, value);
        if value.length < size {
            return None;
        }
        let Some(bytes) = value.first(size) else {
            self.write_address(out, value.address);
            return Some(());
        };
        let unsigned = |size: usize| number(bytes, size);
        match show {
            Show::U8 => write_radix(out, unsigned(1)?, 10, 1),
            Show::U16 => write_radix(out, unsigned(2)?, 10, 1),
            Show::U32 => write_radix(out, unsigned(4)?, 10, 1),
            Show::U64 => write_radix(out, unsigned(8)?, 10, 1),
            Show::I32 => write_number(out, i64::from(unsigned(4)? as i32)),
            Show::Text => self.write_name_of(out, bytes, value.length),
            Show::Hardware => {
                let style = self.style;
                let number = |out: &mut Vec<u8>| write_text(out, bytes, Hex::All, false);
                style.constants.write(out, number, |out| write_hardware(out, bytes));
            }
            Show::Host if i32::from(family) == libc::AF_INET => {
                write_host4(out, *bytes.first_chunk()?, self.style);
            }
            Show::Host if i32::from(family) == libc::AF_INET6 => {
                write_host6(out, *bytes.first_chunk()?, None, self.style);
            }
            Show::Host | Show::Bytes => return None,
            Show::Host6 => write_host6(out, *bytes.first_chunk()?, None, self.style),
            Show::Interface => self.write_interface(out, unsigned(4)? as i32),
            Show::Small(_) if value.length > 8 => return None,
            Show::Small(show) => self.write_value(out, *show, family, value)?,
            Show::Bits(set) => self.style.constants.bits(out, set, unsigned(4)?),
            Show::One(set, size) => self.style.constants.one(out, set, unsigned(size)?),
            Show::Of(layout) => self.write_members(out, layout, bytes),
            Show::Nested(table) => self.write_attributes(out, table, family, value),
            Show::Array(names, size, index) => self.write_numbers(out, names, size, index, value)?,
            Show::Fixed(_, write) => write(self, out, bytes),
            Show::Own(write) => write(self, out, value)?,
            Show::OfFamilies(tables, other) => {
                let of = tables.iter().find(|(known, _)| *known == i32::from(family));
                match of {
                    Some((_, table)) => self.write_attributes(out, table, family, value),
                    None => self.write_value(out, *other, family, value)?,
                }
            }
            Show::Grown(_, layout) => {
                out.push(b'{');
                self.write_some(out, layout, bytes, size);
                out.push(b'}');
            }
        }
        Some(())
    }

    /// Bytes that a value has to have, all of which are read before anything of it is shown.
    fn size_of(&self, show: Show, family: u8, value: Piece<'_>) -> usize {
        match show {
            Show::U8 => 1,
            Show::U16 => 2,
            Show::U32 | Show::I32 | Show::Interface | Show::Bits(_) => 4,
            Show::U64 => 8,
            Show::Host6 => 16,
            Show::Host if i32::from(family) == libc::AF_INET => 4,
            Show::Host if i32::from(family) == libc::AF_INET6 => 16,
            Show::Text => value.length.min(self.style.strings.saturating_add(1)),
            Show::Hardware => value.length,
            Show::One(_, size) | Show::Fixed(size, _) => size,
            Show::Of(layout) => layout.size[self.half()],
            Show::Grown(_, layout) if value.length >= layout.size[self.half()] => layout.size[self.half()],
            Show::Grown(first, _) => first,
            _ => 0,
        }
    }

    /// A string in so many bytes, the last of which is a NUL byte; what has been read of it.
    fn write_name_of(&mut self, out: &mut Vec<u8>, bytes: &[u8], length: usize) {
        let has_end = bytes.len() == length && bytes.last() == Some(&0);
        let text = if has_end { &bytes[..length - 1] } else { bytes };
        let shown = &text[..text.len().min(self.style.strings)];
        write_text(out, shown, self.style.hex, shown.len() < text.len() || !has_end);
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

    fn write_numbers(
        &mut self,
        out: &mut Vec<u8>,
        names: &FlagSet,
        size: usize,
        index: Index,
        value: Piece<'_>,
    ) -> Option<()> {
        self.write_elements(out, value, size, |_, out, at, bytes| {
            let key = at as u64 + u64::from(index == Index::FromOne);
            out.push(b'[');
            if let Some(name) = names.name(key) {
                out.extend_from_slice(name.as_bytes());
                out.extend_from_slice(if index == Index::FromOne { b"-1" } else { b"" });
            } else {
                write_radix(out, at as u64, 10, 1);
                out.extend_from_slice(b" /* ");
                out.extend_from_slice(names.unknown.as_bytes());
                out.extend_from_slice(b" */");
            }
            out.extend_from_slice(b"]=");
            let number = number(bytes, size).unwrap_or_default();
            match size {
                4 => write_number(out, i64::from(number as i32)),
                _ => write_radix(out, number, 10, 1),
            }
        })
    }
}

/// A little-endian number of so many bytes.
pub(super) fn number(bytes: &[u8], size: usize) -> Option<u64> {
    let mut word = [0; 8];
    word.get_mut(..size)?.copy_from_slice(bytes.get(..size)?);
    Some(u64::from_le_bytes(word))
}

/// `00:11:22:33:44:55`
pub(super) fn write_hardware(out: &mut Vec<u8>, address: &[u8]) {
    for (at, &byte) in address.iter().enumerate() {
        if at > 0 {
            out.push(b':');
        }
        write_radix(out, u64::from(byte), 16, 2);
    }
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
fn write_octets(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, piece: Piece<'_>) -> Option<()> {
    call.write_elements(out, piece, 1, |_, out, _, octet| {
        write_radix(out, number(octet, 1).unwrap_or_default(), 10, 1);
    })
}
