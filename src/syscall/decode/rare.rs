//! Structures that few calls take: which is behind which argument, by the call's name. 64-bit programs only; those of
//! i386 have the address.

use super::call::word;
use super::ioctl::What;
use super::layout::Show::{Address, Enum, Flags, Hex as Hexadecimal, Int, Nested, Octal, Own, Uint};
use super::layout::Size::{B2, B4, B8, Word};
use super::layout::{Layout, layouts};
use super::special::Form;
use super::text::{Hex, write_text};
use super::{Decoder, Phase, aio, bpf, keys, perf, prctl, process, ptrace, quota, tables, uring};
use crate::event::{Abi, Event};
use crate::syscall::flags::x86::{SWAPON, SYSLOG};
use crate::syscall::flags::{
    ADJUST, CLOCK_STATE, CLOCK_STATUS, FUTEX_WAITER, IO_CLASS, LANDLOCK_ACCESS, LOG_LEVEL, MOUNT_ATTR,
    PROPAGATION, QUEUE_FLAGS, SCHED, SCHED_ATTR, SEMBUF, SIGEVENT, write_hex, write_number, write_radix,
};
use crate::syscall::{Arg, Spec};

layouts! {
    /// `struct ipc64_perm`, as much of it as is set.
    OWNER: 48/48 {
        always uid @ 4/4 Uint(B4);
        always gid @ 8/8 Uint(B4);
        always mode @ 20/20 Octal(B4);
    }
    /// All of it.
    PERM: 48/48 {
        always uid @ 4/4 Uint(B4);
        always gid @ 8/8 Uint(B4);
        always mode @ 20/20 Octal(B4);
        always key @ 0/0 Uint(B4);
        always cuid @ 12/12 Uint(B4);
        always cgid @ 16/16 Uint(B4);
    }
    /// `struct msqid64_ds`, as much of it as is set.
    QUEUE_SET: 120/120 {
        always msg_perm @ 0/0 Nested(&OWNER);
        always msg_qbytes @ 88/88 Uint(B8);
    }
    /// All of it.
    QUEUE: 120/120 {
        always msg_perm @ 0/0 Nested(&PERM);
        always msg_stime @ 48/48 Uint(B8);
        always msg_rtime @ 56/56 Uint(B8);
        always msg_ctime @ 64/64 Uint(B8);
        always msg_qnum @ 80/80 Uint(B8);
        always msg_qbytes @ 88/88 Uint(B8);
        always msg_lspid @ 96/96 Int(B4);
        always msg_lrpid @ 100/100 Int(B4);
    }
    /// `struct shmid64_ds`, as much of it as is set.
    SEGMENT_SET: 112/112 {
        always shm_perm @ 0/0 Nested(&OWNER);
    }
    /// All of it.
    SEGMENT: 112/112 {
        always shm_perm @ 0/0 Nested(&PERM);
        always shm_segsz @ 48/48 Uint(B8);
        always shm_cpid @ 80/80 Int(B4);
        always shm_lpid @ 84/84 Int(B4);
        always shm_nattch @ 88/88 Uint(B8);
        always shm_atime @ 56/56 Uint(B8);
        always shm_dtime @ 64/64 Uint(B8);
        always shm_ctime @ 72/72 Uint(B8);
    }
    /// `struct semid64_ds`, as much of it as is set.
    SEMAPHORES_SET: 104/104 {
        always sem_perm @ 0/0 Nested(&OWNER);
    }
    /// All of it.
    SEMAPHORES: 104/104 {
        always sem_perm @ 0/0 Nested(&PERM);
        always sem_otime @ 48/48 Uint(B8);
        always sem_ctime @ 64/64 Uint(B8);
        always sem_nsems @ 80/80 Uint(B8);
    }
    /// `struct seminfo`.
    SEMAPHORE_LIMITS: 40/40 {
        always semmap @ 0/0 Int(B4);
        always semmni @ 4/4 Int(B4);
        always semmns @ 8/8 Int(B4);
        always semmnu @ 12/12 Int(B4);
        always semmsl @ 16/16 Int(B4);
        always semopm @ 20/20 Int(B4);
        always semume @ 24/24 Int(B4);
        always semusz @ 28/28 Int(B4);
        always semvmx @ 32/32 Int(B4);
        always semaem @ 36/36 Int(B4);
    }
    /// `struct msginfo`.
    QUEUE_LIMITS: 32/32 {
        always msgpool @ 0/0 Int(B4);
        always msgmap @ 4/4 Int(B4);
        always msgmax @ 8/8 Int(B4);
        always msgmnb @ 12/12 Int(B4);
        always msgmni @ 16/16 Int(B4);
        always msgssz @ 20/20 Int(B4);
        always msgtql @ 24/24 Int(B4);
        always msgseg @ 28/28 Uint(B2);
    }
    /// `struct shminfo64`.
    SEGMENT_LIMITS: 72/72 {
        always shmmax @ 0/0 Uint(B8);
        always shmmin @ 8/8 Uint(B8);
        always shmmni @ 16/16 Uint(B8);
        always shmseg @ 24/24 Uint(B8);
        always shmall @ 32/32 Uint(B8);
    }
    /// `struct shm_info`.
    SEGMENT_USE: 48/48 {
        always used_ids @ 0/0 Int(B4);
        always shm_tot @ 8/8 Uint(B8);
        always shm_rss @ 16/16 Uint(B8);
        always shm_swp @ 24/24 Uint(B8);
        always swap_attempts @ 32/32 Uint(B8);
        always swap_successes @ 40/40 Uint(B8);
    }
    /// `struct sembuf`.
    SEMAPHORE_OP: 6/6 {
        always sem_num @ 0/0 Uint(B2);
        always sem_op @ 2/2 Int(B2);
        always sem_flg @ 4/4 Flags(&SEMBUF, B2);
    }
    /// `struct timex`.
    TIMEX: 208/208 {
        always modes @ 0/0 Flags(&ADJUST, B4);
        always offset @ 8/8 Int(B8);
        always freq @ 16/16 Int(B8);
        always maxerror @ 24/24 Int(B8);
        always esterror @ 32/32 Int(B8);
        always status @ 40/40 Flags(&CLOCK_STATUS, B4);
        always constant @ 48/48 Int(B8);
        always precision @ 56/56 Int(B8);
        always tolerance @ 64/64 Int(B8);
        always time @ 72/72 Nested(&tables::TIMEVAL);
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
    /// `struct mq_attr`.
    MESSAGES: 64/64 {
        always mq_flags @ 0/0 Flags(&QUEUE_FLAGS, B8);
        always mq_maxmsg @ 8/8 Int(B8);
        always mq_msgsize @ 16/16 Int(B8);
        always mq_curmsgs @ 24/24 Int(B8);
    }
    /// `struct mount_attr`.
    MOUNT_ATTRIBUTES: 32/32 {
        always attr_set @ 0/0 Flags(&MOUNT_ATTR, B8);
        always attr_clr @ 8/8 Flags(&MOUNT_ATTR, B8);
        always propagation @ 16/16 Enum(&PROPAGATION, B8);
        always userns_fd @ 24/24 Uint(B8);
    }
    /// `struct sched_attr`.
    SCHEDULING: 56/56 {
        always size @ 0/0 Uint(B4);
        has(has_policy) sched_policy @ 4/4 Enum(&SCHED, B4);
        always sched_flags @ 8/8 Flags(&SCHED_ATTR, B8);
        has(has_parameters) sched_nice @ 16/16 Int(B4);
        has(has_parameters) sched_priority @ 20/20 Uint(B4);
        has(has_parameters) sched_runtime @ 24/24 Uint(B8);
        has(has_parameters) sched_deadline @ 32/32 Uint(B8);
        has(has_parameters) sched_period @ 40/40 Uint(B8);
        beyond(52) sched_util_min @ 48/48 Uint(B4);
        beyond(52) sched_util_max @ 52/52 Uint(B4);
    }
    /// The same, as the kernel tells it: with all of its members.
    SCHEDULING_TOLD: 56/56 {
        always size @ 0/0 Uint(B4);
        always sched_policy @ 4/4 Enum(&SCHED, B4);
        always sched_flags @ 8/8 Flags(&SCHED_ATTR, B8);
        always sched_nice @ 16/16 Int(B4);
        always sched_priority @ 20/20 Uint(B4);
        always sched_runtime @ 24/24 Uint(B8);
        always sched_deadline @ 32/32 Uint(B8);
        always sched_period @ 40/40 Uint(B8);
        beyond(52) sched_util_min @ 48/48 Uint(B4);
        beyond(52) sched_util_max @ 52/52 Uint(B4);
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
    /// `struct landlock_ruleset_attr` in its first version.
    RULESET: 8/8 {
        always handled_access_fs @ 0/0 Flags(&LANDLOCK_ACCESS, B8);
    }
    /// `struct landlock_path_beneath_attr`, packed.
    RULE: 12/12 {
        always allowed_access @ 0/0 Flags(&LANDLOCK_ACCESS, B8);
        always parent_fd @ 8/8 Own(write_parent);
    }
}

/// A call's name, its argument, whether the kernel fills it, and what is there. A line an argument.
static ARGUMENTS: &[(&str, usize, bool, What)] = &[
    ("adjtimex", 0, true, What::Of(&TIMEX)),
    ("clock_adjtime", 1, true, What::Of(&TIMEX)),
    ("mq_open", 3, false, What::Of(&MESSAGES)),
    ("mq_getsetattr", 1, false, What::Of(&MESSAGES)),
    ("mq_getsetattr", 2, true, What::Of(&MESSAGES)),
];

/// The same for those with a form of their own, known before the call or when it has returned.
static OWN: &[(&str, usize, Form)] = &[
    ("semop", 1, Form::Own(write_operations)),
    ("semtimedop", 1, Form::Own(write_operations)),
    ("msgsnd", 1, Form::Own(write_message)),
    ("msgrcv", 1, Form::OwnLate(write_message)),
    ("timer_create", 1, Form::Own(write_sigevent)),
    ("mq_notify", 1, Form::Own(write_sigevent)),
];

/// The same for programs of every kind.
static OWN_OF_ALL: &[(&str, usize, Form)] = &[
    ("mincore", 2, Form::OwnLate(write_residence)),
    ("mbind", 3, Form::Own(process::write_nodes)),
    ("migrate_pages", 2, Form::Own(write_nodes)),
    ("migrate_pages", 3, Form::Own(write_nodes)),
    ("move_pages", 2, Form::Own(write_pages)),
    ("move_pages", 3, Form::Own(write_numbers)),
    ("move_pages", 4, Form::OwnLate(write_numbers)),
    ("mount", 2, Form::Own(write_mount_type)),
    ("mount", 4, Form::Own(write_mount_data)),
    ("name_to_handle_at", 2, Form::OwnLate(write_handle)),
    ("name_to_handle_at", 3, Form::OwnLate(write_mount_id)),
    ("open_by_handle_at", 1, Form::Own(write_handle)),
    ("mount_setattr", 3, Form::Own(write_mount_attributes)),
    ("landlock_create_ruleset", 0, Form::Own(write_ruleset)),
    ("landlock_add_rule", 2, Form::Own(write_rule)),
    ("kexec_load", 2, Form::Own(write_kexec_segments)),
    ("kexec_file_load", 3, Form::Own(write_command_line)),
    ("init_module", 0, Form::As(Arg::Addr)),
    ("sethostname", 0, Form::Own(write_host_name)),
    ("setdomainname", 0, Form::Own(write_host_name)),
    ("sched_setattr", 1, Form::OwnLate(write_scheduling)),
    ("sched_getattr", 1, Form::OwnLate(write_scheduling)),
    ("seccomp", 2, Form::Own(write_seccomp)),
    ("setxattr", 2, Form::Own(write_attribute)),
    ("lsetxattr", 2, Form::Own(write_attribute)),
    ("fsetxattr", 2, Form::Own(write_attribute)),
    ("getxattr", 2, Form::OwnLate(write_attribute)),
    ("lgetxattr", 2, Form::OwnLate(write_attribute)),
    ("fgetxattr", 2, Form::OwnLate(write_attribute)),
    ("ioprio_set", 2, Form::Own(write_io_priority)),
    ("swapon", 1, Form::Own(write_swap_flags)),
    ("fsconfig", 2, Form::Own(write_setting)),
    ("fsconfig", 3, Form::Own(write_setting)),
    ("kcmp", 3, Form::Own(write_compared)),
    ("kcmp", 4, Form::Own(write_compared)),
    ("futex_waitv", 0, Form::Own(write_waiters)),
    ("set_thread_area", 0, Form::Own(write_segment)),
    ("get_thread_area", 0, Form::OwnLate(write_segment)),
];

/// `IPC_SET`, `IPC_STAT` and what asks for the same by another number, without `IPC_64`.
const SET: u64 = 1;
const STATS: [u64; 4] = [2, 11, 13, 15];

/// How an argument is printed that is a structure only this call has.
pub(super) fn form(event: &Event<'_>, spec: &Spec, index: usize) -> Option<Form> {
    let of_all_programs = uring::form(event, spec, index).or_else(|| bpf::form(event, spec, index));
    let of_all_programs = of_all_programs.or_else(|| quota::form(event, spec, index));
    let of_all_programs = of_all_programs.or_else(|| keys::form(event, spec, index));
    let of_all_programs = of_all_programs.or_else(|| ptrace::form(event, spec, index));
    let of_all_programs = of_all_programs.or_else(|| aio::form(spec, index));
    let is_this = |name: &str, at: usize| name == spec.name && at == index;
    let own = || OWN_OF_ALL.iter().find(|(name, at, _)| is_this(name, *at)).map(|(.., form)| *form);
    of_all_programs.or_else(own).or_else(|| form_here(event, spec, index))
}

fn form_here(event: &Event<'_>, spec: &Spec, index: usize) -> Option<Form> {
    if (spec.name, index) == ("perf_event_open", 0) {
        return Some(Form::OwnLate(perf::write_attributes));
    }
    if event.abi != Abi::X86_64 {
        return None;
    }
    let of = |is_filled, layout| {
        let what = What::Of(layout);
        Some(if is_filled { Form::IoctlOut(what) } else { Form::IoctlIn(what) })
    };
    let pair: Option<[&'static Layout; 2]> = match (spec.name, index) {
        ("msgctl", 2) => Some([&QUEUE_SET, &QUEUE]),
        ("shmctl", 2) => Some([&SEGMENT_SET, &SEGMENT]),
        ("semctl", 3) => Some([&SEMAPHORES_SET, &SEMAPHORES]),
        _ => None,
    };
    if let Some([set, stat]) = pair {
        // The operation stands before the structure.
        return match event.args[index - 1] & 0xff {
            SET => of(false, set),
            operation if limits(spec.name, operation).is_some() => of(true, limits(spec.name, operation)?),
            operation if is_stat(spec.name, operation) => of(true, stat),
            _ => None,
        };
    }
    let is_this = |name: &str, at: usize| name == spec.name && at == index;
    if let Some((.., is_filled, what)) = ARGUMENTS.iter().find(|(name, at, ..)| is_this(name, *at)) {
        return Some(if *is_filled { Form::IoctlOut(*what) } else { Form::IoctlIn(*what) });
    }
    OWN.iter().find(|(name, at, _)| is_this(name, *at)).map(|(.., form)| *form)
}

/// What `IPC_INFO` gives, and what `SEM_INFO`, `MSG_INFO` and `SHM_INFO` do.
fn limits(name: &str, operation: u64) -> Option<&'static Layout> {
    match (name, operation) {
        ("semctl", 3 | 19) => Some(&SEMAPHORE_LIMITS),
        ("msgctl", 3 | 12) => Some(&QUEUE_LIMITS),
        ("shmctl", 3) => Some(&SEGMENT_LIMITS),
        ("shmctl", 14) => Some(&SEGMENT_USE),
        _ => None,
    }
}

/// `MSG_STAT` is 11 and `MSG_STAT_ANY` 13, `SHM_STAT` 13 and 15, `SEM_STAT` 18 and 20.
fn is_stat(name: &str, operation: u64) -> bool {
    let [plain, message, segment, any] = STATS;
    match name {
        "msgctl" => [plain, message, segment].contains(&operation),
        "shmctl" => [plain, segment, any].contains(&operation),
        _ => [plain, 18, 20].contains(&operation),
    }
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
    if !has_structure(call) {
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
    address != 0 && call.memory.read(call.phase, address, &mut bytes) == bytes.len()
}

/// A pointer that has 64 bits in every program.
fn write_pointer(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    call.write_address(out, number(&bytes[..bytes.len().min(8)]));
}

fn number(bytes: &[u8]) -> u64 {
    let mut value = [0; 8];
    let count = bytes.len().min(8);
    value[..count].copy_from_slice(&bytes[..count]);
    u64::from_le_bytes(value)
}

fn write_parent(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    call.write_descriptor(out, number(&bytes[..bytes.len().min(4)]) as i32);
}

/// `[{sem_num=0, sem_op=1, sem_flg=SEM_UNDO}]`
fn write_operations(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let count = u64::from(call.arg(index + 1) as u32);
    call.write_array(out, call.arg(index), count, SEMAPHORE_OP.size[0], &mut |call, out, bytes| {
        call.write_members(out, &SEMAPHORE_OP, bytes);
    });
}

/// `{mtype=5, mtext="hello"}`
fn write_message(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let (address, size) = (call.arg(index), call.arg(index + 1));
    let kind = if call.phase == Phase::Exit && !call.succeeded() { None } else { call.read_word(address) };
    let Some(kind) = kind.filter(|_| !call.style.addresses) else { return call.write_address(out, address) };
    out.extend_from_slice(b"{mtype=");
    write_number(out, kind.cast_signed());
    out.extend_from_slice(b", mtext=");
    call.write_buffer(out, address.wrapping_add(8), size);
    out.push(b'}');
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
    let mut value = vec![0; (size.unwrap_or(0) as usize).min(call.style.strings)];
    if size.is_none() || call.memory.read(call.phase, address, &mut value) < value.len() {
        return call.write_address(out, address);
    }
    match value.strip_suffix(b"\0") {
        Some(value) => write_text(out, value, call.style.hex, false),
        None => write_text(out, &value, call.style.hex, size > Some(value.len() as u64)),
    }
}

/// `IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 4)`
fn write_io_priority(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    call.write_io_priority(out, u64::from(call.arg(index) as u32));
}

impl Decoder<'_, '_> {
    /// A priority of reading and writing: a class, and a number in it.
    pub(super) fn write_io_priority(&self, out: &mut Vec<u8>, value: u64) {
        const SHIFT: u32 = 13;
        let number = |out: &mut Vec<u8>| write_hex(out, value);
        self.style.constants.write(out, number, |out| {
            out.extend_from_slice(b"IOPRIO_PRIO_VALUE(");
            IO_CLASS.write_one(out, value >> SHIFT);
            out.extend_from_slice(b", ");
            write_radix(out, value & ((1 << SHIFT) - 1), 10, 1);
            out.push(b')');
        });
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

/// What fsconfig sets, and to what, by the command.
fn write_setting(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let (command, value) = (call.arg(1) as u32, call.arg(index));
    match (command, index) {
        (0..=5, 2) | (1, 3) => call.write_c_string(out, value),
        // FSCONFIG_SET_BINARY.
        (2, 3) => call.write_buffer(out, value, u64::from(call.arg(4) as u32)),
        // FSCONFIG_SET_PATH, FSCONFIG_SET_PATH_EMPTY.
        (3 | 4, 3) => call.write_whole_path(out, value),
        _ => call.write_address(out, value),
    }
}

/// Which of each process's descriptors kcmp compares.
fn write_compared(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    match (call.arg(2) as u32, index) {
        // KCMP_FILE, KCMP_EPOLL_TFD: descriptors of the other processes.
        (0, _) | (7, 3) => write_number(out, i64::from(call.arg(index) as i32)),
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
    let address = call.arg(index);
    let mut bytes = [0; 16];
    let is_looked_at = address != 0 && !call.style.addresses;
    if !is_looked_at || call.memory.read(call.phase, address, &mut bytes) < bytes.len() {
        return call.write_address(out, address);
    }
    let member = |at: usize| number(&bytes[at..at + 4]) as u32;
    let entry = member(0);
    out.extend_from_slice(b"{entry_number=");
    match entry {
        u32::MAX => out.extend_from_slice(b"-1"),
        entry => write_radix(out, u64::from(entry), 10, 1),
    }
    // Asked for, and not told.
    if call.phase == Phase::Exit && !call.succeeded() {
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
    const LEVEL: u64 = 8;
    let value = call.arg(index) as i32;
    write_number(out, i64::from(value));
    if call.arg(0) == LEVEL {
        let name = LOG_LEVEL.name(call.arg(index)).unwrap_or(LOG_LEVEL.unknown);
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

/// `{size=56, sched_policy=SCHED_OTHER, ...}`: as much of it as its size says, or the size of the kernel's.
fn write_scheduling(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    /// `E2BIG`; the first version's size.
    const TOO_BIG: i32 = 7;
    const FIRST: usize = 48;
    let (address, is_passed) = (call.arg(index), call.spec.name == "sched_setattr");
    let phase = if is_passed { Phase::Entry } else { Phase::Exit };
    let size = call.read_u32_at(phase, address).filter(|_| is_passed || call.succeeded());
    let Some(size) = size.filter(|_| !call.style.addresses) else { return call.write_address(out, address) };
    let given = if size == 0 { FIRST } else { size as usize };
    let given = if is_passed { given } else { given.min(call.arg(index + 1) as u32 as usize) };
    let mut bytes = [0; 56];
    let known = given.min(bytes.len());
    out.push(b'{');
    if given < FIRST || call.memory.read(phase, address, &mut bytes[..known]) < known {
        out.extend_from_slice(format!("size={size}").as_bytes());
    } else {
        call.write_some(out, if is_passed { &SCHEDULING } else { &SCHEDULING_TOLD }, &bytes, given);
    }
    out.extend_from_slice(if given > bytes.len() { b", ...}" } else { b"}" });
    let wanted = call.read_u32_at(Phase::Exit, address).filter(|&wanted| wanted != size);
    if let Some(wanted) = wanted.filter(|_| is_passed && call.event.errno() == Some(TOO_BIG)) {
        out.extend_from_slice(format!(" => {{size={wanted}}}").as_bytes());
    }
}

/// Reads at the entry what is shown at the exit.
pub(super) fn look_ahead(call: &mut Decoder<'_, '_>) {
    if call.spec.name == "sched_setattr" {
        write_scheduling(call, &mut Vec::new(), 1);
    }
}

/// `SCHED_FLAG_KEEP_POLICY`, and `SCHED_FLAG_KEEP_PARAMS`, which keeps both.
fn has_policy(attr: &[u8]) -> bool {
    number(&attr[8..16]) & (8 | 0x10) == 0
}

fn has_parameters(attr: &[u8]) -> bool {
    number(&attr[8..16]) & 0x10 == 0
}

/// What is installed, or asked for.
fn write_seccomp(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    match call.arg(0) as u32 {
        // SECCOMP_SET_MODE_FILTER.
        1 => prctl::write_filter(call, out, index),
        _ => call.write_address(out, call.arg(index)),
    }
}

/// Text whose length stands before it.
fn write_command_line(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    call.write_buffer(out, call.arg(index), call.arg(index - 1));
}

/// `[1, 0]`: whether each page is in memory.
fn write_residence(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    const PAGE: u64 = 4096;
    let pages = call.arg(1).div_ceil(PAGE);
    if !call.succeeded() && pages != 0 {
        return call.write_address(out, call.arg(index));
    }
    call.write_array(out, call.arg(index), pages, 1, &mut |_, out, bytes| {
        write_radix(out, u64::from(bytes[0] & 1), 10, 1);
    });
}

/// Nodes, of which the number stands in the second argument.
fn write_nodes(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    process::write_nodes_at(call, out, call.arg(index), call.arg(1));
}

/// `[0x7f0000]`: addresses of pages.
fn write_pages(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    call.write_array(out, call.arg(index), call.arg(1), 8, &mut |call, out, bytes| {
        call.write_address(out, number(bytes));
    });
}

/// `[0, -ENOENT]`: nodes, and what has come of each page.
fn write_numbers(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    if call.phase == Phase::Exit && !call.succeeded() && call.arg(1) != 0 {
        return call.write_address(out, call.arg(index));
    }
    call.write_array(out, call.arg(index), call.arg(1), 4, &mut |call, out, bytes| {
        let value = number(bytes) as i32;
        let is_told = call.phase == Phase::Exit;
        let errno =
            (is_told && (-4095..0).contains(&value)).then(|| syscalls::Errno::new(-value).name()).flatten();
        match errno {
            Some(name) => {
                out.push(b'-');
                out.extend_from_slice(name.as_bytes());
            }
            None => write_number(out, i64::from(value)),
        }
    });
}

/// `MS_BIND`, `MS_MOVE`, and those that change what is shared (`linux/mount.h`).
const WITHOUT_DATA: u64 = 0x1000 | 0x2000 | 0x2_0000 | 0x4_0000 | 0x8_0000 | 0x10_0000;

/// `MS_REMOUNT`, which has data whatever else there is.
const REMOUNT: u64 = 0x20;

/// The type of a file system: text, unless the call is about something that is mounted already.
fn write_mount_type(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    if call.arg(3) & (WITHOUT_DATA | REMOUNT) != 0 || !call.is_deep() {
        call.write_address(out, call.arg(index));
    } else {
        call.write_c_string(out, call.arg(index));
    }
}

/// What is for the file system: text, under the same condition.
fn write_mount_data(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    let is_without = call.arg(3) & WITHOUT_DATA != 0 && call.arg(3) & REMOUNT == 0;
    if address == 0 || is_without {
        call.write_address(out, address);
    } else {
        call.write_c_string(out, address);
    }
}

/// `{sigev_signo=SIGUSR1, sigev_notify=SIGEV_SIGNAL}` (sigevent(3type)).
fn write_sigevent(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    /// Notified by these, it has a signal; by the last, a thread, too.
    const SIGNAL: u32 = 0;
    const THREAD: u32 = 2;
    const THREAD_ID: u32 = 4;
    let address = call.arg(index);
    let mut bytes = [0; 32];
    if address == 0 || call.style.addresses || call.memory.read(call.phase, address, &mut bytes) < bytes.len()
    {
        return call.write_address(out, address);
    }
    let (value, signal, notify) =
        (number(&bytes[..8]), number(&bytes[8..12]) as u32, number(&bytes[12..16]) as u32);
    out.push(b'{');
    if value != 0 {
        out.extend_from_slice(b"sigev_value={sival_int=");
        write_number(out, i64::from(value as i32));
        out.extend_from_slice(b", sival_ptr=");
        write_hex(out, value);
        out.extend_from_slice(b"}, ");
    }
    out.extend_from_slice(b"sigev_signo=");
    match notify {
        SIGNAL | THREAD | THREAD_ID => call.style.constants.signal(out, signal),
        _ => write_radix(out, u64::from(signal), 10, 1),
    }
    out.extend_from_slice(b", sigev_notify=");
    call.style.constants.one(out, &SIGEVENT, u64::from(notify));
    match notify {
        THREAD_ID => {
            out.extend_from_slice(b", sigev_notify_thread_id=");
            write_number(out, i64::from(number(&bytes[16..20]) as i32));
        }
        THREAD => {
            for (name, at) in [("function", 16), ("attributes", 24)] {
                out.extend_from_slice(format!(", sigev_notify_{name}=").as_bytes());
                call.write_address(out, number(&bytes[at..at + 8]));
            }
        }
        _ => {}
    }
    out.push(b'}');
}

/// The id of a mount, which strace tells only together with a handle.
fn write_mount_id(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let has_handle = call.read_u32_at(Phase::Entry, call.arg(index - 1)).is_some();
    if call.succeeded() && has_handle {
        call.write_integer(out, call.arg(index), 4);
    } else {
        call.write_address(out, call.arg(index));
    }
}

/// `{handle_bytes=128 => 8, handle_type=1, f_handle="\x13.."}` (`open_by_handle_at(2)`).
fn write_handle(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    /// `EOVERFLOW`, `MAX_HANDLE_SZ`.
    const TOO_SMALL: i32 = 75;
    const MOST: usize = 128;
    let address = call.arg(index);
    let Some(size) = call.read_u32_at(Phase::Entry, address).filter(|_| !call.style.addresses) else {
        return call.write_address(out, address);
    };
    out.extend_from_slice(b"{handle_bytes=");
    write_radix(out, u64::from(size), 10, 1);
    let is_filled = call.phase == Phase::Exit;
    let needed = call.read_u32_at(call.phase, address).filter(|&needed| is_filled && needed != size);
    if let Some(needed) = needed.filter(|_| call.succeeded() || call.event.errno() == Some(TOO_SMALL)) {
        out.extend_from_slice(b" => ");
        write_radix(out, u64::from(needed), 10, 1);
    }
    let length = needed.unwrap_or(size) as usize;
    let mut bytes = vec![0; length.min(MOST)];
    let has_handle = !is_filled || call.succeeded();
    if has_handle
        && let Some(kind) = call.read_u32_at(call.phase, address.wrapping_add(4))
        && call.memory.read(call.phase, address.wrapping_add(8), &mut bytes) == bytes.len()
    {
        out.extend_from_slice(b", handle_type=");
        write_number(out, i64::from(kind.cast_signed()));
        out.extend_from_slice(b", f_handle=");
        write_text(out, &bytes, Hex::All, length > bytes.len());
    }
    out.push(b'}');
}

/// A structure whose size is the next argument.
fn write_mount_attributes(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let size = word(call.event.abi, call.arg(index + 1));
    call.write_grown(out, call.arg(index), &MOUNT_ATTRIBUTES, size);
}

/// The same, of whose later members strace tells only that they are there.
fn write_ruleset(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let (address, size) = (call.arg(index), word(call.event.abi, call.arg(index + 1)));
    let known = RULESET.size[0] as u64;
    if size < known || call.try_layout(out, address, &RULESET).is_none() {
        return call.write_address(out, address);
    }
    if size > known {
        out.pop();
        out.extend_from_slice(b", ...}");
    }
}

/// A rule, if it is of the kind that has a form.
fn write_rule(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    /// `LANDLOCK_RULE_PATH_BENEATH`.
    const BENEATH: u32 = 1;
    match call.arg(index - 1) as u32 {
        BENEATH => call.write_layout(out, call.arg(index), &RULE),
        _ => call.write_address(out, call.arg(index)),
    }
}
