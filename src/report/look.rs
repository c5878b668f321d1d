//! How a report looks where it goes: a terminal of some width, or a pipe.

use std::ffi::OsStr;

use anstyle::{AnsiColor, Style};

/// Width and colour of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Columns there are; `None`: as many as the text needs (files, pipes).
    pub width: Option<usize>,
    /// Whether to use colour and weight.
    pub colour: bool,
}

impl Look {
    /// No colour and no limit to the width: for pipes, files and tests.
    pub const PLAIN: Self = Self { width: None, colour: false };

    /// What fits standard output. Its width is `COLUMNS` where that is set (for a pager, too), else the
    /// terminal's if it is one. There is colour if [`anstream::ColorChoice::global`] and the environment agree
    /// (`NO_COLOR`, `CLICOLOR_FORCE`, `TERM`).
    #[must_use]
    pub fn of_stdout() -> Self {
        let stdout = std::io::stdout();
        let colour = anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never;
        let terminal = || terminal_size::terminal_size_of(&stdout).map(|(width, _)| usize::from(width.0));
        Self { width: columns(std::env::var_os("COLUMNS").as_deref()).or_else(terminal), colour }
    }

    /// A title, over as many lines as it needs.
    #[must_use]
    pub fn title(self, text: &str) -> String {
        self.wrapped(Style::new().bold(), text)
    }

    /// The first line of a table, as it is.
    #[must_use]
    pub fn header(self, line: &str) -> String {
        self.styled(Style::new().bold(), line)
    }

    /// Something the reader should not miss.
    #[must_use]
    pub fn warning(self, text: &str) -> String {
        self.wrapped(Style::new().bold().fg_color(Some(AnsiColor::Yellow.into())), text)
    }

    /// Something the reader may pass over.
    #[must_use]
    pub fn note(self, text: &str) -> String {
        self.wrapped(Style::new().dimmed(), text)
    }

    /// Breaks a text between its words where it is wider than there are columns.
    fn wrapped(self, style: Style, text: &str) -> String {
        let fits = |line: &str| self.width.is_none_or(|width| line.chars().count() <= width);
        if fits(text) {
            return self.styled(style, text);
        }
        let mut lines: Vec<String> = Vec::new();
        for word in with_units(text) {
            match lines.last_mut() {
                Some(line) if fits(&format!("{line} {word}")) => {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
        }
        let lines = lines.iter().map(|line| self.styled(style, line));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn styled(self, style: Style, text: &str) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// The words of a text, a number and its unit being one.
fn with_units(text: &str) -> impl Iterator<Item = &str> {
    const UNITS: [&str; 5] = ["ns", "µs", "ms", "s", "%"];
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let blanks = text.match_indices(' ').map(|(at, _)| at);
        let is_unit = |after: &str| {
            let word = after.split(' ').next().unwrap_or_default();
            UNITS.contains(&word.trim_end_matches(|c: char| c.is_ascii_punctuation() && c != '%'))
        };
        let end = blanks.into_iter().find(|at| !is_unit(&text[at + 1..]));
        rest = end.map(|at| &text[at + 1..]);
        Some(end.map_or(text, |at| &text[..at]))
    })
}

/// The width that `COLUMNS` asks for.
fn columns(variable: Option<&OsStr>) -> Option<usize> {
    variable?.to_str()?.parse().ok().filter(|width| *width > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_is_a_number_or_nothing() {
        let width = |text: &str| columns(Some(OsStr::new(text)));
        assert_eq!(
            (width("80"), width("0"), width(""), width("-1"), width("wide")),
            (Some(80), None, None, None, None)
        );
        assert_eq!(columns(None), None);
    }

    #[test]
    fn sentences_are_broken_between_words() {
        let narrow = Look { width: Some(12), colour: false };
        assert_eq!(narrow.note("no break"), "no break");
        assert_eq!(narrow.note("twelve chars"), "twelve chars");
        assert_eq!(
            narrow.warning("a word-beyond-all-width of µµµµµµµµ"),
            "a\nword-beyond-all-width\nof µµµµµµµµ"
        );
        assert_eq!(narrow.note("it took 12.5 ms, then 5.2 %."), "it took\n12.5 ms,\nthen 5.2 %.");
        assert_eq!(Look { width: Some(0), colour: false }.title("a b"), "a\nb");
        let colour = Look { width: Some(1), colour: true };
        assert_eq!(colour.title("a b"), "\u{1b}[1ma\u{1b}[0m\n\u{1b}[1mb\u{1b}[0m");
        assert_eq!(narrow.header("as  wide  as  it  is"), "as  wide  as  it  is");
    }

    #[test]
    fn plain_is_plain() {
        assert_eq!(Look::PLAIN.title("x"), "x");
        let colour = Look { colour: true, ..Look::PLAIN };
        assert_eq!(colour.title("x"), "\u{1b}[1mx\u{1b}[0m");
    }
}
