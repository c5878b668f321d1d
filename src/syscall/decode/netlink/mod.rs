//! Messages of netlink (netlink(7)), taken apart as strace does.
//!
//! ```text
//!  bytes ── messages ──> header, then by protocol and type ──┬─ route, diag: a structure ([`Head`])
//!                                                            └─ attribute: a list, by a table of its structure
//! ```
//!
//! Declarative: `route`, `diag` and what they name are tables of structures and attributes; `attribute` has the forms that
//! values can have, `others` the types of all protocols. Of those without tables the content is bytes. What comes from a program may be anything: lengths are never trusted past the bytes there are.

mod attribute;
mod bridge;
mod centre;
mod diag;
mod function;
mod hops;
mod inet;
mod link;
mod multicast;
mod others;
mod piece;
mod route;
mod smc;
mod statistics;
mod traffic;
mod values;

use super::Decoder;
use super::descriptors::Question;
use super::layout::Layout;
use super::net::{word16, word32};
use crate::syscall::flags::{SOCKET_DOMAIN, write_number, write_radix};

use attribute::{List, OF_ERRORS, Show};
use piece::Piece;

/// A protocol of netlink; none: the socket is not bound, so that strace does not know it.
pub(super) type Protocol = Option<u32>;

const ROUTE: Protocol = Some(0);
const SOCK_DIAG: Protocol = Some(4);
const XFRM: Protocol = Some(6);
const SELINUX: Protocol = Some(7);
const AUDIT: Protocol = Some(9);
const NETFILTER: Protocol = Some(12);
const KOBJECT_UEVENT: Protocol = Some(15);
const GENERIC: Protocol = Some(16);
const CRYPTO: Protocol = Some(21);

/// Size of `struct nlmsghdr`.
const HEADER: usize = 16;
/// Most bytes looked at in one place: more than the kernel puts into one.
const MOST: usize = 1 << 18;

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
/// Types below are the same for all protocols.
const NLMSG_MIN_TYPE: u16 = 0x10;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_CAPPED: u16 = 0x100;

/// What a message begins with: a structure, of which strace calls the first member so where the rest is missing,
/// and what is behind it, attributes mostly.
pub(super) struct Head {
    /// Name of the member that has the address family, in the first byte.
    family: &'static str,
    layout: &'static Layout,
    /// What is behind it; none: strace looks at nothing there.
    behind: Option<Show>,
}

/// `struct nlmsghdr`.
struct Header {
    length: usize,
    kind: u16,
    flags: u16,
    seq: u32,
    pid: i32,
}

impl Header {
    fn of(bytes: &[u8]) -> Option<Self> {
        (bytes.len() >= HEADER).then(|| Self {
            length: word32(bytes, 0) as usize,
            kind: word16(bytes, 4),
            flags: word16(bytes, 6),
            seq: word32(bytes, 8),
            pid: word32(bytes, 12).cast_signed(),
        })
    }
}

impl Decoder<'_, '_> {
    /// The protocol of the socket that the call is about, if it is a netlink socket.
    pub(super) fn netlink_of_call(&mut self) -> Option<Protocol> {
        if !matches!(self.spec.name, "sendto" | "recvfrom" | "send" | "recv") || !self.is_deep() {
            return None;
        }
        self.netlink_answer(self.arg(0) as i32)
    }

    /// The protocol of a netlink socket.
    pub(super) fn netlink_protocol(&mut self, fd: i32) -> Protocol {
        self.netlink_answer(fd).flatten()
    }

    fn netlink_answer(&mut self, fd: i32) -> Option<Protocol> {
        let answer = self.ask(Question::Netlink(fd))?;
        let number = i32::from_le_bytes(answer.try_into().ok()?);
        Some(u32::try_from(number).ok())
    }

    /// The messages in a buffer.
    pub(super) fn write_netlink(&mut self, out: &mut Vec<u8>, protocol: Protocol, address: u64, length: u64) {
        if protocol == KOBJECT_UEVENT {
            return others::write_uevent(self, out, address, length);
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(MOST).min(MOST)];
        if bytes.is_empty() {
            return self.write_buffer(out, address, length);
        }
        let length = bytes.len();
        let read = if address == 0 { 0 } else { self.memory.read(self.phase, address, &mut bytes) };
        bytes.truncate(read);
        let piece = Piece { bytes: &bytes, length, address };
        if length < HEADER {
            return self.write_bytes(out, piece);
        }
        if piece.first(HEADER).is_none() {
            return self.write_address(out, address);
        }
        self.write_messages_of(out, protocol, piece);
    }

    fn write_messages_of(&mut self, out: &mut Vec<u8>, protocol: Protocol, piece: Piece<'_>) {
        let (mut rest, mut count, mut is_array) = (piece, 0, false);
        loop {
            if rest.length < HEADER {
                self.write_bytes(out, rest);
                break;
            }
            let Some(header) = Header::of(rest.bytes) else {
                self.write_unreadable(out, rest, count == 0);
                break;
            };
            if count >= self.most_elements() {
                out.extend_from_slice(b"...");
                break;
            }
            let next = rest.after(header.length.next_multiple_of(4));
            let has_next = header.length >= HEADER && !next.is_empty();
            if count == 0 && has_next {
                out.push(b'[');
                is_array = true;
            }
            count += 1;
            self.write_message(out, protocol, &header, rest);
            if !has_next {
                break;
            }
            out.extend_from_slice(b", ");
            rest = next;
        }
        if is_array {
            out.push(b']');
        }
    }

