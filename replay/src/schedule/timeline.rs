//! From a plan to what each thread did when: work, calls, waits; and for each wait, what ended it.

use rustc_hash::FxHashMap;

use super::{Item, NONE, Schedule, What};
use crate::plan::{Call, CallId, Event, Op, Plan, ProcessId, Scope, ThreadId};

/// A call that may wait and takes less has not waited.
const SHORTEST_WAIT_NS: u64 = 15_000;
/// A call of no consequence to files that takes longer sleeps: `nanosleep` is among them.
const LONGEST_WORK_NS: u64 = 1_000_000;

/// Threads that are looked at for the one whose end a wait was for.
const MOST_ENDED: usize = 64;

/// An item with its time in the log.
#[derive(Clone, Copy)]
struct Timed {
    what: What,
    start_ns: u64,
    end_ns: u64,
    after: u32,
    lag_ns: u64,
}

/// A call that may let others go: when, and the item that ends as it begins.
#[derive(Clone, Copy)]
struct Waker {
    start_ns: u64,
    thread: u32,
    before: u32,
}

/// A wait whose end is to be explained.
struct Wait {
    thread: u32,
    item: u32,
    /// What is waited on, if that is known.
    object: Option<(ProcessId, u64)>,
    /// The event that is its end, and that of a thread that ended meanwhile.
    event: usize,
}

struct Timeline<'a> {
    plan: &'a Plan,
    items: Vec<Timed>,
    /// Of each thread, the items in order.
    own: Vec<Vec<u32>>,
    begins_after: Vec<u32>,
    begins_ns: Vec<u64>,
    at: Vec<Option<u64>>,
    wakers: FxHashMap<Option<(ProcessId, u64)>, Vec<Waker>>,
    waits: Vec<Wait>,
    /// Threads that ended: at which event, in the order of events.
    exits: Vec<(usize, u32)>,
    /// The last item of each process.
    last_of_process: FxHashMap<u32, u32>,
}

pub(super) fn timeline(plan: &Plan, cores: usize, is_replayed: &impl Fn(CallId) -> bool) -> Option<Schedule> {
    let threads = plan.threads.len();
    if threads < 2 {
        return None;
    }
    let mut timeline = Timeline {
        plan,
        items: Vec::with_capacity(plan.calls.len() * 2),
        own: vec![Vec::new(); threads],
        begins_after: vec![NONE; threads],
        begins_ns: vec![0; threads],
        at: vec![None; threads],
        wakers: FxHashMap::default(),
        waits: Vec::new(),
        exits: Vec::new(),
        last_of_process: FxHashMap::default(),
    };
    for (index, event) in plan.events.iter().enumerate() {
        match *event {
            Event::Call(id) => timeline.call(id, index, is_replayed)?,
            Event::Start(thread) => timeline.start(thread),
            Event::Exit(thread) => timeline.exits.push((index, thread.0)),
            Event::Inherited { .. } => {}
        }
    }
    timeline.explain_waits();
    timeline.finish(cores)
}

