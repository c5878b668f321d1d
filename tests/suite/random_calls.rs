//! Every call with random arguments, under strace and under the program called by that name: the same lines.
//!
//! `fixtures/programs/random_calls.c` makes the calls, the same ones each time, and none of them happens. Names that the
//! peer does not have yet are made the bits they stand for ([`NEWER`]); everything else is compared byte by byte.

use std::collections::BTreeSet;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use trace::event::Abi;
use trace::syscall::flags::ioctl_numbers;

use crate::support::skip::skip_peer;

/// The strace whose lines these are; others have other names.
const VERSION: &str = "strace -- version 6.1";

/// Names of bits and operations that kernels have got after that strace.
const NEWER: &[(&str, u64)] = &[
    ("AT_EXECVE_CHECK", 0x1_0000),
    ("AT_HANDLE_CONNECTABLE", 2),
    ("AT_HANDLE_FID", 0x200),
    ("AT_HANDLE_MNT_ID_UNIQUE", 1),
    ("FALLOC_FL_WRITE_ZEROES", 0x80),
    ("FAN_MNT_ATTACH", 0x100_0000),
    ("FAN_MNT_DETACH", 0x200_0000),
    ("FAN_PRE_ACCESS", 0x10_0000),
    ("FAN_REPORT_FD_ERROR", 0x2000),
    ("FAN_REPORT_MNT", 0x4000),
    ("FSCONFIG_CMD_CREATE_EXCL", 8),
    ("IORING_ENTER_ABS_TIMER", 0x20),
    ("IORING_ENTER_EXT_ARG_REG", 0x40),
    ("IORING_ENTER_NO_IOWAIT", 0x80),
    ("KEXEC_CRASH_HOTPLUG_SUPPORT", 8),
    ("KEXEC_FILE_DEBUG", 8),
    ("KEXEC_FILE_FORCE_DTB", 0x20),
    ("KEXEC_FILE_NO_CMA", 0x10),
    ("KEXEC_UPDATE_ELFCOREHDR", 4),
    ("LANDLOCK_CREATE_RULESET_ERRATA", 2),
    ("LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON", 2),
    ("LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF", 1),
    ("LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF", 4),
    ("LANDLOCK_RULE_NET_PORT", 2),
    ("MAP_ABOVE4G", 0x80),
    ("MAP_DROPPABLE", 8),
    ("MEMBARRIER_CMD_GET_REGISTRATIONS", 0x200),
    ("MFD_EXEC", 0x10),
    ("MFD_NOEXEC_SEAL", 8),
    ("MOVE_MOUNT_BENEATH", 0x200),
    ("MSG_SOCK_DEVMEM", 0x200_0000),
    ("PIDFD_SIGNAL_PROCESS_GROUP", 4),
    ("PIDFD_SIGNAL_THREAD", 1),
    ("PIDFD_SIGNAL_THREAD_GROUP", 2),
    ("PIDFD_THREAD", 0x80),
    ("RWF_ATOMIC", 0x40),
    ("RWF_DONTCACHE", 0x80),
    ("RWF_NOAPPEND", 0x20),
    ("RWF_NOSIGNAL", 0x100),
    ("SA_EXPOSE_TAGBITS", 0x800),
    ("SA_UNSUPPORTED", 0x400),
    ("SCHED_EXT", 7),
    ("STATX_DIOALIGN", 0x2000),
    ("STATX_DIO_READ_ALIGN", 0x2_0000),
    ("STATX_MNT_ID_UNIQUE", 0x4000),
    ("STATX_SUBVOL", 0x8000),
    ("STATX_WRITE_ATOMIC", 0x1_0000),
];

/// Operations of ioctl whose structures strace takes apart, and which are told by their addresses here.
const NOT_TAKEN_APART: [&str; 3] = ["DM_", "KVM_", "SG_GET_REQUEST_TABLE"];

/// Calls that are told otherwise, and why.
const PERMITTED: [(&str, &str); 3] = [
    ("execve", "the arguments are where the tracer's own child had them"),
    ("seccomp", "the filter is on the stack, which is elsewhere each time"),
    // A mark of a kernel newer than strace is two of its own together.
    ("fanotify_mark", "FAN_MARK_MNTNS is FAN_MARK_MOUNT and FAN_MARK_FILESYSTEM"),
];

