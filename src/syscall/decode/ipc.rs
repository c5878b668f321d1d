//! System V IPC and POSIX message queues: what their calls take and fill.

use super::ioctl::What;
use super::layout::Show::{Flags, Int, Nested, Octal, Uint};
use super::layout::Size::{B2, B4, B8, Word};
use super::layout::{Layout, layouts};
use super::rare::number;
use super::special::Form;
use super::{Decoder, Phase};
use crate::event::Event;
use crate::syscall::Spec;
use crate::syscall::flags::{QUEUE_FLAGS, SEMBUF, SIGEVENT, write_hex, write_number, write_radix};

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
    /// `struct mq_attr`.
    MESSAGES: 64/32 {
        always mq_flags @ 0/0 Flags(&QUEUE_FLAGS, Word);
        always mq_maxmsg @ 8/4 Int(Word);
        always mq_msgsize @ 16/8 Int(Word);
        always mq_curmsgs @ 24/12 Int(Word);
    }
}

/// `IPC_SET`, `IPC_STAT` and what asks for the same by another number, without `IPC_64`.
const SET: u64 = 1;
const STATS: [u64; 4] = [2, 11, 13, 15];

/// What the calls that control a queue, a segment or a set take, of 64-bit programs.
pub(super) fn form(event: &Event<'_>, spec: &Spec, index: usize) -> Option<Form> {
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
    None
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
