//! An argument's text as the number that was passed: words of flags, raw numbers, or both.

use super::text::{Items, after_comment, number};
use crate::event::Abi;
use crate::event::UNKNOWN_ADDRESS;
use crate::syscall::flags::{self, FieldKind, FlagSet, signal_name, write_si_code, write_signal};
use crate::syscall::{Arg, decode, open_flags};

/// File types of a mode.
const MODES: [(&[u8], u64); 10] = [
    (b"S_IFREG", 0o100_000),
    (b"S_IFDIR", 0o040_000),
    (b"S_IFLNK", 0o120_000),
    (b"S_IFCHR", 0o020_000),
    (b"S_IFBLK", 0o060_000),
    (b"S_IFIFO", 0o010_000),
    (b"S_IFSOCK", 0o140_000),
    (b"S_ISUID", 0o4000),
    (b"S_ISGID", 0o2000),
    (b"S_ISVTX", 0o1000),
];

/// The value of an argument of this kind. `None`: the text has a word that is not known.
pub fn value(kind: Arg, abi: Abi, text: &[u8]) -> Option<u64> {
    value_among(kind, &[], abi, text)
}

/// The same, of an argument that may also have names of these sets.
pub fn value_among(kind: Arg, sets: &[&FlagSet], abi: Abi, text: &[u8]) -> Option<u64> {
    match *text.first()? {
        b'"' | b'{' | b'[' | b'~' | b'@' | b'&' => return Some(UNKNOWN_ADDRESS),
        b'N' if text == b"NULL" => return Some(0),
        b'A' if text.starts_with(b"AT_FDCWD") => return Some(-100_i64 as u64),
        b'm' if text.starts_with(b"makedev(") => return device(text),
        _ => {}
    }
    if matches!(kind, Arg::Fd | Arg::DirFd) {
        return number(text).map(|(value, _)| value).or_else(|| decode::single(text));
    }
    if !matches!(kind, Arg::Flags(_) | Arg::Enum(_))
        && let Some((value, b"")) = number(text)
    {
        return Some(value);
    }
    if let Some(value) = composed(abi, text).or_else(|| joined(kind, text)) {
        return Some(value);
    }
    let mut value = 0;
    // strace 6.1 leaves a part out with -X raw where it is 0: `|0x900`.
    for part in parts(text).filter(|part| !part.is_empty()) {
        value |= one(kind, sets, abi, part)?;
    }
    Some(value)
}

/// What is printed as a name with its parts: `QCMD(Q_SYNC, USRQUOTA)`, `_IOC(_IOC_READ, 0x54, 0x30, 0x4)`.
fn composed(abi: Abi, text: &[u8]) -> Option<u64> {
    if !text.ends_with(b")") {
        return None;
    }
    let open = text.iter().position(|&byte| byte == b'(')?;
    let mut items = Items::new(&text[open + 1..], b')');
    let parts = [(); 4].map(|()| items.next());
    let of = |set, part| value(Arg::Flags(set), abi, part);
    let plain = |part| number(part).filter(|(_, rest)| rest.is_empty()).map(|(value, _)| value);
    match (&text[..open], parts) {
        (b"QCMD", [Some(operation), Some(kind), None, None]) => {
            Some(of(&flags::QUOTA, operation)? << 8 | of(&flags::QUOTA_TYPE, kind)?)
        }
        (b"htons", [Some(protocol), None, None, None]) => {
            Some(u64::from(u16::try_from(of(&flags::ETHERNET_PROTOCOL, protocol)?).ok()?.swap_bytes()))
        }
        (b"IOPRIO_PRIO_VALUE", [Some(class), Some(priority), None, None]) => {
            Some(of(&flags::IO_CLASS, class)? << 13 | plain(priority)?)
        }
        (b"_IOC", [Some(direction), Some(kind), Some(number), Some(size)]) => {
            let directions = [(&b"_IOC_NONE"[..], 0), (b"_IOC_WRITE", 1), (b"_IOC_READ", 2)];
            let both = (direction == b"_IOC_READ|_IOC_WRITE").then_some(3);
            let one = directions.into_iter().find(|(name, _)| *name == direction).map(|(_, value)| value);
            Some(both.or(one)? << 30 | plain(size)? << 16 | plain(kind)? << 8 | plain(number)?)
        }
        (name, [Some(size), None, None, None]) => decode::sized_ioctl(name, None, plain(size)?),
        (name, [Some(event), Some(size), None, None]) => decode::sized_ioctl(name, Some(event), plain(size)?),
        _ => None,
    }
}

