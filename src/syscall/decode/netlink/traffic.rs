//! `NETLINK_ROUTE`, continued: traffic control (`tc(8)`), the tables of neighbours, and numbers of network namespaces.
//!
//! Structures and numbers are those of `linux/rtnetlink.h`, `pkt_sched.h`, `gen_stats.h`, `pkt_cls.h`, `neighbour.h` and
//! `net_namespace.h`. What `TCA_OPTIONS` holds depends on the kind of a queue, and is bytes, as under strace.

use super::super::Decoder;
use super::super::layout::Show::{Enum, Int, Interface, Own, Uint};
use super::super::layout::Size::{B1, B2, B4, B8};
use super::super::layout::layouts;
use super::super::net::{word16, word32};
use super::attribute::{Attributes, Show as A};
use super::piece::Piece;
use super::values::write_padded;
use crate::syscall::flags::SOCKET_DOMAIN;
use crate::syscall::flags::netlink::{NL_ACTION_FLAGS, NL_ACTION_STATISTICS};
use crate::syscall::flags::write_radix;

layouts! {
    /// `struct tcmsg`.
    TRAFFIC: 20/20 {
        always tcm_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
        always tcm_ifindex @ 4/4 Interface;
        always tcm_handle @ 8/8 Uint(B4);
        always tcm_parent @ 12/12 Uint(B4);
        always tcm_info @ 16/16 Uint(B4);
    }
    /// `struct tcamsg`, of which strace wants no more than the family.
    ACTION: 1/1 {
        always tca_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
    }
    /// `struct ndtmsg`, likewise.
    TABLE: 1/1 {
        always ndtm_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
    }
    /// `struct rtgenmsg`.
    NAMESPACE: 1/1 {
        always rtgen_family @ 0/0 Enum(&SOCKET_DOMAIN, B1);
    }
    /// `struct tc_stats`, to `backlog`.
    STATISTICS: 36/36 {
        always bytes @ 0/0 Uint(B8);
        always packets @ 8/8 Uint(B4);
        always drops @ 12/12 Uint(B4);
        always overlimits @ 16/16 Uint(B4);
        always bps @ 20/20 Uint(B4);
        always pps @ 24/24 Uint(B4);
        always qlen @ 28/28 Uint(B4);
        always backlog @ 32/32 Uint(B4);
    }
    /// `struct tc_estimator`.
    ESTIMATOR: 2/2 {
        always interval @ 0/0 Int(B1);
        always ewma_log @ 1/1 Uint(B1);
    }
    /// `struct gnet_stats_basic`, to `packets`.
    BASIC: 12/12 {
        always bytes @ 0/0 Uint(B8);
        always packets @ 8/8 Uint(B4);
    }
    /// `struct gnet_stats_rate_est`.
    RATE: 8/8 {
        always bps @ 0/0 Uint(B4);
        always pps @ 4/4 Uint(B4);
    }
    /// `struct gnet_stats_rate_est64`.
    RATE64: 16/16 {
        always bps @ 0/0 Uint(B8);
        always pps @ 8/8 Uint(B8);
    }
    /// `struct gnet_stats_queue`.
    QUEUE: 20/20 {
        always qlen @ 0/0 Uint(B4);
        always backlog @ 4/4 Uint(B4);
        always drops @ 8/8 Uint(B4);
        always requeues @ 12/12 Uint(B4);
        always overlimits @ 16/16 Uint(B4);
    }
    /// `struct tc_sizespec`.
    SIZES: 24/24 {
        always cell_log @ 0/0 Uint(B1);
        always size_log @ 1/1 Uint(B1);
        always cell_align @ 2/2 Int(B2);
        always overhead @ 4/4 Int(B4);
        always linklayer @ 8/8 Uint(B4);
        always mpu @ 12/12 Uint(B4);
        always mtu @ 16/16 Uint(B4);
        always tsize @ 20/20 Uint(B4);
    }
    /// `struct ndt_config`.
    TABLE_CONFIGURATION: 32/32 {
        always ndtc_key_len @ 0/0 Uint(B2);
        always ndtc_entry_size @ 2/2 Uint(B2);
        always ndtc_entries @ 4/4 Uint(B4);
        always ndtc_last_flush @ 8/8 Uint(B4);
        always ndtc_last_rand @ 12/12 Uint(B4);
        always ndtc_hash_rnd @ 16/16 Uint(B4);
        always ndtc_hash_mask @ 20/20 Own(write_mask);
        always ndtc_hash_chain_gc @ 24/24 Uint(B4);
        always ndtc_proxy_qlen @ 28/28 Uint(B4);
    }
    /// `struct ndt_stats`.
    TABLE_STATISTICS: 88/88 {
        always ndts_allocs @ 0/0 Uint(B8);
        always ndts_destroys @ 8/8 Uint(B8);
        always ndts_hash_grows @ 16/16 Uint(B8);
        always ndts_res_failed @ 24/24 Uint(B8);
        always ndts_lookups @ 32/32 Uint(B8);
        always ndts_hits @ 40/40 Uint(B8);
        always ndts_rcv_probes_mcast @ 48/48 Uint(B8);
        always ndts_rcv_probes_ucast @ 56/56 Uint(B8);
        always ndts_periodic_gc_runs @ 64/64 Uint(B8);
        always ndts_forced_gc_runs @ 72/72 Uint(B8);
        beyond(80) ndts_table_fulls @ 80/80 Uint(B8);
    }
}

