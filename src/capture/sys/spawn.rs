//! The child between its creation and `execve(2)`.
//!
//! ```text
//! parent                                   child (all signals blocked)
//! ------                                   ---------------------------
//! block all signals, read the clock
//! clone --------------------------------->  dispositions as trace was started with
//! unblock                                   descriptors 0 to 2, directory
//!                                           what fork does not hand down, signal mask
//! [seize it, write one byte] - go pipe -->  [wait for the byte; calls that do nothing, if told so]
//!                                           execve
//! read the failure pipe  <-- end of file -  (close-on-exec: it worked)
//!                        <-- stage, errno -  it did not
//! ```
//!
//! The child runs nothing but async-signal-safe calls on memory that was ready before. Where nobody
//! has to look at it before `execve`, it borrows our memory (`CLONE_VM | CLONE_VFORK`, as
//! `posix_spawn(3)` does): copying our page tables, and the faults on the copies, would be counted
//! as the command's own (for `true`, 0.13 of 0.82 ms and 11 of 62 faults on the machine this was
//! written on). With a go pipe we must run meanwhile, so it gets a copy, as from `fork`.

use super::grandchild::{self, Apart, Side};
use super::handed_down::HandedDown;
use super::process::{explain_fork, null_call};
use super::startup;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

/// What becomes of one of the descriptors 0 to 2 in the child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// It is the one of this process.
    Inherit,
    /// It is closed.
    Close,
    /// It is a duplicate of this descriptor, which must not be below 3.
    Fd(RawFd),
}

/// Whom a child runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// User id.
    pub user: libc::uid_t,
    /// Group id.
    pub group: libc::gid_t,
    /// All group ids.
    pub groups: Vec<libc::gid_t>,
}

/// Everything the child needs.
pub struct Image<'a> {
    /// The executable.
    pub program: &'a CStr,
    /// The arguments, the zeroth included.
    pub argv: &'a [std::ffi::CString],
    /// Its environment, if not this process's.
    pub environment: Option<&'a [std::ffi::CString]>,
    /// Its descriptors 0 to 2.
    pub streams: [Stream; 3],
    /// Where it starts, if not here.
    pub directory: Option<&'a CStr>,
    /// Whom it runs as, if not as this process.
    pub user: Option<&'a Identity>,
    /// Whether it waits for [`GO`] on a pipe before `execve`.
    pub wait_for_go: bool,
    /// How many calls that do nothing it makes at each [`NULL_CALLS`] on that pipe.
    pub null_calls: u64,
    /// A seccomp filter that it puts itself under, with `PR_SET_NO_NEW_PRIVS`; empty: none.
    pub filter: &'a [libc::sock_filter],
    /// Whether it gets the interval timers of this process, which has none then.
    pub takes_timers: bool,
    /// What it exits with where it cannot become the program.
    pub failure_status: c_int,
}

/// What lets a child go that waits.
pub const GO: u8 = b'g';
/// What has it end: nobody is to be traced.
pub const GIVE_UP: u8 = b'x';
/// What has it make calls that do nothing, and wait on.
pub const NULL_CALLS: u8 = b'n';

/// A child, created.
pub struct Started {
    /// Its process id.
    pub pid: libc::pid_t,
    /// The monotonic clock just before it was created, in nanoseconds.
    pub at_ns: u64,
    /// The same just before it called `execve`, where it has told: where it borrowed our memory.
    pub exec_ns: Option<u64>,
    /// Where it reports that it cannot become the program.
    pub failure: OwnedFd,
    /// The pipe on which it waits for a byte: its reading end (kept, so that writing is never an
    /// error or a SIGPIPE, even if the child was killed) and the writing one.
    pub go: Option<(OwnedFd, OwnedFd)>,
}

/// What the child was doing when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Giving itself its descriptors 0 to 2.
    Streams,
    /// Changing to its directory.
    Directory,
    /// Becoming the program.
    Exec,
    /// Becoming another user.
    User,
    /// Putting itself under a filter.
    Filter,
}

/// Exit status of a child that could not become the program, where the parent reaps it and nobody sees it.
pub const FAILED: c_int = 125;

/// Enough for the child's own frames in a debug build, and for a signal frame of the kernel.
const STACK_SIZE: usize = 256 * 1024;

