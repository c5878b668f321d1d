//! Records into events.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use bytemuck::Zeroable;
use rustc_hash::FxHashMap;

use super::super::decode::effect::Effect;
use super::super::decode::layout;
use super::super::decode::paths::push_absolute;
use super::super::decode::plan::{self, PathArg, Plan, ResultFact};
use super::super::decode::restart::InterruptedCalls;
use super::super::decode::sockaddr;
use super::super::{Sink, monotonic_ns};
use super::names::Names;
use super::wire::{Head, Kind, Piece, Record, flag, pieces};
use crate::event::{self, Abi, Event, FileStat, Flags, mark};

/// A thread that is followed.
#[derive(Debug, Default)]
struct Thread {
    pid: u32,
    comm: [u8; 16],
    interrupted: InterruptedCalls,
    /// It has executed a program, whose arguments come with the call's record.
    exec: Option<(Head, Option<std::rc::Rc<[u8]>>)>,
}

/// An exec that has failed before any has succeeded.
#[derive(Debug)]
struct FirstExec {
    head: Head,
    pieces: Vec<u8>,
    signal: Option<Head>,
}

/// The state of one recording.
pub struct Session<'s, S: Sink> {
    sink: &'s mut S,
    origin_ns: u64,
    /// By identity.
    pub names: Names,
    threads: FxHashMap<u32, Thread>,
    leader: u32,
    /// Whether the command's program was executed.
    recording: bool,
    /// The last exec before that, which failed.
    first_exec: Option<FirstExec>,
    /// Live threads of each process.
    processes: FxHashMap<u32, u32>,
    /// Ends of leaders whose process goes on.
    ended_leaders: FxHashMap<u32, (Head, [u8; 16])>,
    /// Whether the command's first process has ended.
    pub leader_ended: bool,
    /// The leader has sent itself SIGSTOP.
    sent_itself_stop: bool,
    /// Threads seen.
    pub threads_seen: u64,
    text: Vec<u8>,
}

impl<'s, S: Sink> Session<'s, S> {
    /// For the process `leader`, which waits to execute the command.
    pub fn new(leader: u32, origin_ns: u64, at_once: bool, sink: &'s mut S) -> Self {
        let threads = FxHashMap::from_iter([(leader, Thread { pid: leader, ..Thread::default() })]);
        Self {
            sink,
            origin_ns,
            names: Names::default(),
            threads,
            leader,
            recording: at_once,
            first_exec: None,
            processes: FxHashMap::from_iter([(leader, 1)]),
            ended_leaders: FxHashMap::default(),
            leader_ended: false,
            sent_itself_stop: false,
            threads_seen: 1,
            text: Vec::new(),
        }
    }

    /// Whether every thread has ended.
    pub fn is_over(&self) -> bool {
        self.threads.is_empty()
    }

    /// Takes in one record.
    pub fn take(&mut self, record: Record<'_>) {
        match record {
            Record::Name(head, components) => self.names.tell(&head, components),
            Record::Other(kind, head, bytes) => match kind {
                Kind::Call => self.call(&head, bytes),
                Kind::Fork => self.fork(&head),
                Kind::Exec => self.exec(&head),
                Kind::Exit => self.exit(&head),
                Kind::Signal => self.signal(&head),
                Kind::Met => self.met(&head),
                Kind::Held => {
                    self.sent_itself_stop &= head.pid != self.leader;
                    self.mark(&head, mark::HELD);
                }
                Kind::Comm => {
                    self.threads.entry(head.tid).or_default().comm = head.comm;
                }
            },
        }
    }

