//! Messages of netlink that are right, cut and anything.

use proptest::prelude::*;

use super::super::{Decoder, Keeper, Phase, Style};
use super::{KOBJECT_UEVENT, NETFILTER, ROUTE, SOCK_DIAG};
use crate::event::{Event, Kind};

/// The messages in these bytes, as they are printed.
fn printed(protocol: Option<u32>, bytes: &[u8]) -> String {
    printed_of(protocol, bytes, bytes.len())
}

/// The same of so many bytes, of which those can be read.
fn printed_of(protocol: Option<u32>, bytes: &[u8], length: usize) -> String {
    const ADDRESS: u64 = 0x1000;
    let mut kept = Vec::new();
    let live = |address: u64, buffer: &mut [u8]| {
        let offset = address.checked_sub(ADDRESS).and_then(|offset| usize::try_from(offset).ok());
        let from = offset.and_then(|offset| bytes.get(offset..)).unwrap_or_default();
        let count = from.len().min(buffer.len());
        buffer[..count].copy_from_slice(&from[..count]);
        count
    };
    let mut memory = Keeper { kept: &mut kept, now: Phase::Entry, live };
    let sendto = Event { nr: 44, ..Event::new(Kind::Syscall) };
    let style = Style { strings: 64, ..Style::PLAIN };
    let mut call = Decoder::new(&sendto, &style, &mut memory).expect("a known call");
    let mut out = Vec::new();
    call.write_netlink(&mut out, protocol, ADDRESS, length as u64);
    String::from_utf8(out).expect("ASCII")
}

fn message(kind: u16, flags: u16, content: &[u8]) -> Vec<u8> {
    let length = (16 + content.len()) as u32;
    let head =
        [&length.to_le_bytes()[..], &kind.to_le_bytes(), &flags.to_le_bytes(), &[7, 0, 0, 0, 0, 0, 0, 0]];
    [&head.concat()[..], content].concat()
}

#[test]
fn a_request_for_addresses() {
    assert_eq!(
        printed(ROUTE, &message(22, 0x301, &[2, 8, 0, 254, 0, 0, 0, 0, 8, 0, 1, 0, 127, 0, 0, 1])),
        "[{nlmsg_len=32, nlmsg_type=RTM_GETADDR, nlmsg_flags=NLM_F_REQUEST|NLM_F_DUMP, nlmsg_seq=7, nlmsg_pid=0}, \
         {ifa_family=AF_INET, ifa_prefixlen=8, ifa_flags=0, ifa_scope=RT_SCOPE_HOST, ifa_index=0}, \
         [{nla_len=8, nla_type=IFA_ADDRESS}, inet_addr(\"127.0.0.1\")]]"
    );
    // glibc asks with no more than the family.
    let short = printed(ROUTE, &message(18, 0x301, &[0, 0, 0, 0]));
    assert!(short.ends_with("{ifi_family=AF_UNSPEC, ...}]"), "{short}");
    assert!(printed(None, &message(18, 1, &[0])).contains("nlmsg_type=0x12 /* NLMSG_??? */"));
}

#[test]
fn addresses_and_names_as_the_c_library_and_strace_have_them() {
    let link = [&[7, 0][..], &[0; 14]].concat();
    let inet6 = |host: [u8; 16]| {
        printed(ROUTE, &message(20, 0, &[&[10, 0, 0, 0, 0, 0, 0, 0][..], &attribute(1, &host)].concat()))
    };
    let mut host = [0; 16];
    host[12..].copy_from_slice(&[10, 0, 0, 1]);
    assert!(inet6(host).ends_with("inet_pton(AF_INET6, \"::10.0.0.1\")]]"), "{}", inet6(host));
    host[12..].copy_from_slice(&[0, 0, 0, 1]);
    assert!(inet6(host).ends_with("inet_pton(AF_INET6, \"::1\")]]"), "{}", inet6(host));
    // Of 65 bytes as many are shown as of any string; the last of them is taken for the end.
    let mut name = [b'a'; 65];
    name[63] = 0;
    let text = printed(ROUTE, &message(16, 0, &[&link[..], &attribute(3, &name)].concat()));
    assert!(text.ends_with("aaa\"]]"), "{text}");
}

