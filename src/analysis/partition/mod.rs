//! One partition of a run's time: what each moment of the critical path went to.
//!
//! Made from runs that a backend with true durations has traced while the kernel told when threads left their CPUs, and
//! took CPU samples. In a call or not, on a CPU or not: these are known to the nanosecond; how much of the time on a CPU
//! outside of calls was for page faults is a share of samples. What a wait was for is known by the call and the file. Where
//! the kernel tells of wake-ups, the time from being woken to running is being ready to run; else it is part of the wait.
//!
//! Samples and tracing take time, of the program and of the machine. What a traced call costs is taken off the time outside of
//! calls, where the backend takes it, and samples in the tracer's own programs do not count. Then the time on CPUs is made as
//! long as the untraced runs' CPU time says; in what is left of their wall time waits are as they were, then being ready to
//! run, and what is left then is not explained. A run ends with the command's process; others may go on.

mod follow;
mod part;
mod path;
mod sampled;
mod share;
#[cfg(test)]
mod tests;
mod thread;
mod waits;

use rustc_hash::{FxHashMap, FxHasher};
use serde::Serialize;
use std::hash::{Hash, Hasher};

use super::calls::{Call as Known, CallId, Calls};
use super::filesystem;
use super::stacks::{Code, Stacks};
use super::text::Text;
use crate::event::{Event, Kind, mark};
use crate::syscall::Family;
pub(super) use follow::{Follower, Stretch};
pub use part::{Part, Parts};
use sampled::{Counted, In};
use thread::{Away, Call, Thread};
pub use waits::{Wait, Waits};

/// Calls and times away of a run that are kept. A longer run is not divided.
const MOST: usize = 1 << 21;
/// Threads that are listed.
const MOST_LISTED: usize = 64;
/// Functions that are listed, and those that are told apart.
const LISTED_FUNCTIONS: usize = 20;
const MOST_FUNCTIONS: usize = 1 << 16;
/// The signal that a child's end sends.
pub(super) const SIGCHLD: u32 = 17;
/// `CLONE_VFORK` of clone(2): the caller waits until the child has started a program, or ended.
const CLONE_VFORK: u64 = 0x4000;
/// What calls return that a signal has interrupted, and what the kernel restarts (`ERESTARTSYS` and the like).
const EINTR: i32 = 4;
const RESTARTS: std::ops::RangeInclusive<i32> = 512..=516;
/// Operations of futex(2) that wake: `FUTEX_WAKE`, `REQUEUE`, `CMP_REQUEUE`, `WAKE_OP`, `UNLOCK_PI`, `WAKE_BITSET`.
const FUTEX_WAKES: [u64; 6] = [1, 3, 4, 5, 7, 10];
/// The bits of such an operation that say which (`FUTEX_CMD_MASK`).
const FUTEX_COMMAND: u64 = 0x7f;

/// Where the time of some runs went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Partition {
    /// Runs it is made of.
    pub runs: u64,
    /// CPU samples of all of them.
    pub samples: u64,
    /// Samples a second that were taken.
    pub sample_hz: u32,
    /// The CPU time of a run, without the tracer's, by that of an untraced one.
    pub cpu_ratio: f64,
    /// What a run took, on average.
    pub run_ns: u64,
    /// What shares are of: the untraced wall time.
    pub wall_ns: u64,
    /// The critical path of a run, its time on CPUs and off them as long as untraced; the parts add up to the wall time.
    pub parts: Parts,
    /// Whether page faults are known: not without samples of the kernel.
    pub knows_faults: bool,
    /// Whether it is known when threads were woken: else waits last until they had a CPU again.
    pub knows_wakes: bool,
    /// Samples that tell user CPU, page faults and the kernel's ways into calls apart.
    pub split_samples: u64,
    /// How far each of these may be off for that, with a probability of 95 %, at most.
    pub split_margin_ns: u64,
    /// The same, wherever the time went that `swelled` tells of; the other is right if that went to all of them alike.
    pub split_bound_ns: u64,
    /// The part by which the program itself took more CPU time than untraced, beside what samples took: nobody knows
    /// what of it that went to.
    pub swelled: f64,
    /// The functions in which most samples are, most first.
    pub functions: Vec<Function>,
    /// Threads of the last run, each with all of its time as it was traced.
    pub threads: Vec<ThreadParts>,
    /// Threads beyond those.
    pub more_threads: u64,
}

