//! Pieces of SVG that drawings are made of. All text is escaped: it comes from traced programs.

use std::io::{self, Write};

use super::escape::printable;

/// A straight line; `look` is attributes.
pub fn rule(out: &mut dyn Write, from: (f64, f64), to: (f64, f64), look: &str) -> io::Result<()> {
    let ((x1, y1), (x2, y2)) = (from, to);
    writeln!(out, "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" {look}/>")
}

/// A line of text; `anchor` is start, middle or end, `look` is attributes.
pub fn text(out: &mut dyn Write, (x, y): (f64, f64), anchor: &str, look: &str, text: &str) -> io::Result<()> {
    let text = escaped(text);
    writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" {look}>{text}</text>")
}

/// As XML takes it; what does not print is escaped before.
#[must_use]
pub fn escaped(text: &str) -> String {
    printable(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
