//! Stacks for a flame graph: process; phase; family; directories...; file.

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::calls::Calls;
use super::cost::{Cell, Prices};
use super::cube::Key;
use super::filesystem;
use super::intern::{Id, Interner};
use super::phases::Boundary;
use super::process::{ProcessId, Processes};
use super::text::Text;

/// Directory levels kept as frames of their own; a deeper path's rest is one frame.
const DEEPEST: usize = 24;

/// One stack with what its calls amount to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stack {
    /// From the process down to the file.
    pub frames: Vec<Text>,
    /// Calls.
    pub calls: u64,
    /// Their cost, what they waited for other processes left out; `None` where costs are unknown.
    pub cost_ns: Option<u64>,
}

/// What stacks are made from.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// All calls.
    pub cells: &'a [(Key, Cell)],
    /// Names and families.
    pub calls: &'a Calls,
    /// Costs.
    pub prices: &'a Prices,
    /// Processes.
    pub processes: &'a Processes,
    /// Paths and files.
    pub objects: &'a Interner,
    /// Where phases begin.
    pub boundaries: &'a [Boundary],
}

/// Makes the stacks, in a fixed order.
#[must_use]
pub fn fold(inputs: &Inputs<'_>) -> Vec<Stack> {
    /// Process, phase, call, object.
    type Leaf = (ProcessId, usize, u16, Id);
    let mut leaves: FxHashMap<Leaf, (u64, Option<u64>)> = FxHashMap::default();
    for (key, cell) in inputs.cells {
        let phase = super::phases::phase_of_segment(inputs.boundaries, key.segment);
        let (calls, cost) = leaves.entry((key.process, phase, key.group.call(), key.object)).or_default();
        *calls += cell.calls;
        *cost = super::lookups::plus(*cost, inputs.prices.work(key.group, cell));
    }
    let mut stacks: FxHashMap<Vec<Text>, (u64, Option<u64>)> = FxHashMap::default();
    for ((process, phase, call, object), (calls, cost)) in leaves {
        let stack = stacks.entry(frames(inputs, process, phase, call, object)).or_default();
        stack.0 += calls;
        stack.1 = super::lookups::plus(stack.1, cost);
    }
    let mut stacks: Vec<Stack> =
        stacks.into_iter().map(|(frames, (calls, cost_ns))| Stack { frames, calls, cost_ns }).collect();
    stacks.sort_unstable_by(|a, b| a.frames.cmp(&b.frames));
    stacks
}

fn frames(inputs: &Inputs<'_>, process: ProcessId, phase: usize, call: u16, object: Id) -> Vec<Text> {
    let call = inputs.calls.get(call);
    let process = inputs.processes.list().get(process as usize);
    let mut frames = vec![process.map_or(Text::default(), |process| inputs.processes.name(process).into())];
    if let Some(boundary) = inputs.boundaries.get(phase) {
        frames.push(boundary.name.as_slice().into());
    }
    frames.push(call.family().name().into());
    let object = inputs.objects.get(object);
    if object.is_empty() || filesystem::not_a_file(object).is_some() || !object.starts_with(b"/") {
        frames.push((&*call.name).into());
        if !object.is_empty() {
            frames.push(object.into());
        }
        return frames;
    }
    let mut rest = object;
    for _ in 0..DEEPEST {
        let Some(at) = rest.iter().skip(1).position(|&b| b == b'/') else { break };
        frames.push(rest[..=at].into());
        rest = &rest[at + 1..];
    }
    frames.push(rest.into());
    frames
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::testing::{header, startup};

    fn frames(stack: &Stack) -> Vec<String> {
        stack.frames.iter().map(|frame| String::from_utf8_lossy(frame.bytes()).into_owned()).collect()
    }

    #[test]
    fn stacks_hold_every_call_and_every_cost() {
        for name in ["3.11-script", "wrapper"] {
            let (report, stacks) = startup(name, &header());
            let calls: u64 = report.phases.phases.iter().map(|phase| phase.syscalls).sum();
            assert_eq!(stacks.iter().map(|stack| stack.calls).sum::<u64>(), calls, "{name}");
            let files: Option<u64> = stacks.iter().map(|stack| stack.cost_ns).sum();
            assert!(files >= report.file_system.cost_ns, "{name}");
        }
    }

    #[test]
    fn frames_go_from_the_process_down_to_the_file() {
        let (_, stacks) = startup("3.11-script", &header());
        let all: Vec<_> = stacks.iter().map(frames).collect();
        let cfg = ["python", "site", "stat", "/opt", "/python", "/3.11.7", "/pyvenv.cfg"];
        assert_eq!(all.iter().filter(|frames| **frames == cfg).count(), 1);
        assert!(all.contains(&["python", "exit", "process", "exit_group"].map(str::to_owned).into()));
        assert!(all.windows(2).all(|pair| pair[0] < pair[1]), "in order, none twice");
    }

    #[test]
    fn deep_paths_end_in_one_frame() {
        let deep = "/d".repeat(1000);
        let event = crate::event::Event {
            path: Some(deep.as_bytes()),
            path_abs: Some(deep.as_bytes()),
            ..crate::analysis::testing::call("newfstatat", 0, 6_000, 0)
        };
        let mut startup = crate::analysis::startup::Startup::new(&header());
        startup.add(&event);
        let stacks = startup.finish().1;
        let [stack] = &stacks[..] else { panic!("{stacks:?}") };
        assert_eq!(stack.frames.len(), 3 + DEEPEST + 1);
        assert_eq!(stack.frames.iter().skip(3).map(|frame| frame.bytes().len()).sum::<usize>(), 2000);
    }
}
