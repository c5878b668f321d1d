//! Structures of which every log has the facts, if not the bytes: stat results and socket addresses.

use super::constants::Constants;
use super::escape::{write_escaped, write_quoted};
use crate::event::{Event, FileStat};
use crate::syscall::flags::RESOLVE;
use crate::syscall::flags::{write_mode, write_number};
use crate::syscall::{Struct, open_flags};

/// Type bits of a mode (`S_IFMT`).
const TYPE: u32 = 0o170_000;
const CHARACTER_DEVICE: u32 = 0o020_000;
const BLOCK_DEVICE: u32 = 0o060_000;

const TYPES: [(u32, &str); 7] = [
    (0o140_000, "S_IFSOCK"),
    (0o120_000, "S_IFLNK"),
    (0o100_000, "S_IFREG"),
    (BLOCK_DEVICE, "S_IFBLK"),
    (0o040_000, "S_IFDIR"),
    (CHARACTER_DEVICE, "S_IFCHR"),
    (0o010_000, "S_IFIFO"),
];

/// Bits above the permissions, below the type.
const SPECIAL: [(u32, &str); 3] = [(0o4000, "S_ISUID"), (0o2000, "S_ISGID"), (0o1000, "S_ISVTX")];

/// Writes a mode with its file type: `S_IFREG|0644`; without a type only the permissions: `0644`.
pub(super) fn write_file_mode(out: &mut Vec<u8>, mode: u32) {
    let kind = TYPES.iter().find(|(bits, _)| mode & TYPE == *bits);
    if kind.is_none() && mode & TYPE != 0 {
        return write_mode(out, u64::from(mode));
    }
    let mut rest = mode;
    for (bit, name) in kind.into_iter().chain(&SPECIAL) {
        if rest & bit == *bit {
            out.extend_from_slice(name.as_bytes());
            out.push(b'|');
            rest &= !bit;
        }
    }
    write_mode(out, u64::from(rest));
}

/// `{st_mode=S_IFREG|0644, st_size=2996, ...}`; for devices, whose size means nothing, the mode only.
pub(super) fn write_stat(out: &mut Vec<u8>, layout: Struct, stat: &FileStat) {
    let prefix: &[u8] = if layout == Struct::Statx { b"stx" } else { b"st" };
    out.push(b'{');
    out.extend_from_slice(prefix);
    out.extend_from_slice(b"_mode=");
    write_file_mode(out, stat.mode);
    if !matches!(stat.mode & TYPE, CHARACTER_DEVICE | BLOCK_DEVICE) {
        out.extend_from_slice(b", ");
        out.extend_from_slice(prefix);
        out.extend_from_slice(b"_size=");
        write_number(out, stat.size);
    }
    out.extend_from_slice(b", ...}");
}

/// Writes an address kept as `inet:127.0.0.1:80` in strace's form; one of another shape as it is.
pub(super) fn write_sockaddr(out: &mut Vec<u8>, peer: &[u8]) {
    let colon = peer.iter().position(|&byte| byte == b':');
    let (family, address) = colon.map_or((peer, &b""[..]), |at| (&peer[..at], &peer[at + 1..]));
    let written = match family {
        b"unix" => {
            write_unix(out, address);
            true
        }
        b"inet" => write_inet(out, address),
        b"inet6" => write_inet6(out, address),
        b"netlink" if is_number(address) => {
            out.extend_from_slice(b"{sa_family=AF_NETLINK, nl_pid=");
            out.extend_from_slice(address);
            out.extend_from_slice(b", ...}");
            true
        }
        b"unspec" => {
            out.extend_from_slice(b"{sa_family=AF_UNSPEC, ...}");
            true
        }
        _ => false,
    };
    if !written {
        out.push(b'{');
        write_escaped(out, peer, b"{}");
        out.push(b'}');
    }
}

fn write_unix(out: &mut Vec<u8>, name: &[u8]) {
    out.extend_from_slice(b"{sa_family=AF_UNIX");
    if let Some(name) = name.strip_prefix(b"@") {
        out.extend_from_slice(b", sun_path=@");
        write_quoted(out, name);
    } else if !name.is_empty() {
        out.extend_from_slice(b", sun_path=");
        write_quoted(out, name);
    }
    out.push(b'}');
}

fn write_inet(out: &mut Vec<u8>, address: &[u8]) -> bool {
    let Some((host, port)) = host_and_port(address) else { return false };
    if !host.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.') {
        return false;
    }
    for part in
        [&b"{sa_family=AF_INET, sin_port=htons("[..], port, b"), sin_addr=inet_addr(\"", host, b"\")}"]
    {
        out.extend_from_slice(part);
    }
    true
}

fn write_inet6(out: &mut Vec<u8>, address: &[u8]) -> bool {
    let Some((host, port)) = host_and_port(address) else { return false };
    let host = host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]")).unwrap_or(host);
    if !host.iter().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':')) {
        return false;
    }
    let parts = [
        &b"{sa_family=AF_INET6, sin6_port=htons("[..],
        port,
        b"), inet_pton(AF_INET6, \"",
        host,
        b"\"), ...}",
    ];
    for part in parts {
        out.extend_from_slice(part);
    }
    true
}

fn host_and_port(address: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = address.iter().rposition(|&byte| byte == b':')?;
    let (host, port) = (&address[..colon], &address[colon + 1..]);
    is_number(port).then_some((host, port))
}

fn is_number(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

/// Writes `struct open_how` from the text the capture keeps of it, `flags=0x.. mode=0o.. resolve=0x..`;
/// `false`: it is not of that shape.
pub(super) fn write_open_how(out: &mut Vec<u8>, event: &Event<'_>, constants: Constants) -> bool {
    let Some(text) = event.text.and_then(|text| std::str::from_utf8(text).ok()) else { return false };
    let mut words = text.split(' ');
    let mut word = |name: &str, prefix: &str, base| {
        let value = words.next()?.strip_prefix(name)?.strip_prefix(prefix)?;
        u64::from_str_radix(value, base).ok()
    };
    let (Some(flags), Some(mode), Some(resolve)) =
        (word("flags=", "0x", 16), word("mode=", "0o", 8), word("resolve=", "0x", 16))
    else {
        return false;
    };
    out.extend_from_slice(b"{flags=");
    constants.bits(out, open_flags(event.abi), flags);
    if mode != 0 {
        out.extend_from_slice(b", mode=");
        write_mode(out, mode);
    }
    out.extend_from_slice(b", resolve=");
    constants.bits(out, &RESOLVE, resolve);
    out.push(b'}');
    true
}
