//! A flame graph as a value: frames above frames, each with what is its own.
//!
//! Every frame knows its parent, so a stack costs what it does not share with others. Frames keep the
//! order in which they were added; a frame stands before all that stand upon it.

use rustc_hash::FxHashMap;

use crate::analysis::intern::{Id, Interner};
use crate::event::stack::FrameKind;
use crate::syscall::Family;

/// Index of a frame in a [`Graph`].
pub type FrameId = u32;

/// What a frame stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Everything: the frame that all others stand upon.
    All,
    /// A process.
    Process,
    /// A phase of the run.
    Phase,
    /// A directory.
    Directory,
    /// A file, or what else a descriptor can be.
    File,
    /// A system call, or a family of them.
    Call(Family),
    /// A function of the program, of an interpreter or of the kernel.
    Code(FrameKind),
    /// The errno of calls that failed.
    Errno,
    /// What was not told apart.
    Other,
}

/// One frame.
#[derive(Debug, Clone, Copy)]
struct Frame {
    name: Id,
    kind: Kind,
    parent: FrameId,
    /// What is its own and of no frame upon it: in this log, and in the one it is compared with.
    own: [u64; 2],
    first_child: FrameId,
    last_child: FrameId,
    next: FrameId,
}

/// No frame; the root is nobody's child.
const NONE: FrameId = 0;

/// See the module's documentation.
#[derive(Debug)]
pub struct Graph {
    names: Interner,
    frames: Vec<Frame>,
    by_name: FxHashMap<(FrameId, Id), FrameId>,
}

impl Default for Graph {
    fn default() -> Self {
        let mut names = Interner::default();
        let root = Frame {
            name: names.id(b""),
            kind: Kind::All,
            parent: NONE,
            own: [0; 2],
            first_child: NONE,
            last_child: NONE,
            next: NONE,
        };
        Self { names, frames: vec![root], by_name: FxHashMap::default() }
    }
}

impl Graph {
    /// The frame that all others stand upon.
    pub const ROOT: FrameId = 0;

    /// The frame of this name upon another one; a new one comes last.
    pub fn upon(&mut self, parent: FrameId, kind: Kind, name: &[u8]) -> FrameId {
        let name = self.names.id(name);
        if let Some(&known) = self.by_name.get(&(parent, name)) {
            // A directory can be asked for itself before anything in it is.
            let known_kind = &mut self.frames[known as usize].kind;
            if kind == Kind::Directory && *known_kind == Kind::File {
                *known_kind = kind;
            }
            return known;
        }
        let id = self.frames.len() as FrameId;
        let frame =
            Frame { name, kind, parent, own: [0; 2], first_child: NONE, last_child: NONE, next: NONE };
        self.frames.push(frame);
        self.by_name.insert((parent, name), id);
        let before = std::mem::replace(&mut self.frames[parent as usize].last_child, id);
        match before {
            NONE => self.frames[parent as usize].first_child = id,
            before => self.frames[before as usize].next = id,
        }
        id
    }

    /// The frame of this name upon another one, if there is one.
    #[must_use]
    pub fn find(&self, parent: FrameId, name: &[u8]) -> Option<FrameId> {
        self.by_name.get(&(parent, self.names.find(name)?)).copied()
    }

    /// How many frames there are, the root included.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "the root is always there")]
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Adds to what is a frame's own.
    pub fn add(&mut self, frame: FrameId, value: u64) {
        let own = &mut self.frames[frame as usize].own[0];
        *own = own.saturating_add(value);
    }

    /// Takes in the graph to compare with: its values become the second ones.
    pub fn compare(&mut self, other: &Self) {
        let mut here = vec![Self::ROOT; other.frames.len()];
        for (id, frame) in other.frames.iter().enumerate() {
            if id > 0 {
                let name = other.names.get(frame.name);
                here[id] = self.upon(here[frame.parent as usize], frame.kind, name);
            }
            let own = &mut self.frames[here[id] as usize].own[1];
            *own = own.saturating_add(frame.own[0]);
        }
    }

    /// What a frame is called.
    #[must_use]
    pub fn name(&self, frame: FrameId) -> &[u8] {
        self.names.get(self.frames[frame as usize].name)
    }

    /// What a frame stands for.
    #[must_use]
    pub fn kind(&self, frame: FrameId) -> Kind {
        self.frames[frame as usize].kind
    }

    /// What a frame stands upon.
    #[must_use]
    pub fn parent(&self, frame: FrameId) -> FrameId {
        self.frames[frame as usize].parent
    }

