//! What `trace` does with signals while a command of its own runs.
//!
//! Both are in one process group, so what the terminal sends (Ctrl-C, Ctrl-\, Ctrl-Z, a hang-up)
//! reaches both; the command decides what to make of it and `trace` must outlive it. What somebody
//! sends to `trace` alone is meant for the command and handed on. `si_code` tells the two apart:
//! the kernel's own signals carry `SI_KERNEL`. What somebody sends to the whole group is told apart by
//! what the command gets ([`doubled`]), or by what the kernel counts ([`group_signals`]).
//!
//! Not handed on are SIGTTIN and SIGTTOU, which must stay ignored here so that the terminal can be used from the
//! background, and SIGCHLD, of which every stop of a traced thread sends one.
//!
//! A tracer that is to do with signals what strace does hands nothing on: see [`Interruptible`].

use super::between;
use super::clock::monotonic_ns;
use super::group_signals::{self, Counts};
use super::process::process_group;
use super::{doubled, startup};
use std::ffi::{c_int, c_void};
use std::io;
use std::mem::{self, MaybeUninit};
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// When the signals that end a program end the tracer, where none is handed on: what strace's `-I` chooses from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruptible {
    /// At any moment, by their default action.
    Anywhere,
    /// When the tracer waits: the traced threads are let go on then, and the command gets the signal.
    Waiting,
    /// Never: they are ignored.
    Never,
    /// Nor does SIGTSTP stop it.
    NeverStopped,
}

/// These are what [`Interruptible`] is about.
const FATAL: [c_int; 5] = [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGPIPE, libc::SIGTERM];
/// These end the measuring, and are handed on.
pub(super) const ENDING: [c_int; 4] = [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM];
/// These would end us, and are handed on: the command decides what to make of them.
const PASSED: [c_int; 10] = [
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGIO,
    libc::SIGPWR,
    libc::SIGSTKFLT,
    libc::SIGURG,
    // The terminal's own is from the kernel, and reaches the command by itself.
    libc::SIGWINCH,
    // A write of ours to a closed pipe or past the file-size limit sends these to us: an error then, not our end.
    libc::SIGPIPE,
    libc::SIGXFSZ,
    // The CPU time limit is the command's, not that of whoever watches it.
    libc::SIGXCPU,
];
/// Timers that were set before this program was executed (`alarm 10; exec ...`) are the command's: they are
/// handed on although the kernel sends them.
const TIMERS: [c_int; 3] = [libc::SIGALRM, libc::SIGVTALRM, libc::SIGPROF];
/// These are ignored: the command is stopped by them and we then stop ourselves.
const IGNORED: [c_int; 2] = [libc::SIGTTIN, libc::SIGTTOU];
/// A command that ends within this time after Ctrl-Z may not have been able to stop any more.
const MISSED_NS: u64 = 100_000_000;

/// What the handler and the thread that waits for the command tell each other.
struct Shared {
    /// The running command, 0 for none.
    child: AtomicI32,
    /// The first of [`ENDING`] that arrived, 0 for none.
    received: AtomicI32,
    /// The last one to be handed on that came while there was no command, 0 for none.
    undelivered: AtomicI32,
    /// The timer of [`doubled`], 0 for none.
    timer: AtomicUsize,
    /// When SIGTSTP came while there was a command, which has not stopped since; 0: it did not.
    stop_asked_ns: AtomicU64,
}

static SHARED: Shared = Shared {
    child: AtomicI32::new(0),
    received: AtomicI32::new(0),
    undelivered: AtomicI32::new(0),
    timer: AtomicUsize::new(0),
    stop_asked_ns: AtomicU64::new(0),
};
/// Dispositions belong to the process, so there is one watch at a time.
static ONE: Mutex<()> = Mutex::new(());

/// While it lives, signals are treated as the module says; then as before.
pub struct Watch {
    shared: &'static Shared,
    before: Vec<(c_int, libc::sigaction)>,
    timer: Option<doubled::Timer>,
    /// Whoever records sees what [`Self::received`] tells, in good time.
    is_looked_at: bool,
    /// Nothing is handed on.
    is_alone: bool,
    _one: MutexGuard<'static, ()>,
}

