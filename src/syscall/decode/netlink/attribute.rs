//! Attributes of netlink messages: `struct nlattr` with a value each, in lists.

use super::super::Decoder;
use super::super::address::{write_host4, write_host6};
use super::super::layout::Layout;
use super::super::net::word16;
use super::piece::Piece;
use super::values::{Element, number, write_octets};
use crate::syscall::flags::{FlagSet, SOCKET_DOMAIN, write_hex, write_number, write_radix};

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
    /// In hexadecimal, of so many bytes.
    Hex(usize),
    /// A string that ends with a NUL byte, and may have more of them.
    Text,
    /// `00:11:22:33:44:55`
    Hardware,
    /// An address of the family of the message.
    Host,
    /// An address of IPv4.
    Host4,
    /// An address of IPv6.
    Host6,
    /// The number of an interface.
    Interface,
    /// A descriptor.
    Descriptor,
    /// A user or group id, -1 where it is none.
    Id,
    /// Hundredths of a second, in as many bytes as there are, and no more than eight.
    Ticks,
    /// The number of a protocol above Ethernet.
    Ethernet,
    /// A set of bits in so many bytes.
    Bits(&'static FlagSet, usize),
    /// One of several values, in so many bytes; 0: in all there are.
    One(&'static FlagSet, usize),
    /// A structure.
    Of(&'static Layout),
    /// Structures of one kind.
    Items(&'static Layout),
    /// A list of attributes.
    Nested(&'static Attributes),
    /// A list of attributes with the names of those, of which only these numbers have a form in it.
    Those(&'static Attributes, &'static [u16]),
    /// A list with an attribute for each address family, which is a list itself.
    Families(&'static [(i32, &'static Attributes)]),
    /// Numbers, the first of them with this number: `[[NAME]=1, ...]`.
    Array(&'static FlagSet, Element),
    /// As that; one of more than eight bytes is shown as bytes.
    Small(&'static Self),
    /// A form of its own of so many bytes.
    Fixed(usize, fn(&mut Decoder<'_, '_>, &mut Vec<u8>, &[u8])),
    /// Its own form, in a message of this address family; none: it has too few bytes for it.
    Own(fn(&mut Decoder<'_, '_>, &mut Vec<u8>, Piece<'_>, u8) -> Option<()>),
    /// A list of attributes that the family of the message has, of others that.
    OfFamilies(&'static [(i32, &'static Attributes)], &'static Self),
    /// A structure that grew: all of it, or exactly as much as one of these older versions had.
    Grown(&'static Layout, &'static [usize]),
    /// The first, and behind it what is left.
    Then(&'static Self, &'static Self),
    /// A string that says what later values of the list are: the first or the second of its kind.
    Kind(usize),
    /// By the last such string.
    ByKind(usize, &'static [(&'static str, Self)]),
}

/// The attributes that a list can have: what an unknown one is called, and number, name and form of each.
pub(in super::super) struct Attributes {
    pub(super) unknown: &'static str,
    pub(super) rows: &'static [(u16, &'static str, Show)],
}

/// What the attributes of a list are told by.
#[derive(Clone, Copy)]
pub(super) enum List {
    Of(&'static Attributes),
    Those(&'static Attributes, &'static [u16]),
    /// All of them but one, which would have no end.
    But(&'static Attributes, u16),
    Families(&'static [(i32, &'static Attributes)]),
}

impl List {
    /// Name and form of an attribute.
    fn row(self, number: u16) -> (Option<&'static str>, Show) {
        let of = |table: &'static Attributes| {
            let row = table.rows.iter().find(|(known, ..)| *known == number);
            row.map_or((None, Show::Bytes), |&(_, name, show)| (Some(name), show))
        };
        match self {
            Self::Of(table) => of(table),
            Self::Those(table, numbers) if numbers.contains(&number) => of(table),
            Self::But(table, but) if number != but => of(table),
            Self::Those(table, _) | Self::But(table, _) => (of(table).0, Show::Bytes),
            Self::Families(tables) => {
                // strace looks at eight bits of it.
                let family = i32::from(number & 0xff);
                let table = tables.iter().find(|(known, _)| *known == family);
                let show = table.map_or(Show::Bytes, |(_, table)| Show::Nested(table));
                (SOCKET_DOMAIN.name(u64::from(number)), show)
            }
        }
    }

    /// What one without a name is called.
    fn unknown(self) -> &'static str {
        match self {
            Self::Of(table) | Self::Those(table, _) | Self::But(table, _) => table.unknown,
            Self::Families(_) => SOCKET_DOMAIN.unknown,
        }
    }
}

