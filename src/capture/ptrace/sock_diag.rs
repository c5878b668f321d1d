//! What the kernel knows of a socket by its inode, from `sock_diag(7)`: the ends of a connection, bound ones before they
//! listen included, and the other end of a local socket. Both are of this process's network namespace.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::ControlFlow;

use super::super::netlink::{Question, SockDiag, half, word};

/// `UDIAG_SHOW_NAME`, `UDIAG_SHOW_PEER`, `UNIX_DIAG_NAME` and `UNIX_DIAG_PEER` of `linux/unix_diag.h`.
const SHOW_NAME: u32 = 1;
const SHOW_PEER: u32 = 4;
const NAME: u16 = 0;
const PEER: u16 = 2;
/// Size of `struct unix_diag_msg`.
const UNIX: usize = 16;
/// Where `struct inet_diag_msg` has ports, both addresses, and the inode.
const PORTS: usize = 4;
const ADDRESSES: usize = 8;
const INODE: usize = 68;

/// The two ends of a connection: addresses and ports.
pub type Ends = [(IpAddr, u16); 2];

/// A local socket.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Local {
    /// The inode of the socket that it is connected to.
    pub peer: Option<u32>,
    /// Its path, or its name behind a NUL byte, as the program has bound it; empty where it has not.
    pub name: Vec<u8>,
}

/// What the local socket with this inode is called, and connected to.
pub fn unix_local(inode: u32) -> Option<Local> {
    let words = [u32::MAX, inode, SHOW_NAME | SHOW_PEER, u32::MAX, u32::MAX];
    let mut body = vec![libc::AF_UNIX as u8, 0, 0, 0];
    body.extend(words.iter().flat_map(|word| word.to_ne_bytes()));
    find(&Question::for_one(&body), |answer| local(answer, inode))
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

/// What an answer tells, if it is about this socket.
fn local(bytes: &[u8], inode: u32) -> Option<Local> {
    if word(bytes, 4)? != inode {
        return None;
    }
    let (mut at, mut told) = (UNIX, Local::default());
    while let (Some(length), Some(kind)) = (half(bytes, at), half(bytes, at + 2)) {
        let length = usize::from(length);
        let value = bytes.get(at + 4..at + length).unwrap_or_default();
        match kind {
            PEER => told.peer = word(value, 0),
            NAME => value.clone_into(&mut told.name),
            _ => {}
        }
        at += length.max(4).next_multiple_of(4);
    }
    Some(told)
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
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::net::{UnixDatagram, UnixStream};

    fn inode(socket: &impl AsRawFd) -> u32 {
        let link = format!("/proc/self/fd/{}", socket.as_raw_fd());
        std::fs::metadata(link).expect("it is open").ino() as u32
    }

    #[test]
    fn both_ends_know_each_other() {
        let (one, other) = UnixStream::pair().expect("a pair");
        let (one, other) = (inode(&one), inode(&other));
        let peer = |inode| unix_local(inode).and_then(|local| local.peer);
        assert_eq!((peer(one), peer(other)), (Some(other), Some(one)));
    }

    #[test]
    fn names_may_have_any_bytes() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("two\nlines ");
        let bound = UnixDatagram::bind(&path).expect("it can be bound");
        let name = unix_local(inode(&bound)).expect("it is there").name;
        assert_eq!(name.strip_suffix(b"\0").unwrap_or(&name), path.as_os_str().as_bytes());
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
            assert_eq!(local(&whole[..end], 7), None);
            assert_eq!(ends(&whole[..end], 7), None);
        }
        // An attribute of no length does not keep us there.
        let mut still = vec![0; 24];
        still[4..8].copy_from_slice(&7_u32.to_ne_bytes());
        assert_eq!(local(&still, 7), Some(Local::default()));
    }
}
