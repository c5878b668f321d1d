//! What the wall time of a run went to, along its critical path.
//!
//! The path ends where the first process ends. While a process waits for a child, what the child does in that time is on the
//! path in its place; and so for the child's children. Whoever reads from a pipe, or polls, until a child that it waits for
//! afterwards has come to its end, has waited for that child all the while. Of a child that was waited for during a part of
//! its life only, that part is taken to be made up as the whole: nothing is kept of a process but sums.
//!
//! A process' path is that of its first thread. When that waits for others, nobody can tell from calls which of them it was
//! that mattered, so that time is told as what it is. What tracing adds is taken off each call; what remains between the
//! sum and the wall time of untraced runs is shown as a rest.

use rustc_hash::FxHashMap;
use serde::Serialize;

use crate::analysis::base::Seen;
use crate::analysis::calls::Call;
use crate::analysis::cost::{LONG_NS, Stop};
use crate::analysis::process::ProcessId;
use crate::event::Event;
use crate::syscall::Family;

/// Most processes that are followed; what is waited for beyond them stays a wait.
const MOST: usize = 1 << 16;
/// Waits of a process that are remembered until it is known for whom they were.
const MOST_WAITS: usize = 64;
/// `P_PID` of waitid(2).
const BY_PID: u64 = 1;

/// What time on the path is spent for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Along {
    /// Outside calls: mostly on a CPU.
    Computing,
    /// File-system calls.
    FileSystem,
    /// Calls that are none of these.
    OtherCalls,
    /// Starting processes and programs, and their ends.
    Processes,
    /// The first thread waits for others of its process.
    Threads,
    /// Waits for anything else: the network, a clock, a pipe.
    Waiting,
}

impl Along {
    /// All of them, in order.
    pub const ALL: [Self; 6] =
        [Self::Computing, Self::FileSystem, Self::OtherCalls, Self::Processes, Self::Threads, Self::Waiting];

    /// The name used in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Computing => "computing, outside calls",
            Self::FileSystem => "file-system calls",
            Self::OtherCalls => "other calls",
            Self::Processes => "starting, ending processes",
            Self::Threads => "waiting for own threads",
            Self::Waiting => "waiting for anything else",
        }
    }
}

/// Time along the critical path of one run, nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// In the order of [`Along::ALL`].
    pub parts: [u64; Along::ALL.len()],
    /// How much of all that other processes than the first one had.
    pub in_children: u64,
}

impl Spent {
    fn add(&mut self, to: Along, ns: u64) {
        let part = &mut self.parts[to as usize];
        *part = part.saturating_add(ns);
    }

    /// Adds what a child did while it was waited for, for so long.
    fn add_child(&mut self, child: &Self, waited_ns: u64) {
        let all: u64 = child.parts.iter().fold(0, |sum, part| sum.saturating_add(*part));
        let factor = if all == 0 { 0.0 } else { (waited_ns as f64 / all as f64).min(1.0) };
        for (part, of_child) in self.parts.iter_mut().zip(child.parts) {
            *part = part.saturating_add((of_child as f64 * factor) as u64);
        }
        self.in_children = self.in_children.saturating_add((all as f64 * factor) as u64);
    }
}

/// The first thread of a process.
#[derive(Debug, Default)]
struct Main {
    began_ns: u64,
    last_ns: u64,
    spent: Spent,
    /// Waits for a pipe, or for what was polled: beginning and end.
    waits: Vec<(u64, u64)>,
}

/// Takes the events of a run in the order in which they end.
#[derive(Debug, Default)]
pub struct CriticalPath {
    /// By id: ids are given one after the other.
    all: Vec<Option<Main>>,
    by_pid: FxHashMap<u32, ProcessId>,
    first: Option<ProcessId>,
}

impl CriticalPath {
    fn main(&mut self, event: &Event<'_>, process: ProcessId) -> Option<&mut Main> {
        let at = process as usize;
        if event.tid != event.pid || at >= MOST {
            return None;
        }
        if self.all.len() <= at {
            self.all.resize_with(at + 1, || None);
        }
        let main = &mut self.all[at];
        if main.is_none() {
            self.first.get_or_insert(process);
            self.by_pid.insert(event.pid, process);
            *main = Some(Main { began_ns: event.start_ns, last_ns: event.start_ns, ..Main::default() });
        }
        main.as_mut()
    }

