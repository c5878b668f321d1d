//! Structures that few calls take: which is behind which argument, by the call's name.

use super::call::{word, write_address64};
use super::ioctl::What;
use super::layout::Show::{Address, Flags, Hex as Hexadecimal, Int, Nested, Own, Uint};
use super::layout::Size::{B4, B8, Word};
use super::layout::layouts;
use super::special::Form;
use super::text::{Hex, write_text};
use super::{
    Decoder, Phase, Question, aio, bpf, inner, ipc, keys, mounts, old, pages, perf, process, ptrace, quota,
    sandbox, scheduling, structures, uring,
};
use crate::event::Event;
use crate::syscall::flags::x86::{SWAPON, SYSLOG};
use crate::syscall::flags::{
    ADJUST, CLOCK_STATE, CLOCK_STATUS, FUTEX_WAITER, IO_CLASS, LOG_LEVEL, write_hex, write_number,
    write_radix,
};
use crate::syscall::{Arg, Spec};

layouts! {
    /// `struct timex`.
    TIMEX: 208/128 {
        always modes @ 0/0 Flags(&ADJUST, B4);
        always offset @ 8/4 Int(Word);
        always freq @ 16/8 Int(Word);
        always maxerror @ 24/12 Int(Word);
        always esterror @ 32/16 Int(Word);
        always status @ 40/20 Flags(&CLOCK_STATUS, B4);
        always constant @ 48/24 Int(Word);
        always precision @ 56/28 Int(Word);
        always tolerance @ 64/32 Int(Word);
        always time @ 72/36 Nested(&structures::TIMEVAL);
        always tick @ 88/44 Int(Word);
        always ppsfreq @ 96/48 Int(Word);
        always jitter @ 104/52 Int(Word);
        always shift @ 112/56 Int(B4);
        always stabil @ 120/60 Int(Word);
        always jitcnt @ 128/64 Int(Word);
        always calcnt @ 136/68 Int(Word);
        always errcnt @ 144/72 Int(Word);
        always stbcnt @ 152/76 Int(Word);
        always tai @ 160/80 Int(B4);
    }
    /// `struct __kernel_timex`: the same for all programs.
    TIMEX64: 208/208 {
        always modes @ 0/0 Flags(&ADJUST, B4);
        always offset @ 8/8 Int(B8);
        always freq @ 16/16 Int(B8);
        always maxerror @ 24/24 Int(B8);
        always esterror @ 32/32 Int(B8);
        always status @ 40/40 Flags(&CLOCK_STATUS, B4);
        always constant @ 48/48 Int(B8);
        always precision @ 56/56 Int(B8);
        always tolerance @ 64/64 Int(B8);
        always time @ 72/72 Nested(&TIMEVAL64);
        always tick @ 88/88 Int(B8);
        always ppsfreq @ 96/96 Int(B8);
        always jitter @ 104/104 Int(B8);
        always shift @ 112/112 Int(B4);
        always stabil @ 120/120 Int(B8);
        always jitcnt @ 128/128 Int(B8);
        always calcnt @ 136/136 Int(B8);
        always errcnt @ 144/144 Int(B8);
        always stbcnt @ 152/152 Int(B8);
        always tai @ 160/160 Int(B4);
    }
    /// `struct __kernel_timex_timeval`.
    TIMEVAL64: 16/16 {
        always tv_sec @ 0/0 Int(B8);
        always tv_usec @ 8/8 Int(B8);
    }
    /// `struct kcmp_epoll_slot`.
    WATCHED: 12/12 {
        always efd @ 0/0 Own(write_descriptor_of_second);
        always tfd @ 4/4 Own(write_descriptor_of_second);
        always toff @ 8/8 Uint(B4);
    }
    /// `struct futex_waitv`.
    WAITER: 24/24 {
        always val @ 0/0 Hexadecimal(B8);
        always uaddr @ 8/8 Own(write_pointer);
        always flags @ 16/16 Flags(&FUTEX_WAITER, B4);
        set(4) __reserved @ 20/20 Hexadecimal(B4);
    }
    /// `struct kexec_segment`.
    KEXEC_SEGMENT: 32/16 {
        always buf @ 0/0 Address;
        always bufsz @ 8/4 Uint(Word);
        always mem @ 16/8 Address;
        always memsz @ 24/12 Uint(Word);
    }
}

