//! `NETLINK_ROUTE` (rtnetlink(7)): interfaces, their addresses, routes, neighbours, rules.
//!
//! Structures and numbers are those of `linux/rtnetlink.h`, `if_link.h`, `if_addr.h`, `neighbour.h`, `fib_rules.h`,
//! `netconf.h` and `if_addrlabel.h`. The order of rows has no meaning.

use super::super::Decoder;
use super::super::address::{write_host4, write_port};
use super::super::layout::Show::{Enum, Flags, Int, Own, Uint};
use super::super::layout::Size::{B1, B2, B4, B8};
use super::super::layout::{Layout, layouts};
use super::super::net::word32;
use super::Head;
use super::attribute::{Attributes, Index, Show as A};
use super::{bridge, traffic};
use crate::syscall::flags::netlink::{
    NL_ADDRESS_FLAGS, NL_FORWARDING, NL_HARDWARE, NL_ICMP6_STATS, NL_INET_CONF, NL_INET6_CONF,
    NL_INET6_FLAGS, NL_INET6_GENERATION, NL_INET6_STATS, NL_LINK_EVENT, NL_LINK_FILTER, NL_LINK_FLAGS,
    NL_NEIGHBOUR_FLAGS, NL_NEIGHBOUR_MORE_FLAGS, NL_NEIGHBOUR_STATE, NL_REPORT, NL_ROUTE_FLAGS,
    NL_ROUTE_PROTOCOL, NL_ROUTE_TABLE, NL_ROUTE_TYPE, NL_RULE_ACTION, NL_RULE_FLAGS, NL_SCOPE, NL_SERVICE,
    NL_XDP_ATTACHED, NL_XDP_FLAGS,
};
use crate::syscall::flags::{SOCKET_DOMAIN, SOCKET_PROTOCOL};

