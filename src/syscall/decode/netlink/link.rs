//! `NETLINK_ROUTE`, continued: interfaces (`linux/if_link.h`, `rtnetlink.h`).

use super::super::layout::Show::{Enum, Flags, Hex, Interface, Uint};
use super::super::layout::Size::{B1, B2, B4, B8};
use super::super::layout::layouts;
use super::attribute::{Attributes, Show as A};
use super::values::Element;
use super::{bridge, function};
use crate::syscall::flags::SOCKET_DOMAIN;
use crate::syscall::flags::netlink::{
    NL_HARDWARE, NL_ICMP6_STATS, NL_INET_CONF, NL_INET6_CONF, NL_INET6_FLAGS, NL_INET6_GENERATION,
    NL_INET6_STATS, NL_LINK_EVENT, NL_LINK_FILTER, NL_LINK_FLAGS, NL_TUNNEL, NL_XDP_ATTACHED, NL_XDP_FLAGS,
};

layouts! {
    /// `struct ifinfomsg`.
    LINK: 16/16 {
        always ifi_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always ifi_type @ 2/2 Enum(&NL_HARDWARE, B2);
        always ifi_index @ 4/4 Interface;
        always ifi_flags @ 8/8 Flags(&NL_LINK_FLAGS, B4);
        always ifi_change @ 12/12 Hex(B4);
    }
    /// `struct rtnl_link_ifmap`, to `port`.
    LINK_MAP: 28/28 {
        always mem_start @ 0/0 Hex(B8);
        always mem_end @ 8/8 Hex(B8);
        always base_addr @ 16/16 Hex(B8);
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
        beyond(184) rx_nohandler @ 184/184 Uint(B8);
        beyond(192) rx_otherhost_dropped @ 192/192 Uint(B8);
    }
    /// `struct can_device_stats` (`linux/can/netlink.h`).
    CAN: 24/24 {
        always bus_error @ 0/0 Uint(B4);
        always error_warning @ 4/4 Uint(B4);
        always error_passive @ 8/8 Uint(B4);
        always bus_off @ 12/12 Uint(B4);
        always arbitration_lost @ 16/16 Uint(B4);
        always restarts @ 20/20 Uint(B4);
    }
    /// `struct ifla_cacheinfo`.
    LINK_CACHE: 16/16 {
        always max_reasm_len @ 0/0 Uint(B4);
        always tstamp @ 4/4 Uint(B4);
        always reachable_time @ 8/8 Uint(B4);
        always retrans_time @ 12/12 Uint(B4);
    }
}

/// Statistics of a link, which have been shorter.
pub(super) const STATISTICS_OF_LINK: A = A::Grown(&STATISTICS64, &[184, 192]);

