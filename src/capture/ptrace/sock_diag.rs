//! What the kernel knows of a socket by its inode, from `sock_diag(7)`: the ends of a connection, bound ones before they
//! listen included, and the other end of a local socket. Both are of this process's network namespace.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::ControlFlow;

use super::super::netlink::{Question, SockDiag, half, word};

/// `UDIAG_SHOW_PEER` and `UNIX_DIAG_PEER` of `linux/unix_diag.h`.
const SHOW_PEER: u32 = 4;
const PEER: u16 = 2;
/// Size of `struct unix_diag_msg`.
const UNIX: usize = 16;
/// Where `struct inet_diag_msg` has ports, both addresses, and the inode.
const PORTS: usize = 4;
const ADDRESSES: usize = 8;
const INODE: usize = 68;

/// The two ends of a connection: addresses and ports.
pub type Ends = [(IpAddr, u16); 2];

/// The inode of the socket that the local one with this inode is connected to.
pub fn unix_peer(inode: u32) -> Option<u32> {
    let words = [u32::MAX, inode, SHOW_PEER, u32::MAX, u32::MAX];
    let mut body = vec![libc::AF_UNIX as u8, 0, 0, 0];
    body.extend(words.iter().flat_map(|word| word.to_ne_bytes()));
    find(&Question::for_one(&body), |answer| peer(answer, inode))
}

/// The ends of the connection of the socket with this inode, of this family (`AF_INET`, `AF_INET6`) and protocol.
pub fn internet_ends(family: i32, protocol: i32, inode: u32) -> Option<Ends> {
    let mut body = vec![family as u8, protocol as u8, 0, 0];
    body.extend(u32::MAX.to_ne_bytes());
    body.resize(56, 0);
    find(&Question::for_all(&body), |answer| ends(answer, inode))
}

/// Asks, and looks at each message of the answer until one has it.
fn find<T>(question: &Question, look: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
    let mut found = None;
    let take = |body: &[u8]| {
        found = look(body);
        if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    SockDiag::open().ok()?.ask(question, take).ok()?;
    found
}

/// The peer that an answer names, if it is about this socket.
fn peer(bytes: &[u8], inode: u32) -> Option<u32> {
    let mut at = UNIX;
    while word(bytes, 4)? == inode {
        let length = usize::from(half(bytes, at)?);
        if half(bytes, at + 2)? == PEER && length >= 8 {
            return word(bytes, at + 4);
        }
        at += length.max(4).next_multiple_of(4);
    }
    None
}

/// The ends that an answer names, if it is about this socket.
fn ends(bytes: &[u8], inode: u32) -> Option<Ends> {
    // What the kernel keeps of a connection that nobody has any more, or not yet, has inode 0.
    if inode == 0 || word(bytes, INODE)? != inode {
        return None;
    }
    let end = |index: usize| {
        let at = PORTS + 2 * index;
        let port = u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]);
        let address = bytes.get(ADDRESSES + 16 * index..)?;
        let address = if i32::from(*bytes.first()?) == libc::AF_INET {
            IpAddr::V4(Ipv4Addr::from(*address.first_chunk::<4>()?))
        } else {
            IpAddr::V6(Ipv6Addr::from(*address.first_chunk::<16>()?))
        };
        Some((address, port))
    };
    Some([end(0)?, end(1)?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::net::UnixStream;

    fn inode(socket: &impl AsRawFd) -> u32 {
        let link = format!("/proc/self/fd/{}", socket.as_raw_fd());
        std::fs::metadata(link).expect("it is open").ino() as u32
    }

    #[test]
    fn both_ends_know_each_other() {
        let (one, other) = UnixStream::pair().expect("a pair");
        let (one, other) = (inode(&one), inode(&other));
        assert_eq!((unix_peer(one), unix_peer(other)), (Some(other), Some(one)));
    }

    #[test]
    fn a_listener_has_one_end() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let own = listener.local_addr().expect("bound");
        let nobody = (IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        let ends = internet_ends(libc::AF_INET, libc::IPPROTO_TCP, inode(&listener));
        assert_eq!(ends, Some([(own.ip(), own.port()), nobody]));
        assert_eq!(internet_ends(libc::AF_INET, libc::IPPROTO_TCP, 0), None);
    }

    #[test]
    fn broken_answers_are_none() {
        let whole: Vec<u8> = (0..80).collect();
        for end in 0..whole.len() {
            assert_eq!(peer(&whole[..end], 7), None);
            assert_eq!(ends(&whole[..end], 7), None);
        }
        // An attribute of no length does not keep us there.
        let mut still = vec![0; 24];
        still[4..8].copy_from_slice(&7_u32.to_ne_bytes());
        assert_eq!(peer(&still, 7), None);
    }
}
