//! Which call is the restart of an interrupted one (signal(7), "Interruption of system calls").
//!
//! A signal makes a call return one of the kernel's restart codes to the tracer. Without a handler the
//! thread enters the same call again at once. With one, the handler makes calls of its own, and its
//! `rt_sigreturn` puts the thread back: before the call's instruction, which is then a restart, or behind it,
//! where the program sees EINTR. Handlers can be interrupted in turn, so this is a stack.

use crate::event::Abi;

/// Most interrupted calls remembered; a handler that never returns (longjmp) leaves its call here.
const MOST: usize = 16;
/// Length of the `syscall`, `sysenter` and `int 0x80` instructions.
const INSTRUCTION: u64 = 2;

/// Whether a result is one of the kernel's own codes for a call that is to be restarted (`linux/errno.h`:
/// ERESTARTSYS 512, ERESTARTNOINTR 513, ERESTARTNOHAND 514, `ERESTART_RESTARTBLOCK` 516).
pub fn asks_for_restart(ret: i64) -> bool {
    matches!(ret, -512 | -513 | -514 | -516)
}

/// Whether this is the call that stands for any interrupted one (`restart_syscall(2)`).
pub fn is_restart_syscall(abi: Abi, nr: u32) -> bool {
    nr == if abi == Abi::I386 { 0 } else { libc::SYS_restart_syscall as u32 }
}

#[derive(Clone, Copy, Debug)]
struct Interrupted {
    nr: u32,
    /// Behind the call's instruction.
    ip: u64,
    /// The thread's next call is the restart, if it is this one.
    next: bool,
}

/// The interrupted calls of one thread, the last one on top.
#[derive(Clone, Debug, Default)]
pub struct InterruptedCalls(Vec<Interrupted>);

impl InterruptedCalls {
    /// The call has returned a restart code.
    pub fn push(&mut self, nr: u32, ip: u64) {
        if self.0.len() == MOST {
            self.0.remove(0);
        }
        self.0.push(Interrupted { nr, ip, next: true });
    }

    /// A call is entered: whether it is the restart of the last interrupted one. `restart_syscall` tells
    /// whether it is the call of that name, which stands for any.
    pub fn is_restart(&mut self, nr: u32, ip: u64, restart_syscall: bool) -> bool {
        let Some(last) = self.0.last_mut() else { return false };
        if last.next && last.ip == ip && (last.nr == nr || restart_syscall) {
            self.0.pop();
            return true;
        }
        // A handler runs.
        last.next = false;
        false
    }

    /// A handler has ended, and the thread goes on at `ip`.
    pub fn handler_returned(&mut self, ip: u64) {
        let Some(last) = self.0.last_mut() else { return };
        if ip == last.ip {
            self.0.pop();
        } else {
            last.next = ip == last.ip.wrapping_sub(INSTRUCTION);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: u32 = 0;
    const GETPPID: u32 = 110;
    const SIGRETURN: u32 = 15;

    fn interrupted() -> InterruptedCalls {
        let mut calls = InterruptedCalls::default();
        calls.push(READ, 0x1002);
        calls
    }

    #[test]
    fn without_a_handler_the_next_call_is_the_restart() {
        assert!(interrupted().is_restart(READ, 0x1002, false));
        assert!(interrupted().is_restart(219, 0x1002, true));
        assert!(!interrupted().is_restart(READ, 0x2002, false));
    }

    #[test]
    fn with_a_handler_its_return_decides() {
        let mut restarts = interrupted();
        assert!(!restarts.is_restart(GETPPID, 0x3002, false));
        assert!(!restarts.is_restart(SIGRETURN, 0x4002, false));
        restarts.handler_returned(0x1000);
        assert!(restarts.is_restart(READ, 0x1002, false));

        let mut fails = interrupted();
        assert!(!fails.is_restart(SIGRETURN, 0x4002, false));
        fails.handler_returned(0x1002);
        assert!(!fails.is_restart(READ, 0x1002, false), "the program itself tries again");
    }

    #[test]
    fn handlers_nest() {
        let mut calls = interrupted();
        assert!(!calls.is_restart(READ, 0x5002, false));
        calls.push(READ, 0x5002);
        assert!(!calls.is_restart(SIGRETURN, 0x4002, false));
        calls.handler_returned(0x5000);
        assert!(calls.is_restart(READ, 0x5002, false));
        assert!(!calls.is_restart(SIGRETURN, 0x4002, false));
        calls.handler_returned(0x1000);
        assert!(calls.is_restart(READ, 0x1002, false));
    }

    #[test]
    fn handlers_that_never_return_do_not_pile_up() {
        let mut calls = InterruptedCalls::default();
        (0..1000).for_each(|ip| calls.push(READ, ip));
        assert_eq!(calls.0.len(), MOST);
    }
}