/// A call's name, its argument, and how that is shown. A line an argument.
static ARGUMENTS: &[(&str, usize, Form)] = &[
    ("adjtimex", 0, Form::IoctlOut(What::Of(&TIMEX))),
    ("clock_adjtime", 1, Form::IoctlOut(What::Of(&TIMEX))),
    ("clock_adjtime64", 1, Form::IoctlOut(What::Of(&TIMEX64))),
    ("perf_event_open", 0, Form::OwnLate(perf::write_attributes)),
    ("semop", 1, Form::Own(ipc::write_operations)),
    ("semtimedop", 1, Form::Own(ipc::write_operations)),
    ("semtimedop_time64", 1, Form::Own(ipc::write_operations)),
    ("msgsnd", 1, Form::Own(ipc::write_message)),
    ("msgrcv", 1, Form::OwnLate(ipc::write_message)),
    ("timer_create", 1, Form::Own(ipc::write_sigevent)),
    ("mq_notify", 1, Form::Own(ipc::write_sigevent)),
    ("mq_open", 3, Form::IoctlIn(What::Of(&ipc::NEW_MESSAGES))),
    ("mq_getsetattr", 1, Form::IoctlIn(What::Of(&ipc::MESSAGES))),
    ("mq_getsetattr", 2, Form::IoctlOut(What::Of(&ipc::MESSAGES))),
    ("mincore", 2, Form::OwnLate(pages::write_residence)),
    ("mbind", 3, Form::Own(process::write_nodes)),
    ("migrate_pages", 2, Form::Own(pages::write_nodes)),
    ("migrate_pages", 3, Form::Own(pages::write_nodes)),
    ("move_pages", 2, Form::Own(pages::write_pages)),
    ("move_pages", 3, Form::Own(pages::write_numbers)),
    ("move_pages", 4, Form::OwnLate(pages::write_numbers)),
    ("mount", 2, Form::Own(mounts::write_mount_type)),
    ("mount", 4, Form::Own(mounts::write_mount_data)),
    ("name_to_handle_at", 2, Form::OwnLate(mounts::write_handle)),
    ("name_to_handle_at", 3, Form::OwnLate(mounts::write_mount_id)),
    ("open_by_handle_at", 1, Form::Own(mounts::write_handle)),
    ("mount_setattr", 3, Form::Own(mounts::write_mount_attributes)),
    ("landlock_create_ruleset", 0, Form::Own(sandbox::write_ruleset)),
    ("landlock_add_rule", 2, Form::Own(sandbox::write_rule)),
    ("kexec_load", 2, Form::Own(write_kexec_segments)),
    ("kexec_file_load", 3, Form::Own(write_command_line)),
    ("init_module", 0, Form::As(Arg::Addr)),
    ("sethostname", 0, Form::Own(write_host_name)),
    ("setdomainname", 0, Form::Own(write_host_name)),
    ("sched_setattr", 1, Form::OwnLate(scheduling::write_scheduling)),
    ("sched_getattr", 1, Form::OwnLate(scheduling::write_scheduling_told)),
    ("setxattr", 2, Form::Own(write_attribute)),
    ("lsetxattr", 2, Form::Own(write_attribute)),
    ("fsetxattr", 2, Form::Own(write_attribute)),
    ("getxattr", 2, Form::OwnLate(write_attribute)),
    ("lgetxattr", 2, Form::OwnLate(write_attribute)),
    ("fgetxattr", 2, Form::OwnLate(write_attribute)),
    ("ioprio_set", 2, Form::Own(write_io_priority)),
    ("swapon", 1, Form::Own(write_swap_flags)),
    ("fsconfig", 2, Form::Own(mounts::write_setting)),
    ("fsconfig", 3, Form::Own(mounts::write_setting)),
    ("fsconfig", 4, Form::Own(inner::write_start)),
    ("kcmp", 3, Form::Own(write_compared)),
    ("kcmp", 4, Form::Own(write_compared)),
    ("futex_waitv", 0, Form::Own(write_waiters)),
    ("set_thread_area", 0, Form::Own(write_segment)),
    ("get_thread_area", 0, Form::OwnLate(write_segment)),
];

