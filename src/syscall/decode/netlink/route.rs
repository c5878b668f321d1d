//! `NETLINK_ROUTE` (rtnetlink(7)): interfaces, their addresses, routes, neighbours, rules.
//!
//! Structures and numbers are those of `linux/rtnetlink.h`, `if_link.h`, `if_addr.h`, `neighbour.h`, `fib_rules.h`,
//! `netconf.h` and `if_addrlabel.h`. The order of rows has no meaning.

use super::super::address::write_port;
use super::super::layout::Show::{Enum, Flags, Hex, Interface, Uint};
use super::super::layout::Size::{B1, B2, B4, B8};
use super::super::layout::{Layout, layouts};
use super::super::{Constants, Decoder};
use super::Head;
use super::attribute::{Attributes, Show as A};
use super::{centre, hops, link, multicast, statistics, traffic};
use crate::syscall::flags::netlink::{
    NL_ADDRESS_FLAGS, NL_ENCAPSULATION, NL_FORWARDING, NL_NEIGHBOUR_FLAGS, NL_NEIGHBOUR_MORE_FLAGS,
    NL_NEIGHBOUR_STATE, NL_ROUTE_FLAGS, NL_ROUTE_PROTOCOL, NL_ROUTE_TABLE, NL_ROUTE_TYPE, NL_RULE_ACTION,
    NL_RULE_FLAGS, NL_RULE_TABLE, NL_SCOPE, NL_SERVICE,
};
use crate::syscall::flags::{SOCKET_DOMAIN, SOCKET_PROTOCOL, write_radix};

layouts! {
    /// `struct ifaddrmsg`.
    ADDRESS: 8/8 {
        always ifa_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always ifa_prefixlen @ 1/1 Uint(B1);
        always ifa_flags @ 2/2 Flags(&NL_ADDRESS_FLAGS, B1);
        always ifa_scope @ 3/3 Enum(&NL_SCOPE, B1);
        always ifa_index @ 4/4 Interface;
    }
    /// `struct rtmsg`.
    ROUTE: 12/12 {
        always rtm_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always rtm_dst_len @ 1/1 Uint(B1);
        always rtm_src_len @ 2/2 Uint(B1);
        always rtm_tos @ 3/3 Flags(&NL_SERVICE, B1);
        always rtm_table @ 4/4 Enum(&NL_ROUTE_TABLE, B1);
        always rtm_protocol @ 5/5 Enum(&NL_ROUTE_PROTOCOL, B1);
        always rtm_scope @ 6/6 Enum(&NL_SCOPE, B1);
        always rtm_type @ 7/7 Enum(&NL_ROUTE_TYPE, B1);
        always rtm_flags @ 8/8 Flags(&NL_ROUTE_FLAGS, B4);
    }
    /// `struct ndmsg`.
    NEIGHBOUR: 12/12 {
        always ndm_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always ndm_ifindex @ 4/4 Interface;
        always ndm_state @ 8/8 Flags(&NL_NEIGHBOUR_STATE, B2);
        always ndm_flags @ 10/10 Flags(&NL_NEIGHBOUR_FLAGS, B1);
        always ndm_type @ 11/11 Enum(&NL_ROUTE_TYPE, B1);
    }
    /// `struct fib_rule_hdr`.
    RULE: 12/12 {
        always family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always dst_len @ 1/1 Uint(B1);
        always src_len @ 2/2 Uint(B1);
        always tos @ 3/3 Flags(&NL_SERVICE, B1);
        always table @ 4/4 Enum(&NL_RULE_TABLE, B1);
        always action @ 7/7 Enum(&NL_RULE_ACTION, B1);
        always flags @ 8/8 Flags(&NL_RULE_FLAGS, B4);
    }
    /// `struct netconfmsg`.
    CONFIGURATION: 1/1 {
        always ncm_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
    }
    /// `struct ifaddrlblmsg`.
    LABEL: 12/12 {
        always ifal_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always ifal_prefixlen @ 2/2 Uint(B1);
        always ifal_flags @ 3/3 Uint(B1);
        always ifal_index @ 4/4 Interface;
        always ifal_seq @ 8/8 Uint(B4);
    }
    /// `struct ifa_cacheinfo`.
    ADDRESS_CACHE: 16/16 {
        always ifa_prefered @ 0/0 Uint(B4);
        always ifa_valid @ 4/4 Uint(B4);
        always cstamp @ 8/8 Uint(B4);
        always tstamp @ 12/12 Uint(B4);
    }
    /// `struct rta_cacheinfo`.
    ROUTE_CACHE: 32/32 {
        always rta_clntref @ 0/0 Uint(B4);
        always rta_lastuse @ 4/4 Uint(B4);
        always rta_expires @ 8/8 Uint(B4);
        always rta_error @ 12/12 Uint(B4);
        always rta_used @ 16/16 Uint(B4);
        always rta_id @ 20/20 Hex(B4);
        always rta_ts @ 24/24 Uint(B4);
        always rta_tsage @ 28/28 Uint(B4);
    }
    /// `struct nda_cacheinfo`.
    NEIGHBOUR_CACHE: 16/16 {
        always ndm_confirmed @ 0/0 Uint(B4);
        always ndm_used @ 4/4 Uint(B4);
        always ndm_updated @ 8/8 Uint(B4);
        always ndm_refcnt @ 12/12 Uint(B4);
    }
    /// `struct rta_mfc_stats`.
    CACHED: 24/24 {
        always mfcs_packets @ 0/0 Uint(B8);
        always mfcs_bytes @ 8/8 Uint(B8);
        always mfcs_wrong_if @ 16/16 Uint(B8);
    }
    /// `struct fib_rule_uid_range`.
    USERS: 8/8 {
        always start @ 0/0 Uint(B4);
        always end @ 4/4 Uint(B4);
    }
    /// `struct fib_rule_port_range`.
    PORTS: 4/4 {
        always start @ 0/0 Uint(B2);
        always end @ 2/2 Uint(B2);
    }
}

