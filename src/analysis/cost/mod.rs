//! What calls cost: measured where the backend's durations are true, estimated under ptrace.
//!
//! A ptrace duration holds the tracer's stop, which is several times what most calls take. So no
//! single one of them is a cost. What can be said is made from groups of like calls (the same call
//! with the same outcome): the median traced duration less what the stop alone takes, measured on
//! this machine before the command was started. `docs/costs.md` gives the whole of the method, its
//! errors and its checks.

mod prices;
mod times;

use serde::Serialize;

use super::calls::CallId;
use super::cpu;
use super::interval::Figures;
use crate::log::Header;
pub use prices::{Groups, LongCalls, Prices, Sum, Waits};
pub use times::{NullCall, Times};

/// A traced duration of this or more is no jitter of the tracer but a call that really waited.
pub const LONG_NS: u64 = 1_000_000;

/// The backend whose durations do not hold the tracer's work.
const TRUE_BACKEND: &str = "ebpf";
/// Significant digits of a group's distribution: an estimate is a small difference of large numbers.
const GROUP_DIGITS: u8 = 3;

/// How far a cost can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Quality {
    /// Durations as the kernel took them.
    True,
    /// What calls took when they were made again by themselves; others have no cost.
    Replayed,
    /// Traced durations with the calibrated stop taken off, see the module's documentation.
    Estimated,
    /// Traced durations and no calibration: there is no cost to show.
    Unknown,
}

impl Quality {
    /// Whether each call's duration is its cost, so that sums and tails can be shown.
    #[must_use]
    pub const fn is_measured(self) -> bool {
        matches!(self, Self::True | Self::Replayed)
    }
}

/// How durations of one log become costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Model {
    /// What the costs are.
    pub quality: Quality,
    /// The tracer on the program's own CPU.
    pub pinned: Stop,
    /// The tracer on another CPU than the program (`Flags::BESIDE`); known only at the end of a log.
    pub beside: Option<Stop>,
    /// What the null call takes untraced: the part of its duration that is not the stop.
    pub null_ns: u64,
    /// Time that an untraced run does not spend in user mode: no more can its calls cost that do not wait
    /// for other processes. `None`: there were no untraced runs.
    pub outside_user: Option<OutsideUser>,
}

/// Time of an untraced run that is not spent in user mode, on average.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutsideUser {
    /// In the kernel.
    pub kernel_ns: u64,
    /// Asleep, or waiting for a CPU.
    pub off_cpu_ns: u64,
}

impl OutsideUser {
    /// What is left of it for calls that wait for devices, when others have waited for something else.
    fn room(self, waited_else_ns: u64, plain_ns: u64) -> u64 {
        (self.kernel_ns + self.off_cpu_ns.saturating_sub(waited_else_ns)).saturating_sub(plain_ns)
    }
}

/// An average, for the kernel divides CPU time by ticks, which a median would keep. Where the ticks do not tell (runs
/// shorter than one seem to be all user), all of the CPU time may be the kernel's.
fn outside_user(header: &Header) -> Option<OutsideUser> {
    let figures = Figures::of(&header.untraced.as_ref()?.runs)?;
    let [wall, cpu, system] = [figures.wall_ns.mean, figures.cpu_ns.mean, figures.system_ns.mean];
    let tells = cpu::user_share(&figures, header.host.tick_ns, 1).is_some();
    let kernel = if tells { system } else { cpu };
    Some(OutsideUser { kernel_ns: kernel as u64, off_cpu_ns: (wall - cpu).max(0.0) as u64 })
}

/// What tracing one call costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stop {
    /// What the stop adds to the call's own duration.
    pub duration_ns: u64,
    /// Elapsed time that tracing a call adds to the program.
    pub added_ns: u64,
}

impl Model {
    /// The model for a log.
    #[must_use]
    pub fn of(header: &Header) -> Self {
        let known = header.calibration.as_ref().filter(|null| null.calls > 0);
        let is_replayed = header.replayed.is_some();
        let true_costs = is_replayed || header.backend == TRUE_BACKEND;
        let pinned = known.map_or_else(Stop::default, |null| Stop {
            // The null call itself took `untraced_ns` of the duration seen; the rest is the stop.
            duration_ns: if true_costs { 0 } else { null.p50_ns.saturating_sub(null.untraced_ns) },
            added_ns: null.added_ns,
        });
        let quality = match known {
            _ if is_replayed => Quality::Replayed,
            _ if true_costs => Quality::True,
            Some(_) => Quality::Estimated,
            None => Quality::Unknown,
        };
        Self {
            quality,
            pinned,
            beside: None,
            null_ns: known.map_or(0, |null| null.untraced_ns),
            outside_user: outside_user(header),
        }
    }

