//! At a call's entry: its arguments, paths and the files behind its descriptors.

use super::super::decode::effect::Effect;
use super::super::decode::layout::{OPEN_HOW, push_open_how};
use super::super::decode::paths::{Base, push_absolute};
use super::super::decode::plan::{self, PathArg};
use super::super::decode::restart::is_restart_syscall;
use super::super::decode::sockaddr;
use super::super::sys::memory::Span;
use super::call::Call;
use super::files::Shares;
use super::memory::{Memory, StringEnd, ThreadMemory, read_exact, read_string, read_string_array};
use super::thread::Thread;
use crate::event::{Abi, Flags};
use crate::syscall::X32_BIT;
use crate::syscall::passed::{CloneRange, CopyOffsets, FICLONERANGE, FileLock, is_lock_command};

/// The longest path the kernel takes, without its NUL byte (`PATH_MAX`).
const LONGEST_PATH: usize = 4095;
/// Most bytes kept of the arguments of an exec.
const LONGEST_ARGV: usize = 32 * 1024;
/// `AUDIT_ARCH_I386` of `linux/audit.h`: `EM_386`, little-endian.
const AUDIT_ARCH_I386: u32 = 0x4000_0003;

/// A call as ptrace reports it at its entry.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// `AUDIT_ARCH_*`.
    pub arch: u32,
    /// Number.
    pub nr: u64,
    /// Arguments.
    pub args: [u64; 6],
    /// Address behind the call's instruction.
    pub ip: u64,
    /// The stack pointer.
    pub sp: u64,
}

/// Captures the call into `thread.call`.
pub fn capture(thread: &mut Thread, entry: &Entry) {
    let Thread { tid, shares, call, interrupted, .. } = thread;
    let memory = ThreadMemory(*tid);
    call.clear();
    call.tid = *tid;
    call.nr = entry.nr as u32;
    call.abi = abi(entry);
    call.ip = entry.ip;
    call.plan = plan::of(call.abi, call.nr);
    let taken = usize::from(call.plan.arg_count);
    call.args[..taken].copy_from_slice(&entry.args[..taken]);
    if interrupted.is_restart(call.nr, call.ip, is_restart_syscall(call.abi, call.nr)) {
        call.flags.set(Flags::RESTARTED);
    }
    for (slot, fd) in call.plan.fds.into_iter().enumerate() {
        if let Some(fd) = fd.map(|index| call.fd(index)).filter(|&fd| fd >= 0) {
            call.files[slot] = shares.file(*tid, fd);
        }
    }
    if call.plan.effect == Effect::Close {
        // The number is free, and may be another file's, long before a slow close returns.
        shares.forget(call.fd(0));
    }
    for (slot, path) in call.plan.paths.into_iter().enumerate() {
        if let Some(path) = path {
            capture_path(call, shares, memory, slot, path);
        }
    }
    capture_string(call, memory);
    capture_peer(call, memory);
    capture_argv(call, memory);
    capture_effect(call, memory);
}

fn abi(entry: &Entry) -> Abi {
    if entry.arch == AUDIT_ARCH_I386 {
        Abi::I386
    } else if entry.nr as u32 & X32_BIT != 0 && entry.nr as u32 != u32::MAX {
        Abi::X32
    } else {
        Abi::X86_64
    }
}

/// Whether a program of the ABI can have an address: pointers of x32 have 32 bits, registers have 64.
pub fn is_of_its_abi(abi: Abi, address: u64) -> bool {
    abi != Abi::X32 || u32::try_from(address).is_ok()
}

fn capture_path(call: &mut Call, shares: &Shares, memory: ThreadMemory, slot: usize, path: PathArg) {
    let address = call.args[usize::from(path.arg)];
    if address == 0 {
        return;
    }
    let begin = call.text.len();
    let end = if is_of_its_abi(call.abi, address) {
        read_string(&memory, address, LONGEST_PATH, &mut call.text)
    } else {
        StringEnd::Unreadable
    };
    match end {
        StringEnd::Nul => {}
        StringEnd::Limit => call.flags.set(Flags::TRUNCATED),
        StringEnd::Unreadable => {
            call.text.truncate(begin);
            call.flags.set([Flags::PATH_UNREADABLE, Flags::PATH2_UNREADABLE][slot]);
            return;
        }
    }
    call.paths[slot] = Some(call.since(begin));
    call.absolute[slot] = push_absolute_of(call, shares, begin, path);
    if call.absolute[slot].is_none() && call.text.len() > begin {
        call.flags.set(Flags::BASE_UNKNOWN);
    }
}

