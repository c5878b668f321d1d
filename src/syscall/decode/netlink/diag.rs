//! `NETLINK_SOCK_DIAG` (`sock_diag(7)`): what is asked of sockets, and what is said of each.

use super::super::address::{write_host4, write_host6, write_port};
use super::super::layout::Show::{Device, Enum, Flags, Id, Nested, Own, Uint};
use super::super::layout::Size::{B1, B2, B4};
use super::super::layout::{Layout, layouts};
use super::super::net::word32;
use super::super::text::write_text;
use super::super::{Constants, Decoder, Hex, Style};
use super::Head;
use super::attribute::{Attributes, Index, Show as A, write_cookie};
use super::piece::Piece;
use crate::syscall::flags::netlink::{
    NL_NETLINK_SHOW, NL_NETLINK_STATE, NL_PACKET_SHOW, NL_SOCKET_MEMORY, NL_SOCKET_STATE, NL_UNIX_SHOW,
    SOCKET_KIND,
};
use crate::syscall::flags::{
    ETHERNET_PROTOCOL, FlagSet, NETLINK_PROTOCOL, SOCKET_DOMAIN, SOCKET_PROTOCOL, write_hex, write_radix,
};

layouts! {
    /// `struct unix_diag_req`.
    UNIX_REQUEST: 24/24 {
        always sdiag_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always sdiag_protocol @ 1/1 Uint(B1);
        always udiag_states @ 4/4 Own(write_states);
        always udiag_ino @ 8/8 Uint(B4);
        always udiag_show @ 12/12 Flags(&NL_UNIX_SHOW, B4);
        always udiag_cookie @ 16/16 Own(write_cookie);
    }
    /// `struct unix_diag_msg`.
    UNIX: 16/16 {
        always udiag_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always udiag_type @ 1/1 Enum(&SOCKET_KIND, B1);
        always udiag_state @ 2/2 Enum(&NL_SOCKET_STATE, B1);
        always udiag_ino @ 4/4 Uint(B4);
        always udiag_cookie @ 8/8 Own(write_cookie);
    }
    /// `struct unix_diag_vfs`.
    UNIX_FILE: 8/8 {
        always udiag_vfs_dev @ 4/4 Device(B4);
        always udiag_vfs_ino @ 0/0 Uint(B4);
    }
    /// `struct unix_diag_rqlen`.
    UNIX_QUEUES: 8/8 {
        always udiag_rqueue @ 0/0 Uint(B4);
        always udiag_wqueue @ 4/4 Uint(B4);
    }
    /// `struct inet_diag_req_v2`.
    INET_REQUEST: 56/56 {
        always sdiag_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always sdiag_protocol @ 1/1 Enum(&SOCKET_PROTOCOL, B1);
        always idiag_ext @ 2/2 Own(write_extensions);
        always idiag_states @ 4/4 Own(write_states);
        always id @ 8/8 Nested(&INET_ID);
    }
    /// The same of IPv6.
    INET6_REQUEST: 56/56 {
        always sdiag_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always sdiag_protocol @ 1/1 Enum(&SOCKET_PROTOCOL, B1);
        always idiag_ext @ 2/2 Own(write_extensions);
        always idiag_states @ 4/4 Own(write_states);
        always id @ 8/8 Own(write_inet6_id);
    }
    /// `struct inet_diag_req`, which only TCP and DCCP have had.
    OLD_REQUEST: 60/60 {
        always idiag_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always idiag_src_len @ 1/1 Uint(B1);
        always idiag_dst_len @ 2/2 Uint(B1);
        always idiag_ext @ 3/3 Own(write_extensions);
        always id @ 4/4 Nested(&INET_ID);
        always idiag_states @ 52/52 Own(write_states);
        always idiag_dbs @ 56/56 Uint(B4);
    }
    /// The same of IPv6.
    OLD_REQUEST6: 60/60 {
        always idiag_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always idiag_src_len @ 1/1 Uint(B1);
        always idiag_dst_len @ 2/2 Uint(B1);
        always idiag_ext @ 3/3 Own(write_extensions);
        always id @ 4/4 Own(write_inet6_id);
        always idiag_states @ 52/52 Own(write_states);
        always idiag_dbs @ 56/56 Uint(B4);
    }
    /// `struct inet_diag_sockid`.
    INET_ID: 48/48 {
        always idiag_sport @ 0/0 Own(write_network_port);
        always idiag_dport @ 2/2 Own(write_network_port);
        always idiag_src @ 4/4 Own(write_inet);
        always idiag_dst @ 20/20 Own(write_inet);
        always idiag_if @ 36/36 Own(write_interface);
        always idiag_cookie @ 40/40 Own(write_cookie);
    }
    /// `struct inet_diag_msg`.
    INET: 72/72 {
        always idiag_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always idiag_state @ 1/1 Enum(&NL_SOCKET_STATE, B1);
        always idiag_timer @ 2/2 Uint(B1);
        always idiag_retrans @ 3/3 Uint(B1);
        always id @ 4/4 Nested(&INET_ID);
        always idiag_expires @ 52/52 Uint(B4);
        always idiag_rqueue @ 56/56 Uint(B4);
        always idiag_wqueue @ 60/60 Uint(B4);
        always idiag_uid @ 64/64 Id;
        always idiag_inode @ 68/68 Uint(B4);
    }
    /// The same of IPv6.
    INET6: 72/72 {
        always idiag_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always idiag_state @ 1/1 Enum(&NL_SOCKET_STATE, B1);
        always idiag_timer @ 2/2 Uint(B1);
        always idiag_retrans @ 3/3 Uint(B1);
        always id @ 4/4 Own(write_inet6_id);
        always idiag_expires @ 52/52 Uint(B4);
        always idiag_rqueue @ 56/56 Uint(B4);
        always idiag_wqueue @ 60/60 Uint(B4);
        always idiag_uid @ 64/64 Id;
        always idiag_inode @ 68/68 Uint(B4);
    }
    /// `struct inet_diag_meminfo`.
    INET_MEMORY: 16/16 {
        always idiag_rmem @ 0/0 Uint(B4);
        always idiag_wmem @ 4/4 Uint(B4);
        always idiag_fmem @ 8/8 Uint(B4);
        always idiag_tmem @ 12/12 Uint(B4);
    }
    /// `struct netlink_diag_req`.
    NETLINK_REQUEST: 20/20 {
        always sdiag_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always sdiag_protocol @ 1/1 Own(write_netlink_protocol);
        always ndiag_ino @ 4/4 Uint(B4);
        always ndiag_show @ 8/8 Flags(&NL_NETLINK_SHOW, B4);
        always ndiag_cookie @ 12/12 Own(write_cookie);
    }
    /// `struct netlink_diag_msg`.
    NETLINK: 28/28 {
        always ndiag_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always ndiag_type @ 1/1 Enum(&SOCKET_KIND, B1);
        always ndiag_protocol @ 2/2 Enum(&NETLINK_PROTOCOL, B1);
        always ndiag_state @ 3/3 Enum(&NL_NETLINK_STATE, B1);
        always ndiag_portid @ 4/4 Uint(B4);
        always ndiag_dst_portid @ 8/8 Uint(B4);
        always ndiag_dst_group @ 12/12 Uint(B4);
        always ndiag_ino @ 16/16 Uint(B4);
        always ndiag_cookie @ 20/20 Own(write_cookie);
    }
    /// `struct packet_diag_req`.
    PACKET_REQUEST: 20/20 {
        always sdiag_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always sdiag_protocol @ 1/1 Flags(&NO_NAMES, B1);
        always pdiag_ino @ 4/4 Uint(B4);
        always pdiag_show @ 8/8 Flags(&NL_PACKET_SHOW, B4);
        always pdiag_cookie @ 12/12 Own(write_cookie);
    }
    /// `struct packet_diag_msg`.
    PACKET: 16/16 {
        always pdiag_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always pdiag_type @ 1/1 Enum(&SOCKET_KIND, B1);
        always pdiag_num @ 2/2 Enum(&ETHERNET_PROTOCOL, B2);
        always pdiag_ino @ 4/4 Uint(B4);
        always pdiag_cookie @ 8/8 Own(write_cookie);
    }
}

