//! Questions to the kernel about sockets, and its answers: `sock_diag(7)`.

use std::io;
use std::ops::ControlFlow;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, setsockopt, socket,
    sockopt::ReceiveTimeout,
};
use nix::sys::time::{TimeVal, TimeValLike};

/// `SOCK_DIAG_BY_FAMILY` of `linux/sock_diag.h`.
const BY_FAMILY: u16 = 20;
/// `NLM_F_REQUEST` and `NLM_F_DUMP` of `linux/netlink.h`.
const REQUEST: u16 = 1;
const DUMP: u16 = 0x300;
/// `NLMSG_ERROR` and `NLMSG_DONE` of `linux/netlink.h`.
const ERROR: u16 = 2;
const DONE: u16 = 3;
/// Size of a message's header (`struct nlmsghdr`).
const HEADER: usize = 16;

/// A question.
#[derive(Debug)]
pub struct Question {
    bytes: Vec<u8>,
    /// The answer is one message, without another that says it is the last.
    is_for_one: bool,
}

impl Question {
    /// For one socket, by the body that the socket's family wants.
    pub fn for_one(body: &[u8]) -> Self {
        Self { bytes: request(body, REQUEST), is_for_one: true }
    }

    /// For all sockets that the body describes.
    pub fn for_all(body: &[u8]) -> Self {
        Self { bytes: request(body, REQUEST | DUMP), is_for_one: false }
    }
}

fn request(body: &[u8], flags: u16) -> Vec<u8> {
    let mut bytes = ((HEADER + body.len()) as u32).to_ne_bytes().to_vec();
    bytes.extend(BY_FAMILY.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    // Sequence number and port id: there is one question at a time, and the kernel knows us.
    bytes.extend([0; 8]);
    bytes.extend(body);
    bytes
}

/// Whom to ask.
#[derive(Debug)]
pub struct SockDiag {
    socket: OwnedFd,
    buffer: Vec<u8>,
}

impl SockDiag {
    /// Sockets of this process's network namespace.
    pub fn open() -> io::Result<Self> {
        let protocol = SockProtocol::NetlinkSockDiag;
        let socket = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol)?;
        // The kernel answers at once; whoever stands in its place may not.
        setsockopt(&socket, ReceiveTimeout, &TimeVal::seconds(1))?;
        Ok(Self { socket, buffer: vec![0; 32 << 10] })
    }

    /// Asks, and hands on the body of each message of the answer, as long as more are wanted.
    pub fn ask(
        &mut self,
        question: &Question,
        mut take: impl FnMut(&[u8]) -> ControlFlow<()>,
    ) -> io::Result<()> {
        send(self.socket.as_raw_fd(), &question.bytes, MsgFlags::empty())?;
        loop {
            let got = recv(self.socket.as_raw_fd(), &mut self.buffer, MsgFlags::empty())?;
            if messages(&self.buffer[..got], &mut take)?.is_break() || question.is_for_one || got == 0 {
                return Ok(());
            }
        }
    }
}

/// Hands on the messages of one part of an answer; `Break`: it was the last, or no more are wanted.
fn messages(
    mut bytes: &[u8],
    take: &mut impl FnMut(&[u8]) -> ControlFlow<()>,
) -> io::Result<ControlFlow<()>> {
    while let (Some(length), Some(kind)) = (word(bytes, 0), half(bytes, 4)) {
        let length = (length as usize).clamp(HEADER, bytes.len().max(HEADER));
        let body = bytes.get(HEADER..length).unwrap_or_default();
        match kind {
            DONE => return Ok(ControlFlow::Break(())),
            ERROR => {
                let errno = word(body, 0).unwrap_or(0).cast_signed().wrapping_neg();
                return Err(io::Error::from_raw_os_error(errno));
            }
            _ if take(body).is_break() => return Ok(ControlFlow::Break(())),
            _ => {}
        }
        // Messages are aligned to four bytes.
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(ControlFlow::Continue(()))
}

/// Two bytes of a message.
pub fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// Four bytes of a message.
pub fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
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

    /// The inodes in an answer, and whether it was the last part.
    fn inodes(bytes: &[u8], at: usize) -> io::Result<(Vec<u32>, bool)> {
        let mut inodes = Vec::new();
        let last = messages(bytes, &mut |body: &[u8]| {
            inodes.extend(word(body, at));
            ControlFlow::Continue(())
        })?;
        Ok((inodes, last.is_break()))
    }

    #[test]
    fn answers_are_taken_apart() {
        let unix = |inode: u32| [&[1, 1, 10, 0][..], &inode.to_ne_bytes(), &[0; 9]].concat();
        let bytes = [message(BY_FAMILY, &unix(77)), message(BY_FAMILY, &unix(78))].concat();
        assert_eq!(inodes(&bytes, 4).unwrap(), (vec![77, 78], false));
        assert_eq!(inodes(&message(DONE, &[0; 4]), 4).unwrap(), (vec![], true));
        let error = inodes(&message(ERROR, &(-libc::ENOENT).to_ne_bytes()), 4).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENOENT));
        let mut seen = 0;
        let first = messages(&bytes, &mut |_: &[u8]| {
            seen += 1;
            ControlFlow::Break(())
        });
        assert!(first.unwrap().is_break() && seen == 1);
    }

    #[test]
    fn broken_answers_are_no_harm() {
        let whole = [message(BY_FAMILY, &[0; 72]), message(BY_FAMILY, &[0; 3])].concat();
        for end in 0..whole.len() {
            assert!(!inodes(&whole[..end], 68).unwrap().1);
            let mut lying = whole.clone();
            lying[0] = end as u8;
            let _ = inodes(&lying, 68);
        }
    }
}
