//! The time axis: from the time of the traced run to that of an untraced one.
//!
//! Phase by phase, as the table of phases has them: what a phase takes untraced is an estimate, and within a phase all is
//! stretched alike.

use crate::analysis::phases::Phases;

/// Moments of the traced run, since the beginning of the log, and where they are on the axis; both ascend.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale(Vec<(u64, f64)>);

impl Scale {
    /// The scale that phases make; `begin_ns` is when the first begins.
    pub fn of(phases: &Phases, begin_ns: u64, end_ns: u64) -> Self {
        let mut knots: Vec<(u64, f64)> = Vec::with_capacity(phases.phases.len() + 1);
        for phase in &phases.phases {
            // What comes before the first event is in no event.
            let launch_ns = if knots.is_empty() { phases.launch_ns } else { 0 };
            let at = phase.at_ns.saturating_add(launch_ns) as f64;
            knots.push((begin_ns.saturating_add(phase.traced_at_ns), at));
        }
        let last = phases
            .phases
            .last()
            .map_or((end_ns - begin_ns) as f64, |phase| phase.at_ns.saturating_add(phase.takes_ns) as f64);
        if knots.is_empty() {
            knots.push((begin_ns, 0.0));
        }
        knots.push((end_ns, last));
        // Estimates may be odd, the axis goes on all the same.
        let mut floor = (0, 0.0_f64);
        for knot in &mut knots {
            *knot = (knot.0.max(floor.0), knot.1.max(floor.1));
            floor = *knot;
        }
        Self(knots)
    }

    /// Where a moment is.
    pub fn at(&self, traced_ns: u64) -> f64 {
        let after = self.0.partition_point(|(at_ns, _)| *at_ns <= traced_ns);
        let (Some(&(from_ns, from)), Some(&(to_ns, to))) =
            (self.0.get(after.wrapping_sub(1)), self.0.get(after))
        else {
            let edge = if after == 0 { self.0.first() } else { self.0.last() };
            return edge.map_or(0.0, |(_, at)| *at);
        };
        from + (to - from) * ((traced_ns - from_ns) as f64 / (to_ns - from_ns).max(1) as f64)
    }

    /// The length of the axis.
    pub fn length(&self) -> f64 {
        self.0.last().map_or(0.0, |(_, at)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_are_stretched_and_the_rest_stays_at_the_ends() {
        let scale = Scale(vec![(100, 10.0), (200, 20.0), (400, 120.0)]);
        let at = [0, 100, 150, 200, 300, 400, 500].map(|ns| scale.at(ns));
        let expected = [10.0, 10.0, 15.0, 20.0, 70.0, 120.0, 120.0];
        assert!(at.iter().zip(expected).all(|(at, expected)| (at - expected).abs() < 1e-9), "{at:?}");
        assert!((scale.length() - 120.0).abs() < 1e-9);
    }
}