    /// Takes in a process' end, or the beginning of a program in it.
    pub fn lifecycle(&mut self, event: &Event<'_>, process: ProcessId) {
        let at_ns = event.end_ns.unwrap_or(event.start_ns);
        if let Some(main) = self.main(event, process) {
            main.spent.add(Along::Processes, at_ns.saturating_sub(main.last_ns));
            main.last_ns = main.last_ns.max(at_ns);
        }
    }

    /// Takes in a call; `stop` is what tracing it took.
    pub fn add(&mut self, event: &Event<'_>, seen: &Seen<'_>, call: &Call, stop: Stop) {
        let Some(main) = self.main(event, seen.process) else { return };
        let outside_ns = stop.added_ns.saturating_sub(stop.duration_ns);
        let between_ns = event.start_ns.saturating_sub(main.last_ns).saturating_sub(outside_ns);
        main.spent.add(Along::Computing, between_ns);
        let began_ns = event.start_ns.max(main.last_ns);
        // One that never returns is told by the process' end.
        let end_ns = event.end_ns.filter(|_| event.ret.is_some()).unwrap_or(event.start_ns).max(began_ns);
        main.last_ns = end_ns;
        let took_ns = (end_ns - began_ns).saturating_sub(stop.duration_ns);
        if let Some(child) = waited_for(event, call) {
            self.waited(seen.process, child, (began_ns, end_ns), took_ns);
            return;
        }
        let to = along(event, seen, call, took_ns);
        main.spent.add(to, took_ns);
        if to == Along::Waiting && main.waits.len() < MOST_WAITS && may_be_for_a_child(event, call) {
            main.waits.push((began_ns, end_ns));
        }
    }

    /// A process has waited for a child: at its end, and before for what it wrote.
    fn waited(&mut self, process: ProcessId, pid: u32, (began_ns, end_ns): (u64, u64), took_ns: u64) {
        let child = self.by_pid.get(&pid).filter(|child| **child != process);
        let child = child.and_then(|child| self.all.get(*child as usize)?.as_ref());
        let child = child.map(|child| (child.began_ns, child.last_ns, child.spent));
        let Some(Some(main)) = self.all.get_mut(process as usize) else { return };
        let Some((child_began_ns, child_ended_ns, child)) = child else {
            main.spent.add(Along::Waiting, took_ns);
            return;
        };
        let overlap =
            |(from, to): (u64, u64)| to.min(child_ended_ns).saturating_sub(from.max(child_began_ns));
        let at_end = overlap((began_ns, end_ns)).min(took_ns);
        main.spent.add_child(&child, at_end);
        main.spent.add(Along::Processes, took_ns - at_end);
        let mut before = 0_u64;
        main.waits.retain(|wait| {
            let ns = overlap(*wait);
            before = before.saturating_add(ns);
            ns == 0
        });
        let before = before.min(main.spent.parts[Along::Waiting as usize]);
        main.spent.parts[Along::Waiting as usize] -= before;
        main.spent.add_child(&child, before);
    }

    /// What the time of the run went to.
    #[must_use]
    pub fn finish(&self) -> Spent {
        let first = self.first.and_then(|first| self.all.get(first as usize)?.as_ref());
        first.map_or_else(Spent::default, |main| main.spent)
    }
}

/// The child whose end a call has waited for.
fn waited_for(event: &Event<'_>, call: &Call) -> Option<u32> {
    let pid = match &*call.name {
        "wait4" | "waitpid" => event.ret?,
        "waitid" if event.ret == Some(0) && event.args[0] == BY_PID => i64::try_from(event.args[1]).ok()?,
        _ => return None,
    };
    u32::try_from(pid).ok().filter(|pid| *pid > 0)
}

/// Whether a wait may be for a child's output, or for its end.
fn may_be_for_a_child(event: &Event<'_>, call: &Call) -> bool {
    let of_pipe = event.file.is_some_and(|file| file.starts_with(b"pipe:"));
    call.family() == Family::Poll || (call.family() == Family::Read && of_pipe)
}