/// A line without comments that say which names are missing, with the bits of each set that have none in one number.
fn alike(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some(from) = rest.find(|c: char| c.is_ascii_alphanumeric() || c == '_') {
        text.push_str(&rest[..from]);
        let end = rest[from..].find(|c: char| !(c.is_ascii_alphanumeric() || "_|<".contains(c)));
        let end = end.map_or(rest.len(), |end| from + end);
        text.push_str(&together(&rest[from..end]));
        rest = &rest[end..];
        while let Some((comment, after)) = rest.strip_prefix(" /* ").and_then(|rest| rest.split_once(" */")) {
            let Some((_, "")) = comment.split_once("??").map(|(name, marks)| (name, marks.trim_matches('?')))
            else {
                break;
            };
            // Behind a value that is part of a set others may follow.
            match after.strip_prefix('|') {
                Some(_) => {
                    let more = after.find(|c: char| !(c.is_ascii_alphanumeric() || "_|<".contains(c)));
                    let more = more.unwrap_or(after.len());
                    let begin = text.rfind(|c: char| !(c.is_ascii_alphanumeric() || "_|<".contains(c)));
                    let begin = begin.map_or(0, |begin| begin + 1);
                    let whole = format!("{}{}", &text[begin..], &after[..more]);
                    text.truncate(begin);
                    text.push_str(&together(&whole));
                    rest = &after[more..];
                }
                None => rest = after,
            }
        }
    }
    text.push_str(rest);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `A|B|0x30`: names that both know, then one number of all others.
fn together(set: &str) -> String {
    let (mut names, mut bits, mut last) = (Vec::new(), 0, None);
    let parts: Vec<&str> = set.split('|').collect();
    for (index, part) in parts.iter().enumerate() {
        let newer = NEWER.iter().find(|(name, _)| name == part).map(|(_, bits)| *bits);
        let number = part.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok());
        match newer.or(number.filter(|_| parts.len() > 1)) {
            Some(value) => bits |= value,
            // Permissions, a signal or a shifted number.
            None if index + 1 == parts.len()
                && index > 0
                && part.starts_with(|c: char| c.is_ascii_digit()) =>
            {
                last = Some((*part).to_owned());
            }
            None => names.push((*part).to_owned()),
        }
    }
    if bits != 0 {
        names.push(format!("{bits:#x}"));
    }
    names.extend(last);
    names.join("|")
}

/// The lines of the calls that the program makes with these arguments of its own.
fn lines(
    tracer: &Path,
    output: &Path,
    options: &[&str],
    program: &Path,
    arguments: &[String],
) -> Vec<String> {
    // Some of the numbers are addresses where the stack of i386 is in some runs and in others is not.
    let mut command = Command::new("setarch");
    command.arg("-R").arg(tracer).args(options).arg("-o").arg(output).arg(program).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status().expect("it starts");
    assert!(status.success(), "{} {options:?}: {status}", tracer.display());
    let text = std::fs::read(output).expect("the tracer's file");
    String::from_utf8(text).expect("ASCII").lines().map(str::to_owned).collect()
}

/// Options that change how much is told, and how.
const OPTIONS: [&[&str]; 4] = [&["-v", "-s", "300"], &[], &["-xx", "-s", "16"], &["-s", "0"]];

/// Compares the lines of a program with these arguments, at least so many; some may differ.
fn compare(name: &str, arguments: &[&str], options: &[&[&str]], least: usize, may_differ: fn(&str) -> bool) {
    let version = Command::new("strace").arg("-V").output().map(|output| output.stdout).unwrap_or_default();
    if !version.starts_with(VERSION.as_bytes()) {
        return skip_peer("calls with random arguments", "no strace 6.1");
    }
    let program = crate::support::programs::program(name);
    let dir = tempfile::tempdir().expect("a temporary directory");
    let ours = dir.path().join("strace");
    symlink(env!("CARGO_BIN_EXE_trace"), &ours).expect("our own directory");
    let output = dir.path().join("lines");
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    for options in options {
        let theirs = lines(Path::new("/usr/bin/strace"), &output, options, &program, &arguments);
        let ours = lines(&ours, &output, options, &program, &arguments);
        assert!(theirs.len() > least, "{} calls", theirs.len());
        assert_eq!(theirs.len(), ours.len(), "{options:?}");
        let mut differences = Vec::new();
        for (theirs, ours) in theirs.iter().zip(&ours) {
            if theirs != ours && !may_differ(theirs) && alike(theirs) != alike(ours) {
                differences.push(format!("strace {theirs}\nours   {ours}"));
            }
        }
        assert!(differences.is_empty(), "{options:?}:\n{}", differences.join("\n"));
    }
}

