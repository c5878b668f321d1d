//! What stands before the call on a line: who, when, which number, from where.
//!
//! ```text
//! 123<python3> 15:51:58.064880 (+     0.000334) [ 257] [00007fb57d12db1d] openat(...) = 3
//! [pid   123] 1795276316.736071 openat(...) = 3
//! ```

use super::text::{bracketed, decimal, seconds};

/// The beginning of a line, taken off it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Prefix<'a> {
    /// The thread.
    pub tid: Option<u32>,
    /// Its name (`-Y`).
    pub comm: Option<&'a [u8]>,
    /// When (`-t`, `-tt`, `-ttt`, or `-r` alone).
    pub time: Option<Stamp>,
    /// Number of the call (`-n`).
    pub nr: Option<u32>,
    /// Instruction pointer (`-i`).
    pub ip: Option<u64>,
}

/// A time in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// Of the day.
    Day(u64),
    /// Since the epoch.
    Epoch(u64),
    /// Since the line before.
    Since(u64),
}

/// Larger numbers are seconds since the epoch, smaller ones pids (at most 2^22, proc(5)) or differences of time.
const NO_PID: u64 = 100_000_000;

/// Takes the prefix off a line.
pub fn take(line: &[u8]) -> (Prefix<'_>, &[u8]) {
    let mut prefix = Prefix::default();
    let mut rest = thread(line, &mut prefix);
    let stamped = time(rest.trim_ascii_start());
    if let Some((stamp, behind)) = stamped {
        prefix.time = Some(stamp);
        rest = behind.trim_ascii_start();
        if let Some((stamp, behind)) = relative(rest) {
            prefix.time = prefix.time.or(Some(stamp));
            rest = behind.trim_ascii_start();
        }
    }
    for _ in 0..2 {
        let Some(behind) = bracket(rest, &mut prefix) else { break };
        rest = behind.trim_ascii_start();
    }
    (prefix, rest)
}

/// `[pid   123<name>] ` or `123<name> `.
fn thread<'a>(line: &'a [u8], prefix: &mut Prefix<'a>) -> &'a [u8] {
    let bare = line.strip_prefix(b"[pid");
    let text = bare.unwrap_or(line).trim_ascii_start();
    let Some((number, rest)) = decimal(text).filter(|(number, _)| *number < NO_PID) else { return line };
    let (comm, rest) = match rest.first() {
        Some(b'<') => match bracketed(rest, 0) {
            Some(range) => (Some(&rest[range.clone()]), &rest[range.end + 1..]),
            None => return line,
        },
        _ => (None, rest),
    };
    let close: &[u8] = if bare.is_some() { b"] " } else { b" " };
    let Some(rest) = rest.strip_prefix(close) else { return line };
    prefix.tid = Some(number as u32);
    prefix.comm = comm;
    rest.trim_ascii_start()
}

fn time(text: &[u8]) -> Option<(Stamp, &[u8])> {
    if !text.first()?.is_ascii_digit() {
        return relative(text);
    }
    if let [h1, h0, b':', m1, m0, b':', ..] = text {
        let two = |tens: &u8, ones: &u8| {
            u64::from(tens.wrapping_sub(b'0')) * 10 + u64::from(ones.wrapping_sub(b'0'))
        };
        let (second, rest) = seconds(&text[6..])?;
        let minutes = two(h1, h0) * 60 + two(m1, m0);
        return rest.starts_with(b" ").then_some((Stamp::Day(minutes * 60_000_000_000 + second), rest));
    }
    let (ns, rest) = seconds(text)?;
    let stamp = if ns / 1_000_000_000 < NO_PID { Stamp::Since(ns) } else { Stamp::Epoch(ns) };
    rest.starts_with(b" ").then_some((stamp, rest))
}

/// `(+     0.000334)`
fn relative(text: &[u8]) -> Option<(Stamp, &[u8])> {
    let (ns, rest) = seconds(text.strip_prefix(b"(+")?.trim_ascii_start())?;
    Some((Stamp::Since(ns), rest.strip_prefix(b")")?))
}

/// `[ 257]`, a number, or `[00007fb57d12db1d]`, a pointer, which has 8 or 16 digits.
fn bracket<'a>(text: &'a [u8], prefix: &mut Prefix<'a>) -> Option<&'a [u8]> {
    let inner = text.strip_prefix(b"[")?;
    let end = inner.iter().take(20).position(|&byte| byte == b']')?;
    let (digits, rest) = (&inner[..end], &inner[end + 1..]);
    if !digits.is_empty() && digits.iter().all(|&byte| byte == b'?') {
        return Some(rest);
    }
    let hex = std::str::from_utf8(digits).ok().filter(|_| matches!(digits.len(), 8 | 16));
    match hex.and_then(|hex| u64::from_str_radix(hex, 16).ok()) {
        Some(ip) => prefix.ip = Some(ip),
        None => match decimal(digits.trim_ascii_start())? {
            (nr, b"") => prefix.nr = Some(u32::try_from(nr).ok()?),
            _ => return None,
        },
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(line: &str) -> (Prefix<'_>, &str) {
        let (prefix, rest) = take(line.as_bytes());
        (prefix, std::str::from_utf8(rest).expect("ASCII"))
    }

    #[test]
    fn every_combination() {
        let (p, rest) =
            prefix("23742 15:51:58.064880 (+     0.000334) [  59] [00007fecd07c9ad7] execve(1) = 0");
        assert_eq!(rest, "execve(1) = 0");
        assert_eq!(p.tid, Some(23_742));
        assert_eq!(p.time, Some(Stamp::Day(57_118_064_880_000)));
        assert_eq!((p.nr, p.ip), (Some(59), Some(0x7fec_d07c_9ad7)));
        let (p, rest) = prefix("[pid 23803<my sh>] 1795276316.736071 brk(NULL) = 0");
        assert_eq!((p.tid, p.comm, rest), (Some(23_803), Some(&b"my sh"[..]), "brk(NULL) = 0"));
        assert_eq!(p.time, Some(Stamp::Epoch(1_795_276_316_736_071_000)));
        let (p, rest) = prefix("     0.000855 brk(NULL) = 0");
        assert_eq!((p.tid, p.time, rest), (None, Some(Stamp::Since(855_000)), "brk(NULL) = 0"));
        let (p, rest) = prefix("23597      0.000855 brk(NULL) = 0");
        assert_eq!((p.tid, p.time, rest), (Some(23_597), Some(Stamp::Since(855_000)), "brk(NULL) = 0"));
        let (p, rest) = prefix("23758<strace> [  59] execve(1) = 0");
        assert_eq!(
            (p.tid, p.comm, p.nr, rest),
            (Some(23_758), Some(&b"strace"[..]), Some(59), "execve(1) = 0")
        );
        assert_eq!(prefix("15:51:58 brk(NULL) = 0").0.time, Some(Stamp::Day(57_118_000_000_000)));
        assert_eq!(prefix("7 [????????????????] brk(NULL) = 0").1, "brk(NULL) = 0");
        assert_eq!(prefix("7 [f7fc4559] brk(NULL) = 0").0.ip, Some(0xf7fc_4559));
        assert_eq!(prefix("+++ exited with 0 +++"), (Prefix::default(), "+++ exited with 0 +++"));
        assert_eq!(prefix("openat(1) = 3"), (Prefix::default(), "openat(1) = 3"));
    }
}
