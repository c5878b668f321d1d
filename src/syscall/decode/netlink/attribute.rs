//! Attributes of netlink messages: `struct nlattr` with a value each, in lists.

use super::super::address::{write_host4, write_host6};
use super::super::descriptors::Question;
use super::super::layout::Layout;
use super::super::net::{word16, word32};
use super::super::text::write_text;
use super::super::{Decoder, Hex};
use super::write_bytes;
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
    /// A string, up to a NUL byte.
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
    /// Its own form.
    Own(fn(&mut Decoder<'_, '_>, &mut Vec<u8>, &[u8])),
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
        (3, "NLMSGERR_ATTR_COOKIE", Show::Bytes),
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
        bytes: &[u8],
    ) {
        let (mut rest, mut count, mut is_array) = (bytes, 0, false);
        loop {
            if rest.len() < HEADER {
                write_bytes(out, rest, self.style);
                break;
            }
            if count >= self.most_elements() {
                out.extend_from_slice(b"...");
                break;
            }
            let length = usize::from(word16(rest, 0));
            let next = if length < HEADER { None } else { rest.get(length.next_multiple_of(4)..) };
            let next = next.filter(|next| !next.is_empty());
            if count == 0 && next.is_some() {
                out.push(b'[');
                is_array = true;
            }
            count += 1;
            self.write_attribute(out, table, family, &rest[..length.clamp(HEADER, rest.len())]);
            let Some(next) = next else { break };
            out.extend_from_slice(b", ");
            rest = next;
        }
        if is_array {
            out.push(b']');
        }
    }

    /// `[{nla_len=7, nla_type=IFLA_IFNAME}, "lo"]`
    fn write_attribute(&mut self, out: &mut Vec<u8>, table: &Attributes, family: u8, bytes: &[u8]) {
        let (length, kind, value) = (word16(bytes, 0), word16(bytes, 2), &bytes[HEADER..]);
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
                write_bytes(out, value, self.style);
            }
            out.push(b']');
        }
    }

    /// A value; none: there are too few bytes for it.
    fn write_value(&mut self, out: &mut Vec<u8>, show: Show, family: u8, value: &[u8]) -> Option<()> {
        let unsigned = |size: usize| number(value, size);
        match show {
            Show::U8 => write_radix(out, unsigned(1)?, 10, 1),
            Show::U16 => write_radix(out, unsigned(2)?, 10, 1),
            Show::U32 => write_radix(out, unsigned(4)?, 10, 1),
            Show::U64 => write_radix(out, unsigned(8)?, 10, 1),
            Show::I32 => write_number(out, i64::from(unsigned(4)? as i32)),
            Show::Text => {
                let end = value.iter().position(|&byte| byte == 0);
                let text = &value[..end.unwrap_or(value.len())];
                let shown = &text[..text.len().min(self.style.strings)];
                write_text(out, shown, self.style.hex, shown.len() < text.len() || end.is_none());
            }
            Show::Hardware => {
                let style = self.style;
                let number = |out: &mut Vec<u8>| write_text(out, value, Hex::All, false);
                style.constants.write(out, number, |out| write_hardware(out, value));
            }
            Show::Host if i32::from(family) == libc::AF_INET => {
                write_host4(out, *value.first_chunk()?, self.style);
            }
            Show::Host if i32::from(family) == libc::AF_INET6 => {
                write_host6(out, *value.first_chunk()?, None, self.style);
            }
            Show::Host | Show::Bytes => return None,
            Show::Host6 => write_host6(out, *value.first_chunk()?, None, self.style),
            Show::Interface => self.write_interface(out, unsigned(4)? as i32),
            Show::Bits(set) => self.style.constants.bits(out, set, unsigned(4)?),
            Show::One(set, size) => self.style.constants.one(out, set, unsigned(size)?),
            Show::Of(layout) => {
                let bytes = value.get(..layout.size[self.half()])?;
                self.write_members(out, layout, bytes);
            }
            Show::Nested(table) => self.write_attributes(out, table, family, value),
            Show::Array(names, size, index) => self.write_numbers(out, names, size, index, value)?,
            Show::Own(write) => write(self, out, value),
        }
        Some(())
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
        value: &[u8],
    ) -> Option<()> {
        if value.len() < size {
            return None;
        }
        out.push(b'[');
        for (at, bytes) in value.chunks_exact(size).enumerate() {
            if at > 0 {
                out.extend_from_slice(b", ");
            }
            if at >= self.most_elements() {
                out.extend_from_slice(b"...");
                break;
            }
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
            let number = number(bytes, size)?;
            match size {
                4 => write_number(out, i64::from(number as i32)),
                _ => write_radix(out, number, 10, 1),
            }
        }
        out.push(b']');
        Some(())
    }
}

/// A little-endian number of so many bytes.
fn number(bytes: &[u8], size: usize) -> Option<u64> {
    let mut word = [0; 8];
    word.get_mut(..size)?.copy_from_slice(bytes.get(..size)?);
    Some(u64::from_le_bytes(word))
}

/// `00:11:22:33:44:55`
fn write_hardware(out: &mut Vec<u8>, address: &[u8]) {
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
