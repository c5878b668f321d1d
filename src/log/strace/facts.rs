//! Structures as strace shows them: their fields by name, and those of `stat`.

use super::text::{Items, number};
use super::value;
use crate::event::FileStat;

/// `{name=value, ...}`
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    /// The value of a field.
    pub fn find(&self, name: &[u8]) -> Option<&'a [u8]> {
        Items::within(self.0, b'{', b'}').find_map(|item| item.strip_prefix(name)?.strip_prefix(b"="))
    }
}

/// What a stat-like structure says; what strace leaves out (without `-v`, all but type, mode and size) is 0.
pub fn stat(text: &[u8]) -> Option<FileStat> {
    let mut stat = FileStat::default();
    let (mut major, mut minor, mut has_mode) = (0, 0, false);
    for item in Items::within(text, b'{', b'}') {
        let Some(equals) = item.iter().position(|&byte| byte == b'=') else { continue };
        let (name, text) = (&item[..equals], &item[equals + 1..]);
        let name = name.strip_prefix(b"st_").or_else(|| name.strip_prefix(b"stx_")).unwrap_or(name);
        let value = || number(text).map_or(0, |(value, _)| value);
        match name {
            b"mode" => {
                stat.mode = value::mode(text)? as u32;
                has_mode = true;
            }
            b"size" => stat.size = value() as i64,
            b"nlink" => stat.nlink = value() as u32,
            b"ino" => stat.ino = value(),
            b"dev" => stat.dev = value::device(text).unwrap_or_else(value),
            b"dev_major" => major = value(),
            b"dev_minor" => minor = value(),
            b"mtime" => stat.mtime_ns = stat.mtime_ns.wrapping_add(mtime(text)),
            b"mtime_nsec" => stat.mtime_ns = stat.mtime_ns.wrapping_add(value() as i64),
            _ => {}
        }
    }
    if major | minor != 0 {
        stat.dev = libc::makedev(major as u32, minor as u32);
    }
    has_mode.then_some(stat)
}

/// Seconds, or `{tv_sec=1, tv_nsec=2}`, as nanoseconds.
fn mtime(text: &[u8]) -> i64 {
    let of = |text: &[u8]| number(text).map_or(0, |(value, _)| value as i64);
    let fields = Fields(text);
    match fields.find(b"tv_sec") {
        Some(seconds) => {
            of(seconds).wrapping_mul(1_000_000_000).wrapping_add(fields.find(b"tv_nsec").map_or(0, of))
        }
        None => of(text).wrapping_mul(1_000_000_000),
    }
}
