//! Addresses of sockets of the families that few programs use: packets, Bluetooth, virtual machines, cryptography...

use super::layout::Show::{
    Descriptor, Enum, Flags, Hex as Hexadecimal, Interface, Nested, Own, Process, Text, Uint,
};
use super::layout::Size::{B1, B2, B4};
use super::layout::{Layout, layouts};
use super::net::{word16, word32, word64};
use super::text::write_text;
use super::{Constants, Decoder, Hex};
use crate::syscall::flags::netlink::NL_HARDWARE;
use crate::syscall::flags::{
    BLUETOOTH_ADDRESS, CRYPTO, ETHERNET_PROTOCOL, FlagSet, HCI_CHANNEL, IEEE802154_ADDRESS,
    IEEE802154_NETWORK, IEEE802154_SHORT, L2CAP_CHANNEL, L2CAP_PORT, MCTP_ADDRESS, MCTP_NETWORK, NFC_KIND,
    NFC_SERVICE, PACKET_KIND, QRTR_NODE, QRTR_PORT, RXRPC_SERVICE, SOCKET_DOMAIN, SOCKET_TYPE, VSOCK_CONTEXT,
    VSOCK_FLAGS, VSOCK_PORT, XDP, write_hex, write_number, write_radix,
};

layouts! {
    /// `struct sockaddr_nl`.
    NETLINK: 12/12 {
        set(2) nl_pad @ 2/2 Hexadecimal(B2);
        always nl_pid @ 4/4 Process;
        always nl_groups @ 8/8 Own(write_padded::<4>);
    }
    /// `struct sockaddr_ll`.
    PACKET: 20/20 {
        always sll_protocol @ 2/2 Own(write_ethernet);
        always sll_ifindex @ 4/4 Interface;
        always sll_hatype @ 8/8 Enum(&NL_HARDWARE, B2);
        always sll_pkttype @ 10/10 Enum(&PACKET_KIND, B1);
        always sll_halen @ 11/11 Own(write_hardware);
    }
    /// `struct sockaddr_ipx`.
    IPX: 16/16 {
        always sipx_port @ 2/2 Own(write_port);
        always sipx_network @ 4/4 Own(write_network);
        always sipx_node @ 8/8 Own(write_node);
        always sipx_type @ 14/14 Own(write_padded::<1>);
        set(1) sipx_zero @ 15/15 Hexadecimal(B1);
    }
    /// `struct sockaddr_x25`.
    X25: 18/18 {
        always sx25_addr @ 2/2 Nested(&X25_ADDRESS);
    }
    /// `struct x25_address`.
    X25_ADDRESS: 16/16 {
        always x25_addr @ 0/0 Text(16);
    }
    /// `struct sockaddr_hci` in its first version.
    HCI_DEVICE: 4/4 {
        always hci_dev @ 2/2 Own(write_device);
    }
    /// `struct sockaddr_hci`.
    HCI: 6/6 {
        always hci_dev @ 2/2 Own(write_device);
        always hci_channel @ 4/4 Enum(&HCI_CHANNEL, B2);
    }
    /// `struct sockaddr_sco`.
    SCO: 8/8 {
        always sco_bdaddr @ 2/2 Own(write_bluetooth);
    }
    /// `struct sockaddr_rc`.
    RFCOMM: 10/10 {
        always rc_bdaddr @ 2/2 Own(write_bluetooth);
        always rc_channel @ 8/8 Uint(B1);
    }
    /// `struct sockaddr_l2` in its first version.
    L2CAP_FIRST: 12/12 {
        always l2_psm @ 2/2 Own(write_l2cap_port);
        always l2_bdaddr @ 4/4 Own(write_bluetooth);
        always l2_cid @ 10/10 Own(write_l2cap_channel);
    }
    /// `struct sockaddr_l2`.
    L2CAP: 14/14 {
        always l2_psm @ 2/2 Own(write_l2cap_port);
        always l2_bdaddr @ 4/4 Own(write_bluetooth);
        always l2_cid @ 10/10 Own(write_l2cap_channel);
        always l2_bdaddr_type @ 12/12 Enum(&BLUETOOTH_ADDRESS, B1);
    }
    /// `struct sockaddr_ieee802154`.
    IEEE802154: 20/20 {
        always addr @ 4/4 Nested(&IEEE802154_ADDR);
    }
    /// `struct ieee802154_addr_sa`.
    IEEE802154_ADDR: 16/16 {
        always addr_type @ 0/0 Own(write_ieee802154_kind);
        always pan_id @ 4/4 Own(write_ieee802154_network);
        has(is_short) short_addr @ 6/6 Own(write_ieee802154_short);
        has(is_long) hwaddr @ 6/6 Own(write_ieee802154_long);
    }
    /// `struct sockaddr_alg`, with at least one byte of the name.
    ALGORITHM: 25/25 {
        always salg_type @ 2/2 Own(write_algorithm_kind);
        always salg_feat @ 16/16 Own(write_crypto);
        always salg_mask @ 20/20 Own(write_crypto);
        always salg_name @ 24/24 Own(write_algorithm);
    }
    /// `struct sockaddr_nfc`.
    NFC: 16/16 {
        always dev_idx @ 4/4 Interface;
        always target_idx @ 8/8 Hexadecimal(B4);
        always nfc_protocol @ 12/12 Enum(&NFC_KIND, B4);
    }
    /// `struct sockaddr_vm`.
    VSOCK: 16/16 {
        set(2) svm_reserved1 @ 2/2 Hexadecimal(B2);
        always svm_cid @ 8/8 Enum(&VSOCK_CONTEXT, B4);
        always svm_port @ 4/4 Enum(&VSOCK_PORT, B4);
        always svm_flags @ 12/12 Flags(&VSOCK_FLAGS, B1);
        set(3) svm_zero @ 13/13 Own(write_zeros);
    }
    /// `struct sockaddr_qrtr`.
    QRTR: 12/12 {
        always sq_node @ 4/4 Enum(&QRTR_NODE, B4);
        always sq_port @ 8/8 Enum(&QRTR_PORT, B4);
    }
    /// `struct sockaddr_xdp`.
    EXPRESS: 16/16 {
        always sxdp_flags @ 2/2 Flags(&XDP, B2);
        always sxdp_ifindex @ 4/4 Interface;
        always sxdp_queue_id @ 8/8 Uint(B4);
        has(shares_memory) sxdp_shared_umem_fd @ 12/12 Descriptor;
        has(has_stray_descriptor) sxdp_shared_umem_fd @ 12/12 Hexadecimal(B4);
    }
    /// `struct sockaddr_mctp`.
    MCTP: 12/12 {
        set(2) __smctp_pad0 @ 2/2 Hexadecimal(B2);
        always smctp_network @ 4/4 Enum(&MCTP_NETWORK, B4);
        always smctp_addr @ 8/8 Nested(&MCTP_ADDR);
        always smctp_type @ 9/9 Hexadecimal(B1);
        always smctp_tag @ 10/10 Hexadecimal(B1);
        set(1) __smctp_pad1 @ 11/11 Hexadecimal(B1);
    }
    /// `struct mctp_addr`.
    MCTP_ADDR: 1/1 {
        always s_addr @ 0/0 Enum(&MCTP_ADDRESS, B1);
    }
}

