//! Which part of an import a call belongs to, by the functions of importlib in its stack.

use serde::Serialize;

use crate::analysis::stacks::{Code, Stacks};
use crate::event::stack::FrameKind;

/// A part of an import's own time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Looking for the module in the directories of the path.
    Find,
    /// Reading its file.
    Read,
    /// Making code of what was read (unmarshal, or loading a shared object), and running it.
    Execute,
    /// What no call tells apart: all of a module that is built in or frozen.
    Rest,
}

impl Part {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Find, Self::Read, Self::Execute, Self::Rest];
}

/// What functions of importlib do, which have had these names since Python 3.4.
const FIND: [&[u8]; 4] = [b"_find_spec", b"find_spec", b"find_module", b"find_loader"];
const READ: [&[u8]; 1] = [b"get_code"];
const EXECUTE: [&[u8]; 6] =
    [b"<module>", b"exec_module", b"create_module", b"load_module", b"source_to_code", b"_compile_bytecode"];
/// The functions that importing a module begins with.
const IMPORT: [&[u8]; 2] = [b"_find_and_load_unlocked", b"_find_and_load"];

/// The name of a Python function without its class, which Python tells from 3.11 on.
fn name<'a>(stacks: &'a Stacks, code: &Code) -> &'a [u8] {
    let (name, ..) = stacks.place(Some(*code));
    name.rsplit(|&byte| byte == b'.').next().unwrap_or(name)
}

/// Whether a frame is importlib's own.
fn is_importlib(stacks: &Stacks, code: &Code) -> bool {
    let (_, file, _) = stacks.place(Some(*code));
    file.starts_with(b"<frozen importlib.") || file == b"<frozen zipimport>"
}

/// Python's frames of a stack, innermost first.
fn python(frames: &[Option<Code>]) -> impl Iterator<Item = &Code> {
    frames.iter().rev().flatten().filter(|code| code.kind == FrameKind::Python)
}

/// The part of the innermost import that a call with this stack belongs to; `None`: it is within no import.
pub fn part(stacks: &Stacks, frames: &[Option<Code>]) -> Option<Part> {
    let mut finds = false;
    for code in python(frames) {
        let name = name(stacks, code);
        if EXECUTE.contains(&name) {
            return Some(Part::Execute);
        }
        if READ.contains(&name) && is_importlib(stacks, code) {
            return Some(Part::Read);
        }
        if IMPORT.contains(&name) && is_importlib(stacks, code) {
            return Some(if finds { Part::Find } else { Part::Rest });
        }
        finds |= FIND.contains(&name);
    }
    None
}

/// Where an import was asked for, by the stack of the importer: the innermost frame that is not importlib's.
pub fn importer<'a>(stacks: &'a Stacks, frames: &[Option<Code>]) -> Option<(&'a [u8], u32)> {
    let code = python(frames).find(|code| !is_importlib(stacks, code))?;
    let (_, file, line) = stacks.place(Some(*code));
    (!file.is_empty()).then_some((file, line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::stack::{Frame, Node};

    /// The part that stacks belong to, their frames outermost first as `name@file`.
    fn parts_of(stack: &[(&str, &str)]) -> (Option<Part>, Option<String>) {
        let mut stacks = Stacks::default();
        for (at, (name, file)) in stack.iter().enumerate() {
            let number = at as u32 + 1;
            let (name, file) = (name.as_bytes(), file.as_bytes());
            stacks.add(
                &Frame { kind: FrameKind::Python, name, file, line: number, ..Frame::UNKNOWN }.event(number),
            );
            stacks.add(&Node { caller: (at > 0).then_some(at as u32), frame: number }.event(number));
        }
        let mut frames = Vec::new();
        stacks.frames(stack.len() as u32, &mut frames);
        let place = importer(&stacks, &frames)
            .map(|(file, line)| format!("{}:{line}", String::from_utf8_lossy(file)));
        (part(&stacks, &frames), place)
    }

    #[test]
    fn the_innermost_import_decides() {
        const LIB: &str = "<frozen importlib._bootstrap>";
        const EXTERNAL: &str = "<frozen importlib._bootstrap_external>";
        let script = ("<module>", "x.py");
        let load = ("_find_and_load", LIB);
        let at_script = Some("x.py:1".to_owned());
        for (stack, expected) in [
            (&[script][..], Some(Part::Execute)),
            (&[script, load], Some(Part::Rest)),
            (&[script, load, ("_find_spec", LIB), ("PathFinder.find_spec", EXTERNAL)], Some(Part::Find)),
            (
                &[script, load, ("exec_module", EXTERNAL), ("SourceLoader.get_code", EXTERNAL)],
                Some(Part::Read),
            ),
            (&[script, load, ("ExtensionFileLoader.create_module", EXTERNAL)], Some(Part::Execute)),
        ] {
            assert_eq!(parts_of(stack), (expected, at_script.clone()));
        }
        // What a module does while it runs is not its finding, whatever it is called.
        let asks = [load, ("<module>", "/lib/a.py"), ("find_spec", "/lib/util.py"), ("helper", "/lib/a.py")];
        assert_eq!(parts_of(&asks), (Some(Part::Execute), Some("/lib/a.py:4".to_owned())));
        let own_finder = [script, load, ("_find_spec", LIB), ("find_spec", "/lib/editable.py")];
        assert_eq!(parts_of(&own_finder).0, Some(Part::Find));
        assert_eq!(parts_of(&[("main", "x.c")]).0, None);
    }
}
