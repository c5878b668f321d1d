//! Which lines of a program its file-system calls are for, where the log has their stacks.
//!
//! The innermost function tells little: every `stat` of Python is made by the same few lines of importlib, every `open` of
//! a C program by the C library. So a call is for the innermost frame outside of these; the line that asked for the import,
//! say.

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::super::base::Seen;
use super::super::cost::{Cell, Group, Prices};
use super::super::lookups::plus;
use super::super::stacks::{Code, Stacks};
use super::super::text::Text;
use super::super::wall::Wall;
use crate::event::stack::FrameKind;
use crate::event::{Event, Kind};

/// Combinations of stack and call that are told apart.
const MOST: usize = 1 << 18;
/// Lines that are listed.
const LISTED: usize = 1000;

/// See the module's documentation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Behind {
    /// The lines, dearest first.
    pub lines: Vec<Line>,
    /// Lines beyond those.
    pub more_lines: u64,
    /// Calls about files without a stack, or for nobody knows what.
    pub without: u64,
}

/// A line, and the calls that are made for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct At {
    /// The function; empty: only its program or library is known.
    pub function: Text,
    /// Its source file, or else its program or library.
    pub file: Text,
    /// The line; 0: not known.
    pub line: u32,
}

/// What a line's calls come to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// Which.
    #[serde(flatten)]
    pub at: At,
    /// Calls.
    pub calls: u64,
    /// Failed ones.
    pub failed: u64,
    /// Cost; `None` where costs are unknown.
    pub cost_ns: Option<u64>,
    /// As a part of the wall time.
    pub share: Option<f64>,
}

/// Takes the events of a log.
#[derive(Debug, Default)]
pub struct Watching {
    stacks: Stacks,
    /// By stack, 0 being none.
    cells: FxHashMap<(u32, Group), Cell>,
}

impl Watching {
    /// Takes in an event that is no call.
    pub fn add(&mut self, event: &Event<'_>) {
        if matches!(event.kind, Kind::Frame | Kind::Stack) {
            self.stacks.add(event);
        }
    }

    /// Takes in a call.
    pub fn call(&mut self, event: &Event<'_>, seen: &Seen<'_>) {
        if !seen.group.on_file() {
            return;
        }
        let key = (event.stack.unwrap_or(0), seen.group);
        let full = self.cells.len() >= MOST && !self.cells.contains_key(&key);
        let key = if full { (0, seen.group) } else { key };
        self.cells.entry(key).or_default().add(seen.duration_ns);
    }

    /// What the calls are for; `None`: no call has a stack.
    #[must_use]
    pub fn finish(self, prices: &Prices, wall: Wall) -> Option<Behind> {
        let mut frames = Vec::new();
        let mut known: FxHashMap<u32, Option<At>> = FxHashMap::default();
        let mut lines: FxHashMap<At, Line> = FxHashMap::default();
        let mut without = 0;
        for ((stack, group), cell) in &self.cells {
            let at = known.entry(*stack).or_insert_with(|| at(&self.stacks, *stack, &mut frames));
            let Some(at) = at else {
                without += cell.calls;
                continue;
            };
            let new = || Line { at: at.clone(), calls: 0, failed: 0, cost_ns: None, share: None };
            let line = lines.entry(at.clone()).or_insert_with(new);
            line.calls += cell.calls;
            line.failed += if group.failed() { cell.calls } else { 0 };
            line.cost_ns = plus(line.cost_ns, prices.cost(*group, cell));
        }
        let mut lines: Vec<Line> = lines.into_values().collect();
        for line in &mut lines {
            line.share = line.cost_ns.map(|ns| wall.share(ns));
        }
        lines.sort_by(|a, b| (b.cost_ns, b.calls).cmp(&(a.cost_ns, a.calls)).then_with(|| a.at.cmp(&b.at)));
        let more_lines = lines.len().saturating_sub(LISTED) as u64;
        lines.truncate(LISTED);
        (!lines.is_empty()).then_some(Behind { lines, more_lines, without })
    }
}

/// What a stack's calls are for; `None`: that is not known.
fn at(stacks: &Stacks, stack: u32, frames: &mut Vec<Option<Code>>) -> Option<At> {
    if stack == 0 {
        return None;
    }
    stacks.frames(stack, frames);
    // Of both kinds, a line of Python says more than the C function that it calls.
    let code = python(stacks, frames).map_or_else(|| native(stacks, frames), Some)?;
    let (function, file, line) = stacks.place(Some(code));
    Some(At { function: function.into(), file: file.into(), line })
}

/// The innermost function of Python that is not importlib's.
fn python(stacks: &Stacks, frames: &[Option<Code>]) -> Option<Code> {
    let of_python = frames.iter().rev().flatten().filter(|code| code.kind == FrameKind::Python);
    let named = of_python.filter(|code| !stacks.place(Some(**code)).0.is_empty());
    let own =
        |code: &&Code| !is_machinery(code.kind, stacks.place(Some(**code)).1, stacks.object(Some(**code)));
    named.copied().find(|code| own(&code))
}

