//! `NETLINK_ROUTE`, continued: next hops, and routes of several paths (`linux/nexthop.h`, `rtnetlink.h`).

use super::super::Decoder;
use super::super::address::{write_host4, write_host6};
use super::super::layout::Show::{Enum, Flags, Hex, Interface, Uint};
use super::super::layout::Size::{B1, B2, B4};
use super::super::layout::layouts;
use super::super::net::word16;
use super::attribute::{Attributes, List, Show as A};
use super::piece::Piece;
use super::route::OF_ROUTES;
use crate::syscall::flags::SOCKET_DOMAIN;
use crate::syscall::flags::netlink::{
    NL_ENCAPSULATION, NL_HOP_FLAGS, NL_HOP_GROUP, NL_ROUTE_PROTOCOL, NL_SCOPE,
};

/// Paths inside of paths are bytes.
const RTA_MULTIPATH: u16 = 9;

layouts! {
    /// `struct nhmsg`.
    HOP: 8/8 {
        always nh_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always nh_scope @ 1/1 Enum(&NL_SCOPE, B1);
        always nh_protocol @ 2/2 Enum(&NL_ROUTE_PROTOCOL, B1);
        set(1) resvd @ 3/3 Hex(B1);
        always nh_flags @ 4/4 Flags(&NL_HOP_FLAGS, B4);
    }
    /// `struct nexthop_grp`.
    GROUP: 8/8 {
        always id @ 0/0 Uint(B4);
        always weight @ 4/4 Uint(B1);
        set(1) resvd1 @ 5/5 Hex(B1);
        set(2) resvd2 @ 6/6 Hex(B2);
    }
    /// `struct rtnexthop`.
    PATH: 8/8 {
        always rtnh_len @ 0/0 Uint(B2);
        always rtnh_flags @ 2/2 Flags(&NL_HOP_FLAGS, B1);
        always rtnh_hops @ 3/3 Uint(B1);
        always rtnh_ifindex @ 4/4 Interface;
    }
}

pub(super) static OF_HOPS: Attributes = Attributes {
    unknown: "NHA_???",
    rows: &[
        (0, "NHA_UNSPEC", A::Bytes),
        (1, "NHA_ID", A::U32),
        (2, "NHA_GROUP", A::Items(&GROUP)),
        (3, "NHA_GROUP_TYPE", A::Small(&A::One(&NL_HOP_GROUP, 2))),
        (4, "NHA_BLACKHOLE", A::U32),
        (5, "NHA_OIF", A::Interface),
        (6, "NHA_GATEWAY", A::Host),
        (7, "NHA_ENCAP_TYPE", A::One(&NL_ENCAPSULATION, 2)),
        (8, "NHA_ENCAP", A::Bytes),
        (9, "NHA_GROUPS", A::U32),
        (10, "NHA_MASTER", A::Interface),
        (11, "NHA_FDB", A::U32),
        (12, "NHA_RES_GROUP", A::Nested(&OF_GROUPS)),
        (13, "NHA_RES_BUCKET", A::Nested(&OF_BUCKETS)),
    ],
};

static OF_GROUPS: Attributes = Attributes {
    unknown: "NHA_RES_GROUP_???",
    rows: &[
        (0, "NHA_RES_GROUP_PAD", A::Bytes),
        (1, "NHA_RES_GROUP_BUCKETS", A::U16),
        (2, "NHA_RES_GROUP_IDLE_TIMER", A::Ticks),
        (3, "NHA_RES_GROUP_UNBALANCED_TIMER", A::Ticks),
        (4, "NHA_RES_GROUP_UNBALANCED_TIME", A::Ticks),
    ],
};

static OF_BUCKETS: Attributes = Attributes {
    unknown: "NHA_RES_BUCKET_???",
    rows: &[
        (0, "NHA_RES_BUCKET_PAD", A::Bytes),
        (1, "NHA_RES_BUCKET_INDEX", A::U16),
        (2, "NHA_RES_BUCKET_IDLE_TIME", A::Ticks),
        (3, "NHA_RES_BUCKET_NH_ID", A::U32),
    ],
};

/// `[[{rtnh_len=16, ...}, attributes], {rtnh_len=8, ...}]`: paths of a route, each with attributes of routes.
pub(super) fn write_paths(
    call: &mut Decoder<'_, '_>,
    out: &mut Vec<u8>,
    piece: Piece<'_>,
    family: u8,
) -> Option<()> {
    let size = PATH.size[0];
    if piece.length < size {
        return None;
    }
    let (mut rest, mut is_array) = (piece, false);
    loop {
        let Some(path) = rest.first(size) else {
            // strace writes no comma before it.
            call.write_address(out, rest.address);
            break;
        };
        let length = usize::from(word16(path, 0));
        let next = rest.after(length.next_multiple_of(4));
        if rest.length == piece.length && length < piece.length {
            out.push(b'[');
            is_array = true;
        }
        if rest.length < piece.length {
            out.extend_from_slice(b", ");
        }
        write_path(call, out, rest.up_to(length), path, family);
        // One of no length has none behind it.
        if next.is_empty() || length == 0 {
            break;
        }
        rest = next;
    }
    if is_array {
        out.push(b']');
    }
    Some(())
}

fn write_path(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, piece: Piece<'_>, path: &[u8], family: u8) {
    let attributes = piece.after(path.len());
    if !attributes.is_empty() {
        out.push(b'[');
    }
    call.write_members(out, &PATH, path);
    if !attributes.is_empty() {
        out.extend_from_slice(b", ");
        call.write_attributes(out, List::But(&OF_ROUTES, RTA_MULTIPATH), family, attributes);
        out.push(b']');
    }
}

/// `{rtvia_family=AF_INET, rtvia_addr=inet_addr("127.0.0.1")}`
pub(super) fn write_via(
    call: &mut Decoder<'_, '_>,
    out: &mut Vec<u8>,
    piece: Piece<'_>,
    _: u8,
) -> Option<()> {
    if piece.length < 2 {
        return None;
    }
    let Some(family) = piece.first(2).map(|bytes| word16(bytes, 0)) else {
        call.write_address(out, piece.address);
        return Some(());
    };
    out.extend_from_slice(b"{rtvia_family=");
    call.style.constants.one(out, &SOCKET_DOMAIN, u64::from(family));
    let host = piece.after(2);
    if !host.is_empty() {
        out.extend_from_slice(b", ");
        write_host(call, out, host, i32::from(family), "rtvia_addr");
    }
    out.push(b'}');
    Some(())
}

/// `name=inet_addr("127.0.0.1")`, an address of this family that takes what it takes; of others bytes.
pub(super) fn write_host(
    call: &mut Decoder<'_, '_>,
    out: &mut Vec<u8>,
    piece: Piece<'_>,
    family: i32,
    name: &str,
) {
    let size = match family {
        libc::AF_INET => 4,
        libc::AF_INET6 => 16,
        _ => usize::MAX,
    };
    let host = piece.first(size);
    if let Some(host) = host.filter(|_| family == libc::AF_INET6) {
        let host = host.first_chunk().copied().unwrap_or_default();
        return write_host6(out, host, Some(name), call.style);
    }
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
    match host {
        Some(host) => write_host4(out, host.first_chunk().copied().unwrap_or_default(), call.style),
        None if piece.length < size => call.write_bytes(out, piece),
        None => call.write_address(out, piece.address),
    }
}
