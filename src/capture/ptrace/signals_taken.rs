//! Signals that the command takes without their being delivered: sigwaitinfo(2) and signalfd(2). The tracer
//! sees no stop for them.

use super::super::decode::effect::Effect;
use super::super::sys::doubled::{ANYBODY, seen};
use super::memory::{ThreadMemory, read_exact};
use super::thread::Thread;

/// The name of a signalfd in `/proc`.
const SIGNALFD: &[u8] = b"anon_inode:[signalfd]";
/// Size of `struct signalfd_siginfo`.
const RECORD: i64 = 128;
/// Most records looked at; more in one read(2) is no program's habit.
const MOST: i64 = 8;

/// Tells of the signals that the thread's call, which has returned `ret`, took.
pub fn note(thread: &Thread, ret: i64) {
    let call = &thread.call;
    if call.plan.effect == Effect::TakeSignal {
        return seen(ret as i32, ANYBODY);
    }
    note_read(thread.tid, call.files[0].as_deref(), call.args[1], ret);
}

/// Tells of the signals that a read(2) of `file` by this thread took, which are at `address`.
pub fn note_read(tid: i32, file: Option<&[u8]>, address: u64, ret: i64) {
    if file != Some(SIGNALFD) {
        return;
    }
    for record in 0..(ret / RECORD).min(MOST) {
        let mut bytes = [0; 4];
        let at = address.wrapping_add((record * RECORD).cast_unsigned());
        if read_exact(&ThreadMemory(tid), at, &mut bytes) {
            seen(i32::from_le_bytes(bytes), ANYBODY);
        }
    }
}
