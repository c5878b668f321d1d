//! Wait statuses as values: what happened to a thread, and the right to let it go on.

use std::io;

use super::super::sys::ptrace;
use super::super::sys::wait;

/// A thread held in a ptrace stop. Letting it go on consumes the value, so that no stop is resumed
/// twice or forgotten without a trace in the code.
#[derive(Debug)]
#[must_use = "a stop that is dropped leaves the thread stopped"]
pub struct Stop {
    tid: i32,
    system_ns: u64,
    /// Goes on to the next call that a filter stops it at, not to the next one.
    filtered: bool,
}

impl Stop {
    /// The stopped thread.
    pub fn tid(&self) -> i32 {
        self.tid
    }

    /// Time that its process had spent in the kernel, in nanoseconds; 0: not asked for.
    pub fn system_ns(&self) -> u64 {
        self.system_ns
    }

    /// Goes on to the next system call, signal or event, delivering `signal` (0: none).
    pub fn resume(self, signal: i32) -> io::Result<()> {
        let resume = if self.filtered { ptrace::resume_filtered } else { ptrace::resume };
        unless_gone(resume(self.tid, signal))
    }

    /// From here it goes on to the next call that its filter stops it at (true), or to the next one and to the end of
    /// the one it is in (false).
    pub fn filtered(self, filtered: bool) -> Self {
        Self { filtered, ..self }
    }

    /// Stays stopped as its group is, until SIGCONT.
    pub fn listen(self) -> io::Result<()> {
        unless_gone(ptrace::listen(self.tid))
    }

    /// Goes on untraced, delivering `signal` (0: none).
    pub fn detach(self, signal: i32) -> io::Result<()> {
        unless_gone(ptrace::detach(self.tid, signal))
    }
}

/// A thread can be killed in any stop; its death is reported by the next wait, so "no such process"
/// is not an error here.
pub fn unless_gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
        other => other,
    }
}

/// Why a thread is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// At the entry or the exit of a system call.
    Syscall,
    /// A signal is about to be delivered to it.
    Signal(i32),
    /// It has made a process or thread.
    NewChild,
    /// It runs a new program.
    Exec,
    /// It begins to end: by itself, or as somebody has it.
    Exiting,
    /// Its process was stopped by this signal.
    Group(i32),
    /// It was just attached to, or interrupted by us, or its group was let go on.
    Attached,
}

/// What wait4(2) reported.
#[derive(Debug)]
pub enum Change {
    /// The thread is stopped.
    Stopped(Stop, Reason),
    /// The thread is gone.
    Ended(i32, End),
}

/// How a thread ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With this exit status.
    Exited(i32),
    /// Killed by this signal, with [`CORE`] set if memory was dumped.
    Killed(i32),
}

/// The bit of a wait status that tells of a core dump (wait(2)).
pub const CORE: i32 = 0x80;

/// Stop signals: those that stop a whole group (signal(7)).
const STOP_SIGNALS: [i32; 4] = [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];

impl Change {
    /// Decodes a wait status (ptrace(2), "Syscall-stops" and the sections around it).
    pub fn decode(change: wait::Change) -> Option<Self> {
        let wait::Change { tid, status, system_ns } = change;
        if libc::WIFEXITED(status) {
            return Some(Self::Ended(tid, End::Exited(libc::WEXITSTATUS(status))));
        }
        if libc::WIFSIGNALED(status) {
            return Some(Self::Ended(tid, End::Killed(status & 0xff)));
        }
        if !libc::WIFSTOPPED(status) {
            return None;
        }
        let signal = libc::WSTOPSIG(status);
        let reason = match status >> 16 {
            0 if signal == libc::SIGTRAP | 0x80 => Reason::Syscall,
            0 => Reason::Signal(signal),
            libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE => Reason::NewChild,
            libc::PTRACE_EVENT_SECCOMP => Reason::Syscall,
            libc::PTRACE_EVENT_EXEC => Reason::Exec,
            libc::PTRACE_EVENT_EXIT => Reason::Exiting,
            libc::PTRACE_EVENT_STOP if STOP_SIGNALS.contains(&signal) => Reason::Group(signal),
            _ => Reason::Attached,
        };
        Some(Self::Stopped(Stop { tid, system_ns, filtered: false }, reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(status: i32) -> Reason {
        match Change::decode(wait::Change { tid: 7, status, system_ns: 0 }) {
            Some(Change::Stopped(stop, reason)) => {
                assert_eq!(stop.tid(), 7);
                reason
            }
            other => panic!("not a stop: {other:?}"),
        }
    }

    fn stopped(signal: i32, event: i32) -> i32 {
        event << 16 | signal << 8 | 0x7f
    }

    #[test]
    fn stops_are_told_apart() {
        assert_eq!(reason(stopped(libc::SIGTRAP | 0x80, 0)), Reason::Syscall);
        assert_eq!(reason(stopped(libc::SIGTRAP, 0)), Reason::Signal(libc::SIGTRAP));
        assert_eq!(reason(stopped(64, 0)), Reason::Signal(64), "real-time signals are signals");
        assert_eq!(reason(stopped(libc::SIGTRAP, libc::PTRACE_EVENT_VFORK)), Reason::NewChild);
        assert_eq!(reason(stopped(libc::SIGTRAP, libc::PTRACE_EVENT_EXEC)), Reason::Exec);
        assert_eq!(reason(stopped(libc::SIGTSTP, libc::PTRACE_EVENT_STOP)), Reason::Group(libc::SIGTSTP));
        assert_eq!(reason(stopped(libc::SIGTRAP, libc::PTRACE_EVENT_STOP)), Reason::Attached);
    }

    #[test]
    fn ends_are_told_apart() {
        assert!(matches!(
            Change::decode(wait::Change { tid: 7, status: 3 << 8, system_ns: 0 }),
            Some(Change::Ended(7, End::Exited(3)))
        ));
        assert!(matches!(
            Change::decode(wait::Change { tid: 7, status: 9, system_ns: 0 }),
            Some(Change::Ended(7, End::Killed(9)))
        ));
    }
}
