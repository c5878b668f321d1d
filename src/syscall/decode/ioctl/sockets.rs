//! Operations on sockets and network interfaces (`netdevice(7)`).

use super::super::address::write_socket_address;
use super::super::layout::Layout;
use super::super::layout::Show::{Address, Enum, Flags, Hex, Int, Interface, Nested, Own, Text};
use super::super::layout::Size::{B1, B2, B4, Word};
use super::super::layout::layouts;
use super::super::net::{word16, word32};
use super::super::text::{Hex as InHex, write_text};
use super::super::{Decoder, Phase};
use super::Use::{In, Out, Parts};
use super::{Row, Use, What};
use crate::syscall::flags::netlink::{NL_HARDWARE, NL_LINK_FLAGS};
use crate::syscall::flags::{write_number, write_radix};

const INT: What = What::Integer(4);
const POINTER: Use = In(What::Pointer);

/// An operation that is passed the name of an interface, and tells this of it.
macro_rules! tells {
    ($layout:ident) => {
        Parts(
            |call, out, index| call.write_passed(out, index, &NAME),
            |call, out, index| {
                call.write_filled(out, index, &NAME, &$layout);
            },
        )
    };
}

/// One that is passed the name, and this.
macro_rules! sets {
    ($layout:ident) => {
        In(What::Own(|call, out, address| write_request(call, out, address, &$layout)))
    };
}