/// Bits that have no names.
static NO_NAMES: FlagSet = FlagSet { unknown: "", wide: false, fields: &[], values: &[] };

static OF_UNIX: Attributes = Attributes {
    unknown: "UNIX_DIAG_???",
    rows: &[
        (0, "UNIX_DIAG_NAME", A::Own(write_name)),
        (1, "UNIX_DIAG_VFS", A::Of(&UNIX_FILE)),
        (2, "UNIX_DIAG_PEER", A::U32),
        (3, "UNIX_DIAG_ICONS", A::Own(write_inodes)),
        (4, "UNIX_DIAG_RQLEN", A::Of(&UNIX_QUEUES)),
        (5, "UNIX_DIAG_MEMINFO", A::Array(&NL_SOCKET_MEMORY, 4, Index::FromZero)),
        (6, "UNIX_DIAG_SHUTDOWN", A::U8),
        (7, "UNIX_DIAG_UID", A::U32),
    ],
};

static OF_INET: Attributes = Attributes {
    unknown: "INET_DIAG_???",
    rows: &[
        (1, "INET_DIAG_MEMINFO", A::Of(&INET_MEMORY)),
        (2, "INET_DIAG_INFO", A::Bytes),
        (3, "INET_DIAG_VEGASINFO", A::Bytes),
        (4, "INET_DIAG_CONG", A::Text),
        (5, "INET_DIAG_TOS", A::U8),
        (6, "INET_DIAG_TCLASS", A::U8),
        (7, "INET_DIAG_SKMEMINFO", A::Array(&NL_SOCKET_MEMORY, 4, Index::FromZero)),
        (8, "INET_DIAG_SHUTDOWN", A::U8),
        (9, "INET_DIAG_DCTCPINFO", A::Bytes),
        (10, "INET_DIAG_PROTOCOL", A::U8),
        (11, "INET_DIAG_SKV6ONLY", A::U8),
        (12, "INET_DIAG_LOCALS", A::Bytes),
        (13, "INET_DIAG_PEERS", A::Bytes),
        (14, "INET_DIAG_PAD", A::Bytes),
        (15, "INET_DIAG_MARK", A::U32),
        (16, "INET_DIAG_BBRINFO", A::Bytes),
        (17, "INET_DIAG_CLASS_ID", A::U32),
        (18, "INET_DIAG_MD5SIG", A::Bytes),
        (19, "INET_DIAG_ULP_INFO", A::Bytes),
        (20, "INET_DIAG_SK_BPF_STORAGES", A::Bytes),
        (21, "INET_DIAG_CGROUP_ID", A::U64),
        (22, "INET_DIAG_SOCKOPT", A::Fixed(2, write_options)),
    ],
};

