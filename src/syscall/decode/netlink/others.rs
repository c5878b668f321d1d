//! What messages are for, by protocol: types and flags of all of them, and the contents of `NETLINK_NETFILTER`,
//! `NETLINK_SELINUX` and `NETLINK_KOBJECT_UEVENT`.

use super::super::layout::Show::{Own, Text, Uint};
use super::super::layout::Size::B4;
use super::super::layout::layouts;
use super::super::net::word32;
use super::super::{Constants, Decoder};
use super::attribute::{Attributes, List};
use super::piece::Piece;
use super::{
    AUDIT, CRYPTO, GENERIC, NETFILTER, NLMSG_ERROR, NLMSG_MIN_TYPE, Protocol, ROUTE, SELINUX, SOCK_DIAG, XFRM,
};
use crate::syscall::flags::families::{
    NF_ACCT, NF_BATCH, NF_CTHELPER, NF_CTNETLINK, NF_CTNETLINK_EXP, NF_CTNETLINK_TIMEOUT, NF_HOOK, NF_IPSET,
    NF_NFT_COMPAT, NF_NFTABLES, NF_OSF, NF_QUEUE, NF_SYSTEM, NF_ULOG, NF_VERSION, NL_AUDIT, NL_CRYPTO,
    NL_GENERIC, NL_SELINUX, NL_XFRM,
};
use crate::syscall::flags::netlink::{
    NL_DIAG, NL_FLAGS, NL_FLAGS_DELETE, NL_FLAGS_ERROR, NL_FLAGS_GET, NL_FLAGS_NEW, NL_MESSAGE, NL_ROUTE,
};
use crate::syscall::flags::{FlagSet, SOCKET_DOMAIN, write_hex, write_number, write_radix};

layouts! {
    /// `struct udev_monitor_netlink_header`.
    UDEV: 40/40 {
        always prefix @ 0/0 Text(8);
        always magic @ 8/8 Own(write_big);
        always header_size @ 12/12 Uint(B4);
        always properties_off @ 16/16 Uint(B4);
        always properties_len @ 20/20 Uint(B4);
        always filter_subsystem_hash @ 24/24 Own(write_big);
        always filter_devtype_hash @ 28/28 Own(write_big);
        always filter_tag_bloom_hi @ 32/32 Own(write_big);
        always filter_tag_bloom_lo @ 36/36 Own(write_big);
    }
}

const RTM_DELACTION: u16 = 49;

/// Attributes that strace has no names for.
static NAMELESS: Attributes = Attributes { unknown: "", rows: &[] };

/// `nlmsg_type`.
pub(super) fn write_kind(out: &mut Vec<u8>, protocol: Protocol, kind: u16, constants: Constants) {
    let names = match protocol {
        _ if kind < NLMSG_MIN_TYPE => &NL_MESSAGE,
        ROUTE => &NL_ROUTE,
        SOCK_DIAG => &NL_DIAG,
        XFRM => &NL_XFRM,
        SELINUX => &NL_SELINUX,
        AUDIT => &NL_AUDIT,
        NETFILTER if is_batch(kind) => &NF_BATCH,
        NETFILTER => return write_netfilter_kind(out, kind, constants),
        GENERIC => &NL_GENERIC,
        CRYPTO => &NL_CRYPTO,
        _ => &NL_MESSAGE,
    };
    constants.one(out, names, u64::from(kind));
}

/// About several messages of `NETLINK_NETFILTER`, and of none of its parts.
fn is_batch(kind: u16) -> bool {
    NF_BATCH.name(u64::from(kind)).is_some()
}

/// `NFNL_SUBSYS_NFTABLES<<8|NFT_MSG_GETTABLE`
fn write_netfilter_kind(out: &mut Vec<u8>, kind: u16, constants: Constants) {
    let (system, message) = (u64::from(kind >> 8), u64::from(kind & 0xff));
    constants.one(out, &NF_SYSTEM, system);
    out.extend_from_slice(b"<<8|");
    match netfilter_names(kind) {
        Some(names) => constants.one(out, names, message),
        None if message == 0 => out.push(b'0'),
        None => write_hex(out, message),
    }
}

/// The messages of a part of netfilter.
fn netfilter_names(kind: u16) -> Option<&'static FlagSet> {
    Some(match kind >> 8 {
        1 => &NF_CTNETLINK,
        2 => &NF_CTNETLINK_EXP,
        3 => &NF_QUEUE,
        4 => &NF_ULOG,
        5 => &NF_OSF,
        6 => &NF_IPSET,
        7 => &NF_ACCT,
        8 => &NF_CTNETLINK_TIMEOUT,
        9 => &NF_CTHELPER,
        10 => &NF_NFTABLES,
        11 => &NF_NFT_COMPAT,
        12 => &NF_HOOK,
        _ => return None,
    })
}