/// What the recorder does to the runs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tracing {
    /// Samples a second.
    pub sample_hz: u32,
    /// How long one holds up the program; 0: not known.
    pub sample_ns: u64,
    /// What a call takes longer.
    pub added_ns: u64,
}

/// What a run takes without any tracer.
#[derive(Debug, Clone, Copy)]
pub struct Untraced {
    /// Wall time.
    pub wall_ns: u64,
    /// CPU time of all its threads.
    pub cpu_ns: u64,
    /// The part of the wall time before the command's `execve`.
    pub launch_ns: u64,
}

/// A function, and the samples in which it was the innermost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Function {
    /// Its name.
    pub name: Text,
    /// Its samples.
    pub samples: u64,
    /// As a part of all, 0 to 1.
    pub share: f64,
    /// How far that may be off, with a probability of 95 %.
    pub margin: f64,
}

/// Where the time of one thread went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ThreadParts {
    /// Its process.
    pub pid: u32,
    /// The thread.
    pub tid: u32,
    /// Its name.
    pub comm: Text,
    /// From its beginning to its end.
    pub traced_ns: u64,
    /// How much of that is on the critical path.
    pub critical_ns: u64,
    /// What it went to.
    pub parts: Parts,
}

/// One run, while its events pass.
#[derive(Debug, Default)]
struct Run {
    threads: FxHashMap<u32, Thread>,
    first: Option<u32>,
    span: Option<(u64, u64)>,
    /// Threads that the command's process is known to have.
    alive: u64,
    /// When its last one ended.
    over_ns: Option<u64>,
    kept: usize,
    stacks: Stacks,
    frames: Vec<Option<Code>>,
    /// By stack.
    known: FxHashMap<u32, In>,
}

/// Takes the events of several runs.
#[derive(Debug, Default)]
pub struct Partitioner {
    calls: Calls,
    run: Run,
    runs: u64,
    /// Samples of all threads.
    samples: Counted,
    knows_wakes: bool,
    has_waits: bool,
    path: Parts,
    /// What all threads were on a CPU.
    cpu_ns: u64,
    /// Calls on critical paths, and of all threads.
    calls_on_path: u64,
    all_calls: u64,
    /// Samples outside of calls on critical paths.
    outside: Counted,
    threads: Vec<ThreadParts>,
    more_threads: u64,
    functions: FxHashMap<Text, u64>,
}

impl Partitioner {
    /// Takes in an event of the current run.
    pub fn add(&mut self, event: &Event<'_>) {
        let run = &mut self.run;
        run.stacks.add(event);
        if !event.kind.happened() || event.kind == Kind::Lost {
            return;
        }
        let end_ns = event.end_ns.unwrap_or(event.start_ns).max(event.start_ns);
        run.span =
            Some(run.span.map_or((event.start_ns, end_ns), |(first, last)| {
                (first.min(event.start_ns), last.max(end_ns))
            }));
        match event.kind {
            Kind::Syscall => {
                let id = self.calls.id(event.abi, event.nr);
                run.call(event, end_ns, (id, self.calls.get(id)));
            }
            Kind::Fork => run.fork(event),
            Kind::Exit => run.exit(event),
            Kind::Signal => run.signal(event),
            Kind::Mark if event.text == Some(mark::OFF_CPU.as_bytes()) => run.away(event, end_ns),
            Kind::Sample => run.sample(event),
            _ => {}
        }
    }

