//! The critical path alone, in bounded memory: for whoever wants to know where it goes, and not what each moment is.
//!
//! Only calls are kept that others may have been waiting for, and waits that last. Where the log does not tell when threads
//! leave their CPUs, a call that waits for a child, a pipe or a futex has waited as long as it lasted.

use super::path::{self, Piece};
use super::thread::Away;
use super::{Known, Part, Run, described};
use crate::analysis::calls::CallId;
use crate::event::{Event, Kind, mark};

/// Calls and times away that are kept. A run with more is not followed.
const MOST_KEPT: usize = 1 << 19;
/// Shorter waits are not followed.
const SHORTEST_NS: u64 = 20_000;

/// A stretch of the critical path: a thread, from a moment to another.
pub type Stretch = Piece;

/// Takes the events of a run.
#[derive(Debug, Default)]
pub struct Follower {
    run: Run,
    knows_away: bool,
    is_too_much: bool,
}

impl Follower {
    /// Takes in a call.
    pub fn call(&mut self, event: &Event<'_>, known: (CallId, &Known)) {
        let end_ns = event.end_ns.unwrap_or(event.start_ns).max(event.start_ns);
        let call = described(event, known);
        let may_wait = matches!(call.wait, Part::Child | Part::Pipe | Part::Futex | Part::Other);
        let waits = may_wait && call.end_ns.saturating_sub(call.start_ns) >= SHORTEST_NS;
        let wakes = call.wakes && call.object != 0;
        if (waits || wakes) && self.has_room() {
            self.run.keep(event, end_ns, call);
        } else {
            let thread = self.run.thread(event);
            thread.end_ns = thread.end_ns.max(end_ns);
        }
    }

    /// Takes in what is no call.
    pub fn other(&mut self, event: &Event<'_>) {
        match event.kind {
            Kind::Exec => {
                self.run.thread(event);
            }
            Kind::Fork => self.run.fork(event),
            Kind::Exit => self.run.exit(event),
            Kind::Signal => self.run.signal(event),
            Kind::Mark if event.text == Some(mark::OFF_CPU.as_bytes()) => {
                let end_ns = event.end_ns.unwrap_or(event.start_ns).max(event.start_ns);
                self.knows_away = true;
                if end_ns - event.start_ns >= SHORTEST_NS && self.has_room() {
                    self.run.away(event, end_ns);
                }
            }
            _ => {}
        }
    }

    fn has_room(&mut self) -> bool {
        self.run.kept += 1;
        self.is_too_much |= self.run.kept >= MOST_KEPT;
        !self.is_too_much
    }

    /// The path to the end of the first thread, its last stretch first; `None`: there was too much to follow.
    pub fn finish(mut self) -> Option<Vec<Stretch>> {
        let first = self.run.first.filter(|_| !self.is_too_much)?;
        self.run.settle();
        if !self.knows_away {
            for thread in self.run.threads.values_mut() {
                let end_ns = thread.end_ns;
                let waits = thread.calls.iter().filter(|call| !call.wakes);
                let away = waits.map(|call| Away {
                    start_ns: call.start_ns,
                    end_ns: call.end_ns.min(end_ns),
                    is_ready: false,
                });
                thread.away = away.collect();
            }
        }
        let end_ns = self.run.threads.get(&first)?.end_ns;
        Some(path::path(&self.run.threads, first, end_ns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::calls::Calls;
    use crate::analysis::testing::call;

    /// A shell that waits in `sigsuspend`, which its child's end interrupts.
    #[test]
    fn a_wait_that_a_childs_signal_ends_is_for_the_child() {
        let of = |pid, event: &Event<'static>| Event { pid, tid: pid, ..*event };
        let at =
            |pid, kind, start_ns| Event { start_ns, end_ns: Some(start_ns), ..of(pid, &Event::new(kind)) };
        let fork = Event { ret: Some(2), args: [0, 2, 0, 0, 0, 0], ..at(1, Kind::Fork, 10_000) };
        let signal = Event { nr: 17, args: [0, 2, 0, 0, 0, 0], ..at(1, Kind::Signal, 510_000) };
        let events = [
            of(1, &call("getpid", 0, 1, 1)),
            fork,
            of(2, &call("clock_nanosleep", 50_000, 400_000, 0)),
            at(2, Kind::Exit, 500_000),
            of(1, &call("rt_sigsuspend", 20_000, 489_000, -514)),
            signal,
            of(1, &call("getpid", 600_000, 1, 1)),
        ];
        let (mut calls, mut follower) = (Calls::default(), Follower::default());
        for event in &events {
            if event.kind == Kind::Syscall {
                let id = calls.id(event.abi, event.nr);
                follower.call(event, (id, calls.get(id)));
            } else {
                follower.other(event);
            }
        }
        let path = follower.finish().expect("a path");
        assert_eq!(path, [(1, 500_000, 600_001), (2, 10_000, 500_000), (1, 0, 10_000)]);
    }
}
