//! Messages of netlink that are right, cut and anything.

use proptest::prelude::*;

use super::super::{Decoder, Keeper, Phase, Style};
use super::{ROUTE, SOCK_DIAG};
use crate::event::{Event, Kind};

/// The messages in these bytes, as they are printed.
fn printed(protocol: Option<u32>, bytes: &[u8]) -> String {
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
    call.write_netlink(&mut out, protocol, ADDRESS, bytes.len() as u64);
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
        let text = printed(protocol, &bytes);
        prop_assert!(text.contains("{nlmsg_len="), "{text}");
        prop_assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    }
}
