//! What a descriptor of a traced thread is beside its path: a device's number, a socket's protocol and addresses, a
//! process's id.
//!
//! Asked for where calls are decoded with that (`-yy` of the link).

use std::cell::RefCell;
use std::ffi::{CString, OsStr};
use std::net::IpAddr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::rc::Rc;

use libc::{AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP};

use super::super::sys::socket_name;
use super::content::name_of;
use super::files::{Name, Shares, proc_is_ours, proc_link};
use super::ids;
use super::sock_diag::{internet_ends, unix_local};
use crate::syscall::decode::escape::{write_bracketed, write_quoted};
use crate::syscall::decode::{Described, IdKind, Style};
use crate::syscall::flags::NETLINK_PROTOCOL;

/// What is behind a descriptor, as far as is wanted.
pub fn describe(shares: &Shares, tid: i32, fd: i32, style: &Style) -> Described {
    let Style { files: with_path, details, .. } = *style;
    // Where `/proc` has other ids than we, nothing of it is kept.
    let Some(known) = ids::known(tid) else { return Described::default() };
    let link = format!("/proc/{known}/fd/{fd}");
    let path = if proc_is_ours() { shares.file(tid, fd) } else { file_behind(&link) };
    let Some(path) = path else { return Described::default() };
    if details.sockets
        && let Some(inode) = inode_of(&path)
        && let Some(socket) = socket(known, &link, inode)
    {
        return Described { path: Vec::new(), more: socket };
    }
    if details.processes
        && *path == *b"anon_inode:[pidfd]"
        && let Some(pid) = process(known, fd, style.names)
    {
        return Described { path: Vec::new(), more: pid };
    }
    let more = if details.devices { device(&link) } else { Vec::new() };
    Described { path: if with_path || !more.is_empty() { path.to_vec() } else { Vec::new() }, more }
}

/// What a link below `/proc` names.
fn file_behind(link: &str) -> Option<Name> {
    Some(Rc::from(std::fs::read_link(link).ok()?.into_os_string().into_vec()))
}

/// The path that a file had when it was removed, to which the kernel adds ` (deleted)`; of a file that is there by
/// such a name, none.
pub fn removed(shares: &Shares, tid: i32, fd: i32) -> Option<Vec<u8>> {
    if !shares.file(tid, fd)?.starts_with(b"/") {
        return None;
    }
    let name = proc_link(tid, format_args!("fd/{fd}"))?;
    let path = name.strip_suffix(b" (deleted)")?;
    let (there, behind) = (
        std::fs::symlink_metadata(OsStr::from_bytes(&name)),
        std::fs::metadata(format!("/proc/{tid}/fd/{fd}")).ok()?,
    );
    let is_there = there.is_ok_and(|there| (there.dev(), there.ino()) == (behind.dev(), behind.ino()));
    (!is_there).then(|| path.to_vec())
}

/// `<char 1:3>`
fn device(link: &str) -> Vec<u8> {
    let Ok(metadata) = std::fs::metadata(link) else { return Vec::new() };
    let kind = match metadata.file_type() {
        kind if kind.is_char_device() => "char",
        kind if kind.is_block_device() => "block",
        _ => return Vec::new(),
    };
    let (major, minor) = (libc::major(metadata.rdev()), libc::minor(metadata.rdev()));
    format!("<{kind} {major}:{minor}>").into_bytes()
}

/// `pid:17`, `pid:17<sh>`
fn process(known: i32, fd: i32, with_name: bool) -> Option<Vec<u8>> {
    let pid = process_of(known, fd)?;
    let mut text = format!("pid:{pid}").into_bytes();
    if let Some(name) = name_of(pid).filter(|_| with_name) {
        write_bracketed(&mut text, &name);
    }
    Some(text)
}

/// The process that a descriptor is of, while it runs: `Pid:` in `fdinfo` (`pidfd_open(2)`).
fn process_of(known: i32, fd: i32) -> Option<i32> {
    // It is told by its id in the namespace of `/proc`.
    if !proc_is_ours() {
        return None;
    }
    let text = std::fs::read(format!("/proc/{known}/fdinfo/{fd}")).ok()?;
    let text = String::from_utf8_lossy(&text);
    let pid = text.lines().find_map(|line| line.strip_prefix("Pid:"))?.trim().parse().ok()?;
    (pid > 0).then_some(pid)
}

/// What is behind a descriptor of the process that another descriptor is of.
pub fn describe_beyond(tid: i32, process: i32, fd: i32, style: &Style) -> Option<Vec<u8>> {
    let process = process_of(ids::known(tid)?, process)?;
    Some(describe(&Shares::of(process), process, fd, style).answer())
}