static OF_REQUESTS: Attributes = Attributes {
    unknown: "INET_DIAG_REQ_???",
    rows: &[
        (0, "INET_DIAG_REQ_NONE", A::Bytes),
        (1, "INET_DIAG_REQ_BYTECODE", A::Bytes),
        (2, "INET_DIAG_REQ_SK_BPF_STORAGES", A::Bytes),
        (3, "INET_DIAG_REQ_PROTOCOL", A::U32),
    ],
};

static OF_NETLINK: Attributes = Attributes {
    unknown: "NETLINK_DIAG_???",
    rows: &[
        (0, "NETLINK_DIAG_MEMINFO", A::Array(&NL_SOCKET_MEMORY, 4, Index::FromZero)),
        (1, "NETLINK_DIAG_GROUPS", A::Bytes),
        (2, "NETLINK_DIAG_RX_RING", A::Bytes),
        (3, "NETLINK_DIAG_TX_RING", A::Bytes),
        (4, "NETLINK_DIAG_FLAGS", A::Bytes),
    ],
};

static OF_PACKETS: Attributes = Attributes {
    unknown: "PACKET_DIAG_???",
    rows: &[
        (0, "PACKET_DIAG_INFO", A::Bytes),
        (1, "PACKET_DIAG_MCLIST", A::Bytes),
        (2, "PACKET_DIAG_RX_RING", A::Bytes),
        (3, "PACKET_DIAG_TX_RING", A::Bytes),
        (4, "PACKET_DIAG_FANOUT", A::U32),
        (5, "PACKET_DIAG_UID", A::U32),
        (6, "PACKET_DIAG_MEMINFO", A::Array(&NL_SOCKET_MEMORY, 4, Index::FromZero)),
        (7, "PACKET_DIAG_FILTER", A::Bytes),
    ],
};

