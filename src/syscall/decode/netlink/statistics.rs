//! `NETLINK_ROUTE`, continued: statistics of links (`linux/if_link.h`, `if_bridge.h`, `if_bonding.h`, `mpls.h`).

use super::super::Decoder;
use super::super::layout::Show::{Enum, Flags, Hex, Interface, Own, Uint};
use super::super::layout::Size::{B1, B2, B4, B8};
use super::super::layout::layouts;
use super::attribute::{Attributes, Show as A};
use super::link;
use super::piece::Piece;
use super::values::Element;
use crate::syscall::flags::SOCKET_DOMAIN;
use crate::syscall::flags::netlink::{NL_BRIDGE_VLAN, NL_DIRECTION, NL_STATISTICS};

layouts! {
    /// `struct if_stats_msg`.
    STATISTICS: 12/12 {
        always family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        set(1) pad1 @ 1/1 Hex(B1);
        set(2) pad2 @ 2/2 Hex(B2);
        always ifindex @ 4/4 Interface;
        always filter_mask @ 8/8 Flags(&NL_STATISTICS, B4);
    }
    /// `struct bridge_vlan_xstats`.
    VLAN: 40/40 {
        always rx_bytes @ 0/0 Uint(B8);
        always rx_packets @ 8/8 Uint(B8);
        always tx_bytes @ 16/16 Uint(B8);
        always tx_packets @ 24/24 Uint(B8);
        always vid @ 32/32 Uint(B2);
        always flags @ 34/34 Flags(&NL_BRIDGE_VLAN, B2);
        set(4) pad2 @ 36/36 Hex(B4);
    }
    /// `struct br_mcast_stats`.
    MULTICAST: 240/240 {
        always igmp_v1queries @ 0/0 Own(write_directions);
        always igmp_v2queries @ 16/16 Own(write_directions);
        always igmp_v3queries @ 32/32 Own(write_directions);
        always igmp_leaves @ 48/48 Own(write_directions);
        always igmp_v1reports @ 64/64 Own(write_directions);
        always igmp_v2reports @ 80/80 Own(write_directions);
        always igmp_v3reports @ 96/96 Own(write_directions);
        always igmp_parse_errors @ 112/112 Uint(B8);
        always mld_v1queries @ 120/120 Own(write_directions);
        always mld_v2queries @ 136/136 Own(write_directions);
        always mld_leaves @ 152/152 Own(write_directions);
        always mld_v1reports @ 168/168 Own(write_directions);
        always mld_v2reports @ 184/184 Own(write_directions);
        always mld_parse_errors @ 200/200 Uint(B8);
        always mcast_bytes @ 208/208 Own(write_directions);
        always mcast_packets @ 224/224 Own(write_directions);
    }
    /// `struct bridge_stp_xstats`.
    SPANNING_TREE: 48/48 {
        always transition_blk @ 0/0 Uint(B8);
        always transition_fwd @ 8/8 Uint(B8);
        always rx_bpdu @ 16/16 Uint(B8);
        always tx_bpdu @ 24/24 Uint(B8);
        always rx_tcn @ 32/32 Uint(B8);
        always tx_tcn @ 40/40 Uint(B8);
    }
    /// `struct mpls_link_stats`.
    LABELS: 72/72 {
        always rx_packets @ 0/0 Uint(B8);
        always tx_packets @ 8/8 Uint(B8);
        always rx_bytes @ 16/16 Uint(B8);
        always tx_bytes @ 24/24 Uint(B8);
        always rx_errors @ 32/32 Uint(B8);
        always tx_errors @ 40/40 Uint(B8);
        always rx_dropped @ 48/48 Uint(B8);
        always tx_dropped @ 56/56 Uint(B8);
        always rx_noroute @ 64/64 Uint(B8);
    }
}

