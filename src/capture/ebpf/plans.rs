//! What the kernel's side reads of each call: the table of system calls in its form.

use bytemuck::{Pod, Zeroable};

use super::super::decode::effect::Effect;
use super::super::decode::layout::stat_size;
use super::super::decode::plan::{self, ResultFact};
use crate::event::Abi;
use crate::syscall::{self, X32_BIT};

/// Numbers below this have a plan of their own, one table for each ABI.
pub const NUMBERS: u32 = 1024;
const NONE: u8 = 0xff;

/// `struct plan` of `trace.bpf.c`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct KernelPlan {
    path: [u8; 2],
    fd: [u8; 2],
    peer: u8,
    string: u8,
    argv: u8,
    result_kind: u8,
    result_arg: u8,
    makes_fd: u8,
    result_size: u16,
    effect: u8,
    words: u8,
    is_plain: u8,
    has_stack: u8,
}

/// The plan of one call.
pub fn of(abi: Abi, nr: u32) -> KernelPlan {
    let nr = if abi == Abi::X32 { nr | X32_BIT } else { nr };
    let plan = plan::of(abi, nr);
    let (result_kind, result_arg, result_size) = match plan.result {
        ResultFact::None => (0, NONE, 0),
        ResultFact::Stat(layout, at) => (1, at, stat_size(layout, abi == Abi::X86_64) as u16),
        ResultFact::Text(at) | ResultFact::Cwd(at) => (2, at, 0),
        ResultFact::Peer(at) => (3, at, 0),
    };
    let has_pieces = plan.paths.iter().any(Option::is_some)
        || plan.fds.iter().any(Option::is_some)
        || [plan.peer, plan.string, plan.argv].iter().any(Option::is_some);
    let effect = match plan.effect {
        Effect::Clone => 1,
        Effect::Clone3 => 2,
        Effect::Vfork => 3,
        Effect::Fork => 4,
        Effect::Openat2 => 5,
        Effect::Rename | Effect::Rmdir => 6,
        Effect::Chdir | Effect::Unshare => 7,
        Effect::Sigreturn => 8,
        Effect::Root => 9,
        Effect::Unlinkat => 10,
        // Of the layouts of 64-bit programs.
        Effect::Fcntl if abi == Abi::X86_64 => 11,
        Effect::Ioctl if abi == Abi::X86_64 => 12,
        Effect::CopyRange if abi == Abi::X86_64 => 13,
        Effect::SendFile if abi == Abi::X86_64 => 14,
        _ => 0,
    };
    KernelPlan {
        path: plan.paths.map(|path| path.map_or(NONE, |path| path.arg)),
        fd: plan.fds.map(|fd| fd.unwrap_or(NONE)),
        peer: plan.peer.unwrap_or(NONE),
        string: plan.string.unwrap_or(NONE),
        argv: plan.argv.unwrap_or(NONE),
        result_kind,
        result_arg,
        result_size,
        // A duplicate's number may have had a file before, and that is what is told.
        makes_fd: u8::from(plan.makes_fd && plan.effect != Effect::Dup),
        effect,
        words: plan.arg_count,
        is_plain: u8::from(!has_pieces && effect == 0),
        has_stack: u8::from(syscall::lookup(abi, nr).is_some_and(|spec| spec.family.is_about_files())),
    }
}