impl Watch {
    /// Waits for any other watch to end, then installs the handlers. Signals that are ignored now
    /// stay so (`nohup`, background jobs of a shell without job control).
    pub fn install() -> Self {
        let mut watch = Self::new();
        let handle = handle as extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);
        let real_time = libc::SIGRTMIN()..=libc::SIGRTMAX();
        let handled = ENDING.into_iter().chain(PASSED).chain(TIMERS).chain(real_time).chain([libc::SIGTSTP]);
        let handled = handled.map(|signal| (signal, handle as libc::sighandler_t));
        let ignored = IGNORED.map(|signal| (signal, libc::SIG_IGN));
        // Whoever started us may have left SIGCHLD ignored, and then no end of a child is reported.
        let reported = (libc::SIGCHLD, libc::SIG_DFL);
        watch.before = handled
            .chain(ignored)
            // Rust's runtime ignores SIGPIPE whatever was handed down.
            .filter(|&(signal, _)| match signal {
                libc::SIGPIPE => !startup::was_ignored(signal),
                _ => !startup::is_ignored(signal),
            })
            .chain([reported])
            .filter_map(|(signal, action)| Some((signal, replace(signal, action)?)))
            .collect();
        watch
    }

    /// The same where nothing is handed on. Signals that were ignored until now are not.
    pub fn install_interruptible(how: Interruptible) -> Self {
        let mut watch = Self::new();
        watch.is_alone = true;
        let note_end = note_end as *const () as libc::sighandler_t;
        for signal in FATAL {
            // Without SA_RESTART where it is to end a wait.
            watch.change(signal, || match how {
                Interruptible::Anywhere => replace(signal, libc::SIG_DFL),
                Interruptible::Waiting => replace_with(signal, note_end, 0),
                Interruptible::Never | Interruptible::NeverStopped => replace(signal, libc::SIG_IGN),
            });
        }
        if how == Interruptible::NeverStopped {
            watch.change(libc::SIGTSTP, || replace(libc::SIGTSTP, libc::SIG_IGN));
        }
        for signal in IGNORED {
            watch.change(signal, || replace(signal, libc::SIG_IGN));
        }
        watch.change(libc::SIGCHLD, || replace(libc::SIGCHLD, libc::SIG_DFL));
        let interrupt = interrupt as *const () as libc::sighandler_t;
        watch.change(doubled::TICK, || replace_with(doubled::TICK, interrupt, 0));
        let can_tick = unblock(doubled::TICK);
        if how == Interruptible::Waiting {
            // One that comes right before the wait is seen at the next tick.
            watch.timer = doubled::Timer::new().ok().filter(|_| can_tick);
            watch.timer.iter().for_each(doubled::Timer::repeat);
        }
        watch
    }

    fn new() -> Self {
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        // Also for the command that runs next.
        let kept = between::take();
        SHARED.received.store(kept, SeqCst);
        SHARED.child.store(0, SeqCst);
        SHARED.undelivered.store(kept, SeqCst);
        SHARED.stop_asked_ns.store(0, SeqCst);
        Self {
            shared: &SHARED,
            before: Vec::new(),
            timer: None,
            is_looked_at: false,
            is_alone: false,
            _one: one,
        }
    }

    /// Changes an action, which is as before when the watch ends.
    fn change(&mut self, signal: c_int, replace: impl FnOnce() -> Option<libc::sigaction>) {
        self.before.extend(replace().map(|before| (signal, before)));
    }

    /// From now on what reaches the command by itself is not handed on: whoever traces the command tells of
    /// each signal it gets by [`doubled::seen`]. Without a timer for it, all are handed on.
    pub fn see_deliveries(&mut self) {
        // Without SA_RESTART: it interrupts a waiting call, for [`wake`].
        let Some(before) = replace_with(doubled::TICK, settle as *const () as libc::sighandler_t, 0) else {
            return;
        };
        self.before.push((doubled::TICK, before));
        self.timer = doubled::Timer::new().ok().filter(|_| unblock(doubled::TICK));
        self.is_looked_at = self.timer.is_some();
        self.shared.timer.store(self.timer.as_ref().map_or(0, doubled::Timer::number), SeqCst);
    }

    /// The same where the kernel counts what is sent to the group. Whoever records looks at [`Self::received`] again
    /// and again.
    pub fn ask_kernel(&mut self, counts: &Counts) {
        counts.begin();
        self.is_looked_at = true;
    }

    /// From now on signals are handed on to this child, which was not reaped: also one that came
    /// between the creation of the child and this call.
    pub fn follow(&self, pid: libc::pid_t) {
        if self.is_alone {
            return;
        }
        self.shared.child.store(pid, SeqCst);
        let signal = self.shared.undelivered.swap(0, SeqCst);
        if signal != 0 {
            // SAFETY: takes no pointers.
            unsafe { libc::kill(pid, signal) };
        }
    }

    /// The process has ended: nothing is sent to its number any more. To be called before it is
    /// reaped, because then the number can be another's.
    pub fn unfollow(&self) {
        self.shared.child.store(0, SeqCst);
    }

    /// As [`Self::unfollow`], when others of the command go on: whoever asks for an end now means us, and
    /// [`Self::received`] tells of it. From now on waiting calls are interrupted every now and then.
    pub fn leader_ended(&self) {
        self.unfollow();
        if self.is_alone {
            return;
        }
        self.shared.received.store(0, SeqCst);
        for signal in ENDING.into_iter().filter(|&signal| !startup::is_ignored(signal)) {
            if self.is_looked_at {
                replace_with(signal, note_end as *const () as libc::sighandler_t, 0);
            } else {
                // Nobody would look: then the log is cut short, and they go on untraced.
                set_default(signal);
            }
        }
        if let Some(timer) = &self.timer {
            self.shared.timer.store(0, SeqCst);
            replace_with(doubled::TICK, interrupt as *const () as libc::sighandler_t, 0);
            timer.repeat();
        }
    }

    /// Stops this process if Ctrl-Z came when the command was ending and could not stop any more. To be called
    /// when it has ended.
    pub fn stop_if_missed(&self) {
        let asked_ns = self.shared.stop_asked_ns.swap(0, SeqCst);
        if asked_ns != 0 && monotonic_ns().saturating_sub(asked_ns) < MISSED_NS {
            stop_self();
        }
    }

    /// The signal that asked for an end, if one did.
    pub fn received(&self) -> Option<c_int> {
        Some(self.shared.received.load(SeqCst)).filter(|&signal| signal != 0)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.timer.store(0, SeqCst);
        self.timer = None;
        // The latest first: one signal may have had two actions.
        for (signal, action) in self.before.iter().rev() {
            // SAFETY: puts back an action that sigaction itself returned.
            unsafe { libc::sigaction(*signal, action, ptr::null_mut()) };
        }
    }
}

