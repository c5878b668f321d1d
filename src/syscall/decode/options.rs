//! Values of socket options: what they are by level and number, and how much of it there is by their length.

use super::address::{write_host4, write_host6, write_socket_address};
use super::memory::Phase;
use super::net::{word16, word32};
use super::text::write_text;
use super::{Decoder, Hex, filter};
use crate::syscall::flags::{
    FlagSet, ICMP_KIND, PACKET_MEMBERSHIP, SOCKET_REHASH, write_number, write_radix,
};

/// What a value is.
enum Value {
    /// An integer where there are four bytes, others bytes.
    Bytes,
    /// An integer, of which there may be more bytes, and an address where there are fewer.
    Int,
    /// The same with names.
    Named(&'static FlagSet),
    /// An integer with the name of an error.
    Errno,
    /// Integers by these names; an address where some are missing, unless they are filled.
    Members(&'static [&'static str]),
    /// The same, and an address where there are more bytes, too.
    Exactly(&'static [&'static str]),
    /// A program of a filter.
    Filter,
    /// A set of types of ICMP.
    Icmp,
    /// Integers, as many as there are.
    List,
    /// So many bytes, with a form of their own.
    Own(usize, Write),
    /// So many and no more.
    OwnExactly(usize, Write),
}

type Write = fn(&mut Decoder<'_, '_>, &mut Vec<u8>, &[u8]);

/// Most bytes of a value that is looked at as a whole.
const MOST: usize = 136;

/// `linux/icmp.h`; libc has no name for it.
const ICMP_FILTER: i32 = 1;

/// Options of `SOL_SOCKET` that are numbers.
#[rustfmt::skip]
#[allow(clippy::wildcard_imports, reason = "a table of names")]
const NUMBERS: &[i32] = {
    use libc::*;
    &[
        SO_DEBUG, SO_REUSEADDR, SO_DONTROUTE, SO_BROADCAST, SO_SNDBUF, SO_RCVBUF, SO_KEEPALIVE, SO_OOBINLINE,
        SO_NO_CHECK, SO_PRIORITY, SO_BSDCOMPAT, SO_REUSEPORT, SO_PASSCRED, SO_RCVLOWAT, SO_SNDLOWAT,
        SO_DETACH_FILTER, SO_TIMESTAMP, SO_ACCEPTCONN, SO_SNDBUFFORCE, SO_RCVBUFFORCE, SO_PASSSEC,
        SO_TIMESTAMPNS, SO_MARK, SO_TIMESTAMPING, SO_RXQ_OVFL, SO_WIFI_STATUS, SO_PEEK_OFF, SO_NOFCS,
        SO_LOCK_FILTER, SO_SELECT_ERR_QUEUE, SO_BUSY_POLL, SO_INCOMING_CPU, SO_CNX_ADVICE,
        SO_INCOMING_NAPI_ID, SO_ZEROCOPY, SO_TIMESTAMP_NEW, SO_TIMESTAMPNS_NEW, SO_TIMESTAMPING_NEW,
        SO_DETACH_REUSEPORT_BPF, SO_PREFER_BUSY_POLL, SO_BUSY_POLL_BUDGET, SO_RESERVE_MEM, SO_RCVMARK,
    ]
};

/// What the value of an option is.
#[allow(clippy::wildcard_imports, reason = "a table of names")]
fn value_of(level: i32, option: i32, is_asked: bool) -> Value {
    use libc::*;
    match (level, option, is_asked) {
        // Cannot be set.
        (SOL_SOCKET, SO_ERROR, true) => Value::Errno,
        (SOL_SOCKET, SO_LINGER, _) => Value::Members(&["l_onoff", "l_linger"]),
        (SOL_SOCKET, SO_PEERCRED, true) => Value::Members(&["pid", "uid", "gid"]),
        (SOL_SOCKET, SO_TXREHASH, _) => Value::Named(&SOCKET_REHASH),
        // That which is asked for tells how many instructions there are.
        (SOL_SOCKET, SO_ATTACH_FILTER, _) | (SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, false) => Value::Filter,
        (SOL_SOCKET, option, _) if NUMBERS.contains(&option) => Value::Int,
        (SOL_IP, IP_ADD_MEMBERSHIP | IP_DROP_MEMBERSHIP, false) => Value::Own(8, write_group4),
        (
            SOL_IPV6,
            IPV6_ADD_MEMBERSHIP | IPV6_DROP_MEMBERSHIP | IPV6_JOIN_ANYCAST | IPV6_LEAVE_ANYCAST,
            false,
        ) => Value::Own(20, write_group6),
        (SOL_IP | SOL_IPV6, MCAST_JOIN_GROUP | MCAST_LEAVE_GROUP, false) => Value::Own(136, write_group),
        (SOL_RAW, ICMP_FILTER, _) => Value::Icmp,
        (SOL_PACKET, PACKET_ADD_MEMBERSHIP | PACKET_DROP_MEMBERSHIP, false) => {
            Value::OwnExactly(16, write_membership)
        }
        (SOL_PACKET, PACKET_RX_RING | PACKET_TX_RING, false) => {
            Value::Exactly(&["tp_block_size", "tp_block_nr", "tp_frame_size", "tp_frame_nr"])
        }
        (SOL_PACKET, PACKET_STATISTICS, true) => {
            Value::Members(&["tp_packets", "tp_drops", "tp_freeze_q_cnt"])
        }
        (SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, true) => Value::List,
        (SOL_NETLINK, ..) => Value::Int,
        _ => Value::Bytes,
    }
}

