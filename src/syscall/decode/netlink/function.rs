//! `NETLINK_ROUTE`, continued: virtual functions and their ports (`linux/if_link.h`).

use super::super::layout::Show::{Enum, Hex, Own, Uint};
use super::super::layout::Size::{B1, B4, B8};
use super::super::layout::layouts;
use super::super::text::write_text;
use super::super::{self as decode, Decoder};
use super::attribute::{Attributes, Show as A};
use super::piece::Piece;
use crate::syscall::flags::netlink::NL_FUNCTION_LINK;

layouts! {
    /// `struct ifla_port_vsi`.
    VSI: 8/8 {
        always vsi_mgr_id @ 0/0 Uint(B1);
        always vsi_type_id @ 1/1 Own(write_three);
        always vsi_type_version @ 4/4 Uint(B1);
        set(3) pad @ 5/5 Own(write_three);
    }
    /// `struct ifla_vf_mac`.
    STATION: 36/36 {
        always vf @ 0/0 Uint(B4);
        always mac @ 4/4 Own(write_station);
    }
    /// `struct ifla_vf_vlan`.
    VLAN: 12/12 {
        always vf @ 0/0 Uint(B4);
        always vlan @ 4/4 Uint(B4);
        always qos @ 8/8 Uint(B4);
    }
    /// `struct ifla_vf_tx_rate`.
    RATE: 8/8 {
        always vf @ 0/0 Uint(B4);
        always rate @ 4/4 Uint(B4);
    }
    /// `struct ifla_vf_spoofchk`, `ifla_vf_rss_query_en` and `ifla_vf_trust`.
    SETTING: 8/8 {
        always vf @ 0/0 Uint(B4);
        always setting @ 4/4 Uint(B4);
    }
    /// `struct ifla_vf_link_state`.
    LINK_STATE: 8/8 {
        always vf @ 0/0 Uint(B4);
        always link_state @ 4/4 Enum(&NL_FUNCTION_LINK, B4);
    }
    /// `struct ifla_vf_rate`.
    RATES: 12/12 {
        always vf @ 0/0 Uint(B4);
        always min_tx_rate @ 4/4 Uint(B4);
        always max_tx_rate @ 8/8 Uint(B4);
    }
    /// `struct ifla_vf_guid` of 64-bit programs.
    UNIQUE: 16/16 {
        always vf @ 0/0 Uint(B4);
        always guid @ 8/8 Hex(B8);
    }
    /// The same of 32-bit ones.
    UNIQUE32: 12/12 {
        always vf @ 0/0 Uint(B4);
        always guid @ 4/4 Hex(B8);
    }
    /// `struct ifla_vf_vlan_info`.
    VLAN_OF_PROTOCOL: 16/16 {
        always vf @ 0/0 Uint(B4);
        always vlan @ 4/4 Uint(B4);
        always qos @ 8/8 Uint(B4);
        always vlan_proto @ 12/12 Own(write_protocol);
    }
    /// `struct ifla_vf_broadcast`.
    BROADCAST: 32/32 {
        always broadcast @ 0/0 Own(write_station);
    }
}

/// `IFLA_VFINFO_LIST`.
pub(super) static OF_LIST: Attributes = Attributes {
    unknown: "IFLA_VF_INFO_???",
    rows: &[(0, "IFLA_VF_INFO_UNSPEC", A::Bytes), (1, "IFLA_VF_INFO", A::Nested(&OF_FUNCTION))],
};