    /// Records were lost, perhaps the ends of threads: those that are gone are waited for no more.
    pub fn forget(&mut self, is_gone: impl Fn(u32, u32) -> bool) {
        let gone: Vec<u32> = self
            .threads
            .iter()
            .filter(|(tid, thread)| is_gone(thread.pid, **tid))
            .map(|(tid, _)| *tid)
            .collect();
        for tid in gone {
            let Some(Thread { pid, .. }) = self.threads.remove(&tid) else { continue };
            let left = self.processes.entry(pid).or_insert(1);
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.processes.remove(&pid);
                self.leader_ended |= pid == self.leader;
            }
        }
    }

    /// The recording ends here for all that go on.
    pub fn detach(&mut self) {
        let now = monotonic_ns();
        for (tid, thread) in std::mem::take(&mut self.threads) {
            let head = Head { pid: thread.pid, tid, start_ns: now, ..Head::zeroed() };
            self.mark(&head, mark::DETACHED);
        }
    }

    fn time(&self, monotonic_ns: u64) -> u64 {
        monotonic_ns.saturating_sub(self.origin_ns)
    }

    fn point<'a>(&self, kind: event::Kind, head: &Head, comm: &'a [u8]) -> Event<'a> {
        let at = self.time(head.start_ns);
        Event { pid: head.pid, tid: head.tid, comm, start_ns: at, end_ns: Some(at), ..Event::new(kind) }
    }

    /// A thread that ran before has done something for the first time.
    fn met(&mut self, head: &Head) {
        if self.threads.contains_key(&head.tid) {
            return;
        }
        self.threads.insert(head.tid, Thread { pid: head.pid, comm: head.comm, ..Thread::default() });
        *self.processes.entry(head.pid).or_default() += 1;
        self.threads_seen += 1;
        self.mark(head, mark::ATTACHED);
    }

    fn fork(&mut self, head: &Head) {
        let (child, pid) = (head.ret as u32, head.args[1] as u32);
        let comm = self.threads.get(&head.tid).map_or([0; 16], |thread| thread.comm);
        self.threads.insert(child, Thread { pid, comm, ..Thread::default() });
        *self.processes.entry(pid).or_default() += 1;
        self.threads_seen += 1;
        let event = Event {
            ret: Some(head.ret),
            args: [head.args[0], u64::from(pid), 0, 0, 0, 0],
            ..self.point(event::Kind::Fork, head, until_nul(&comm))
        };
        self.sink.push(&event);
    }

    fn exec(&mut self, head: &Head) {
        self.recording = true;
        let former = head.args[0] as u32;
        let mut thread = self.threads.remove(&former).unwrap_or_default();
        thread.pid = head.pid;
        if former != head.tid
            && let Some((_, comm)) = self.ended_leaders.remove(&head.tid)
        {
            // The thread has taken the place of the leader, which is gone without a word to anybody.
            let event = self.point(event::Kind::Exit, head, until_nul(&comm));
            self.sink.push(&event);
        }
        thread.comm = head.comm;
        thread.exec = Some((*head, self.names.get(head.file[0])));
        self.threads.insert(head.tid, thread);
    }

    /// Pushes the exec that a thread has made, now that its arguments are known or never will be.
    fn push_exec(&mut self, tid: u32, argv: Option<&[u8]>) {
        let Some(thread) = self.threads.get_mut(&tid) else { return };
        let Some((head, path)) = thread.exec.take() else { return };
        let comm = thread.comm;
        let event = Event {
            path: path.as_deref(),
            path_abs: path.as_deref(),
            argv,
            ..self.point(event::Kind::Exec, &head, until_nul(&comm))
        };
        self.sink.push(&event);
    }

    /// Whether the command, of one process, has stopped itself by SIGSTOP.
    pub fn stopped_itself(&self) -> bool {
        self.sent_itself_stop && self.threads.values().all(|thread| thread.pid == self.leader)
    }

    fn signal(&mut self, head: &Head) {
        if !self.recording {
            if let Some(first) = &mut self.first_exec {
                first.signal = Some(*head);
            }
            return;
        }
        if head.ret as i32 == libc::SIGSTOP && head.pid == self.leader {
            self.sent_itself_stop = head.args[1] as u32 == self.leader;
        }
        let comm = self.threads.get(&head.tid).map_or([0; 16], |thread| thread.comm);
        let event = Event {
            nr: head.ret as u32,
            args: [head.args[0], head.args[1], 0, 0, 0, 0],
            ..self.point(event::Kind::Signal, head, until_nul(&comm))
        };
        self.sink.push(&event);
    }

    /// The command has died of its first exec, as of a program that does not fit its file.
    fn push_first_exec(&mut self) {
        let Some(first) = self.first_exec.take() else { return };
        self.recording = true;
        self.call(&first.head, &first.pieces);
        if let Some(signal) = first.signal {
            self.signal(&signal);
        }
    }

    fn exit(&mut self, head: &Head) {
        if !self.recording && ExitStatus::from_raw(head.ret as i32).signal().is_some() {
            self.push_first_exec();
        }
        self.push_exec(head.tid, None);
        let Some(thread) = self.threads.remove(&head.tid) else { return };
        let left = self.processes.entry(head.pid).or_insert(1);
        *left = left.saturating_sub(1);
        let last = *left == 0;
        if last {
            self.processes.remove(&head.pid);
        }
        if head.tid == head.pid && !last {
            self.ended_leaders.insert(head.pid, (*head, thread.comm));
            return;
        }
        self.push_exit(head, &thread.comm);
        if last && let Some((leader, comm)) = self.ended_leaders.remove(&head.pid) {
            // The process ends now, for those who wait for it.
            let times = (head.start_ns, head.end_ns);
            let leader = Head { args: head.args, start_ns: times.0, end_ns: times.1, ..leader };
            self.push_exit(&leader, &comm);
        }
        self.leader_ended |= last && head.pid == self.leader;
    }

    fn push_exit(&mut self, head: &Head, comm: &[u8; 16]) {
        if !self.recording {
            return;
        }
        let group = head.args[0] as i32;
        let status = if head.tid == head.pid && group != 0 { group } else { head.ret as i32 };
        let status = ExitStatus::from_raw(status);
        let ret = match status.code() {
            Some(code) => i64::from(code),
            None => -i64::from(status.signal().unwrap_or(0)),
        };
        let event = Event { ret: Some(ret), ..self.point(event::Kind::Exit, head, until_nul(comm)) };
        self.sink.push(&event);
    }

    fn call(&mut self, head: &Head, bytes: &[u8]) {
        let abi = Abi::ALL.get(usize::from(head.abi)).copied().unwrap_or_default();
        let plan = plan::of(abi, head.nr);
        if !self.recording {
            // Our own child's, unless it dies of it: then it was the command's end.
            if plan.effect == Effect::Exec {
                self.first_exec = Some(FirstExec { head: *head, pieces: bytes.to_vec(), signal: None });
            }
            return;
        }
        let words = pieces(bytes).find(|(piece, _)| *piece == Piece::Argv).map(|(_, words)| words);
        // Who has made the call, which may have another number since (execve(2), "Effect on threads").
        let exec = self.threads.get(&head.tid).and_then(|thread| thread.exec.as_ref());
        let caller = exec.map_or(head.tid, |(exec, _)| exec.args[0] as u32);
        self.push_exec(head.tid, words);
        let thread = self.threads.entry(head.tid).or_default();
        let mut flags = Flags::default();
        let restart_syscall = if abi == Abi::I386 { 0 } else { libc::SYS_restart_syscall as u32 };
        if thread.interrupted.is_restart(head.nr, head.ip, head.nr == restart_syscall) {
            flags.set(Flags::RESTARTED);
        }
        let returned = head.flags & flag::RETURNED != 0;
        if returned && (-516..=-512).contains(&head.ret) {
            thread.interrupted.push(head.nr, head.ip);
        } else if plan.effect == Effect::Sigreturn {
            thread.interrupted.handler_returned(head.extra);
        }
        let comm = thread.comm;
        let mut args = [0; 6];
        let taken = usize::from(plan.arg_count);
        args[..taken].copy_from_slice(&head.args[..taken]);
        self.text.clear();
        let files = head.file.map(|identity| self.names.get(identity));
        let parts = Parts::of(plan, abi, bytes, &mut self.text);
        let absolute = [0, 1].map(|slot| {
            let (path, at) = (parts.paths[slot]?, plan.paths[slot]?);
            let range = self.absolute(head, plan, &files, path, at);
            if range.is_none() && !path.is_empty() {
                flags.set(Flags::BASE_UNKNOWN);
            }
            range
        });
        set_flags(&mut flags, head.flags);
        let made = Event {
            pid: head.pid,
            tid: caller,
            comm: until_nul(&comm),
            start_ns: self.time(head.start_ns),
            end_ns: returned.then(|| self.time(head.end_ns)),
            abi,
            nr: head.nr,
            args,
            ret: returned.then_some(head.ret),
            ip: head.ip,
            path: parts.paths[0],
            path_abs: absolute[0].clone().and_then(|range| self.text.get(range)),
            path2: parts.paths[1],
            path2_abs: absolute[1].clone().and_then(|range| self.text.get(range)),
            file: files[0].as_deref(),
            file2: files[1].as_deref(),
            text: parts.text.or_else(|| parts.made.clone().and_then(|range| self.text.get(range))),
            peer: parts.peer.clone().and_then(|range| self.text.get(range)),
            argv: parts.argv,
            stat: parts.stat,
            flags,
            ..Event::new(event::Kind::Syscall)
        };
        self.sink.push(&made);
        if plan.effect == Effect::IoUring {
            self.mark(head, mark::IO_URING);
        }
    }

    fn mark(&mut self, head: &Head, name: &'static str) {
        let event = Event { text: Some(name.as_bytes()), ..self.point(event::Kind::Mark, head, b"") };
        self.sink.push(&event);
    }

    /// Appends the absolute form of a path to the text.
    fn absolute(
        &mut self,
        head: &Head,
        plan: &Plan,
        files: &[Option<std::rc::Rc<[u8]>>; 2],
        path: &[u8],
        at: PathArg,
    ) -> Option<std::ops::Range<usize>> {
        let dirfd = at.dirfd.filter(|&index| head.args[usize::from(index)] as i32 != libc::AT_FDCWD);
        let base = match dirfd {
            _ if path.first() == Some(&b'/') => None,
            Some(index) => Some(files[usize::from(plan.fds[0] != Some(index))].clone()?),
            None if path.is_empty() => return None,
            None => Some(self.names.get(head.cwd)?),
        };
        let root = self.names.get(head.root).filter(|root| **root != *b"/");
        let begin = self.text.len();
        self.text.extend_from_slice(path);
        let end = self.text.len();
        let (root, base) = (root.as_deref().unwrap_or_default(), base.as_deref().unwrap_or_default());
        push_absolute(&mut self.text, root, base, begin..end);
        Some(end..self.text.len())
    }
}

