//! An import's own time, divided among its parts.

use super::Call;
use super::part::Part;

/// What each part took, in nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Finding.
    pub find: u64,
    /// Reading.
    pub read: u64,
    /// Unmarshalling and executing.
    pub execute: u64,
    /// What is not told apart.
    pub rest: u64,
}

impl Swept {
    fn of(&mut self, part: Part) -> &mut u64 {
        match part {
            Part::Find => &mut self.find,
            Part::Read => &mut self.read,
            Part::Execute => &mut self.execute,
            Part::Rest => &mut self.rest,
        }
    }
}

/// Goes through an import from its beginning to its end.
struct Sweep {
    swept: Swept,
    /// Up to where time has a part.
    at_ns: u64,
    /// The part of what comes next, if no call says otherwise.
    now: Part,
    /// What tracing has added since then.
    tracing_ns: u64,
}

impl Sweep {
    /// Gives the time up to here to a part.
    fn up_to(&mut self, at_ns: u64, part: Part) {
        let took = at_ns.saturating_sub(self.at_ns);
        *self.swept.of(part) += took.saturating_sub(std::mem::take(&mut self.tracing_ns));
        self.at_ns = self.at_ns.max(at_ns);
    }

    /// Leaves out the time up to here.
    fn skip_to(&mut self, at_ns: u64) {
        self.at_ns = self.at_ns.max(at_ns);
    }

    fn call(&mut self, call: &Call, added_ns: u64) {
        if call.reports {
            self.up_to(call.start_ns, self.now);
            self.skip_to(call.end_ns);
            return;
        }
        self.tracing_ns = self.tracing_ns.saturating_add(added_ns);
        // Without a stack, a call is part of what is going on.
        let Some(part) = call.part else { return };
        self.up_to(call.end_ns, part);
        self.now = match part {
            Part::Read => Part::Execute,
            // Once it runs, it runs to its end.
            part if self.now != Part::Execute => part,
            _ => self.now,
        };
    }
}

/// Divides the time of an import, given its own calls and the imports within it, both in order of time, and what tracing
/// adds to each call.
pub fn sweep((start_ns, end_ns): (u64, u64), calls: &[Call], within: &[(u64, u64)], added_ns: u64) -> Swept {
    // What shows no finding, reading or running (built in, frozen) is not told apart.
    let tells = |call: &Call| !call.reports && matches!(call.part, Some(Part::Read | Part::Execute));
    let has_file = calls.iter().any(tells);
    let now = if has_file { Part::Find } else { Part::Rest };
    let mut sweep = Sweep { swept: Swept::default(), at_ns: start_ns, now, tracing_ns: 0 };
    let mut within = within.iter().peekable();
    for call in calls {
        while let Some((start_ns, end_ns)) = within.next_if(|(start_ns, _)| *start_ns < call.start_ns) {
            sweep.up_to(*start_ns, sweep.now);
            sweep.skip_to(*end_ns);
        }
        sweep.call(call, added_ns);
    }
    for (start_ns, end_ns) in within {
        sweep.up_to(*start_ns, sweep.now);
        sweep.skip_to(*end_ns);
    }
    if !has_file {
        sweep.now = Part::Rest;
    }
    sweep.up_to(end_ns, sweep.now);
    sweep.swept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::calls::Calls;
    use crate::analysis::cost::Group;
    use crate::event::Abi;

    fn call(start_ns: u64, end_ns: u64, part: Option<Part>) -> Call {
        let id = Calls::default().id(Abi::X86_64, 0);
        let group = Group::new(id, true, false, false);
        let (errno, looks_up, reports, opened) = (0, false, false, None);
        let duration_ns = Some(end_ns - start_ns);
        Call { start_ns, end_ns, part, group, duration_ns, errno, looks_up, reports, chosen: true, opened }
    }

    #[test]
    fn time_goes_to_the_part_of_the_next_call_and_at_the_end_to_executing() {
        let calls = [
            call(110, 120, Some(Part::Find)),
            call(125, 130, None),
            call(140, 150, Some(Part::Find)),
            call(160, 165, Some(Part::Read)),
            call(170, 175, Some(Part::Read)),
        ];
        let swept = sweep((100, 500), &calls, &[(200, 300)], 0);
        assert_eq!(swept, Swept { find: 50, read: 25, execute: 225, rest: 0 });
    }

    #[test]
    fn pythons_own_lines_and_the_tracer_are_taken_off() {
        let report = Call { reports: true, ..call(300, 320, Some(Part::Execute)) };
        let calls = [call(110, 120, Some(Part::Read)), report, call(400, 410, Some(Part::Execute))];
        let swept = sweep((100, 500), &calls, &[(200, 300)], 5);
        assert_eq!(swept, Swept { find: 0, read: 15, execute: 80 + 90 + 90 - 5, rest: 0 });
    }

    #[test]
    fn a_module_without_a_file_is_not_told_apart() {
        let report = Call { reports: true, ..call(300, 320, Some(Part::Execute)) };
        assert_eq!(sweep((100, 500), &[report], &[(200, 300)], 0), Swept { rest: 280, ..Swept::default() });
        assert_eq!(sweep((100, 500), &[], &[(200, 300)], 0), Swept { rest: 300, ..Swept::default() });
        let looked = sweep((100, 500), &[call(110, 120, Some(Part::Find))], &[], 0);
        assert_eq!(looked, Swept { find: 20, rest: 380, ..Swept::default() });
    }
}
