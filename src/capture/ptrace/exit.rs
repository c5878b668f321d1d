//! At a call's exit: what it returned, and what it changed for the calls to come.

use super::super::decode::effect::Effect;
use super::super::decode::layout::{LARGEST_STAT, stat, stat_size};
use super::super::decode::plan::ResultFact;
use super::super::sys::memory::Span;
use super::call::Call;
use super::entry::push_peer;
use super::files::Shares;
use super::memory::{Memory, ThreadMemory, read_exact};
use super::thread::{Comm, Thread};
use crate::event::{Abi, FileStat, Flags};
use crate::syscall::Struct;

/// The longest link target or cwd.
const LONGEST_TEXT: usize = 4096;

/// Reads the results of a call that succeeded and applies its effect to what is tracked.
pub fn capture(thread: &mut Thread, ret: i64) -> Option<FileStat> {
    if is_error(ret) {
        after_failure(thread);
        return None;
    }
    let memory = ThreadMemory(thread.tid);
    let call = &mut thread.call;
    let stat = match call.plan.result {
        ResultFact::None => None,
        ResultFact::Stat(layout, index) => read_stat(call, memory, layout, index),
        ResultFact::Text(index) => {
            read_text(call, memory, index, ret as usize);
            None
        }
        ResultFact::Cwd(index) => {
            read_text(call, memory, index, (ret as usize).saturating_sub(1));
            None
        }
        ResultFact::Peer(index) => {
            read_peer(call, memory, index);
            None
        }
    };
    apply(thread, ret);
    stat
}

/// Whether a raw return value is an error (or one of the kernel's restart codes).
pub fn is_error(ret: i64) -> bool {
    (-4095..0).contains(&ret)
}

fn read_stat(call: &mut Call, memory: ThreadMemory, layout: Struct, index: u8) -> Option<FileStat> {
    let is_64_bit = call.abi == Abi::X86_64;
    let mut bytes = [0; LARGEST_STAT];
    let bytes = &mut bytes[..stat_size(layout, is_64_bit)];
    if read_exact(&memory, call.args[usize::from(index)], bytes) {
        return Some(stat(layout, is_64_bit, bytes));
    }
    call.flags.set(Flags::RESULT_UNREADABLE);
    None
}

fn read_text(call: &mut Call, memory: ThreadMemory, index: u8, length: usize) {
    let length = length.min(LONGEST_TEXT);
    let begin = call.text.len();
    call.text.resize(begin + length, 0);
    let span = Span { address: call.args[usize::from(index)], length };
    if memory.read(&[span], &mut call.text[begin..]) == length {
        call.result = Some(call.since(begin));
    } else {
        call.text.truncate(begin);
        call.flags.set(Flags::RESULT_UNREADABLE);
    }
}

fn read_peer(call: &mut Call, memory: ThreadMemory, index: u8) {
    let address = call.args[usize::from(index)];
    let length_at = call.args.get(usize::from(index) + 1).copied().unwrap_or(0);
    let mut length = [0; 4];
    if address != 0 && length_at != 0 && read_exact(&memory, length_at, &mut length) {
        push_peer(call, memory, address, u64::from(u32::from_le_bytes(length)));
    }
}

/// A close or dup that failed may still have freed the descriptor (EINTR), so the cache forgets it.
fn after_failure(thread: &mut Thread) {
    let Thread { shares, call, .. } = thread;
    if call.plan.effect == Effect::Close {
        shares.forget(call.fd(0));
    }
}

fn apply(thread: &mut Thread, ret: i64) {
    let tid = thread.tid;
    let Thread { shares, call, .. } = thread;
    match call.plan.effect {
        Effect::Close => shares.forget(call.fd(0)),
        Effect::CloseRange => close_range(shares, call),
        Effect::Dup => note_duplicate(shares, call, tid, ret),
        Effect::Fcntl if is_duplicating(call.args[1]) => note_duplicate(shares, call, tid, ret),
        Effect::Chdir => shares.refresh_directories(tid),
        Effect::Root => {
            // pivot_root(2) gives everybody's directories other names.
            shares.renamed();
            shares.refresh_directories(tid);
        }
        Effect::Rename => shares.renamed(),
        Effect::Unshare => unshare(shares, call.args[0], tid),
        Effect::Prctl if call.args[0] == libc::PR_SET_NAME as u64 => thread.comm = Comm::of(tid),
        _ if call.plan.makes_fd => note_new(shares, call, tid, ret),
        _ => {}
    }
}

fn is_duplicating(command: u64) -> bool {
    command == libc::F_DUPFD as u64 || command == libc::F_DUPFD_CLOEXEC as u64
}

fn note_duplicate(shares: &Shares, call: &mut Call, tid: i32, ret: i64) {
    shares.duplicate(tid, call.fd(0), ret as i32);
}

fn note_new(shares: &Shares, call: &mut Call, tid: i32, ret: i64) {
    let file = shares.refresh(tid, ret as i32);
    if let Some(slot) = call.files.iter_mut().find(|slot| slot.is_none()) {
        *slot = file;
    }
}

fn close_range(shares: &mut Shares, call: &Call) {
    if call.args[2] & u64::from(libc::CLOSE_RANGE_UNSHARE) != 0 {
        shares.unshare_descriptors();
    }
    if call.args[2] & u64::from(libc::CLOSE_RANGE_CLOEXEC) != 0 {
        return;
    }
    shares.forget_range(call.args[0] as u32, call.args[1] as u32);
}

fn unshare(shares: &mut Shares, flags: u64, tid: i32) {
    if flags & libc::CLONE_FILES as u64 != 0 {
        shares.unshare_descriptors();
    }
    // A new mount namespace implies a file-system state of its own (unshare(2)).
    if flags & (libc::CLONE_FS | libc::CLONE_NEWNS | libc::CLONE_NEWUSER) as u64 != 0 {
        shares.unshare_directories();
        shares.refresh_directories(tid);
    }
}