/// The same of the process that a thread knows by this id.
pub fn describe_of(tid: i32, process: i32, fd: i32, style: &Style) -> Option<Vec<u8>> {
    let process = ids::in_ours(tid, IdKind::Process, process)?;
    Some(describe(&Shares::of(process), process, fd, style).answer())
}

/// The inode in `socket:[12]`.
fn inode_of(path: &[u8]) -> Option<u64> {
    std::str::from_utf8(path.strip_prefix(b"socket:[")?.strip_suffix(b"]")?).ok()?.parse().ok()
}

/// `TCP:[127.0.0.1:45671->127.0.0.1:53994]`, `UNIX-STREAM:[17->18]`, or the inode where nothing more is known.
fn socket(known: i32, link: &str, inode: u64) -> Option<Vec<u8>> {
    let name = socket_name::protocol(&CString::new(link).ok()?)?;
    if let Some(told) = KNOWN.with_borrow(|known| known.get(inode)) {
        return Some(told);
    }
    let found = match &name[..] {
        b"TCP" => internet(AF_INET, IPPROTO_TCP, inode),
        b"TCPv6" => internet(AF_INET6, IPPROTO_TCP, inode),
        b"UDP" => internet(AF_INET, IPPROTO_UDP, inode),
        b"UDPv6" => internet(AF_INET6, IPPROTO_UDP, inode),
        b"NETLINK" => netlink(known, inode),
        name if name.starts_with(b"UNIX") => Some(local(known, inode)),
        _ => None,
    };
    let number = inode.to_string().into_bytes();
    let is_told = found.as_ref().is_some_and(|what| *what != number);
    let socket = [&name[..], b":[", &found.unwrap_or(number), b"]"].concat();
    if is_told {
        KNOWN.with_borrow_mut(|known| known.put(inode, &socket));
    }
    Some(socket)
}

thread_local! {
    /// What was told of sockets: strace tells the same ever after, also when the other end is gone.
    static KNOWN: RefCell<Known> = RefCell::default();
}

/// Sockets by their inodes, as many as strace knows at a time; a later one takes the place of an earlier one.
#[derive(Default)]
struct Known(Vec<Option<(u64, Vec<u8>)>>);

impl Known {
    const PLACES: usize = 1024;

    fn get(&self, inode: u64) -> Option<Vec<u8>> {
        let (known, socket) = self.0.get(inode as usize % Self::PLACES)?.as_ref()?;
        (*known == inode).then(|| socket.clone())
    }

    fn put(&mut self, inode: u64, socket: &[u8]) {
        self.0.resize(Self::PLACES, None);
        self.0[inode as usize % Self::PLACES] = Some((inode, socket.to_vec()));
    }
}

/// The address that a socket is bound to, and the one it is connected to.
fn internet(family: i32, protocol: i32, inode: u64) -> Option<Vec<u8>> {
    let [own, other] = internet_ends(family, protocol, u32::try_from(inode).ok()?)?;
    let shown = |(host, port): (IpAddr, u16)| match host {
        IpAddr::V4(host) => format!("{host}:{port}"),
        IpAddr::V6(host) => format!("[{host}]:{port}"),
    };
    let is_connected = other.1 != 0 || !other.0.is_unspecified();
    let text = if is_connected { format!("{}->{}", shown(own), shown(other)) } else { shown(own) };
    Some(text.into_bytes())
}

/// The protocol of a netlink socket, -1 where it is not bound.
pub fn netlink_protocol(shares: &Shares, tid: i32, fd: i32) -> Option<Vec<u8>> {
    let known = ids::known(tid)?;
    let link = format!("/proc/{known}/fd/{fd}");
    let path = if proc_is_ours() { shares.file(tid, fd) } else { file_behind(&link) };
    let (inode, link) = (inode_of(&path?)?, CString::new(link).ok()?);
    socket_name::protocol(&link).filter(|name| name == b"NETLINK")?;
    let protocol = bound_netlink(known, inode).map_or(-1, |(protocol, _)| protocol);
    Some(protocol.to_le_bytes().to_vec())
}

/// The name of an interface of our network namespace.
pub fn interface_name(index: i32) -> Option<Vec<u8>> {
    let name = nix::net::if_::if_indextoname(index.cast_unsigned()).ok()?;
    Some(name.into_bytes()).filter(|name| !name.is_empty())
}

/// The row of a table that has this inode in this column.
fn row(text: &str, column: usize, inode: u64) -> Option<&str> {
    let has = |line: &&str| {
        line.split_ascii_whitespace().nth(column).and_then(|word| word.parse().ok()) == Some(inode)
    };
    text.lines().skip(1).find(has)
}

