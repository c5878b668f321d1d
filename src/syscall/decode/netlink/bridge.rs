//! `NETLINK_ROUTE`, continued: bridges and their ports (`linux/if_link.h`, `if_bridge.h`).

use super::super::Decoder;
use super::super::layout::Show::{Flags, Own, Uint};
use super::super::layout::Size::{B2, B4};
use super::super::layout::layouts;
use super::attribute::{Attributes, Show as A};
use super::values::number;
use crate::syscall::flags::netlink::{NL_BRIDGE_FLAGS, NL_BRIDGE_MODE, NL_BRIDGE_OPTIONS, NL_BRIDGE_VLAN};
use crate::syscall::flags::write_radix;

layouts! {
    /// `struct ifla_bridge_id`.
    BRIDGE: 8/8 {
        always prio @ 0/0 Own(write_priority);
        always addr @ 2/2 Own(write_station);
    }
    /// `struct br_boolopt_multi`.
    OPTIONS: 8/8 {
        always optval @ 0/0 Flags(&NL_BRIDGE_OPTIONS, B4);
        always optmask @ 4/4 Flags(&NL_BRIDGE_OPTIONS, B4);
    }
    /// `struct bridge_vlan_info`.
    VLAN: 4/4 {
        always flags @ 0/0 Flags(&NL_BRIDGE_VLAN, B2);
        always vid @ 2/2 Uint(B2);
    }
}

/// `IFLA_INFO_DATA` of a bridge.
pub(super) static OF_BRIDGE: Attributes = Attributes {
    unknown: "IFLA_BR_???",
    rows: &[
        (0, "IFLA_BR_UNSPEC", A::Bytes),
        (1, "IFLA_BR_FORWARD_DELAY", A::Ticks),
        (2, "IFLA_BR_HELLO_TIME", A::Ticks),
        (3, "IFLA_BR_MAX_AGE", A::Ticks),
        (4, "IFLA_BR_AGEING_TIME", A::Ticks),
        (5, "IFLA_BR_STP_STATE", A::U32),
        (6, "IFLA_BR_PRIORITY", A::U16),
        (7, "IFLA_BR_VLAN_FILTERING", A::U8),
        (8, "IFLA_BR_VLAN_PROTOCOL", A::Small(&A::Ethernet)),
        (9, "IFLA_BR_GROUP_FWD_MASK", A::Hex(2)),
        (10, "IFLA_BR_ROOT_ID", A::Of(&BRIDGE)),
        (11, "IFLA_BR_BRIDGE_ID", A::Of(&BRIDGE)),
        (12, "IFLA_BR_ROOT_PORT", A::U16),
        (13, "IFLA_BR_ROOT_PATH_COST", A::U32),
        (14, "IFLA_BR_TOPOLOGY_CHANGE", A::U8),
        (15, "IFLA_BR_TOPOLOGY_CHANGE_DETECTED", A::U8),
        (16, "IFLA_BR_HELLO_TIMER", A::Ticks),
        (17, "IFLA_BR_TCN_TIMER", A::Ticks),
        (18, "IFLA_BR_TOPOLOGY_CHANGE_TIMER", A::Ticks),
        (19, "IFLA_BR_GC_TIMER", A::Ticks),
        (20, "IFLA_BR_GROUP_ADDR", A::Hardware),
        (21, "IFLA_BR_FDB_FLUSH", A::Bytes),
        (22, "IFLA_BR_MCAST_ROUTER", A::U8),
        (23, "IFLA_BR_MCAST_SNOOPING", A::U8),
        (24, "IFLA_BR_MCAST_QUERY_USE_IFADDR", A::U8),
        (25, "IFLA_BR_MCAST_QUERIER", A::U8),
        (26, "IFLA_BR_MCAST_HASH_ELASTICITY", A::U32),
        (27, "IFLA_BR_MCAST_HASH_MAX", A::U32),
        (28, "IFLA_BR_MCAST_LAST_MEMBER_CNT", A::U32),
        (29, "IFLA_BR_MCAST_STARTUP_QUERY_CNT", A::U32),
        (30, "IFLA_BR_MCAST_LAST_MEMBER_INTVL", A::Ticks),
        (31, "IFLA_BR_MCAST_MEMBERSHIP_INTVL", A::Ticks),
        (32, "IFLA_BR_MCAST_QUERIER_INTVL", A::Ticks),
        (33, "IFLA_BR_MCAST_QUERY_INTVL", A::Ticks),
        (34, "IFLA_BR_MCAST_QUERY_RESPONSE_INTVL", A::Ticks),
        (35, "IFLA_BR_MCAST_STARTUP_QUERY_INTVL", A::Ticks),
        (36, "IFLA_BR_NF_CALL_IPTABLES", A::U8),
        (37, "IFLA_BR_NF_CALL_IP6TABLES", A::U8),
        (38, "IFLA_BR_NF_CALL_ARPTABLES", A::U8),
        (39, "IFLA_BR_VLAN_DEFAULT_PVID", A::U16),
        (40, "IFLA_BR_PAD", A::Bytes),
        (41, "IFLA_BR_VLAN_STATS_ENABLED", A::U8),
        (42, "IFLA_BR_MCAST_STATS_ENABLED", A::U8),
        (43, "IFLA_BR_MCAST_IGMP_VERSION", A::U8),
        (44, "IFLA_BR_MCAST_MLD_VERSION", A::U8),
        (45, "IFLA_BR_VLAN_STATS_PER_PORT", A::U8),
        (46, "IFLA_BR_MULTI_BOOLOPT", A::Of(&OPTIONS)),
        (47, "IFLA_BR_MCAST_QUERIER_STATE", A::Nested(&OF_QUERIERS)),
    ],
};