fn along(event: &Event<'_>, seen: &Seen<'_>, call: &Call, took_ns: u64) -> Along {
    let family = call.family();
    if seen.group.on_file() && family.is_file_system() {
        return Along::FileSystem;
    }
    match family {
        Family::Futex => Along::Threads,
        Family::Process => Along::Processes,
        _ if took_ns < LONG_NS => Along::OtherCalls,
        Family::Poll | Family::Network | Family::Time | Family::Ipc | Family::Signal => Along::Waiting,
        Family::Read | Family::Write if event.file.is_some() => Along::Waiting,
        _ => Along::OtherCalls,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::base::Base;
    use crate::analysis::testing::{call, header};
    use crate::event::Kind;

    const MS: u64 = 1_000_000;

    /// A call of this process from one millisecond to another.
    fn from(pid: u32, name: &'static str, from_ms: u64, to_ms: u64, ret: i64) -> Event<'static> {
        let call = call(name, from_ms * MS, (to_ms - from_ms) * MS, ret);
        Event { pid, tid: pid, ..call }
    }

    fn ends(pid: u32, at_ms: u64) -> Event<'static> {
        let start_ns = at_ms * MS;
        Event { pid, tid: pid, start_ns, end_ns: Some(start_ns), ..Event::new(Kind::Exit) }
    }

    /// Milliseconds in the order of `Along::ALL`, and those in children.
    fn path(events: &[Event<'_>]) -> ([u64; Along::ALL.len()], u64) {
        let mut base = Base::new(&header());
        let mut path = CriticalPath::default();
        for event in events {
            if let Some(seen) = base.add(event) {
                path.add(event, &seen, base.calls.get(seen.call), Stop::default());
            } else {
                path.lifecycle(event, base.processes.current());
            }
        }
        let spent = path.finish();
        (spent.parts.map(|ns| ns / MS), spent.in_children / MS)
    }

    #[test]
    fn what_a_child_does_while_it_is_waited_for_is_on_the_path() {
        let events = [
            from(1, "execve", 0, 1, 0),
            from(1, "clone", 5, 6, 2),
            from(2, "getpid", 6, 6, 2),
            Event { path: Some(b"/x"), path_abs: Some(b"/x"), ..from(2, "openat", 10, 16, 3) },
            ends(2, 26),
            from(1, "wait4", 8, 28, 2),
            ends(1, 30),
        ];
        // The parent's own: 4 + 2 computing, 1 + 1 for execve and clone, 2 until it hears of the end, 2 for its own. Of the
        // child's 20 (4 computing, 6 opening, 10 ending) all but 2 are waited for.
        assert_eq!(path(&events), ([6 + 3, 5, 0, 2 + 9 + 2 + 2, 0, 0], 18));
    }

    #[test]
    fn who_reads_what_a_child_writes_has_waited_for_it() {
        let child = [from(2, "getpid", 0, 0, 2), from(2, "getpid", 9, 9, 2), ends(2, 10)];
        let read = |file: &'static [u8]| Event { file: Some(file), ..from(1, "read", 0, 10, 0) };
        let reaps = [from(1, "wait4", 10, 10, 2), ends(1, 10)];
        let all = |file| [&[from(1, "execve", 0, 0, 0)], &child[..], &[read(file)], &reaps].concat();
        assert_eq!(path(&all(b"pipe:[7]")), ([9, 0, 0, 1, 0, 0], 10));
        assert_eq!(
            path(&all(b"socket:[7]")),
            ([0, 0, 0, 0, 0, 10], 0),
            "who knows what is on the other side"
        );
    }

    #[test]
    fn waits_are_told_by_what_they_are_for() {
        let events = [
            from(1, "execve", 0, 1, 0),
            from(1, "futex", 1, 4, 0),
            from(1, "nanosleep", 4, 9, 0),
            Event { tid: 7, ..from(1, "nanosleep", 0, 20, 0) },
            from(1, "brk", 10, 12, 0),
            from(1, "wait4", 12, 13, -10),
            from(1, "wait4", 13, 15, 99),
        ];
        assert_eq!(path(&events), ([1, 0, 2, 1 + 1, 3, 5 + 2], 0));
    }
}