pub(super) static ROWS: &[Row] = &[
    (0x8901, In(INT)),                            // FIOSETOWN
    (0x8902, In(INT)),                            // SIOCSPGRP
    (0x8903, Out(INT)),                           // FIOGETOWN
    (0x8904, Out(INT)),                           // SIOCGPGRP
    (0x8905, Out(INT)),                           // SIOCATMARK
    (0x8906, POINTER),                            // SIOCGSTAMP_OLD
    (0x8907, POINTER),                            // SIOCGSTAMPNS_OLD
    (0x8010_8906, POINTER),                       // SIOCGSTAMP_NEW
    (0x8010_8907, POINTER),                       // SIOCGSTAMPNS_NEW
    (0x890b, POINTER),                            // SIOCADDRT
    (0x890c, POINTER),                            // SIOCDELRT
    (0x890d, POINTER),                            // SIOCRTMSG
    (0x8910, Parts(write_index, write_name)),     // SIOCGIFNAME
    (0x8911, POINTER),                            // SIOCSIFLINK
    (0x8912, Parts(write_list_size, write_list)), // SIOCGIFCONF
    (0x8913, tells!(STATE)),                      // SIOCGIFFLAGS
    (0x8914, sets!(STATE)),                       // SIOCSIFFLAGS
    (0x8915, tells!(LOCAL)),                      // SIOCGIFADDR
    (0x8916, sets!(LOCAL)),                       // SIOCSIFADDR
    (0x8917, tells!(PEER)),                       // SIOCGIFDSTADDR
    (0x8918, sets!(PEER)),                        // SIOCSIFDSTADDR
    (0x8919, tells!(BROADCAST)),                  // SIOCGIFBRDADDR
    (0x891a, sets!(BROADCAST)),                   // SIOCSIFBRDADDR
    (0x891b, tells!(MASK)),                       // SIOCGIFNETMASK
    (0x891c, sets!(MASK)),                        // SIOCSIFNETMASK
    (0x891d, tells!(METRIC)),                     // SIOCGIFMETRIC
    (0x891e, sets!(METRIC)),                      // SIOCSIFMETRIC
    (0x891f, POINTER),                            // SIOCGIFMEM
    (0x8920, POINTER),                            // SIOCSIFMEM
    (0x8921, tells!(UNIT)),                       // SIOCGIFMTU
    (0x8922, sets!(UNIT)),                        // SIOCSIFMTU
    (0x8923, sets!(RENAMED)),                     // SIOCSIFNAME
    (0x8924, sets!(HARDWARE)),                    // SIOCSIFHWADDR
    (0x8925, Out(INT)),                           // SIOCGIFENCAP
    (0x8926, In(INT)),                            // SIOCSIFENCAP
    (0x8927, tells!(HARDWARE)),                   // SIOCGIFHWADDR
    (0x8929, tells!(SLAVE)),                      // SIOCGIFSLAVE
    (0x8930, sets!(SLAVE)),                       // SIOCSIFSLAVE
    (0x8931, sets!(HARDWARE)),                    // SIOCADDMULTI
    (0x8932, sets!(HARDWARE)),                    // SIOCDELMULTI
    (0x8933, tells!(INDEX)),                      // SIOCGIFINDEX
    (0x8934, POINTER),                            // SIOCSIFPFLAGS
    (0x8935, POINTER),                            // SIOCGIFPFLAGS
    (0x8936, POINTER),                            // SIOCDIFADDR
    (0x8937, sets!(HARDWARE)),                    // SIOCSIFHWBROADCAST
    (0x8938, POINTER),                            // SIOCGIFCOUNT
    (0x8940, POINTER),                            // SIOCGIFBR
    (0x8941, POINTER),                            // SIOCSIFBR
    (0x8942, tells!(QUEUE)),                      // SIOCGIFTXQLEN
    (0x8943, sets!(QUEUE)),                       // SIOCSIFTXQLEN
    (0x8946, POINTER),                            // SIOCETHTOOL
    (0x8947, POINTER),                            // SIOCGMIIPHY
    (0x8948, POINTER),                            // SIOCGMIIREG
    (0x8949, POINTER),                            // SIOCSMIIREG
    (0x894a, POINTER),                            // SIOCWANDEV
    (0x894b, Out(INT)),                           // SIOCOUTQNSD
    (0x894c, POINTER),                            // SIOCGSKNS
    (0x8953, POINTER),                            // SIOCDARP
    (0x8954, POINTER),                            // SIOCGARP
    (0x8955, POINTER),                            // SIOCSARP
    (0x8960, POINTER),                            // SIOCDRARP
    (0x8961, POINTER),                            // SIOCGRARP
    (0x8962, POINTER),                            // SIOCSRARP
    (0x8970, tells!(MAP)),                        // SIOCGIFMAP
    (0x8971, sets!(MAP)),                         // SIOCSIFMAP
    (0x8980, POINTER),                            // SIOCADDDLCI
    (0x8981, POINTER),                            // SIOCDELDLCI
    (0x8982, POINTER),                            // SIOCGIFVLAN
    (0x8983, POINTER),                            // SIOCSIFVLAN
    (0x8990, POINTER),                            // SIOCBONDENSLAVE
    (0x8991, POINTER),                            // SIOCBONDRELEASE
    (0x8992, POINTER),                            // SIOCBONDSETHWADDR
    (0x8993, POINTER),                            // SIOCBONDSLAVEINFOQUERY
    (0x8994, POINTER),                            // SIOCBONDINFOQUERY
    (0x8995, POINTER),                            // SIOCBONDCHANGEACTIVE
    (0x89a0, In(What::Text(16))),                 // SIOCBRADDBR
    (0x89a1, In(What::Text(16))),                 // SIOCBRDELBR
    (0x89a2, In(What::Of(&PORT))),                // SIOCBRADDIF
    (0x89a3, In(What::Of(&PORT))),                // SIOCBRDELIF
    (0x89b0, POINTER),                            // SIOCSHWTSTAMP
    (0x89b1, POINTER),                            // SIOCGHWTSTAMP
];

