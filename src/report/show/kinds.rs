//! Events that are no calls: signals and exits as strace prints them, and the kinds it has no line for.

use super::escape::{write_escaped, write_quoted};
use crate::event::{Event, Flags, Kind, loss};
use crate::syscall::decode::{Constants, write_argv, write_siginfo};
use crate::syscall::flags::{self, write_number, write_radix, write_si_code, write_signal};

/// `si_code` values whose signal has no sender (`siginfo(2)`): a fault has an address there, `SIGIO` a
/// band.
fn has_sender(signal: u32, code: i32) -> bool {
    const SIGCHLD: u32 = 17;
    const SI_KERNEL: i32 = 0x80;
    (code <= 0 || signal == SIGCHLD) && code != SI_KERNEL
}

/// `--- SIGCHLD {si_code=CLD_EXITED, si_pid=12} ---`
pub(super) fn write_signal_line(out: &mut Vec<u8>, event: &Event<'_>, constants: Constants) {
    let code = event.args[0] as i32;
    out.extend_from_slice(b"--- ");
    write_signal(out, event.nr);
    out.push(b' ');
    if event.memory.is_some_and(|kept| write_siginfo(out, kept, constants)) {
        return out.extend_from_slice(b" ---");
    }
    out.extend_from_slice(b"{si_code=");
    write_si_code(out, event.nr, code);
    if has_sender(event.nr, code) {
        out.extend_from_slice(b", si_pid=");
        write_number(out, i64::from(event.args[1] as i32));
    }
    out.extend_from_slice(b"} ---");
}

/// `--- stopped by SIGSTOP ---`
pub(super) fn write_stop(out: &mut Vec<u8>, signal: u32) {
    out.extend_from_slice(b"--- stopped by ");
    write_signal(out, signal);
    out.extend_from_slice(b" ---");
}

/// `+++ exited with 0 +++` or `+++ killed by SIGKILL +++`
pub(super) fn write_exit(out: &mut Vec<u8>, event: &Event<'_>) {
    match event.ret {
        None if event.args[1] != 0 => {
            out.extend_from_slice(b"+++ superseded by execve in pid ");
            write_radix(out, event.args[1] & 0xffff_ffff, 10, 1);
            out.extend_from_slice(b" +++");
        }
        None => out.extend_from_slice(b"+++ ended +++"),
        Some(status) if status < 0 => {
            out.extend_from_slice(b"+++ killed by ");
            write_signal(out, status.unsigned_abs() as u32);
            out.extend_from_slice(if event.args[0] == 0 { b" +++" } else { b" (core dumped) +++" });
        }
        Some(status) => {
            out.extend_from_slice(b"+++ exited with ");
            write_number(out, status);
            out.extend_from_slice(b" +++");
        }
    }
}

/// `*** new process 4165, flags SIGCHLD ***` and the like.
pub(super) fn write_own(out: &mut Vec<u8>, event: &Event<'_>) {
    out.extend_from_slice(b"*** ");
    match event.kind {
        Kind::Exec => write_exec(out, event),
        Kind::Fork => write_fork(out, event),
        Kind::Lost => write_lost(out, event),
        Kind::Total => write_total(out, event),
        Kind::Syscall | Kind::Exit | Kind::Signal | Kind::Mark | Kind::Sample | Kind::Frame | Kind::Stack => {
            out.extend_from_slice(event.kind.name().as_bytes());
            write_text(out, b" ", event.text);
        }
    }
    out.extend_from_slice(b" ***");
}

fn write_exec(out: &mut Vec<u8>, event: &Event<'_>) {
    out.extend_from_slice(b"exec ");
    match event.path {
        Some(path) => write_quoted(out, path),
        None => out.push(b'?'),
    }
    if let Some(argv) = event.argv {
        out.push(b' ');
        write_argv(out, argv, event.flags.has(Flags::TRUNCATED));
    }
}

fn write_fork(out: &mut Vec<u8>, event: &Event<'_>) {
    let child = event.ret.unwrap_or(0);
    let is_thread = event.args[1] != 0 && event.args[1] as i64 != child;
    out.extend_from_slice(if is_thread { b"new thread " } else { b"new process " });
    write_number(out, child);
    if event.args[0] != 0 {
        out.extend_from_slice(b", flags ");
        flags::CLONE.write_bits(out, event.args[0]);
    }
}

fn write_lost(out: &mut Vec<u8>, event: &Event<'_>) {
    match event.ret {
        Some(1) => out.extend_from_slice(b"lost 1 event"),
        Some(count) if count >= 0 => {
            out.extend_from_slice(b"lost ");
            write_radix(out, count.unsigned_abs(), 10, 1);
            out.extend_from_slice(b" events");
        }
        _ => out.extend_from_slice(b"lost events, number unknown"),
    }
    write_text(out, b": ", event.text);
    if event.text == Some(loss::LINE.as_bytes()) {
        out.extend_from_slice(b", line ");
        write_radix(out, event.args[0], 10, 1);
    }
}

fn write_total(out: &mut Vec<u8>, event: &Event<'_>) {
    out.extend_from_slice(b"total");
    write_text(out, b" ", event.text);
    out.extend_from_slice(b" = ");
    match event.ret {
        // Counts: less than none stands for one that nobody knows.
        Some(value) if value >= 0 => write_number(out, value),
        Some(_) | None => out.extend_from_slice(b"unknown"),
    }
}

fn write_text(out: &mut Vec<u8>, before: &[u8], text: Option<&[u8]>) {
    if let Some(text) = text {
        out.extend_from_slice(before);
        write_escaped(out, text, b"");
    }
}
