//! The structures of calls that many programs make, one table each.
//!
//! Offsets are those of the kernel's headers for x86-64 and i386 (`include/uapi`). `always` members are shown at any
//! time, `v` ones with `-v` only; `...` stands for those left out, as strace has it.

use super::layout::Show::{
    Address, Device, Enum, Flags, Hex, Id, Int, Mode, Nested, Octal, Own, Process, Text, Uint,
};
use super::layout::Size::{B2, B4, B8, Half, Word};
use super::layout::layouts;
use super::net::word32;
use super::{Decoder, IdKind, process, time};
use crate::syscall::flags::x86::OPEN_LONG;
use crate::syscall::flags::{
    CAP_VERSION, EPOLL_EVENTS, FS_MAGIC, FS_STATE, LEASE, OWNER_KIND, RESOLVE, SEEK, SIGNAL_STACK, STATX,
    STATX_ATTR, write_hex, write_number, write_radix,
};

layouts! {
    /// `struct timespec`.
    TIMESPEC: 16/8 {
        always tv_sec @ 0/0 Int(Word);
        always tv_nsec @ 8/4 Uint(Word);
    }
    /// `struct __kernel_timespec`.
    TIMESPEC64: 16/16 {
        always tv_sec @ 0/0 Int(B8);
        always tv_nsec @ 8/8 Uint(B8);
    }
    /// `struct timeval`.
    TIMEVAL: 16/8 {
        always tv_sec @ 0/0 Int(Word);
        always tv_usec @ 8/4 Uint(Word);
    }
    /// `struct itimerval`.
    ITIMERVAL: 32/16 {
        always it_interval @ 0/0 Nested(&TIMEVAL);
        always it_value @ 16/8 Nested(&TIMEVAL);
    }
    /// `struct itimerspec`.
    ITIMERSPEC: 32/16 {
        always it_interval @ 0/0 Nested(&TIMESPEC);
        always it_value @ 16/8 Nested(&TIMESPEC);
    }
    /// `struct __kernel_itimerspec`.
    ITIMERSPEC64: 32/32 {
        always it_interval @ 0/0 Nested(&TIMESPEC64);
        always it_value @ 16/16 Nested(&TIMESPEC64);
    }
    /// `struct timezone`.
    TIMEZONE: 8/8 {
        always tz_minuteswest @ 0/0 Int(B4);
        always tz_dsttime @ 4/4 Int(B4);
    }
    /// `struct tms`.
    TMS: 32/16 {
        always tms_utime @ 0/0 Own(write_ticks);
        always tms_stime @ 8/4 Own(write_ticks);
        always tms_cutime @ 16/8 Own(write_ticks);
        always tms_cstime @ 24/12 Own(write_ticks);
    }
    /// `struct rusage`.
    RUSAGE: 144/72 {
        always ru_utime @ 0/0 Nested(&TIMEVAL);
        always ru_stime @ 16/8 Nested(&TIMEVAL);
        v ru_maxrss @ 32/16 Uint(Word);
        v ru_ixrss @ 40/20 Uint(Word);
        v ru_idrss @ 48/24 Uint(Word);
        v ru_isrss @ 56/28 Uint(Word);
        v ru_minflt @ 64/32 Uint(Word);
        v ru_majflt @ 72/36 Uint(Word);
        v ru_nswap @ 80/40 Uint(Word);
        v ru_inblock @ 88/44 Uint(Word);
        v ru_oublock @ 96/48 Uint(Word);
        v ru_msgsnd @ 104/52 Uint(Word);
        v ru_msgrcv @ 112/56 Uint(Word);
        v ru_nsignals @ 120/60 Uint(Word);
        v ru_nvcsw @ 128/64 Uint(Word);
        v ru_nivcsw @ 136/68 Uint(Word);
    }
    /// `struct stat` of each ABI.
    STAT: 144/64 {
        v st_dev @ 0/0 Device(Word);
        v st_ino @ 8/4 Uint(Word);
        always st_mode @ 24/8 Mode(Half);
        v st_nlink @ 16/10 Own(write_stat_links);
        v st_uid @ 28/12 Uint(Half);
        v st_gid @ 32/14 Uint(Half);
        v st_blksize @ 56/24 Uint(Word);
        v st_blocks @ 64/28 Uint(Word);
        has(is_no_device) st_size @ 48/20 Uint(Word);
        has(is_device) st_rdev @ 40/16 Device(Word);
        v st_atime @ 72/32 Own(write_stat_time);
        v st_atime_nsec @ 80/36 Uint(Word);
        v st_mtime @ 88/40 Own(write_stat_time);
        v st_mtime_nsec @ 96/44 Uint(Word);
        v st_ctime @ 104/48 Own(write_stat_time);
        v st_ctime_nsec @ 112/52 Uint(Word);
    }
    /// `struct stat64` of i386.
    STAT64: 96/96 {
        v st_dev @ 0/0 Device(B8);
        v st_ino @ 88/88 Uint(B8);
        always st_mode @ 16/16 Mode(B4);
        v st_nlink @ 20/20 Uint(B4);
        v st_uid @ 24/24 Uint(B4);
        v st_gid @ 28/28 Uint(B4);
        v st_blksize @ 52/52 Uint(B4);
        v st_blocks @ 56/56 Uint(B8);
        has(is_no_device) st_size @ 44/44 Uint(B8);
        has(is_device) st_rdev @ 32/32 Device(B8);
        v st_atime @ 64/64 Own(write_stat_time);
        v st_atime_nsec @ 68/68 Uint(B4);
        v st_mtime @ 72/72 Own(write_stat_time);
        v st_mtime_nsec @ 76/76 Uint(B4);
        v st_ctime @ 80/80 Own(write_stat_time);
        v st_ctime_nsec @ 84/84 Uint(B4);
    }
    /// `struct __old_kernel_stat` of i386.
    OLD_STAT: 32/32 {
        v st_dev @ 0/0 Device(B2);
        v st_ino @ 2/2 Uint(B2);
        always st_mode @ 4/4 Mode(B2);
        v st_nlink @ 6/6 Uint(B2);
        v st_uid @ 8/8 Uint(B2);
        v st_gid @ 10/10 Uint(B2);
        v st_blksize @ 0/0 Own(write_none);
        v st_blocks @ 0/0 Own(write_none);
        has(is_no_device) st_size @ 16/16 Uint(B4);
        has(is_device) st_rdev @ 12/12 Device(B2);
        v st_atime @ 20/20 Own(write_seconds);
        v st_mtime @ 24/24 Own(write_seconds);
        v st_ctime @ 28/28 Own(write_seconds);
    }
    /// `struct statx`.
    STATX_RESULT: 256/256 {
        always stx_mask @ 0/0 Flags(&STATX, B4);
        v stx_blksize @ 4/4 Uint(B4);
        always stx_attributes @ 8/8 Flags(&STATX_ATTR, B8);
        v(has::<4>) stx_nlink @ 16/16 Uint(B4);
        v(has::<0x8>) stx_uid @ 20/20 Uint(B4);
        v(has::<0x10>) stx_gid @ 24/24 Uint(B4);
        has(has::<3>) stx_mode @ 28/28 Mode(B2);
        v(has::<0x100>) stx_ino @ 32/32 Uint(B8);
        has(has::<0x200>) stx_size @ 40/40 Uint(B8);
        v(has::<0x400>) stx_blocks @ 48/48 Uint(B8);
        v stx_attributes_mask @ 56/56 Flags(&STATX_ATTR, B8);
        v(has::<0x20>) stx_atime @ 64/64 Own(write_statx_time);
        v(has::<0x800>) stx_btime @ 80/80 Own(write_statx_time);
        v(has::<0x80>) stx_ctime @ 96/96 Own(write_statx_time);
        v(has::<0x40>) stx_mtime @ 112/112 Own(write_statx_time);
        v stx_rdev_major @ 128/128 Uint(B4);
        v stx_rdev_minor @ 132/132 Uint(B4);
        v stx_dev_major @ 136/136 Uint(B4);
        v stx_dev_minor @ 140/140 Uint(B4);
        v(has::<0x1000>) stx_mnt_id @ 144/144 Hex(B8);
        v(has::<0x2000>) stx_dio_mem_align @ 152/152 Uint(B4);
        v(has::<0x2000>) stx_dio_offset_align @ 156/156 Uint(B4);
    }
    /// `struct statfs`.
    STATFS: 120/64 {
        always f_type @ 0/0 Enum(&FS_MAGIC, Word);
        always f_bsize @ 8/4 Uint(Word);
        always f_blocks @ 16/8 Uint(Word);
        always f_bfree @ 24/12 Uint(Word);
        always f_bavail @ 32/16 Uint(Word);
        always f_files @ 40/20 Uint(Word);
        always f_ffree @ 48/24 Uint(Word);
        always f_fsid @ 56/28 Own(write_fsid);
        always f_namelen @ 64/36 Uint(Word);
        always f_frsize @ 72/40 Uint(Word);
        has(has_flags) f_flags @ 80/44 Flags(&FS_STATE, Word);
    }
    /// `struct statfs64` of i386, packed.
    STATFS64: 84/84 {
        always f_type @ 0/0 Enum(&FS_MAGIC, B4);
        always f_bsize @ 4/4 Uint(B4);
        always f_blocks @ 8/8 Uint(B8);
        always f_bfree @ 16/16 Uint(B8);
        always f_bavail @ 24/24 Uint(B8);
        always f_files @ 32/32 Uint(B8);
        always f_ffree @ 40/40 Uint(B8);
        always f_fsid @ 48/48 Own(write_fsid);
        always f_namelen @ 56/56 Uint(B4);
        always f_frsize @ 60/60 Uint(B4);
        has(has_flags) f_flags @ 64/64 Flags(&FS_STATE, B4);
    }
    /// `struct __sysctl_args`.
    SYSCTL: 80/40 {
        always name @ 0/0 Address;
        always nlen @ 8/4 Int(B4);
        always oldval @ 16/8 Address;
        always oldlenp @ 24/12 Address;
        always newval @ 32/16 Address;
        always newlen @ 40/20 Uint(Word);
    }
    /// `struct rlimit`.
    RLIMIT: 16/8 {
        always rlim_cur @ 0/0 Own(process::write_limit);
        always rlim_max @ 8/4 Own(process::write_limit);
    }
    /// `struct rlimit64`.
    RLIMIT64: 16/16 {
        always rlim_cur @ 0/0 Own(process::write_limit64);
        always rlim_max @ 8/8 Own(process::write_limit64);
    }
    /// `struct utsname`.
    UTSNAME: 390/390 {
        always sysname @ 0/0 Text(65);
        always nodename @ 65/65 Text(65);
        v release @ 130/130 Text(65);
        v version @ 195/195 Text(65);
        v machine @ 260/260 Text(65);
        v domainname @ 325/325 Text(65);
    }
    /// `struct sysinfo`.
    SYSINFO: 112/64 {
        always uptime @ 0/0 Uint(Word);
        always loads @ 8/4 Own(write_loads);
        always totalram @ 32/16 Uint(Word);
        always freeram @ 40/20 Uint(Word);
        always sharedram @ 48/24 Uint(Word);
        always bufferram @ 56/28 Uint(Word);
        always totalswap @ 64/32 Uint(Word);
        always freeswap @ 72/36 Uint(Word);
        always procs @ 80/40 Uint(B2);
        always totalhigh @ 88/44 Uint(Word);
        always freehigh @ 96/48 Uint(Word);
        always mem_unit @ 104/52 Uint(B4);
    }
    /// `struct flock`.
    FLOCK: 32/16 {
        always l_type @ 0/0 Enum(&LEASE, B2);
        always l_whence @ 2/2 Enum(&SEEK, B2);
        always l_start @ 8/4 Int(Word);
        always l_len @ 16/8 Int(Word);
        filled l_pid @ 24/12 Process;
    }
    /// `struct flock64` of i386.
    FLOCK64: 32/24 {
        always l_type @ 0/0 Enum(&LEASE, B2);
        always l_whence @ 2/2 Enum(&SEEK, B2);
        always l_start @ 8/4 Int(B8);
        always l_len @ 16/12 Int(B8);
        filled l_pid @ 24/20 Process;
    }
    /// `struct f_owner_ex`.
    OWNER: 8/8 {
        always type @ 0/0 Enum(&OWNER_KIND, B4);
        always pid @ 0/0 Own(write_owner);
    }
    /// `struct epoll_event`, packed.
    EPOLL_EVENT: 12/12 {
        always events @ 0/0 Flags(&EPOLL_EVENTS, B4);
        always data @ 4/4 Nested(&EPOLL_DATA);
    }
    /// `epoll_data_t`: one value in two widths.
    EPOLL_DATA: 8/8 {
        always u32 @ 0/0 Uint(B4);
        always u64 @ 0/0 Uint(B8);
    }
    /// `stack_t`.
    SIGNAL_STACK_T: 24/12 {
        always ss_sp @ 0/0 Address;
        always ss_flags @ 8/4 Flags(&SIGNAL_STACK, B4);
        always ss_size @ 16/8 Uint(Word);
    }
    /// `struct winsize`.
    WINSIZE: 8/8 {
        always ws_row @ 0/0 Uint(B2);
        always ws_col @ 2/2 Uint(B2);
        always ws_xpixel @ 4/4 Uint(B2);
        always ws_ypixel @ 6/6 Uint(B2);
    }
    /// `struct __user_cap_header_struct`.
    CAP_HEADER: 8/8 {
        always version @ 0/0 Enum(&CAP_VERSION, B4);
        always pid @ 4/4 Process;
    }
    /// `struct open_how`.
    OPEN_HOW: 24/24 {
        always flags @ 0/0 Flags(&OPEN_LONG, B8);
        has(has_mode) mode @ 8/8 Octal(B8);
        always resolve @ 16/16 Flags(&RESOLVE, B8);
    }
    /// `struct ucred`.
    UCRED: 12/12 {
        always pid @ 0/0 Process;
        always uid @ 4/4 Id;
        always gid @ 8/8 Id;
    }
    /// `struct utimbuf`.
    UTIMBUF: 16/8 {
        always actime @ 0/0 Own(write_seconds);
        always modtime @ 8/4 Own(write_seconds);
    }
}

