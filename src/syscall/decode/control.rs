//! Control messages (cmsg(3)): what stands beside the data of a message.

use super::Decoder;
use super::address::{write_host4, write_socket_address};
use super::layout::Show::{Int, Interface, Own, Uint};
use super::layout::Size::{B1, B4, B8};
use super::layout::{Layout, layouts};
use super::net::{word32, word64};
use super::structures::{TIMESPEC, TIMESPEC64, TIMEVAL, UCRED};
use super::text::write_text;
use crate::syscall::flags::{CONTROL_MESSAGE, IP_CONTROL, SOCKET_LEVEL, write_hex, write_radix};

layouts! {
    /// `struct __kernel_sock_timeval`.
    TIMEVAL64: 16/16 {
        always tv_sec @ 0/0 Int(B8);
        always tv_usec @ 8/8 Uint(B8);
    }
    /// `struct in_pktinfo`.
    PACKET: 12/12 {
        always ipi_ifindex @ 0/0 Interface;
        always ipi_spec_dst @ 4/4 Own(write_host);
        always ipi_addr @ 8/8 Own(write_host);
    }
    /// `struct sock_extended_err`, with who has sent it.
    ERROR: 32/32 {
        always ee_errno @ 0/0 Uint(B4);
        always ee_origin @ 4/4 Uint(B1);
        always ee_type @ 5/5 Uint(B1);
        always ee_code @ 6/6 Uint(B1);
        always ee_info @ 8/8 Uint(B4);
        always ee_data @ 12/12 Uint(B4);
        always offender @ 16/16 Own(write_offender);
    }
}

/// What the data of a message is.
#[derive(Clone, Copy)]
enum Data {
    /// A structure.
    Of(&'static Layout),
    /// So many structures: `[{..}, {..}]`.
    Several(&'static Layout, usize),
    /// Descriptors.
    Descriptors,
    /// Numbers: `[64]`.
    Numbers,
    /// Bytes as numbers in hexadecimal: `[0x10]`.
    Bytes,
    /// Text.
    Text,
    /// The address of a socket.
    Address,
}

const SOCKET: u32 = 1;
const INTERNET: u32 = 0;

/// Level and type of a message, the least data it has, and what that is. A line a type.
static MESSAGES: &[(u32, u32, usize, Data)] = &[
    (SOCKET, 1, 4, Data::Descriptors),              // SCM_RIGHTS
    (SOCKET, 2, 12, Data::Of(&UCRED)),              // SCM_CREDENTIALS
    (SOCKET, 3, 1, Data::Text),                     // SCM_SECURITY
    (SOCKET, 29, 1, Data::Of(&TIMEVAL)),            // SO_TIMESTAMP_OLD
    (SOCKET, 35, 1, Data::Of(&TIMESPEC)),           // SO_TIMESTAMPNS_OLD
    (SOCKET, 37, 1, Data::Several(&TIMESPEC, 3)),   // SO_TIMESTAMPING_OLD
    (SOCKET, 63, 1, Data::Of(&TIMEVAL64)),          // SO_TIMESTAMP_NEW
    (SOCKET, 64, 1, Data::Of(&TIMESPEC64)),         // SO_TIMESTAMPNS_NEW
    (SOCKET, 65, 1, Data::Several(&TIMESPEC64, 3)), // SO_TIMESTAMPING_NEW
    (INTERNET, 1, 1, Data::Bytes),                  // IP_TOS
    (INTERNET, 2, 4, Data::Numbers),                // IP_TTL
    (INTERNET, 3, 1, Data::Text),                   // SCM_SECURITY
    (INTERNET, 6, 1, Data::Bytes),                  // IP_RECVOPTS
    (INTERNET, 7, 1, Data::Bytes),                  // IP_RETOPTS
    (INTERNET, 8, 12, Data::Of(&PACKET)),           // IP_PKTINFO
    (INTERNET, 11, 32, Data::Of(&ERROR)),           // IP_RECVERR
    (INTERNET, 20, 16, Data::Address),              // IP_ORIGDSTADDR
    (INTERNET, 23, 4, Data::Numbers),               // IP_CHECKSUM
];

/// Most bytes looked at: as many as the kernel takes (`/proc/sys/net/core/optmem_max`, since Linux 6.7).
const MOST: usize = 1 << 17;

impl Decoder<'_, '_> {
    /// `[{cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[3]}]`.
    pub(super) fn write_control(&mut self, out: &mut Vec<u8>, address: u64, length: u64) {
        let word = self.word_size();
        let head = word + 8;
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX).min(MOST)];
        let is_looked_at = address != 0 && bytes.len() >= head;
        if !is_looked_at || self.memory.read(self.phase, address, &mut bytes) < bytes.len() {
            return self.write_address(out, address);
        }
        let mut rest = &bytes[..];
        out.push(b'[');
        while rest.len() >= head {
            let length = if word == 8 { word64(rest, 0) } else { u64::from(word32(rest, 0)) };
            if rest.len() < bytes.len() {
                out.extend_from_slice(b", ");
            }
            let end = usize::try_from(length).unwrap_or(usize::MAX).min(rest.len());
            self.write_control_message(out, length, &rest[..end.max(head)], word);
            rest = match end {
                end if end < head => {
                    // It says to be shorter than any: what is behind it is not looked at.
                    rest = &rest[head..];
                    break;
                }
                end => rest.get(end.next_multiple_of(word)..).unwrap_or_default(),
            };
        }
        if !rest.is_empty() {
            out.extend_from_slice(b", ... /* ");
            self.write_address(out, address.wrapping_add((bytes.len() - rest.len()) as u64));
            out.extend_from_slice(b" */");
        } else if length > bytes.len() as u64 {
            out.extend_from_slice(b", ...");
        }
        out.push(b']');
    }

