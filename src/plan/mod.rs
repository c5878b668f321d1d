//! From a log to what is to be replayed: events in, a [`trace_replay::Plan`] out.
//!
//! ```text
//!   log ─> event ─> kind ─> Op ─> PlanBuilder ─> Plan ─> trace_replay
//! ```
//!
//! One event at a time, in the order of the log, whether that is ours or strace's. What cannot be told of a call
//! (a path that was cut, a flag without a value) makes it an unknown one, which orders the others and is counted;
//! what the builder refuses as absurd is counted with its reason. Nothing here touches a file.

mod kind;
mod op;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use trace_replay::{
    Limits, Op, Plan, PlanBuilder, PlanError, ProcessId, Recorded, Scope, Share, StatFacts, ThreadId,
};

use crate::event::{Event, Flags, Kind, mark};
use crate::log::Header;

/// Reasons for refusal that are told apart; a hostile log cannot make a report longer.
const MOST_REASONS: usize = 16;
const MADE_ITSELF: &str = "a thread that is said to have made itself";
/// Calls that do nothing: with fewer there is no median worth the name, more change none.
const LEAST_NULL_CALLS: usize = 4;
const MOST_NULL_CALLS: usize = 1000;

/// A plan, and what the log had beside it.
#[derive(Debug)]
pub struct Planned {
    /// What is to be replayed.
    pub plan: Plan,
    /// Calls of the log.
    pub calls: u64,
    /// Calls that the plan has as unknown ones, because what the log says of them cannot be, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Events (or lines) known to be missing from the log; `None`: some, nobody knows how many.
    pub lost: Option<u64>,
    /// The program used `io_uring`, whose operations are in no log.
    pub uses_io_uring: bool,
    /// Calls with an entry and a return time.
    pub timed_calls: u64,
    /// The median time of calls that do nothing (`getpid`), as it was recorded; `None`: too few.
    pub null_ns: Option<u64>,
}

/// Makes a plan of a log's events.
#[derive(Debug)]
pub struct Planner {
    builder: PlanBuilder,
    cwd: Option<Vec<u8>>,
    threads: FxHashMap<u32, Thread>,
    processes: FxHashMap<u32, Process>,
    /// Calls at the start have times.
    has_times: bool,
    calls: u64,
    timed_calls: u64,
    null_ns: Vec<u64>,
    refused: BTreeMap<String, u64>,
    lost: Option<u64>,
    uses_io_uring: bool,
}

#[derive(Clone, Copy, Debug)]
struct Thread {
    id: ThreadId,
    pid: u32,
}

#[derive(Clone, Copy, Debug)]
struct Process {
    id: ProcessId,
    /// The thread that was made last.
    newest: u32,
}

impl Planner {
    /// For the log with this header. `cwd` is where its command was started, where one knows better; `root`
    /// where its files are now, if they are elsewhere.
    pub fn new(header: &Header, cwd: Option<&[u8]>, root: Option<&[u8]>) -> Result<Self, PlanError> {
        let mut builder = PlanBuilder::new(Limits::default());
        if let Some(root) = root {
            builder.set_root(root)?;
        }
        let recorded = Some(header.cwd.as_bytes()).filter(|cwd| cwd.starts_with(b"/"));
        Ok(Self {
            builder,
            cwd: cwd.or(recorded).map(<[u8]>::to_vec),
            threads: FxHashMap::default(),
            processes: FxHashMap::default(),
            has_times: !header.clock.name.is_empty(),
            calls: 0,
            timed_calls: 0,
            null_ns: Vec::new(),
            refused: BTreeMap::new(),
            lost: Some(0),
            uses_io_uring: false,
        })
    }

    /// Takes in one event.
    ///
    /// An error means that the log is too large; a call that cannot be is counted instead.
    pub fn add(&mut self, event: &Event<'_>) -> Result<(), PlanError> {
        match event.kind {
            Kind::Syscall => return self.call(event),
            Kind::Fork => return self.fork(event),
            Kind::Exit => return self.exit(event),
            Kind::Exec => {
                self.thread(event)?;
            }
            Kind::Lost => {
                let lost = event.ret.and_then(|lost| u64::try_from(lost).ok());
                self.lost = self.lost.zip(lost).map(|(all, more)| all.saturating_add(more));
            }
            Kind::Mark => self.uses_io_uring |= event.text == Some(mark::IO_URING.as_bytes()),
            Kind::Signal | Kind::Total | Kind::Sample | Kind::Frame | Kind::Stack => {}
        }
        Ok(())
    }

    /// The plan.
    #[must_use]
    pub fn finish(self) -> Planned {
        Planned {
            plan: self.builder.build(),
            calls: self.calls,
            refused: self.refused,
            lost: self.lost,
            uses_io_uring: self.uses_io_uring,
            timed_calls: self.timed_calls,
            null_ns: median_of_enough(self.null_ns),
        }
    }