/// What the child reads, ready before it exists.
struct Prepared {
    program: *const c_char,
    argv: *const *const c_char,
    environment: *const *const c_char,
    streams: [Stream; 3],
    directory: *const c_char,
    user: *const Identity,
    dispositions: *const (c_int, bool),
    disposition_count: usize,
    mask: libc::sigset_t,
    handed_down: HandedDown,
    parent: libc::pid_t,
    failure: RawFd,
    filter: libc::sock_fprog,
    go: RawFd,
    go_other_end: RawFd,
    null_calls: u64,
    failure_status: c_int,
    /// The command is to run even where nobody is left to let it go.
    runs_alone: bool,
    /// SIGTSTP came before the child could stop for it, see [`hold_stop`].
    stop_held: AtomicBool,
    /// The clock before `execve`, see [`Started::exec_ns`].
    exec_ns: AtomicU64,
}

unsafe extern "C" {
    static mut environ: *const *const c_char;
}

/// This process becomes what `image` says, when a grandchild of it that traces it lets it go: returns there.
pub fn start_above(image: &Image<'_>, apart: Apart) -> io::Result<Started> {
    keep_children_waitable();
    let (failure, failure_write) = pipe()?;
    let go = pipe()?;
    let pid = std::process::id().cast_signed();
    let at_ns = super::clock::monotonic_ns();
    if grandchild::split(apart)? == Side::Grandchild {
        return Ok(Started { pid, at_ns, exec_ns: None, failure, go: Some(go) });
    }
    with_prepared(image, &failure_write, Some(&go), HandedDown::nothing(), |prepared| {
        let prepared = Prepared { runs_alone: true, ..prepared };
        child_main(ptr::from_ref(&prepared).cast_mut().cast::<c_void>());
    });
    Err(io::Error::other("the command was not executed"))
}

/// Creates the child. It has not become the program yet; see [`read_failure`].
pub fn start(image: &Image<'_>) -> io::Result<Started> {
    // Before the dispositions are compared: the child gets back what it changes.
    keep_children_waitable();
    let (failure_read, failure_write) = pipe()?;
    let go = if image.wait_for_go { Some(pipe()?) } else { None };
    let handed_down = HandedDown::of_self();
    let handed_down = if image.takes_timers { handed_down.and_timers() } else { handed_down };
    let share = if image.wait_for_go { 0 } else { libc::CLONE_VM | libc::CLONE_VFORK };
    let (pid, at_ns, exec_ns) = with_prepared(image, &failure_write, go.as_ref(), handed_down, |prepared| {
        let (pid, at_ns) = clone_blocked(&prepared, share)?;
        let exec_ns = Some(prepared.exec_ns.load(SeqCst)).filter(|&ns| ns != 0);
        Ok::<_, io::Error>((pid, at_ns, exec_ns))
    })?;
    Ok(Started { pid, at_ns, exec_ns, failure: failure_read, go })
}

/// Calls `then` with what the child reads, which lives as long as that runs.
fn with_prepared<R>(
    image: &Image<'_>,
    failure: &OwnedFd,
    go: Option<&(OwnedFd, OwnedFd)>,
    handed_down: HandedDown,
    then: impl FnOnce(Prepared) -> R,
) -> R {
    let argv: Vec<*const c_char> =
        image.argv.iter().map(|argument| argument.as_ptr()).chain([ptr::null()]).collect();
    let environment = image.environment.map(|variables| -> Vec<*const c_char> {
        variables.iter().map(|variable| variable.as_ptr()).chain([ptr::null()]).collect()
    });
    let dispositions = startup::changed_dispositions();
    then(Prepared {
        program: image.program.as_ptr(),
        argv: argv.as_ptr(),
        environment: match &environment {
            Some(variables) => variables.as_ptr(),
            // SAFETY: reading the pointer itself; nothing in this program changes the environment.
            None => unsafe { environ },
        },
        streams: image.streams,
        directory: image.directory.map_or(ptr::null(), CStr::as_ptr),
        user: image.user.map_or(ptr::null(), ptr::from_ref),
        dispositions: dispositions.as_ptr(),
        disposition_count: dispositions.len(),
        mask: startup::blocked(),
        handed_down,
        parent: std::process::id().cast_signed(),
        failure: failure.as_raw_fd(),
        // The kernel only reads it.
        filter: libc::sock_fprog { len: image.filter.len() as u16, filter: image.filter.as_ptr().cast_mut() },
        go: go.map_or(-1, |(read, _)| read.as_raw_fd()),
        go_other_end: go.map_or(-1, |(_, write)| write.as_raw_fd()),
        null_calls: image.null_calls,
        failure_status: image.failure_status,
        runs_alone: false,
        stop_held: AtomicBool::new(false),
        exec_ns: AtomicU64::new(0),
    })
}