#[test]
fn an_error_has_the_message_it_is_about() {
    let asked = message(16, 5, &[0; 16]);
    let error = [&(-19_i32).to_le_bytes()[..], &asked].concat();
    let text = printed(ROUTE, &message(2, 0, &error));
    assert!(text.contains("{error=-ENODEV, msg=[{nlmsg_len=32, nlmsg_type=RTM_NEWLINK,"), "{text}");
    assert!(text.ends_with("ifi_change=0}]}]"), "{text}");
    // What more is said of it stands behind.
    let more = [&error[..], &[9, 0, 1, 0], b"nope\0", &[0; 3]].concat();
    let text = printed(ROUTE, &message(2, 0x200, &more));
    assert!(text.ends_with("]}, [{nla_len=9, nla_type=NLMSGERR_ATTR_MSG}, \"nope\"]]]"), "{text}");
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = (4 + value.len()) as u16;
    let padding = [0; 3];
    [&length.to_le_bytes()[..], &kind.to_le_bytes(), value, &padding[..value.len().wrapping_neg() % 4]]
        .concat()
}

#[test]
fn values_of_attributes() {
    let link = [&[7, 0][..], &[0; 14]].concat();
    let (traffic, route) = (vec![0; 20], [&[2][..], &[0; 11]].concat());
    let port = |kind, value: &[u8]| attribute(12, &attribute(kind, value));
    // Type of the message, its structure, an attribute, and what is printed of that.
    let rows: [(u16, &[u8], Vec<u8>, &str); 19] = [
        (16, &link, port(13, &[2, 3, 4, 5, 6, 7, 8, 9]), "{prio=[2, 3], addr=04:05:06:07:08:09}"),
        (16, &link, port(21, &[250]), "250 /* 2.50 s */"),
        (16, &link, port(31, &[0xed, 0xfe]), "0xfeed"),
        (16, &link, attribute(3, b"a\0b\0"), "\"a\\0b\""),
        (16, &link, attribute(3, b"ab"), "\"ab\"..."),
        (16, &link, attribute(44, &[6, 0, 0, 0]), "IFLA_EVENT_BONDING_OPTIONS"),
        (16, &link, attribute(29, &[1; 9]), "\"\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\""),
        (16, &link, attribute(25, &attribute(3, &[1, 2, 3, 4, 5])), "\"\\x01\\x02\\x03\\x04\\x05\""),
        (
            16,
            &link,
            attribute(55, &attribute(1, &[0; 4])),
            "{nla_len=8, nla_type=IFLA_PROTO_DOWN_REASON_MASK}, 0]",
        ),
        (32, &route, attribute(12, &[0, 0, 0, 0, 0, 0, 1, 0]), "htobe64(256)"),
        (28, &route, attribute(6, &[0, 80]), "htons(80)"),
        (96, &[128, 0, 0, 0], attribute(1, &[1]), "IGMPMSG_NOCACHE"),
        (96, &[129, 0, 0, 0], attribute(1, &[2]), "MRT6MSG_WRONGMIF"),
        (96, &[2, 0, 0, 0], attribute(1, &[]), "{rtgen_family=AF_INET}, \"\\x04\\x00\\x01\\x00\""),
        (36, &traffic, attribute(5, &[255, 2]), "{interval=-1, ewma_log=2}"),
        (36, &traffic, attribute(8, &attribute(2, &[1, 0, 2, 0, 3])), "[1, 2]"),
        (36, &traffic, attribute(8, &attribute(2, b"a")), "\"\\x61\""),
        (48, &[2, 0, 0, 0], attribute(7, &[9, 0, 0, 0]), "TCA_ACT_FLAGS_NO_PERCPU_STATS|0x8"),
        (
            64,
            &[2, 0, 0, 0],
            attribute(6, &attribute(8, &[7, 0, 0, 0])),
            "{nla_len=8, nla_type=NDTPA_QUEUE_LEN}, 7]",
        ),
    ];
    for (kind, structure, attribute, expected) in rows {
        let text = printed(ROUTE, &message(kind, 0, &[structure, &attribute].concat()));
        let text = text.trim_end_matches(']');
        assert!(text.ends_with(expected.trim_end_matches(']')), "{text}: {expected}");
    }
}