layouts! {
    /// `struct ifinfomsg`.
    LINK: 16/16 {
        always ifi_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always ifi_type @ 2/2 Enum(&NL_HARDWARE, B2);
        always ifi_index @ 4/4 Own(write_index);
        always ifi_flags @ 8/8 Flags(&NL_LINK_FLAGS, B4);
        always ifi_change @ 12/12 Own(write_change);
    }
    /// `struct ifaddrmsg`.
    ADDRESS: 8/8 {
        always ifa_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always ifa_prefixlen @ 1/1 Uint(B1);
        always ifa_flags @ 2/2 Flags(&NL_ADDRESS_FLAGS, B1);
        always ifa_scope @ 3/3 Enum(&NL_SCOPE, B1);
        always ifa_index @ 4/4 Own(write_index);
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
        always ndm_ifindex @ 4/4 Own(write_index);
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
        always table @ 4/4 Enum(&NL_ROUTE_TABLE, B1);
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
        always ifal_index @ 4/4 Own(write_index);
        always ifal_seq @ 8/8 Uint(B4);
    }
    /// `struct rtnl_link_ifmap`, to `port`.
    LINK_MAP: 28/28 {
        always mem_start @ 0/0 Own(write_place);
        always mem_end @ 8/8 Own(write_place);
        always base_addr @ 16/16 Own(write_place);
        always irq @ 24/24 Uint(B2);
        always dma @ 26/26 Uint(B1);
        always port @ 27/27 Uint(B1);
    }
    /// `struct rtnl_link_stats`, to `rx_nohandler`.
    STATISTICS: 96/96 {
        always rx_packets @ 0/0 Uint(B4);
        always tx_packets @ 4/4 Uint(B4);
        always rx_bytes @ 8/8 Uint(B4);
        always tx_bytes @ 12/12 Uint(B4);
        always rx_errors @ 16/16 Uint(B4);
        always tx_errors @ 20/20 Uint(B4);
        always rx_dropped @ 24/24 Uint(B4);
        always tx_dropped @ 28/28 Uint(B4);
        always multicast @ 32/32 Uint(B4);
        always collisions @ 36/36 Uint(B4);
        always rx_length_errors @ 40/40 Uint(B4);
        always rx_over_errors @ 44/44 Uint(B4);
        always rx_crc_errors @ 48/48 Uint(B4);
        always rx_frame_errors @ 52/52 Uint(B4);
        always rx_fifo_errors @ 56/56 Uint(B4);
        always rx_missed_errors @ 60/60 Uint(B4);
        always tx_aborted_errors @ 64/64 Uint(B4);
        always tx_carrier_errors @ 68/68 Uint(B4);
        always tx_fifo_errors @ 72/72 Uint(B4);
        always tx_heartbeat_errors @ 76/76 Uint(B4);
        always tx_window_errors @ 80/80 Uint(B4);
        always rx_compressed @ 84/84 Uint(B4);
        always tx_compressed @ 88/88 Uint(B4);
        beyond(92) rx_nohandler @ 92/92 Uint(B4);
    }
    /// `struct rtnl_link_stats64`, to `rx_otherhost_dropped`.
    STATISTICS64: 200/200 {
        always rx_packets @ 0/0 Uint(B8);
        always tx_packets @ 8/8 Uint(B8);
        always rx_bytes @ 16/16 Uint(B8);
        always tx_bytes @ 24/24 Uint(B8);
        always rx_errors @ 32/32 Uint(B8);
        always tx_errors @ 40/40 Uint(B8);
        always rx_dropped @ 48/48 Uint(B8);
        always tx_dropped @ 56/56 Uint(B8);
        always multicast @ 64/64 Uint(B8);
        always collisions @ 72/72 Uint(B8);
        always rx_length_errors @ 80/80 Uint(B8);
        always rx_over_errors @ 88/88 Uint(B8);
        always rx_crc_errors @ 96/96 Uint(B8);
        always rx_frame_errors @ 104/104 Uint(B8);
        always rx_fifo_errors @ 112/112 Uint(B8);
        always rx_missed_errors @ 120/120 Uint(B8);
        always tx_aborted_errors @ 128/128 Uint(B8);
        always tx_carrier_errors @ 136/136 Uint(B8);
        always tx_fifo_errors @ 144/144 Uint(B8);
        always tx_heartbeat_errors @ 152/152 Uint(B8);
        always tx_window_errors @ 160/160 Uint(B8);
        always rx_compressed @ 168/168 Uint(B8);
        always tx_compressed @ 176/176 Uint(B8);
        always rx_nohandler @ 184/184 Uint(B8);
        beyond(192) rx_otherhost_dropped @ 192/192 Uint(B8);
    }
    /// `struct ifla_cacheinfo`.
    LINK_CACHE: 16/16 {
        always max_reasm_len @ 0/0 Uint(B4);
        always tstamp @ 4/4 Uint(B4);
        always reachable_time @ 8/8 Uint(B4);
        always retrans_time @ 12/12 Uint(B4);
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
        always rta_expires @ 8/8 Int(B4);
        always rta_error @ 12/12 Uint(B4);
        always rta_used @ 16/16 Uint(B4);
        always rta_id @ 20/20 Own(write_hex32);
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

static OF_LINKS: Attributes = Attributes {
    unknown: "IFLA_???",
    rows: &[
        (0, "IFLA_UNSPEC", A::Bytes),
        (1, "IFLA_ADDRESS", A::Hardware),
        (2, "IFLA_BROADCAST", A::Hardware),
        (3, "IFLA_IFNAME", A::Text),
        (4, "IFLA_MTU", A::U32),
        (5, "IFLA_LINK", A::U32),
        (6, "IFLA_QDISC", A::Text),
        (7, "IFLA_STATS", A::Grown(92, &STATISTICS)),
        (8, "IFLA_COST", A::Bytes),
        (9, "IFLA_PRIORITY", A::Bytes),
        (10, "IFLA_MASTER", A::U32),
        (11, "IFLA_WIRELESS", A::Bytes),
        (12, "IFLA_PROTINFO", A::OfFamilies(PROTOCOLS, &A::Bytes)),
        (13, "IFLA_TXQLEN", A::U32),
        (14, "IFLA_MAP", A::Of(&LINK_MAP)),
        (15, "IFLA_WEIGHT", A::U32),
        (16, "IFLA_OPERSTATE", A::U8),
        (17, "IFLA_LINKMODE", A::U8),
        (18, "IFLA_LINKINFO", A::Nested(&OF_KINDS)),
        (19, "IFLA_NET_NS_PID", A::U32),
        (20, "IFLA_IFALIAS", A::Text),
        (21, "IFLA_NUM_VF", A::U32),
        (22, "IFLA_VFINFO_LIST", A::Bytes),
        (23, "IFLA_STATS64", A::Grown(192, &STATISTICS64)),
        (24, "IFLA_VF_PORTS", A::Nested(&bridge::OF_FUNCTIONS)),
        (25, "IFLA_PORT_SELF", A::Nested(&bridge::OF_FUNCTION)),
        (26, "IFLA_AF_SPEC", A::Nested(&OF_FAMILIES)),
        (27, "IFLA_GROUP", A::U32),
        (28, "IFLA_NET_NS_FD", A::U32),
        (29, "IFLA_EXT_MASK", A::Small(&A::Bits(&NL_LINK_FILTER))),
        (30, "IFLA_PROMISCUITY", A::U32),
        (31, "IFLA_NUM_TX_QUEUES", A::U32),
        (32, "IFLA_NUM_RX_QUEUES", A::U32),
        (33, "IFLA_CARRIER", A::U8),
        (34, "IFLA_PHYS_PORT_ID", A::Bytes),
        (35, "IFLA_CARRIER_CHANGES", A::U32),
        (36, "IFLA_PHYS_SWITCH_ID", A::Bytes),
        (37, "IFLA_LINK_NETNSID", A::I32),
        (38, "IFLA_PHYS_PORT_NAME", A::Text),
        (39, "IFLA_PROTO_DOWN", A::U8),
        (40, "IFLA_GSO_MAX_SEGS", A::U32),
        (41, "IFLA_GSO_MAX_SIZE", A::U32),
        (42, "IFLA_PAD", A::Bytes),
        (43, "IFLA_XDP", A::Nested(&OF_XDP)),
        (44, "IFLA_EVENT", A::One(&NL_LINK_EVENT, 4)),
        (45, "IFLA_NEW_NETNSID", A::I32),
        (46, "IFLA_IF_NETNSID", A::I32),
        (47, "IFLA_CARRIER_UP_COUNT", A::U32),
        (48, "IFLA_CARRIER_DOWN_COUNT", A::U32),
        (49, "IFLA_NEW_IFINDEX", A::Interface),
        (50, "IFLA_MIN_MTU", A::U32),
        (51, "IFLA_MAX_MTU", A::U32),
        (52, "IFLA_PROP_LIST", A::Nested(&OF_PROPERTIES)),
        (53, "IFLA_ALT_IFNAME", A::Text),
        (54, "IFLA_PERM_ADDRESS", A::Hardware),
        (55, "IFLA_PROTO_DOWN_REASON", A::Nested(&OF_REASONS)),
        (56, "IFLA_PARENT_DEV_NAME", A::Text),
        (57, "IFLA_PARENT_DEV_BUS_NAME", A::Text),
        (58, "IFLA_GRO_MAX_SIZE", A::U32),
        (59, "IFLA_TSO_MAX_SIZE", A::U32),
        (60, "IFLA_TSO_MAX_SEGS", A::U32),
        (61, "IFLA_ALLMULTI", A::U32),
    ],
};

/// `IFLA_PROTINFO`.
static PROTOCOLS: &[(i32, &Attributes)] =
    &[(libc::AF_BRIDGE, &bridge::OF_PORTS), (libc::AF_INET6, &OF_INET6)];

static OF_PROPERTIES: Attributes =
    Attributes { unknown: "IFLA_???", rows: &[(53, "IFLA_ALT_IFNAME", A::Text)] };

static OF_KINDS: Attributes = Attributes {
    unknown: "IFLA_INFO_???",
    rows: &[
        (0, "IFLA_INFO_UNSPEC", A::Bytes),
        (1, "IFLA_INFO_KIND", A::Text),
        (2, "IFLA_INFO_DATA", A::Bytes),
        (3, "IFLA_INFO_XSTATS", A::Bytes),
        (4, "IFLA_INFO_SLAVE_KIND", A::Text),
        (5, "IFLA_INFO_SLAVE_DATA", A::Bytes),
    ],
};

static OF_XDP: Attributes = Attributes {
    unknown: "IFLA_XDP_???",
    rows: &[
        (0, "IFLA_XDP_UNSPEC", A::Bytes),
        (1, "IFLA_XDP_FD", A::I32),
        (2, "IFLA_XDP_ATTACHED", A::Small(&A::One(&NL_XDP_ATTACHED, 1))),
        (3, "IFLA_XDP_FLAGS", A::Small(&A::Bits(&NL_XDP_FLAGS))),
        (4, "IFLA_XDP_PROG_ID", A::U32),
        (5, "IFLA_XDP_DRV_PROG_ID", A::U32),
        (6, "IFLA_XDP_SKB_PROG_ID", A::U32),
        (7, "IFLA_XDP_HW_PROG_ID", A::U32),
        (8, "IFLA_XDP_EXPECTED_FD", A::I32),
    ],
};

static OF_FAMILIES: Attributes = Attributes {
    unknown: "AF_???",
    rows: &[(2, "AF_INET", A::Nested(&OF_INET)), (10, "AF_INET6", A::Nested(&OF_INET6))],
};

static OF_INET: Attributes = Attributes {
    unknown: "IFLA_INET_???",
    rows: &[
        (0, "IFLA_INET_UNSPEC", A::Bytes),
        (1, "IFLA_INET_CONF", A::Array(&NL_INET_CONF, 4, Index::FromOne)),
    ],
};

static OF_INET6: Attributes = Attributes {
    unknown: "IFLA_INET6_???",
    rows: &[
        (0, "IFLA_INET6_UNSPEC", A::Bytes),
        (1, "IFLA_INET6_FLAGS", A::Small(&A::Bits(&NL_INET6_FLAGS))),
        (2, "IFLA_INET6_CONF", A::Array(&NL_INET6_CONF, 4, Index::FromZero)),
        (3, "IFLA_INET6_STATS", A::Array(&NL_INET6_STATS, 8, Index::FromZero)),
        (4, "IFLA_INET6_MCAST", A::Bytes),
        (5, "IFLA_INET6_CACHEINFO", A::Of(&LINK_CACHE)),
        (6, "IFLA_INET6_ICMP6STATS", A::Array(&NL_ICMP6_STATS, 8, Index::FromZero)),
        (7, "IFLA_INET6_TOKEN", A::Host6),
        (8, "IFLA_INET6_ADDR_GEN_MODE", A::Small(&A::One(&NL_INET6_GENERATION, 1))),
        (9, "IFLA_INET6_RA_MTU", A::U32),
    ],
};

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
        (8, "IFA_FLAGS", A::Bits(&NL_ADDRESS_FLAGS)),
        (9, "IFA_RT_PRIORITY", A::U32),
        (10, "IFA_TARGET_NETNSID", A::I32),
        (11, "IFA_PROTO", A::Bytes),
    ],
};