layouts! {
    /// The head of `struct sockaddr_rxrpc`.
    RXRPC: 36/36 {
        always srx_service @ 2/2 Own(write_rxrpc_service);
        always transport_type @ 4/4 Enum(&SOCKET_TYPE, B2);
        always transport_len @ 6/6 Own(write_transport);
    }
}

/// The structure of a family's address, of which there is no less. A line a family (`AF_*`).
static LAYOUTS: &[(u16, &Layout)] = &[
    (4, &IPX),
    (9, &X25),
    (16, &NETLINK),
    (17, &PACKET),
    (33, &RXRPC),
    (36, &IEEE802154),
    (38, &ALGORITHM),
    (39, &NFC),
    (40, &VSOCK),
    (42, &QRTR),
    (44, &EXPRESS),
    (45, &MCTP),
];

const AX25: u16 = 3;
const BLUETOOTH: u16 = 31;
const NEAR_FIELD: u16 = 39;

/// Bluetooth's, which are told by their size.
static OF_BLUETOOTH: &[&Layout] = &[&HCI_DEVICE, &HCI, &SCO, &RFCOMM, &L2CAP_FIRST, &L2CAP];

/// Writes what is behind the family, with a separator before; `false`: it is of none of these, or too short.
pub(super) fn write(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) -> bool {
    let (family, half) = (word16(bytes, 0), call.half());
    if family == AX25 && bytes.len() >= AX25_SIZE {
        write_ax25(call, out, bytes);
        return true;
    }
    let layout = if family == BLUETOOTH {
        OF_BLUETOOTH.iter().find(|layout| layout.size[0] == bytes.len())
    } else {
        let row = LAYOUTS.iter().find(|(known, _)| *known == family);
        row.map(|(_, layout)| layout).filter(|layout| bytes.len() >= layout.size[half])
    };
    let Some(layout) = layout else { return false };
    call.write_some(out, layout, bytes, usize::MAX);
    if family == NEAR_FIELD {
        write_service(call, out, bytes);
    }
    true
}

