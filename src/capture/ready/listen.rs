//! Listening sockets of the command: from `sock_diag(7)`, or where the kernel has none from the tables in
//! `/proc/net`. Both are of this process's network namespace.

use std::fs;

use rustc_hash::FxHashSet;

use super::diag::Diag;

/// `TCP_LISTEN` of `net/tcp_states.h`, as the tables show it.
const TCP_LISTEN: &str = "0A";
/// `__SO_ACCEPTCON` of `linux/net.h`: the flag of a Unix socket that listens.
const ACCEPTS: u32 = 1 << 16;

/// Looks for a new listening socket of the command.
#[derive(Debug)]
pub struct Listen {
    diag: Option<Diag>,
    /// Sockets that are known not to be the command's.
    others: FxHashSet<u64>,
}

impl Listen {
    /// Before the command starts: all that listen now are not its own.
    pub fn new() -> Self {
        let mut listen = Self { diag: Diag::new(), others: FxHashSet::default() };
        listen.others = listen.inodes();
        listen
    }

    /// Whether one of the processes has a socket that listens.
    pub fn check(&mut self, pids: impl FnOnce() -> Vec<i32>) -> bool {
        let now = self.inodes();
        let new: Vec<u64> = now.into_iter().filter(|inode| !self.others.contains(inode)).collect();
        if new.is_empty() {
            return false;
        }
        let owned: FxHashSet<u64> = pids().into_iter().flat_map(sockets).collect();
        let found = new.iter().any(|inode| owned.contains(inode));
        self.others.extend(new);
        found
    }

    /// Inodes of all listening sockets.
    fn inodes(&mut self) -> FxHashSet<u64> {
        if let Some(diag) = &mut self.diag {
            match diag.inodes() {
                Ok(inodes) => return inodes,
                Err(_) => self.diag = None,
            }
        }
        inodes()
    }
}

/// Inodes of all listening sockets, from the tables.
fn inodes() -> FxHashSet<u64> {
    let table = |name: &str| fs::read_to_string(format!("/proc/net/{name}")).unwrap_or_default();
    let mut inodes = FxHashSet::default();
    for name in ["tcp", "tcp6"] {
        inodes.extend(table(name).lines().filter_map(tcp));
    }
    inodes.extend(table("unix").lines().filter_map(unix));
    inodes
}

/// `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode ...`
fn tcp(line: &str) -> Option<u64> {
    let mut words = line.split_ascii_whitespace();
    let listens = words.nth(3)? == TCP_LISTEN;
    listens.then(|| words.nth(5)?.parse().ok()).flatten()
}

/// `Num RefCount Protocol Flags Type St Inode Path`
fn unix(line: &str) -> Option<u64> {
    let mut words = line.split_ascii_whitespace();
    let flags = u32::from_str_radix(words.nth(3)?, 16).ok()?;
    (flags & ACCEPTS != 0).then(|| words.nth(2)?.parse().ok()).flatten()
}

/// Inodes of a process's sockets.
fn sockets(pid: i32) -> Vec<u64> {
    let fds = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let links = fds.filter_map(|fd| fs::read_link(fd.path()).ok());
    links
        .filter_map(|link| link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::os::unix::net::UnixListener;

    #[test]
    fn lines_of_the_tables() {
        let tcp_line = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0";
        assert_eq!(tcp(tcp_line), Some(4242));
        assert_eq!(tcp(&tcp_line.replace(" 0A ", " 01 ")), None);
        assert_eq!(tcp("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when"), None);
        assert_eq!(unix("0000: 00000002 00000000 00010000 0001 01 777 /run/x"), Some(777));
        assert_eq!(unix("0000: 00000002 00000000 00000000 0001 03 777"), None);
    }

    #[test]
    fn only_a_new_socket_of_these_processes_counts() {
        let own = std::process::id().cast_signed();
        let dir = tempfile::tempdir().unwrap();
        let tables = || Listen { diag: None, others: inodes() };
        for (at, new) in [Listen::new, tables].into_iter().enumerate() {
            let _before = TcpListener::bind("127.0.0.1:0").unwrap();
            let mut listen = new();
            assert!(!listen.check(Vec::new), "nobody's process");
            let _tcp = TcpListener::bind("127.0.0.1:0").unwrap();
            assert!(listen.check(|| vec![own]));
            let _tcp6 = TcpListener::bind("[::1]:0");
            let _unix = UnixListener::bind(dir.path().join(at.to_string())).unwrap();
            assert!(listen.check(|| vec![own]));
        }
    }
}