/// Bits that have no name, with permissions right behind them: `0x20000600`, which is `0x2000|0600`.
fn joined(kind: Arg, text: &[u8]) -> Option<u64> {
    let (Arg::Flags(set) | Arg::Enum(set)) = kind else { return None };
    if !text.starts_with(b"0x") || !set.fields.iter().any(|field| field.kind == FieldKind::JoinedOctal) {
        return None;
    }
    let end = text.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(text.len());
    let (bits, mode) = text[..end].split_at_checked(end.checked_sub(4)?)?;
    let ((bits, b""), (mode, b"")) = (number(bits)?, number(mode).filter(|_| mode[0] == b'0')?) else {
        return None;
    };
    (!text.contains(&b'|')).then_some(bits | mode)
}

/// What stands between bars, without the comments that `-X verbose` puts behind numbers.
fn parts(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (mut at, mut end) = (0, None);
        while at < text.len() && text[at] != b'|' {
            if text[at..].starts_with(b"/*") {
                end = end.or(Some(at));
                at = after_comment(text, at).unwrap_or(text.len());
            } else {
                at += 1;
            }
        }
        rest = text.get(at + 1..);
        Some(text[..end.unwrap_or(at)].trim_ascii())
    })
}

/// A number, a shifted one (`21<<MAP_HUGE_SHIFT`) or a word.
fn one(kind: Arg, sets: &[&FlagSet], abi: Abi, part: &[u8]) -> Option<u64> {
    let named = |name| {
        let in_sets = || sets.iter().find_map(|set| find(set, name));
        word(kind, abi, name).or_else(in_sets).or_else(|| decode::single(name))
    };
    let shifted = |value: u64, by| {
        let by = number(by).map_or_else(|| named(by), |(by, _)| Some(by))?;
        value.checked_shl(u32::try_from(by).ok()?)
    };
    let Some((value, rest)) = number(part) else {
        let shift = part.windows(2).position(|pair| pair == b"<<");
        return shift.map_or_else(|| named(part), |at| shifted(named(&part[..at])?, &part[at + 2..]));
    };
    match rest.strip_prefix(b"<<") {
        Some(by) => shifted(value, by),
        // The name of a process (-Y) or a file may follow; anything else is not what it seemed to be.
        None => (rest.is_empty() || rest.starts_with(b"<")).then_some(value),
    }
}

fn word(kind: Arg, abi: Abi, name: &[u8]) -> Option<u64> {
    match kind {
        // Several drivers may have one: `BTRFS_IOC_CLONE or FICLONE`.
        Arg::Operation => flags::ioctl_number(abi, std::str::from_utf8(name).ok()?).map(u64::from),
        Arg::Flags(set) | Arg::Enum(set) => find(set, name)
            .or_else(|| if name.starts_with(b"SIG") { signal(name).map(u64::from) } else { None }),
        Arg::Mode => MODES.iter().find(|(known, _)| *known == name).map(|(_, value)| *value),
        Arg::Signal => signal(name).map(u64::from),
        // The third argument of fcntl.
        Arg::Word | Arg::Long => [&flags::FD_FLAGS, open_flags(abi), &flags::SEALS, &flags::LEASE]
            .into_iter()
            .find_map(|set| find(set, name)),
        _ => name.starts_with(b"SIG").then(|| signal(name)).flatten().map(u64::from),
    }
}

/// The value of a name, or how far it shifts.
pub fn find(set: &FlagSet, name: &[u8]) -> Option<u64> {
    let named = |values: &[(u64, &str)]| {
        values.iter().find(|(_, known)| known.as_bytes() == name).map(|(value, _)| *value)
    };
    named(set.values).or_else(|| {
        set.fields.iter().find_map(|field| match field.kind {
            FieldKind::Shifted
            | FieldKind::Choice
            | FieldKind::LastChoice
            | FieldKind::Absent
            | FieldKind::Class
            | FieldKind::Type => named(field.values),
            FieldKind::Signal => signal(name).map(u64::from),
            FieldKind::Octal | FieldKind::JoinedOctal => None,
        })
    })
}

/// The bits of a set's words; those that are not known are left out.
pub fn bits(set: &FlagSet, text: &[u8]) -> u64 {
    parts(text)
        .filter_map(|part| number(part).map(|(value, _)| value).or_else(|| find(set, part)))
        .fold(0, |all, bit| all | bit)
}

/// The kind of a lock (`l_type`).
pub fn lock_type(text: &[u8]) -> Option<i16> {
    named(text, &[b"F_RDLCK", b"F_WRLCK", b"F_UNLCK"])
}

/// What an offset is from (`l_whence`).
pub fn whence(text: &[u8]) -> Option<i16> {
    named(text, &[b"SEEK_SET", b"SEEK_CUR", b"SEEK_END"])
}

