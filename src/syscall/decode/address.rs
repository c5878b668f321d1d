//! Addresses of sockets: local, internet and netlink ones by their members, others as bytes.

use super::constants::Constants;
use super::escape::write_quoted;
use super::net::{word16, word32};
use super::text::write_text;
use super::{Hex, Style};
use crate::syscall::flags::{SOCKET_DOMAIN, write_number, write_radix};

/// `htons(80)`
pub(super) fn write_port(out: &mut Vec<u8>, port: &[u8], constants: Constants) {
    let name = |out: &mut Vec<u8>| {
        out.extend_from_slice(b"htons(");
        write_radix(out, u64::from(word16(port, 0).swap_bytes()), 10, 1);
        out.push(b')');
    };
    constants.write(out, |out| write_text(out, port, Hex::All, false), name);
}

pub(super) fn write_socket_address(out: &mut Vec<u8>, bytes: &[u8], style: &Style) {
    let family = word16(bytes, 0);
    out.extend_from_slice(b"{sa_family=");
    style.constants.one(out, &SOCKET_DOMAIN, u64::from(family));
    match family {
        1 => write_local(out, &bytes[2..], style.hex),
        2 if bytes.len() >= 8 => {
            out.extend_from_slice(b", sin_port=");
            write_port(out, &bytes[2..4], style.constants);
            out.extend_from_slice(b", sin_addr=");
            write_host4(out, [bytes[4], bytes[5], bytes[6], bytes[7]], style);
        }
        10 if bytes.len() >= 24 => write_inet6(out, bytes, style),
        16 if bytes.len() >= 12 => {
            out.extend_from_slice(b", nl_pid=");
            write_number(out, i64::from(word32(bytes, 4).cast_signed()));
            out.extend_from_slice(b", nl_groups=");
            let groups = word32(bytes, 8);
            // As wide with its 0x as without.
            let groups = if groups == 0 { "00000000".to_owned() } else { format!("{groups:#08x}") };
            out.extend_from_slice(groups.as_bytes());
        }
        _ => {
            out.extend_from_slice(b", sa_data=");
            write_text(out, &bytes[2..], style.hex, false);
        }
    }
    out.push(b'}');
}

/// The name of a local socket: a path, an abstract name, or none.
fn write_local(out: &mut Vec<u8>, name: &[u8], hex: Hex) {
    match name.split_first() {
        None => {}
        Some((0, name)) => {
            out.extend_from_slice(b", sun_path=@");
            write_text(out, name, hex, false);
        }
        Some(_) => {
            out.extend_from_slice(b", sun_path=");
            let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
            if hex == Hex::Never {
                write_quoted(out, &name[..end]);
            } else {
                write_text(out, &name[..end], hex, false);
            }
        }
    }
}

/// `inet_addr("127.0.0.1")`
pub(super) fn write_host4(out: &mut Vec<u8>, host: [u8; 4], style: &Style) {
    let name = |out: &mut Vec<u8>| {
        out.extend_from_slice(b"inet_addr(");
        write_text(out, std::net::Ipv4Addr::from(host).to_string().as_bytes(), style.hex, false);
        out.push(b')');
    };
    style.constants.write(out, |out| write_text(out, &host, Hex::All, false), name);
}

/// `inet_pton(AF_INET6, "::1")`, where it is a member: `inet_pton(AF_INET6, "::1", &sin6_addr)`, or behind its name.
pub(super) fn write_host6(out: &mut Vec<u8>, host: [u8; 16], member: Option<&str>, style: &Style) {
    let is_named = style.constants == Constants::Names;
    let name = |out: &mut Vec<u8>| {
        out.extend_from_slice(b"inet_pton(AF_INET6, ");
        write_text(out, std::net::Ipv6Addr::from(host).to_string().as_bytes(), style.hex, false);
        if let Some(member) = member.filter(|_| is_named) {
            out.extend_from_slice(b", &");
            out.extend_from_slice(member.as_bytes());
        }
        out.push(b')');
    };
    if let Some(member) = member.filter(|_| !is_named) {
        out.extend_from_slice(member.as_bytes());
        out.push(b'=');
    }
    style.constants.write(out, |out| write_text(out, &host, Hex::All, false), name);
}

fn write_inet6(out: &mut Vec<u8>, bytes: &[u8], style: &Style) {
    out.extend_from_slice(b", sin6_port=");
    write_port(out, &bytes[2..4], style.constants);
    out.extend_from_slice(b", sin6_flowinfo=");
    let flow = |out: &mut Vec<u8>| {
        out.extend_from_slice(b"htonl(");
        write_radix(out, u64::from(word32(bytes, 4).swap_bytes()), 10, 1);
        out.push(b')');
    };
    style.constants.write(out, |out| write_text(out, &bytes[4..8], Hex::All, false), flow);
    let host: [u8; 16] = bytes[8..24].try_into().unwrap_or_default();
    out.extend_from_slice(b", ");
    write_host6(out, host, Some("sin6_addr"), style);
    if bytes.len() >= 28 {
        out.extend_from_slice(b", sin6_scope_id=");
        write_radix(out, u64::from(word32(bytes, 24)), 10, 1);
    }
}