    /// The current run is over; the next one begins.
    pub fn end_run(&mut self) {
        let mut run = std::mem::take(&mut self.run);
        let (Some(first), Some((start_ns, end_ns))) = (run.first, run.span) else { return };
        if run.kept >= MOST {
            return;
        }
        run.settle();
        let end_ns = run.over_ns.map_or(end_ns, |over_ns| over_ns.min(end_ns));
        let pieces = path::path(&run.threads, first, end_ns);
        let mut parts = Parts::default();
        let mut critical: FxHashMap<u32, u64> = FxHashMap::default();
        for &(tid, from_ns, to_ns) in &pieces {
            let Some(thread) = run.threads.get(&tid) else { continue };
            thread.divide(from_ns, to_ns, &mut parts);
            self.calls_on_path += thread.calls_begun(from_ns, to_ns);
            self.outside.append(thread.samples(from_ns, to_ns));
            *critical.entry(tid).or_default() += to_ns - from_ns;
        }
        parts.add(Part::Unexplained, (end_ns - start_ns).saturating_sub(parts.sum()));
        for thread in run.threads.values() {
            self.has_waits |= thread.away.iter().any(|away| !away.is_ready);
            self.knows_wakes |= thread.away.windows(2).any(|pair| pair[1].follows(&pair[0]));
            let mut all = Parts::default();
            let until_ns = thread.end_ns.min(end_ns);
            thread.divide(thread.start_ns, until_ns, &mut all);
            self.cpu_ns = self.cpu_ns.saturating_add(all.on_cpu());
            self.all_calls += thread.calls_begun(thread.start_ns, until_ns);
        }
        self.path.append(&parts);
        self.runs += 1;
        self.count_samples(&mut run, end_ns);
        self.list(&run, &critical);
    }

    /// Counts the samples up to a run's end, each for the innermost function of its stack.
    fn count_samples(&mut self, run: &mut Run, end_ns: u64) {
        let samples = run.threads.values().flat_map(|thread| &thread.samples);
        for &(_, taken_in, stack) in samples.filter(|(at_ns, ..)| *at_ns <= end_ns) {
            self.samples.add(taken_in);
            if taken_in == In::Tracer {
                continue;
            }
            run.stacks.frames(stack, &mut run.frames);
            let name = Text::from(run.stacks.text(run.frames.last().copied().flatten()));
            if self.functions.len() < MOST_FUNCTIONS || self.functions.contains_key(&name) {
                *self.functions.entry(name).or_default() += 1;
            }
        }
    }

    /// Keeps the threads of a run in the place of those of the run before.
    fn list(&mut self, run: &Run, critical: &FxHashMap<u32, u64>) {
        let mut tids: Vec<u32> = run.threads.keys().copied().collect();
        tids.sort_unstable_by_key(|tid| (run.threads[tid].start_ns, *tid));
        self.more_threads = tids.len().saturating_sub(MOST_LISTED) as u64;
        let listed = tids.into_iter().take(MOST_LISTED).map(|tid| {
            let thread = &run.threads[&tid];
            let mut parts = Parts::default();
            thread.divide(thread.start_ns, thread.end_ns, &mut parts);
            thread.samples(thread.start_ns, thread.end_ns).divide(&mut parts);
            ThreadParts {
                pid: thread.pid,
                tid,
                comm: thread.comm.as_slice().into(),
                traced_ns: thread.end_ns.saturating_sub(thread.start_ns),
                critical_ns: critical.get(&tid).copied().unwrap_or(0),
                parts,
            }
        });
        self.threads = listed.collect();
    }