    fn call(&mut self, event: &Event<'_>) -> Result<(), PlanError> {
        self.calls += 1;
        let thread = self.thread(event)?;
        let op = self.op(event);
        if let Some((path, seen)) = op::seen(event) {
            // It only helps; one that cannot be is not missed.
            let _ = self.builder.seen(path, seen);
        }
        self.uses_io_uring |= kind::is_io_uring(event.abi, event.nr);
        let mut recorded = self.recorded(event);
        if op == Ok(Op::Inert) {
            // `exit_group` never returns, as it should.
            recorded.ret = recorded.ret.or(Some(0));
        }
        self.timed_calls += u64::from(recorded.span.is_some());
        if let Some(span) = recorded.span
            && self.null_ns.len() < MOST_NULL_CALLS
            && kind::does_nothing(event.abi, event.nr)
        {
            self.null_ns.push(span.end_ns - span.start_ns);
        }
        let refused = match op.map(|op| self.builder.call(thread, op, recorded)) {
            Ok(Ok(_)) => {
                if kind::of(event.abi, event.nr) == kind::Kind::Futex {
                    self.builder.meets(event.args[0]);
                }
                return Ok(());
            }
            Err(error) | Ok(Err(error)) => error,
        };
        if is_too_large(refused) {
            return Err(refused);
        }
        self.refuse(refused.to_string());
        let unknown = Recorded { ret: recorded.ret.filter(|ret| *ret != i64::MIN), ..Recorded::default() };
        self.builder.call(thread, Op::Unknown(Scope::Process), unknown).map(|_| ())
    }

    fn refuse(&mut self, reason: String) {
        if self.refused.len() < MOST_REASONS || self.refused.contains_key(&reason) {
            *self.refused.entry(reason).or_default() += 1;
        }
    }

    /// The operation, or why there cannot be such a one.
    fn op(&mut self, event: &Event<'_>) -> Result<Op, PlanError> {
        let processes = &self.processes;
        op::of(event, &mut self.builder, |pid| processes.get(&pid).map(|process| process.id))
    }

    fn recorded(&self, event: &Event<'_>) -> Recorded {
        // A call that is to be restarted has done nothing yet.
        let ret = event.ret.filter(|ret| !(-516..=-512).contains(ret));
        let mut recorded = Recorded { ret, span: None, stat: StatFacts::default() };
        if let Some(end_ns) = event.end_ns.filter(|end_ns| self.has_times && *end_ns >= event.start_ns) {
            recorded = recorded.at(event.start_ns, end_ns);
        }
        if let Some(stat) = event.stat {
            let is_device = matches!(stat.mode & libc::S_IFMT, libc::S_IFCHR | libc::S_IFBLK);
            recorded.stat = StatFacts {
                mode: Some(stat.mode),
                size: u64::try_from(stat.size).ok().filter(|_| !is_device),
                // strace tells it with -v only; no file that can be looked up has none.
                nlink: Some(stat.nlink).filter(|nlink| *nlink > 0),
                file: Some((stat.dev, stat.ino)).filter(|(_, inode)| *inode > 0),
            };
        }
        recorded
    }

    /// The thread of an event; one that nobody was seen to make begins here.
    fn thread(&mut self, event: &Event<'_>) -> Result<ThreadId, PlanError> {
        if let Some(thread) = self.threads.get(&event.tid) {
            return Ok(thread.id);
        }
        // An exec by another thread than the first goes on under the first one's number.
        let heir =
            self.processes.get(&event.pid).filter(|_| event.tid == event.pid).map(|process| process.newest);
        if let Some(heir) = heir
            && self.threads.get(&heir).is_some_and(|thread| thread.pid == event.pid)
            && let Some(thread) = self.threads.remove(&heir)
        {
            self.threads.insert(event.tid, thread);
            return Ok(thread.id);
        }
        // Only the command's own process is known to start where the header says.
        let is_first = self.processes.is_empty();
        let id = self.builder.process(self.cwd.as_deref().filter(|_| is_first))?;
        self.know(event.tid, event.pid, id);
        Ok(id)
    }

    fn know(&mut self, tid: u32, pid: u32, id: ThreadId) {
        self.threads.insert(tid, Thread { id, pid });
        if let Some(process) = self.builder.process_of(id) {
            self.processes.insert(pid, Process { id: process, newest: tid });
        }
    }

    fn fork(&mut self, event: &Event<'_>) -> Result<(), PlanError> {
        let parent = self.thread(event)?;
        let Some(tid) = event.ret.and_then(|tid| u32::try_from(tid).ok()) else { return Ok(()) };
        let share = Share::from_clone_flags(event.args[0]);
        let pid = if share.thread { event.pid } else { event.args[1] as u32 };
        if tid == event.tid {
            self.refuse(MADE_ITSELF.to_owned());
            return Ok(());
        }
        if let Some(seen) = self.threads.remove(&tid) {
            // It was seen before it was known to be made (strace), or its number was used again.
            self.builder.exit(seen.id)?;
        }
        let child = self.builder.child(parent, share)?;
        self.know(tid, pid, child);
        Ok(())
    }

    fn exit(&mut self, event: &Event<'_>) -> Result<(), PlanError> {
        match self.threads.remove(&event.tid) {
            Some(thread) => self.builder.exit(thread.id),
            None => Ok(()),
        }
    }
}

/// The median, if there are enough to tell one.
fn median_of_enough(mut times: Vec<u64>) -> Option<u64> {
    times.sort_unstable();
    (times.len() >= LEAST_NULL_CALLS).then(|| times[times.len() / 2])
}

/// Whether an error is of the whole log, not of one call.
fn is_too_large(error: PlanError) -> bool {
    matches!(
        error,
        PlanError::TooManyCalls(_)
            | PlanError::TooManyThreads(_)
            | PlanError::TooManyPaths(_)
            | PlanError::TooManyDescriptors(_)
    )
}

/// Whether what an event says of a call's arguments is not the whole truth.
fn is_incomplete(event: &Event<'_>) -> bool {
    let lacks = [Flags::PATH_UNREADABLE, Flags::NO_ENTRY, Flags::ARGUMENT_UNKNOWN];
    lacks.into_iter().any(|flag| event.flags.has(flag))
}
