//! Every frame and every stack once, under a number.

use std::hash::{BuildHasher, RandomState};

use rustc_hash::FxHashMap;

use crate::event::Event;
use crate::event::stack::{Frame, Node};

/// Frames and stacks told apart; further ones are the unknown frame. A log may be of a program that makes up names
/// for days.
const MOST: usize = 1 << 22;

/// Gives numbers, from 1 on, and defines each when it is first given.
#[derive(Debug)]
pub struct Table {
    /// By a hash that nobody outside can foresee, with the number of the frame that has it.
    frames: FxHashMap<u64, u32>,
    hasher: RandomState,
    nodes: FxHashMap<Node, u32>,
    /// Of each.
    most: usize,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            frames: FxHashMap::default(),
            hasher: RandomState::new(),
            nodes: FxHashMap::default(),
            most: MOST,
        }
    }
}

impl Table {
    /// The number of a frame. `define` gets the event that defines it, if it is new.
    pub fn frame(&mut self, frame: &Frame<'_>, define: &mut dyn FnMut(&Event<'_>)) -> u32 {
        let hash = self.hasher.hash_one(frame);
        if let Some(&known) = self.frames.get(&hash) {
            return known;
        }
        if self.frames.len() >= self.most && *frame != Frame::UNKNOWN {
            return self.frame(&Frame::UNKNOWN, define);
        }
        let number = self.frames.len() as u32 + 1;
        self.frames.insert(hash, number);
        define(&frame.event(number));
        number
    }

    /// The number of a stack, given its frames from the outermost in; `None`: it has none.
    pub fn stack(
        &mut self,
        frames: impl IntoIterator<Item = u32>,
        define: &mut dyn FnMut(&Event<'_>),
    ) -> Option<u32> {
        let mut caller = None;
        for frame in frames {
            let node = Node { caller, frame };
            let next = self.nodes.len() as u32 + 1;
            caller = match self.nodes.get(&node) {
                Some(&known) => Some(known),
                // What it would stand upon is said, and no more.
                None if self.nodes.len() >= self.most => return caller,
                None => {
                    define(&node.event(next));
                    self.nodes.insert(node, next);
                    Some(next)
                }
            };
        }
        caller
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::stack::FrameKind;

    #[test]
    fn each_frame_and_stack_is_defined_once_and_before_its_use() {
        let mut table = Table::default();
        let (mut frames, mut nodes) = (Vec::new(), Vec::new());
        let mut define = |event: &Event<'_>| {
            frames.extend(Frame::of(event).map(|(number, frame)| (number, frame.name.to_vec())));
            nodes.extend(Node::of(event));
        };
        let named = |name| Frame { kind: FrameKind::Native, name, ..Frame::UNKNOWN };
        let [main, a, b] = [&b"main"[..], b"a", b"b"].map(|name| table.frame(&named(name), &mut define));
        assert_eq!(table.frame(&named(b"a"), &mut define), a);
        let one = table.stack([main, a, b], &mut define);
        let other = table.stack([main, b], &mut define);
        assert_eq!(table.stack([main, a, b], &mut define), one);
        assert_eq!(table.stack([], &mut define), None);
        assert_eq!(frames, [(1, b"main".to_vec()), (2, b"a".to_vec()), (3, b"b".to_vec())]);
        let node = |caller, frame| Node { caller, frame };
        assert_eq!(
            nodes,
            [(1, node(None, main)), (2, node(Some(1), a)), (3, node(Some(2), b)), (4, node(Some(1), b))]
        );
        assert_eq!((one, other), (Some(3), Some(4)));
    }

    #[test]
    fn beyond_a_number_all_are_the_unknown_frame_and_stacks_end_where_they_are() {
        let mut table = Table { most: 2, ..Table::default() };
        let mut defined = Vec::new();
        let mut define = |event: &Event<'_>| {
            defined.extend(Frame::of(event).map(|(number, frame)| (number, frame.name.to_vec())));
        };
        let named = |name| Frame { kind: FrameKind::Native, name, ..Frame::UNKNOWN };
        let numbers = [&b"a"[..], b"b", b"c", b"d", b"a"].map(|name| table.frame(&named(name), &mut define));
        assert_eq!(numbers, [1, 2, 3, 3, 1]);
        assert_eq!(defined, [(1, b"a".to_vec()), (2, b"b".to_vec()), (3, Vec::new())]);
        assert_eq!(table.stack([1, 2, 3], &mut |_| ()), Some(2));
        assert_eq!(table.stack([1, 3], &mut |_| ()), Some(1));
    }
}