impl Timeline<'_> {
    /// `None`: a replayed call has no times. (`exit_group`, which does not return, has none, nor has what cannot be.)
    fn call(&mut self, id: CallId, event: usize, is_replayed: &impl Fn(CallId) -> bool) -> Option<()> {
        let call = self.plan.calls[id.index()];
        if call.ret == Call::NO_RETURN {
            return Some(());
        }
        if call.start_ns == Call::NO_TIME {
            return (!is_replayed(id)).then_some(());
        }
        let thread = call.thread.0;
        let begun = self.at[thread as usize].unwrap_or_else(|| {
            self.begins_ns[thread as usize] = call.start_ns;
            call.start_ns
        });
        let (start_ns, end_ns) = (call.start_ns.max(begun), call.end_ns.max(begun));
        if start_ns > begun {
            self.add(thread, What::Work, begun, start_ns);
        }
        let before = self.own[thread as usize].last().copied().unwrap_or(NONE);
        let took = end_ns - start_ns;
        let meets = may_meet(&call.op);
        let what = match call.op {
            _ if is_replayed(id) => What::Call,
            Op::Wait { .. } => What::Sleep,
            _ if meets && took > SHORTEST_WAIT_NS => What::Sleep,
            Op::Inert if took > LONGEST_WORK_NS => What::Sleep,
            _ => What::Work,
        };
        let item = self.add(thread, what, start_ns, end_ns);
        let object = self.plan.meeting_of(id);
        if let Op::Wait { child } = call.op {
            if let Some(&last) = self.last_of_process.get(&child.0) {
                self.set_after(item, last, self.items[last as usize].end_ns);
            }
        } else if meets && what == What::Sleep {
            self.waits.push(Wait { thread, item, object, event });
        }
        if meets {
            self.wakers.entry(object).or_default().push(Waker { start_ns, thread, before });
        }
        Some(())
    }

    fn add(&mut self, thread: u32, what: What, start_ns: u64, end_ns: u64) -> u32 {
        let item = self.items.len() as u32;
        self.items.push(Timed { what, start_ns, end_ns, after: NONE, lag_ns: 0 });
        self.own[thread as usize].push(item);
        self.at[thread as usize] = Some(end_ns);
        self.last_of_process.insert(self.plan.threads[thread as usize].process.0, item);
        item
    }

    fn start(&mut self, thread: ThreadId) {
        let Some(parent) = self.plan.threads[thread.index()].parent else { return };
        if let Some(&last) = self.own[parent.index()].last() {
            self.begins_after[thread.index()] = last;
        }
        self.at[thread.index()] = self.at[parent.index()];
    }

    /// An item ends after another one has, by as much as in the log.
    fn set_after(&mut self, item: u32, after: u32, since_ns: u64) {
        let end_ns = self.items[item as usize].end_ns;
        let own = &mut self.items[item as usize];
        (own.after, own.lag_ns) = (after, end_ns.saturating_sub(since_ns));
    }

    fn explain_waits(&mut self) {
        for wakers in self.wakers.values_mut() {
            wakers.sort_unstable_by_key(|waker| waker.start_ns);
        }
        for wait in std::mem::take(&mut self.waits) {
            if let Some(waker) = self.waker(&wait).filter(|waker| waker.before != NONE) {
                self.set_after(wait.item, waker.before, waker.start_ns);
            } else if let Some(last) = self.ended_during(&wait) {
                self.set_after(wait.item, last, self.items[last as usize].end_ns);
            }
        }
    }

    /// The last call on the same object, in another thread, that began during the wait.
    fn waker(&self, wait: &Wait) -> Option<Waker> {
        let Timed { start_ns, end_ns, .. } = self.items[wait.item as usize];
        let wakers = self.wakers.get(&wait.object)?;
        let until = wakers.partition_point(|waker| waker.start_ns <= end_ns);
        let during = wakers[..until].iter().rev().take_while(|waker| waker.start_ns > start_ns);
        during.copied().find(|waker| waker.thread != wait.thread)
    }

    /// The last item of the thread that ended last of those that ended before a wait did, and during it: who joins threads
    /// waits so.
    fn ended_during(&self, wait: &Wait) -> Option<u32> {
        let until = self.exits.partition_point(|&(event, _)| event < wait.event);
        let ended = self.exits[..until].iter().rev().take(MOST_ENDED);
        let last_items = ended.filter_map(|&(_, thread)| self.own[thread as usize].last().copied());
        let end_ns = |item: u32| self.items[item as usize].end_ns;
        let last = last_items.max_by_key(|&item| end_ns(item))?;
        (end_ns(last) > self.items[wait.item as usize].start_ns).then_some(last)
    }

    fn finish(self, cores: usize) -> Option<Schedule> {
        let alone = alone_ns(&self.items, cores);
        let first = self.items.iter().map(|item| item.start_ns).min()?;
        let last = self.items.iter().map(|item| item.end_ns).max()?;
        let mut place = vec![NONE; self.items.len()];
        let mut next = 0;
        for own in self.own.iter().filter(|own| !own.is_empty()) {
            // The first is the wait for being made.
            next += 1;
            for &item in own {
                place[item as usize] = next;
                next += 1;
            }
        }
        let placed = |item: u32| place.get(item as usize).copied().unwrap_or(NONE);
        let mut items = Vec::with_capacity(next as usize);
        let mut threads = Vec::with_capacity(self.own.len());
        for (thread, own) in self.own.iter().enumerate().filter(|(_, own)| !own.is_empty()) {
            let begin = items.len() as u32;
            let ns = self.begins_ns[thread].saturating_sub(first) as f64;
            let after = placed(self.begins_after[thread]);
            items.push(Item { what: What::Sleep, ns, after, lag_ns: 0.0 });
            items.extend(own.iter().map(|&item| {
                let Timed { what, start_ns, end_ns, after, lag_ns } = self.items[item as usize];
                let is_sleep = what == What::Sleep;
                let ns = if is_sleep { (end_ns - start_ns) as f64 } else { alone[item as usize] };
                Item { what, ns, after: placed(after), lag_ns: lag_ns as f64 }
            }));
            threads.push(begin..items.len() as u32);
        }
        let schedule = Schedule { threads, items, cores: cores as f64, logged_ns: (last - first) as f64 };
        (schedule.threads() > 1).then_some(schedule)
    }
}

/// Whether a call may wait for other threads, or let them go.
fn may_meet(op: &Op) -> bool {
    matches!(op, Op::Unknown(Scope::All) | Op::Write { scope: Scope::All, .. })
}

/// What each item would have taken alone on a processor: at each moment, those that want one share them.
fn alone_ns(items: &[Timed], cores: usize) -> Vec<f64> {
    let runs = |item: &Timed| item.what != What::Sleep && item.end_ns > item.start_ns;
    let mut bounds: Vec<(u64, u32, bool)> = Vec::with_capacity(items.len() * 2);
    for (index, item) in items.iter().enumerate().filter(|(_, item)| runs(item)) {
        bounds.push((item.start_ns, index as u32, true));
        bounds.push((item.end_ns, index as u32, false));
    }
    bounds.sort_unstable();
    let mut alone = vec![0.0; items.len()];
    let (mut running, mut last, mut shared) = (0_usize, 0, 0.0);
    for (at, item, begins) in bounds {
        let share = if running > cores { cores as f64 / running as f64 } else { 1.0 };
        shared += (at - last) as f64 * share;
        last = at;
        if begins {
            running += 1;
            alone[item as usize] = shared;
        } else {
            running -= 1;
            alone[item as usize] = shared - alone[item as usize];
        }
    }
    alone
}
