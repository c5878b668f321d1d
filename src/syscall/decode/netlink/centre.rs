//! `NETLINK_ROUTE`, continued: bridging of data centres (`linux/dcbnl.h`). What attributes hold is bytes, as under strace.

use super::super::layout::Show::Enum;
use super::super::layout::Size::B1;
use super::super::layout::layouts;
use super::attribute::{Attributes, Show as A};
use crate::syscall::flags::SOCKET_DOMAIN;
use crate::syscall::flags::netlink::NL_CENTRE;

layouts! {
    /// `struct dcbmsg`.
    CENTRE: 4/4 {
        always dcb_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always cmd @ 1/1 Enum(&NL_CENTRE, B1);
    }
}

pub(super) static OF_CENTRES: Attributes = Attributes {
    unknown: "DCB_ATTR_???",
    rows: &[
        (0, "DCB_ATTR_UNDEFINED", A::Bytes),
        (1, "DCB_ATTR_IFNAME", A::Bytes),
        (2, "DCB_ATTR_STATE", A::Bytes),
        (3, "DCB_ATTR_PFC_STATE", A::Bytes),
        (4, "DCB_ATTR_PFC_CFG", A::Bytes),
        (5, "DCB_ATTR_NUM_TC", A::Bytes),
        (6, "DCB_ATTR_PG_CFG", A::Bytes),
        (7, "DCB_ATTR_SET_ALL", A::Bytes),
        (8, "DCB_ATTR_PERM_HWADDR", A::Bytes),
        (9, "DCB_ATTR_CAP", A::Bytes),
        (10, "DCB_ATTR_NUMTCS", A::Bytes),
        (11, "DCB_ATTR_BCN", A::Bytes),
        (12, "DCB_ATTR_APP", A::Bytes),
        (13, "DCB_ATTR_IEEE", A::Bytes),
        (14, "DCB_ATTR_DCBX", A::Bytes),
        (15, "DCB_ATTR_FEATCFG", A::Bytes),
        (16, "DCB_ATTR_CEE", A::Bytes),
    ],
};
