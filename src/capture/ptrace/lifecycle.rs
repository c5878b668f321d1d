//! Births, execs, signals and ends.

use std::io;

use super::super::Sink;
use super::super::sys::breakpoint::Breakpoint;
use super::super::sys::capabilities::{CAP_SYS_PTRACE, has_capability};
use super::super::sys::clock::monotonic_ns;
use super::super::sys::doubled::seen;
use super::super::sys::ptrace::{self as request, SyscallStop};
use super::attach::status_field;
use super::beginning::Signal;
use super::entry_point;
use super::files::{Shares, proc_is_ours, proc_link};
use super::ids::describe_id;
use super::image::Image;
use super::marks::lifecycle_event;
use super::session::{Early, Session};
use super::stop::{CORE, End, Stop};
use super::thread::{Comm, Thread};
use crate::event::{Event, Kind, mark};
use crate::syscall::decode::{IdKind, keep_siginfo, sender};

impl<S: Sink> Session<'_, S> {
    /// The thread has made a child, whose tid is the event's message.
    pub(super) fn new_child(&mut self, stop: Stop, now: u64) -> io::Result<()> {
        let info = request::signal_info(stop.tid()).unwrap_or_default();
        if info.event() == libc::PTRACE_EVENT_EXEC {
            // The stop that was reported is over: an exec of another thread has replaced the thread, and
            // its child is an orphan.
            return Ok(());
        }
        if let Ok(child) = request::event_message(stop.tid()) {
            let parent = stop.tid();
            // One that was made while its maker was attached to can be known by itself.
            let is_new = !self.threads.contains_key(&(child as i32));
            if is_new && let Some(mut thread) = self.threads.remove(&parent) {
                thread.call.child_known = true;
                self.adopt(&thread, child as i32, now);
                self.threads.insert(parent, thread);
            }
            self.go_on_early(child as i32, now)?;
            self.adopt_orphans(now)?;
        }
        stop.resume(0)
    }

    /// Begins to follow `child`, made by `parent`'s present call.
    pub(super) fn adopt(&mut self, parent: &Thread, child: i32, now: u64) {
        let flags = if parent.in_call { parent.call.clone_flags } else { flags_by_proc(child) };
        let is_thread = flags & libc::CLONE_THREAD as u64 != 0;
        let pid = if is_thread && parent.pid != 0 { parent.pid } else { child };
        let event = Event {
            ret: Some(i64::from(child)),
            args: [flags, pid as u64, 0, 0, 0, 0],
            ..lifecycle_event(Kind::Fork, parent, now)
        };
        self.sink.push(&event);
        if let Some(stacks) = self.stacks.as_mut().filter(|_| pid != parent.pid) {
            stacks.forked(parent.pid, pid);
        }
        let sampled = parent.sampled.of_child();
        let new = Thread { sampled, ..Thread::new(child, pid, parent.comm, parent.shares.for_child(flags)) };
        self.threads.insert(child, new);
        self.threads_seen += 1;
    }

    /// Handles what the child did before it was known.
    fn go_on_early(&mut self, child: i32, now: u64) -> io::Result<()> {
        match self.early.remove(&child) {
            Some(Early::Stopped(stop, reason)) => self.stopped(stop, reason, now),
            Some(Early::Ended(end)) => self.ended(child, end, now),
            None => Ok(()),
        }
    }

    /// A parent that is killed inside fork never tells of its child. When no thread is left that could, the
    /// children that wait belong to the dead.
    pub(super) fn adopt_orphans(&mut self, now: u64) -> io::Result<()> {
        if self.early.is_empty() || self.threads.values().any(Thread::may_tell_of_child) {
            return Ok(());
        }
        let dead = self.died_in_fork.take();
        for (child, early) in std::mem::take(&mut self.early) {
            match (&dead, &early) {
                (Some(parent), _) => self.adopt(parent, child, now),
                // Nobody's that we know: followed all the same, since it is ours to let go on.
                (None, Early::Stopped(..)) => {
                    self.adopt(&Thread::new(0, 0, Comm::default(), Shares::of(child)), child, now);
                }
                // The end of a process that was never traced (one that was handed to us as its reaper).
                (None, Early::Ended(_)) => continue,
            }
            self.early.insert(child, early);
            self.go_on_early(child, now)?;
        }
        self.died_in_fork = dead;
        Ok(())
    }

    /// The thread runs a new program. It may have been another than the leader: all others are gone
    /// then, and it has become the leader (ptrace(2), "execve(2) under ptrace").
    pub(super) fn exec(&mut self, stop: Stop, now: u64) -> io::Result<()> {
        let tid = stop.tid();
        let former = request::event_message(tid).map_or(tid, |former| former as i32);
        if former != tid {
            self.supersede(tid, former, now)?;
        }
        let Some(thread) = self.threads.get_mut(&tid) else { return stop.resume(0) };
        if self.options.detach_on_exec && self.sink.has_begun(thread.pid) {
            self.let_go(stop);
            return Ok(());
        }
        thread.shares.exec();
        thread.sampled.executed();
        thread.comm = Comm::of(tid);
        let image = Image::of(tid);
        thread.entry_point = image.as_ref().and_then(|image| entry_point::arm(tid, image.entry));
        let executable = proc_link(tid, format_args!("exe"));
        let image = image.unwrap_or_default();
        // Looking at the program takes a while, which is not the program's.
        let end_ns = Some(self.log_time(monotonic_ns()));
        let Some(thread) = self.threads.get(&tid) else { return stop.resume(0) };
        let event = Event {
            path: executable.as_deref(),
            path_abs: executable.as_deref(),
            file: Some(image.loader_path.as_slice()).filter(|path| !path.is_empty()),
            args: [image.entry, image.loader.0, image.loader.1, 0, 0, 0],
            argv: thread.call.text(&thread.call.argv),
            end_ns,
            ..lifecycle_event(Kind::Exec, thread, now)
        };
        self.sink.open();
        self.sink.push(&event);
        self.tell_unread(tid);
        if let Some(stacks) = &mut self.stacks {
            stacks.forget(tid);
        }
        if !proc_is_ours() {
            self.mark_once(tid, mark::FOREIGN_PROC);
        }
        if executable.is_some() && loses_privilege(tid) {
            self.mark(tid, mark::SETUID);
            self.warn(mark::SETUID);
        }
        stop.resume(0)
    }

    /// The thread `former` has taken the place of the leader `tid`, which is gone without a word.
    fn supersede(&mut self, tid: i32, former: i32, now: u64) -> io::Result<()> {
        self.delays.forget(tid);
        if let Some(leader) = self.threads.remove(&tid) {
            self.emit_end(&leader, None, now, former);
            if leader.may_tell_of_child() {
                self.died_in_fork = Some(leader);
            }
        }
        if let Some(mut thread) = self.threads.remove(&former) {
            thread.tid = tid;
            self.threads.insert(tid, thread);
        }
        if let Some(pinning) = &mut self.pinning {
            pinning.rename(tid, None);
            pinning.rename(former, Some(tid));
        }
        self.adopt_orphans(now)
    }

    /// A signal is about to be delivered: it is, unchanged.
    pub(super) fn signal(&mut self, stop: Stop, signal: i32, now: u64) -> io::Result<()> {
        let info = request::signal_info(stop.tid()).unwrap_or_default();
        if info.event() != 0 && signal != libc::SIGTRAP {
            // The stop that was reported is over: an exec of another thread has replaced the thread.
            return Ok(());
        }
        if signal == libc::SIGSTOP && stop.tid() == self.leader {
            self.stopped_itself = info.sender == self.leader;
        }
        if let Some(thread) = self.threads.get_mut(&stop.tid()) {
            thread.signal_memory.clear();
            if let Some(style) = &self.options.keep
                && let Ok(info) = request::signal_bytes(thread.tid)
            {
                let is_told = style.names || style.namespaces;
                let about =
                    is_told.then(|| describe_id(thread.tid, IdKind::Process, sender(&info), style)).flatten();
                keep_siginfo(&mut thread.signal_memory, &info, about.as_deref());
            }
            if thread.pid == self.leader {
                seen(signal, info.sender);
            }
            let (code, sender) = (info.code, info.sender);
            let ip = if self.options.signal_pointers { instruction_pointer(thread.tid) } else { 0 };
            self.sink.signal(thread, Signal { number: signal, code, sender, at_ns: now, ip });
        }
        stop.resume(signal)
    }

    /// A thread begins to end: the call that it is in does not return.
    pub(super) fn exiting(&mut self, stop: Stop) -> io::Result<()> {
        if let Some(thread) = self.threads.get_mut(&stop.tid()).filter(|thread| thread.in_call)
            && self.sink.has_begun(thread.pid)
        {
            thread.call.is_over = true;
            self.sink.push(&thread.call.event(thread.pid, thread.comm.as_bytes(), None, None));
        }
        stop.resume(0)
    }

    /// A thread is gone.
    pub(super) fn ended(&mut self, tid: i32, end: End, now: u64) -> io::Result<()> {
        self.note_entry_point(tid);
        self.delays.forget(tid);
        if tid == self.leader {
            self.end = Some(end);
            if let Some(watch) = &self.watch {
                self.asked = watch.received();
                watch.leader_ended();
                watch.stop_if_missed();
            }
        }
        if let Some(pinning) = &mut self.pinning {
            pinning.rename(tid, None);
        }
        self.tell_unread(tid);
        let Some(thread) = self.threads.remove(&tid) else {
            if !self.options.follow {
                // A child of ours that the command has made (CLONE_PARENT).
                self.sink.unknown(tid, true);
                return Ok(());
            }
            self.early.insert(tid, Early::Ended(end));
            return self.adopt_orphans(now);
        };
        self.emit_end(&thread, Some(end), now, 0);
        if let Some(stacks) = self.stacks.as_mut().filter(|_| thread.tid == thread.pid) {
            stacks.forget(thread.pid);
        }
        if thread.may_tell_of_child() {
            self.died_in_fork = Some(thread);
            self.adopt_orphans(now)?;
        }
        Ok(())
    }

    /// A process that had an interpreter whose functions are missing from the stacks has run another program, or ended.
    fn tell_unread(&mut self, pid: i32) {
        if self.stacks.as_ref().is_some_and(|stacks| stacks.is_unread(pid)) {
            self.mark_once(pid, mark::UNREAD_PYTHON);
        }
    }

    /// The call the thread was in never returned; then its end, if the kernel told of one, or the thread whose exec has
    /// put it in this one's place.
    fn emit_end(&mut self, thread: &Thread, end: Option<End>, now: u64, successor: i32) {
        self.sink.ended(thread, end);
        self.sample_rest(thread, now);
        if thread.in_call && !thread.call.is_over {
            self.sink.push(&thread.call.event(thread.pid, thread.comm.as_bytes(), None, None));
        }
        let ret = match end {
            Some(End::Exited(status)) => Some(i64::from(status)),
            Some(End::Killed(signal)) => Some(-i64::from(signal & !CORE)),
            None => None,
        };
        let is_dumped = matches!(end, Some(End::Killed(signal)) if signal & CORE != 0);
        let args = [u64::from(is_dumped), u64::from(successor.cast_unsigned()), 0, 0, 0, 0];
        self.sink.push(&Event { args, ret, ..lifecycle_event(Kind::Exit, thread, now) });
    }

    /// Records that the program's entry point was reached, if it was.
    pub(super) fn note_entry_point(&mut self, tid: i32) {
        let Some(thread) = self.threads.get_mut(&tid) else { return };
        let Some(reached) = thread.entry_point.as_ref().and_then(Breakpoint::reached_ns) else { return };
        thread.entry_point = None;
        let at_ns = self.log_time(reached);
        self.mark_at(tid, mark::ENTRY, at_ns);
    }
}

