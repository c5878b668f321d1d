//! Building a plan, one call after the other, in the order of the log.

use super::limits::{Limits, MAX_TRANSFER, PlanError};
use super::path::PathId;
use super::{
    At, Call, CallId, Event, Led, Observed, Op, Plan, ProcessId, Recorded, Seen, Share, StatFacts, Thread,
    ThreadId,
};

/// Makes a [`Plan`]. Calls are added in the order of the log (of completion, where they overlap); each thread
/// is made known before its first call. Whatever is refused leaves the plan as it was, so a caller
/// may add the call as [`Op::Unknown`] instead and go on.
#[derive(Debug)]
pub struct PlanBuilder {
    plan: Plan,
    exited: Vec<bool>,
    root: Vec<u8>,
    limits: Limits,
}

impl Default for PlanBuilder {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl PlanBuilder {
    /// An empty plan within these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { plan: Plan { limits, ..Plan::default() }, exited: Vec::new(), root: Vec::new(), limits }
    }

    /// From now on, absolute paths are taken to lie below `root`, by putting it before them. (A path with `..` or an
    /// absolute symbolic link still leads out of it: this says where to look, it does not confine.)
    pub fn set_root(&mut self, root: &[u8]) -> Result<(), PlanError> {
        check_path(root, &self.limits)?;
        if !root.starts_with(b"/") {
            return Err(PlanError::NotAbsolute);
        }
        self.root = root.strip_suffix(b"/").unwrap_or(root).to_vec();
        Ok(())
    }

    /// Interns a path as a call passed it.
    pub fn path(&mut self, path: &[u8]) -> Result<PathId, PlanError> {
        check_path(path, &self.limits)?;
        let joined;
        let path = if path.starts_with(b"/") && !self.root.is_empty() {
            joined = [&self.root, path].concat();
            check_path(&joined, &self.limits)?;
            &joined
        } else {
            path
        };
        let full = PlanError::TooManyPaths(self.limits.path_bytes);
        if self.plan.paths.arena_len() + path.len() >= self.limits.path_bytes {
            return Err(full);
        }
        self.plan.paths.intern(path).ok_or(full)
    }

    /// A process that no call of the plan made, with the directory it works in (absolute), and its first thread.
    /// `None` where the directory is not known: then its relative paths are not replayed.
    pub fn process(&mut self, cwd: Option<&[u8]>) -> Result<ThreadId, PlanError> {
        if cwd.is_some_and(|cwd| !cwd.starts_with(b"/")) {
            return Err(PlanError::NotAbsolute);
        }
        let cwd = cwd.map(|cwd| self.path(cwd)).transpose()?;
        let process = ProcessId(self.plan.processes);
        let thread = self.add_thread(Thread { process, parent: None, share: Share::default(), cwd })?;
        self.plan.processes += 1;
        self.plan.events.push(Event::Start(thread));
        Ok(thread)
    }

    /// A thread or process made by `parent`, here in the log: call this before the child's first call, even if the
    /// parent's `clone` returned later. The clone itself needs no call of its own.
    pub fn child(&mut self, parent: ThreadId, share: Share) -> Result<ThreadId, PlanError> {
        self.check_running(parent)?;
        let process = if share.thread {
            self.plan.threads[parent.0 as usize].process
        } else {
            ProcessId(self.plan.processes)
        };
        let thread = self.add_thread(Thread { process, parent: Some(parent), share, cwd: None })?;
        self.plan.processes += u32::from(!share.thread);
        self.plan.events.push(Event::Start(thread));
        Ok(thread)
    }

    /// The process of a thread.
    #[must_use]
    pub fn process_of(&self, thread: ThreadId) -> Option<ProcessId> {
        self.plan.threads.get(thread.0 as usize).map(|thread| thread.process)
    }

    /// A descriptor that the process had before its first call in the log, and the absolute path behind it. Without
    /// this, calls on a descriptor that no call of the plan opened are not replayed.
    pub fn inherited(&mut self, thread: ThreadId, fd: i32, path: &[u8]) -> Result<(), PlanError> {
        self.check_running(thread)?;
        if !path.starts_with(b"/") {
            return Err(PlanError::NotAbsolute);
        }
        let path = self.path(path)?;
        self.plan.events.push(Event::Inherited { thread, fd, path });
        Ok(())
    }

    /// A call, next in the order of the log.
    pub fn call(&mut self, thread: ThreadId, op: Op, recorded: Recorded) -> Result<CallId, PlanError> {
        self.check_running(thread)?;
        self.check_op(&op)?;
        check_recorded(&op, &recorded)?;
        if self.plan.calls.len() >= self.limits.calls {
            return Err(PlanError::TooManyCalls(self.limits.calls));
        }
        let id = CallId(self.plan.calls.len() as u32);
        let stat = self.add_stat(recorded.stat);
        let (start_ns, end_ns) =
            recorded.span.map_or((Call::NO_TIME, Call::NO_TIME), |span| (span.start_ns, span.end_ns));
        let ret = recorded.ret.unwrap_or(Call::NO_RETURN);
        self.plan.calls.push(Call { op, thread, stat, start_ns, end_ns, ret });
        self.plan.events.push(Event::Call(id));
        Ok(id)
    }