/// The innermost function of the innermost program or library that is neither the C library nor the loader, or of it no more
/// than which it is. Where a frame of which nothing is known comes first, nobody knows whose it is; where all frames are
/// known, and theirs, the innermost.
fn native(stacks: &Stacks, frames: &[Option<Code>]) -> Option<Code> {
    let mut innermost = None;
    let mut nameless: Option<Code> = None;
    for code in frames.iter().rev() {
        let code = code.filter(|code| matches!(code.kind, FrameKind::Native | FrameKind::Python));
        let (function, file, _) = stacks.place(code);
        let object = stacks.object(code);
        let is_known = code.is_some() && !(function.is_empty() && object.is_empty());
        if nameless.is_some_and(|found| !is_known || stacks.object(Some(found)) != object) {
            return nameless;
        }
        let code = code.filter(|_| is_known)?;
        if !is_machinery(code.kind, file, object) {
            if !function.is_empty() {
                return Some(code);
            }
            nameless = nameless.or(Some(code));
        }
        innermost = innermost.or_else(|| Some(code).filter(|_| !function.is_empty()));
    }
    nameless.or(innermost)
}

/// Whether what is in this file makes calls for others: importlib, the C library, the dynamic loader.
fn is_machinery(kind: FrameKind, file: &[u8], object: &[u8]) -> bool {
    let begins = |names: &[&[u8]]| {
        let of = if kind == FrameKind::Python { file } else { object };
        let name = of.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        names.iter().any(|known| name.starts_with(known))
    };
    match kind {
        FrameKind::Python => {
            begins(&[b"<frozen importlib", b"<frozen zipimport", b"_bootstrap.py", b"_bootstrap_external.py"])
        }
        FrameKind::Native => begins(&[b"libc.so", b"libc-", b"ld-linux", b"ld-musl", b"ld-2", b"libpthread"]),
        FrameKind::Unknown | FrameKind::Kernel => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::stack::{Frame, Node};

    #[test]
    fn a_call_is_for_the_line_that_asked_for_it() {
        let mut stacks = Stacks::default();
        let python = |name, file, line| Frame { kind: FrameKind::Python, name, file, line, ..Frame::UNKNOWN };
        let native = |name, object| Frame { kind: FrameKind::Native, name, object, ..Frame::UNKNOWN };
        let frames = [
            native(b"main", b"/bin/x"),
            python(b"<module>", b"/a/use.py", 3),
            python(b"_path_stat", b"<frozen importlib._bootstrap_external>", 147),
            Frame { file: b"./io/stat.c", ..native(b"__GI___stat", b"/lib/libc.so.6") },
            Frame::UNKNOWN,
            native(b"", b"/bin/stripped"),
            native(b"exported", b"/bin/stripped"),
        ];
        for (number, frame) in (1..).zip(&frames) {
            stacks.add(&frame.event(number));
        }
        let stack = |number, caller, frame| Node { caller, frame }.event(number);
        for event in [
            stack(1, None, 1),
            stack(2, Some(1), 2),
            stack(3, Some(2), 3),
            stack(4, Some(3), 4),
            stack(5, Some(1), 4),
            stack(6, None, 4),
            stack(7, None, 5),
            stack(8, Some(7), 4),
            stack(9, Some(1), 6),
            stack(10, Some(9), 4),
            stack(11, Some(7), 1),
            stack(12, Some(1), 7),
            stack(13, Some(12), 6),
            stack(14, Some(13), 4),
        ] {
            stacks.add(&event);
        }
        let mut buffer = Vec::new();
        let mut shown = |stack| {
            at(&stacks, stack, &mut buffer).map(|at| {
                let text = |text: &Text| String::from_utf8_lossy(text.bytes()).into_owned();
                format!("{} {}:{}", text(&at.function), text(&at.file), at.line)
            })
        };
        assert_eq!(shown(4).as_deref(), Some("<module> /a/use.py:3"));
        assert_eq!(shown(5).as_deref(), Some("main /bin/x:0"));
        // A thread that runs nothing but the C library.
        assert_eq!(shown(6).as_deref(), Some("__GI___stat ./io/stat.c:0"));
        assert_eq!(shown(14).as_deref(), Some("exported /bin/stripped:0"));
        // Of a stripped program, which one it is; not who has called it.
        assert_eq!(shown(10).as_deref(), Some(" /bin/stripped:0"));
        assert_eq!(shown(11).as_deref(), Some("main /bin/x:0"), "though not who has called it");
        // A function of the C library that nobody knows who called is nobody's line.
        assert_eq!([shown(8), shown(7), shown(0), shown(99)], [None, None, None, None]);
    }
}
