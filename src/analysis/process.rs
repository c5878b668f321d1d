//! The processes of a run: who started whom, what each became, how it ended.
//!
//! Events come in order of completion, so a child's first call can stand before its parent's fork.
//! A process is made when it is first heard of, by whichever event that is; a pid that ended and
//! is heard of again is a new process.

use rustc_hash::FxHashMap;

use super::intern::{Id, Interner};
use crate::event::{Event, Kind};

/// Index of a process in [`Processes`].
pub type ProcessId = u32;

/// `CLONE_THREAD` of clone(2): the child is a thread of the caller's process.
const CLONE_THREAD: u64 = 0x0001_0000;
/// Errno of a program file that is not there.
const ENOENT: i32 = 2;

/// A program a process became.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exec {
    /// When.
    pub at_ns: u64,
    /// How long the recorder then held the process to look at the program.
    pub held_ns: u64,
    /// Its executable, in [`Processes::strings`].
    pub path: Id,
    /// Its arguments as in `Event::argv`, in [`Processes::strings`].
    pub argv: Id,
}

/// One process.
#[derive(Debug, Clone)]
pub struct Process {
    /// Its id (thread-group id).
    pub pid: u32,
    /// Who made it, where that was seen.
    pub parent: Option<ProcessId>,
    /// First heard of, or forked.
    pub start_ns: u64,
    /// Last heard of.
    pub end_ns: u64,
    /// Exit status, or minus the signal that killed it; `None`: its end was not seen.
    pub status: Option<i64>,
    /// What it became, in order.
    pub execs: Vec<Exec>,
    /// Threads made, the first one not counted.
    pub threads: u32,
    /// Children made.
    pub forks: u32,
    /// System calls made.
    pub calls: u64,
    /// `execve` calls that failed because there was no such file: the search of `PATH`.
    pub failed_execs: u32,
    /// Name of its first thread when last heard of, in [`Processes::strings`].
    pub comm: Id,
    /// Whether that is known.
    has_comm: bool,
    /// Threads alive.
    alive: u32,
}

impl Process {
    /// How many programs it had become by then.
    #[must_use]
    pub fn programs_by(&self, at_ns: u64) -> usize {
        self.execs.partition_point(|exec| exec.at_ns <= at_ns)
    }
}

/// All processes of a run.
#[derive(Debug, Default)]
pub struct Processes {
    /// Paths, arguments and names.
    pub strings: Interner,
    list: Vec<Process>,
    by_pid: FxHashMap<u32, ProcessId>,
    /// The last process heard of: most events come from the one before.
    last: Option<(u32, ProcessId)>,
}

impl Processes {
    /// Takes note of one event, and says whose it is. `exec_call`: it is an `execve` or `execveat`.
    pub fn add(&mut self, event: &Event<'_>, exec_call: bool) -> ProcessId {
        let id = self.of(event);
        let at_ns = event.end_ns.unwrap_or(event.start_ns);
        let process = &mut self.list[id as usize];
        process.end_ns = process.end_ns.max(at_ns);
        if !process.has_comm && !event.comm.is_empty() {
            // The first word of one that ran before need not have its name.
            process.has_comm = true;
            process.comm = self.strings.id(event.comm);
        }
        match event.kind {
            Kind::Syscall => {
                process.calls += 1;
                process.failed_execs += u32::from(exec_call && event.errno() == Some(ENOENT));
            }
            Kind::Exec => self.exec(id, event),
            Kind::Fork => self.fork(id, event),
            Kind::Exit => self.exit(id, event),
            Kind::Signal
            | Kind::Mark
            | Kind::Lost
            | Kind::Total
            | Kind::Sample
            | Kind::Frame
            | Kind::Stack => {}
        }
        id
    }

    fn of(&mut self, event: &Event<'_>) -> ProcessId {
        if let Some((pid, id)) = self.last
            && pid == event.pid
            && self.list[id as usize].alive > 0
        {
            return id;
        }
        let known = self.by_pid.get(&event.pid).copied();
        let id = match known {
            Some(id) if self.list[id as usize].alive > 0 || event.kind == Kind::Exit => id,
            _ => self.make(event.pid, event.start_ns, event.comm),
        };
        self.last = Some((event.pid, id));
        id
    }

    fn make(&mut self, pid: u32, start_ns: u64, event_comm: &[u8]) -> ProcessId {
        let id = self.list.len() as ProcessId;
        let comm = self.strings.id(event_comm);
        self.list.push(Process {
            pid,
            parent: None,
            start_ns,
            end_ns: start_ns,
            status: None,
            execs: Vec::new(),
            threads: 0,
            forks: 0,
            calls: 0,
            failed_execs: 0,
            comm,
            has_comm: !event_comm.is_empty(),
            alive: 1,
        });
        self.by_pid.insert(pid, id);
        id
    }

    fn exec(&mut self, id: ProcessId, event: &Event<'_>) {
        let path = self.strings.id(event.path_abs.or(event.path).unwrap_or_default());
        let argv = self.strings.id(event.argv.unwrap_or_default());
        let process = &mut self.list[id as usize];
        process.execs.push(Exec {
            at_ns: event.start_ns,
            held_ns: event.duration_ns().unwrap_or(0),
            path,
            argv,
        });
        // An exec ends every other thread of the process.
        process.alive = 1;
        process.comm = self.strings.id(event.comm);
    }

