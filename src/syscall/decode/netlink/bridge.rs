//! `NETLINK_ROUTE`, continued: ports of bridges and of virtual functions (`linux/if_link.h`).

use super::super::layout::Show::{Own, Uint};
use super::super::layout::Size::B1;
use super::super::layout::layouts;
use super::super::net::word16;
use super::super::text::write_text;
use super::super::{Decoder, Hex};
use super::attribute::{Attributes, Show as A, number, write_hardware};
use super::piece::Piece;
use super::route::write_hexadecimal;
use crate::syscall::flags::write_radix;

layouts! {
    /// `struct ifla_bridge_id`.
    BRIDGE: 8/8 {
        always prio @ 0/0 Own(write_priority);
        always addr @ 2/2 Own(write_station);
    }
    /// `struct ifla_port_vsi`.
    VSI: 8/8 {
        always vsi_mgr_id @ 0/0 Uint(B1);
        always vsi_type_id @ 1/1 Own(write_three);
        always vsi_type_version @ 4/4 Uint(B1);
        set(3) pad @ 5/5 Own(write_three);
    }
}

/// Ports of virtual functions.
pub(super) static OF_FUNCTIONS: Attributes = Attributes {
    unknown: "IFLA_VF_PORT_???",
    rows: &[(0, "IFLA_VF_PORT_UNSPEC", A::Bytes), (1, "IFLA_VF_PORT", A::Nested(&OF_FUNCTION))],
};

pub(super) static OF_FUNCTION: Attributes = Attributes {
    unknown: "IFLA_PORT_???",
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
        (21, "IFLA_BRPORT_MESSAGE_AGE_TIMER", A::Own(write_ticks)),
        (22, "IFLA_BRPORT_FORWARD_DELAY_TIMER", A::Own(write_ticks)),
        (23, "IFLA_BRPORT_HOLD_TIMER", A::Own(write_ticks)),
        (24, "IFLA_BRPORT_FLUSH", A::Bytes),
        (25, "IFLA_BRPORT_MULTICAST_ROUTER", A::U8),
        (26, "IFLA_BRPORT_PAD", A::Bytes),
        (27, "IFLA_BRPORT_MCAST_FLOOD", A::U8),
        (28, "IFLA_BRPORT_MCAST_TO_UCAST", A::U8),
        (29, "IFLA_BRPORT_VLAN_TUNNEL", A::U8),
        (30, "IFLA_BRPORT_BCAST_FLOOD", A::U8),
        (31, "IFLA_BRPORT_GROUP_FWD_MASK", A::Fixed(2, write_mask)),
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
    let address = bytes.get(..6).unwrap_or(bytes);
    let number = |out: &mut Vec<u8>| write_text(out, address, Hex::All, false);
    call.style.constants.write(out, number, |out| write_hardware(out, address));
}

fn write_three(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_text(out, bytes.get(..3).unwrap_or(bytes), Hex::All, false);
}

fn write_mask(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_hexadecimal(out, u64::from(word16(bytes, 0)));
}

/// `250 /* 2.50 s */`: hundredths of a second, in as many bytes as there are.
fn write_ticks(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, piece: Piece<'_>) -> Option<()> {
    if piece.length > 8 {
        return None;
    }
    let Some(bytes) = piece.whole() else {
        call.write_address(out, piece.address);
        return Some(());
    };
    let ticks = number(bytes, bytes.len())?;
    let plain = |out: &mut Vec<u8>| write_radix(out, ticks, 10, 1);
    call.style.constants.write(out, plain, |out| {
        plain(out);
        if ticks == 0 {
            return;
        }
        out.extend_from_slice(b" /* ");
        write_radix(out, ticks / 100, 10, 1);
        out.push(b'.');
        write_radix(out, ticks % 100, 10, 2);
        out.extend_from_slice(b" s */");
    });
    Some(())
}