static OF_QUERIERS: Attributes = Attributes {
    unknown: "BRIDGE_QUERIER_???",
    rows: &[
        (0, "BRIDGE_QUERIER_UNSPEC", A::Bytes),
        (1, "BRIDGE_QUERIER_IP_ADDRESS", A::Host4),
        (2, "BRIDGE_QUERIER_IP_PORT", A::Interface),
        (3, "BRIDGE_QUERIER_IP_OTHER_TIMER", A::Ticks),
        (4, "BRIDGE_QUERIER_PAD", A::Bytes),
        (5, "BRIDGE_QUERIER_IPV6_ADDRESS", A::Host6),
        (6, "BRIDGE_QUERIER_IPV6_PORT", A::Interface),
        (7, "BRIDGE_QUERIER_IPV6_OTHER_TIMER", A::Ticks),
    ],
};

/// `IFLA_AF_SPEC` of a bridge.
pub(super) static OF_BRIDGES: Attributes = Attributes {
    unknown: "IFLA_BRIDGE_???",
    rows: &[
        (0, "IFLA_BRIDGE_FLAGS", A::Small(&A::Bits(&NL_BRIDGE_FLAGS, 2))),
        (1, "IFLA_BRIDGE_MODE", A::Small(&A::One(&NL_BRIDGE_MODE, 2))),
        (2, "IFLA_BRIDGE_VLAN_INFO", A::Then(&A::Of(&VLAN), &A::Bytes)),
        (3, "IFLA_BRIDGE_VLAN_TUNNEL_INFO", A::Nested(&OF_VLAN_TUNNELS)),
        (4, "IFLA_BRIDGE_MRP", A::Bytes),
        (5, "IFLA_BRIDGE_CFM", A::Bytes),
        (6, "IFLA_BRIDGE_MST", A::Bytes),
    ],
};

static OF_VLAN_TUNNELS: Attributes = Attributes {
    unknown: "IFLA_BRIDGE_VLAN_TUNNEL_???",
    rows: &[
        (0, "IFLA_BRIDGE_VLAN_TUNNEL_UNSPEC", A::Bytes),
        (1, "IFLA_BRIDGE_VLAN_TUNNEL_ID", A::U32),
        (2, "IFLA_BRIDGE_VLAN_TUNNEL_VID", A::U16),
        (3, "IFLA_BRIDGE_VLAN_TUNNEL_FLAGS", A::Small(&A::Bits(&NL_BRIDGE_VLAN, 2))),
    ],
};

