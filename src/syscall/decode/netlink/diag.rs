//! `NETLINK_SOCK_DIAG` (`sock_diag(7)`): what is asked of sockets, and what is said of each.

use super::super::Decoder;
use super::super::layout::Show::{Device, Enum, Flags, Hex, Interface, Own, Uint};
use super::super::layout::Size::{B1, B2, B4};
use super::super::layout::{Layout, layouts};
use super::super::net::{word16, word32};
use super::super::text::write_text;
use super::super::{Hex as Text, filter};
use super::Head;
use super::attribute::{Attributes, Show as A};
use super::inet::{
    INET, INET_REQUEST, INET6, INET6_REQUEST, OF_INET, OF_REQUESTS, OLD_REQUEST, OLD_REQUEST6,
};
use super::piece::Piece;
use super::smc;
use super::values::{Element, number, write_cookie, write_padded};
use crate::syscall::flags::netlink::{
    NL_NETLINK_FLAGS, NL_NETLINK_SHOW, NL_NETLINK_STATE, NL_PACKET_FLAGS, NL_PACKET_SHOW, NL_PACKET_VERSION,
    NL_SOCKET_MEMORY, NL_SOCKET_STATE, NL_SOCKET_STATES, NL_UNIX_SHOW, SOCKET_KIND,
};
use crate::syscall::flags::{ETHERNET_PROTOCOL, NETLINK_PROTOCOL, SOCKET_DOMAIN, write_radix};