/// Whether openat2 may make a file (`O_CREAT`, and the bit that `O_TMPFILE` has beside `O_DIRECTORY`), or has a mode
/// all the same.
fn has_mode(how: &[u8]) -> bool {
    const CREATES: u64 = 0o100 | 0o20_000_000;
    number(how, 8) & CREATES != 0 || how.get(8..16).is_some_and(|mode| mode.iter().any(|&byte| byte != 0))
}

pub(super) fn number(bytes: &[u8], size: usize) -> u64 {
    let mut word = [0; 8];
    let size = size.min(bytes.len());
    word[..size].copy_from_slice(&bytes[..size]);
    u64::from_le_bytes(word)
}

/// An id, of what the member before it says: `F_OWNER_TID`, `F_OWNER_PID`, `F_OWNER_PGRP`.
fn write_owner(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let (kind, id) = (word32(bytes, 0), word32(bytes, 4).cast_signed());
    match [IdKind::Thread, IdKind::Process, IdKind::Group].get(kind as usize) {
        Some(kind) => call.write_id(out, *kind, id),
        None => write_number(out, i64::from(id)),
    }
}

/// Ticks of the clock, a hundred a second.
fn write_ticks(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let ticks = number(bytes, call.word_size());
    // strace has it so.
    let ticks = if call.word_size() == 4 { i64::from(ticks as i32).cast_unsigned() } else { ticks };
    time::write_ticks(out, ticks, call.style.constants);
}