/// As wide with its 0x as without: of so many bytes.
fn write_padded<const SIZE: usize>(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_wide(out, SIZE, bytes);
}

fn write_wide(out: &mut Vec<u8>, size: usize, bytes: &[u8]) {
    let mut value = [0; 8];
    let count = size.min(bytes.len());
    value[..count].copy_from_slice(&bytes[..count]);
    let (value, width) = (u64::from_le_bytes(value), 2 * size);
    let text = if value == 0 { "0".repeat(width) } else { format!("{value:#0width$x}") };
    out.extend_from_slice(text.as_bytes());
}

/// `htons(ETH_P_ALL)`
fn write_ethernet(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let number = |out: &mut Vec<u8>| write_text(out, &bytes[..bytes.len().min(2)], Hex::All, false);
    call.style.constants.write(out, number, |out| {
        out.extend_from_slice(b"htons(");
        ETHERNET_PROTOCOL.write_one(out, u64::from(word16(bytes, 0).swap_bytes()));
        out.push(b')');
    });
}

/// `6, sll_addr=[0x52, 0x54, 00, 0x12, 0x34, 0x56]`
fn write_hardware(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let Some((&count, address)) = bytes.split_first() else { return };
    write_radix(out, u64::from(count), 10, 1);
    if count > 0 {
        out.extend_from_slice(b", sll_addr=");
        write_bytes(out, &address[..address.len().min(count.into())], usize::from(count) > address.len());
    }
}

/// `[0x52, 00]`
fn write_bytes(out: &mut Vec<u8>, bytes: &[u8], is_cut: bool) {
    out.push(b'[');
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        write_wide(out, 1, &[*byte]);
    }
    if is_cut {
        out.extend_from_slice(b", ...");
    }
    out.push(b']');
}

fn write_port(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    super::address::write_port(out, &bytes[..bytes.len().min(2)], call.style.constants);
}

/// `htonl(0x5)`
fn write_network(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(b"htonl(");
    write_hex(out, u64::from(word32(bytes, 0).swap_bytes()));
    out.push(b')');
}

fn write_node(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_bytes(out, &bytes[..bytes.len().min(6)], false);
}

/// `htobs(0)`
fn write_device(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(b"htobs(");
    write_radix(out, u64::from(word16(bytes, 0)), 10, 1);
    out.push(b')');
}

fn write_bluetooth(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_link(call, out, &bytes[..bytes.len().min(6)]);
}

/// `00:11:22:33:44:55`
fn write_link(call: &Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let parts: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let number = |out: &mut Vec<u8>| write_text(out, bytes, Hex::All, false);
    call.style.constants.write(out, number, |out| out.extend_from_slice(parts.join(":").as_bytes()));
}

/// Where ports and channels begin that are given out as they are asked for, and up to which number.
const L2CAP_PORTS: [(u16, u16, &str); 2] =
    [(0x80, 0xff, "L2CAP_PSM_LE_DYN_START"), (0x1001, u16::MAX, "L2CAP_PSM_DYN_START")];
const L2CAP_CHANNELS: [(u16, u16, &str); 1] = [(0x40, u16::MAX, "L2CAP_CID_DYN_START")];

fn write_l2cap_port(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_l2cap(call, out, word16(bytes, 0), &L2CAP_PORT, &L2CAP_PORTS);
}

fn write_l2cap_channel(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_l2cap(call, out, word16(bytes, 0), &L2CAP_CHANNEL, &L2CAP_CHANNELS);
}