    fn write_control_message(&mut self, out: &mut Vec<u8>, length: u64, message: &[u8], word: usize) {
        let (level, kind, data) = (word32(message, word), word32(message, word + 4), &message[word + 8..]);
        out.extend_from_slice(b"{cmsg_len=");
        write_radix(out, length, 10, 1);
        out.extend_from_slice(b", cmsg_level=");
        if SOCKET_LEVEL.name(u64::from(level)).is_some() {
            self.style.constants.one(out, &SOCKET_LEVEL, u64::from(level));
        } else {
            let number = |out: &mut Vec<u8>| write_hex(out, u64::from(level));
            self.style.constants.write(out, number, |out| {
                write_hex(out, u64::from(level));
                out.extend_from_slice(b" /* SOL_??? */");
            });
        }
        out.extend_from_slice(b", cmsg_type=");
        match level {
            SOCKET => self.style.constants.one(out, &CONTROL_MESSAGE, u64::from(kind)),
            INTERNET => self.style.constants.one(out, &IP_CONTROL, u64::from(kind)),
            _ => write_hex(out, u64::from(kind)),
        }
        let row = MESSAGES.iter().find(|(of, known, ..)| (*of, *known) == (level, kind));
        if let Some((.., what)) = row.filter(|(_, _, least, _)| data.len() >= *least) {
            out.extend_from_slice(b", cmsg_data=");
            self.write_control_data(out, *what, data);
        }
        out.push(b'}');
    }

    fn write_control_data(&mut self, out: &mut Vec<u8>, what: Data, data: &[u8]) {
        let half = self.half();
        match what {
            Data::Of(layout) if data.len() >= layout.size[half] => self.write_members(out, layout, data),
            Data::Several(layout, count) if data.len() >= count * layout.size[half] => {
                let items = data.chunks_exact(layout.size[half]).take(count);
                self.write_items(out, items, |call, out, item| call.write_members(out, layout, item));
            }
            Data::Of(_) | Data::Several(..) => out.extend_from_slice(b"???"),
            Data::Descriptors => self.write_items(out, data.chunks_exact(4), |call, out, fd| {
                call.write_descriptor(out, word32(fd, 0).cast_signed());
            }),
            Data::Numbers => self.write_items(out, data.chunks_exact(4), |_, out, number| {
                write_radix(out, u64::from(word32(number, 0)), 10, 1);
            }),
            Data::Bytes => {
                self.write_items(out, data.iter(), |_, out, byte| write_hex(out, u64::from(*byte)));
            }
            Data::Text => write_text(out, data, self.style.hex, false),
            Data::Address => write_socket_address(self, out, &data[..data.len().min(LARGEST_ADDRESS)]),
        }
    }
}

/// `struct sockaddr_storage`.
const LARGEST_ADDRESS: usize = 128;

/// The address of a host.
fn write_host(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_host4(out, bytes.first_chunk().copied().unwrap_or_default(), call.style);
}

fn write_offender(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_socket_address(call, out, &bytes[..bytes.len().min(16)]);
}
