//! From durations of groups of calls to costs.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::{Cell, GROUP_DIGITS, Group, LONG_NS, Model, Quality, Stop, Times};
use crate::analysis::calls::CallId;
use crate::analysis::durations::Durations;

/// Calls from which a median says something.
const ENOUGH: u64 = 8;
/// Long calls of a group that are no accident: so many, and more than one in so many.
const OFTEN: u64 = 3;
const RARE: u64 = 50;

/// What a call may wait for: how a traced duration that is far too long is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    /// For nothing (`lseek`, `getpid`): only the machine was busy.
    Never,
    /// For a disk, a lock of the kernel, or nothing: it counts as far as untraced runs leave room.
    ForDevices,
    /// For other processes, the network or a clock: it counts as it is.
    ForOthers,
}

/// Every group of a log: what its calls amount to, and how long they took.
#[derive(Debug, Clone, Default)]
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
        let (cell, durations) =
            self.list[at].get_or_insert_with(|| (Cell::default(), Durations::with_digits(GROUP_DIGITS)));
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

    /// Times of the groups that a condition chooses, together.
    #[must_use]
    pub fn times(&self, model: &Model, chosen: impl Fn(Group) -> bool) -> Times {
        let parts = self.iter().filter(|(group, ..)| chosen(*group));
        model.times(parts.map(|(group, _, durations)| (durations, model.stop(group))))
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

    /// How many calls have a duration.
    #[must_use]
    pub fn timed(&self) -> u64 {
        self.iter().map(|(_, cell, _)| cell.timed).sum()
    }

    /// The calls without a duration, by call, most first.
    #[must_use]
    pub fn untimed(&self) -> Vec<(CallId, u64)> {
        let mut by_call: FxHashMap<CallId, u64> = FxHashMap::default();
        for (group, cell, _) in self.iter().filter(|(_, cell, _)| cell.timed < cell.calls) {
            *by_call.entry(group.call()).or_default() += cell.calls - cell.timed;
        }
        let mut untimed: Vec<(CallId, u64)> = by_call.into_iter().collect();
        untimed.sort_unstable_by_key(|&(call, calls)| (Reverse(calls), call));
        untimed
    }

    /// The prices that follow, once all calls are in, given what the calls of each group wait for. `alone`: one thread
    /// made them all, so that they came one after the other.
    pub fn prices(&mut self, model: Model, alone: bool, waits: impl Fn(Group) -> Waits) -> Prices {
        let medians: Vec<u64> = self
            .list
            .iter_mut()
            .map(|known| known.as_mut().map_or(0, |(_, durations)| durations.quantile(0.5)))
            .collect();
        let known = self.list.iter().enumerate();
        let waits = known
            .map(|(at, known)| known.as_ref().map_or(Waits::Never, |_| waits(Group(at as u32))))
            .collect();
        let cells =
            self.list.iter().map(|known| known.as_ref().map_or_else(Cell::default, |(cell, _)| *cell));
        let rare =
            cells.map(|cell| cell.long < OFTEN || cell.long.saturating_mul(RARE) < cell.calls).collect();
        let mut prices = Prices { model, medians, waits, rare, long: LongCalls::default() };
        if model.quality == Quality::Estimated {
            self.correct_stops(&mut prices);
        }
        prices.long = self.long_calls(&prices, alone);
        prices
    }

    /// A stop in the middle of a program is dearer than one in the calibration's loop, for caches are
    /// cold; on a machine that was busy then and is not now, it is cheaper. So if the log has calls
    /// that do next to nothing, they are the null call in its place. If it has none, at least no call
    /// takes less than one that does nothing.
    fn correct_stops(&self, prices: &mut Prices) {
        let null_ns = prices.model.null_ns;
        let in_place = |beside: bool| {
            let mut all = Durations::with_digits(GROUP_DIGITS);
            for (group, _, durations) in self.iter() {
                if group.beside() == beside && !group.failed() && prices.waits(group) == Waits::Never {
                    all.merge(durations);
                }
            }
            (all.len() >= ENOUGH).then(|| all.quantile(0.5).saturating_sub(null_ns))
        };
        let least = |beside: bool| {
            let calls =
                self.iter().filter(|(group, cell, _)| group.beside() == beside && cell.timed >= ENOUGH);
            let least = calls.map(|(group, ..)| prices.median(group)).min();
            least.map(|median| median.saturating_sub(null_ns))
        };
        let corrected = |stop: Stop, beside: bool| {
            let bounded = || least(beside).map_or(stop.duration_ns, |least| stop.duration_ns.min(least));
            Stop { duration_ns: in_place(beside).unwrap_or_else(bounded), ..stop }
        };
        let model = prices.model;
        let pinned = corrected(model.pinned, false);
        // A log that was cut does not say what a stop beside the program costs: more than one on its CPU.
        let guess = || least(true).map(|least| Stop { duration_ns: least, ..model.pinned });
        let beside = model.beside.or_else(guess).map(|stop| corrected(stop, true));
        prices.model = Model { pinned, beside, ..model };
    }

    /// How much of what long calls took can be believed.
    fn long_calls(&self, prices: &Prices, alone: bool) -> LongCalls {
        let mut long = LongCalls::default();
        let (mut plain_ns, mut waited_else_ns): (u64, u64) = (0, 0);
        for (group, cell, _) in self.iter() {
            let (plain, waited) = prices.split(group, cell);
            plain_ns = plain_ns.saturating_add(plain);
            match prices.waits(group) {
                Waits::ForDevices => {
                    long.calls += cell.long;
                    long.waited_ns = long.waited_ns.saturating_add(waited);
                }
                // Of several threads one may wait for a device while another sleeps.
                Waits::ForOthers if alone => waited_else_ns = waited_else_ns.saturating_add(waited),
                Waits::ForOthers | Waits::Never => {}
            }
        }
        if let Some(outside) = prices.model.outside_user.filter(|_| long.waited_ns > 0) {
            let room = outside.room(waited_else_ns, plain_ns);
            long.counted_share = (room as f64 / long.waited_ns as f64).min(1.0);
        }
        long
    }
}

