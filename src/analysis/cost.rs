//! What calls cost: measured where the backend's durations are true, estimated under ptrace.
//!
//! A ptrace duration holds the tracer's stop, which is several times what most calls take. So no
//! single one of them is a cost. What can be said is made from groups of like calls (the same call
//! with the same outcome): the median traced duration less what the stop alone takes, measured on
//! this machine before the command was started. `docs/costs.md` gives the whole of the method, its
//! errors and its checks.

use serde::Serialize;

use super::calls::CallId;
use super::durations::{Bucket, Durations, Log2};
use crate::log::Header;

/// A traced duration of this or more is no jitter of the tracer but a call that really waited.
pub const LONG_NS: u64 = 1_000_000;

/// Backends whose durations do not hold the tracer's work.
const TRUE_BACKENDS: [&str; 2] = ["ebpf", "replay"];
/// Significant digits of a group's distribution: an estimate is a small difference of large numbers.
const GROUP_DIGITS: u8 = 3;

/// How far a cost can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Quality {
    /// Durations as the kernel took them.
    True,
    /// Traced durations with the calibrated stop taken off, see the module's documentation.
    Estimated,
    /// Traced durations and no calibration: there is no cost to show.
    Unknown,
}

/// How durations of one log become costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Model {
    /// What the costs are.
    pub quality: Quality,
    /// What the tracer's stop adds to a call's own duration.
    pub stop_ns: u64,
    /// Elapsed time that tracing one call adds to the program.
    pub added_ns: u64,
}

impl Model {
    /// The model for a log.
    #[must_use]
    pub fn of(header: &Header) -> Self {
        let calibration = header.calibration.as_ref();
        let added_ns = calibration.map_or(0, |calibration| calibration.added_ns);
        if TRUE_BACKENDS.contains(&header.backend.as_str()) {
            return Self { quality: Quality::True, stop_ns: 0, added_ns };
        }
        match calibration {
            // The null call itself took `untraced_ns` of the duration seen; the rest is the stop.
            Some(null) if null.calls > 0 => Self {
                quality: Quality::Estimated,
                stop_ns: null.p50_ns.saturating_sub(null.untraced_ns),
                added_ns,
            },
            _ => Self { quality: Quality::Unknown, stop_ns: 0, added_ns },
        }
    }

    /// What can be shown of a distribution of durations.
    #[must_use]
    pub fn times(self, durations: &mut Durations) -> Times {
        let Some(all) = durations.finish() else { return Times::default() };
        let tail = |ns: u64| Some(ns).filter(|_| self.quality == Quality::True);
        Times {
            median_ns: self.typical(all.p50_ns),
            p90_ns: tail(all.p90_ns),
            p99_ns: tail(all.p99_ns),
            max_ns: tail(all.max_ns),
            log2: all.log2,
        }
    }

    /// A typical duration (a median) as a typical cost; `None` where costs are unknown.
    #[must_use]
    pub fn typical(self, median_ns: u64) -> Option<u64> {
        match self.quality {
            Quality::True => Some(median_ns),
            Quality::Estimated => Some(median_ns.saturating_sub(self.stop_ns)),
            Quality::Unknown => None,
        }
    }
}

/// The times of some calls, as far as they can be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Times {
    /// Median cost: true, or the median duration less the stop; `None` where costs are unknown.
    pub median_ns: Option<u64>,
    /// 90th percentile; tails are shown only where costs are true.
    pub p90_ns: Option<u64>,
    /// 99th percentile, likewise.
    pub p99_ns: Option<u64>,
    /// Longest, likewise.
    pub max_ns: Option<u64>,
    /// Durations as the backend saw them, by power of two: under ptrace with the tracer's stops and
    /// jitter in them, to be held beside those of the null call.
    pub log2: Vec<Bucket>,
}

/// A call that does nothing, traced: what the tracer alone makes of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NullCall {
    /// Its name.
    pub call: String,
    /// How many were made.
    pub calls: u64,
    /// Its median duration, traced.
    pub p50_ns: u64,
    /// 99th percentile.
    pub p99_ns: u64,
    /// What one costs untraced.
    pub untraced_ns: u64,
    /// Its durations by power of two.
    pub log2: Vec<Bucket>,
}

impl NullCall {
    /// That of a log, if it was calibrated.
    #[must_use]
    pub fn of(header: &Header) -> Option<Self> {
        let null = header.calibration.as_ref().filter(|null| null.calls > 0)?;
        let mut log2 = Log2::default();
        null.histogram.iter().for_each(|&(ns, calls)| log2.record(ns, calls));
        Some(Self {
            call: null.call.clone(),
            calls: null.calls,
            p50_ns: null.p50_ns,
            p99_ns: null.p99_ns,
            untraced_ns: null.untraced_ns,
            log2: log2.finish(),
        })
    }
}

