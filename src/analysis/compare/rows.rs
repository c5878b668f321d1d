//! Figures side by side, and which of their differences are no accident.

use std::collections::BTreeSet;

use serde::Serialize;

use super::measure::{Measure, Unit};
use super::profile::{Dimension, Profile, Tally};
use super::statistics::{FALSE_DISCOVERIES, Ratio, believed, median, rank_test, ratio};
use super::{CONFIDENCE, Sample};
use crate::analysis::cost::Quality;
use crate::analysis::interval::{Interval, median_interval, summarize};
use crate::analysis::text::Text;
use crate::log::Run;

/// Differences smaller than this part of the larger figure are not worth mention.
const SMALLEST_SHARE: f64 = 0.01;

/// One figure of all sides.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// What it is of: the family, place or call; or the name of the figure itself.
    pub name: Text,
    /// What rows of this kind are by; `None`: the whole run.
    pub dimension: Option<Dimension>,
    /// What is measured; `None`: a figure of untraced runs.
    pub measure: Option<Measure>,
    /// What numbers are.
    pub unit: Unit,
    /// Each side.
    pub sides: Vec<Cell>,
    /// Each side but the first, against that.
    pub others: Vec<Against>,
    /// The values of each side.
    #[serde(skip)]
    values: Vec<Vec<f64>>,
}

/// A figure of one side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cell {
    /// How many runs tell it; 0: it is not known.
    pub runs: usize,
    /// Median of the runs.
    pub median: f64,
    /// Where the true median is; `None` below six runs.
    pub interval: Option<Interval>,
    /// The smallest.
    pub least: f64,
    /// The largest.
    pub most: f64,
    /// Values suspiciously far from the median.
    pub outliers: usize,
}

/// A side against the first one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Against {
    /// Its median less the reference's; 0 where one of them is not known.
    pub difference: f64,
    /// Its median over the reference's; `None` where that is 0.
    pub ratio: Option<Ratio>,
    /// The probability of such a difference, or a larger one, by chance; `None`: not tested.
    pub probability: Option<f64>,
    /// What to make of it.
    pub verdict: Verdict,
}

/// What to make of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is one: believed after correction for many comparisons, and worth mention.
    Differs,
    /// It may be chance.
    NotSure,
    /// It is none, or not worth mention.
    Alike,
    /// There are too few runs to tell it from chance.
    Untested,
    /// Of one of the two nothing is known.
    Unknown,
}

/// The fewest runs of each side with which a test can say anything at five per cent.
const FEWEST: usize = 4;

/// A row from the values of each side; verdicts come later, with those of all rows, and ratios last.
fn row(name: Text, unit: Unit, values: Vec<Vec<f64>>) -> Row {
    let reference = values.first().map_or(&[][..], Vec::as_slice);
    let others = values.iter().skip(1).map(|other| against(reference, other)).collect();
    let sides = values.iter().map(|all| cell(all)).collect();
    Row { name, dimension: None, measure: None, unit, sides, others, values }
}

fn against(reference: &[f64], other: &[f64]) -> Against {
    let runs = reference.len().min(other.len());
    Against {
        difference: if runs == 0 { 0.0 } else { median(other) - median(reference) },
        ratio: None,
        probability: rank_test(reference, other).filter(|_| runs >= FEWEST),
        verdict: match runs {
            0 => Verdict::Unknown,
            1..FEWEST => Verdict::Untested,
            _ => Verdict::Alike,
        },
    }
}

fn cell(values: &[f64]) -> Cell {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Cell {
        runs: sorted.len(),
        median: median(&sorted),
        interval: median_interval(&sorted, CONFIDENCE),
        least: sorted.first().copied().unwrap_or(0.0),
        most: sorted.last().copied().unwrap_or(0.0),
        outliers: summarize(sorted.iter().map(|value| *value as u64)).map_or(0, |summary| summary.outliers),
    }
}

