//! `NETLINK_ROUTE`, continued: multicast groups of bridges (`linux/if_bridge.h`), and reports of packets that the
//! kernel cannot route (`linux/mroute.h`, `mroute6.h`).

use super::super::Decoder;
use super::super::layout::Show::{Enum, Flags, Interface, Own, Uint};
use super::super::layout::Size::{B1, B2};
use super::super::layout::layouts;
use super::super::net::word16;
use super::attribute::{Attributes, Show as A};
use crate::syscall::flags::SOCKET_DOMAIN;
use crate::syscall::flags::netlink::{
    NL_GROUP_FLAGS, NL_GROUP_STATE, NL_MULTICAST, NL_REPORT, NL_REPORT6, NL_ROUTER,
};

layouts! {
    /// `struct br_port_msg`.
    PORT: 8/8 {
        always family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always ifindex @ 4/4 Interface;
    }
    /// `struct br_mdb_entry`.
    ENTRY: 28/28 {
        always ifindex @ 0/0 Interface;
        always state @ 4/4 Enum(&NL_GROUP_STATE, B1);
        always flags @ 5/5 Flags(&NL_GROUP_FLAGS, B1);
        always vid @ 6/6 Uint(B2);
        always addr @ 8/8 Own(write_group);
    }
    /// `struct rtgenmsg` of a report.
    REPORT: 1/1 {
        always rtgen_family @ 0/0 Own(write_family);
    }
}

pub(super) static OF_GROUPS: Attributes = Attributes {
    unknown: "MDBA_???",
    rows: &[
        (0, "MDBA_UNSPEC", A::Bytes),
        (1, "MDBA_MDB", A::Nested(&OF_GROUP)),
        (2, "MDBA_ROUTER", A::Nested(&OF_ROUTERS)),
    ],
};

static OF_GROUP: Attributes = Attributes {
    unknown: "MDBA_MDB_???",
    rows: &[(0, "MDBA_MDB_UNSPEC", A::Bytes), (1, "MDBA_MDB_ENTRY", A::Nested(&OF_ENTRIES))],
};

static OF_ENTRIES: Attributes = Attributes {
    unknown: "MDBA_MDB_ENTRY_???",
    rows: &[
        (0, "MDBA_MDB_ENTRY_UNSPEC", A::Bytes),
        (1, "MDBA_MDB_ENTRY_INFO", A::Then(&A::Of(&ENTRY), &A::Nested(&OF_ENTRY))),
    ],
};

static OF_ENTRY: Attributes = Attributes {
    unknown: "MDBA_MDB_EATTR_???",
    rows: &[
        (0, "MDBA_MDB_EATTR_UNSPEC", A::Bytes),
        (1, "MDBA_MDB_EATTR_TIMER", A::Ticks),
        (2, "MDBA_MDB_EATTR_SRC_LIST", A::Bytes),
        (3, "MDBA_MDB_EATTR_GROUP_MODE", A::Bytes),
        (4, "MDBA_MDB_EATTR_SOURCE", A::Bytes),
        (5, "MDBA_MDB_EATTR_RTPROT", A::Bytes),
    ],
};

static OF_ROUTERS: Attributes = Attributes {
    unknown: "MDBA_ROUTER_???",
    rows: &[
        (0, "MDBA_ROUTER_UNSPEC", A::Bytes),
        (1, "MDBA_ROUTER_PORT", A::Then(&A::Interface, &A::Nested(&OF_ROUTER))),
    ],
};

static OF_ROUTER: Attributes = Attributes {
    unknown: "MDBA_ROUTER_PATTR_???",
    rows: &[
        (0, "MDBA_ROUTER_PATTR_UNSPEC", A::Bytes),
        (1, "MDBA_ROUTER_PATTR_TIMER", A::Ticks),
        (2, "MDBA_ROUTER_PATTR_TYPE", A::One(&NL_ROUTER, 1)),
        (3, "MDBA_ROUTER_PATTR_INET_TIMER", A::Ticks),
        (4, "MDBA_ROUTER_PATTR_INET6_TIMER", A::Ticks),
    ],
};

/// What is behind the head of a report.
pub(super) const REPORTS: A = A::OfFamilies(&[(128, &OF_REPORTS), (129, &OF_REPORTS6)], &A::Bytes);

static OF_REPORTS: Attributes = Attributes {
    unknown: "IPMRA_CREPORT_???",
    rows: &[
        (0, "IPMRA_CREPORT_UNSPEC", A::Bytes),
        (1, "IPMRA_CREPORT_MSGTYPE", A::Small(&A::One(&NL_REPORT, 1))),
        (2, "IPMRA_CREPORT_VIF_ID", A::U32),
        (3, "IPMRA_CREPORT_SRC_ADDR", A::Host4),
        (4, "IPMRA_CREPORT_DST_ADDR", A::Host4),
        (5, "IPMRA_CREPORT_PKT", A::Bytes),
        (6, "IPMRA_CREPORT_TABLE", A::U32),
    ],
};

static OF_REPORTS6: Attributes = Attributes {
    unknown: "IP6MRA_CREPORT_???",
    rows: &[
        (0, "IP6MRA_CREPORT_UNSPEC", A::Bytes),
        (1, "IP6MRA_CREPORT_MSGTYPE", A::Small(&A::One(&NL_REPORT6, 1))),
        (2, "IP6MRA_CREPORT_MIF_ID", A::U32),
        (3, "IP6MRA_CREPORT_SRC_ADDR", A::Host6),
        (4, "IP6MRA_CREPORT_DST_ADDR", A::Host6),
        (5, "IP6MRA_CREPORT_PKT", A::Bytes),
    ],
};

/// `RTNL_FAMILY_IPMR`, or the family of an address.
fn write_family(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let family = u64::from(bytes.first().copied().unwrap_or_default());
    let is_address = SOCKET_DOMAIN.name(family).is_some();
    call.style.constants.one(out, if is_address { &SOCKET_DOMAIN } else { &NL_MULTICAST }, family);
}

/// `{u=inet_addr("224.0.0.1"), proto=htons(AF_INET)}`: strace takes the protocol for the family.
fn write_group(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let family = word16(bytes, 16).swap_bytes();
    out.push(b'{');
    call.write_host_of(out, i32::from(family), bytes.get(..16).unwrap_or(bytes), "u");
    out.extend_from_slice(b", proto=htons(");
    call.style.constants.one(out, &SOCKET_DOMAIN, u64::from(family));
    out.extend_from_slice(b")}");
}
