//! Calls folded into the stacks of a flame graph.
//!
//! ```text
//! by phase    process; phase; family; directories...; file; errno
//! by path     directories...; file; call; errno
//! by process  the process that made it...; process; family; call; errno
//! by stack    process; script, if its stacks do not say it; frames of the program...; call; errno, or without a call for CPU samples
//! by import   process; modules...; part of the import; call; errno (made by `analysis::imports`)
//! ```
//!
//! The errno is there for calls that failed. Processes and phases come in the order in which they began,
//! everything else by name.

mod frames;
mod graph;
#[cfg(test)]
mod tests;

use serde::Serialize;

use super::calls::Calls;
use super::cost::{Cell, Group, Prices};
use super::cube::Key;
use super::intern::{Id, Interner};
use super::partition::Wait;
use super::phases::Boundary;
use super::process::{ProcessId, Processes};
use super::stacks::Stacks;
use frames::Folding;
pub use graph::{FrameId, Graph, Kind};

/// What stacks are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// Process, phase, family, path.
    Phase,
    /// Path, call.
    Path,
    /// The tree of processes, family, call.
    Process,
    /// Process, the stack of the program, call.
    Stack,
    /// Process, Python's imports, part, call.
    Import,
}

impl By {
    /// All of them with their names.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Phase, "phase"),
        (Self::Path, "path"),
        (Self::Process, "process"),
        (Self::Stack, "stack"),
        (Self::Import, "import"),
    ];
}

/// What a frame's width stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// What calls cost, in nanoseconds; what they waited for other processes, the network or a clock left
    /// out, since a parent's wait for its child is the child's work.
    Time,
    /// The same, those waits included.
    Elapsed,
    /// Calls.
    Count,
    /// Bytes read and written.
    Bytes,
    /// CPU time in nanoseconds, by samples.
    Cpu,
    /// Elapsed time, in nanoseconds: of imports; of threads on a CPU, by samples, and on none.
    Wall,
}

/// What stacks are made from.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// Names and families.
    pub calls: &'a Calls,
    /// Costs.
    pub prices: &'a Prices,
    /// Processes.
    pub processes: &'a Processes,
    /// Paths and files.
    pub objects: &'a Interner,
    /// Stacks.
    pub stacks: &'a Stacks,
    /// Where phases begin.
    pub boundaries: &'a [Boundary],
    /// Whether processes are named with their arguments.
    pub with_arguments: bool,
    /// Most frames to be told apart, usually [`MOST_FRAMES`].
    pub most_frames: usize,
}

/// Frames enough for any program, and few enough for any machine.
pub const MOST_FRAMES: usize = 1 << 20;

/// The frame of what is not told apart.
pub const OTHER: &[u8] = b"(other)";

/// What calls are counted under; what a graph does not show is 0 and `""`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// Segment of the timeline; by process, how many programs the process has become.
    pub segment: u16,
    /// Positive errno, 0 for success.
    pub errno: u16,
    /// Process.
    pub process: ProcessId,
    /// Call, on a file or not, failed or not.
    pub group: Group,
    /// Path or file, in [`Inputs::objects`].
    pub object: Id,
    /// Stack, 0 for none.
    pub stack: u32,
}

impl From<&Key> for Place {
    fn from(key: &Key) -> Self {
        let Key { segment, errno, process, group, object, .. } = *key;
        Self { segment, errno, process, group, object, stack: 0 }
    }
}

/// Calls that are counted together, and the bytes they read and wrote.
pub type Counted = (Place, Cell, u64);

/// Makes the graph of all calls, and says how many calls are in a frame below their own because there were
/// too many frames. Costs that are not known count nothing.
#[must_use]
pub fn fold(
    inputs: &Inputs<'_>,
    cells: impl Iterator<Item = Counted>,
    by: By,
    metric: Metric,
) -> (Graph, u64) {
    let mut folding = Folding::new(inputs, by);
    let mut cut = 0;
    for (place, cell, bytes) in folding.sorted(cells) {
        let value = amount(inputs.prices, metric, place.group, &cell, bytes);
        if !folding.add(&place, value) {
            cut += cell.calls;
        }
    }
    (folding.graph, cut)
}

/// CPU samples of one stack: the thread's name, the script (an empty text: none) and the stack, how many, and what they
/// stand for.
pub type Sampled = ((Id, Id, u32), u64, u64);

/// Makes the graph of CPU samples, and says how many are in a frame below their own.
#[must_use]
pub fn fold_samples(inputs: &Inputs<'_>, samples: &[Sampled]) -> (Graph, u64) {
    let mut folding = Folding::new(inputs, By::Stack);
    let mut cut = 0;
    for &((comm, script, stack), count, cpu_ns) in samples {
        if !folding.add_sample([comm, script].map(|name| inputs.objects.get(name)), stack, cpu_ns) {
            cut += count;
        }
    }
    (folding.graph, cut)
}

/// Adds a time on no CPU: the thread's name, what it waited for, the call.
pub fn add_wait(graph: &mut Graph, wait: &Wait) {
    let process = graph.upon(Graph::ROOT, Kind::Process, wait.comm.bytes());
    let mut top = graph.upon(process, Kind::Phase, wait.part.name().as_bytes());
    if let Some((call, family)) = &wait.call {
        top = graph.upon(top, Kind::Call(*family), call.as_bytes());
    }
    graph.add(top, wait.ns);
}

/// What some calls amount to.
pub(super) fn amount(prices: &Prices, metric: Metric, group: Group, cell: &Cell, bytes: u64) -> u64 {
    match metric {
        Metric::Time => prices.work(group, cell).unwrap_or(0),
        Metric::Elapsed => prices.cost(group, cell).unwrap_or(0),
        Metric::Count => cell.calls,
        Metric::Bytes => bytes,
        // Calls are neither samples nor imports.
        Metric::Cpu | Metric::Wall => 0,
    }
}