/// A number of links, of 64 bits or (i386) of 16.
fn write_stat_links(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_radix(out, number(bytes, if call.half() == 0 { 8 } else { 2 }), 10, 1);
}

/// Seconds with the moment they are, whose fraction is in the word behind.
fn write_stat_time(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let word = call.word_size();
    let fraction = number(bytes.get(word..).unwrap_or_default(), word);
    write_moment(out, seconds(call, bytes), fraction);
}

/// The same without a fraction.
pub(super) fn write_seconds(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_moment(out, seconds(call, bytes), 0);
}

fn seconds(call: &Decoder<'_, '_>, bytes: &[u8]) -> i64 {
    let word = call.word_size();
    let seconds = number(bytes, word);
    if word == 8 { seconds.cast_signed() } else { i64::from(seconds as i32) }
}

fn write_moment(out: &mut Vec<u8>, seconds: i64, fraction: u64) {
    write_number(out, seconds);
    time::write_comment(out, seconds, fraction, 9);
}

/// What a structure does not have, and strace shows.
fn write_none(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, _: &[u8]) {
    out.push(b'0');
}

/// Whether a stat structure, told by its size, is of a device, which has a number and no size.
fn is_device(stat: &[u8]) -> bool {
    let mode = match stat.len() {
        144 => number(&stat[24..], 4),
        64 => number(&stat[8..], 2),
        96 => number(&stat[16..], 4),
        _ => number(stat.get(4..).unwrap_or_default(), 2),
    };
    matches!(mode & 0o170_000, 0o020_000 | 0o060_000)
}