impl Decoder<'_, '_> {
    /// The value of a socket option, passed or filled.
    pub(super) fn write_socket_option(&mut self, out: &mut Vec<u8>, index: usize) {
        let address = self.arg(index);
        let is_asked = self.phase == Phase::Exit;
        if !self.is_deep() || (is_asked && !self.succeeded()) {
            return self.write_address(out, address);
        }
        let length = if is_asked {
            self.read_u32_at(Phase::Exit, self.arg(index + 1))
        } else {
            Some(self.arg(index + 1) as u32)
        };
        let Some(length) = length else { return self.write_address(out, address) };
        if is_asked && length.cast_signed() <= 0 {
            return self.write_address(out, address);
        }
        self.write_option_value(out, address, length, is_asked);
    }

    fn write_option_value(&mut self, out: &mut Vec<u8>, address: u64, length: u32, is_asked: bool) {
        let value = value_of(self.arg(1) as i32, self.arg(2) as i32, is_asked);
        // Those that are asked for say how many bytes there are of them.
        let level = self.arg(1) as i32;
        let is_partial = is_asked && length < 4 && level != libc::SOL_NETLINK;
        match value {
            Value::Bytes if length == 4 => self.write_integer(out, address, 4),
            Value::Bytes => self.write_buffer(out, address, u64::from(length)),
            Value::Filter if is_asked => match u16::try_from(length) {
                Ok(count) => filter::write_program(self, out, address, u64::from(count), filter::Of::Socket),
                Err(_) => self.write_address(out, address),
            },
            Value::Filter if length == 2 * self.word_size() as u32 => {
                filter::write(self, out, address, filter::Of::Socket);
            }
            _ if length.cast_signed() <= 0 => self.write_address(out, address),
            Value::Int | Value::Named(_) | Value::Errno if is_partial => {
                self.write_part(out, address, length, |_, out, bytes| {
                    write_text(out, bytes, Hex::All, false);
                });
            }
            Value::Int | Value::Named(_) | Value::Errno if length < 4 && !is_asked => {
                self.write_address(out, address);
            }
            Value::Int => self.write_integer(out, address, 4),
            Value::Errno => self.write_error_number(out, address),
            Value::Named(names) => self.write_part(out, address, 4, |call, out, bytes| {
                write_named(call, out, names, word32(bytes, 0).cast_signed());
            }),
            Value::Members(names) => {
                let size = 4 * names.len() as u32;
                if !is_asked && length < size {
                    return self.write_address(out, address);
                }
                let is_process = names.contains(&"pid");
                self.write_part(out, address, length.min(size), |call, out, bytes| {
                    write_members(call, out, names, bytes, is_process);
                });
            }
            Value::Exactly(names) if length as usize == 4 * names.len() => {
                self.write_part(out, address, length, |call, out, bytes| {
                    write_members(call, out, names, bytes, false);
                });
            }
            Value::Icmp => self.write_part(out, address, length.min(4), write_icmp_filter),
            Value::List => {
                // The kernel tells how long the list is, and fills as much as there is room for.
                let room = self.read_u32_at(Phase::Entry, self.arg(4)).unwrap_or(length);
                self.write_array(out, address, u64::from(length.min(room) / 4), 4, &mut |_, out, bytes| {
                    write_radix(out, u64::from(word32(bytes, 0)), 10, 1);
                });
            }
            Value::Own(size, write) if length as usize >= size => {
                self.write_part(out, address, size as u32, write);
            }
            Value::OwnExactly(size, write) if length as usize == size => {
                self.write_part(out, address, length, write);
            }
            _ => self.write_address(out, address),
        }
    }

    /// So many bytes at an address, by this form; the address where they cannot be read.
    fn write_part(
        &mut self,
        out: &mut Vec<u8>,
        address: u64,
        length: u32,
        write: impl FnOnce(&mut Self, &mut Vec<u8>, &[u8]),
    ) {
        let mut bytes = [0; MOST];
        let length = (length as usize).min(MOST);
        if address == 0
            || self.style.addresses
            || self.memory.read(self.phase, address, &mut bytes[..length]) < length
        {
            return self.write_address(out, address);
        }
        write(self, out, &bytes[..length]);
    }

