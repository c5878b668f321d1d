//! Attaching to processes that run already: all their threads, and the children they make from then on; or to single threads,
//! where nobody is followed.
//!
//! Each thread is seized and interrupted. A call it is inside is interrupted with it and entered again when it
//! goes on (`PTRACE_INTERRUPT` in ptrace(2)), so that every call is seen from its entry; one that was
//! begun before is flagged as restarted. Threads that cannot be interrupted (in vfork, waiting for a
//! disk) are seen from their next call on.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use super::super::attaching::{AttachError, check_process};
use super::super::decode::restart::InterruptedCalls;
use super::super::decode::threads::threads_of;
use super::super::sys::process::own_tid;
use super::super::sys::ptrace as request;
use super::super::sys::signals::Watch;
use super::super::{Outcome, Sink};
use super::files::{Shares, proc_file};
use super::recording::Options;
use super::session::Session;
use super::thread::{Comm, Thread};
use crate::event::mark;

/// How the recording ends where none of the processes could be had: as a process that exits with 1 (wait(2)).
const NOBODY_THERE: i32 = 1 << 8;

/// Records these processes until an end is asked for (SIGINT, SIGTERM, SIGHUP, SIGQUIT), `options.until_ns` has
/// come, or all have ended. Then they go on untraced.
///
/// # Errors
/// When one of them cannot be attached to: none is traced then, unless the others are to be (`any_process`). Inside, when the kernel refuses a request
/// that it never should.
pub fn attach<S: Sink>(
    pids: &[i32],
    sink: &mut S,
    options: Options,
) -> Result<io::Result<Outcome>, AttachError> {
    for &pid in pids.iter().filter(|_| !options.any_process) {
        check(pid, false)?;
    }
    let watch = if let Some(how) = options.interruptible {
        Watch::install_interruptible(how)
    } else {
        let mut watch = Watch::install();
        watch.see_deliveries();
        watch.leader_ended();
        watch
    };
    let mut session = Session::of_running(sink, options, watch);
    for &pid in pids {
        if options.any_process {
            session.attach_if_possible(pid);
            continue;
        }
        match check(pid, false).and_then(|process| session.attach_to(pid, process)) {
            Ok(threads) => session.sink.attached(pid, threads),
            Err(error) => {
                session.detach_all();
                return Err(error);
            }
        }
    }
    let status = if session.threads.is_empty() { NOBODY_THERE } else { 0 };
    let result = session.run();
    session.detach_all();
    let outcome = Outcome { status: ExitStatus::from_raw(status), ..session.outcome() };
    Ok(result.map(|()| outcome))
}

/// The process that is meant by this number, which may be a thread's if `takes_threads`.
fn check(pid: i32, takes_threads: bool) -> Result<i32, AttachError> {
    let process = match check_process(pid) {
        Ok(()) => pid,
        Err(AttachError::Thread(_, process)) if takes_threads => {
            check_process(process)?;
            process
        }
        Err(error) => return Err(error),
    };
    match status_field(pid, "TracerPid:") {
        Some(tracer) if tracer > 0 => Err(AttachError::Traced { pid, tracer, name: name(tracer) }),
        _ => Ok(process),
    }
}