layouts! {
    /// `struct ifreq`, of which each operation uses another part.
    NAME: 40/32 { always ifr_name @ 0/0 Text(16); }
    /// `SIOCGIFFLAGS`.
    STATE: 40/32 { always ifr_flags @ 16/16 Flags(&NL_LINK_FLAGS, B2); }
    /// `SIOCGIFADDR`.
    LOCAL: 40/32 { always ifr_addr @ 16/16 Own(write_short_address); }
    /// `SIOCGIFDSTADDR`.
    PEER: 40/32 { always ifr_dstaddr @ 16/16 Own(write_short_address); }
    /// `SIOCGIFBRDADDR`.
    BROADCAST: 40/32 { always ifr_broadaddr @ 16/16 Own(write_short_address); }
    /// `SIOCGIFNETMASK`.
    MASK: 40/32 { always ifr_netmask @ 16/16 Own(write_short_address); }
    /// `SIOCGIFMETRIC`.
    METRIC: 40/32 { always ifr_metric @ 16/16 Int(B4); }
    /// `SIOCGIFMTU`.
    UNIT: 40/32 { always ifr_mtu @ 16/16 Int(B4); }
    /// `SIOCSIFNAME`.
    RENAMED: 40/32 { always ifr_newname @ 16/16 Text(16); }
    /// `SIOCGIFSLAVE`.
    SLAVE: 40/32 { always ifr_slave @ 16/16 Text(16); }
    /// `SIOCGIFHWADDR`.
    HARDWARE: 40/32 { always ifr_hwaddr @ 16/16 Nested(&HARDWARE_ADDRESS); }
    /// `SIOCGIFINDEX`.
    INDEX: 40/32 { always ifr_ifindex @ 16/16 Int(B4); }
    /// `SIOCGIFTXQLEN`.
    QUEUE: 40/32 { always ifr_qlen @ 16/16 Int(B4); }
    /// `SIOCGIFMAP`.
    MAP: 40/32 { always ifr_map @ 16/16 Nested(&DEVICE_MAP); }
    /// `SIOCBRADDIF`.
    PORT: 40/32 { always ifr_ifindex @ 16/16 Interface; }
    /// An element of the list of `SIOCGIFCONF`.
    ELEMENT: 40/32 {
        always ifr_name @ 0/0 Text(16);
        always ifr_addr @ 16/16 Own(write_short_address);
    }
    /// `struct sockaddr` with an address of a link.
    HARDWARE_ADDRESS: 16/16 {
        always sa_family @ 0/0 Enum(&NL_HARDWARE, B2);
        always sa_data @ 0/0 Own(write_link_address);
    }
    /// `struct ifmap`.
    DEVICE_MAP: 24/16 {
        always mem_start @ 0/0 Hex(Word);
        always mem_end @ 8/4 Hex(Word);
        always base_addr @ 16/8 Hex(B2);
        always irq @ 18/10 Hex(B1);
        always dma @ 19/11 Hex(B1);
        always port @ 20/12 Hex(B1);
    }
    /// `struct ifconf`.
    LIST: 16/8 {
        always ifc_len @ 0/0 Int(B4);
        always ifc_buf @ 8/4 Address;
    }
}

/// Bytes of a `struct sockaddr`.
const SHORT: usize = 16;

fn write_short_address(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_socket_address(call, out, &bytes[..bytes.len().min(SHORT)]);
}

/// Bytes of an address, for links whose drivers say how many (`ARPHRD_*`); others have all there are.
static LINK_SIZES: &[(u16, usize)] = &[
    (0, 7),
    (1, 6),
    (3, 7),
    (6, 6),
    (7, 1),
    (15, 2),
    (27, 8),
    (256, 0),
    (270, 5),
    (271, 0),
    (280, 0),
    (290, 1),
    (512, 0),
    (518, 0),
    (519, 0),
    (768, 4),
    (772, 6),
    (773, 1),
    (774, 6),
    (776, 4),
    (777, 0),
    (778, 4),
    (779, 0),
    (780, 6),
    (783, 4),
    (801, 6),
    (802, 6),
    (803, 6),
    (804, 8),
    (805, 8),
    (820, 1),
    (821, 1),
    (822, 0),
    (824, 0),
    (825, 8),
    (826, 0),
];