static HEADS: [(i32, Head, Head); 5] = [
    (libc::AF_UNIX, asked(&UNIX_REQUEST, None), told("udiag_family", &UNIX, &OF_UNIX)),
    (libc::AF_INET, asked(&INET_REQUEST, Some(&OF_REQUESTS)), told("idiag_family", &INET, &OF_INET)),
    (libc::AF_INET6, asked(&INET6_REQUEST, Some(&OF_REQUESTS)), told("idiag_family", &INET6, &OF_INET)),
    (libc::AF_NETLINK, asked(&NETLINK_REQUEST, None), told("ndiag_family", &NETLINK, &OF_NETLINK)),
    (libc::AF_PACKET, asked(&PACKET_REQUEST, None), told("pdiag_family", &PACKET, &OF_PACKETS)),
];

const fn asked(layout: &'static Layout, attributes: Option<&'static Attributes>) -> Head {
    Head { family: "sdiag_family", layout, attributes }
}

const fn told(family: &'static str, layout: &'static Layout, attributes: &'static Attributes) -> Head {
    Head { family, layout, attributes: Some(attributes) }
}

/// What old requests begin with.
static OLD_HEADS: [(i32, Head); 2] =
    [(libc::AF_INET, old(&OLD_REQUEST)), (libc::AF_INET6, old(&OLD_REQUEST6))];

const fn old(layout: &'static Layout) -> Head {
    Head { family: "idiag_family", layout, attributes: Some(&OF_REQUESTS) }
}

/// `TCPDIAG_GETSOCK` and `DCCPDIAG_GETSOCK`.
const OLD_KINDS: [u16; 2] = [18, 19];

/// What a message of this type about sockets of this family begins with.
pub(super) fn head(kind: u16, family: u8, is_request: bool) -> Option<&'static Head> {
    if is_request && OLD_KINDS.contains(&kind) {
        let old = OLD_HEADS.iter().find(|(known, _)| *known == i32::from(family));
        if let Some((_, head)) = old {
            return Some(head);
        }
    }
    let (_, asked, told) = HEADS.iter().find(|(known, ..)| *known == i32::from(family))?;
    Some(if is_request { asked } else { told })
}

/// Bits by the names of what they stand for, and the rest.
fn write_shifted(out: &mut Vec<u8>, value: u64, name: impl Fn(u32) -> Option<String>) {
    let (mut rest, mut is_first) = (value, true);
    for bit in 0..u64::BITS {
        if let Some(name) = name(bit).filter(|_| value & 1 << bit != 0) {
            if !is_first {
                out.push(b'|');
            }
            is_first = false;
            out.extend_from_slice(name.as_bytes());
            rest &= !(1 << bit);
        }
    }
    match (rest, is_first) {
        (0, false) => {}
        (0, true) => out.push(b'0'),
        (rest, _) => {
            if !is_first {
                out.push(b'|');
            }
            write_hex(out, rest);
        }
    }
}

/// `1<<TCP_ESTABLISHED|1<<TCP_LISTEN`
fn write_states(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let value = u64::from(word32(bytes, 0));
    let name = |bit: u32| NL_SOCKET_STATE.name(u64::from(bit)).map(|name| format!("1<<{name}"));
    let number = |out: &mut Vec<u8>| write_hex(out, value);
    call.style.constants.write(out, number, |out| write_shifted(out, value, name));
}

/// `1<<(INET_DIAG_MEMINFO-1)`: the first extensions have a bit each.
fn write_extensions(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let value = u64::from(bytes.first().copied().unwrap_or(0));
    let name = |bit: u32| {
        let row = OF_INET.rows.iter().find(|(number, ..)| u32::from(*number) == bit + 1);
        row.map(|(_, name, _)| format!("1<<({name}-1)"))
    };
    let number = |out: &mut Vec<u8>| write_hex(out, value);
    call.style.constants.write(out, number, |out| write_shifted(out, value, name));
}

