//! The listening sockets of this network namespace, asked for by `sock_diag(7)`: next to nothing, where reading
//! `/proc/net/tcp` goes through the whole table of connections each time.

use std::io;
use std::ops::ControlFlow;

use rustc_hash::FxHashSet;

use super::super::netlink::{Question, SockDiag, word};

/// A set with the state `TCP_LISTEN` of `net/tcp_states.h`, which Unix sockets use as well.
const LISTENING: u32 = 1 << 10;

/// One table to ask for.
#[derive(Debug)]
struct Table {
    question: Question,
    /// Where in an answer, after its header, the inode stands.
    inode_at: usize,
}

impl Table {
    /// `struct inet_diag_req_v2` and `struct inet_diag_msg` of `linux/inet_diag.h`.
    fn tcp(family: i32) -> Self {
        let mut body = vec![family as u8, libc::IPPROTO_TCP as u8, 0, 0];
        body.extend(LISTENING.to_ne_bytes());
        body.resize(56, 0);
        Self { question: Question::for_all(&body), inode_at: 68 }
    }

    /// `struct unix_diag_req` and `struct unix_diag_msg` of `linux/unix_diag.h`.
    fn unix() -> Self {
        let mut body = vec![libc::AF_UNIX as u8, 0, 0, 0];
        body.extend(LISTENING.to_ne_bytes());
        body.resize(24, 0);
        Self { question: Question::for_all(&body), inode_at: 4 }
    }
}

/// Asks the kernel for listening sockets.
#[derive(Debug)]
pub struct Diag {
    kernel: SockDiag,
    tables: Vec<Table>,
}

impl Diag {
    /// Finds out which tables the kernel gives. `None` where it does not give TCP's.
    pub fn new() -> Option<Self> {
        let mut diag = Self { kernel: SockDiag::open().ok()?, tables: Vec::new() };
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
        self.kernel.ask(&table.question, |body| {
            inodes.extend(word(body, table.inode_at).map(u64::from));
            ControlFlow::Continue(())
        })
    }
}