static OF_ADDRESSES: Attributes = Attributes {
    unknown: "IFA_???",
    rows: &[
        (0, "IFA_UNSPEC", A::Bytes),
        (1, "IFA_ADDRESS", A::Host),
        (2, "IFA_LOCAL", A::Host),
        (3, "IFA_LABEL", A::Text),
        (4, "IFA_BROADCAST", A::Host),
        (5, "IFA_ANYCAST", A::Host),
        (6, "IFA_CACHEINFO", A::Of(&ADDRESS_CACHE)),
        (7, "IFA_MULTICAST", A::Host),
        (8, "IFA_FLAGS", A::Bits(&NL_ADDRESS_FLAGS, 4)),
        (9, "IFA_RT_PRIORITY", A::U32),
        (10, "IFA_TARGET_NETNSID", A::I32),
        (11, "IFA_PROTO", A::Bytes),
    ],
};

pub(super) static OF_ROUTES: Attributes = Attributes {
    unknown: "RTA_???",
    rows: &[
        (0, "RTA_UNSPEC", A::Bytes),
        (1, "RTA_DST", A::Host),
        (2, "RTA_SRC", A::Host),
        (3, "RTA_IIF", A::Interface),
        (4, "RTA_OIF", A::Interface),
        (5, "RTA_GATEWAY", A::Host),
        (6, "RTA_PRIORITY", A::U32),
        (7, "RTA_PREFSRC", A::Host),
        (8, "RTA_METRICS", A::Nested(&OF_METRICS)),
        (9, "RTA_MULTIPATH", A::Own(hops::write_paths)),
        (10, "RTA_PROTOINFO", A::U32),
        (11, "RTA_FLOW", A::U32),
        (12, "RTA_CACHEINFO", A::Of(&ROUTE_CACHE)),
        (13, "RTA_SESSION", A::Bytes),
        (14, "RTA_MP_ALGO", A::U32),
        (15, "RTA_TABLE", A::One(&NL_ROUTE_TABLE, 4)),
        (16, "RTA_MARK", A::U32),
        (17, "RTA_MFC_STATS", A::Of(&CACHED)),
        (18, "RTA_VIA", A::Own(hops::write_via)),
        (19, "RTA_NEWDST", A::Host),
        (20, "RTA_PREF", A::U8),
        (21, "RTA_ENCAP_TYPE", A::One(&NL_ENCAPSULATION, 2)),
        (22, "RTA_ENCAP", A::Bytes),
        (23, "RTA_EXPIRES", A::U64),
        (24, "RTA_PAD", A::Bytes),
        (25, "RTA_UID", A::U32),
        (26, "RTA_TTL_PROPAGATE", A::U8),
        (27, "RTA_IP_PROTO", A::U8),
        (28, "RTA_SPORT", A::U16),
        (29, "RTA_DPORT", A::U16),
        (30, "RTA_NH_ID", A::Bytes),
    ],
};