fn write_network_port(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_port(out, bytes.get(..2).unwrap_or_default(), call.style.constants);
}

fn write_inet(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    // There is room for an address of IPv6, and all of it is what has been there.
    let whole = bytes.get(..16).unwrap_or(bytes);
    let name = |out: &mut Vec<u8>| {
        let style = Style { constants: Constants::Names, ..*call.style };
        write_host4(out, whole.first_chunk().copied().unwrap_or_default(), &style);
    };
    call.style.constants.write(out, |out| write_text(out, whole, Hex::All, false), name);
}

fn write_interface(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    call.write_interface(out, word32(bytes, 0).cast_signed());
}

/// As [`INET_ID`], with addresses that tell their members' names themselves.
fn write_inet6_id(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let host = |at: usize| bytes.get(at..).and_then(|bytes| bytes.first_chunk().copied()).unwrap_or_default();
    out.extend_from_slice(b"{idiag_sport=");
    write_network_port(call, out, bytes);
    out.extend_from_slice(b", idiag_dport=");
    write_network_port(call, out, bytes.get(2..).unwrap_or_default());
    out.extend_from_slice(b", ");
    write_host6(out, host(4), Some("idiag_src"), call.style);
    out.extend_from_slice(b", ");
    write_host6(out, host(20), Some("idiag_dst"), call.style);
    out.extend_from_slice(b", idiag_if=");
    write_interface(call, out, bytes.get(36..).unwrap_or_default());
    out.extend_from_slice(b", idiag_cookie=");
    write_cookie(call, out, bytes.get(40..).unwrap_or_default());
    out.push(b'}');
}

fn write_netlink_protocol(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    match bytes.first().copied().unwrap_or(0) {
        0xff => out.extend_from_slice(b"NDIAG_PROTO_ALL"),
        protocol => call.style.constants.one(out, &NETLINK_PROTOCOL, u64::from(protocol)),
    }
}

/// The name of a local socket, abstract with `@`.
#[allow(clippy::unnecessary_wraps, reason = "as every form of an attribute's own")]
fn write_name(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, piece: Piece<'_>) -> Option<()> {
    let Some(name) = piece.whole() else {
        call.write_address(out, piece.address);
        return Some(());
    };
    let name = match name.split_first() {
        Some((0, rest)) => {
            out.push(b'@');
            rest
        }
        _ => &name[..name.iter().position(|&byte| byte == 0).unwrap_or(name.len())],
    };
    call.write_text(out, name, false);
    Some(())
}

fn write_inodes(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, piece: Piece<'_>) -> Option<()> {
    call.write_elements(out, piece, 4, |_, out, _, inode| {
        write_radix(out, u64::from(word32(inode, 0)), 10, 1);
    })
}

/// `struct inet_diag_sockopt`: a bit each; without `-v` those that are set.
fn write_options(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    const NAMES: [&str; 11] = [
        "recverr",
        "is_icsk",
        "freebind",
        "hdrincl",
        "mc_loop",
        "transparent",
        "mc_all",
        "nodefrag",
        "bind_address_no_port",
        "recverr_rfc4884",
        "defer_connect",
    ];
    let bits = bytes.iter().take(2).rev().fold(0_u16, |bits, &byte| bits << 8 | u16::from(byte));
    let is_shown = |bit: &usize| call.style.verbose || bits >> bit & 1 != 0;
    let mut separator: &[u8] = b"{";
    for bit in (0..NAMES.len()).filter(is_shown) {
        out.extend_from_slice(separator);
        out.extend_from_slice(NAMES[bit].as_bytes());
        out.push(b'=');
        write_radix(out, u64::from(bits >> bit & 1), 10, 1);
        separator = b", ";
    }
    let unused = u64::from(bits >> NAMES.len());
    if call.style.verbose || unused != 0 || separator == b"{" {
        out.extend_from_slice(separator);
        out.extend_from_slice(b"unused=");
        match unused {
            0 => out.push(b'0'),
            unused => write_hex(out, unused),
        }
        out.extend_from_slice(b" /* bits 3..8 */");
    }
    out.push(b'}');
}
