//! Socket addresses, messages, buffers in pieces, and the values of socket options.

use super::address::write_socket_address;
use super::memory::Phase;
use super::netlink::Protocol;
use super::structures::{TIMESPEC, TIMESPEC64};
use super::{Decoder, time};
use crate::syscall::flags::{MSG, write_number, write_radix};
use crate::syscall::{Arg, Family, Spec, Struct};

/// The largest address of a socket (`struct sockaddr_storage`).
const LARGEST: usize = 128;

/// Most messages of one call (`UIO_MAXIOV`).
const MOST_MESSAGES: u64 = 1024;

pub(super) fn word16(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |bytes| u16::from_le_bytes([bytes[0], bytes[1]]))
}

pub(super) fn word32(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

pub(super) fn word64(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Bytes of the integers a call has pointers to.
pub(super) fn integer_size(call: &Decoder<'_, '_>) -> usize {
    match call.spec.name {
        "splice" | "copy_file_range" | "sendfile64" | "_llseek" => 8,
        "sendfile" | "time" | "get_robust_list" | "io_setup" => call.word_size(),
        // i386 has others for all 32 bits.
        "getresuid" | "getresgid" if call.half() == 1 => 2,
        _ => 4,
    }
}

/// Reads the length of the buffer for a sender's address.
pub(super) fn look_ahead(call: &mut Decoder<'_, '_>, index: usize) {
    if call.spec.name == "recvmsg" {
        let size = 7 * call.word_size();
        call.memory.read(Phase::Entry, call.arg(index), &mut [0; 56][..size]);
    }
}

/// The same for several messages.
pub(super) fn look_ahead_many(call: &mut Decoder<'_, '_>, index: usize) {
    let (word, count) = (call.word_size() as u64, u64::from(call.arg(index + 1) as u32));
    for message in 0..count.min(MOST_MESSAGES) {
        let at = call.arg(index).wrapping_add(message * 8 * word);
        call.read_u32_at(Phase::Entry, at.wrapping_add(word));
    }
}

/// ` (left {tv_sec=0, tv_nsec=5})`, or ` (Timeout)`.
pub(super) fn write_time_left(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>) {
    if call.event.ret == Some(0) {
        return out.extend_from_slice(b" (Timeout)");
    }
    if call.arg(4) == 0 || call.style.addresses {
        return;
    }
    let layout = if call.spec.name == "recvmmsg" { &TIMESPEC } else { &TIMESPEC64 };
    out.extend_from_slice(b" (left ");
    call.write_layout(out, call.arg(4), layout);
    out.push(b')');
}

impl Decoder<'_, '_> {
    /// An address passed with its length, or filled with its length behind a pointer.
    pub(super) fn write_sockaddr_argument(&mut self, out: &mut Vec<u8>, index: usize) {
        let address = self.arg(index);
        let length = match self.spec.args[index].arg {
            Arg::Out(_) => {
                let at = self.arg(index + 1);
                let room = self.read_u32_at(Phase::Entry, at);
                let filled = self.read_u32_at(Phase::Exit, at);
                match (room, filled) {
                    (Some(room), Some(filled)) => room.min(filled),
                    _ => 0,
                }
            }
            _ => (self.arg(index + 1) as i32).max(0) as u32,
        };
        self.write_sockaddr_at(out, address, length as usize);
    }

    fn is_netlink_address(&mut self, address: u64, length: u32) -> bool {
        let mut family = [0; 2];
        length >= 2
            && address != 0
            && !self.style.addresses
            && self.memory.read(self.phase, address, &mut family) == family.len()
            && i32::from(u16::from_le_bytes(family)) == libc::AF_NETLINK
    }

    pub(super) fn write_sockaddr_at(&mut self, out: &mut Vec<u8>, address: u64, length: usize) {
        let mut bytes = [0; LARGEST];
        let length = length.min(LARGEST);
        if address == 0 || length < 2 || self.memory.read(self.phase, address, &mut bytes[..length]) < length
        {
            return self.write_address(out, address);
        }
        write_socket_address(self, out, &bytes[..length]);
    }

    /// `[16]`, or `[110 => 16]` where the kernel has put another length.
    pub(super) fn write_integer_argument(&mut self, out: &mut Vec<u8>, index: usize) {
        let address = self.arg(index);
        let is_passed = matches!(self.spec.args[index].arg, Arg::InOut(_));
        let size = integer_size(self);
        // Without a buffer strace does not look at its length.
        let is_of_an_address =
            index > 0 && matches!(self.spec.args[index - 1].arg, Arg::Out(Struct::Sockaddr));
        if is_of_an_address && self.arg(index - 1) == 0 {
            return self.write_address(out, address);
        }
        if !is_passed {
            let moment =
                if self.spec.name == "time" { self.integer(self.phase, address, size) } else { None };
            if let Some(seconds) = moment.filter(|_| self.succeeded()) {
                out.push(b'[');
                write_number(out, seconds);
                time::write_comment(out, seconds, 0, 9);
                out.push(b']');
            } else if self.succeeded() {
                self.write_integer(out, address, size);
            } else {
                self.write_address(out, address);
            }
            return;
        }
        let (before, after) =
            (self.integer(Phase::Entry, address, size), self.integer(Phase::Exit, address, size));
        // strace always tells where sendfile has got to, and never where splice and copy_file_range have.
        let is_told = match self.spec.name {
            "sendfile" | "sendfile64" => self.event.ret != Some(0),
            "splice" | "copy_file_range" => false,
            _ => before != after,
        };
        match (before, after) {
            (Some(before), Some(after)) if is_told && self.succeeded() => {
                out.push(b'[');
                self.write_offset(out, before, size);
                out.extend_from_slice(if self.spec.name.starts_with("sendfile") {
                    b"] => ["
                } else {
                    b" => "
                });
                self.write_offset(out, after, size);
                out.push(b']');
            }
            (Some(value), _) => {
                out.push(b'[');
                self.write_offset(out, value, size);
                out.push(b']');
            }
            _ => self.write_address(out, address),
        }
    }

    /// A length, or of `sendfile` an offset, which strace shows unsigned.
    fn write_offset(&self, out: &mut Vec<u8>, value: i64, size: usize) {
        match (self.spec.name.starts_with("sendfile"), size) {
            (true, 8) => write_radix(out, value.cast_unsigned(), 10, 1),
            (true, _) => write_radix(out, u64::from(value as u32), 10, 1),
            _ => write_number(out, value),
        }
    }

    fn integer(&mut self, phase: Phase, address: u64, size: usize) -> Option<i64> {
        let mut bytes = [0; 8];
        if address == 0 || self.style.addresses || self.memory.read(phase, address, &mut bytes[..size]) < size
        {
            return None;
        }
        let value = i64::from_le_bytes(bytes);
        Some(match size {
            8 => value,
            2 => i64::from(value as i16),
            _ => i64::from(value as i32),
        })
    }

    /// `[4]`
    pub(super) fn write_integer(&mut self, out: &mut Vec<u8>, address: u64, size: usize) {
        match self.integer(self.phase, address, size) {
            Some(value) => {
                out.push(b'[');
                match self.spec.name {
                    "getresuid" | "getresgid" | "getresuid32" | "getresgid32" if value == -1 => {
                        write_number(out, value);
                    }
                    "getresuid" | "getresgid" if size == 2 => {
                        write_radix(out, u64::from(value as u16), 10, 1);
                    }
                    "getresuid" | "getresgid" | "getresuid32" | "getresgid32" | "getcpu" => {
                        write_radix(out, u64::from(value as u32), 10, 1);
                    }
                    // The head of a list.
                    "get_robust_list" if address == self.arg(1) => {
                        self.write_address(out, value.cast_unsigned());
                    }
                    "get_robust_list" => {
                        write_radix(out, super::call::word(self.event.abi, value.cast_unsigned()), 10, 1);
                    }
                    _ => write_number(out, value),
                }
                out.push(b']');
            }
            None => self.write_address(out, address),
        }
    }

    /// Descriptors: `[3, 4]`.
    pub(super) fn write_descriptors(&mut self, out: &mut Vec<u8>, address: u64, count: u64, size: usize) {
        self.write_array(out, address, count, size, &mut |call, out, bytes| {
            call.write_descriptor(out, word32(bytes, 0).cast_signed());
        });
    }

    /// Pieces of a buffer, as an argument of its own.
    pub(super) fn write_iovec_argument(&mut self, out: &mut Vec<u8>, index: usize) {
        let has_content = match self.spec.name {
            // Only the caller's own pieces can be read.
            "process_vm_readv" => index == 1 && self.succeeded(),
            "process_vm_writev" => index == 1,
            "process_madvise" => false,
            _ => self.spec.family != Family::Read || self.succeeded(),
        };
        let limit = match self.spec.family {
            _ if self.spec.name == "process_vm_readv" && index == 1 => {
                self.event.ret.unwrap_or(0).unsigned_abs()
            }
            Family::Read => self.event.ret.unwrap_or(0).unsigned_abs(),
            _ => u64::MAX,
        };
        self.write_iovecs(out, self.arg(index), self.arg(index + 1), limit, has_content, None);
    }

    /// `[{iov_base="ab", iov_len=2}]`, of which so many bytes are there, messages of this protocol of netlink.
    pub(super) fn write_iovecs(
        &mut self,
        out: &mut Vec<u8>,
        address: u64,
        count: u64,
        limit: u64,
        has_content: bool,
        netlink: Option<Protocol>,
    ) {
        let word = self.word_size();
        let mut left = limit;
        self.write_array(out, address, count, 2 * word, &mut |call, out, bytes| {
            let number = |at: usize| {
                let mut value = [0; 8];
                value[..word].copy_from_slice(&bytes[at..at + word]);
                u64::from_le_bytes(value)
            };
            let (base, length) = (number(0), number(word));
            out.extend_from_slice(b"{iov_base=");
            if has_content {
                let shown = length.min(left);
                if limit != u64::MAX {
                    left -= shown;
                }
                match netlink {
                    Some(protocol) => call.write_netlink(out, protocol, base, shown),
                    None => call.write_buffer(out, base, shown),
                }
            } else {
                call.write_address(out, base);
            }
            out.extend_from_slice(b", iov_len=");
            write_radix(out, length, 10, 1);
            out.push(b'}');
        });
    }

    /// `[{msg_hdr={..}, msg_len=5}]`: those that were sent or received, or are to be.
    pub(super) fn write_messages(&mut self, out: &mut Vec<u8>, index: usize) {
        let size = 8 * self.word_size();
        let is_sent = self.spec.name == "sendmmsg";
        // So many have a length: those that were sent, and all that were received.
        let done = if self.succeeded() { self.event.ret.unwrap_or(0).unsigned_abs() } else { 0 };
        let count = if is_sent || !self.succeeded() { u64::from(self.arg(index + 1) as u32) } else { done };
        let address = self.arg(index);
        let mut left = done;
        let mut at = address;
        let start = out.len();
        self.write_array(out, address, count.min(MOST_MESSAGES), size, &mut |call, out, bytes| {
            let length = word32(bytes, 7 * call.word_size());
            let limit = if call.spec.name == "sendmmsg" { u64::MAX } else { u64::from(length) };
            out.extend_from_slice(b"{msg_hdr=");
            call.write_msghdr(out, at, limit);
            if left > 0 {
                left -= 1;
                out.extend_from_slice(b", msg_len=");
                write_radix(out, u64::from(length), 10, 1);
            }
            out.push(b'}');
            at = at.wrapping_add(size as u64);
        });
        if count > MOST_MESSAGES && out[start..].ends_with(b"}]") {
            out.pop();
            out.extend_from_slice(b", ...]");
        }
    }

    /// `{msg_name=.., msg_namelen=16, msg_iov=[..], msg_iovlen=1, msg_controllen=0, msg_flags=0}`
    pub(super) fn write_msghdr_argument(&mut self, out: &mut Vec<u8>, index: usize) {
        let address = self.arg(index);
        let is_received = self.phase == Phase::Exit;
        if is_received && !self.succeeded() {
            let mut whole = [0; 56];
            let size = 7 * self.word_size();
            let length = self.read_u32_at(Phase::Entry, address.wrapping_add(self.word_size() as u64));
            match length.filter(|_| self.memory.read(Phase::Entry, address, &mut whole[..size]) == size) {
                Some(length) => {
                    out.extend_from_slice(b"{msg_namelen=");
                    write_number(out, i64::from(length.cast_signed()));
                    out.push(b'}');
                }
                None => self.write_address(out, address),
            }
            return;
        }
        let limit = if is_received { self.event.ret.unwrap_or(0).unsigned_abs() } else { u64::MAX };
        self.write_msghdr(out, address, limit);
    }

    /// A message, with so many bytes of its content.
    fn write_msghdr(&mut self, out: &mut Vec<u8>, address: u64, limit: u64) {
        let is_received = self.phase == Phase::Exit && self.spec.name.starts_with("recv");
        let word = self.word_size();
        let mut bytes = [0; 56];
        let size = 7 * word;
        let named = self.read_u32_at(Phase::Entry, address.wrapping_add(word as u64));
        if address == 0 || self.memory.read(self.phase, address, &mut bytes[..size]) < size {
            return self.write_address(out, address);
        }
        let member = |index: usize| {
            let mut value = [0; 8];
            value[..word].copy_from_slice(&bytes[index * word..][..word]);
            u64::from_le_bytes(value)
        };
        let length = member(1) as u32;
        let [name, iov, iovs, control, controls] = [member(0), member(2), member(3), member(4), member(5)];
        let flags = word32(&bytes, 6 * word);
        out.extend_from_slice(b"{msg_name=");
        let room = named.filter(|_| is_received).unwrap_or(length);
        // No address is of a length below 0.
        let named = length.min(room).cast_signed().max(0).cast_unsigned();
        self.write_sockaddr_at(out, name, named as usize);
        // strace tells by the address what the message is.
        let is_netlink = self.is_netlink_address(name, named);
        let netlink = if is_netlink { Some(self.netlink_protocol(self.arg(0) as i32)) } else { None };
        out.extend_from_slice(b", msg_namelen=");
        if room != length {
            write_number(out, i64::from(room.cast_signed()));
            out.extend_from_slice(b" => ");
        }
        write_number(out, i64::from(length.cast_signed()));
        out.extend_from_slice(b", msg_iov=");
        self.write_iovecs(out, iov, iovs, limit, true, netlink);
        out.extend_from_slice(b", msg_iovlen=");
        write_radix(out, iovs, 10, 1);
        if controls != 0 {
            out.extend_from_slice(b", msg_control=");
            self.write_control(out, control, controls);
        }
        out.extend_from_slice(b", msg_controllen=");
        write_radix(out, controls, 10, 1);
        out.extend_from_slice(b", msg_flags=");
        self.style.constants.bits(out, &MSG, u64::from(flags));
        out.push(b'}');
    }

    /// Size of the signal set at this place: the next argument, or that of the old calls.
    pub(super) fn set_size(&self, index: usize) -> u64 {
        let next = self.spec.args[index + 1..].iter().position(|spec| spec.arg == Arg::Size);
        next.map_or(4, |next| self.arg(index + 1 + next))
    }
}

/// Whether the argument is the value that getsockopt fills.
pub(super) fn is_option_value(spec: &Spec, index: usize) -> bool {
    spec.name == "getsockopt" && spec.args[index].arg == Arg::OutBuf
}