static OF_METRICS: Attributes = Attributes {
    unknown: "RTAX_???",
    rows: &[
        (0, "RTAX_UNSPEC", A::Bytes),
        (1, "RTAX_LOCK", A::U32),
        (2, "RTAX_MTU", A::U32),
        (3, "RTAX_WINDOW", A::U32),
        (4, "RTAX_RTT", A::U32),
        (5, "RTAX_RTTVAR", A::U32),
        (6, "RTAX_SSTHRESH", A::U32),
        (7, "RTAX_CWND", A::U32),
        (8, "RTAX_ADVMSS", A::U32),
        (9, "RTAX_REORDERING", A::U32),
        (10, "RTAX_HOPLIMIT", A::U32),
        (11, "RTAX_INITCWND", A::U32),
        (12, "RTAX_FEATURES", A::U32),
        (13, "RTAX_RTO_MIN", A::U32),
        (14, "RTAX_INITRWND", A::U32),
        (15, "RTAX_QUICKACK", A::U32),
        (16, "RTAX_CC_ALGO", A::Text),
        (17, "RTAX_FASTOPEN_NO_COOKIE", A::Bytes),
    ],
};

static OF_NEIGHBOURS: Attributes = Attributes {
    unknown: "NDA_???",
    rows: &[
        (0, "NDA_UNSPEC", A::Bytes),
        (1, "NDA_DST", A::Host),
        (2, "NDA_LLADDR", A::Hardware),
        (3, "NDA_CACHEINFO", A::Of(&NEIGHBOUR_CACHE)),
        (4, "NDA_PROBES", A::U32),
        (5, "NDA_VLAN", A::U16),
        (6, "NDA_PORT", A::Fixed(2, write_big16)),
        (7, "NDA_VNI", A::U32),
        (8, "NDA_IFINDEX", A::Interface),
        (9, "NDA_MASTER", A::Interface),
        (10, "NDA_LINK_NETNSID", A::U32),
        (11, "NDA_SRC_VNI", A::U32),
        (12, "NDA_PROTOCOL", A::Small(&A::One(&SOCKET_PROTOCOL, 0))),
        (13, "NDA_NH_ID", A::U32),
        (14, "NDA_FDB_EXT_ATTRS", A::Nested(&OF_FORWARDING)),
        (15, "NDA_FLAGS_EXT", A::Small(&A::Bits(&NL_NEIGHBOUR_MORE_FLAGS, 4))),
        (16, "NDA_NDM_STATE_MASK", A::Small(&A::Bits(&NL_NEIGHBOUR_STATE, 2))),
        (17, "NDA_NDM_FLAGS_MASK", A::Small(&A::Bits(&NL_NEIGHBOUR_FLAGS, 1))),
    ],
};

static OF_RULES: Attributes = Attributes {
    unknown: "FRA_???",
    rows: &[
        (0, "FRA_UNSPEC", A::Bytes),
        (1, "FRA_DST", A::Host),
        (2, "FRA_SRC", A::Host),
        (3, "FRA_IIFNAME", A::Text),
        (4, "FRA_GOTO", A::U32),
        (5, "FRA_UNUSED2", A::Bytes),
        (6, "FRA_PRIORITY", A::U32),
        (7, "FRA_UNUSED3", A::Bytes),
        (8, "FRA_UNUSED4", A::Bytes),
        (9, "FRA_UNUSED5", A::Bytes),
        (10, "FRA_FWMARK", A::U32),
        (11, "FRA_FLOW", A::U32),
        (12, "FRA_TUN_ID", A::Fixed(8, write_big)),
        (13, "FRA_SUPPRESS_IFGROUP", A::U32),
        (14, "FRA_SUPPRESS_PREFIXLEN", A::U32),
        (15, "FRA_TABLE", A::One(&NL_ROUTE_TABLE, 4)),
        (16, "FRA_FWMASK", A::U32),
        (17, "FRA_OIFNAME", A::Text),
        (18, "FRA_PAD", A::Bytes),
        (19, "FRA_L3MDEV", A::U8),
        (20, "FRA_UID_RANGE", A::Of(&USERS)),
        (21, "FRA_PROTOCOL", A::One(&NL_ROUTE_PROTOCOL, 1)),
        (22, "FRA_IP_PROTO", A::Small(&A::One(&SOCKET_PROTOCOL, 0))),
        (23, "FRA_SPORT_RANGE", A::Of(&PORTS)),
        (24, "FRA_DPORT_RANGE", A::Of(&PORTS)),
    ],
};

static OF_CONFIGURATIONS: Attributes = Attributes {
    unknown: "NETCONFA_???",
    rows: &[
        (0, "NETCONFA_UNSPEC", A::Bytes),
        (1, "NETCONFA_IFINDEX", A::Interface),
        (2, "NETCONFA_FORWARDING", A::I32),
        (3, "NETCONFA_RP_FILTER", A::I32),
        (4, "NETCONFA_MC_FORWARDING", A::I32),
        (5, "NETCONFA_PROXY_NEIGH", A::I32),
        (6, "NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN", A::I32),
        (7, "NETCONFA_INPUT", A::I32),
        (8, "NETCONFA_BC_FORWARDING", A::I32),
    ],
};

