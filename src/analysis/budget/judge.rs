//! Which budgets were met by the runs.

use serde::Serialize;

use super::expression::{Comparison, Expression, Limit, Metric, Unit};
use super::meter::{Place, Reading, Value};
use crate::analysis::cost::Quality;
use crate::analysis::integrity::Integrity;

/// An expression, and where it was written.
#[derive(Debug, Clone)]
pub struct Budget {
    /// What it says.
    pub expression: Expression,
    /// File and line; `None`: the command line.
    pub source: Option<String>,
}

/// All budgets over all runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    /// What was judged: the log or the command, as typed.
    pub target: String,
    /// How many runs.
    pub runs: usize,
    /// All were met.
    pub met: bool,
    /// What costs are.
    pub quality: Quality,
    /// What is missing from the log that lacks most.
    pub integrity: Integrity,
    /// Each budget, in the order given.
    pub budgets: Vec<Judged>,
}

/// One budget over all runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judged {
    /// As it was written.
    pub expression: String,
    /// What is measured.
    pub metric: String,
    /// File and line it stands in; `None`: the command line.
    pub source: Option<String>,
    /// Its verdict.
    pub verdict: Verdict,
    /// Why there is none, or why it is not sure.
    pub reason: Option<&'static str>,
    /// What numbers of it are.
    pub unit: Unit,
    /// What was allowed.
    pub limit: Option<u64>,
    /// What the run came to that is farthest on the wrong side.
    pub value: Option<u64>,
    /// What each run came to.
    pub values: Vec<Option<u64>>,
    /// Where most of that value is.
    pub places: Vec<Place>,
    /// Places beyond those.
    pub more_places: u64,
}

/// Whether a budget was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It was met by every run.
    Met,
    /// A run went beyond it.
    Broken,
    /// It cannot be told.
    Unknown,
    /// There is no limit: it was measured.
    Measured,
}

const NO_COST: &str = "the log does not tell costs (no calibration, or strace's own text)";
const NO_UNTRACED: &str = "the log has no untraced runs";
const NO_CALLS: &str = "the log has no calls";
const LOSSES: &str = "events are missing from the log";

/// Compares what runs came to with their budgets; readings have a value for each budget.
#[must_use]
pub fn judge(target: String, budgets: &[Budget], readings: Vec<Reading>) -> Judgement {
    let missing = Missing {
        some: readings.iter().any(|reading| reading.integrity.is_lossy()),
        all: readings.iter().any(|reading| reading.integrity.calls == 0),
    };
    let judged = budgets.iter().enumerate();
    let budgets: Vec<Judged> = judged
        .map(|(at, budget)| {
            one(budget, readings.iter().filter_map(|reading| reading.values.get(at)), missing)
        })
        .collect();
    let (runs, quality) =
        (readings.len(), readings.first().map_or(Quality::Unknown, |reading| reading.quality));
    let worst = readings.into_iter().map(|reading| reading.integrity);
    let worst = worst.max_by_key(|integrity| (!integrity.complete, integrity.lost_events));
    Judgement {
        target,
        runs,
        met: budgets.iter().all(|budget| matches!(budget.verdict, Verdict::Met | Verdict::Measured)),
        quality,
        integrity: worst.unwrap_or_default(),
        budgets,
    }
}

/// What logs lack.
#[derive(Debug, Clone, Copy)]
struct Missing {
    /// Events are missing from one.
    some: bool,
    /// One has no calls at all.
    all: bool,
}

fn one<'a>(budget: &Budget, values: impl Iterator<Item = &'a Value>, missing: Missing) -> Judged {
    let Expression { text, metric, limit } = &budget.expression;
    let values: Vec<&Value> = values.collect();
    let worst = values.iter().copied().max_by_key(|value| (value.amount.is_none(), distance(*limit, value)));
    let (verdict, reason) = verdict(metric, *limit, worst.and_then(|value| value.amount), missing);
    Judged {
        expression: text.clone(),
        metric: metric.text.clone(),
        source: budget.source.clone(),
        verdict,
        reason,
        unit: metric.unit(),
        limit: limit.map(|limit| limit.value),
        value: worst.and_then(|value| value.amount).filter(|_| reason != Some(NO_CALLS)),
        values: values.iter().map(|value| value.amount).collect(),
        places: worst.map(|value| value.places.clone()).unwrap_or_default(),
        more_places: worst.map_or(0, |value| value.more_places),
    }
}

/// How far a value is on the wrong side, or towards it.
fn distance(limit: Option<Limit>, value: &Value) -> i128 {
    let amount = i128::from(value.amount.unwrap_or(0));
    match limit {
        None | Some(Limit { comparison: Comparison::AtMost | Comparison::Below, .. }) => amount,
        Some(Limit { comparison: Comparison::AtLeast | Comparison::Above, .. }) => -amount,
        Some(Limit { comparison: Comparison::Equal, value }) => (amount - i128::from(value)).abs(),
    }
}

/// What is missing from a log can only have made a value smaller.
fn verdict(
    metric: &Metric,
    limit: Option<Limit>,
    value: Option<u64>,
    missing: Missing,
) -> (Verdict, Option<&'static str>) {
    let is_untraced = matches!(metric.subject, super::Subject::Run(figure) if figure.is_untraced());
    if missing.all && !is_untraced {
        return (Verdict::Unknown, Some(NO_CALLS));
    }
    let is_lossy = missing.some && !is_untraced;
    let Some(value) = value else {
        return (Verdict::Unknown, Some(if is_untraced { NO_UNTRACED } else { NO_COST }));
    };
    let Some(limit) = limit else { return (Verdict::Measured, is_lossy.then_some(LOSSES)) };
    let holds = limit.comparison.holds(value, limit.value);
    let is_sure = match limit.comparison {
        Comparison::AtMost | Comparison::Below => !holds,
        Comparison::AtLeast | Comparison::Above => holds,
        Comparison::Equal => !holds && value > limit.value,
    };
    match (holds, is_lossy && !is_sure) {
        (_, true) => (Verdict::Unknown, Some(LOSSES)),
        (true, false) => (Verdict::Met, None),
        (false, false) => (Verdict::Broken, None),
    }
}