    /// CPU samples so far, of runs that are over.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.samples.of_program()
    }

    /// Runs that are over.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// What the runs tell, whose calls and samples took this; `None`: there was no run.
    #[must_use]
    pub fn finish(self, untraced: Option<Untraced>, tracing: Tracing) -> Option<Partition> {
        let Tracing { sample_hz, sample_ns, added_ns } = tracing;
        let run_ns = self.path.sum().checked_div(self.runs)?;
        let added = |calls: u64| calls.saturating_mul(added_ns);
        let cpu_ns = self.cpu_ns - self.samples.tracers(self.cpu_ns, added(self.all_calls));
        let cpu_ns = cpu_ns / self.runs.max(1);
        let untraced = untraced.unwrap_or(Untraced { wall_ns: run_ns, cpu_ns, launch_ns: 0 });
        let Untraced { wall_ns, launch_ns, .. } = untraced;
        let mut path = self.path;
        path.take(Part::User, self.outside.tracers(path.get(Part::User), added(self.calls_on_path)));
        let cpu_ratio = cpu_ns as f64 / untraced.cpu_ns.max(1) as f64;
        let standing_ns = self.samples.all().saturating_mul(sample_ns) / self.runs.max(1);
        let swelled =
            (cpu_ns.saturating_sub(standing_ns) as f64 / untraced.cpu_ns.max(1) as f64 - 1.0).max(0.0);
        let knows_faults = self.samples.of_kernel() > 0;
        if knows_faults {
            self.outside.divide(&mut path);
        }
        let path = path.divided(self.runs);
        // Before the command's first event; in the table of phases it is part of the first one.
        let launch_ns = launch_ns.min(wall_ns);
        let all = self.samples.of_program();
        let named = self.functions.into_iter().map(|(name, samples)| {
            let share = samples as f64 / all.max(1) as f64;
            Function { name, samples, share, margin: share::margin(samples, all) }
        });
        let mut functions: Vec<Function> = named.collect();
        functions.sort_unstable_by(|a, b| b.samples.cmp(&a.samples).then_with(|| a.name.cmp(&b.name)));
        functions.truncate(LISTED_FUNCTIONS);
        let mut parts = path.fitted(wall_ns - launch_ns, 1.0 / cpu_ratio.max(f64::MIN_POSITIVE));
        let outside_ns =
            (parts.get(Part::User) + parts.get(Part::Faults)) as f64 / self.outside.kept().max(0.01);
        let margin_ns = |swelled: f64| {
            let margin = if knows_faults { self.outside.margin(swelled) } else { 0.0 };
            (margin.min(1.0) * outside_ns) as u64
        };
        parts.add(Part::Launch, launch_ns);
        Some(Partition {
            runs: self.runs,
            samples: self.samples.of_program(),
            sample_hz,
            cpu_ratio,
            run_ns,
            wall_ns,
            parts,
            knows_faults,
            split_samples: self.outside.of_program(),
            split_margin_ns: margin_ns(0.0),
            split_bound_ns: margin_ns(swelled),
            swelled,
            knows_wakes: self.knows_wakes || !self.has_waits,
            functions,
            threads: self.threads,
            more_threads: self.more_threads,
        })
    }
}

impl Run {
    fn thread(&mut self, event: &Event<'_>) -> &mut Thread {
        if self.first.is_none() {
            (self.first, self.alive) = (Some(event.tid), 1);
        }
        let thread = self.threads.entry(event.tid).or_insert_with(|| Thread {
            pid: event.pid,
            start_ns: event.start_ns,
            end_ns: event.start_ns,
            ..Thread::default()
        });
        if !event.comm.is_empty() && thread.comm != event.comm {
            event.comm.clone_into(&mut thread.comm);
        }
        thread
    }

    fn fork(&mut self, event: &Event<'_>) {
        self.thread(event);
        let Some(child) = event.ret.and_then(|tid| u32::try_from(tid).ok()) else { return };
        let pid = u32::try_from(event.args[1]).unwrap_or(child);
        let start_ns = event.start_ns;
        self.alive += u64::from(self.is_of_command(pid));
        let thread = self.threads.entry(child).or_default();
        // Its own events may have come before.
        thread.start_ns = if thread.end_ns == 0 { start_ns } else { thread.start_ns.min(start_ns) };
        thread.end_ns = thread.end_ns.max(start_ns);
        (thread.pid, thread.parent) = (pid, Some(event.tid));
    }

    fn exit(&mut self, event: &Event<'_>) {
        let thread = self.thread(event);
        thread.end_ns = thread.end_ns.max(event.start_ns);
        if self.is_of_command(event.pid) {
            self.alive = self.alive.saturating_sub(1);
            self.over_ns = (self.alive == 0).then_some(event.start_ns);
        }
    }

    /// Whether this is the process that was started first.
    fn is_of_command(&self, pid: u32) -> bool {
        let first = self.first.and_then(|first| self.threads.get(&first));
        first.is_some_and(|first| first.pid == pid)
    }

    fn call(&mut self, event: &Event<'_>, end_ns: u64, known: (CallId, &Known)) {
        if self.kept >= MOST {
            return;
        }
        self.kept += 1;
        self.keep(event, end_ns, described(event, known));
    }

