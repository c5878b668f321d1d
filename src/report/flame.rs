//! Flame graphs: folded stacks as text, and as SVG by inferno.

use std::io::{self, Write};

use inferno::flamegraph;

use super::escape::escape;
use crate::analysis::fold::Stack;

/// What a frame's width stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Cost in nanoseconds.
    Cost,
    /// Number of calls.
    Calls,
}

/// Folded stacks, one a line: frames joined by `;`, a blank, the number. Stacks that amount to
/// nothing are left out.
///
/// Names are escaped as everywhere, and `;`, which separates frames, becomes `\u{3b}`.
#[must_use]
pub fn folded(stacks: &[Stack], metric: Metric) -> Vec<String> {
    let value = |stack: &Stack| match metric {
        Metric::Cost => stack.cost_ns.unwrap_or(0),
        Metric::Calls => stack.calls,
    };
    let lines = stacks.iter().filter(|stack| value(stack) > 0).map(|stack| {
        let frames = stack.frames.iter().map(|frame| escape(frame.bytes()).replace(';', "\\u{3b}"));
        format!("{} {}", frames.collect::<Vec<_>>().join(";"), value(stack))
    });
    lines.collect()
}

/// Writes the flame graph. `title` names the command, `subtitle` says what the width is and how far
/// it can be believed. Gives `false`, and writes nothing, if no stack amounts to anything.
pub fn svg(
    out: &mut dyn Write,
    stacks: &[Stack],
    metric: Metric,
    title: &str,
    subtitle: &str,
) -> io::Result<bool> {
    let lines = folded(stacks, metric);
    if lines.is_empty() {
        return Ok(false);
    }
    let mut options = flamegraph::Options::default();
    options.title = escape(title.as_bytes());
    options.subtitle = Some(subtitle.to_owned());
    options.count_name.clear();
    options.count_name.push_str(match metric {
        Metric::Cost => "ns",
        Metric::Calls => "calls",
    });
    options.name_type.clear();
    options.min_width = 0.05;
    // A reader's machine need not fetch anything, and the same log gives the same file.
    options.deterministic = true;
    flamegraph::from_lines(&mut options, lines.iter().map(String::as_str), out).map_err(io::Error::other)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::text::Text;

    fn stack(frames: &[&[u8]], calls: u64, cost_ns: Option<u64>) -> Stack {
        Stack { frames: frames.iter().map(|&frame| Text::from(frame)).collect(), calls, cost_ns }
    }

    #[test]
    fn names_cannot_break_out_of_their_frame() {
        let odd = [stack(&[b"sh", b"a;b c\n9", b"\xff"], 3, Some(70)), stack(&[b"sh"], 1, Some(0))];
        assert_eq!(folded(&odd, Metric::Cost), ["sh;a\\u{3b}b c\\n9;\\xff 70"]);
        assert_eq!(folded(&odd, Metric::Calls), ["sh;a\\u{3b}b c\\n9;\\xff 3", "sh 1"]);
        let unknown = [stack(&[b"sh"], 1, None)];
        assert!(folded(&unknown, Metric::Cost).is_empty());
    }

    #[test]
    fn no_name_makes_the_drawing_ill_formed() {
        let odd = [stack(&["a\u{ffff}b\u{fffe}\u{1}\u{9b}".as_bytes(), b"\xff]]>"], 1, Some(5))];
        let mut out = Vec::new();
        assert!(svg(&mut out, &odd, Metric::Cost, "t\u{ffff}", "s").unwrap());
        let out = String::from_utf8(out).unwrap();
        assert!(out.chars().all(|c| c == '\n' || c >= ' ' && !matches!(c, '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')));
        assert!(out.contains("a\\u{ffff}b\\u{fffe}\\u{1}\\u{9b}") && out.contains("\\xff]]&gt;"), "{out}");
    }

    #[test]
    fn svg_is_whole_and_the_same_each_time() {
        let stacks = [
            stack(&[b"python", b"<site>", b"stat", b"/usr", b"/lib & co"], 5, Some(900)),
            stack(&[b"sh"], 2, Some(100)),
        ];
        let render = || {
            let mut out = Vec::new();
            assert!(svg(&mut out, &stacks, Metric::Cost, "python <x>", "estimated").unwrap());
            String::from_utf8(out).unwrap()
        };
        let once = render();
        assert!(once.trim_end().ends_with("</svg>"));
        assert!(once.contains("python &lt;x&gt;") && !once.contains("<site>"));
        assert!(once.contains("/lib &amp; co (900 ns"));
        assert_eq!(once, render());
        assert!(!svg(&mut Vec::new(), &[], Metric::Cost, "x", "y").unwrap());
    }
}