/// `htobs(L2CAP_PSM_SDP)`, `htobs(L2CAP_PSM_DYN_START + 3)`
fn write_l2cap(
    call: &Decoder<'_, '_>,
    out: &mut Vec<u8>,
    value: u16,
    names: &FlagSet,
    ranges: &[(u16, u16, &str)],
) {
    out.extend_from_slice(b"htobs(");
    let range = ranges.iter().find(|(first, last, _)| (*first..=*last).contains(&value));
    let number = |out: &mut Vec<u8>| write_hex(out, u64::from(value));
    let name = |out: &mut Vec<u8>| match (names.name(u64::from(value)), range) {
        (Some(name), _) => out.extend_from_slice(name.as_bytes()),
        (None, Some((first, _, name))) => {
            let number = |out: &mut Vec<u8>| write_hex(out, u64::from(*first));
            call.style.constants.write(out, number, |out| out.extend_from_slice(name.as_bytes()));
            out.extend_from_slice(format!("+{}", value - first).as_bytes());
        }
        (None, None) => names.write_one(out, u64::from(value)),
    };
    call.style.constants.write(out, number, name);
    out.push(b')');
}

/// Numbers with their names in a comment, wherever there are names.
fn commented(call: &Decoder<'_, '_>) -> Constants {
    match call.style.constants {
        Constants::Numbers => Constants::Numbers,
        Constants::Names | Constants::Both => Constants::Both,
    }
}

fn write_ieee802154_kind(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    commented(call).one(out, &IEEE802154_ADDRESS, u64::from(word32(bytes, 0)));
}

fn write_ieee802154_network(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    commented(call).one(out, &IEEE802154_NETWORK, u64::from(word16(bytes, 0)));
}

fn write_ieee802154_short(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    commented(call).one(out, &IEEE802154_SHORT, u64::from(word16(bytes, 0)));
}

fn write_ieee802154_long(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_link(call, out, &bytes[..bytes.len().min(8)]);
}

fn is_short(address: &[u8]) -> bool {
    word32(address, 0) == 2
}

fn is_long(address: &[u8]) -> bool {
    !matches!(word32(address, 0), 0 | 2)
}

/// Text in a field that a NUL byte is to end.
fn write_field(call: &Decoder<'_, '_>, out: &mut Vec<u8>, field: &[u8]) {
    let end = field.iter().position(|&byte| byte == 0);
    let shown = end.unwrap_or(field.len().saturating_sub(1));
    write_text(out, &field[..shown], call.style.hex, end.is_none());
}

fn write_algorithm_kind(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_field(call, out, &bytes[..bytes.len().min(14)]);
}

fn write_algorithm(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_field(call, out, bytes);
}

fn write_crypto(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    commented(call).bits(out, &CRYPTO, u64::from(word32(bytes, 0)));
}

/// The rest of `struct sockaddr_nfc_llcp`: where the service is, and its name.
fn write_service(call: &Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    const NAME: std::ops::Range<usize> = 18..81;
    let (at, size) = if call.half() == 0 { (88, 96) } else { (84, 88) };
    if bytes.len() < size {
        if bytes.len() > NFC.size[0] {
            out.extend_from_slice(b", ...");
        }
        return;
    }
    let length = if call.half() == 0 { word64(bytes, at) } else { u64::from(word32(bytes, at)) };
    for (name, at) in [("dsap", 16), ("ssap", 17)] {
        out.extend_from_slice(format!(", {name}=").as_bytes());
        commented(call).one(out, &NFC_SERVICE, u64::from(bytes[at]));
    }
    out.extend_from_slice(b", service_name=");
    let shown = usize::try_from(length).unwrap_or(usize::MAX).min(NAME.len());
    write_text(out, &bytes[NAME][..shown], call.style.hex, false);
    out.extend_from_slice(format!(", service_name_len={length}").as_bytes());
}

fn write_zeros(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_text(out, &bytes[..bytes.len().min(3)], Hex::All, false);
}

/// `XDP_SHARED_UMEM`.
fn shares_memory(address: &[u8]) -> bool {
    word16(address, 2) & 1 != 0
}

fn has_stray_descriptor(address: &[u8]) -> bool {
    !shares_memory(address) && word32(address, 12) != 0
}

fn write_rxrpc_service(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    commented(call).one(out, &RXRPC_SERVICE, u64::from(word16(bytes, 0)));
}