#[test]
fn what_links_bridges_and_hops_are_told() {
    let (link, bridge) = ([&[1, 0][..], &[0; 14]].concat(), [&[7, 0][..], &[0; 14]].concat());
    let (route, hop) = ([&[2][..], &[0; 11]].concat(), [0; 8]);
    let path = |flags: u8, attributes: &[u8]| {
        [&[8 + attributes.len() as u8, 0, flags, 2, 0, 0, 0, 0], attributes].concat()
    };
    let kind =
        |name: &[u8], value: Vec<u8>| attribute(18, &[attribute(1, name), attribute(2, &value)].concat());
    let rows: [(u16, &[u8], Vec<u8>, &str); 16] = [
        (
            16,
            &link,
            kind(b"bridge\0", attribute(8, &[0x81, 0])),
            "IFLA_BR_VLAN_PROTOCOL}, htons(ETH_P_8021Q)]]]]]",
        ),
        (16, &link, kind(b"tun", attribute(1, &[255; 4])), "IFLA_TUN_OWNER}, -1]]]]]"),
        (16, &link, kind(b"veil\0", vec![1]), "IFLA_INFO_DATA}, \"\\x01\"]]]]"),
        (16, &link, attribute(26, &attribute(45, &attribute(1, &[3, 0, 0, 0]))), "IFLA_MCTP_NET}, 3]]]]"),
        (16, &link, attribute(26, &attribute(1, &[3])), "nla_type=AF_UNIX}, \"\\x03\"]]]"),
        (16, &link, attribute(52, &attribute(1, &[3])), "nla_type=IFLA_ADDRESS}, \"\\x03\"]]]"),
        (
            16,
            &bridge,
            attribute(26, &attribute(2, &[2, 0, 5, 0, 1])),
            "{flags=BRIDGE_VLAN_INFO_PVID, vid=5}, \"\\x01\"]]]",
        ),
        (
            16,
            &link,
            attribute(22, &attribute(1, &attribute(10, &[1; 12]))),
            "{vf=16843009, guid=0x101010101010101}]]]]",
        ),
        (
            24,
            &route,
            attribute(9, &[path(1, &attribute(5, &[10, 0, 0, 1])), path(0, &[])].concat()),
            "[[{rtnh_len=16, rtnh_flags=RTNH_F_DEAD, rtnh_hops=2, rtnh_ifindex=0}, [{nla_len=8, nla_type=RTA_GATEWAY}, \
             inet_addr(\"10.0.0.1\")]], {rtnh_len=8, rtnh_flags=0, rtnh_hops=2, rtnh_ifindex=0}]]]",
        ),
        (24, &route, attribute(9, &[0; 16]), "{rtnh_len=0, rtnh_flags=0, rtnh_hops=0, rtnh_ifindex=0}]]]"),
        (24, &route, attribute(18, &[2, 0, 1]), "{rtvia_family=AF_INET, rtvia_addr=\"\\x01\"}]]"),
        (104, &hop, attribute(2, &[1, 0, 0, 0, 2, 3, 0, 0]), "[{id=1, weight=2, resvd1=0x3}]]]"),
        (
            84,
            &[0; 8],
            attribute(
                1,
                &attribute(1, &attribute(1, &[&[0; 24][..], &[0, 2, 0, 0, 5, 0, 1, 0, 7]].concat())),
            ),
            "{ifindex=0, state=MDB_TEMPORARY, flags=0, vid=0, addr={u=inet_addr(\"0.0.0.0\"), proto=htons(AF_INET)}}, \
             [{nla_len=5, nla_type=MDBA_MDB_EATTR_TIMER}, 7 /* 0.07 s */]]]]]",
        ),
        (
            78,
            &[0, 1, 0, 0],
            attribute(1, b"a"),
            "cmd=DCB_CMD_GSTATE}, [{nla_len=5, nla_type=DCB_ATTR_IFNAME}, \"\\x61\"]]",
        ),
        (
            94,
            &[0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0],
            attribute(5, &attribute(28, &attribute(1, &[0; 73]))),
            "tx_dropped=0, rx_noroute=0}, \"\\x00\"]]]]",
        ),
        (64, &[2, 0, 0, 0], attribute(7, &[0; 80]), "ndts_forced_gc_runs=0}]]"),
    ];
    for (kind, structure, attribute, expected) in rows {
        let text = printed(ROUTE, &message(kind, 0, &[structure, &attribute].concat()));
        assert!(text.ends_with(expected), "{text}: {expected}");
    }
    let names = printed(ROUTE, &message(94, 0, &[0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0]));
    assert!(names.ends_with("filter_mask=1<<IFLA_STATS_LINK_64|1<<IFLA_STATS_LINK_XSTATS}]"), "{names}");
}