    /// The call that was added last is one at which threads of its process meet (`futex(2)`): they wait for those who
    /// name the same address.
    pub fn meets(&mut self, address: u64) {
        let Some(call) = self.plan.calls.last() else { return };
        let process = self.plan.threads[call.thread.index()].process;
        let id = CallId(self.plan.calls.len() as u32 - 1);
        if self.plan.meetings.last().is_none_or(|(last, _)| *last < id) {
            self.plan.meetings.push((id, (process, address)));
        }
    }

    /// Where an absolute path was seen to lead, by the call that is added next. Only a scratch tree needs it: it is how links are known that nobody read.
    pub fn seen(&mut self, path: &[u8], seen: Seen<'_>) -> Result<(), PlanError> {
        let path = self.path(path)?;
        let led = match seen {
            Seen::Holds(target) => Led::Holds(self.path(target)?),
            Seen::Opened(real) => Led::Opened(self.path(real)?),
            Seen::NoLink => Led::NoLink,
        };
        let call = CallId(self.plan.calls.len() as u32);
        self.plan.led.push(Observed { path, led, call });
        Ok(())
    }

    /// The thread ended; the process too, if it was its last.
    pub fn exit(&mut self, thread: ThreadId) -> Result<(), PlanError> {
        self.check_running(thread)?;
        self.exited[thread.0 as usize] = true;
        self.plan.events.push(Event::Exit(thread));
        Ok(())
    }

    /// The finished plan.
    #[must_use]
    pub fn build(self) -> Plan {
        self.plan
    }

    fn add_thread(&mut self, thread: Thread) -> Result<ThreadId, PlanError> {
        if self.plan.threads.len() >= self.limits.threads {
            return Err(PlanError::TooManyThreads(self.limits.threads));
        }
        let id = ThreadId(self.plan.threads.len() as u32);
        self.plan.threads.push(thread);
        self.exited.push(false);
        Ok(id)
    }

    /// Most calls have no facts; those that do mostly say the same of the same files, but equal
    /// ones are not looked for, since they take 32 bytes each.
    fn add_stat(&mut self, stat: StatFacts) -> u32 {
        if stat == StatFacts::default() {
            return Call::NO_STAT;
        }
        self.plan.stats.push(stat);
        self.plan.stats.len() as u32 - 1
    }

    fn check_running(&self, thread: ThreadId) -> Result<(), PlanError> {
        match self.exited.get(thread.0 as usize) {
            None => Err(PlanError::ForeignId),
            Some(true) => Err(PlanError::AfterExit),
            Some(false) => Ok(()),
        }
    }

    fn check_op(&self, op: &Op) -> Result<(), PlanError> {
        let known = match *op {
            Op::Wait { child } => child.0 < self.plan.processes,
            _ => op.paths().all(|path| (path.0 as usize) < self.plan.paths.len()),
        };
        if known { Ok(()) } else { Err(PlanError::ForeignId) }
    }
}

fn check_path(path: &[u8], limits: &Limits) -> Result<(), PlanError> {
    if path.len() >= libc::PATH_MAX as usize {
        return Err(PlanError::PathTooLong(path.len()));
    }
    if path.contains(&0) {
        return Err(PlanError::PathHasNul);
    }
    let components = path.split(|&byte| byte == b'/').filter(|component| !component.is_empty());
    if components.count() > limits.path_depth {
        return Err(PlanError::PathTooDeep(limits.path_depth));
    }
    Ok(())
}

fn check_recorded(op: &Op, recorded: &Recorded) -> Result<(), PlanError> {
    if recorded.span.is_some_and(|span| span.end_ns < span.start_ns || span.end_ns == Call::NO_TIME) {
        return Err(PlanError::EndsBeforeItBegins);
    }
    let Some(ret) = recorded.ret else { return Ok(()) };
    if ret < -4095 && !matches!(op, Op::Unknown(_) | Op::Inert) || ret == Call::NO_RETURN {
        return Err(PlanError::AbsurdReturn(ret));
    }
    let asked = match *op {
        Op::Read { count, .. }
        | Op::Pread { count, .. }
        | Op::ListDir { count, .. }
        | Op::Pwrite { count, .. }
        | Op::Copy { count, .. } => count,
        Op::ReadLink { size, .. } => size,
        Op::Open { .. } | Op::Dup { .. } | Op::DupTo { .. } => return check_descriptor(ret),
        _ => return Ok(()),
    };
    match u64::try_from(ret) {
        Ok(bytes) if bytes > asked.min(MAX_TRANSFER) => Err(PlanError::AbsurdTransfer(bytes)),
        _ => Ok(()),
    }
}

fn check_descriptor(ret: i64) -> Result<(), PlanError> {
    i32::try_from(ret).map(|_| ()).map_err(|_| PlanError::AbsurdReturn(ret))
}

impl At {
    /// From the first argument of an `*at` call.
    #[must_use]
    pub fn from_raw(dirfd: i32) -> Self {
        if dirfd == libc::AT_FDCWD { Self::Cwd } else { Self::Fd(dirfd) }
    }
}