    /// `[{nlmsg_len=20, ...}, content]`
    fn write_message(&mut self, out: &mut Vec<u8>, protocol: Protocol, header: &Header, piece: Piece<'_>) {
        let content = piece.up_to(header.length).after(HEADER);
        if !content.is_empty() {
            out.push(b'[');
        }
        self.write_header(out, protocol, header);
        if !content.is_empty() {
            out.extend_from_slice(b", ");
            self.write_content(out, protocol, header, content);
            out.push(b']');
        }
    }

    fn write_header(&mut self, out: &mut Vec<u8>, protocol: Protocol, header: &Header) {
        out.extend_from_slice(b"{nlmsg_len=");
        write_radix(out, header.length as u64, 10, 1);
        out.extend_from_slice(b", nlmsg_type=");
        others::write_kind(out, protocol, header.kind, self.style.constants);
        out.extend_from_slice(b", nlmsg_flags=");
        self.style.constants.bits(out, others::flags(protocol, header.kind), u64::from(header.flags));
        out.extend_from_slice(b", nlmsg_seq=");
        write_radix(out, u64::from(header.seq), 10, 1);
        out.extend_from_slice(b", nlmsg_pid=");
        self.write_pid(out, header.pid);
        out.push(b'}');
    }

    fn write_content(&mut self, out: &mut Vec<u8>, protocol: Protocol, header: &Header, content: Piece<'_>) {
        let Some(&family) = content.bytes.first() else { return self.write_address(out, content.address) };
        match (protocol, header.kind) {
            (_, NLMSG_ERROR) if content.length >= 4 + HEADER => {
                self.write_error(out, protocol, header, content);
            }
            (_, NLMSG_DONE) if content.length == 4 => match content.whole() {
                Some(bytes) => write_number(out, i64::from(word32(bytes, 0).cast_signed())),
                None => self.write_address(out, content.address),
            },
            (ROUTE, NLMSG_MIN_TYPE..) => {
                self.write_by_family(out, route::head(header.kind, family), content);
            }
            // strace looks at no more where there is no more than the family.
            (SOCK_DIAG, NLMSG_MIN_TYPE..) if content.length == 1 => self.write_by_family(out, None, content),
            (SOCK_DIAG, NLMSG_MIN_TYPE..) => {
                let is_request = header.flags & NLM_F_REQUEST != 0;
                self.write_by_family(out, diag::head(header.kind, family, is_request), content);
            }
            (NETFILTER, NLMSG_MIN_TYPE..) => others::write_netfilter(self, out, header.kind, content),
            (SELINUX, 16 | 17) if content.length >= 4 => {
                others::write_selinux(self, out, header.kind, content);
            }
            _ => self.write_bytes(out, content),
        }
    }

    /// What begins with an address family.
    fn write_by_family(&mut self, out: &mut Vec<u8>, head: Option<&Head>, content: Piece<'_>) {
        let (Some(&family), half) = (content.bytes.first(), self.half()) else { return };
        let Some(head) = head else {
            out.extend_from_slice(b"{family=");
            self.style.constants.one(out, &SOCKET_DOMAIN, u64::from(family));
            if content.length > 1 {
                out.extend_from_slice(b", data=");
                self.write_bytes(out, content.after(1));
            }
            return out.push(b'}');
        };
        let size = head.layout.size[half];
        let Some(bytes) = content.first(size) else {
            out.push(b'{');
            out.extend_from_slice(head.family.as_bytes());
            out.push(b'=');
            self.style.constants.one(out, &SOCKET_DOMAIN, u64::from(family));
            out.extend_from_slice(b", ");
            if content.length < size {
                out.extend_from_slice(b"...");
            } else {
                self.write_address(out, content.address.wrapping_add(1));
            }
            return out.push(b'}');
        };
        self.write_members(out, head.layout, bytes);
        let rest = content.after(size.next_multiple_of(4));
        if let (false, Some(behind)) = (rest.is_empty(), head.behind) {
            out.extend_from_slice(b", ");
            self.write_behind_head(out, behind, family, rest);
        }
    }

    /// `{error=-ENODEV, msg={...}}`, and in brackets with that what more is said of it.
    fn write_error(&mut self, out: &mut Vec<u8>, protocol: Protocol, header: &Header, content: Piece<'_>) {
        let Some(bytes) = content.first(4 + HEADER) else {
            return self.write_address(out, content.address);
        };
        let error = word32(bytes, 0).cast_signed();
        let of = content.after(4);
        let asked = Header::of(of.bytes);
        let is_capped = header.flags & NLM_F_CAPPED != 0;
        let length = asked.as_ref().filter(|_| !is_capped).map_or(HEADER, |asked| asked.length.max(HEADER));
        let (of, more) = (of.up_to(length), of.after(length));
        out.extend_from_slice(if more.is_empty() { b"{error=" } else { b"[{error=" });
        let name = error.checked_neg().filter(|&errno| errno > 0);
        let number = |out: &mut Vec<u8>| write_number(out, i64::from(error));
        match name.and_then(|errno| syscalls::Errno::new(errno).name()) {
            Some(name) => self.style.constants.write(out, number, |out| {
                out.push(b'-');
                out.extend_from_slice(name.as_bytes());
            }),
            None => number(out),
        }
        if !of.is_empty() {
            out.extend_from_slice(b", msg=");
            match asked {
                // One about another error would have no end.
                Some(asked) if asked.kind != NLMSG_ERROR => {
                    self.write_message(out, protocol, &asked, of);
                }
                _ => self.write_bytes(out, of),
            }
        }
        out.push(b'}');
        if !more.is_empty() {
            out.extend_from_slice(b", ");
            self.write_attributes(out, List::Of(&OF_ERRORS), 0, more);
            out.push(b']');
        }
    }
}

#[cfg(test)]
mod tests;
