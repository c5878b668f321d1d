//! Socket addresses as text: `inet:127.0.0.1:80`, `inet6:[::1]:80`, `unix:/run/x`, `unix:@name`.

use std::io::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The largest address that is read (`struct sockaddr_storage`).
pub const LARGEST: usize = 128;

/// Appends an address as text. Families without a form of their own become `family:N`.
pub fn push_text(out: &mut Vec<u8>, address: &[u8]) {
    let Some(family) = address.get(..2) else {
        return;
    };
    let family = u16::from_le_bytes([family[0], family[1]]);
    let written = match i32::from(family) {
        libc::AF_UNIX => {
            push_unix(out, &address[2..]);
            Ok(())
        }
        libc::AF_INET if address.len() >= 8 => {
            let host = Ipv4Addr::new(address[4], address[5], address[6], address[7]);
            write!(out, "inet:{host}:{}", port(address))
        }
        libc::AF_INET6 if address.len() >= 24 => {
            let mut host = [0; 16];
            host.copy_from_slice(&address[8..24]);
            write!(out, "inet6:[{}]:{}", Ipv6Addr::from(host), port(address))
        }
        libc::AF_NETLINK if address.len() >= 8 => {
            let pid = u32::from_le_bytes([address[4], address[5], address[6], address[7]]);
            write!(out, "netlink:{pid}")
        }
        libc::AF_UNSPEC => write!(out, "unspec"),
        other => write!(out, "family:{other}"),
    };
    debug_assert!(written.is_ok(), "writing to memory cannot fail");
}

fn port(address: &[u8]) -> u16 {
    u16::from_be_bytes([address[2], address[3]])
}

/// unix(7): a path ends at its NUL byte, an abstract name begins with one and fills the length.
fn push_unix(out: &mut Vec<u8>, name: &[u8]) {
    out.extend_from_slice(b"unix:");
    match name.split_first() {
        None => {}
        Some((0, name)) => {
            out.push(b'@');
            out.extend_from_slice(name);
        }
        Some(_) => out.extend(name.iter().take_while(|&&byte| byte != 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(address: &[u8]) -> String {
        let mut out = Vec::new();
        push_text(&mut out, address);
        String::from_utf8(out).expect("ASCII in these tests")
    }

    #[test]
    fn families_have_their_forms() {
        assert_eq!(text(&[2, 0, 0, 80, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), "inet:127.0.0.1:80");
        let mut six = [0; 28];
        six[0] = 10;
        six[2..4].copy_from_slice(&443_u16.to_be_bytes());
        six[23] = 1;
        assert_eq!(text(&six), "inet6:[::1]:443");
        assert_eq!(text(b"\x01\0/run/x\0junk"), "unix:/run/x");
        assert_eq!(text(b"\x01\0\0bus"), "unix:@bus");
        assert_eq!(text(b"\x01\0"), "unix:");
        assert_eq!(text(&[16, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0]), "netlink:7");
        assert_eq!(text(&[17, 0]), "family:17");
        assert_eq!(text(&[2, 0, 0]), "family:2", "too short for its family");
        assert_eq!(text(&[2]), "");
    }
}
