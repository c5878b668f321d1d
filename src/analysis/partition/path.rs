//! The critical path: which thread the end of a run waited for, back to its beginning.
//!
//! From the end on backward: where the thread waited for another one (a child's end, a write to the pipe it reads, a futex
//! that was woken) and that one is known, what it waited for is on the path in its place. Where nobody is known who ended
//! a wait, the wait itself is on the path.

use rustc_hash::{FxHashMap, FxHashSet};

use super::part::Part;
use super::thread::{Away, Call, Thread};

/// A piece of the path: a thread, from a moment to another.
pub type Piece = (u32, u64, u64);

/// Pieces at most: a run is as long as it likes.
const MOST: usize = 1 << 20;

/// Threads by what others can wait for.
pub struct Wakers<'a> {
    threads: &'a FxHashMap<u32, Thread>,
    /// By pipe or futex: when somebody let others go on, and who; in order.
    by_object: FxHashMap<u64, Vec<(u64, u32)>>,
    /// By process: when threads ended, and which.
    ends: FxHashMap<u32, Vec<(u64, u32)>>,
}

impl<'a> Wakers<'a> {
    pub fn new(threads: &'a FxHashMap<u32, Thread>) -> Self {
        let mut by_object: FxHashMap<u64, Vec<(u64, u32)>> = FxHashMap::default();
        let mut ends: FxHashMap<u32, Vec<(u64, u32)>> = FxHashMap::default();
        for (tid, thread) in threads {
            ends.entry(thread.pid).or_default().push((thread.end_ns, *tid));
            for call in thread.calls.iter().filter(|call| call.wakes && call.object != 0) {
                // It has let others go on before it ends.
                by_object.entry(call.object).or_default().push((call.start_ns, *tid));
            }
        }
        by_object.values_mut().chain(ends.values_mut()).for_each(|list| list.sort_unstable());
        Self { threads, by_object, ends }
    }

    /// Who ended a wait of a thread, and when.
    fn of(&self, tid: u32, call: &Call, away: &Away) -> Option<(u32, u64)> {
        let last = |list: Option<&Vec<(u64, u32)>>| {
            let list = list?;
            let after = list.partition_point(|(at_ns, _)| *at_ns <= away.end_ns);
            let within = list[..after].iter().rev().take_while(|(at_ns, _)| *at_ns >= away.start_ns);
            within.copied().find(|(_, waker)| *waker != tid).map(|(at_ns, waker)| (waker, at_ns))
        };
        match call.wait {
            Part::Child if call.child != 0 => {
                let child = self.threads.get(&call.child)?;
                // Its end, or for vfork its execve, is what was waited for.
                let at_ns = child.end_ns.min(away.end_ns);
                (at_ns > away.start_ns).then_some((call.child, at_ns))
            }
            Part::Pipe => last(self.by_object.get(&call.object)),
            Part::Futex => {
                let pid = self.threads.get(&tid)?.pid;
                last(self.by_object.get(&call.object)).or_else(|| last(self.ends.get(&pid)))
            }
            _ => None,
        }
    }
}