/// `16, transport={sin={sin_family=AF_INET, sin_port=htons(7000), ...}}`: what is below it, and how long that is.
fn write_transport(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    const IP: usize = 16;
    const IP6: usize = 24;
    let (given, bytes) = (usize::from(word16(bytes, 0)), bytes.get(2..).unwrap_or_default());
    let family = word16(bytes, 0);
    let (name, least) = match family {
        2 => ("sin", IP),
        10 => ("sin6", IP6),
        _ => ("", usize::MAX),
    };
    out.extend_from_slice(format!("{given}, transport={{").as_bytes());
    if name.is_empty() {
        out.extend_from_slice(b"family=");
    } else {
        out.extend_from_slice(format!("{name}={{{name}_family=").as_bytes());
    }
    call.style.constants.one(out, &SOCKET_DOMAIN, u64::from(family));
    let below = &bytes[..bytes.len().min(given)];
    if given >= least {
        super::address::write_internet(call, out, below);
    } else if below.len() > 2 {
        out.extend_from_slice(b", ");
        write_text(out, &below[2..], call.style.hex, false);
    }
    out.extend_from_slice(if name.is_empty() { b"}" } else { b"}}" });
}

/// Size of `struct sockaddr_ax25`, where the call sign is in it, and how long that is.
const AX25_SIZE: usize = 16;
const CALL_AT: usize = 2;
const CALL: usize = 7;
/// Relays of a `struct full_sockaddr_ax25`.
const MOST_RELAYS: usize = 8;

/// `sax25_call=LINUX-1, sax25_ndigis=0`, with relays if there are any.
fn write_ax25(call: &Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let relays = word32(bytes, 12).cast_signed();
    let is_full = relays != 0 || bytes.len() > AX25_SIZE;
    out.extend_from_slice(if is_full { b", fsa_ax25={sax25_call=" } else { b", sax25_call=" });
    write_call_sign(call, out, &bytes[CALL_AT..CALL_AT + CALL]);
    out.extend_from_slice(b", sax25_ndigis=");
    write_number(out, i64::from(relays));
    if !is_full {
        return;
    }
    out.push(b'}');
    let rest = &bytes[AX25_SIZE..];
    let (has, wanted) = ((rest.len() / CALL).min(MOST_RELAYS), (relays.max(0) as usize).min(MOST_RELAYS));
    if wanted > 0 {
        out.extend_from_slice(b", fsa_digipeater=[");
        let mut is_cut = false;
        for (index, sign) in rest.chunks_exact(CALL).take(has.min(wanted)).enumerate() {
            if index > 0 {
                out.extend_from_slice(b", ");
            }
            if index >= call.most_elements() {
                is_cut = true;
                out.extend_from_slice(b"...");
                break;
            }
            write_call_sign(call, out, sign);
        }
        if wanted > has && !is_cut {
            out.extend_from_slice(if has > 0 { b", ..." } else { b"..." });
        }
        out.push(b']');
    }
    if rest.len() > has * CALL {
        out.extend_from_slice(b", ...");
    }
}

/// A call sign in the upper seven bits of each byte, and its number in the last; as bytes where it is not sane, with what
/// it may mean in a comment if that prints.
fn write_call_sign(call: &Decoder<'_, '_>, out: &mut Vec<u8>, sign: &[u8]) {
    let (letters, last) = (&sign[..CALL - 1], sign[CALL - 1]);
    let plain: Vec<u8> = letters.iter().map(|byte| byte >> 1).collect();
    let raw = |out: &mut Vec<u8>| {
        out.extend_from_slice(b"{ax25_call=");
        write_text(out, sign, Hex::All, false);
        out.push(b'}');
    };
    if plain.iter().any(|byte| !(b' '..=b'~').contains(byte) || matches!(byte, b'*' | b'/')) {
        return raw(out);
    }
    let shown = plain.iter().rposition(|&byte| byte != b' ').map_or(0, |last| last + 1);
    let is_sane = letters.iter().all(|byte| byte & 1 == 0)
        && plain[..shown].iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
        && last & !0x1e == 0
        && (shown > 0 || last == 0);
    let text = match (shown, last >> 1 & 0xf) {
        (0, 0) => b"*".to_vec(),
        (_, number) => [&plain[..shown], format!("-{number}").as_bytes()].concat(),
    };
    let constants = if is_sane { call.style.constants } else { Constants::Both };
    constants.write(out, raw, |out| out.extend_from_slice(&text));
}