/// What can be known of how a thread was made whose maker's call was not seen.
fn flags_by_proc(child: i32) -> u64 {
    let shared = libc::CLONE_THREAD | libc::CLONE_VM | libc::CLONE_FILES | libc::CLONE_FS;
    match status_field(child, "Tgid:") {
        Some(pid) if pid != child => shared as u64,
        _ => 0,
    }
}

/// Whether the program would have gained a privilege, had its tracer been allowed to let it
/// (execve(2): set-user-ID and set-group-ID bits and file capabilities are ignored under ptrace unless the
/// tracer has `CAP_SYS_PTRACE`).
fn loses_privilege(tid: i32) -> bool {
    use std::os::unix::fs::MetadataExt;
    if has_capability(CAP_SYS_PTRACE) {
        return false;
    }
    let Ok(meta) = std::fs::metadata(format!("/proc/{tid}/exe")) else { return false };
    let runs_as_group = libc::S_ISGID | libc::S_IXGRP;
    let set_user = meta.mode() & libc::S_ISUID != 0 && meta.uid() != nix::unistd::geteuid().as_raw();
    let set_group =
        meta.mode() & runs_as_group == runs_as_group && meta.gid() != nix::unistd::getegid().as_raw();
    set_user || set_group
}

/// Where a thread that is stopped by a signal goes on.
fn instruction_pointer(tid: i32) -> u64 {
    match request::syscall_stop(tid) {
        Ok(SyscallStop::None { ip }) => ip,
        _ => 0,
    }
}