static OF_ROUTES: Attributes = Attributes {
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
        (9, "RTA_MULTIPATH", A::Bytes),
        (10, "RTA_PROTOINFO", A::Bytes),
        (11, "RTA_FLOW", A::U32),
        (12, "RTA_CACHEINFO", A::Of(&ROUTE_CACHE)),
        (13, "RTA_SESSION", A::Bytes),
        (14, "RTA_MP_ALGO", A::Bytes),
        (15, "RTA_TABLE", A::One(&NL_ROUTE_TABLE, 4)),
        (16, "RTA_MARK", A::U32),
        (17, "RTA_MFC_STATS", A::Of(&CACHED)),
        (18, "RTA_VIA", A::Bytes),
        (19, "RTA_NEWDST", A::Host),
        (20, "RTA_PREF", A::U8),
        (21, "RTA_ENCAP_TYPE", A::U16),
        (22, "RTA_ENCAP", A::Bytes),
        (23, "RTA_EXPIRES", A::U64),
        (24, "RTA_PAD", A::Bytes),
        (25, "RTA_UID", A::U32),
        (26, "RTA_TTL_PROPAGATE", A::U8),
        (27, "RTA_IP_PROTO", A::Small(&A::One(&SOCKET_PROTOCOL, 1))),
        (28, "RTA_SPORT", A::Fixed(2, write_network_port)),
        (29, "RTA_DPORT", A::Fixed(2, write_network_port)),
        (30, "RTA_NH_ID", A::U32),
    ],
};