    fn keep(&mut self, event: &Event<'_>, end_ns: u64, call: Call) {
        let thread = self.thread(event);
        thread.end_ns = thread.end_ns.max(end_ns);
        thread.calls.push(call);
    }

    /// A signal says who sent it: a child at its end.
    fn signal(&mut self, event: &Event<'_>) {
        if self.kept >= MOST || event.nr != SIGCHLD {
            return;
        }
        self.kept += 1;
        let child = u32::try_from(event.args[1]).unwrap_or(0);
        self.thread(event).children.push((event.start_ns, child));
    }

    /// Everything is in.
    fn settle(&mut self) {
        self.threads.values_mut().for_each(Thread::sort);
    }

    fn away(&mut self, event: &Event<'_>, end_ns: u64) {
        if self.kept >= MOST {
            return;
        }
        self.kept += 1;
        let away = Away { start_ns: event.start_ns, end_ns, is_ready: event.args[0] != 0 };
        let thread = self.thread(event);
        thread.end_ns = thread.end_ns.max(end_ns);
        thread.away.push(away);
    }

    /// What samples with a stack were taken in.
    fn taken_in(&mut self, stack: u32) -> In {
        if let Some(known) = self.known.get(&stack) {
            return *known;
        }
        self.stacks.frames(stack, &mut self.frames);
        let frames = self.frames.iter().flatten();
        let known = In::of(frames.map(|code| (code.kind, self.stacks.text(Some(*code)))));
        self.known.insert(stack, known);
        known
    }

    fn sample(&mut self, event: &Event<'_>) {
        let Some(stack) = event.stack else { return };
        let taken_in = self.taken_in(stack);
        self.thread(event).samples.push((event.start_ns, taken_in, stack));
    }
}

/// A call, with what it may wait for and whom it wakes.
fn described(event: &Event<'_>, (which, known): (CallId, &Known)) -> Call {
    let object = filesystem::object(event).unwrap_or_default();
    let family = known.family();
    let is_futex = family == Family::Futex;
    let is_pipe = object.starts_with(b"pipe:") || object.starts_with(b"fifo:");
    Call {
        which,
        start_ns: event.start_ns,
        // What never returns ends with its thread.
        end_ns: event.end_ns.map_or(u64::MAX, |end_ns| end_ns.max(event.start_ns)),
        wait: wait_of(event, known),
        object: match (is_futex, is_pipe) {
            (true, _) => hash(&(event.pid, event.args[0])),
            (_, true) => hash(&object),
            _ => 0,
        },
        wakes: match family {
            Family::Futex => FUTEX_WAKES.contains(&(event.args[1] & FUTEX_COMMAND)),
            family => is_pipe && matches!(family, Family::Write | Family::Close),
        },
        child: match event.ret {
            Some(child) if family == Family::Process => u32::try_from(child).unwrap_or(0),
            _ => 0,
        },
        interrupted: is_interrupted(event),
    }
}

/// What a call waits for, if it does.
pub(super) fn wait_of(event: &Event<'_>, known: &Known) -> Part {
    // Only who makes a child that way waits for it.
    if &*known.name == "clone" && event.args[0] & CLONE_VFORK == 0 {
        return Part::Other;
    }
    if sleeps(event, &known.name) {
        return Part::Timer;
    }
    Part::of_wait(known.family(), &known.name, filesystem::object(event).unwrap_or_default())
}

/// Whether a call that can wait for files is given none, as programs have it to sleep.
fn sleeps(event: &Event<'_>, name: &str) -> bool {
    match name {
        "select" | "_newselect" | "pselect6" | "pselect6_time64" => event.args[1..4] == [0; 3],
        "poll" | "ppoll" | "ppoll_time64" => event.args[1] == 0,
        _ => false,
    }
}

/// Whether a signal has ended a call.
pub(super) fn is_interrupted(event: &Event<'_>) -> bool {
    event.errno().is_some_and(|errno| errno == EINTR || RESTARTS.contains(&errno))
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    value.hash(&mut hasher);
    hasher.finish().max(1)
}
