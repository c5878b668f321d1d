//! How this process was started, noted before anything changed it.
//!
//! Rust's runtime sets SIGPIPE to ignored and opens `/dev/null` on those of the descriptors 0 to 2
//! that are closed, both before `main`. A command started by us must find neither, so a function in
//! `.init_array`, which the C runtime calls before `main`, notes the state that `execve(2)` handed
//! down. Only inherited state is of interest: at that moment each signal is ignored or default.

use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::ptr;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

/// Signals are numbered from 1 to this (`_NSIG`).
pub const SIGNALS: i32 = 64;

/// Bit `n - 1`: signal n was ignored.
static IGNORED: AtomicU64 = AtomicU64::new(0);
/// Bit `n - 1`: signal n was blocked.
static BLOCKED: AtomicU64 = AtomicU64::new(0);
/// Bit n: descriptor n was closed (0 to 2).
static CLOSED: AtomicU8 = AtomicU8::new(0);

#[used]
#[unsafe(link_section = ".init_array")]
static NOTE_STATE: extern "C" fn() = note_state;

/// Runs before `main` and before Rust's runtime: calls nothing but libc.
extern "C" fn note_state() {
    let mut ignored = 0;
    for signal in 1..=SIGNALS {
        if is_ignored(signal) {
            ignored |= 1 << (signal - 1);
        }
    }
    IGNORED.store(ignored, Relaxed);
    BLOCKED.store(blocked_now(), Relaxed);
    let mut closed = 0;
    for fd in 0..3 {
        // SAFETY: F_GETFD reads a flag of a descriptor number and touches no memory.
        if unsafe { libc::fcntl(fd, libc::F_GETFD) } == -1 {
            closed |= 1 << fd;
        }
    }
    CLOSED.store(closed, Relaxed);
}

/// The signals this thread blocks, as bits.
fn blocked_now() -> u64 {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigemptyset initialises all of `set`; sigprocmask with a null new set only fills it.
    let set = unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, ptr::null(), set.as_mut_ptr());
        set.assume_init()
    };
    // SAFETY: `set` is initialised and the numbers are those of signals.
    (1..=SIGNALS).filter(|&signal| unsafe { libc::sigismember(&raw const set, signal) } == 1).fold(0, with)
}

fn with(bits: u64, signal: i32) -> u64 {
    bits | 1 << (signal - 1)
}

/// The kernel's `struct sigaction`. By the raw call, because libc hides the two real-time signals
/// that it uses itself (and, once there are threads, has changed the disposition of).
/// The order after the handler differs between architectures; nothing after it is used.
#[repr(C)]
#[derive(Clone, Copy)]
struct KernelAction {
    handler: libc::sighandler_t,
    rest: [u64; 4],
}

/// The size of the kernel's signal set.
const SET_SIZE: usize = 8;

/// The disposition of a signal now (`SIG_DFL`, `SIG_IGN` or the address of a handler).
pub fn handler(signal: i32) -> libc::sighandler_t {
    let mut action = KernelAction { handler: libc::SIG_DFL, rest: [0; 4] };
    // SAFETY: with a null new action, the call only fills the old one, which is at least as large
    // as the kernel's structure on any architecture.
    unsafe {
        libc::syscall(libc::SYS_rt_sigaction, signal, ptr::null::<KernelAction>(), &raw mut action, SET_SIZE);
    }
    action.handler
}

/// Makes a signal ignored or default. Async-signal-safe.
pub fn reset(signal: i32, ignored: bool) {
    let handler = if ignored { libc::SIG_IGN } else { libc::SIG_DFL };
    let action = KernelAction { handler, rest: [0; 4] };
    // SAFETY: the action is valid: no flags, empty mask, and no handler that would need more.
    unsafe {
        let old = ptr::null_mut::<KernelAction>();
        libc::syscall(libc::SYS_rt_sigaction, signal, &raw const action, old, SET_SIZE);
    }
}

/// Whether a signal is ignored now.
pub fn is_ignored(signal: i32) -> bool {
    handler(signal) == libc::SIG_IGN
}

/// Whether a signal was ignored when this process was started.
pub fn was_ignored(signal: i32) -> bool {
    IGNORED.load(Relaxed) & (1 << (signal - 1)) != 0
}

/// The signals that were blocked when this process was started.
pub fn blocked() -> libc::sigset_t {
    let bits = BLOCKED.load(Relaxed);
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigemptyset initialises all of `set`; the numbers added are those of signals (libc
    // refuses the two it uses itself, and nobody hands those down blocked).
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for signal in (1..=SIGNALS).filter(|signal| bits & (1 << (signal - 1)) != 0) {
            libc::sigaddset(set.as_mut_ptr(), signal);
        }
        set.assume_init()
    }
}

/// Whether one of the descriptors 0 to 2 was closed when this process was started.
pub fn was_closed(fd: RawFd) -> bool {
    (0..3).contains(&fd) && CLOSED.load(Relaxed) & (1 << fd) != 0
}

/// The signals whose disposition differs from the one at start, with whether they were ignored then.
pub fn changed_dispositions() -> Vec<(i32, bool)> {
    let start = |signal| if was_ignored(signal) { libc::SIG_IGN } else { libc::SIG_DFL };
    (1..=SIGNALS)
        .filter(|&signal| handler(signal) != start(signal))
        .map(|signal| (signal, was_ignored(signal)))
        .collect()
}