/// Whether a signal has asked for an end, since the [`Watch`] that there is was installed.
pub fn end_was_asked() -> bool {
    SHARED.received.load(SeqCst) != 0
}

/// Sets a handler (or `SIG_IGN`, `SIG_DFL`); the action before, or `None` where that is not allowed.
pub(super) fn replace(signal: c_int, action: libc::sighandler_t) -> Option<libc::sigaction> {
    replace_with(signal, action, libc::SA_RESTART)
}

/// As [`replace`], with a choice of whether calls are restarted.
fn replace_with(signal: c_int, action: libc::sighandler_t, flags: c_int) -> Option<libc::sigaction> {
    // SAFETY: all zeroes is a valid `struct sigaction` (empty mask); the handler stays valid for ever.
    unsafe {
        let mut new: libc::sigaction = mem::zeroed();
        new.sa_sigaction = action;
        new.sa_flags = libc::SA_SIGINFO | flags;
        let mut old = MaybeUninit::<libc::sigaction>::uninit();
        (libc::sigaction(signal, &raw const new, old.as_mut_ptr()) == 0).then(|| old.assume_init())
    }
}

/// The handler: atomics and async-signal-safe calls only, `errno` left as it was.
extern "C" fn handle(signal: c_int, info: *mut libc::siginfo_t, _context: *mut c_void) {
    // SAFETY: the kernel passes a valid siginfo_t to an SA_SIGINFO handler; kill and getpid are
    // async-signal-safe and take no pointers; the errno location is this thread's own.
    unsafe {
        if signal == doubled::TICK && is_wake_up(info) {
            return;
        }
        let errno = *libc::__errno_location();
        let was_to_group = group_signals::was_to_group(signal);
        let child = SHARED.child.load(SeqCst);
        let from_kernel = !info.is_null() && ((*info).si_code == libc::SI_KERNEL || is_of_own_write(info));
        if signal == libc::SIGTSTP {
            // With a command, it decides: see `stop_too`. Without one, do as everybody does.
            if child == 0 {
                stop_self();
            } else {
                SHARED.stop_asked_ns.store(monotonic_ns(), SeqCst);
                if !from_kernel {
                    hand_on(child, signal, info, was_to_group);
                }
            }
        } else {
            if ENDING.contains(&signal) {
                let _ = SHARED.received.compare_exchange(0, signal, SeqCst, SeqCst);
            }
            match child {
                _ if from_kernel && !TIMERS.contains(&signal) => {}
                0 => SHARED.undelivered.store(signal, SeqCst),
                _ => hand_on(child, signal, info, was_to_group),
            }
        }
        *libc::__errno_location() = errno;
    }
}

