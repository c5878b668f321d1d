//! When threads were on no CPU, and what each waited for: all of a log, not only its critical path.

use rustc_hash::FxHashMap;

use super::Run;
use super::part::Part;
use crate::analysis::calls::Calls;
use crate::analysis::text::Text;
use crate::event::{Event, Kind, mark};
use crate::syscall::Family;

/// Waits told apart.
const MOST: usize = 1 << 16;

/// Times on no CPU that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// The thread's name.
    pub comm: Text,
    /// What it waited for.
    pub part: Part,
    /// In which call.
    pub call: Option<(Box<str>, Family)>,
    /// How long in all.
    pub ns: u64,
}

/// A time on no CPU: whose, from when for how long, and whether it was ready to run.
#[derive(Debug)]
struct Span {
    tid: u32,
    comm: Text,
    start_ns: u64,
    ns: u64,
    is_ready: bool,
}

/// Takes the events of a log.
#[derive(Debug, Default)]
pub struct Waits {
    calls: Calls,
    run: Run,
    spans: Vec<Span>,
}

impl Waits {
    /// Takes in an event.
    pub fn add(&mut self, event: &Event<'_>) {
        let end_ns = event.end_ns.unwrap_or(event.start_ns).max(event.start_ns);
        if event.kind == Kind::Syscall {
            let id = self.calls.id(event.abi, event.nr);
            self.run.call(event, end_ns, (id, self.calls.get(id)));
        } else if event.kind == Kind::Signal {
            self.run.signal(event);
        } else if event.kind == Kind::Mark
            && event.text == Some(mark::OFF_CPU.as_bytes())
            && self.spans.len() < super::MOST
        {
            self.spans.push(Span {
                tid: event.tid,
                comm: event.comm.into(),
                start_ns: event.start_ns,
                ns: end_ns - event.start_ns,
                is_ready: event.args[0] != 0,
            });
        }
    }

    /// Whether no thread was ever on no CPU.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The waits, the longest first.
    #[must_use]
    pub fn finish(mut self) -> Vec<Wait> {
        self.run.settle();
        let mut sums: FxHashMap<_, u64> = FxHashMap::default();
        for span in self.spans {
            let call = self.run.threads.get(&span.tid).and_then(|thread| thread.call_at(span.start_ns));
            let (part, which) = match (span.is_ready, call) {
                (true, _) => (Part::Ready, None),
                (false, Some(call)) => (call.wait, Some(call.which)),
                (false, None) => (Part::FaultWait, None),
            };
            let key = (span.comm, part, which);
            if sums.len() < MOST || sums.contains_key(&key) {
                let sum = sums.entry(key).or_default();
                *sum = sum.saturating_add(span.ns);
            }
        }
        let mut waits: Vec<_> = sums.into_iter().collect();
        waits.sort_by(|(a, a_ns), (b, b_ns)| b_ns.cmp(a_ns).then_with(|| a.cmp(b)));
        let wait = |((comm, part, which), ns): ((Text, Part, Option<_>), u64)| {
            let call = which.and_then(|which| self.calls.find(which));
            Wait { comm, part, call: call.map(|call| (call.name.clone(), call.family())), ns }
        };
        waits.into_iter().map(wait).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::testing::call;

    #[test]
    fn waits_are_known_by_their_calls() {
        let away = |(start_ns, end_ns), is_ready: bool| Event {
            pid: 1,
            tid: 1,
            comm: b"x",
            start_ns,
            end_ns: Some(end_ns),
            args: [u64::from(is_ready), 0, 0, 0, 0, 0],
            text: Some(mark::OFF_CPU.as_bytes()),
            ..Event::new(Kind::Mark)
        };
        let sleep = Event { pid: 1, tid: 1, start_ns: 100, end_ns: Some(200), ..call("nanosleep", 0, 0, 0) };
        let mut waits = Waits::default();
        for event in [away((110, 190), false), sleep, away((300, 310), true), away((400, 405), false)] {
            waits.add(&event);
        }
        let found: Vec<_> = waits.finish().into_iter().map(|wait| (wait.part, wait.call, wait.ns)).collect();
        let sleep = Some(("nanosleep".into(), Family::Time));
        assert_eq!(found, [(Part::Timer, sleep, 80), (Part::Ready, None, 10), (Part::FaultWait, None, 5)]);
    }

    #[test]
    fn calls_that_wait_for_no_file_sleep() {
        let of = |name, args| {
            let event = Event { args, ..call(name, 0, 0, 0) };
            let mut calls = Calls::default();
            let id = calls.id(event.abi, event.nr);
            crate::analysis::partition::wait_of(&event, calls.get(id))
        };
        assert_eq!(of("select", [0, 0, 0, 0, 0x7ffe, 0]), Part::Timer);
        assert_eq!(of("pselect6", [8, 0, 0, 0, 0x7ffe, 0]), Part::Timer);
        assert_eq!(of("poll", [0, 0, 100, 0, 0, 0]), Part::Timer);
        assert_eq!(of("select", [8, 0x7ffe, 0, 0, 0, 0]), Part::Other);
        assert_eq!(of("ppoll", [0x7ffe, 1, 0, 0, 0, 0]), Part::Other);
    }
}