/// A figure of an untraced run: its name, what it is, and where it stands.
type Figure = (&'static str, Unit, fn(&Run) -> u64);

/// Figures of untraced runs; none where no side has any.
pub fn times(samples: &[Sample]) -> Vec<Row> {
    const FIGURES: [Figure; 8] = [
        ("wall", Unit::Ns, |run| run.wall_ns),
        ("CPU", Unit::Ns, |run| run.user_ns.saturating_add(run.system_ns)),
        ("user", Unit::Ns, |run| run.user_ns),
        ("sys", Unit::Ns, |run| run.system_ns),
        ("minor faults", Unit::Count, |run| run.minor_faults),
        ("major faults", Unit::Count, |run| run.major_faults),
        ("voluntary switches", Unit::Count, |run| run.voluntary_switches),
        ("involuntary switches", Unit::Count, |run| run.involuntary_switches),
    ];
    if samples.iter().all(|sample| sample.runs.is_empty()) {
        return Vec::new();
    }
    let values = |figure: fn(&Run) -> u64| -> Vec<Vec<f64>> {
        samples.iter().map(|sample| sample.runs.iter().map(|run| figure(run) as f64).collect()).collect()
    };
    FIGURES.iter().map(|(name, unit, figure)| row((*name).into(), *unit, values(*figure))).collect()
}

/// Whether costs of all sides can be set beside each other.
fn comparable_costs(samples: &[Sample]) -> bool {
    let mut qualities = samples.iter().flat_map(|sample| &sample.profiles).map(|profile| profile.quality);
    let first = qualities.next();
    first.is_some_and(|first| first != Quality::Unknown && qualities.all(|quality| quality == first))
}

fn of_profiles(samples: &[Sample], value: impl Fn(&Profile) -> u64) -> Vec<Vec<f64>> {
    let of = |sample: &Sample| sample.profiles.iter().map(|profile| value(profile) as f64).collect();
    samples.iter().map(of).collect()
}

/// Figures of traced runs that are not 0 for all sides.
pub fn figures(samples: &[Sample]) -> Vec<Row> {
    let all = samples.iter().flat_map(|sample| &sample.profiles).flat_map(|profile| profile.figures.iter());
    let measures: BTreeSet<Measure> =
        all.filter(|(_, value)| **value > 0).map(|(measure, _)| *measure).collect();
    let with_costs = comparable_costs(samples);
    let measures = measures.into_iter().filter(|measure| *measure != Measure::Cost || with_costs);
    let one = |measure: Measure| {
        let values = of_profiles(samples, |profile| profile.figures.get(&measure).copied().unwrap_or(0));
        Row { measure: Some(measure), ..row(measure.name().into(), measure.unit(), values) }
    };
    measures.map(one).collect()
}

/// Calls, failures and costs of each family, place and system call.
pub fn calls(samples: &[Sample]) -> Vec<Row> {
    let all = samples.iter().flat_map(|sample| &sample.profiles).flat_map(|profile| profile.tallies.keys());
    let keys: BTreeSet<&(Dimension, Text)> = all.collect();
    let mut rows = Vec::new();
    let with_costs = comparable_costs(samples);
    for key in keys {
        let (dimension, name) = key;
        let mut add = |measure: Measure, value: fn(&Tally) -> u64| {
            let values = of_profiles(samples, |profile| profile.tallies.get(key).map_or(0, value));
            if values.iter().flatten().any(|value| *value > 0.0) {
                let row = row(name.clone(), measure.unit(), values);
                rows.push(Row { dimension: Some(*dimension), measure: Some(measure), ..row });
            }
        };
        add(Measure::Calls, |tally| tally.calls);
        add(Measure::Failed, |tally| tally.failed);
        if with_costs {
            add(Measure::Cost, |tally| tally.cost_ns.unwrap_or(0));
        }
    }
    rows
}

/// Gives verdicts to all rows together, for the more there are, the more differ by chance. Costs are judged by themselves:
/// they differ in every run, and would only hide what counts tell.
pub fn judge(tables: &mut [Vec<Row>; 3]) {
    for costs in [false, true] {
        let is_cost =
            |row: &&mut Row| matches!(row.measure, Some(Measure::Cost | Measure::NetworkWait)) == costs;
        judge_family(tables.iter_mut().flatten().filter(is_cost));
    }
}

fn judge_family<'a>(rows: impl Iterator<Item = &'a mut Row>) {
    let mut all: Vec<(f64, &mut Against)> = Vec::new();
    for row in rows {
        let base = row.sides.first().map_or(0.0, |cell| cell.median);
        all.extend(row.others.iter_mut().map(|against| (base, against)));
    }
    let tests: Vec<Option<f64>> = all.iter().map(|(_, against)| against.probability).collect();
    let sure = believed(&tests, FALSE_DISCOVERIES);
    for ((base, against), sure) in all.iter_mut().zip(sure) {
        let larger = base.max(*base + against.difference);
        let is_worth_mention = against.difference.abs() > SMALLEST_SHARE * larger;
        against.verdict = match (against.verdict, is_worth_mention) {
            (verdict @ (Verdict::Untested | Verdict::Unknown), _) => verdict,
            (_, true) if sure => Verdict::Differs,
            (_, true) => Verdict::NotSure,
            (_, false) => Verdict::Alike,
        };
    }
}

/// Adds ratios, whose intervals take a while. `paired`: values of the same place are of the same round.
pub fn add_ratios(rows: &mut [Row], paired: bool) {
    for Row { values, others, .. } in rows {
        let Some((reference, further)) = values.split_first() else { continue };
        for (against, other) in others.iter_mut().zip(further) {
            against.ratio = ratio(reference, other, paired);
        }
    }
}

/// Largest differences first: believed ones, then by how much larger one side is, in units that all rows of one kind
/// share.
pub fn sort(rows: &mut [Row]) {
    let size = |row: &Row| row.others.iter().map(|against| against.difference.abs()).fold(0.0, f64::max);
    let believed = |row: &Row| row.others.iter().any(|against| against.verdict == Verdict::Differs);
    rows.sort_by(|a, b| {
        let kind = |row: &Row| (row.dimension, row.measure.filter(|_| row.dimension.is_some()));
        let order = kind(a).cmp(&kind(b)).then_with(|| believed(b).cmp(&believed(a)));
        order.then_with(|| size(b).total_cmp(&size(a))).then_with(|| a.name.cmp(&b.name))
    });
}