/// Whether it was this process that a write(2) of its own has sent the signal to: as if by kill(2).
///
/// # Safety
/// `info` must be valid.
unsafe fn is_of_own_write(info: *const libc::siginfo_t) -> bool {
    // SAFETY: promised by the caller; the sender is there for the code of kill(2).
    unsafe { (*info).si_code == libc::SI_USER && (*info).si_pid() == libc::getpid() }
}

/// Whether a process has sent the signal.
///
/// # Safety
/// `info` must be null or valid.
unsafe fn is_by_process(info: *const libc::siginfo_t) -> bool {
    // SAFETY: promised by the caller.
    unsafe { !info.is_null() && (*info).si_code <= 0 && (*info).si_code != libc::SI_TIMER }
}

/// Whether another thread of this process woke this one.
///
/// # Safety
/// `info` must be null or valid.
unsafe fn is_wake_up(info: *const libc::siginfo_t) -> bool {
    // SAFETY: promised by the caller; the sender is there for the code of tgkill(2).
    unsafe { !info.is_null() && (*info).si_code == libc::SI_TKILL && (*info).si_pid() == libc::getpid() }
}

/// Interrupts the call that a thread of this process waits in, if it has a [`Watch`] that sees deliveries; else
/// nothing happens. A thread that is about to wait misses it.
pub fn wake(tid: i32) {
    // SAFETY: takes no pointers.
    unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), tid, doubled::TICK) };
}

/// Hands a signal on, once it is clear that the command has not got it by itself: now, if the kernel has counted.
///
/// # Safety
/// `info` must be null or valid.
unsafe fn hand_on(
    child: libc::pid_t,
    signal: c_int,
    info: *const libc::siginfo_t,
    was_to_group: Option<bool>,
) {
    // SAFETY: promised by the caller; the sender is there for the codes of kill(2), sigqueue(3) and tgkill(2).
    unsafe {
        let reaches_it = match was_to_group {
            Some(to_group) => to_group && process_group(child) == process_group(0),
            None => {
                is_by_process(info)
                    && doubled::ask(SHARED.timer.load(SeqCst), child, signal, (*info).si_pid())
            }
        };
        if !reaches_it {
            libc::kill(child, signal);
        }
    }
}

/// The timer's handler: async-signal-safe, `errno` left as it was.
extern "C" fn settle(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes a valid siginfo_t; the errno location is this thread's own.
    unsafe {
        if is_wake_up(info) {
            return;
        }
        if is_by_process(info) {
            return handle(signal, info, context);
        }
        let errno = *libc::__errno_location();
        let timer = SHARED.timer.load(SeqCst);
        if timer != 0 {
            doubled::settle(timer, SHARED.child.load(SeqCst));
        }
        *libc::__errno_location() = errno;
    }
}