/// `ROUTE:15085`
fn netlink(known: i32, inode: u64) -> Option<Vec<u8>> {
    let (protocol, port) = bound_netlink(known, inode)?;
    let name = u64::try_from(protocol).ok().and_then(|protocol| NETLINK_PROTOCOL.name(protocol));
    let name = name.and_then(|name| name.strip_prefix("NETLINK_"));
    let name = name.map_or_else(|| protocol.to_string(), str::to_owned);
    Some(format!("{name}:{port}").into_bytes())
}

/// Protocol and port of a netlink socket, from `/proc/net/netlink`: the second and third column, the inode in the
/// tenth. One that is not bound is in no table of the kernel's.
fn bound_netlink(known: i32, inode: u64) -> Option<(i32, String)> {
    let text = std::fs::read(format!("/proc/{known}/net/netlink")).ok()?;
    let text = String::from_utf8_lossy(&text);
    let mut words = row(&text, 9, inode)?.split_ascii_whitespace().skip(1);
    let (protocol, port) = (words.next()?.parse().ok()?, words.next()?);
    (port != "0").then(|| (protocol, port.to_owned()))
}

/// `17->18,"path"`: the inodes of both ends, and the name.
fn local(known: i32, inode: u64) -> Vec<u8> {
    let mut out = inode.to_string().into_bytes();
    let told = unix_local(inode as u32);
    if let Some(peer) = told.as_ref().and_then(|local| local.peer).filter(|&peer| peer != 0) {
        out.extend_from_slice(format!("->{peer}").as_bytes());
    }
    // Sockets of other network namespaces are only listed.
    let name = told.map(|local| local.name).or_else(|| listed_name(known, inode)).unwrap_or_default();
    match &name[..] {
        [] => {}
        [0, name @ ..] => {
            out.extend_from_slice(b",@");
            write_quoted(&mut out, name);
        }
        path => {
            out.push(b',');
            write_quoted(&mut out, path.split(|&byte| byte == 0).next().unwrap_or_default());
        }
    }
    out
}

/// The name of a local socket in `/proc/net/unix` (the inode in the seventh column, the name behind it), cut at the end of
/// the line that it may have in it.
fn listed_name(known: i32, inode: u64) -> Option<Vec<u8>> {
    let text = std::fs::read(format!("/proc/{known}/net/unix")).ok()?;
    let number = inode.to_string();
    let name = text.split(|&byte| byte == b'\n').skip(1).find_map(|line| {
        let mut rest = line;
        for _ in 0..6 {
            let at = rest.iter().position(|&byte| byte == b' ')?;
            rest = rest[at..].trim_ascii_start();
        }
        let end = rest.iter().position(|&byte| byte == b' ').unwrap_or(rest.len());
        let (listed, name) = rest.split_at(end);
        (listed == number.as_bytes()).then(|| name.strip_prefix(b" ").unwrap_or_default())
    })?;
    // An abstract name has this in the place of its NUL byte.
    Some(match name {
        [b'@', name @ ..] => [b"\0", name].concat(),
        path => path.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syscall::decode::Details;
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    fn told(fd: &impl AsRawFd) -> String {
        let me = std::process::id().cast_signed();
        let style = Style { files: true, details: Details::ALL, ..Style::PLAIN };
        let Described { path, more } = describe(&Shares::of(me), me, fd.as_raw_fd(), &style);
        String::from_utf8([path, more].concat()).expect("ASCII")
    }

    #[test]
    fn sockets_devices_and_files() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        assert_eq!(told(&listener), format!("TCP:[{address}]"));
        let stream = TcpStream::connect(address).expect("it listens");
        let own = stream.local_addr().expect("connected");
        assert_eq!(told(&stream), format!("TCP:[{own}->{address}]"));
        let udp = UdpSocket::bind("127.0.0.1:0").expect("a port");
        assert_eq!(told(&udp), format!("UDP:[{}]", udp.local_addr().expect("bound")));
        let (one, other) = UnixStream::pair().expect("a pair");
        let inode = |text: &str| {
            text.split_once("->").map(|(own, _)| own.split_once('[').expect("a bracket").1.to_owned())
        };
        let (one, other) = (told(&one), told(&other));
        assert!(one.starts_with("UNIX-STREAM:["), "{one}");
        assert_eq!(
            one.split_once("->").map(|(_, peer)| peer.trim_end_matches(']').to_owned()),
            inode(&other)
        );
        let null = std::fs::File::open("/dev/null").expect("it is there");
        assert_eq!(told(&null), "/dev/null<char 1:3>");
        let file = tempfile::NamedTempFile::new().expect("a file");
        assert_eq!(told(file.as_file()), file.path().to_str().expect("UTF-8"));
    }
}