pub(super) static OF_LINKS: Attributes = Attributes {
    unknown: "IFLA_???",
    rows: &[
        (0, "IFLA_UNSPEC", A::Bytes),
        (1, "IFLA_ADDRESS", A::Hardware),
        (2, "IFLA_BROADCAST", A::Hardware),
        (3, "IFLA_IFNAME", A::Text),
        (4, "IFLA_MTU", A::U32),
        (5, "IFLA_LINK", A::U32),
        (6, "IFLA_QDISC", A::Text),
        (7, "IFLA_STATS", A::Grown(&STATISTICS, &[92])),
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
        (22, "IFLA_VFINFO_LIST", A::Nested(&function::OF_LIST)),
        (23, "IFLA_STATS64", STATISTICS_OF_LINK),
        (24, "IFLA_VF_PORTS", A::Nested(&function::OF_PORTS)),
        (25, "IFLA_PORT_SELF", A::Nested(&function::OF_PORT)),
        (
            26,
            "IFLA_AF_SPEC",
            A::OfFamilies(&[(libc::AF_BRIDGE, &bridge::OF_BRIDGES)], &A::Families(FAMILIES)),
        ),
        (27, "IFLA_GROUP", A::U32),
        (28, "IFLA_NET_NS_FD", A::Descriptor),
        (29, "IFLA_EXT_MASK", A::Small(&A::Bits(&NL_LINK_FILTER, 4))),
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
        (52, "IFLA_PROP_LIST", A::Those(&OF_LINKS, &[53])),
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

/// The kinds of `IFLA_INFO_KIND` and `IFLA_INFO_SLAVE_KIND`.
const KIND: usize = 0;
const SLAVE_KIND: usize = 1;

static OF_KINDS: Attributes = Attributes {
    unknown: "IFLA_INFO_???",
    rows: &[
        (0, "IFLA_INFO_UNSPEC", A::Bytes),
        (1, "IFLA_INFO_KIND", A::Kind(KIND)),
        (
            2,
            "IFLA_INFO_DATA",
            A::ByKind(KIND, &[("bridge", A::Nested(&bridge::OF_BRIDGE)), ("tun", A::Nested(&OF_TUNNELS))]),
        ),
        (3, "IFLA_INFO_XSTATS", A::ByKind(KIND, &[("can", A::Of(&CAN))])),
        (4, "IFLA_INFO_SLAVE_KIND", A::Kind(SLAVE_KIND)),
        (5, "IFLA_INFO_SLAVE_DATA", A::ByKind(SLAVE_KIND, &[("bridge", A::Nested(&bridge::OF_PORTS))])),
    ],
};

static OF_TUNNELS: Attributes = Attributes {
    unknown: "IFLA_TUN_???",
    rows: &[
        (0, "IFLA_TUN_UNSPEC", A::Bytes),
        (1, "IFLA_TUN_OWNER", A::Id),
        (2, "IFLA_TUN_GROUP", A::Id),
        (3, "IFLA_TUN_TYPE", A::Small(&A::One(&NL_TUNNEL, 1))),
        (4, "IFLA_TUN_PI", A::U8),
        (5, "IFLA_TUN_VNET_HDR", A::U8),
        (6, "IFLA_TUN_PERSIST", A::U8),
        (7, "IFLA_TUN_MULTI_QUEUE", A::U8),
        (8, "IFLA_TUN_NUM_QUEUES", A::U32),
        (9, "IFLA_TUN_NUM_DISABLED_QUEUES", A::U32),
    ],
};

static OF_XDP: Attributes = Attributes {
    unknown: "IFLA_XDP_???",
    rows: &[
        (0, "IFLA_XDP_UNSPEC", A::Bytes),
        (1, "IFLA_XDP_FD", A::Descriptor),
        (2, "IFLA_XDP_ATTACHED", A::Small(&A::One(&NL_XDP_ATTACHED, 1))),
        (3, "IFLA_XDP_FLAGS", A::Bits(&NL_XDP_FLAGS, 4)),
        (4, "IFLA_XDP_PROG_ID", A::U32),
        (5, "IFLA_XDP_DRV_PROG_ID", A::U32),
        (6, "IFLA_XDP_SKB_PROG_ID", A::U32),
        (7, "IFLA_XDP_HW_PROG_ID", A::U32),
        (8, "IFLA_XDP_EXPECTED_FD", A::Descriptor),
    ],
};

/// Of management components, which libc does not name.
const AF_MCTP: i32 = 45;

/// `IFLA_AF_SPEC`, but of bridges.
static FAMILIES: &[(i32, &Attributes)] =
    &[(libc::AF_INET, &OF_INET), (libc::AF_INET6, &OF_INET6), (AF_MCTP, &OF_MCTP)];

static OF_MCTP: Attributes = Attributes {
    unknown: "IFLA_MCTP_???",
    rows: &[(0, "IFLA_MCTP_UNSPEC", A::Bytes), (1, "IFLA_MCTP_NET", A::U32)],
};

static OF_INET: Attributes = Attributes {
    unknown: "IFLA_INET_???",
    rows: &[
        (0, "IFLA_INET_UNSPEC", A::Bytes),
        (1, "IFLA_INET_CONF", A::Array(&NL_INET_CONF, Element::I32FromOne)),
    ],
};

static OF_INET6: Attributes = Attributes {
    unknown: "IFLA_INET6_???",
    rows: &[
        (0, "IFLA_INET6_UNSPEC", A::Bytes),
        (1, "IFLA_INET6_FLAGS", A::Small(&A::Bits(&NL_INET6_FLAGS, 4))),
        (2, "IFLA_INET6_CONF", A::Array(&NL_INET6_CONF, Element::I32)),
        (3, "IFLA_INET6_STATS", A::Array(&NL_INET6_STATS, Element::U64)),
        (4, "IFLA_INET6_MCAST", A::Bytes),
        (5, "IFLA_INET6_CACHEINFO", A::Of(&LINK_CACHE)),
        (6, "IFLA_INET6_ICMP6STATS", A::Array(&NL_ICMP6_STATS, Element::U64)),
        (7, "IFLA_INET6_TOKEN", A::Host6),
        (8, "IFLA_INET6_ADDR_GEN_MODE", A::Small(&A::One(&NL_INET6_GENERATION, 1))),
        (9, "IFLA_INET6_RA_MTU", A::U32),
    ],
};

static OF_REASONS: Attributes = Attributes {
    unknown: "IFLA_PROTO_DOWN_REASON_???",
    rows: &[
        (0, "IFLA_PROTO_DOWN_REASON_UNSPEC", A::Bytes),
        (1, "IFLA_PROTO_DOWN_REASON_MASK", A::Hex(4)),
        (2, "IFLA_PROTO_DOWN_REASON_VALUE", A::Hex(4)),
    ],
};
