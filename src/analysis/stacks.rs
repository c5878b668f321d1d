//! The stacks that a log defines, and the names of their frames.
//!
//! A log is hostile input: definitions may be missing, repeated or of each other. What refers to nothing is the unknown
//! frame, and a stack's caller must have been defined before it, so that none stands upon itself.

use rustc_hash::FxHashMap;

use super::intern::{Id, Interner};
use crate::event::Event;
use crate::event::stack::{Frame, FrameKind, Node};

/// Frames and stacks kept.
const MOST: usize = 1 << 22;
/// Bytes of names kept.
const MOST_TEXT: usize = 256 << 20;
/// Frames of a stack looked at.
const DEEPEST: usize = 4096;
/// What functions of the kernel that run a tracer's programs where calls begin and end are named like.
const TRACERS: [&[u8]; 2] = [b"bpf_trace_run", b"__bpf_trace_sys_"];
/// What stands for a frame without a name.
pub const UNKNOWN: &[u8] = b"[unknown]";

/// A frame as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// What kind of code.
    pub kind: FrameKind,
    /// Its label, see [`Stacks::text`].
    label: Id,
    /// Its function, empty if that is not known.
    name: Id,
    /// Its source file, or else its object.
    place: Id,
    /// The line in the source file; 0: not known.
    line: u32,
    /// Its program or library, empty if that is not known.
    object: Id,
}

/// Whether a frame of this kind and name runs what records calls: ours, or another tracer's.
#[must_use]
pub fn is_tracers(kind: FrameKind, name: &[u8]) -> bool {
    kind == FrameKind::Kernel && TRACERS.iter().any(|tracer| name.starts_with(tracer))
}

/// All stacks of a log.
#[derive(Debug, Default)]
pub struct Stacks {
    text: Interner,
    frames: FxHashMap<u32, Code>,
    nodes: FxHashMap<u32, Node>,
}

impl Stacks {
    /// Takes in an event, if it defines a frame or a stack.
    pub fn add(&mut self, event: &Event<'_>) {
        if let Some((number, frame)) = Frame::of(event) {
            if self.frames.len() < MOST && self.text.bytes() < MOST_TEXT {
                let label = self.text.id(&label(&frame));
                let name = self.text.id(frame.name);
                let place = self.text.id(if frame.file.is_empty() { frame.object } else { frame.file });
                let line = if frame.file.is_empty() { 0 } else { frame.line };
                let object = self.text.id(frame.object);
                self.frames.insert(number, Code { kind: frame.kind, label, name, place, line, object });
            }
        } else if let Some((number, node)) = Node::of(event)
            && node.caller.is_none_or(|caller| caller < number)
            && self.nodes.len() < MOST
        {
            self.nodes.insert(number, node);
        }
    }

    /// The frames of a stack, outermost first, in place of what is in `out`. A stack that is not defined is one
    /// unknown frame.
    pub fn frames(&self, stack: u32, out: &mut Vec<Option<Code>>) {
        out.clear();
        let mut next = Some(stack);
        while let Some(number) = next.filter(|_| out.len() < DEEPEST) {
            let node = self.nodes.get(&number);
            out.push(node.and_then(|node| self.frames.get(&node.frame)).copied());
            // Looked at again, since a number may be defined twice.
            next = node.and_then(|node| node.caller).filter(|caller| *caller < number);
        }
        out.reverse();
    }

    /// Whether a stack is in what records calls, and not in the program; `frames` is overwritten.
    #[must_use]
    pub fn is_in_tracer(&self, stack: u32, frames: &mut Vec<Option<Code>>) -> bool {
        self.frames(stack, frames);
        frames.iter().flatten().any(|code| is_tracers(code.kind, self.text(Some(*code))))
    }

    /// A frame's function, and the source file and line, or the object where these are not known; what is not known is
    /// empty or 0.
    #[must_use]
    pub fn place(&self, code: Option<Code>) -> (&[u8], &[u8], u32) {
        code.map_or((b"", b"", 0), |code| (self.text.get(code.name), self.text.get(code.place), code.line))
    }

    /// The program or library that a frame's code is of, empty if that is not known.
    #[must_use]
    pub fn object(&self, code: Option<Code>) -> &[u8] {
        code.map_or(b"", |code| self.text.get(code.object))
    }

    /// What a frame is called.
    #[must_use]
    pub fn text(&self, code: Option<Code>) -> &[u8] {
        code.map_or(UNKNOWN, |code| self.text.get(code.label))
    }
}

/// What a frame is shown as: functions by name, those of Python with their file, since many have the same name; unknown
/// ones with the object that their code is of.
fn label(frame: &Frame<'_>) -> Vec<u8> {
    let last = |path: &'_ [u8]| path.rsplit(|&byte| byte == b'/').next().unwrap_or_default().to_vec();
    if frame.name.is_empty() {
        let object = last(frame.object);
        return if object.is_empty() {
            UNKNOWN.to_vec()
        } else {
            [b"[unknown in ", &object[..], b"]"].concat()
        };
    }
    if frame.kind != FrameKind::Python || frame.file.is_empty() {
        return frame.name.to_vec();
    }
    [frame.name, b" (", module_file(frame.file), b")"].concat()
}