/// A number, or the name of one from 0.
fn named(text: &[u8], names: &[&[u8]]) -> Option<i16> {
    let place = || names.iter().position(|name| *name == text).map(|place| place as u64);
    i16::try_from(number(text).map(|(value, _)| value).or_else(place)?).ok()
}

/// A mode as `S_IFREG|0644`, or a number.
pub fn mode(text: &[u8]) -> Option<u64> {
    value(Arg::Mode, Abi::X86_64, text)
}

/// `makedev(0xfe, 0x1)`, as user space encodes it.
pub fn device(text: &[u8]) -> Option<u64> {
    let (major, rest) = number(text.strip_prefix(b"makedev(")?)?;
    let (minor, _) = number(rest.strip_prefix(b",")?.trim_ascii_start())?;
    // makedev(3): 12 bits of the major number and 8 of the minor, then the rest of both.
    let low = (minor & 0xff) | (major & 0xfff) << 8;
    Some(low | (minor & !0xff) << 12 | (major & !0xfff) << 32)
}

/// The number of a signal's name.
pub fn signal(name: &[u8]) -> Option<u32> {
    let is_real_time = |signal| {
        let mut text = Vec::new();
        write_signal(&mut text, signal);
        text == name
    };
    let named = |signal| signal_name(signal).is_some_and(|known| known.as_bytes() == name);
    (1..=64).find(|&signal| named(signal)).or_else(|| (32..=64).find(|&signal| is_real_time(signal)))
}

/// The number of the name of a signal's cause.
pub fn signal_code(signal: u32, name: &[u8]) -> Option<i32> {
    if let Some((value, _)) = number(name) {
        return Some(value as i32);
    }
    let mut text = Vec::new();
    (-64..=128).find(|&code| {
        text.clear();
        write_si_code(&mut text, signal, code);
        text == name
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syscall::by_name;

    fn argument(call: &str, index: usize, text: &str) -> Option<u64> {
        let spec = by_name(Abi::X86_64, call).expect("a known call");
        value(spec.args[index].arg, Abi::X86_64, text.as_bytes())
    }

    #[test]
    fn words_and_raw_numbers_are_the_same() {
        for text in ["O_RDONLY|O_CLOEXEC", "0x80000", "0x80000 /* O_RDONLY|O_CLOEXEC */"] {
            assert_eq!(argument("openat", 2, text), Some(0x8_0000), "{text}");
        }
        for text in ["AT_FDCWD</tmp>", "AT_FDCWD", "-100", "-100 /* AT_FDCWD */</tmp>"] {
            assert_eq!(argument("openat", 0, text), Some(-100_i64 as u64), "{text}");
        }
        assert_eq!(argument("clone", 0, "CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD"), Some(0x120_0011));
        let verbose = "0x1200000 /* CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID */|17 /* SIGCHLD */";
        assert_eq!(argument("clone", 0, verbose), Some(0x120_0011));
        assert_eq!(
            argument("mmap", 3, "MAP_PRIVATE|MAP_ANONYMOUS|MAP_HUGETLB|21<<MAP_HUGE_SHIFT"),
            Some(0x5404_0022)
        );
        assert_eq!(argument("lseek", 2, "SEEK_CUR"), Some(1));
        assert_eq!(argument("mkdir", 1, "0755"), Some(0o755));
        assert_eq!(argument("mknod", 1, "S_IFCHR|0620"), Some(0o020_620));
        assert_eq!(argument("fcntl", 2, "FD_CLOEXEC"), Some(1));
        assert_eq!(argument("kill", 1, "SIGRT_3"), Some(35));
        assert_eq!(argument("access", 1, "F_OK"), Some(0));
        assert_eq!(argument("statx", 2, "|0x900"), Some(0x900));
        assert_eq!(argument("ioctl", 1, "BTRFS_IOC_CLONE or FICLONE"), Some(0x4004_9409));
        assert_eq!(argument("read", 1, "\"abc\"..."), Some(UNKNOWN_ADDRESS));
        assert_eq!(argument("openat", 2, "O_NEWER"), None);
        assert_eq!(argument("openat", 2, "12abc"), None);
    }

    #[test]
    fn devices_and_signals() {
        assert_eq!(device(b"makedev(0xfe, 0x1)"), Some(libc::makedev(0xfe, 1)));
        assert_eq!(device(b"makedev(0x103, 0x12345)"), Some(libc::makedev(0x103, 0x1_2345)));
        assert_eq!(signal(b"SIGUSR1"), Some(10));
        assert_eq!(signal_code(17, b"CLD_EXITED"), Some(1));
        assert_eq!(signal_code(10, b"SI_USER"), Some(0));
        assert_eq!(mode(b"S_IFDIR|S_ISVTX|0777"), Some(0o041_777));
    }
}
