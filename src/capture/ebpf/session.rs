//! Records into events, and who lives. What a call's record becomes is in `call`.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::rc::Rc;

use bytemuck::Zeroable;
use rustc_hash::{FxHashMap, FxHashSet};

use super::super::decode::restart::InterruptedCalls;
use super::super::{Sink, monotonic_ns};
use super::names::Names;
use super::program::{Programs, Start};
use super::stacks::CallStacks;
use super::wire::{Head, Kind, Record, Words};
use crate::event::{self, Event, mark};

/// A thread that is followed.
#[derive(Debug, Default)]
pub(super) struct Thread {
    pid: u32,
    pub(super) comm: [u8; 16],
    pub(super) interrupted: InterruptedCalls,
    /// It has executed a program, whose arguments come with the call's record.
    pub(super) exec: Option<Executed>,
    /// Identities of its cwd and root, as it told them last.
    pub(super) places: [u64; 2],
    /// The dynamic loader of its program runs.
    loads: bool,
    /// When it came to be followed, if that was after the recording had begun and it ran before, by the monotonic clock.
    pub(super) joined_ns: u64,
}

/// A program that a thread executes.
#[derive(Debug)]
pub(super) struct Executed {
    head: Head,
    /// The number that the thread had before: of a process's other threads only the one that executes goes on.
    pub(super) former: u32,
    path: Option<Rc<[u8]>>,
    start: Start,
}

/// An exec that has failed before any has succeeded.
#[derive(Debug)]
pub(super) struct FirstExec {
    pub(super) head: Head,
    pub(super) words: Words,
    pub(super) pieces: Vec<u8>,
    pub(super) signal: Option<(Head, Words)>,
}

/// The state of one recording.
pub struct Session<'s, S: Sink> {
    pub(super) sink: &'s mut S,
    origin_ns: u64,
    /// By identity.
    pub(super) names: Names,
    programs: Programs,
    /// Where stacks of calls are wanted.
    pub(super) stacks: Option<Box<CallStacks>>,
    threads: FxHashMap<u32, Thread>,
    pub(super) leader: u32,
    /// Whether the command's program was executed.
    pub(super) recording: bool,
    /// The last exec before that, which failed.
    pub(super) first_exec: Option<FirstExec>,
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
    /// Of a cgroup: those that were in it when the recording began.
    members: Option<FxHashSet<u32>>,
    pub(super) text: Vec<u8>,
}

impl<'s, S: Sink> Session<'s, S> {
    /// For the process `leader`, which waits to execute the command.
    pub fn new(leader: u32, origin_ns: u64, at_once: bool, sink: &'s mut S) -> Self {
        let threads = FxHashMap::from_iter([(leader, Thread { pid: leader, ..Thread::default() })]);
        Self {
            sink,
            origin_ns,
            names: Names::default(),
            programs: Programs::default(),
            stacks: None,
            threads,
            leader,
            recording: at_once,
            first_exec: None,
            processes: FxHashMap::from_iter([(leader, 1)]),
            ended_leaders: FxHashMap::default(),
            leader_ended: false,
            sent_itself_stop: false,
            threads_seen: 1,
            members: None,
            text: Vec::new(),
        }
    }

    /// The thread of a record, known or not: its birth may not have been told.
    pub(super) fn known(&mut self, head: &Head) -> &mut Thread {
        self.threads.entry(head.tid).or_insert_with(|| {
            *self.processes.entry(head.pid).or_default() += 1;
            self.threads_seen += 1;
            Thread { pid: head.pid, ..Thread::default() }
        })
    }

    /// Whether every thread has ended.
    pub fn is_over(&self) -> bool {
        self.threads.is_empty()
    }