/// Appends the absolute form of the path that stands at the end of the text, from `begin` on.
fn push_absolute_of(call: &mut Call, shares: &Shares, begin: usize, path: PathArg) -> super::call::Text {
    let end = call.text.len();
    let base = match Base::of(&call.text[begin..end], path, call.plan, &call.args) {
        Base::Root => None,
        Base::File(slot) => Some(call.files[slot].clone()?),
        Base::Cwd => Some(shares.cwd(call.tid)?),
        Base::Nothing => return None,
    };
    let root = shares.root(call.tid);
    push_absolute(
        &mut call.text,
        root.as_deref().unwrap_or_default(),
        base.as_deref().unwrap_or_default(),
        begin..end,
    );
    Some(call.since(end))
}

fn capture_string(call: &mut Call, memory: ThreadMemory) {
    let Some(address) = call.plan.string.map(|index| call.args[usize::from(index)]) else { return };
    let begin = call.text.len();
    let end = if is_of_its_abi(call.abi, address) {
        read_string(&memory, address, LONGEST_PATH, &mut call.text)
    } else {
        StringEnd::Unreadable
    };
    match end {
        StringEnd::Nul => call.result = Some(call.since(begin)),
        StringEnd::Limit => {
            call.result = Some(call.since(begin));
            call.flags.set(Flags::TRUNCATED);
        }
        StringEnd::Unreadable if address == 0 => {}
        StringEnd::Unreadable => {
            call.text.truncate(begin);
            call.flags.set(Flags::RESULT_UNREADABLE);
        }
    }
}

fn capture_peer(call: &mut Call, memory: ThreadMemory) {
    let Some(index) = call.plan.peer.map(usize::from) else { return };
    let (address, length) = (call.args[index], call.args.get(index + 1).copied().unwrap_or(0));
    push_peer(call, memory, address, length);
}

/// Reads a socket address and keeps its text.
pub fn push_peer(call: &mut Call, memory: ThreadMemory, address: u64, length: u64) {
    let length = (length as usize).min(sockaddr::LARGEST);
    if address == 0 || length == 0 {
        return;
    }
    let mut bytes = [0; sockaddr::LARGEST];
    let got = memory.read(&[Span { address, length }], &mut bytes);
    if got < length {
        call.flags.set(Flags::RESULT_UNREADABLE);
        return;
    }
    let begin = call.text.len();
    sockaddr::push_text(&mut call.text, &bytes[..length]);
    call.peer = Some(call.since(begin));
}

fn capture_argv(call: &mut Call, memory: ThreadMemory) {
    let Some(index) = call.plan.argv else { return };
    let word = if call.abi == Abi::X86_64 { 8 } else { 4 };
    let address = call.args[usize::from(index)];
    if address == 0 {
        return;
    }
    let begin = call.text.len();
    match read_string_array(&memory, address, word, LONGEST_ARGV, &mut call.text) {
        StringEnd::Nul => {}
        StringEnd::Limit => call.flags.set(Flags::TRUNCATED),
        StringEnd::Unreadable => call.flags.set(Flags::RESULT_UNREADABLE),
    }
    call.argv = Some(call.since(begin));
}

/// Reads what the call's effect depends on.
fn capture_effect(call: &mut Call, memory: ThreadMemory) {
    call.clone_flags = match call.plan.effect {
        Effect::Clone => call.args[0],
        Effect::Vfork => (libc::CLONE_VFORK | libc::CLONE_VM) as u64,
        Effect::Clone3 => {
            let mut flags = [0; 8];
            read_exact(&memory, call.args[0], &mut flags);
            u64::from_le_bytes(flags)
        }
        _ => 0,
    };
    if call.plan.effect == Effect::Openat2 {
        let mut how = [0; OPEN_HOW];
        if read_exact(&memory, call.args[2], &mut how) {
            call.result = push_open_how(&mut call.text, &how);
        }
    }
    if call.abi == Abi::X86_64 {
        capture_passed(call, memory);
    }
}

/// Reads what `syscall::passed` has forms for.
fn capture_passed(call: &mut Call, memory: ThreadMemory) {
    let [_, second, third, fourth, ..] = call.args;
    let read = |address| {
        let mut bytes = [0; FileLock::SIZE];
        read_exact(&memory, address, &mut bytes).then_some(bytes)
    };
    let offset = |address| {
        let mut bytes = [0; 8];
        (address != 0 && read_exact(&memory, address, &mut bytes)).then(|| i64::from_le_bytes(bytes))
    };
    let text = &mut call.text;
    call.result = match call.plan.effect {
        Effect::Fcntl if is_lock_command(second) => {
            read(third).map(|bytes| FileLock::from_bytes(&bytes).push(text))
        }
        Effect::Ioctl if second as u32 == FICLONERANGE => {
            read(third).map(|bytes| CloneRange::from_bytes(&bytes).push(text))
        }
        Effect::CopyRange => CopyOffsets { from: offset(second), to: offset(fourth) }.push(text),
        Effect::SendFile => CopyOffsets { from: offset(third), to: None }.push(text),
        _ => return,
    };
}
