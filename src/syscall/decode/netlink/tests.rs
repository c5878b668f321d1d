//! Messages of netlink that are right, cut and anything.

use proptest::prelude::*;

use super::super::{Decoder, Keeper, Phase, Style};
use super::{ROUTE, SOCK_DIAG};
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
    let rows: [(u16, &[u8], Vec<u8>, &str); 17] = [
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
        (96, &[2, 0, 0, 0], attribute(1, &[1]), "IGMPMSG_NOCACHE"),
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
        kind in 0_u16..100,
        flags in any::<u16>(),
        content in proptest::collection::vec(any::<u8>(), 0..300),
        family in prop_oneof![Just(1_u8), Just(2), Just(10), Just(16), Just(17), any::<u8>()],
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
