//! What is known of one thread: its calls, when it was on no CPU, and how its time divides.

use super::part::{Part, Parts};
use super::sampled::{Counted, In};
use crate::analysis::calls::CallId;

/// A call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// Which call.
    pub which: CallId,
    pub start_ns: u64,
    pub end_ns: u64,
    /// What it waits for, if it does.
    pub wait: Part,
    /// What it waits for or lets others go on with: a pipe, a futex; 0: neither.
    pub object: u64,
    /// It lets others go on who wait for that.
    pub wakes: bool,
    /// The process whose end or `execve` it waits for.
    pub child: u32,
    /// A signal came, and it was not waited for any longer.
    pub interrupted: bool,
}

/// A time in which the thread was on no CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Away {
    pub start_ns: u64,
    pub end_ns: u64,
    /// It could have run.
    pub is_ready: bool,
}

impl Away {
    /// Whether this is the time from the end of that wait to having a CPU.
    pub fn follows(&self, wait: &Self) -> bool {
        self.is_ready && !wait.is_ready && self.start_ns == wait.end_ns
    }
}

/// See the module's documentation. Calls and times away are in order and do not overlap.
#[derive(Debug, Default)]
pub struct Thread {
    pub pid: u32,
    pub comm: Vec<u8>,
    /// Who made it, and when.
    pub parent: Option<u32>,
    pub start_ns: u64,
    pub end_ns: u64,
    pub calls: Vec<Call>,
    pub away: Vec<Away>,
    /// Moments of samples, what they were taken in, and their stacks.
    pub samples: Vec<(u64, In, u32)>,
    /// When it was told of a child's end, and which child's.
    pub children: Vec<(u64, u32)>,
}

impl Thread {
    /// Puts everything in order: a log has calls by their ends, and samples as they were named.
    pub fn sort(&mut self) {
        self.calls.sort_unstable_by_key(|call| (call.start_ns, call.end_ns));
        self.away.sort_unstable_by_key(|away| away.start_ns);
        self.samples.sort_unstable();
        self.children.sort_unstable();
        self.know_children();
    }

    /// What waited until a signal came has waited for the child that the signal is of, as `sigsuspend` of shells does: the
    /// signal comes at the call's end, before the next call.
    fn know_children(&mut self) {
        let mut next = 0;
        for at in 0..self.calls.len() {
            let until_ns = self.calls.get(at + 1).map_or(u64::MAX, |call| call.start_ns);
            let call = &mut self.calls[at];
            while self.children.get(next).is_some_and(|(at_ns, _)| *at_ns <= call.start_ns) {
                next += 1;
            }
            let told = self.children.get(next).filter(|(at_ns, _)| *at_ns <= until_ns);
            if let Some(&(_, child)) = told
                && call.wait == Part::Other
                && call.interrupted
            {
                (call.wait, call.child) = (Part::Child, child);
            }
        }
    }

    /// The call that goes on at a moment.
    pub fn call_at(&self, at_ns: u64) -> Option<&Call> {
        let after = self.calls.partition_point(|call| call.start_ns <= at_ns);
        self.calls[..after].last().filter(|call| at_ns < call.end_ns)
    }

    /// Adds the time from one moment to another to the parts.
    pub fn divide(&self, from_ns: u64, to_ns: u64, parts: &mut Parts) {
        let mut at_ns = from_ns;
        let first = self.away.partition_point(|away| away.end_ns <= from_ns);
        for away in self.away[first..].iter().take_while(|away| away.start_ns < to_ns) {
            let (start_ns, end_ns) = (away.start_ns.max(at_ns), away.end_ns.min(to_ns));
            self.on_cpu(at_ns, start_ns, parts);
            let part = match self.call_at(away.start_ns) {
                _ if away.is_ready => Part::Ready,
                Some(call) => call.wait,
                None => Part::FaultWait,
            };
            parts.add(part, end_ns.saturating_sub(start_ns));
            at_ns = at_ns.max(end_ns);
        }
        self.on_cpu(at_ns, to_ns, parts);
    }

    fn on_cpu(&self, from_ns: u64, to_ns: u64, parts: &mut Parts) {
        if to_ns <= from_ns {
            return;
        }
        let first = self.calls.partition_point(|call| call.end_ns <= from_ns);
        let overlap = |call: &Call| call.end_ns.min(to_ns).saturating_sub(call.start_ns.max(from_ns));
        let calls = self.calls[first.min(self.calls.len())..].iter().take_while(|call| call.start_ns < to_ns);
        let in_calls = calls.map(overlap).fold(0, u64::saturating_add).min(to_ns - from_ns);
        parts.add(Part::Call, in_calls);
        parts.add(Part::User, to_ns - from_ns - in_calls);
    }

    /// How many calls begin in a time.
    pub fn calls_begun(&self, from_ns: u64, to_ns: u64) -> u64 {
        let before = |ns| self.calls.partition_point(|call| call.start_ns < ns);
        before(to_ns).saturating_sub(before(from_ns)) as u64
    }

    /// The samples outside of calls in a time.
    pub fn samples(&self, from_ns: u64, to_ns: u64) -> Counted {
        let first = self.samples.partition_point(|(at_ns, ..)| *at_ns < from_ns);
        let within = self.samples[first..].iter().take_while(|(at_ns, ..)| *at_ns < to_ns);
        let mut counted = Counted::default();
        for (_, taken_in, _) in within.filter(|(at_ns, ..)| self.call_at(*at_ns).is_none()) {
            counted.add(*taken_in);
        }
        counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_moment_has_one_part() {
        let call = |start_ns, end_ns, wait| Call {
            which: CallId::default(),
            start_ns,
            end_ns,
            wait,
            object: 0,
            wakes: false,
            child: 0,
            interrupted: false,
        };
        let away = |start_ns, end_ns, is_ready| Away { start_ns, end_ns, is_ready };
        let mut thread = Thread {
            calls: vec![call(50, 80, Part::Pipe), call(10, 20, Part::Disk)],
            away: vec![away(12, 16, false), away(25, 30, true), away(60, 75, false), away(90, 95, false)],
            samples: vec![(85, In::Fault, 1), (15, In::Fault, 2), (5, In::User, 3)],
            ..Thread::default()
        };
        thread.sort();
        let mut parts = Parts::default();
        thread.divide(0, 100, &mut parts);
        assert_eq!(parts.sum(), 100);
        let of = |part| parts.get(part);
        assert_eq!([of(Part::Call), of(Part::Disk), of(Part::Pipe)], [6 + 15, 4, 15]);
        assert_eq!([of(Part::Ready), of(Part::FaultWait), of(Part::User)], [5, 5, 50]);
        let mut piece = Parts::default();
        thread.divide(14, 28, &mut piece);
        assert_eq!([piece.get(Part::Disk), piece.get(Part::Call), piece.get(Part::Ready)], [2, 4, 3]);
        assert_eq!(piece.sum(), 14);
        let samples = thread.samples(0, 100);
        assert_eq!((samples.of_program(), samples.of_kernel()), (2, 1));
    }
}
