//! ptrace(2) requests. nix is not used here: its wrappers cannot pass on real-time signals.

use std::io;
use std::mem::MaybeUninit;
use std::ptr;

/// Events and markings every traced thread has: exec is reported, and system-call stops are told from signals.
const OPTIONS: i32 = libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_TRACEEXEC;

/// The same where children and new threads are to be traced, too.
const FOLLOWING: i32 =
    OPTIONS | libc::PTRACE_O_TRACEFORK | libc::PTRACE_O_TRACEVFORK | libc::PTRACE_O_TRACECLONE;

fn request(request: libc::c_uint, tid: i32, addr: usize, data: usize) -> io::Result<()> {
    // SAFETY: the requests passed by this module take no pointers into this process, or (with
    // `data`) one to a live buffer of the size the request writes.
    let done = unsafe { libc::ptrace(request, tid, addr, data) };
    if done == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// How a thread is traced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "one for each option of the kernel's")]
pub struct Seized {
    /// Children and new threads are traced, too.
    pub follow: bool,
    /// It is under a filter that stops it, and tells us.
    pub filtered: bool,
    /// It does not outlive us.
    pub ends_with_us: bool,
    /// It tells when it begins to end: the first thread of a process may be gone long before that is reported.
    pub tells_exit: bool,
}

/// Attaches to a thread without stopping it (`PTRACE_SEIZE`), and later to those it makes.
pub fn seize(tid: i32, how: Seized) -> io::Result<()> {
    let filtered = if how.filtered { libc::PTRACE_O_TRACESECCOMP } else { 0 };
    let ending = if how.ends_with_us { libc::PTRACE_O_EXITKILL } else { 0 };
    let exiting = if how.tells_exit { libc::PTRACE_O_TRACEEXIT } else { 0 };
    let options = if how.follow { FOLLOWING } else { OPTIONS } | filtered | ending | exiting;
    request(libc::PTRACE_SEIZE, tid, 0, options as usize)
}

/// Offsets in `struct user` (`sys/user.h`) of the number of the call and of its result.
#[cfg(target_arch = "x86_64")]
const NUMBER_AND_RESULT: (usize, usize) =
    (std::mem::offset_of!(libc::user, regs.orig_rax), std::mem::offset_of!(libc::user, regs.rax));

/// Keeps the kernel from seeing the call that a thread is about to make: there is none of this number.
pub fn skip_call(tid: i32) -> io::Result<()> {
    request(libc::PTRACE_POKEUSER, tid, NUMBER_AND_RESULT.0, usize::MAX)
}

/// Has the kernel see another call, of this number, with the same arguments.
pub fn replace_call(tid: i32, nr: u32) -> io::Result<()> {
    request(libc::PTRACE_POKEUSER, tid, NUMBER_AND_RESULT.0, nr as usize)
}

/// Replaces the result of the call that a thread returns from.
pub fn set_result(tid: i32, ret: i64) -> io::Result<()> {
    request(libc::PTRACE_POKEUSER, tid, NUMBER_AND_RESULT.1, ret as usize)
}

/// Offsets of the result and of the instruction pointer.
#[cfg(target_arch = "x86_64")]
const RESULT_AND_IP: (usize, usize) =
    (std::mem::offset_of!(libc::user, regs.rax), std::mem::offset_of!(libc::user, regs.rip));
/// Bytes of the instructions that make a call (`syscall`, `int 0x80`): so many the kernel goes back to restart one.
#[cfg(target_arch = "x86_64")]
const CALL_INSTRUCTION: u64 = 2;

/// Has a thread that returns from a skipped call to `ip` make the call `nr` again, as the kernel restarts one.
pub fn repeat_call(tid: i32, nr: u64, ip: u64) -> io::Result<()> {
    request(libc::PTRACE_POKEUSER, tid, RESULT_AND_IP.0, nr as usize)?;
    request(libc::PTRACE_POKEUSER, tid, RESULT_AND_IP.1, ip.wrapping_sub(CALL_INSTRUCTION) as usize)
}

/// Asks a running thread to stop (`PTRACE_INTERRUPT`).
pub fn interrupt(tid: i32) -> io::Result<()> {
    request(libc::PTRACE_INTERRUPT, tid, 0, 0)
}

/// Lets a stopped thread go on to its next system call, signal or event, delivering `signal` (0: none).
pub fn resume(tid: i32, signal: i32) -> io::Result<()> {
    request(libc::PTRACE_SYSCALL, tid, 0, signal as usize)
}

/// Lets a stopped thread go on to the next call that its filter stops it at, signal or event.
pub fn resume_filtered(tid: i32, signal: i32) -> io::Result<()> {
    request(libc::PTRACE_CONT, tid, 0, signal as usize)
}

/// Leaves a thread in its group stop but lets SIGCONT end it (`PTRACE_LISTEN`).
pub fn listen(tid: i32) -> io::Result<()> {
    request(libc::PTRACE_LISTEN, tid, 0, 0)
}

/// Lets a stopped thread go for good, delivering `signal` (0: none).
pub fn detach(tid: i32, signal: i32) -> io::Result<()> {
    request(libc::PTRACE_DETACH, tid, 0, signal as usize)
}

/// The message of the event a thread is stopped at: a tid or a status.
pub fn event_message(tid: i32) -> io::Result<u64> {
    let mut message: libc::c_ulong = 0;
    request(libc::PTRACE_GETEVENTMSG, tid, 0, ptr::from_mut(&mut message) as usize)?;
    Ok(message)
}

/// What is known of the signal that a thread is stopped for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignalInfo {
    /// Its number.
    pub signal: i32,
    /// `si_code`.
    pub code: i32,
    /// The sender's pid, where the signal says it (0: it does not).
    pub sender: i32,
}

