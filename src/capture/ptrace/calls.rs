//! Entries and exits of system calls: what must happen before the kernel sees a call, and before the thread makes use
//! of its result.

use std::io;

use nix::sys::statfs::{PROC_SUPER_MAGIC, statfs};

use super::super::Sink;
use super::super::decode::effect::Effect;
use super::super::decode::restart::asks_for_restart;
use super::super::sys::ptrace::{self as request, SyscallStop};
use super::call::Call;
use super::content;
use super::delays::Then;
use super::entry::{self, Entry};
use super::exit;
use super::session::Session;
use super::signals_taken;
use super::stop::{Stop, unless_gone};
use super::thread::Comm;
use crate::event::{Event, Flags, mark};
use crate::syscall;

impl<S: Sink> Session<'_, S> {
    pub(super) fn syscall(&mut self, stop: Stop, now: u64) -> io::Result<()> {
        match request::syscall_stop(stop.tid()) {
            Ok(SyscallStop::Entry { nr, .. }) if self.puts_off(&stop, nr)? => stop.resume(0),
            Ok(SyscallStop::Exit { ip, .. }) if self.repeats(&stop, ip)? => stop.resume(0),
            Ok(SyscallStop::Entry { arch, nr, args, ip, sp }) => {
                self.syscall_entry(stop.filtered(false), &Entry { arch, nr, args, ip, sp })
            }
            Ok(SyscallStop::Exit { ret, ip }) => {
                let stop = stop.filtered(self.options.filtered);
                self.syscall_exit(stop, ret, ip, now)
            }
            // The stop that was reported is over: the thread was killed, or an exec of another thread
            // replaced it. The kernel will report what came of it.
            Ok(SyscallStop::None { .. }) => Ok(()),
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn syscall_entry(&mut self, stop: Stop, entry: &Entry) -> io::Result<()> {
        let Some(thread) = self.threads.get_mut(&stop.tid()) else { return stop.resume(0) };
        entry::capture(thread, entry);
        let event = thread.call.event(thread.pid, thread.comm.as_bytes(), None, None);
        let intervention = self.sink.intervention(&event);
        if !intervention.is_none() {
            self.prepare(stop.tid(), entry, intervention);
        }
        let Some(thread) = self.threads.get_mut(&stop.tid()) else { return stop.resume(0) };
        let effect = thread.call.plan.effect;
        if !self.sink.has_begun(thread.pid) {
            self.sink.enters(effect == Effect::Exec);
            if effect != Effect::Exec {
                return stop.filtered(self.options.filtered).resume(0);
            }
        }
        if let Some(style) = &self.options.keep {
            content::at_entry(thread, style, entry.sp);
        }
        thread.in_call = true;
        // What leads to the first execve is our own code.
        let is_of_command = self.sink.has_begun(thread.pid);
        if let Some(stacks) = self.stacks.as_mut().filter(|_| is_of_command) {
            let sink = &mut self.sink;
            thread.call.stack = stacks.take(thread.pid, &thread.call, &mut |event| sink.push(event));
        }
        let clone_flags = thread.call.clone_flags;
        if self.samples.is_some() && confines(&thread.call) {
            let pid = thread.pid;
            self.is_confined(pid);
        }
        self.before(stop.tid(), effect, clone_flags);
        let start_ns = self.now();
        let beside = !self.is_pinned();
        if let Some(thread) = self.threads.get_mut(&stop.tid()) {
            thread.call.start_ns = start_ns;
            if beside {
                thread.call.flags.set(Flags::BESIDE);
                self.was_parallel = true;
            }
            let event = thread.call.event(thread.pid, thread.comm.as_bytes(), None, None);
            self.sink.entered(&event);
            if !thread.call.intervention.is_none() {
                let intervention = thread.call.intervention;
                return self.enter(stop, intervention);
            }
        }
        stop.resume(0)
    }

    /// What must happen before the kernel sees the call.
    fn before(&mut self, tid: i32, effect: Effect, clone_flags: u64) {
        match effect {
            Effect::None => {}
            // Asked for again, it is put back again; glibc asks at the start of many programs.
            effect if effect.makes_child() || effect == Effect::AskAffinity => self.release_cpu(),
            Effect::Affinity => self.unpin(tid),
            Effect::IoUring => {
                self.unpin(tid);
                self.mark(tid, mark::IO_URING);
            }
            Effect::Ptrace => {
                self.mark(tid, mark::PTRACE);
                self.warn(mark::PTRACE);
            }
            effect => {
                if let Some(pinning) = &mut self.pinning {
                    pinning.before(effect);
                }
            }
        }
        if clone_flags & libc::CLONE_UNTRACED as u64 != 0 {
            self.mark(tid, mark::UNTRACED_CHILD);
            self.warn(mark::UNTRACED_CHILD);
        }
    }

    fn syscall_exit(&mut self, stop: Stop, ret: i64, ip: u64, now: u64) -> io::Result<()> {
        let Some(thread) = self.threads.get_mut(&stop.tid()) else { return stop.resume(0) };
        if !thread.in_call {
            return stop.resume(0);
        }
        thread.in_call = false;
        let ret = match thread.call.intervention.result {
            Some(result) => {
                unless_gone(request::set_result(stop.tid(), result))?;
                result
            }
            None => ret,
        };
        self.poke_exit(stop.tid());
        let Some(thread) = self.threads.get_mut(&stop.tid()) else { return stop.resume(0) };
        let stat = exit::capture(thread, ret);
        if let Some(style) = &self.options.keep {
            content::at_exit(thread, style, ret);
        }
        if asks_for_restart(ret) {
            thread.interrupted.push(thread.call.nr, thread.call.ip);
        } else if thread.call.plan.effect == Effect::Sigreturn {
            thread.interrupted.handler_returned(ip);
        }
        let event = thread.call.event(thread.pid, thread.comm.as_bytes(), Some(ret), Some(now));
        self.sink.push(&Event { stat, ..event });
        if exit::is_error(ret) {
            self.sink.failed(thread.pid, ret, now);
        }
        let delay = thread.call.intervention.delay_exit;
        if exit::is_error(ret) && thread.call.plan.effect.makes_child() {
            self.adopt_orphans(now)?;
        }
        match delay {
            Some(delay) => {
                self.delays.hold(stop, delay, Then::Return(ret));
                Ok(())
            }
            None => self.after(stop, ret),
        }
    }

    /// What must happen before the thread makes use of the result.
    pub(super) fn after(&mut self, stop: Stop, ret: i64) -> io::Result<()> {
        let Some(thread) = self.threads.get(&stop.tid()) else { return stop.resume(0) };
        let named = thread.call.files[0].as_deref().and_then(thread_named_by);
        if ret > 0 && thread.pid == self.leader {
            signals_taken::note(thread, ret);
        }
        let shows_mask = thread.call.plan.makes_fd
            && thread.call.files.iter().flatten().any(|file| file.ends_with(b"/status"))
            && is_of_proc(thread.tid, ret);
        if shows_mask {
            self.unpin(stop.tid());
        }
        if let Some(thread) = named.filter(|_| ret > 0).and_then(|tid| self.threads.get_mut(&tid)) {
            thread.comm = Comm::of(thread.tid);
        }
        stop.resume(0)
    }
}

/// Whether the call may put its process under a seccomp filter.
fn confines(call: &Call) -> bool {
    syscall::lookup(call.abi, call.nr).is_some_and(|spec| match spec.name {
        "seccomp" => true,
        "prctl" => call.args[0] == libc::PR_SET_SECCOMP as u64,
        _ => false,
    })
}

/// The thread whose name is read or written at `/proc/PID/task/TID/comm`.
fn thread_named_by(file: &[u8]) -> Option<i32> {
    let path = file.strip_prefix(b"/proc/")?.strip_suffix(b"/comm")?;
    std::str::from_utf8(path.rsplit(|&byte| byte == b'/').next()?).ok()?.parse().ok()
}

/// Whether what a thread has opened is in a procfs, wherever that is mounted; also where that is not to be known.
fn is_of_proc(tid: i32, fd: i64) -> bool {
    let path = format!("/proc/{tid}/fd/{fd}");
    fd >= 0 && statfs(path.as_str()).map_or(true, |of| of.filesystem_type() == PROC_SUPER_MAGIC)
}