/// Calls that are alike: the same call, on a file or not, that succeeded or failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Group(u32);

impl Group {
    /// The group of a call. `file`: what it works on is a file rather than a pipe, socket or terminal.
    #[must_use]
    pub fn new(call: CallId, file: bool, failed: bool) -> Self {
        Self(u32::from(call) << 2 | u32::from(file) << 1 | u32::from(failed))
    }

    /// Which call.
    #[must_use]
    pub fn call(self) -> CallId {
        (self.0 >> 2) as CallId
    }

    /// Whether it works on a file.
    #[must_use]
    pub fn on_file(self) -> bool {
        self.0 & 2 != 0
    }

    /// Whether it failed.
    #[must_use]
    pub fn failed(self) -> bool {
        self.0 & 1 != 0
    }
}

/// A number of calls of one group, and what is needed to say what they cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cell {
    /// Calls, those that never returned included.
    pub calls: u64,
    /// Calls that returned.
    pub timed: u64,
    /// Sum of the durations of those.
    pub sum_ns: u64,
    /// Those that took [`LONG_NS`] or more.
    pub long: u64,
    /// Sum of the durations of the long ones.
    pub long_ns: u64,
}

impl Cell {
    /// Counts one call.
    pub fn add(&mut self, duration_ns: Option<u64>) {
        self.calls += 1;
        if let Some(ns) = duration_ns {
            self.timed += 1;
            self.sum_ns = self.sum_ns.saturating_add(ns);
            if ns >= LONG_NS {
                self.long += 1;
                self.long_ns = self.long_ns.saturating_add(ns);
            }
        }
    }

    /// Counts the calls of another cell.
    pub fn merge(&mut self, other: &Self) {
        self.calls += other.calls;
        self.timed += other.timed;
        self.sum_ns = self.sum_ns.saturating_add(other.sum_ns);
        self.long += other.long;
        self.long_ns = self.long_ns.saturating_add(other.long_ns);
    }
}

/// Every group of a log: what its calls amount to, and how long they took.
#[derive(Debug, Default)]
pub struct Groups {
    list: Vec<Option<(Cell, Durations)>>,
}

/// What all calls of a log amount to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// Calls.
    pub calls: u64,
    /// Failed ones.
    pub errors: u64,
    /// Cost; `None` where costs are unknown.
    pub cost_ns: Option<u64>,
}

impl Groups {
    /// Adds one call; `None`: it never returned.
    pub fn record(&mut self, group: Group, duration_ns: Option<u64>) {
        let at = group.0 as usize;
        if self.list.len() <= at {
            self.list.resize_with(at + 1, || None);
        }
        let (cell, durations) = self.list[at]
            .get_or_insert_with(|| (Cell::default(), Durations::with_digits(GROUP_DIGITS)));
        cell.add(duration_ns);
        if let Some(duration_ns) = duration_ns {
            durations.record(duration_ns);
        }
    }

    fn iter(&self) -> impl Iterator<Item = (Group, &Cell, &Durations)> {
        let known = self.list.iter().enumerate();
        known.filter_map(|(at, known)| {
            known.as_ref().map(|(cell, durations)| (Group(at as u32), cell, durations))
        })
    }

    /// All durations of the groups that a condition chooses, together.
    #[must_use]
    pub fn together(&self, chosen: impl Fn(Group) -> bool) -> Durations {
        let mut all = Durations::with_digits(GROUP_DIGITS);
        self.iter().filter(|(group, ..)| chosen(*group)).for_each(|(_, _, durations)| all.merge(durations));
        all
    }

    /// What all calls amount to.
    #[must_use]
    pub fn sum(&self, prices: &Prices) -> Sum {
        let unknown = prices.model.quality == Quality::Unknown;
        let mut sum = Sum { cost_ns: (!unknown).then_some(0), ..Sum::default() };
        for (group, cell, _) in self.iter() {
            sum.calls += cell.calls;
            sum.errors += if group.failed() { cell.calls } else { 0 };
            sum.cost_ns = sum.cost_ns.zip(prices.cost(group, cell)).map(|(a, b)| a.saturating_add(b));
        }
        sum
    }

    /// The prices that follow, once all calls are in.
    pub fn prices(&mut self, model: Model) -> Prices {
        let medians = self
            .list
            .iter_mut()
            .map(|known| known.as_mut().map_or(0, |(_, durations)| durations.quantile(0.5)));
        Prices { model, medians: medians.collect() }
    }
}