/// What flags mean depends on what the message is for.
pub(super) fn flags(protocol: Protocol, kind: u16) -> &'static FlagSet {
    match (protocol, kind) {
        (_, NLMSG_ERROR) => &NL_FLAGS_ERROR,
        (_, ..NLMSG_MIN_TYPE) => &NL_FLAGS,
        (SOCK_DIAG, _) | (ROUTE, RTM_DELACTION) => &NL_FLAGS_GET,
        (ROUTE, kind) => match kind % 4 {
            0 => &NL_FLAGS_NEW,
            1 => &NL_FLAGS_DELETE,
            2 => &NL_FLAGS_GET,
            _ => &NL_FLAGS,
        },
        (XFRM, kind) => by_name(NL_XFRM.name(u64::from(kind))),
        (CRYPTO, kind) => by_name(NL_CRYPTO.name(u64::from(kind))),
        (NETFILTER, kind) => {
            by_name(netfilter_names(kind).and_then(|names| names.name(u64::from(kind & 0xff))))
        }
        _ => &NL_FLAGS,
    }
}

/// What a type's name says that it does.
fn by_name(name: Option<&str>) -> &'static FlagSet {
    /// `NEW`, `GET`: what begins with these, or ends with them.
    fn has(name: &str, verb: &str) -> bool {
        name.split('_').any(|word| word.starts_with(verb))
    }
    match name {
        // Sets and gets the default, and takes no flags of either.
        Some(name) if name.contains("DEFAULT") => &NL_FLAGS,
        Some(name) if has(name, "NEW") => &NL_FLAGS_NEW,
        Some(name) if has(name, "DEL") && !name.starts_with("IPSET") => &NL_FLAGS_DELETE,
        Some(name) if has(name, "GET") => &NL_FLAGS_GET,
        _ => &NL_FLAGS,
    }
}

/// `{nfgen_family=AF_INET, version=NFNETLINK_V0, res_id=htons(0)}, [{nla_len=8, nla_type=0x1}, "..."]`
pub(super) fn write_netfilter(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, kind: u16, piece: Piece<'_>) {
    if piece.length < 4 {
        return call.write_bytes(out, piece);
    }
    let Some([family, version, high, low]) = piece.first(4) else {
        return call.write_address(out, piece.address);
    };
    let rest = piece.after(4);
    let constants = call.style.constants;
    out.extend_from_slice(b"{nfgen_family=");
    constants.one(out, &SOCKET_DOMAIN, u64::from(*family));
    out.extend_from_slice(b", version=");
    constants.one(out, &NF_VERSION, u64::from(*version));
    out.extend_from_slice(b", res_id=");
    write_resource(out, kind, [*high, *low], constants);
    out.push(b'}');
    if rest.is_empty() {
        return;
    }
    out.extend_from_slice(b", ");
    if is_batch(kind) {
        call.write_bytes(out, rest);
    } else {
        call.write_attributes(out, List::Of(&NAMELESS), *family, rest);
    }
}

/// `htons(5)`. What it is for nftables, which has been of the host's byte order once, has a name.
fn write_resource(out: &mut Vec<u8>, kind: u16, id: [u8; 2], constants: Constants) {
    const NFTABLES: u16 = 10;
    let is_tables = kind >> 8 == NFTABLES;
    let number = |out: &mut Vec<u8>| write_hex(out, u64::from(u16::from_le_bytes(id)));
    match (u16::from_be_bytes(id), u16::from_le_bytes(id)) {
        (NFTABLES, _) if is_tables => constants.write(out, number, |out| {
            out.extend_from_slice(b"htons(NFNL_SUBSYS_NFTABLES)");
        }),
        (_, NFTABLES) if is_tables => constants.write(out, number, |out| {
            out.extend_from_slice(b"NFNL_SUBSYS_NFTABLES");
        }),
        (id, _) => {
            out.extend_from_slice(b"htons(");
            write_radix(out, u64::from(id), 10, 1);
            out.push(b')');
        }
    }
}

/// `{val=1}`, `{seqno=5}`
pub(super) fn write_selinux(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, kind: u16, content: Piece<'_>) {
    let Some(content) = content.first(4) else { return call.write_address(out, content.address) };
    let value = word32(content, 0);
    if kind == NLMSG_MIN_TYPE {
        out.extend_from_slice(b"{val=");
        write_number(out, i64::from(value.cast_signed()));
    } else {
        out.extend_from_slice(b"{seqno=");
        write_radix(out, u64::from(value), 10, 1);
    }
    out.push(b'}');
}

/// `struct udev_monitor_netlink_header`, which is before what udev tells.
const TOLD: usize = 40;

/// `[{prefix="libudev", ...}, "..."]`: what udev tells; text, what the kernel does.
pub(super) fn write_uevent(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64, length: u64) {
    let mut head = [0; TOLD];
    let is_udev = address != 0
        && length >= TOLD as u64
        && call.memory.read(call.phase, address, &mut head) == TOLD
        && head.starts_with(b"libudev\0");
    if !is_udev {
        return call.write_buffer(out, address, length);
    }
    let has_more = length > TOLD as u64;
    if has_more {
        out.push(b'[');
    }
    call.write_members(out, &UDEV, &head);
    if has_more {
        out.extend_from_slice(b", ");
        call.write_buffer(out, address.wrapping_add(TOLD as u64), length - TOLD as u64);
        out.push(b']');
    }
}

/// `htonl(0xfeedcafe)`
fn write_big(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(b"htonl(");
    write_hex(out, u64::from(word32(bytes, 0).swap_bytes()));
    out.push(b')');
}