    /// Takes in what a stop beside the program costs, from the totals at a log's end.
    pub fn set_beside(&mut self, p50_ns: Option<i64>, added_ns: Option<i64>) {
        let known = p50_ns
            .zip(added_ns)
            .and_then(|(p50, added)| Some((u64::try_from(p50).ok()?, u64::try_from(added).ok()?)));
        self.beside = known
            .filter(|_| self.quality == Quality::Estimated)
            .map(|(p50_ns, added_ns)| Stop { duration_ns: p50_ns.saturating_sub(self.null_ns), added_ns });
    }

    /// What tracing a call of this group costs.
    #[must_use]
    pub fn stop(&self, group: Group) -> Stop {
        if group.beside() { self.beside.unwrap_or(self.pinned) } else { self.pinned }
    }
}

/// Calls that are alike: the same call, on a file or not, that succeeded, failed or gave nothing,
/// traced from the same CPU or from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Group(u32);

impl Group {
    /// The group of a call. `file`: what it works on is a file rather than a pipe, socket or terminal.
    #[must_use]
    pub fn new(call: CallId, file: bool, failed: bool, beside: bool) -> Self {
        Self(u32::from(call) << 4 | u32::from(beside) << 2 | u32::from(file) << 1 | u32::from(failed))
    }

    /// The same for calls that gave nothing: a `read` at the end of its file, a `getdents` at the end of
    /// its directory. They are half of all such calls, and cost a fraction of the others.
    #[must_use]
    pub fn empty(self, empty: bool) -> Self {
        Self(self.0 & !8 | u32::from(empty) << 3)
    }

    /// Which call.
    #[must_use]
    pub fn call(self) -> CallId {
        (self.0 >> 4) as CallId
    }

    /// Whether the tracer was on another CPU.
    #[must_use]
    pub fn beside(self) -> bool {
        self.0 & 4 != 0
    }

    /// Whether it works on a file.
    #[must_use]
    pub fn on_file(self) -> bool {
        self.0 & 2 != 0
    }