/// Calls that took [`LONG_NS`] or more when traced, those left out that wait for other processes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LongCalls {
    /// How many.
    pub calls: u64,
    /// What they took beyond a call of their kind.
    pub waited_ns: u64,
    /// The part of that which counts as cost, 0 to 1: what fits into the time that untraced runs do
    /// not spend in user mode. The rest is the traced run's own misfortune (a busy machine).
    pub counted_share: f64,
}

impl Default for LongCalls {
    fn default() -> Self {
        Self { calls: 0, waited_ns: 0, counted_share: 1.0 }
    }
}

/// What the calls of a log cost.
#[derive(Debug)]
pub struct Prices {
    /// How durations become costs.
    pub model: Model,
    /// Long calls.
    pub long: LongCalls,
    medians: Vec<u64>,
    waits: Vec<Waits>,
    /// By group: whether its long calls are so few that they say nothing about it.
    rare: Vec<bool>,
}

impl Prices {
    /// What the calls of a cell cost together, in nanoseconds; `None` where costs are unknown.
    #[must_use]
    pub fn cost(&self, group: Group, cell: &Cell) -> Option<u64> {
        match self.model.quality {
            Quality::True | Quality::Replayed => Some(cell.sum_ns),
            Quality::Unknown => None,
            Quality::Estimated => {
                let (plain, waited) = self.split(group, cell);
                Some(plain.saturating_add(waited - self.not_counted(group, waited)))
            }
        }
    }

    /// The same without what calls of [`LONG_NS`] or more waited: they may have waited for a device, or for a CPU
    /// because the machine was busy, which a single traced run cannot tell. At least this, then.
    #[must_use]
    pub fn without_long(&self, group: Group, cell: &Cell) -> Option<u64> {
        match self.model.quality {
            Quality::True | Quality::Replayed => Some(cell.sum_ns - cell.long_ns.min(cell.sum_ns)),
            Quality::Unknown => None,
            Quality::Estimated => Some(self.split(group, cell).0),
        }
    }

    /// As [`Prices::cost`] without what calls waited for other processes, the network or a clock: a parent's wait
    /// for its child is the child's work, and is counted there.
    #[must_use]
    pub fn work(&self, group: Group, cell: &Cell) -> Option<u64> {
        match (self.model.quality, self.waits(group)) {
            (Quality::Estimated, Waits::ForOthers) => Some(self.split(group, cell).0),
            (Quality::True | Quality::Replayed, Waits::ForOthers) => {
                Some(cell.sum_ns - cell.long_ns.min(cell.sum_ns))
            }
            _ => self.cost(group, cell),
        }
    }

    /// The same as [`Prices::cost`], where a few long calls among many quicker ones of their group count like those.
    #[must_use]
    pub fn usual(&self, group: Group, cell: &Cell) -> Option<u64> {
        let rare = self.rare.get(group.0 as usize) == Some(&true) && self.median(group) < LONG_NS;
        match self.model.quality {
            Quality::Estimated if rare => Some(self.split(group, cell).0),
            Quality::True | Quality::Replayed if rare => {
                let usual_ns = cell.long.saturating_mul(self.median(group));
                Some((cell.sum_ns - cell.long_ns.min(cell.sum_ns)).saturating_add(usual_ns))
            }
            _ => self.cost(group, cell),
        }
    }

    /// Elapsed time that tracing the calls of a cell added to the program, and what its long calls
    /// took that does not count.
    #[must_use]
    pub fn added(&self, group: Group, cell: &Cell) -> u64 {
        let stops = cell.calls.saturating_mul(self.model.stop(group).added_ns);
        stops.saturating_add(self.not_counted(group, self.split(group, cell).1))
    }

    /// What the calls of a cell take by the median of their group, and what long ones take beyond.
    fn split(&self, group: Group, cell: &Cell) -> (u64, u64) {
        let median = self.median(group);
        let stop_ns = self.model.stop(group).duration_ns;
        if median >= LONG_NS {
            // Most calls of this kind wait: what they took is large beside the stop.
            return (0, cell.sum_ns.saturating_sub(cell.timed.saturating_mul(stop_ns)));
        }
        // No call takes less than one that does nothing.
        let each = median.saturating_sub(stop_ns).max(self.model.null_ns);
        let plain = cell.timed.saturating_mul(each);
        (plain, cell.long_ns.saturating_sub(cell.long.saturating_mul(median)))
    }

    fn not_counted(&self, group: Group, waited_ns: u64) -> u64 {
        match self.waits(group) {
            Waits::Never => waited_ns,
            Waits::ForDevices => (waited_ns as f64 * (1.0 - self.long.counted_share)) as u64,
            Waits::ForOthers => 0,
        }
    }

    fn median(&self, group: Group) -> u64 {
        self.medians.get(group.0 as usize).copied().unwrap_or(0)
    }

    fn waits(&self, group: Group) -> Waits {
        self.waits.get(group.0 as usize).copied().unwrap_or(Waits::Never)
    }
}