/// How an argument is printed that is a structure only this call has.
pub(super) fn form(event: &Event<'_>, spec: &Spec, index: usize) -> Option<Form> {
    let by_operation = uring::form(event, spec, index).or_else(|| bpf::form(event, spec, index));
    let by_operation = by_operation.or_else(|| quota::form(event, spec, index));
    let by_operation = by_operation.or_else(|| keys::form(event, spec, index));
    let by_operation = by_operation.or_else(|| ptrace::form(event, spec, index));
    let by_operation = by_operation.or_else(|| aio::form(spec, index));
    let by_operation = by_operation.or_else(|| old::form(event, spec, index));
    let by_operation = by_operation.or_else(|| ipc::form(event, spec, index));
    if spec.name == "seccomp" {
        return sandbox::seccomp_form(event.args[0] as u32, index);
    }
    let is_this = |name: &str, at: usize| name == spec.name && at == index;
    by_operation.or_else(|| ARGUMENTS.iter().find(|(name, at, _)| is_this(name, *at)).map(|(.., form)| *form))
}

/// Whether an argument has a form here.
#[cfg(test)]
pub(super) fn has_form(spec: &Spec, index: usize) -> bool {
    // IPC_STAT, or Q_GETQUOTA.
    let operation = if spec.name.starts_with("quotactl") { 0x8000_0700 } else { 2 };
    let event = Event { args: [operation; 6], ..Event::new(crate::event::Kind::Syscall) };
    form(&event, spec, index).is_some()
}

/// What adjtimex has returned, behind the number.
pub(super) fn write_state(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>) {
    let state = call.event.ret.unwrap_or(0) as u64;
    if call.style.addresses || !has_structure(call) {
        return;
    }
    if let Some(name) = CLOCK_STATE.name(state) {
        out.extend_from_slice(b" (");
        out.extend_from_slice(name.as_bytes());
        out.push(b')');
    }
}

/// Whether the structure that the last argument points to can be read.
fn has_structure(call: &mut Decoder<'_, '_>) -> bool {
    let address = call.arg(call.spec.args.len() - 1);
    let mut bytes = [0; 208];
    let layout = if call.spec.name.ends_with("64") { &TIMEX64 } else { &TIMEX };
    let size = layout.size[call.half()];
    address != 0 && call.memory.read(call.phase, address, &mut bytes[..size]) == size
}

/// A pointer that has 64 bits in every program.
fn write_pointer(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_address64(out, number(&bytes[..bytes.len().min(8)]));
}

/// The number that up to eight bytes are.
pub(super) fn number(bytes: &[u8]) -> u64 {
    let mut value = [0; 8];
    let count = bytes.len().min(8);
    value[..count].copy_from_slice(&bytes[..count]);
    u64::from_le_bytes(value)
}

/// A name whose length stands behind it; longer than the kernel takes them, strace does not look at it.
fn write_host_name(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    /// `__NEW_UTS_LEN`.
    const LONGEST: u32 = 64;
    let (address, length) = (call.arg(index), call.arg(index + 1) as u32);
    if length > LONGEST {
        call.write_address(out, address);
    } else {
        call.write_buffer(out, address, u64::from(length));
    }
}

/// The value of an attribute; what is shown of it ends before a NUL byte, which tells that it is whole.
fn write_attribute(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    /// `XATTR_SIZE_MAX`.
    const LARGEST: u64 = 65536;
    let address = call.arg(index);
    let size = match (call.phase, call.event.ret) {
        (Phase::Exit, ret) if !call.succeeded() || (call.arg(index + 1) == 0 && ret != Some(0)) => None,
        (Phase::Exit, Some(size)) => Some(size.unsigned_abs()),
        _ => Some(word(call.event.abi, call.arg(index + 1))),
    };
    let size = size.filter(|&size| size <= LARGEST && address != 0 && call.is_deep());
    let shown = (size.unwrap_or(0) as usize).min(call.style.strings);
    let mut value = vec![0; shown];
    // Where nothing is shown of it strace looks whether it could be.
    let least = usize::from(size.unwrap_or(0) > 0);
    let mut first = [0];
    let is_readable = call.memory.read(call.phase, address, &mut value) == shown
        && call.memory.read(call.phase, address, &mut first[..least]) == least;
    if size.is_none() || !is_readable {
        return call.write_address(out, address);
    }
    match value.strip_suffix(b"\0").filter(|_| call.style.hex != Hex::All) {
        Some(value) => write_text(out, value, call.style.hex, false),
        None => write_text(out, &value, call.style.hex, size > Some(value.len() as u64)),
    }
}

