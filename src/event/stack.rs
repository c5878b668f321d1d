//! Stacks: which frames a thread was in when something happened, innermost last.
//!
//! A log holds each frame and each stack once. A stack is its innermost frame and the stack that called it, so stacks
//! that begin alike share what they have in common. Both are defined by events of their own ([`Kind::Frame`],
//! [`Kind::Stack`]), which come before the first event that refers to them: so a log that is cut short is readable up
//! to its end.

use super::{Event, Flags, Kind};

/// What kind of code a frame is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum FrameKind {
    /// Nothing is known but, at most, the address.
    Unknown,
    /// Machine code of a program or library.
    Native,
    /// A Python function.
    Python,
    /// The kernel.
    Kernel,
}

impl FrameKind {
    /// Every kind, in the order of the discriminants.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Native, Self::Python, Self::Kernel];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Native => "native",
            Self::Python => "python",
            Self::Kernel => "kernel",
        }
    }
}

/// One frame. What is not known is empty or 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Frame<'a> {
    /// What kind of code.
    pub kind: FrameKind,
    /// The function. Empty: no symbol is known.
    pub name: &'a [u8],
    /// The source file.
    pub file: &'a [u8],
    /// The line in it.
    pub line: u32,
    /// The object the code is of: path of a program or library, name of a kernel module.
    pub object: &'a [u8],
    /// The object's build id.
    pub build_id: &'a [u8],
    /// Address of the instruction: in the object where there is one, as the object's own headers count.
    pub address: u64,
    /// How far into the function that is, where the frame stands for one instruction of it and not for a line.
    pub offset: u64,
    /// The compiler put the function into the one that calls it.
    pub inlined: bool,
}

impl Frame<'_> {
    /// A frame of which nothing is known.
    pub const UNKNOWN: Frame<'static> = Frame {
        kind: FrameKind::Unknown,
        name: b"",
        file: b"",
        line: 0,
        object: b"",
        build_id: b"",
        address: 0,
        offset: 0,
        inlined: false,
    };
}

impl<'a> Frame<'a> {
    /// The event that defines the frame under a number.
    #[must_use]
    pub fn event(&self, number: u32) -> Event<'a> {
        let known = |text: &'a [u8]| Some(text).filter(|text| !text.is_empty());
        Event {
            args: [
                u64::from(number),
                self.kind as u64,
                u64::from(self.line),
                u64::from(self.inlined),
                self.offset,
                0,
            ],
            ip: self.address,
            text: known(self.name),
            path: known(self.file),
            file: known(self.object),
            file2: known(self.build_id),
            ..Event::new(Kind::Frame)
        }
    }

    /// The number and the frame that an event defines; `None`: it defines none, or one of a kind that is not known.
    #[must_use]
    pub fn of(event: &Event<'a>) -> Option<(u32, Self)> {
        let [number, kind, line, inlined, offset, ..] = event.args;
        let kind = FrameKind::ALL.get(usize::try_from(kind).ok()?);
        let text = |text: Option<&'a [u8]>| text.unwrap_or_default();
        (event.kind == Kind::Frame).then_some(())?;
        let frame = Self {
            kind: *kind?,
            name: text(event.text),
            file: text(event.path),
            line: u32::try_from(line).ok()?,
            object: text(event.file),
            build_id: text(event.file2),
            address: event.ip,
            offset,
            inlined: inlined != 0,
        };
        Some((u32::try_from(number).ok()?, frame))
    }
}

/// A stack: a frame, and the stack that called it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// The stack of the caller; `None`: nobody called it, or nobody knows who.
    pub caller: Option<u32>,
    /// The frame.
    pub frame: u32,
}

impl Node {
    /// The event that defines the stack under a number.
    #[must_use]
    pub fn event(&self, number: u32) -> Event<'static> {
        let args = [u64::from(number), u64::from(self.frame), 0, 0, 0, 0];
        Event { args, stack: self.caller, flags: Flags(0), ..Event::new(Kind::Stack) }
    }

    /// The number and the stack that an event defines; `None`: it defines none.
    #[must_use]
    pub fn of(event: &Event<'_>) -> Option<(u32, Self)> {
        let [number, frame, ..] = event.args;
        let numbers = u32::try_from(number).ok().zip(u32::try_from(frame).ok());
        let (number, frame) = numbers.filter(|_| event.kind == Kind::Stack)?;
        Some((number, Self { caller: event.stack, frame }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_come_back() {
        let frame = Frame {
            kind: FrameKind::Python,
            name: b"a;b\n",
            file: b"/x.py",
            line: 7,
            object: b"/usr/bin/python3",
            build_id: b"0a",
            address: 0x40,
            offset: 3,
            inlined: true,
        };
        for frame in [frame, Frame::UNKNOWN] {
            assert_eq!(Frame::of(&frame.event(9)), Some((9, frame)));
            assert_eq!(Node::of(&frame.event(9)), None);
        }
        let node = Node { caller: Some(3), frame: 9 };
        assert_eq!(Node::of(&node.event(4)), Some((4, node)));
        assert_eq!(Frame::of(&node.event(4)), None);
    }

    #[test]
    fn odd_definitions_are_none() {
        let mut event = Frame::UNKNOWN.event(1);
        event.args[1] = 99;
        assert_eq!(Frame::of(&event), None);
        let mut event = Node { caller: None, frame: 1 }.event(1);
        event.args[0] = u64::MAX;
        assert_eq!(Node::of(&event), None);
    }
}
