//! Folded stacks as text, one a line: frames joined by `;`, a blank, the number.
//!
//! Names are escaped as everywhere; beyond that `;`, which separates frames, is `\073`, and so are
//! blanks and hash signs where a reader of such lines would take them for something else.

use std::io::{self, Write};

use crate::analysis::fold::Graph;
use crate::report::escape::escape;

/// Writes the stacks that amount to something. Where the graph is compared with another one, two numbers
/// end each line: that of the other and its own.
pub fn folded(out: &mut dyn Write, graph: &Graph, compared: bool) -> io::Result<()> {
    let mut stack = Stack::default();
    for (depth, id) in graph.walk() {
        stack.set(depth, &frame_text(graph.name(id)));
        match (graph.own(id), compared) {
            ([0, 0], _) | ([0, _], false) => {}
            ([own, _], false) => writeln!(out, "{} {own}", stack.text())?,
            ([own, before], true) => writeln!(out, "{} {before} {own}", stack.text())?,
        }
    }
    Ok(())
}

/// Whether a line is one of a folded text.
#[must_use]
pub fn is_folded(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let last = line.iter().rposition(|&b| b == b' ');
    last.is_some_and(|at| at > 0 && at + 1 < line.len() && line[at + 1..].iter().all(u8::is_ascii_digit))
}

/// The name of a frame as it can stand in a line.
pub fn frame_text(name: &[u8]) -> String {
    let mut text = escape(name).replace(';', "\\073");
    // What follows a line's last blank is its number; a line that begins with `# ` is a comment.
    if let Some(at) = text.rfind(' ').filter(|&at| is_number(&text[at + 1..])) {
        text.replace_range(at..=at, "\\040");
    }
    if text.starts_with(' ') {
        text.replace_range(..1, "\\040");
    }
    if text.starts_with('#') {
        text.replace_range(..1, "\\043");
    }
    text
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// The frames from the bottom to one of them, as text.
#[derive(Default)]
pub struct Stack {
    text: String,
    /// Where each frame ends.
    ends: Vec<usize>,
}

impl Stack {
    /// Puts a frame at this depth, instead of all from there on.
    pub fn set(&mut self, depth: usize, frame: &str) {
        self.ends.truncate(depth);
        self.text.truncate(self.ends.last().copied().unwrap_or(0));
        if depth > 0 {
            self.text.push(';');
        }
        self.text.push_str(frame);
        self.ends.push(self.text.len());
    }

    pub fn text(&self) -> &str {
        &self.text
    }
}