/// The path to the end of a thread, its last piece first.
pub fn path(threads: &FxHashMap<u32, Thread>, last: u32, end_ns: u64) -> Vec<Piece> {
    let wakers = Wakers::new(threads);
    let mut pieces = Vec::new();
    let (mut tid, mut to_ns) = (last, end_ns);
    // Each wait is followed once, so that nothing goes round.
    let mut followed: FxHashSet<(u32, u64)> = FxHashSet::default();
    while let Some(thread) = threads.get(&tid).filter(|_| pieces.len() < MOST) {
        let before = thread.away.partition_point(|away| away.start_ns < to_ns);
        let mut waits = thread.away[..before].iter().enumerate().rev().filter(|(_, away)| !away.is_ready);
        let found = waits.find_map(|(at, away)| {
            let call = thread.call_at(away.start_ns)?;
            let until = |end_ns: u64| wakers.of(tid, call, &Away { end_ns: end_ns.min(to_ns), ..*away });
            // What ends others' waits may be recorded a little after it has done so, a thread's end for one.
            let runs_ns =
                || thread.away.get(at + 1).filter(|next| next.follows(away)).map(|next| next.end_ns);
            let (waker, at_ns) = until(away.end_ns).or_else(|| until(runs_ns()?))?;
            // Whoever has only begun then has ended nothing.
            let lived = threads.get(&waker).is_some_and(|waker| waker.start_ns < at_ns);
            (lived && at_ns <= to_ns && followed.insert((tid, away.start_ns))).then_some((waker, at_ns))
        });
        let Some((waker, at_ns)) = found else {
            pieces.push((tid, thread.start_ns.min(to_ns), to_ns));
            // Before its beginning, it is its maker that matters.
            let Some(parent) = thread.parent.filter(|parent| *parent != tid) else { break };
            if !followed.insert((tid, u64::MAX)) {
                break;
            }
            (tid, to_ns) = (parent, thread.start_ns.min(to_ns));
            continue;
        };
        pieces.push((tid, at_ns, to_ns));
        (tid, to_ns) = (waker, at_ns);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::calls::CallId;

    fn call(start_ns: u64, end_ns: u64, wait: Part, object: u64, wakes: bool, child: u32) -> Call {
        Call { which: CallId::default(), start_ns, end_ns, wait, object, wakes, child, interrupted: false }
    }

    fn thread(pid: u32, parent: Option<u32>, (start_ns, end_ns): (u64, u64), calls: Vec<Call>) -> Thread {
        let waits = calls.iter().filter(|call| !call.wakes);
        let away =
            waits.map(|call| Away { start_ns: call.start_ns + 1, end_ns: call.end_ns - 1, is_ready: false });
        Thread { pid, parent, start_ns, end_ns, away: away.collect(), calls, ..Thread::default() }
    }

    #[test]
    fn a_parent_waits_for_its_child_and_that_for_its_maker() {
        let mut threads = FxHashMap::default();
        threads.insert(1, thread(1, None, (0, 100), vec![call(20, 90, Part::Child, 0, false, 2)]));
        threads.insert(2, thread(2, Some(1), (15, 80), Vec::new()));
        assert_eq!(path(&threads, 1, 100), [(1, 80, 100), (2, 15, 80), (1, 0, 15)]);
    }

    #[test]
    fn a_reader_waits_for_the_writer_of_its_pipe() {
        let mut threads = FxHashMap::default();
        threads.insert(1, thread(1, None, (0, 100), vec![call(20, 60, Part::Pipe, 7, false, 0)]));
        let writes = [call(10, 12, Part::Pipe, 7, true, 0), call(50, 52, Part::Pipe, 7, true, 0)];
        threads.insert(2, thread(2, Some(1), (5, 90), writes.into()));
        assert_eq!(path(&threads, 1, 100), [(1, 50, 100), (2, 5, 50), (1, 0, 5)]);
        // Nobody writes.
        threads.remove(&2);
        assert_eq!(path(&threads, 1, 100), [(1, 0, 100)]);
    }

    #[test]
    fn who_has_ended_a_wait_may_be_recorded_after_that() {
        let mut threads = FxHashMap::default();
        let mut waiting = thread(1, None, (0, 100), vec![call(20, 90, Part::Futex, 0, false, 0)]);
        waiting.away = vec![
            Away { start_ns: 21, end_ns: 60, is_ready: false },
            Away { start_ns: 60, end_ns: 80, is_ready: true },
        ];
        threads.insert(1, waiting);
        threads.insert(2, thread(1, Some(1), (5, 70), Vec::new()));
        assert_eq!(path(&threads, 1, 100), [(1, 70, 100), (2, 5, 70), (1, 0, 5)]);
    }

    #[test]
    fn nothing_goes_round() {
        let mut threads = FxHashMap::default();
        threads.insert(1, thread(1, Some(2), (0, 100), vec![call(20, 60, Part::Child, 0, false, 2)]));
        threads.insert(2, thread(2, Some(1), (0, 100), vec![call(20, 60, Part::Child, 0, false, 1)]));
        assert!(path(&threads, 1, 100).len() < 10);
    }
}