pub(super) static OF_TRAFFIC: Attributes = Attributes {
    unknown: "TCA_???",
    rows: &[
        (0, "TCA_UNSPEC", A::Bytes),
        (1, "TCA_KIND", A::Text),
        (2, "TCA_OPTIONS", A::Bytes),
        (3, "TCA_STATS", A::Of(&STATISTICS)),
        (4, "TCA_XSTATS", A::Bytes),
        (5, "TCA_RATE", A::Of(&ESTIMATOR)),
        (6, "TCA_FCNT", A::U32),
        (7, "TCA_STATS2", A::Nested(&OF_STATISTICS)),
        (8, "TCA_STAB", A::Nested(&OF_SIZES)),
        (9, "TCA_PAD", A::Bytes),
        (10, "TCA_DUMP_INVISIBLE", A::Bytes),
        (11, "TCA_CHAIN", A::U32),
        (12, "TCA_HW_OFFLOAD", A::U8),
        (13, "TCA_INGRESS_BLOCK", A::U32),
        (14, "TCA_EGRESS_BLOCK", A::U32),
        (15, "TCA_DUMP_FLAGS", A::U32),
    ],
};

static OF_STATISTICS: Attributes = Attributes {
    unknown: "TCA_STATS_???",
    rows: &[
        (0, "TCA_STATS_UNSPEC", A::Bytes),
        (1, "TCA_STATS_BASIC", A::Of(&BASIC)),
        (2, "TCA_STATS_RATE_EST", A::Of(&RATE)),
        (3, "TCA_STATS_QUEUE", A::Of(&QUEUE)),
        (4, "TCA_STATS_APP", A::Bytes),
        (5, "TCA_STATS_RATE_EST64", A::Of(&RATE64)),
        (6, "TCA_STATS_PAD", A::Bytes),
        (7, "TCA_STATS_BASIC_HW", A::Of(&BASIC)),
        (8, "TCA_STATS_PKT64", A::U64),
    ],
};

static OF_SIZES: Attributes = Attributes {
    unknown: "TCA_STAB_???",
    rows: &[
        (0, "TCA_STAB_UNSPEC", A::Bytes),
        (1, "TCA_STAB_BASE", A::Of(&SIZES)),
        (2, "TCA_STAB_DATA", A::Own(write_sizes)),
    ],
};