#[test]
fn what_sockets_are_told() {
    let packet = [&[17][..], &[0; 15]].concat();
    let (netlink, inet) = ([&[16][..], &[0; 27]].concat(), [&[2][..], &[0; 71]].concat());
    let shared = [&[43, 1][..], &[0; 62]].concat();
    let request = [&[2][..], &[0; 55]].concat();
    let rows: [(u16, &[u8], Vec<u8>, &str); 13] = [
        (
            0,
            &packet,
            attribute(1, &[&[0; 8][..], &[1, 0, 2, 0, 3, 4], &[0; 30]].concat()),
            "pdmc_alen=2, pdmc_addr=\"\\x03\\x04\"}]]]",
        ),
        (0, &packet, attribute(0, &[0, 0, 0, 0, 2]), "PACKET_DIAG_INFO}, \"\\x00\\x00\\x00\\x00\\x02\"]]"),
        (0, &netlink, attribute(1, &[3, 0, 0, 0, 0, 0, 0, 0]), "NETLINK_DIAG_GROUPS}, [0x00000000000003]]]"),
        (0, &inet, attribute(8, &[3]), "0x3 /* RCV_SHUTDOWN|SEND_SHUTDOWN */]]"),
        (0, &inet, attribute(22, &[0, 0]), "INET_DIAG_SOCKOPT}, {}]]"),
        (0, &inet, attribute(22, &[1, 0, 0, 9]), "{recverr=1}, /* bytes 2..3 */ \"\\x00\\x09\"]]"),
        (
            0,
            &inet,
            attribute(18, &[&[2, 8, 1, 0, 10, 0, 0, 1][..], &[7; 92]].concat()),
            "tcpm_addr=inet_addr(\"10.0.0.1\"), tcpm_key=\"\\x07\"}]]]",
        ),
        (
            0,
            &inet,
            attribute(19, &attribute(2, &attribute(2, &[51, 0]))),
            "TLS_INFO_CIPHER}, TLS_CIPHER_AES_GCM_128]]]]",
        ),
        (
            0,
            &inet,
            attribute(20, &attribute(1, &attribute(3, &[1, 2]))),
            "SK_DIAG_BPF_STORAGE_MAP_VALUE}, 0x201]]]]",
        ),
        (
            0,
            &shared,
            attribute(5, &[0, 0, 0, 3, 1, 0, 0, 0]),
            "{reason=0x3000000 /* SMC_CLC_DECL_CNFERR */, peer_diagnosis=0x1 /* SMC_CLC_DECL_??? */}]]",
        ),
        (
            1,
            &request,
            attribute(1, &[7, 1, 2, 0, 2, 8, 0, 0, 80, 0, 0, 0, 10, 0, 0, 1]),
            "{family=AF_INET, prefix_len=8, port=80, addr=inet_addr(\"10.0.0.1\")}]]",
        ),
        (
            1,
            &request,
            attribute(1, &[10, 1, 2, 0, 1]),
            "{code=INET_DIAG_BC_MARK_COND, yes=1, no=2}, \"\\x01\"]]",
        ),
        (1, &request, attribute(3, &[0, 1]), "0x100 /* IPPROTO_??? */]]"),
    ];
    for (flags, structure, attribute, expected) in rows {
        let text = printed(SOCK_DIAG, &message(20, flags, &[structure, &attribute].concat()));
        assert!(text.ends_with(expected), "{text}: {expected}");
    }
    let states = printed(SOCK_DIAG, &message(20, 1, &[&[2, 6, 3, 0, 2, 0, 1, 0][..], &[0; 48]].concat()));
    assert!(states.contains("idiag_ext=1<<(INET_DIAG_MEMINFO-1)|1<<(INET_DIAG_INFO-1), idiag_states=1<<TCP_ESTABLISHED|0x10000"), "{states}");
}