pub(super) static OF_STATISTICS: Attributes = Attributes {
    unknown: "IFLA_STATS_???",
    rows: &[
        (0, "IFLA_STATS_UNSPEC", A::Bytes),
        (1, "IFLA_STATS_LINK_64", link::STATISTICS_OF_LINK),
        (2, "IFLA_STATS_LINK_XSTATS", A::Nested(&OF_KINDS)),
        (3, "IFLA_STATS_LINK_XSTATS_SLAVE", A::Nested(&OF_KINDS)),
        (4, "IFLA_STATS_LINK_OFFLOAD_XSTATS", A::Nested(&OF_OFFLOADS)),
        (5, "IFLA_STATS_AF_SPEC", A::Families(&[(libc::AF_MPLS, &OF_LABELS)])),
    ],
};

static OF_KINDS: Attributes = Attributes {
    unknown: "LINK_XSTATS_TYPE_???",
    rows: &[
        (0, "LINK_XSTATS_TYPE_UNSPEC", A::Bytes),
        (1, "LINK_XSTATS_TYPE_BRIDGE", A::Nested(&OF_BRIDGE)),
        (2, "LINK_XSTATS_TYPE_BOND", A::Nested(&OF_BOND)),
    ],
};

static OF_BRIDGE: Attributes = Attributes {
    unknown: "BRIDGE_XSTATS_???",
    rows: &[
        (0, "BRIDGE_XSTATS_UNSPEC", A::Bytes),
        (1, "BRIDGE_XSTATS_VLAN", A::Then(&A::Of(&VLAN), &A::Bytes)),
        (2, "BRIDGE_XSTATS_MCAST", A::Then(&A::Of(&MULTICAST), &A::Bytes)),
        (3, "BRIDGE_XSTATS_PAD", A::Bytes),
        (4, "BRIDGE_XSTATS_STP", A::Then(&A::Of(&SPANNING_TREE), &A::Bytes)),
    ],
};

static OF_BOND: Attributes = Attributes {
    unknown: "BOND_XSTATS_???",
    rows: &[(0, "BOND_XSTATS_UNSPEC", A::Bytes), (1, "BOND_XSTATS_3AD", A::Nested(&OF_AGGREGATION))],
};

/// Link aggregation as IEEE 802.3ad has it.
static OF_AGGREGATION: Attributes = Attributes {
    unknown: "BOND_XSTATS_???",
    rows: &[
        (0, "BOND_3AD_STAT_LACPDU_RX", A::U64),
        (1, "BOND_3AD_STAT_LACPDU_TX", A::U64),
        (2, "BOND_3AD_STAT_LACPDU_UNKNOWN_RX", A::U64),
        (3, "BOND_3AD_STAT_LACPDU_ILLEGAL_RX", A::U64),
        (4, "BOND_3AD_STAT_MARKER_RX", A::U64),
        (5, "BOND_3AD_STAT_MARKER_TX", A::U64),
        (6, "BOND_3AD_STAT_MARKER_RESP_RX", A::U64),
        (7, "BOND_3AD_STAT_MARKER_RESP_TX", A::U64),
        (8, "BOND_3AD_STAT_MARKER_UNKNOWN_RX", A::U64),
        (9, "BOND_3AD_STAT_PAD", A::Bytes),
    ],
};

static OF_OFFLOADS: Attributes = Attributes {
    unknown: "IFLA_OFFLOAD_XSTATS_???",
    rows: &[
        (0, "IFLA_OFFLOAD_XSTATS_UNSPEC", A::Bytes),
        (1, "IFLA_OFFLOAD_XSTATS_CPU_HIT", link::STATISTICS_OF_LINK),
    ],
};

static OF_LABELS: Attributes = Attributes {
    unknown: "MPLS_STATS_???",
    rows: &[(0, "MPLS_STATS_UNSPEC", A::Bytes), (1, "MPLS_STATS_LINK", A::Then(&A::Of(&LABELS), &A::Bytes))],
};

/// `[[BR_MCAST_DIR_RX]=1, [BR_MCAST_DIR_TX]=2]`
fn write_directions(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let bytes = bytes.get(..16).unwrap_or(bytes);
    // None of them is unreadable, and so its address does not matter.
    let piece = Piece { bytes, length: bytes.len(), address: 0 };
    call.write_numbers(out, &NL_DIRECTION, Element::U64, piece);
}
