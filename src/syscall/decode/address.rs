//! Addresses of sockets: local and internet ones here, others in `families`.

use super::constants::Constants;
use super::escape::write_quoted;
use super::net::{word16, word32};
use super::text::write_text;
use super::{Decoder, Hex, Style, families};
use crate::syscall::flags::{SOCKET_DOMAIN, write_radix};

/// `htons(80)`
pub(super) fn write_port(out: &mut Vec<u8>, port: &[u8], constants: Constants) {
    let name = |out: &mut Vec<u8>| {
        out.extend_from_slice(b"htons(");
        write_radix(out, u64::from(word16(port, 0).swap_bytes()), 10, 1);
        out.push(b')');
    };
    constants.write(out, |out| write_text(out, port, Hex::All, false), name);
}

/// Bytes of a local address that the kernel takes: `struct sockaddr_un`.
const LONGEST_LOCAL: usize = 110;

/// `{sa_family=AF_INET, sin_port=htons(80), ...}`; as bytes where it is shorter than its family has it.
pub(super) fn write_socket_address(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let (family, style) = (word16(bytes, 0), call.style);
    out.extend_from_slice(b"{sa_family=");
    style.constants.one(out, &SOCKET_DOMAIN, u64::from(family));
    match family {
        _ if bytes.len() <= 2 => {}
        1 => write_local(out, &bytes[2..bytes.len().min(LONGEST_LOCAL)], style.hex),
        2 if bytes.len() >= 16 => write_internet(call, out, bytes),
        10 if bytes.len() >= 24 => write_internet(call, out, bytes),
        _ if families::write(call, out, bytes) => {}
        _ => {
            out.extend_from_slice(b", sa_data=");
            write_text(out, &bytes[2..], style.hex, false);
        }
    }
    out.push(b'}');
}

/// What is behind the family of an address of the internet, of IPv4 in at least 16 and of IPv6 in at least 24 bytes.
pub(super) fn write_internet(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    match (word16(bytes, 0), bytes.get(4..8)) {
        (10, _) if bytes.len() >= 24 => write_inet6(call, out, bytes),
        (2, Some(&[a, b, c, d])) => {
            out.extend_from_slice(b", sin_port=");
            write_port(out, &bytes[2..4], call.style.constants);
            out.extend_from_slice(b", sin_addr=");
            write_host4(out, [a, b, c, d], call.style);
        }
        _ => {}
    }
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
        write_text(out, host6_text(host).as_bytes(), style.hex, false);
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

/// As the C library writes it: with the address of IPv4 in one that is compatible with it (`::10.0.0.1`).
fn host6_text(host: [u8; 16]) -> String {
    let [zeros @ .., a, b, c, d] = host;
    if zeros == [0; 12] && [a, b] != [0; 2] {
        return format!("::{}", std::net::Ipv4Addr::from([a, b, c, d]));
    }
    std::net::Ipv6Addr::from(host).to_string()
}

fn write_inet6(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let style = call.style;
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
    if bytes.len() > 24 {
        out.extend_from_slice(b", sin6_scope_id=");
        // As much of it as there is.
        let mut scope = [0; 4];
        let count = (bytes.len() - 24).min(scope.len());
        scope[..count].copy_from_slice(&bytes[24..24 + count]);
        let scope = u32::from_le_bytes(scope);
        // fe80::/10, ff02::/16 and what else is of one link.
        if is_of_link(host) {
            call.write_interface(out, scope.cast_signed());
        } else {
            write_radix(out, u64::from(scope), 10, 1);
        }
    }
}

fn is_of_link(host: [u8; 16]) -> bool {
    host[0] == 0xfe && host[1] & 0xc0 == 0x80 || host[0] == 0xff && host[1] & 0xf == 2
}
