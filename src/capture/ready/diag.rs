//! The listening sockets of this network namespace, asked for by `sock_diag(7)`: next to nothing, where reading
//! `/proc/net/tcp` goes through the whole table of connections each time.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, setsockopt,
    sockopt::ReceiveTimeout,
};
use nix::sys::time::{TimeVal, TimeValLike};
use rustc_hash::FxHashSet;

/// `SOCK_DIAG_BY_FAMILY` of `linux/sock_diag.h`.
const BY_FAMILY: u16 = 20;
/// `NLM_F_REQUEST | NLM_F_DUMP` of `linux/netlink.h`.
const DUMP: u16 = 0x301;
/// `NLMSG_ERROR` and `NLMSG_DONE` of `linux/netlink.h`.
const ERROR: u16 = 2;
const DONE: u16 = 3;
/// A set with the state `TCP_LISTEN` of `net/tcp_states.h`, which Unix sockets use as well.
const LISTENING: u32 = 1 << 10;
/// Size of a message's header (`struct nlmsghdr`).
const HEADER: usize = 16;

/// One table to ask for.
#[derive(Debug)]
struct Table {
    request: Vec<u8>,
    /// Where in an answer, after its header, the inode stands.
    inode_at: usize,
}

impl Table {
    /// `struct inet_diag_req_v2` and `struct inet_diag_msg` of `linux/inet_diag.h`.
    fn tcp(family: i32) -> Self {
        let mut body = vec![family as u8, libc::IPPROTO_TCP as u8, 0, 0];
        body.extend(LISTENING.to_ne_bytes());
        body.resize(56, 0);
        Self { request: request(&body), inode_at: 68 }
    }

    /// `struct unix_diag_req` and `struct unix_diag_msg` of `linux/unix_diag.h`.
    fn unix() -> Self {
        let mut body = vec![libc::AF_UNIX as u8, 0, 0, 0];
        body.extend(LISTENING.to_ne_bytes());
        body.resize(24, 0);
        Self { request: request(&body), inode_at: 4 }
    }
}

fn request(body: &[u8]) -> Vec<u8> {
    let mut bytes = ((HEADER + body.len()) as u32).to_ne_bytes().to_vec();
    bytes.extend(BY_FAMILY.to_ne_bytes());
    bytes.extend(DUMP.to_ne_bytes());
    // Sequence number and port id: there is one question at a time, and the kernel knows us.
    bytes.extend([0; 8]);
    bytes.extend(body);
    bytes
}

/// Asks the kernel for listening sockets.
#[derive(Debug)]
pub struct Diag {
    socket: OwnedFd,
    tables: Vec<Table>,
    buffer: Vec<u8>,
}

impl Diag {
    /// Finds out which tables the kernel gives. `None` where it does not give TCP's.
    pub fn new() -> Option<Self> {
        let protocol = SockProtocol::NetlinkSockDiag;
        let socket =
            nix::sys::socket::socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol)
                .ok()?;
        // The kernel answers at once; whoever stands in its place may not.
        setsockopt(&socket, ReceiveTimeout, &TimeVal::seconds(1)).ok()?;
        let mut diag = Self { socket, tables: Vec::new(), buffer: vec![0; 32 * 1024] };
        let tables = [Table::tcp(libc::AF_INET), Table::tcp(libc::AF_INET6), Table::unix()];
        for (at, table) in tables.into_iter().enumerate() {
            match diag.ask(&table, &mut FxHashSet::default()) {
                Ok(()) => diag.tables.push(table),
                Err(_) if at == 0 => return None,
                Err(_) => {}
            }
        }
        Some(diag)
    }

    /// Inodes of all listening sockets.
    pub fn inodes(&mut self) -> io::Result<FxHashSet<u64>> {
        let mut inodes = FxHashSet::default();
        let tables = std::mem::take(&mut self.tables);
        let asked = tables.iter().try_for_each(|table| self.ask(table, &mut inodes));
        self.tables = tables;
        asked.map(|()| inodes)
    }

    fn ask(&mut self, table: &Table, inodes: &mut FxHashSet<u64>) -> io::Result<()> {
        send(self.socket.as_raw_fd(), &table.request, MsgFlags::empty())?;
        loop {
            let got = recv(self.socket.as_raw_fd(), &mut self.buffer, MsgFlags::empty())?;
            if messages(&self.buffer[..got], table.inode_at, inodes)? {
                return Ok(());
            }
        }
    }
}

/// Takes the inodes out of one part of an answer; true: it was the last.
fn messages(mut bytes: &[u8], inode_at: usize, inodes: &mut FxHashSet<u64>) -> io::Result<bool> {
    let word = |bytes: &[u8], at: usize| {
        let word = bytes.get(at..at + 4)?;
        Some(u32::from_ne_bytes([word[0], word[1], word[2], word[3]]))
    };
    while let (Some(length), Some(kind)) = (word(bytes, 0), word(bytes, 4)) {
        let length = (length as usize).clamp(HEADER, bytes.len().max(HEADER));
        let body = bytes.get(HEADER..length).unwrap_or_default();
        match kind as u16 {
            DONE => return Ok(true),
            ERROR => {
                let errno = word(body, 0).unwrap_or(0).cast_signed().wrapping_neg();
                return Err(io::Error::from_raw_os_error(errno));
            }
            _ => inodes.extend(word(body, inode_at).map(u64::from)),
        }
        // Messages are aligned to four bytes.
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, body: &[u8]) -> Vec<u8> {
        let mut bytes = ((HEADER + body.len()) as u32).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.resize(HEADER, 0);
        bytes.extend(body);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn answers_are_taken_apart() {
        let mut inodes = FxHashSet::default();
        let unix = |inode: u32| [&[1, 1, 10, 0][..], &inode.to_ne_bytes(), &[0; 9]].concat();
        let bytes = [message(BY_FAMILY, &unix(77)), message(BY_FAMILY, &unix(78))].concat();
        assert!(!messages(&bytes, 4, &mut inodes).unwrap());
        assert!(messages(&message(DONE, &[0; 4]), 4, &mut inodes).unwrap());
        assert_eq!(inodes, FxHashSet::from_iter([77, 78]));
        let error = messages(&message(ERROR, &(-libc::ENOENT).to_ne_bytes()), 4, &mut inodes).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENOENT));
    }

    #[test]
    fn broken_answers_are_no_harm() {
        let mut inodes = FxHashSet::default();
        let whole = [message(BY_FAMILY, &[0; 72]), message(BY_FAMILY, &[0; 3])].concat();
        for end in 0..whole.len() {
            assert!(!messages(&whole[..end], 68, &mut inodes).unwrap());
            let mut lying = whole.clone();
            lying[0] = end as u8;
            let _ = messages(&lying, 68, &mut inodes);
        }
    }
}