/// `52:54:00:12:34:56`
fn write_link_address(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let kind = word16(bytes, 0);
    let address = bytes.get(2..SHORT).unwrap_or_default();
    let size = LINK_SIZES.iter().find(|(known, _)| *known == kind).map_or(address.len(), |(_, size)| *size);
    let parts: Vec<String> = address.iter().take(size).map(|byte| format!("{byte:02x}")).collect();
    let number = |out: &mut Vec<u8>| write_text(out, address, InHex::All, false);
    call.style.constants.write(out, number, |out| out.extend_from_slice(parts.join(":").as_bytes()));
}

/// `{ifr_name="lo", ifr_mtu=1500}`
fn write_request(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64, set: &Layout) {
    if call.try_layout(out, address, &NAME).is_none() {
        return call.write_address(out, address);
    }
    let end = out.len() - 1;
    if call.try_layout(out, address, set).is_some() {
        out.splice(end..end + 2, *b", ");
    }
}

fn write_index(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    call.write_passed(out, index, &INDEX);
}

fn write_name(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    call.write_filled(out, index, &INDEX, &NAME);
}

/// The length and the address of the list, as they are at a moment.
fn list(call: &mut Decoder<'_, '_>, phase: Phase, index: usize) -> Option<(i32, u64)> {
    let address = call.arg(index);
    if address == 0 || call.style.addresses {
        return None;
    }
    let mut bytes = [0; 16];
    let size = LIST.size[call.half()];
    if call.memory.read(phase, address, &mut bytes[..size]) < size {
        return None;
    }
    let buffer =
        if call.half() == 0 { super::super::net::word64(&bytes, 8) } else { u64::from(word32(&bytes, 4)) };
    Some((word32(&bytes, 0).cast_signed(), buffer))
}

/// `80 /* 2 * sizeof(struct ifreq) */`
fn write_list_length(call: &Decoder<'_, '_>, out: &mut Vec<u8>, length: i32) {
    write_number(out, i64::from(length));
    let size = ELEMENT.size[call.half()];
    let bytes = usize::try_from(length).unwrap_or(0);
    if bytes > 0 && bytes.is_multiple_of(size) {
        out.extend_from_slice(b" /* ");
        write_radix(out, (bytes / size) as u64, 10, 1);
        out.extend_from_slice(b" * sizeof(struct ifreq) */");
    }
}

/// `{ifc_len=80`: what there is room for.
fn write_list_size(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let Some((length, buffer)) = list(call, Phase::Entry, index) else {
        return call.write_address(out, call.arg(index));
    };
    out.extend_from_slice(b"{ifc_len=");
    if buffer != 0 {
        write_list_length(call, out, length);
    }
}

/// ` => 40, ifc_buf=[{...}]}`; without a buffer, how long it would have to be.
fn write_list(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let Some((room, buffer)) = list(call, Phase::Entry, index) else { return };
    let Some((length, filled)) = list(call, Phase::Exit, index) else {
        if buffer == 0 {
            write_list_length(call, out, room);
        }
        out.extend_from_slice(b", ifc_buf=");
        call.write_address(out, buffer);
        return out.push(b'}');
    };
    if buffer != 0 && room != length {
        out.extend_from_slice(b" => ");
    }
    if buffer == 0 || room != length {
        write_list_length(call, out, length);
    }
    out.extend_from_slice(b", ifc_buf=");
    if buffer == 0 || !call.succeeded() {
        call.write_address(out, buffer);
        if buffer != filled {
            out.extend_from_slice(b" => ");
            call.write_address(out, filled);
        }
    } else {
        let size = ELEMENT.size[call.half()];
        let count = (i64::from(length).cast_unsigned() / size as u64).min(1 << 32);
        call.write_array(out, filled, count, size, &mut |call, out, bytes| {
            call.write_members(out, &ELEMENT, bytes);
        });
    }
    out.push(b'}');
}