impl<S: Sink> Session<'_, S> {
    /// Attaches to the process or thread of this number, or tells why that is not to be had.
    pub(super) fn attach_if_possible(&mut self, pid: i32) {
        match check(pid, true).and_then(|process| self.attach_to(pid, process)) {
            Ok(threads) => self.sink.attached(pid, threads),
            Err(error) => self.sink.not_attached(&error),
        }
    }

    /// Attaches to this thread of the process, to all of them where they are followed. Returns how many those are.
    fn attach_to(&mut self, tid: i32, pid: i32) -> Result<usize, AttachError> {
        let shares = self.threads.values().next().map_or_else(|| Shares::of(pid), |t| t.shares.beside(pid));
        let before = self.threads.len();
        if self.options.follow {
            self.attach_process(pid, &shares)?;
        } else {
            self.attach_thread(pid, tid, &shares)?;
        }
        match self.threads.len() - before {
            // A first thread that has ended is there, and not to be traced.
            0 if state(tid) == Some(b'Z') => {
                Err(AttachError::NotPermitted { pid: tid, name: name(tid), hint: "; it has ended" })
            }
            0 => Err(AttachError::NoProcess(tid)),
            threads => Ok(threads),
        }
    }

    /// Attaches to all threads of a process, until a look finds no new one.
    fn attach_process(&mut self, pid: i32, shares: &Shares) -> Result<(), AttachError> {
        let mut found_new = true;
        while found_new {
            found_new = false;
            for tid in threads_of(pid) {
                if !self.threads.contains_key(&tid) && self.attach_thread(pid, tid, shares)? {
                    found_new = true;
                }
            }
        }
        Ok(())
    }

    /// Attaches to a thread. False: it is gone, or will be told of by the thread that has just made it.
    fn attach_thread(&mut self, pid: i32, tid: i32, shares: &Shares) -> Result<bool, AttachError> {
        let interrupted = call_in_progress(tid);
        match request::seize(tid, self.options.seized()).and_then(|()| request::interrupt(tid)) {
            Ok(()) => {}
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => return Ok(false),
            Err(_) if status_field(tid, "TracerPid:") == Some(own_tid()) => return Ok(false),
            // A first thread that has ended while others go on.
            Err(_) if state(tid) == Some(b'Z') => return Ok(false),
            Err(error) if error.raw_os_error() == Some(libc::EPERM) => {
                return Err(AttachError::NotPermitted { pid, name: name(pid), hint: hint(pid) });
            }
            Err(error) => return Err(AttachError::Other { pid, error }),
        }
        let thread = Thread { interrupted, ..Thread::new(tid, pid, Comm::of(tid), shares.clone()) };
        self.threads.insert(tid, thread);
        self.threads_seen += 1;
        self.mark(tid, mark::ATTACHED);
        Ok(true)
    }
}

/// The call the thread is inside, from `/proc/TID/syscall` (proc(5)): its number, six arguments, the stack and
/// the instruction pointer.
fn call_in_progress(tid: i32) -> InterruptedCalls {
    let mut calls = InterruptedCalls::default();
    let text = proc_file(tid, "syscall").unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let mut words = text.split_ascii_whitespace();
    if let Some(Ok(nr)) = words.next().map(str::parse)
        && let Some(ip) = words.nth(7).and_then(|word| word.strip_prefix("0x"))
        && let Ok(ip) = u64::from_str_radix(ip, 16)
    {
        calls.push(nr, ip);
    }
    calls
}

/// A number in `/proc/PID/status`.
pub(super) fn status_field(pid: i32, name: &str) -> Option<i32> {
    let text = proc_file(pid, "status")?;
    let text = String::from_utf8_lossy(&text);
    text.lines().find_map(|line| line.strip_prefix(name))?.trim().parse().ok()
}

fn state(tid: i32) -> Option<u8> {
    let text = proc_file(tid, "stat")?;
    let after_name = text.iter().rposition(|&byte| byte == b')')?;
    text.get(after_name + 2).copied()
}

fn name(pid: i32) -> String {
    String::from_utf8_lossy(Comm::of(pid).as_bytes()).escape_debug().to_string()
}

fn hint(pid: i32) -> &'static str {
    use std::os::unix::fs::MetadataExt;
    let me = nix::unistd::geteuid();
    let owner = std::fs::metadata(format!("/proc/{pid}")).map(|meta| meta.uid()).ok();
    if std::fs::read_link(format!("/proc/{pid}/exe"))
        .is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    {
        "; it is a thread of the kernel, or ending"
    } else if !me.is_root() && owner != Some(me.as_raw()) {
        "; it is another user's, or privileged: try as root"
    } else if me.is_root() {
        "; in a container, allow SYS_PTRACE"
    } else {
        "; try as root, or allow it: echo 0 > /proc/sys/kernel/yama/ptrace_scope"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_attached_to_is_told() {
        let error = |pid| check(pid, true).unwrap_err().to_string();
        assert_eq!(error(i32::MAX), format!("no process {}", i32::MAX));
        let me = std::process::id().cast_signed();
        assert_eq!(error(me), format!("process {me} is trace itself"));
    }

    #[test]
    fn a_sleeping_threads_call_is_known() {
        let mut child = std::process::Command::new("sleep").arg("1000").spawn().expect("sleep is there");
        let pid = child.id().cast_signed();
        while !matches!(state(pid), Some(b'S')) || name(pid) != "sleep" {
            std::thread::yield_now();
        }
        let text = String::from_utf8(proc_file(pid, "syscall").expect("our own child")).expect("text");
        child.kill().expect("our own child");
        child.wait().expect("our own child");
        assert!(text.split_ascii_whitespace().count() == 9, "{text}");
    }
}