/// Clones with every signal blocked, so that no handler of ours runs in the child.
fn clone_blocked(prepared: &Prepared, share: c_int) -> io::Result<(libc::pid_t, u64)> {
    let mut stack: Vec<MaybeUninit<u128>> = Vec::with_capacity(STACK_SIZE / 16);
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `all` is initialised before use and `before` is filled by pthread_sigmask, which does
    // not fail for SIG_SETMASK. The stack grows down from its end, aligned to 16 bytes by its element
    // type, and outlives the child's use of it: with CLONE_VFORK we are suspended until the child
    // has left our memory, without CLONE_VM the child has its own copy. The same holds for
    // `prepared` and what it points to. `child_main` never returns.
    let (pid, error, started_ns) = unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
        let top = stack.as_mut_ptr().add(stack.capacity()).cast::<c_void>();
        let argument = ptr::from_ref(prepared).cast_mut().cast::<c_void>();
        let started_ns = super::clock::monotonic_ns();
        let pid = libc::clone(child_main, top, share | libc::SIGCHLD, argument);
        let error = io::Error::last_os_error();
        if pid != -1 && prepared.stop_held.load(SeqCst) {
            libc::kill(pid, libc::SIGTSTP);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut());
        (pid, error, started_ns)
    };
    if pid == -1 { Err(explain_fork(error)) } else { Ok((pid, started_ns)) }
}

/// With SIGCHLD ignored (which a parent can hand down), the kernel reaps children by itself and
/// `wait4` has no status and no figures to give.
fn keep_children_waitable() {
    if startup::is_ignored(libc::SIGCHLD) {
        super::signals::set_default(libc::SIGCHLD);
    }
}

/// A pipe that no program inherits.
fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: `ends` has room for the two descriptors, which are new and so owned by nobody else.
    unsafe {
        if libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) == -1 {
            return Err(io::Error::last_os_error());
        }
        Ok((OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])))
    }
}

/// What the child does. No allocation, no lock, nothing that can panic.
extern "C" fn child_main(argument: *mut c_void) -> c_int {
    // SAFETY: `argument` is the `Prepared` of `clone_blocked`, alive until the program has replaced
    // this one. All calls are async-signal-safe; all pointers in `Prepared` are valid and
    // NUL- or NULL-terminated where C expects it.
    unsafe {
        let prepared = &*argument.cast_const().cast::<Prepared>();
        reset_dispositions(prepared);
        if !set_streams(&prepared.streams) {
            fail_when_told_to_go(prepared, Stage::Streams);
        }
        if !prepared.directory.is_null() && libc::chdir(prepared.directory) == -1 {
            fail_when_told_to_go(prepared, Stage::Directory);
        }
        prepared.handed_down.take_up(prepared.parent);
        if !prepared.user.is_null() && !become_user(&*prepared.user) {
            fail_when_told_to_go(prepared, Stage::User);
        }
        hold_stop(prepared);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const prepared.mask, ptr::null_mut());
        wait_for_go(prepared);
        if prepared.filter.len > 0 && !take_filter(&prepared.filter) {
            fail(prepared, Stage::Filter);
        }
        prepared.exec_ns.store(super::clock::monotonic_ns(), SeqCst);
        libc::execve(prepared.program, prepared.argv, prepared.environment);
        fail(prepared, Stage::Exec);
    }
}

fn take_filter(filter: &libc::sock_fprog) -> bool {
    // SAFETY: integers, and a live program that is only read; both are plain system calls.
    unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, ptr::from_ref(filter)) == 0
    }
}

/// By raw calls: those of the C library tell all threads, of which the child has none.
fn become_user(identity: &Identity) -> bool {
    let Identity { user, group, groups } = identity;
    // SAFETY: integers, and a live list that is only read.
    unsafe {
        libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) == 0
            && libc::syscall(libc::SYS_setresgid, *group, *group, *group) == 0
            && libc::syscall(libc::SYS_setresuid, *user, *user, *user) == 0
    }
}