static OF_FUNCTION: Attributes = Attributes {
    unknown: "IFLA_VF_???",
    rows: &[
        (0, "IFLA_VF_UNSPEC", A::Bytes),
        (1, "IFLA_VF_MAC", A::Of(&STATION)),
        (2, "IFLA_VF_VLAN", A::Of(&VLAN)),
        (3, "IFLA_VF_TX_RATE", A::Of(&RATE)),
        (4, "IFLA_VF_SPOOFCHK", A::Of(&SETTING)),
        (5, "IFLA_VF_LINK_STATE", A::Of(&LINK_STATE)),
        (6, "IFLA_VF_RATE", A::Of(&RATES)),
        (7, "IFLA_VF_RSS_QUERY_EN", A::Of(&SETTING)),
        (8, "IFLA_VF_STATS", A::Nested(&OF_STATISTICS)),
        (9, "IFLA_VF_TRUST", A::Of(&SETTING)),
        (10, "IFLA_VF_IB_NODE_GUID", A::Own(write_unique)),
        (11, "IFLA_VF_IB_PORT_GUID", A::Own(write_unique)),
        (12, "IFLA_VF_VLAN_LIST", A::Nested(&OF_VLANS)),
        (13, "IFLA_VF_BROADCAST", A::Of(&BROADCAST)),
    ],
};

static OF_STATISTICS: Attributes = Attributes {
    unknown: "IFLA_VF_STATS_???",
    rows: &[
        (0, "IFLA_VF_STATS_RX_PACKETS", A::U64),
        (1, "IFLA_VF_STATS_TX_PACKETS", A::U64),
        (2, "IFLA_VF_STATS_RX_BYTES", A::U64),
        (3, "IFLA_VF_STATS_TX_BYTES", A::U64),
        (4, "IFLA_VF_STATS_BROADCAST", A::U64),
        (5, "IFLA_VF_STATS_MULTICAST", A::U64),
        (6, "IFLA_VF_STATS_PAD", A::Bytes),
        (7, "IFLA_VF_STATS_RX_DROPPED", A::U64),
        (8, "IFLA_VF_STATS_TX_DROPPED", A::U64),
    ],
};

static OF_VLANS: Attributes = Attributes {
    unknown: "IFLA_VF_VLAN_INFO_???",
    rows: &[(0, "IFLA_VF_VLAN_INFO_UNSPEC", A::Bytes), (1, "IFLA_VF_VLAN_INFO", A::Of(&VLAN_OF_PROTOCOL))],
};

/// Ports of virtual functions.
pub(super) static OF_PORTS: Attributes = Attributes {
    unknown: "IFLA_VF_PORT_???",
    rows: &[(0, "IFLA_VF_PORT_UNSPEC", A::Bytes), (1, "IFLA_VF_PORT", A::Nested(&OF_PORT))],
};

pub(super) static OF_PORT: Attributes = Attributes {
    unknown: "IFLA_VF_PORT_???",
    rows: &[
        (0, "IFLA_PORT_UNSPEC", A::Bytes),
        (1, "IFLA_PORT_VF", A::U32),
        (2, "IFLA_PORT_PROFILE", A::Text),
        (3, "IFLA_PORT_VSI_TYPE", A::Of(&VSI)),
        (4, "IFLA_PORT_INSTANCE_UUID", A::Bytes),
        (5, "IFLA_PORT_HOST_UUID", A::Bytes),
        (6, "IFLA_PORT_REQUEST", A::U8),
        (7, "IFLA_PORT_RESPONSE", A::U16),
    ],
};

fn write_three(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_text(out, bytes.get(..3).unwrap_or(bytes), decode::Hex::All, false);
}

/// Room for the longest hardware address.
fn write_station(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    call.write_hardware(out, bytes.get(..32).unwrap_or(bytes));
}

fn write_protocol(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    call.write_ethernet(out, bytes, "ETH_P_???");
}

/// The structure has another size in 32-bit programs, and a message may be from either.
fn write_unique(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, piece: Piece<'_>, _: u8) -> Option<()> {
    let layout = match piece.length {
        12 => &UNIQUE32,
        16 => &UNIQUE,
        _ => return None,
    };
    match piece.whole() {
        Some(bytes) => call.write_members(out, layout, bytes),
        None => call.write_address(out, piece.address),
    }
    Some(())
}
