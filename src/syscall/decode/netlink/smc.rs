//! `NETLINK_SOCK_DIAG`, continued: sockets of shared memory (`linux/smc_diag.h`).

use super::super::Decoder;
use super::super::layout::Show::{Enum, Flags, Hex, Nested, Own, Text, Uint};
use super::super::layout::Size::{B1, B2, B4, B8};
use super::super::layout::layouts;
use super::super::net::word32;
use super::attribute::{Attributes, Show as A};
use super::inet::INET_ID;
use super::values::write_padded;
use crate::syscall::flags::SOCKET_DOMAIN;
use crate::syscall::flags::netlink::{
    NL_SHUTDOWN, NL_SMC_DECLINED, NL_SMC_EXTENSIONS, NL_SMC_MODE, NL_SMC_ROLE, NL_SMC_STATE,
};

/// `AF_SMC`.
pub(super) const FAMILY: i32 = 43;

layouts! {
    /// `struct smc_diag_req`.
    REQUEST: 52/52 {
        always diag_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always diag_ext @ 3/3 Flags(&NL_SMC_EXTENSIONS, B1);
        always id @ 4/4 Nested(&INET_ID);
    }
    /// `struct smc_diag_msg`.
    SOCKET: 64/64 {
        always diag_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always diag_state @ 1/1 Enum(&NL_SMC_STATE, B1);
        always diag_fallback @ 2/2 Enum(&NL_SMC_MODE, B1);
        always diag_shutdown @ 3/3 Uint(B1);
        always id @ 4/4 Nested(&INET_ID);
        always diag_uid @ 52/52 Uint(B4);
        always diag_inode @ 56/56 Uint(B8);
    }
    /// `struct smc_diag_cursor`.
    CURSOR: 8/8 {
        always reserved @ 0/0 Uint(B2);
        always wrap @ 2/2 Uint(B2);
        always count @ 4/4 Uint(B4);
    }
    /// `struct smc_diag_conninfo`.
    CONNECTION: 76/76 {
        always token @ 0/0 Uint(B4);
        always sndbuf_size @ 4/4 Uint(B4);
        always rmbe_size @ 8/8 Uint(B4);
        always peer_rmbe_size @ 12/12 Uint(B4);
        always rx_prod @ 16/16 Nested(&CURSOR);
        always rx_cons @ 24/24 Nested(&CURSOR);
        always tx_prod @ 32/32 Nested(&CURSOR);
        always tx_cons @ 40/40 Nested(&CURSOR);
        always rx_prod_flags @ 48/48 Own(write_flags);
        always rx_conn_state_flags @ 49/49 Own(write_flags);
        always tx_prod_flags @ 50/50 Own(write_flags);
        always tx_conn_state_flags @ 51/51 Own(write_flags);
        always tx_prep @ 52/52 Nested(&CURSOR);
        always tx_sent @ 60/60 Nested(&CURSOR);
        always tx_fin @ 68/68 Nested(&CURSOR);
    }
    /// `struct smc_diag_linkinfo`.
    LINK: 146/146 {
        always link_id @ 0/0 Uint(B1);
        always ibname @ 1/1 Text(64);
        always ibport @ 65/65 Uint(B1);
        always gid @ 66/66 Text(40);
        always peer_gid @ 106/106 Text(40);
    }
    /// `struct smc_diag_lgrinfo`.
    GROUP: 147/147 {
        always lnk @ 0/0 Own(write_links);
        always role @ 146/146 Enum(&NL_SMC_ROLE, B1);
    }
    /// `struct smcd_diag_dmbinfo`.
    BUFFER: 40/40 {
        always linkid @ 0/0 Uint(B4);
        always peer_gid @ 8/8 Hex(B8);
        always my_gid @ 16/16 Hex(B8);
        always token @ 24/24 Hex(B8);
        always peer_token @ 32/32 Hex(B8);
    }
    /// `struct smc_diag_fallback`.
    FALLBACK: 8/8 {
        always reason @ 0/0 Own(write_reason);
        always peer_diagnosis @ 4/4 Own(write_reason);
    }
}

pub(super) static OF_SOCKETS: Attributes = Attributes {
    unknown: "SMC_DIAG_???",
    rows: &[
        (0, "SMC_DIAG_NONE", A::Bytes),
        (1, "SMC_DIAG_CONNINFO", A::Of(&CONNECTION)),
        (2, "SMC_DIAG_LGRINFO", A::Of(&GROUP)),
        (3, "SMC_DIAG_SHUTDOWN", A::Small(&A::Bits(&NL_SHUTDOWN, 1))),
        (4, "SMC_DIAG_DMBINFO", A::Of(&BUFFER)),
        (5, "SMC_DIAG_FALLBACK", A::Of(&FALLBACK)),
    ],
};

fn write_flags(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_padded(out, u64::from(bytes.first().copied().unwrap_or_default()), 1);
}

/// There is one link.
fn write_links(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    call.write_items(out, std::iter::once(bytes), |call, out, link| call.write_members(out, &LINK, link));
}

/// What no public header names.
fn write_reason(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    call.style.constants.with_numbers().one(out, &NL_SMC_DECLINED, u64::from(word32(bytes, 0)));
}