    fn write_error_number(&mut self, out: &mut Vec<u8>, address: u64) {
        let errno = self.read_u32_at(self.phase, address).and_then(|errno| i32::try_from(errno).ok());
        match errno.filter(|&errno| errno > 0).and_then(|errno| syscalls::Errno::new(errno).name()) {
            Some(name) => {
                out.push(b'[');
                out.extend_from_slice(name.as_bytes());
                out.push(b']');
            }
            None => self.write_integer(out, address, 4),
        }
    }
}

/// `[SOCK_TXREHASH_ENABLED]`
fn write_named(call: &Decoder<'_, '_>, out: &mut Vec<u8>, names: &FlagSet, value: i32) {
    out.push(b'[');
    let number = |out: &mut Vec<u8>| write_number(out, i64::from(value));
    call.style.constants.write(out, number, |out| {
        if let Some(name) = names.name(u64::from(value.cast_unsigned())) {
            return out.extend_from_slice(name.as_bytes());
        }
        write_number(out, i64::from(value));
        out.extend_from_slice(b" /* ");
        out.extend_from_slice(names.unknown.as_bytes());
        out.extend_from_slice(b" */");
    });
    out.push(b']');
}

/// `{l_onoff=1, l_linger="\x05"}`: of the last there may be a part.
fn write_members(
    call: &mut Decoder<'_, '_>,
    out: &mut Vec<u8>,
    names: &[&str],
    bytes: &[u8],
    is_process: bool,
) {
    let mut separator: &[u8] = b"{";
    for (name, part) in names.iter().zip(bytes.chunks(4)) {
        out.extend_from_slice(separator);
        separator = b", ";
        out.extend_from_slice(name.as_bytes());
        out.push(b'=');
        match part.len() {
            4 if is_process && *name == "pid" => call.write_pid(out, word32(part, 0).cast_signed()),
            4 if is_process && word32(part, 0) == u32::MAX => out.extend_from_slice(b"-1"),
            4 if name.starts_with("l_") => write_number(out, i64::from(word32(part, 0).cast_signed())),
            4 => write_radix(out, u64::from(word32(part, 0)), 10, 1),
            _ => write_text(out, part, Hex::All, false),
        }
    }
    out.push(b'}');
}

/// `struct ip_mreq`.
fn write_group4(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let host = |at: usize| bytes.get(at..).and_then(|bytes| bytes.first_chunk().copied()).unwrap_or_default();
    out.extend_from_slice(b"{imr_multiaddr=");
    write_host4(out, host(0), call.style);
    out.extend_from_slice(b", imr_interface=");
    write_host4(out, host(4), call.style);
    out.push(b'}');
}

/// `struct ipv6_mreq`.
fn write_group6(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'{');
    let host = bytes.first_chunk().copied().unwrap_or_default();
    write_host6(out, host, Some("ipv6mr_multiaddr"), call.style);
    out.extend_from_slice(b", ipv6mr_interface=");
    call.write_interface(out, word32(bytes, 16).cast_signed());
    out.push(b'}');
}

/// `struct group_req`.
fn write_group(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(b"{gr_interface=");
    call.write_interface(out, word32(bytes, 0).cast_signed());
    out.extend_from_slice(b", gr_group=");
    write_socket_address(call, out, bytes.get(8..).unwrap_or_default());
    out.push(b'}');
}

/// `struct packet_mreq`.
fn write_membership(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let length = word16(bytes, 6);
    out.extend_from_slice(b"{mr_ifindex=");
    call.write_interface(out, word32(bytes, 0).cast_signed());
    out.extend_from_slice(b", mr_type=");
    call.style.constants.one(out, &PACKET_MEMBERSHIP, u64::from(word16(bytes, 4)));
    out.extend_from_slice(b", mr_alen=");
    write_radix(out, u64::from(length), 10, 1);
    out.extend_from_slice(b", mr_address=");
    let shown = if matches!(length, 1..=8) { usize::from(length) } else { 8 };
    let address = bytes.get(8..8 + shown).unwrap_or_default();
    let number = |out: &mut Vec<u8>| write_text(out, address, Hex::All, false);
    call.style.constants.write(out, number, |out| {
        for (at, &byte) in address.iter().enumerate() {
            if at > 0 {
                out.push(b':');
            }
            write_radix(out, u64::from(byte), 16, 2);
        }
    });
    out.push(b'}');
}

/// `~[ICMP_ECHOREPLY]`: what is let through, or all but that, whichever is shorter; bytes that are missing are ones.
fn write_icmp_filter(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let mut whole = [0xff; 4];
    whole[..bytes.len()].copy_from_slice(bytes);
    let mut set = u32::from_le_bytes(whole);
    if set.count_ones() > u32::BITS / 2 {
        out.push(b'~');
        set = !set;
    }
    let mut separator: &[u8] = b"[";
    for bit in (0..u32::BITS).filter(|bit| set >> bit & 1 != 0) {
        out.extend_from_slice(separator);
        separator = b" ";
        call.style.constants.one(out, &ICMP_KIND, u64::from(bit));
    }
    out.extend_from_slice(if set == 0 { b"[]" } else { b"]" });
}