static OF_METRICS: Attributes = Attributes {
    unknown: "RTAX_???",
    rows: &[
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
        (17, "RTAX_FASTOPEN_NO_COOKIE", A::U32),
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
        (6, "NDA_PORT", A::Fixed(2, write_network_port)),
        (7, "NDA_VNI", A::U32),
        (8, "NDA_IFINDEX", A::Interface),
        (9, "NDA_MASTER", A::Interface),
        (10, "NDA_LINK_NETNSID", A::U32),
        (11, "NDA_SRC_VNI", A::U32),
        (12, "NDA_PROTOCOL", A::One(&NL_ROUTE_PROTOCOL, 1)),
        (13, "NDA_NH_ID", A::U32),
        (14, "NDA_FDB_EXT_ATTRS", A::Nested(&OF_FORWARDING)),
        (15, "NDA_FLAGS_EXT", A::Small(&A::Bits(&NL_NEIGHBOUR_MORE_FLAGS))),
        (16, "NDA_NDM_STATE_MASK", A::Bytes),
        (17, "NDA_NDM_FLAGS_MASK", A::Bytes),
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
        (22, "FRA_IP_PROTO", A::Small(&A::One(&SOCKET_PROTOCOL, 1))),
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

static OF_REASONS: Attributes = Attributes {
    unknown: "IFLA_PROTO_DOWN_REASON_???",
    rows: &[
        (0, "IFLA_PROTO_DOWN_REASON_UNSPEC", A::Bytes),
        (1, "IFLA_PROTO_DOWN_REASON_MASK", A::Fixed(4, write_hex32)),
        (2, "IFLA_PROTO_DOWN_REASON_VALUE", A::Fixed(4, write_hex32)),
    ],
};

static OF_FORWARDING: Attributes = Attributes {
    unknown: "NFEA_???",
    rows: &[
        (0, "NFEA_UNSPEC", A::Bytes),
        (1, "NFEA_ACTIVITY_NOTIFY", A::Small(&A::Fixed(1, write_forwarding))),
        (2, "NFEA_DONT_REFRESH", A::Bytes),
    ],
};

/// What the kernel says of packets that it cannot route (`linux/mroute.h`).
static OF_REPORTS: Attributes = Attributes {
    unknown: "IPMRA_CREPORT_???",
    rows: &[
        (0, "IPMRA_CREPORT_UNSPEC", A::Bytes),
        (1, "IPMRA_CREPORT_MSGTYPE", A::Small(&A::One(&NL_REPORT, 1))),
        (2, "IPMRA_CREPORT_VIF_ID", A::U32),
        (3, "IPMRA_CREPORT_SRC_ADDR", A::Fixed(4, write_source)),
        (4, "IPMRA_CREPORT_DST_ADDR", A::Fixed(4, write_source)),
        (5, "IPMRA_CREPORT_PKT", A::Bytes),
        (6, "IPMRA_CREPORT_TABLE", A::U32),
    ],
};

static OF_LABELS: Attributes =
    Attributes { unknown: "IFAL_???", rows: &[(1, "IFAL_ADDRESS", A::Host), (2, "IFAL_LABEL", A::U32)] };

/// What messages begin with whose types are from a first one to a last one.
static HEADS: [(u16, u16, Head); 18] = [
    (16, 19, head_of("ifi_family", &LINK, &OF_LINKS)),
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
    (80, 82, head_of("ncm_family", &CONFIGURATION, &OF_CONFIGURATIONS)),
    (88, 90, head_of("rtgen_family", &traffic::NAMESPACE, &traffic::OF_NAMESPACES)),
    (96, 96, head_of("rtgen_family", &traffic::NAMESPACE, &OF_REPORTS)),
    (100, 102, head_of("tcm_family", &traffic::TRAFFIC, &traffic::OF_TRAFFIC)),
];

const RTM_GETNEIGH: u16 = 30;
/// What asks bridges for their neighbours begins as what asks for links.
static OF_BRIDGES: Head = head_of("ifi_family", &LINK, &OF_LINKS);

const fn head_of(family: &'static str, layout: &'static Layout, attributes: &'static Attributes) -> Head {
    Head { family, layout, attributes: Some(attributes) }
}

/// What a message of this type and family begins with.
pub(super) fn head(kind: u16, family: u8) -> Option<&'static Head> {
    if kind == RTM_GETNEIGH && i32::from(family) == libc::AF_BRIDGE {
        return Some(&OF_BRIDGES);
    }
    HEADS.iter().find(|(first, last, _)| (*first..=*last).contains(&kind)).map(|(.., head)| head)
}

pub(super) fn write_index(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    call.write_interface(out, word32(bytes, 0).cast_signed());
}

pub(super) fn write_hexadecimal(out: &mut Vec<u8>, value: u64) {
    match value {
        0 => out.push(b'0'),
        value => crate::syscall::flags::write_hex(out, value),
    }
}

fn write_change(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_hexadecimal(out, u64::from(word32(bytes, 0)));
}

fn write_hex32(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_hexadecimal(out, u64::from(word32(bytes, 0)));
}

fn write_place(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_hexadecimal(out, u64::from(word32(bytes, 0)) | u64::from(word32(bytes, 4)) << 32);
}

/// `htobe64(1)`
fn write_big(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let number = bytes.first_chunk().copied().map_or(0, u64::from_be_bytes);
    out.extend_from_slice(b"htobe64(");
    crate::syscall::flags::write_radix(out, number, 10, 1);
    out.push(b')');
}

fn write_network_port(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_port(out, bytes, call.style.constants);
}

fn write_forwarding(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    call.style.constants.bits(out, &NL_FORWARDING, bytes.first().copied().unwrap_or_default().into());
}

fn write_source(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_host4(out, bytes.first_chunk().copied().unwrap_or_default(), call.style);
}