/// `IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 4)`
fn write_io_priority(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let value = call.arg(index) as u32;
    let number = |out: &mut Vec<u8>| write_number(out, i64::from(value.cast_signed()));
    call.write_io_priority(out, u64::from(value), number);
}

impl Decoder<'_, '_> {
    /// A priority of reading and writing: a class, and a number in it.
    pub(super) fn write_io_priority(&self, out: &mut Vec<u8>, value: u64, number: impl FnOnce(&mut Vec<u8>)) {
        self.style.constants.write(out, number, |out| self.write_named_io_priority(out, value));
    }

    /// The same by its name, whose class is a constant of its own.
    pub(super) fn write_named_io_priority(&self, out: &mut Vec<u8>, value: u64) {
        const SHIFT: u32 = 13;
        out.extend_from_slice(b"IOPRIO_PRIO_VALUE(");
        self.style.constants.one(out, &IO_CLASS, value >> SHIFT);
        out.extend_from_slice(b", ");
        write_radix(out, value & ((1 << SHIFT) - 1), 10, 1);
        out.push(b')');
    }
}

/// Flags, and a priority behind them; the latter alone where there are none.
fn write_swap_flags(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    const PRIORITY: u64 = 0x7fff;
    let value = u64::from(call.arg(index) as u32);
    if value & !PRIORITY != 0 {
        call.style.constants.bits(out, &SWAPON, value & !PRIORITY);
        out.push(b'|');
    }
    write_radix(out, value & PRIORITY, 10, 1);
}

fn write_descriptor_of_second(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    call.write_descriptor_of(out, Question::OfSecond(number(&bytes[..bytes.len().min(4)]) as i32));
}

/// Which of each process's descriptors kcmp compares.
fn write_compared(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    match (call.arg(2) as u32, index) {
        // KCMP_FILE, KCMP_EPOLL_TFD: descriptors of those processes.
        (0 | 7, 3) => call.write_descriptor_of(out, Question::OfFirst(call.arg(index) as i32)),
        (0, _) => call.write_descriptor_of(out, Question::OfSecond(call.arg(index) as i32)),
        (7, _) => call.write_layout(out, call.arg(index), &WATCHED),
        _ => write_hex(out, word(call.event.abi, call.arg(index))),
    }
}

/// `[{val=0, uaddr=0x7f.., flags=FUTEX_PRIVATE_FLAG|FUTEX_32, __reserved=0}]`
fn write_waiters(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    /// `FUTEX_WAITV_MAX`.
    const MOST: u64 = 128;
    let count = u64::from(call.arg(index + 1) as u32);
    let shown = out.len();
    call.write_array(out, call.arg(index), count.min(MOST), WAITER.size[0], &mut |call, out, bytes| {
        call.write_members(out, &WAITER, bytes);
    });
    if count > MOST && out[shown..].ends_with(b"}]") {
        out.pop();
        out.extend_from_slice(b", ...]");
    }
}

/// `[{buf=0x.., bufsz=4096, mem=0x.., memsz=4096}]`: not more than the kernel takes.
fn write_kexec_segments(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    /// `KEXEC_SEGMENT_MAX`.
    const MOST: u64 = 16;
    let (address, count) = (call.arg(index), call.arg(index - 1));
    if count > MOST {
        return call.write_address(out, address);
    }
    let size = 4 * call.word_size();
    call.write_array(out, address, count, size, &mut |call, out, bytes| {
        call.write_members(out, &KEXEC_SEGMENT, bytes);
    });
}

