//! What calls cost under each backend, and where an estimate ends.

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
    let model = Model { outside_user: Some(OutsideUser { kernel_ns: 0, off_cpu_ns: 4_000_000 }), ..model };
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