    /// Whether it gave nothing, see [`Group::empty`].
    #[must_use]
    pub fn gave_nothing(self) -> bool {
        self.0 & 8 != 0
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::durations::Durations;
    use crate::analysis::testing::{header, with_untraced};

    fn cell(durations: &[u64]) -> Cell {
        let mut cell = Cell::default();
        for &ns in durations {
            cell.add(Some(ns));
        }
        cell
    }

    fn prices(model: Model, group: Group, durations: &[u64]) -> Prices {
        let mut groups = Groups::default();
        for &ns in durations {
            groups.record(group, Some(ns));
        }
        groups.prices(model, false, |_| Waits::ForDevices)
    }

    fn median_cost(model: &Model, duration_ns: u64) -> Option<u64> {
        let mut durations = Durations::default();
        durations.record(duration_ns);
        model.times([(&durations, model.pinned)].into_iter()).median_ns
    }

    #[test]
    fn ptrace_costs_are_estimates_and_only_with_a_calibration() {
        let mut header = header();
        let model = Model::of(&header);
        assert_eq!(model.quality, Quality::Estimated);
        assert_eq!(model.pinned, Stop { duration_ns: 5_900, added_ns: 14_000 });
        assert_eq!(median_cost(&model, 6_800), Some(900));
        assert_eq!(median_cost(&model, 5_000), Some(100), "never below the null call");
        header.calibration = None;
        assert_eq!(Model::of(&header).quality, Quality::Unknown);
        assert_eq!(median_cost(&Model::of(&header), 6_800), None);
        header.backend = "ebpf".to_owned();
        assert_eq!(Model::of(&header).quality, Quality::True);
        assert_eq!(median_cost(&Model::of(&header), 6_800), Some(6_800));
    }

    #[test]
    fn tails_are_shown_only_where_costs_are_true() {
        let mut header = header();
        let mut durations = Durations::default();
        durations.record(6_000);
        durations.record(90_000);
        let estimated = Model::of(&header).times([(&durations, Stop::default())].into_iter());
        assert_eq!((estimated.p90_ns, estimated.p99_ns, estimated.max_ns), (None, None, None));
        assert_eq!(estimated.log2.len(), 5, "the traced durations, to be held beside the null call's");
        header.backend = "ebpf".to_owned();
        let true_costs = Model::of(&header).times([(&durations, Stop::default())].into_iter());
        assert_eq!((true_costs.p99_ns, true_costs.max_ns), (Some(90_000), Some(90_000)));
    }

    #[test]
    fn calls_traced_from_another_cpu_have_their_own_stop() {
        let (here, there) = (Group::new(3, true, false, false), Group::new(3, true, false, true));
        let mut groups = Groups::default();
        for _ in 0..20 {
            groups.record(here, Some(6_800));
            groups.record(there, Some(20_900));
        }
        let mut model = Model::of(&header());
        model.set_beside(Some(20_100), Some(40_000));
        let prices = groups.prices(model, false, |_| Waits::ForDevices);
        assert_eq!(prices.cost(here, &cell(&[6_800])), Some(900));
        assert_eq!(prices.cost(there, &cell(&[20_900])), Some(900));
        assert_eq!(prices.added(there, &cell(&[20_900])), 40_000);
        assert_eq!(groups.times(&prices.model, |_| true).median_ns, Some(900));
        let cut = groups.prices(Model::of(&header()), false, |_| Waits::ForDevices);
        assert_eq!(cut.cost(there, &cell(&[20_900])), Some(100), "judged by the cheapest call seen there");
    }

    #[test]
    fn calls_that_do_next_to_nothing_are_the_null_call_in_its_place() {
        let (seek, stat, cheap) = (
            Group::new(1, true, false, false),
            Group::new(2, true, false, false),
            Group::new(3, false, false, false),
        );
        for seek_ns in [3_100, 9_100] {
            let mut groups = Groups::default();
            for _ in 0..20 {
                groups.record(seek, Some(seek_ns));
                groups.record(stat, Some(seek_ns + 800));
                groups.record(cheap, Some(seek_ns - 50));
            }
            let kind = |group| if group == seek { Waits::Never } else { Waits::ForDevices };
            let prices = groups.prices(Model::of(&header()), false, kind);
            assert_eq!(prices.model.pinned.duration_ns, seek_ns - 100, "not the calibrated 5,900");
            assert_eq!(prices.cost(seek, &cell(&[seek_ns])), Some(100));
            assert_eq!(prices.cost(stat, &cell(&[seek_ns])), Some(900));
            assert_eq!(prices.cost(cheap, &cell(&[seek_ns])), Some(100), "never below the null call");
        }
    }

    #[test]
    fn calls_at_the_end_of_a_file_do_not_speak_for_those_before() {
        let data = Group::new(3, true, false, false);
        let end = data.empty(true);
        assert!(data != end && end.on_file() && end.call() == 3 && data == end.empty(false));
        let mut groups = Groups::default();
        for _ in 0..9 {
            groups.record(data, Some(55_900));
            groups.record(end, Some(6_000));
        }
        let prices = groups.prices(Model::of(&header()), false, |_| Waits::ForDevices);
        assert_eq!(prices.cost(data, &cell(&[55_900])), Some(50_000));
        assert_eq!(prices.cost(end, &cell(&[6_000])), Some(100));
    }

    #[test]
    fn without_such_calls_the_cheapest_ones_bound_the_stop() {
        let (cheap, dear) = (Group::new(1, false, false, false), Group::new(2, true, false, false));
        let mut groups = Groups::default();
        for _ in 0..20 {
            groups.record(cheap, Some(3_150));
            groups.record(dear, Some(4_000));
        }
        let prices = groups.prices(Model::of(&header()), false, |_| Waits::ForDevices);
        assert_eq!(prices.model.pinned.duration_ns, 3_050, "not the calibrated 5,900");
        assert_eq!(prices.cost(cheap, &cell(&[3_150])), Some(100));
        assert_eq!(prices.cost(dear, &cell(&[4_000])), Some(950));
    }

    #[test]
    fn an_estimate_is_the_median_less_the_stop_for_each_call() {
        let model = Model::of(&header());
        let group = Group::new(3, true, false, false);
        // One jittery call among four does not move the estimate.
        let durations = [6_800, 6_800, 6_800, 400_000];
        let prices = prices(model, group, &durations);
        assert_eq!(prices.cost(group, &cell(&durations)), Some(4 * 900));
        assert_eq!(prices.cost(group, &cell(&durations[..1])), Some(900), "a part costs its part");
    }

    #[test]
    fn a_call_that_really_waited_counts_what_it_waited() {
        let model = Model::of(&header());
        let group = Group::new(3, true, false, false);
        let durations = [6_800, 6_800, 6_800, 8_006_800];
        let prices = prices(model, group, &durations);
        assert_eq!(prices.cost(group, &cell(&durations)), Some(4 * 900 + 8_000_000));
    }

    #[test]
    fn long_calls_count_as_far_as_untraced_runs_leave_room() {
        // 4 calls of 900 ns and one of 8 ms; untraced runs spend 4 ms of 8 ms outside user mode.
        let header = with_untraced(header(), &[8_000_000; 8]);
        let model = Model::of(&header);
        assert_eq!(model.outside_user.map(|time| time.room(0, 0)), Some(4_000_000));
        let mut untold = header.clone();
        untold.host.tick_ns = 0;
        let untold = Model::of(&untold).outside_user.map(|time| time.room(0, 0));
        assert_eq!(untold, Some(8_000_000), "user time may be none");
        let group = Group::new(3, true, false, false);
        let durations = [6_800, 6_800, 6_800, 6_800, 8_006_800];
        let mut groups = Groups::default();
        for ns in durations {
            groups.record(group, Some(ns));
        }
        let bounded = groups.prices(model, false, |_| Waits::ForDevices);
        assert_eq!((bounded.long.calls, bounded.long.waited_ns), (1, 8_000_000));
        let cost = bounded.cost(group, &cell(&durations)).unwrap();
        assert!((3_999_999..=4_000_001).contains(&cost), "{cost}");
        let added = bounded.added(group, &cell(&durations));
        assert!((added - 5 * 14_000).abs_diff(4_004_500) < 2, "what does not count was added: {added}");
        let waiting = groups.prices(model, false, |_| Waits::ForOthers);
        assert_eq!(waiting.cost(group, &cell(&durations)), Some(5 * 900 + 8_000_000));
        assert_eq!(waiting.work(group, &cell(&durations)), Some(5 * 900), "what it waited is others' work");
        assert_eq!(waiting.long.calls, 0);
        let never = groups.prices(model, false, |_| Waits::Never);
        assert_eq!(never.cost(group, &cell(&durations)), Some(5 * 900));
    }

    #[test]
    fn what_one_thread_sleeps_is_no_room_for_devices() {
        // Untraced runs are 4 ms on a CPU, in user mode for all that is known, and 4 ms off it; the thread sleeps 3 ms.
        let model = Model::of(&with_untraced(header(), &[8_000_000; 8]));
        let model =
            Model { outside_user: Some(OutsideUser { kernel_ns: 0, off_cpu_ns: 4_000_000 }), ..model };
        let (stat, sleep) = (Group::new(3, true, false, false), Group::new(4, false, false, false));
        let mut groups = Groups::default();
        groups.record(sleep, Some(3_005_900));
        let durations = [6_800, 6_800, 6_800, 6_800, 8_006_800];
        for ns in durations {
            groups.record(stat, Some(ns));
        }
        let waits = |group| if group == sleep { Waits::ForOthers } else { Waits::ForDevices };
        let mut cost = |alone| groups_cost(&mut groups, model, alone, waits, (stat, &durations));
        let [alone, beside] = [true, false].map(&mut cost);
        assert!(alone.abs_diff(1_000_000) < 2 && beside.abs_diff(4_000_000) < 2, "{alone} {beside}");
    }

    fn groups_cost(
        groups: &mut Groups,
        model: Model,
        alone: bool,
        waits: impl Fn(Group) -> Waits,
        (group, durations): (Group, &[u64]),
    ) -> u64 {
        groups.prices(model, alone, waits).cost(group, &cell(durations)).unwrap()
    }

    #[test]
    fn calls_that_always_wait_cost_their_durations() {
        let model = Model::of(&header());
        let group = Group::new(3, false, false, false);
        let durations = [2_005_900, 3_005_900, 9_005_900];
        let prices = prices(model, group, &durations);
        assert_eq!(prices.cost(group, &cell(&durations)), Some(14_000_000));
    }

    #[test]
    fn true_costs_are_sums_and_unknown_ones_are_absent() {
        let group = Group::new(0, true, true, false);
        let mut header = header();
        header.backend = "ebpf".to_owned();
        assert_eq!(prices(Model::of(&header), group, &[5, 7]).cost(group, &cell(&[5, 7])), Some(12));
        let one_waited = [&[1_000; 9][..], &[4_000_000]].concat();
        let prices_of_these = prices(Model::of(&header), group, &one_waited);
        assert_eq!(prices_of_these.cost(group, &cell(&one_waited)), Some(4_009_000));
        let usual = prices_of_these.usual(group, &cell(&one_waited)).unwrap();
        assert!(usual.abs_diff(10_000) < 100, "a single long call may have waited for a CPU: {usual}");
        header.backend = "ptrace".to_owned();
        header.calibration = None;
        assert_eq!(prices(Model::of(&header), group, &[5, 7]).cost(group, &cell(&[5, 7])), None);
    }

    #[test]
    fn a_call_that_never_returned_is_counted_and_costs_nothing() {
        let mut cell = Cell::default();
        cell.add(None);
        assert_eq!((cell.calls, cell.timed, cell.sum_ns), (1, 0, 0));
        let group = Group::new(1, false, false, false);
        assert_eq!(prices(Model::of(&header()), group, &[]).cost(group, &cell), Some(0));
    }
}