static OF_FORWARDING: Attributes = Attributes {
    unknown: "NFEA_???",
    rows: &[
        (0, "NFEA_UNSPEC", A::Bytes),
        (1, "NFEA_ACTIVITY_NOTIFY", A::Small(&A::Bits(&NL_FORWARDING, 1))),
        (2, "NFEA_DONT_REFRESH", A::Bytes),
    ],
};

static OF_LABELS: Attributes =
    Attributes { unknown: "IFAL_???", rows: &[(1, "IFAL_ADDRESS", A::Host), (2, "IFAL_LABEL", A::U32)] };

/// What messages begin with whose types are from a first one to a last one.
static HEADS: [(u16, u16, Head); 23] = [
    (16, 19, head_of("ifi_family", &link::LINK, &link::OF_LINKS)),
    (20, 22, head_of("ifa_family", &ADDRESS, &OF_ADDRESSES)),
    (24, 26, head_of("rtm_family", &ROUTE, &OF_ROUTES)),
    (28, 30, head_of("ndm_family", &NEIGHBOUR, &OF_NEIGHBOURS)),
    (32, 34, head_of("family", &RULE, &OF_RULES)),
    (36, 38, head_of("tcm_family", &traffic::TRAFFIC, &traffic::OF_TRAFFIC)),
    (40, 42, head_of("tcm_family", &traffic::TRAFFIC, &traffic::OF_TRAFFIC)),
    (44, 46, head_of("tcm_family", &traffic::TRAFFIC, &traffic::OF_TRAFFIC)),
    (48, 50, head_of("tca_family", &traffic::ACTION, &traffic::OF_ACTIONS)),
    (58, 58, head_of("ifa_family", &ADDRESS, &OF_ADDRESSES)),
    (62, 62, head_of("ifa_family", &ADDRESS, &OF_ADDRESSES)),
    (64, 64, head_of("ndtm_family", &traffic::TABLE, &traffic::OF_TABLES)),
    (66, 67, head_of("ndtm_family", &traffic::TABLE, &traffic::OF_TABLES)),
    (72, 74, head_of("ifal_family", &LABEL, &OF_LABELS)),
    (78, 79, head_of("dcb_family", &centre::CENTRE, &centre::OF_CENTRES)),
    (80, 82, head_of("ncm_family", &CONFIGURATION, &OF_CONFIGURATIONS)),
    (84, 86, head_of("family", &multicast::PORT, &multicast::OF_GROUPS)),
    (88, 90, head_of("rtgen_family", &traffic::NAMESPACE, &traffic::OF_NAMESPACES)),
    (92, 92, head_of("family", &statistics::STATISTICS, &statistics::OF_STATISTICS)),
    (94, 94, head_of("family", &statistics::STATISTICS, &statistics::OF_STATISTICS)),
    (96, 96, Head { family: "rtgen_family", layout: &multicast::REPORT, behind: Some(multicast::REPORTS) }),
    (100, 102, head_of("tcm_family", &traffic::TRAFFIC, &traffic::OF_TRAFFIC)),
    (104, 106, head_of("nh_family", &hops::HOP, &hops::OF_HOPS)),
];

const RTM_GETNEIGH: u16 = 30;
/// What asks bridges for their neighbours begins as what asks for links.
static OF_BRIDGES: Head = head_of("ifi_family", &link::LINK, &link::OF_LINKS);

const fn head_of(family: &'static str, layout: &'static Layout, attributes: &'static Attributes) -> Head {
    Head { family, layout, behind: Some(A::Nested(attributes)) }
}

/// What a message of this type and family begins with.
pub(super) fn head(kind: u16, family: u8) -> Option<&'static Head> {
    if kind == RTM_GETNEIGH && i32::from(family) == libc::AF_BRIDGE {
        return Some(&OF_BRIDGES);
    }
    HEADS.iter().find(|(first, last, _)| (*first..=*last).contains(&kind)).map(|(.., head)| head)
}

/// `htobe64(1)`
fn write_big(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let number = bytes.first_chunk().copied().map_or(0, u64::from_be_bytes);
    out.extend_from_slice(b"htobe64(");
    write_radix(out, number, 10, 1);
    out.push(b')');
}

/// `htons(80)`, however constants are told.
fn write_big16(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_port(out, bytes, Constants::Names);
}