fn is_no_device(stat: &[u8]) -> bool {
    !is_device(stat)
}

/// Whether the file system has told what a bit of the mask stands for (`STATX_BTIME`).
fn has<const BIT: u64>(statx: &[u8]) -> bool {
    number(statx, 4) & BIT != 0
}

/// Whether the flags of a mount are valid (`ST_VALID`), which are the last word but four.
fn has_flags(statfs: &[u8]) -> bool {
    const VALID: u8 = 0x20;
    let at = match statfs.len() {
        120 => 80,
        84 => 64,
        _ => 44,
    };
    statfs.get(at).is_some_and(|flags| flags & VALID != 0)
}

fn write_statx_time(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let (seconds, fraction) = (number(bytes, 8).cast_signed(), number(bytes.get(8..).unwrap_or_default(), 4));
    out.extend_from_slice(b"{tv_sec=");
    write_number(out, seconds);
    out.extend_from_slice(b", tv_nsec=");
    write_radix(out, fraction, 10, 1);
    out.push(b'}');
    time::write_comment(out, seconds, fraction, 9);
}

fn write_fsid(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(b"{val=");
    call.write_items(out, bytes.chunks_exact(4).take(2), |_, out, part| write_hex(out, number(part, 4)));
    out.push(b'}');
}

fn write_loads(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let word = call.word_size();
    let loads = bytes.chunks_exact(word).take(3);
    call.write_items(out, loads, |_, out, load| write_radix(out, number(load, word), 10, 1));
}