/// A file of Python by its name; those whose name each package has, with the directory that is the package's.
fn module_file(path: &[u8]) -> &[u8] {
    let begin = |path: &[u8]| path.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1);
    let name = begin(path);
    if name == 0 || !matches!(&path[name..], b"__init__.py" | b"__main__.py") {
        return &path[name..];
    }
    &path[begin(&path[..name - 1])..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(stacks: &Stacks, stack: u32) -> Vec<String> {
        let mut frames = Vec::new();
        stacks.frames(stack, &mut frames);
        frames.iter().map(|code| String::from_utf8(stacks.text(*code).to_vec()).unwrap()).collect()
    }

    #[test]
    fn what_is_unknown_has_its_object() {
        let of = |object| label(&Frame { kind: FrameKind::Native, object, ..Frame::UNKNOWN });
        assert_eq!((of(b"/usr/bin/x").as_slice(), of(b"").as_slice()), (&b"[unknown in x]"[..], UNKNOWN));
    }

    #[test]
    fn files_that_each_package_has_are_told_apart() {
        let of = |file| label(&Frame { kind: FrameKind::Python, name: b"<module>", file, ..Frame::UNKNOWN });
        for (file, shown) in [
            (&b"/lib/json/__init__.py"[..], &b"<module> (json/__init__.py)"[..]),
            (b"/lib/asyncio/__main__.py", b"<module> (asyncio/__main__.py)"),
            (b"/lib/a.py", b"<module> (a.py)"),
            (b"/__init__.py", b"<module> (/__init__.py)"),
            (b"__init__.py", b"<module> (__init__.py)"),
            (b"json/__init__.py", b"<module> (json/__init__.py)"),
            (b"<frozen importlib._bootstrap>", b"<module> (<frozen importlib._bootstrap>)"),
        ] {
            assert_eq!(of(file), shown, "{}", String::from_utf8_lossy(file));
        }
    }

    #[test]
    fn stacks_are_frames_upon_their_callers() {
        let mut stacks = Stacks::default();
        let python = Frame { kind: FrameKind::Python, name: b"run", file: b"/lib/a.py", ..Frame::UNKNOWN };
        let native = Frame { kind: FrameKind::Native, name: b"main", ..Frame::UNKNOWN };
        for event in [
            native.event(1),
            python.event(2),
            Frame::UNKNOWN.event(3),
            Node { caller: None, frame: 1 }.event(1),
            Node { caller: Some(1), frame: 2 }.event(2),
            Node { caller: Some(2), frame: 3 }.event(3),
        ] {
            stacks.add(&event);
        }
        assert_eq!(shown(&stacks, 3), ["main", "run (a.py)", "[unknown]"]);
        assert_eq!(shown(&stacks, 1), ["main"]);
        let mut frames = Vec::new();
        stacks.frames(3, &mut frames);
        assert_eq!(stacks.place(frames[1]), (&b"run"[..], &b"/lib/a.py"[..], 0));
        assert_eq!(stacks.place(frames[2]), (&b""[..], &b""[..], 0));
    }

    #[test]
    fn what_records_calls_is_told_from_the_program() {
        let mut stacks = Stacks::default();
        let kernel = |name| Frame { kind: FrameKind::Kernel, name, ..Frame::UNKNOWN };
        let frames = [kernel(b"do_syscall_64"), kernel(b"bpf_trace_run2"), kernel(b"bpf_get_stack")];
        for (number, frame) in (1..).zip(&frames) {
            stacks.add(&frame.event(number));
            stacks.add(
                &Node { caller: number.checked_sub(1).filter(|&one| one > 0), frame: number }.event(number),
            );
        }
        // The name of a function of the program's says nothing.
        stacks.add(&Frame { kind: FrameKind::Native, ..frames[1] }.event(4));
        stacks.add(&Node { caller: None, frame: 4 }.event(4));
        let mut frames = Vec::new();
        let found = [1, 2, 3, 4, 0].map(|stack| stacks.is_in_tracer(stack, &mut frames));
        assert_eq!(found, [false, true, true, false, false]);
    }

    #[test]
    fn what_is_not_defined_is_unknown_and_nothing_goes_round() {
        let mut stacks = Stacks::default();
        stacks.add(&Node { caller: Some(7), frame: 9 }.event(7));
        stacks.add(&Node { caller: Some(8), frame: 9 }.event(7));
        assert_eq!(shown(&stacks, 7), ["[unknown]"]);
        stacks.add(&Node { caller: Some(7), frame: 9 }.event(8));
        assert_eq!(shown(&stacks, 8), ["[unknown]", "[unknown]"]);
        // A number that is given anew cannot close a circle.
        stacks.add(&Node { caller: Some(5), frame: 9 }.event(6));
        stacks.add(&Node { caller: None, frame: 9 }.event(5));
        stacks.add(&Node { caller: Some(4), frame: 9 }.event(5));
        assert_eq!(shown(&stacks, 6).len(), 3);
    }
}
