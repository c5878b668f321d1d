//! `NETLINK_SOCK_DIAG`, continued: sockets of the internet (`linux/inet_diag.h`, `tcp.h`, `tls.h`, `mptcp.h`, `sock_diag.h`).

use super::super::Decoder;
use super::super::address::{write_host6, write_port, write_socket_address};
use super::super::layout::Show::{Enum, Flags, Hex, Id, Interface, Nested, Own, Uint};
use super::super::layout::Size::{B1, B2, B4};
use super::super::layout::{Layout, layouts};
use super::super::net::{word16, word32};
use super::super::{Hex as Text, text::write_text};
use super::attribute::{Attributes, Show as A};
use super::hops::write_host;
use super::piece::Piece;
use super::values::{Element, number, write_cookie};
use crate::syscall::flags::netlink::{
    NL_EXTENSIONS, NL_MULTIPATH, NL_SHUTDOWN, NL_SOCKET_CODE, NL_SOCKET_MEMORY, NL_SOCKET_STATE,
    NL_SOCKET_STATES, NL_TLS_CIPHER, NL_TLS_CONFIGURATION, NL_TLS_VERSION,
};
use crate::syscall::flags::{SOCKET_DOMAIN, SOCKET_PROTOCOL, write_hex, write_radix};

layouts! {
    /// `struct inet_diag_req_v2`.
    INET_REQUEST: 56/56 {
        always sdiag_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always sdiag_protocol @ 1/1 Enum(&SOCKET_PROTOCOL, B1);
        always idiag_ext @ 2/2 Flags(&NL_EXTENSIONS, B1);
        always idiag_states @ 4/4 Flags(&NL_SOCKET_STATES, B4);
        always id @ 8/8 Nested(&INET_ID);
    }
    /// The same of IPv6.
    INET6_REQUEST: 56/56 {
        always sdiag_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always sdiag_protocol @ 1/1 Enum(&SOCKET_PROTOCOL, B1);
        always idiag_ext @ 2/2 Flags(&NL_EXTENSIONS, B1);
        always idiag_states @ 4/4 Flags(&NL_SOCKET_STATES, B4);
        always id @ 8/8 Own(write_inet6_id);
    }
    /// `struct inet_diag_req`, which only TCP and DCCP have had.
    OLD_REQUEST: 60/60 {
        always idiag_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always idiag_src_len @ 1/1 Uint(B1);
        always idiag_dst_len @ 2/2 Uint(B1);
        always idiag_ext @ 3/3 Flags(&NL_EXTENSIONS, B1);
        always id @ 4/4 Nested(&INET_ID);
        always idiag_states @ 52/52 Flags(&NL_SOCKET_STATES, B4);
        always idiag_dbs @ 56/56 Uint(B4);
    }
    /// The same of IPv6.
    OLD_REQUEST6: 60/60 {
        always idiag_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always idiag_src_len @ 1/1 Uint(B1);
        always idiag_dst_len @ 2/2 Uint(B1);
        always idiag_ext @ 3/3 Flags(&NL_EXTENSIONS, B1);
        always id @ 4/4 Own(write_inet6_id);
        always idiag_states @ 52/52 Flags(&NL_SOCKET_STATES, B4);
        always idiag_dbs @ 56/56 Uint(B4);
    }
    /// `struct inet_diag_sockid`.
    INET_ID: 48/48 {
        always idiag_sport @ 0/0 Own(write_network_port);
        always idiag_dport @ 2/2 Own(write_network_port);
        always idiag_src @ 4/4 Own(write_inet);
        always idiag_dst @ 20/20 Own(write_inet);
        always idiag_if @ 36/36 Interface;
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
    /// `struct tcpvegas_info`.
    VEGAS: 16/16 {
        always tcpv_enabled @ 0/0 Uint(B4);
        always tcpv_rttcnt @ 4/4 Uint(B4);
        always tcpv_rtt @ 8/8 Uint(B4);
        always tcpv_minrtt @ 12/12 Uint(B4);
    }
    /// `struct tcp_dctcp_info`.
    DCTCP: 16/16 {
        always dctcp_enabled @ 0/0 Uint(B2);
        always dctcp_ce_state @ 2/2 Uint(B2);
        always dctcp_alpha @ 4/4 Uint(B4);
        always dctcp_ab_ecn @ 8/8 Uint(B4);
        always dctcp_ab_tot @ 12/12 Uint(B4);
    }
    /// `struct tcp_bbr_info`.
    BBR: 20/20 {
        always bbr_bw_lo @ 0/0 Hex(B4);
        always bbr_bw_hi @ 4/4 Hex(B4);
        always bbr_min_rtt @ 8/8 Uint(B4);
        always bbr_pacing_gain @ 12/12 Uint(B4);
        always bbr_cwnd_gain @ 16/16 Uint(B4);
    }
    /// `struct inet_diag_bc_op`.
    CODE: 4/4 {
        always code @ 0/0 Enum(&NL_SOCKET_CODE, B1);
        always yes @ 1/1 Uint(B1);
        always no @ 2/2 Uint(B2);
    }
    /// `struct inet_diag_hostcond`, to the address.
    HOST: 8/8 {
        always family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always prefix_len @ 1/1 Uint(B1);
        always port @ 4/4 Uint(B4);
    }
    /// `struct inet_diag_markcond`.
    MARK: 8/8 {
        always mark @ 0/0 Uint(B4);
        always mask @ 4/4 Uint(B4);
    }
}

/// Size of `struct tcp_diag_md5sig`.
const SIGNATURE: usize = 100;

pub(super) static OF_INET: Attributes = Attributes {
    unknown: "INET_DIAG_???",
    rows: &[
        (0, "INET_DIAG_NONE", A::Bytes),
        (1, "INET_DIAG_MEMINFO", A::Of(&INET_MEMORY)),
        (2, "INET_DIAG_INFO", A::Bytes),
        (3, "INET_DIAG_VEGASINFO", A::Of(&VEGAS)),
        (4, "INET_DIAG_CONG", A::Text),
        (5, "INET_DIAG_TOS", A::U8),
        (6, "INET_DIAG_TCLASS", A::U8),
        (7, "INET_DIAG_SKMEMINFO", A::Array(&NL_SOCKET_MEMORY, Element::U32)),
        (8, "INET_DIAG_SHUTDOWN", A::Small(&A::Fixed(1, write_shutdown))),
        (9, "INET_DIAG_DCTCPINFO", A::Of(&DCTCP)),
        (10, "INET_DIAG_PROTOCOL", A::Small(&A::One(&SOCKET_PROTOCOL, 0))),
        (11, "INET_DIAG_SKV6ONLY", A::U8),
        (12, "INET_DIAG_LOCALS", A::Own(write_addresses)),
        (13, "INET_DIAG_PEERS", A::Own(write_addresses)),
        (14, "INET_DIAG_PAD", A::Bytes),
        (15, "INET_DIAG_MARK", A::U32),
        (16, "INET_DIAG_BBRINFO", A::Of(&BBR)),
        (17, "INET_DIAG_CLASS_ID", A::U32),
        (18, "INET_DIAG_MD5SIG", A::Own(write_signatures)),
        (19, "INET_DIAG_ULP_INFO", A::Nested(&OF_UPPER)),
        (20, "INET_DIAG_SK_BPF_STORAGES", A::Nested(&OF_STORAGES)),
        (21, "INET_DIAG_CGROUP_ID", A::U64),
        (22, "INET_DIAG_SOCKOPT", A::Own(write_options)),
    ],
};

pub(super) static OF_REQUESTS: Attributes = Attributes {
    unknown: "INET_DIAG_REQ_???",
    rows: &[
        (0, "INET_DIAG_REQ_NONE", A::Bytes),
        (1, "INET_DIAG_REQ_BYTECODE", A::Own(write_code)),
        (2, "INET_DIAG_REQ_SK_BPF_STORAGES", A::Bytes),
        (3, "INET_DIAG_REQ_PROTOCOL", A::Small(&A::One(&SOCKET_PROTOCOL, 0))),
    ],
};

static OF_UPPER: Attributes = Attributes {
    unknown: "INET_ULP_INFO_???",
    rows: &[
        (0, "INET_ULP_INFO_UNSPEC", A::Bytes),
        (1, "INET_ULP_INFO_NAME", A::Text),
        (2, "INET_ULP_INFO_TLS", A::Nested(&OF_TLS)),
        (3, "INET_ULP_INFO_MPTCP", A::Nested(&OF_MULTIPATH)),
    ],
};

static OF_TLS: Attributes = Attributes {
    unknown: "TLS_INFO_???",
    rows: &[
        (0, "TLS_INFO_UNSPEC", A::Bytes),
        (1, "TLS_INFO_VERSION", A::Small(&A::One(&NL_TLS_VERSION, 2))),
        (2, "TLS_INFO_CIPHER", A::Small(&A::One(&NL_TLS_CIPHER, 2))),
        (3, "TLS_INFO_TXCONF", A::Small(&A::One(&NL_TLS_CONFIGURATION, 2))),
        (4, "TLS_INFO_RXCONF", A::Small(&A::One(&NL_TLS_CONFIGURATION, 2))),
        (5, "TLS_INFO_ZC_RO_TX", A::Bytes),
        (6, "TLS_INFO_RX_NO_PAD", A::Bytes),
    ],
};

static OF_MULTIPATH: Attributes = Attributes {
    unknown: "MPTCP_SUBFLOW_ATTR_???",
    rows: &[
        (0, "MPTCP_SUBFLOW_ATTR_UNSPEC", A::Bytes),
        (1, "MPTCP_SUBFLOW_ATTR_TOKEN_REM", A::Hex(4)),
        (2, "MPTCP_SUBFLOW_ATTR_TOKEN_LOC", A::Hex(4)),
        (3, "MPTCP_SUBFLOW_ATTR_RELWRITE_SEQ", A::U32),
        (4, "MPTCP_SUBFLOW_ATTR_MAP_SEQ", A::U64),
        (5, "MPTCP_SUBFLOW_ATTR_MAP_SFSEQ", A::U32),
        (6, "MPTCP_SUBFLOW_ATTR_SSN_OFFSET", A::U32),
        (7, "MPTCP_SUBFLOW_ATTR_MAP_DATALEN", A::U16),
        (8, "MPTCP_SUBFLOW_ATTR_FLAGS", A::Small(&A::Bits(&NL_MULTIPATH, 4))),
        (9, "MPTCP_SUBFLOW_ATTR_ID_REM", A::U8),
        (10, "MPTCP_SUBFLOW_ATTR_ID_LOC", A::U8),
        (11, "MPTCP_SUBFLOW_ATTR_PAD", A::Bytes),
    ],
};

static OF_STORAGES: Attributes = Attributes {
    unknown: "SK_DIAG_BPF_STORAGE_???",
    rows: &[
        (0, "SK_DIAG_BPF_STORAGE_REP_NONE", A::Bytes),
        (1, "SK_DIAG_BPF_STORAGE", A::Nested(&OF_STORAGE)),
    ],
};

static OF_STORAGE: Attributes = Attributes {
    unknown: "SK_DIAG_BPF_STORAGE_???",
    rows: &[
        (0, "SK_DIAG_BPF_STORAGE_NONE", A::Bytes),
        (1, "SK_DIAG_BPF_STORAGE_PAD", A::Bytes),
        (2, "SK_DIAG_BPF_STORAGE_MAP_ID", A::U32),
        (3, "SK_DIAG_BPF_STORAGE_MAP_VALUE", A::Own(write_stored)),
    ],
};

/// An address in a room for one of IPv6.
fn write_inet(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    call.write_host4_of(out, bytes.get(..16).unwrap_or(bytes));
}

fn write_network_port(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_port(out, bytes.get(..2).unwrap_or_default(), call.style.constants);
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
    call.write_interface(out, word32(bytes, 36).cast_signed());
    out.extend_from_slice(b", idiag_cookie=");
    write_cookie(call, out, bytes.get(40..).unwrap_or_default());
    out.push(b'}');
}

/// What no public header names.
fn write_shutdown(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let ways = u64::from(bytes.first().copied().unwrap_or_default());
    call.style.constants.with_numbers().bits(out, &NL_SHUTDOWN, ways);
}

/// Addresses in `struct sockaddr_storage` each.
fn write_addresses(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, piece: Piece<'_>, _: u8) -> Option<()> {
    call.write_elements(out, piece, 128, |call, out, _, address| write_socket_address(call, out, address))
}

/// A number where it has the bytes of one.
fn write_stored(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, piece: Piece<'_>, _: u8) -> Option<()> {
    if !matches!(piece.length, 1 | 2 | 4 | 8) {
        return None;
    }
    match piece.whole().and_then(|bytes| number(bytes, bytes.len())) {
        Some(value) => write_hex(out, value),
        None => call.write_address(out, piece.address),
    }
    Some(())
}

/// `struct tcp_diag_md5sig`: the keys of peers.
fn write_signatures(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, piece: Piece<'_>, _: u8) -> Option<()> {
    call.write_elements(out, piece, SIGNATURE, |call, out, _, bytes| {
        let [family, prefix, ..] = *bytes else { return };
        let (length, key) = (word16(bytes, 2), bytes.get(20..).unwrap_or_default());
        out.extend_from_slice(b"{tcpm_family=");
        call.style.constants.one(out, &SOCKET_DOMAIN, u64::from(family));
        out.extend_from_slice(b", tcpm_prefixlen=");
        write_radix(out, u64::from(prefix), 10, 1);
        out.extend_from_slice(b", tcpm_keylen=");
        write_radix(out, u64::from(length), 10, 1);
        out.extend_from_slice(b", ");
        call.write_host_of(out, i32::from(family), bytes.get(4..20).unwrap_or_default(), "tcpm_addr");
        out.extend_from_slice(b", tcpm_key=");
        write_text(out, &key[..key.len().min(usize::from(length))], Text::All, false);
        out.push(b'}');
    })
}

/// `{code=INET_DIAG_BC_S_COND, yes=1, no=2}, {family=AF_INET, ...}`: an instruction of what sockets are asked for, and
/// what it compares with.
fn write_code(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, piece: Piece<'_>, _: u8) -> Option<()> {
    if piece.length < 4 {
        return None;
    }
    let Some(bytes) = piece.first(4) else {
        call.write_address(out, piece.address);
        return Some(());
    };
    call.write_members(out, &CODE, bytes);
    let operand = piece.after(4);
    if !operand.is_empty() {
        out.extend_from_slice(b", ");
        match bytes.first() {
            // INET_DIAG_BC_S_COND, INET_DIAG_BC_D_COND.
            Some(7 | 8) => write_host_condition(call, out, operand),
            // INET_DIAG_BC_DEV_COND.
            Some(9) => match operand.first(4) {
                Some(index) => call.write_interface(out, word32(index, 0).cast_signed()),
                None => write_missing(call, out, operand, 4),
            },
            // INET_DIAG_BC_S_GE to INET_DIAG_BC_D_LE.
            Some(2..=5) => write_operand(call, out, operand, &CODE),
            // INET_DIAG_BC_MARK_COND.
            Some(10) => write_operand(call, out, operand, &MARK),
            _ => call.write_bytes(out, operand),
        }
    }
    Some(())
}

fn write_operand(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, piece: Piece<'_>, layout: &Layout) {
    match piece.first(layout.size[0]) {
        Some(bytes) => call.write_members(out, layout, bytes),
        None => write_missing(call, out, piece, layout.size[0]),
    }
}

/// What has not so many bytes, or cannot be read.
fn write_missing(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, piece: Piece<'_>, size: usize) {
    if piece.length < size {
        call.write_bytes(out, piece);
    } else {
        call.write_address(out, piece.address);
    }
}

/// `{family=AF_INET, prefix_len=8, port=80, addr=inet_addr("127.0.0.1")}`
fn write_host_condition(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, piece: Piece<'_>) {
    let size = HOST.size[0];
    let Some(bytes) = piece.first(size) else { return write_missing(call, out, piece, size) };
    call.write_members(out, &HOST, bytes);
    let host = piece.after(size);
    if !host.is_empty() {
        out.pop();
        out.extend_from_slice(b", ");
        write_host(call, out, host, i32::from(bytes.first().copied().unwrap_or_default()), "addr");
        out.push(b'}');
    }
}

/// `struct inet_diag_sockopt`: a bit each; without `-v` those that are set.
fn write_options(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, piece: Piece<'_>, _: u8) -> Option<()> {
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
    if piece.length < 2 {
        return None;
    }
    let Some(bits) = piece.first(2).map(|bytes| word16(bytes, 0)) else {
        call.write_address(out, piece.address);
        return Some(());
    };
    let is_shown = |bit: &usize| call.style.verbose || bits >> bit & 1 != 0;
    let mut separator: &[u8] = b"";
    out.push(b'{');
    for bit in (0..NAMES.len()).filter(is_shown) {
        out.extend_from_slice(separator);
        out.extend_from_slice(NAMES[bit].as_bytes());
        out.push(b'=');
        write_radix(out, u64::from(bits >> bit & 1), 10, 1);
        separator = b", ";
    }
    let unused = u64::from(bits >> NAMES.len());
    if call.style.verbose || unused != 0 {
        out.extend_from_slice(separator);
        out.extend_from_slice(b"unused=");
        write_hex(out, unused);
        out.extend_from_slice(b" /* bits 3..8 */");
    }
    out.push(b'}');
    write_unknown(call, out, piece.up_to(PAGE), 2);
    Some(())
}

/// strace looks at no more of an option.
const PAGE: usize = 4096;

/// `, /* bytes 2..3 */ "\x00\xff"`: what is behind so many bytes, if there is something.
fn write_unknown(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, piece: Piece<'_>, from: usize) {
    let rest = piece.after(from);
    match rest.whole() {
        Some(bytes) if bytes.iter().all(|&byte| byte == 0) => {}
        Some(_) => {
            out.extend_from_slice(b", /* bytes ");
            write_radix(out, from as u64, 10, 1);
            out.extend_from_slice(b"..");
            write_radix(out, piece.length as u64 - 1, 10, 1);
            out.extend_from_slice(b" */ ");
            call.write_bytes(out, rest);
        }
        None => out.extend_from_slice(b", ???"),
    }
}