/// A child that stops before `execve` would keep its parent, which is suspended until then, from stopping as well:
/// Ctrl-Z at this moment is taken, and given to the command when it runs.
fn hold_stop(prepared: &Prepared) {
    if prepared.go != -1 {
        return;
    }
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `set` is initialised by sigemptyset before it is used, `now` is read; all are async-signal-safe.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGTSTP);
        if libc::sigtimedwait(set.as_ptr(), ptr::null_mut(), &raw const now) == libc::SIGTSTP {
            prepared.stop_held.store(true, SeqCst);
        }
    }
}

/// # Safety
/// The list in `prepared` must be valid.
unsafe fn reset_dispositions(prepared: &Prepared) {
    let mut next = prepared.dispositions;
    let end = next.wrapping_add(prepared.disposition_count);
    while next != end {
        // SAFETY: within the list, which is valid as promised by the caller.
        let (signal, ignored) = unsafe { *next };
        startup::reset(signal, ignored);
        next = next.wrapping_add(1);
    }
}

/// No source is below 3, so no step overwrites the source of a later one.
fn set_streams(streams: &[Stream; 3]) -> bool {
    let mut target = 0;
    for stream in streams {
        // SAFETY: these calls take descriptor numbers only, and the child owns its whole table.
        let done = unsafe {
            match *stream {
                Stream::Inherit => 0,
                // Failing to close means that it is closed already.
                Stream::Close => {
                    libc::close(target);
                    0
                }
                Stream::Fd(source) => libc::dup2(source, target),
            }
        };
        if done == -1 {
            return false;
        }
        target = target.wrapping_add(1);
    }
    true
}

/// Waits for [`GO`]; without a parent that could write it, there is nobody left to run for, unless the command is to run alone.
fn wait_for_go(prepared: &Prepared) {
    if prepared.go == -1 {
        return;
    }
    let mut byte = 0u8;
    // SAFETY: closes this process's copy of the writing end, so that the parent's death is seen as
    // end of file; reads one byte into `byte`; `_exit` runs nothing of the parent's.
    unsafe {
        libc::close(prepared.go_other_end);
        loop {
            match libc::read(prepared.go, (&raw mut byte).cast(), 1) {
                1 if byte == NULL_CALLS => (0..prepared.null_calls).for_each(|_| null_call()),
                1 if byte == GIVE_UP => libc::_exit(prepared.failure_status),
                1 => return,
                0 if prepared.runs_alone => return,
                -1 if *libc::__errno_location() == libc::EINTR => {}
                _ => libc::_exit(FAILED),
            }
        }
    }
}

/// Reports the stage and `errno` and ends the child.
fn fail(prepared: &Prepared, stage: Stage) -> ! {
    report(prepared, stage);
    // SAFETY: runs nothing of the parent's.
    unsafe { libc::_exit(prepared.failure_status) }
}

/// The same, once it was told to go: whoever attaches to it before that finds it alive, and learns the reason from the
/// report rather than from an attempt that the child's end has made fail.
fn fail_when_told_to_go(prepared: &Prepared, stage: Stage) -> ! {
    report(prepared, stage);
    wait_for_go(prepared);
    // SAFETY: runs nothing of the parent's.
    unsafe { libc::_exit(prepared.failure_status) }
}

fn report(prepared: &Prepared, stage: Stage) {
    // SAFETY: writes eight bytes of a live array; less than PIPE_BUF, so in one piece.
    unsafe {
        let report: [c_int; 2] = [stage as c_int, *libc::__errno_location()];
        libc::write(prepared.failure, report.as_ptr().cast(), size_of_val(&report));
    }
}

/// Waits until the child has become the program (`None`) or has reported why it could not.
pub fn read_failure(pipe: &OwnedFd) -> io::Result<Option<(Stage, i32)>> {
    let mut report: [c_int; 2] = [0; 2];
    let size = size_of_val(&report);
    let got = loop {
        // SAFETY: `report` has room for the bytes asked for.
        let got = unsafe { libc::read(pipe.as_raw_fd(), report.as_mut_ptr().cast(), size) };
        if got != -1 {
            break got;
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    };
    if got == 0 {
        return Ok(None);
    }
    let stage = match report[0] {
        0 => Stage::Streams,
        1 => Stage::Directory,
        3 => Stage::User,
        4 => Stage::Filter,
        _ => Stage::Exec,
    };
    Ok(Some((stage, report[1])))
}