/// Notes that an end was asked for.
extern "C" fn note_end(signal: c_int, _info: *mut libc::siginfo_t, _context: *mut c_void) {
    SHARED.received.store(signal, SeqCst);
}

/// Does nothing but interrupt a waiting call.
extern "C" fn interrupt(_signal: c_int, _info: *mut libc::siginfo_t, _context: *mut c_void) {}

/// Lets a signal reach the calling thread.
fn unblock(signal: c_int) -> bool {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `set` is initialised by sigemptyset before it is used.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), signal);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, set.as_ptr(), ptr::null_mut()) == 0
    }
}

/// Sends a signal that is to end it to a process that was not reaped, which may be stopped.
pub fn hand_over(pid: libc::pid_t, signal: c_int) {
    for signal in [libc::SIGCONT, signal] {
        // SAFETY: takes no pointers.
        unsafe { libc::kill(pid, signal) };
    }
}

/// The command was stopped: stops this process as well, so that a shell sees its job stopped, and
/// continues the command when we are continued. By the same signal, because the shell says which.
pub fn stop_too(pid: libc::pid_t, signal: c_int) {
    let before = if signal == libc::SIGSTOP { None } else { replace(signal, libc::SIG_DFL) };
    // SAFETY: neither call takes a pointer; `pid` is a child that was not reaped. With `raise`, unlike
    // `kill`, it is this thread that stops before the call returns.
    unsafe { libc::raise(signal) };
    SHARED.stop_asked_ns.store(0, SeqCst);
    if let Some(before) = before {
        // SAFETY: puts back an action that sigaction itself returned.
        unsafe { libc::sigaction(signal, &raw const before, ptr::null_mut()) };
    }
    // SAFETY: as above.
    unsafe { libc::kill(pid, libc::SIGCONT) };
}

/// Stops this process as Ctrl-Z stops others (not where nobody could continue it). Async-signal-safe, also in the
/// handler of SIGTSTP, where that is blocked.
fn stop_self() {
    let before = replace(libc::SIGTSTP, libc::SIG_DFL);
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    let mut mask = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `set` is initialised by sigemptyset, and `mask` filled by the first pthread_sigmask, which does not
    // fail. With `raise` it is this thread that stops before the signal is blocked again.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGTSTP);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, set.as_ptr(), mask.as_mut_ptr());
        libc::raise(libc::SIGTSTP);
        libc::pthread_sigmask(libc::SIG_SETMASK, mask.as_ptr(), ptr::null_mut());
    }
    if let Some(before) = before {
        // SAFETY: puts back an action that sigaction itself returned.
        unsafe { libc::sigaction(libc::SIGTSTP, &raw const before, ptr::null_mut()) };
    }
}

/// Whether whoever waits for us should see the command stopped by this signal. SIGSTOP may be undone by anyone who
/// knows the pid, and then a stopped tracer is in the way: only where the command, `alone`, has stopped itself.
pub fn is_for_us(signal: c_int, leader: libc::pid_t, alone: impl FnOnce() -> bool) -> bool {
    if signal == libc::SIGSTOP { alone() } else { process_group(leader) == process_group(0) }
}

/// Gives a signal its default action.
pub fn set_default(signal: c_int) {
    replace(signal, libc::SIG_DFL);
}

/// Ends this process by a signal, as the command was, without a core dump of our own. Returns if
/// the signal does not end a process.
pub fn end_by(signal: c_int) -> io::Result<()> {
    set_default(signal);
    let no_core = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `no_core` is read only; `set` is initialised by sigemptyset before it is used.
    unsafe {
        libc::setrlimit(libc::RLIMIT_CORE, &raw const no_core);
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), signal);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, set.as_ptr(), ptr::null_mut());
        if libc::kill(libc::getpid(), signal) == -1 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}