layouts! {
    /// `struct unix_diag_req`.
    UNIX_REQUEST: 24/24 {
        always sdiag_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always sdiag_protocol @ 1/1 Uint(B1);
        always udiag_states @ 4/4 Flags(&NL_SOCKET_STATES, B4);
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
        always sdiag_protocol @ 1/1 Hex(B1);
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
    /// `struct netlink_diag_ring`.
    NETLINK_RING: 16/16 {
        always ndr_block_size @ 0/0 Uint(B4);
        always ndr_block_nr @ 4/4 Uint(B4);
        always ndr_frame_size @ 8/8 Uint(B4);
        always ndr_frame_nr @ 12/12 Uint(B4);
    }
    /// `struct packet_diag_info`.
    PACKET_INFO: 24/24 {
        always pdi_index @ 0/0 Interface;
        always pdi_version @ 4/4 Enum(&NL_PACKET_VERSION, B4);
        always pdi_reserve @ 8/8 Uint(B4);
        always pdi_copy_thresh @ 12/12 Uint(B4);
        always pdi_tstamp @ 16/16 Uint(B4);
        always pdi_flags @ 20/20 Flags(&NL_PACKET_FLAGS, B4);
    }
    /// `struct packet_diag_mclist`.
    PACKET_GROUP: 44/44 {
        always pdmc_index @ 0/0 Interface;
        always pdmc_count @ 4/4 Uint(B4);
        always pdmc_type @ 8/8 Uint(B2);
        always pdmc_alen @ 10/10 Uint(B2);
        always pdmc_addr @ 10/10 Own(write_group_address);
    }
    /// `struct packet_diag_ring`.
    PACKET_RING: 28/28 {
        always pdr_block_size @ 0/0 Uint(B4);
        always pdr_block_nr @ 4/4 Uint(B4);
        always pdr_frame_size @ 8/8 Uint(B4);
        always pdr_frame_nr @ 12/12 Uint(B4);
        always pdr_retire_tmo @ 16/16 Uint(B4);
        always pdr_sizeof_priv @ 20/20 Uint(B4);
        always pdr_features @ 24/24 Uint(B4);
    }
}

static OF_UNIX: Attributes = Attributes {
    unknown: "UNIX_DIAG_???",
    rows: &[
        (0, "UNIX_DIAG_NAME", A::Text),
        (1, "UNIX_DIAG_VFS", A::Of(&UNIX_FILE)),
        (2, "UNIX_DIAG_PEER", A::U32),
        (3, "UNIX_DIAG_ICONS", A::Own(write_inodes)),
        (4, "UNIX_DIAG_RQLEN", A::Of(&UNIX_QUEUES)),
        (5, "UNIX_DIAG_MEMINFO", A::Array(&NL_SOCKET_MEMORY, Element::U32)),
        (6, "UNIX_DIAG_SHUTDOWN", A::U8),
        (7, "UNIX_DIAG_UID", A::Id),
    ],
};

static OF_NETLINK: Attributes = Attributes {
    unknown: "NETLINK_DIAG_???",
    rows: &[
        (0, "NETLINK_DIAG_MEMINFO", A::Array(&NL_SOCKET_MEMORY, Element::U32)),
        (1, "NETLINK_DIAG_GROUPS", A::Own(write_groups)),
        (2, "NETLINK_DIAG_RX_RING", A::Of(&NETLINK_RING)),
        (3, "NETLINK_DIAG_TX_RING", A::Of(&NETLINK_RING)),
        (4, "NETLINK_DIAG_FLAGS", A::Bits(&NL_NETLINK_FLAGS, 4)),
    ],
};

static OF_PACKETS: Attributes = Attributes {
    unknown: "PACKET_DIAG_???",
    rows: &[
        (0, "PACKET_DIAG_INFO", A::Of(&PACKET_INFO)),
        (1, "PACKET_DIAG_MCLIST", A::Items(&PACKET_GROUP)),
        (2, "PACKET_DIAG_RX_RING", A::Of(&PACKET_RING)),
        (3, "PACKET_DIAG_TX_RING", A::Of(&PACKET_RING)),
        (4, "PACKET_DIAG_FANOUT", A::U32),
        (5, "PACKET_DIAG_UID", A::Id),
        (6, "PACKET_DIAG_MEMINFO", A::Array(&NL_SOCKET_MEMORY, Element::U32)),
        (7, "PACKET_DIAG_FILTER", A::Own(write_filter)),
    ],
};

static HEADS: [(i32, Head, Head); 6] = [
    (libc::AF_UNIX, asked(&UNIX_REQUEST, None), told("udiag_family", &UNIX, &OF_UNIX)),
    (libc::AF_INET, asked(&INET_REQUEST, Some(&OF_REQUESTS)), told("idiag_family", &INET, &OF_INET)),
    (libc::AF_INET6, asked(&INET6_REQUEST, Some(&OF_REQUESTS)), told("idiag_family", &INET6, &OF_INET)),
    (libc::AF_NETLINK, asked(&NETLINK_REQUEST, None), told("ndiag_family", &NETLINK, &OF_NETLINK)),
    (libc::AF_PACKET, asked(&PACKET_REQUEST, None), told("pdiag_family", &PACKET, &OF_PACKETS)),
    (
        smc::FAMILY,
        Head { family: "diag_family", layout: &smc::REQUEST, behind: None },
        told("diag_family", &smc::SOCKET, &smc::OF_SOCKETS),
    ),
];

const fn asked(layout: &'static Layout, attributes: Option<&'static Attributes>) -> Head {
    let behind = match attributes {
        Some(attributes) => Some(A::Nested(attributes)),
        None => None,
    };
    Head { family: "sdiag_family", layout, behind }
}

const fn told(family: &'static str, layout: &'static Layout, attributes: &'static Attributes) -> Head {
    Head { family, layout, behind: Some(A::Nested(attributes)) }
}

/// What old requests begin with.
static OLD_HEADS: [(i32, Head); 2] =
    [(libc::AF_INET, old(&OLD_REQUEST)), (libc::AF_INET6, old(&OLD_REQUEST6))];

const fn old(layout: &'static Layout) -> Head {
    Head { family: "idiag_family", layout, behind: Some(A::Nested(&OF_REQUESTS)) }
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

fn write_netlink_protocol(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    match bytes.first().copied().unwrap_or(0) {
        0xff => out.extend_from_slice(b"NDIAG_PROTO_ALL"),
        protocol => call.style.constants.one(out, &NETLINK_PROTOCOL, u64::from(protocol)),
    }
}

fn write_inodes(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, piece: Piece<'_>, _: u8) -> Option<()> {
    call.write_elements(out, piece, 4, |_, out, _, inode| {
        write_radix(out, u64::from(word32(inode, 0)), 10, 1);
    })
}

/// `[0x0000000000000001]`: groups, as many in an element as a word has bits.
fn write_groups(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, piece: Piece<'_>, _: u8) -> Option<()> {
    let size = call.word_size();
    call.write_elements(out, piece, size, |_, out, _, word| {
        write_padded(out, number(word, size).unwrap_or_default(), size);
    })
}

/// As many bytes of an address as the length before it says.
fn write_group_address(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let length = usize::from(word16(bytes, 0)).min(32);
    write_text(out, bytes.get(2..2 + length).unwrap_or_default(), Text::All, false);
}

/// The instructions of a socket's filter.
fn write_filter(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, piece: Piece<'_>, _: u8) -> Option<()> {
    let count = piece.length / 8;
    if count == 0 {
        return None;
    }
    filter::write_program(call, out, piece.address, count as u64, filter::Of::Socket);
    Some(())
}