    /// What is a frame's own: in this log, and in the one it is compared with.
    #[must_use]
    pub fn own(&self, frame: FrameId) -> [u64; 2] {
        self.frames[frame as usize].own
    }

    /// For every frame, what is its own and of all frames upon it.
    #[must_use]
    pub fn totals(&self) -> Vec<[u128; 2]> {
        let mut totals: Vec<[u128; 2]> = self.frames.iter().map(|frame| frame.own.map(u128::from)).collect();
        for id in (1..self.frames.len()).rev() {
            let [here, there] = totals[id];
            let below = &mut totals[self.frames[id].parent as usize];
            below[0] += here;
            below[1] += there;
        }
        totals
    }

    /// What all frames amount to: in this log, and in the one it is compared with.
    #[must_use]
    pub fn total(&self) -> [u128; 2] {
        self.frames.iter().fold([0; 2], |[here, there], frame| {
            [here + u128::from(frame.own[0]), there + u128::from(frame.own[1])]
        })
    }

    /// What stands in no frame of this log, but in the one it is compared with.
    #[must_use]
    pub fn only_before(&self) -> u128 {
        let totals = self.totals();
        let gone = self.frames.iter().zip(&totals).filter(|(_, total)| total[0] == 0);
        gone.map(|(frame, _)| u128::from(frame.own[1])).sum()
    }

    /// Every frame but the root with its depth (from 0): each before those upon it, those of one parent in
    /// the order in which they were added.
    pub fn walk(&self) -> impl Iterator<Item = (usize, FrameId)> {
        let mut next = (0, self.frames[0].first_child);
        std::iter::from_fn(move || {
            let (depth, id) = next;
            if id == NONE {
                return None;
            }
            next = self.after(depth, id);
            Some((depth, id))
        })
    }

    fn after(&self, mut depth: usize, mut id: FrameId) -> (usize, FrameId) {
        let frame = &self.frames[id as usize];
        if frame.first_child != NONE {
            return (depth + 1, frame.first_child);
        }
        loop {
            let frame = &self.frames[id as usize];
            if frame.next != NONE || frame.parent == Self::ROOT {
                return (depth, frame.next);
            }
            (depth, id) = (depth - 1, frame.parent);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A graph of stacks, letters being frames.
    pub fn graph(stacks: &[(&str, u64)]) -> Graph {
        let mut graph = Graph::default();
        for (stack, value) in stacks {
            let frames = stack.bytes();
            let top = frames.fold(Graph::ROOT, |below, name| graph.upon(below, Kind::File, &[name]));
            graph.add(top, *value);
        }
        graph
    }

    fn walked(graph: &Graph) -> Vec<(usize, String, [u64; 2])> {
        let name = |id| String::from_utf8(graph.name(id).to_vec()).unwrap();
        graph.walk().map(|(depth, id)| (depth, name(id), graph.own(id))).collect()
    }

    #[test]
    fn frames_of_one_parent_stand_together_in_the_order_they_came() {
        let graph = graph(&[("ba", 1), ("a", 2), ("bcd", 3), ("ba", 4), ("b", 5)]);
        let row = |depth, name: &str, own| (depth, name.to_owned(), [own, 0]);
        assert_eq!(
            walked(&graph),
            [row(0, "b", 5), row(1, "a", 5), row(1, "c", 0), row(2, "d", 3), row(0, "a", 2)]
        );
        assert_eq!(graph.total(), [15, 0]);
        assert_eq!(graph.totals()[..3], [[15, 0], [13, 0], [5, 0]]);
    }

    #[test]
    fn another_graph_gives_second_values() {
        let mut here = graph(&[("ab", 1), ("c", u64::MAX)]);
        here.compare(&graph(&[("c", 2), ("ab", 3), ("ad", 4), ("e", u64::MAX)]));
        let row = |depth, name: &str, own| (depth, name.to_owned(), own);
        assert_eq!(
            walked(&here),
            [
                row(0, "a", [0, 0]),
                row(1, "b", [1, 3]),
                row(1, "d", [0, 4]),
                row(0, "c", [u64::MAX, 2]),
                row(0, "e", [0, u64::MAX]),
            ]
        );
        assert_eq!(here.total(), [u128::from(u64::MAX) + 1, u128::from(u64::MAX) + 9]);
    }

    #[test]
    fn an_empty_graph_has_no_frames() {
        assert_eq!(Graph::default().walk().count(), 0);
        assert_eq!(Graph::default().total(), [0, 0]);
    }
}
