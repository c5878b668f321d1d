//! The file-system calls of a run, and the ceiling: what a run would be shorter by without them.

use serde::Serialize;

use super::super::base::Base;
use super::super::calls::Calls;
use super::super::cost::{Cell, Group, Model, Prices, Quality, Times};
use super::super::cube::Key;
use super::super::lookups::plus;
use super::super::wall::{Untraced, Wall};
use crate::syscall::Family;

/// What file-system calls there were and cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileSystem {
    /// By family, dearest first.
    pub families: Vec<FamilyRow>,
    /// Calls.
    pub calls: u64,
    /// Failed ones.
    pub failed: u64,
    /// Cost; `None` where costs are unknown.
    pub cost_ns: Option<u64>,
    /// The ceiling: what a run would be shorter by if every one of them were free, as a part of the
    /// wall time, 0 to 1; `None` where costs are unknown.
    pub ceiling_share: Option<f64>,
    /// The same for the ends of the wall time's interval (or, with few runs, of its range), lowest first, and there
    /// without what calls of 1 ms or more waited; `None` where there is neither.
    pub ceiling_range: Option<(f64, f64)>,
    /// What of the cost is sure to be the program's: all but what calls of 1 ms or more waited, for which the traced
    /// run's machine may have been at fault.
    #[serde(skip)]
    sure_ns: u64,
}

/// One family.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FamilyRow {
    /// Its name.
    pub family: &'static str,
    /// Calls.
    pub calls: u64,
    /// Failed ones.
    pub failed: u64,
    /// Cost; `None` where costs are unknown.
    pub cost_ns: Option<u64>,
    /// As a part of the wall time.
    pub share: Option<f64>,
    /// Times of one call.
    #[serde(flatten)]
    pub times: Times,
}

/// Counts them and sums them up.
pub fn gather(cells: &[(Key, Cell)], base: &Base, prices: &Prices, wall: Wall) -> FileSystem {
    let mut rows: Vec<(Family, FamilyRow)> = Vec::new();
    let mut sure_ns: u64 = 0;
    for (key, cell) in cells.iter().filter(|(key, _)| key.group.on_file()) {
        let family = base.calls.get(key.group.call()).family();
        let at = rows.iter().position(|(known, _)| *known == family).unwrap_or_else(|| {
            rows.push((family, family_row(family, &base.calls, base, &prices.model)));
            rows.len() - 1
        });
        let row = &mut rows[at].1;
        row.calls += cell.calls;
        row.failed += if key.errno == 0 { 0 } else { cell.calls };
        row.cost_ns = plus(row.cost_ns, prices.cost(key.group, cell));
        sure_ns = sure_ns.saturating_add(prices.without_long(key.group, cell).unwrap_or(0));
    }
    let mut families: Vec<FamilyRow> = rows.into_iter().map(|(_, row)| row).collect();
    for row in &mut families {
        row.share = row.cost_ns.map(|ns| wall.share(ns));
    }
    families.sort_by(|a, b| (b.cost_ns, b.calls).cmp(&(a.cost_ns, a.calls)).then(a.family.cmp(b.family)));
    let cost_ns = match prices.model.quality {
        Quality::Unknown => None,
        _ => Some(families.iter().filter_map(|row| row.cost_ns).fold(0, u64::saturating_add)),
    };
    FileSystem {
        calls: families.iter().map(|row| row.calls).sum(),
        failed: families.iter().map(|row| row.failed).sum(),
        cost_ns,
        ceiling_share: None,
        ceiling_range: None,
        sure_ns,
        families,
    }
}

impl FileSystem {
    /// The ceiling. Only for a log that is all there: what is missing would count too.
    pub fn set_ceiling(&mut self, wall: Wall, untraced: Option<&Untraced>) {
        let Some(ns) = self.cost_ns else { return };
        self.ceiling_share = Some(wall.share(ns).min(1.0));
        self.ceiling_range = untraced.and_then(Untraced::wall_range).map(|(low, high)| {
            let share = |ns: u64, wall: f64| if wall > 0.0 { (ns as f64 / wall).min(1.0) } else { 0.0 };
            (share(self.sure_ns.min(ns), high), share(ns, low))
        });
    }
}

fn family_row(family: Family, calls: &Calls, base: &Base, model: &Model) -> FamilyRow {
    let chosen = |group: Group| group.on_file() && calls.get(group.call()).family() == family;
    FamilyRow {
        family: family.name(),
        calls: 0,
        failed: 0,
        cost_ns: None,
        share: None,
        times: base.groups.times(model, chosen),
    }
}