/// `{entry_number=12, base_addr=0x.., limit=0x0fffff, seg_32bit=1, ..}` (`set_thread_area(2)`).
fn write_segment(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    // Asked for, and not told.
    let is_told = call.phase == Phase::Entry || call.succeeded();
    write_segment_at(call, out, call.arg(index), is_told);
}

/// The same at an address; of one that is not told only the number.
pub(super) fn write_segment_at(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64, is_told: bool) {
    let mut bytes = [0; 16];
    let is_looked_at = address != 0 && !call.style.addresses;
    let wanted = if is_told { bytes.len() } else { 4 };
    if !is_looked_at || call.memory.read(call.phase, address, &mut bytes[..wanted]) < wanted {
        return call.write_address(out, address);
    }
    let member = |at: usize| number(&bytes[at..at + 4]) as u32;
    let entry = member(0);
    out.extend_from_slice(b"{entry_number=");
    match entry {
        u32::MAX => out.extend_from_slice(b"-1"),
        entry => write_radix(out, u64::from(entry), 10, 1),
    }
    if !is_told {
        return out.extend_from_slice(b", ...}");
    }
    // With and without its 0x, so many digits.
    for (name, value) in [("base_addr", member(4)), ("limit", member(8))] {
        let text = if value == 0 { "00000000".to_owned() } else { format!("{value:#08x}") };
        out.extend_from_slice(format!(", {name}={text}").as_bytes());
    }
    let flags = member(12);
    for (name, at, mask) in [
        ("seg_32bit", 0, 1),
        ("contents", 1, 3),
        ("read_exec_only", 3, 1),
        ("limit_in_pages", 4, 1),
        ("seg_not_present", 5, 1),
        ("useable", 6, 1),
        ("lm", 7, 1),
    ] {
        if name != "lm" || call.word_size() == 8 {
            out.extend_from_slice(format!(", {name}={}", flags >> at & mask).as_bytes());
        }
    }
    out.push(b'}');
}

/// The segment that `modify_ldt` is passed.
pub(super) fn write_segment_of_table(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    write_segment_at(call, out, call.arg(index), true);
}

/// ` EINVAL (Invalid argument)`, behind a number: `modify_ldt` returns errors in 32 bits.
pub(super) fn write_table_error(call: &Decoder<'_, '_>, out: &mut Vec<u8>) {
    let errno = call.event.ret.map_or(0, |ret| i64::from((ret as i32).wrapping_neg()));
    if (1..4096).contains(&errno) {
        let errno = nix::errno::Errno::from_raw(errno as i32);
        out.extend_from_slice(format!(" {errno:?} ({})", errno.desc()).as_bytes());
    }
}

/// `2 /* SYSLOG_ACTION_READ */`
pub(super) fn write_log_action(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let action = call.arg(index);
    write_number(out, i64::from(action as i32));
    out.extend_from_slice(b" /* ");
    out.extend_from_slice(SYSLOG.name(action).unwrap_or(SYSLOG.unknown).as_bytes());
    out.extend_from_slice(b" */");
}

/// The size of a buffer, or a level: `4 /* LOGLEVEL_WARNING */`.
pub(super) fn write_log_size(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    /// `SYSLOG_ACTION_CONSOLE_LEVEL`.
    const LEVEL: u32 = 8;
    let value = call.arg(index) as i32;
    write_number(out, i64::from(value));
    if call.arg(0) as u32 == LEVEL {
        let name = match value {
            // One above all.
            8 => "LOGLEVEL_DEBUG+1",
            _ => LOG_LEVEL.name(call.arg(index)).unwrap_or(LOG_LEVEL.unknown),
        };
        out.extend_from_slice(format!(" /* {name} */").as_bytes());
    }
}

/// The kernel's messages, as many bytes as the call returns, where it reads them.
pub(super) fn write_log(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let reads = matches!(call.arg(0) as u32, 2..=4) && call.succeeded();
    match call.event.ret.filter(|_| reads) {
        Some(length) => call.write_buffer(out, call.arg(index), length.unsigned_abs()),
        None => call.write_address(out, call.arg(index)),
    }
}

/// Text whose length stands before it.
fn write_command_line(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    call.write_buffer(out, call.arg(index), call.arg(index - 1));
}
