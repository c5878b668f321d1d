//! Calls whose arguments mean one thing or another depending on the first of them, as strace shows them.

use super::Decoder;
use super::constants::Constants;
use super::ioctl::{self, What, WritePart};
use super::memory::Phase;
use super::{
    arch, bpf, command, futex, keys, net, old, perf, poll, prctl, process, ptrace, quota, rare, scheduling,
    structures, time, uring,
};
use crate::event::Event;
use crate::syscall::flags::{self, FlagSet, write_hex, write_radix, write_signal};
use crate::syscall::{Arg, Family, Ret, Spec, Struct, open_flags};

/// An argument that is not to be printed by the kind the table gives it.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// Bits of this set.
    Bits(&'static FlagSet),
    /// Another kind.
    As(Arg),
    /// The operation of quotactl.
    Quota,
    /// A name of its own.
    Named(&'static str),
    /// What an ioctl passes.
    IoctlIn(What),
    /// What an ioctl fills.
    IoctlOut(What),
    /// The value of a socket option.
    Option,
    /// A form of its own, known before the kernel sees the call.
    Own(fn(&mut Decoder<'_, '_>, &mut Vec<u8>, usize)),
    /// What is passed of it, and what is filled.
    Parts(WritePart, WritePart),
    /// One that is known when the call has returned.
    OwnLate(fn(&mut Decoder<'_, '_>, &mut Vec<u8>, usize)),
}

/// `O_CREAT`, and the bit that `O_TMPFILE` has beside `O_DIRECTORY`: with either, open reads its mode.
const CREATES: u64 = 0o100 | 0o20_000_000;

fn is_fcntl(spec: &Spec) -> bool {
    matches!(spec.name, "fcntl" | "fcntl64")
}

/// How many of its arguments the call looks at.
pub(super) fn count(event: &Event<'_>, spec: &Spec) -> usize {
    let all = spec.args.len();
    let args = &event.args;
    match spec.name {
        "open" if args[1] & CREATES == 0 => 2,
        // O_CREAT only.
        "mq_open" if args[1] & 0o100 == 0 => 2,
        // It is always 1.
        "readdir" if args[2] as u32 == 1 => 2,
        "openat" if args[2] & CREATES == 0 => 3,
        // MREMAP_MAYMOVE and MREMAP_FIXED.
        "mremap" if args[3] & 3 != 3 => 4,
        "fcntl" | "fcntl64" if command_has_no_argument(args[1] as u32) => 2,
        "mknod" if !is_device(args[1]) => 2,
        "mknodat" if !is_device(args[2]) => 3,
        // Only LINUX_REBOOT_CMD_RESTART2 has a further argument.
        "reboot" if args[2] as u32 != 0xa1b2_c3d4 => 3,
        // KCMP_VM and what is not one thing among several; operations that are not known have all.
        "kcmp" if matches!(args[2] as u32, 1..=6) => 3,
        // MEMBARRIER_CMD_FLAG_CPU.
        "membarrier" if args[1] & 1 == 0 => 2,
        // SYSLOG_ACTION_CLOSE and those that change or tell something without a buffer.
        "syslog" if matches!(args[0] as u32, 0 | 1 | 5..=7 | 9 | 10) => 1,
        "ptrace" => ptrace::count(args[0]),
        "ioctl" if ioctl::has_no_argument(args[1] as u32) => 2,
        "prctl" => prctl::count(args).min(all),
        "arch_prctl" => arch::count(args),
        "keyctl" => keys::count(args),
        _ => all,
    }
}

/// Whether a mode is of a character or block device.
fn is_device(mode: u64) -> bool {
    matches!(mode & 0o170_000, 0o020_000 | 0o060_000)
}

fn command_has_no_argument(command: u32) -> bool {
    use command::{GET_SEALS, GETFD, GETFL, GETLEASE, GETOWN, GETPIPE_SZ, GETSIG};
    matches!(command, GETFD | GETFL | GETOWN | GETSIG | GETLEASE | GETPIPE_SZ | GET_SEALS)
}

/// How to print the argument at this place, where the table's kind is not enough.
pub(super) fn form(event: &Event<'_>, spec: &Spec, index: usize) -> Option<Form> {
    let args = &event.args;
    match (spec.name, index) {
        ("setsockopt", 3) => Some(Form::Option),
        // P_PIDFD.
        ("waitid", 1) if args[0] as u32 == 3 => Some(Form::Own(write_descriptor_argument)),
        ("pidfd_getfd", 1) => Some(Form::Own(write_descriptor_beyond)),
        ("modify_ldt", 1) if args[2] == 16 => Some(Form::Own(rare::write_segment_of_table)),
        ("fcntl" | "fcntl64", 2) => fcntl_form(event, args[1] as u32, spec.name == "fcntl64"),
        ("ioctl", 2) => ioctl::form(args[1] as u32),
        ("prctl", 1..) => prctl::form(args, index),
        ("arch_prctl", 1) => Some(arch::form(args)),
        ("get_mempolicy", 0) => Some(Form::OwnLate(process::write_policy)),
        ("get_mempolicy", 1) => Some(Form::OwnLate(process::write_filled_nodes)),
        ("set_mempolicy", 1) => Some(Form::Own(process::write_nodes)),
        ("quotactl", 0) | ("quotactl_fd", 1) => Some(Form::Quota),
        // Asks for the one in force.
        ("personality", 0) if args[0] as u32 == u32::MAX => Some(Form::Named("0xffffffff")),
        ("syslog", 0) => Some(Form::Own(rare::write_log_action)),
        ("syslog", 1) => Some(Form::OwnLate(rare::write_log)),
        ("syslog", 2) => Some(Form::Own(rare::write_log_size)),
        // Only with LINUX_REBOOT_CMD_RESTART2 there is one.
        ("reboot", 3) => Some(Form::As(Arg::Str)),
        ("mount", 3) => Some(Form::Own(write_mount_flags)),
        // FAN_NOFD.
        ("fanotify_mark", _) if spec.args[index].arg == Arg::DirFd && args[index] as u32 == u32::MAX => {
            Some(Form::Named("FAN_NOFD"))
        }
        ("socketpair", 2) => Some(Form::As(Arg::Size)),
        ("socket", 2) => socket_protocol(args[0] as u32),
        ("getsockopt", 2) if args[1] as u32 == 1 && args[2] as u32 == 26 => {
            Some(Form::Own(write_filter_option))
        }
        ("setsockopt" | "getsockopt", 2) => {
            let names = flags::socket_options(args[1] as u32, args[2] as u32, spec.name == "getsockopt");
            names.map(|set| Form::As(Arg::Enum(set)))
        }
        _ => rare::form(event, spec, index),
    }
}

fn fcntl_form(event: &Event<'_>, command: u32, is_of_32_bits: bool) -> Option<Form> {
    use command::{
        ADD_SEALS, DUPFD, DUPFD_CLOEXEC, DUPFD_QUERY, NOTIFY, SETFD, SETFL, SETLEASE, SETOWN, SETPIPE_SZ,
        SETSIG,
    };
    match command {
        SETFD => Some(Form::Bits(&flags::FD_FLAGS)),
        SETFL => Some(Form::Bits(open_flags(event.abi))),
        ADD_SEALS => Some(Form::Bits(&flags::SEALS)),
        SETLEASE => Some(Form::As(Arg::Enum(&flags::LEASE))),
        NOTIFY => Some(Form::Bits(&flags::DIRECTORY_NOTICE)),
        SETSIG => Some(Form::As(Arg::Signal)),
        DUPFD | DUPFD_CLOEXEC | DUPFD_QUERY | SETPIPE_SZ => Some(Form::As(Arg::Long)),
        SETOWN => Some(Form::As(Arg::Pid)),
        // A lock that was found is told with its owner.
        5 | 36 => Some(Form::As(Arg::Out(Struct::Flock))),
        6 | 7 | 37 | 38 => Some(Form::As(Arg::In(Struct::Flock))),
        // Of fcntl64 only.
        12..=14 if !is_of_32_bits => Some(Form::As(Arg::Word)),
        12 => Some(Form::As(Arg::Out(Struct::Flock64))),
        13 | 14 => Some(Form::As(Arg::In(Struct::Flock64))),
        // Owners.
        15 => Some(Form::Own(write_owner)),
        16 => Some(Form::OwnLate(write_owner)),
        _ => None,
    }
}

/// A descriptor of the process that the first argument is a descriptor of.
fn write_descriptor_beyond(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    call.write_beyond(out, call.arg(index) as i32);
}

fn write_descriptor_argument(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    call.write_descriptor(out, call.arg(index) as i32);
}

/// `{type=F_OWNER_PID, pid=17}`: who gets the signals of a descriptor.
fn write_owner(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    if call.phase == Phase::Exit && !call.succeeded() {
        return call.write_address(out, address);
    }
    call.write_layout(out, address, &structures::OWNER);
}

/// Protocol numbers mean what the domain says: the table's kind is right for `AF_INET` and `AF_INET6`.
fn socket_protocol(domain: u32) -> Option<Form> {
    match domain {
        2 | 10 => None,
        3 => Some(Form::Own(write_radio_protocol)),
        16 => Some(Form::As(Arg::Enum(&flags::NETLINK_PROTOCOL))),
        17 => Some(Form::Own(write_packet_protocol)),
        29 => Some(Form::As(Arg::Enum(&flags::CAN_PROTOCOL))),
        31 => Some(Form::As(Arg::Enum(&flags::BLUETOOTH_PROTOCOL))),
        33 => Some(Form::As(Arg::Enum(&flags::SOCKET_DOMAIN))),
        35 => Some(Form::As(Arg::Enum(&flags::PHONET_PROTOCOL))),
        37 => Some(Form::As(Arg::Enum(&flags::CAIF_PROTOCOL))),
        39 => Some(Form::As(Arg::Enum(&flags::NFC_PROTOCOL))),
        41 => Some(Form::As(Arg::Enum(&flags::KCM_PROTOCOL))),
        43 => Some(Form::As(Arg::Enum(&flags::SMC_PROTOCOL))),
        _ => Some(Form::As(Arg::Size)),
    }
}

/// `MS_RDONLY|MS_NOSUID`, with the magic number that programs for Linux 2.3 passed before them.
fn write_mount_flags(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    const MAGIC: u64 = 0xc0ed_0000;
    const WHERE: u64 = 0xffff_0000;
    let mut flags = call.arg(index);
    if flags & WHERE == MAGIC {
        call.style.constants.bits(out, &flags::MOUNT_MAGIC, MAGIC);
        flags &= !WHERE;
        if flags == 0 {
            return;
        }
        out.push(b'|');
    }
    call.style.constants.bits(out, &flags::MOUNT, flags);
}

/// `0xcc /* AX25_P_IP */`: strace has the numbers, too, for no public header has the names.
fn write_radio_protocol(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    call.style.constants.with_numbers().one(out, &flags::AX25_PROTOCOL, call.arg(index));
}

/// `htons(ETH_P_ALL)`
fn write_packet_protocol(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let protocol = call.arg(index) as u16;
    let number = |out: &mut Vec<u8>| write_hex(out, u64::from(protocol));
    call.style.constants.write(out, number, |out| {
        out.extend_from_slice(b"htons(");
        flags::ETHERNET_PROTOCOL.write_one(out, u64::from(protocol.swap_bytes()));
        out.push(b')');
    });
}

/// `SO_ATTACH_FILTER`, by the name it has where it is asked for.
fn write_filter_option(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let number = |out: &mut Vec<u8>| write_hex(out, u64::from(call.arg(index) as u32));
    call.style.constants.write(out, number, |out| out.extend_from_slice(b"SO_GET_FILTER"));
}

/// Whether the call does not look at an argument that others after it do.
pub(super) fn is_left_out(event: &Event<'_>, spec: &Spec, index: usize) -> bool {
    quota::is_left_out(event, spec, index) || ptrace::is_left_out(event, spec, index)
}

/// Whether the event's text is what the call returned in its buffer.
pub(super) fn returns_text(spec: &Spec) -> bool {
    spec.family == Family::Readlink
}

/// Whether the descriptor returned is of the same file as the first argument.
pub(super) fn duplicates(event: &Event<'_>, spec: &Spec) -> bool {
    match spec.name {
        "dup" | "dup2" | "dup3" => true,
        _ => is_fcntl(spec) && matches!(event.args[1] as u32, command::DUPFD | command::DUPFD_CLOEXEC),
    }
}

/// What the call returns.
pub(super) fn ret(event: &Event<'_>, spec: &Spec) -> Ret {
    match spec.name {
        _ if is_fcntl(spec) && duplicates(event, spec) => Ret::Fd,
        // In hexadecimal, with what it means behind it.
        "prctl" if prctl::returns_bits(&event.args) => Ret::Addr,
        "arch_prctl" if arch::returns_bits(&event.args) => Ret::Addr,
        "personality" => Ret::Addr,
        _ if is_fcntl(spec) && event.args[1] as u32 == command::GETLEASE => Ret::Addr,
        // MEMBARRIER_CMD_QUERY: what there is.
        "membarrier" if event.args[0] as u32 == 0 => Ret::Addr,
        // LANDLOCK_CREATE_RULESET_VERSION.
        "landlock_create_ruleset" if event.args[2] & 1 != 0 => Ret::Int,
        "ioctl" if ioctl::makes_descriptor(event.args[1] as u32) => Ret::Fd,
        _ => spec.ret,
    }
}

/// ` (SCHED_OTHER)`, behind the number that was returned.
fn write_meaning(call: &Decoder<'_, '_>, out: &mut Vec<u8>) {
    let value = call.event.ret.unwrap_or(0).unsigned_abs();
    let (set, are_bits) = match call.spec.name {
        "sched_getscheduler" if flags::SCHED.name(value).is_none() => return,
        "sched_getscheduler" => (&flags::SCHED, false),
        "fcntl" | "fcntl64" => (&flags::LEASE, false),
        "personality" => {
            out.extend_from_slice(b" (");
            call.style.constants.bits(out, &flags::PERSONALITY, value);
            out.push(b')');
            return;
        }
        "membarrier" => (&flags::MEMBARRIER, true),
        "ioctl" if flags::SETNS.name(value).is_none() => return,
        _ => (&flags::SETNS, false),
    };
    if value == 0 && set.fields.is_empty() && set.name(0).is_none() {
        return;
    }
    out.extend_from_slice(b" (");
    if are_bits {
        set.write_bits(out, value);
    } else {
        set.write_one(out, value);
    }
    out.push(b')');
}

/// The flags a call returns as its value.
pub(super) fn ret_flags(event: &Event<'_>, spec: &Spec) -> Option<&'static FlagSet> {
    match event.args[1] as u32 {
        command::GETFD if is_fcntl(spec) => Some(&flags::FD_FLAGS),
        command::GETFL if is_fcntl(spec) => Some(open_flags(event.abi)),
        command::GET_SEALS if is_fcntl(spec) => Some(&flags::SEALS),
        _ => None,
    }
}

/// `QCMD(Q_GETQUOTA, USRQUOTA)`
pub(super) fn write_quota(out: &mut Vec<u8>, op: u32, constants: Constants) {
    let number = |out: &mut Vec<u8>| write_radix(out, u64::from(op), 10, 1);
    constants.write(out, number, |out| {
        out.extend_from_slice(b"QCMD(");
        flags::QUOTA.write_one(out, u64::from(op >> 8));
        out.extend_from_slice(b", ");
        flags::QUOTA_TYPE.write_one(out, u64::from(op & 0xff));
        out.push(b')');
    });
}

/// Whether a call follows no table, and has arguments that are known when it has returned.
pub(super) fn is_whole(spec: &Spec) -> bool {
    matches!(spec.name, "clone" | "clone3")
}

/// Whether strace looks at a call's end, too, though all its arguments are known before.
pub(super) fn is_told_later(spec: &Spec) -> bool {
    matches!(
        spec.name,
        "poll"
            | "ppoll"
            | "ppoll_time64"
            | "select"
            | "_newselect"
            | "pselect6"
            | "pselect6_time64"
            | "restart_syscall"
    )
}

/// Writes what is known at its entry of a call that follows no table; `false`: this is none of them.
pub(super) fn write_entry(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>) -> bool {
    match call.spec.name {
        "clone" => write_clone(call, out),
        "clone3" if call.is_deep() && !call.style.addresses => process::write_clone3(call, out),
        "futex" | "futex_time64" => futex::write(call, out),
        "rt_sigreturn" => call.write_returned_mask(out),
        _ => return false,
    }
    true
}

/// Writes what such a call has filled.
pub(super) fn write_exit(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>) -> bool {
    match call.spec.name {
        "clone" => write_clone_results(call, out),
        "clone3" if call.is_deep() && !call.style.addresses => process::write_clone3_results(call, out),
        "futex" | "futex_time64" => {}
        _ => return false,
    }
    true
}

/// Writes what is told behind the result.
pub(super) fn write_after(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>) {
    if !call.succeeded() || !call.is_deep() {
        return;
    }
    match call.spec.name {
        "poll" | "ppoll" | "ppoll_time64" if call.style.addresses && call.event.ret != Some(0) => {}
        "poll" | "ppoll" | "ppoll_time64" => poll::write_polled(call, out),
        "select" if call.spec.args.len() == 1 => {}
        "select" | "_newselect" | "pselect6" | "pselect6_time64" => poll::write_selected(call, out),
        "adjtimex" | "clock_adjtime" | "clock_adjtime64" => rare::write_state(call, out),
        "recvmmsg" | "recvmmsg_time64" => net::write_time_left(call, out),
        "sgetmask" | "ssetmask" | "signal" => old::write_after(call, out),
        "sched_getscheduler" | "personality" => write_meaning(call, out),
        "fcntl" | "fcntl64" if call.arg(1) as u32 == command::GETLEASE => write_meaning(call, out),
        "fcntl" | "fcntl64" if call.arg(1) as u32 == command::GETSIG && call.event.ret != Some(0) => {
            out.extend_from_slice(b" (");
            write_signal(out, call.event.ret.unwrap_or(0) as u32);
            out.push(b')');
        }
        "time" if call.event.ret != Some(0) => {
            out.extend_from_slice(b" (");
            time::write_moment(out, call.event.ret.unwrap_or(0), 0, 0);
            out.push(b')');
        }
        "prctl" => prctl::write_meaning(call, out),
        "arch_prctl" => arch::write_meaning(call, out),
        "ioctl" if ioctl::tells_namespace(call.arg(1) as u32) => write_meaning(call, out),
        "ioctl" => ioctl::write_after(call, out),
        "membarrier" if call.arg(0) as u32 == 0 && call.event.ret != Some(0) => write_meaning(call, out),
        "set_thread_area" if !call.style.addresses => {
            if let Some(entry) = call.read_u32_at(Phase::Exit, call.arg(0)) {
                out.extend_from_slice(format!(" (entry_number={})", entry.cast_signed()).as_bytes());
            }
        }
        "rt_sigtimedwait" | "rt_sigtimedwait_time64" if call.event.ret != Some(0) => {
            out.extend_from_slice(b" (");
            call.style.constants.signal(out, call.event.ret.unwrap_or(0) as u32);
            out.push(b')');
        }
        "modify_ldt" => rare::write_table_error(call, out),
        "ioprio_get" if call.style.constants != Constants::Numbers => {
            out.extend_from_slice(b" (");
            call.write_named_io_priority(out, call.event.ret.unwrap_or(0).unsigned_abs());
            out.push(b')');
        }
        _ => {}
    }
}

/// Reads at the entry what is compared at the exit.
pub(super) fn look_ahead(call: &mut Decoder<'_, '_>) {
    uring::look_ahead(call);
    bpf::look_ahead(call);
    perf::look_ahead(call);
    scheduling::look_ahead(call);
    ptrace::look_ahead(call);
    for (index, spec) in call.spec.args.iter().enumerate() {
        match spec.arg {
            Arg::InOut(Struct::Integer) => {
                let mut value = [0; 8];
                let size = net::integer_size(call);
                call.memory.read(Phase::Entry, call.arg(index), &mut value[..size]);
            }
            Arg::InOut(Struct::Msghdr) => net::look_ahead(call, index),
            // It is printed at the exit, as it was then.
            Arg::InOut(Struct::Mmsghdr) => {
                call.memory.read(Phase::Entry, call.arg(4), &mut [0; 16]);
                net::look_ahead_many(call, index);
            }
            _ if call.spec.name == "name_to_handle_at" && index == 2 => {
                call.read_u32_at(Phase::Entry, call.arg(2));
            }
            _ => {}
        }
    }
}

/// `child_stack=NULL, flags=SIGCHLD`
fn write_clone(call: &Decoder<'_, '_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"child_stack=");
    call.write_address(out, call.arg(1));
    out.extend_from_slice(b", flags=");
    if call.is_unknown(0) {
        out.extend_from_slice(b"...");
    } else {
        call.style.constants.bits(out, &flags::CLONE, call.arg(0));
    }
}

/// What the flags ask for, by name.
fn write_clone_results(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>) {
    const PIDFD: u64 = 0x1000;
    const PARENT_TID: u64 = 0x10_0000 | PIDFD;
    const TLS: u64 = 0x8_0000;
    const CHILD_TID: u64 = 0x20_0000 | 0x100_0000;
    for (argument, label, wanted) in [
        ("parent_tid", "parent_tid", PARENT_TID),
        ("tls", "tls", TLS),
        ("child_tid", "child_tidptr", CHILD_TID),
    ] {
        let index = call.spec.args.iter().position(|spec| spec.name == argument);
        let Some(index) = index.filter(|_| call.arg(0) & wanted != 0) else { continue };
        out.extend_from_slice(b", ");
        out.extend_from_slice(label.as_bytes());
        out.push(b'=');
        if argument == "parent_tid" && call.succeeded() && call.arg(0) & PIDFD != 0 {
            call.write_descriptors(out, call.arg(index), 1, 4);
        } else if argument == "parent_tid" && call.succeeded() {
            call.write_integer(out, call.arg(index), 4);
        } else if argument == "tls" && call.half() == 1 && call.succeeded() {
            rare::write_segment_at(call, out, call.arg(index), true);
        } else {
            call.write_address(out, call.arg(index));
        }
    }
}