    /// Takes in one record.
    pub fn take(&mut self, record: Record<'_>) {
        match record {
            Record::Name(head, components) => self.names.tell(&head, components),
            Record::Other(kind, head, words, bytes) => match kind {
                Kind::Call => self.call(&head, &words, bytes),
                Kind::Fork => self.fork(&head, &words),
                Kind::Exec => self.exec(&head, &words),
                Kind::Exit => self.exit(&head, words.0[0]),
                Kind::Signal => self.signal(&head, &words),
                Kind::Met => self.met(&head, words.comm(0)),
                Kind::Held => {
                    self.sent_itself_stop &= head.pid != self.leader;
                    self.mark(&head, mark::HELD);
                }
                Kind::Comm => self.known(&head).comm = words.comm(0),
                Kind::Entered => self.entered(&head),
                Kind::Slowed => self.mark(&head, mark::SLOWED),
                Kind::Hidden => self.mark(&head, mark::HIDDEN),
                Kind::Stack => {
                    if let Some(stacks) = self.stacks.as_mut().filter(|_| self.recording) {
                        stacks.take(&head, bytes, &mut |event| self.sink.push(event));
                    }
                }
            },
        }
    }

    /// For threads that run already, or that are met.
    pub fn of_running(origin_ns: u64, sink: &'s mut S) -> Self {
        let mut session = Self::new(0, origin_ns, true, sink);
        session.threads.clear();
        session.processes.clear();
        session.threads_seen = 0;
        session
    }

    /// These are followed from the beginning; others that are met join later.
    pub fn members(&mut self, tids: Vec<u32>) {
        self.members = Some(tids.into_iter().collect());
    }

    /// A thread is followed from now on that runs already.
    pub fn attach(&mut self, pid: u32, tid: u32, comm: [u8; 16]) {
        self.met(&Head { pid, tid, start_ns: monotonic_ns(), ..Head::zeroed() }, comm);
    }