pub(super) static OF_ACTIONS: Attributes = Attributes {
    unknown: "TCA_ACT_???",
    rows: &[
        (0, "TCA_ACT_UNSPEC", A::Bytes),
        (1, "TCA_ACT_KIND", A::Text),
        (2, "TCA_ACT_OPTIONS", A::Bytes),
        (3, "TCA_ACT_INDEX", A::U32),
        (4, "TCA_ACT_STATS", A::Nested(&OF_STATISTICS)),
        (5, "TCA_ACT_PAD", A::Bytes),
        (6, "TCA_ACT_COOKIE", A::Bytes),
        (7, "TCA_ACT_FLAGS", A::Small(&A::Bits(&NL_ACTION_FLAGS, 4))),
        (8, "TCA_ACT_HW_STATS", A::Small(&A::Bits(&NL_ACTION_STATISTICS, 4))),
        (9, "TCA_ACT_USED_HW_STATS", A::Small(&A::Bits(&NL_ACTION_STATISTICS, 4))),
        (10, "TCA_ACT_IN_HW_COUNT", A::U32),
    ],
};

pub(super) static OF_TABLES: Attributes = Attributes {
    unknown: "NDTA_???",
    rows: &[
        (0, "NDTA_UNSPEC", A::Bytes),
        (1, "NDTA_NAME", A::Text),
        (2, "NDTA_THRESH1", A::U32),
        (3, "NDTA_THRESH2", A::U32),
        (4, "NDTA_THRESH3", A::U32),
        (5, "NDTA_CONFIG", A::Of(&TABLE_CONFIGURATION)),
        (6, "NDTA_PARMS", A::Nested(&OF_PARAMETERS)),
        (7, "NDTA_STATS", A::Grown(&TABLE_STATISTICS, &[80])),
        (8, "NDTA_GC_INTERVAL", A::U64),
        (9, "NDTA_PAD", A::Bytes),
    ],
};

static OF_PARAMETERS: Attributes = Attributes {
    unknown: "NDTPA_???",
    rows: &[
        (0, "NDTPA_UNSPEC", A::Bytes),
        (1, "NDTPA_IFINDEX", A::Interface),
        (2, "NDTPA_REFCNT", A::U32),
        (3, "NDTPA_REACHABLE_TIME", A::U64),
        (4, "NDTPA_BASE_REACHABLE_TIME", A::U64),
        (5, "NDTPA_RETRANS_TIME", A::U64),
        (6, "NDTPA_GC_STALETIME", A::U64),
        (7, "NDTPA_DELAY_PROBE_TIME", A::U64),
        (8, "NDTPA_QUEUE_LEN", A::U32),
        (9, "NDTPA_APP_PROBES", A::U32),
        (10, "NDTPA_UCAST_PROBES", A::U32),
        (11, "NDTPA_MCAST_PROBES", A::U32),
        (12, "NDTPA_ANYCAST_DELAY", A::U64),
        (13, "NDTPA_PROXY_DELAY", A::U64),
        (14, "NDTPA_PROXY_QLEN", A::U32),
        (15, "NDTPA_LOCKTIME", A::U64),
        (16, "NDTPA_QUEUE_LENBYTES", A::U32),
        (17, "NDTPA_MCAST_REPROBES", A::U32),
        (18, "NDTPA_PAD", A::Bytes),
        (19, "NDTPA_INTERVAL_PROBE_TIME_MS", A::U64),
    ],
};

pub(super) static OF_NAMESPACES: Attributes = Attributes {
    unknown: "NETNSA_???",
    rows: &[
        (0, "NETNSA_NONE", A::Bytes),
        (1, "NETNSA_NSID", A::I32),
        (2, "NETNSA_PID", A::U32),
        (3, "NETNSA_FD", A::I32),
        (4, "NETNSA_TARGET_NSID", A::I32),
        (5, "NETNSA_CURRENT_NSID", A::I32),
    ],
};

fn write_mask(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_padded(out, u64::from(word32(bytes, 0)), 4);
}

/// `[2, 3]`: sizes of two bytes each.
fn write_sizes(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, piece: Piece<'_>, _: u8) -> Option<()> {
    call.write_elements(out, piece, 2, |_, out, _, size| write_radix(out, u64::from(word16(size, 0)), 10, 1))
}
