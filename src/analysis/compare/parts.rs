//! Where the wall time of each side is, so that a difference can be attributed.
//!
//! What traced runs say of their critical path stands beside the wall time of untraced ones; what lies between is shown, not
//! distributed: it is what tracing changed, what its correction got wrong, and what happened before the first call.

use serde::Serialize;

use super::Sample;
use super::critical::{Along, Spent};
use super::statistics::median;
use crate::analysis::cost::Quality;

/// A part of the wall time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// Which.
    pub kind: PartKind,
    /// For each side, the median of its runs, in nanoseconds; `None`: not known.
    pub ns: Vec<Option<f64>>,
}

/// Which part of the wall time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// On the critical path of traced runs.
    Along(Along),
    /// The wall time less all of these; less than nothing where they are too much.
    Unexplained,
    /// The wall time of untraced runs.
    Wall,
    /// What other processes than the first one had of the critical path.
    InChildren,
}

/// All parts in order; none where nothing is known of the path of any side.
pub fn parts(samples: &[Sample]) -> Vec<Part> {
    let paths: Vec<Vec<Spent>> = samples.iter().map(paths).collect();
    if paths.iter().all(Vec::is_empty) {
        return Vec::new();
    }
    let of_paths = |kind, value: &dyn Fn(&Spent) -> u64| Part { kind, ns: medians(&paths, value) };
    let along = Along::ALL
        .into_iter()
        .map(|along| of_paths(PartKind::Along(along), &|spent| spent.parts[along as usize]));
    let mut parts: Vec<Part> = along.filter(|part| part.ns.iter().flatten().any(|ns| *ns > 0.0)).collect();
    let wall: Vec<Option<f64>> = samples.iter().map(wall).collect();
    let rest = (0..samples.len()).map(|side| {
        let sum = parts.iter().map(|part| part.ns[side]).sum::<Option<f64>>()?;
        Some(wall[side]? - sum)
    });
    let rest = Part { kind: PartKind::Unexplained, ns: rest.collect() };
    let in_children = of_paths(PartKind::InChildren, &|spent| spent.in_children);
    if rest.ns.iter().any(Option::is_some) {
        parts.extend([rest, Part { kind: PartKind::Wall, ns: wall }]);
    }
    parts.extend(Some(in_children).filter(|part| part.ns.iter().flatten().any(|ns| *ns > 0.0)));
    parts
}

/// The paths of the runs of a side whose times are known.
fn paths(sample: &Sample) -> Vec<Spent> {
    let known = sample.profiles.iter().filter(|profile| {
        matches!(profile.quality, Quality::True | Quality::Estimated) && !profile.integrity.is_lossy()
    });
    known.map(|profile| profile.path).collect()
}

fn medians(paths: &[Vec<Spent>], value: &dyn Fn(&Spent) -> u64) -> Vec<Option<f64>> {
    let of = |paths: &Vec<Spent>| {
        let values: Vec<f64> = paths.iter().map(|spent| value(spent) as f64).collect();
        (!values.is_empty()).then(|| median(&values))
    };
    paths.iter().map(of).collect()
}

fn wall(sample: &Sample) -> Option<f64> {
    let walls: Vec<f64> = sample.runs.iter().map(|run| run.wall_ns as f64).collect();
    (!walls.is_empty()).then(|| median(&walls))
}

impl PartKind {
    /// The name used in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Along(along) => along.name(),
            Self::Unexplained => "unexplained rest",
            Self::Wall => "wall, untraced",
            Self::InChildren => "of the path, in other processes",
        }
    }
}