/// `IFLA_PROTINFO` of a bridge's port, and `IFLA_INFO_SLAVE_DATA`.
pub(super) static OF_PORTS: Attributes = Attributes {
    unknown: "IFLA_BRPORT_???",
    rows: &[
        (0, "IFLA_BRPORT_UNSPEC", A::Bytes),
        (1, "IFLA_BRPORT_STATE", A::U8),
        (2, "IFLA_BRPORT_PRIORITY", A::U16),
        (3, "IFLA_BRPORT_COST", A::U32),
        (4, "IFLA_BRPORT_MODE", A::U8),
        (5, "IFLA_BRPORT_GUARD", A::U8),
        (6, "IFLA_BRPORT_PROTECT", A::U8),
        (7, "IFLA_BRPORT_FAST_LEAVE", A::U8),
        (8, "IFLA_BRPORT_LEARNING", A::U8),
        (9, "IFLA_BRPORT_UNICAST_FLOOD", A::U8),
        (10, "IFLA_BRPORT_PROXYARP", A::U8),
        (11, "IFLA_BRPORT_LEARNING_SYNC", A::U8),
        (12, "IFLA_BRPORT_PROXYARP_WIFI", A::U8),
        (13, "IFLA_BRPORT_ROOT_ID", A::Of(&BRIDGE)),
        (14, "IFLA_BRPORT_BRIDGE_ID", A::Of(&BRIDGE)),
        (15, "IFLA_BRPORT_DESIGNATED_PORT", A::U16),
        (16, "IFLA_BRPORT_DESIGNATED_COST", A::U16),
        (17, "IFLA_BRPORT_ID", A::U16),
        (18, "IFLA_BRPORT_NO", A::U16),
        (19, "IFLA_BRPORT_TOPOLOGY_CHANGE_ACK", A::U8),
        (20, "IFLA_BRPORT_CONFIG_PENDING", A::U8),
        (21, "IFLA_BRPORT_MESSAGE_AGE_TIMER", A::Ticks),
        (22, "IFLA_BRPORT_FORWARD_DELAY_TIMER", A::Ticks),
        (23, "IFLA_BRPORT_HOLD_TIMER", A::Ticks),
        (24, "IFLA_BRPORT_FLUSH", A::Bytes),
        (25, "IFLA_BRPORT_MULTICAST_ROUTER", A::U8),
        (26, "IFLA_BRPORT_PAD", A::Bytes),
        (27, "IFLA_BRPORT_MCAST_FLOOD", A::U8),
        (28, "IFLA_BRPORT_MCAST_TO_UCAST", A::U8),
        (29, "IFLA_BRPORT_VLAN_TUNNEL", A::U8),
        (30, "IFLA_BRPORT_BCAST_FLOOD", A::U8),
        (31, "IFLA_BRPORT_GROUP_FWD_MASK", A::Hex(2)),
        (32, "IFLA_BRPORT_NEIGH_SUPPRESS", A::U8),
        (33, "IFLA_BRPORT_ISOLATED", A::U8),
        (34, "IFLA_BRPORT_BACKUP_PORT", A::Interface),
        (35, "IFLA_BRPORT_MRP_RING_OPEN", A::U8),
        (36, "IFLA_BRPORT_MRP_IN_OPEN", A::U8),
        (37, "IFLA_BRPORT_MCAST_EHT_HOSTS_LIMIT", A::U32),
        (38, "IFLA_BRPORT_MCAST_EHT_HOSTS_CNT", A::U32),
        (39, "IFLA_BRPORT_LOCKED", A::U8),
    ],
};

/// `[2, 3]`
fn write_priority(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'[');
    write_radix(out, number(bytes, 1).unwrap_or_default(), 10, 1);
    out.extend_from_slice(b", ");
    write_radix(out, bytes.get(1).copied().unwrap_or_default().into(), 10, 1);
    out.push(b']');
}

/// `00:11:22:33:44:55`
fn write_station(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    call.write_hardware(out, bytes.get(..6).unwrap_or(bytes));
}