    fn fork(&mut self, id: ProcessId, event: &Event<'_>) {
        let child_pid = event.args[1] as u32;
        let thread = event.args[0] & CLONE_THREAD != 0 || child_pid == event.pid;
        if thread {
            let process = &mut self.list[id as usize];
            process.threads += 1;
            process.alive += 1;
            return;
        }
        self.list[id as usize].forks += 1;
        let known = self.by_pid.get(&child_pid).copied();
        let child = match known {
            // Its own events came first.
            Some(child) if child != id && self.list[child as usize].parent.is_none() => child,
            _ => self.make(child_pid, event.start_ns, event.comm),
        };
        let child = &mut self.list[child as usize];
        child.parent = Some(id);
        child.start_ns = child.start_ns.min(event.start_ns);
        self.last = self.last.filter(|(pid, _)| *pid != child_pid);
    }

    fn exit(&mut self, id: ProcessId, event: &Event<'_>) {
        let process = &mut self.list[id as usize];
        process.alive = process.alive.saturating_sub(1);
        if event.tid == event.pid || process.alive == 0 {
            process.status = event.ret.or(process.status);
        }
    }

    /// The process of the last event; 0 before the first.
    #[must_use]
    pub fn current(&self) -> ProcessId {
        self.last.map_or(0, |(_, id)| id)
    }

    /// Whether all was done by one thread.
    #[must_use]
    pub fn is_one_thread(&self) -> bool {
        self.list.len() <= 1 && self.list.iter().all(|process| process.threads == 0)
    }

    /// All of them, in the order first heard of.
    #[must_use]
    pub fn list(&self) -> &[Process] {
        &self.list
    }

    /// The command's own process: the first one heard of.
    #[must_use]
    pub fn root(&self) -> Option<&Process> {
        self.list.first()
    }

    /// What a process was called when it was made: what its parent was then.
    #[must_use]
    pub fn name_at_start(&self, process: &Process) -> &[u8] {
        let parent = process.parent.and_then(|parent| self.list.get(parent as usize));
        let Some(parent) = parent else { return self.name(process) };
        let exec = parent.programs_by(process.start_ns).checked_sub(1).map(|last| &parent.execs[last]);
        exec.map_or_else(|| self.name(parent), |exec| super::text::file_name(self.strings.get(exec.path)))
    }

    /// What a process is called: the file name of its last executable, or its thread's name.
    #[must_use]
    pub fn name(&self, process: &Process) -> &[u8] {
        let path = process.execs.last().map_or(&b""[..], |exec| self.strings.get(exec.path));
        let path = super::text::file_name(path);
        if path.is_empty() { self.strings.get(process.comm) } else { path }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: Kind, pid: u32, at_ns: u64) -> Event<'static> {
        Event {
            pid,
            tid: pid,
            start_ns: at_ns,
            end_ns: Some(at_ns),
            comm: b"sh",
            ret: Some(0),
            ..Event::new(kind)
        }
    }

    fn fork(pid: u32, child: u32, flags: u64, at_ns: u64) -> Event<'static> {
        let args = [flags, u64::from(child), 0, 0, 0, 0];
        Event { args, ret: Some(i64::from(child)), ..event(Kind::Fork, pid, at_ns) }
    }

    #[test]
    fn a_child_may_be_heard_of_before_its_fork() {
        let mut processes = Processes::default();
        processes.add(&event(Kind::Syscall, 10, 1), false);
        let child = processes.add(&event(Kind::Syscall, 11, 5), false);
        processes.add(&fork(10, 11, 17, 4), false);
        let child = &processes.list()[child as usize];
        assert_eq!((child.parent, child.start_ns, child.calls), (Some(0), 4, 1));
        assert_eq!(processes.list().len(), 2);
        assert_eq!(processes.root().unwrap().forks, 1);
    }

    #[test]
    fn threads_belong_to_their_process_and_it_ends_with_the_last() {
        let mut processes = Processes::default();
        processes.add(&event(Kind::Syscall, 10, 1), false);
        let clone_thread = Event { args: [CLONE_THREAD, 10, 0, 0, 0, 0], ..fork(10, 10, CLONE_THREAD, 2) };
        processes.add(&clone_thread, false);
        processes.add(&Event { tid: 12, ret: Some(7), ..event(Kind::Exit, 10, 3) }, false);
        assert_eq!(processes.root().unwrap().status, None, "the first thread lives");
        processes.add(&Event { ret: Some(-9), ..event(Kind::Exit, 10, 4) }, false);
        let root = processes.root().unwrap();
        assert_eq!((root.status, root.threads, root.forks, root.end_ns), (Some(-9), 1, 0, 4));
    }

    #[test]
    fn a_pid_used_again_is_a_new_process() {
        let mut processes = Processes::default();
        processes.add(&event(Kind::Syscall, 10, 1), false);
        processes.add(&fork(10, 11, 17, 2), false);
        processes.add(&event(Kind::Syscall, 11, 3), false);
        processes.add(&event(Kind::Exit, 11, 4), false);
        processes.add(&fork(10, 11, 17, 5), false);
        processes.add(&event(Kind::Syscall, 11, 6), false);
        let calls: Vec<_> = processes.list().iter().map(|process| (process.pid, process.calls)).collect();
        assert_eq!(calls, [(10, 1), (11, 1), (11, 1)]);
    }

    #[test]
    fn execs_and_failed_probes_are_kept() {
        let mut processes = Processes::default();
        let probe = Event { ret: Some(-2), ..event(Kind::Syscall, 10, 1) };
        processes.add(&probe, true);
        processes.add(&probe, false);
        let exec =
            Event { path: Some(b"/bin/python3.11"), argv: Some(b"python\0"), ..event(Kind::Exec, 10, 2) };
        processes.add(&exec, false);
        let root = processes.root().unwrap();
        assert_eq!((root.failed_execs, root.execs.len()), (1, 1));
        assert_eq!(processes.name(root), b"python3.11");
    }
}
