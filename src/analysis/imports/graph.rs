//! Imports as a flame graph: module upon importing module, then the part, then its calls.

use rustc_hash::FxHashMap;

use super::{Call, Cell, Import, Part, Tree};
use crate::analysis::base::Base;
use crate::analysis::cost::{self, Group, Prices};
use crate::analysis::errno;
use crate::analysis::fold::{FrameId, Graph, Kind};
use crate::event::stack::FrameKind;

/// What the width of a frame stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measured {
    /// Elapsed time.
    Wall,
    /// What calls cost.
    Cost,
    /// Calls.
    Calls,
}

/// Calls of an import, those that are alike together, in the order in which they were first made.
pub(super) fn cells(base: &Base, prices: &Prices, calls: &[Call]) -> Vec<Cell> {
    let mut all: Vec<(Part, Group, u16, cost::Cell)> = Vec::new();
    let mut known: FxHashMap<(Part, Group, u16), usize> = FxHashMap::default();
    for call in calls.iter().filter(|call| call.chosen && !call.reports) {
        let (part, group) = (call.part.unwrap_or(Part::Rest), call.group);
        let at = *known.entry((part, group, call.errno)).or_insert_with(|| {
            all.push((part, group, call.errno, cost::Cell::default()));
            all.len() - 1
        });
        all[at].3.add(call.duration_ns);
    }
    let cell = |(part, group, errno, cell): (Part, Group, u16, cost::Cell)| {
        let call = base.calls.get(group.call());
        let cost_ns = prices.cost(group, &cell).unwrap_or(0);
        Cell { part, call: call.name.clone(), family: call.family(), errno, calls: cell.calls, cost_ns }
    };
    all.into_iter().map(cell).collect()
}

/// The graph of all imports.
#[must_use]
pub fn graph(tree: &Tree, measured: Measured) -> Graph {
    let mut graph = Graph::default();
    let mut frames: Vec<FrameId> = Vec::with_capacity(tree.imports.len());
    for import in &tree.imports {
        let below = match import.parent.and_then(|parent| frames.get(parent)) {
            Some(&parent) => parent,
            None => graph.upon(Graph::ROOT, Kind::Process, import.process.bytes()),
        };
        let frame = graph.upon(below, Kind::Code(FrameKind::Python), import.name.bytes());
        frames.push(frame);
        own(&mut graph, frame, import, measured);
    }
    graph
}

/// Adds what is an import's own.
fn own(graph: &mut Graph, frame: FrameId, import: &Import, measured: Measured) {
    if measured == Measured::Wall {
        for part in Part::ALL.into_iter().filter(|part| import.part_ns(*part) > 0) {
            let top = graph.upon(frame, Kind::Phase, shown(part));
            graph.add(top, import.part_ns(part));
        }
        return;
    }
    for cell in &import.cells {
        let part = graph.upon(frame, Kind::Phase, shown(cell.part));
        let mut top = graph.upon(part, Kind::Call(cell.family), cell.call.as_bytes());
        if cell.errno != 0 {
            top = graph.upon(top, Kind::Errno, errno::name(cell.errno).as_bytes());
        }
        graph.add(top, if measured == Measured::Cost { cell.cost_ns } else { cell.calls });
    }
}

/// A part's frame, which no module is called like.
fn shown(part: Part) -> &'static [u8] {
    match part {
        Part::Find => b"(finding)",
        Part::Read => b"(reading)",
        Part::Execute => b"(executing)",
        Part::Rest => b"(rest)",
    }
}
