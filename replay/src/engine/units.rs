//! Chains: steps on one descriptor that a ring may be given together, each linked to the one before.
//!
//! A chain is one node of a graph of its own: it waits for all that its steps wait for, and is handed over whole. For
//! that no step of it may wait for an outsider that comes after its head in the log: such an outsider might wait
//! for the head itself. (One that comes before cannot, since edges lead forward.) A file that is made, written, closed
//! and renamed is one chain, too.

use rustc_hash::FxHashMap;

use crate::bind::{Action, Change, Start};
use crate::graph::Graph;
use crate::plan::PathId;
use crate::program::Program;

/// Chains are no longer than this.
pub(crate) const LONGEST: usize = 16;

/// Steps that are handed over together, the first first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    pub(crate) steps: Vec<u32>,
    /// It opens its file, reads or writes it and closes it, and nobody else sees it: it needs no descriptor.
    pub(crate) direct: bool,
}

/// The units of a program and the order of them.
#[derive(Debug)]
pub(crate) struct Units {
    pub(crate) list: Vec<Unit>,
    /// Which unit each step belongs to.
    pub(crate) unit_of: Vec<u32>,
    /// Of each unit: how many edges lead to it from outside.
    pub(crate) waits: Vec<u32>,
}

/// Whether a ring has an operation for it that works on a linked descriptor.
fn can_be_linked(action: &Action) -> bool {
    matches!(
        action,
        Action::Fstat { .. }
            | Action::Read { .. }
            | Action::Pread { .. }
            | Action::Close { .. }
            | Action::Change(Change::Write { .. } | Change::Pwrite { .. } | Change::Sync { .. })
    )
}

/// A file as a chain's first step names it, and a rename at its end.
type Named = (Start, PathId);

fn makes(action: &Action) -> Option<Named> {
    match *action {
        Action::Change(Change::Open { start, path, into: Some(_), .. }) => Some((start, path)),
        _ => None,
    }
}

fn renames(action: &Action) -> Option<Named> {
    match *action {
        Action::Change(Change::Rename { from_start, from, .. }) => Some((from_start, from)),
        _ => None,
    }
}

impl Units {
    pub(crate) fn new(program: &Program, graph: &Graph) -> Self {
        let predecessors = Predecessors::new(graph);
        let mut units: Vec<Unit> = Vec::new();
        let mut unit_of = vec![u32::MAX; program.steps.len()];
        // The chain that each handle's steps are in now.
        let mut open_chain = vec![u32::MAX; program.handles];
        // The chain that begins with making a file of this name.
        let mut made: FxHashMap<Named, u32> = FxHashMap::default();
        for step in 0..program.steps.len() as u32 {
            let action = program.action(step);
            let handle = action.subject();
            let renamed = renames(action).and_then(|name| made.remove(&name));
            let closed = renamed.filter(|&chain| {
                let last = units[chain as usize].steps.last();
                last.is_some_and(|&last| program.action(last).closes().is_some())
            });
            let chain = match handle.filter(|_| renames(action).is_none()) {
                Some(handle) => open_chain[handle.index()],
                None => closed.unwrap_or(u32::MAX),
            };
            let joins = (can_be_linked(action) || closed.is_some())
                && units.get(chain as usize).is_some_and(|unit| {
                    unit.steps.len() < LONGEST && predecessors.allow(step, chain, unit, &unit_of)
                });
            let own = if joins {
                units[chain as usize].steps.push(step);
                chain
            } else {
                units.push(Unit { steps: vec![step], direct: false });
                units.len() as u32 - 1
            };
            unit_of[step as usize] = own;
            if let Some(name) = makes(action) {
                made.insert(name, own);
            }
            if let Some(handle) = action.defines().or(handle.filter(|_| can_be_linked(action))) {
                open_chain[handle.index()] = own;
            }
        }
        Self::settle(program, graph, units, unit_of)
    }