fn set_flags(flags: &mut Flags, bits: u16) {
    for (bit, flag) in [
        (flag::UNREADABLE0, Flags::PATH_UNREADABLE),
        (flag::UNREADABLE1, Flags::PATH2_UNREADABLE),
        (flag::RESULT_UNREADABLE, Flags::RESULT_UNREADABLE),
        (flag::TRUNCATED, Flags::TRUNCATED),
        (flag::ENTERED_BEFORE, Flags::NO_ENTRY),
    ] {
        if bits & bit != 0 {
            flags.set(flag);
        }
    }
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// What the pieces of a call's record hold.
struct Parts<'a> {
    paths: [Option<&'a [u8]>; 2],
    text: Option<&'a [u8]>,
    /// Text that was made of a structure.
    made: Option<std::ops::Range<usize>>,
    peer: Option<std::ops::Range<usize>>,
    argv: Option<&'a [u8]>,
    stat: Option<FileStat>,
}

impl<'a> Parts<'a> {
    fn of(plan: &Plan, abi: Abi, bytes: &'a [u8], text: &mut Vec<u8>) -> Self {
        let mut parts = Self { paths: [None; 2], text: None, made: None, peer: None, argv: None, stat: None };
        for (piece, bytes) in pieces(bytes) {
            match piece {
                Piece::Path(slot) => parts.paths[slot] = Some(bytes),
                Piece::Text => parts.text = Some(bytes),
                Piece::Argv => parts.argv = Some(bytes),
                Piece::Peer => {
                    let begin = text.len();
                    sockaddr::push_text(text, bytes);
                    parts.peer = Some(begin..text.len());
                }
                Piece::Result => match plan.result {
                    ResultFact::Stat(layout, _) => {
                        parts.stat = Some(layout::stat(layout, abi == Abi::X86_64, bytes));
                    }
                    ResultFact::Cwd(_) => parts.text = Some(bytes.strip_suffix(b"\0").unwrap_or(bytes)),
                    _ => parts.text = Some(bytes),
                },
                Piece::Effect => parts.made = layout::push_open_how(text, bytes),
            }
        }
        parts
    }
}
