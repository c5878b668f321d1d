//! `-k`: who called, a line a function, the innermost first.

use std::fmt::Write as _;

use rustc_hash::FxHashMap;

use crate::event::Event;
use crate::event::stack::{Frame, FrameKind, Node};
use crate::report::escape::escape;

/// A place in a program or library.
#[derive(Debug)]
struct Place {
    /// `/usr/lib/libc.so.6(write+0x`, or where no function is known up to the closing bracket.
    text: String,
    offset: Option<u64>,
    address: u64,
}

/// The stacks of calls, as the recording defines them.
#[derive(Debug, Default)]
pub struct Stacks {
    /// Nothing where it is not of machine code, or of a function that was put into another.
    frames: FxHashMap<u32, Option<Place>>,
    nodes: FxHashMap<u32, Node>,
}

impl Stacks {
    /// Takes in an event that may define a part of one.
    pub fn add(&mut self, event: &Event<'_>) {
        if let Some((number, frame)) = Frame::of(event) {
            let is_shown = frame.kind == FrameKind::Native && !frame.inlined;
            let place = is_shown.then(|| Place {
                text: format!("{}({}", escape(frame.object), escape(frame.name)),
                // Of a function in several pieces it is not known where it begins: the offset is from the file's beginning then.
                offset: Some(frame.offset)
                    .filter(|offset| !frame.name.is_empty() && *offset != frame.address),
                address: frame.address,
            });
            self.frames.insert(number, place);
        } else if let Some((number, node)) = Node::of(event) {
            self.nodes.insert(number, node);
        }
    }

    /// ` > /usr/lib/libc.so.6(write+0x17) [0x10f2a7]`, a line each.
    pub fn text(&self, stack: u32) -> String {
        let mut text = String::new();
        let (mut next, mut is_innermost) = (self.nodes.get(&stack), true);
        while let Some(node) = next {
            if let Some(Some(place)) = self.frames.get(&node.frame) {
                // What is known of a caller is where its call is; it goes on behind that.
                let behind = u64::from(!is_innermost);
                let offset =
                    place.offset.map(|offset| format!("+{:#x}", offset + behind)).unwrap_or_default();
                let address = place.address.wrapping_add(behind);
                // Writing to a string cannot fail.
                let _ = writeln!(text, " > {}{offset}) [{address:#x}]", place.text);
                is_innermost = false;
            }
            next = node.caller.filter(|_| text.len() < 1 << 20).and_then(|caller| self.nodes.get(&caller));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_are_straces() {
        let mut stacks = Stacks::default();
        let frame = |name, offset, address| Frame {
            kind: FrameKind::Native,
            name,
            object: b"/lib/x.so",
            address,
            offset,
            ..Frame::UNKNOWN
        };
        let inlined = Frame { inlined: true, ..frame(b"helper", 3, 0x1003) };
        for event in [
            frame(b"", 0, 0x50).event(1),
            frame(b"write", 0x16, 0x1016).event(2),
            inlined.event(3),
            Node { caller: None, frame: 1 }.event(1),
            Node { caller: Some(1), frame: 2 }.event(2),
            Node { caller: Some(2), frame: 3 }.event(3),
            Node { caller: Some(3), frame: 2 }.event(4),
        ] {
            stacks.add(&event);
        }
        assert_eq!(
            stacks.text(4),
            " > /lib/x.so(write+0x16) [0x1016]\n > /lib/x.so(write+0x17) [0x1017]\n > /lib/x.so() [0x51]\n"
        );
        assert_eq!(stacks.text(9), "");
    }
}