impl SignalInfo {
    /// The ptrace event that it is, no signal at all (0: it is a signal).
    pub fn event(&self) -> i32 {
        if self.signal == libc::SIGTRAP && self.code & 0xff == libc::SIGTRAP { self.code >> 8 } else { 0 }
    }
}

/// All that is known of the signal that the thread is stopped for (`PTRACE_GETSIGINFO`), as bytes.
pub fn signal_bytes(tid: i32) -> io::Result<[u8; size_of::<libc::siginfo_t>()]> {
    let mut info = [0; size_of::<libc::siginfo_t>()];
    request(libc::PTRACE_GETSIGINFO, tid, 0, info.as_mut_ptr() as usize)?;
    Ok(info)
}

/// Asks for the signal that the thread is stopped for (`PTRACE_GETSIGINFO`).
pub fn signal_info(tid: i32) -> io::Result<SignalInfo> {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    request(libc::PTRACE_GETSIGINFO, tid, 0, info.as_mut_ptr() as usize)?;
    // SAFETY: zeroed is a valid siginfo_t, and the kernel has filled it.
    let info = unsafe { info.assume_init() };
    let code = info.si_code;
    let has_pid = (code <= 0 && code != libc::SI_TIMER) || info.si_signo == libc::SIGCHLD;
    // SAFETY: the union's first members are readable whatever the signal; whether they mean a pid
    // was decided above (sigaction(2)).
    let sender = if has_pid { unsafe { info.si_pid() } } else { 0 };
    Ok(SignalInfo { signal: info.si_signo, code, sender })
}

/// A system-call stop.
#[derive(Clone, Copy, Debug)]
pub enum SyscallStop {
    /// Before the call.
    Entry {
        /// `AUDIT_ARCH_*` of the call.
        arch: u32,
        /// Number.
        nr: u64,
        /// Arguments.
        args: [u64; 6],
        /// Address after the call's instruction.
        ip: u64,
        /// The stack pointer.
        sp: u64,
    },
    /// After the call.
    Exit {
        /// Return value, negative errno for errors.
        ret: i64,
        /// Where the thread goes on.
        ip: u64,
    },
    /// Not at a system call.
    None {
        /// Where the thread goes on.
        ip: u64,
    },
}

/// What the thread is stopped at (`PTRACE_GET_SYSCALL_INFO`, Linux 5.3).
pub fn syscall_stop(tid: i32) -> io::Result<SyscallStop> {
    let mut info = MaybeUninit::<libc::ptrace_syscall_info>::zeroed();
    let size = size_of::<libc::ptrace_syscall_info>();
    request(libc::PTRACE_GET_SYSCALL_INFO, tid, size, info.as_mut_ptr() as usize)?;
    // SAFETY: zeroed is valid for this struct of integers, and the kernel wrote at most `size` bytes.
    let info = unsafe { info.assume_init() };
    Ok(match info.op {
        libc::PTRACE_SYSCALL_INFO_ENTRY => {
            // SAFETY: `op` says which member of the union the kernel filled.
            let entry = unsafe { info.u.entry };
            let ip = info.instruction_pointer;
            let sp = info.stack_pointer;
            SyscallStop::Entry { arch: info.arch, nr: entry.nr, args: entry.args, ip, sp }
        }
        libc::PTRACE_SYSCALL_INFO_SECCOMP => {
            // SAFETY: as above.
            let entry = unsafe { info.u.seccomp };
            let ip = info.instruction_pointer;
            let sp = info.stack_pointer;
            SyscallStop::Entry { arch: info.arch, nr: entry.nr, args: entry.args, ip, sp }
        }
        libc::PTRACE_SYSCALL_INFO_EXIT => {
            // SAFETY: as above.
            let exit = unsafe { info.u.exit };
            SyscallStop::Exit { ret: exit.sval, ip: info.instruction_pointer }
        }
        _ => SyscallStop::None { ip: info.instruction_pointer },
    })
}