/// What the calls of a log cost.
#[derive(Debug)]
pub struct Prices {
    /// How durations become costs.
    pub model: Model,
    medians: Vec<u64>,
}

impl Prices {
    /// What the calls of a cell cost together, in nanoseconds; `None` where costs are unknown.
    #[must_use]
    pub fn cost(&self, group: Group, cell: &Cell) -> Option<u64> {
        let median = self.medians.get(group.0 as usize).copied().unwrap_or(0);
        match self.model.quality {
            Quality::True => Some(cell.sum_ns),
            Quality::Unknown => None,
            // Most calls of this kind wait: what they took is large beside the stop.
            Quality::Estimated if median >= LONG_NS => {
                Some(cell.sum_ns.saturating_sub(cell.timed.saturating_mul(self.model.stop_ns)))
            }
            Quality::Estimated => {
                let each = median.saturating_sub(self.model.stop_ns);
                let waited = cell.long_ns.saturating_sub(cell.long.saturating_mul(median));
                Some(cell.timed.saturating_mul(each).saturating_add(waited))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::testing::header;

    fn cell(durations: &[u64]) -> Cell {
        let mut cell = Cell::default();
        durations.iter().for_each(|&ns| cell.add(Some(ns)));
        cell
    }

    fn prices(model: Model, group: Group, durations: &[u64]) -> Prices {
        let mut groups = Groups::default();
        durations.iter().for_each(|&ns| groups.record(group, Some(ns)));
        groups.prices(model)
    }

    #[test]
    fn ptrace_costs_are_estimates_and_only_with_a_calibration() {
        let mut header = header();
        let model = Model::of(&header);
        assert_eq!(model, Model { quality: Quality::Estimated, stop_ns: 5_900, added_ns: 14_000 });
        assert_eq!(model.typical(6_800), Some(900));
        assert_eq!(model.typical(5_000), Some(0), "never below nothing");
        header.calibration = None;
        assert_eq!(Model::of(&header).quality, Quality::Unknown);
        assert_eq!(Model::of(&header).typical(6_800), None);
        header.backend = "ebpf".to_owned();
        assert_eq!(Model::of(&header).quality, Quality::True);
        assert_eq!(Model::of(&header).typical(6_800), Some(6_800));
    }

    #[test]
    fn an_estimate_is_the_median_less_the_stop_for_each_call() {
        let model = Model::of(&header());
        let group = Group::new(3, true, false);
        // One jittery call among four does not move the estimate.
        let durations = [6_800, 6_800, 6_800, 400_000];
        let prices = prices(model, group, &durations);
        assert_eq!(prices.cost(group, &cell(&durations)), Some(4 * 900));
        assert_eq!(prices.cost(group, &cell(&durations[..1])), Some(900), "a part costs its part");
    }

    #[test]
    fn a_call_that_really_waited_counts_what_it_waited() {
        let model = Model::of(&header());
        let group = Group::new(3, true, false);
        let durations = [6_800, 6_800, 6_800, 8_006_800];
        let prices = prices(model, group, &durations);
        assert_eq!(prices.cost(group, &cell(&durations)), Some(4 * 900 + 8_000_000));
    }

    #[test]
    fn calls_that_always_wait_cost_their_durations() {
        let model = Model::of(&header());
        let group = Group::new(3, false, false);
        let durations = [2_005_900, 3_005_900, 9_005_900];
        let prices = prices(model, group, &durations);
        assert_eq!(prices.cost(group, &cell(&durations)), Some(14_000_000));
    }

    #[test]
    fn true_costs_are_sums_and_unknown_ones_are_absent() {
        let group = Group::new(0, true, true);
        let mut header = header();
        header.backend = "ebpf".to_owned();
        assert_eq!(prices(Model::of(&header), group, &[5, 7]).cost(group, &cell(&[5, 7])), Some(12));
        header.backend = "ptrace".to_owned();
        header.calibration = None;
        assert_eq!(prices(Model::of(&header), group, &[5, 7]).cost(group, &cell(&[5, 7])), None);
    }

    #[test]
    fn a_call_that_never_returned_is_counted_and_costs_nothing() {
        let mut cell = Cell::default();
        cell.add(None);
        assert_eq!((cell.calls, cell.timed, cell.sum_ns), (1, 0, 0));
        let group = Group::new(1, false, false);
        assert_eq!(prices(Model::of(&header()), group, &[]).cost(group, &cell), Some(0));
    }
}
