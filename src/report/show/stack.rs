//! The stack of a call, a line a frame, the innermost first, as strace's `-k` has it.

use super::escape::write_escaped;
use crate::analysis::stacks::Stacks;
use crate::syscall::flags::write_number;

/// Appends the frames of a stack, each with a newline: ` > function (file:line)`.
pub fn write(out: &mut Vec<u8>, stacks: &Stacks, stack: u32) {
    let mut frames = Vec::new();
    stacks.frames(stack, &mut frames);
    for code in frames.iter().rev() {
        let (name, place, line) = stacks.place(*code);
        out.extend_from_slice(b" > ");
        if name.is_empty() {
            out.extend_from_slice(b"[unknown]");
        } else {
            write_escaped(out, name, b"");
        }
        if !place.is_empty() {
            out.extend_from_slice(b" (");
            write_escaped(out, place, b"");
            if line != 0 {
                out.push(b':');
                write_number(out, i64::from(line));
            }
            out.push(b')');
        }
        out.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::stack::{Frame, FrameKind, Node};

    #[test]
    fn frames_stand_below_their_call_innermost_first() {
        let mut stacks = Stacks::default();
        let odd =
            Frame { kind: FrameKind::Python, name: b"a\n\x1b", file: b"/x;y.py", line: 7, ..Frame::UNKNOWN };
        let main = Frame { kind: FrameKind::Native, name: b"main", object: b"/bin/x", ..Frame::UNKNOWN };
        for event in [
            main.event(1),
            odd.event(2),
            Frame::UNKNOWN.event(3),
            Node { caller: None, frame: 1 }.event(1),
            Node { caller: Some(1), frame: 2 }.event(2),
            Node { caller: Some(2), frame: 3 }.event(3),
        ] {
            stacks.add(&event);
        }
        let mut out = Vec::new();
        write(&mut out, &stacks, 3);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, " > [unknown]\n > a\\n\\33 (/x;y.py:7)\n > main (/bin/x)\n");
    }
}