    /// Says for whom the recording goes on after the leader's end.
    pub fn waits_for(&mut self) {
        let mut pids: Vec<i32> = self.threads.values().map(|thread| thread.pid as i32).collect();
        pids.sort_unstable();
        pids.dedup();
        self.sink.waits_for(&pids);
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

    pub(super) fn time(&self, monotonic_ns: u64) -> u64 {
        monotonic_ns.saturating_sub(self.origin_ns)
    }

    fn point<'a>(&self, kind: event::Kind, head: &Head, comm: &'a [u8]) -> Event<'a> {
        let at = self.time(head.start_ns);
        Event { pid: head.pid, tid: head.tid, comm, start_ns: at, end_ns: Some(at), ..Event::new(kind) }
    }

    /// The program begins, which it does once.
    fn entered(&mut self, head: &Head) {
        if std::mem::take(&mut self.known(head).loads) {
            self.mark(head, mark::ENTRY);
        }
    }

    /// A thread that ran before has done something for the first time.
    fn met(&mut self, head: &Head, comm: [u8; 16]) {
        if self.threads.contains_key(&head.tid) {
            return;
        }
        let joins = self.members.as_ref().is_some_and(|members| !members.contains(&head.tid));
        let thread = self.known(head);
        thread.comm = comm;
        thread.joined_ns = if joins { head.start_ns } else { 0 };
        self.mark(head, mark::ATTACHED);
    }

    fn fork(&mut self, head: &Head, words: &Words) {
        let [flags, pid, ..] = words.0;
        let (child, pid) = (head.ret as u32, pid as u32);
        if let Some(stacks) = &mut self.stacks {
            stacks.forked(head.pid, pid);
        }
        let comm = self.threads.get(&head.tid).map_or([0; 16], |thread| thread.comm);
        self.threads.insert(child, Thread { pid, comm, ..Thread::default() });
        *self.processes.entry(pid).or_default() += 1;
        self.threads_seen += 1;
        let event = Event {
            ret: Some(head.ret),
            args: [flags, u64::from(pid), 0, 0, 0, 0],
            ..self.point(event::Kind::Fork, head, until_nul(&comm))
        };
        self.sink.push(&event);
    }

    fn exec(&mut self, head: &Head, words: &Words) {
        self.recording = true;
        let [former, entry, base, headers, file, ..] = words.0;
        let former = former as u32;
        let mut thread = self.threads.remove(&former).unwrap_or_default();
        thread.pid = head.pid;
        if former != head.tid
            && let Some((_, comm)) = self.ended_leaders.remove(&head.tid)
        {
            // The thread has taken the place of the leader, which is gone without a word to anybody.
            let event = self.point(event::Kind::Exit, head, until_nul(&comm));
            self.sink.push(&event);
        }
        thread.comm = words.comm(5);
        let start = Start { entry, base, headers };
        let file = self.names.file(file);
        if let Some(stacks) = &mut self.stacks {
            let file = file.as_ref().map(|(path, id)| (&**path, *id));
            stacks.executed(head.pid, &start, file, &mut self.programs);
        }
        thread.exec = Some(Executed { head: *head, former, path: file.map(|(path, _)| path), start });
        self.threads.insert(head.tid, thread);
    }

    /// Pushes the exec that a thread has made, now that its arguments are known or never will be.
    /// Gives whether it begins at once, without a loader.
    pub(super) fn push_exec(&mut self, tid: u32, argv: Option<&[u8]>) -> bool {
        let Some(thread) = self.threads.get_mut(&tid) else { return false };
        let Some(Executed { head, path, start, .. }) = thread.exec.take() else { return false };
        thread.loads = start.base != 0;
        let comm = thread.comm;
        let image = self.programs.image(path.as_deref(), &start);
        let event = Event {
            path: path.as_deref(),
            path_abs: path.as_deref(),
            file: Some(image.loader_path.as_slice()).filter(|path| !path.is_empty()),
            args: [image.entry, image.loader.0, image.loader.1, 0, 0, 0],
            argv,
            ..self.point(event::Kind::Exec, &head, until_nul(&comm))
        };
        self.sink.push(&event);
        start.entry != 0 && start.base == 0
    }

    /// Whether the command, of one process, has stopped itself by SIGSTOP.
    pub fn stopped_itself(&self) -> bool {
        self.sent_itself_stop && self.threads.values().all(|thread| thread.pid == self.leader)
    }

    fn signal(&mut self, head: &Head, words: &Words) {
        if !self.recording {
            if let Some(first) = &mut self.first_exec {
                first.signal = Some((*head, *words));
            }
            return;
        }
        let [code, sender, ..] = words.0;
        if head.ret as i32 == libc::SIGSTOP && head.pid == self.leader {
            self.sent_itself_stop = sender as u32 == self.leader;
        }
        let comm = self.threads.get(&head.tid).map_or([0; 16], |thread| thread.comm);
        let event = Event {
            nr: head.ret as u32,
            args: [code, sender, 0, 0, 0, 0],
            ..self.point(event::Kind::Signal, head, until_nul(&comm))
        };
        self.sink.push(&event);
    }

    /// The command has died of its first exec, as of a program that does not fit its file.
    fn push_first_exec(&mut self) {
        let Some(first) = self.first_exec.take() else { return };
        self.recording = true;
        self.call(&first.head, &first.words, &first.pieces);
        if let Some((head, words)) = first.signal {
            self.signal(&head, &words);
        }
    }

    /// A thread has ended; `group` is the status of its whole process, where one ends all of it.
    fn exit(&mut self, head: &Head, group: u64) {
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
            if let Some(stacks) = &mut self.stacks {
                stacks.ended(head.pid);
            }
        }
        if head.tid == head.pid && !last {
            self.ended_leaders.insert(head.pid, (*head, thread.comm));
            return;
        }
        self.push_exit(head, group, &thread.comm);
        if last && let Some((leader, comm)) = self.ended_leaders.remove(&head.pid) {
            // The process ends now, for those who wait for it.
            let times = (head.start_ns, head.end_ns);
            let leader = Head { start_ns: times.0, end_ns: times.1, ..leader };
            self.push_exit(&leader, group, &comm);
        }
        self.leader_ended |= last && head.pid == self.leader;
    }

    fn push_exit(&mut self, head: &Head, group: u64, comm: &[u8; 16]) {
        if !self.recording {
            return;
        }
        let group = group as i32;
        let status = if head.tid == head.pid && group != 0 { group } else { head.ret as i32 };
        let status = ExitStatus::from_raw(status);
        let ret = match status.code() {
            Some(code) => i64::from(code),
            None => -i64::from(status.signal().unwrap_or(0)),
        };
        let event = Event { ret: Some(ret), ..self.point(event::Kind::Exit, head, until_nul(comm)) };
        self.sink.push(&event);
    }

    pub(super) fn mark(&mut self, head: &Head, name: &'static str) {
        let event = Event { text: Some(name.as_bytes()), ..self.point(event::Kind::Mark, head, b"") };
        self.sink.push(&event);
    }
}

pub(super) fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}