/// Those that strace 6.1 ends by a mistake of its own, and those whose comments have names newer than it.
const NOT_WITH_COMMENTS: &str = "trace=!%signal,%process,seccomp,/landlock,/kexec,/preadv2,/pwritev2,/mmap,\
    remap_file_pages,memfd_create,name_to_handle_at,io_uring_register,io_uring_enter,prctl,/fanotify,fsconfig";

/// Options that leave structures, names or all meaning out, or tell numbers beside names.
const OTHER_OPTIONS: [&[&str]; 4] = [
    &["-e", "verbose=none"],
    &["-e", "raw=all"],
    &["-X", "raw"],
    &["-X", "verbose", "-e", NOT_WITH_COMMENTS],
];

fn is_permitted(line: &str) -> bool {
    PERMITTED.iter().any(|(call, _)| line.strip_prefix(call).is_some_and(|rest| rest.starts_with('(')))
}

/// Each call twice, all of which fail with this errno (0: succeed without having done anything).
fn compare_all(name: &str, errno: &str) {
    compare(name, &[errno, "2", "21"], &OPTIONS, 600, is_permitted);
}

/// All operations of ioctl that have names, and what is between them in the ranges that everyone uses.
fn compare_operations(name: &str, abi: Abi, number: &str, errno: &str, options: &[&[&str]]) {
    let ranges = [0x0000..0x0400, 0x1200..0x1300, 0x4500..0x4600, 0x5400..0x5500, 0x8900..0x8a00_u32];
    let operations: BTreeSet<u32> = ioctl_numbers(abi).chain(ranges.into_iter().flatten()).collect();
    let operations: Vec<String> = operations.iter().map(u32::to_string).collect();
    let mut arguments = vec![errno, "1", "21", number, number];
    arguments.extend(operations.iter().map(String::as_str));
    // Of a program for i386 strace takes none of the operations of IDE disks apart but one.
    let is_known: fn(&str) -> bool = match abi {
        Abi::I386 => |line| operation(line).starts_with("HDIO_") || is_not_taken_apart(line),
        _ => is_not_taken_apart,
    };
    compare(name, &arguments, options, 4000, is_known);
}

/// The second argument of a call and what is behind it.
fn operation(line: &str) -> &str {
    line.split_once(", ").map_or("", |(_, rest)| rest)
}

fn is_not_taken_apart(line: &str) -> bool {
    NOT_TAKEN_APART.iter().any(|name| operation(line).starts_with(name)) || is_permitted(line)
}

#[test]
fn every_call_with_any_arguments() {
    compare_all("random_calls", "22");
}

#[test]
fn every_call_that_claims_to_succeed() {
    compare_all("random_calls", "0");
}

#[test]
fn every_call_of_i386() {
    compare_all("random_calls32", "22");
}

#[test]
fn every_call_of_i386_that_claims_to_succeed() {
    compare_all("random_calls32", "0");
}

#[test]
fn every_call_as_numbers_and_addresses() {
    for name in ["random_calls", "random_calls32"] {
        for errno in ["22", "0"] {
            compare(name, &[errno, "2", "21"], &OTHER_OPTIONS, 600, is_permitted);
        }
    }
}

#[test]
fn every_operation_of_ioctl() {
    compare_operations("random_calls", Abi::X86_64, "16", "22", &OPTIONS[..3]);
    compare_operations("random_calls", Abi::X86_64, "16", "0", &OPTIONS[..1]);
}

#[test]
fn every_operation_of_ioctl_of_i386() {
    compare_operations("random_calls32", Abi::I386, "54", "22", &OPTIONS[..1]);
    compare_operations("random_calls32", Abi::I386, "54", "0", &OPTIONS[1..2]);
}

#[test]
fn attributes_of_netlink() {
    let options: &[&[&str]] = &[
        &["-e", "trace=sendto", "-v", "-s", "300"],
        &["-e", "trace=sendto", "-s", "4"],
        &["-e", "trace=sendto", "-X", "raw", "-v"],
        &["-e", "trace=sendto", "-X", "verbose", "-xx", "-s", "9"],
    ];
    compare("attributes", &[], options, 3000, |_| false);
}

#[test]
fn every_option_of_sockets_and_type_of_netlink() {
    let success: &[&str] =
        &["-e", "trace=setsockopt,getsockopt,sendto", "-e", "inject=setsockopt,getsockopt:retval=0"];
    compare("options", &[], &[success], 50_000, |_| false);
}
