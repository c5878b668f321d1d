//! What a call's pointers point to, kept where that is asked for.
//!
//! The decoder that prints calls is asked to print this one, and whatever it reads on the way is kept: see
//! [`crate::syscall::decode`]. The text itself is thrown away.

use super::super::decode::effect::Effect;
use super::super::sys::memory::{MOST_SPANS, Span};
use super::descriptors::{describe, describe_beyond, describe_of, interface_name, netlink_protocol, removed};
use super::entry::is_of_its_abi;
use super::files::{proc_file, proc_link};
use super::ids::describe_id;
use super::memory::{Memory as _, ThreadMemory};
use super::thread::Thread;
use crate::event::Abi;
use crate::syscall::decode::{
    Decoder, Keeper, Phase, Question, Style, keep_cwd, keep_returned_mask, read_answer, starts_from_cwd,
};
use crate::syscall::lookup;

const PAGE: u64 = 4096;

/// Where the mask is in the frame of a signal handler that returns: `uc_sigmask` of `struct ucontext`
/// (`asm-generic/ucontext.h`), behind flags, link, the stack and `struct sigcontext`.
const MASK_IN_FRAME: u64 = 40 + 256;

/// Keeps what the call was passed.
pub fn at_entry(thread: &mut Thread, style: &Style, sp: u64) {
    thread.call.keeps = true;
    if thread.call.plan.effect == Effect::Sigreturn && thread.call.abi == Abi::X86_64 {
        let mut mask = [0; 8];
        if read(ThreadMemory(thread.tid), sp.wrapping_add(MASK_IN_FRAME), &mut mask) == mask.len() {
            keep_returned_mask(&mut thread.call.memory, mask);
        }
    }
    if style.files && is_relative_to_cwd(thread) {
        // Not as it is known: it may have been removed since.
        if let Some(cwd) = proc_link(thread.tid, format_args!("cwd")) {
            keep_cwd(&mut thread.call.memory, &cwd);
        }
    }
    let kept = with_decoder(thread, style, Phase::Entry, None, |call, text| {
        call.entry(text);
        call.look_ahead();
    });
    thread.call.memory = kept;
}

/// Whether the call was passed `AT_FDCWD`, with a path that does not tell where it starts from.
fn is_relative_to_cwd(thread: &Thread) -> bool {
    let mut paths = thread.call.plan.paths.iter().flatten();
    paths.any(|path| path.dirfd.is_some_and(|dirfd| thread.call.fd(dirfd) == libc::AT_FDCWD))
        || lookup(thread.call.abi, thread.call.nr)
            .is_some_and(|spec| starts_from_cwd(spec, &thread.call.args))
}

/// Keeps what it has filled.
pub fn at_exit(thread: &mut Thread, style: &Style, ret: i64) {
    let kept = with_decoder(thread, style, Phase::Exit, Some(ret), |call, text| {
        call.exit(text);
        call.after(text);
        call.describe_returned(text);
        call.dump(text);
    });
    thread.call.memory = kept;
}

/// The name of a process or thread.
pub fn name_of(pid: i32) -> Option<Vec<u8>> {
    let name = proc_file(pid, "comm")?;
    Some(name.strip_suffix(b"\n").unwrap_or(&name).to_vec())
}

fn with_decoder(
    thread: &mut Thread,
    style: &Style,
    now: Phase,
    ret: Option<i64>,
    decode: impl FnOnce(&mut Decoder<'_, '_>, &mut Vec<u8>),
) -> Vec<u8> {
    let mut kept = std::mem::take(&mut thread.call.memory);
    let Thread { tid, shares, .. } = &*thread;
    let memory = ThreadMemory(*tid);
    let event = thread.call.event(thread.pid, thread.comm.as_bytes(), ret, None);
    // It is asked for in two parts.
    let mut latest = None;
    let live = |address: u64, buffer: &mut [u8]| match Question::at(address) {
        None if !is_of_its_abi(event.abi, address) => 0,
        None => read(memory, address, buffer),
        Some((question, offset)) => {
            if latest.as_ref().is_none_or(|(known, _)| *known != question) {
                let answer = match question {
                    Question::Behind(fd) => Some(describe(shares, *tid, fd, style).answer()),
                    Question::Netlink(fd) => netlink_protocol(shares, *tid, fd),
                    Question::Interface(index) => interface_name(index),
                    Question::Id(kind, id) => describe_id(*tid, kind, id, style),
                    Question::Beyond(fd) => describe_beyond(*tid, event.args[0] as i32, fd, style),
                    Question::OfFirst(fd) => describe_of(*tid, event.args[0] as i32, fd, style),
                    Question::OfSecond(fd) => describe_of(*tid, event.args[1] as i32, fd, style),
                    Question::Removed(fd) => removed(shares, *tid, fd),
                    Question::Path(fd) => shares.file(*tid, fd).map(|path| path.to_vec()),
                };
                latest = Some((question, answer));
            }
            let answer = latest.as_ref().and_then(|(_, answer)| answer.as_deref());
            answer.map_or(0, |answer| read_answer(answer, offset, buffer))
        }
    };
    let mut keeper = Keeper { kept: &mut kept, now, live };
    if let Some(mut decoder) = Decoder::new(&event, style, &mut keeper) {
        decode(&mut decoder, &mut Vec::new());
    }
    kept
}

/// Reads as much as can be read from an address on, page by page, since a page that cannot be read spoils the whole of
/// its stretch.
fn read(memory: ThreadMemory, address: u64, buffer: &mut [u8]) -> usize {
    let mut done = 0;
    while done < buffer.len() {
        let mut spans = [Span { address: 0, length: 0 }; MOST_SPANS];
        let (mut count, mut wanted) = (0, 0);
        for span in &mut spans {
            let left = buffer.len() - done - wanted;
            let Some(at) = address.checked_add((done + wanted) as u64).filter(|_| left > 0) else { break };
            *span = Span { address: at, length: left.min((PAGE - at % PAGE) as usize) };
            wanted += span.length;
            count += 1;
        }
        if wanted == 0 {
            break;
        }
        let got = memory.read(&spans[..count], &mut buffer[done..done + wanted]);
        done += got;
        if got < wanted {
            break;
        }
    }
    done
}