    /// An open can head a chain only if the whole life of its file is in it, for it has no descriptor before; other
    /// chains that begin with one lose it.
    fn settle(program: &Program, graph: &Graph, units: Vec<Unit>, mut unit_of: Vec<u32>) -> Self {
        let uses = uses_of_handles(program);
        let mut settled: Vec<Unit> = Vec::with_capacity(units.len());
        for mut unit in units {
            let head = program.action(unit.steps[0]);
            let defined = head.defines().filter(|_| unit.steps.len() > 1);
            if let Some(handle) = defined {
                let on_file = unit.steps.iter().rev().map(|&step| program.action(step));
                let mut on_file = on_file.skip_while(|action| renames(action).is_some()).peekable();
                let is_closed = on_file.peek().is_some_and(|last| last.closes() == Some(handle));
                let is_head = |action: &Action| {
                    matches!(
                        action,
                        Action::Open { resolve: 0, .. } | Action::Change(Change::Open { resolve: 0, .. })
                    )
                };
                let whole = is_closed
                    && on_file.count() == 1 + uses[handle.index()] as usize
                    && is_head(head)
                    && !unit.steps.iter().any(|&step| matches!(program.action(step), Action::Fstat { .. }));
                unit.direct = whole;
                if !whole {
                    let rest = unit.steps.split_off(1);
                    settled.push(unit);
                    settled.push(Unit { steps: rest, direct: false });
                    continue;
                }
            }
            settled.push(unit);
        }
        for (index, unit) in settled.iter().enumerate() {
            unit.steps.iter().for_each(|&step| unit_of[step as usize] = index as u32);
        }
        let mut waits = vec![0; settled.len()];
        for step in 0..graph.len() as u32 {
            for &successor in graph.successors(step) {
                let unit = unit_of[successor as usize];
                waits[unit as usize] += u32::from(unit != unit_of[step as usize]);
            }
        }
        Self { list: settled, unit_of, waits }
    }
}

/// Of each handle: how many steps use or close it.
fn uses_of_handles(program: &Program) -> Vec<u32> {
    let mut uses = vec![0; program.handles];
    for step in &program.steps {
        for handle in step.action.uses().into_iter().flatten().chain(step.action.closes()) {
            uses[handle.index()] += 1;
        }
    }
    uses
}

/// The graph the other way round.
struct Predecessors {
    starts: Vec<u32>,
    steps: Vec<u32>,
}

impl Predecessors {
    fn new(graph: &Graph) -> Self {
        let mut starts = Vec::with_capacity(graph.len() + 1);
        let mut sum = 0;
        for &waits in &graph.waits {
            starts.push(sum);
            sum += waits;
        }
        starts.push(sum);
        let mut next = starts.clone();
        let mut steps = vec![0; sum as usize];
        for step in 0..graph.len() as u32 {
            for &successor in graph.successors(step) {
                let place = &mut next[successor as usize];
                steps[*place as usize] = step;
                *place += 1;
            }
        }
        Self { starts, steps }
    }

    /// Whether a step waits only for members of the chain and for what comes before its head.
    fn allow(&self, step: u32, chain: u32, unit: &Unit, unit_of: &[u32]) -> bool {
        let range = self.starts[step as usize] as usize..self.starts[step as usize + 1] as usize;
        let head = unit.steps[0];
        self.steps[range].iter().all(|&before| before < head || unit_of[before as usize] == chain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Lookahead;
    use crate::plan::Op;
    use crate::testing::{Script, unrehearsed};

    fn units(script: Script, lookahead: Lookahead) -> Vec<(Vec<u32>, bool)> {
        let (plan, _directory) = script.build();
        let program = unrehearsed(plan);
        let graph = Graph::new(&program, lookahead, 1000);
        let units = Units::new(&program, &graph);
        for (index, unit) in units.list.iter().enumerate() {
            assert!(unit.steps.iter().all(|&step| units.unit_of[step as usize] == index as u32));
        }
        units.list.into_iter().map(|unit| (unit.steps, unit.direct)).collect()
    }

    #[test]
    fn open_read_close_is_one_unit_without_a_descriptor() {
        for lookahead in [Lookahead::FAITHFUL, Lookahead::ALL] {
            let mut script = Script::new();
            let main = script.main;
            script.open(main, "a", 0, 3);
            script.read(main, 3, 9, 9);
            script.close(main, 3);
            assert_eq!(units(script, lookahead), [(vec![0, 1, 2], true)]);
        }
    }

    #[test]
    fn fstat_needs_a_descriptor_and_the_open_comes_first() {
        let mut script = Script::new();
        let main = script.main;
        script.open(main, "a", 0, 3);
        script.call(main, Op::Fstat { fd: 3 }, 0);
        script.read(main, 3, 9, 9);
        script.close(main, 3);
        assert_eq!(units(script, Lookahead::FAITHFUL), [(vec![0], false), (vec![1, 2, 3], false)]);
    }

    #[test]
    fn what_lies_between_breaks_a_chain_unless_order_does_not_matter() {
        let script = || {
            let mut script = Script::new();
            let main = script.main;
            script.open(main, "a", 0, 3);
            script.read(main, 3, 9, 9);
            script.stat(main, "b", 0);
            script.close(main, 3);
            script
        };
        let faithful = units(script(), Lookahead::FAITHFUL);
        assert_eq!(faithful, [(vec![0], false), (vec![1], false), (vec![2], false), (vec![3], false)]);
        assert_eq!(units(script(), Lookahead::ALL), [(vec![0, 1, 3], true), (vec![2], false)]);
    }
}