#[test]
fn what_udev_and_nftables_tell() {
    let head = [&b"libudev\0\xfe\xed\xca\xfe"[..], &40_u32.to_le_bytes(), &[0; 24]].concat();
    let text = printed(KOBJECT_UEVENT, &[&head[..], b"a=b"].concat());
    assert!(text.starts_with("[{prefix=\"libudev\", magic=htonl(0xfeedcafe), header_size=40,"), "{text}");
    assert!(text.ends_with("filter_tag_bloom_lo=htonl(0)}, \"a=b\"]"), "{text}");
    assert_eq!(printed(KOBJECT_UEVENT, &head[..39]).matches('{').count(), 0);
    assert_eq!(printed(KOBJECT_UEVENT, b"add@/devices"), "\"add@/devices\"");
    for (id, expected) in [
        ([0, 10], "res_id=htons(NFNL_SUBSYS_NFTABLES)}]"),
        ([10, 0], "res_id=NFNL_SUBSYS_NFTABLES}]"),
        ([0, 11], "res_id=htons(11)}]"),
    ] {
        let text = printed(NETFILTER, &message(0xa00, 0, &[&[2, 0][..], &id].concat()));
        assert!(text.ends_with(expected), "{text}");
    }
}

#[test]
fn what_cannot_be_read_is_an_address() {
    let names = [attribute(3, b"a\0"), attribute(3, b"b\0")].concat();
    let bytes = message(16, 0, &[&[0; 16][..], &names].concat());
    // How many bytes can be read, and what the line ends with.
    let rows = [
        (15, "0x1000"),
        (16, "0x1010]"),
        (20, "{ifi_family=AF_UNSPEC, 0x1011}]"),
        (35, "ifi_change=0}, 0x1020]"),
        (37, "[[{nla_len=6, nla_type=IFLA_IFNAME}, 0x1024], ... /* 0x1028 */]]"),
        (40, "[[{nla_len=6, nla_type=IFLA_IFNAME}, \"a\"], ... /* 0x1028 */]]"),
        (44, "[[{nla_len=6, nla_type=IFLA_IFNAME}, \"a\"], [{nla_len=6, nla_type=IFLA_IFNAME}, 0x102c]]]"),
    ];
    for (readable, expected) in rows {
        let text = printed_of(ROUTE, &bytes[..readable], bytes.len());
        assert!(text.ends_with(expected), "{readable}: {text}");
    }
}

#[test]
fn errors_about_errors_end() {
    let mut bytes = Vec::new();
    for _ in 0..2000 {
        bytes = message(2, 0, &[&[0; 4][..], &bytes].concat());
    }
    let text = printed(ROUTE, &bytes);
    assert_eq!(text.matches("{error=0").count(), 1, "{text}");
}

#[test]
fn paths_inside_of_paths_end() {
    let mut paths = vec![8, 0, 0, 0, 0, 0, 0, 0];
    while paths.len() < 65_000 {
        let length = (paths.len() + 12) as u16;
        paths = [&length.to_le_bytes()[..], &[0; 6], &attribute(9, &paths)].concat();
    }
    let text = printed(ROUTE, &message(24, 0, &[&[0; 12][..], &attribute(9, &paths)].concat()));
    assert_eq!(text.matches("RTA_MULTIPATH").count(), 2, "{text}");
    assert_eq!(text.matches("rtnh_len=").count(), 1, "{text}");
}

#[test]
fn several_messages_are_an_array() {
    let done = message(3, 2, &[0; 4]);
    let text = printed(SOCK_DIAG, &[&done[..], &done].concat());
    let one = "[{nlmsg_len=20, nlmsg_type=NLMSG_DONE, nlmsg_flags=NLM_F_MULTI, nlmsg_seq=7, nlmsg_pid=0}, 0]";
    assert_eq!(text, format!("[{one}, {one}]"));
}

proptest! {
    /// Lengths that promise more than there is, or nothing, end where the bytes do.
    #[test]
    fn any_bytes_are_messages(
        protocol in prop_oneof![Just(ROUTE), Just(SOCK_DIAG), Just(None)],
        kind in 0_u16..120,
        flags in any::<u16>(),
        content in proptest::collection::vec(any::<u8>(), 0..300),
        family in prop_oneof![Just(1_u8), Just(2), Just(10), Just(7), Just(16), Just(17), Just(43), Just(128), any::<u8>()],
        length in any::<u32>(),
        is_true in any::<bool>(),
    ) {
        let mut content = content;
        if let Some(first) = content.first_mut() {
            *first = family;
        }
        let mut bytes = message(kind, flags, &content);
        if !is_true {
            bytes[..4].copy_from_slice(&length.to_le_bytes());
        }
        let readable = bytes.len() - (flags as usize % 40).min(bytes.len() - 16);
        let text = printed_of(protocol, &bytes[..readable], bytes.len());
        prop_assert!(text.contains("{nlmsg_len="), "{text}");
        prop_assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    }
}