/// What values are shown by beside their own bytes.
struct Context<'a> {
    /// The address family of the message.
    family: u8,
    /// What attributes before have said of later ones ([`Show::Kind`]).
    kinds: [&'a [u8]; 2],
}

/// A kind with more bytes says nothing.
const LONGEST_KIND: usize = 63;
/// Bytes of the longest hardware address.
const LONGEST_HARDWARE: usize = 32;

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
    pub(super) fn write_attributes(&mut self, out: &mut Vec<u8>, list: List, family: u8, piece: Piece<'_>) {
        let mut context = Context { family, kinds: [&[]; 2] };
        let (mut rest, mut count, mut is_array) = (piece, 0, false);
        loop {
            if rest.length < HEADER {
                self.write_bytes(out, rest);
                break;
            }
            let Some(header) = rest.first(HEADER) else {
                self.write_unreadable(out, rest, count == 0);
                break;
            };
            if count >= self.most_elements() {
                out.extend_from_slice(b"...");
                break;
            }
            let length = usize::from(word16(header, 0));
            let next = rest.after(length.next_multiple_of(4));
            let has_next = length >= HEADER && !next.is_empty();
            if count == 0 && has_next {
                out.push(b'[');
                is_array = true;
            }
            count += 1;
            let value = rest.up_to(length.max(HEADER)).after(HEADER);
            self.write_attribute(out, list, &mut context, header, value);
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
    fn write_attribute<'a>(
        &mut self,
        out: &mut Vec<u8>,
        list: List,
        context: &mut Context<'a>,
        header: &[u8],
        value: Piece<'a>,
    ) {
        let (length, kind) = (word16(header, 0), word16(header, 2));
        if !value.is_empty() {
            out.push(b'[');
        }
        out.extend_from_slice(b"{nla_len=");
        write_radix(out, u64::from(length), 10, 1);
        out.extend_from_slice(b", nla_type=");
        for (flag, name) in [(NLA_F_NESTED, "NLA_F_NESTED"), (NLA_F_NET_BYTEORDER, "NLA_F_NET_BYTEORDER")] {
            if kind & flag != 0 {
                let bit = |out: &mut Vec<u8>| write_hex(out, u64::from(flag));
                self.style.constants.write(out, bit, |out| out.extend_from_slice(name.as_bytes()));
                out.push(b'|');
            }
        }
        let number = kind & !(NLA_F_NESTED | NLA_F_NET_BYTEORDER);
        let (name, show) = list.row(number);
        let name = |out: &mut Vec<u8>| {
            if let Some(name) = name {
                return out.extend_from_slice(name.as_bytes());
            }
            write_hex(out, u64::from(number));
            if !list.unknown().is_empty() {
                out.extend_from_slice(b" /* ");
                out.extend_from_slice(list.unknown().as_bytes());
                out.extend_from_slice(b" */");
            }
        };
        self.style.constants.write(out, |out| write_hex(out, u64::from(number)), name);
        out.push(b'}');
        if !value.is_empty() {
            out.extend_from_slice(b", ");
            self.write_value_or_bytes(out, show, context, value);
            out.push(b']');
        }
    }

    /// What is behind the structure that a message of this address family begins with.
    pub(super) fn write_behind_head(&mut self, out: &mut Vec<u8>, show: Show, family: u8, piece: Piece<'_>) {
        self.write_value_or_bytes(out, show, &mut Context { family, kinds: [&[]; 2] }, piece);
    }

    fn write_value_or_bytes<'a>(
        &mut self,
        out: &mut Vec<u8>,
        show: Show,
        context: &mut Context<'a>,
        value: Piece<'a>,
    ) {
        if self.write_value(out, show, context, value).is_none() {
            self.write_bytes(out, value);
        }
    }

    /// A value; none: there are too few bytes for it.
    fn write_value<'a>(
        &mut self,
        out: &mut Vec<u8>,
        show: Show,
        context: &mut Context<'a>,
        value: Piece<'a>,
    ) -> Option<()> {
        let family = context.family;
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
            Show::Hex(size) => write_hex(out, unsigned(size)?),
            Show::Text => self.write_name_of(out, bytes),
            Show::Hardware if value.length > LONGEST_HARDWARE => return None,
            Show::Hardware => self.write_hardware(out, bytes),
            Show::Host if i32::from(family) == libc::AF_INET => {
                write_host4(out, *bytes.first_chunk()?, self.style);
            }
            Show::Host if i32::from(family) == libc::AF_INET6 => {
                write_host6(out, *bytes.first_chunk()?, None, self.style);
            }
            Show::Host | Show::Bytes => return None,
            Show::Host4 => write_host4(out, *bytes.first_chunk()?, self.style),
            Show::Host6 => write_host6(out, *bytes.first_chunk()?, None, self.style),
            Show::Interface => self.write_interface(out, unsigned(4)? as i32),
            Show::Descriptor => self.write_descriptor(out, unsigned(4)? as i32),
            Show::Id => match unsigned(4)? as u32 {
                u32::MAX => out.extend_from_slice(b"-1"),
                id => write_radix(out, u64::from(id), 10, 1),
            },
            Show::Ticks => self.write_ticks(out, value)?,
            Show::Ethernet => self.write_ethernet(out, bytes, "ETHER_P_???"),
            Show::Small(_) if value.length > 8 => return None,
            Show::Small(show) => self.write_value(out, *show, context, value)?,
            Show::Bits(set, size) => self.style.constants.bits(out, set, unsigned(size)?),
            Show::One(set, 0) => {
                // All of it is looked at.
                let set = FlagSet { wide: true, ..*set };
                self.style.constants.one(out, &set, unsigned(value.length)?);
            }
            Show::One(set, size) => self.style.constants.one(out, set, unsigned(size)?),
            Show::Of(layout) => self.write_members(out, layout, bytes),
            Show::Items(layout) => {
                let size = layout.size[self.half()];
                self.write_elements(out, value, size, |call, out, _, item| {
                    call.write_members(out, layout, item);
                })?;
            }
            Show::Nested(table) => self.write_attributes(out, List::Of(table), family, value),
            Show::Those(table, numbers) => {
                self.write_attributes(out, List::Those(table, numbers), family, value);
            }
            Show::Families(tables) => self.write_attributes(out, List::Families(tables), family, value),
            Show::Array(names, element) => self.write_numbers(out, names, element, value)?,
            Show::Fixed(_, write) => write(self, out, bytes),
            Show::Own(write) => write(self, out, value, family)?,
            Show::OfFamilies(tables, other) => {
                let of = tables.iter().find(|(known, _)| *known == i32::from(family));
                let show = of.map_or(*other, |(_, table)| Show::Nested(table));
                self.write_value(out, show, context, value)?;
            }
            Show::Grown(layout, _) => {
                out.push(b'{');
                self.write_some(out, layout, bytes, size);
                out.push(b'}');
            }
            Show::Then(first, rest) => self.write_both(out, (*first, *rest), context, value)?,
            Show::Kind(slot) => {
                context.kinds[slot] = kind_in(value);
                self.write_text_to_nul(out, value);
            }
            Show::ByKind(slot, shows) => {
                let show = shows.iter().find(|(kind, _)| kind.as_bytes() == context.kinds[slot])?;
                self.write_value(out, show.1, context, value)?;
            }
        }
        Some(())
    }

    /// A value, and what is behind it.
    fn write_both<'a>(
        &mut self,
        out: &mut Vec<u8>,
        (first, rest): (Show, Show),
        context: &mut Context<'a>,
        value: Piece<'a>,
    ) -> Option<()> {
        let size = self.size_of(first, context.family, value);
        self.write_value(out, first, context, value)?;
        let behind = value.after(size);
        // Of bytes behind what cannot be read strace says nothing.
        let is_told = value.first(size).is_some() || !matches!(rest, Show::Bytes);
        if is_told && !behind.is_empty() {
            out.extend_from_slice(b", ");
            self.write_value_or_bytes(out, rest, context, behind);
        }
        Some(())
    }

    /// Bytes that a value has to have, all of which are read before anything of it is shown.
    fn size_of(&self, show: Show, family: u8, value: Piece<'_>) -> usize {
        match show {
            Show::U8 => 1,
            Show::U16 | Show::Ethernet => 2,
            Show::U32 | Show::I32 | Show::Interface | Show::Descriptor | Show::Id | Show::Host4 => 4,
            Show::U64 => 8,
            Show::Host6 => 16,
            Show::Host if i32::from(family) == libc::AF_INET => 4,
            Show::Host if i32::from(family) == libc::AF_INET6 => 16,
            Show::Text => value.length.min(self.style.strings.saturating_add(1)),
            Show::Hardware => value.length.min(LONGEST_HARDWARE),
            Show::One(_, 0) => value.length,
            Show::One(_, size) | Show::Bits(_, size) | Show::Fixed(size, _) | Show::Hex(size) => size,
            Show::Grown(_, older) if older.contains(&value.length) => value.length,
            Show::Of(layout) | Show::Grown(layout, _) => layout.size[self.half()],
            _ => 0,
        }
    }
}

/// What a string says that later values are: nothing, where it is too long or cannot be read.
fn kind_in(value: Piece<'_>) -> &[u8] {
    let bytes = value.whole().filter(|bytes| bytes.len() <= LONGEST_KIND).unwrap_or_default();
    &bytes[..bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len())]
}
