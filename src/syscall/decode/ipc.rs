//! System V IPC and POSIX message queues: what their calls take and fill.

use super::ioctl::What;
use super::layout::Show::{Flags, Hex, Id, Int, Nested, Octal, Uint};
use super::layout::Size::{B2, B4, Half, Word};
use super::layout::{Layout, layouts};
use super::rare::number;
use super::special::Form;
use super::{Decoder, Phase};
use crate::event::Event;
use crate::syscall::Spec;
use crate::syscall::flags::{QUEUE_FLAGS, SEMBUF, SIGEVENT, write_hex, write_number, write_radix};

layouts! {
    /// `struct ipc64_perm`: what can be set, and what else is told.
    PERM: 48/36 {
        always uid @ 4/4 Id;
        always gid @ 8/8 Id;
        always mode @ 20/20 Octal(Half);
        filled key @ 0/0 Uint(B4);
        filled cuid @ 12/12 Id;
        filled cgid @ 16/16 Id;
    }
    /// `struct msqid64_ds`.
    QUEUE: 120/88 {
        always msg_perm @ 0/0 Nested(&PERM);
        filled msg_stime @ 48/36 Uint(Word);
        filled msg_rtime @ 56/44 Uint(Word);
        filled msg_ctime @ 64/52 Uint(Word);
        filled msg_qnum @ 80/64 Uint(Word);
        always msg_qbytes @ 88/68 Uint(Word);
        filled msg_lspid @ 96/72 Int(B4);
        filled msg_lrpid @ 100/76 Int(B4);
    }
    /// `struct shmid64_ds`.
    SEGMENT: 112/84 {
        always shm_perm @ 0/0 Nested(&PERM);
        filled shm_segsz @ 48/36 Uint(Word);
        filled shm_cpid @ 80/64 Int(B4);
        filled shm_lpid @ 84/68 Int(B4);
        filled shm_nattch @ 88/72 Uint(Word);
        filled shm_atime @ 56/40 Uint(Word);
        filled shm_dtime @ 64/48 Uint(Word);
        filled shm_ctime @ 72/56 Uint(Word);
    }
    /// `struct semid64_ds`.
    SEMAPHORES: 104/64 {
        always sem_perm @ 0/0 Nested(&PERM);
        filled sem_otime @ 48/36 Uint(Word);
        filled sem_ctime @ 64/44 Uint(Word);
        filled sem_nsems @ 80/52 Uint(Word);
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
    SEGMENT_LIMITS: 72/36 {
        always shmmax @ 0/0 Uint(Word);
        always shmmin @ 8/4 Uint(Word);
        always shmmni @ 16/8 Uint(Word);
        always shmseg @ 24/12 Uint(Word);
        always shmall @ 32/16 Uint(Word);
    }
    /// `struct shm_info`.
    SEGMENT_USE: 48/24 {
        always used_ids @ 0/0 Int(B4);
        always shm_tot @ 8/4 Uint(Word);
        always shm_rss @ 16/8 Uint(Word);
        always shm_swp @ 24/12 Uint(Word);
        always swap_attempts @ 32/16 Uint(Word);
        always swap_successes @ 40/20 Uint(Word);
    }
    /// `struct sembuf`.
    SEMAPHORE_OP: 6/6 {
        always sem_num @ 0/0 Uint(B2);
        always sem_op @ 2/2 Int(B2);
        always sem_flg @ 4/4 Flags(&SEMBUF, B2);
    }
    /// `struct mq_attr` of a queue that is made, whose flags the kernel does not look at.
    NEW_MESSAGES: 64/32 {
        always mq_flags @ 0/0 Hex(Word);
        always mq_maxmsg @ 8/4 Int(Word);
        always mq_msgsize @ 16/8 Int(Word);
        always mq_curmsgs @ 24/12 Int(Word);
    }
    /// `struct mq_attr`.
    MESSAGES: 64/32 {
        always mq_flags @ 0/0 Flags(&QUEUE_FLAGS, Word);
        always mq_maxmsg @ 8/4 Int(Word);
        always mq_msgsize @ 16/8 Int(Word);
        always mq_curmsgs @ 24/12 Int(Word);
    }
}

/// `IPC_SET`, without `IPC_64`.
const SET: u64 = 1;

/// What a call controls: its name, the argument that has the structure, which that is, and by which operations the kernel
/// fills it: `IPC_STAT`, and the two that ask for the same by another number.
static CONTROLLED: [(&str, usize, &Layout, [u64; 3]); 3] = [
    ("msgctl", 2, &QUEUE, [2, 11, 13]),
    ("shmctl", 2, &SEGMENT, [2, 13, 15]),
    ("semctl", 3, &SEMAPHORES, [2, 18, 20]),
];

/// What the calls that control a queue, a segment or a set take.
pub(super) fn form(event: &Event<'_>, spec: &Spec, index: usize) -> Option<Form> {
    let (name, .., layout, stats) =
        CONTROLLED.iter().find(|(name, at, ..)| *name == spec.name && *at == index)?;
    // The operation stands before the structure.
    let operation = operation(event.args[index - 1]);
    let filled = limits(name, operation).or_else(|| stats.contains(&operation).then_some(*layout));
    match (operation, filled) {
        // Through ipc the structure is behind a pointer to it, which is shown so where it cannot be read.
        (_, Some(_)) if spec.name == "semctl" && operation != SET => Some(Form::OwnLate(write_semaphores)),
        _ if spec.name == "semctl" => Some(Form::Own(write_semaphores)),
        (SET, _) => Some(Form::IoctlIn(What::Of(layout))),
        (_, filled) => filled.map(|layout| Form::IoctlOut(What::Of(layout))),
    }
}

/// The structure of `semctl`.
fn write_semaphores(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let (address, operation) = (call.arg(index), operation(call.arg(index - 1)));
    let layout = match (limits(call.spec.name, operation), operation) {
        (Some(layout), _) => Some(layout),
        (None, SET | 2 | 18 | 20) => Some(&SEMAPHORES),
        _ => None,
    };
    let is_told = call.phase == Phase::Entry || call.succeeded();
    if let Some(layout) = layout.filter(|_| is_told)
        && call.try_layout(out, address, layout).is_some()
    {
        return;
    }
    if call.is_part {
        out.push(b'[');
        call.write_address(out, address);
        out.push(b']');
    } else {
        call.write_address(out, address);
    }
}

/// Without `IPC_64`.
fn operation(value: u64) -> u64 {
    u64::from(value as u32 & !0x100)
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

/// `[{sem_num=0, sem_op=1, sem_flg=SEM_UNDO}]`
pub(super) fn write_operations(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let count = u64::from(call.arg(index + 1) as u32);
    call.write_array(out, call.arg(index), count, SEMAPHORE_OP.size[0], &mut |call, out, bytes| {
        call.write_members(out, &SEMAPHORE_OP, bytes);
    });
}

/// `{mtype=5, mtext="hello"}`
pub(super) fn write_message(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let (address, size) = (call.arg(index), call.arg(index + 1));
    let kind = if call.phase == Phase::Exit && !call.succeeded() { None } else { call.read_word(address) };
    let Some(kind) = kind.filter(|_| !call.style.addresses) else { return call.write_address(out, address) };
    out.extend_from_slice(b"{mtype=");
    write_number(out, if call.half() == 0 { kind.cast_signed() } else { i64::from(kind as i32) });
    out.extend_from_slice(b", mtext=");
    call.write_buffer(out, address.wrapping_add(call.word_size() as u64), size);
    out.push(b'}');
}

/// `{sigev_signo=SIGUSR1, sigev_notify=SIGEV_SIGNAL}` (sigevent(3type)).
pub(super) fn write_sigevent(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    /// Notified by these, it has a signal; by the last, a thread, too.
    const SIGNAL: u32 = 0;
    const THREAD: u32 = 2;
    const THREAD_ID: u32 = 4;
    let address = call.arg(index);
    let word = call.word_size();
    let (mut bytes, size) = ([0; 32], 3 * word + 8);
    let is_looked_at = address != 0 && !call.style.addresses;
    if !is_looked_at || call.memory.read(call.phase, address, &mut bytes[..size]) < size {
        return call.write_address(out, address);
    }
    let (value, rest) = (number(&bytes[..word]), &bytes[word..]);
    let (signal, notify) = (number(&rest[..4]) as u32, number(&rest[4..8]) as u32);
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
            write_number(out, i64::from(number(&rest[8..12]) as i32));
        }
        THREAD => {
            for (name, at) in [("function", 8), ("attributes", 8 + word)] {
                out.extend_from_slice(format!(", sigev_notify_{name}=").as_bytes());
                call.write_address(out, number(&rest[at..at + word]));
            }
        }
        _ => {}
    }
    out.push(b'}');
}
